"""A map coloured by what is known of its images, and one panel for each group of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from zscape.data.coloring import Coloring, Groups
from zscape.embedding import Embedding
from zscape.figures.keys import Key, as_coloring
from zscape.figures.neuron_parts import GAP, TICK, fit_names, inches
from zscape.figures.scatters import (
    BOTTOM,
    LEFT,
    TOP,
    Limits,
    as_points,
    bounds_of,
    box_of,
    draw_points,
    plot_scatter,
    widened,
)
from zscape.figures.style import MUTED, WIDTH, add_tile, house_style, new_figure
from zscape.latents import coloring_of, groups_of

MOST_PANELS = 20
BEHIND = "#e4e7eb"
HEAD = 0.24  # inches above a panel for its title
PANEL = 2.7  # inches of the longer side of a panel at most


def plot_map(
    embedding: Embedding,
    color: str = "class",
    *,
    by: str | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Figure:
    """A map coloured by anything that is known of its images.

    Parameters
    ----------
    embedding
        The map, with all that is known of its images.
    color
        ``class``, the name of a column, a neuron (``z3``), or ``none``; numbers and dates have a
        colour bar, of more than 20 categories the rarest share a grey, and so do missing values.
    by
        The same, but ``none``: a panel for each group of images instead, at most 20; see
        ``plot_small_multiples``.
    title
        Above the plot, at its left.
    ax
        Where to draw; a new figure by default. Not with ``by``.

    Raises
    ------
    DataError, ConfigError
        ``color`` or ``by`` name nothing there is, or nothing that colours.
    """
    coloring = coloring_of(embedding.table, color)
    known: dict[str, Any] = {
        "axis_names": embedding.axis_names,
        "is_map": embedding.method != "pair",
        "title": title,
    }
    if by is None:
        return plot_scatter(embedding.coordinates, coloring=coloring, ax=ax, **known)
    groups = groups_of(embedding.table, by, MOST_PANELS)
    if len(groups.names) > MOST_PANELS:  # one more, of the missing
        groups = groups_of(embedding.table, by, MOST_PANELS - 1)
    if color == by:
        coloring = None
    return plot_small_multiples(embedding.coordinates, groups, coloring, **known)


@house_style
def plot_small_multiples(
    points: Any,
    groups: Groups,
    coloring: Coloring | None = None,
    *,
    axis_names: Sequence[str] = ("", ""),
    limits: Limits | None = None,
    is_map: bool = True,
    title: str = "",
) -> Figure:
    """A panel for each group, with how many points it has; all others lie behind, in faint grey.

    Parameters
    ----------
    points
        (n, 2), finite; all panels have the same axes.
    groups
        What ``zscape.data.coloring.groups`` or ``zscape.latents.groups_of`` makes of a column.
    coloring
        Of the points, as for ``plot_scatter``; by default a colour for each group.
    axis_names, limits, is_map
        As for ``plot_scatter``.
    title
        Above all; the name of the column by default.

    Raises
    ------
    ShapeError, DataError, ConfigError
        As for ``plot_scatter``.
    """
    where = as_points(points, "points")
    n, bounds = len(where), bounds_of(where, limits)
    by_group = Key(n, as_coloring(n, None, (), None, "", groups))
    key = Key(n, as_coloring(n, None, (), None, "", coloring))
    rgba = by_group.rgba if coloring is None else key.rgba
    if coloring is None:  # on its own panel the missing must stand out from the rest
        rgba[by_group.is_missing] = to_rgba(MUTED)

    panels = by_group.groups
    columns = len(panels) if len(panels) < 4 else min(5, math.ceil(math.sqrt(len(panels))))
    rows = math.ceil(len(panels) / columns)
    title = title or groups.name
    full_width, full_height = box_of(bounds, is_map)
    shape, top = full_height / full_width, TOP - GAP if title else 0
    right = cell = height = 0.0
    for _ in range(3):  # the panels are as wide as the key leaves room, which is as high as they
        cell = min(PANEL, (WIDTH - LEFT - right) / columns)
        height = (cell - GAP) * shape
        right = max(right, key.width(rows * (HEAD + height) - HEAD))
    figure = new_figure(LEFT + columns * cell + right, top + rows * (HEAD + height) + BOTTOM)
    if title:
        figure.text(LEFT / figure.get_figwidth(), 1 - GAP / figure.get_figheight(), title,
                    va="top", fontweight="bold")  # fmt: skip
    if is_map and limits is None:
        bounds = widened(bounds, shape)
    for i, (name, members, _) in enumerate(panels):
        row, column = divmod(i, columns)
        y = top + row * (HEAD + height) + HEAD
        ax = add_tile(figure, LEFT + column * cell, y, cell - GAP, height)
        others = np.delete(np.arange(n), members)
        if len(others):
            draw_points(ax, where[others], np.tile(to_rgba(BEHIND), (len(others), 1)), bounds)
        draw_points(ax, where[members], rgba[members], bounds, key.is_missing[members],
                    n=n / math.sqrt(len(panels)))  # fmt: skip
        _finish(ax, f"{name} ({len(members):,})", is_lowest=i + columns >= len(panels),
                is_first=column == 0)  # fmt: skip
    middle = LEFT + (columns * cell - GAP) / 2
    figure.text(middle / figure.get_figwidth(), 0.12 / figure.get_figheight(), axis_names[0],
                ha="center", va="bottom", color=MUTED)  # fmt: skip
    figure.text(0.14 / figure.get_figwidth(), 0.5, axis_names[1], rotation=90, ha="left",
                va="center", color=MUTED)  # fmt: skip
    key.draw(figure.axes[0], columns * cell - GAP, rows * (HEAD + height) - HEAD)
    return figure


def _finish(ax: Axes, title: str, *, is_lowest: bool, is_first: bool) -> None:
    width, _ = inches(ax)
    ax.set_title(fit_names([title], width)[0][0], loc="left", pad=3, fontsize=TICK)
    ax.tick_params(length=2, labelsize=7, pad=2, labelbottom=is_lowest, labelleft=is_first)
    ax.xaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
    ax.yaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
