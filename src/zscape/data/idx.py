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
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zscape.data.arrays import from_arrays
from zscape.data.bounded import ByteStream, read_exactly, reading
from zscape.data.imageset import ImageSet, Splits
from zscape.errors import DataError

_UBYTE = 0x08
_IDX_NAME = re.compile(r"(.*?)(train|t10k|test)-(images|labels)\b.*ubyte(?:\.gz)?", re.IGNORECASE)

# SHA-256 of the four files after decompression.
_MNIST = {
    "train-images-idx3": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


def read_idx(file: Path | Traversable, n_dims: int, sha256: str | None = None) -> NDArray[np.uint8]:
    """One IDX file of unsigned bytes.

    Parameters
    ----------
    file
        Decompressed on the way if its name ends in ``.gz``.
    n_dims
        3 for images (n, height, width), 1 for labels (n,).
    sha256
        If given, what the decompressed file must hash to.

    Raises
    ------
    DataError
        The file is missing, damaged, empty, longer or shorter than its header says, of another
        type or number of dimensions, or does not match ``sha256``.
    """
    with reading(str(file)), file.open("rb") as raw:
        if not file.name.lower().endswith(".gz"):
            return _read_stream(raw, str(file), n_dims, sha256)
        with gzip.open(raw) as stream:
            return _read_stream(stream, str(file), n_dims, sha256)


def _read_stream(
    stream: ByteStream, where: str, n_dims: int, sha256: str | None
) -> NDArray[np.uint8]:
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0":
        raise DataError(
            f"{where} is not an IDX file: it must start with 00 00 08 0{n_dims}; "
            f"got {magic.hex(' ') or 'nothing'}."
        )
    if magic[2] != _UBYTE:
        raise DataError(
            f"{where} must hold unsigned bytes (IDX type 0x08); got type 0x{magic[2]:02x}."
        )
    if magic[3] != n_dims:
        raise DataError(f"{where} must have {n_dims} dimensions; got {magic[3]}.")
    sizes = stream.read(4 * n_dims)
    if len(sizes) < 4 * n_dims:
        raise DataError(f"{where} is cut short: it ends inside its header.")
    shape = struct.unpack(f">{n_dims}I", sizes)
    if 0 in shape:
        raise DataError(f"{where} holds no samples: its header says {shape}.")
    data = read_exactly(stream, math.prod(shape), where)
    if sha256 is not None:
        digest = hashlib.sha256(magic + sizes)
        digest.update(data)
        if digest.hexdigest() != sha256:
            raise DataError(
                f"{where} is damaged: its SHA-256 must be {sha256}; got {digest.hexdigest()}."
            )
    return np.frombuffer(data, np.uint8).reshape(shape)


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
        read_idx(folder / f"{name}-ubyte.gz", n_dims=int(name[-1]), sha256=sha256)
        for name, sha256 in _MNIST.items()
    ]
    splits = from_arrays("mnist", *arrays)
    assert isinstance(splits, Splits)
    return splits


def is_idx_folder(folder: Path) -> bool:
    """Whether ``folder`` holds a file that is named as IDX images or labels are."""
    return folder.is_dir() and any(_IDX_NAME.fullmatch(file.name) for file in folder.iterdir())


def read_idx_folder(folder: Path) -> Splits | ImageSet:
    """A folder laid out as MNIST, Fashion-MNIST, KMNIST or one EMNIST set is handed out.

    ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte`` and the same with ``t10k`` or
    ``test``, raw or ``.gz`` (raw wins if both are there); labels and test split are optional.
    A name may have a prefix; ``emnist-`` images are stored transposed and are put upright.

    Raises
    ------
    DataError
        No training images, several data sets in one folder, or a file that ``read_idx`` refuses.
    """
    prefix, parts = _idx_files(folder)
    if ("train", "images") not in parts:
        raise DataError(f"{folder} holds IDX files but no training images (*train-images*ubyte).")
    arrays = {
        part: read_idx(file, n_dims=3 if part[1] == "images" else 1) for part, file in parts.items()
    }
    if prefix.startswith("emnist-"):
        arrays = {
            part: array.swapaxes(1, 2) if part[1] == "images" else array
            for part, array in arrays.items()
        }
    return from_arrays(
        folder,
        *(
            arrays.get((split, kind))
            for split in ("train", "test")
            for kind in ("images", "labels")
        ),
    )


def _idx_files(folder: Path) -> tuple[str, dict[tuple[str, str], Path]]:
    """The prefix of the file names, and the file of every (split, kind)."""
    found: dict[str, dict[tuple[str, str], Path]] = {}
    for file in sorted(folder.iterdir()):
        if match := _IDX_NAME.fullmatch(file.name):
            prefix, split, kind = match.group(1, 2, 3)
            part = ("train" if split.lower() == "train" else "test", kind.lower())
            found.setdefault(prefix.lower(), {}).setdefault(part, file)
    if len(found) > 1:
        raise DataError(
            f"{folder} holds several IDX data sets ({', '.join(sorted(found))}); "
            f"give each a folder of its own."
        )
    return found.popitem()
