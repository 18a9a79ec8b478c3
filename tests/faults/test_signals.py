"""Signals, and outputs that go away."""

from __future__ import annotations

import fcntl
import os
import pty
import shlex
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from forked import Program, Undisturbed, begun, resumed, wait_for, write_slowly

from training.training_helpers import assert_same_outcome

PART = "Kills and signals"
STATE = Path("last.ckpt", "state.safetensors")
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.mark.attack(PART, "SIGINT, SIGTERM and SIGHUP: saved, exit code 130, 143, 129, resumed")
@pytest.mark.parametrize("number", STOPPING, ids=lambda number: number.name)
def test_a_signal_stops_and_saves(
    tmp_path: Path, undisturbed: Undisturbed, number: signal.Signals
) -> None:
    folder = tmp_path / "my run"
    program = begun(undisturbed, folder)
    program.send(number)
    assert program.wait() == 128 + number
    again = f"zscape train --resume {shlex.quote(str(folder))}"
    assert program.said.splitlines()[-1] == f"Stopped and saved. Go on with: {again}"
    assert "Traceback" not in program.said
    assert resumed(folder).wait() == 0
    assert_same_outcome(folder, undisturbed.folder)


def ignore_hangup() -> None:
    write_slowly()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


@pytest.mark.attack(PART, "SIGHUP under `nohup`: it goes on")
def test_nohup(tmp_path: Path, undisturbed: Undisturbed) -> None:
    program = begun(undisturbed, tmp_path / "run", before=ignore_hangup)
    program.send(signal.SIGHUP)
    assert program.wait() == 0
    assert_same_outcome(tmp_path / "run", undisturbed.folder)


@pytest.mark.attack(PART, "SIGUSR1 at any moment: a checkpoint, and it goes on")
def test_a_signal_saves(tmp_path: Path, undisturbed: Undisturbed) -> None:
    folder = tmp_path / "run"
    # Without it there is no checkpoint before the end of the first epoch, and that is a long one.
    program = undisturbed.start(folder, "--checkpoint-minutes", 0, "--epochs", 1, "--batch-size", 4)
    wait_for((folder / "environment.json").is_file, program)

    def asked() -> bool:
        program.send(signal.SIGUSR1)  # heeded once the first step has begun, ignored before
        time.sleep(0.01)
        return (folder / STATE).is_file()

    wait_for(asked, program)
    assert not (folder / "metrics.jsonl").exists()
    assert program.wait() == 0, program.said
    assert "epoch 1/1" in program.said


@pytest.mark.attack(PART, "SIGTERM of `zscape explore`: it says that it has stopped")
def test_explore_ends_in_order(tmp_path: Path, undisturbed: Undisturbed) -> None:
    program = Program(
        "explore", undisturbed.folder, "--maps", "pca", "--no-open", "--n", 7,
        log=tmp_path / "log",
    )  # fmt: skip
    wait_for(lambda: "(Ctrl-C stops)" in program.said, program)
    program.send(signal.SIGTERM)
    assert program.wait() == 0
    assert program.said.endswith("\nStopped.\n")
    assert "Traceback" not in program.said


def lose_reader() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    for handle in (1, 2):
        os.dup2(writer, handle)


def fill_all() -> None:
    for handle in (1, 2):
        os.dup2(os.open("/dev/full", os.O_WRONLY), handle)


@pytest.mark.attack(PART, "a training whose output nobody reads (`2>&1 | head`), or is full")
@pytest.mark.parametrize(("before", "code"), [(lose_reader, 141), (fill_all, 2)])
def test_a_training_outlives_its_output(
    tmp_path: Path, undisturbed: Undisturbed, before: Callable[[], None], code: int
) -> None:
    program = undisturbed.start(tmp_path / "run", before=before)
    assert program.wait() == code
    assert_same_outcome(tmp_path / "run", undisturbed.folder)


def on_terminal(name: str) -> None:
    write_slowly()
    os.setsid()
    handle = os.open(name, os.O_RDWR)
    fcntl.ioctl(handle, termios.TIOCSCTTY, 0)
    for each in (0, 1, 2):
        os.dup2(handle, each)


@pytest.mark.attack(PART, "a terminal of 1 column, resized, then closed while it trains")
def test_a_terminal_that_is_resized_and_closed(tmp_path: Path, undisturbed: Undisturbed) -> None:
    folder = tmp_path / "run"
    ours, theirs = pty.openpty()
    try:
        fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 1, 1, 0, 0))
        program = undisturbed.start(folder, before=partial(on_terminal, os.ttyname(theirs)))
        os.set_blocking(ours, False)
        shown = b""

        def drained() -> bool:
            nonlocal shown
            with suppress(BlockingIOError):
                shown += os.read(ours, 10**6)
            return (folder / STATE).is_file()

        wait_for(drained, program)
        for size in ((0, 0), (50, 200)):
            fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
            drained()
        assert b"e" in shown
    finally:
        os.close(theirs)
        os.close(ours)  # upon which the system sends SIGHUP
    assert program.wait() == 128 + signal.SIGHUP
    assert resumed(folder).wait() == 0
    assert_same_outcome(folder, undisturbed.folder)


def fill_output() -> None:
    os.dup2(os.open("/dev/full", os.O_WRONLY), 1)


def lose_errors() -> None:
    os.dup2(os.open("/dev/full", os.O_WRONLY), 2)


def close_all() -> None:
    for handle in (0, 1, 2):
        os.close(handle)
    sys.stdin = sys.stdout = sys.stderr = None  # type: ignore[assignment]


FULL = "zscape: cannot write to the standard output: No space left on device.\n"
OUTPUTS = {
    "a reader that goes away": (("zoo", "list"), lose_reader, 141, ""),
    "full": (("zoo", "list"), fill_output, 2, FULL),
    "full, and an error": (("info", "nowhere"), fill_all, 2, ""),
    "full errors": (("info", "nowhere"), lose_errors, 2, ""),
    "closed": (("zoo", "list"), close_all, 0, ""),
    "closed, and an error": (("info", "nowhere"), close_all, 2, ""),
}


@pytest.mark.attack(PART, "an output that is full, closed, or read by `head`, of any command")
@pytest.mark.parametrize("name", OUTPUTS)
def test_outputs(tmp_path: Path, name: str) -> None:
    command, before, code, said = OUTPUTS[name]
    program = Program(*command, log=tmp_path / "log", before=before)
    assert (program.wait(), program.said) == (code, said)
