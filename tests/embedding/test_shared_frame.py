"""Maps in one frame of reference: what a turn is, and how well the frame holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from embedding.conftest import SETTINGS, make_table
from zscape.config import ModelConfig
from zscape.data import as_image_set
from zscape.embedding import align_maps, fit_map, make_film, neighbours_kept, steadiness
from zscape.embedding.frames import best_turn, frame_of, turned
from zscape.errors import DataError
from zscape.model import build_model

ANGLE = np.deg2rad(40)
ROTATION = np.array([[np.cos(ANGLE), np.sin(ANGLE)], [-np.sin(ANGLE), np.cos(ANGLE)]])
MIRROR = np.diag([1.0, -1.0])


@pytest.fixture(scope="module")
def cloud():
    return np.random.default_rng(0).standard_normal((200, 2)) @ np.diag([3, 1]) + [5, -2]


@pytest.mark.parametrize("rotation", [ROTATION, ROTATION @ MIRROR], ids=["turned", "mirrored"])
def test_a_turn_is_undone_exactly(cloud, rotation):
    moved = cloud @ rotation + [7, 1]
    turn = best_turn(moved, cloud)
    assert np.allclose(turn(moved), cloud, atol=1e-5)
    assert np.allclose(turn.rotation @ turn.rotation.T, np.eye(2), atol=1e-12)


def test_nothing_is_stretched(cloud):
    turn = best_turn(2 * cloud, cloud)
    assert np.allclose(turn(2 * cloud), 2 * (cloud - cloud.mean(0)) + cloud.mean(0), atol=1e-4)


def test_no_other_turn_is_nearer(cloud):
    noisy = cloud @ ROTATION + np.random.default_rng(1).standard_normal(cloud.shape)
    turn = best_turn(noisy, cloud)
    best = ((turn(noisy) - cloud) ** 2).sum()
    for angle in (-0.05, 0.05):
        c, s = np.cos(angle), np.sin(angle)
        other = turn._replace(rotation=turn.rotation @ [[c, s], [-s, c]])
        assert ((other(noisy) - cloud) ** 2).sum() > best


def test_a_linear_map_that_is_turned_stays_linear(maps, table):
    own = maps["pca"]
    other = turned(own, best_turn(own.coordinates @ ROTATION + [1, 2], own.coordinates))
    assert np.allclose(other.transform(table.mu), other.coordinates, atol=1e-4)
    back = other.inverse_transform(other.coordinates[:5], "exact").vectors
    assert np.allclose(other.transform(back), other.coordinates[:5], atol=1e-4)


@pytest.fixture(scope="module")
def drifting():
    """Three tables of the same images: the latent space turns and the clusters move a little."""
    rng, table = np.random.default_rng(3), make_table(dim=3)
    turn, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    first = table.mu @ turn.astype(np.float32)
    tables = [replace(table, mu=first), replace(table, mu=-table.mu), table]
    noise = (rng.standard_normal(table.mu.shape) * 0.05).astype(np.float32)
    return [replace(one, mu=one.mu + noise) for one in tables]


@pytest.mark.parametrize("method", SETTINGS)
def test_maps_of_one_space_that_turns_hold_still(drifting, method):
    maps = align_maps(drifting, method, **SETTINGS[method])
    assert [one.method for one in maps] == [method] * 3
    alone = fit_map(drifting[-1], method, **SETTINGS[method])
    assert np.array_equal(maps[-1].coordinates, alone.coordinates)
    found = steadiness(maps)
    if method == "pair":
        for one, table in zip(maps, drifting, strict=True):
            assert np.array_equal(one.coordinates, table.mu[:, :2])
        assert "the neurons' own" in frame_of(maps[0])
        return
    # UMAPs of one set differ by up to 0.45 in themselves, more or less on other processors.
    assert (found["moved"] < 0.5).all()
    assert np.allclose(found["moved"], found["rest"], atol=1e-5)  # no better turn is left
    assert (found["kept"] > 0.5).all()
    fresh = [fit_map(table, method, **SETTINGS[method]) for table in drifting]
    assert (found["moved"] < steadiness(fresh)["moved"]).all()
    says = "starts from the next later one and" in frame_of(maps[0])
    assert says == (method in ("tsne", "umap"))


def test_measures_against_closed_forms(maps):
    own = maps["pca"]
    middle = own.coordinates.mean(0)
    other = replace(own, fitted=own.fitted._replace(
        coordinates=((own.coordinates - middle) @ ROTATION + middle).astype(np.float32)
    ))  # fmt: skip
    found = steadiness([other, own])
    assert found["moved"][0] == pytest.approx(2 * np.sin(ANGLE / 2), rel=1e-4)
    assert found["rest"][0] == pytest.approx(0, abs=1e-5)
    assert found["kept"][0] == 1
    shuffled = np.random.default_rng(0).permutation(len(own))
    chance = replace(own, fitted=own.fitted._replace(coordinates=own.coordinates[shuffled]))
    assert steadiness([chance, own])["kept"][0] == pytest.approx(15 / (len(own) - 1), abs=0.02)
    assert steadiness([own]).empty


def test_neighbours_kept_counts_in_any_order():
    near = np.array([[1, 2, 3], [4, 5, 6]])
    assert neighbours_kept(near, np.array([[3, 1, 9], [7, 8, 9]])) == pytest.approx([2 / 3, 0])


def test_what_has_no_frame_is_refused(table, maps):
    with pytest.raises(DataError, match="of the same images, row by row"):
        align_maps([table, make_table(n=200)], "pca")
    with pytest.raises(DataError, match="need more images"):
        steadiness([maps["pca"]] * 2, n_neighbors=len(table))


def test_a_film_says_how_its_frame_holds():
    vae = build_model(ModelConfig(latent_dim=3, network="mlp", image_shape=(1, 8, 8)), seed=0)
    images = np.random.default_rng(0).random((60, 1, 8, 8), dtype=np.float32)
    film = make_film([vae, vae], ["a", "b"], [0, 1], as_image_set(images))
    assert len(film) == 2
    assert film.maps[0].method == "pca"  # too few for t-SNE
    assert "turned, mirrored and shifted" in film.frame
    assert "moves by 0.00 of the map's radius" in film.frame
    assert film[[1]].titles == ("b",)
