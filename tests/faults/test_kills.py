"""A training that is killed at any moment goes on by ``--resume`` to the bits it would have had."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from forked import Program, write_slowly
from reliability import Tries

from training.training_helpers import assert_same_outcome, blobs
from zscape.training.run import CHECKPOINT, CONFIG

PART = "Kills and signals"
FLAGS = (
    "--network", "mlp", "--latent-dim", "3", "--epochs", "4", "--batch-size", "16", "--precision",
    "32", "--accelerator", "cpu", "--optimizer", "adam", "--checkpoint-minutes", "1e-9",
)  # fmt: skip


@dataclass
class Undisturbed:
    """What every killed training must come to."""

    data: Path
    folder: Path
    seconds: float

    def start(self, folder: Path) -> Program:
        """The same training in ``folder``, by a writer that takes its time."""
        return Program(
            "train", "--data", self.data, "--out", folder, *FLAGS,
            log=folder.with_suffix(".log"), before=write_slowly,
        )  # fmt: skip


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    folder = tmp_path_factory.mktemp("undisturbed")
    np.savez(folder / "blobs.npz", images=blobs(60)[:, 0].numpy())
    made = Undisturbed(folder / "blobs.npz", folder / "run", 0)
    for attempt in ("warm", "run"):
        begun = time.perf_counter()
        program = made.start(folder / attempt)
        assert program.wait() == 0, program.said
        made.seconds = time.perf_counter() - begun
    return made


def kill_and_resume(undisturbed: Undisturbed, folder: Path, moment: float) -> bool:
    """Kill a training after a share of its time and resume it.

    Returns
    -------
    Whether the kill found a file half written.
    """
    undisturbed.start(folder).kill_after(moment * undisturbed.seconds)
    is_begun = (folder / CONFIG).is_file()
    was_writing = any(folder.rglob(".*")) if folder.is_dir() else False
    log = folder.with_suffix(".log")
    if is_begun:
        program = Program("train", "--resume", folder, log=log)
    else:  # there is nothing to go on with: what was typed is typed again
        program = undisturbed.start(folder)
    assert program.wait() == 0, program.said
    assert_same_outcome(folder, undisturbed.folder)
    names = [sorted(file.name for file in run.iterdir()) for run in (folder, undisturbed.folder)]
    assert names[0] == names[1]
    assert [file.name for file in (folder / CHECKPOINT).iterdir()] == ["state.safetensors"]
    return was_writing


def kill_often(n: int, seed: int, undisturbed: Undisturbed, folder: Path, tries: Tries) -> None:
    moments = random.Random(seed)
    n_writing = 0
    for number in tries(range(n)):
        own = folder / str(number)
        n_writing += kill_and_resume(undisturbed, own, moments.random())
    tries.of_which["while a file was half written"] = n_writing


@pytest.mark.attack(PART, "`zscape train` killed (SIGKILL) at a random moment, then `--resume`d")
def test_killed_at_a_random_moment(tmp_path: Path, undisturbed: Undisturbed, tries: Tries) -> None:
    kill_often(5, 0, undisturbed, tmp_path, tries)


@pytest.mark.slow
@pytest.mark.attack(PART, "the same, more often")
@pytest.mark.parametrize("seed", range(1, 11))
def test_killed_a_hundred_times(
    tmp_path: Path, undisturbed: Undisturbed, tries: Tries, seed: int
) -> None:
    kill_often(10, seed, undisturbed, tmp_path, tries)
