"""What colours the points of a table: its classes, a neuron, or a column."""

from __future__ import annotations

import re
from difflib import get_close_matches

from zscape.data.coloring import MOST_GROUPS, Coloring, Groups, Scale, coloring, grouped, groups
from zscape.data.columns import Columns
from zscape.errors import DataError
from zscape.latents.table import LatentTable
from zscape.latents.vectors import as_neuron


def coloring_of(table: LatentTable, by: str) -> Coloring | None:
    """How the rows of ``table`` are coloured by what a person calls ``by``.

    Parameters
    ----------
    table
        Latents, with labels and columns as far as they are known.
    by
        The name of a column; ``class`` (all of them, with no name), a neuron such as ``z3``, or
        ``none``, unless a column is called that.

    Returns
    -------
    None for one colour: ``none``, or ``class`` without labels.

    Raises
    ------
    DataError
        There is nothing of that name, or the column is text, file names or without any value.
    ConfigError
        There is no such neuron.
    """
    if table.columns is not None and by in table.columns:
        return coloring(table.columns, by)
    if by == "none" or (by == "class" and table.labels is None):
        return None
    if by == "class":
        assert table.labels is not None
        return grouped("", table.labels, table.class_names)
    neuron = _neuron(table, by)
    return Scale(f"z{neuron}", table.mu[:, neuron].astype(float))


def groups_of(table: LatentTable, by: str, most: int = MOST_GROUPS) -> Groups:
    """How ``by`` parts the rows into few groups.

    Parameters
    ----------
    table, by
        As for ``coloring_of``.
    most
        Groups at most; see ``zscape.data.coloring.groups``.

    Raises
    ------
    DataError
        As for ``coloring_of``; or the classes of images without labels.
    """
    if table.columns is not None and by in table.columns:
        return groups(table.columns, by, most)
    if by == "class":
        if table.labels is None:
            raise DataError(f"{table.name} has no labels, so there are no classes to group by.")
        return grouped("", table.labels, table.class_names, most)
    neuron = f"z{_neuron(table, by)}"
    return groups(Columns.of({neuron: table.mu[:, int(neuron[1:])]}), neuron, most)


def _neuron(table: LatentTable, by: str) -> int:
    if re.fullmatch(r"z?-?[0-9]+", by):
        return as_neuron(by, table.latent_dim)
    columns = () if table.columns is None else table.columns.names
    near = get_close_matches(by.lower(), ["class", *columns], 1)
    meant = f" (did you mean {near[0]!r}?)" if near else ""
    known = f"class, z0 to z{table.latent_dim - 1}"
    if columns:
        raise DataError(
            f"there is no column {by!r}{meant}; there are: {known}, {', '.join(columns)}."
        )
    raise DataError(
        f"there is no column {by!r}{meant}; {table.name} has none, only {known}; "
        "--columns FILE joins some."
    )
