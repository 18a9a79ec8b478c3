"""Reading one part of a set: what the whole set would decide has to be said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from zscape.errors import DataError

_is_part = ContextVar("is_part", default=False)


@contextmanager
def part_of_a_set() -> Iterator[None]:
    """Inside, what is read is a part of a set whose other parts are not looked at."""
    token = _is_part.set(True)
    try:
        yield
    finally:
        _is_part.reset(token)


def check_told(where: object, what: str, option: str) -> None:
    """Raise ``DataError`` inside ``part_of_a_set``, where ``what`` is found: each would guess.

    Parameters
    ----------
    option
        Of the training, which decides it for all.
    """
    if _is_part.get():
        raise DataError(
            f"{where}: {what}, which one shard cannot decide for all; train with {option}, or "
            "encode them as one set."
        )
