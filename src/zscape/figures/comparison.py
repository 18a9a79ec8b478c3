"""Models side by side: what was measured of them, and the same pictures by each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from zscape.errors import DataError, ShapeError
from zscape.figures.style import (
    INK,
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
    "elbo": "minus ELBO, nats", "kl": "KL, nats", "n_used": "neurons in use",
    "linear": "linear probe, accuracy", "neighbours": "neighbours, accuracy",
}  # fmt: skip
KNOBS = {"latent_dim": "latent neurons", "kld_weight": "weight of the KL"}
WIDE, HIGH, GAP = 2.3, 2.2, 0.12
SIDE = 0.52  # inches of a picture


@house_style
def plot_comparison(frame: pd.DataFrame) -> Figure:
    """What was measured against the number of neurons, and against the weight of the KL.

    Each row of panels turns one of the two while the other stands still at the value that most
    models have; dots are models, the line joins their means.

    Parameters
    ----------
    frame
        ``Comparison.frame``.

    Raises
    ------
    DataError
        All models have the same of both.
    """
    rows = {name: part for name in KNOBS if len(part := _turned(frame, name))}
    if not rows:
        raise DataError("the models differ neither in latent_dim nor in kld_weight.")
    panels = [name for name in PANELS if name in frame and frame[name].notna().any()]
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
            ax.set_xticklabels([f"{value:g}" for value in means.index])
            ax.yaxis.set_major_locator(MaxNLocator(5, integer=name == "n_used", min_n_ticks=2))
            ax.set_xlabel(KNOBS[knob])
            ax.set_title(PANELS[name], loc="left", fontsize=9.5)
        fixed = f"{KNOBS[other]}: {part[other].iloc[0]:g}"
        axes[0].set_ylabel(fixed, color=INK)
    return figure


def _turned(frame: pd.DataFrame, knob: str) -> pd.DataFrame:
    """The models that differ in ``knob`` while the other stands still; none if all are alike."""
    other = "kld_weight" if knob == "latent_dim" else "latent_dim"
    known = frame.dropna(subset=[knob, other])
    if known.empty:
        return known
    differing = known.groupby(other)[knob].nunique()
    part = known[known[other] == differing.idxmax()]
    return part if differing.max() > 1 else part.iloc[:0]


@house_style
def plot_side_by_side(originals: Pictures, pictures: Mapping[str, Pictures]) -> Figure:
    """The same images in every row: themselves first, then what each model makes of them.

    Parameters
    ----------
    originals
        (n, c, h, w) in [0, 1].
    pictures
        Name of a model → (n, c, h, w).

    Raises
    ------
    ShapeError
        A model has another number of pictures.
    """
    rows = {"images": as_pictures(originals, "originals")}
    rows |= {name: as_pictures(value, name) for name, value in pictures.items()}
    n = len(rows["images"])
    if odd := [name for name, value in rows.items() if len(value) != n]:
        raise ShapeError(f"{odd[0]} must have {n} pictures; got {len(rows[odd[0]])}.")
    left = max(text_width(name, 9) for name in rows) + 2 * GAP
    step = SIDE + 0.04
    figure = new_figure(left + n * step + GAP, len(rows) * step + 2 * GAP)
    for row, (name, values) in enumerate(rows.items()):
        top = GAP + row * step
        for column, picture in enumerate(values):
            show_image(add_tile(figure, left + column * step, top, SIDE, SIDE), picture)
        width, height = figure.get_size_inches()
        figure.text((left - GAP) / width, 1 - (top + SIDE / 2) / height, name, ha="right",
                    va="center", fontsize=9)  # fmt: skip
    return figure
