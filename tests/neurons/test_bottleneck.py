from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, stats

from zscape.errors import DataError, ShapeError
from zscape.latents import LatentTable
from zscape.neurons import (
    class_moments,
    correlation,
    mean_kl,
    mutual_information,
    neuron_table,
)

NAMES = ("a", "b", "c")


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def latents(mu, labels=None, names=NAMES, logvar=-200.0):
    """A table; by default its posterior has no width."""
    mu = np.asarray(mu, np.float32)
    return LatentTable(
        mu, np.broadcast_to(np.float32(logvar), mu.shape).copy(),
        None if labels is None else np.asarray(labels), () if labels is None else names,
        np.arange(len(mu)),
    )  # fmt: skip


def information_of_two_normals(distance):
    """I(z; class) of two even classes N(±distance/2, 1): h(z) - h(noise), by quadrature."""

    def minus_p_log_p(z):
        p = (stats.norm.pdf(z, -distance / 2) + stats.norm.pdf(z, distance / 2)) / 2
        return -p * math.log(p)

    entropy = integrate.quad(minus_p_log_p, -12, 12)[0]
    return entropy - 0.5 * math.log(2 * math.pi * math.e)


class TestMeanKl:
    def test_closed_form(self):
        mu = np.array([[0.0, 2.0], [0.0, 0.0]])
        logvar = np.array([[0.0, 0.0], [0.0, math.log(0.25)]])
        # ½(μ² + σ² - 1 - ln σ²): 2 for N(2, 1), ½(¼ - 1 + ln 4) for N(0, ¼).
        expected = (2 + 0.5 * (0.25 - 1 + math.log(4))) / 2
        assert mean_kl(latents(mu, logvar=logvar)) == pytest.approx([0, expected])


class TestClassMoments:
    def test_against_numpy(self):
        values, labels = normal(50, 4) + 3, np.arange(50) % 3
        moments = class_moments(latents(values, labels))
        for k in range(3):
            own = values[labels == k]
            assert moments.counts[k] == len(own)
            assert moments.mean[k] == pytest.approx(own.mean(0))
            assert moments.variance[k] == pytest.approx(own.var(0))
        table = moments.mean_table()
        assert list(table.index) == ["a", "b", "c"]
        assert list(table.columns) == ["z0", "z1", "z2", "z3"]

    def test_d_prime_is_that_of_class_against_the_rest(self):
        values, labels = normal(60, 2), np.arange(60) % 3
        d_prime = class_moments(latents(values, labels)).d_prime()
        own, rest = values[labels == 1], values[labels != 1]
        spread = np.sqrt((own.var(0) + rest.var(0)) / 2)
        assert d_prime.loc["b"].to_numpy() == pytest.approx((own.mean(0) - rest.mean(0)) / spread)

    def test_d_prime_of_two_unit_normals_is_their_distance(self):
        labels = np.repeat([0, 1], 20_000)
        values = normal(40_000, 1) + 1.5 * labels[:, None]
        d_prime = class_moments(latents(values, labels, ("a", "b"))).d_prime()
        assert d_prime["z0"].to_numpy() == pytest.approx([-1.5, 1.5], abs=0.03)

    def test_a_constant_tells_nothing_and_a_perfect_separation_everything(self):
        labels = np.array([0, 0, 0, 1, 1, 1])
        values = np.stack([np.full(6, 0.3), labels * 2.0], 1)
        d_prime = class_moments(latents(values, labels, ("a", "b"))).d_prime()
        assert d_prime["z0"].tolist() == [0, 0]
        assert d_prime["z1"]["a"] < -1e9
        assert d_prime["z1"]["b"] > 1e9

    def test_the_posterior_width_is_counted_in(self):
        values, labels = normal(40, 2), np.arange(40) % 2
        moments = class_moments(latents(values, labels, ("a", "b"), math.log(3)))
        plain = class_moments(latents(values, labels, ("a", "b")))
        assert moments.mean == pytest.approx(plain.mean)
        assert moments.variance == pytest.approx(plain.variance + 3)

    def test_a_class_without_images_is_nan_and_left_out_of_rankings(self):
        moments = class_moments(latents(normal(9, 2), [0, 2, 2] * 3))
        assert moments.mean_table().loc["b"].isna().all()
        assert moments.d_prime().loc["b"].isna().all()
        assert np.isfinite(moments.d_prime().loc[["a", "c"]].to_numpy()).all()
        assert set(moments.most_selective()["class"]) == {"a", "c"}

    def test_most_selective_ranks_by_size_whatever_the_sign(self):
        labels = np.repeat([0, 1], 500)
        values = normal(1000, 3) + labels[:, None] * np.array([0.5, -3, 1])
        ranking = class_moments(latents(values, labels, ("a", "b"))).most_selective(2)
        assert ranking["unit"].tolist() == ["z1", "z2"] * 2
        assert ranking["rank"].tolist() == [1, 2] * 2
        assert (np.sign(ranking["d_prime"]) == [1, -1, -1, 1]).all()

    def test_one_class_has_no_rest(self):
        moments = class_moments(latents(normal(5, 2), np.zeros(5, int), ("a",)))
        assert moments.d_prime().isna().all(axis=None)


