"""HDF5, also MATLAB's ``.mat`` of version 7.3: no link, other file or plug-in is followed."""

from __future__ import annotations

import gzip
import math
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from zscape.config import DataConfig
from zscape.data.bounded import check_unfolding, reading, size_of
from zscape.data.mapped import empty, nameless, release, slices
from zscape.data.mat import find_variables
from zscape.data.named import Found
from zscape.data.tree import Readable, say_left_out
from zscape.errors import DataError, ZscapeError, needing

_SHUFFLE, _GZIP, _LZF, _FLETCHER32 = 2, 1, 32000, 3
_FILTERS = (_SHUFFLE, _GZIP, _LZF, _FLETCHER32)
"""How arrays may be packed, in the order in which libraries apply them."""
_MOST = 1000
"""Groups and arrays in a file."""
_CHUNK = 1 << 20


def read_hdf5(file: Readable, config: DataConfig) -> Found:
    """The arrays of an HDF5 file, those inside groups too, under names such as ``train/images``.

    Those of MATLAB have their axes in its order, and names such as ``train.images``.

    Raises
    ------
    MissingExtraError
        h5py is not installed.
    DataError
        The file is damaged, or holds no images; or an array is none of plain numbers or text of
        one length, lies in other files, is packed in an unusual way, or is a bomb.
    """
    with needing("hdf5", f"reading {file}"):
        import h5py
    with reading(file), file.open("rb") as raw, _unpacked(raw, file) as stream:
        size, is_matlab = size_of(stream), stream.read(10) == b"MATLAB 7.3"
        left_out: Counter[str] = Counter()
        try:
            # A stream rather than a name: the library itself opens nothing.
            with h5py.File(stream, "r") as opened:
                found = {
                    name.replace("/", ".") if is_matlab else name: dataset
                    for name, dataset in _datasets(opened, file, left_out)
                }
                say_left_out(file, left_out)
                return find_variables(
                    file, found, lambda x, where: _read(x, where, size, is_matlab), config,
                    is_matlab=is_matlab,
                )  # fmt: skip
        except ZscapeError:
            raise
        # h5py raises whatever a damaged file makes it stumble over.
        except Exception as error:
            text = (str(error).splitlines() or [type(error).__name__])[0]
            raise DataError(f"{file} could not be read as HDF5: {text.rstrip('.')}.") from error


@contextmanager
def _unpacked(stream: IO[bytes], where: object) -> Iterator[IO[bytes]]:
    """``stream``, or what it packs if it is a gzip, which cannot be read to and fro."""
    is_packed = stream.read(2) == b"\x1f\x8b"
    packed = size_of(stream)
    stream.seek(0)
    if not is_packed:
        yield stream
        return
    with gzip.open(stream) as content, nameless() as file:
        while chunk := content.read(_CHUNK):
            file.write(chunk)
            check_unfolding(file.tell(), packed, where)
        file.seek(0)
        yield file


def _datasets(opened: Any, where: object, left_out: Counter[str]) -> Iterator[tuple[str, Any]]:
    """Every array by its path, however it is linked to."""
    import h5py

    todo, seen = [("", opened)], set()
    while todo:
        prefix, group = todo.pop()
        for name in group:
            link = group.get(name, getlink=True)
            if name.startswith("#"):  # MATLAB's own
                continue
            if not isinstance(link, h5py.HardLink):
                left_out["link"] += 1
                continue
            item = group[name]
            if (place := h5py.h5o.get_info(item.id).addr) in seen:
                continue
            seen.add(place)
            if len(seen) > _MOST:
                raise DataError(
                    f"{where} holds more than {_MOST} arrays and groups; an image set is one array "
                    f"of all its images."
                )
            if isinstance(item, h5py.Group):
                todo.append((f"{prefix}{name}/", item))
            elif isinstance(item, h5py.Dataset):
                yield f"{prefix}{name}", item


