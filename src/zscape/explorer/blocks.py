"""Arrays as named byte blocks, as ``web/src/scene/manifest.ts`` describes them."""

from __future__ import annotations

import gzip
import io
import math
import zlib
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from zscape.data.bounded import read_exactly, reading
from zscape.data.mapped import release
from zscape.errors import ConfigError, DataError

WEIGHTS = ("f32", "f16", "i8")
"""How the weights of a network may be stored, from exact to small."""

_STORED = {
    "f64": "<f8", "f32": "<f4", "f16": "<f2", "i8": "i1", "u8": "u1", "u4": "u1", "i32": "<i4"
}  # fmt: skip
_CODECS = ("raw", "gzip", "planes")

PAGE_BYTES = 2**18
"""Of a page of pictures, unpacked: soon there, and worth asking for."""

ENTRY = {
    "dtype": str, "shape": [int], "codec": str, "length": int, "crc32": int, "scale?": [float],
    "pages?": {"rows": int, "ends": [int], "crc32": [int]},
}  # fmt: skip
"""The shape of a block's entry in a manifest."""


Bytes: TypeAlias = bytes | memoryview
"""Those of a scene that was kept may lie in its file."""


class Packed(NamedTuple):
    """A block: its entry in the manifest, and its bytes."""

    entry: dict[str, Any]
    data: Bytes


def pack(array: Any, dtype: str, *, codec: str = "raw", has_gaps: bool = False) -> Packed:
    """Store ``array`` as a block.

    Parameters
    ----------
    array
        Any shape. For ``u4`` and ``u8``: bytes 0 … 255 that stand for 0 … 1; ``u4`` keeps the
        nearest of 16 levels, two values a byte, the first in the low half.
    dtype
        ``f64``, ``f32``, ``f16``, ``i8`` (with one scale per index of the first axis), ``u8``,
        ``u4`` or ``i32``. What does not fit into ``f16`` is stored as ``f32``.
    codec
        ``raw``, ``gzip``, or ``planes``: gzip of all first bytes of the numbers, then all second
        ones, …. The same array gives the same bytes.
    has_gaps
        NaN stands for what is missing, and may be there.

    Raises
    ------
    DataError
        A number is not finite.
    """
    values = np.asarray(array)
    if not (np.isfinite(values) | (has_gaps & np.isnan(values))).all():
        raise DataError("a block of a scene must hold finite numbers; got NaN or infinity.")
    if dtype == "f16" and values.size and np.abs(values).max() > np.finfo(np.float16).max:
        dtype = "f32"
    scale: list[float] | None = None
    stored: NDArray[Any]
    if dtype == "i8":
        stored, scale = _to_int8(values)
    elif dtype == "u4":
        stored = _to_nibbles(values)
    else:
        stored = values
    content = np.ascontiguousarray(stored, dtype=_STORED[dtype]).tobytes()
    entry: dict[str, Any] = {"dtype": dtype, "shape": list(values.shape)}
    if scale is not None:
        entry["scale"] = scale
    return _encoded(entry, content, codec)


