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
from zscape.training.interrupt import heeding_signals
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
    "muon": {"optimizer": "muon", "network": "enhanced", "precision": "auto"},  # bf16 if it is fast
    "learned": {"likelihood": "gaussian-learned"},
    "dreg": {"objective": "dreg", "train_samples": 3},
    "condition": {"condition": "half"},
    "tc": {"tc_weight": 2.0, "free_bits": 0.05},
    "computed": {"shuffle": "computed", "condition": "half"},
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
    (folder / "last.ckpt" / ".state.safetensors.abc12345").write_bytes(b"half")
    for name in ("config.json", "metrics.jsonl"):
        (folder / f".{name}.abc12345").write_bytes(b"{")
    resume_tiny(folder)
    assert_same_outcome(folder, whole)
    assert not list(folder.rglob(".*"))


class Kill(Progress):
    """Breaks off before the first step, as if the power were cut."""

    def on_step(self, trainer: Trainer) -> None:
        raise RuntimeError("power cut")


def test_stopped_before_the_first_checkpoint_a_run_can_be_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(RuntimeError, match="power cut"):
        fit_tiny(folder, progress=Kill())
    assert fit_tiny(folder, overwrite=True).is_finished


def test_killed_before_its_first_checkpoint_a_run_starts_from_its_configuration(
    tmp_path: Path, whole: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "run"
    with pytest.raises(RuntimeError, match="power cut"):
        fit_tiny(folder, progress=Kill())
    # The metrics of an epoch come before its checkpoint: this is the last moment.
    lines = (whole / "metrics.jsonl").read_text().splitlines(keepends=True)
    (folder / "metrics.jsonl").write_text(lines[0])
    assert resume_tiny(folder).is_finished
    assert_same_outcome(folder, whole)
    assert "stopped before its first checkpoint; it starts anew" in caplog.text


def test_a_run_that_has_lost_its_checkpoint_does_not_start_anew_unasked(run_copy: Path) -> None:
    shutil.rmtree(run_copy / "last.ckpt")
    with pytest.raises(CheckpointError, match="finished 3 epochs, but its checkpoint is gone"):
        resume_tiny(run_copy)


@pytest.mark.parametrize("overwrite", [False, True])
def test_killed_before_its_configuration_was_whole(tmp_path: Path, overwrite: bool) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / ".config.json.abc12345").write_text('{"version"')
    assert fit_tiny(folder, epochs=1, overwrite=overwrite).is_finished
    assert not (folder / ".config.json.abc12345").exists()


def test_killed_while_overwriting_a_folder_is_still_a_run(
    run_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run_copy / "notes.txt").write_text("mine")
    with monkeypatch.context() as patch:
        patch.setattr(Run, "_write_json", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            fit_tiny(run_copy, overwrite=True)
    assert fit_tiny(run_copy, epochs=1, overwrite=True).is_finished
    assert (run_copy / "notes.txt").read_text() == "mine"


def copy_after_each_step(folder: Path, copies: Path, **options: Any) -> None:
    """Train with a checkpoint after every step, and keep what a power cut then would leave."""

    class CopyAll(Progress):
        n = 0

        def on_step(self, trainer: Trainer) -> None:
            shutil.copytree(folder, copies / str(self.n))
            self.n += 1

    fit_tiny(folder, progress=CopyAll(), checkpoint_minutes=1e-9, **options)


@pytest.mark.parametrize("name", ["ema", "batch_norm", "early_stopping"])
def test_long_epochs_are_saved_inside_and_go_on_to_the_same_bits(tmp_path: Path, name: str) -> None:
    options = VARIANTS[name]
    whole, folder, copies = (tmp_path / part for part in ("whole", "run", "copies"))
    fit_tiny(whole, **options)
    copy_after_each_step(folder, copies, **options)
    assert_same_outcome(folder, whole)  # saving changes nothing
    for n in (1, STEPS - 1, STEPS + 1):
        steps = json.loads(read_tensors(copies / str(n) / "last.ckpt" / "state.safetensors")[1]
                           ["counters"])  # fmt: skip
        assert (steps["epoch"], steps["step"]) == divmod(n, STEPS)
        resume_tiny(copies / str(n))
        assert_same_outcome(copies / str(n), whole)


def test_short_epochs_are_saved_at_their_end_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[int] = []
    monkeypatch.setattr(Run, "save_checkpoint", lambda _, trainer: saved.append(trainer.step))
    fit_tiny(tmp_path / "run")
    fit_tiny(tmp_path / "never", checkpoint_minutes=0)
    assert saved == [0] * 2 * EPOCHS


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
    with heeding_signals() as asked:
        assert asked.to_stop is None
        signal.raise_signal(signal.SIGINT)
        assert asked.to_stop == signal.SIGINT
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
