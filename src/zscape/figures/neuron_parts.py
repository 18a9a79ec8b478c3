"""What the figures of neurons share: a signed scale, names that fit, classes, histograms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from zscape.errors import ConfigError, DataError, ShapeError
from zscape.figures.style import (
    HAIRLINE,
    INK,
    MUTED,
    PALETTE,
    WIDTH,
    add_tile,
    class_colors,
    new_figure,
    text_width,
    to_array,
)

DIVERGING = "RdBu_r"
"""Of a signed number: white is 0, red above, blue below."""

GAP = 0.08  # inches
TICK = 8.0  # points
NAMES = 1.7  # inches that names of classes may take at most
PALE = "#a5acb4"
"""Of a number that is within chance."""
BAR = 0.85  # inches for a colour bar with its numbers


def draw_ridges(
    ax: Axes,
    groups: Sequence[tuple[NDArray[Any], str]],
    edges: NDArray[np.float64],
    names: Sequence[str] = (),
) -> None:
    """A histogram per (values, colour), the first on top, each on a line of its own.

    The names of the lines, if any are given, stand on their left.
    """
    n, inside = len(groups), (edges[0], edges[-1])
    bases = np.arange(n)[::-1]
    heights = [np.histogram(values.clip(*inside), edges)[0] / len(values) for values, _ in groups]
    top = max(float(height.max()) for height in heights)
    for base, height, (_, color) in zip(bases, heights, groups, strict=True):
        ax.stairs(height / top * 0.95 + base, edges, baseline=base, fill=True, color=color)
    ax.hlines(bases, *inside, color=HAIRLINE, linewidth=0.5, zorder=0)
    ax.axvline(0, color=MUTED, linewidth=0.5, zorder=3, alpha=0.6)
    ax.set(xlim=inside, ylim=(0, n))
    ax.grid(False)
    ax.spines["left"].set_visible(False)
    ax.set_yticks(bases[: len(names)] + 0.3, names)
    ax.tick_params(length=0, axis="y", labelsize=min(TICK, 65 * inches(ax)[1] / n))
    ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    ax.tick_params(axis="x", length=2, pad=2, labelsize=7)


def reach(values: NDArray[Any], percentile: float) -> float:
    """How far a scale around 0 has to reach."""
    sizes = np.abs(values[np.isfinite(values)])
    return float(np.percentile(sizes, percentile)) or 1.0 if sizes.size else 1.0


def latent_names(d: int) -> list[str]:
    """``z0`` …"""
    return [f"z{i}" for i in range(d)]


def name_columns(ax: Axes, names: Sequence[str], width: float) -> None:
    """Names under the columns; of every second, fifth … one where they would touch."""
    n = len(names)
    needed = max(text_width(name, TICK) for name in names) + 0.05
    steps = (1, 2, 5, 10, 20, 50, 100, 200, 500, n)
    step = next(step for step in steps if step * width / n >= needed or step >= n)
    ax.set_xticks(np.arange(0, n, step), names[::step])


def frame(ax: Axes) -> None:
    ax.grid(False)
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set(visible=True, color=HAIRLINE, linewidth=0.5)


def color_bar(
    ax: Axes, place: tuple[float, float, float] | None, limit: float, label: str, *,
    is_clipped: bool = False,
) -> None:  # fmt: skip
    """``place`` is (x, y, height) in inches; None takes what it needs from ``ax``."""
    figure = figure_of(ax)
    bar = figure.colorbar(
        ScalarMappable(Normalize(-limit, limit), DIVERGING),
        ax=None if place else ax,
        cax=add_tile(figure, *place[:2], 0.1, place[2]) if place else None,
        extend="both" if is_clipped else "neither",
    )
    bar.set_label(label)
    bar.outline.set(edgecolor=HAIRLINE, linewidth=0.5)
    bar.ax.tick_params(length=2, labelsize=7)
    bar.ax.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))


def heatmap(
    matrix: NDArray[Any], row_names: list[str], column_names: list[str], label: str, *,
    limit: float, is_square: bool = False, is_pale: NDArray[np.bool_] | None = None,
    ax: Axes | None = None,
) -> Figure:  # fmt: skip
    """A signed number per row and column, written into its cell where all of them fit.

    ``is_pale`` marks those that are written without emphasis.
    """
    n, d = matrix.shape
    left = max(text_width(name, TICK) for name in row_names) + 3 * GAP
    widest = min(0.45 if is_square else 0.62, (WIDTH - left - BAR) / d)
    width, height = d * widest, n * (widest if is_square else 0.27)
    place = None
    if ax is None:
        bar = max(min(height, 2.6), 1.2)
        place = left + width + GAP, GAP, bar
        figure = new_figure(left + width + BAR, max(height, bar) + 0.35)
        ax = add_tile(figure, left, GAP, width, height)
    else:
        width, height = inches(ax)
    cell_width, cell_height = width / d, height / n
    colors = colormaps[DIVERGING].with_extremes(bad=HAIRLINE)
    ax.imshow(matrix, cmap=colors, vmin=-limit, vmax=limit, aspect="auto", interpolation="none")
    style = fitting_style(matrix, min(cell_width, 3 * cell_height))
    for (i, j), value in np.ndenumerate(matrix):
        if style and np.isfinite(value):
            color = "white" if abs(value) > 0.62 * limit else INK
            if is_pale is not None and is_pale[i, j]:
                color = PALE
            ax.text(j, i, signed(value, style), ha="center", va="center", fontsize=7, color=color)
    every = max(1, int(np.ceil(0.12 / cell_height)))
    ax.set_yticks(np.arange(0, n, every), row_names[::every])
    name_columns(ax, column_names, width)
    frame(ax)
    color_bar(ax, place, limit, label)
    return figure_of(ax)


def fitting_style(matrix: NDArray[Any], width: float) -> str | None:
    """The format of the numbers that is narrow enough for a cell, or None."""
    numbers = matrix[np.isfinite(matrix)]
    for style in ("z.2f", "z.1f"):
        widest = max((format(value, style) for value in numbers.flat), key=len, default="")
        if widest and text_width(widest, 7) <= width - 0.04:
            return style
    return None


def fit_names(names: Sequence[str], room: float = NAMES) -> tuple[list[str], float]:
    """Names of rows on one line each, cut to ``room`` inches, and the margin they need."""
    fitted = []
    for name in names:
        short = text = " ".join(str(name).split())
        while text_width(short, TICK) > room:
            text = text[:-1]
            short = f"{text}…"
        fitted.append(short)
    return fitted, max(text_width(name, TICK) for name in fitted) + 3 * GAP


def inches(ax: Axes) -> tuple[float, float]:
    """Width and height of axes."""
    box, dpi = ax.get_window_extent(), ax.figure.dpi
    return box.width / dpi, box.height / dpi


def figure_of(ax: Axes) -> Figure:
    """The figure that holds ``ax``, directly or in a subfigure."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    return figure


