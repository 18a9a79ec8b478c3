"""Drawings whose factors are known, after dSprites: three shapes, turned, scaled and moved.

Matthey, Higgins, Hassabis & Lerchner 2017, https://github.com/google-deepmind/dsprites-dataset
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from zscape.config import DataConfig
from zscape.data.columns import Columns
from zscape.data.containers import say_unheeded
from zscape.data.imageset import ImageSet, Splits
from zscape.data.sources import register_source
from zscape.errors import DataError
from zscape.seeding import numpy_generator

SIDE = 64
SHAPES = ("square", "ellipse", "heart")
SCALES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
N_ROTATIONS = 40
N_PLACES = 32
"""Along each side, a pixel apart."""
COUNTS = (len(SHAPES), len(SCALES), N_ROTATIONS, N_PLACES, N_PLACES)
N_TRAIN = 60_000
N_ALL = int(np.prod(COUNTS))

_PATCH = SIDE - N_PLACES + 1  # a sprite fits into it whichever way it is turned
_FINE = 8  # samples along each side of a pixel
_PER_TEST = 6  # training images for each test image, as in MNIST


def _is_sprites(source: Any) -> bool:
    return isinstance(source, str) and source.partition(":")[0] == "sprites"


@register_source("sprites", claims=_is_sprites)
def read_sprites(source: str, config: DataConfig) -> Splits:
    """The ``source`` ``"sprites"``, or ``"sprites:N"``: N training, a sixth as many test images.

    Every picture is one of the 737 280 that differ in a factor; none comes twice, and none is in
    both splits. The factors are the columns, and the shape is the class:

    - ``shape``: square, ellipse or heart;
    - ``scale``: 0.5, 0.6, … 1;
    - ``rotation``: 0, 9, … 351 degrees, counter-clockwise. A square is the same after 90, an
      ellipse after 180, and a picture cannot tell the two;
    - ``x``, ``y``: in 32 steps from 0 (left, top) to 1.

    The pictures of fewer are the first of those of more, but for the test images, which begin at
    the other end.

    Raises
    ------
    DataError
        Not a number, or not one from 6 to 600 000.
    """
    _, colon, text = source.partition(":")
    n_train = (int(text) if text.isdecimal() and len(text) < 7 else 0) if colon else N_TRAIN
    if not _PER_TEST <= n_train <= 600_000:
        raise DataError(f"sprites:N takes from 6 to 600000 training images; got {source!r}.")
    say_unheeded("sprites", config)
    order = numpy_generator(0, "sprites").permutation(N_ALL)
    n_test = n_train // _PER_TEST
    return Splits(_drawn(order[:n_train], "train"), _drawn(order[::-1][:n_test], "test"))


def _drawn(numbers: NDArray[np.int64], split: str) -> ImageSet:
    """The pictures of some of the combinations, which are numbered as ``COUNTS`` says."""
    shape, scale, turn, x, y = np.unravel_index(numbers, COUNTS)
    patches = _patches()
    images = np.zeros((len(numbers), 1, SIDE, SIDE), np.uint8)
    for image, i, j, k, left, top in zip(images, shape, scale, turn, x, y, strict=True):
        image[0, top : top + _PATCH, left : left + _PATCH] = patches[i, j, k]
    columns: dict[str, Any] = {
        "shape": [SHAPES[i] for i in shape],
        "scale": np.array(SCALES)[scale],
        "rotation": turn * (360 // N_ROTATIONS),
        "x": x / (N_PLACES - 1),
        "y": y / (N_PLACES - 1),
    }
    return ImageSet(
        torch.from_numpy(images),
        torch.from_numpy(shape.astype(np.int64)),
        SHAPES,
        split=split,
        name="sprites",
        kind=f"drawings of {len(SHAPES)} shapes, whose factors are the columns",
        columns=Columns.of(columns),
    )


@cache
def _patches() -> NDArray[np.uint8]:
    """(shape, scale, rotation, _PATCH, _PATCH): every sprite by itself, in grey levels."""
    n = _PATCH * _FINE
    across = (np.arange(n) + 0.5) / _FINE - _PATCH / 2  # pixels from the middle
    right, up = np.meshgrid(across, -across)
    patches = np.empty((*COUNTS[:3], _PATCH, _PATCH), np.uint8)
    for k, angle in enumerate(np.arange(N_ROTATIONS) * 2 * np.pi / N_ROTATIONS):
        # Turning the picture is turning the axes the other way.
        a = np.cos(angle) * right + np.sin(angle) * up
        b = np.cos(angle) * up - np.sin(angle) * right
        for j, scale in enumerate(SCALES):
            for i, inside in enumerate(_shapes(a / scale, b / scale)):
                share = inside.reshape(_PATCH, _FINE, _PATCH, _FINE).mean((1, 3))
                patches[i, j, k] = np.round(255 * share)
    return patches


def _shapes(a: NDArray[Any], b: NDArray[Any]) -> tuple[NDArray[np.bool_], ...]:
    """Which points of the plane, in pixels at scale 1, are inside each of ``SHAPES``."""
    square = np.maximum(abs(a), abs(b)) < 10.9
    ellipse = (a / 8) ** 2 + (b / 15.5) ** 2 < 1
    u, v = a / 11.5, b / 11.5 + 0.12
    heart = (u**2 + v**2 - 1) ** 3 < u**2 * v**3
    return square, ellipse, heart
