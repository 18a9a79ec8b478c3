from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass, replace

import numpy as np
import pytest

from embedding.conftest import SETTINGS, make_table
from zscape import load_pretrained
from zscape.config import option
from zscape.data import load_data
from zscape.embedding import (
    PCA,
    TSNE,
    Fitted,
    LinearMap,
    MapMethod,
    Pair,
    fit_map,
    label_accuracy,
    methods,
    trustworthiness,
)
from zscape.embedding.neighbours import nearest, nearest_others, place, shepard_weights
from zscape.embedding.tsne import EXAGGERATION, fading_exaggeration
from zscape.errors import ConfigError, DataError, ShapeError
from zscape.latents import encode

NEIGHBOUR_MAPS = ("tsne", "umap")


def test_every_method_is_tested():
    assert set(methods) == set(SETTINGS)


def test_a_map_is_finite_and_knows_where_it_is_from(embedding, table):
    assert embedding.coordinates.shape == (len(table), 2)
    assert embedding.coordinates.dtype == np.float32
    assert np.isfinite(embedding.coordinates).all()
    assert embedding.table is table
    assert len(embedding) == len(table)
    assert embedding.settings == methods[embedding.method](**SETTINGS[embedding.method])


def test_fitted_points_land_on_themselves(embedding):
    span = np.ptp(embedding.coordinates)
    np.testing.assert_allclose(
        embedding.transform(embedding.table.mu), embedding.coordinates, atol=1e-5 * span
    )


def test_new_points_land_among_their_class(embedding, held_out):
    places = embedding.transform(held_out.mu)
    assert places.shape == (len(held_out), 2)
    gaps = np.linalg.norm(places[:, None] - embedding.coordinates, axis=2)
    found = embedding.table.labels[gaps.argmin(1)]
    hits = (found == held_out.labels).mean()
    assert hits > (0.95 if embedding.method in NEIGHBOUR_MAPS else 0.4)


