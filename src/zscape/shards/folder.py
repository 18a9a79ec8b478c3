"""Which shards there are, which of them are done, and what makes of them a whole."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from zscape import schema
from zscape._version import __version__
from zscape.errors import ConfigError, DataError
from zscape.files import leftovers, make_folder, write_atomic, writing
from zscape.lock import held

SUFFIXES = (".parquet", ".tar")
"""Of files that are shards: Parquet, and the tars of WebDataset."""
TABLE = ".latents.parquet"
ABOUT = "encoding.json"
LOCK = "lock.json"

_ABOUT = {"version": str, "model": str, "maps": [str], "data": dict}


@dataclass(frozen=True)
class Told:
    """What decides every number of every table."""

    model: str
    """Fingerprint of the weights."""
    maps: list[str]
    """Names and digests of the maps on which images are placed."""
    data: dict[str, Any]
    """How images are prepared."""


def find_shards(source: Path) -> list[str]:
    """The shards below ``source``, or that it is, as places below its folder, sorted.

    Raises
    ------
    DataError
        There is none, or two that differ only in their folders' spelling.
    """
    if not source.exists():
        raise DataError(f"there is no folder {source}.")
    if source.is_file():
        raise DataError(
            f"{source} is one file; shards are the {' and '.join(SUFFIXES)} files of a folder. "
            "Into one table: -o TABLE.parquet."
        )
    found = sorted(
        file.relative_to(source).as_posix()
        for file in source.rglob("*")
        if file.suffix.lower() in SUFFIXES and file.is_file() and not file.name.startswith(".")
    )
    if not found:
        raise DataError(f"{source} holds no shards: files that end in {' or '.join(SUFFIXES)}.")
    return found


class Tables:
    """A folder of tables, one for each shard, named by it.

    ======================== ==========================================================
    ``encoding.json``        which model, maps and options: what all tables have in common
    ``NAME.latents.parquet`` the table of the shard ``NAME``, written whole or not at all
    ``lock.json``            while it is worked on: by which process of which machine
    ======================== ==========================================================
    """

    def __init__(self, path: Path, source: Path) -> None:
        self.path, self.source = path, source

    def table_of(self, shard: str) -> Path:
        """Where the table of a shard is, or will be."""
        return self.path / f"{shard}{TABLE}"

    def is_done(self, shard: str) -> bool:
        """Whether its table is there, and no older than the shard."""
        try:
            return self.table_of(shard).stat().st_mtime_ns >= (
                (self.source / shard).stat().st_mtime_ns
            )
        except FileNotFoundError:
            return False

    def check(self, told: Told) -> None:
        """Raise ``ConfigError`` unless the folder is new, or of the same model and options."""
        if self.path.is_file():
            raise ConfigError(f"{self.path} is a file; the tables of shards need a folder.")
        if not self.path.is_dir():
            return
        file = self.path / ABOUT
        there = {own for own in self.path.iterdir() if own.name != LOCK} - {*leftovers(file)}
        if not file.is_file():
            if there:
                raise ConfigError(
                    f"{self.path} is not empty and holds no tables of shards; choose another "
                    "folder."
                )
            return
        try:
            then = schema.parse(file.read_text(encoding="utf-8"), _ABOUT)
        except (OSError, ValueError) as error:
            raise ConfigError(f"{file} is damaged: {error}.") from error
        for name, own in asdict(told).items():
            if then[name] != own:
                raise ConfigError(
                    f"{self.path} holds tables of another {NAMES[name]}; choose another folder."
                )

    @contextmanager
    def held(self, told: Told) -> Iterator[None]:
        """Be the only process that encodes into the folder, which is made if it is not there.

        Raises
        ------
        ConfigError
            Another does, or it cannot be written.
        """
        make_folder(self.path)
        with held(self.path / LOCK, f"into {self.path} shards are being encoded"):
            self.check(told)
            content = {"version": __version__, **asdict(told)}
            if not (self.path / ABOUT).is_file():
                write_atomic(self.path / ABOUT, json.dumps(content, indent=1) + "\n")
            self._sweep()
            yield

    def _sweep(self) -> None:
        """Remove what processes left that died while they wrote a table."""
        for folder, _, _ in os.walk(self.path):
            for file in Path(folder).glob(".*"):
                # Of which of the tables it would have become does not matter.
                name = file.name[1:].rpartition(".")[0]
                for left in leftovers(file.with_name(name)):
                    with writing(left):
                        left.unlink(missing_ok=True)


NAMES = {"model": "model", "maps": "choice of maps", "data": "way to prepare images"}