class TestMutualInformation:
    @pytest.mark.parametrize("distance", [0.0, 1.0, 3.0])
    def test_two_normals(self, distance):
        labels = np.arange(4000) % 2
        values = normal(4000, 1) + distance * labels[:, None]
        (found,) = mutual_information(values, labels)
        assert found == pytest.approx(information_of_two_normals(distance), abs=0.03)

    def test_classes_told_apart_without_error_give_the_entropy(self):
        labels = np.arange(1000) % 4
        (found,) = mutual_information(labels[:, None] * 10 + normal(1000, 1), labels)
        assert found == pytest.approx(math.log(4), abs=0.02)

    def test_seed_decides(self):
        values, labels = np.round(normal(200, 2), 1), np.arange(200) % 2
        first, again = (mutual_information(values, labels, seed=3) for _ in range(2))
        assert (first == again).all()

    def test_needs_two_of_a_class(self):
        with pytest.raises(DataError, match="at least two"):
            mutual_information(normal(3, 1), np.arange(3))


class TestCorrelation:
    def test_against_numpy(self):
        values = normal(100, 4) @ normal(4, 4, seed=1)
        assert correlation(values).to_numpy() == pytest.approx(np.corrcoef(values.T))

    def test_a_constant_neuron_has_none(self):
        values = normal(50, 2)
        values[:, 1] = 0.1
        table = correlation(values)
        assert table.loc["z0", "z0"] == pytest.approx(1)
        assert table["z1"].isna().all()

    def test_of_one_neuron(self):
        assert correlation(normal(9, 1)).to_numpy() == pytest.approx(1)


class TestNeuronTable:
    def table(self):
        """z0 is the class, z1 noise that is dead though its mean follows the class."""
        labels = np.arange(2000) % 2
        mu = np.stack([3 * (labels - 0.5), 1e-4 * (labels - 0.5)], 1) + 1e-6 * normal(2000, 2)
        logvar = np.array([[math.log(0.01), 0.0]]).repeat(2000, 0)
        return neuron_table(latents(mu, labels, ("a", "b"), logvar))

    def test_used_and_dead(self):
        table = self.table()
        assert list(table.index) == ["z0", "z1"]
        assert table["is_used"].tolist() == [True, False]
        assert table["posterior_std"].to_numpy() == pytest.approx([0.1, 1])
        assert table["std"].to_numpy() == pytest.approx([1.5, 0.5e-4], rel=1e-3)

    def test_a_dead_neuron_knows_nothing_though_its_mean_would(self):
        table = self.table()
        assert table["mutual_information"]["z0"] == pytest.approx(math.log(2), abs=0.02)
        assert table["mutual_information"]["z1"] < 0.03
        assert abs(table["best_d_prime"]["z1"]) < 0.01
        assert abs(table["best_d_prime"]["z0"]) == pytest.approx(30, rel=0.01)

    @pytest.mark.parametrize("d", [1, 64])
    def test_without_labels(self, d):
        table = neuron_table(latents(normal(20, d), logvar=0))
        assert len(table) == d
        assert list(table) == ["kl", "is_used", "mean", "std", "posterior_std"]

    def test_of_one_class_there_is_no_best(self):
        table = neuron_table(latents(normal(20, 2), np.zeros(20, int), ("a",), 0))
        assert "best_class" not in table
        assert table["mutual_information"].to_numpy() == pytest.approx(0)


@pytest.mark.parametrize(
    ("mu", "labels", "error", "says"),
    [
        (np.zeros(3), [0, 0, 0], ShapeError, "values must be"),
        (np.zeros((0, 3)), [], ShapeError, "at least 1"),
        (np.full((2, 2), np.nan), [0, 1], DataError, "finite"),
        (np.zeros((2, 2)), [0], ShapeError, "as many labels"),
        (np.zeros((2, 2)), [0, -1], DataError, "whole numbers from 0"),
        (np.zeros((2, 2)), [0.0, 1.0], DataError, "whole numbers from 0"),
    ],
)
def test_bad_input(mu, labels, error, says):
    with pytest.raises(error, match=says):
        mutual_information(mu, labels)


def test_without_labels_there_are_no_class_moments():
    with pytest.raises(DataError, match="has no labels"):
        class_moments(latents(normal(3, 2)))
