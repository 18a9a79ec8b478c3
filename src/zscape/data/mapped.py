"""Pixels that live in a file and are mapped into memory, where they are too many to be kept in it.

A page of a mapped file counts as resident once it was touched. ``release`` gives pages back: they
stay in the system's page cache, as long as nothing else needs the room.
"""

from __future__ import annotations

import math
import mmap
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import IO, Any
from weakref import WeakValueDictionary

import numpy as np
import torch
from numpy.typing import DTypeLike, NDArray
from torch import Tensor

from zscape.cache import cache_folder
from zscape.errors import ConfigError
from zscape.files import make_folder, writing

CHUNK = 1024
"""Images at a time, wherever all of a set are gone through."""

_SCATTERED = 64
"""Images at a time where they lie anywhere: a system may map 2 MB of the file for each."""

_PART = 64 << 20
"""Bytes from which a part of a mapped set is mapped too."""
_BLOCK = 1 << 30

_maps: WeakValueDictionary[int, mmap.mmap] = WeakValueDictionary()
_is_forbidden = ContextVar("is_forbidden", default=False)


@contextmanager
def in_memory() -> Iterator[None]:
    """Inside, everything is kept in memory, however large it is."""
    token = _is_forbidden.set(True)
    try:
        yield
    finally:
        _is_forbidden.reset(token)


def free_memory() -> int:
    """Bytes that can be taken without anything being pushed out; an estimate."""
    try:
        found = re.search(r"MemAvailable:\s*(\d+)", Path("/proc/meminfo").read_text())
        free = 1024 * int(found[1]) if found else 0
    except OSError:
        free = 0
    with suppress(AttributeError, ValueError, OSError):  # Windows has no sysconf
        free = free or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    with suppress(OSError, ValueError):  # "max"
        free = min(free, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return free or 4 << 30


def limit(like: Any = None) -> float:
    """Bytes up to which pixels stay in memory; those of a part of ``like`` if that is given."""
    if _is_forbidden.get():
        return math.inf
    return free_memory() / 4 if like is None or mapping_of(like) is None else _PART


def empty(shape: tuple[int, ...], dtype: DTypeLike = np.uint8, like: Any = None) -> NDArray[Any]:
    """An array to fill: in memory, or beyond ``limit`` in a mapped file that has no name.

    Raises
    ------
    ConfigError
        The file cannot be made: the disk is full, the cache folder may not be written.
    """
    n = math.prod(shape) * np.dtype(dtype).itemsize
    if n <= limit(like):
        return np.empty(shape, dtype)
    with nameless(n) as file:
        return view_of(file, mmap.ACCESS_WRITE).view(dtype).reshape(shape)


@contextmanager
def nameless(n: int = 0) -> Iterator[IO[bytes]]:
    """A file of ``n`` bytes that goes when nothing uses it any more, even if the process dies."""
    folder = cache_folder()
    make_folder(folder)
    if (free := shutil.disk_usage(folder).free) < n:
        raise ConfigError(
            f"{folder} has room for {in_bytes(free)}, but {in_bytes(n)} of pixels are too many to "
            f"keep in memory; make room, choose another folder (ZSCAPE_CACHE), or try --no-cache."
        )
    with writing(folder), tempfile.TemporaryFile(dir=folder) as file:
        if n and hasattr(os, "posix_fallocate"):  # or a full disk would kill the process later
            os.posix_fallocate(file.fileno(), 0, n)
        else:
            file.truncate(n)
        yield file


def spilled(chunks: Iterator[bytes]) -> NDArray[np.uint8]:
    """Bytes that come piece by piece, in a mapped file."""
    with nameless() as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        return view_of(file, mmap.ACCESS_WRITE) if file.tell() else np.empty(0, np.uint8)


def view_of(file: IO[bytes], access: int = mmap.ACCESS_COPY) -> NDArray[np.uint8]:
    """All bytes of an open file, mapped; by default the file stays as it is if they are changed."""
    mapping = mmap.mmap(file.fileno(), 0, access=access)
    view = np.frombuffer(mapping, np.uint8)
    _maps[view.ctypes.data] = mapping
    return view


def mapping_of(pixels: Any) -> mmap.mmap | None:
    """The mapped file that an array or tensor lies in, or None."""
    if isinstance(pixels, Tensor):
        if pixels.device.type != "cpu":
            return None
        address = pixels.data_ptr()
    else:
        address = pixels.ctypes.data
    for start, mapping in list(_maps.items()):
        if start <= address < start + len(mapping):
            return mapping
    return None


def release(*several: Any) -> None:
    """Give back the memory of arrays and tensors that are mapped; what is in them stays."""
    for pixels in several:
        mapping = mapping_of(pixels)
        if mapping is not None and hasattr(mmap, "MADV_DONTNEED"):
            mapping.madvise(mmap.MADV_DONTNEED)


def slices(n: int, step: int = CHUNK) -> Iterator[slice]:
    """0 to n - 1 in parts of ``step``."""
    return (slice(start, min(n, start + step)) for start in range(0, n, step))


def parts_of(images: Tensor) -> Iterator[Tensor]:
    """All of ``images`` in parts of ``CHUNK``, of which one at a time takes memory."""
    for rows in slices(len(images)):
        yield images[rows]
        release(images)


def rows_of(images: Tensor, index: Any) -> Tensor:
    """``images[index]``; a large part of a mapped set is mapped as well."""
    if mapping_of(images) is None or isinstance(index, slice):
        return images[index]
    index = torch.as_tensor(index)
    index = index.nonzero()[:, 0] if index.dtype == torch.bool else index
    found = empty((len(index), *images.shape[1:]), like=images)
    for rows in slices(len(index), _SCATTERED):
        # By NumPy, in one thread: the others belong to what computes beside it.
        found[rows] = images.numpy().take(index[rows].numpy(), 0)
        release(images, found)
    return torch.from_numpy(found)


class Spool:
    """Arrays that are put away one by one: in memory up to ``limit``, then in mapped files."""

    def __init__(self) -> None:
        self.size = 0
        self._limit = limit()
        self._block: NDArray[np.uint8] = np.empty(0, np.uint8)
        self._used = self._touched = 0

    def put(self, array: NDArray[Any]) -> NDArray[Any]:
        """The same array, wherever it is kept from now on."""
        n = array.nbytes
        self.size += n
        if self.size <= self._limit:
            return array
        if self._used + n > len(self._block):
            with nameless(max(n, min(self.size, _BLOCK))) as file:
                self._block, self._used = view_of(file, mmap.ACCESS_WRITE), 0
        kept = self._block[self._used : self._used + n].view(array.dtype).reshape(array.shape)
        kept[...] = array
        self._used += -(-n // 8) * 8
        self._touched += n
        if self._touched > _PART:
            release(self._block)
            self._touched = 0
        return kept


def in_bytes(n: float) -> str:
    """A size as a person reads it: ``819 MB``."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if n < 1000 or unit == "GB":
            break
        n /= 1000
    return f"{n:.3g} {unit}"
