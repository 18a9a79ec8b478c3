"""What a command shows while it works: a bar on a terminal, a line per stage elsewhere."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zscape.embedding.methods import Tell

LINE_EVERY = 60.0
"""Seconds between two lines of one stage, where there is no terminal for a bar."""


@contextmanager
def showing_progress() -> Iterator[Tell]:
    """A callback to hand on, ``(stage, fraction done)``; what it is told appears on stderr."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
               TextColumn("{task.description}"))  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda stage, done: bar.update(task, description=stage, completed=done)


def _lines() -> Tell:
    last, said = "", 0.0
    begun, first, reached = 0.0, 0.0, math.inf

    def tell(stage: str, done: float) -> None:
        nonlocal last, said, begun, first, reached
        now = time.monotonic()
        if done < reached:  # counted anew; most stages go on with the count of the one before
            begun, first = now, done
        reached = done
        if stage == last and now - said < LINE_EVERY:
            return
        left = ""
        if now - begun >= LINE_EVERY and first < done < 1:
            minutes = (now - begun) * (1 - done) / (done - first) / 60
            left = f", {minutes:.0f} min left" if minutes > 1 else ", under a minute left"
        print(f"{done:4.0%}  {stage}{left}", file=sys.stderr, flush=True)
        last, said = stage, now

    return tell
