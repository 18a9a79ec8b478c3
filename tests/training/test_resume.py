from __future__ import annotations

import json
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from training_helpers import (
    EPOCHS,
    STEPS,
    CopyAfter,
    InterruptAt,
    assert_same_outcome,
    fit_tiny,
    make_splits,
    resume_tiny,
)

from zscape.errors import CheckpointError, DataError
from zscape.training import Progress, Run, Trainer
from zscape.training.interrupt import polite_interrupt
from zscape.training.weights import read_tensors

VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "bf16": {"precision": "bf16"},
    "ema": {"ema": 0.9},
    "dynamic": {"binarize": "dynamic"},
    "kl_warmup": {"kl_warmup": 1.5},
    "early_stopping": {"early_stopping": 2, "learning_rate": 0.1, "schedule": "constant"},
    "clip": {"clip_norm": 1.0, "schedule": "constant"},
    "batch_norm": {"network": "enhanced", "precision": "bf16", "ema": 0.5},
    "muon": {"optimizer": "muon", "network": "enhanced", "precision": "bf16"},
    "learned": {"likelihood": "gaussian-learned"},
}


@pytest.mark.parametrize("options", VARIANTS.values(), ids=VARIANTS.keys())
def test_a_stopped_training_ends_as_one_that_never_was(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    whole, copy = tmp_path / "whole", tmp_path / "copy"
    fit_tiny(whole, progress=CopyAfter(1, whole, copy), **options)

    assert len(Run.open(copy).metrics()) == 1
    assert resume_tiny(copy).is_finished
    assert_same_outcome(copy, whole)

    stopped = tmp_path / "stopped"
    result = fit_tiny(stopped, progress=InterruptAt(STEPS + 1), **options)
    assert not result.is_finished
    assert len(result.history) == len(Run.open(stopped).metrics()) == 1
    result = resume_tiny(stopped)
    assert result.is_finished
    assert result.history == Run.open(stopped).metrics()
    assert_same_outcome(stopped, whole)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "run"
    fit_tiny(folder)
    return folder


@pytest.mark.parametrize("n_steps", [1, 2, STEPS, 2 * STEPS, EPOCHS * STEPS])
def test_stopping_after_any_step(tmp_path: Path, whole: Path, n_steps: int) -> None:
    assert not fit_tiny(tmp_path / "run", progress=InterruptAt(n_steps)).is_finished
    assert resume_tiny(tmp_path / "run").is_finished
    assert_same_outcome(tmp_path / "run", whole)


def test_stopping_again_and_again(tmp_path: Path, whole: Path) -> None:
    folder = tmp_path / "run"
    is_finished = fit_tiny(folder, progress=InterruptAt(2)).is_finished
    n_sessions = 1
    while not is_finished:
        is_finished = resume_tiny(folder, progress=InterruptAt(2)).is_finished
        n_sessions += 1
    assert n_sessions == 1 + EPOCHS * STEPS // 2
    assert_same_outcome(folder, whole)


def test_seconds_of_an_interrupted_epoch_are_added_up(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    fit_tiny(folder, progress=InterruptAt(2))
    state = Run.open(folder).path / "last.ckpt" / "state.safetensors"
    seconds = json.loads(read_tensors(state)[1]["counters"])["seconds"]
    assert seconds > 0
    resume_tiny(folder)
    assert Run.open(folder).metrics()[0]["seconds"] >= round(seconds, 3)


def test_a_finished_run_resumes_to_itself(run_copy: Path, finished_run: Path) -> None:
    result = resume_tiny(run_copy)
    assert result.is_finished
    assert len(result.history) == EPOCHS
    assert_same_outcome(run_copy, finished_run)


def test_a_finished_run_resumes_to_its_best_epoch(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    options = {"early_stopping": 1, "learning_rate": 0.3, "schedule": "constant", "epochs": 30}
    first = fit_tiny(folder, **options)
    assert len(first.history) < 30
    again = resume_tiny(folder)
    assert again.history == first.history
    best = first.model.state_dict()
    assert all((value == best[name]).all() for name, value in again.model.state_dict().items())


def test_a_crash_between_metrics_and_checkpoint_repeats_the_epoch(tmp_path: Path) -> None:
    whole, one, two = (tmp_path / name for name in ("whole", "one", "two"))
    fit_tiny(whole, progress=CopyAfter(1, whole, one))
    fit_tiny(tmp_path / "again", progress=CopyAfter(2, tmp_path / "again", two))
    for name in ("metrics.jsonl", "model.safetensors"):
        shutil.copy(two / name, one / name)
    assert len(Run.open(one).metrics()) == 2
    resume_tiny(one)
    assert [line["epoch"] for line in Run.open(one).metrics()] == [1, 2, 3]
    assert_same_outcome(one, whole)


def test_a_half_written_temporary_file_does_no_harm(tmp_path: Path, whole: Path) -> None:
    folder = tmp_path / "run"
    fit_tiny(folder, progress=InterruptAt(STEPS + 1))
    (folder / "last.ckpt" / ".state.safetensors.abc123").write_bytes(b"half")
    (folder / ".metrics.jsonl.abc123").write_bytes(b"{")
    resume_tiny(folder)
    assert_same_outcome(folder, whole)


def test_stopped_before_the_first_checkpoint(tmp_path: Path) -> None:
    folder = tmp_path / "run"

    class Crash(Progress):
        def on_step(self, trainer: Trainer) -> None:
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        fit_tiny(folder, progress=Crash())
    with pytest.raises(CheckpointError, match="before its first checkpoint"):
        resume_tiny(folder)
    assert fit_tiny(folder, overwrite=True).is_finished


def test_another_shape_of_images_does_not_resume(run_copy: Path) -> None:
    with pytest.raises(DataError, match="was trained on 40 train images"):
        resume_tiny(run_copy, data=make_splits(side=12))


@pytest.fixture
def heeding_interrupts() -> Iterator[None]:
    """As at a terminal: what runs the tests in the background may have Ctrl-C ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeding_interrupts")
def test_second_ctrl_c_interrupts_at_once() -> None:
    with polite_interrupt() as is_interrupted:
        assert not is_interrupted()
        signal.raise_signal(signal.SIGINT)
        assert is_interrupted()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_handler_is_restored_after_training() -> None:
    before = signal.getsignal(signal.SIGINT)
    fit_tiny(epochs=1)
    assert signal.getsignal(signal.SIGINT) is before


def test_training_works_outside_the_main_thread(tmp_path: Path, whole: Path) -> None:
    folder = tmp_path / "run"
    thread = threading.Thread(target=fit_tiny, args=(folder,))
    thread.start()
    thread.join()
    assert_same_outcome(folder, whole)


def test_ctrl_c_without_a_folder_still_returns_the_model() -> None:
    result = fit_tiny(progress=InterruptAt(STEPS + 1))
    assert not result.is_finished
    assert result.run is None
    assert len(result.history) == 1
