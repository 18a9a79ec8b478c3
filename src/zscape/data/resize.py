"""Making pictures square and of one size; only ever on request."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from PIL import Image, ImageOps

from zscape.data.imageset import ImageSet


def fit_square(picture: Image.Image, side: int) -> Image.Image:
    """Scale the shorter side to ``side`` pixels (bicubic, antialiased) and crop the centre."""
    return ImageOps.fit(picture, (side, side), Image.Resampling.BICUBIC)


def resized(images: ImageSet, side: int) -> ImageSet:
    """The set with every image scaled and centre-cropped to ``side`` x ``side`` pixels."""
    channels, height, width = images.image_shape
    if (height, width) == (side, side):
        return images
    pixels = images.images.movedim(1, 3).numpy()
    out = np.empty((len(images), side, side, channels), np.uint8)
    for i, picture in enumerate(pixels):
        square = fit_square(Image.fromarray(picture[..., 0] if channels == 1 else picture), side)
        out[i] = np.asarray(square).reshape(side, side, channels)
    return replace(images, images=torch.from_numpy(out).movedim(3, 1).contiguous())
