"""Every kind of file, folder and archive that images are read from: a line each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from zscape.config import DataConfig
from zscape.data import folder, tables
from zscape.data.archive import opened_tar, opened_zip
from zscape.data.bounded import reading
from zscape.data.idx import has_idx, read_idx_files
from zscape.data.imageset import ImageSet, Splits
from zscape.data.kinds import having, suffix_of
from zscape.data.mat import read_mat
from zscape.data.named import read_arrays
from zscape.data.npy import read_npy, read_npz
from zscape.data.pictures import SUFFIXES
from zscape.data.tensors import read_tensors
from zscape.data.tree import Tree, walk
from zscape.errors import DataError


@dataclass(frozen=True)
class Container:
    """Files that are read together: when, and by what."""

    claims: Callable[[Tree], bool]
    read: Callable[[Tree, DataConfig], Splits | ImageSet]


ARRAYS = {".npz": read_npz, ".npy": read_npy, ".mat": read_mat, ".pt": read_tensors}
"""Files of arrays: how one of a kind is read."""

CONTAINERS = (
    Container(has_idx, read_idx_files),
    Container(lambda tree: bool(having(tree, SUFFIXES)), folder.read_pictures),
    Container(lambda tree: bool(having(tree, tables.SUFFIXES)), tables.read_tables),
    Container(
        lambda tree: bool(having(tree, ARRAYS)),
        lambda tree, config: read_arrays(tree, config, ARRAYS),
    ),
)
"""The first that claims a tree reads it."""

_REFUSED = {
    ".pkl": "is a pickle, which is never opened, as it may run any program",
    ".hdf5": "is HDF5 (also MATLAB 7.3), which is not read; save it with -v7, or as .npz",
}


def read_path(path: Path, config: DataConfig) -> Splits | ImageSet:
    """The images of a file, a folder or an archive.

    Raises
    ------
    DataError
        Nothing in it is known, or it is damaged.
    """
    with _opened(path) as tree:
        for container in CONTAINERS:
            if container.claims(tree):
                return container.read(tree, config)
        held = Counter(PurePosixPath(place[-1]).suffix or place[-1] for place in tree.files)
    listed = ", ".join(f"{n} {what}" for what, n in held.most_common(5)) or "nothing"
    raise DataError(
        f"{path} holds nothing that images can be read from ({listed}): it takes pictures, IDX "
        f"files, .npz, .npy, .mat, .pt, CSV, Parquet or Arrow, in folders, zip, tar or as they are."
    )


@contextmanager
def _opened(path: Path) -> Iterator[Tree]:
    """The files behind ``path``."""
    with reading(path):
        if path.is_dir():
            yield walk(path)
            return
        suffix = suffix_of(path)
    if suffix in _REFUSED:
        raise DataError(f"{path} {_REFUSED[suffix]}.")
    if suffix == ".zip":
        with opened_zip(path) as tree:
            yield tree
    elif suffix == ".tar":
        with opened_tar(path) as tree:
            yield tree
    else:
        yield Tree(str(path), {(path.name,): path})
