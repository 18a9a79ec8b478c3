"""Points on a plane: maps, pairs of neurons, the places of a walk."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from zscape.errors import ConfigError, DataError, ShapeError
from zscape.figures.neuron_parts import (
    BAR,
    GAP,
    TICK,
    as_matrix,
    figure_of,
    fit_names,
    group_by_class,
)
from zscape.figures.style import (
    HAIRLINE,
    INK,
    MUTED,
    WIDTH,
    Pictures,
    add_tile,
    house_style,
    new_figure,
    text_width,
    to_array,
)
from zscape.figures.walks import HALO, MARKER, Strip, draw_number

SIDE = 5.4  # inches of the longer side of a scatter
LINE = 0.18  # inches from one name of a legend to the next
SWATCH = 0.28  # inches beside a name for its colour
TOP, LEFT, BOTTOM = 0.32, 0.7, 0.5  # inches around it, for the title and the axes
MOST_PAIRED = 12
"""Neurons in a pair plot: of more, the panels are too small to see anything."""
MOST_POINTS = 4000
"""Points in a panel of a pair plot; more only fill it up."""

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
    axis_names: Sequence[str] = ("", ""),
    limits: Limits | None = None,
    is_map: bool = True,
    title: str = "",
    ax: Axes | None = None,
) -> Figure:
    """Points coloured by class, by a value, or grey: a map, or one pair of neurons.

    The more points, the smaller and fainter the marks; they are drawn in random order, so that no
    class lies on top of another, and as pixels even in an SVG.

    Parameters
    ----------
    points
        (n, 2), finite.
    labels, class_names
        (n,) indices into the names; the legend lists the classes that have points.
    values, value_name
        (n,) finite numbers to colour by instead, and what they are. The colours span all but the
        outermost 0.5 % at each end.
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
        Wrong shapes, no point, values that are not finite, a label without a name.
    ConfigError
        Both labels and values, or limits that are not two increasing pairs.
    """
    where = _as_points(points, "points")
    bounds = _bounds(where, limits)
    key = _Key(len(where), labels, class_names, values, value_name)
    if ax is None:
        width, height = _box(bounds, is_map)
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
    axis_names: Sequence[str] = ("", ""),
    limits: Limits | None = None,
    is_map: bool = True,
    is_line: bool = False,
    title: str = "",
) -> Figure:
    """A scatter with numbered places on it, and below it the pictures decoded there.

    Parameters
    ----------
    points, labels, class_names, values, value_name, axis_names, limits, is_map, title
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
    where, places = _as_points(points, "points"), _as_points(marks, "marks")
    strip = Strip(images, places, is_numbered=True)
    bounds = _bounds(np.concatenate([where, places]), limits)
    low, high = np.transpose(bounds)
    if ((places < low) | (places > high)).any():
        raise ConfigError("marks must lie within the limits; widen the limits or move the marks.")
    width, height = _box(bounds, is_map)
    top = TOP if title else 2 * GAP
    key = _Key(len(where), labels, class_names, values, value_name)
    map_height = top + height + BOTTOM
    page = max(LEFT + width + key.width(height), strip.size[0])
    figure = new_figure(page, map_height + strip.size[1])
    ax = add_tile(figure, LEFT, top, width, height)
    _draw_scatter(ax, where, key, bounds, limits is None, is_map, axis_names, title)
    _draw_marks(ax, places, is_line)
    strip.draw(figure, map_height)
    return figure


@house_style
def plot_pairs(
    latents: Any,
    labels: Any = None,
    class_names: Sequence[str] = (),
    *,
    neurons: Sequence[int] | None = None,
) -> Figure:
    """Every pair of neurons as a scatter, and on the diagonal each neuron's density per class.

    Each pair is shown once, below the diagonal. Of more than 4000 points, a panel shows 4000
    drawn at random, always the same; the densities are of all. Each class's density has area 1.

    Parameters
    ----------
    latents
        (n, latent_dim), finite.
    labels, class_names
        (n,) indices into the names, or None for one colour.
    neurons
        At least 1 and at most 12 of them, in this order; all by default.

    Raises
    ------
    ShapeError, DataError
        Wrong shapes, values that are not finite, a label without a name.
    ConfigError
        More than 12 neurons, none, one twice, or one that is not there.
    """
    matrix = as_matrix(latents, "latents")
    chosen = _choose(neurons, matrix.shape[1])
    matrix, d = matrix[:, chosen], len(chosen)
    key = _Key(len(matrix), labels, class_names, None, "")
    shown = np.random.default_rng(0).permutation(len(matrix))[:MOST_POINTS]
    limits = [_bounds(matrix[:, [i, i]], None)[0] for i in range(d)]

    # From five neurons on, the corner above the diagonal has room for the legend.
    free = d if d < 5 else d // 2
    right = key.width(min(1.9 * d, 5.0)) if free == d else GAP
    cell = min(1.9, (WIDTH - LEFT - right) / d)
    figure = new_figure(LEFT + d * cell + right, GAP + d * cell + BOTTOM)
    for row in range(d):
        for column in range(row + 1):
            ax = add_tile(figure, LEFT + column * cell, GAP + row * cell, cell - GAP, cell - GAP)
            if row == column:
                _draw_densities(ax, matrix[:, row], key.groups, limits[row])
                ax.text(0.04, 0.96, f"z{chosen[row]}", transform=ax.transAxes, va="top",
                        fontweight="bold", fontsize=TICK)  # fmt: skip
            else:
                pair = matrix[shown][:, [column, row]]
                _draw_points(ax, pair, key.rgba[shown], (limits[column], limits[row]))
                ax.yaxis.set_major_locator(_few_ticks(cell))
            ax.xaxis.set_major_locator(_few_ticks(cell))
            ax.tick_params(length=2, labelsize=7, pad=2, labelbottom=row == d - 1,
                           labelleft=column == 0)  # fmt: skip
            if row == d - 1:
                ax.set_xlabel(f"z{chosen[column]}", labelpad=2)
            if column == 0 < row:
                ax.set_ylabel(f"z{chosen[row]}", rotation=0, ha="right", va="center", labelpad=3)
    key.draw(figure.axes[0], free * cell - GAP, free * cell)
    return figure


