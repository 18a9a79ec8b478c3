from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zscape.errors import ConfigError, DataError
from zscape.latents import LatentTable, encode, prototypes, walk


def test_means(table):
    proto = prototypes(table)
    assert proto.class_names == tuple(proto) == ("a", "b")
    assert len(proto) == 2
    assert proto.vectors.dtype == np.float32
    np.testing.assert_allclose(proto.vectors, [[1.1, 1], [9, 9]])


def test_medoids(table):
    # Of the square and the point near its centre, the point is nearest to all.
    assert prototypes(table, "medoid").vectors.tolist() == [[1.5, 1], [9, 9]]


def test_a_medoid_minimises_distances_not_their_squares():
    """On 0, 0, 0, 4, 10 the sum of distances is least at 0, that of squares at the 4."""
    mu = np.array([0, 0, 0, 4, 10], np.float32)[:, None]
    table = LatentTable(mu, mu, np.zeros(5, int), ("x",), np.arange(5))
    assert prototypes(table, "medoid")["x"].tolist() == [0]
    assert prototypes(table)["x"] == pytest.approx([2.8])


def test_medoids_against_every_distance():
    rng = np.random.default_rng(0)
    mu = rng.normal(size=(2500, 3)).astype(np.float32)
    table = LatentTable(mu, mu, rng.integers(0, 2, 2500), ("0", "1"), np.arange(2500))
    proto = prototypes(table, "medoid")
    for name, rows in table.rows_by_class().items():
        own = mu[rows].astype(float)
        sums = [np.linalg.norm(own - point, axis=1).sum() for point in own]
        assert proto[name].tolist() == own[np.argmin(sums)].tolist()


def test_arithmetic(build, images):
    vae = build(4)
    table = encode(vae, images)
    proto = prototypes(table)
    z = table.mu[3]
    moved = proto[7] - proto["cat"] + z
    expected = table.mu[1::2].mean(0) - table.mu[::2].mean(0) + z
    np.testing.assert_allclose(moved, expected, rtol=1e-4, atol=1e-6)
    assert walk(vae, moved).images.shape == (1, 1, 16, 16)
    assert walk(vae, proto.vectors).images.shape == (2, 1, 16, 16)


def test_classes_are_named(table):
    proto = prototypes(replace(table, class_names=("2", "1", "0")))
    assert proto[1].tolist() == proto["1"].tolist() == proto[np.int64(1)].tolist() == [9, 9]
    assert proto[2] == pytest.approx([1.1, 1])
    proto[1][:] = 0
    assert proto[1].tolist() == [9, 9]


def test_bad_input(table):
    for name in ("empty", "c", 0):
        with pytest.raises(ConfigError, match=rf"^class must be one of a, b; got '{name}'\.$"):
            prototypes(table)[name]
    with pytest.raises(DataError, match="square has no labels"):
        prototypes(replace(table, labels=None, class_names=()))
    with pytest.raises(ConfigError, match=r"^method must be one of mean, medoid; got 'mode'\.$"):
        prototypes(table, "mode")
