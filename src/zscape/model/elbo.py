"""The evidence lower bound and its parts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from zscape.data import ImagesLike, as_image_set, batch_indices
from zscape.errors import ShapeError
from zscape.model.vae import VAE, ModelLike, as_vae
from zscape.seeding import torch_generator
from zscape.words import counted, line

ACTIVE_KL = 0.01
"""A neuron whose mean KL is above this many nats carries information; below it, it is unused."""


class ElboParts(NamedTuple):
    """The two terms, before any averaging; nats."""

    reconstruction: Tensor
    """(batch,) minus log p(x | z), summed over pixels."""
    kl: Tensor
    """(batch, latent_dim) KL of the posterior to the prior."""

    def loss(self, kld_weight: float | Tensor = 1.0) -> Tensor:
        """Mean over the batch of reconstruction + kld_weight * KL; minus the ELBO at 1."""
        return self.reconstruction.mean() + kld_weight * self.kl.sum(1).mean()


def kl_to_standard_normal(mu: Tensor, logvar: Tensor) -> Tensor:
    """KL(q || N(0, I)) of a diagonal Gaussian, kept per latent dimension.

    Parameters
    ----------
    mu, logvar
        Both (batch, latent_dim); natural log of the variance.

    Returns
    -------
    (batch, latent_dim), nats, >= 0 up to rounding. Sum over the last axis for the
    ELBO's term; average over the first to see which neurons are in use.

    Raises
    ------
    ShapeError
        The two shapes differ (broadcasting would hide a bug).

    References
    ----------
    Kingma & Welling 2014, arXiv:1312.6114, Appendix B.
    """
    if mu.shape != logvar.shape:
        raise ShapeError(
            f"mu and logvar must have one shape; got {tuple(mu.shape)} and {tuple(logvar.shape)}."
        )
    return 0.5 * (mu.square() + torch.expm1(logvar) - logvar)


class Draws(NamedTuple):
    """Samples of the posterior of a batch of images, and what each costs; nats."""

    mu: Tensor
    """(batch, latent_dim), of the posterior."""
    logvar: Tensor
    """(batch, latent_dim), natural log of its variance."""
    z: Tensor
    """(batch, samples, latent_dim), reparameterised: gradients go on to mu and logvar."""
    cost: Tensor
    """(batch, samples), minus log p(x | z)."""


def draw_posterior(
    vae: VAE,
    x: Tensor,
    samples: int = 1,
    generator: torch.Generator | None = None,
    condition: Tensor | None = None,
) -> Draws:
    """``samples`` from the posterior of each picture ``x`` (batch, c, h, w) in [0, 1].

    ``condition`` (batch,) says what each is, to a model that is told; see ``VAE.given``.
    """
    mu, logvar = vae.given(condition).encode(x)
    mu, logvar = mu.float(), logvar.float()
    spread = [part.repeat_interleave(samples, 0) if samples > 1 else part
              for part in (mu, logvar, x)]  # fmt: skip
    z = vae.reparameterize(spread[0], spread[1], generator).reshape(len(mu), samples, -1)
    each = condition if condition is None else condition.repeat_interleave(samples)
    logits = vae.given(each).logits(z.flatten(0, 1)).float()
    cost = vae.likelihood.cost(spread[2], logits).reshape(len(mu), samples)
    return Draws(mu, logvar, z, cost)


class ElboObjective(nn.Module):
    """A ``VAE`` seen from its loss: pictures in, ``ElboParts`` out.

    A module of its own so that whatever wraps ``forward`` (mixed precision, data parallelism)
    wraps the whole computation.
    """

    def __init__(self, vae: VAE) -> None:
        super().__init__()
        self.vae = vae

    def forward(
        self,
        x: Tensor,
        generator: torch.Generator | None = None,
        condition: Tensor | None = None,
    ) -> ElboParts:
        """Parts for pixels ``x`` (batch, c, h, w) in [0, 1], with one posterior sample each.

        ``generator`` draws the samples. A model that is told what pictures are is told
        ``condition`` (batch,), the code of each.
        """
        draws = draw_posterior(self.vae, x, 1, generator, condition)
        return ElboParts(draws.cost[:, 0], kl_to_standard_normal(draws.mu, draws.logvar))


@dataclass(frozen=True)
class MeanElbo:
    """Mean ELBO parts of a set of images; nats per image, one posterior sample each."""

    reconstruction: float
    kl_per_neuron: tuple[float, ...]
    n_images: int

    @property
    def kl(self) -> float:
        """KL summed over the latent neurons."""
        return sum(self.kl_per_neuron)

    @property
    def n_active(self) -> int:
        """Latent neurons with a mean KL above ``ACTIVE_KL``."""
        return sum(kl > ACTIVE_KL for kl in self.kl_per_neuron)

    def loss(self, kld_weight: float = 1.0) -> float:
        """Reconstruction + kld_weight * KL."""
        return self.reconstruction + kld_weight * self.kl


def mean_elbo(
    vae: ModelLike, images: ImagesLike, *, seed: int = 0, batch_size: int = 500
) -> MeanElbo:
    """The mean ELBO parts of ``images`` in float32, with batch norm at its running statistics.

    Parameters
    ----------
    vae
        A model, or what has one: what ``zscape.load`` or ``zscape.train`` returned.
    images
        In any form of ``zscape.data.as_image_set``.
    seed
        Of the posterior samples; the same seed gives the same numbers.
    batch_size
        Images at a time, at least 1: a matter of speed and memory alone.
    """
    vae = as_vae(vae)
    images = as_image_set(images, image_shape=vae.image_shape)
    device = next(vae.parameters()).device
    generator = torch_generator(seed, "evaluation", device=device)
    told = vae.told_of(images)
    # On the CPU, because not every device has float64.
    reconstruction = torch.zeros((), dtype=torch.float64)
    kl = torch.zeros(vae.latent_dim, dtype=torch.float64)
    with evaluating(vae):
        for rows in batch_indices(len(images), batch_size):
            x = images.pixels(rows.to(images.images.device)).to(device)
            parts = ElboObjective(told(rows))(x, generator)
            reconstruction += parts.reconstruction.cpu().double().sum()
            kl += parts.kl.cpu().double().sum(0)
    n = len(images)
    return MeanElbo(float(reconstruction / n), tuple((kl / n).tolist()), n)


class ReconstructionCosts(NamedTuple):
    """What the reconstruction of each image costs; nats, summed over pixels."""

    total: NDArray[np.float64]
    """(n,) minus log p(x | z)."""
    avoidable: NDArray[np.float64]
    """(n,) the part that drawing the very picture would have saved: by this images are ordered.

    The rest depends on the picture, not on the model. ``Likelihood.avoidable_cost`` says why."""

    def __repr__(self) -> str:
        mean, saved = (f"{part.mean():.2f} nats" for part in self)
        return line(self, counted(len(self.total), "image"), f"mean {mean}", f"avoidable {saved}")


def reconstruction_costs(
    vae: ModelLike, images: ImagesLike, z: NDArray[np.float32], *, batch_size: int = 250
) -> ReconstructionCosts:
    """What each image costs when it is decoded from its row of ``z``, its posterior mean say.

    Parameters
    ----------
    vae
        A model, or what has one: what ``zscape.load`` or ``zscape.train`` returned.
    images
        In any form of ``zscape.data.as_image_set``.
    z
        (n, latent_dim), a row per image.
    batch_size
        Images at a time, at least 1: a matter of speed and memory alone.

    Raises
    ------
    ShapeError
        Not as many rows as images.
    """
    vae = as_vae(vae)
    images = as_image_set(images, image_shape=vae.image_shape)
    if len(z) != len(images):
        raise ShapeError(f"{len(images)} images need as many rows of z; got {len(z)}.")
    device, told = next(vae.parameters()).device, vae.told_of(images)
    total, avoidable = [], []
    with evaluating(vae):
        for rows in batch_indices(len(images), batch_size):
            x, at = images.pixels(rows).to(device), torch.from_numpy(z[rows.numpy()]).to(device)
            logits = told(rows).logits(at).float()
            total.append(vae.likelihood.cost(x, logits).cpu())
            avoidable.append(vae.likelihood.avoidable_cost(x, logits).cpu())
    return ReconstructionCosts(*(torch.cat(part).double().numpy() for part in (total, avoidable)))


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Meanwhile ``module`` is in evaluation mode, without gradients; then as it was, part by part.

    Convolutions in float32 are exact meanwhile, which a CUDA device by itself rounds to TF32.

    Yields
    ------
    Nothing.
    """
    modes = [(part, part.training) for part in module.modules()]
    rounds = torch.backends.cudnn.allow_tf32
    module.eval()
    torch.backends.cudnn.allow_tf32 = False
    try:
        with torch.no_grad():
            yield
    finally:
        torch.backends.cudnn.allow_tf32 = rounds
        for part, was_training in modes:
            part.training = was_training
