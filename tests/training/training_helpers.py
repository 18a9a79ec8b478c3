"""Tiny trainings, ways to interrupt them, and what must be equal between two of them."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from zscape.config import RunConfig
from zscape.data import ImageSet, Splits
from zscape.training import Epoch, Progress, Run, Trainer, TrainingResult, fit

EPOCHS = 3
STEPS = 3
"""Per epoch, of the tiny training."""


def blobs(n: int, side: int = 16, seed: int = 0) -> torch.Tensor:
    """(n, 1, side, side) bytes: one soft bright spot each, somewhere."""
    generator = torch.Generator().manual_seed(seed)
    centres = torch.rand(n, 2, 1, 1, generator=generator) * side
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    distance = (y - centres[:, 0]).square() + (x - centres[:, 1]).square()
    return (255 * torch.exp(-distance / side)).to(torch.uint8)[:, None]


def make_splits(n_train: int = 40, n_test: int = 10, side: int = 16) -> Splits:
    """Nothing is known of the images but a column ``half``, which is noise."""
    train, test = ({"half": ["a", "b"] * (n // 2) + ["a"] * (n % 2)} for n in (n_train, n_test))
    return Splits(
        ImageSet(blobs(n_train, side, seed=1), split="train", columns=train),
        ImageSet(blobs(n_test, side, seed=2), split="test", columns=test),
    )


def make_config(**options: Any) -> RunConfig:
    tiny = {
        "data": None, "network": "mlp", "latent_dim": 3, "epochs": EPOCHS, "batch_size": 14,
        "precision": "32", "accelerator": "cpu", "optimizer": "adam",
    }  # fmt: skip
    return RunConfig.from_options(**{**tiny, **options})


def fit_tiny(
    out: Path | None = None,
    *,
    data: Splits | None = None,
    progress: Progress | None = None,
    overwrite: bool = False,
    **options: Any,
) -> TrainingResult:
    return fit(
        make_config(**options), data or make_splits(), out=out, progress=progress,
        overwrite=overwrite,
    )  # fmt: skip


def resume_tiny(folder: Path, *, data: Splits | None = None, **kwargs: Any) -> TrainingResult:
    run = Run.open(folder)
    return fit(run.config, data or make_splits(), resume=run, **kwargs)


class InterruptAt(Progress):
    """Sends this process a real SIGINT once ``n_steps`` steps are done."""

    def __init__(self, n_steps: int) -> None:
        self.n_left = n_steps

    def on_step(self, trainer: Trainer) -> None:
        self.n_left -= 1
        if self.n_left == 0:
            signal.raise_signal(signal.SIGINT)


class CopyAfter(Progress):
    """Copies the run folder as it is after an epoch: what a power cut then would leave."""

    def __init__(self, epoch: int, folder: Path, copy: Path) -> None:
        self.epoch, self.folder, self.copy = epoch, folder, copy

    def on_epoch(self, trainer: Trainer, epoch: Epoch) -> None:
        if epoch.number == self.epoch:
            shutil.copytree(self.folder, self.copy)


def without_clock(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    timed = ("seconds", "images_per_second")
    return [{k: v for k, v in line.items() if k not in timed} for line in history]


def assert_same_outcome(folder: Path, other: Path) -> None:
    """Weights, optimiser, counters and metrics of two finished runs, to the bit."""
    for name in ("model.safetensors", "last.ckpt/state.safetensors"):
        tensors, others = load_file(folder / name), load_file(other / name)
        assert tensors.keys() == others.keys()
        for key, value in tensors.items():
            assert torch.equal(value, others[key]), f"{name}: {key}"
        assert (folder / name).read_bytes() == (other / name).read_bytes()
    lines = [without_clock(Run.open(path).metrics()) for path in (folder, other)]
    assert lines[0] == lines[1]
