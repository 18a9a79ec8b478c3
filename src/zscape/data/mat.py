"""MATLAB's ``.mat`` of version 5, and how its variables become an image set in any version."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from zscape.config import DataConfig
from zscape.data.bounded import check_unfolding, size_of
from zscape.data.named import Found, find_named
from zscape.data.roles import Part
from zscape.data.shown import MOST_CHANNELS
from zscape.data.tree import Readable
from zscape.errors import DataError

_HEAD, _COMPRESSED, _PIECE = 128, 15, 1 << 20
_MOST_UNFOLDED = 50
"""Bytes per byte, see ``bounded.check_unfolding``; EMNIST has 3."""


def read_mat(file: Readable, config: DataConfig) -> Found:
    """The arrays of a ``.mat`` file, those inside structs too.

    See ``find_variables``.

    Raises
    ------
    DataError
        The file is damaged or of another version, or holds no images.
    """
    from scipy.io import loadmat  # which takes its time

    try:
        with file.open("rb") as stream:
            _check_unfolding(stream, file)
            stream.seek(0)
            arrays = dict(_flat(loadmat(stream)))
        if masks := [n for n, a in arrays.items() if a.dtype == np.uint8 and a.max(initial=0) <= 1]:
            # Logical arrays, which come as bytes unless all types are asked for.
            with file.open("rb") as stream:
                tops = sorted({name.partition(".")[0] for name in masks})
                typed = dict(_flat(loadmat(stream, mat_dtype=True, variable_names=tops)))
            arrays |= {name: array for name, array in typed.items() if array.dtype == bool}
    except DataError:
        raise
    # scipy raises whatever a damaged file makes it stumble over.
    except Exception as error:
        raise DataError(f"{file} could not be read as .mat version 5: {error}.") from error
    return find_variables(file, arrays, lambda array, where: array, config)


def find_variables(
    file: Readable,
    variables: Mapping[str, Any],
    read: Callable[[Any, str], NDArray[Any]],
    config: DataConfig,
    *,
    is_matlab: bool = True,
) -> Found:
    """The images and labels among ``variables``, of which ``read`` reads those that are needed.

    What all names have in common (EMNIST's ``dataset.``) does not count. MATLAB may count images
    along the last axis (SVHN).

    Parameters
    ----------
    read
        Is given a value of ``variables``, and how messages name it.
    """
    heads = {re.split("[./]", name)[0] for name in variables}
    if len(heads) == 1 and all(re.search("[./]", name) for name in variables):
        variables = {re.split("[./]", name, maxsplit=1)[1]: v for name, v in variables.items()}
    found = find_named(
        file, variables, lambda name: read(variables[name], f"{file}:{name}"), config
    )
    for split in ("train", "test") if is_matlab else ():
        found.arrays.update(_samples_first(split, found.arrays))
    return found


def _check_unfolding(stream: IO[bytes], where: object) -> None:
    """Raise ``DataError`` if what is packed is a bomb: scipy takes all there is, several times.

    MAT-File Format, version 5: after 128 bytes, elements of a type, a length and so many bytes.
    """
    size, total = size_of(stream), 0
    order = "<" if stream.read(_HEAD)[-2:] == b"IM" else ">"
    while len(tag := stream.read(8)) == 8:
        kind, n = struct.unpack(f"{order}II", tag)
        end = stream.tell() + n
        if kind == _COMPRESSED:
            for piece in _unpacked(stream, n):
                total += len(piece)
                check_unfolding(total, size, where, _MOST_UNFOLDED)
        stream.seek(end)


def _unpacked(stream: IO[bytes], n: int) -> Iterator[bytes]:
    """What the next ``n`` bytes of zlib hold, a piece at a time; up to where they are damaged."""
    unpacker, packed = zlib.decompressobj(), b""
    with suppress(zlib.error):  # scipy will say so
        while packed or n > 0:
            if not packed:
                packed = stream.read(min(n, _PIECE))
                n = n - len(packed) if packed else 0
            yield unpacker.decompress(packed, _PIECE)
            packed = unpacker.unconsumed_tail


def _samples_first(split: str, arrays: dict[Part, NDArray[Any]]) -> dict[Part, NDArray[Any]]:
    """One split's arrays with the axis that counts the images in front, and labels as (n,)."""
    images, labels = arrays.get((split, "images")), arrays.get((split, "labels"))
    if images is None:
        return {}
    if labels is None:
        is_last = images.ndim == 4 and _counts_channels(images.shape)
        return {(split, "images"): np.moveaxis(images, -1, 0) if is_last else images}
    labels = labels.ravel() if 1 in labels.shape else labels
    if images.shape[-1] == len(labels) != images.shape[0]:
        images = np.moveaxis(images, -1, 0)
    return {(split, "images"): images, (split, "labels"): labels}


def _counts_channels(shape: tuple[int, ...]) -> bool:
    """Whether the third axis counts the channels, so that the last counts the images."""
    if shape[2] in (1, 3):
        return shape[3] not in (1, 3)
    return 1 < shape[2] <= MOST_CHANNELS < min(shape[0], shape[1], shape[3])


def _flat(value: Any, name: str = "") -> list[tuple[str, NDArray[Any]]]:
    """Arrays of numbers or text by their dotted names."""
    if isinstance(value, dict):
        inner = {key: value[key] for key in value if not key.startswith("__")}
    elif isinstance(value, np.ndarray) and value.dtype.names and value.size == 1:
        inner = {key: value[key].item() for key in value.dtype.names}
    elif isinstance(value, np.ndarray) and value.dtype.kind in "buifU":
        return [(name, value)]
    else:
        return []
    dot = "." if name else ""
    return [pair for key, item in inner.items() for pair in _flat(item, f"{name}{dot}{key}")]
