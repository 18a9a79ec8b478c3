"""The weights along a training: which moments, the same bits however it went, whose they are."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from training_helpers import (
    EPOCHS,
    STEPS,
    CopyAfter,
    InterruptAt,
    assert_same_outcome,
    fit_tiny,
    resume_tiny,
)

import zscape
from zscape.errors import CheckpointError, ConfigError
from zscape.training import Run, find_snapshot, load_snapshot, snapshots
from zscape.training.snapshots import moments, titles

N = 5
OPTIONS = {"snapshots": N, "ema": 0.9}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kept") / "run"
    fit_tiny(folder, **OPTIONS)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "snapshots").iterdir()}


@pytest.mark.parametrize(("n", "n_steps"), [(2, 1), (2, 9), (5, 9), (10, 9), (20, 1180), (90, 99)])
def test_moments_go_from_start_to_end_evenly_in_the_logarithm(n: int, n_steps: int) -> None:
    steps = moments(n, n_steps)
    assert (len(steps), steps[0], steps[-1]) == (n, 0, n_steps)
    gaps = [b - a for a, b in pairwise(steps)]
    assert min(gaps) >= 1
    assert moments(n_steps + 5, n_steps) == tuple(range(n_steps + 1))
    if (n, n_steps) == (20, 1180):  # by hand: 1180 ** (17 / 18) is 796.6
        assert steps[:4] == (0, 1, 2, 3)
        assert steps[-2] == round(1180 ** (17 / 18))


def test_the_first_is_the_blank_network_and_the_last_the_model_to_use(kept: Path) -> None:
    run = Run.open(kept)
    found = snapshots(run)
    assert [one.step for one in found] == list(moments(N, EPOCHS * STEPS))
    assert [one.number for one in found] == [*range(N)]
    assert [one.epoch for one in found] == [one.step / STEPS for one in found]
    blank = zscape.model.build_model(run.config.model, seed=run.config.train.seed).state_dict()
    for one, wanted in ((found[0], blank), (found[-1], run.model().model.state_dict())):
        own = load_snapshot(run, one).model.state_dict()
        assert all(torch.equal(own[name], value.half().float()) for name, value in wanted.items())
    assert titles(found)[0] == "start"
    assert titles(found)[-1] == f"epoch {EPOCHS}"


def test_keeping_them_changes_nothing(kept: Path, tmp_path: Path) -> None:
    fit_tiny(tmp_path / "run", ema=0.9)
    assert_same_outcome(tmp_path / "run", kept)
    assert not (tmp_path / "run" / "snapshots").exists()


def test_stopped_killed_and_gone_on_they_are_the_same_bits(kept: Path, tmp_path: Path) -> None:
    stopped, copy = tmp_path / "stopped", tmp_path / "copy"
    assert not fit_tiny(stopped, progress=InterruptAt(1), **OPTIONS).is_finished
    while not resume_tiny(stopped, progress=InterruptAt(3)).is_finished:
        pass
    assert files(stopped) == files(kept)
    fit_tiny(tmp_path / "whole", progress=CopyAfter(1, tmp_path / "whole", copy), **OPTIONS)
    assert len(snapshots(Run.open(copy))) < N
    (copy / "snapshots" / f".{EPOCHS * STEPS:09}.safetensors.abc12345").write_bytes(b"half")
    assert resume_tiny(copy).is_finished
    assert files(copy) == files(kept)


def test_the_moment_of_an_early_stop_is_kept_too(tmp_path: Path) -> None:
    how = {"early_stopping": 1, "learning_rate": 0.3, "schedule": "constant", "epochs": 30}
    result = fit_tiny(tmp_path / "run", snapshots=2, **how)
    assert len(result.history) < 30
    found = snapshots(Run.open(tmp_path / "run"))
    assert [one.epoch for one in found] == [0, len(result.history)]


def test_of_several_processes_the_first_writes(tmp_path: Path) -> None:
    fit_tiny(tmp_path / "run", strategy="ddp", **OPTIONS)
    assert len(files(tmp_path / "run")) == N


def test_a_moment_is_named_behind_the_run(kept: Path) -> None:
    run = Run.open(kept)
    opened = zscape.load(f"{kept}@2")
    assert (opened.name, opened.snapshot) == ("run@2", snapshots(run)[2])
    assert opened.history == run.metrics()[: int(snapshots(run)[2].epoch)]
    assert find_snapshot(run, "epoch:3").number == N - 1
    assert find_snapshot(run, "epoch:2.9").number == N - 2
    assert find_snapshot(run, "epoch:0").number == 0
    assert torch.equal(
        opened.model.decode(torch.zeros(1, 3)),
        load_snapshot(run, snapshots(run)[2]).model.decode(torch.zeros(1, 3)),
    )


@pytest.mark.parametrize("which", ["5", "-1", "epoch:4", "epoch:", "last", ""])
def test_what_does_not_exist_is_refused(kept: Path, which: str) -> None:
    with pytest.raises(CheckpointError, match=r"has @0 to @4, and @epoch:E for E from 0 to 3"):
        zscape.load(f"{kept}@{which}")


def test_a_run_without_any_says_how_to_keep_them(finished_run: Path) -> None:
    with pytest.raises(CheckpointError, match="no snapshots; they are kept along a training with"):
        zscape.load(f"{finished_run}@0")


def test_a_snapshot_of_another_run_is_refused(kept: Path, tmp_path: Path) -> None:
    other = tmp_path / "run"
    fit_tiny(other, seed=1, **OPTIONS)
    name = f"{EPOCHS * STEPS:09}.safetensors"
    shutil.copy(kept / "snapshots" / name, other / "snapshots" / name)
    with pytest.raises(CheckpointError, match="is of another run or moment"):
        zscape.load(f"{other}@4")
    shutil.copy(other / "model.safetensors", other / "snapshots" / name)
    with pytest.raises(CheckpointError, match="is no snapshot"):
        zscape.load(f"{other}@4")


def test_a_folder_may_have_the_sign_in_its_name(kept: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(kept, tmp_path / "run@4"))
    assert zscape.load(folder).snapshot is None
    assert zscape.load(f"{folder}@4").name == "run@4@4"


def test_overwriting_a_run_takes_its_snapshots_along(kept: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(kept, tmp_path / "copy"))
    fit_tiny(copy, epochs=1, overwrite=True)
    assert not (copy / "snapshots").exists()


def test_without_a_folder_there_is_nowhere_to_keep_them() -> None:
    with pytest.raises(ConfigError, match="snapshots are kept in the run folder"):
        fit_tiny(snapshots=3)


def test_numbers_too_large_for_half_precision_keep_their_own(tmp_path: Path) -> None:
    from zscape.training import load_weights, save_weights
    from zscape.training.weights import read_tensors

    opened = zscape.load("zoo:2")
    with torch.no_grad():
        opened.model.fc21.weight[0, 0] = 1e5  # type: ignore[union-attr]
    save_weights(opened.model, opened.model_config, tmp_path / "a.safetensors", dtype=torch.float16)
    tensors, _ = read_tensors(tmp_path / "a.safetensors")
    assert tensors["fc21.weight"].dtype == torch.float32
    assert tensors["fc22.weight"].dtype == torch.float16
    found = load_weights(tmp_path / "a.safetensors").model
    assert found.fc21.weight[0, 0] == 1e5  # type: ignore[union-attr]
