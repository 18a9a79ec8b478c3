from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from model.contract import NETWORKS
from zscape.errors import ConfigError, ShapeError
from zscape.latents import (
    between,
    decode,
    encode,
    manifold,
    nearest,
    neighbourhood,
    prior_quantiles,
    sample_prior,
    slerp,
    traversal,
    walk,
)

HALF = np.sqrt(0.5)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def assert_decoded(vae, result):
    """The images are those of the vectors, in their grid."""
    vectors, images = result
    assert vectors.dtype == np.float32
    assert vectors.shape[-1] == vae.latent_dim
    assert images.shape == (*vectors.shape[:-1], *vae.image_shape)
    expected = decode(vae, vectors.reshape(-1, vae.latent_dim)).reshape(images.shape)
    assert torch.equal(images, expected)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("latent_dim", [1, 2, 10, 64])
@pytest.mark.parametrize("network", NETWORKS)
def test_every_walk_on_every_network(build, images, colour_images, network, latent_dim, channels):
    vae = build(latent_dim, network, channels)
    one, other = ((images, colour_images)[channels == 3][[i]] for i in (0, 1))
    walks = {
        "given": walk(vae, np.eye(latent_dim)),
        "prior": sample_prior(vae, 3, seed=0),
        "line": between(vae, one, other, 4),
        "slerp": between(vae, {0: 1}, {0: 3}, 4, path="slerp"),
        "traversal": traversal(vae, one, values=[-1, 2]),
        "around": neighbourhood(vae, one, 0.5, 3, seed=0),
    }
    if latent_dim > 1:
        walks["manifold"] = manifold(vae, x_values=[0, 1], y_values=[0, 1, 2], z=one)
    for result in walks.values():
        assert_decoded(vae, result)
    grids = {"given": (latent_dim,), "prior": (3,), "line": (4,), "slerp": (4,),
             "traversal": (latent_dim, 2), "around": (3,), "manifold": (3, 2)}  # fmt: skip
    for name, result in walks.items():
        assert result.vectors.shape == (*grids[name], latent_dim)


