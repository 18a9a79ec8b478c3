"""A training that is killed at any moment goes on by ``--resume`` to the bits it would have had."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from forked import Program, Undisturbed
from reliability import Tries

from training.training_helpers import assert_same_outcome
from zscape.training.run import CHECKPOINT, CONFIG

PART = "Kills and signals"


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