def pack_pages(pictures: NDArray[np.uint8], dtype: str, order: NDArray[np.int64]) -> Packed:
    """Store pictures so that a reader gets some of them without the others.

    Each page is a gzip stream of its own, and all of them together are one.

    Parameters
    ----------
    pictures
        (n, …): bytes 0 … 255 that stand for 0 … 1. They may be more than memory holds.
    dtype
        ``u4`` or ``u8``.
    order
        (n,): which of them comes first, which second, ….
    """
    size = math.prod(pictures.shape[1:]) // (2 if dtype == "u4" else 1)
    # A power of two, so that no byte of two nibbles belongs to two pages.
    rows = 2 ** max(1, (PAGE_BYTES // max(size, 1)).bit_length() - 1)
    stored: list[Bytes] = []
    ends: list[int] = []
    checks: list[int] = []
    crc = 0
    for first in range(0, len(order), rows):
        own = pack(pictures[order[first : first + rows]], dtype, codec="gzip")
        release(pictures)
        stored.append(own.data)
        ends.append(own.entry["length"] + (ends[-1] if ends else 0))
        checks.append(own.entry["crc32"])
        crc = zlib.crc32(own.data, crc)
    entry = {
        "dtype": dtype, "shape": list(pictures.shape), "codec": "gzip", "length": ends[-1],
        "crc32": crc, "pages": {"rows": rows, "ends": ends, "crc32": checks},
    }  # fmt: skip
    return Packed(entry, b"".join(stored))


def squeeze(packed: Packed) -> Packed:
    """The same block in the smallest codec there is for it."""
    entry = packed.entry
    codec = "planes" if np.dtype(_STORED[entry["dtype"]]).itemsize > 1 else "gzip"
    if entry["codec"] == codec:
        return packed
    squeezed = _encoded(entry, _content(*packed), codec)
    return min(packed, squeezed, key=lambda block: len(block.data))


def check(entry: dict[str, Any], data: Bytes) -> None:
    """Raise ``DataError`` unless ``data`` are the bytes that were stored, in a form we know."""
    if len(data) != entry["length"] or zlib.crc32(data) != entry["crc32"]:
        raise DataError(
            f"a block of the scene is damaged: {len(data)} bytes of {entry['length']}, CRC "
            f"{zlib.crc32(data):08x} instead of {entry['crc32']:08x}."
        )
    shape, dtype = entry["shape"], entry["dtype"]
    if dtype not in _STORED or entry["codec"] not in _CODECS or min(shape, default=0) < 0:
        raise DataError(f"a block of the scene is none of zscape's: {dtype}, {entry['codec']}.")


def unpack(entry: dict[str, Any], data: Bytes) -> NDArray[Any]:
    """The array of a block: float32, int32 or float64; ``u4`` and ``u8`` in [0, 1].

    Raises
    ------
    DataError
        The bytes are not those that were stored.
    """
    check(entry, data)
    shape, dtype = tuple(entry["shape"]), entry["dtype"]
    values: NDArray[Any] = np.frombuffer(_content(entry, data), _STORED[dtype])
    if dtype == "u4":
        levels: NDArray[Any] = np.stack([values & 15, values >> 4], axis=1).reshape(-1)[
            : math.prod(shape)
        ]
        return (levels / np.float32(15)).astype(np.float32).reshape(shape)
    values = values.reshape(shape)
    if dtype in ("i32", "f64"):
        return values.astype(np.dtype(_STORED[dtype]).newbyteorder("="))
    if dtype == "i8":
        factors = np.array(entry["scale"], np.float32).reshape(-1, *[1] * (len(shape) - 1))
        return values.astype(np.float32) * factors
    return values.astype(np.float32) / np.float32(255 if dtype == "u8" else 1)


class Blocks:
    """Collects blocks under their names."""

    def __init__(self) -> None:
        self.entries: dict[str, Any] = {}
        self.data: dict[str, Bytes] = {}

    def add(self, name: str, array: Any, dtype: str, **options: Any) -> str:
        """Pack an array, and give its name back."""
        return self.put(name, pack(array, dtype, **options))

    def put(self, name: str, packed: Packed) -> str:
        """Keep what is packed, and give its name back."""
        self.entries[name], self.data[name] = packed
        return name


def check_weights(weights: str) -> str:
    """``weights`` if it is one of ``WEIGHTS``, else ``ConfigError``."""
    if weights not in WEIGHTS:
        raise ConfigError(f"weights must be one of {', '.join(WEIGHTS)}; got {weights!r}.")
    return weights


def _encoded(entry: dict[str, Any], content: Bytes, codec: str) -> Packed:
    if codec == "planes":
        content = _bytes(entry, content).T.tobytes()
    # The last levels of gzip take ten times as long for a fiftieth of the bytes.
    data = content if codec == "raw" else gzip.compress(content, compresslevel=6, mtime=0)
    about = {"codec": codec, "length": len(data), "crc32": zlib.crc32(data)}
    return Packed(entry | about, data)


def _content(entry: dict[str, Any], data: Bytes) -> Bytes:
    """The bytes of the numbers, one after the other."""
    width = np.dtype(_STORED[entry["dtype"]]).itemsize
    n = math.prod(entry["shape"])
    size = -(-n // 2) if entry["dtype"] == "u4" else n * width
    where = "a block of the scene"
    if entry["codec"] == "raw":
        return data
    with reading(where), gzip.open(io.BytesIO(data)) as stream:
        content = bytes(read_exactly(stream, size, where))
    if entry["codec"] == "gzip":
        return content
    return np.frombuffer(content, np.uint8).reshape(width, -1).T.tobytes()


def _bytes(entry: dict[str, Any], content: Bytes) -> NDArray[np.uint8]:
    """(numbers, bytes of each)."""
    return np.frombuffer(content, np.uint8).reshape(-1, np.dtype(_STORED[entry["dtype"]]).itemsize)


def _to_int8(values: NDArray[Any]) -> tuple[NDArray[np.int8], list[float]]:
    rows = values.reshape(len(values), -1).astype(np.float64)
    largest = np.abs(rows).max(1)
    # As float32, since that is what a reader multiplies by.
    scale = np.where(largest > 0, largest / 127, 1).astype(np.float32)
    whole = np.rint(rows / scale[:, None]).clip(-127, 127).astype(np.int8)
    return whole.reshape(values.shape), [float(f"{factor:.9g}") for factor in scale]


def _to_nibbles(values: NDArray[Any]) -> NDArray[np.uint8]:
    # 255 = 15 * 17; adding half a step makes the division round.
    levels = (values.reshape(-1).astype(np.uint16) + 8) // 17
    even = np.pad(levels, (0, len(levels) % 2))
    return (even[::2] + 16 * even[1::2]).astype(np.uint8)
