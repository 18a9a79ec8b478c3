from __future__ import annotations

import pytest
import torch

from zscape.config import ModelConfig
from zscape.data import ImageSet
from zscape.model import VAE, build_model


@pytest.fixture(scope="session")
def images() -> ImageSet:
    """Thirty pictures; a class is a bright quarter."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 60, (30, 1, 16, 16), generator=generator, dtype=torch.uint8)
    labels = torch.arange(30) % 3
    for k, (row, column) in enumerate([(0, 0), (0, 8), (8, 0)]):
        pixels[labels == k, :, row : row + 8, column : column + 8] += 190
    return ImageSet(pixels, labels, ("a", "b", "c"), split="test", name="corners")


@pytest.fixture
def vae() -> VAE:
    return build_model(ModelConfig(latent_dim=3, image_shape=(1, 16, 16), network="mlp"))


class UserVAE(VAE):
    """What users write: functions for nonlinearities, in-place, shared and nested modules."""

    def __init__(self, latent_dim=3, image_shape=(1, 16, 16), likelihood="bernoulli"):
        super().__init__(latent_dim, image_shape, likelihood)
        nn = torch.nn
        self.conv = nn.Conv2d(1, 4, 4, 4)
        self.norm = nn.BatchNorm2d(4)
        self.act = nn.ReLU(inplace=True)
        self.same = nn.Conv2d(4, 4, 1)
        self.block = nn.ModuleDict({"inner": nn.Linear(4, 5)})
        self.head = nn.Linear(5 * 16, 2 * latent_dim)
        self.hidden = nn.Linear(latent_dim, 7)
        self.out = nn.Linear(7, 256)

    def encode(self, x):
        h = self.act(self.norm(self.conv(x)))
        h = self.act(self.same(h)) + h
        h = torch.tanh(self.same(h))
        h = self.act(self.block["inner"](h.flatten(2).movedim(1, 2)))
        return self.head(h.flatten(1)).chunk(2, 1)

    def decode_logits(self, z):
        return self.out(self.act(self.hidden(z))).view(-1, *self.image_shape)


@pytest.fixture
def user_vae() -> VAE:
    torch.manual_seed(0)
    return UserVAE()
