"""The options of ``zscape.train``, for signatures; ``config.py`` says what each is for."""

from __future__ import annotations

from typing import Any, TypedDict


class TrainOptions(TypedDict, total=False):
    """Fields of ``DataConfig``, ``ModelConfig`` and ``TrainConfig``, in their order and types."""

    n_train: int | None
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
    latent_dim: int
    network: Any
    likelihood: Any
    init: str
    condition: str | None
    kld_weight: float
    objective: str
    train_samples: int
    free_bits: float
    tc_weight: float
    epochs: int
    batch_size: int | None
    shuffle: str | None
    learning_rate: float
    optimizer: str
    schedule: str
    warmup: float
    kl_warmup: float
    weight_decay: float
    clip_norm: float | None
    ema: float
    early_stopping: int | None
    checkpoint_minutes: float
    snapshots: int | None
    evaluate_train: int
    precision: str
    accelerator: str
    cuda_graphs: bool
    devices: int
    strategy: str
    num_nodes: int
    tensorboard: bool
    seed: int
