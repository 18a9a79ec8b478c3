"""Points on a plane: maps, a pair of neurons, the places of a walk."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from zscape.data.coloring import Coloring
from zscape.errors import ConfigError, ShapeError
from zscape.figures.keys import Key, as_coloring
from zscape.figures.neuron_parts import GAP, as_matrix, figure_of
from zscape.figures.style import HAIRLINE, INK, Pictures, add_tile, house_style, new_figure
from zscape.figures.walks import HALO, MARKER, Strip, draw_number

SIDE = 5.4  # inches of the longer side of a scatter
TOP, LEFT, BOTTOM = 0.32, 0.7, 0.5  # inches around it, for the title and the axes
Limits = tuple[tuple[float, float], tuple[float, float]]
"""((x low, x high), (y low, y high))."""


@house_style
def plot_scatter(
    points: Any,
    labels: Any = None,
    class_names: Sequence[str] = (),
    *,
    values: Any = None,
    value_name: str = "",
    coloring: Coloring | None = None,
    axis_names: Sequence[str] = ("", ""),
    limits: Limits | None = None,
    is_map: bool = True,
    title: str = "",
    ax: Axes | None = None,
) -> Figure:
    """Points coloured by class, by a value, by a column, or grey: a map, or one pair of neurons.

    The more points, the smaller and fainter the marks; they are drawn in random order, so that no
    class lies on top of another, and as pixels even in an SVG. Those whose value is missing lie
    beneath, in light grey, and the legend counts them.

    Parameters
    ----------
    points
        (n, 2), finite.
    labels, class_names
        (n,) indices into the names; the legend lists the classes that have points.
    values, value_name
        (n,) numbers or ``datetime64`` to colour by instead, NaN and NaT where missing, and what
        they are. The colours span all but the outermost 0.5 % at each end.
    coloring
        What ``zscape.data.coloring`` or ``zscape.latents.coloring_of`` makes of a column, instead.
    axis_names
        Of x and y.
    limits
        ``((x low, x high), (y low, y high))``, those of the axes of a manifold to lay beside it
        for instance; points outside are not shown. All points by default.
    is_map
        One unit is as long along x as along y. Otherwise the plot is square.
    title
        Above the plot, at its left.
    ax
        Where to draw; a new figure by default. The legend stands to its right, where a
        constrained layout finds it room.

    Raises
    ------
    ShapeError, DataError
        Wrong shapes, no point, values that are infinite or all missing, a label without a name.
    ConfigError
        More than one of labels, values and coloring, or limits that are not two increasing pairs.
    """
    where = as_points(points, "points")
    bounds, n = bounds_of(where, limits), len(where)
    key = Key(n, as_coloring(n, labels, class_names, values, value_name, coloring))
    if ax is None:
        width, height = box_of(bounds, is_map)
        top = TOP if title else 2 * GAP
        figure = new_figure(LEFT + width + key.width(height), top + height + BOTTOM)
        ax = add_tile(figure, LEFT, top, width, height)
    _draw_scatter(ax, where, key, bounds, limits is None, is_map, axis_names, title)
    return figure_of(ax)


@house_style
def plot_marked_scatter(
    points: Any,
    marks: Any,
    images: Pictures,
    labels: Any = None,
    class_names: Sequence[str] = (),
    *,
    values: Any = None,
    value_name: str = "",
    coloring: Coloring | None = None,
    axis_names: Sequence[str] = ("", ""),
    limits: Limits | None = None,
    is_map: bool = True,
    is_line: bool = False,
    title: str = "",
) -> Figure:
    """A scatter with numbered places on it, and below it the pictures decoded there.

    Parameters
    ----------
    points, labels, class_names, values, value_name, coloring, axis_names, limits, is_map, title
        As for ``plot_scatter``.
    marks
        (m, 2) places on the same plane. Where numbers would touch, dots stand for those between.
    images
        (m, c, h, w) in [0, 1], decoded at the marks.
    is_line
        Join the marks, in their order.

    Raises
    ------
    ShapeError, DataError, ConfigError
        As for ``plot_scatter``; not as many marks as images; marks outside the limits.
    """
    where, places = as_points(points, "points"), as_points(marks, "marks")
    strip = Strip(images, places, is_numbered=True)
    bounds = bounds_of(np.concatenate([where, places]), limits)
    low, high = np.transpose(bounds)
    if ((places < low) | (places > high)).any():
        raise ConfigError("marks must lie within the limits; widen the limits or move the marks.")
    width, height = box_of(bounds, is_map)
    top = TOP if title else 2 * GAP
    n = len(where)
    key = Key(n, as_coloring(n, labels, class_names, values, value_name, coloring))
    map_height = top + height + BOTTOM
    page = max(LEFT + width + key.width(height), strip.size[0])
    figure = new_figure(page, map_height + strip.size[1])
    ax = add_tile(figure, LEFT, top, width, height)
    _draw_scatter(ax, where, key, bounds, limits is None, is_map, axis_names, title)
    _draw_marks(ax, places, is_line)
    strip.draw(figure, map_height)
    return figure


def _draw_scatter(
    ax: Axes, points: NDArray[Any], key: Key, bounds: Limits, is_free: bool, is_map: bool,
    axis_names: Sequence[str], title: str,
) -> None:  # fmt: skip
    """``is_free``: the bounds may be widened, to fill axes where both units are as long."""
    if is_map:
        box = ax.get_window_extent()
        ax.set_aspect("equal")
        if is_free:
            bounds = widened(bounds, box.height / box.width)
    draw_points(ax, points, key.rgba, bounds, key.is_missing)
    ax.set(xlabel=axis_names[0], ylabel=axis_names[1])
    ax.set_title(title, loc="left", fontweight="bold")
    key.draw(ax)


def draw_points(
    ax: Axes, points: NDArray[Any], rgba: NDArray[Any], bounds: Limits,
    is_beneath: NDArray[Any] | None = None, n: float | None = None,
) -> None:  # fmt: skip
    """Marks in random order, after those that are ``is_beneath``; as large as of ``n`` points."""
    box = ax.get_window_extent()
    # Per square inch.
    crowd = (n or len(points)) / (box.width * box.height / ax.figure.dpi**2)
    order = np.random.default_rng(0).permutation(len(points))
    if is_beneath is not None:
        order = order[np.argsort(~is_beneath[order], kind="stable")]
    colors = rgba[order]
    colors[:, 3] = np.clip(2.2 * crowd**-0.25, 0.3, 0.85)
    size = float(np.clip(1500 / crowd, 1, 20))
    x, y = points[order].T
    ax.scatter(x, y, s=size, c=colors, linewidths=0, rasterized=True)
    ax.set(xlim=bounds[0], ylim=bounds[1])
    ax.grid(False)
    ax.spines[:].set(visible=True, color=HAIRLINE)


def _draw_marks(ax: Axes, places: NDArray[Any], is_line: bool) -> None:
    """Numbers in circles, the two ends first; a dot where a number has no room."""
    if is_line:
        ax.plot(*places.T, color=INK, linewidth=1.2, path_effects=[HALO], zorder=4,
                scalex=False, scaley=False)  # fmt: skip
    ax.apply_aspect()
    pixels = ax.transData.transform(places)
    apart = 1.15 * MARKER / 72 * ax.figure.dpi
    numbered: list[int] = []
    for i in (0, len(places) - 1, *range(1, len(places) - 1)):
        if all(math.dist(pixels[i], pixels[j]) >= apart for j in numbered):
            numbered.append(i)
    rest = [i for i in range(len(places)) if i not in numbered]
    ax.plot(*places[rest].T, "o", markersize=4.5, markerfacecolor="white", markeredgecolor=INK,
            markeredgewidth=0.9, zorder=5, scalex=False, scaley=False)  # fmt: skip
    for i in sorted(numbered):
        x, y = places[i].tolist()
        draw_number(ax, x, y, i + 1, ax.transData)


def as_points(values: Any, name: str) -> NDArray[Any]:
    points = as_matrix(values, name)
    if points.shape[1] != 2:
        raise ShapeError(f"{name} must be (n, 2); got {points.shape}.")
    return points


def bounds_of(points: NDArray[Any], limits: Limits | None) -> Limits:
    """The limits that were asked for, checked; or those that hold all points with a margin."""
    if limits is not None:
        try:
            asked = np.asarray(limits, np.float64)
        except (TypeError, ValueError):
            asked = np.empty(0)
        if asked.shape != (2, 2) or not np.isfinite(asked).all() or (np.diff(asked) <= 0).any():
            raise ConfigError(f"limits must be ((x low, x high), (y low, y high)); got {limits}.")
        return limits
    low, high = points.min(0), points.max(0)
    margin = np.where(high > low, 0.04 * (high - low), 0.5)
    (x0, y0), (x1, y1) = (low - margin).tolist(), (high + margin).tolist()
    return (x0, x1), (y0, y1)


def widened(bounds: Limits, shape: float) -> Limits:
    """The bounds made as high for their width as ``shape``, about the same centre."""
    (x0, x1), (y0, y1) = bounds
    width = max(x1 - x0, (y1 - y0) / shape)
    x, y, half = (x0 + x1) / 2, (y0 + y1) / 2, width / 2
    return (x - half, x + half), (y - half * shape, y + half * shape)


def box_of(bounds: Limits, is_map: bool) -> tuple[float, float]:
    """(width, height) in inches of the axes of a scatter."""
    (x0, x1), (y0, y1) = bounds
    tall = float(np.clip((y1 - y0) / (x1 - x0), 0.5, 1.5)) if is_map else 1.0
    return SIDE / max(tall, 1), SIDE * min(tall, 1)
