"""``.npy`` and ``.npz``, read without believing their headers and without ever unpickling."""

from __future__ import annotations

import io
import math
import zipfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PureWindowsPath
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from zscape.config import DataConfig
from zscape.data.arrays import from_arrays
from zscape.data.bounded import read_exactly, reading
from zscape.data.imageset import ImageSet, Splits
from zscape.data.roles import Part, choose, role_of
from zscape.data.tree import say_left_out
from zscape.errors import DataError

_HEADER_LIMIT = 10_000
_HEADER_READERS = {
    (1, 0): npy_format.read_array_header_1_0,
    (2, 0): npy_format.read_array_header_2_0,
}


def read_npy(file: Path, config: DataConfig) -> Splits | ImageSet:
    """The images of an ``.npy`` file, and the labels of a file beside it; see ``read_npz``.

    Raises
    ------
    DataError
        The file is missing, not ``.npy``, pickled, longer or shorter than its header says, or
        holds something that is not images.
    """
    return _with_files_beside(file, {("train", "images"): _read_lone(file)}, (), config)


def read_npz(file: Path, config: DataConfig) -> Splits | ImageSet:
    """An ``.npz`` archive with images and, all optional, labels and a test split.

    They are found by the words in their names (``images``, ``x_train``, ``test_labels``, …; see
    ``roles.choose``) or by ``config.keys``; ``class_names`` (text) are in the order of the
    labels. Where there is but one array, it is the images. Images without labels get them from a
    file beside theirs whose name differs in that word only (``k49-train-imgs.npz``,
    ``k49-train-labels.npz``), and training images get their test split likewise.

    Raises
    ------
    DataError
        As ``read_npy``; or the archive is damaged, names a member outside itself, or lacks
        images.
    """
    with reading(file), zipfile.ZipFile(file) as archive:
        members = _members(archive, file)
        chosen = choose([name for name in members if name != "class_names"], file, config.keys)
        arrays = {part: _read(archive, members, name, file) for part, name in chosen.items()}
        names = None
        if "class_names" in members:
            names = _read(archive, members, "class_names", file)
    left_out = Counter(f"array {name}" for name in members if name not in chosen.values())
    left_out.pop("array class_names", None)
    say_left_out(file, left_out)
    if names is not None and (names.dtype.kind != "U" or names.ndim != 1):
        raise DataError(f"{file}: class_names must be text (k,); got {names.dtype} {names.shape}.")
    class_names = None if names is None else tuple(names.tolist())
    if len(members) == 1:
        return _with_files_beside(file, arrays, chosen.values(), config)
    return _from_arrays(file, arrays, f"arrays {_listed(chosen.values())}", config, class_names)


def _with_files_beside(
    file: Path, arrays: dict[Part, NDArray[Any]], names: Iterable[str], config: DataConfig
) -> Splits | ImageSet:
    """What ``file`` alone holds, and the labels and the test split that lie beside it."""
    own = role_of(file.stem)
    kind = f"an array{''.join(f' {name}' for name in names)}"
    for other in sorted(file.parent.iterdir()):
        role = role_of(other.stem)
        is_same_set = role.about == own.about and other.suffix.lower() in (".npy", ".npz")
        if not is_same_set or role.kind is None or other == file:
            continue
        if role.split == own.split:
            part = ("train", role.kind)
        elif (own.split, role.split) == ("train", "test"):
            part = ("test", role.kind)
        else:
            continue
        if part not in arrays:
            arrays[part] = _read_lone(other)
            kind += f", {part[0]} {part[1]} from {other.name}"
    return _from_arrays(file, arrays, kind, config)


def _from_arrays(
    file: Path,
    arrays: dict[Part, NDArray[Any]],
    kind: str,
    config: DataConfig,
    class_names: tuple[str, ...] | None = None,
) -> Splits | ImageSet:
    ordered = (arrays.get((s, k)) for s in ("train", "test") for k in ("images", "labels"))
    return from_arrays(file, *ordered, class_names=class_names, kind=kind, config=config)


def _read_lone(file: Path) -> NDArray[Any]:
    """The array of an ``.npy`` file, or the only one of an ``.npz`` archive."""
    with reading(file), file.open("rb") as stream:
        if file.suffix.lower() == ".npy":
            return read_array(stream, str(file))
        with zipfile.ZipFile(stream) as archive:
            members = _members(archive, file)
            if len(members) != 1:
                raise DataError(f"{file} must hold one array; got {_listed(members)}.")
            return _read(archive, members, next(iter(members)), file)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"


def _members(archive: zipfile.ZipFile, file: Path) -> dict[str, zipfile.ZipInfo]:
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


def _read(
    archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], name: str, file: Path
) -> NDArray[Any]:
    return read_member(archive, members[name], f"{file}:{name}")


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
