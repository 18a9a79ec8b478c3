"""What is known of the images, so that the latents can be asked for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zscape.errors import DataError
from zscape.latents import LatentTable
from zscape.neurons.columns import MIN_PER_VALUE, is_class, values_of

CLASS = "class"


@dataclass(frozen=True, eq=False)
class Factor:
    """One thing that is known of the images."""

    name: str
    values: NDArray[np.float64]
    """(n,) numbers, or the numbers of categories; NaN where unknown."""
    is_category: bool

    @property
    def known(self) -> NDArray[np.bool_]:
        """(n,): of which images it is known."""
        return np.isfinite(self.values)


def factors_of(
    table: LatentTable, columns: Sequence[str] | None = None
) -> tuple[list[Factor], dict[str, str]]:
    """The class and the columns of which something can be learned, and why not of the others.

    Parameters
    ----------
    columns
        Which ones, ``class`` being the label; by default all, but the class only where no column
        says the same.

    Raises
    ------
    DataError
        There is nothing to ask for; or one of ``columns`` is not there, is text, does not vary,
        or is known of too few images.
    """
    known = () if table.columns is None else table.columns.names
    has_class = table.labels is not None and CLASS not in known
    names = list(columns) if columns is not None else [*((CLASS,) if has_class else ()), *known]
    if not names:
        raise DataError(
            f"the images of {table.name} have neither labels nor columns, so there is nothing to "
            "ask the latents for; --columns joins a table."
        )
    found, left_out = [], {}
    for name in names:
        is_label = name == CLASS and CLASS not in known
        values = _classes(table) if is_label else values_of(table, name)
        if not isinstance(values, str):
            # Whole numbers are codes of categories, of which -1 is none.
            is_category = is_label or table.known_columns().kind(name) == "category"
            numbers = np.where(values == -1, np.nan, values) if is_category else values
            found.append(Factor(name, numbers.astype(np.float64), is_category))
        elif columns is None:
            left_out[name] = values
        else:
            raise DataError(
                f"{name!r} of {table.name} is nothing to ask the latents for: {values}."
            )
    if columns is None and any(
        factor.is_category and factor.name != CLASS and is_class(table, table_codes(factor))
        for factor in found
    ):
        found = [factor for factor in found if factor.name != CLASS]
    if not found:
        reasons = "; ".join(f"{name} is {reason}" for name, reason in left_out.items())
        raise DataError(f"there is nothing to ask the latents of {table.name} for: {reasons}.")
    return found, left_out


def table_codes(factor: Factor) -> NDArray[np.int64]:
    """The numbers of the categories of a factor, -1 where unknown."""
    return np.where(factor.known, factor.values, -1).astype(np.int64)


def _classes(table: LatentTable) -> NDArray[np.int64] | str:
    if table.labels is None:
        raise DataError(f"{table.name} has no labels, which this needs; choose labelled images.")
    counts = np.bincount(table.labels)
    if (counts > 0).sum() < 2:
        return "the same for every image"
    if (counts >= MIN_PER_VALUE).sum() < 2:
        return f"fewer than two classes of at least {MIN_PER_VALUE} images"
    return np.where(counts[table.labels] >= MIN_PER_VALUE, table.labels, -1)
