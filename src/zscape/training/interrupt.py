"""Ctrl-C as a wish to stop after this step, not an accident in the middle of it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def polite_interrupt() -> Iterator[Callable[[], bool]]:
    """Yield a function that tells whether Ctrl-C was pressed; a second Ctrl-C interrupts at once.

    Outside the main thread, where signals cannot be caught, it always says no.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    previous = signal.getsignal(signal.SIGINT)
    is_wished = False

    def wish(*_: Any) -> None:
        nonlocal is_wished
        is_wished = True
        signal.signal(signal.SIGINT, previous)

    signal.signal(signal.SIGINT, wish)
    try:
        yield lambda: is_wished
    finally:
        signal.signal(signal.SIGINT, previous)
