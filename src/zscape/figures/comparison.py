"""Models side by side: what was measured of them, and what each makes of the same images."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from zscape.errors import ShapeError
from zscape.figures.keys import Key, as_coloring
from zscape.figures.neuron_parts import fit_names
from zscape.figures.scatters import as_points, draw_points
from zscape.figures.style import (
    INK,
    MUTED,
    PALETTE,
    Pictures,
    add_tile,
    as_pictures,
    house_style,
    new_figure,
    show_image,
    text_width,
)

if TYPE_CHECKING:
    import pandas as pd

PANELS = {
    "elbo": "minus ELBO, nats", "nll": "closer bound, nats", "iw_bound": "closer bound, nats",
    "kl": "KL, nats",
    "n_used": "neurons in use", "linear": "accuracy, linear",
    "neighbours": "accuracy, neighbours",
}  # fmt: skip
KNOBS = {"latent_dim": "latent neurons", "kld_weight": "weight of the KL"}
WIDE, HIGH, GAP = 1.8, 2.0, 0.12
PLOT = 1.25  # inches of the axes of a panel
PANEL, COLUMNS = 1.6, 5
SIDE = 0.52  # inches of a picture
LINE = 0.28  # inches of a model


@house_style
def plot_comparison(frame: pd.DataFrame) -> Figure:
    """What was measured against the number of neurons, and against the weight of the KL.

    Each row of panels turns one of the two while the other stands still at the value that most
    models have; dots are models, the line joins their means. Models that differ in other things
    too, or in neither, get a line each; see ``turned_knobs``.

    Parameters
    ----------
    frame
        ``Comparison.frame``.
    """
    panels = [name for name in PANELS if name in frame and frame[name].notna().any()]
    if {"nll", "iw_bound"} & set(panels):  # which is the closer bound of the same thing
        panels.remove("elbo")
    rows = turned_knobs(frame)
    return _draw_knobs(rows, panels) if rows else _draw_models(frame, panels)


def turned_knobs(frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """By the name of what is turned, ``latent_dim`` or ``kld_weight``: the models that show it.

    ``frame`` is that of a ``Comparison``. Empty if that leaves out a model, or if the models are of
    several networks: then no line joins what differs in one thing alone.
    """
    rows = {name: part for name in KNOBS if len(part := _turned(frame, name))}
    shown = set().union(*(part.index for part in rows.values()))
    is_one = "network" not in frame or frame["network"].nunique() == 1
    return rows if is_one and len(shown) == len(frame) else {}


def _draw_models(frame: pd.DataFrame, panels: Sequence[str]) -> Figure:
    """A line for each model, a panel for each measure."""
    names = [str(name) for name in frame["model"]]
    left = max(text_width(name, 9) for name in names) + 2 * GAP
    high, head, foot = LINE * len(names), 0.3, 0.35
    figure = new_figure(left + WIDE * len(panels), head + high + foot)
    places = np.arange(len(names))
    for i, name in enumerate(panels):
        ax = add_tile(figure, left + i * WIDE, head, WIDE - 0.35, high)
        spread = frame.get(f"{name}_error")
        ax.errorbar(frame[name], places, xerr=spread, fmt="o", color=PALETTE[0], markersize=5,
                    elinewidth=1)  # fmt: skip
        ax.set_ylim(len(names) - 0.5, -0.5)
        ax.set_yticks(places, names if i == 0 else [""] * len(names), fontsize=9)
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="y", linewidth=0.5, alpha=0.5)
        ax.margins(x=0.15)
        ax.xaxis.set_major_locator(MaxNLocator(3, integer=name == "n_used", min_n_ticks=2))
        ax.set_title(PANELS[name], loc="left", fontsize=8.5)
    return figure


def _draw_knobs(rows: Mapping[str, pd.DataFrame], panels: Sequence[str]) -> Figure:
    import pandas as pd

    figure = new_figure(WIDE * len(panels), HIGH * len(rows) + 0.1, layout="constrained")
    for axes, (knob, part) in zip(
        figure.subplots(len(rows), len(panels), squeeze=False), rows.items(), strict=True
    ):
        other = "kld_weight" if knob == "latent_dim" else "latent_dim"
        for ax, name in zip(axes, panels, strict=True):
            means = part.groupby(knob)[name].mean()
            places = np.arange(len(means))
            at = dict(zip(means.index, places, strict=True))
            color = PALETTE[0 if knob == "latent_dim" else 1]
            ax.plot(places, means, color=color, linewidth=1)
            ax.plot(part[knob].map(at), part[name], "o", color=color, markersize=4)
            # Values as they are, at even steps: they are few, and seldom evenly chosen.
            ax.xaxis.set_major_locator(FixedLocator(places.tolist()))
            ax.xaxis.set_minor_locator(NullLocator())
            ax.set_xticklabels(_thinned([f"{value:g}" for value in means.index]))
            ax.yaxis.set_major_locator(MaxNLocator(5, integer=name == "n_used", min_n_ticks=2))
            ax.set_xlabel(KNOBS[knob])
            ax.set_title(PANELS[name], loc="left", fontsize=8.5)
        still = part[other].iloc[0]
        fixed = f"{KNOBS[other]}: {'unknown' if pd.isna(still) else f'{still:g}'}"
        axes[0].set_ylabel(fixed, color=INK)
    return figure


def _thinned(names: Sequence[str]) -> list[str]:
    """The names below a panel, without those that would touch one that is kept; the ends are."""
    step = PLOT / max(1, len(names) - 1)
    kept = [0, len(names) - 1]
    for i in range(1, len(names) - 1):
        gaps = [step * abs(i - j) - (text_width(names[i], 8) + text_width(names[j], 8)) / 2
                for j in kept]  # fmt: skip
        if min(gaps) > 0.05:
            kept.append(i)
    return [name if i in kept else "" for i, name in enumerate(names)]


def _turned(frame: pd.DataFrame, knob: str) -> pd.DataFrame:
    """The models that differ in ``knob`` while the other stands still; none if all are alike."""
    other = "kld_weight" if knob == "latent_dim" else "latent_dim"
    known = frame.dropna(subset=[knob])
    parts = [part for _, part in known.groupby(other, dropna=False) if part[knob].nunique() > 1]
    return max(parts, key=lambda part: part[knob].nunique(), default=known.iloc[:0])


@house_style
def plot_side_by_side(rows: Mapping[str, Pictures], titles: Sequence[str] = ()) -> Figure:
    """A row of pictures for each model, those of one column having something in common.

    Parameters
    ----------
    rows
        Name → (n, c, h, w) in [0, 1]: the images themselves, and what each model makes of them. No
        picture is drawn where one is white all over.
    titles
        Of the columns.

    Raises
    ------
    ShapeError
        A row has another number of pictures than the first.
    """
    shown = {name: as_pictures(value, name) for name, value in rows.items()}
    n = len(next(iter(shown.values())))
    if odd := [name for name, value in shown.items() if len(value) != n]:
        raise ShapeError(f"{odd[0]} must have {n} pictures; got {len(shown[odd[0]])}.")
    left = max(text_width(name, 9) for name in shown) + 2 * GAP
    above = 0.16 if titles else 0
    step = SIDE + 0.04
    figure = new_figure(left + n * step + GAP, above + len(shown) * step + 2 * GAP)
    for row, (name, values) in enumerate(shown.items()):
        top = above + GAP + row * step
        for column, picture in enumerate(values):
            ax = add_tile(figure, left + column * step, top, SIDE, SIDE)
            show_image(ax, picture)
            ax.set_visible(bool((picture < 1).any()))
            if titles and not row:
                ax.set_title(titles[column], color=MUTED, fontsize=8, pad=3)
        width, height = figure.get_size_inches()
        figure.text((left - GAP) / width, 1 - (top + SIDE / 2) / height, name, ha="right",
                    va="center", fontsize=9)  # fmt: skip
    return figure


@house_style
def plot_posteriors(
    codes: Mapping[str, Any], labels: Any = None, class_names: Sequence[str] = ()
) -> Figure:
    """Where each model puts the same images, on two of its neurons, and where the prior is.

    Each panel is as wide as its codes; the circle has radius 2, and 86 % of the prior in it.

    Parameters
    ----------
    codes
        What stands above a panel → (n, 2) posterior samples.
    labels, class_names
        (n,) indices into the names, for the colours.

    Raises
    ------
    ShapeError
        Codes that are not (n, 2).
    """
    shown = {name: as_points(points, "codes") for name, points in codes.items()}
    n = len(next(iter(shown.values())))
    key = Key(n, as_coloring(n, labels, class_names, None, "", None))
    columns = min(COLUMNS, len(shown))
    rows = math.ceil(len(shown) / columns)
    side, head, foot = PANEL - 0.3, 0.26, 0.18
    right = key.width(rows * (side + head + foot) - head - foot)
    figure = new_figure(columns * PANEL + right, rows * (side + head + foot))
    turn = np.linspace(0, 2 * np.pi, 200)
    for i, (name, points) in enumerate(shown.items()):
        row, column = divmod(i, columns)
        top = head + row * (side + head + foot)
        ax = add_tile(figure, 0.26 + column * PANEL, top, side, side)
        reach = max(3.0, float(np.percentile(np.abs(points), 99.5)))
        draw_points(ax, points, key.rgba, ((-reach, reach), (-reach, reach)))
        ax.plot(2 * np.cos(turn), 2 * np.sin(turn), color=INK, linewidth=0.9)
        ax.xaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
        ax.yaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
        ax.tick_params(length=2, labelsize=7, pad=2)
        ax.set_title(fit_names([name], side)[0][0], loc="left", fontsize=8.5, pad=3)
    key.draw(figure.axes[0], columns * PANEL - 0.3, rows * (side + head + foot) - head - foot)
    return figure
