"""The colours of points, and the legend or colour bar that says what they mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_rgba
from matplotlib.dates import AutoDateFormatter, AutoDateLocator
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from zscape.data.coloring import Coloring, Groups, Scale
from zscape.errors import ConfigError, DataError, ShapeError
from zscape.figures.neuron_parts import BAR, GAP, TICK, figure_of, fit_names, group_by_class
from zscape.figures.style import HAIRLINE, MUTED, class_colors, text_width, to_array

FAINT = "#c0c7cf"
"""Of points whose value is missing."""
LINE = 0.18  # inches from one name of a legend to the next
SWATCH = 0.28  # inches beside a name for its colour
BAR_HEIGHT = 2.6  # inches of a colour bar at most
DATES = 0.35  # inches that dates beside the bar take more than numbers
DAY = 86400.0


def as_coloring(
    n: int, labels: Any, class_names: Sequence[str], values: Any, value_name: str,
    coloring: Coloring | None,
) -> Coloring | None:  # fmt: skip
    """What a person passed to colour ``n`` points by, checked; see ``plot_scatter``."""
    if sum(given is not None for given in (labels, values, coloring)) > 1:
        raise ConfigError("Points are coloured by labels, by values or by a column; give one.")
    if labels is not None:
        group_by_class(n, labels, class_names, None)
        names = tuple(str(name) for name in class_names)
        return Groups("", np.asarray(labels, np.int64), names, len(names))
    if values is not None:
        coloring = _as_scale(values, value_name)
    if coloring is None:
        return None
    found = coloring.labels if isinstance(coloring, Groups) else coloring.values
    if found.shape != (n,):
        raise ShapeError(f"{n} points need as many values; got {found.shape}.")
    return coloring


def _as_scale(values: Any, name: str) -> Scale:
    array = to_array(values) if isinstance(values, Tensor) else np.asarray(values)
    is_date = array.dtype.kind == "M"
    if is_date:
        days = array.astype("datetime64[us]")
        array = np.where(np.isnat(days), np.nan, days.astype(np.int64) / 1e6)
    numbers = np.asarray(array, np.float64)
    if np.isinf(numbers).any() or np.isnan(numbers).all():
        raise DataError("values must be finite, or NaN where missing; they hold infinity or none.")
    return Scale(name, numbers, is_date)


class Key:
    """The colour of each of ``n`` points, and what says what it means."""

    def __init__(self, n: int, coloring: Coloring | None) -> None:
        self.coloring = coloring
        self.groups = [(f"all {n}", np.arange(n), MUTED)]
        """(name, rows, colour) of every group that has rows."""
        self.rgba = np.tile(to_rgba(MUTED), (n, 1))
        """(n, 4)."""
        self.is_missing = np.zeros(n, bool)
        """(n,) whose value is not known: they are drawn beneath the others."""
        if isinstance(coloring, Groups):
            colors = group_colors(coloring)
            self.groups = [
                (name, rows, color)
                for k, (name, color) in enumerate(zip(coloring.names, colors, strict=True))
                if len(rows := np.flatnonzero(coloring.labels == k))
            ]
            for _, rows, color in self.groups:
                self.rgba[rows] = to_rgba(color)
                self.is_missing[rows] = color == FAINT
        elif coloring is not None:
            self.is_missing = np.isnan(coloring.values)
            known = coloring.values[~self.is_missing] / (DAY if coloring.is_date else 1)
            low, high = np.percentile(known, (0.5, 99.5))
            is_clipped = known.min() < low, known.max() > high
            self.extend = {(True, False): "min", (False, True): "max", (True, True): "both"}.get(
                is_clipped, "neither"
            )
            self.mappable = ScalarMappable(Normalize(low, high), "viridis")
            self.rgba[~self.is_missing] = self.mappable.to_rgba(known)
            self.rgba[self.is_missing] = to_rgba(FAINT)

    def width(self, height: float) -> float:
        """Inches it takes at the right of axes ``height`` inches high."""
        if isinstance(self.coloring, Scale):
            bar = BAR + (DATES if self.coloring.is_date else 0)
            return max(bar, *map(_entry, self._missing())) + GAP if self._missing() else bar + GAP
        if self.coloring is None:
            return 2 * GAP
        names, columns = self._fit(height)
        return max(columns * max(map(_entry, names)), text_width(self._title(), TICK)) + 2 * GAP

    def draw(self, ax: Axes, x: float | None = None, height: float | None = None) -> None:
        """Beside ``ax`` and as high, or from ``x`` inches right of its left edge on."""
        if self.coloring is None:
            return
        ax.apply_aspect()
        box, dpi = ax.get_window_extent(), ax.figure.dpi
        full_width, full_height = box.width / dpi, box.height / dpi
        start = ((full_width if x is None else x) + GAP) / full_width
        height = full_height if height is None else height
        if isinstance(self.coloring, Groups):
            names, columns = self._fit(height)
            colors = [color for _, _, color in self.groups[: len(names)]]
            if len(names) < len(self.groups):
                colors[-1] = "none"
            _legend(ax, names, colors, (start, 1), columns, self._title())
            return
        missing = self._missing()
        part = min(height - LINE * len(missing), BAR_HEIGHT) / full_height
        self._draw_bar(ax, (start, 1 - part, 0.1 / full_width, part), part * full_height)
        if missing:
            place = start - 0.04 / full_width, 1 - part - 0.08 / full_height
            _legend(ax, missing, [FAINT], place, 1, "")

    def _draw_bar(self, ax: Axes, place: tuple[float, float, float, float], height: float) -> None:
        assert isinstance(self.coloring, Scale)
        bar = figure_of(ax).colorbar(self.mappable, cax=ax.inset_axes(place), extend=self.extend)
        bar.set_label(fit_names([self.coloring.name], height)[0][0])
        bar.outline.set(edgecolor=HAIRLINE, linewidth=0.5)
        bar.ax.tick_params(length=2, labelsize=7)
        if self.coloring.is_date:
            locator: Any = AutoDateLocator(minticks=3, maxticks=6)  # type: ignore[no-untyped-call]
            bar.ax.yaxis.set_major_locator(locator)
            format: Any = AutoDateFormatter(locator)  # type: ignore[no-untyped-call]
            format.scaled |= dict.fromkeys((1 / 24, 1 / 1440), "%m-%d %H:%M")
            bar.ax.yaxis.set_major_formatter(format)
        else:
            bar.ax.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))

    def _missing(self) -> list[str]:
        n = int(self.is_missing.sum())
        return [f"{n:,} missing"] if n else []

    def _title(self) -> str:
        """Of the legend: the name of the column, which classes do without."""
        return fit_names([self.coloring.name], 1.5)[0][0] if self.coloring else ""

    def _fit(self, height: float) -> tuple[list[str], int]:
        """Names of the groups for a legend ``height`` inches high, and its columns."""
        names = [name for name, _, _ in self.groups]
        if missing := self._missing():
            names[-1] = missing[0]
        rows = max(1, int(height / LINE) - bool(self._title()))
        columns = min(3, math.ceil(len(names) / rows))
        left_out = len(names) - rows * columns
        if left_out > 0:
            names = [*names[: rows * columns - 1], f"+{left_out + 1} more"]
        return fit_names(names, (1.5, 1.05, 0.63)[columns - 1])[0], columns


def group_colors(groups: Groups) -> list[str]:
    """A colour for each of its names: of the values as of classes, of the rest greys."""
    rest = [FAINT if name == "missing" else MUTED for name in groups.names[groups.n_values :]]
    return [*class_colors(groups.n_values), *rest]


def _entry(name: str) -> float:
    return SWATCH + text_width(name, TICK)


def _legend(
    ax: Axes, names: Sequence[str], colors: Sequence[str], place: tuple[float, float], columns: int,
    title: str,
) -> None:  # fmt: skip
    handles = [
        Line2D([], [], marker="o", linestyle="", markersize=6, color=color, label=name)
        for name, color in zip(names, colors, strict=True)
    ]
    legend = ax.legend(
        handles=handles, ncols=columns, loc="upper left", bbox_to_anchor=place, borderpad=0,
        borderaxespad=0, handlelength=1.2, handletextpad=0.4, columnspacing=0.8, labelspacing=0.4,
        fontsize=TICK, title=title or None, title_fontsize=TICK, alignment="left",
    )  # fmt: skip
    legend.get_title().set_color(MUTED)
