"""What a command shows while it works: a bar on a terminal, a line per stage elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zscape.embedding.methods import Tell


@contextmanager
def showing_progress() -> Iterator[Tell]:
    """A callback to hand on, ``(stage, fraction done)``; what it is told appears on stderr."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), TaskProgressColumn(), TimeElapsedColumn(),
               TextColumn("{task.description}"))  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda stage, done: bar.update(task, description=stage, completed=done)


def _lines() -> Tell:
    last = ""

    def tell(stage: str, done: float) -> None:
        nonlocal last
        if stage != last:
            print(f"{done:4.0%}  {stage}", file=sys.stderr, flush=True)
            last = stage

    return tell
