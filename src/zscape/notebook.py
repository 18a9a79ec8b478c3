"""The vocabulary of the tutorial's notebook: its names, each a thin call into the library.

Cells of the tutorial run once their import lines read ``from zscape.notebook import …``. The
sliders, which the tutorial wrote out, are ``explore_sliders``.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from zscape import api, figures
from zscape.config import DataConfig
from zscape.data import ImageSet, as_image_set, load_data
from zscape.errors import ConfigError, needing
from zscape.figures import binarize_image
from zscape.latents import VectorLike, as_neurons, decode, format_vector, locate
from zscape.model import (
    VAE,
    ElboObjective,
    EnhancedVAE,
    check_pixels,
    kl_to_standard_normal,
)
from zscape.training import find_accelerator
from zscape.training.weights import fit_state_dict, read_tensors

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "EnhancedVAE",
    "LatentSliders",
    "LossPlotter",
    "VAETrainer",
    "binarize_image",
    "explore_sliders",
    "init_model",
    "load_mnist",
    "load_model",
    "loss_function",
    "plot_sample_images",
    "visualize_results",
]


class Loader:
    """Batches ``(images (b, c, h, w) in [0, 1], labels (b,))`` of an ``ImageSet``.

    Stands where the tutorial has a torch ``DataLoader``, and deals the same batches: all of
    ``batch_size`` images, the last of what is left (never of one image, from which batch norm
    cannot learn: it then gets one of the batch before). A shuffled loader takes a new order from
    torch's global generator each time it is iterated.
    """

    def __init__(self, dataset: ImageSet, batch_size: int, *, shuffle: bool) -> None:
        if batch_size < 1:
            raise ConfigError(f"batch_size must be at least 1; got {batch_size}.")
        self.dataset, self.batch_size, self.shuffle = dataset, batch_size, shuffle

    def __len__(self) -> int:
        return -(-len(self.dataset) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor | None]]:
        n, size = len(self.dataset), self.batch_size
        order = torch.randperm(n) if self.shuffle else torch.arange(n)
        ends = list(range(size, n, size))
        if size > 2 and n % size == 1 and ends:
            ends[-1] -= 1
        labels = self.dataset.labels
        for index in order.tensor_split(ends):
            yield self.dataset.pixels(index), None if labels is None else labels[index]


def load_mnist(
    num_samples_train: int = 60000, num_samples_test: int = 10000, batch_size: int = 64
) -> tuple[Loader, Loader]:
    """(train, test) loaders of MNIST, or of a subset; prints what is in them.

    Parameters
    ----------
    num_samples_train, num_samples_test
        How many, drawn at random, always the same ones; all by default.
    batch_size
        Images of a batch, at least 1.

    Returns
    -------
    Both give batches ``(images (b, c, h, w) in [0, 1], labels (b,))``; that of the training
    images in a new order every time.
    """
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
    """``num_images`` pictures from the loader, with their labels; new ones at every call."""
    return figures.plot_samples(as_image_set(loader), num_images, seed=None)


def init_model(
    latent_dim: int = 10, device: torch.device | str | None = None
) -> tuple[EnhancedVAE, torch.optim.Adam]:
    """An untrained model on ``device`` (a GPU if there is one) and its Adam at 1e-3.

    It has ``latent_dim`` neurons, for MNIST.

    The weights start as PyTorch starts them. The tutorial's own start, whose first epoch costs
    billions of nats, is ``zscape.model.initialize_as_tutorial(model)``.
    """
    model = EnhancedVAE(latent_dim).to(_find_device(device or find_accelerator("auto")))
    return model, torch.optim.Adam(model.parameters(), lr=1e-3)


def loss_function(
    recon_x: Tensor, x: Tensor, mu: Tensor, logvar: Tensor, kld_weight: float = 1.0
) -> Tensor:
    """Pixel cross-entropy of probabilities + ``kld_weight`` * KL; nats, summed over the batch.

    Training uses the same loss from logits, which keeps its precision; see ``ElboObjective``.

    Parameters
    ----------
    recon_x, x
        (batch, c, h, w): probabilities, and pixels in [0, 1].
    mu, logvar
        (batch, latent_dim): the posteriors.
    kld_weight
        What a nat of KL costs; 1 makes it minus the ELBO.

    Returns
    -------
    One number, which can be differentiated.
    """
    reconstruction = F.binary_cross_entropy(recon_x, x, reduction="sum")
    return reconstruction + kld_weight * kl_to_standard_normal(mu, logvar).sum()


class VAETrainer:
    """The tutorial's trainer: float32, and the loss summed over the batch is what is minimised.

    The model is trained in place and left in training mode, on ``device``; ``load_model`` and
    ``visualize_results`` leave one in evaluation mode. ``zscape.train`` is faster and better;
    this one does what the cells say.

    Parameters
    ----------
    model
        Trained in place.
    optimizer
        Of its parameters.
    train_loader
        Of ``load_mnist``.
    device
        Where; the model's own by default.
    kld_weight
        What a nat of KL costs.
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
        """Train, and return the mean loss per image of every epoch, in nats.

        The bar shows the running loss per image.

        Parameters
        ----------
        epochs
            How often every image is seen, at least 1.
        log_interval
            Batches from one refresh of the bar to the next.
        """
        from tqdm.auto import tqdm

        objective = ElboObjective(self.model.to(self.device)).train()
        losses = []
        for epoch in range(epochs):
            total, n_seen = torch.zeros((), device=self.device), 0
            with tqdm(self.train_loader, desc=f"epoch {epoch + 1}/{epochs}") as bar:
                for batch, (x, _) in enumerate(bar):
                    check_pixels(x)
                    loss = objective(x.to(self.device)).loss(self.kld_weight) * len(x)
                    self.optimizer.zero_grad()
                    loss.backward()
                    self.optimizer.step()
                    total += loss.detach()
                    n_seen += len(x)
                    if batch % log_interval == 0:
                        bar.set_postfix(loss=f"{float(total) / n_seen:.2f}")
            losses.append(float(total) / n_seen)
        return losses


