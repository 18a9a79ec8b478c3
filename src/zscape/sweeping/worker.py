"""A process that trains one trial after the other: ``python -m zscape.sweeping.worker``.

What it shall do comes on its standard input, from the process that started it and that alone; what
it has to say of it goes to its standard output, a line of JSON each.
"""

from __future__ import annotations

import _thread
import json
import os
import pickle
import queue
import signal
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import torch

from zscape.config import RunConfig
from zscape.errors import DiskFull
from zscape.model import allowed
from zscape.sweeping.trial import STOPPED, Trial
from zscape.sweeping.work import train_trial


class Order(NamedTuple):
    """What a worker is told before its first trial."""

    sweep: Path
    threads: int
    data: Any
    """The images, if they are not to be found by their name."""
    probes: bool
    own: tuple[dict[str, str], ...]
    """``network`` and ``likelihood`` of a person's own that may be imported."""


def main() -> None:
    """Work until there is nothing more to do, or who gives the work is gone."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what others print is no message
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who gives the work
    signal.signal(signal.SIGTERM, _leave)
    todo: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(todo,), daemon=True).start()

    def say(message: dict[str, Any]) -> None:
        print(json.dumps(message), file=channel, flush=True)

    order: Order = todo.get()
    torch.set_num_threads(order.threads)
    for own in order.own:
        allowed(**own, here=True)
    say({"ready": True})
    while (options := todo.get()) is not None:
        trial = Trial(RunConfig.from_options(**options), order.sweep)
        try:
            outcome = train_trial(trial, order.data, say, probes=order.probes)
        except DiskFull as error:
            say({"full": str(error)})
            return
        say({"ended": asdict(outcome)})
        if outcome.status == STOPPED:
            return


def _listen(todo: queue.SimpleQueue[Any]) -> None:
    """Hand on what comes; at its end, which is that of who gives the work, end at once."""
    stream = sys.stdin.buffer
    while True:
        try:
            item = pickle.load(stream)  # of our own parent
        except EOFError:
            os._exit(1)
        todo.put(item)
        if item is None:  # a training saves and stops; anything else just ends
            _thread.interrupt_main(signal.SIGTERM)


def _leave(*_: Any) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    main()
