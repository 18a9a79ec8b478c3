"""A command that may be started again: it begins a run, or goes on with it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from training_helpers import (
    CopyAfter,
    InterruptAt,
    assert_same_outcome,
    fit_tiny,
    make_config,
    make_splits,
)

import zscape
from zscape.errors import ConfigError, DataError
from zscape.training import Progress, Run, TrainingResult, fit, processes


def again(
    folder: Path, progress: Progress | None = None, seed: int = 1, **options
) -> TrainingResult:
    data = make_splits(n_train=40 if seed == 1 else 41)
    return fit(make_config(**options), data, out=folder, go_on=True, progress=progress)


def test_it_begins_goes_on_and_is_done(tmp_path: Path) -> None:
    whole, folder = tmp_path / "whole", tmp_path / "run"
    fit_tiny(whole)
    assert not again(folder, InterruptAt(4)).is_finished
    assert again(folder).is_finished
    assert_same_outcome(folder, whole)
    before = (folder / "model.safetensors").stat().st_mtime_ns
    assert again(folder).is_finished  # there was nothing left to do
    assert (folder / "model.safetensors").stat().st_mtime_ns == before


def test_in_a_group_of_processes_the_first_says_which_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert not again(folder, InterruptAt(4), strategy="ddp").is_finished
    assert again(folder, strategy="ddp").is_finished


def test_other_options_or_images_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    fit_tiny(folder, epochs=1)
    with pytest.raises(
        ConfigError, match=r"run of other options \(epochs 1 instead of 2\); .*--resume"
    ):
        again(folder, epochs=2, seed=1)
    with pytest.raises(DataError, match="was trained on"):
        again(folder, epochs=1, seed=2, batch_size=14)


def test_as_many_processes_as_there_are_may_go_on(tmp_path: Path) -> None:
    whole, folder = tmp_path / "whole", tmp_path / "run"
    fit_tiny(whole, progress=CopyAfter(1, whole, folder))
    assert again(folder, strategy="ddp").is_finished
    # It is kept as it was begun; what it is trained by now is in environment.json.
    assert Run.open(folder).config.train.strategy == "auto"


def test_a_folder_of_something_else_stays(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(ConfigError, match="not empty and not a run"):
        again(tmp_path)
    for options in ({"overwrite": True, "out": tmp_path}, {}):
        with pytest.raises(ConfigError, match="go_on goes on with the run that is there"):
            zscape.train(go_on=True, **options)
    shutil.rmtree(tmp_path)


def torchrun(monkeypatch: pytest.MonkeyPatch, world: int, here: int) -> None:
    told = {"TORCHELASTIC_RUN_ID": "x", "WORLD_SIZE": str(world), "LOCAL_WORLD_SIZE": str(here)}
    for name, value in told.items():
        monkeypatch.setenv(name, value)


def test_torchrun_says_how_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    config = make_config().train
    assert processes.as_launched(config) is config
    torchrun(monkeypatch, world=6, here=2)
    found = processes.as_launched(config)
    assert (found.devices, found.num_nodes) == (2, 3)
    agreeing = make_config(devices=3, num_nodes=2).train
    assert (processes.as_launched(agreeing).devices) == 2
    with pytest.raises(ConfigError, match="torchrun has started 6 processes, and devices 4 on"):
        processes.as_launched(make_config(devices=4).train)


def test_processes_that_could_not_meet_again_do_not_begin(monkeypatch) -> None:
    torchrun(monkeypatch, world=2, here=2)
    monkeypatch.setenv("TORCHELASTIC_MAX_RESTARTS", "3")
    monkeypatch.setenv("TORCHELASTIC_USE_AGENT_STORE", "True")
    with pytest.raises(ConfigError, match="set TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1 around it"):
        processes.as_launched(make_config().train)
    monkeypatch.setenv("TORCHELASTIC_USE_AGENT_STORE", "False")
    assert processes.as_launched(make_config().train).devices == 2


def test_every_process_still_needs_images_in_every_step(monkeypatch, tmp_path: Path) -> None:
    torchrun(monkeypatch, world=8, here=8)
    with pytest.raises(ConfigError, match=r"at least 2 images in every step.*8 process"):
        again(tmp_path / "run")
    assert not (tmp_path / "run").exists()
