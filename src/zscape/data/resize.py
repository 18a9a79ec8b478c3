"""Making pictures square and of one size; only ever on request."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from zscape.data.imageset import ImageSet
from zscape.errors import DataError
from zscape.words import counted

LUMA = (0.299, 0.587, 0.114)
"""How bright red, green and blue are (ITU-R BT.601)."""


def fit_square(picture: Image.Image, side: int, fit: str = "crop") -> Image.Image:
    """Scale to ``side`` x ``side`` pixels (bicubic, antialiased).

    ``fit``: ``crop`` scales the shorter side and crops the centre, ``pad`` scales the longer side
    and fills up with black or transparency, ``stretch`` scales each.
    """
    size, method = (side, side), Image.Resampling.BICUBIC
    if fit == "stretch":
        return picture.resize(size, method)
    if fit == "pad":
        return ImageOps.pad(picture, size, method)
    return ImageOps.fit(picture, size, method)


def resized(images: ImageSet, side: int, fit: str = "crop") -> ImageSet:
    """The set with every image made ``side`` x ``side`` pixels; see ``fit_square``."""
    channels, height, width = images.image_shape
    if (height, width) == (side, side):
        return images

    def change(part: Tensor) -> Tensor:
        out = np.empty((len(part) * channels, side, side), np.uint8)
        for i, plane in enumerate(part.flatten(0, 1).numpy()):
            out[i] = np.asarray(fit_square(Image.fromarray(plane), side, fit))
        return torch.from_numpy(out.reshape(len(part), channels, side, side))

    return images.changed(change)


def with_channels(images: ImageSet, channels: int) -> ImageSet:
    """Grey (luma) from RGB for 1, RGB of equal channels from grey for 3.

    Raises
    ------
    DataError
        Neither has been asked for, and the images have another number of channels.
    """
    found = images.image_shape[0]
    if found == channels:
        return images
    if {found, channels} != {1, 3}:
        raise DataError(
            f"{images.name}: the images have {counted(found, 'channel')}, not {channels}; only "
            "grey (1) and RGB (3) are made of each other."
        )
    if channels == 3:
        return images.changed(lambda part: part.expand(-1, 3, -1, -1))
    weights = torch.tensor(LUMA).view(1, 3, 1, 1)
    return images.changed(lambda part: (part * weights).sum(1, keepdim=True).round_().byte())