def test_samples_of_the_prior(build):
    vae = build(2)
    vectors = sample_prior(vae, 5000, seed=0).vectors
    assert vectors.mean(0) == pytest.approx([0, 0], abs=0.06)
    assert vectors.std(0) == pytest.approx([1, 1], abs=0.05)
    first, again, other = (sample_prior(vae, 4, seed=seed).vectors for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(sample_prior(vae, 4).vectors, sample_prior(vae, 4).vectors)


def test_a_line_has_even_steps_and_both_ends(build):
    vae = build(2)
    vectors = between(vae, {0: 1}, [3, -2], 5).vectors
    assert vectors.tolist() == [[1, 0], [1.5, -0.5], [2, -1], [2.5, -1.5], [3, -2]]
    assert between(vae, {0: 1}, [3, -2], 1).vectors.tolist() == [[1, 0]]
    assert between(vae, {0: 1}, [3, -2], 2).vectors.tolist() == [[1, 0], [3, -2]]


def test_a_line_between_two_images(build, images):
    vae = build(2)
    table = encode(vae, images)
    vectors = between(vae, images[[3]], images[[8]], 2).vectors
    np.testing.assert_allclose(vectors, table.mu[[3, 8]], rtol=1e-4, atol=1e-6)


def test_a_great_circle_against_trigonometry():
    degrees = np.radians([0, 30, 60, 90])
    quarter = 2 * np.stack([np.cos(degrees), np.sin(degrees)], axis=1)
    np.testing.assert_allclose(slerp([2, 0], [0, 2], 4), quarter, atol=1e-6)
    # The paper's formula, at an angle of 60 degrees.
    a, b, t, angle = np.array([1, 0, 0]), np.array([0.5, 0, np.sqrt(0.75)]), 0.25, np.pi / 3
    paper = (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)
    np.testing.assert_allclose(slerp(a, b, 5)[1], paper, atol=1e-6)


def test_lengths_change_evenly_on_a_great_circle():
    points = slerp([4, 0], [0, 1], 4)
    assert np.linalg.norm(points, axis=1) == pytest.approx([4, 3, 2, 1])
    assert np.degrees(np.arctan2(*points.T[::-1])) == pytest.approx([0, 30, 60, 90], abs=1e-5)


@pytest.mark.parametrize(
    ("start", "end", "middle"),
    [
        ([1, 1], [1, 1], [1, 1]),
        ([1, 1], [3, 3], [2, 2]),
        ([1, 0], [1, 1e-7], [1, 5e-8]),
        ([0, 0], [3, 4], [1.5, 2]),
        ([3, 4], [0, 0], [1.5, 2]),
        ([0, 0], [0, 0], [0, 0]),
        ([2], [5], [3.5]),
        ([0], [-5], [-2.5]),
        ([1e-30, 0], [0, 1e-30], [HALF * 1e-30, HALF * 1e-30]),
        ([1e30, 0], [0, 1e30], [HALF * 1e30, HALF * 1e30]),
        # Nearly opposite still has one shortest way.
        ([1, 0], [-1, 1e-4], [5e-5, 1]),
    ],
)
def test_great_circles_at_the_edge(start, end, middle):
    for points in (slerp(start, end, 3), slerp(end, start, 3)[::-1]):
        np.testing.assert_allclose(points[0], start, rtol=1e-6)
        np.testing.assert_allclose(points[1], middle, rtol=1e-5, atol=1e-37)
        np.testing.assert_allclose(points[2], end, rtol=1e-6, atol=1e-16)
    assert slerp(start, end, 1) == pytest.approx(np.array([start]))
    np.testing.assert_allclose(slerp(start, end, 2), [start, end], rtol=1e-6, atol=1e-16)


@pytest.mark.parametrize(("start", "end"), [([1, 2], [-2, -4]), ([1], [-1]), ([1, 0], [-3, 1e-8])])
def test_opposite_points_have_no_great_circle(start, end):
    with pytest.raises(ConfigError, match="point in opposite directions"):
        slerp(start, end)


places = hnp.arrays(np.float32, 4, elements=st.floats(-10, 10, width=32))


@given(places, places, st.integers(2, 9))
def test_great_circles_are_smooth(start, end, n):
    a, b = start.astype(float), end.astype(float)
    lengths = np.linalg.norm(a), np.linalg.norm(b)
    if min(lengths) < 1e-3 or np.linalg.norm(a / lengths[0] + b / lengths[1]) < 1e-2:
        return
    points = slerp(start, end, n).astype(float)
    np.testing.assert_allclose(points[[0, -1]], [a, b], rtol=1e-4, atol=1e-5)
    norms = np.linalg.norm(points, axis=1)
    np.testing.assert_allclose(norms, np.linspace(*lengths, n), rtol=1e-4)
    # In the plane of the ends, and turning by the same angle every time.
    steps = np.linalg.norm(np.diff(points / norms[:, None], axis=0), axis=1)
    np.testing.assert_allclose(steps, steps[0], rtol=1e-3, atol=1e-5)


def test_a_traversal_moves_one_neuron_a_row(build):
    vae = build(3)
    z = np.array([0.1, 0.2, 0.3], np.float32)
    vectors = traversal(vae, z, ["z2", 0], [-4.5, 0, 4.5]).vectors
    assert vectors[0].tolist() == [[z[0], z[1], value] for value in (-4.5, 0, 4.5)]
    assert vectors[1].tolist() == [[value, z[1], z[2]] for value in (-4.5, 0, 4.5)]
    assert traversal(vae, z, 1, [7]).vectors.tolist() == [[[z[0], 7, z[2]]]]


def test_a_traversal_of_all_neurons_by_default(build):
    vectors = traversal(build(3)).vectors
    assert vectors.shape == (3, 7, 3)
    for row in range(3):
        assert vectors[row, :, row].tolist() == [-3, -2, -1, 0, 1, 2, 3]
        assert np.count_nonzero(np.delete(vectors[row], row, axis=1)) == 0


def test_a_manifold_is_laid_out_as_a_plot(build):
    vae = build(3)
    vectors = manifold(vae, (2, "z0"), x_values=[5, -5], y_values=[1, 3, 2], z={1: 9}).vectors
    assert vectors.shape == (3, 2, 3)
    assert vectors[:, :, 2].tolist() == [[-5, 5]] * 3
    assert vectors[:, :, 0].tolist() == [[3, 3], [2, 2], [1, 1]]
    assert np.all(vectors[:, :, 1] == 9)
    default = manifold(vae).vectors
    assert default.shape == (20, 20, 3)
    assert default[0, 0].tolist() == [-3, 3, 0]
    assert default[-1, -1].tolist() == [3, -3, 0]
    np.testing.assert_allclose(np.diff(default[0, :, 0]), 6 / 19, rtol=1e-5)


@pytest.mark.parametrize("n", [1, 2, 5, 20])
def test_quantiles_share_the_prior_evenly(n):
    values = prior_quantiles(n)
    assert values == pytest.approx(stats.norm.ppf((np.arange(n) + 0.5) / n), abs=1e-12)
    assert stats.norm.cdf(values) == pytest.approx((np.arange(n) + 0.5) / n)


@pytest.mark.parametrize("latent_dim", [1, 2, 64])
def test_a_neighbourhood_is_a_sphere(build, latent_dim):
    vae, z = build(latent_dim), {0: 5}
    vectors = neighbourhood(vae, z, 0.25, 400, seed=0).vectors.astype(float)
    centre = np.eye(latent_dim)[0] * 5
    offsets = vectors - centre
    np.testing.assert_allclose(np.linalg.norm(offsets, axis=1), 0.25, rtol=1e-4)
    # No direction is preferred: the mean of n unit vectors has length about 1 / sqrt(n).
    assert np.linalg.norm(offsets.mean(0)) < 0.25 * 3 / np.sqrt(400)
    again = neighbourhood(vae, z, 0.25, 400, seed=0).vectors
    assert np.array_equal(vectors.astype(np.float32), again)
    assert np.all(neighbourhood(vae, z, 0, 2).vectors == centre)


def test_nearest_rows(table):
    rows, distances = nearest(table, {0: 2, 1: 1}, 3)
    assert rows.tolist() == [5, 1, 3]
    assert distances.tolist() == [0.5, 1, 1]
    every = nearest(table, [0, 0], 6)
    assert every.rows.tolist() == [0, 5, 1, 4, 3, 2]
    np.testing.assert_allclose(
        every.distances, np.linalg.norm(table.mu[every.rows].astype(float), axis=1)
    )
    assert nearest(table[[2]], [9, 9], 1).distances.tolist() == [0]


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda vae: sample_prior(vae, 0),
            ConfigError,
            r"^n must be an integer, at least 1; got 0\.$",
        ),
        (lambda vae: between(vae, {}, {}, 0), ConfigError, "n must be an integer"),
        (lambda vae: between(vae, [1, 1, 1], {1: 1}, 0, path="slerp"), ConfigError, "n must be"),
        (lambda vae: between(vae, {}, {}, path="arc"), ConfigError, "one of line, slerp; got 'ar"),
        (lambda vae: between(vae, [1], {}), ShapeError, "must have 3 numbers"),
        (lambda vae: between(vae, {}, [1, 2, np.nan]), ConfigError, "finite numbers only"),
        (lambda vae: slerp([1, 2], [1, 2, 3]), ShapeError, r"got \(2,\) and \(3,\)"),
        (lambda vae: slerp([[1, 2]], [[1, 2]]), ShapeError, r"got \(1, 2\) and"),
        (lambda vae: slerp([1, np.nan], [1, 2]), ConfigError, "start must hold finite"),
        (lambda vae: traversal(vae, neurons=3), ConfigError, r"in \[0, 2\]; got 3"),
        (lambda vae: traversal(vae, neurons=[]), ConfigError, "at least one latent neuron"),
        (lambda vae: traversal(vae, values=[]), ShapeError, "values must be a list"),
        (lambda vae: traversal(vae, values=3), ShapeError, "values must be a list"),
        (lambda vae: traversal(vae, values=[np.inf]), ConfigError, "values must hold finite"),
        (lambda vae: traversal(vae, [1, 2]), ShapeError, "must have 3 numbers"),
        (lambda vae: manifold(vae, (0, 3)), ConfigError, r"in \[0, 2\]; got 3"),
        (lambda vae: manifold(vae, (1, "z1")), ConfigError, "two different latent neurons"),
        (lambda vae: manifold(vae, (0, 1, 2)), ConfigError, "two different latent neurons"),
        (lambda vae: manifold(vae, x_values="abc"), ConfigError, "values must hold numbers only"),
        (lambda vae: prior_quantiles(0), ConfigError, "n must be an integer"),
        (lambda vae: neighbourhood(vae, {}, -1), ConfigError, "radius must be a finite number"),
        (lambda vae: neighbourhood(vae, {}, np.nan), ConfigError, "at least 0; got nan"),
        (lambda vae: neighbourhood(vae, {}, np.inf), ConfigError, "radius must be"),
        (lambda vae: neighbourhood(vae, {}, 1, 0), ConfigError, "n must be an integer"),
        (lambda vae: walk(vae, [[0, 1, 2], [3, 4]]), ShapeError, "must have 3 numbers"),
    ],
)
def test_bad_input(build, call, kind, message):
    with pytest.raises(kind, match=message):
        call(build())


def test_bad_input_to_a_table_or_a_small_model(build, table):
    for k in (0, 7):
        with pytest.raises(ConfigError, match=rf"^k must be in \[1, 6\].* got {k}\.$"):
            nearest(table, {}, k)
    with pytest.raises(ShapeError, match="must have 2 numbers"):
        nearest(table, [1, 2, 3], 1)
    with pytest.raises(ConfigError, match=r"in \[0, 0\]; got 1"):
        manifold(build(1))
