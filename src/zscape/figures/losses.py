"""The course of a training run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter, MaxNLocator, NullLocator, StrMethodFormatter

from zscape.errors import ConfigError, DataError
from zscape.figures.style import INK, MUTED, PALETTE, WIDTH, house_style, new_figure

TERMS = (("loss", "Loss", INK), ("reconstruction", "Reconstruction", PALETTE[0]),
         ("kl", "KL", PALETTE[1]))  # fmt: skip
SPLITS: dict[str, dict[str, Any]] = {
    "train": {"linestyle": "-"},
    "test": {"linestyle": (0, (2.5, 1.5)), "markerfacecolor": "white"},
}


@house_style
def plot_losses(history: Sequence[Mapping[str, Any]], scale: str = "linear") -> Figure:
    """Loss, reconstruction and KL of both splits, epoch by epoch, with their last values.

    Parameters
    ----------
    history
        One mapping per epoch, as in ``metrics.jsonl``: ``epoch``, and under ``train`` and
        ``test`` the terms ``loss``, ``reconstruction`` and ``kl``, nats per image. An epoch
        without a split is left out of that split's curve; a history that never splits its loss
        into terms gets the one panel.
    scale
        ``"linear"`` or ``"log"``. A term that is somewhere 0 or below has no logarithm; it
        stays linear, and its panel says so.

    Raises
    ------
    ConfigError
        ``scale`` is neither of the two.
    DataError
        No epoch, no split, or an epoch without its number or a term.
    """
    if scale not in ("linear", "log"):
        raise ConfigError(f"scale must be linear or log; got {scale!r}.")
    if not history:
        raise DataError("There is no epoch to plot; train for at least one.")
    names = {"loss"} | {
        name for line in history for split in SPLITS for name in line.get(split) or ()
    }
    terms = [term for term in TERMS if term[0] in names]
    figure = new_figure(WIDTH * max(len(terms), 1.5) / 3, 2.9, layout="constrained")
    panels: list[Axes] = list(figure.subplots(1, len(terms), squeeze=False)[0])
    for ax, (term, title, color) in zip(panels, terms, strict=True):
        shown: list[float] = []
        for split, line in SPLITS.items():
            epochs, values = _curve(history, split, term)
            if not values:
                continue
            shown += values
            last = f"{values[-1]:{'.2f' if abs(values[-1]) < 1e4 else '.3g'}}"
            marker = "o" if len(values) <= 10 else ""
            ax.plot(epochs, values, color=color, label=f"{split} {last}", marker=marker,
                    markersize=4, **line)  # fmt: skip
        if not shown:
            raise DataError("No epoch of the history holds a train or a test loss.")
        ax.set_title(title, loc="left", color=color, fontweight="bold", fontsize=9.5, pad=20)
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderpad=0.2,
                  borderaxespad=0, handlelength=2.2, columnspacing=1.4)  # fmt: skip
        ax.set_xlabel("epoch")
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
        if scale == "log" and min(shown) > 0:
            ax.set_yscale("log")
            ax.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(2, 0.5)))
            if max(shown) < 10 * min(shown):  # holds one power of ten at most: too few labels
                ax.yaxis.set_major_locator(MaxNLocator(6))
                ax.yaxis.set_minor_locator(NullLocator())
        elif scale == "log":
            ax.set_title("linear: not all above 0", loc="right", color=MUTED, pad=20)
        # Whole numbers at the ticks: a factor such as 1e9 above the axis is easily missed.
        ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    panels[0].set_ylabel("nats per image")
    return figure


def _curve(
    history: Sequence[Mapping[str, Any]], split: str, term: str
) -> tuple[list[int], list[float]]:
    try:
        points = [(line["epoch"], line[split][term]) for line in history if line.get(split)]
    except KeyError as missing:
        raise DataError(f"An epoch of the history has no {missing} ({split}, {term}).") from None
    return [epoch for epoch, _ in points], [value for _, value in points]
