"""What a principal component analysis found: variance explained, and loadings."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from zscape.errors import DataError, ShapeError
from zscape.figures.neuron_parts import (
    as_matrix,
    figure_of,
    inches,
    latent_names,
    name_columns,
)
from zscape.figures.neurons import plot_class_neurons
from zscape.figures.style import (
    PALETTE,
    WIDTH,
    add_tile,
    house_style,
    new_figure,
    text_width,
    to_array,
)


@house_style
def plot_explained_variance(ratios: Any, *, ax: Axes | None = None) -> Figure:
    """How much of the variance each principal component holds, and all up to it together.

    Parameters
    ----------
    ratios
        (n_components,) shares of the variance, at least 0, together at most 1; as scikit-learn's
        ``explained_variance_ratio_``.
    ax
        Where to draw; a new figure by default.

    Raises
    ------
    ShapeError
        Not one number per component, or none.
    DataError
        They are not shares.
    """
    shares = to_array(ratios).astype(np.float64)
    if shares.ndim != 1 or shares.size == 0:
        raise ShapeError(f"ratios must be (n_components,), at least 1; got {shares.shape}.")
    total = shares.cumsum()
    if not (np.isfinite(shares).all() and shares.min() >= -1e-6 and total[-1] <= 1 + 1e-4):
        raise DataError("ratios must be shares of the variance: at least 0, together at most 1.")
    n = len(shares)
    if ax is None:
        width = float(np.clip(0.5 * n, 3.2, WIDTH - 0.8))
        figure = new_figure(width + 0.8, 2.9)
        ax = add_tile(figure, 0.65, 0.58, width, 1.95)
    width = inches(ax)[0]
    places = np.arange(n)
    single, together = PALETTE[0], PALETTE[1]
    ax.bar(places, shares, width=0.72, color=single, label="each component")
    ax.plot(places, total, color=together, marker="o" if n <= 30 else "", markersize=4,
            label="all up to it", clip_on=False)  # fmt: skip
    if width / (n + 0.4) > text_width("100", 7) + 0.06:
        for i in range(n):
            # In the bar if it is high enough, else where the line leaves room above it.
            if shares[i] > 0.07:
                _write_percent(ax, i, 0, shares[i], "white")
            elif total[i] - shares[i] > 0.14:
                _write_percent(ax, i, shares[i], shares[i], single)
            _write_percent(ax, i, total[i], total[i], together)
    held = min(n, int(np.searchsorted(total, 0.9 - 1e-6)) + 1)
    what = "1 component holds" if n == 1 else f"{held} of {n} components hold"
    ax.set_title(f"{what} {total[held - 1]:.0%} of the variance",
                 loc="left", fontweight="bold", pad=22)  # fmt: skip
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderpad=0.2, borderaxespad=0.3,
              handlelength=1.4, columnspacing=1.4)  # fmt: skip
    ax.set(xlim=(-0.7, n - 0.3), ylim=(0, 1.08), ylabel="share of the variance")
    ax.yaxis.set_major_formatter(PercentFormatter(1, 0))
    ax.yaxis.set_major_locator(MaxNLocator(5))
    name_columns(ax, [f"PC{i + 1}" for i in places], width)
    return figure_of(ax)


def plot_loadings(loadings: Any, *, ax: Axes | None = None) -> Figure:
    """How much of each neuron is in the first two principal components, as numbers.

    Up to 20 neurons stand side by side, more below each other.

    Parameters
    ----------
    loadings
        (n_components, latent_dim), as scikit-learn's ``components_``.
    ax
        Where to draw; a new figure by default.

    Raises
    ------
    ShapeError
        Not two axes, or nothing in it.
    DataError
        Values that are not finite.
    """
    matrix = as_matrix(loadings, "loadings")[:2]
    names = [f"PC{i + 1}" for i in range(len(matrix))]
    d = matrix.shape[1]
    if d <= 20:
        return plot_class_neurons(matrix, names, label="loading", ax=ax)
    return plot_class_neurons(matrix.T, latent_names(d), units=names, label="loading", ax=ax)


def _write_percent(ax: Axes, x: int, y: float, share: float, color: str) -> None:
    ax.annotate(f"{share * 100:.0f}", (x, y), (0, 3), textcoords="offset points",
                ha="center", va="bottom", color=color, fontsize=7)  # fmt: skip
