"""The options of ``zscape.sweep``, for signatures; ``config.py`` says what each is for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, TypedDict, TypeVar

from zscape.sweeping.space import Range

T = TypeVar("T")
Swept: TypeAlias = T | Sequence[T] | Range | str
"""One value, several, or a range to draw from; or any of these as text."""


class SweepOptions(TypedDict, total=False):
    """Those of ``zscape.train`` but for what a trial has one of, in their order."""

    n_train: Swept[int | None]
    n_test: int | None
    stratified: bool
    binarize: str
    resize: int | None
    fit: str
    channels: int | None
    show_channels: str | None
    background: str | None
    range: str | None
    skip_broken: bool
    shape: str | None
    transpose: bool
    keys: str | None
    no_cache: bool
    columns: str | None
    on: str | None
    label: str | None
    bins: int | None
    split_by: str | None
    split_seed: int | None
    latent_dim: Swept[int]
    network: Swept[Any]
    likelihood: Swept[Any]
    init: Swept[str]
    condition: Swept[str | None]
    kld_weight: Swept[float]
    objective: Swept[str]
    train_samples: Swept[int]
    free_bits: Swept[float]
    tc_weight: Swept[float]
    epochs: Swept[int]
    batch_size: Swept[int | None]
    shuffle: Swept[str | None]
    learning_rate: Swept[float]
    optimizer: Swept[str]
    schedule: Swept[str]
    warmup: Swept[float]
    kl_warmup: Swept[float]
    weight_decay: Swept[float]
    clip_norm: Swept[float | None]
    ema: Swept[float]
    early_stopping: Swept[int | None]
    checkpoint_minutes: Swept[float]
    snapshots: Swept[int | None]
    evaluate_train: Swept[int]
    precision: Swept[str]
    accelerator: Swept[str]
    cuda_graphs: Swept[bool]
    tensorboard: Swept[bool]
    seed: Swept[int]


class How(TypedDict, total=False):
    """Who trains the trials of a sweep, as ``sweep`` takes it."""

    engine: str
    workers: int | None
    gpus_per_trial: float | None
    address: str | None
    asha: bool
    progress: str
