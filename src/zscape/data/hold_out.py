"""Which images of a set without a test split are its test images: the one place that decides."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from zscape.data.imageset import ImageSet, Splits
from zscape.data.mapped import parts_of
from zscape.data.roles import split_of
from zscape.errors import DataError
from zscape.seeding import derive

SHARE = 1 / 6
"""Of the images, on average, that are held out."""

_log = logging.getLogger(__name__)


def hold_out(images: ImageSet, seed: int, column: str | None = None) -> Splits:
    """About a sixth of ``images`` as a test split.

    Every image draws its lot from its own pixels and the seed, so that it stays where it is when
    others come or go, and copies of it stay together. Only where that leaves a class of two or
    more images without a test image, or with nothing else, does one image of it change sides.

    Parameters
    ----------
    column
        All images with one value of it go to one side, those of a patient say; an image without a
        value stands for itself. If its values are names of splits (train, validation, test …),
        they say which side that is.

    Raises
    ------
    DataError
        There is a single image; or a single value of ``column``, or no such column.
    """
    n = len(images)
    if n < 2:
        raise DataError(
            f"{images.name} has a single image; two are needed, to train on one and test on the "
            f"other."
        )
    if column is not None:
        return _by_column(images, column, seed)
    lots = _lots(_pixels(images), seed)
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
    return _parted(images, is_test)


def _by_column(images: ImageSet, column: str, seed: int) -> Splits:
    if images.columns is None:
        raise DataError(f"{images.name} has no columns, so it cannot be split by {column!r}.")
    codes, names = images.columns.classes(column, most=None)
    if len(names) < 2:
        raise DataError(
            f"{images.name} has a single value of {column!r}; two are needed to split by it."
        )
    splits = [split_of(name) for name in names]
    if all(splits) and (codes >= 0).all():
        # As of folders: val is the test split only where there is no other.
        sides = np.array(splits)[codes]
        if {"test", "val"} <= set(splits):
            _log.warning("%s: left out: %d images whose %s is val.", images.name,
                         (sides == "val").sum(), column)  # fmt: skip
            images, sides = images[np.flatnonzero(sides != "val").tolist()], sides[sides != "val"]
        return _parted(images, sides != "train")
    drawn = _lots([name.encode() for name in names], seed)
    is_test = drawn < SHARE
    is_test[drawn.argmin()], is_test[drawn.argmax()] = True, False
    return _parted(
        images, np.where(codes < 0, _lots(_pixels(images), seed) < SHARE, is_test[codes])
    )


def _pixels(images: ImageSet) -> Iterator[NDArray[np.uint8]]:
    """Every image as (c h w,)."""
    for part in parts_of(images.images):
        yield from part.cpu().contiguous().flatten(1).numpy()


def _parted(images: ImageSet, is_test: NDArray[np.bool_]) -> Splits:
    _log.info("%s has no test split: held out %d of its %d images.", images.name, is_test.sum(),
              len(images))  # fmt: skip
    test = torch.from_numpy(is_test)
    found = Splits(replace(images[~test], split="train"), replace(images[test], split="test"))
    counts = found.train.class_counts()
    if unseen := [k for k, n in found.test.class_counts().items() if n and not counts[k]]:
        _log.warning("%s: no image to train on is of class %s.", images.name, ", ".join(unseen))
    return found


def _lots(things: Iterable[Any], seed: int) -> NDArray[np.float64]:
    """A number in [0, 1) for each of some bytes: the same for the same bytes and seed."""
    key = derive(seed, "hold-out").to_bytes(8, "big")
    digests = b"".join(hashlib.blake2b(each, digest_size=8, key=key).digest() for each in things)
    lots: NDArray[np.float64] = np.frombuffer(digests, ">u8") / 2.0**64
    return lots