def test_a_point_is_placed_by_itself(embedding, held_out):
    alone = embedding.transform(held_out.mu[3])
    np.testing.assert_allclose(alone[0], embedding.transform(held_out.mu)[3], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("method", SETTINGS)
def test_same_seed_same_map(method, maps, table):
    again = fit_map(table, method, **SETTINGS[method])
    np.testing.assert_array_equal(again.coordinates, maps[method].coordinates)


def test_another_seed_is_another_umap(maps, table):
    other = fit_map(table, "umap", seed=1)
    assert not np.array_equal(other.coordinates, maps["umap"].coordinates)


@pytest.mark.parametrize("method", NEIGHBOUR_MAPS)
def test_a_fitted_map_keeps_classes_apart(method, maps, table):
    noise = np.random.default_rng(0).standard_normal((len(table), 2)).astype(np.float32)
    assert label_accuracy(noise, table.labels) < 0.5
    assert label_accuracy(maps[method].coordinates, table.labels) > 0.97


def test_tsne_improves_on_its_start():
    # Eight classes in thirty dimensions, not far apart, overlap on any plane.
    table = make_table(dim=30, n_classes=8)
    noise = np.random.default_rng(0).standard_normal(table.mu.shape)
    table = replace(table, mu=(table.mu + 2 * noise).astype(np.float32))
    start = fit_map(table, "pca").coordinates
    short = fit_map(table, "tsne", perplexity=15, exaggeration_steps=0, steps=1)
    full = fit_map(table, "tsne", perplexity=15)
    # One step leaves the principal components as they are, up to size and sign.
    assert abs(np.corrcoef(short.coordinates[:, 0], start[:, 0])[0, 1]) > 0.95
    before, after = (label_accuracy(m.coordinates, table.labels) for m in (short, full))
    assert before < 0.9
    assert after > 0.97
    assert 200 < full.fitted.state["steps"] <= 700


def test_exaggeration_fades():
    phases = list(fading_exaggeration(110))
    assert [n_steps for n_steps, _ in phases] == [25, 25, 25, 25, 10]
    strength = [exaggeration for _, exaggeration in phases]
    assert strength[:2] == [EXAGGERATION] * 2
    # From one to the next, and from the last to none, by the same factor.
    np.testing.assert_allclose(np.diff(np.log([*strength[1:], 1])), -np.log(EXAGGERATION) / 4)
    assert list(fading_exaggeration(0)) == []
    assert list(fading_exaggeration(7)) == [(7, EXAGGERATION)]


def test_tsne_is_as_good_as_scikit_learns():
    from sklearn.manifold import TSNE

    table = encode(load_pretrained(10), load_data("mnist").test[:1000])
    peer = TSNE(random_state=0, max_iter=1000).fit_transform(table.mu)
    ours = fit_map(table, "tsne").coordinates
    rows = np.arange(len(table))
    assert trustworthiness(table.mu, ours, rows) >= trustworthiness(table.mu, peer, rows)
    assert label_accuracy(ours, table.labels) >= label_accuracy(peer, table.labels)


def test_pca_has_the_numbers_of_scikit_learn(maps, table):
    from sklearn.decomposition import PCA

    reference = PCA().fit(table.mu.astype(np.float64))
    state = maps["pca"].fitted.state
    np.testing.assert_allclose(
        state["explained_variance_ratio"], reference.explained_variance_ratio_, rtol=1e-5
    )
    signs = np.sign((state["components"] * reference.components_).sum(1))
    np.testing.assert_allclose(
        state["components"], signs[:, None] * reference.components_, atol=1e-5
    )
    np.testing.assert_allclose(
        maps["pca"].coordinates, reference.transform(table.mu)[:, :2] * signs[:2], atol=1e-4
    )
    assert (state["components"].max(1) == np.abs(state["components"]).max(1)).all()


def test_pair_is_the_neurons_themselves(table):
    pair = fit_map(table, "pair", first=7, second=2)
    np.testing.assert_array_equal(pair.coordinates, table.mu[:, [7, 2]])


def test_standardizing_is_a_choice(table):
    loud = replace(table, mu=table.mu * np.where(np.arange(10) == 3, 100, 1).astype(np.float32))
    plain, scaled = (fit_map(loud, "pca", standardize=flag) for flag in (False, True))
    assert plain.fitted.state["explained_variance_ratio"][0] > 0.99
    assert scaled.fitted.state["explained_variance_ratio"][0] < 0.6
    np.testing.assert_allclose(scaled.x.std(0), 1, rtol=1e-4)
    np.testing.assert_allclose(scaled.unscale(scaled.x), loud.mu, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(scaled.transform(loud.mu), scaled.coordinates, atol=1e-4)


def test_standardizing_leaves_a_dead_neuron_alone(table):
    mu = table.mu.copy()
    mu[:, 4] = 3
    dead = fit_map(replace(table, mu=mu), "pca", standardize=True)
    assert (dead.x[:, 4] == 0).all()


@pytest.mark.parametrize("dim", [2, 64])
@pytest.mark.parametrize("method", SETTINGS)
def test_small_and_large_latent_spaces(method, dim):
    table = make_table(n=120, dim=dim, labelled=False)
    embedding = fit_map(table, method, **SETTINGS[method])
    np.testing.assert_allclose(
        embedding.transform(table.mu),
        embedding.coordinates,
        atol=1e-4 * np.ptp(embedding.coordinates),
    )


@pytest.mark.parametrize("method", NEIGHBOUR_MAPS)
def test_one_neuron_can_be_mapped_by_neighbours(method):
    embedding = fit_map(make_table(n=120, dim=1), method, **SETTINGS[method])
    assert np.isfinite(embedding.coordinates).all()


@pytest.mark.parametrize("method", ["pca", "pair"])
def test_one_neuron_is_no_plane(method):
    with pytest.raises(DataError, match="at least 2 latent neurons; the table has 1"):
        fit_map(make_table(dim=1), method)


@pytest.mark.parametrize("method", SETTINGS)
def test_duplicates(method):
    table = make_table(n=100)[np.arange(400) % 100]
    embedding = fit_map(table, method, **SETTINGS[method])
    assert np.isfinite(embedding.coordinates).all()
    places = embedding.transform(table.mu[:100])
    assert np.isfinite(places).all()


@pytest.mark.parametrize("method", SETTINGS)
def test_nothing_to_map(method):
    with pytest.raises(DataError, match="all 100 points are the same"):
        fit_map(make_table(n=1)[np.zeros(100, int)], method, **SETTINGS[method])


@pytest.mark.parametrize(
    ("method", "n", "needs"), [("pca", 2, 3), ("pair", 2, 3), ("tsne", 91, 92), ("umap", 15, 16)]
)
def test_too_few_points(method, n, needs):
    with pytest.raises(DataError, match=f"at least {needs} points .*; got {n}"):
        fit_map(make_table(n=n), method)
    assert len(fit_map(make_table(n=needs), method)) == needs


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("isomap", {}, "map method must be one of pca, tsne, umap, pair, or your own"),
        ("tsne", {"perplexity": 0}, "map method tsne: perplexity must be"),
        ("tsne", {"n_neighbors": 3}, "has no option n_neighbors"),
        ("pair", {"first": 10}, r"integer in \[0, 9\]; got 10"),
        ("pair", {"first": 1}, "two different"),
        ("zscape.errors:DataError", {}, "not a subclass of MapMethod"),
    ],
)
def test_what_cannot_be_asked(method, options, message, table):
    with pytest.raises(ConfigError, match=message):
        fit_map(table, method, **options)


