"""IDX, the format of MNIST and its relatives: the reader, the folder, the embedded MNIST.

The format: two zero bytes, a type byte, a byte with the number of dimensions, every dimension as
a big-endian uint32, then the values. http://yann.lecun.com/exdb/mnist/
"""

from __future__ import annotations

import gzip
import hashlib
import math
import re
import struct
from collections import defaultdict
from dataclasses import replace
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zscape.config import DataConfig
from zscape.data.arrays import Part, from_arrays, from_parts
from zscape.data.bounded import ByteStream, check_unfolding, read_exactly, reading, size_of
from zscape.data.imageset import ImageSet, Splits
from zscape.data.roles import Part as Role
from zscape.data.tree import Place, Readable, Tree
from zscape.errors import DataError

_DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_IDX_NAME = re.compile(
    r"(.*?)(train|t10k|test)-(images|labels)\b.*(?:ubyte|int)(?:\.gz)?", re.IGNORECASE
)
_N_DIMS = {"images": (3, 4), "labels": (1, 2)}
# What QMNIST says of a digit, after its class.
_QMNIST = ("series", "writer", "writer_digit", "nist_class", "nist_index", "duplicate", "unused")

# SHA-256 of the four files after decompression.
_MNIST = {
    "train-images-idx3": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


def read_idx(
    file: Readable | Traversable, n_dims: tuple[int, ...], sha256: str | None = None
) -> NDArray[Any]:
    """One IDX file.

    Parameters
    ----------
    file
        Decompressed on the way if it is a gzip file, whatever its name.
    n_dims
        What it may have: 3 or 4 for images, 1 or 2 for labels.
    sha256
        If given, what the decompressed file must hash to.

    Raises
    ------
    DataError
        The file is missing, damaged, empty, longer or shorter than its header says, of another
        number of dimensions, or does not match ``sha256``.
    """
    with reading(str(file)), file.open("rb") as raw:
        is_gzip = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        if not is_gzip:
            return _read_stream(raw, str(file), n_dims, sha256)
        with gzip.open(raw) as stream:
            return _read_stream(stream, str(file), n_dims, sha256, size_of(raw))


def _read_stream(
    stream: ByteStream,
    where: str,
    n_dims: tuple[int, ...],
    sha256: str | None,
    packed: int | None = None,
) -> NDArray[Any]:
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _DTYPES:
        raise DataError(
            f"{where} is not an IDX file: it must start with 00 00, a type from 08 to 0e and the "
            f"number of dimensions; got {magic.hex(' ') or 'nothing'}."
        )
    if magic[3] not in n_dims:
        allowed = " or ".join(str(n) for n in n_dims)
        raise DataError(f"{where} must have {allowed} dimensions; got {magic[3]}.")
    sizes = stream.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise DataError(f"{where} is cut short: it ends inside its header.")
    shape = struct.unpack(f">{magic[3]}I", sizes)
    if 0 in shape:
        raise DataError(f"{where} holds no samples: its header says {shape}.")
    dtype = np.dtype(_DTYPES[magic[2]])
    size = math.prod(shape) * dtype.itemsize
    if packed is not None:
        check_unfolding(size, packed, where)
    data = read_exactly(stream, size, where)
    if sha256 is not None:
        digest = hashlib.sha256(magic + sizes)
        digest.update(data)
        if digest.hexdigest() != sha256:
            raise DataError(
                f"{where} is damaged: its SHA-256 must be {sha256}; got {digest.hexdigest()}."
            )
    return np.frombuffer(data, dtype).reshape(shape)


@cache
def read_mnist() -> Splits:
    """The MNIST that ships inside the package, checked once per process.

    Returns
    -------
    60 000 training and 10 000 test images, (1, 28, 28), classes "0" to "9". Every call hands
    out the same tensors.

    References
    ----------
    LeCun, Cortes & Burges, "The MNIST database of handwritten digits", 1998.
    """
    folder = files("zscape.data") / "mnist"
    arrays = [
        read_idx(folder / f"{name}-ubyte.gz", (int(name[-1]),), sha256)
        for name, sha256 in _MNIST.items()
    ]
    splits = from_arrays("mnist", *arrays)
    assert isinstance(splits, Splits)
    return splits


def has_idx(tree: Tree) -> bool:
    """Whether a file is named as IDX images or labels are."""
    return any(_IDX_NAME.fullmatch(place[-1]) for place in tree.files)


def read_idx_files(tree: Tree, config: DataConfig) -> Splits | ImageSet:
    """A folder laid out as MNIST, Fashion-MNIST, KMNIST, QMNIST or one EMNIST set is handed out.

    ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte`` and the same with ``t10k`` or
    ``test``, raw or ``.gz`` (raw wins if both are there); labels and test split are optional.
    Each may lie in a folder of its own name. A name may have a prefix; ``emnist-`` images are
    stored transposed and are put upright. Labels of several numbers are a class and what else is
    known.

    Raises
    ------
    DataError
        No training images, several data sets in one folder, or a file that ``read_idx`` refuses.
    """
    _check_not_alone(tree)
    prefix, files = _idx_files(tree)
    if ("train", "images") not in files:
        raise DataError(
            f"{tree.where} holds IDX files but no training images (*train-images*ubyte)."
        )
    parts = {}
    for split in sorted({split for split, _ in files}, reverse=True):
        if (split, "images") not in files:
            raise DataError(f"{tree.where} has {split} labels but no {split} images.")
        images = read_idx(files[split, "images"], _N_DIMS["images"])
        parts[split] = Part(images.swapaxes(1, 2) if prefix.startswith("emnist-") else images)
        if (split, "labels") in files:
            labels = read_idx(files[split, "labels"], _N_DIMS["labels"])
            columns: dict[str, NDArray[Any]] = {}
            if labels.ndim == 2:
                columns = dict(zip(_QMNIST, labels.T[1:], strict=False))
                labels = labels[:, 0]
            parts[split] = replace(parts[split], labels=labels, columns=columns)
    tree.say_left_out()
    return from_parts(tree.where, parts, kind="IDX files", config=config)


def _check_not_alone(tree: Tree) -> None:
    """Refuse one file of a set: its labels would be missing without a word."""
    file = next(iter(tree.files.values()))
    if len(tree.files) == 1 and isinstance(file, Path) and str(file) == tree.where:
        others = [f.name for f in file.parent.iterdir() if _IDX_NAME.fullmatch(f.name)]
        if len(others) > 1:
            raise DataError(
                f"{file} is one of several IDX files; give their folder, {file.parent}."
            )


def _idx_files(tree: Tree) -> tuple[str, dict[Role, Readable]]:
    """The prefix of the file names, and the file of every part; counts what is left over."""
    sets: dict[tuple[Place, str], dict[Role, Readable]] = defaultdict(dict)
    for place, file in sorted(tree.files.items()):
        if (match := _IDX_NAME.fullmatch(place[-1])) is None:
            tree.left_out[file.name] += 1
            continue
        prefix, split, kind = match.group(1, 2, 3)
        folders = tuple(part for part in place[:-1] if not _IDX_NAME.fullmatch(part))
        part = ("train" if split.lower() == "train" else "test", kind.lower())
        sets[folders, prefix.lower()].setdefault(part, file)
    if len(sets) > 1:
        names = ("/".join((*folders, prefix)) for folders, prefix in sets)
        raise DataError(
            f"{tree.where} holds several IDX data sets ({', '.join(sorted(names))}); "
            f"give each a folder of its own."
        )
    (_, prefix), files = sets.popitem()
    return prefix, files
