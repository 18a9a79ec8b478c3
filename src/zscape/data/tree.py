"""The files of a folder by their place, and what a reader passed over."""

from __future__ import annotations

import logging
import os
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal, Protocol

_log = logging.getLogger(__name__)

_LISTED = 12

Place = tuple[str, ...]
"""The folders on the way to a file, and its name."""


class Readable(Protocol):
    """What a file and a member of an archive have in common; ``str`` names it in messages."""

    @property
    def name(self) -> str:
        """Its name, without the folders."""
        ...

    def open(self, mode: Literal["rb"], /) -> IO[bytes]:
        """Its bytes, from the start."""
        ...


@dataclass(frozen=True)
class Tree:
    """Files by their place.

    Parameters
    ----------
    where
        As a message should name it.
    files
        In the order in which they are quickest to read.
    left_out
        How many of what kind of thing a reader passed over: ``{".txt": 6}``.
    beside
        Files that are none of ``files``, but were read because one of them names them.
    """

    where: str
    files: dict[Place, Readable]
    left_out: Counter[str] = field(default_factory=Counter)
    beside: list[Readable] = field(default_factory=list)

    def say_left_out(self) -> None:
        """Say in one line what was passed over, if anything was."""
        say_left_out(self.where, self.left_out)


def say_left_out(where: object, left_out: Counter[str]) -> None:
    """Warn in one line that ``where`` holds more than was read."""
    if left_out:
        named = sorted(left_out.items())
        listed = ", ".join(f"{n} {what}" for what, n in named[:_LISTED])
        more = sum(n for _, n in named[_LISTED:])
        _log.warning("%s: left out: %s%s.", where, listed, f" and {more} more" * bool(more))


def walk(folder: Path) -> Tree:
    """All files below ``folder`` that are not hidden.

    Links are followed, but no folder is entered twice, so that a link to a folder above ends.
    """
    left_out: Counter[str] = Counter()
    files = dict(sorted(_walk(folder, (), set(), left_out)))
    return Tree(str(folder), files, left_out)


def _walk(
    folder: Path, parts: Place, seen: set[tuple[int, int]], left_out: Counter[str]
) -> Iterator[tuple[Place, Readable]]:
    status = folder.stat()
    if (status.st_dev, status.st_ino) in seen:
        left_out[f"link to a folder that was read already ({'/'.join(parts)})"] += 1
        return
    seen.add((status.st_dev, status.st_ino))
    with os.scandir(folder) as entries:
        # What is a link comes last: of a folder and a link to it, the folder is read.
        found = sorted(entries, key=lambda entry: (entry.is_symlink(), entry.name))
    for entry in found:
        place = (*parts, entry.name)
        if is_hidden(entry.name):
            left_out["hidden"] += 1
        elif entry.is_symlink() and not Path(entry.path).exists():  # one to itself is none, too
            left_out["broken link"] += 1
        elif entry.is_dir():
            yield from _walk(Path(entry.path), place, seen, left_out)
        elif entry.is_file():
            yield place, Path(entry.path)
        else:
            left_out["special file"] += 1


def is_hidden(name: str) -> bool:
    """Whether people do not see a file or folder of this name, or their system put it there."""
    return name.startswith(".") or name in ("__MACOSX", "Thumbs.db", "desktop.ini")


def spellings(name: str) -> tuple[str, ...]:
    """A name in the ways in which Unicode writes it: ä is one letter, or (macOS) a and two dots."""
    return name, unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name)
