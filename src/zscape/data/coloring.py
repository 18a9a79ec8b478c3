"""How a column colours points: in groups with a colour each, or along a scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from zscape.data.columns import Columns
from zscape.errors import DataError

MOST_GROUPS = 20
"""Colours that can be told apart; of more categories, all but the 19 most frequent share one."""
N_RANGES = 6
"""Groups of a number or a date with more values than that."""


@dataclass(frozen=True, eq=False)
class Groups:
    """Every row in one of a few groups.

    Parameters
    ----------
    name
        Of the column.
    labels
        (n,) int64 indices into ``names``; every row has one.
    names
        The values that have a group of their own, in their order; then ``12 others``, the
        number of values that share it, and ``missing``, where there are such rows.
    n_values
        How many of ``names`` are values; what comes after them is grey.
    """

    name: str
    labels: NDArray[np.int64]
    names: tuple[str, ...]
    n_values: int


@dataclass(frozen=True, eq=False)
class Scale:
    """Every row at a place along a line.

    Parameters
    ----------
    name
        Of the column.
    values
        (n,) float64, NaN where missing, at least one of them not; dates as seconds since 1970.
    is_date
        Whether they are dates.
    """

    name: str
    values: NDArray[np.float64]
    is_date: bool = False


Coloring: TypeAlias = Groups | Scale


def coloring(columns: Columns, name: str) -> Coloring:
    """How the column ``name`` colours points: a category as groups, numbers and dates as a scale.

    Raises
    ------
    DataError
        There is no such column, it has no value at all, or it is text or file names.
    """
    is_scale = columns.kind(name) in ("number", "date")
    return _scale(columns, name) if is_scale else groups(columns, name)


def groups(columns: Columns, name: str, most: int = MOST_GROUPS) -> Groups:
    """At most ``most`` groups of rows, and one of those whose value is missing.

    A category with more values keeps those with most rows, and the rest of them share a group. A
    number or a date with more is cut into ranges with as equal shares of the rows as ties allow.

    Raises
    ------
    DataError
        As for ``coloring``.
    """
    kind = columns.kind(name)
    if kind in ("text", "file"):
        can = [other for other in columns if columns.kind(other) not in ("text", "file")]
        raise DataError(
            f"column {name!r} holds {'file names' if kind == 'file' else 'text'}, which neither "
            f"colours nor groups images; columns that do: {', '.join(can) or 'none'}."
        )
    if kind == "category":
        labels, names = columns.classes(name, most=None)
    else:
        values = _scale(columns, name).values
        few = _n_distinct(values) <= most
        labels, names = columns.classes(name, None if few else min(most, N_RANGES))
    return grouped(name, labels, names, most)


def grouped(
    name: str, labels: NDArray[np.int64], names: Sequence[str], most: int | None = None
) -> Groups:
    """``labels`` that count along ``names``, -1 where missing, as ``groups`` makes them.

    Without ``most`` every value has a group of its own.
    """
    kept = np.arange(len(names))
    if most is not None and len(names) > most:
        counts = np.bincount(labels[labels >= 0], minlength=len(names))
        kept = np.sort(np.argsort(-counts, kind="stable")[: most - 1])
    own = tuple(names[int(k)] for k in kept)
    rest = (f"{len(names) - len(kept)} others",) * (len(names) > len(kept))
    # Where values go that have no group of their own, and at the end, where -1 points, the missing.
    places = np.full(len(names) + 1, len(own))
    places[kept] = np.arange(len(own))
    places[-1] = len(own) + len(rest)
    missing = ("missing",) * bool((labels < 0).any())
    return Groups(name, places[labels], (*own, *rest, *missing), len(own))


def telling(columns: Columns) -> list[str]:
    """Names of the columns that colour points and differ between them, in their order.

    A category of which no value comes twice is a name, and tells nothing.
    """
    return [name for name in columns if not columns.is_empty(name) and _tells(columns, name)]


def _tells(columns: Columns, name: str) -> bool:
    kind = columns.kind(name)
    if kind == "category":
        labels, names = columns.classes(name, most=None)
        return len(names) > 1 and bool(np.bincount(labels[labels >= 0]).max() > 1)
    return kind in ("number", "date") and _n_distinct(columns.numbers(name)) > 1


def _scale(columns: Columns, name: str) -> Scale:
    numbers = columns.numbers(name)
    values = np.where(np.isfinite(numbers), numbers, np.nan)
    if np.isnan(values).all():
        raise DataError(f"column {name!r} has no finite value in any of its {len(values)} rows.")
    return Scale(name, values, columns.kind(name) == "date")


def _n_distinct(values: NDArray[np.float64]) -> int:
    return len(np.unique(values[np.isfinite(values)]))
