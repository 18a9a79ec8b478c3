"""How the latent neurons go with what else is known of the images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullFormatter
from numpy.typing import NDArray

from zscape.errors import DataError, ShapeError
from zscape.figures.neuron_parts import GAP, as_matrix, fit_names, heatmap, latent_names
from zscape.figures.style import (
    HAIRLINE,
    MUTED,
    PALETTE,
    WIDTH,
    add_tile,
    house_style,
    new_figure,
    text_width,
)

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 5
"""Images that each of a few values must have, on average, to be a bin by itself."""
PER_BIN = 40
"""Images in a bin, where there are enough for that."""
MOST_BINS = 12
LEFT, FOOT = 0.55, 0.42  # inches
SMALL = 7.5  # points
EXPLAINED = "line: mean of a bin; dark: its 95 % interval; pale: the middle half of its images"


@house_style
def plot_neuron_columns(
    effects: pd.DataFrame, *, q: Any = None, level: float = 0.05, ax: Axes | None = None
) -> Figure:
    """Column × neuron as a heatmap of effects, the numbers of those within chance pale.

    Parameters
    ----------
    effects
        Column × neuron, in [-1, 1]: ``NeuronColumns.effects()``. A neuron that is the same for
        every image has NaN and stays grey.
    q
        (n_columns, latent_dim): ``NeuronColumns.q_values()``; all count as clear by default.
    level
        An effect whose q is not below it is within chance.
    ax
        Where to draw; a new figure by default.

    Raises
    ------
    ShapeError
        No effects, or ``q`` of another shape.
    DataError
        Effects outside [-1, 1].
    """
    matrix = as_matrix(effects, "effects", may_miss=True)
    chances = np.zeros(matrix.shape) if q is None else as_matrix(q, "q", may_miss=True)
    if chances.shape != matrix.shape:
        raise ShapeError(f"effects and q must have one shape; got {matrix.shape}, {chances.shape}.")
    if np.nanmax(np.abs(matrix), initial=0) > 1 + 1e-6:
        raise DataError("effects must lie in [-1, 1].")
    names, neurons = fit_names(list(effects.index))[0], [str(name) for name in effects.columns]
    label = "ρ (categories: η)"
    return heatmap(matrix, names, neurons, label, limit=1.0, is_pale=chances >= level, ax=ax)


@house_style
def plot_column_curves(
    activations: Any, values: Any, *, name: str = "", titles: Sequence[str] | None = None,
    is_date: bool = False,
) -> Figure:  # fmt: skip
    """A panel per neuron: what it does, on average, as a number or a date of the images rises.

    The images are dealt by their value into at most 12 bins of about 40; where there are no more
    different values than 12, each is one. The line is the mean of a bin, the dark band its 95 %
    interval (Student's t), the pale one where the middle half of its images lies. All panels share
    their scale, so that a neuron that does not answer is seen to be flat.

    Parameters
    ----------
    activations
        (n, n_neurons), posterior means for instance.
    values
        (n,), as ``Columns.numbers``; a row without a value (NaN) is left out.
    name
        Of the values.
    titles
        One per panel; ``z0`` … by default.
    is_date
        The values are seconds since 1970.

    Raises
    ------
    ShapeError
        Not one value per row, or not one title per neuron.
    DataError
        Fewer than two different values.
    """
    matrix, column = as_matrix(activations, "activations"), np.asarray(values, np.float64)
    d = matrix.shape[1]
    titles = latent_names(d) if titles is None else titles
    if column.shape != (len(matrix),):
        raise ShapeError(f"{len(matrix)} rows need as many values; got {column.shape}.")
    if len(titles) != d:
        raise ShapeError(f"{d} neurons need as many titles; got {len(titles)}.")
    there = np.isfinite(column)
    x, curves = _binned(column[there], matrix[there])
    x = (x * 1e6).astype("datetime64[us]") if is_date else x
    rows = -(-d // 5)
    columns = -(-d // rows)
    width, height = min(2.4, (WIDTH - LEFT) / columns - 0.2), 1.15
    pitch = height + 0.5
    caption = f"{fit_names([name])[0][0]} →   {EXPLAINED}"
    page = max(LEFT + columns * (width + 0.2), LEFT + text_width(caption, SMALL) + 2 * GAP)
    figure = new_figure(page, rows * pitch + FOOT - 0.2)
    low, high = np.nanmin(curves), np.nanmax(curves)
    margin = 0.05 * (high - low) or 1.0
    for i, (curve, title) in enumerate(zip(curves.transpose(1, 0, 2), titles, strict=True)):
        row, place = divmod(i, columns)
        ax = add_tile(figure, LEFT + place * (width + 0.2), row * pitch + 0.24, width, height)
        ax.axhline(0, color=HAIRLINE, linewidth=0.8, zorder=0)
        mean, below, above, lower, upper = curve.T
        ax.fill_between(x, lower, upper, color=PALETTE[0], alpha=0.15, linewidth=0)
        ax.fill_between(x, below, above, color=PALETTE[0], alpha=0.35, linewidth=0)
        ax.plot(x, mean, color=PALETTE[0], linewidth=1.2)
        ax.set(ylim=(low - margin, high + margin))
        ax.set_title(title, pad=3)
        ax.tick_params(length=2, pad=2, labelsize=7)
        if place:
            ax.yaxis.set_major_formatter(NullFormatter())
        ax.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        if is_date:
            _as_dates(ax)
    page, height = figure.get_size_inches()
    figure.text(LEFT / page, GAP / height, caption, color=MUTED, fontsize=SMALL)
    return figure


def _as_dates(ax: Axes) -> None:
    locator = AutoDateLocator(minticks=2, maxticks=4)  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    ax.xaxis.get_offset_text().set_fontsize(7)


def _binned(values: NDArray[Any], matrix: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Mean value of every bin, and (n_bins, n_neurons, 5) mean, interval and quartiles."""
    import pandas as pd
    from scipy.stats import t

    n_values = len(np.unique(values))
    if n_values < 2:
        raise DataError("a curve needs at least two different values.")
    bins = values
    if n_values > min(MOST_BINS, len(values) // FEWEST):
        n_bins = int(np.clip(len(values) // PER_BIN, 2, MOST_BINS))
        bins = pd.qcut(values, n_bins, labels=False, duplicates="drop")
    groups = pd.DataFrame(matrix).groupby(bins)
    n = groups.size().to_numpy()[:, None]
    mean = groups.mean().to_numpy()
    # Of a single image there is no spread to judge by, and no band.
    half = t.ppf(0.975, np.maximum(n - 1, 1)) * groups.sem().to_numpy()
    quartiles = [groups.quantile(share).to_numpy() for share in (0.25, 0.75)]
    x = pd.Series(values).groupby(bins).mean().to_numpy()
    return x, np.stack([mean, mean - half, mean + half, *quartiles], -1)