class _Key:
    """The colour of each point, and the legend or colour bar that says what it means."""

    def __init__(
        self, n: int, labels: Any, class_names: Sequence[str], values: Any, value_name: str
    ) -> None:
        if labels is not None and values is not None:
            raise ConfigError("Points are coloured by labels or by values; give one of the two.")
        self.groups = [(f"all {n}", np.arange(n), MUTED)]
        self.rgba = np.tile(to_rgba(MUTED), (n, 1))
        """(n, 4)."""
        self.value_name = value_name
        self.scale: ScalarMappable | None = None
        self.is_named = labels is not None
        if labels is not None:
            self.groups = group_by_class(n, labels, class_names, None)
            for _, rows, color in self.groups:
                self.rgba[rows] = to_rgba(color)
        elif values is not None:
            numbers = to_array(values)
            if numbers.shape != (n,):
                raise ShapeError(f"{n} points need as many values; got {numbers.shape}.")
            if not np.isfinite(numbers).all():
                raise DataError("values must be finite; they hold NaN or infinity.")
            low, high = np.percentile(numbers, (0.5, 99.5))
            is_clipped = numbers.min() < low, numbers.max() > high
            self.extend = {(True, False): "min", (False, True): "max", (True, True): "both"}.get(
                is_clipped, "neither"
            )
            self.scale = ScalarMappable(Normalize(low, high), "viridis")
            self.rgba = self.scale.to_rgba(numbers)

    def width(self, height: float) -> float:
        """Inches it takes at the right of axes ``height`` inches high."""
        if self.scale:
            return BAR + GAP
        if not self.is_named:
            return 2 * GAP
        names, columns = self._fit(height)
        return columns * (SWATCH + max(text_width(name, TICK) for name in names)) + 2 * GAP

    def draw(self, ax: Axes, x: float | None = None, height: float | None = None) -> None:
        """Beside ``ax`` and as high, or from ``x`` inches right of its left edge on."""
        ax.apply_aspect()
        box, dpi = ax.get_window_extent(), ax.figure.dpi
        full_width, full_height = box.width / dpi, box.height / dpi
        start = (full_width if x is None else x) + GAP
        if self.scale:
            height = min(full_height, 2.6)
            part = height / full_height
            cax = ax.inset_axes((start / full_width, 1 - part, 0.1 / full_width, part))
            bar = figure_of(ax).colorbar(self.scale, cax=cax, extend=self.extend)
            bar.set_label(self.value_name)
            bar.outline.set(edgecolor=HAIRLINE, linewidth=0.5)
            bar.ax.tick_params(length=2, labelsize=7)
            bar.ax.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        elif self.is_named:
            names, columns = self._fit(full_height if height is None else height)
            colors = [color for _, _, color in self.groups[: len(names)]]
            if len(names) < len(self.groups):
                colors[-1] = "none"
            handles = [
                Line2D([], [], marker="o", linestyle="", markersize=6, color=color, label=name)
                for name, color in zip(names, colors, strict=True)
            ]
            ax.legend(
                handles=handles,
                ncols=columns,
                loc="upper left",
                bbox_to_anchor=(start / full_width, 1),
                borderpad=0,
                borderaxespad=0,
                handlelength=1.2,
                handletextpad=0.4,
                columnspacing=0.8,
                labelspacing=0.4,
                fontsize=TICK,
            )

    def _fit(self, height: float) -> tuple[list[str], int]:
        """Names of the classes for a legend ``height`` inches high, and its columns."""
        names = [name for name, _, _ in self.groups]
        rows = max(1, int(height / LINE))
        columns = min(3, math.ceil(len(names) / rows))
        left_out = len(names) - rows * columns
        if left_out > 0:
            names = [*names[: rows * columns - 1], f"+{left_out + 1} more"]
        return fit_names(names, (1.5, 1.05, 0.63)[columns - 1])[0], columns


