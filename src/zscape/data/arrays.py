"""Arrays of any usual layout and type, turned into an ``ImageSet`` or refused."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zscape.config import DataConfig
from zscape.data.columns import Columns
from zscape.data.imageset import ImageSet, Splits
from zscape.data.mapped import empty, mapping_of, release, slices
from zscape.data.parts import check_told
from zscape.data.shown import MOST_CHANNELS
from zscape.errors import ConfigError, DataError
from zscape.words import counted

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Part:
    """One split as a reader found it.

    Parameters
    ----------
    images
        See ``as_images``.
    labels
        (n,) or (n, 1) integers or text, or None.
    columns
        What else is known, by name: (n,) each.
    """

    images: Any
    labels: Any = None
    columns: Mapping[str, Any] = field(default_factory=dict)


def from_arrays(
    where: str | Path,
    images: Any,
    labels: Any = None,
    test_images: Any = None,
    test_labels: Any = None,
    **known: Any,
) -> Splits | ImageSet:
    """``from_parts`` of up to four arrays."""
    if test_images is None and test_labels is not None:
        raise DataError(f"{where} has test labels but no test images.")
    parts = {"train": Part(images, labels)}
    if test_images is not None:
        parts["test"] = Part(test_images, test_labels)
    return from_parts(where, parts, **known)


def from_parts(
    where: str | Path,
    parts: Mapping[str, Part],
    *,
    class_names: tuple[str, ...] | None = None,
    kind: str = "",
    config: DataConfig | None = None,
) -> Splits | ImageSet:
    """Both splits of a source, or its only one if there is no part ``test``.

    Parameters
    ----------
    where
        The source, as an error message should name it.
    parts
        ``train`` and perhaps ``test``, which is left out if it alone has no labels. Without
        ``class_names`` every distinct label of the two becomes a class named after it, numbers in
        numeric order before text.
    class_names
        If given, labels are integers that count along it.
    kind
        What the source was recognised as, for a person to read.
    config
        ``shape``, ``transpose`` and ``range`` are heeded; see ``as_images``.

    Raises
    ------
    DataError
        Images or labels are not of this kind or do not belong together.
    """
    train, test = parts["train"], parts.get("test")
    if test is not None and train.labels is None and test.labels is not None:
        raise DataError(
            f"{where} has labels to test on but none to train on; give labels for both its splits "
            f"or for neither, or the one with labels alone."
        )
    if test is not None and train.labels is not None and test.labels is None:
        _log.warning(
            "%s: %s without labels left out; what is tested on is held out of the training images.",
            where, counted(len(test.images), "test image"),
        )  # fmt: skip
        parts, test = {"train": train}, None
    if class_names is not None and train.labels is None:
        raise DataError(f"{where} has class names but no labels.")

    config = config or DataConfig()
    pictures = {
        split: _as_pictures(part.images, f"{where} ({split})", config)
        for split, part in parts.items()
    }
    black, white = _range(list(pictures.values()), where, config)
    values = {
        split: _as_labels(part.labels, len(pictures[split]), f"{where} ({split})")
        for split, part in parts.items()
        if part.labels is not None
    }
    if class_names is None:
        values, class_names = _index_values(values)
    elif any(array.dtype.kind == "U" for array in values.values()):
        raise DataError(f"{where} has class names, so its labels must be integers; got text.")

    known = Columns.of_splits([part.columns for part in parts.values()])
    columns = dict(zip(parts, known, strict=True))
    sets = [
        ImageSet(
            images=torch.from_numpy(_as_bytes(pictures[split], black, white)),
            labels=torch.from_numpy(values[split].astype(np.int64)) if values else None,
            class_names=class_names,
            split=split,
            name=Path(where).absolute().name,
            kind=kind,
            columns=columns[split],
        )
        for split in parts
    ]
    return Splits(*sets) if len(sets) == 2 else sets[0]


def as_images(array: Any, where: str | Path, config: DataConfig | None = None) -> Tensor:
    """Any usual array of pictures as (n, channels, height, width) uint8.

    Parameters
    ----------
    array
        NumPy array or tensor, (n, h, w), (n, c, h, w) or (n, h, w, c) with c from 1 to 16. Where
        both readings fit, 1 or 3 go before others and then channels come first; of others the
        picture is rather a square. Or (n, side²) or (n, 3 side²), a row for a picture.
        bool, integers in [0, 255], uint16 (white is 65535, or 4095 if no pixel is brighter) or
        floats in [0, 1], up to half a grey level beyond.
    where
        The source, as an error message should name it.
    config
        ``shape`` and ``channels`` say the shape of a picture, ``transpose`` exchanges rows and
        columns, ``range`` says which values are black and white.

    Raises
    ------
    DataError
        Another shape or type, a shape that may be read in two ways, no pictures, or a pixel that is
        outside its range or not finite.
    """
    config = config or DataConfig()
    pixels = _as_pictures(array, where, config)
    return torch.from_numpy(_as_bytes(pixels, *_range([pixels], where, config)))


def _as_pictures(array: Any, where: str | Path, config: DataConfig) -> NDArray[Any]:
    """Numbers of shape (n, c, h, w)."""
    pixels = as_numpy(array, where)
    if pixels.dtype.kind not in "buif":
        raise DataError(
            f"{where}: pixels must be bool, integers in [0, 255] or floats in [0, 1]; "
            f"got {pixels.dtype}."
        )
    if pixels.size == 0:
        raise DataError(f"{where}: there are no images; got an array of {np.shape(array)}.")
    if config.shape is not None:
        pixels = _shaped(pixels, parse_shape(config.shape), where)
    elif pixels.ndim == 2:
        pixels = _shaped(
            pixels, _shape_of_row(len(pixels), pixels.shape[1], config.channels), where
        )
    if pixels.ndim == 3:
        pixels = pixels[:, None]
    elif pixels.ndim == 4 and config.shape is None:
        pixels = _channels_first(pixels, config.channels, where)
    if pixels.ndim != 4 or pixels.shape[1] > MOST_CHANNELS:
        raise DataError(
            f"{where}: images must be (n, height, width), (n, channels, height, width) or "
            f"(n, height, width, channels) with 1 to {MOST_CHANNELS} channels, or rows of "
            f"the pixels of a square; got {np.shape(array)}; say what a picture is, as in "
            f"--shape 28x28."
        )
    return pixels.swapaxes(2, 3) if config.transpose else pixels


def _channels_first(pixels: NDArray[Any], told: int | None, where: str | Path) -> NDArray[Any]:
    """(n, c, h, w) of that or (n, h, w, c); as it came if it is neither."""
    first, middle, last = pixels.shape[1:]
    for several in ((told,), (1, 3)):
        if first in several:
            return pixels
        if last in several:
            return np.moveaxis(pixels, 3, 1)
    many = range(2, MOST_CHANNELS + 1)
    if first not in many or last not in many:
        return np.moveaxis(pixels, 3, 1) if last in many else pixels
    # Small pictures of several channels: rather those that are squares.
    if (first == middle) == (middle == last):
        raise DataError(
            f"{where}: pictures of an array {pixels.shape} have {first} channels, or {last} if the "
            f"channels come last; say which: --shape CHANNELSxHEIGHTxWIDTH."
        )
    return np.moveaxis(pixels, 3, 1) if first == middle else pixels


def parse_shape(text: str) -> tuple[int, int, int]:
    """(channels, height, width) of ``28x28`` or ``3x32x32``."""
    match = re.fullmatch(r"(?:(\d{1,5})x)?(\d{1,5})x(\d{1,5})", text.lower().replace(" ", ""))
    if match is None or 0 in (sides := tuple(int(side or 1) for side in match.groups())):
        raise ConfigError(f"shape must be HEIGHTxWIDTH or CHANNELSxHEIGHTxWIDTH; got {text!r}.")
    channels, height, width = sides
    return channels, height, width


def _shaped(
    pixels: NDArray[Any], shape: tuple[int, int, int] | None, where: str | Path
) -> NDArray[Any]:
    """(n, c, h, w) of a given shape, from rows or any layout; as it came without a shape."""
    if shape is None:
        return pixels
    channels, height, width = shape
    if channels > MOST_CHANNELS:
        raise ConfigError(f"shape must have 1 to {MOST_CHANNELS} channels; got {channels}.")
    if pixels.ndim == 4 and pixels.shape[1:] == (height, width, channels) != shape:
        return np.moveaxis(pixels, 3, 1)
    fits = pixels.shape[1:] in (shape, (height, width) if channels == 1 else shape)
    if not fits and (pixels.ndim != 2 or pixels.shape[1] != math.prod(shape)):
        raise DataError(
            f"{where}: an array of {pixels.shape} does not hold pictures of "
            f"{channels} x {height} x {width} (channels, height, width)."
        )
    return pixels.reshape(-1, *shape)


def _shape_of_row(n: int, length: int, told: int | None) -> tuple[int, int, int] | None:
    """The square picture that a row of so many numbers is, if it can be one."""
    # Grey and RGB are made of each other: of them the number says what is wanted.
    for channels in (1, 3) if told in (None, 1, 3) else (told,):
        side = math.isqrt(length // channels)
        # As many rows as numbers in a row: that is rather one picture.
        if channels * side**2 == length and side > 1 and n != length:
            return channels, side, side
    return None


def as_numpy(array: Any, where: str | Path) -> NDArray[Any]:
    """An array, tensor or nested list as a NumPy array."""
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


def _range(pictures: list[NDArray[Any]], where: str | Path, config: DataConfig) -> tuple[Any, Any]:
    """The values that are black and white, in all splits of a set."""
    dtype = np.result_type(*pictures)
    if dtype.kind == "b" and config.range is None:
        return 0, 1
    lows, highs = zip(*map(_extremes, pictures), strict=True)
    low, high = min(lows), max(highs)
    # NaN, which min and max pass on, is not finite.
    if not (np.isfinite(low) and np.isfinite(high)):
        n, first = _not_finite(pictures)
        raise DataError(
            f"{where}: pixels must be finite; {n} images have others (NaN, infinity), the first is "
            f"image {first}. Give them a value, or leave those images out."
        )
    if config.range == "auto":
        check_told(where, "black and white are the darkest and brightest pixel", "--range LOW,HIGH")
    if config.range is not None:
        return _range_as_told(config.range, low, high, where)
    if dtype == np.uint16:
        check_told(where, "white of 16-bit pixels depends on the brightest", "--range LOW,HIGH")
    if dtype.kind == "f":
        limit, slack = 1, 0.5 / 255
    elif dtype == np.uint16 and high > 255:
        limit, slack = white_of(high), 0
        _log.warning(
            "%s: 16-bit pixels up to %d, so white is %d; --range 0,WHITE (range=) says otherwise.",
            where, high, limit,
        )  # fmt: skip
    else:
        limit, slack = 255, 0
    if low < -slack or high > limit + slack:
        raise DataError(
            f"{where}: {dtype} pixels must be finite and in [0, {limit}]; got values from {low} "
            f"to {high}; say which are black and white: --range LOW,HIGH or auto "
            f"(in Python range='LOW,HIGH')."
        )
    if dtype.kind in "ui" and high == 1:
        _log.warning(
            "%s: integer pixels of 0 and 1 only are nearly black (255 is white); "
            "give bool for black and white, or --range 0,1 (range='0,1').",
            where,
        )
    return 0, limit


def white_of(most: int) -> int:
    """What is white where 16 bits hold numbers up to ``most``: of microscopes 12 are used."""
    return 255 if most <= 255 else 4095 if most <= 4095 else 65535


def _not_finite(pictures: list[NDArray[Any]]) -> tuple[int, int]:
    """How many images have pixels that are not finite, and which is the first."""
    found: list[int] = []
    before = 0
    for pixels in pictures:
        for rows in slices(len(pixels)):
            is_finite = np.isfinite(pixels[rows]).reshape(len(pixels[rows]), -1).all(1)
            found += (before + rows.start + np.flatnonzero(~is_finite)).tolist()
            release(pixels)
        before += len(pixels)
    return len(found), found[0]


def _extremes(pixels: NDArray[Any]) -> tuple[Any, Any]:
    """The least and the greatest pixel; NaN if there is one."""
    found = []
    for rows in slices(len(pixels)):
        found.append((pixels[rows].min(), pixels[rows].max()))
        release(pixels)
    lows, highs = np.array(found, pixels.dtype).T
    return lows.min(), highs.max()


def _range_as_told(told: str, low: Any, high: Any, where: str | Path) -> tuple[float, float]:
    if told == "auto":
        if low == high:
            raise DataError(f"{where}: --range auto needs two values; every pixel is {low}.")
        _log.warning(
            "%s: black is %s and white is %s (--range %s,%s).", where, low, high, low, high
        )
        return low.item(), high.item()
    try:
        black, white = (float(value) for value in told.split(","))
    except ValueError:
        black = white = math.nan
    if not (math.isfinite(white - black) and black < white):
        raise ConfigError(f"range must be auto or LOW,HIGH with LOW < HIGH; got {told!r}.")
    if not (black <= low and high <= white):
        _log.warning(
            "%s: values from %s to %s are cut to [%s, %s].", where, low, high, black, white
        )
    return black, white


def _as_bytes(pixels: NDArray[Any], black: float, white: float) -> NDArray[np.uint8]:
    is_done = pixels.dtype == np.uint8 and (black, white) == (0, 255)
    if is_done and pixels.flags.c_contiguous and mapping_of(pixels) is not None:
        return pixels  # nobody else has it
    out = empty(pixels.shape, like=pixels)
    for rows in slices(len(pixels)):
        part = pixels[rows]
        if not is_done:
            part = np.rint((part.astype(np.float64) - black) * (255 / (white - black)))
            part = part.clip(0, 255)
        out[rows] = part  # a copy: the array may change later
        release(out, pixels)
    return out


def _as_labels(labels: Any, n: int, where: str | Path) -> NDArray[Any]:
    array = as_numpy(labels, where)
    if array.ndim > 1 and array.size == len(array):
        array = array.reshape(-1)
    if (
        array.dtype.kind == "f"
        and (np.abs(array) < 2**53).all()
        and (array == np.rint(array)).all()
    ):
        array = array.astype(np.int64)  # numbers of classes, as MATLAB keeps them
    if array.dtype.kind not in "buiU" or array.ndim != 1:
        raise DataError(
            f"{where}: labels must be integers or text of shape (n,); got {array.dtype} "
            f"{array.shape}; images alone (--keys images=NAME) can be read without."
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