class LossPlotter:
    """Draws the list of losses that ``VAETrainer.train`` returns."""

    def plot_losses(self, losses: Sequence[float], scale: str = "log") -> Figure:
        """``losses`` per image over the epochs, on a ``"linear"`` or ``"log"`` scale."""
        history = [{"epoch": i, "running": {"loss": loss}} for i, loss in enumerate(losses, 1)]
        return figures.plot_losses(history, scale)


def load_model(model: VAE, path: Path | str) -> VAE:
    """Put the weights in ``path`` into ``model``, on whatever device it is, and return it.

    It is then in evaluation mode: ``model.encode(x)`` of an image does not depend on the others,
    and changes nothing.

    Raises
    ------
    CheckpointError
        Missing, damaged, or of another shape; says what does not fit.
    """
    fit_state_dict(model, read_tensors(Path(path))[0], str(path))
    return model.eval()


def visualize_results(
    model: VAE,
    data_loader: Loader,
    num_images: int = 10,
    device: torch.device | str | None = None,
    seed: int | None = None,
) -> Figure:
    """Four rows: originals and reconstructions, grey and binarised.

    Parameters
    ----------
    model
        Whose reconstructions.
    data_loader
        Of ``load_mnist``: the digits are drawn from it.
    num_images
        How many digits, at most as many as there are.
    device
        Where; the model's own by default. It is moved to any other, and left in evaluation mode.
    seed
        The same gives the same digits every time, none new ones.

    Raises
    ------
    ConfigError
        The device is not on this machine, or more images are asked for than there are.
    """
    if device is not None:
        model = model.to(_find_device(device))
    chosen = api.choose(as_image_set(data_loader), num_images, seed=seed)
    pictures = api.reconstruct(model.eval(), chosen)
    return figures.plot_reconstructions(chosen.pixels(), pictures, chosen.titles(), binarized=True)


def explore_sliders(
    model: api.Openable,
    z: VectorLike | ImageSet | None = None,
    *,
    neurons: int | str | Sequence[int | str] | None = None,
    limit: float = 3.0,
    side: int = 280,
) -> LatentSliders:
    """One slider per latent neuron and the picture they decode to, live.

    Parameters
    ----------
    model
        A model, or what stands for one: ``"zoo:10"``, a run folder, what ``train`` returned.
    z
        Where the sliders stand at first, and where all other neurons stay: a vector in any form
        of ``zscape.latents.as_vectors``, a set of one image, or the origin by default.
    neurons
        Which get a slider; all by default.
    limit
        Sliders go from -limit to limit, latent units; further where ``z`` lies beyond.
    side
        Of the picture's longer side, screen pixels at least.

    Raises
    ------
    ConfigError, ShapeError
        A neuron or vector that does not fit, or a limit or side that is not above 0.
    MissingExtraError
        ipywidgets is not installed.
    """
    model = api.open_model(model).model
    chosen = as_neurons(neurons, model.latent_dim)
    if len(set(chosen)) < len(chosen):
        raise ConfigError(f"neurons must differ; got {chosen}.")
    for name, value in (("limit", limit), ("side", side)):
        if not 0 < value < float("inf"):
            raise ConfigError(f"{name} must be a finite number above 0; got {value}.")
    return LatentSliders(model, locate(model, z), chosen, limit, side)


