"""Every pair of latent neurons."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from zscape.data.coloring import Coloring
from zscape.errors import ConfigError
from zscape.figures.keys import Key, as_coloring
from zscape.figures.neuron_parts import GAP, TICK, as_matrix
from zscape.figures.scatters import BOTTOM, LEFT, bounds_of, draw_points
from zscape.figures.style import WIDTH, add_tile, house_style, new_figure

MOST_PAIRED = 12
"""Neurons in a pair plot: of more, the panels are too small to see anything."""
MOST_POINTS = 4000
"""Points in a panel of a pair plot; more only fill it up."""


@house_style
def plot_pairs(
    latents: Any,
    labels: Any = None,
    class_names: Sequence[str] = (),
    *,
    coloring: Coloring | None = None,
    neurons: Sequence[int] | None = None,
) -> Figure:
    """Every pair of neurons as a scatter, and on the diagonal each neuron's density per class.

    Each pair is shown once, below the diagonal. Of more than 4000 points, a panel shows 4000
    drawn at random, always the same; the densities are of all. Each class's density has area 1.

    Parameters
    ----------
    latents
        (n, latent_dim), finite.
    labels, class_names
        (n,) indices into the names, or None for one colour.
    coloring
        What ``zscape.latents.coloring_of`` makes of a column, instead; of a number, the densities
        are of all.
    neurons
        At least 1 and at most 12 of them, in this order; all by default.

    Raises
    ------
    ShapeError, DataError
        Wrong shapes, values that are not finite, a label without a name.
    ConfigError
        More than 12 neurons, none, one twice, or one that is not there.
    """
    matrix = as_matrix(latents, "latents")
    chosen = _choose(neurons, matrix.shape[1])
    matrix, d = matrix[:, chosen], len(chosen)
    n = len(matrix)
    key = Key(n, as_coloring(n, labels, class_names, None, "", coloring))
    shown = np.random.default_rng(0).permutation(n)[:MOST_POINTS]
    limits = [bounds_of(matrix[:, [i, i]], None)[0] for i in range(d)]

    # From five neurons on, the corner above the diagonal has room for the legend.
    free = d if d < 5 else d // 2
    right = key.width(min(1.9 * d, 5.0)) if free == d else GAP
    cell = min(1.9, (WIDTH - LEFT - right) / d)
    figure = new_figure(LEFT + d * cell + right, GAP + d * cell + BOTTOM)
    for row in range(d):
        for column in range(row + 1):
            ax = add_tile(figure, LEFT + column * cell, GAP + row * cell, cell - GAP, cell - GAP)
            if row == column:
                _draw_densities(ax, matrix[:, row], key.groups, limits[row])
                ax.text(0.04, 0.96, f"z{chosen[row]}", transform=ax.transAxes, va="top",
                        fontweight="bold", fontsize=TICK)  # fmt: skip
            else:
                pair = matrix[shown][:, [column, row]]
                where = limits[column], limits[row]
                draw_points(ax, pair, key.rgba[shown], where, key.is_missing[shown])
                ax.yaxis.set_major_locator(_few_ticks(cell))
            ax.xaxis.set_major_locator(_few_ticks(cell))
            ax.tick_params(length=2, labelsize=7, pad=2, labelbottom=row == d - 1,
                           labelleft=column == 0)  # fmt: skip
            if row == d - 1:
                ax.set_xlabel(f"z{chosen[column]}", labelpad=2)
            if column == 0 < row:
                ax.set_ylabel(f"z{chosen[row]}", rotation=0, ha="right", va="center", labelpad=3)
    key.draw(figure.axes[0], free * cell - GAP, free * cell)
    return figure


def _draw_densities(
    ax: Axes,
    values: NDArray[Any],
    groups: Sequence[tuple[str, NDArray[Any], str]],
    limits: tuple[float, float],
) -> None:
    edges = np.linspace(*limits, 257)
    curves = [_density(values[rows], edges) for _, rows, _ in groups]
    places = (edges[1:] + edges[:-1]) / 2
    for curve, (_, _, color) in zip(curves, groups, strict=True):
        if len(groups) <= 3:  # the fills of more only mix to grey
            ax.fill_between(places, curve, color=color, alpha=0.15, linewidth=0)
        ax.plot(places, curve, color=color, linewidth=1, alpha=min(1, 15 / len(groups)))
    ax.set(xlim=limits, ylim=(0, 1.15 * max(curve.max() for curve in curves)), yticks=[])
    ax.grid(False)
    ax.spines["left"].set_visible(False)


def _density(values: NDArray[Any], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Density at the centres of the bins: Gaussian kernels as wide as Scott's rule says.

    Values are counted in the bins first, so that the time does not grow with them.

    References
    ----------
    Scott 1992, Multivariate Density Estimation, section 6.3.
    """
    n = len(values)
    counts, _ = np.histogram(values, edges)
    places = (edges[1:] + edges[:-1]) / 2
    deviation = float(values.std(ddof=1, dtype=np.float64)) if n > 1 else 0.0
    width = max(deviation * n**-0.2, float(edges[1] - edges[0]))
    kernels = np.exp(-0.5 * ((places[:, None] - places) / width) ** 2)
    density: NDArray[np.float64] = kernels @ counts / (n * width * math.sqrt(2 * math.pi))
    return density


def _few_ticks(panel: float) -> MaxNLocator:
    return MaxNLocator(2 if panel < 1 else 3, steps=[1, 2, 5, 10])


def _choose(neurons: Sequence[int] | None, latent_dim: int) -> list[int]:
    chosen = list(range(latent_dim) if neurons is None else neurons)
    if not 1 <= len(chosen) <= MOST_PAIRED:
        raise ConfigError(
            f"A pair plot shows 1 to {MOST_PAIRED} neurons, got {len(chosen)}; "
            "choose them with neurons=."
        )
    if len(set(chosen)) < len(chosen) or not set(chosen) <= set(range(latent_dim)):
        raise ConfigError(
            f"neurons must be different numbers in [0, {latent_dim - 1}]; got {chosen}."
        )
    return chosen