def _draw_scatter(
    ax: Axes, points: NDArray[Any], key: _Key, bounds: Limits, is_free: bool, is_map: bool,
    axis_names: Sequence[str], title: str,
) -> None:  # fmt: skip
    """``is_free``: the bounds may be widened, to fill axes where both units are as long."""
    if is_map:
        box = ax.get_window_extent()
        ax.set_aspect("equal")
        if is_free:
            bounds = _widen(bounds, box.height / box.width)
    _draw_points(ax, points, key.rgba, bounds)
    ax.set(xlabel=axis_names[0], ylabel=axis_names[1])
    ax.set_title(title, loc="left", fontweight="bold")
    key.draw(ax)


def _draw_points(ax: Axes, points: NDArray[Any], rgba: NDArray[Any], bounds: Limits) -> None:
    box = ax.get_window_extent()
    crowd = len(points) / (box.width * box.height / ax.figure.dpi**2)  # per square inch
    order = np.random.default_rng(0).permutation(len(points))
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


def _draw_densities(
    ax: Axes,
    values: NDArray[Any],
    groups: Sequence[tuple[str, NDArray[Any], str]],
    limits: tuple[float, float],
) -> None:
    edges = np.linspace(*limits, 257)
    curves = [_density(values[rows], edges) for _, rows, _ in groups]
    places = (edges[1:] + edges[:-1]) / 2
    for curve, (_, _, color) in zip(curves, groups, strict=True):
        if len(groups) <= 3:  # the fills of more only mix to grey
            ax.fill_between(places, curve, color=color, alpha=0.15, linewidth=0)
        ax.plot(places, curve, color=color, linewidth=1, alpha=min(1, 15 / len(groups)))
    ax.set(xlim=limits, ylim=(0, 1.15 * max(curve.max() for curve in curves)), yticks=[])
    ax.grid(False)
    ax.spines["left"].set_visible(False)


def _density(values: NDArray[Any], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Density at the centres of the bins: Gaussian kernels as wide as Scott's rule says.

    Values are counted in the bins first, so that the time does not grow with them.

    References
    ----------
    Scott 1992, Multivariate Density Estimation, section 6.3.
    """
    n = len(values)
    counts, _ = np.histogram(values, edges)
    places = (edges[1:] + edges[:-1]) / 2
    deviation = float(values.std(ddof=1, dtype=np.float64)) if n > 1 else 0.0
    width = max(deviation * n**-0.2, float(edges[1] - edges[0]))
    kernels = np.exp(-0.5 * ((places[:, None] - places) / width) ** 2)
    density: NDArray[np.float64] = kernels @ counts / (n * width * math.sqrt(2 * math.pi))
    return density


def _few_ticks(panel: float) -> MaxNLocator:
    return MaxNLocator(2 if panel < 1 else 3, steps=[1, 2, 5, 10])


def _as_points(values: Any, name: str) -> NDArray[Any]:
    points = as_matrix(values, name)
    if points.shape[1] != 2:
        raise ShapeError(f"{name} must be (n, 2); got {points.shape}.")
    return points


def _choose(neurons: Sequence[int] | None, latent_dim: int) -> list[int]:
    chosen = list(range(latent_dim) if neurons is None else neurons)
    if not 1 <= len(chosen) <= MOST_PAIRED:
        raise ConfigError(
            f"A pair plot shows 1 to {MOST_PAIRED} neurons, got {len(chosen)}; "
            "choose them with neurons=."
        )
    if len(set(chosen)) < len(chosen) or not set(chosen) <= set(range(latent_dim)):
        raise ConfigError(
            f"neurons must be different numbers in [0, {latent_dim - 1}]; got {chosen}."
        )
    return chosen


def _bounds(points: NDArray[Any], limits: Limits | None) -> Limits:
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


def _widen(bounds: Limits, shape: float) -> Limits:
    """The bounds made as high for their width as ``shape``, about the same centre."""
    (x0, x1), (y0, y1) = bounds
    width = max(x1 - x0, (y1 - y0) / shape)
    x, y, half = (x0 + x1) / 2, (y0 + y1) / 2, width / 2
    return (x - half, x + half), (y - half * shape, y + half * shape)


def _box(bounds: Limits, is_map: bool) -> tuple[float, float]:
    """(width, height) in inches of the axes of a scatter."""
    (x0, x1), (y0, y1) = bounds
    tall = float(np.clip((y1 - y0) / (x1 - x0), 0.5, 1.5)) if is_map else 1.0
    return SIDE / max(tall, 1), SIDE * min(tall, 1)
