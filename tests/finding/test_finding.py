"""Planted outliers, copies and swapped labels are found first, and a clean set says so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from zscape import finding
from zscape.config import ModelConfig
from zscape.data import ImageSet
from zscape.errors import ConfigError, DataError
from zscape.finding.outliers import log_density
from zscape.latents import LatentTable, decode, encode
from zscape.model import build_model


def images_of(n, seed=0, split="test"):
    """Pictures of noise in two brightnesses, which are their classes, from files."""
    generator = torch.Generator().manual_seed(seed)
    kind = torch.arange(n) % 2
    pixels = torch.rand(n, 1, 16, 16, generator=generator) * 60 + 20 + 100 * kind.view(-1, 1, 1, 1)
    known = {"file_name": [f"{split}/{i}.png" for i in range(n)], "error": range(n)}
    return ImageSet(pixels.byte(), kind, ("dark", "light"), split=split, columns=known)


def table_of(mu, labels=None, **more):
    names = () if labels is None else tuple(map(str, range(max(labels) + 1)))
    labels = None if labels is None else np.array(labels)
    mu = np.asarray(mu, np.float32)
    return LatentTable(mu, np.full_like(mu, -4), labels, names, np.arange(len(mu)), **more)


@pytest.fixture(scope="module")
def vae():
    return build_model(ModelConfig(network="mlp", latent_dim=3, image_shape=(1, 16, 16))).eval()


@pytest.fixture(scope="module")
def clouds():
    """Two clouds of 60 places, far from each other."""
    mu = np.random.default_rng(0).normal(size=(120, 3))
    mu[60:] += 20
    return mu, [0] * 60 + [1] * 60


@pytest.mark.parametrize("by", ["distance", "density", "rank", "error"])
def test_planted_outliers_come_first(vae, by):
    images = images_of(80)
    table = encode(vae, images)
    far = table.mu.copy()
    far[[7, 31]] += np.array([[60, -60, 60], [-80, 80, 0]], np.float32)
    images.images[[7, 31]] = (torch.rand(2, 1, 16, 16) > 0.5).byte() * 255
    found = finding.outliers(vae, images, table=replace(table, mu=far), by=by)
    assert set(found.index[:2]) == {7, 31}
    assert found["stands_out"].iloc[:2].str.contains("distance").all()
    assert found["file_name"].iloc[0] == f"test/{found.index[0]}.png"
    assert "column_error" in found  # a column of that name is not lost


def test_what_stands_out_comes_before_the_highest_rank(vae):
    """As a picture may be far out that the model draws well, and is sure of."""
    images = images_of(80)
    table = encode(vae, images)
    far, sure = table.mu.copy(), table.logvar.copy()
    far[7] += 60
    sure[7] -= 20
    images.images[7] = (decode(vae, far[7:8])[0] * 255).round().byte()
    found = finding.outliers(vae, images, table=replace(table, mu=far, logvar=sure))
    assert found.index[0] == 7
    assert found["stands_out"].tolist() == ["distance"] + [""] * 79
    assert found["rank"].iloc[0] < found["rank"].iloc[1] == found["rank"].max()
    assert found["rank"].iloc[1:].is_monotonic_decreasing


def test_a_clean_set_has_no_outliers(clouds, vae):
    mu, labels = clouds
    found = finding.outliers(vae, images_of(120), table=table_of(mu, labels))
    assert (found["stands_out"] == "").all()
    assert found["rank"].is_monotonic_decreasing


def test_the_density_is_that_of_the_others(clouds):
    table = table_of(clouds[0][:7])
    found = log_density(table)
    gaps = table.mu[:, None].astype(float) - table.mu[None]
    each = np.exp(-(gaps**2).sum(2) / (2 * np.exp(-4))) / (2 * np.pi * np.exp(-4)) ** 1.5
    np.fill_diagonal(each, 0)
    assert found == pytest.approx(np.log(each.sum(1) / 6), rel=1e-5)


def test_copies_are_found_with_what_they_are_copies_of(vae):
    images = images_of(60)
    images.images[50] = images.images[4]
    noisy = images.images[9].clone()
    noisy[0, 0, :8] += 1
    images.images[41] = noisy
    found = finding.duplicates(vae, images)
    assert found.index.tolist() == [50, 41]
    assert found["of"].tolist() == [4, 9]
    assert found["same"].tolist() == [True, False]
    assert found["of_file_name"].tolist() == ["test/4.png", "test/9.png"]
    assert found["pixels"].iloc[0] == 0 < found["pixels"].iloc[1] < 0.01
    clean = finding.duplicates(vae, images_of(60))
    assert len(clean) == 0
    assert {"of", "same", "of_class"} <= set(clean)


def test_test_images_among_the_training_images(vae):
    train, test = images_of(80, seed=1, split="train"), images_of(40)
    test.images[3] = train.images[70]
    test.images[20] = (train.images[11].int() + torch.arange(16) % 2).byte()
    found = finding.duplicates(vae, test, train)
    assert list(zip(found.index, found["of"], found["same"], strict=True)) == [
        (3, 70, True), (20, 11, False),
    ]  # fmt: skip
    assert found["of_file_name"].iloc[0] == "train/70.png"
    # Every image leaked, with noise: no narrow set, but a leak.
    leaked = replace(test, images=train.images[:40])
    assert len(finding.duplicates(vae, leaked, train)) == 40


def test_swapped_labels_are_found_first(clouds):
    mu, labels = clouds
    swapped = list(labels)
    swapped[5], swapped[99] = 1, 0
    found = finding.mislabelled(table_of(mu, swapped))
    assert set(found.index) == {5, 99}
    assert found["stands_out"].all()
    assert found.loc[5, "suggested"] == "0"
    assert finding.mislabelled(table_of(mu, labels)).empty


def test_a_missing_label_is_no_wrong_one(clouds):
    mu, labels = clouds
    labels = [2 if i % 3 else k for i, k in enumerate(labels)]
    table = replace(table_of(mu, labels), class_names=("a", "b", "missing"))
    assert finding.mislabelled(table).empty


@pytest.mark.parametrize(
    ("find", "error", "message"),
    [
        (lambda vae: finding.mislabelled(table_of(np.eye(3))), DataError, "no labels"),
        (lambda vae: finding.mislabelled(table_of(np.eye(3), [0, 0, 0])), DataError, "two classes"),
        (lambda vae: finding.mislabelled(table_of(np.eye(3), [0, 1, 0])), ConfigError,
         r"k must be in \[1, 2\], the other images; got 10"),
        (lambda vae: finding.outliers(vae, images_of(1)), DataError, "one image"),
        (lambda vae: finding.outliers(vae, images_of(5), k=5), ConfigError, r"in \[1, 4\]"),
        (lambda vae: finding.outliers(vae, images_of(5), by="size"), ConfigError, "by must be"),
        (lambda vae: finding.duplicates(vae, images_of(5), within=0), ConfigError, "within"),
        (lambda vae: table_of(np.full((3, 2), np.nan)), DataError, "may have diverged"),
    ],
)  # fmt: skip
def test_what_cannot_be_judged_is_said(vae, find, error, message):
    with pytest.raises(error, match=message):
        find(vae)


def test_one_image_has_no_copy(vae):
    assert finding.duplicates(vae, images_of(1)).empty
