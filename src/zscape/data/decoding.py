"""Many picture files at a time, in several threads."""

from __future__ import annotations

import io
import itertools
import logging
import os
import sys
import time
from collections import Counter, deque
from collections.abc import Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from zscape.config import DataConfig
from zscape.data.bounded import reading
from zscape.data.mapped import Spool, in_bytes
from zscape.data.pictures import Frame, read_frames
from zscape.data.tree import Readable
from zscape.errors import DataError

_AT_ONCE = 64  # pictures under way, at most
_UNDER_WAY = 64 << 20  # bytes of pixels, once it is seen how large the pictures are
_PATIENCE = 3.0  # seconds between two words
_log = logging.getLogger(__name__)


def decoded(
    files: Collection[Readable], config: DataConfig, left_out: Counter[str], where: str
) -> Iterator[list[Frame]]:
    """``read_frames`` of every file in its turn, several at a time; said if it takes a while.

    Of a file that cannot be read, with ``config.skip_broken``, nothing, and a warning that names
    it. Frames that are too many for memory are mapped (see ``mapped.Spool``).
    """
    spool, clock = Spool(), _Clock(where, len(files))
    with ThreadPoolExecutor(n_processors()) as pool:

        def begin(file: Readable) -> Future[tuple[list[Frame], Counter[str]]]:
            return pool.submit(_decode, _in_hand(file), config)

        # Some are under way, never all: what is decoded waits for its turn in memory.
        waiting = iter(files)
        n_threads, largest = n_processors(), 1
        under_way = deque(map(begin, itertools.islice(waiting, n_threads)))
        while under_way:
            frames: list[Frame] = []
            try:
                with skipping(config, left_out):
                    frames, passed = under_way.popleft().result()
                    left_out.update(passed)
            except DataError:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
            largest = max(largest, sum(frame.nbytes for frame in frames))
            allowed = max(n_threads, min(_AT_ONCE, _UNDER_WAY // largest))
            under_way.extend(
                map(begin, itertools.islice(waiting, max(0, allowed - len(under_way))))
            )
            yield [spool.put(frame) for frame in frames]
            clock.tick(spool.size)


@contextmanager
def skipping(config: DataConfig, left_out: Counter[str]) -> Iterator[None]:
    """With ``config.skip_broken``, name and count what cannot be read instead of raising."""
    try:
        yield
    except DataError as error:
        if not config.skip_broken:
            text = str(error).removesuffix(".")
            raise DataError(f"{text}; --skip-broken leaves it out.") from error
        _log.warning("%s", error)
        left_out["broken"] += 1


def _decode(file: Readable, config: DataConfig) -> tuple[list[Frame], Counter[str]]:
    left_out: Counter[str] = Counter()
    return read_frames(file, config, left_out), left_out


def _in_hand(file: Readable) -> Readable:
    """The bytes of a member of an archive, which one thread alone may read; a file as it is."""
    if isinstance(file, (Path, Blob)):
        return file
    with reading(file), file.open("rb") as stream:
        return Blob(str(file), stream.read())


@dataclass(frozen=True)
class Blob:
    """Bytes as a file."""

    name: str
    content: bytes

    def open(self, mode: Literal["rb"] = "rb", /) -> IO[bytes]:
        """Its bytes."""
        return io.BytesIO(self.content)

    def __str__(self) -> str:
        return self.name


class _Clock:
    """Says, of what takes a while, how much it will be and how far it is."""

    def __init__(self, where: str, total: int) -> None:
        self.where, self.total, self.done = where, total, 0
        self.begun = time.monotonic()
        self.said = self.begun

    def tick(self, n_bytes: int) -> None:
        """One more file is done; ``n_bytes`` of pixels came of all so far."""
        self.done += 1
        now = time.monotonic()
        if now - self.said < _PATIENCE or self.done == self.total:
            return
        left = (now - self.begun) * (self.total - self.done) / self.done
        size = f", about {in_bytes(n_bytes * self.total / self.done)} once decoded"
        _log.info("%s: %d of %d pictures read%s; %.0f s to go.", self.where, self.done, self.total,
                  size if self.said == self.begun else "", left)  # fmt: skip
        self.said = now


def n_processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
