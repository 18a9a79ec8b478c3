"""The direction of a property: planted ones are found, and what is not there is not claimed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zscape.data.columns import Columns
from zscape.errors import ConfigError, DataError, ShapeError
from zscape.latents import (
    LatentTable,
    category_direction,
    column_direction,
    number_direction,
)

N, DIM = 600, 6


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    # Neurons that vary together, as a posterior's means do.
    mu = (rng.standard_normal((N, DIM)) @ (np.eye(DIM) + 0.3)).astype(np.float32) + 1
    return LatentTable(mu, np.zeros_like(mu), None, (), np.arange(N))


@pytest.fixture(scope="module")
def planted():
    w = np.array([2.0, 0, -1, 0, 0, 2])
    return w / np.linalg.norm(w)


def noise(scale, seed=1):
    return scale * np.random.default_rng(seed).standard_normal(N)


def degrees(a, b):
    return np.degrees(np.arccos(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1, 1)))


def test_a_number_without_noise_gives_its_direction(table, planted):
    found = number_direction(table, 5 + 3 * table.mu @ planted)
    assert degrees(found.vector, planted) < 0.1
    assert np.linalg.norm(found.vector) == pytest.approx(1)
    assert (found.measure, found.n) == ("R²", N)
    assert found.score > 0.9999
    assert found.spread < 0.1


def test_r2_and_the_spread_tell_how_much_is_noise(table, planted):
    signal = table.mu @ planted
    found = number_direction(table, signal + noise(signal.std()))
    # Half of the variance is noise; five parameters cost about one hundredth of it.
    assert found.score == pytest.approx(0.5, abs=0.06)
    assert degrees(found.vector, planted) < found.spread
    assert 2 < found.spread < 20


def test_a_number_that_is_not_there_is_not_claimed(table):
    found = number_direction(table, noise(1))
    assert found.score < 0.02
    assert found.spread > 45


def test_rows_without_a_value_have_a_position_all_the_same(table, planted):
    values = table.mu @ planted
    gaps = np.arange(N) % 3 == 0
    found = number_direction(table, np.where(gaps, np.nan, values))
    assert found.n == N - gaps.sum()
    centre = table.mu[~gaps].mean(0)
    assert np.allclose(found.positions, (table.mu - centre) @ found.vector, atol=1e-5)
    assert np.corrcoef(found.positions[gaps], values[gaps])[0, 1] > 0.999


def test_places_along_the_way_have_their_positions(table, planted):
    found = number_direction(table, table.mu @ planted)
    places = found.at([-2, 0, 1.5])
    assert places.dtype == np.float32
    assert np.allclose(places[1], table.mu.mean(0), atol=1e-6)
    assert np.allclose((places - found.centre) @ found.vector, [-2, 0, 1.5], atol=1e-5)


def test_two_categories(table, planted):
    logits = 3 * (table.mu - table.mu.mean(0)) @ planted
    is_second = np.random.default_rng(2).random(N) < 1 / (1 + np.exp(-logits))
    found = category_direction(table, is_second)
    assert found.measure == "AUC"
    assert found.score > 0.9
    assert degrees(found.vector, planted) < max(found.spread, 12)
    assert found.positions[is_second].mean() > found.positions[~is_second].mean()
    turned = category_direction(table, ~is_second)
    assert degrees(turned.vector, -found.vector) < 1e-3
    middle = (table.mu[is_second].mean(0) + table.mu[~is_second].mean(0)) / 2
    assert np.allclose(found.centre, middle, atol=1e-5)


def test_categories_by_chance_score_a_half(table):
    found = category_direction(table, np.random.default_rng(5).random(N) < 0.3)
    assert found.score == pytest.approx(0.5, abs=0.08)


def test_a_third_category_is_left_out(table, planted):
    values = np.where(table.mu @ planted > 1, 1.0, 0.0)
    values[:100] = np.nan
    assert category_direction(table, values).n == N - 100


def test_the_same_seed_gives_the_same_numbers(table, planted):
    values = table.mu @ planted + noise(1)
    one, two, other = (number_direction(table, values, seed=seed) for seed in (3, 3, 4))
    assert (one.score, one.spread) == (two.score, two.spread)
    assert (one.score, one.spread) != (other.score, other.spread)


@pytest.mark.parametrize(
    ("find", "values", "error", "message"),
    [
        (number_direction, np.zeros(3), ShapeError, "600 rows need as many values"),
        (number_direction, np.full(N, np.nan), DataError, "10 known values; there are 0"),
        (number_direction, np.ones(N), DataError, "all 600 values are 1"),
        (category_direction, np.arange(N) < 9, DataError, "the smaller has 9"),
        (category_direction, np.full(N, np.nan), DataError, "the smaller has 0"),
    ],
)
def test_refusals(table, find, values, error, message):
    with pytest.raises(error, match=message):
        find(table, values)


@pytest.fixture(scope="module")
def known(table, planted):
    signal = table.mu @ planted
    columns = Columns.of(
        {
            "size": np.where(np.arange(N) % 5 == 0, np.nan, signal),
            "big": np.where(signal > 1, "yes", "no"),
            "third": np.array(["low", "middle", "high"])[np.digitize(signal, [0, 2])],
        }
    )
    labels = (signal > 1).astype(np.int64)
    return replace(table, columns=columns, labels=labels, class_names=("small", "large"))


def test_a_column_is_a_number_or_two_categories(known, planted):
    size = column_direction(known, "size")
    assert size.categories is None
    assert degrees(size.direction.vector, planted) < 0.1
    assert size.sentence("size").startswith("size: R² 1.00 on images left out of the fit (480 ")
    big = column_direction(known, "big")
    assert big.categories == ("no", "yes")
    assert degrees(big.direction.vector, planted) < 12
    assert big.sentence("big").startswith("big, no to yes: AUC ")
    assert np.array_equal(column_direction(known, "class").values, big.values)
    turned = column_direction(known, "big", between=("yes", "no"))
    assert degrees(turned.direction.vector, -big.direction.vector) < 1e-3


def test_two_of_several_categories(known, planted):
    found = column_direction(known, "third", between=("low", "high"))
    assert np.isnan(found.values).sum() == known.columns.texts("third").count("middle")
    assert degrees(found.direction.vector, planted) < 25


@pytest.mark.parametrize(
    ("column", "between", "error", "message"),
    [
        ("area", None, DataError, "no column 'area'; there are: size, big, third"),
        ("size", ("a", "b"), ConfigError, "holds numbers"),
        ("third", None, DataError, "has 3 values, high, low, middle"),
        ("third", ("low", "lower"), ConfigError, "has the values .* got 'lower'"),
        ("third", ("low", "low"), ConfigError, "two values that differ; got 'low' twice"),
    ],
)
def test_columns_without_a_direction(known, column, between, error, message):
    with pytest.raises(error, match=message):
        column_direction(known, column, between=between)


def test_a_table_without_columns_has_none(table):
    with pytest.raises(DataError, match="no columns; --columns FILE joins some"):
        column_direction(table, "size")
