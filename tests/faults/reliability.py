"""docs/reliability.md: what was tried, how often, and what came through, from counts in a file."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

PARTS = (
    "Kills and signals", "Disks and places", "Several processes", "Hostile files",
    "Wrong numbers", "Server and page", "Soak",
)  # fmt: skip
BEGIN, END = "<!-- counted by make faults -->", "<!-- end of what was counted -->"
ROOT = Path(__file__).parents[2]


@dataclass
class Tries:
    """How often a test has attacked, and how often what it attacked came through."""

    n: int = 0
    survived: int = 0
    of_which: dict[str, int] = field(default_factory=dict)
    """Tries of a kind that the page tells apart: "while a file was half written"."""

    def __call__(self, attacks: Iterable[T]) -> Iterator[T]:
        """Each of ``attacks`` is one try; it has survived once the next is asked for."""
        for attack in attacks:
            self.n += 1
            yield attack
            self.survived += 1

    def add(self, n: int, survived: int) -> None:
        """Many at once, such as requests."""
        self.n, self.survived = self.n + n, self.survived + survived


@dataclass
class Row:
    """One attack."""

    part: str
    what: str
    test: str
    n: int
    survived: int
    of_which: dict[str, int]
    skipped: str
    """Why it could not be tried, on the machine that counted."""
    seconds: float


def record(folder: Path, rows: list[Row]) -> None:
    """Put ``rows`` in place of those of the same test files, and write the page anew."""
    file = folder / "reliability.json"
    old = read(folder) if file.is_file() else []
    ran = {row.test.partition("::")[0] for row in rows}
    kept = [row for row in old if row.test.partition("::")[0] not in ran and is_there(row.test)]
    rows = sorted([*kept, *rows], key=lambda row: (PARTS.index(row.part), row.test))
    for row in rows:
        row.seconds = round(row.seconds, 1)
    machine = f"{platform.system()}, Python {platform.python_version()}, {os.cpu_count()} CPU cores"
    content = {"machine": machine, "rows": [asdict(row) for row in rows]}
    file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    page = folder / "reliability.md"
    page.write_text(fill(page.read_text(encoding="utf-8"), folder), encoding="utf-8")


def is_there(test: str) -> bool:
    """Whether there is such a test, as ``tests/file.py::name``."""
    file, _, name = test.partition("::")
    path = ROOT / file
    return path.is_file() and f"\ndef {name}(" in path.read_text(encoding="utf-8")


def read(folder: Path) -> list[Row]:
    """The rows as they were counted last."""
    return [
        Row(**row) for row in json.loads((folder / "reliability.json").read_text("utf-8"))["rows"]
    ]


def fill(page: str, folder: Path) -> str:
    """``page`` with the tables of the counts in ``folder`` in their place."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{_tables(folder)}\n{END}{rest.partition(END)[2]}"


def _tables(folder: Path) -> str:
    rows = read(folder)
    machine = json.loads((folder / "reliability.json").read_text("utf-8"))["machine"]
    n, survived = sum(row.n for row in rows), sum(row.survived for row in rows)
    minutes = sum(row.seconds for row in rows) / 60
    text = f"**{survived:,} of {n:,}** tries came through, in {minutes:.0f} minutes"
    text += f" of tests ({machine}).\n"
    for part in PARTS:
        if own := [row for row in rows if row.part == part]:
            text += f"\n## {part}\n\n| attack | tries | survived | test |\n|---|---:|---:|---|\n"
            text += "".join(map(_line, own))
    return text


def _line(row: Row) -> str:
    file, _, name = row.test.rpartition("/")[2].partition("::")
    what = "; ".join([row.what, *(f"{n:,} {which}" for which, n in row.of_which.items())])
    counts = f"{row.n:,} | {row.survived:,}" if row.n else f"not tried: {row.skipped} | "
    return f"| {what} | {counts} | `{file}::{name}` |\n"
