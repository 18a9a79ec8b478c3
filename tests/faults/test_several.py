"""Two trainings in one folder: the second is told who is there."""

from __future__ import annotations

from pathlib import Path

import pytest
from forked import FLAGS, Program, Undisturbed, begun

from training.training_helpers import assert_same_outcome

PART = "Several processes"


@pytest.mark.attack(PART, "a second `zscape train` in a folder, while the first trains there")
@pytest.mark.parametrize("how", ["resume", "overwrite", "out"])
def test_a_second_in_the_folder(tmp_path: Path, undisturbed: Undisturbed, how: str) -> None:
    folder = tmp_path / "run"
    first = begun(undisturbed, folder)
    out = ("--data", undisturbed.data, *FLAGS, "--out", folder)
    arguments = {"resume": ("--resume", folder), "out": out, "overwrite": (*out, "--overwrite")}
    second = Program("train", *arguments[how], log=tmp_path / "second.log")
    assert second.wait() == 2
    expected = f"zscape: {folder} is being trained by process {first.process.pid} on "
    if how == "out":
        expected = f"zscape: {folder} already holds a run"
    assert second.said.startswith(expected)
    assert second.said.count("\n") == 1
    assert first.wait() == 0, first.said
    assert_same_outcome(folder, undisturbed.folder)
