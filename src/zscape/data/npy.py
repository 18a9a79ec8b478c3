"""``.npy`` and ``.npz``, read without believing their headers and without ever unpickling."""

from __future__ import annotations

import io
import math
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import PureWindowsPath
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from zscape.config import DataConfig
from zscape.data.bounded import check_unfolding, read_exactly, reading
from zscape.data.named import Found, find_named
from zscape.data.tree import Readable, say_left_out
from zscape.errors import DataError

_DSPRITES = ("latents_classes", "latents_values")
_FACTORS = ("color", "shape", "scale", "orientation", "x", "y")
_HEADER_LIMIT = 10_000
_HEADER_READERS = {
    (1, 0): npy_format.read_array_header_1_0,
    (2, 0): npy_format.read_array_header_2_0,
}


def read_npy(file: Readable, config: DataConfig) -> Found:
    """The array of an ``.npy`` file.

    Raises
    ------
    DataError
        The file is missing, not ``.npy``, pickled, longer or shorter than its header says, or
        holds something that is not numbers or text.
    """
    with reading(file), file.open("rb") as stream:
        return Found({("train", "images"): read_array(stream, str(file))}, is_lone=True)


def read_npz(file: Readable, config: DataConfig) -> Found:
    """The arrays of an ``.npz`` archive that make an image set; see ``named.find_named``.

    Raises
    ------
    DataError
        As ``read_npy``; or the archive is damaged, names a member outside itself, or lacks
        images.
    """
    with reading(file), file.open("rb") as stream, zipfile.ZipFile(stream) as archive:
        members = _members(archive, file)

        def get(name: str) -> NDArray[Any]:
            return read_member(archive, members[name], f"{file}:{name}")

        if config.keys is None and members.keys() >= {"imgs", *_DSPRITES}:
            return _dsprites(get, file, members)
        return find_named(file, members, get, config)


def _dsprites(get: Callable[[str], NDArray[Any]], file: Readable, names: Iterable[str]) -> Found:
    """DeepMind's dSprites: black and white, a class for the shape, a column for every factor."""
    classes, values = (get(name) for name in _DSPRITES)
    if classes.ndim != 2 or classes.shape != values.shape or classes.shape[1] != len(_FACTORS):
        raise DataError(f"{file}: latents must be (n, {len(_FACTORS)}); got {classes.shape}.")
    say_left_out(file, Counter(f"array {n}" for n in names if n not in ("imgs", *_DSPRITES)))
    arrays = {("train", "images"): get("imgs") != 0, ("train", "labels"): classes[:, 1]}
    columns = dict(zip(_FACTORS, values.T, strict=True))
    return Found(arrays, ("imgs", *_DSPRITES), False, ("square", "ellipse", "heart"), columns)


def _members(archive: zipfile.ZipFile, file: Readable) -> dict[str, zipfile.ZipInfo]:
    """The arrays of an ``.npz`` by name."""
    infos = archive.infolist()
    for info in infos:
        # Windows' rules know both kinds of slash, and drives.
        path = PureWindowsPath(info.filename)
        if path.anchor or ".." in path.parts:
            raise DataError(
                f"{file} is refused: its member {info.filename!r} lies outside the archive."
            )
    return {
        info.filename.removesuffix(".npy"): info for info in infos if info.filename.endswith(".npy")
    }


def read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str) -> NDArray[Any]:
    """One array of an ``.npz``; see ``read_array``. ``where`` names it in messages."""
    # The other methods of zip are unpacked without a bound.
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(f"{where} must be stored or deflated, as NumPy writes it.")
    check_unfolding(info.file_size, info.compress_size, where)
    with archive.open(info) as stream:
        return read_array(stream, where)


def read_array(stream: IO[bytes], where: str) -> NDArray[Any]:
    """The array in ``.npy`` format that ``stream`` holds, never unpickled.

    Raises
    ------
    DataError
        Damaged, holds Python objects, or not as long as its header promises; names ``where``.
    """
    head = io.BytesIO(stream.read(_HEADER_LIMIT))
    try:
        version = npy_format.read_magic(head)
        shape, is_fortran, dtype = _HEADER_READERS[version](head)
    # The header is a Python literal by a stranger; there is no end to how parsing it can fail.
    except Exception as error:
        raise DataError(f"{where} is not an .npy file that can be read: {error}.") from error
    if dtype.hasobject:
        raise DataError(
            f"{where} holds pickled objects, which are never read; save plain numbers instead."
        )
    if dtype.kind not in "buifUS" or min(shape, default=0) < 0:
        raise DataError(f"{where} must hold numbers or text; got {dtype} of shape {shape}.")
    # A zip member that is sought no longer checks its CRC, so what was read ahead is passed on.
    data = read_exactly(stream, math.prod(shape) * dtype.itemsize, where, start=head.read())
    if not len(data):
        raise DataError(f"{where} holds no samples: its shape is {shape}.")
    array = np.frombuffer(data, dtype).reshape(shape, order="F" if is_fortran else "C")
    if dtype.kind != "S":
        return array
    try:
        return np.char.decode(array, "utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{where} holds text that is not in UTF-8; save it so.") from error
