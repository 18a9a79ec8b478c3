"""What units do to pictures and pictures to units: Jacobians, activation maps, best images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from zscape.data import as_shown
from zscape.errors import DataError, ShapeError
from zscape.figures.neuron_parts import (
    BAR,
    DIVERGING,
    GAP,
    TICK,
    color_bar,
    fit_names,
    reach,
    signed,
)
from zscape.figures.style import (
    HAIRLINE,
    INK,
    MUTED,
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


@house_style
def plot_jacobians(
    jacobians: Pictures, row_names: Sequence[str], *, neurons: Sequence[int] | None = None
) -> Figure:
    """How each neuron moves the picture, at each of some points: points down, neurons across.

    All pictures share one scale, so a neuron that does nothing is blank. Of one channel, red
    pixels brighten as the neuron rises and blue ones darken; of three, what is added to grey is
    the change in colour. More neurons than fit the page continue in a further band.

    Parameters
    ----------
    jacobians
        (m, n_neurons, c, h, w), of ``zscape.neurons.decoder_jacobian``.
    row_names
        One per point, its class for instance.
    neurons
        The numbers of the neurons; 0, 1, … by default.

    Raises
    ------
    ShapeError
        Another shape, or names or numbers that do not match it.
    DataError
        Values that are not finite.
    """
    values = _finite(jacobians, "jacobians")
    if values.ndim != 5 or values.size == 0:
        raise ShapeError(
            f"jacobians must be (m, n_neurons, channels, height, width); got {values.shape}."
        )
    values = as_shown(values)
    m, d, channels = values.shape[:3]
    numbers = range(d) if neurons is None else neurons
    if len(row_names) != m or len(numbers) != d:
        raise ShapeError(f"jacobians {values.shape} need {m} row names and {d} neurons.")
    limit = reach(values, 99.9)
    names, left = fit_names(row_names)
    room = WIDTH - left - BAR
    width, height = tile_size(values, 0.72 if d <= 10 else 0.45, room)
    columns = min(d, int(room / width))
    bands = math.ceil(d / columns)
    pitch = m * height + 0.32
    figure = new_figure(left + columns * width + BAR, bands * pitch + GAP)
    for band in range(bands):
        part = values[:, band * columns : (band + 1) * columns]
        n = part.shape[1]
        ax = add_tile(figure, left, band * pitch + 0.25, n * width, m * height)
        show_tiles(ax, paint_signed(part.reshape(-1, *part.shape[2:]), limit), n)
        shown = [f"z{numbers[band * columns + i]}" for i in range(n)]
        ax.xaxis.tick_top()
        ax.set_xticks(np.arange(n) + 0.5, shown, fontsize=TICK if width > 0.4 else 6.5)
        ax.set_yticks(np.arange(m) + 0.5, names)
    x, bar = left + columns * width + GAP, min(max(m * height, 0.9), 2.6)
    if channels == 1:
        color_bar(ax, (x, 0.25, min(bar, pitch * bands - 0.4)), limit, "pixel per unit of z")
    else:
        _note(figure, x, 0.25, "grey: no\nchange\n\ncolour:\nmore of it")
    return figure


@house_style
def plot_activation_maps(maps: Pictures, image: Pictures, *, title: str = "") -> Figure:
    """What every channel of a convolution makes of one picture, beside the picture.

    All channels share one scale, so that those that fire stand out. They are read line by line;
    the number of the first of each line is on its left.

    Parameters
    ----------
    maps
        (n_channels, h, w), of ``zscape.neurons.activation_maps``.
    image
        (c, h, w) in [0, 1]: the picture.
    title
        The layer's name, for instance.

    Raises
    ------
    ShapeError
        Other shapes.
    DataError
        Values that are not finite.
    """
    values = _finite(maps, "maps")
    if values.ndim != 3 or values.size == 0:
        raise ShapeError(f"maps must be (n_channels, height, width); got {values.shape}.")
    picture = as_pictures(to_array(image)[None], "image")
    n = len(values)
    limit = reach(values, 99.9)
    side = next(side for most, side in ((16, 0.85), (32, 0.66), (64, 0.55), (128, 0.42),
                                        (256, 0.34), (n, 0.25)) if n <= most)  # fmt: skip
    photo = tile_size(picture, 1.15, 2.0)
    left = GAP + photo[0] + text_width(str(n), TICK) + 4 * GAP
    room = WIDTH - left - BAR
    width, height = tile_size(values, side, room)
    columns = min(n, int(room / width))
    if n <= 4 * columns:  # lines of equal length, where there are few
        columns = math.ceil(n / math.ceil(n / columns))
    rows = math.ceil(n / columns)
    full = max(rows * height, photo[1], 1.2)
    top = 0.3
    channels = f"{n} channel{'s' if n > 1 else ''} of {values.shape[1]} × {values.shape[2]}"
    heading = f"{title}: {channels}" if title else channels
    needed = max(columns * width + BAR, text_width(heading, 8.5) + 2 * GAP)
    figure = new_figure(left + needed, top + full + GAP)
    ax = add_tile(figure, GAP, top, *photo)
    show_image(ax, picture[0])
    ax.set_title("the picture", loc="left", pad=4)
    ax = add_tile(figure, left, top, columns * width, rows * height)
    show_tiles(ax, paint_signed(values[:, None], limit), columns)
    ax.set_yticks(np.arange(rows) + 0.5, [str(row * columns) for row in range(rows)])
    ax.set_title(heading, loc="left", pad=4)
    x = left + columns * width + GAP
    color_bar(ax, (x, top, min(full, 2.6)), limit, "activation",
              is_clipped=bool(np.abs(values).max() > limit))  # fmt: skip
    return figure


@house_style
def plot_top_images(pictures: Pictures, values: Any, names: Sequence[str]) -> Figure:
    """The pictures that drive some units most: a line per unit, each under its response.

    Parameters
    ----------
    pictures
        (n_units, k, c, h, w) in [0, 1], best first.
    values
        (n_units, k) responses, as ``zscape.neurons.top_images`` ranks them.
    names
        One per unit.

    Raises
    ------
    ShapeError
        The shapes are not as above.
    DataError
        Pixels outside [0, 1].
    """
    array, responses = to_array(pictures), to_array(values)
    if array.ndim != 5 or array.size == 0 or responses.shape != array.shape[:2]:
        raise ShapeError(
            "pictures must be (n_units, k, c, h, w) and values (n_units, k); "
            f"got {array.shape} and {responses.shape}."
        )
    n, k = array.shape[:2]
    if len(names) != n:
        raise ShapeError(f"{n} units need as many names; got {len(names)}.")
    tiles = as_pictures(array.reshape(-1, *array.shape[2:]), "pictures")
    labels, left = fit_names(names)
    width, height = tile_size(tiles, 0.72, (WIDTH - left) / min(k, 10) - GAP)
    columns = min(k, int((WIDTH - left) / (width + GAP)))
    lines = math.ceil(k / columns)
    pitch = height + 0.22
    block = lines * pitch + (GAP if lines > 1 else 0)
    figure = new_figure(left + columns * (width + GAP), n * block + GAP)
    for i in range(n):
        for j in range(k):
            line, column = divmod(j, columns)
            y = i * block + line * pitch + 0.19
            ax = add_tile(figure, left + column * (width + GAP), y, width, height)
            show_image(ax, tiles[i * k + j])
            ax.set_title(signed(responses[i, j], ".2f"), fontsize=7, color=MUTED, pad=2)
            if j == 0:
                ax.set_ylabel(labels[i], rotation=0, ha="right", va="center", fontsize=TICK,
                              color=INK)  # fmt: skip
    return figure


def show_tiles(ax: Axes, tiles: NDArray[Any], columns: int) -> None:
    """Many small pictures as one, line by line; tile (row, column) is the unit square there.

    One image is drawn a hundred times faster than as many axes.

    Parameters
    ----------
    tiles
        (n, h, w, 3), RGB in [0, 1].
    """
    n, height, width = tiles.shape[:3]
    rows = math.ceil(n / columns)
    # Small maps are enlarged, so that the gap beside them stays narrow.
    zoom = max(1, math.ceil(48 / max(height, width)))
    tiles = (tiles * 255).round().astype(np.uint8).repeat(zoom, 1).repeat(zoom, 2)
    height, width = height * zoom, width * zoom
    gap = round(0.05 * max(height, width))
    page = np.zeros((rows, height + gap, columns, width + gap, 4), np.uint8)  # transparent
    edges = []
    for i, tile in enumerate(tiles):
        row, column = divmod(i, columns)
        page[row, :height, column, :width, :3] = tile
        page[row, :height, column, :width, 3] = 255
        edges.append(Rectangle((column, row), width / (width + gap), height / (height + gap)))
    ax.imshow(
        page.reshape(rows * page.shape[1], columns * page.shape[3], 4),
        extent=(0, columns, rows, 0),
        aspect="auto",
        interpolation="nearest" if max(height, width) <= 64 else "auto",
    )
    ax.add_collection(
        PatchCollection(edges, facecolor="none", edgecolor=HAIRLINE, linewidth=0.5, clip_on=False),
        autolim=False,
    )
    ax.grid(False)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set(xticks=[], yticks=[])


def paint_signed(values: NDArray[Any], limit: float) -> NDArray[Any]:
    """(n, 1 or 3, h, w) signed → (n, h, w, 3) RGB: the diverging palette, or grey and a colour."""
    scaled = (values / limit).clip(-1, 1) / 2 + 0.5
    if values.shape[1] == 3:
        return scaled.transpose(0, 2, 3, 1)
    return np.asarray(colormaps[DIVERGING](scaled[:, 0]))[..., :3]


def _finite(values: Pictures, name: str) -> NDArray[Any]:
    array = to_array(values)
    if not np.isfinite(array).all():
        raise DataError(f"{name} must be finite; it holds NaN or infinity.")
    return array


def _note(figure: Figure, x: float, y: float, text: str) -> None:
    width, height = figure.get_size_inches()
    figure.text(x / width, 1 - y / height, text, va="top", fontsize=7, color=MUTED)