class LatentSliders:
    """What ``explore_sliders`` returns; the last line of a cell shows it.

    Where a page has no Python behind it, a still picture stands in for the sliders.

    Parameters
    ----------
    model
        Which decodes.
    z
        (latent_dim,): where the sliders stand at first.
    neurons
        Which get a slider.
    limit
        Sliders go from -limit to limit, latent units; further where ``z`` lies beyond.
    side
        Of the picture's longer side, screen pixels at least.
    """

    def __init__(
        self, model: VAE, z: NDArray[np.float32], neurons: Sequence[int], limit: float, side: int
    ) -> None:
        with needing("notebook", "a slider per neuron"):
            import ipywidgets as widgets
        self.model, self.start, self.neurons, self.side = model, z, neurons, side
        self.sliders = {}
        for neuron in neurons:
            end = max(limit, abs(float(z[neuron])))
            self.sliders[neuron] = widgets.FloatSlider(
                value=float(z[neuron]), min=-end, max=end, step=0.01, description=f"z{neuron}"
            )
        self.picture = widgets.Image(format="png", layout={"border": "1px solid #d0d7de"})
        self.vector = widgets.HTML(layout={"max_width": f"{side + 20}px"})
        reset, random = (widgets.Button(description=word) for word in ("reset", "random"))
        reset.on_click(lambda _: self.reset())
        random.on_click(lambda _: self.random())
        self.is_moving = False
        for slider in self.sliders.values():
            slider.observe(lambda _: self._draw(), names="value")
        room = {"max_height": f"{side + 160}px", "overflow": "auto"}
        columns = widgets.VBox(list(self.sliders.values()), layout=room)
        shown = widgets.VBox([self.picture, widgets.HBox([reset, random]), self.vector])
        self.box = widgets.HBox([columns, shown])
        self._draw()

    @property
    def z(self) -> NDArray[np.float32]:
        """(latent_dim,): where the sliders stand."""
        z = self.start.copy()
        for neuron, slider in self.sliders.items():
            z[neuron] = slider.value
        return z

    def move(self, z: VectorLike | ImageSet | None) -> None:
        """Put the sliders at ``z``, or as near as they go; see ``zscape.latents.locate``."""
        target = locate(self.model, z)
        self.is_moving = True
        try:
            for neuron, slider in self.sliders.items():
                slider.value = float(target[neuron])
        finally:
            self.is_moving = False
        self._draw()

    def reset(self) -> None:
        """Back to where they stood at first."""
        self.move(self.start)

    def random(self) -> None:
        """A draw from the prior N(0, I)."""
        self.move(torch.randn(self.model.latent_dim))

    def _draw(self) -> None:
        if self.is_moving:
            return
        self.picture.value = self._png()
        self.vector.value = f"<code>{format_vector(self.z)}</code>"  # text that can be selected

    def _png(self) -> bytes:
        from PIL import Image

        pixels = (decode(self.model, self.z)[0] * 255).round().byte().permute(1, 2, 0).numpy()
        image = Image.fromarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels)
        scale = math.ceil(self.side / max(image.size))  # whole: pixels stay squares of one size
        large = image.resize([scale * edge for edge in image.size], Image.Resampling.NEAREST)
        buffer = io.BytesIO()
        large.save(buffer, format="png")
        return buffer.getvalue()

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        z = self.z[None]
        with figures.unshown():
            still = figures.plot_random_samples(decode(self.model, z), z)
        live: dict[str, Any] = self.box._repr_mimebundle_(**kwargs)
        return {**live, "image/png": figures.to_png(still)}


def _find_device(device: torch.device | str) -> torch.device:
    try:
        found = torch.device(device)
    except RuntimeError as error:
        raise ConfigError(f"device must be cpu, cuda or mps; got {device!r}.") from error
    find_accelerator(found.type)
    return found