def signed(value: float, style: str) -> str:
    """A number with a true minus sign, as on the axes."""
    return format(float(value), style).replace("-", "−")


def as_matrix(values: Any, name: str, *, may_miss: bool = False) -> NDArray[Any]:
    """``values`` checked to be (n, m), finite; with ``may_miss`` NaN may stand for no value."""
    matrix = to_array(values)
    if matrix.ndim != 2 or matrix.size == 0:
        raise ShapeError(f"{name} must have two axes, both at least 1; got {matrix.shape}.")
    if np.isinf(matrix).any() or (np.isnan(matrix).any() and not may_miss):
        raise DataError(f"{name} must be finite; it holds NaN or infinity.")
    return matrix


def group_by_class(
    n: int, labels: Any, class_names: Sequence[str], classes: Sequence[str] | None
) -> list[tuple[str, NDArray[Any], str]]:
    """(name, places in the set, colour) of each class asked for, or of everything unlabelled.

    A class keeps its colour whichever others are shown.
    """
    if labels is None:
        if classes is not None:
            raise DataError("Choosing classes needs labels, and there are none.")
        return [("all", np.arange(n), PALETTE[0])]
    index = np.asarray(labels)
    if index.shape != (n,):
        raise ShapeError(f"{n} samples need as many labels; got {index.shape}.")
    if index.min() < 0 or index.max() >= len(class_names):
        raise DataError(f"labels must lie in [0, {len(class_names) - 1}], one per class name.")
    known = {str(name): k for k, name in enumerate(class_names)}
    counts = np.bincount(index, minlength=len(known))
    wanted = [name for name, k in known.items() if counts[k]]
    if classes is not None:
        wanted = [str(name) for name in classes]
        for name in wanted or ["nothing"]:
            if name not in known:
                raise ConfigError(f"classes must be among {', '.join(known)}; got {name}.")
            if not counts[known[name]]:
                raise DataError(f"There is no sample of class {name}.")
    colors = class_colors(len(known))
    return [(name, np.flatnonzero(index == known[name]), colors[known[name]]) for name in wanted]
