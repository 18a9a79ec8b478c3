"""How the latent neurons go with what else is known of the images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
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
)

PER_BIN = 40
"""Images in a bin, where there are enough for that."""
MOST_BINS = 12
LEFT, FOOT = 0.55, 0.42  # inches


@house_style
def plot_neuron_columns(
    effects: Any, columns: Sequence[str], *, q: Any = None, level: float = 0.05,
    ax: Axes | None = None,
) -> Figure:  # fmt: skip
    """Column × neuron as a heatmap of effects, the numbers of those within chance pale.

    Parameters
    ----------
    effects
        (n_columns, latent_dim) in [-1, 1]: ``NeuronColumns.effects()``. A neuron that is the same
        for every image has NaN and stays grey.
    columns
        Their names.
    q
        (n_columns, latent_dim): ``NeuronColumns.q_values()``; all count as clear by default.
    level
        An effect whose q is not below it is within chance.
    ax
        Where to draw; a new figure by default.

    Raises
    ------
    ShapeError
        Not one row per column name, or ``q`` of another shape.
    DataError
        Effects outside [-1, 1].
    """
    matrix = as_matrix(effects, "effects", may_miss=True)
    chances = np.zeros(matrix.shape) if q is None else as_matrix(q, "q", may_miss=True)
    if len(matrix) != len(columns):
        raise ShapeError(f"{len(columns)} columns need as many rows; got {len(matrix)}.")
    if chances.shape != matrix.shape:
        raise ShapeError(f"effects and q must have one shape; got {matrix.shape}, {chances.shape}.")
    if np.nanmax(np.abs(matrix), initial=0) > 1 + 1e-6:
        raise DataError("effects must lie in [-1, 1].")
    names = fit_names(columns)[0]
    label = "Spearman’s ρ, of categories η"
    return heatmap(
        matrix, names, latent_names(matrix.shape[1]), label, limit=1.0, is_pale=chances >= level,
        ax=ax,
    )  # fmt: skip


@house_style
def plot_column_curves(
    activations: Any, values: Any, *, name: str = "", titles: Sequence[str] | None = None,
    is_date: bool = False,
) -> Figure:  # fmt: skip
    """A panel per neuron: what it does, on average, as a number or a date of the images rises.

    The images are dealt by their value into at most 12 bins of about 40; where there are no more
    different values than that, each is one. The line is the mean of a bin, the dark band its 95 %
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
    figure = new_figure(LEFT + columns * (width + 0.2), rows * pitch + FOOT - 0.2)
    low, high = curves[..., 1:].min(), curves[..., 1:].max()
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
        ax.tick_params(length=2, pad=2, labelsize=7, labelleft=place == 0)
        ax.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        if is_date:
            _as_dates(ax)
    _explain(figure, name)
    return figure


def _as_dates(ax: Axes) -> None:
    locator = AutoDateLocator(minticks=2, maxticks=4)  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    ax.xaxis.get_offset_text().set_fontsize(7)


def _explain(figure: Figure, name: str) -> None:
    width, height = figure.get_size_inches()
    text = "line: mean of a bin; dark: its 95 % interval; pale: the middle half of its images"
    figure.text(LEFT / width, GAP / height, f"{name} →   {text}", color=MUTED, fontsize=7.5)


def _binned(values: NDArray[Any], matrix: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Mean value of every bin, and (n_bins, n_neurons, 5) mean, interval and quartiles."""
    import pandas as pd
    from scipy.stats import t

    n_bins = int(np.clip(len(values) // PER_BIN, 2, MOST_BINS))
    n_values = len(np.unique(values))
    if n_values < 2:
        raise DataError("a curve needs at least two different values.")
    frame = pd.DataFrame(matrix)
    bins = (
        values if n_values <= n_bins else pd.qcut(values, n_bins, labels=False, duplicates="drop")
    )
    groups = frame.groupby(bins)
    n = groups.size().to_numpy()[:, None]
    mean, spread = groups.mean().to_numpy(), groups.sem().to_numpy()
    half = np.where(n > 1, t.ppf(0.975, np.maximum(n - 1, 1)) * np.nan_to_num(spread), 0.0)
    quartiles = [groups.quantile(share).to_numpy() for share in (0.25, 0.75)]
    x = pd.Series(values).groupby(bins).mean().to_numpy()
    return x, np.stack([mean, mean - half, mean + half, *quartiles], -1)
