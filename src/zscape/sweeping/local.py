"""Trials side by side on this machine, each in a process with its share of threads."""

from __future__ import annotations

import json
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

from zscape.errors import ConfigError, DiskFull, ProcessLost
from zscape.files import writing
from zscape.sweeping.board import Board
from zscape.sweeping.folder import LOG
from zscape.sweeping.search import Queue
from zscape.sweeping.trial import FAILED, STOPPED, Outcome, Trial, told
from zscape.sweeping.work import train_trial
from zscape.sweeping.worker import Order
from zscape.training.hardware import find_accelerator
from zscape.training.interrupt import heeding_signals

PATIENCE = 60.0
"""Seconds that a worker has, at the end, to finish its step and save."""
MOST_DEATHS = 3
"""Processes that one trial may take along before it is given up."""


@dataclass(frozen=True)
class Places:
    """Where trials are trained side by side.

    Parameters
    ----------
    threads
        Of each.
    devices
        The GPU of each place, or None where there is none: as many entries as places.
    """

    threads: int
    devices: tuple[int | None, ...]


def find_places(
    accelerator: str, n_trials: int, *, workers: int | None = None, gpus_per_trial: float = 1.0
) -> Places:
    """How many trials fit side by side on this machine, and what each has of it.

    On a CPU as many as there are cores, of one thread each: two trainings of one thread side by
    side are faster than one after the other of two. On GPUs, one on each, or more that share it.

    Raises
    ------
    ConfigError
        No such accelerator here, or numbers out of range.
    """
    if workers is not None and workers < 0:
        raise ConfigError(f"workers must be at least 1, or 0 for this process; got {workers}.")
    if not 0 < gpus_per_trial <= 1:
        raise ConfigError(
            f"gpus_per_trial must be above 0 and at most 1, as a trial trains on one device; got "
            f"{gpus_per_trial}."
        )
    kind = find_accelerator(accelerator)
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    per_gpu, n_gpus = int(1 / gpus_per_trial), 0
    if kind == "cuda":
        import torch

        n_gpus = torch.cuda.device_count()
    most = n_gpus * per_gpu if kind == "cuda" else 1 if kind == "mps" else cores
    n = max(1, min(most, n_trials) if workers is None else workers)
    devices = tuple(k // per_gpu % n_gpus if n_gpus else None for k in range(n))
    return Places(max(1, cores // n), devices)


def run_here(todo: Queue, board: Board, data: Any, *, probes: bool) -> signal.Signals | None:
    """One trial after the other in this process; the signal that stopped it, as ``run``."""
    while (trial := todo.next()) is not None:
        board.begun(trial)

        def tell(news: dict[str, Any], trial: Trial = trial) -> None:
            board.told(trial, news)

        outcome = train_trial(trial, data, tell, probes=probes)
        if outcome.status == STOPPED:
            return signal.Signals[outcome.why]
        todo.ended(trial, outcome)
        board.ended(trial, outcome)
    return None


def run(
    todo: Queue, board: Board, places: Places, data: Any, *, probes: bool,
    own: Sequence[dict[str, str]] = (),
) -> signal.Signals | None:  # fmt: skip
    """Train all trials, as many side by side as there are places.

    A worker that dies is replaced, and its trial goes on from its checkpoint.

    Returns
    -------
    The signal that stopped it, if one did: all trials were saved before.

    Raises
    ------
    KeyboardInterrupt
        A second Ctrl-C; they go on from their last checkpoints.
    DiskFull
        Nothing more can be written.
    ProcessLost
        No worker can be started.
    """
    sweep = todo.sweep.folder
    order = Order(sweep, places.threads, data, probes, tuple(own))
    news: queue.SimpleQueue[tuple[_Worker, dict[str, Any] | None]] = queue.SimpleQueue()
    workers: list[_Worker] = []
    deaths: Counter[str] = Counter()
    try:
        with heeding_signals() as asked:
            for device in places.devices[: max(1, todo.n_left)]:
                workers.append(_Worker(order, device, news))
            while any(worker.is_alive for worker in workers):
                if asked.to_stop:
                    return asked.to_stop
                try:
                    worker, message = news.get(timeout=0.2)
                except queue.Empty:
                    continue
                if message is not None:
                    _heed(worker, message, todo, board)
                elif new := _replaced(worker, order, news, deaths, todo, board):
                    workers[workers.index(worker)] = new
    finally:
        _end(workers)
    return None


def _heed(worker: _Worker, message: dict[str, Any], todo: Queue, board: Board) -> None:
    """Do what follows from one message of a worker."""
    trial = worker.trial
    if "full" in message:
        raise DiskFull(message["full"])
    if "ready" in message or "ended" in message:
        worker.is_ready = True
        if trial is not None:
            outcome = Outcome(**message["ended"])
            if outcome.status == STOPPED:  # by someone's signal to it alone: it ends now
                return
            worker.trial = None
            todo.ended(trial, outcome)
            board.ended(trial, outcome)
        following = todo.next()
        if following is None:
            worker.finish()
            return
        worker.give(following)
        board.begun(following)
    elif trial is not None:
        board.told(trial, message)


def _replaced(
    worker: _Worker, order: Order, news: Any, deaths: Counter[str], todo: Queue, board: Board
) -> _Worker | None:
    """Another worker for one that has ended before all was done, if it is needed."""
    worker.is_alive = False
    code = worker.close()
    trial, worker.trial = worker.trial, None
    lost = trial.name if trial else "" if worker.is_ready else "beginning"
    deaths[lost] += 1
    if lost == "beginning" and deaths[lost] >= MOST_DEATHS:
        raise ProcessLost(
            f"no process can be started to train in (code {code}); what it said is at the end of "
            f"{order.sweep / LOG}."
        )
    if not lost:
        return None
    if trial is not None and deaths[lost] < MOST_DEATHS:
        todo.put_back(trial)
    elif trial is not None:
        how = f"signal {-code}" if code < 0 else f"code {code}"
        outcome = Outcome(
            FAILED, f"its process ended {MOST_DEATHS} times, last with {how}; see {LOG}"
        )
        trial.keep(outcome)
        todo.ended(trial, outcome)
        board.ended(trial, outcome)
    return _Worker(order, worker.device, news)


def _end(workers: Sequence[_Worker]) -> None:
    """Let every worker save and end; those that do not are ended."""
    for worker in workers:
        worker.finish()
    try:
        for worker in workers:
            worker.process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        pass  # what it has not saved, it trains or measures again
    finally:
        for worker in workers:
            worker.process.kill()
        for worker in workers:
            worker.close()


class _Worker:
    """A process that trains, and what it is told and tells."""

    def __init__(self, order: Order, device: int | None, news: Any) -> None:
        environment = dict(os.environ, OMP_NUM_THREADS=str(order.threads))
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))  # a person's modules
        if device is not None:
            seen = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
            environment["CUDA_VISIBLE_DEVICES"] = seen[device] if any(seen) else str(device)
        self.device, self.is_ready = device, False
        self.trial: Trial | None = None
        self.is_alive = True
        log = order.sweep / LOG
        with writing(log), log.open("ab") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "zscape.sweeping.worker"], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=file, env=environment,
                start_new_session=True,  # so that Ctrl-C comes to this process alone
            )  # fmt: skip
        self.reader = threading.Thread(target=self._read, args=(news,), daemon=True)
        self.reader.start()
        self._send(order)

    def give(self, trial: Trial) -> None:
        """Let it train a trial."""
        self.trial = trial
        self._send(told(trial.config) | {"data": trial.config.data.data})

    def finish(self) -> None:
        """Let it end as soon as what it does is saved."""
        self._send(None)

    def close(self) -> int:
        """Let go of what connects it, when it has ended; its exit code."""
        code = self.process.wait()
        self.reader.join()
        for stream in (self.process.stdin, self.process.stdout):
            with suppress(OSError):  # what it did not read
                if stream is not None:
                    stream.close()
        return code

    def _send(self, item: Any) -> None:
        stream: IO[bytes] | None = self.process.stdin
        assert stream is not None
        if stream.closed:
            return
        with suppress(OSError):  # it is gone, as its output is about to say
            pickle.dump(item, stream)
            stream.flush()

    def _read(self, news: Any) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            try:
                message = json.loads(line)
            except ValueError:  # cut off by its end
                break
            news.put((self, message))
        news.put((self, None))
