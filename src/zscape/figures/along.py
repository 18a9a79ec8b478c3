"""What changes along a direction of the latent space, and where the images lie on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from zscape.errors import ShapeError
from zscape.figures.style import (
    INK,
    WIDTH,
    Pictures,
    class_colors,
    house_style,
    new_figure,
    wrap_text,
)
from zscape.figures.walks import Strip

PLOT = 2.6  # inches, the axes under the strip with their labels
TITLE = 9  # points
HEAD, LINE = 0.32, 0.16  # inches, a title of one line, and every further one
EDGE = 0.65  # inches beside the axes


@house_style
def plot_along(
    images: Pictures,
    steps: Any,
    positions: Any,
    values: Any,
    *,
    name: str,
    title: str = "",
    categories: Sequence[str] | None = None,
    is_date: bool = False,
) -> Figure:
    """Pictures decoded on the way, and below them every image: its place and its value.

    Parameters
    ----------
    images
        (n_steps, c, h, w) in [0, 1].
    steps
        (n_steps,) where on the way each was decoded, latent units.
    positions
        (n,) places of the images on the way, latent units.
    values
        (n,) their values; those that are NaN are left out. With ``categories``, 0 or 1.
    name
        Of the values.
    title
        Over all of it.
    categories
        The names of the two values, whose images are then counted along the way.
    is_date
        The values are seconds since 1970.

    Raises
    ------
    ShapeError
        The lengths differ.
    DataError
        Pixels outside [0, 1], or steps that are not finite.
    """
    places, numbers = np.asarray(positions, np.float64), np.asarray(values, np.float64)
    if places.ndim != 1 or places.shape != numbers.shape:
        raise ShapeError(
            f"positions and values must both be (n,); got {places.shape} and {numbers.shape}."
        )
    strip = Strip(images, np.asarray(steps)[:, None], is_numbered=False)
    width = min(WIDTH, max(strip.size[0], 5.5))
    lines = wrap_text(title, width - 0.16, TITLE)
    head = HEAD + LINE * lines.count("\n")
    height = head + strip.size[1] + PLOT
    figure = new_figure(width, height)
    figure.text(0.08 / width, 1 - 0.12 / height, lines, va="top", color=INK, fontsize=TITLE)
    strip.draw(figure, head)
    ax = figure.add_axes(
        (EDGE / width, 0.45 / height, 1 - (EDGE + 0.15) / width, (PLOT - 0.65) / height)
    )
    ax.set_xlabel("place along the direction, latent units")
    if categories is None:
        known = np.isfinite(numbers)
        shown = (numbers[known] * 1e6).astype("datetime64[us]") if is_date else numbers[known]
        ax.scatter(places[known], shown, s=6, alpha=0.5, linewidths=0, rasterized=True)
        ax.set_ylabel(name)
        if is_date:
            locator: Any = AutoDateLocator(minticks=3, maxticks=6)  # type: ignore[no-untyped-call]
            ax.yaxis.set_major_locator(locator)
            ax.yaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    else:
        _count(ax, places, numbers, categories)
    return figure


def _count(ax: Any, places: NDArray[Any], numbers: NDArray[Any], categories: Sequence[str]) -> None:
    edges = np.histogram_bin_edges(places[np.isfinite(numbers)], bins=40)
    for value, (category, color) in enumerate(zip(categories, class_colors(2), strict=True)):
        ax.hist(places[numbers == value], edges, color=color, alpha=0.6, label=category)
    ax.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.set_ylabel("images")
    ax.legend()
