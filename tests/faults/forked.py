"""``zscape`` in processes of its own that need not import torch first: forked from one that has.

A process that was killed is one that was killed, wherever it came from; this saves three seconds
for each.
"""

from __future__ import annotations

import multiprocessing
import os
import stat
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from zscape.training.run import CHECKPOINT, STATE

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [
        "lightning_fabric",
        "matplotlib.figure",
        "zscape.api",
        "zscape.cli",
        "zscape.figures",
        "zscape.training",
    ]
)


class Program:
    """A ``zscape`` that runs, or has run, with ``log`` beside its folder."""

    def __init__(
        self, *arguments: object, log: Path, before: Callable[[], None] | None = None
    ) -> None:
        self.log = log
        texts = [str(argument) for argument in arguments]
        self.process: ForkServerProcess = _CONTEXT.Process(target=_run, args=(texts, log, before))
        self.process.start()

    def wait(self, seconds: float = 120) -> int:
        """Its exit code; -9 if it was killed by signal 9."""
        self.process.join(seconds)
        assert self.process.exitcode is not None, f"still runs after {seconds} s: {self.said}"
        return self.process.exitcode

    def send(self, number: int) -> None:
        """Send a signal."""
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def kill_after(self, seconds: float) -> int:
        """Its exit code, after SIGKILL if it has not ended before."""
        self.process.join(seconds)
        self.process.kill()
        return self.wait()

    @property
    def said(self) -> str:
        """Everything on stdout and stderr."""
        return self.log.read_text(errors="backslashreplace") if self.log.exists() else ""


def _run(arguments: list[str], log: Path, before: Callable[[], None] | None) -> None:
    with log.open("wb") as file:
        for handle in (1, 2):
            os.dup2(file.fileno(), handle)
    if before is not None:
        before()
    # As a program that starts has them: how they were before says nothing of what they are now.
    if sys.stdout is not None:
        sys.stdout = os.fdopen(1, "w", closefd=False)
        sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    from zscape.cli import main

    sys.argv = ["zscape", *arguments]
    main()


def write_slowly() -> None:
    """Let every file be half written for a moment, so that a kill finds it so."""
    real = os.fsync
    flushed: dict[int, int] = {}

    def fsync(handle: int) -> None:
        about = os.fstat(handle)
        if about.st_size and stat.S_ISREG(about.st_mode):
            before = flushed.get(about.st_ino, 0)  # of a file that grows, what is new is half there
            half = ((before if before < about.st_size else 0) + about.st_size) // 2
            rest = os.pread(handle, about.st_size, half)
            os.ftruncate(handle, half)
            time.sleep(0.03)
            os.pwrite(handle, rest, half)
            flushed[about.st_ino] = about.st_size
        real(handle)

    os.fsync = fsync


FLAGS = (
    "--network", "mlp", "--latent-dim", "3", "--epochs", "4", "--batch-size", "16", "--precision",
    "32", "--accelerator", "cpu", "--optimizer", "adam", "--checkpoint-minutes", "1e-9",
)  # fmt: skip


@dataclass
class Undisturbed:
    """What every killed training must come to."""

    data: Path
    folder: Path
    seconds: float = 0.0
    flags: tuple[str, ...] = FLAGS

    def start(
        self, folder: Path, *more: object, before: Callable[[], None] | None = None
    ) -> Program:
        """The same training in ``folder``, by a writer that takes its time."""
        return Program(
            "train", "--data", self.data, "--out", folder, *self.flags, *more,
            log=folder.with_suffix(".log"), before=before or write_slowly,
        )  # fmt: skip


def wait_for(is_so: Callable[[], bool], program: Program) -> None:
    """Until something is so, while the program runs."""
    deadline = time.monotonic() + 60
    while not is_so():
        assert program.process.is_alive(), program.said
        assert time.monotonic() < deadline, program.said
        time.sleep(0.01)


def begun(
    undisturbed: Undisturbed, folder: Path, before: Callable[[], None] | None = None
) -> Program:
    """A training that has saved its first checkpoint."""
    program = undisturbed.start(folder, before=before)
    wait_for((folder / CHECKPOINT / STATE).is_file, program)
    return program


def resumed(folder: Path) -> Program:
    """The end of a training that was stopped."""
    program = Program("train", "--resume", folder, log=folder.with_suffix(".log"))
    program.wait()
    return program
