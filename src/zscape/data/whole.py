"""Whether a picture file is there to its end: decoders stop at the last pixel, or before.

A file that is cut short, or blank at its end as a broken download is, may still decode: into fewer
frames, or into pixels that nobody drew. Of BMP, PPM and WebP that are cut short, Pillow knows.
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import IO, Any

_CUT = "it is cut short"
_COMPRESSION, _UNCOMPRESSED = 259, 1
_BLOCKS = ((273, 279), (324, 325))
"""Tags of TIFF: where strips or tiles begin, and how long they are."""
_NUMBERS = {3: "H", 4: "I", 16: "Q"}
"""Types of TIFF in which that is said."""


def check_whole(stream: IO[bytes]) -> None:
    """Raise ``ValueError`` if the PNG, JPEG, GIF or TIFF in ``stream`` is damaged or cut short.

    A PNG has a checksum in every chunk. Of the others it is known where they end.
    """
    head = stream.read(4)
    stream.seek(0)
    for start, check in _CHECKS.items():
        if head.startswith(start):
            check(stream)
    stream.seek(0)


def _take(stream: IO[bytes], n: int) -> bytes:
    taken = stream.read(n)
    if len(taken) < n:
        raise ValueError(_CUT)
    return taken


def _check_png(stream: IO[bytes]) -> None:
    """PNG, third edition, section 5.3."""
    stream.seek(8)
    kind = b""
    while kind != b"IEND":
        length, kind = struct.unpack(">I4s", _take(stream, 8))
        content, crc = _take(stream, length), _take(stream, 4)
        # A small first letter is of what is not needed; but fdAT is a further frame.
        is_needed = kind[:1].isupper() or kind == b"fdAT"
        if is_needed and zlib.crc32(content, zlib.crc32(kind)) != int.from_bytes(crc):
            raise ValueError(f"its part {kind.decode('ascii', 'replace')} is damaged")


def _check_jpeg(stream: IO[bytes]) -> None:
    """ITU-T T.81, annex B: the end is looked for after the header, where a preview has its own."""
    content, at = stream.read(), 2
    while at + 4 <= len(content) and content[at] == 0xFF and content[at + 1] != 0xDA:
        is_bare = content[at + 1] in (0x01, 0xFF, *range(0xD0, 0xD9))
        at += 2 if is_bare else 2 + int.from_bytes(content[at + 2 : at + 4])
    if content.find(b"\xff\xd9", at) < 0:
        raise ValueError(_CUT)


def _check_gif(stream: IO[bytes]) -> None:
    """GIF89a, appendix A."""

    def skip_colors(flags: int) -> None:
        _take(stream, 3 << ((flags & 7) + 1) if flags & 0x80 else 0)

    skip_colors(_take(stream, 13)[10])
    while (kind := _take(stream, 1)) != b";":
        if kind == b",":
            skip_colors(_take(stream, 9)[8])
        elif kind != b"!":
            raise ValueError(_CUT)
        _take(stream, 1)
        while n := _take(stream, 1)[0]:
            _take(stream, n)


def _check_tiff(stream: IO[bytes]) -> None:
    """TIFF 6.0, section 2; BigTIFF has longer words. Of plain pixels Pillow knows the length."""
    order = {b"II": "<", b"MM": ">"}[_take(stream, 2)]
    end = stream.seek(0, io.SEEK_END)

    def read(form: str, at: int | None = None) -> tuple[Any, ...]:
        if at is not None:
            stream.seek(at)
        size = struct.calcsize(order + form)
        if size > end:
            raise ValueError(_CUT)
        return struct.unpack(order + form, _take(stream, size))

    def numbers(tag: tuple[int, int, bytes] | None) -> tuple[Any, ...]:
        """The values of a tag, which lie in it or elsewhere."""
        kind, n, own = tag or (3, 0, b"")
        form = f"{order}{n}{_NUMBERS.get(kind, 'x')}"
        if struct.calcsize(form) <= len(own):
            return struct.unpack_from(form, own)
        return read(form[1:], *struct.unpack(order + word, own))

    is_big = read("H", 2) == (43,)
    word, size, count = ("Q", 8, "Q") if is_big else ("I", 4, "H")
    (at,) = read(word, size)
    seen: set[int] = set()
    while at and at not in seen:
        seen.add(at)
        (n,) = read(count, at)
        entries = (read(f"HH{word}{size}s") for _ in range(n))
        tags = {tag: (kind, length, own) for tag, kind, length, own in entries}
        (at,) = read(word)
        if numbers(tags.get(_COMPRESSION)) in ((), (_UNCOMPRESSED,)):
            continue
        for starts, lengths in _BLOCKS:
            pairs = zip(numbers(tags.get(starts)), numbers(tags.get(lengths)), strict=False)
            if any(start + length > end for start, length in pairs):
                raise ValueError(_CUT)


_CHECKS = {b"\x89PNG": _check_png, b"\xff\xd8\xff": _check_jpeg, b"GIF8": _check_gif,
           b"II*\0": _check_tiff, b"MM\0*": _check_tiff,
           b"II+\0": _check_tiff, b"MM\0+": _check_tiff}  # fmt: skip