def _read(dataset: Any, where: str, size: int, is_matlab: bool) -> NDArray[Any]:
    """All of an array in a file of ``size`` bytes, in memory or mapped."""
    from h5py import h5d, h5t

    layout = dataset.id.get_create_plist()
    # Before its shape is asked for, for which the library would look into the others.
    if layout.get_layout() == h5d.VIRTUAL or layout.get_external_count():
        raise DataError(f"{where} lies in other files, which are not opened; copy it into one.")
    kind = _text(dataset.attrs.get("MATLAB_class", b"")) if is_matlab else ""
    dtype, shape = dataset.dtype, dataset.shape
    is_plain = dtype.kind == "b" or dataset.id.get_type() == h5t.py_create(dtype)
    if dtype.kind not in "buifS" or kind == "char" or not (is_plain or dtype.kind == "S"):
        what = f"MATLAB's {kind}" if kind in ("cell", "char", "struct") else dtype
        raise DataError(
            f"{where} must be an array of numbers, or of text of one length; got {what}. What is "
            f"needed without it: --keys images=NAME."
        )
    if not shape or 0 in shape:
        raise DataError(f"{where} holds no samples: its shape is {shape}.")
    # Text takes four bytes a letter.
    promised = math.prod(shape) * dtype.itemsize * (4 if dtype.kind == "S" else 1)
    if dataset.chunks is None:
        check_unfolding(promised, min(size, dataset.id.get_storage_size()), where)
        array = empty(shape, dtype)
        for rows in slices(shape[0]):
            array[rows] = dataset[rows]
            release(array)
    else:
        array = _of_chunks(dataset, layout, where, size, promised)
    if kind == "logical":
        array = array.astype(bool)
    elif dtype.kind == "S":
        array = np.char.decode(array, "utf-8")
    return array.T if is_matlab else array


def _of_chunks(dataset: Any, layout: Any, where: str, size: int, promised: int) -> NDArray[Any]:
    """All of an array that is stored piece by piece, each perhaps packed."""
    dtype, shape, chunk = dataset.dtype, dataset.shape, dataset.chunks
    filters = [layout.get_filter(i)[0] for i in range(layout.get_nfilters())]
    if filters != [known for known in _FILTERS if known in filters]:
        raise DataError(
            f"{where} is packed by filters {filters} of HDF5; gzip, shuffle, lzf and fletcher32 "
            f"are read: h5repack -f GZIP=1 makes one of them."
        )
    pieces: list[Any] = []
    dataset.id.chunk_iter(pieces.append)
    stored = min(size, sum(piece.size for piece in pieces))
    n = math.prod(chunk) * dtype.itemsize
    check_unfolding(max(promised, n), stored, where)
    array = empty(shape, dtype)
    if len(pieces) < math.prod(-(-a // b) for a, b in zip(shape, chunk, strict=True)):
        array[...] = dataset.fillvalue  # what was never written
    done = 0
    for piece in pieces:
        at = tuple(
            slice(start, min(start + length, end))
            for start, length, end in zip(piece.chunk_offset, chunk, shape, strict=True)
        )
        if _GZIP in filters:
            if piece.size > size:
                raise DataError(f"{where} is damaged: a piece is longer than the file.")
            packed = dataset.id.read_direct_chunk(piece.chunk_offset)[1]
            used = [f for i, f in enumerate(filters) if not piece.filter_mask >> i & 1]
            data = _filtered(packed, used, n, dtype.itemsize, where)
            whole = np.frombuffer(data, "i1" if dtype.kind == "b" else dtype).reshape(chunk)
            array[at] = whole[tuple(slice(part.stop - part.start) for part in at)]
        else:
            array[at] = dataset[at]
        if (done := done + n) > _CHUNK << 6:
            release(array)
            done = 0
    return array


def _filtered(data: bytes, filters: list[int], n: int, itemsize: int, where: str) -> bytes:
    """The ``n`` bytes of a piece, by our own hand: the library would unfold without a bound."""
    if _FLETCHER32 in filters:
        data, told = data[:-4], int.from_bytes(data[-4:], "little")
        if told != _fletcher32(data):
            raise DataError(f"{where} is damaged: a checksum is wrong.")
    if _GZIP in filters:
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(data, n + 1)
    if len(data) != n:
        raise DataError(f"{where} is damaged: a piece of {n} bytes has {len(data)}.")
    if _SHUFFLE in filters:
        data = np.frombuffer(data, np.uint8).reshape(itemsize, -1).T.tobytes()
    return data


def _fletcher32(data: bytes) -> int:
    """HDF5's checksum: of 16-bit words, the sum and the sum of all sums so far, modulo 65535."""
    words = np.frombuffer(data + bytes(len(data) % 2), ">u2").astype(np.int64)
    # Products modulo 65535 first, so that no sum leaves 64 bits.
    weights = np.arange(len(words), 0, -1) % 65535
    return int((words * weights % 65535).sum() % 65535) << 16 | int(words.sum() % 65535)


def _text(value: Any) -> str:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)
