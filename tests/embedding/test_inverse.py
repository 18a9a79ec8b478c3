from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from embedding.conftest import SETTINGS, make_table
from zscape.embedding import (
    Embedding,
    fit_map,
    inverse_transform,
    inverses,
    prepare_inverse,
)
from zscape.errors import ConfigError, ShapeError

QUICK = {"learned": {"steps": 400, "width": 32}}
ANYWHERE = ("nearest", "local", "learned")


def options(way):
    return QUICK.get(way, {})


def test_every_way_is_tested():
    assert set(inverses) == {*ANYWHERE, "exact", "umap"}


def test_every_way_says_what_it_is_and_the_page_says_the_same():
    text = (Path(__file__).parents[2] / "web/src/scene/manifest.ts").read_text()
    table = text.partition("export const WAYS")[2].partition("};")[0]
    page = dict(re.findall(r'^  (\w+): "(.*)",$', table, flags=re.M))
    assert set(page) == {*ANYWHERE, "exact"}
    assert page == {name: inverses[name].about for name in page}
    assert inverses["umap"].about == "umap-learn's own inverse"


@pytest.mark.parametrize("way", ANYWHERE)
def test_an_answer_says_how_far_to_trust_it(way, embedding, held_out):
    points = embedding.transform(held_out.mu)
    answer = embedding.inverse_transform(points, way, **options(way))
    assert answer.vectors.shape == held_out.mu.shape
    assert {part.dtype for part in answer} == {np.dtype(np.float32)}
    gaps = np.linalg.norm(points[:, None] - embedding.coordinates, axis=2).min(1)
    np.testing.assert_allclose(answer.distance, gaps, rtol=1e-3, atol=1e-4)
    back = np.linalg.norm(embedding.transform(answer.vectors) - points, axis=1)
    np.testing.assert_allclose(answer.round_trip, back, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("way", ANYWHERE)
def test_far_away_is_not_trusted(way, embedding):
    far = embedding.coordinates.max(0) + 100 * np.ptp(embedding.coordinates, axis=0)
    near = embedding.coordinates[:1]
    answer = embedding.inverse_transform(np.stack([far, near[0]]), way, **options(way))
    assert answer.distance[0] > 10 * np.ptp(embedding.coordinates)
    assert answer.distance[1] == 0
    assert np.isfinite(answer.vectors).all()


def test_nearest_is_a_fitted_vector(embedding):
    answer = embedding.inverse_transform(embedding.coordinates, "nearest")
    np.testing.assert_array_equal(answer.vectors, embedding.table.mu)


@pytest.mark.parametrize("way", ["local", "learned"])
@pytest.mark.parametrize("method", ["tsne", "umap"])
def test_better_than_nearest_on_points_it_has_not_seen(way, method, maps, held_out):
    embedding = maps[method]
    points = embedding.transform(held_out.mu)
    error, roughness = {}, {}
    same = np.flatnonzero(held_out.labels == 0)
    line = np.linspace(points[same[0]], points[same[1]], 200)
    for name in ("nearest", way):
        vectors = embedding.inverse_transform(points, name, **options(name)).vectors
        error[name] = np.square(decoded(vectors) - decoded(held_out.mu)).mean()
        along = decoded(embedding.inverse_transform(line, name, **options(name)).vectors)
        steps = np.linalg.norm(np.diff(along, axis=0), axis=1)
        roughness[name] = steps.max() / steps.mean()
    assert error[way] < error["nearest"]
    assert roughness[way] < 0.7 * roughness["nearest"]


def decoded(z):
    """A decoder of 40 pixels."""
    mixing = np.random.default_rng(3).standard_normal((z.shape[1], 40)) / 4
    return 1 / (1 + np.exp(-z @ mixing))


def test_local_is_exact_where_the_map_is_flat():
    """A plane through the data is found whatever the weights, up to the ridge."""
    table = make_table(n=500, dim=2, n_classes=1)
    pair = fit_map(table, "pair")
    asked = table.mu[:50] * 0.5
    answer = pair.inverse_transform(asked, "local", ridge=1e-6)
    np.testing.assert_allclose(answer.vectors, asked, atol=1e-2)


def test_local_never_jumps(maps):
    embedding = maps["tsne"]
    ends = embedding.coordinates[[0, 1]]
    coarse, fine = (
        np.linalg.norm(
            np.diff(embedding.inverse_transform(np.linspace(*ends, n)).vectors, axis=0), axis=1
        ).max()
        for n in (200, 4000)
    )
    assert fine < coarse / 5


@pytest.mark.parametrize("rest", ["mean", "nearest"])
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("method", ["pca", "pair"])
def test_exact_goes_round(method, rest, standardize, table):
    embedding = fit_map(table, method, standardize=standardize)
    asked = np.array([[0.5, -1], [3, 2]], np.float32)
    answer = embedding.inverse_transform(asked, "exact", rest=rest)
    np.testing.assert_allclose(answer.round_trip, 0, atol=1e-5)
    if method == "pair" and rest == "mean":
        np.testing.assert_allclose(
            answer.vectors[:, 2:], np.tile(table.mu[:, 2:].mean(0), (2, 1)), atol=1e-4
        )
    if rest == "nearest":
        own = embedding.inverse_transform(embedding.coordinates, "exact", rest="nearest")
        np.testing.assert_allclose(own.vectors, table.mu, atol=1e-4)


def test_exact_needs_a_linear_map(maps):
    with pytest.raises(ConfigError, match="linear maps"):
        maps["tsne"].inverse_transform([0, 0], "exact")


def test_umap_has_its_own(maps):
    embedding = maps["umap"]
    answer = embedding.inverse_transform(embedding.coordinates[:3] + 0.01, "umap")
    assert np.isfinite(answer.vectors).all()
    gaps = np.linalg.norm(answer.vectors - embedding.table.mu[:3], axis=1)
    assert gaps.max() < 6
    with pytest.raises(ConfigError, match="umap maps"):
        maps["tsne"].inverse_transform([0, 0], "umap")


def test_learned_repeats_and_is_kept(table, maps, tmp_path):
    maps["tsne"].save(tmp_path / "m.safetensors")
    one, other = (Embedding.load(tmp_path / "m.safetensors") for _ in range(2))
    point = one.coordinates[:2]
    first, second = (m.inverse_transform(point, "learned", steps=20) for m in (one, other))
    np.testing.assert_array_equal(first.vectors, second.vectors)
    kept = prepare_inverse(one, "learned", steps=20)
    assert prepare_inverse(one, "learned", steps=20) is kept
    assert prepare_inverse(one, "learned", steps=21) is not kept


def test_learning_leaves_the_global_stream_alone(maps):
    import torch

    before = torch.random.get_rng_state()
    prepare_inverse(maps["pca"], "learned", steps=2)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("way", ANYWHERE)
@pytest.mark.parametrize("method", SETTINGS)
def test_duplicates_and_few_points(method, way):
    table = make_table(n=40)[np.arange(160) % 40]
    embedding = fit_map(table, method, **SETTINGS[method])
    answer = embedding.inverse_transform(embedding.coordinates[:9], way, **options(way))
    assert np.isfinite(answer.vectors).all()


def test_three_points():
    tiny = fit_map(make_table(n=3), "pca")
    assert np.isfinite(tiny.inverse_transform(tiny.coordinates).vectors).all()


def test_many_points_are_answered_in_parts(maps, monkeypatch):
    points = maps["tsne"].coordinates[:50] + 0.3
    whole = inverse_transform(maps["tsne"], points).vectors
    monkeypatch.setattr("zscape.embedding.inverse.MAX_POINTS_AT_ONCE", 7)
    np.testing.assert_allclose(inverse_transform(maps["tsne"], points).vectors, whole, rtol=1e-5)


@pytest.mark.parametrize("points", [np.zeros((3, 3)), np.zeros((0, 2)), 3.0, np.zeros((2, 2, 2))])
def test_points_of_another_shape(points, maps):
    with pytest.raises(ShapeError, match=r"\(m, 2\)"):
        maps["pca"].inverse_transform(points)


def test_what_cannot_be_asked_back(maps):
    with pytest.raises(ConfigError, match="finite"):
        maps["pca"].inverse_transform([np.inf, 0])
    with pytest.raises(
        ConfigError, match="inverse must be one of local, nearest, learned, exact, umap, or"
    ):
        maps["pca"].inverse_transform([0, 0], "magic")
    with pytest.raises(ConfigError, match=r"inverse local: .*no option k"):
        maps["pca"].inverse_transform([0, 0], "local", k=3)
