"""Many trainings: what was measured against what they were told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from zscape.errors import DataError
from zscape.figures.neuron_parts import figure_of
from zscape.figures.style import INK, MUTED, PALETTE, house_style, new_figure

if TYPE_CHECKING:
    import pandas as pd

MEASURED = {
    "elbo": "minus ELBO, nats", "reconstruction": "reconstruction, nats", "kl": "KL, nats",
    "n_used": "neurons in use", "linear": "accuracy, linear probe",
}  # fmt: skip
WIDE, HIGH, KEY = 1.75, 1.75, 1.0
"""Inches of a panel, and of what its colours mean."""
MOST_STEPS = 8
"""Values of an option that stand at even steps; more are numbers along the axis."""
MOST_LINES = 6
"""Lines of one panel, each of its own colour; of more only the mean is drawn."""
MOST_NAMED = 12
DODGE = 0.07
"""Of a step, between the bars of two lines."""


@house_style
def plot_swept(frame: pd.DataFrame, swept: Sequence[str]) -> Figure:
    """What was measured against each option that was swept, a row of panels for each.

    A dot is a trial. A line joins the means over seeds of trials that differ in this option alone,
    and a bar on it reaches one standard deviation over seeds to either side; the colours are the
    values of the other options. Where those are too many, one line joins the means of all.

    Parameters
    ----------
    frame
        ``Sweep.finished()``: a row for each trial, with the options, ``seed`` and what was
        measured.
    swept
        The options that differ, columns of ``frame``.

    Raises
    ------
    DataError
        None differs.
    """
    rows = [name for name in swept if frame[name].nunique(dropna=False) > 1]
    if not rows:
        raise DataError("the trials differ in their seed alone.")
    panels = [name for name in MEASURED if name in frame and frame[name].notna().any()]
    figure = new_figure(WIDE * len(panels) + KEY, HIGH * len(rows) + 0.1, layout="constrained")
    ratios = [1.0] * len(panels) + [0.85 * KEY / WIDE]
    grid = figure.subplots(len(rows), len(panels) + 1, squeeze=False, width_ratios=ratios)
    for axes, knob in zip(grid, rows, strict=True):
        others = [name for name in rows if name != knob]
        lines = _lines(frame, others)
        place = _places(frame[knob])
        for ax, name in zip(axes[:-1], panels, strict=True):
            for i, (color, part) in enumerate(lines.values()):
                aside = DODGE * (i - (len(lines) - 1) / 2) if _steps(frame[knob]) else 0.0
                _draw(ax, place(part[knob]) + aside, part[name].to_numpy(float), color)
            _mark_values(ax, frame[knob])
            ax.yaxis.set_major_locator(MaxNLocator(4, integer=name == "n_used", min_n_ticks=2))
            ax.set_xlabel(knob)
            ax.set_title(MEASURED[name], loc="left", fontsize=9)
        _draw_key(axes[-1], {name: color for name, (color, _) in lines.items()}, others)
    return figure


def _lines(frame: pd.DataFrame, others: Sequence[str]) -> dict[str, tuple[str, pd.DataFrame]]:
    """What a line is called → its colour and its trials: alike in the ``others``."""
    if not others:
        return {"": (PALETTE[0], frame)}
    parts = [(key, part) for key, part in frame.groupby(list(others), dropna=False)]
    # A line of one value each says nothing of what the option does.
    if len(parts) > MOST_LINES:
        return {"all": (PALETTE[0], frame)}
    return {", ".join(map(short, key)): (PALETTE[i], part) for i, (key, part) in enumerate(parts)}


def _places(values: pd.Series) -> Any:
    """Where a value of an option stands on the axis."""
    steps = _steps(values)
    if steps is None:
        return lambda some: some.to_numpy(float)
    at = {short(value): float(i) for i, value in enumerate(steps)}
    return lambda some: np.array([at[short(value)] for value in some])


def _steps(values: pd.Series) -> list[Any] | None:
    """The values that stand at even steps; None of many numbers."""
    known = values.dropna()
    is_number = known.dtype.kind in "if" and len(known) == len(values)
    if is_number and known.nunique() > MOST_STEPS:
        return None
    return [*sorted(known.unique()), *([] if len(known) == len(values) else [None])]


def _mark_values(ax: Axes, values: pd.Series) -> None:
    steps = _steps(values)
    if steps is None:
        if values.min() > 0 and values.max() > 30 * values.min():
            ax.set_xscale("log")
        return
    ax.xaxis.set_major_locator(FixedLocator(list(range(len(steps)))))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticklabels([short(value) for value in steps])
    ax.set_xlim(-0.4, len(steps) - 0.6)


def _draw(ax: Axes, x: Any, y: Any, color: str) -> None:
    """Trials, and where several stand at one place their mean and standard deviation."""
    places = np.unique(x)
    groups = [y[x == place] for place in places]
    ax.plot(x, y, "o", color=color, markersize=2.5, alpha=0.45, markeredgewidth=0)
    if len(places) > MOST_STEPS:  # drawn at random: a line through them would be noise
        return
    means = [group.mean() for group in groups]
    widths = [group.std(ddof=1) if len(group) > 1 else 0.0 for group in groups]
    ax.errorbar(places, means, widths, color=color, linewidth=1, elinewidth=1, capsize=2,
                capthick=1, marker="o", markersize=4)  # fmt: skip


def _draw_key(ax: Axes, colors: dict[str, str], others: Sequence[str]) -> None:
    """What the colours of a row mean."""
    ax.set_axis_off()
    if not others:
        return
    if list(colors) == ["all"]:
        ax.text(0, 1, f"mean over\n{', '.join(others)}", transform=ax.transAxes, va="top",
                color=MUTED, fontsize=8)  # fmt: skip
        return
    handles = [ax.plot([], [], "o-", color=color, markersize=4, linewidth=1)[0]
               for color in colors.values()]  # fmt: skip
    ax.legend(handles, list(colors), title=",\n".join(others), loc="upper left", borderaxespad=0,
              bbox_to_anchor=(0, 1), handlelength=1.2, alignment="left", fontsize=8,
              title_fontsize=8)  # fmt: skip


@house_style
def plot_pareto(frame: pd.DataFrame, swept: Sequence[str], *, ax: Axes | None = None) -> Figure:
    """What the pixels cost against what the code says, and the trials that no other beats in both.

    A large dot is the mean of a configuration over its seeds, a bar one standard deviation over
    them, a small dot a trial. The line joins the configurations for which none is lower in both;
    each is named by the values of its options.

    Parameters
    ----------
    frame, swept
        See ``plot_swept``.
    ax
        Where to draw; a new figure by default.

    Raises
    ------
    DataError
        There is only one configuration.
    """
    names = [name for name in swept if frame[name].nunique(dropna=False) > 1]
    if not names:
        raise DataError("the trials differ in their seed alone.")
    figure = new_figure(6.0, 3.8, layout="constrained") if ax is None else figure_of(ax)
    ax = figure.subplots() if ax is None else ax
    parts = [part for _, part in frame.groupby(names, dropna=False)]
    means = np.array([[part["reconstruction"].mean(), part["kl"].mean()] for part in parts])
    steps = _steps(frame[names[0]])
    shown = [short(part[names[0]].iloc[0]) for part in parts]
    order = [short(step) for step in steps or ()]
    for name, part, (x, y) in zip(shown, parts, means, strict=True):
        color = PALETTE[order.index(name) % len(PALETTE)] if order else PALETTE[0]
        ax.plot(part["reconstruction"], part["kl"], "o", color=color, markersize=2.5, alpha=0.45,
                markeredgewidth=0)  # fmt: skip
        widths = part[["reconstruction", "kl"]].std().fillna(0)
        ax.errorbar(x, y, widths["kl"], widths["reconstruction"], color=color, marker="o",
                    markersize=6, elinewidth=1, zorder=3)  # fmt: skip
    front = pareto_front(means)
    ax.plot(*means[front].T, color=INK, linewidth=0.8, zorder=2)
    for row in front[:MOST_NAMED]:
        values = (parts[row][name].iloc[0] for name in names)
        ax.annotate(", ".join(map(short, values)), means[row], (5, 5), fontsize=7.5, color=INK,
                    textcoords="offset points", zorder=4)  # fmt: skip
    if order:
        handles = [ax.plot([], [], "o", color=PALETTE[i % len(PALETTE)], markersize=5)[0]
                   for i in range(len(order))]  # fmt: skip
        ax.legend(handles, order, title=names[0], loc="upper left", bbox_to_anchor=(1.01, 1),
                  borderaxespad=0, alignment="left", handlelength=0.8)  # fmt: skip
    ax.set_xlabel("reconstruction, nats per image")
    ax.set_ylabel("KL, nats per image")
    ax.margins(0.12)
    ax.set_title(f"on the line, by {', '.join(names)}", loc="left", color=MUTED, fontsize=8.5)
    return figure


def pareto_front(points: Any) -> list[int]:
    """Rows of (n, 2) for which no other is lower in one and not higher in the other, by the first.

    >>> pareto_front([[1.0, 5.0], [2.0, 3.0], [3.0, 4.0], [4.0, 1.0]])
    [0, 1, 3]
    """
    points = np.asarray(points, float)
    front: list[int] = []
    for row in np.lexsort((points[:, 1], points[:, 0])):
        if not front or points[row, 1] < points[front[-1], 1]:
            front.append(int(row))
    return front


def short(value: Any) -> str:
    """A value of an option, as a tick or a key shows it."""
    if value is None or value != value:
        return "none"
    return f"{value:g}" if isinstance(value, (float, np.floating)) else str(value)
