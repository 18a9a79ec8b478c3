"""``.npy`` and ``.npz``, read without believing their headers and without ever unpickling."""

from __future__ import annotations

import io
import math
import zipfile
from pathlib import Path, PureWindowsPath
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from zscape.data.arrays import from_arrays
from zscape.data.bounded import read_exactly, reading
from zscape.data.imageset import ImageSet, Splits
from zscape.errors import DataError

_ARRAYS = ("images", "labels", "test_images", "test_labels", "class_names")
_HEADER_LIMIT = 10_000
_HEADER_READERS = {
    (1, 0): npy_format.read_array_header_1_0,
    (2, 0): npy_format.read_array_header_2_0,
}


def read_npy(file: Path) -> Splits | ImageSet:
    """The images of an ``.npy`` file; shapes and types as ``arrays.as_images`` takes them.

    Raises
    ------
    DataError
        The file is missing, not ``.npy``, pickled, longer or shorter than its header says, or
        holds something that is not images.
    """
    with reading(file), file.open("rb") as stream:
        array = read_array(stream, str(file))
    return from_arrays(file, array)


def read_npz(file: Path) -> Splits | ImageSet:
    """An ``.npz`` archive with ``images`` and, all optional, the rest.

    That is ``labels``, ``test_images``, ``test_labels`` and ``class_names`` (text, in the order
    of the labels). Other arrays are left unread.

    Raises
    ------
    DataError
        As ``read_npy``; or the archive is damaged, names a member outside itself, or lacks
        ``images``.
    """
    with reading(file), zipfile.ZipFile(file) as archive:
        members = {info.filename: info for info in archive.infolist()}
        for name in members:
            # Windows' rules know both kinds of slash, and drives.
            path = PureWindowsPath(name)
            if path.anchor or ".." in path.parts:
                raise DataError(f"{file} is refused: its member {name!r} lies outside the archive.")
        if "images.npy" not in members:
            have = ", ".join(sorted(name.removesuffix(".npy") for name in members)) or "nothing"
            raise DataError(f"{file} must hold an array named images; got {have}.")
        arrays = {
            name: read_member(archive, members[f"{name}.npy"], f"{file}:{name}")
            for name in _ARRAYS
            if f"{name}.npy" in members
        }
    names = arrays.pop("class_names", None)
    if names is not None and (names.dtype.kind != "U" or names.ndim != 1):
        raise DataError(f"{file}: class_names must be text (k,); got {names.dtype} {names.shape}.")
    return from_arrays(file, **arrays, class_names=None if names is None else tuple(names.tolist()))


def read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str) -> NDArray[Any]:
    """One array of an ``.npz``; see ``read_array``. ``where`` names it in messages."""
    # The other methods of zip are unpacked without a bound.
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(f"{where} must be stored or deflated, as NumPy writes it.")
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
    if dtype.kind not in "buifU" or min(shape, default=0) < 0:
        raise DataError(f"{where} must hold numbers or text; got {dtype} of shape {shape}.")
    # A zip member that is sought no longer checks its CRC, so what was read ahead is passed on.
    data = read_exactly(stream, math.prod(shape) * dtype.itemsize, where, start=head.read())
    if not data:
        raise DataError(f"{where} holds no samples: its shape is {shape}.")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if is_fortran else "C")
