from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from zscape.config import ModelConfig
from zscape.data import ImageSet
from zscape.latents import LatentTable
from zscape.model import VAE, build_model


@pytest.fixture
def build() -> Callable[..., VAE]:
    """A small untrained model by its latent_dim, network, channels and seed."""

    def build(latent_dim: int = 3, network: str = "mlp", channels: int = 1, seed: int = 0) -> VAE:
        config = ModelConfig(latent_dim=latent_dim, network=network, image_shape=(channels, 16, 16))
        return build_model(config, seed=seed)

    return build


@pytest.fixture
def images() -> ImageSet:
    """30 images of noise in 3 classes, of which the last has no image."""
    return make_images(1)


@pytest.fixture
def colour_images() -> ImageSet:
    return make_images(3)


def make_images(channels: int) -> ImageSet:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (30, channels, 16, 16), generator=generator, dtype=torch.uint8)
    return ImageSet(pixels, torch.arange(30) % 2, ("cat", "7", "none"), "test", "noise")


@pytest.fixture
def table() -> LatentTable:
    """6 rows of 2 neurons; class a is a square around (1, 1) with its centre, b a single point."""
    mu = np.array([[0, 0], [2, 0], [9, 9], [2, 2], [0, 2], [1.5, 1]], np.float32)
    return LatentTable(
        mu=mu,
        logvar=np.log(np.full_like(mu, 0.25)),
        labels=np.array([0, 0, 1, 0, 0, 0]),
        class_names=("a", "b", "empty"),
        indices=np.array([10, 11, 12, 13, 14, 15]),
        name="square",
        fingerprint="0123456789abcdef",
    )
