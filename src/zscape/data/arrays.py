"""Arrays of any usual layout and type, turned into an ``ImageSet`` or refused."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zscape.data.imageset import ImageSet, Splits
from zscape.errors import DataError

_log = logging.getLogger(__name__)


def from_arrays(
    where: str | Path,
    images: Any,
    labels: Any = None,
    test_images: Any = None,
    test_labels: Any = None,
    *,
    class_names: tuple[str, ...] | None = None,
) -> Splits | ImageSet:
    """Both splits of a source, or its only one if there are no ``test_images``.

    Parameters
    ----------
    where
        The source, as an error message should name it.
    images, test_images
        See ``as_images``.
    labels, test_labels
        (n,) integers or text; both or neither. Without ``class_names`` every distinct value of
        the two becomes a class named after it, numbers in numeric order before text.
    class_names
        If given, labels are integers that count along it.

    Raises
    ------
    DataError
        Images or labels are not of this kind or do not belong together.
    """
    if test_images is None and test_labels is not None:
        raise DataError(f"{where} has test labels but no test images.")
    if test_images is not None and (labels is None) != (test_labels is None):
        raise DataError(f"{where} must have labels for both its splits or for neither.")
    if class_names is not None and labels is None:
        raise DataError(f"{where} has class names but no labels.")

    given = {"train": (images, labels)}
    if test_images is not None:
        given["test"] = (test_images, test_labels)
    pictures = {split: as_images(pair[0], f"{where} ({split})") for split, pair in given.items()}
    values = {
        split: _as_labels(pair[1], len(pictures[split]), f"{where} ({split})")
        for split, pair in given.items()
        if pair[1] is not None
    }
    if class_names is None:
        values, class_names = _index_values(values)
    elif any(array.dtype.kind == "U" for array in values.values()):
        raise DataError(f"{where} has class names, so its labels must be integers; got text.")

    sets = [
        ImageSet(
            images=pictures[split],
            labels=torch.from_numpy(values[split].astype(np.int64)) if values else None,
            class_names=class_names,
            split=split,
            name=Path(where).absolute().name,
        )
        for split in given
    ]
    return Splits(*sets) if len(sets) == 2 else sets[0]


def as_images(array: Any, where: str | Path) -> Tensor:
    """Any usual array of pictures as (n, channels, height, width) uint8.

    Parameters
    ----------
    array
        NumPy array or tensor, (n, h, w), (n, c, h, w) or (n, h, w, c) with c 1 or 3; where both
        readings fit, channels come first. bool, integers in [0, 255] or floats in [0, 1].
    where
        The source, as an error message should name it.

    Raises
    ------
    DataError
        Another shape or type, no pictures, or a pixel that is outside its range or not finite.
    """
    pixels = _as_numpy(array, where)
    if pixels.ndim == 3:
        pixels = pixels[:, None]
    elif pixels.ndim == 4 and pixels.shape[1] not in (1, 3) and pixels.shape[3] in (1, 3):
        pixels = np.moveaxis(pixels, 3, 1)
    if pixels.ndim != 4 or pixels.shape[1] not in (1, 3):
        raise DataError(
            f"{where}: images must be (n, height, width), (n, channels, height, width) or "
            f"(n, height, width, channels) with 1 or 3 channels; got {np.shape(array)}."
        )
    if pixels.size == 0:
        raise DataError(f"{where}: there are no images; got an array of {np.shape(array)}.")
    return torch.from_numpy(np.ascontiguousarray(_as_bytes(pixels, where)))


def _as_numpy(array: Any, where: str | Path) -> NDArray[Any]:
    if not isinstance(array, Tensor):
        try:
            return np.asarray(array)
        except ValueError as error:
            raise DataError(f"{where} is not an array: {str(error).rstrip('.')}.") from error
    tensor = array.detach().cpu()
    if tensor.layout != torch.strided or tensor.is_quantized:
        raise DataError(f"{where}: a tensor must be dense; got {tensor.layout}, {tensor.dtype}.")
    # NumPy has no bfloat16.
    wide: NDArray[Any] = (tensor.float() if tensor.is_floating_point() else tensor).numpy()
    return wide


def _as_bytes(pixels: NDArray[Any], where: str | Path) -> NDArray[np.uint8]:
    kind = pixels.dtype.kind
    if kind not in "buif":
        raise DataError(
            f"{where}: pixels must be bool, integers in [0, 255] or floats in [0, 1]; "
            f"got {pixels.dtype}."
        )
    if kind == "b":
        return pixels.astype(np.uint8) * np.uint8(255)
    low, high = pixels.min(), pixels.max()
    limit = 1 if kind == "f" else 255
    # Written so that NaN, which min and max pass on, fails it too.
    if not (low >= 0 and high <= limit):
        raise DataError(
            f"{where}: {pixels.dtype} pixels must be finite and in [0, {limit}]; "
            f"got values from {low} to {high}."
        )
    if kind == "f":
        return np.rint(pixels * 255.0).astype(np.uint8)
    if high == 1:
        _log.warning(
            "%s: integer pixels of 0 and 1 only are nearly black (255 is white); "
            "give bool for black and white.",
            where,
        )
    return pixels.astype(np.uint8)


def _as_labels(labels: Any, n: int, where: str | Path) -> NDArray[Any]:
    array = _as_numpy(labels, where)
    if array.dtype.kind not in "buiU" or array.ndim != 1:
        raise DataError(
            f"{where}: labels must be integers or text of shape (n,); "
            f"got {array.dtype} {array.shape}."
        )
    if len(array) != n:
        raise DataError(f"{where}: {n} images need as many labels; got {len(array)}.")
    return array


def _index_values(
    values: dict[str, NDArray[Any]],
) -> tuple[dict[str, NDArray[Any]], tuple[str, ...]]:
    """Labels of any value as indices into the names of all values of all splits."""
    words = {split: array.tolist() for split, array in values.items()}
    names = sorted({str(word) for split in words.values() for word in set(split)}, key=_in_order)
    index = {name: i for i, name in enumerate(names)}
    indices = {
        split: np.array([index[str(word)] for word in array]) for split, array in words.items()
    }
    return indices, tuple(names)


def _in_order(name: str) -> tuple[int, int, str]:
    """Sort key: "2" before "10" before "cat"."""
    is_number = re.fullmatch(r"-?[0-9]{1,18}", name) is not None
    return (0, int(name), name) if is_number else (1, 0, name)
