"""The course of a training run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter, MaxNLocator, NullLocator, StrMethodFormatter

from zscape.errors import ConfigError, DataError
from zscape.figures.neuron_parts import figure_of
from zscape.figures.style import MUTED, PALETTE, WIDTH, house_style, new_figure

TERMS = (("loss", "Loss", ""), ("reconstruction", "Reconstruction", PALETTE[0]),
         ("kl", "KL", PALETTE[1]))  # fmt: skip
CURVES: dict[str, tuple[str, dict[str, Any]]] = {
    "evaluated_train": ("train", {"linestyle": "-", "markersize": 4}),
    "running": ("running", {"linestyle": "-", "linewidth": 0.8, "alpha": 0.5, "markersize": 2}),
    "test": ("test", {"linestyle": (0, (2.5, 1.5)), "markersize": 4, "markerfacecolor": "white"}),
}
"""What a line of ``metrics.jsonl`` holds, its word in the legend, and how it is drawn."""


@house_style
def plot_losses(
    history: Sequence[Mapping[str, Any]], scale: str = "linear", *, ax: Axes | None = None
) -> Figure:
    """Loss, reconstruction and KL, epoch by epoch, with their last values.

    Thick and solid is the training set, dashed the test set, both evaluated after the epoch with
    the same weights in the same mode. Thin is the running mean: over the epoch while the weights
    moved, in training mode. It is to be compared with neither.

    Parameters
    ----------
    history
        One mapping per epoch, as in ``metrics.jsonl``: ``epoch``, and under ``running``,
        ``evaluated_train`` and ``test`` the terms ``loss``, ``reconstruction`` and ``kl``, nats
        per image. An epoch without one of them is left out of that curve; a history that never
        splits its loss into terms gets the one panel.
    scale
        ``"linear"`` or ``"log"``. A term that is somewhere 0 or below has no logarithm; it
        stays linear, and its panel says so.
    ax
        Where to draw the loss, without its terms; a new figure with all of them by default.

    Raises
    ------
    ConfigError
        ``scale`` is neither of the two.
    DataError
        No epoch, no loss, or an epoch without its number or a term.
    """
    if scale not in ("linear", "log"):
        raise ConfigError(f"scale must be linear or log; got {scale!r}.")
    if not history:
        raise DataError("There is no epoch to plot; train for at least one.")
    names = {"loss"} | {name for line in history for key in CURVES for name in line.get(key) or ()}
    terms = [term for term in TERMS if term[0] in names]
    if ax is None:
        figure = new_figure(WIDTH * max(len(terms), 1.5) / 3, 2.9, layout="constrained")
        panels: list[Axes] = list(figure.subplots(1, len(terms), squeeze=False)[0])
    else:
        figure, panels, terms = figure_of(ax), [ax], terms[:1]
    for ax, (term, title, color) in zip(panels, terms, strict=True):
        color = color or rcParams["text.color"]
        shown: list[float] = []
        for key, (word, line) in CURVES.items():
            epochs, values = _curve(history, key, term)
            if not values:
                continue
            shown += values
            last = _short(values[-1])
            marker = "o" if len(values) <= 10 else ""
            ax.plot(epochs, values, color=color, label=f"{word} {last}", marker=marker,
                    **line)  # fmt: skip
        if not shown:
            raise DataError(f"No epoch of the history holds a loss: none has {', '.join(CURVES)}.")
        above = 7 + 13 * -(-len(ax.lines) // 2)  # points: the legend has two columns
        ax.set_title(title, loc="left", color=color, fontweight="bold", fontsize=9.5, pad=above)
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderpad=0.2,
                  borderaxespad=0, handlelength=1.7, handletextpad=0.5,
                  columnspacing=1)  # fmt: skip
        ax.set_xlabel("epoch")
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
        if scale == "log" and min(shown) > 0:
            ax.set_yscale("log")
            ax.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(2, 0.5)))
            if max(shown) < 10 * min(shown):  # holds one power of ten at most: too few labels
                ax.yaxis.set_major_locator(MaxNLocator(6))
                ax.yaxis.set_minor_locator(NullLocator())
        elif scale == "log":
            ax.set_title("linear: not all above 0", loc="right", color=MUTED, pad=above)
        # Whole numbers at the ticks: a factor such as 1e9 above the axis is easily missed.
        ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    panels[0].set_ylabel("nats per image")
    return figure


def _short(value: float) -> str:
    """Two decimals, fewer where they would not fit: five or six digits in all."""
    size = abs(value)
    return f"{value:{'.2f' if size < 1e3 else '.1f' if size < 1e4 else '.3g'}}"


def _curve(
    history: Sequence[Mapping[str, Any]], key: str, term: str
) -> tuple[list[int], list[float]]:
    try:
        points = [(line["epoch"], line[key][term]) for line in history if line.get(key)]
    except KeyError as missing:
        raise DataError(f"An epoch of the history has no {missing} ({key}, {term}).") from None
    return [epoch for epoch, _ in points], [value for _, value in points]
