"""The learned way back: a small network from the map to the latent space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zscape.config import option
from zscape.embedding.embedding import Embedding
from zscape.embedding.inverse import InverseMethod, Way, inverses
from zscape.embedding.neighbours import Floats
from zscape.seeding import derive, torch_generator

if TYPE_CHECKING:
    from torch import Tensor, nn

PEAK_RATE = 3e-3
BATCH_SIZE = 512
MOST_PAIRS = 200_000
"""Of more, evenly spaced ones are learned from: the steps go through a million once at most."""


@dataclass(frozen=True, eq=False)
class LearnedWay:
    """The trained way back; a ``Way``, and all that is needed to walk it elsewhere.

    Parameters
    ----------
    middle, spread
        (2,) and (): where the network sees the map's origin, and its unit.
    waves
        (2, n_waves): radians per unit, along each axis.
    network
        Linear layers with SiLU between, from 2 + 2 n_waves features to latent_dim.
    mean, scale
        (latent_dim,) and a number: what the answer is multiplied by, then moved by ``mean``.
    """

    middle: Tensor
    spread: Tensor
    waves: Tensor
    network: nn.Sequential
    mean: Floats
    scale: float

    def features(self, places: Tensor) -> Tensor:
        """(m, 2) in the network's units → (m, 2 + 2 n_waves): places, their sines and cosines."""
        import torch

        phases = places @ self.waves
        return torch.cat([places, phases.sin(), phases.cos()], dim=1)

    def __call__(self, points: Floats) -> NDArray[Any]:
        """(m, 2), map units → (m, latent_dim)."""
        import torch

        places = (torch.from_numpy(points) - self.middle) / self.spread
        with torch.no_grad():
            answer = self.network(self.features(places)).numpy()
        z: NDArray[np.float32] = answer * self.scale + self.mean
        return z

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of it, by name; ``of_arrays`` takes it back."""
        layers = {
            f"network.{name}": value.detach().numpy()
            for name, value in self.network.state_dict().items()
        }
        return layers | {
            "middle": self.middle.numpy(), "spread": self.spread.numpy(),
            "waves": self.waves.numpy(), "mean": self.mean, "scale": np.float64(self.scale),
        }  # fmt: skip

    @classmethod
    def of_arrays(cls, arrays: dict[str, NDArray[Any]]) -> LearnedWay:
        """The way that ``arrays`` tell of."""
        import torch

        layers = {
            name.removeprefix("network."): torch.from_numpy(array)
            for name, array in arrays.items() if name.startswith("network.")
        }  # fmt: skip
        middle, spread, waves = (
            torch.from_numpy(arrays[name]) for name in ("middle", "spread", "waves")
        )
        n_features, width = layers["0.weight"].shape[::-1]
        with torch.device("meta"):  # nothing is drawn: the caller's random numbers stay as they are
            network = _network(n_features, width, len(arrays["mean"]))
        network.load_state_dict(layers, assign=True)
        return cls(middle, spread, waves, network, arrays["mean"], float(arrays["scale"]))


def _network(n_features: int, width: int, latent_dim: int) -> nn.Sequential:
    from torch import nn

    return nn.Sequential(
        nn.Linear(n_features, width), nn.SiLU(),
        nn.Linear(width, width), nn.SiLU(),
        nn.Linear(width, latent_dim),
    )  # fmt: skip


@inverses.register("learned")
@dataclass(frozen=True)
class Learned(InverseMethod):
    """A network trained on the pairs (place on the map, latent vector), in seconds.

    Smooth everywhere, also in the void between clusters. Sines and cosines of the place go in
    beside it: without them a network is too smooth for a map, which is torn everywhere.

    References
    ----------
    Tancik et al. 2020, arXiv:2006.10739 (Fourier features).
    """

    about = "a small network"

    width: int = option(128, "Units per hidden layer.", low=1)
    n_waves: int = option(64, "Sines and cosines of the place.", low=0)
    sharpness: float = option(
        6.0, "Waves, in radians per standard deviation of the map.", low=0, high=1e3
    )
    steps: int = option(3000, "Training steps.", low=1)

    def fit(self, embedding: Embedding) -> Way:
        """See ``InverseMethod``."""
        import torch

        step = -(-len(embedding) // MOST_PAIRS)
        coordinates = torch.from_numpy(embedding.coordinates[::step])
        z = embedding.table.mu[::step]
        middle, spread = coordinates.mean(0), coordinates.std().clamp_min(1e-12)
        mean, scale = z.mean(0), max(float(z.std()), 1e-12)
        places, targets = (coordinates - middle) / spread, torch.from_numpy((z - mean) / scale)
        draws = torch_generator(embedding.seed, "inverse", "waves")
        waves = self.sharpness * torch.randn(2, self.n_waves, generator=draws)

        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(derive(embedding.seed, "inverse", "init"))
            network = _network(2 + 2 * self.n_waves, self.width, z.shape[1])
        way = LearnedWay(middle, spread, waves, network, mean, scale)
        self._train(network, way.features(places), targets, embedding.seed)
        return way

    def _train(self, network: Any, inputs: Any, targets: Any, seed: int) -> None:
        import torch

        optimizer = torch.optim.Adam(network.parameters(), lr=PEAK_RATE)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, self.steps)
        generator = torch_generator(seed, "inverse", "batches")
        with torch.enable_grad():
            for _ in range(self.steps):
                rows = torch.randint(len(inputs), (BATCH_SIZE,), generator=generator)
                loss = (network(inputs[rows]) - targets[rows]).square().mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
