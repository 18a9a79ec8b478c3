"""Pictures from walks: prototypes, one neuron at a time, a sheet over two, strips of points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import ScaledTranslation, Transform
from numpy.typing import NDArray

from zscape.errors import DataError, ShapeError
from zscape.figures.neuron_parts import (
    BAR,
    DIVERGING,
    GAP,
    TICK,
    as_matrix,
    color_bar,
    figure_of,
    fit_names,
    fitting_style,
    frame,
    latent_names,
    name_columns,
    reach,
    signed,
)
from zscape.figures.neuron_pictures import show_tiles
from zscape.figures.style import (
    INK,
    WIDTH,
    Pictures,
    add_tile,
    as_pictures,
    house_style,
    new_figure,
    show_image,
    text_width,
    tile_size,
    to_array,
)

TITLE = 7.5  # points
MARKER = 13.0  # points, across the circle around a number
HALO = withStroke(linewidth=3, foreground="white")


@house_style
def plot_prototypes(vectors: Any, images: Pictures, class_names: Sequence[str]) -> Figure:
    """A line per class: its name, its decoded prototype, and the prototype's neurons.

    The neurons are a heatmap (white is 0, red above, blue below) with numbers where they fit.

    Parameters
    ----------
    vectors
        (n_classes, latent_dim), finite.
    images
        (n_classes, c, h, w) in [0, 1], decoded from the vectors.
    class_names
        One per class.

    Raises
    ------
    ShapeError
        The shapes are not as above, or the three lengths differ.
    DataError
        Pixels outside [0, 1], or values that are not finite.
    """
    matrix, pictures = as_matrix(vectors, "vectors"), as_pictures(images, "images")
    n, d = matrix.shape
    if not n == len(pictures) == len(class_names):
        raise ShapeError(
            "vectors, images and class_names must be as many; "
            f"got {n}, {len(pictures)} and {len(class_names)}."
        )
    names, margin = fit_names(class_names)
    width, height = tile_size(pictures, 0.5 if n <= 30 else 0.3, 2.0)
    left = margin + width + GAP
    # A line is high enough for its name, however flat the pictures are.
    line = max(height, 0.16) + 0.04
    cell = min(0.62, (WIDTH - left - BAR) / d)
    bar = float(np.clip(n * line, 1.2, 2.6))
    figure = new_figure(left + d * cell + BAR, max(n * line, bar) + 0.35)
    for i, picture in enumerate(pictures):
        y = GAP + i * line + (line - height) / 2
        ax = add_tile(figure, margin, y, width, height)
        show_image(ax, picture)
        ax.set_ylabel(names[i], rotation=0, ha="right", va="center", fontsize=TICK)

    ax = add_tile(figure, left, GAP, d * cell, n * line)
    limit = reach(matrix, 100)
    ax.imshow(matrix, cmap=DIVERGING, vmin=-limit, vmax=limit, aspect="auto", interpolation="none")
    style = fitting_style(matrix, min(cell, 3 * line))
    for (i, j), value in np.ndenumerate(matrix):
        if style:
            color = "white" if abs(value) > 0.62 * limit else INK
            ax.text(j, i, signed(value, style), ha="center", va="center", fontsize=7, color=color)
    ax.set_yticks([])
    name_columns(ax, latent_names(d), d * cell)
    frame(ax)
    color_bar(ax, (left + d * cell + GAP, GAP, bar), limit, "activation")
    return figure


@house_style
def plot_progression(
    images: Pictures, values: Any, *, neurons: Sequence[int] | None = None
) -> Figure:
    """What each neuron does alone: a column per neuron, a row per value it takes.

    More neurons than fit the page continue in a further band.

    Parameters
    ----------
    images
        (n_values, n_neurons, c, h, w) in [0, 1]; the images of ``zscape.latents.traversal`` with
        their first two axes swapped.
    values
        (n_values,) of the rows from the top, in latent units.
    neurons
        The numbers of the columns; 0, 1, … by default.

    Raises
    ------
    ShapeError
        Another shape, or values or neurons that do not match it.
    DataError
        Pixels outside [0, 1], or values that are not finite.
    """
    grid = _as_grid(images, "(n_values, n_neurons, channels, height, width)")
    n, d = grid.shape[:2]
    rows = _numbers(_as_values(values, n, "values"))
    numbers = range(d) if neurons is None else neurons
    if len(numbers) != d:
        raise ShapeError(f"{d} columns of images need as many neurons; got {len(numbers)}.")
    left = max(text_width(row, TICK) for row in rows) + 3 * GAP
    room = WIDTH - left - GAP
    width, height = tile_size(grid, 0.8 if d <= 10 else 0.45 if d <= 20 else 0.36, room)
    bands = math.ceil(d / max(1, int(room / width)))
    columns = math.ceil(d / bands)
    names = [f"z{number}" for number in numbers]
    # Names that would touch are left out.
    every_row = math.ceil(0.14 / height)
    every_column = math.ceil(max(text_width(f"{name} ", TICK) for name in names) / width)
    top = 0.24
    pitch = top + n * height + GAP
    figure = new_figure(left + max(columns * width, 0.3) + GAP, bands * pitch)
    for band in range(bands):
        part = slice(band * columns, (band + 1) * columns)
        tiles = grid[:, part]
        m = tiles.shape[1]
        ax = add_tile(figure, left, band * pitch + top, m * width, n * height)
        show_tiles(ax, _rgb(tiles.reshape(-1, *tiles.shape[2:])), m)
        ax.xaxis.tick_top()
        ax.set_xticks(np.arange(0, m, every_column) + 0.5, names[part][::every_column])
        ax.set_yticks(np.arange(0, n, every_row) + 0.5, rows[::every_row])
    return figure


@house_style
def plot_manifold(
    images: Pictures,
    x_values: Any,
    y_values: Any,
    *,
    neurons: Sequence[int] = (0, 1),
    ax: Axes | None = None,
) -> Figure:
    """The sheet of pictures over two neurons, without seams; the y axis grows upwards.

    A value is at the centre of its tiles. Where the values are evenly spaced, the axes are in
    latent units, so that points can be drawn over the pictures; where not (prior quantiles), they
    count tiles and the ticks say which value the tile has.

    Parameters
    ----------
    images
        (n_rows, n_columns, c, h, w) in [0, 1], as of ``zscape.latents.manifold``: row 0 has the
        largest y, column 0 the smallest x.
    x_values, y_values
        (n_columns,) and (n_rows,) in latent units, in any order.
    neurons
        The numbers of the x neuron and the y neuron.
    ax
        Where to draw; a new figure by default.

    Raises
    ------
    ShapeError
        Another shape, values that do not match it, or not two neurons.
    DataError
        Pixels outside [0, 1], or values that are not finite.
    """
    grid = _as_grid(images, "(n_rows, n_columns, channels, height, width)")
    n_rows, n_columns, channels, height, width = grid.shape
    x = np.sort(_as_values(x_values, n_columns, "x_values"))
    y = np.sort(_as_values(y_values, n_rows, "y_values"))
    if len(neurons) != 2:
        raise ShapeError(f"a manifold has two neurons; got {len(neurons)}.")
    height, width = n_rows * height, n_columns * width
    sheet = grid.transpose(2, 0, 3, 1, 4).reshape(channels, height, width)
    if ax is None:
        widest = max(text_width(number, TICK) for number in _numbers(y))
        left, bottom = widest + text_width(f"z{neurons[1]}", TICK) + 0.35, 0.5
        # Of pixels to an inch: tiles of an inch at most, on no more than a page.
        pixels = max(width / (WIDTH - left - 2 * GAP), height / WIDTH,
                     math.sqrt(grid.shape[3] * grid.shape[4]))  # fmt: skip
        size = width / pixels, height / pixels
        figure = new_figure(left + max(size[0], 0.5) + 2 * GAP, max(size[1], 0.5) + bottom + GAP)
        ax = add_tile(figure, left, GAP, *size)
    picture = show_image(ax, sheet)
    (x_places, x_ends), (y_places, y_ends) = _places(x), _places(y)
    picture.set_extent((*x_ends, *y_ends))
    ax.set(xlim=x_ends, ylim=y_ends, xlabel=f"z{neurons[0]}")
    # Pixels are squares, in whatever units the axes are.
    ax.set_aspect(height / (y_ends[1] - y_ends[0]) / (width / (x_ends[1] - x_ends[0])))
    ax.set_ylabel(f"z{neurons[1]}", rotation=0, ha="right", va="center")
    ax.apply_aspect()
    box = ax.get_window_extent()
    dpi = ax.figure.dpi
    _name_places(ax.xaxis, x, x_places, box.width / dpi, 0.45)
    _name_places(ax.yaxis, y, y_places, box.height / dpi, 0.22)
    ax.grid(False)
    return figure_of(ax)


@house_style
def plot_strip(images: Pictures, points: Any = None, *, is_numbered: bool = False) -> Figure:
    """Pictures side by side under the coordinates they were decoded at, in as many lines as needed.

    Parameters
    ----------
    images
        (n, c, h, w) in [0, 1].
    points
        (n, 1), (n, 2) or (n, 3) coordinates; no titles by default.
    is_numbered
        Count the pictures from 1, with the markers of ``plot_marked_scatter``.

    Raises
    ------
    ShapeError
        The shapes are not as above, or the two lengths differ.
    DataError
        Pixels outside [0, 1], or coordinates that are not finite.
    """
    strip = Strip(images, points, is_numbered=is_numbered)
    figure = new_figure(*strip.size)
    strip.draw(figure, 0)
    return figure


class Strip:
    """Pictures in lines, measured before there is a figure to draw them into.

    ``size`` is its (width, height) in inches. Parameters and errors are those of ``plot_strip``.
    """

    def __init__(self, images: Pictures, points: Any, *, is_numbered: bool) -> None:
        self.pictures = as_pictures(images, "images")
        n = len(self.pictures)
        self.titles = [""] * n
        if points is not None:
            where = as_matrix(points, "points")
            if len(where) != n or where.shape[1] > 3:
                raise ShapeError(f"points must be ({n}, 1 to 3), one per image; got {where.shape}.")
            self.titles = _coordinates(where)
        self.is_numbered = is_numbered
        self.tile = tile_size(self.pictures, 0.84 if n <= 40 else 0.6, WIDTH - 2 * GAP)
        widest = max(text_width(title, TITLE) for title in self.titles)
        self.cell = max(self.tile[0], widest + 0.04) + GAP
        self.columns = max(1, int((WIDTH - GAP) / self.cell))
        self.columns = math.ceil(n / math.ceil(n / self.columns))  # lines of equal length
        self.head = 0.18 * any(self.titles) + 1.2 * MARKER / 72 * is_numbered
        self.pitch = self.head + self.tile[1] + GAP
        lines = math.ceil(n / self.columns)
        self.size = self.columns * self.cell + GAP, lines * self.pitch + GAP / 2

    def draw(self, figure: Figure, top: float) -> None:
        """Into ``figure``, ``top`` inches below its upper edge."""
        width, height = self.tile
        for i, picture in enumerate(self.pictures):
            line, column = divmod(i, self.columns)
            x = GAP + column * self.cell + (self.cell - GAP - width) / 2
            y = top + GAP / 2 + line * self.pitch + self.head
            ax = add_tile(figure, x, y, width, height)
            show_image(ax, picture)
            ax.set_title(self.titles[i], fontsize=TITLE, pad=3)
            if self.is_numbered:
                above = self.head - 0.58 * MARKER / 72
                shift = ScaledTranslation(0, above, figure.dpi_scale_trans)
                draw_number(ax, 0.5, 1, i + 1, ax.transAxes + shift)


def draw_number(ax: Axes, x: float, y: float, number: int, transform: Transform) -> None:
    """A number in a white circle: the same on a map and above the picture decoded there."""
    ax.add_artist(
        Line2D([x], [y], marker="o", markersize=MARKER, markerfacecolor="white",
               markeredgecolor=INK, markeredgewidth=0.9, path_effects=[HALO],
               transform=transform, clip_on=False, zorder=5)
    )  # fmt: skip
    ax.text(x, y, str(number), transform=transform, ha="center", va="center_baseline",
            fontsize=7 if number < 100 else 5.5, fontweight="bold", zorder=6)  # fmt: skip


def _coordinates(points: NDArray[Any]) -> list[str]:
    """``(−1.20, 0.35)`` for each row; a single number without the brackets."""
    largest = np.abs(points).max()
    style = "z.2f" if largest < 20 else "z.1f" if largest < 1e4 else "z.2g"
    rows = [", ".join(signed(value, style) for value in row) for row in points]
    return rows if points.shape[1] == 1 else [f"({row})" for row in rows]


def _numbers(values: NDArray[Any]) -> list[str]:
    """All to the same decimal place, the third digit of the largest, without trailing zeros."""
    largest = float(np.abs(values).max()) or 1.0
    decimals = 2 - math.floor(math.log10(largest))
    return [signed(round(float(value), decimals), "z.6g") for value in values]


def _places(values: NDArray[Any]) -> tuple[NDArray[Any], tuple[float, float]]:
    """Where on its axis each value's tile has its centre, and the ends of the axis."""
    steps = np.diff(values)
    is_even = len(steps) > 0 and steps[0] > 0 and np.allclose(steps, steps[0], rtol=1e-3, atol=0)
    places = values if is_even else np.arange(len(values))
    half = float(places[1] - places[0]) / 2 if len(places) > 1 else 0.5
    return places, (float(places[0]) - half, float(places[-1]) + half)


