"""The ``VAE`` base class: everything that does not depend on the layers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn

from zscape.config import ModelConfig
from zscape.errors import ShapeError
from zscape.model.likelihoods import Likelihood, create_likelihood, likelihoods
from zscape.registry import Registry
from zscape.seeding import derive


class VAE(nn.Module):
    """A variational autoencoder; a network adds ``encode`` and ``decode_logits``.

    Parameters
    ----------
    latent_dim
        Number of latent neurons.
    image_shape
        (channels, height, width) of one picture.
    likelihood
        Name of a registered likelihood.

    Raises
    ------
    ConfigError
        latent_dim below 1, or an unknown likelihood.
    """

    def __init__(
        self,
        latent_dim: int = 20,
        image_shape: tuple[int, int, int] = (1, 28, 28),
        likelihood: str = "bernoulli",
    ) -> None:
        super().__init__()
        config = ModelConfig(latent_dim=latent_dim, image_shape=image_shape)
        self.latent_dim = config.latent_dim
        self.image_shape = config.image_shape
        self.likelihood = create_likelihood(likelihood)

    @abstractmethod
    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Posterior of pixels ``x`` (batch, c, h, w): mean and log-variance (batch, latent_dim)."""

    @abstractmethod
    def decode_logits(self, z: Tensor) -> Tensor:
        """Logits (batch, c, h, w) of latents ``z`` (batch, latent_dim)."""

    def decode(self, z: Tensor) -> Tensor:
        """Pictures of latents ``z``: expected pixels (batch, c, h, w), in [0, 1].

        For the Bernoulli likelihood these are the probabilities of white.
        """
        if z.ndim != 2 or z.shape[1] != self.latent_dim:
            raise ShapeError(f"z must be (batch, {self.latent_dim}); got {tuple(z.shape)}.")
        return self.likelihood.mean(self.decode_logits(z))

    def reparameterize(
        self, mu: Tensor, logvar: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """One sample of N(mu, exp(logvar)) per row, differentiable in both."""
        noise = torch.randn(mu.shape, generator=generator, device=mu.device, dtype=mu.dtype)
        return mu + noise * torch.exp(0.5 * logvar)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(reconstruction of a posterior sample, mu, logvar), as in the tutorial."""
        mu, logvar = self.encode(x)
        return self.decode(self.reparameterize(mu, logvar)), mu, logvar

    def get_latent_dim(self) -> int:
        """Number of latent neurons; the tutorial's spelling of ``latent_dim``."""
        return self.latent_dim

    def check_images(self, x: Tensor) -> None:
        """Raise ``ShapeError`` unless ``x`` is a batch of this model's pictures."""
        if x.ndim != 4 or tuple(x.shape[1:]) != self.image_shape:
            raise ShapeError(
                f"x must be (batch, {str(self.image_shape)[1:]}; got {tuple(x.shape)}."
            )


networks: Registry[type[VAE]] = Registry("network", VAE, option="network")
register_network: Callable[[str], Callable[[type[VAE]], type[VAE]]] = networks.register


def allowed(
    network: str | type[VAE] | None = None,
    likelihood: str | type[Likelihood] | None = None,
    *,
    here: bool = False,
) -> dict[str, str]:
    """What a person gave of their own, as options of ``ModelConfig``; see ``Registry.allow``."""
    own: dict[str, str] = {}
    if network is not None:
        own["network"] = networks.allow(network, here=here)
    if likelihood is not None:
        own["likelihood"] = likelihoods.allow(likelihood, here=here)
    return own


def build_model(config: ModelConfig, *, seed: int = 0) -> VAE:
    """The untrained model that ``config`` describes; the same seed gives the same weights.

    Raises
    ------
    ConfigError
        Unknown network or likelihood, or the network cannot take this image shape.
    """
    network = networks[config.network]
    # Built on the CPU from its generator alone: the seeds of no other device are touched.
    with torch.device("cpu"), torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(derive(seed, "init"))
        vae = network(config.latent_dim, config.image_shape, config.likelihood)
        if config.init == "tutorial":
            initialize_as_tutorial(vae)
    return vae


def initialize_as_tutorial(vae: nn.Module) -> None:
    """Kaiming-normal with ``fan_out`` on every layer, in place.

    Kept for comparison only: on the layers before the log-variance it multiplies the signal's
    variance until the first epoch's loss is in the billions of nats.
    """
    for module in vae.modules():
        if isinstance(module, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