@pytest.mark.parametrize("bad", [np.zeros((2, 9)), [1.0, 2.0]])
def test_vectors_of_another_length(bad, maps):
    with pytest.raises(ShapeError):
        maps["pca"].transform(bad)


def test_vectors_that_are_not_finite(maps):
    with pytest.raises(ConfigError, match="finite"):
        maps["pca"].transform(np.full(10, np.nan))


def test_progress_is_told(table):
    told = []
    fit_map(table, "tsne", perplexity=15, progress=lambda stage, done: told.append((stage, done)))
    stages, done = zip(*told, strict=True)
    assert {"neighbours", "layout"} == set(stages)
    assert all(0 <= fraction <= 1 for fraction in done)


@dataclass(frozen=True)
class LastTwo(LinearMap):
    """A map of one's own."""

    flip: bool = option(False, "Swap the axes.")

    def axes(self, x):
        return np.eye(x.shape[1])[[-1, -2] if self.flip else [-2, -1]], {}


def test_a_method_of_ones_own(table, tmp_path, monkeypatch):
    name = f"{__name__}:LastTwo"
    monkeypatch.setitem(sys.modules, __name__, sys.modules[LastTwo.__module__])
    embedding = fit_map(table, name, flip=True)
    centred = table.mu[:, [9, 8]] - table.mu[:, [9, 8]].mean(0)
    np.testing.assert_allclose(embedding.coordinates, centred, atol=1e-5)
    np.testing.assert_allclose(embedding.transform(table.mu), centred, atol=1e-5)


def test_a_method_needs_only_a_fit(table):
    @dataclass(frozen=True)
    class Circle(MapMethod):
        def fit(self, x, seed, progress):
            angle = np.arctan2(x[:, 0], x[:, 1])
            return Fitted(np.stack([np.cos(angle), np.sin(angle)], 1).astype(np.float32), {})

    methods.register("circle")(Circle)
    try:
        embedding = fit_map(table, "circle")
        np.testing.assert_allclose(embedding.transform(table.mu), embedding.coordinates, atol=1e-4)
    finally:
        del methods._table["circle"]


def test_neighbours_are_the_nearest(table):
    found = nearest_others(table.mu, 5, seed=0)
    gaps = np.linalg.norm(table.mu[:, None] - table.mu, axis=2)
    np.fill_diagonal(gaps, np.inf)
    np.testing.assert_allclose(found.distances, np.sort(gaps, axis=1)[:, :5], rtol=1e-4)


