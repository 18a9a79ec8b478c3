"""What a file is, by its first bytes rather than by its name."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path, PurePosixPath

from zscape.data.bounded import reading
from zscape.data.tree import Place, Readable, Tree

_STARTS = (
    (b"\x93NUMPY", ".npy"),
    (b"PAR1", ".parquet"),
    (b"ARROW1", ".arrow"),
    (b"\xff\xff\xff\xff", ".arrow"),
    (b"MATLAB 5.0", ".mat"),
    (b"\x89HDF", ".hdf5"),
    (b"MATLAB 7.3", ".hdf5"),
    (b"\x89PNG", ".png"),
    (b"GIF8", ".gif"),
    (b"\xff\xd8\xff", ".jpg"),
    (b"II*\0", ".tif"),
    (b"MM\0*", ".tif"),
    (b"BZh", ".tar"),
    (b"\xfd7zXZ", ".tar"),
    (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P", ".pt"),  # how torch wrote before it used zip
    *((bytes([0x80, version]), ".pkl") for version in range(2, 6)),
)

TABLES = (".csv", ".tsv", ".jsonl", ".parquet", ".arrow", ".feather")
"""Endings of tables."""


def suffix_of(file: Readable) -> str:
    """The usual ending of files of its kind, whatever its own: ``.npz``, ``.tar``, …

    Of text, and of what is not known, its own ending.

    Raises
    ------
    DataError
        It cannot be read, or begins as a zip and is none.
    """
    with reading(file), file.open("rb") as stream:
        head = stream.read(512)
        if head.startswith(b"PK\x03\x04"):
            stream.seek(0)
            names = [info.filename for info in zipfile.ZipFile(stream).infolist()]
            return _suffix_of_zip(names, file.name)
        if head.startswith(b"\x1f\x8b"):
            stream.seek(0)
            head = _unpacked(stream.read(4096))
    if head[257:262] == b"ustar":
        return ".tar"
    own = "".join(Path(file.name).suffixes[-1:]).lower()
    if own == ".gz":
        own = Path(Path(file.name).stem).suffix.lower() or own
    return next((suffix for start, suffix in _STARTS if head.startswith(start)), own)


def _suffix_of_zip(names: list[str], own: str) -> str:
    if any(name.endswith("/data.pkl") or name == "data.pkl" for name in names):
        return ".pt"
    is_npz = own.lower().endswith(".npz") or all(
        name.endswith(".npy") and "/" not in name for name in names
    )
    return ".npz" if is_npz and names else ".zip"


def _unpacked(packed: bytes) -> bytes:
    """The first bytes of a gzip file, as far as its first bytes say them."""
    try:
        return zlib.decompressobj(wbits=31).decompress(packed, 512)
    except (zlib.error, gzip.BadGzipFile):
        return b""


def having(tree: Tree, suffixes: Collection[str]) -> dict[Place, Readable]:
    """The files of a tree that are of one of these kinds.

    A file that is alone is looked into; of many, the names are believed, if they have an ending.
    """
    if len(tree.files) == 1:
        return {place: file for place, file in tree.files.items() if suffix_of(file) in suffixes}
    named = {
        place: PurePosixPath(place[-1].lower().removesuffix(".gz")).suffix for place in tree.files
    }
    return {
        place: file
        for place, file in tree.files.items()
        if (named[place] or suffix_of(file)) in suffixes
    }
