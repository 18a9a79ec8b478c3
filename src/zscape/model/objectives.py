"""What a training minimises: each one function of samples from the posterior and what they cost."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor, nn

from zscape.config import TrainConfig
from zscape.errors import ConfigError
from zscape.model.elbo import Draws, draw_posterior, kl_to_standard_normal
from zscape.model.vae import VAE
from zscape.registry import Registry


class Terms(NamedTuple):
    """What one step of a training comes to."""

    loss: Tensor
    """A scalar, to be minimised."""
    reconstruction: Tensor
    """(batch,) minus log p(x | z), the mean over the samples."""
    kl: Tensor
    """(batch, latent_dim), in closed form."""
    others: dict[str, Tensor]
    """(batch,) each: what the objective has besides; nats."""


Objective: TypeAlias = Callable[[Draws, float | Tensor], tuple[Tensor, Tensor]]
"""From samples and the weight of the KL, for each image (batch,): what is to be minimised, and what
that is worth, which is recorded. The two differ where only the gradient of the first is right."""

objectives: Registry[Objective] = Registry("objective")
register_objective = objectives.register


@register_objective("elbo")
def elbo(draws: Draws, kld_weight: float | Tensor) -> tuple[Tensor, Tensor]:
    """Minus the ELBO, its KL in closed form; several samples make it less noisy."""
    kl = kl_to_standard_normal(draws.mu, draws.logvar)
    loss = draws.cost.mean(1) + kld_weight * kl.sum(1)
    return loss, loss


@register_objective("iwae")
def iwae(draws: Draws, kld_weight: float | Tensor) -> tuple[Tensor, Tensor]:
    """Minus the importance-weighted bound.

    References
    ----------
    Burda, Grosse & Salakhutdinov 2016, arXiv:1509.00519, equation 8.
    """
    bound = _log_mean_exp(_log_weights(draws, kld_weight, draws.mu, draws.logvar))
    return -bound, -bound


@register_objective("dreg")
def dreg(draws: Draws, kld_weight: float | Tensor) -> tuple[Tensor, Tensor]:
    """The same bound with the doubly reparameterised gradient of the encoder, which is less noisy.

    The loss is not the bound, only its gradient is the bound's.

    References
    ----------
    Tucker, Lawson, Gu & Maddison 2019, arXiv:1810.04152, equation 8.
    """
    weights = _log_weights(draws, kld_weight, draws.mu.detach(), draws.logvar.detach())
    share = weights.softmax(1).detach()
    if draws.z.requires_grad:
        # What reaches the encoder goes through z: its gradient is weighted by the square.
        draws.z.register_hook(lambda gradient: gradient * share[..., None])  # type: ignore[no-untyped-call]
    return -(share * weights).sum(1), -_log_mean_exp(weights)


def _log_weights(draws: Draws, kld_weight: float | Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    """(batch, samples) log of p(x | z) (p(z) / q(z | x)) ** kld_weight."""
    off = draws.z - mu[:, None]
    ratio = 0.5 * (off.square() / logvar.exp()[:, None] + logvar[:, None] - draws.z.square())
    return kld_weight * ratio.sum(2) - draws.cost


def _log_mean_exp(weights: Tensor) -> Tensor:
    return weights.logsumexp(1) - math.log(weights.shape[1])


class KLParts(NamedTuple):
    """The KL of the posteriors in three parts that add up to a sample of it; (batch,) nats."""

    mutual_information: Tensor
    """What z knows of which image it is."""
    total_correlation: Tensor
    """How far the neurons are from independent."""
    dimension_wise_kl: Tensor
    """How far each neuron by itself is from the prior."""


def decompose_kl(z: Tensor, mu: Tensor, logvar: Tensor, n_images: int) -> KLParts:
    """The three parts, by minibatch-weighted sampling.

    Parameters
    ----------
    z, mu, logvar
        (batch, latent_dim): a sample from the posterior of each image, and the posteriors.
    n_images
        In the set that the batch is drawn from.

    References
    ----------
    Chen, Li, Grosse & Duvenaud 2018, arXiv:1802.04942, equations 2 and S6.
    """
    log_2pi = math.log(2 * math.pi)
    each = (z[:, None] - mu[None]).square() / logvar.exp()[None] + logvar[None] + log_2pi
    pairs = -0.5 * each  # (batch, batch, latent_dim): log q(z_i | x_j), neuron by neuron
    scale = math.log(n_images * len(z))
    own = pairs.diagonal(dim1=0, dim2=1).sum(0)
    whole = pairs.sum(2).logsumexp(1) - scale
    apart = (pairs.logsumexp(1) - scale).sum(1)
    prior = -0.5 * (z.square() + log_2pi).sum(1)
    return KLParts(own - whole, whole - apart, apart - prior)


def check_objective(config: TrainConfig) -> None:
    """Raise unless there is such an objective, and its options go together.

    Raises
    ------
    ConfigError
        They do not.
    """
    objectives[config.objective]
    if config.objective != "elbo" and (config.free_bits or config.tc_weight):
        raise ConfigError(
            f"free_bits and tc_weight change the KL of the elbo; objective {config.objective} "
            "has none of its own."
        )
    if config.objective != "elbo" and config.train_samples == 1:
        raise ConfigError(
            f"objective {config.objective} weighs several samples against each other; give "
            "train_samples of at least 2."
        )


class TrainingObjective(nn.Module):
    """A ``VAE`` seen from what it is trained for: pictures in, ``Terms`` out.

    A module of its own so that whatever wraps ``forward`` (mixed precision, data parallelism)
    wraps the whole computation.

    Parameters
    ----------
    vae
        What is trained.
    config
        Its ``objective``, ``train_samples``, ``free_bits`` and ``tc_weight``.
    n_images
        In the training set.

    Raises
    ------
    ConfigError
        No such objective, or options that do not go together.
    """

    def __init__(self, vae: VAE, config: TrainConfig, n_images: int) -> None:
        super().__init__()
        self.vae, self.config, self.n_images = vae, config, n_images
        check_objective(config)
        self.objective = objectives[config.objective]

    @property
    def names(self) -> tuple[str, ...]:
        """Of ``Terms.others``."""
        own = () if self.config.objective == "elbo" else ("objective",)
        return own + (KLParts._fields if self.config.tc_weight else ())

    def forward(
        self,
        x: Tensor,
        kld_weight: float | Tensor = 1.0,
        generator: torch.Generator | None = None,
        condition: Tensor | None = None,
    ) -> Terms:
        """Terms for pixels ``x`` (batch, c, h, w) in [0, 1], each of its ``condition`` (batch,).

        ``kld_weight`` is what a nat of KL costs at this step; ``generator`` draws the samples.
        """
        config = self.config
        draws = draw_posterior(self.vae, x, config.train_samples, generator, condition)
        kl = kl_to_standard_normal(draws.mu, draws.logvar)
        each, worth = self.objective(draws, kld_weight)
        loss = each.mean()
        others = {} if config.objective == "elbo" else {"objective": worth}
        if config.free_bits:
            # Below its free bits a neuron's mean KL costs nothing more, and pulls at nothing.
            kept = kl.mean(0).clamp_min(config.free_bits).sum()
            loss = loss + kld_weight * (kept - kl.sum(1).mean())
        if config.tc_weight:
            parts = decompose_kl(draws.z[:, 0], draws.mu, draws.logvar, self.n_images)
            loss = loss + config.tc_weight * parts.total_correlation.mean()
            others |= parts._asdict()
        recorded = {name: value.detach() for name, value in others.items()}
        return Terms(loss, draws.cost.mean(1), kl, recorded)