@pytest.mark.parametrize("dim", [6, 7, 15, 16])
def test_trees_and_all_pairs_find_the_same(monkeypatch, dim):
    """Whichever is quicker for so many points of so many dimensions."""
    x = make_table(n=300, dim=dim).mu
    found = {}
    for most in (100, 1000):
        monkeypatch.setattr("zscape.embedding.neighbours.ALL_PAIRS_MAX_POINTS", most)
        found[most] = nearest(x, x[:50] + 0.01, 5)
    np.testing.assert_array_equal(found[100].rows, found[1000].rows)
    np.testing.assert_array_equal(found[100].distances, found[1000].distances)


def test_many_dimensions_and_points_are_searched_approximately(monkeypatch):
    monkeypatch.setattr("zscape.embedding.neighbours.ALL_PAIRS_MAX_POINTS", 100)
    x = make_table(n=200, dim=20).mu
    found = nearest_others(x, 5, seed=0)
    gaps = np.linalg.norm(x[:, None] - x, axis=2)
    np.fill_diagonal(gaps, np.inf)
    true = np.argsort(gaps, axis=1)[:, :5]
    shared = [len(set(a) & set(b)) / 5 for a, b in zip(true, found.rows, strict=True)]
    assert np.mean(shared) > 0.8


def test_placing_goes_with_the_majority():
    """Between two clusters on the map, a mean would fall into the void."""
    x = np.linspace(0, 1, 20, dtype=np.float32)[:, None]
    coordinates = np.where(x < 0.5, [[0.0, 0.0]], [[100.0, 0.0]]).astype(np.float32)
    placed = place(x, coordinates, np.array([[0.3], [0.7]], np.float32))
    np.testing.assert_allclose(placed, [[0, 0], [100, 0]], atol=1)


def test_weights_of_neighbours():
    weights = shepard_weights(np.array([[0, 1, 2], [1, 1, 1], [0, 0, 0], [0, 0, 1]], np.float32))
    np.testing.assert_allclose(weights.sum(1), 1)
    assert weights[0, 0] > 0.99
    np.testing.assert_allclose(weights[1:3], 1 / 3)
    np.testing.assert_allclose(weights[3], [0.5, 0.5, 0])


def test_umap_leaves_the_threads_of_torch_alone(table):
    """Numba's OpenMP would take all cores for good, also where OMP_NUM_THREADS says 1."""
    import torch

    before = torch.get_num_threads()
    fit_map(table, "umap").inverse_transform([0, 0], "umap")
    assert torch.get_num_threads() == before


READ_ONLY = """
import numba.core.caching as caching

def refuse(self):
    raise OSError("read-only")

for locator in (caching.InTreeCacheLocator, caching.UserWideCacheLocator):
    locator.ensure_cache_path = refuse

from zscape.embedding.umap import load_umap
print(load_umap().UMAP.__name__)
"""


@pytest.mark.slow
def test_umap_loads_where_nothing_can_be_cached():
    done = subprocess.run([sys.executable, "-c", READ_ONLY], capture_output=True, text=True)
    assert done.stdout == "UMAP\n", done.stderr


def test_a_map_is_called_by_its_method(table):
    @dataclass(frozen=True)
    class Spiral(PCA):
        pass

    assert [methods[name].label for name in methods][:4] == ["PCA", "t-SNE", "UMAP", "Pair"]
    assert Spiral().title() == Spiral.label == "Spiral"
    assert Pair(2, 0).title() == "z2, z0"
    assert fit_map(table, "pair", first=2, second=0).axis_names == ("z2", "z0")
    first, second = fit_map(table, "pca").axis_names
    assert re.fullmatch(r"PC1 \(\d+% of the variance\)", first)
    assert re.fullmatch(r"PC2 \(\d+%\)", second)
    assert TSNE().axis_names(fit_map(table, "pca").fitted) == ("t-SNE 1", "t-SNE 2")
