"""Which images of a set without a test split are its test images: the one place that decides."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from zscape.data.imageset import ImageSet, Splits
from zscape.errors import DataError
from zscape.seeding import derive

SHARE = 1 / 6
"""Of the images, on average, that are held out."""

_log = logging.getLogger(__name__)


def hold_out(images: ImageSet, seed: int) -> Splits:
    """About a sixth of ``images`` as a test split.

    Every image draws its lot from its own pixels and the seed, so that it stays where it is when
    others come or go, and copies of it stay together. Only where that leaves a class of two or
    more images without a test image, or with nothing else, does one image of it change sides.

    Raises
    ------
    DataError
        There is a single image.
    """
    n = len(images)
    if n < 2:
        raise DataError(
            f"{images.name} has a single image; two are needed, to train on one and test on the "
            f"other."
        )
    lots = _lots(images, seed)
    is_test = lots < SHARE
    labels = np.zeros(n, int) if images.labels is None else images.labels.cpu().numpy()
    order = np.argsort(lots, kind="stable")
    # Class by class, the rows of each by rising lot.
    order = order[np.argsort(labels[order], kind="stable")]
    for rows in np.split(order, np.flatnonzero(np.diff(labels[order])) + 1):
        if len(rows) > 1:
            is_test[rows[0]], is_test[rows[-1]] = True, False
        else:
            is_test[rows[0]] = False
    if not is_test.any():  # every class has a single image
        is_test[lots.argmin()] = True
    _log.info("%s has no test split: held out %d of its %d images.", images.name, is_test.sum(), n)
    test = torch.from_numpy(is_test)
    return Splits(replace(images[~test], split="train"), replace(images[test], split="test"))


def _lots(images: ImageSet, seed: int) -> NDArray[np.float64]:
    """A number in [0, 1) for every image: the same for the same pixels and seed."""
    key = derive(seed, "hold-out").to_bytes(8, "big")
    rows = images.images.cpu().contiguous().flatten(1).numpy()
    digests = b"".join(hashlib.blake2b(row, digest_size=8, key=key).digest() for row in rows)
    lots: NDArray[np.float64] = np.frombuffer(digests, ">u8") / 2.0**64
    return lots
