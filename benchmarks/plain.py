"""The plain way to train the same network, written for comparison.

One image at a time through PIL, a ``DataLoader`` with batches of 64, float32, sigmoid and then
cross-entropy, the loss read back every step, Kaiming fan-out initialisation, Adam at 1e-3.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from zscape.data import ImageSet
from zscape.model import initialize_as_tutorial
from zscape.seeding import derive


class PlainDataset(Dataset[tuple[Tensor, int]]):
    """One PIL image, then one tensor, per index."""

    def __init__(self, images: ImageSet) -> None:
        self.images = images.images.permute(0, 2, 3, 1).squeeze(-1).numpy()

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        picture = Image.fromarray(self.images[index])
        pixels = np.asarray(picture, np.float32) / 255
        return torch.from_numpy(pixels.reshape(*pixels.shape[:2], -1)).permute(2, 0, 1), 0


def _stage(layer: nn.Module, channels: int) -> nn.Sequential:
    return nn.Sequential(layer, nn.BatchNorm2d(channels), nn.LeakyReLU(0.2))


class PlainVAE(nn.Module):
    """The tutorial's network from PyTorch's own layers, 28×28×1."""

    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            _stage(nn.Conv2d(1, 32, 4, 2, 1), 32),
            _stage(nn.Conv2d(32, 64, 4, 2, 1), 64),
            _stage(nn.Conv2d(64, 128, 3, 2, 1), 128),
            _stage(nn.Conv2d(128, 256, 4), 256),
        )
        self.fc1, self.fc21 = nn.Linear(256, 512), nn.Linear(512, latent_dim)
        self.fc22, self.fc3 = nn.Linear(512, latent_dim), nn.Linear(latent_dim, 512)
        self.fc4 = nn.Linear(512, 256)
        self.decoder = nn.Sequential(
            _stage(nn.ConvTranspose2d(256, 128, 4), 128),
            _stage(nn.ConvTranspose2d(128, 64, 3, 2, 1), 64),
            _stage(nn.ConvTranspose2d(64, 32, 4, 2, 1), 32),
            nn.ConvTranspose2d(32, 1, 4, 2, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h = F.leaky_relu(self.fc1(self.encoder(x).flatten(1)), 0.2)
        mu, logvar = self.fc21(h), self.fc22(h)
        z = mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)
        h = F.leaky_relu(self.fc4(F.leaky_relu(self.fc3(z), 0.2)), 0.2)
        return self.decoder(h[:, :, None, None]), mu, logvar


def train_plain(
    images: ImageSet, *, latent_dim: int = 10, seed: int = 0
) -> Iterator[tuple[PlainVAE, dict[str, Any]]]:
    """Train for ever; yield the model and the seconds and loss of each epoch."""
    torch.manual_seed(derive(seed, "plain"))
    model = PlainVAE(latent_dim)
    initialize_as_tutorial(model)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loader = DataLoader(PlainDataset(images), batch_size=64, shuffle=True)
    while True:
        model.train()
        clock, total = time.perf_counter(), 0.0
        for x, _ in loader:
            optimizer.zero_grad()
            reconstruction, mu, logvar = model(x)
            loss = F.binary_cross_entropy(reconstruction, x, reduction="sum")
            loss = loss - 0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
            loss.backward()
            optimizer.step()
            total += loss.item()
        yield model, {"seconds": time.perf_counter() - clock, "train_loss": total / len(images)}
