"""Outputs that may go away: a closed terminal, a reader that has seen enough, a full disk."""

from __future__ import annotations

from typing import Any, TextIO


class Enduring:
    """Writes to ``stream`` while that can be, and goes on in silence when it cannot.

    A training outlives the terminal or pipe it was started from; ``lost`` tells afterwards.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.lost: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """See ``TextIO``."""
        try:
            return self._stream.write(text) if self.lost is None else len(text)
        except OSError as error:
            self.lost = error
            return len(text)

    def flush(self) -> None:
        """See ``TextIO``."""
        try:
            if self.lost is None:
                self._stream.flush()
        except OSError as error:
            self.lost = error
