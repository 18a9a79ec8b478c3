"""Figures made of pictures: samples of a set, reconstructions, decoded random vectors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from zscape.data import ImagesLike, as_image_set
from zscape.errors import ConfigError, ShapeError
from zscape.figures.style import (
    WIDTH,
    Pictures,
    add_tile,
    as_pictures,
    fit_text,
    house_style,
    new_figure,
    show_image,
    text_width,
    tile_size,
    to_array,
)
from zscape.seeding import torch_generator

if TYPE_CHECKING:
    pass

ArrayT = TypeVar("ArrayT", Tensor, NDArray[Any])

GAP = 0.06  # between tiles, and around the figure; inches
TITLE = 7.5  # points
LINE = TITLE * 1.3 / 72  # one line of a title; inches


def binarize_image(image: ArrayT, threshold: float = 0.5) -> ArrayT:
    """1.0 where ``image`` is above ``threshold``, 0.0 elsewhere; same shape and kind of array.

    Bytes, whose white is 255, are cut at that share of 255.

    Raises
    ------
    ConfigError
        ``threshold`` is not in (0, 1).

    Examples
    --------
    >>> import numpy as np
    >>> binarize_image(np.array([0.2, 0.5, 0.9]))
    array([0., 0., 1.])
    """
    if not 0 < threshold < 1:
        raise ConfigError(f"threshold must lie in (0, 1); got {threshold}.")
    is_bytes = str(image.dtype).endswith("uint8")  # NumPy's or torch's
    white: ArrayT = (image > threshold * (255 if is_bytes else 1)) * 1.0
    return white


NEARLY = 0.75


def is_nearly_binary(images: Pictures) -> bool:
    """Whether ``images`` are black or white but for soft edges, so that a threshold loses little.

    They are if they vary at least three quarters as much as black and white pixels of their mean
    would, for which the variance is mean · (1 - mean). MNIST has 0.84 of that, photographs a
    quarter.

    Examples
    --------
    >>> import numpy as np
    >>> is_nearly_binary(np.array([0.0, 0.0, 0.1, 1.0])), is_nearly_binary(np.array([0.2, 0.6]))
    (True, False)
    """
    pixels = to_array(images).astype(np.float64)
    mean = float(pixels.mean())
    return float(pixels.var()) >= NEARLY * mean * (1 - mean)


def plot_samples(images: ImagesLike, n: int = 20, *, seed: int | None = 0) -> Figure:
    """A grid of ``n`` pictures of the set, each under the name of its class.

    Parameters
    ----------
    images
        Any image size; labels are optional.
    n
        At least 1. A set that holds fewer pictures is shown whole.
    seed
        The same seed draws the same pictures; None draws new ones every time.

    Raises
    ------
    ConfigError
        ``n`` is below 1.
    """
    if n < 1:
        raise ConfigError(f"n must be at least 1; got {n}.")
    images = as_image_set(images)
    generator = torch.Generator() if seed is None else torch_generator(seed, "plot_samples")
    if seed is None:
        generator.seed()
    chosen = images.subset(min(n, len(images)), generator)
    titles = None
    if chosen.labels is not None:
        titles = [chosen.class_names[label] for label in chosen.labels.tolist()]
    return plot_pictures(chosen.pixels(), titles)


@house_style
def plot_pictures(images: Pictures, titles: Sequence[str] | None = None) -> Figure:
    """Pictures side by side, each under a title of its own, in as many lines as needed.

    Parameters
    ----------
    images
        (n, c, h, w) in [0, 1].
    titles
        One per picture, shortened to two lines of its width.

    Raises
    ------
    ShapeError
        Another shape, or not as many titles.
    DataError
        Values outside [0, 1].
    """
    pictures = as_pictures(images, "images")
    if titles is not None and len(titles) != len(pictures):
        raise ShapeError(f"{len(pictures)} pictures need as many titles; got {len(titles)}.")
    side = 1.6 if len(pictures) <= 5 else 0.84 if len(pictures) <= 60 else 0.5
    width, height = tile_size(pictures, side, WIDTH - 2 * GAP)
    columns, rows = _layout(len(pictures), width)
    fitted, title_height = _fit_titles(titles, width)

    pitch = title_height + height + GAP
    figure = new_figure(columns * (width + GAP) + GAP, rows * pitch + GAP)
    for i, picture in enumerate(pictures):
        row, column = divmod(i, columns)
        x, y = GAP + column * (width + GAP), GAP + row * pitch + title_height
        ax = add_tile(figure, x, y, width, height)
        show_image(ax, picture)
        if fitted:
            ax.set_title(fitted[i], fontsize=TITLE, pad=2.5)
    return figure


@house_style
def plot_reconstructions(
    originals: Pictures,
    reconstructions: Pictures,
    titles: Sequence[str] | None = None,
    *,
    threshold: float = 0.5,
    binarized: bool | None = None,
    names: tuple[str, str] = ("original", "reconstruction"),
) -> Figure:
    """Each picture over what the model made of it, both also binarised where that says something.

    The rows are original and reconstruction, with a binarised copy under each if that is wanted.
    More pictures than fit the page continue in a further band of rows.

    Parameters
    ----------
    originals, reconstructions
        Both (n, c, h, w), in [0, 1].
    titles
        One per picture, its class for instance; written above its column.
    threshold
        In (0, 1); a value above it becomes 1, per channel.
    binarized
        Whether to show the rows at ``threshold``; by default if the originals are nearly black
        and white (``is_nearly_binary``): of grey pictures a threshold shows another picture.
    names
        What the two rows are called.

    Raises
    ------
    ShapeError
        The shapes differ or are not as above, or there are not ``n`` titles.
    DataError
        Values outside [0, 1].
    ConfigError
        ``threshold`` is not in (0, 1).
    """
    before = as_pictures(originals, "originals")
    after = as_pictures(reconstructions, "reconstructions")
    if before.shape != after.shape:
        raise ShapeError(
            "originals and reconstructions must have the same shape; "
            f"got {before.shape} and {after.shape}."
        )
    if titles is not None and len(titles) != len(before):
        raise ShapeError(f"{len(before)} pictures need as many titles; got {len(titles)}.")
    stages = [(names[0], before), (names[1], after)]
    if is_nearly_binary(before) if binarized is None else binarized:
        label = f"binarised\nat {threshold:g}"
        stages.insert(1, (label, binarize_image(before, threshold)))
        stages.append((label, binarize_image(after, threshold)))

    left = max(text_width(line, 8.5) for name in names for line in name.split("\n")) + 3 * GAP
    width, height = tile_size(before, 0.72, WIDTH - left - GAP)  # ten in a row
    columns, bands = _layout(len(before), width, WIDTH - left)
    titles, title_height = _fit_titles(titles, width)

    # Original and reconstruction stand a little apart: the eye compares the one with the other.
    half = len(stages) // 2
    tops = [title_height + row * (height + GAP) + row // half * GAP for row in range(2 * half)]
    pitch = tops[-1] + height + 4 * GAP
    figure = new_figure(left + columns * (width + GAP), bands * pitch - 2 * GAP)
    for i in range(len(before)):
        band, column = divmod(i, columns)
        x = left + column * (width + GAP)
        for row, (label, pictures) in enumerate(stages):
            ax = add_tile(figure, x, GAP + band * pitch + tops[row], width, height)
            show_image(ax, pictures[i])
            if column == 0:
                ax.set_ylabel(label, rotation=0, ha="right", va="center")
            if titles and row == 0:
                ax.set_title(titles[i], fontsize=TITLE, pad=2.5)
    return figure


@house_style
def plot_random_samples(images: Pictures, vectors: Pictures) -> Figure:
    """Each decoded picture beside the latent vector it was decoded from.

    Parameters
    ----------
    images
        (n, c, h, w), in [0, 1].
    vectors
        (n, latent_dim). Neurons are listed downwards, then in further columns.

    Raises
    ------
    ShapeError
        The shapes are not as above, or the two lengths differ.
    DataError
        Pixels outside [0, 1].
    """
    pictures, latents = as_pictures(images, "images"), to_array(vectors)
    if latents.ndim != 2 or len(latents) != len(pictures) or latents.shape[1] < 1:
        raise ShapeError(
            f"vectors must be ({len(pictures)}, latent_dim), one per image; got {latents.shape}."
        )
    dim = latents.shape[1]
    size = 7.5 if dim <= 20 else 6.0
    # Of DejaVu Sans Mono, inches: hinting and older matplotlibs make it as large as this.
    character, line = 0.63 * size / 72, 1.4 * size / 72
    width, height = tile_size(pictures, 1.47, WIDTH / 2)  # ten lines high

    entries = _entries(latents)
    pitch = len(entries[0][0]) + 3  # characters from one column of the text to the next
    # As many lines as the picture is high; more only where the page is not wide enough.
    room = int((WIDTH - width - 4 * GAP) / character) // pitch
    lines = max(1, min(dim, int(height / line)), math.ceil(dim / room))
    text_columns = math.ceil(dim / lines)
    lines = math.ceil(dim / text_columns)
    cell_width = width + 2 * GAP + (text_columns * pitch + 1) * character
    cell_height = max(height, lines * line) + 3 * GAP
    columns, rows = _layout(len(pictures), cell_width - GAP, WIDTH)

    figure = new_figure(columns * cell_width + GAP, rows * cell_height)
    figure_width, figure_height = figure.get_size_inches()
    for i, picture in enumerate(pictures):
        row, column = divmod(i, columns)
        x, y = GAP + column * cell_width, 1.5 * GAP + row * cell_height
        show_image(add_tile(figure, x, y, width, height), picture)
        figure.text(
            (x + width + 2 * GAP) / figure_width,
            1 - y / figure_height,
            "\n".join("   ".join(entries[i][start::lines]) for start in range(lines)),
            family="DejaVu Sans Mono",
            fontsize=size,
            linespacing=1.2,
            va="top",
        )
    return figure


def _entries(latents: NDArray[Any]) -> list[list[str]]:
    """``z0  -0.53`` for every value, all of one length; (n, latent_dim) strings."""
    style = "z.2f" if np.abs(latents).max(initial=0, where=np.isfinite(latents)) < 1e4 else "z.2e"
    numbers = [[format(float(value), style) for value in row] for row in latents]
    value_width = max(5, *(len(number) for row in numbers for number in row))
    name_width = len(f"z{latents.shape[1] - 1}")
    return [
        [f"{f'z{j}':<{name_width}}  {number:>{value_width}}" for j, number in enumerate(row)]
        for row in numbers
    ]


def _layout(n: int, width: float, page: float = WIDTH) -> tuple[int, int]:
    """(columns, rows) of ``n`` tiles of ``width`` inches: fewest rows, then fewest columns."""
    rows = math.ceil(n / max(1, int(page / (width + GAP))))
    return math.ceil(n / rows), rows


def _fit_titles(titles: Sequence[str] | None, width: float) -> tuple[list[str] | None, float]:
    """Titles shortened to a tile of ``width`` inches, and the height they need."""
    if titles is None:
        return None, 0.0
    fitted = [fit_text(str(title), width, TITLE) for title in titles]
    return fitted, LINE * max(title.count("\n") + 1 for title in fitted) + 0.04
