"""How columns colour points: groups of few colours, and scales with gaps."""

from __future__ import annotations

import datetime

import numpy as np
import pyarrow as pa
import pytest

from zscape.data.coloring import Groups, Scale, coloring, groups, telling
from zscape.data.columns import Columns
from zscape.errors import DataError


@pytest.fixture(scope="module")
def columns() -> Columns:
    """60 rows; ``plate`` has 25 values of 2 rows, but for three of 3, 4 and 5, and 3 gaps."""
    plates = [f"p{i:02}" for i in range(25) for _ in range(2)]
    plates += ["p03"] * 1 + ["p20"] * 2 + ["p24"] * 3 + [None] * 4
    rows = np.arange(60)
    return Columns.of(
        {
            "file_name": [f"{i}.png" for i in rows],
            "note": [f"note {i}" for i in rows],
            "treatment": [("A", "B", None)[i % 3] for i in rows],
            "plate": plates,
            "name": [f"n{i}" for i in rows],
            "area": np.where(rows % 10, rows / 7, np.nan),
            "cells": rows % 4,
            "day": [datetime.datetime(2024, 1, 1) + datetime.timedelta(int(i)) for i in rows],
            "same": ["x"] * 60,
            "one": [1.0] * 60,
            "gone": [None] * 60,
        },
        {"name": "category"},
    )


def test_a_category_is_a_group_per_value_and_one_of_the_missing(columns):
    found = groups(columns, "treatment")
    assert (found.name, found.names, found.n_values) == ("treatment", ("A", "B", "missing"), 2)
    assert found.labels.tolist() == [0, 1, 2] * 20


def test_a_category_without_gaps_has_no_group_of_the_missing(columns):
    assert groups(columns, "same").names == ("x",)


def test_of_many_categories_the_most_frequent_stay_in_order_and_the_rest_share_a_group(columns):
    found = groups(columns, "plate")
    kept = [f"p{i:02}" for i in range(17)] + ["p20", "p24"]
    assert found.names == (*kept, "6 others", "missing")
    assert found.n_values == 19
    assert np.bincount(found.labels)[-2:].tolist() == [6 * 2, 4]
    texts = np.array(columns.texts("plate"))
    for label, name in enumerate(kept):
        assert set(texts[found.labels == label]) == {name}


def test_twenty_categories_need_no_group_of_others():
    of_twenty = Columns.of({"c": [str(i) for i in range(20)] * 2})
    assert groups(of_twenty, "c").n_values == len(groups(of_twenty, "c").names) == 20


def test_more_categories_than_classes_can_have_still_colour():
    many = Columns.of({"c": [str(i) for i in range(2000)]}, {"c": "category"})
    assert groups(many, "c").names[-1] == "1981 others"


def test_few_numbers_are_groups_and_more_are_ranges(columns):
    assert groups(columns, "cells").names == ("0", "1", "2", "3")
    ranges = groups(columns, "area")
    assert ranges.names[-1] == "missing"
    assert ranges.n_values == 6
    assert np.bincount(ranges.labels).tolist() == [9] * 6 + [6]
    assert groups(columns, "day", most=4).n_values == 4


def test_numbers_and_dates_are_scales(columns):
    area = coloring(columns, "area")
    assert isinstance(area, Scale)
    assert not area.is_date
    assert np.isnan(area.values).nonzero()[0].tolist() == list(range(0, 60, 10))
    day = coloring(columns, "day")
    assert isinstance(day, Scale)
    assert day.is_date
    assert day.values[0] == datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC).timestamp()
    assert isinstance(coloring(columns, "treatment"), Groups)


@pytest.mark.parametrize("values", [[1.0, np.inf, np.nan], pa.array([1.0, np.inf, np.nan])])
def test_a_scale_is_finite_or_missing(values):
    found = coloring(Columns.of({"x": values}), "x")
    assert np.array_equal(found.values, [1, np.nan, np.nan], equal_nan=True)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("note", "column 'note' holds text, .*; columns that do: treatment, plate, name, area"),
        ("file_name", "holds file names"),
        ("tretment", r"no column 'tretment' \(did you mean 'treatment'\?\); there are: file_name"),
        ("zzz", "no column 'zzz'; there are: file_name"),
        ("gone", "holds text"),
    ],
)
def test_what_cannot_colour_is_refused(columns, name, says):
    for ask in (coloring, groups):
        with pytest.raises(DataError, match=says):
            ask(columns, name)


@pytest.mark.parametrize("values", [[None, None], [np.inf, np.nan]])
def test_a_number_without_any_is_refused(values):
    empty = Columns.of({"x": values}, {"x": "number"})
    for ask in (coloring, groups):
        with pytest.raises(DataError, match=r"no (finite )?value in any of its 2 rows"):
            ask(empty, "x")


def test_columns_that_tell_something(columns):
    assert telling(columns) == ["treatment", "plate", "area", "cells", "day"]
