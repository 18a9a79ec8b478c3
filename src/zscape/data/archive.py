"""Zip and tar as trees of files, read without unpacking them to disk."""

from __future__ import annotations

import tarfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Literal

from zscape.data.bounded import check_unfolding, reading
from zscape.data.tree import Place, Readable, Tree, is_hidden
from zscape.errors import DataError

_END = 2 * tarfile.BLOCKSIZE
_PADDING = 1 << 24
"""More than follows the end of any archive."""


@dataclass(frozen=True)
class Member:
    """A file inside an archive."""

    archive: str
    place: Place
    opened: Callable[[], IO[bytes] | None]

    @property
    def name(self) -> str:
        """Its name, without the folders."""
        return self.place[-1]

    def open(self, mode: Literal["rb"] = "rb", /) -> IO[bytes]:
        """Its bytes; as many as the archive promises, unpacked as they are asked for."""
        stream = self.opened()
        assert stream is not None  # only for what is no file
        return stream

    def __str__(self) -> str:
        return f"{self.archive}:{'/'.join(self.place)}"


@contextmanager
def opened_zip(path: Path) -> Iterator[Tree]:
    """The files of a zip; it stays open inside the ``with``."""
    with reading(path), zipfile.ZipFile(path) as archive:
        found, size, replaced = {}, 0, 0
        for info in archive.infolist():
            # The other methods of zip are unpacked without a bound.
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise DataError(f"{path}:{info.filename} must be stored or deflated.")
            size += info.file_size
            if not info.is_dir():
                replaced += info.filename in found
                found[info.filename] = partial(archive.open, info)
        check_unfolding(size, path.stat().st_size, path)
        yield _tree(path, found, replaced)


@contextmanager
def opened_tar(path: Path) -> Iterator[Tree]:
    """The files of a tar, compressed or not; it stays open inside the ``with``.

    They stand in the order of the archive: a compressed one cannot go back without starting over.
    """
    with reading(path), tarfile.open(path) as archive:
        found, size, replaced, packed = {}, 0, 0, path.stat().st_size
        for member in archive:
            size += member.size
            check_unfolding(size, packed, path)
            if member.isfile():
                replaced += member.name in found
                found[member.name] = partial(archive.extractfile, member)
        assert archive.fileobj is not None
        archive.fileobj.seek(archive.offset)
        # tarfile takes the end of a file for the end of an archive, which is two blocks of zeros.
        if archive.fileobj.read(_END) != bytes(_END):
            raise DataError(f"{path} is cut short: its end is missing.")
        # What is packed says at its own end whether it was read as it was written.
        if len(archive.fileobj.read(_PADDING)) == _PADDING:
            raise DataError(f"{path} goes on after its end; unpack it.")
        yield _tree(path, found, replaced)


def _tree(path: Path, found: Mapping[str, Callable[[], IO[bytes] | None]], replaced: int) -> Tree:
    """The files, of which ``replaced`` have later ones of their names."""
    left_out: Counter[str] = Counter()
    if replaced:
        left_out["replaced by a later one of its name"] = replaced
    files: dict[Place, Readable] = {}
    for name, opened in found.items():
        place = tuple(part for part in name.replace("\\", "/").split("/") if part not in ("", "."))
        if any(map(is_hidden, place)):
            left_out["hidden"] += 1
        elif place:
            files[place] = Member(str(path), place, opened)
    return Tree(str(path), files, left_out)
