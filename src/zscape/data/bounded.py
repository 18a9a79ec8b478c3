"""Reading files that may lie about themselves: bounded, and with one kind of error."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from lzma import LZMAError
from pathlib import Path
from tarfile import TarError
from typing import IO, Any, Protocol
from zipfile import BadZipFile

from zscape.data.mapped import limit, spilled
from zscape.errors import DataError
from zscape.files import is_special

MOST_UNFOLDED = 400
"""Bytes per byte of a file beyond which what it packs is no data but a bomb; dSprites has 115."""
ALWAYS = 256 << 20
"""Bytes up to which it may."""
_CHUNK = 1 << 20


class ByteStream(Protocol):
    """What a file, a gzip stream and a member of a zip have in common."""

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes; none at the end."""
        ...


@contextmanager
def reading(where: object) -> Iterator[None]:
    """Turn what files and archives raise while they are read into a ``DataError``.

    Parameters
    ----------
    where
        The file or folder, as the message should name it.

    Raises
    ------
    DataError
        Also if it is a pipe or a device, which may never end, before it is opened.
    """
    if isinstance(where, Path) and is_special(where):
        raise DataError(f"{where} is a pipe or a device; give a file or a folder.")
    try:
        yield
    except FileNotFoundError as error:
        raise DataError(f"There is no file {where}.") from error
    # RuntimeError is how zipfile refuses a password or an unknown compression.
    except (
        OSError, EOFError, zlib.error, LZMAError, BadZipFile, TarError, RuntimeError,
        UnicodeError, struct.error, OverflowError,
    ) as error:  # fmt: skip
        first = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".:")
        raise DataError(f"{where} could not be read: {first}.") from error
    except MemoryError as error:
        raise DataError(
            f"{where} could not be read: it needs more memory than there is."
        ) from error


def size_of(stream: IO[bytes]) -> int:
    """Bytes of an open file or member of an archive; it stays where it was."""
    at = stream.tell()
    size = stream.seek(0, io.SEEK_END)
    stream.seek(at)
    return size


def check_unfolding(promised: int, packed: int, where: object, most: int = MOST_UNFOLDED) -> None:
    """Raise ``DataError`` before ``packed`` bytes of ``where`` unfold into far too many.

    Up to ``ALWAYS`` they may, and up to ``most`` per byte.
    """
    if promised > max(ALWAYS, most * packed):
        raise DataError(
            f"{where} is refused: {packed} bytes would unfold into {promised}, as no data does."
        )


def read_exactly(stream: ByteStream, n: int, where: str | Path, start: bytes = b"") -> Any:
    """The ``n`` bytes that a header promised: ``start``, then all that ``stream`` still holds.

    Memory follows what the file really holds, never the promise, and reading stops one byte
    after the promise, so neither a false header nor a decompression bomb costs more than that.
    More than ``mapped.limit`` goes to a mapped file.

    Raises
    ------
    DataError
        There are fewer bytes than ``n``, or more.
    """

    def chunks() -> Iterator[bytes]:
        left = n + 1 - len(start)
        yield start
        while left > 0 and (chunk := stream.read(min(_CHUNK, left))):
            left -= len(chunk)
            yield chunk

    data: Any = bytearray()
    if n > limit():
        data = spilled(chunks())
    else:
        for chunk in chunks():
            data += chunk
    if len(data) < n:
        raise DataError(
            f"{where} is cut short: its header promises {n} bytes of data, it holds {len(data)}."
        )
    if len(data) > n:
        raise DataError(f"{where} goes on after the {n} bytes of data its header promises.")
    return data
