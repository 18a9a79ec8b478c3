"""Every kind of file, folder and archive that images are read from: a line each."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from zscape.config import DataConfig
from zscape.data.archive import opened_tar, opened_zip
from zscape.data.bounded import reading
from zscape.data.folder import read_pictures
from zscape.data.hdf5 import read_hdf5
from zscape.data.idx import has_idx, read_idx_files
from zscape.data.imageset import ImageSet, Splits
from zscape.data.kept import kept
from zscape.data.kinds import TABLES, having, suffix_of
from zscape.data.mat import read_mat
from zscape.data.named import read_arrays
from zscape.data.npy import read_npy, read_npz
from zscape.data.pictures import SUFFIXES
from zscape.data.roles import role_of
from zscape.data.tensors import read_tensors
from zscape.data.tree import Place, Readable, Tree, walk
from zscape.errors import DataError
from zscape.registry import built_in

_log = logging.getLogger(__name__)


_READING = {"background", "keys", "range", "shape", "skip_broken", "transpose"}
_VALUES = {"range", "shape", "transpose"}


@dataclass(frozen=True)
class Container:
    """Files that are read together: what they are called, when, by what, heeding which options."""

    what: str
    claims: Callable[[Tree], bool]
    read: Callable[[Tree, DataConfig], Splits | ImageSet]
    heeds: Collection[str]


def _read_tables(tree: Tree, config: DataConfig) -> Splits | ImageSet:
    from zscape.data.tables import read_tables  # with pyarrow, which takes its time

    return read_tables(tree, config)


ARRAYS = {
    ".npz": read_npz, ".npy": read_npy, ".mat": read_mat, ".pt": read_tensors,
    ".hdf5": read_hdf5, ".h5": read_hdf5,
}  # fmt: skip
"""Files of arrays: how one of a kind is read."""

CONTAINERS = (
    Container("IDX files", has_idx, read_idx_files, _VALUES),
    Container(
        "pictures",
        lambda tree: bool(having(tree, SUFFIXES)),
        read_pictures,
        _VALUES | {"background", "skip_broken"},
    ),
    Container("tables", lambda tree: bool(having(tree, TABLES)), _read_tables, _READING),
    Container(
        "arrays",
        lambda tree: bool(having(tree, ARRAYS)),
        lambda tree, config: read_arrays(tree, config, ARRAYS),
        _VALUES | {"keys"},
    ),
)
"""The first that claims a tree reads it."""

_REFUSED = {".pkl": "is a pickle, which is never opened, as it may run any program"}


_PACKED = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar")


_LOOKED_INTO = 20
"""Files of a folder of which none is known, to say what they are."""


def read_path(path: Path, config: DataConfig) -> Splits | ImageSet:
    """The images of a file, a folder or an archive.

    Raises
    ------
    DataError
        Nothing in it is known, or it is damaged.
    """
    return kept(path, config, lambda: _read(path, config))


def _read(path: Path, config: DataConfig) -> tuple[Splits | ImageSet, bool]:
    """The images, and whether they are in the files at ``path`` alone."""
    with _opened(path) as tree:
        for container in CONTAINERS:
            if container.claims(tree):
                data = container.read(tree, config)
                say_unheeded(container.what, config, container.heeds)
                is_upright = config.transpose or container.read is read_idx_files
                if "emnist" in path.name.lower() and not is_upright:
                    _log.warning("%s: EMNIST lies on its side; --transpose puts it upright.", path)
                return data, not tree.beside
        for file in islice(tree.files.values(), _LOOKED_INTO):
            with reading(file):
                suffix = suffix_of(file)
            if suffix in _REFUSED:
                raise DataError(f"{file} {_REFUSED[suffix]}.")
        held = Counter(PurePosixPath(place[-1]).suffix or place[-1] for place in tree.files)
    listed = ", ".join(f"{n} {what}" for what, n in held.most_common(5)) or "nothing"
    packed = next((what for what in held if what.lower() in _PACKED), None)
    hint = f" A {packed} inside is not opened: give it by itself, or unpack it." if packed else ""
    raise DataError(
        f"{path} holds nothing that images can be read from ({listed}): it takes "
        f"{built_in('kind of file')}, in folders, zip, tar or as they are.{hint}"
    )


def say_unheeded(what: str, config: DataConfig, heeded: Collection[str] = ()) -> None:
    """Warn of options of reading that were given and change nothing about ``what``."""
    default = DataConfig()
    for name in sorted(_READING - set(heeded)):
        if getattr(config, name) != getattr(default, name):
            _log.warning("%s is not for %s; it changes nothing.", name, what)


@contextmanager
def _opened(path: Path) -> Iterator[Tree]:
    """The files behind ``path``."""
    with reading(path):
        if path.is_dir():
            tree = walk(path)
            shards = [path.joinpath(*place) for place in tree.files if place[-1].endswith(".tar")]
            if shards and len(shards) == len(tree.files):
                with ExitStack() as stack:
                    yield _joined(path, [stack.enter_context(opened_tar(file)) for file in shards])
            else:
                yield tree
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


def _joined(folder: Path, shards: list[Tree]) -> Tree:
    """The files of all shards, those of a split in a folder of its name."""
    files: dict[Place, Readable] = {}
    left_out: Counter[str] = Counter()
    for shard in shards:
        stem = PurePosixPath(shard.where).stem
        split = role_of(stem).split
        for place, file in shard.files.items():
            # Shards may have files of one name; theirs is no folder, which would be a class.
            renamed = (*place[:-1], f"{stem}/{place[-1]}")
            files[(split, *renamed) if split else renamed] = file
        left_out += shard.left_out
    return Tree(str(folder), files, left_out)
