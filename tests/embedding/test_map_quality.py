from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from embedding.conftest import make_table
from zscape.config import ModelConfig
from zscape.data import ImageSet
from zscape.embedding import (
    HeldOut,
    Judged,
    fit_map,
    inverse_quality,
    label_accuracy,
    map_metrics,
    map_quality,
    register_metric,
    trustworthiness,
)
from zscape.errors import CheckpointError, ConfigError, DataError
from zscape.latents import encode
from zscape.model import build_model

COLUMNS = [
    "trustworthiness",
    "continuity",
    "label_accuracy_z",
    "label_accuracy_map",
    "distance_correlation",
]


def test_one_row_per_map(maps):
    quality = map_quality(maps.values())
    assert list(quality.columns) == COLUMNS
    assert list(quality.index) == list(maps)
    assert quality.notna().all(axis=None)
    assert quality.label_accuracy_z.nunique() == 1
    # Neighbour maps keep neighbours; linear ones distances.
    assert quality.trustworthiness[["tsne", "umap"]].min() > quality.trustworthiness["pair"]
    assert quality.distance_correlation["pca"] > quality.distance_correlation["pair"]


def test_a_metric_of_ones_own(maps, monkeypatch):
    monkeypatch.setattr(map_metrics, "_table", dict(map_metrics._table))

    @register_metric("spread")
    def spread(judged: Judged) -> float:
        return float(judged.y.std())

    quality = map_quality([maps["pca"]])
    assert list(quality.columns) == [*COLUMNS, "spread"]
    assert quality.spread["pca"] == pytest.approx(maps["pca"].coordinates.std(), rel=1e-5)
    assert list(map_quality([maps["pca"]], metrics=["spread", "continuity"]).columns) == [
        "spread", "continuity",
    ]  # fmt: skip
    with pytest.raises(ConfigError, match=r"metric must be one of .*, spread; got 'beauty'\.$"):
        map_quality([maps["pca"]], metrics=["beauty"])


def test_shuffled_places_are_poor(maps):
    good = maps["tsne"]
    order = np.random.default_rng(0).permutation(len(good))
    poor = replace(good, fitted=good.fitted._replace(coordinates=good.coordinates[order]))
    quality = map_quality([poor, good])
    poor_row, good_row = quality.iloc[0], quality.iloc[1]
    assert (poor_row.drop("label_accuracy_z") < good_row.drop("label_accuracy_z") - 0.2).all()


def test_a_map_without_loss_is_perfect():
    table = make_table(n=100, dim=2)
    row = map_quality([fit_map(table, "pair")]).loc["pair"]
    assert row.trustworthiness == row.continuity == 1
    assert row.distance_correlation == pytest.approx(1)
    assert row.label_accuracy_z == row.label_accuracy_map


@pytest.mark.parametrize("cells", [10**7, 1000])
def test_trustworthiness_is_scikit_learns(maps, cells, monkeypatch):
    from sklearn.manifold import trustworthiness as reference

    monkeypatch.setattr("zscape.embedding.quality.CELLS_AT_ONCE", cells)
    x, y = maps["pca"].x, maps["pca"].coordinates
    expected = reference(x.astype(float), y.astype(float), n_neighbors=10)
    assert trustworthiness(x, y, np.arange(len(x)), 10) == pytest.approx(expected, abs=1e-6)
    sampled = trustworthiness(x, y, np.arange(0, len(x), 2), 10)
    assert sampled == pytest.approx(expected, abs=0.02)


def test_a_sample_is_seeded(maps):
    one, other = (map_quality([maps["pca"]], n_sample=100, seed=4) for _ in range(2))
    assert one.equals(other)
    assert not one.equals(map_quality([maps["pca"]], n_sample=100, seed=5))


def test_without_labels_there_is_no_accuracy():
    row = map_quality([fit_map(make_table(labelled=False), "pca")]).iloc[0]
    assert row[["label_accuracy_z", "label_accuracy_map"]].isna().all()
    assert row.notna().sum() == 3


def test_too_few_for_a_neighbourhood():
    with pytest.raises(DataError, match="more than 30 points; got 30"):
        map_quality([fit_map(make_table(n=30), "pca")])


def test_label_accuracy_by_hand():
    x = np.array([[0.0, 0], [0, 1], [1, 0], [9, 9], [9, 8], [0, 0.5]], np.float32)
    labels = np.array([0, 0, 0, 1, 1, 1])
    assert label_accuracy(x, labels, k=1) == pytest.approx(3 / 6)


@pytest.fixture(scope="module")
def judged():
    """A model, a map of its latents for 200 images, and 60 held out."""
    vae = build_model(ModelConfig(latent_dim=3, network="mlp", image_shape=(1, 8, 8)))
    generator = torch.Generator().manual_seed(0)
    stripes = torch.rand(260, 1, 8, 1, generator=generator).expand(-1, -1, -1, 8)
    images = ImageSet((stripes * 255).to(torch.uint8), torch.arange(260) % 2, ("a", "b"))
    # A map sees nothing of an untrained encoder: its outputs are almost the same for all images.
    table = encode(vae, images)
    table = replace(table, mu=20 * (table.mu - table.mu.mean(0)))
    return vae, images, table[:200], table[200:]


def test_ways_back_side_by_side(judged):
    vae, images, fitted, rest = judged
    maps = [fit_map(fitted, "pca"), fit_map(fitted, "tsne", perplexity=15)]
    ways = ("nearest", "local", "exact", "umap")
    quality = inverse_quality(maps, ways, vae, HeldOut(rest, images), judge=images, n_lines=3)
    assert list(quality.index) == [
        ("pca", "nearest"),
        ("pca", "local"),
        ("pca", "exact"),
        ("tsne", "nearest"),
        ("tsne", "local"),
        ("none", "none"),
    ]
    best = quality.loc[("none", "none")]
    assert best.z_rmse == 0
    assert quality.picture_rmse.between(0, 1).all()
    assert quality.class_agreement.between(0, 1).all()
    assert (quality.roughness.dropna() >= 1).all()
    assert (quality.ms_per_point.dropna() > 0).all()
    assert quality.z_rmse["pca", "local"] < quality.z_rmse["pca", "nearest"]
    assert quality.roughness["tsne", "local"] < quality.roughness["tsne", "nearest"]
    pixels = images.pixels(torch.from_numpy(rest.indices))
    with torch.no_grad():
        own = vae.eval().decode(torch.from_numpy(rest.mu))
    rmse = float((own - pixels).square().mean().sqrt())
    assert best.picture_rmse == pytest.approx(rmse, rel=1e-4)


def test_no_judge_no_agreement(judged):
    vae, images, fitted, rest = judged
    maps = [fit_map(fitted, "pca")]
    quality = inverse_quality(maps, ["nearest"], vae, HeldOut(rest, images), n_lines=2, n_steps=5)
    assert quality.class_agreement.isna().all()


def test_another_model(judged):
    _, images, fitted, rest = judged
    other = build_model(ModelConfig(latent_dim=3, network="mlp", image_shape=(1, 8, 8)), seed=1)
    with pytest.raises(CheckpointError, match="another model"):
        inverse_quality([fit_map(fitted, "pca")], ["nearest"], other, HeldOut(rest, images))


def test_images_that_are_not_there(judged):
    vae, images, fitted, rest = judged
    with pytest.raises(DataError, match=r"up to number 259.*but these are the 10 "):
        inverse_quality([fit_map(fitted, "pca")], ["nearest"], vae, HeldOut(rest, images[:10]))
