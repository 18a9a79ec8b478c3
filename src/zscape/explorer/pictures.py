"""The pictures of a scene: the originals, as large as there is room for, whole or in pages."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import torch.nn.functional as F
from numpy.typing import NDArray

from zscape.data import ImageSet
from zscape.data.mapped import empty, parts_of, release
from zscape.explorer.blocks import Blocks, pack_pages

ORIGINALS_BYTES = 48 * 2**20
"""Of all originals, unpacked: 10 000 grey ones of 64 pixels a side fit in whole. What is larger
all the same, being many, comes in pages."""
SMALLEST_SIDE = 32
"""Longer side, pixels, below which originals are never shrunk."""
MOSTLY = 0.75
"""Share of pixels near black or white from which 16 grey levels are enough."""
BATCH_SIZE = 250


def describe_pictures(
    images: ImageSet, near: NDArray[np.float32], blocks: Blocks
) -> dict[str, str]:
    """Keep all originals in a block, or in pages where they would be too many bytes at once.

    Parameters
    ----------
    near
        (n, 2): where those lie near each other that come in one page.

    Returns
    -------
    What ``points`` of the manifest says of them.
    """
    pictures, depth = originals(images)
    if pictures.size // (2 if depth == "u4" else 1) <= ORIGINALS_BYTES:
        return {"thumbnails": blocks.add("thumbnails", pictures, depth, codec="gzip")}
    order = _by_place(near)
    slots = np.empty(len(order), np.int32)
    slots[order] = np.arange(len(order))
    return {
        "thumbnails": blocks.put("thumbnails", pack_pages(pictures, depth, order)),
        "slots": blocks.add("slots", slots, "i32", codec="planes"),
    }


def originals(
    images: ImageSet, budget: int = ORIGINALS_BYTES
) -> tuple[NDArray[np.uint8], Literal["u4", "u8"]]:
    """Bytes (n, c, h, w) of the images, and what a block keeps of each.

    They have their own size as long as all fit into ``budget`` bytes, else a smaller one. Grey ones
    that are nearly black and white, as MNIST's, take half a byte a pixel.
    """
    channels, *sides = images.image_shape
    is_plain = channels == 1 and _share_of_plain(images) >= MOSTLY
    size = images.images.numel() // (2 if is_plain else 1)
    longer = min(max(sides), max(SMALLEST_SIDE, int(max(sides) * math.sqrt(budget / size))))
    depth: Literal["u4", "u8"] = "u4" if is_plain else "u8"
    if longer >= max(sides):
        return images.images.cpu().numpy(), depth
    small = [max(1, round(side * longer / max(sides))) for side in sides]
    pixels = empty((len(images), channels, *small), like=images.images)
    at = 0
    for x, _ in images.batches(BATCH_SIZE):
        made = F.interpolate(x, small, mode="bilinear", antialias=True).mul(255).round().byte()
        pixels[at : at + len(x)] = made.cpu().numpy()
        at += len(x)
        release(images.images, pixels)
    return pixels, depth


def _share_of_plain(images: ImageSet) -> float:
    """Of pixels that 16 grey levels keep nearly as they are, being black or white or almost."""
    n_plain = sum(int(((part < 8) | (part > 247)).sum()) for part in parts_of(images.images))
    return n_plain / images.images.numel()


def _by_place(coordinates: NDArray[np.float32]) -> NDArray[np.int64]:
    """Rows in an order in which neighbours of a map follow each other.

    Along a Z-shaped curve (Morton 1966) over a grid of 1024 by 1024.
    """
    low, high = coordinates.min(0), coordinates.max(0)
    cells = ((coordinates - low) / np.maximum(high - low, 1e-12) * 1023).astype(np.uint64)
    code = np.zeros(len(cells), np.uint64)
    for bit in range(10):
        for axis in (0, 1):
            code |= ((cells[:, axis] >> np.uint64(bit)) & np.uint64(1)) << np.uint64(2 * bit + axis)
    order: NDArray[np.int64] = np.argsort(code, kind="stable")
    return order
