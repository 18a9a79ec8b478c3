from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from zscape.config import ModelConfig
from zscape.data import ImageSet, Splits
from zscape.model import build_model
from zscape.report import Subject


@pytest.fixture
def make_subject() -> Callable[..., Subject]:
    """A small untrained network, and pictures of soft spots whose place is their class."""

    def make(
        n: int = 40, *, latent_dim: int = 3, shape: tuple[int, int, int] = (1, 12, 10),
        n_classes: int | None = 3, network: str = "mlp",
        is_alive: bool = True, **more: object,
    ) -> Subject:  # fmt: skip
        config = ModelConfig(network=network, latent_dim=latent_dim, image_shape=shape)
        train, test = (spots(m, shape, n_classes, seed) for seed, m in enumerate((2 * n, n)))
        data = Splits(train, test)
        vae = build_model(config, seed=0)
        with torch.no_grad():  # untrained, all neurons would be dead
            for parameter in vae.parameters():
                parameter.mul_(3 if is_alive else 1)
        return Subject("small", vae, config, data, **more)  # type: ignore[arg-type]

    return make


def spots(n: int, shape: tuple[int, int, int], n_classes: int | None, seed: int) -> ImageSet:
    rng = np.random.default_rng(seed)
    rows = np.arange(n) % (n_classes or 3)
    c, h, w = shape
    y, x = np.mgrid[:h, :w]
    row = (rows + 0.5) / (n_classes or 3) * h + rng.normal(0, 0.5, n)
    column = w / 2 + rng.normal(0, 1.5, n)
    spot = np.exp(-((y - row[:, None, None]) ** 2 + (x - column[:, None, None]) ** 2) / 4)
    images = (255 * spot[:, None] * rng.uniform(0.5, 1, (n, c, 1, 1))).astype(np.uint8)
    if n_classes is None:
        return ImageSet(torch.from_numpy(images), name="spots")
    names = tuple(f"row {i}" for i in range(n_classes))
    return ImageSet(torch.from_numpy(images), torch.from_numpy(rows), names, name="spots")
