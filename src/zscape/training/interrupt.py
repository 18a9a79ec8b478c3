"""A signal as a wish to be met after this step, not an accident in the middle of it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

STOP = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""Ctrl-C; what batch schedulers send before they kill; a terminal that is closed."""
SAVE = getattr(signal, "SIGUSR1", None)


@dataclass
class Asked:
    """What was asked for since the training began."""

    to_stop: signal.Signals | None = None
    """By which signal."""
    to_save: bool = False


@contextmanager
def heeding_signals() -> Iterator[Asked]:
    """Yield what signals ask for; a second Ctrl-C interrupts at once.

    Only Ctrl-C: a scheduler, and what it starts, may each send SIGTERM. SIGTERM or SIGHUP that is
    ignored, as by ``nohup``, stays so. Outside the main thread, where signals cannot
    be caught, nothing is ever asked for.
    """
    asked = Asked()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    previous = {number: signal.getsignal(number) for number in (*STOP, SAVE) if number is not None}

    def heed(number: int, _: Any) -> None:
        if number == SAVE:
            asked.to_save = True
        else:
            asked.to_stop = signal.Signals(number)
            signal.signal(signal.SIGINT, previous[signal.SIGINT])

    for number, handler in previous.items():
        if handler is not signal.SIG_IGN or number in (signal.SIGINT, SAVE):
            signal.signal(number, heed)
    try:
        yield asked
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
