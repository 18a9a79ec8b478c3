"""The ``VAE`` base class: everything that does not depend on the layers."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Protocol, Self, TypeAlias

import torch
from torch import Tensor, nn

from zscape.config import ModelConfig
from zscape.data import ImageSet
from zscape.errors import ConfigError, DataError, ShapeError
from zscape.model.condition import Condition, is_told, join_condition, one_hot_of, told
from zscape.model.likelihoods import Likelihood, create_likelihood, likelihoods
from zscape.registry import Registry
from zscape.seeding import derive
from zscape.words import counted, sides

PIXEL_SLACK = 1e-3
"""How far beyond [0, 1] interpolation and half precision may put a pixel."""


class VAE(nn.Module, ABC):
    """A variational autoencoder; a network adds ``encode`` and ``decode_logits``.

    ``encode`` passes its pictures through ``check_images``, so that arrays and bytes are taken as
    well as tensors.

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

    condition: Condition | None = None
    """What it is told of every picture, if anything; see ``given``."""

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

    @property
    def logit_channels(self) -> int:
        """Channels ``decode_logits`` must give: ``n_parameters`` of the likelihood for each one."""
        return self.image_shape[0] * self.likelihood.n_parameters

    @abstractmethod
    def decode_logits(self, z: Tensor) -> Tensor:
        """Logits (batch, logit_channels, h, w) of latents ``z`` (batch, latent_dim)."""

    def logits(self, z: Tensor) -> Tensor:
        """``decode_logits`` of ``z``, held to its shape.

        Raises
        ------
        ShapeError
            The network gives another: likelihoods would compare it with the picture all the same.
        """
        found, shape = self.decode_logits(z), (self.logit_channels, *self.image_shape[1:])
        if tuple(found.shape[1:]) != shape:
            raise ShapeError(
                f"decode_logits of {type(self).__name__} must give (batch, {str(shape)[1:]}, as "
                f"{type(self.likelihood).__name__} takes {self.likelihood.n_parameters} per pixel "
                f"and channel; got {tuple(found.shape)}."
            )
        return found

    def decode(self, z: Tensor, condition: Any = None) -> Tensor:
        """Pictures of latents ``z``: expected pixels (batch, c, h, w), in [0, 1].

        For the Bernoulli likelihood these are the probabilities of white. ``z`` may be an array.
        ``condition`` is what ``given`` takes.
        """
        return self.likelihood.mean(self.given(condition).logits(self.check_latents(z)))

    def given(self, condition: Any = None) -> Self:
        """The model, told what the pictures are that it encodes and decodes.

        Parameters
        ----------
        condition
            A class (or whatever value the model was trained with) by its name, for all pictures;
            a list of names, one for each; or an integer tensor or array (batch,) of their numbers
            in ``self.condition.names``. None: as it is.

        Returns
        -------
        A view of the same weights; the model itself is left as it is.

        Raises
        ------
        ConfigError
            There is no such value, or the model was trained without a condition.
        """
        if condition is None:
            return self
        if self.condition is None:
            raise ConfigError(
                f"this model was trained without a condition, so it cannot be told {condition!r}."
            )
        return told(self, self.condition.one_hot(condition, next(self.parameters()).device))

    @property
    def chosen(self) -> str | None:
        """What ``given`` was told that all pictures are; None: nothing, or of each another."""
        one_hot = one_hot_of(self)
        if self.condition is None or one_hot is None or len(one_hot) != 1:
            return None
        return self.condition.names[int(one_hot.argmax())]

    def untold(self) -> Self:
        """The model as it was before ``given``."""
        return self if self.condition is None else told(self, None)

    def told_of(self, source: Any) -> Callable[[Any], Self]:
        """A function from rows of ``source`` to this model, told what those are.

        Parameters
        ----------
        source
            An ``ImageSet`` or ``LatentTable``, whose images say it themselves, whatever ``given``
            was told, which stands in where they do not say; or what ``given`` takes.

        Raises
        ------
        ConfigError, DataError
            The images do not say what they are, or the model does not know it.
        """
        is_of_images = hasattr(source, "class_names")
        if self.condition is None or source is None:
            view = self if is_of_images else self.given(source)
            return lambda rows: view
        if is_of_images:
            try:
                source = self.condition.codes(source)
            except DataError:
                if not is_told(self):
                    raise
                return lambda rows: self
        one_hot = self.condition.one_hot(source, next(self.parameters()).device)
        if len(one_hot) == 1:
            view = told(self, one_hot)
            return lambda rows: view
        return lambda rows: told(self, one_hot[torch.as_tensor(rows).to(one_hot.device)])

    def told_anything(self) -> Self:
        """The model told the first value there is: for who asks of layers and not of pictures."""
        return (
            self if self.condition is None or is_told(self) else self.given(self.condition.names[0])
        )

    def reparameterize(
        self, mu: Tensor, logvar: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """One sample of N(mu, exp(logvar)) per row, by ``generator``; differentiable in both."""
        noise = torch.randn(mu.shape, generator=generator, device=mu.device, dtype=mu.dtype)
        return mu + noise * torch.exp(0.5 * logvar)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(reconstruction of a posterior sample, mu, logvar) of ``x``, as in the tutorial."""
        mu, logvar = self.encode(x)
        return self.decode(self.reparameterize(mu, logvar)), mu, logvar

    def get_latent_dim(self) -> int:
        """Number of latent neurons; the tutorial's spelling of ``latent_dim``."""
        return self.latent_dim

    def check_images(self, x: Any) -> Tensor:
        """``x`` as a batch of this model's pictures, in its type of number and on its device.

        Parameters
        ----------
        x
            Tensor, array or ``ImageSet``, (batch, c, h, w): floats in [0, 1], bool, or integers in
            [0, 255]. The range is looked at in evaluation mode only: a training does not wait.

        Returns
        -------
        (batch, c, h, w) floats in [0, 1].

        Raises
        ------
        ShapeError
            Another shape.
        DataError
            A pixel is outside its range or not a number.
        """
        x = x.pixels() if isinstance(x, ImageSet) else x
        pixels = self._as_own(x, "x", white=255)
        if pixels.ndim != 4 or tuple(pixels.shape[1:]) != self.image_shape:
            raise ShapeError(
                f"x must be (batch, {str(self.image_shape)[1:]}; got {tuple(pixels.shape)}."
            )
        if not self.training and not torch.compiler.is_compiling():
            check_pixels(pixels)
        return pixels

    def check_latents(self, z: Any) -> Tensor:
        """``z``, tensor or array, as a batch (batch, latent_dim) like the parameters.

        Raises
        ------
        ShapeError
            Another shape.
        """
        latents = self._as_own(z, "z")
        if latents.ndim != 2 or latents.shape[1] != self.latent_dim:
            raise ShapeError(f"z must be (batch, {self.latent_dim}); got {tuple(latents.shape)}.")
        return latents

    def _as_own(self, value: Any, where: str, white: float = 1) -> Tensor:
        """A tensor like the parameters; whole numbers are divided by ``white``."""
        try:
            x = value if isinstance(value, Tensor) else torch.tensor(value)
        except (TypeError, ValueError, RuntimeError) as error:
            raise ShapeError(f"{where} must be an array of numbers: {error}.") from error
        if not x.is_floating_point() and x.dtype != torch.bool:
            x = x / white
        own = next(self.parameters(), x)
        # What fits stays the very same object: whoever records a pass knows it by that.
        return x if (x.dtype, x.device) == (own.dtype, own.device) else x.to(own)


def check_pixels(x: Tensor) -> None:
    """Raise ``DataError`` unless all of ``x`` lies in [0, 1], up to rounding."""
    if not x.numel():
        return
    low, high = (float(edge) for edge in x.detach().aminmax())
    if not (low >= -PIXEL_SLACK and high <= 1 + PIXEL_SLACK):
        hint = "; divide by 255, or pass them as bytes" if low >= 0 and 2 < high <= 255 else ""
        raise DataError(f"pixels must be in [0, 1]; got values from {low:g} to {high:g}{hint}.")


class HasModel(Protocol):
    """What ``zscape.load`` and ``zscape.train`` return, among others."""

    @property
    def model(self) -> VAE:
        """The model."""


ModelLike: TypeAlias = VAE | HasModel
"""Whatever ``as_vae`` takes."""


def describe_model(vae: VAE) -> str:
    """``EnhancedVAE of 10 latent neurons for images 1x28x28``."""
    neurons = counted(vae.latent_dim, "latent neuron")
    known = f", told the {vae.condition.title}" if vae.condition else ""
    return f"{type(vae).__name__} of {neurons} for images {sides(vae.image_shape)}{known}"


def as_vae(source: ModelLike) -> VAE:
    """The model that ``source`` is, or has as its ``model``.

    Raises
    ------
    ConfigError
        It is neither; the message says what to do with what it is.
    """
    vae = source if isinstance(source, VAE) else getattr(source, "model", None)
    if isinstance(vae, VAE):
        return vae
    hint = "pass what zscape.load or zscape.train returned, or its .model"
    if isinstance(source, (str, os.PathLike)):
        hint = f"open it with zscape.load({str(source)!r})"
    elif isinstance(source, nn.Module):
        hint = "make it one with zscape.wrap(module, latent_dim=…, image_shape=…)"
    raise ConfigError(f"this needs a model (zscape.VAE); got a {type(source).__name__}: {hint}.")


networks: Registry[type[VAE]] = Registry("network", VAE, option="network")
register_network: Callable[[str], Callable[[type[VAE]], type[VAE]]] = networks.register


def allowed(
    network: str | type[VAE] | None = None,
    likelihood: str | type[Likelihood] | None = None,
    *,
    here: bool = False,
) -> dict[str, str]:
    """What a person gave of their own, as options of ``ModelConfig``; see ``Registry.allow``.

    Parameters
    ----------
    network, likelihood
        A registered name, a class, or ``module:Class``, which is imported; nothing by default.
    here
        Whether the module may lie in the working folder; see ``Registry.allow``.

    Returns
    -------
    ``network`` and ``likelihood`` by their registered names, those that were given.
    """
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
        if config.condition is not None:
            if not config.condition_names:
                raise ConfigError(f"condition {config.condition} needs its condition_names.")
            join_condition(vae, Condition(config.condition, config.condition_names))
    return vae


def initialize_as_tutorial(vae: nn.Module) -> None:
    """Kaiming-normal with ``fan_out`` on every layer of ``vae``, in place.

    Kept for comparison only: on the layers before the log-variance it multiplies the signal's
    variance until the first epoch's loss is in the billions of nats.
    """
    for module in vae.modules():
        if isinstance(module, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
