"""The vocabulary of the tutorial's notebook: its names, each a thin call into the library.

Cells of the tutorial run once their import lines read ``from zscape.notebook import …``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from zscape import api, figures
from zscape.config import DataConfig, TrainConfig
from zscape.data import ImageSet, load_data
from zscape.errors import ConfigError
from zscape.figures import binarize_image
from zscape.model import VAE, ElboObjective, EnhancedVAE, kl_to_standard_normal
from zscape.seeding import torch_generator
from zscape.training import create_fabric, find_accelerator
from zscape.training.weights import fit_state_dict, read_tensors

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "EnhancedVAE",
    "LossPlotter",
    "VAETrainer",
    "binarize_image",
    "init_model",
    "load_mnist",
    "load_model",
    "loss_function",
    "plot_sample_images",
    "visualize_results",
]


class Loader:
    """Batches ``(images (b, c, h, w) in [0, 1], labels (b,))`` of an ``ImageSet``.

    Stands where the tutorial has a torch ``DataLoader``. A shuffled loader takes a new order
    from torch's global generator each time it is iterated.
    """

    def __init__(self, dataset: ImageSet, batch_size: int, *, shuffle: bool) -> None:
        self.dataset, self.batch_size, self.shuffle = dataset, batch_size, shuffle

    def __len__(self) -> int:
        return -(-len(self.dataset) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor | None]]:
        generator = None
        if self.shuffle:
            generator = torch_generator(int(torch.randint(2**62, ())), "loader")
        return self.dataset.batches(self.batch_size, generator)


def load_mnist(
    num_samples_train: int = 60000, num_samples_test: int = 10000, batch_size: int = 64
) -> tuple[Loader, Loader]:
    """Train and test loaders of MNIST, or of a subset; prints what is in them."""
    whole = load_data("mnist")
    used = load_data("mnist", DataConfig(n_train=num_samples_train, n_test=num_samples_test))
    for total, images in zip(whole, used, strict=True):
        low, high = images.value_range()
        print(  # noqa: T201
            f"{images.split}: {len(images)} of {len(total)} images, "
            f"values from {low:.1f} to {high:.1f}"
        )
    return Loader(used.train, batch_size, shuffle=True), Loader(
        used.test, batch_size, shuffle=False
    )


def plot_sample_images(loader: Loader, num_images: int = 10) -> Figure:
    """Pictures from the loader, with their labels; new ones at every call."""
    n = min(num_images, len(loader.dataset))
    return figures.plot_samples(loader.dataset, n, seed=None)


def init_model(
    latent_dim: int = 10, device: torch.device | str | None = None
) -> tuple[EnhancedVAE, torch.optim.Adam]:
    """An untrained model on ``device`` (a GPU if there is one) and its Adam at 1e-3."""
    model = EnhancedVAE(latent_dim).to(_find_device(device or find_accelerator("auto")))
    return model, torch.optim.Adam(model.parameters(), lr=1e-3)


def loss_function(
    recon_x: Tensor, x: Tensor, mu: Tensor, logvar: Tensor, kld_weight: float = 1.0
) -> Tensor:
    """Pixel cross-entropy of probabilities + ``kld_weight`` * KL; nats, summed over the batch.

    Training uses the same loss from logits, which keeps its precision; see ``ElboObjective``.
    """
    reconstruction = F.binary_cross_entropy(recon_x, x, reduction="sum")
    return reconstruction + kld_weight * kl_to_standard_normal(mu, logvar).sum()


class VAETrainer:
    """The tutorial's trainer: its model, optimiser and loader, our step.

    ``zscape.train`` is faster and better; this one does what the cells say.
    """

    def __init__(
        self,
        model: VAE,
        optimizer: torch.optim.Optimizer,
        train_loader: Loader,
        device: torch.device | str | None = None,
        kld_weight: float = 1.0,
    ) -> None:
        self.model, self.optimizer, self.train_loader = model, optimizer, train_loader
        self.device = _find_device(device or next(model.parameters()).device)
        self.kld_weight = kld_weight

    def train(self, epochs: int, log_interval: int = 10) -> list[float]:
        """Train, and return the mean loss per image of every epoch.

        The bar shows the running loss per image, refreshed every ``log_interval`` batches.
        """
        from tqdm.auto import tqdm

        fabric = create_fabric(TrainConfig(accelerator=self.device.type))
        objective, optimizer = fabric.setup(ElboObjective(self.model), self.optimizer)
        objective.train()
        losses = []
        for epoch in range(epochs):
            total, n_seen = torch.zeros((), device=fabric.device), 0
            with tqdm(self.train_loader, desc=f"epoch {epoch + 1}/{epochs}") as bar:
                for batch, (x, _) in enumerate(bar):
                    loss = objective(x.to(fabric.device)).loss(self.kld_weight)
                    optimizer.zero_grad()
                    fabric.backward(loss)
                    optimizer.step()
                    total += loss.detach() * len(x)
                    n_seen += len(x)
                    if batch % log_interval == 0:
                        bar.set_postfix(loss=f"{float(total) / n_seen:.2f}")
            losses.append(float(total) / n_seen)
        return losses


class LossPlotter:
    """Draws the list of losses that ``VAETrainer.train`` returns."""

    def plot_losses(self, losses: Sequence[float], scale: str = "log") -> Figure:
        """Loss per image over the epochs, on a ``"linear"`` or ``"log"`` scale."""
        history = [{"epoch": i, "train": {"loss": loss}} for i, loss in enumerate(losses, 1)]
        return figures.plot_losses(history, scale)


def load_model(model: VAE, path: Path | str) -> VAE:
    """Put the weights in ``path`` into ``model``, on whatever device it is, and return it.

    Raises
    ------
    CheckpointError
        Missing, damaged, or of another shape; says what does not fit.
    """
    fit_state_dict(model, read_tensors(Path(path))[0], str(path))
    return model


def visualize_results(
    model: VAE,
    data_loader: Loader,
    num_images: int = 10,
    device: torch.device | str | None = None,
    seed: int | None = None,
) -> Figure:
    """Four rows: originals and reconstructions, grey and binarised.

    The same ``seed`` gives the same digits every time, no seed new ones. ``device=None`` is the
    model's own.

    Raises
    ------
    ConfigError
        The device is not on this machine, or more images are asked for than there are.
    """
    if device is not None:
        model = model.to(_find_device(device))
    chosen = api.choose(data_loader.dataset, num_images, seed=seed)
    pictures = api.reconstruct(model, chosen)
    return figures.plot_reconstructions(chosen.pixels(), pictures, chosen.titles())


def _find_device(device: torch.device | str) -> torch.device:
    try:
        found = torch.device(device)
    except RuntimeError as error:
        raise ConfigError(f"device must be cpu, cuda or mps; got {device!r}.") from error
    find_accelerator(found.type)
    return found