def _name_places(
    axis: Axis, values: NDArray[Any], places: NDArray[Any], length: float, needed: float
) -> None:
    """Ticks on an axis ``length`` inches long, whose labels take ``needed`` inches each."""
    room = max(1, int(length / needed))
    # Of many tiles, round numbers are easier to read than every third tile's.
    if places is values and len(values) > min(room, 11) and room > 3:
        axis.set_major_locator(MaxNLocator(min(room - 1, 9), steps=[1, 2, 5, 10]))
    else:
        every = math.ceil(len(values) / room)
        axis.set_ticks(places[::every], _numbers(values)[::every])


def _as_grid(images: Pictures, shape: str) -> NDArray[Any]:
    grid = to_array(images)
    if grid.ndim != 5:
        raise ShapeError(f"images must be {shape}; got {grid.shape}.")
    tiles = as_pictures(grid.reshape(-1, *grid.shape[2:]), "images")
    return tiles.reshape(*grid.shape[:2], *tiles.shape[1:])


def _as_values(values: Any, n: int, name: str) -> NDArray[Any]:
    array = to_array(values)
    if array.shape != (n,):
        raise ShapeError(f"{name} must be ({n},), as many as there are tiles; got {array.shape}.")
    if not np.isfinite(array).all():
        raise DataError(f"{name} must be finite; it holds NaN or infinity.")
    return array


def _rgb(pictures: NDArray[Any]) -> NDArray[Any]:
    """(n, 1 or 3, h, w) → (n, h, w, 3)."""
    return np.broadcast_to(pictures.transpose(0, 2, 3, 1), (len(pictures), *pictures.shape[2:], 3))
