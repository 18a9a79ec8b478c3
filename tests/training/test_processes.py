"""What several processes leave behind, seen in a group of one: no process has to be started."""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch.distributed as dist
from training_helpers import InterruptAt, fit_tiny, resume_tiny

from zscape.errors import CheckpointError, ConfigError, TrainingDiverged
from zscape.training import Epoch, Progress, Trainer, create_progress

GROUP = {"strategy": "ddp"}


@pytest.fixture(autouse=True)
def _same_environment() -> Iterator[None]:
    """Lightning writes where the processes meet into the environment, for those it starts."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ |= before


class Fail(Progress):
    """Breaks after the first epoch, which was trained in a group."""

    def on_epoch(self, trainer: Trainer, epoch: Epoch) -> None:
        assert dist.is_initialized()
        raise RuntimeError("disk full")


def assert_nothing_is_left() -> None:
    assert not dist.is_initialized()
    if sys.platform == "linux":
        names = [file.read_text() for file in Path("/proc/self/task").glob("*/comm")]
        assert not [name for name in names if "gloo" in name or "tcpstore" in name]


def test_finished_interrupted_and_gone_on(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert not fit_tiny(folder, progress=InterruptAt(4), **GROUP).is_finished
    assert_nothing_is_left()
    # In the same program: what the first training left where they met must not be found again.
    assert resume_tiny(folder).is_finished
    assert_nothing_is_left()


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (RuntimeError, {"progress": Fail()}),
        (TrainingDiverged, {"learning_rate": 1e30, "schedule": "constant"}),
    ],
    ids=["exception", "diverged"],
)
def test_broken_off(kind: type[Exception], options: dict[str, Any]) -> None:
    with pytest.raises(kind) as caught:
        fit_tiny(**GROUP, **options)
    assert_nothing_is_left()  # though the traceback, which holds the frames, is still here
    assert caught.tb


def test_refused(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    fit_tiny(folder, epochs=1, **GROUP)
    (folder / "last.ckpt" / "state.safetensors").write_bytes(b"")
    with pytest.raises(CheckpointError):
        resume_tiny(folder)
    assert_nothing_is_left()
    with pytest.raises(ConfigError, match="already holds a run"):
        fit_tiny(folder, **GROUP)
    assert_nothing_is_left()


@pytest.mark.parametrize("kind", ["rich", "tqdm", "lines"])
@pytest.mark.parametrize("where", ["on_epoch", "start"])
def test_threads_of_displays_and_event_files_end_with_a_training_that_breaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, where: str
) -> None:
    display = create_progress(kind, io.StringIO())
    works = getattr(display, where)

    def fail(*arguments: Any) -> None:
        works(*arguments)
        raise RuntimeError("disk full")

    monkeypatch.setattr(display, where, fail)
    before = set(threading.enumerate())
    with pytest.raises(RuntimeError, match="disk full"):
        fit_tiny(tmp_path / "run", tensorboard=True, epochs=1, progress=display)
    # tqdm keeps one thread for all bars of a program, which only waits.
    for thread in set(threading.enumerate()) - before:
        if thread.name != "tqdm_monitor":
            thread.join(10)  # rich's was told to end
            assert not thread.is_alive()


def test_a_group_that_was_there_before_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    store = dist.HashStore()
    dist.init_process_group("gloo", store=store, rank=0, world_size=1)
    try:
        fit_tiny(epochs=1, **GROUP)
        assert dist.is_initialized()
    finally:
        dist.destroy_process_group()
