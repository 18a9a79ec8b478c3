"""Trainings of several processes, of which one is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from cli.cli_helpers import OPTIONS, flags, is_group_gone, run, save_npz, start
from training.training_helpers import assert_same_outcome

PART = "Several processes"
TWO = ("--devices", 2, "--strategy", "ddp")
NETWORKS = """
import os
import time

import torch

from zscape.model import MLPVAE

is_second = os.environ.get("LOCAL_RANK") == "1"


class Diverging(MLPVAE):
    def reparameterize(self, mu, logvar, generator=None):
        return mu * (torch.nan if is_second else 1)


class FirstSleeps(MLPVAE):
    def encode(self, x):
        if self.training and not is_second:
            time.sleep(1e4)
        return super().encode(x)


class SecondSleeps(MLPVAE):
    def encode(self, x):
        if self.training and is_second:
            time.sleep(1e4)
        return super().encode(x)
"""
TRAINING = {
    **OPTIONS, "data": "blobs.npz", "epochs": 40, "accelerator": "cpu", "precision": "32",
    "checkpoint_minutes": 1e-9,
}  # fmt: skip
LOST = "zscape: Another process of this training has ended or cannot be reached"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data, networks, and what two processes have trained."""
    folder = tmp_path_factory.mktemp("several")
    save_npz(folder / "blobs.npz")
    (folder / "networks.py").write_text(NETWORKS)
    done = run("train", "--out", "whole", *flags(TRAINING), *TWO, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def second_of(process: subprocess.Popen[str]) -> int:
    """The process that the first has started."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + 100
    while not (found := children.read_text().split()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return int(found[0])


def wait_for(file: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 100
    while not file.is_file():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def all_said(process: subprocess.Popen[str]) -> str:
    """What all have said, once all have ended: within a minute."""
    try:
        _, said = process.communicate(timeout=60)  # the pipe is closed when the last is gone
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    deadline = time.monotonic() + 60
    while not is_group_gone(process):  # an orphan is until the system has taken note of its end
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return said


@pytest.mark.slow
@pytest.mark.attack(PART, "one of two processes that train together killed (SIGKILL)")
@pytest.mark.parametrize("victim", [0, 1])
def test_one_of_two_is_killed(tmp_path: Path, place: Path, victim: int) -> None:
    folder = tmp_path / "run"
    process = start("train", "--out", folder, *flags(TRAINING), *TWO, cwd=place)
    wait_for(folder / "last.ckpt" / "state.safetensors", process)
    os.kill(second_of(process) if victim else process.pid, signal.SIGKILL)
    said = all_said(process)
    assert process.returncode == (2 if victim else -signal.SIGKILL)
    assert said.splitlines()[-1].startswith(LOST)
    assert "Traceback" not in said
    assert run("train", "--resume", folder, cwd=place).returncode == 0
    assert_same_outcome(folder, place / "whole")


@pytest.mark.slow
@pytest.mark.attack(PART, "the same, while the other is in a step that takes hours")
@pytest.mark.parametrize("sleeper", ["FirstSleeps", "SecondSleeps"])
def test_the_other_does_not_notice(tmp_path: Path, place: Path, sleeper: str) -> None:
    folder = tmp_path / "run"
    options = TRAINING | {"network": f"networks:{sleeper}"}
    process = start("train", "--out", folder, *flags(options), *TWO, cwd=place)
    wait_for(folder / "environment.json", process)
    second = second_of(process)
    time.sleep(2)
    os.kill(second if sleeper == "FirstSleeps" else process.pid, signal.SIGKILL)
    said = all_said(process)
    assert LOST.removeprefix("zscape: ") in said
    assert "Traceback" not in said


@pytest.mark.slow
@pytest.mark.attack(PART, "one of two processes diverges: both end, and it is said once")
def test_one_of_two_diverges(tmp_path: Path, place: Path) -> None:
    options = TRAINING | {"network": "networks:Diverging"}
    process = start("train", "--out", tmp_path / "run", *flags(options), *TWO, cwd=place)
    said = all_said(process)
    assert process.returncode == 2
    assert [line[:25] for line in said.splitlines()[1:]] == ["zscape: Training diverged"]
