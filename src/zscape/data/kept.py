"""Sets of images that took long to read, or much room: kept decoded, and mapped when opened.

A file starts with a line of JSON that says what is where, padded with blanks to whole pages; then
come the pixels, labels and columns of every split. It is written whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from zscape._version import __version__
from zscape.cache import cache_folder, code_of, prune
from zscape.config import DataConfig
from zscape.data.bounded import reading
from zscape.data.columns import Columns
from zscape.data.imageset import ImageSet, Splits
from zscape.data.kinds import suffix_of
from zscape.data.mapped import in_bytes, in_memory, mapping_of, parts_of, view_of
from zscape.data.tree import walk
from zscape.errors import ConfigError, ZscapeError
from zscape.files import make_folder, write_atomic

SLOW = 5.0
"""Seconds of reading from which a set is kept."""
MAX_SETS = 10
"""Those used longest ago beyond these are deleted."""
SUFFIX = ".images"
_READING = (
    "background",
    "channels",
    "fit",
    "keys",
    "range",
    "resize",
    "shape",
    "skip_broken",
    "transpose",
)
_PAGE = 4096

_log = logging.getLogger(__name__)


def kept(
    path: Path, config: DataConfig, read: Callable[[], tuple[Splits | ImageSet, bool]]
) -> Splits | ImageSet:
    """What is read from ``path``, or what was read from it the last time.

    It is the same if these are: names, sizes and times of the files, the options that decide
    pixels, and the code that reads them. What was warned of then is said again.

    Parameters
    ----------
    read
        Returns the set, and whether nothing decided it but the files at ``path``, or beside it if
        that is a file.
    """
    if config.no_cache:
        with in_memory():
            return read()[0]
    file = cache_folder() / "images" / f"{_key(path, config)}{SUFFIX}"
    if file.is_file():
        try:
            found = _open(file)
            file.touch()
        # The fifth is how torch takes pixels that do not make the shape they should.
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, ZscapeError) as error:
            _log.warning("%s is read again: %s", path, error)
        else:
            _log.info("%s: decoded before, in %s", path, file)
            return found
    clock = time.monotonic()
    with _listening() as said:
        data, is_all = read()
    sets = data if isinstance(data, Splits) else (data,)
    is_slow = time.monotonic() - clock > SLOW
    is_large = any(mapping_of(images.images) is not None for images in sets)
    if not is_all or not (is_slow or is_large):
        return data
    try:
        make_folder(file.parent)
        write_atomic(file, _content(sets, said))
        prune(file.parent, SUFFIX, MAX_SETS)
    except ConfigError as error:
        _log.warning("%s could not be kept: %s", path, error)
        return data
    _log.info("%s: kept decoded in %s (%s), and read from there the next time; --no-cache does "
              "without", path, file, in_bytes(file.stat().st_size))  # fmt: skip
    del data, sets
    return _open(file)


def _key(path: Path, config: DataConfig) -> str:
    """A digest of all that decides what is read."""
    with reading(path):
        if path.is_dir():
            files = {"/".join(place): Path(str(file)) for place, file in walk(path).files.items()}
        elif suffix_of(path) in (".zip", ".tar"):
            files = {path.name: path}
        else:  # labels and other splits lie beside a file
            files = {file.name: file for file in path.absolute().parent.iterdir() if file.is_file()}
        found = {name: [(of := file.stat()).st_size, of.st_mtime_ns]
                 for name, file in files.items()}  # fmt: skip
    options = {name: getattr(config, name) for name in _READING}
    about = [__version__, code_of(["data"]), path.name, options, sorted(found.items())]
    return hashlib.sha256(json.dumps(about).encode()).hexdigest()[:32]


@contextmanager
def _listening() -> Iterator[list[str]]:
    """What readers warn of inside."""
    said: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("zscape.data")
    logger.addHandler(handler)
    try:
        yield said
    finally:
        logger.removeHandler(handler)


def _content(sets: tuple[ImageSet, ...], said: list[str]) -> Iterator[bytes | memoryview]:
    columns = [b"" if s.columns is None else s.columns.to_bytes() for s in sets]
    labels = [b"" if s.labels is None else s.labels.numpy().tobytes() for s in sets]
    about = {
        "name": sets[0].name,
        "kind": sets[0].kind,
        "class_names": sets[0].class_names,
        "said": said,
        "splits": [
            {"split": s.split, "shape": list(s.images.shape),
             "sizes": [s.images.numel(), len(own), len(known)]}
            for s, own, known in zip(sets, labels, columns, strict=True)
        ],
    }  # fmt: skip
    yield _padded(json.dumps(about).encode() + b"\n")
    for images, own, known in zip(sets, labels, columns, strict=True):
        for part in parts_of(images.images):
            yield part.contiguous().numpy().data
        yield bytes(-images.images.numel() % _PAGE)
        yield _padded(own)
        yield _padded(known)


def _padded(content: bytes) -> bytes:
    return content + b" " * (-len(content) % _PAGE)


def _open(file: Path) -> Splits | ImageSet:
    with file.open("rb") as stream:
        line = stream.readline()
        about = json.loads(line)
        view = view_of(stream)
    at = len(_padded(line))
    sizes = [size for split in about["splits"] for size in split["sizes"]]
    if at + sum(size + -size % _PAGE for size in sizes) != len(view):
        raise ValueError("its file is not as long as it says")
    sets = []
    for split in about["splits"]:
        blocks = []
        for size in split["sizes"]:
            blocks.append(view[at : at + size])
            at += -(-size // _PAGE) * _PAGE
        pixels, labels, columns = blocks
        sets.append(
            ImageSet(
                images=torch.from_numpy(pixels).view(split["shape"]),
                labels=torch.from_numpy(labels.view(np.int64).copy()) if len(labels) else None,
                class_names=tuple(about["class_names"]),
                split=split["split"],
                name=about["name"],
                kind=about["kind"],
                columns=Columns.from_bytes(columns.tobytes()) if len(columns) else None,
            )
        )
    for text in about["said"]:
        _log.warning("%s", text)
    return Splits(*sets) if len(sets) > 1 else sets[0]
