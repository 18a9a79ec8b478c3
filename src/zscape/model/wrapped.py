"""A network that was trained elsewhere, as a ``VAE`` to look into."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from zscape.errors import ConfigError, ShapeError
from zscape.model.elbo import evaluating
from zscape.model.vae import PIXEL_SLACK, VAE
from zscape.seeding import torch_generator

POINT = -20.0
"""Log-variance of an encoder that gives no variance: in float32, a point."""
OUTPUTS = ("pictures", "logits")

_log = logging.getLogger(__name__)


class WrappedVAE(VAE):
    """What ``wrap`` returns; ``module`` is the network it was given.

    It has no name in the registry: it can be encoded with, decoded, mapped, explored and reported
    on, but not written with ``save_weights`` or trained by ``zscape.train``. Save its module as
    you did before, and wrap it again. Its parameters are those of ``wrap``.
    """

    def __init__(
        self,
        module: nn.Module,
        latent_dim: int,
        image_shape: tuple[int, int, int],
        likelihood: str,
        encode: Callable[..., Any],
        decode: Callable[..., Any],
        output: str,
        pixel_range: tuple[float, float],
    ) -> None:
        super().__init__(latent_dim, image_shape, likelihood)
        self.module, self.output, self.pixel_range = module, output, pixel_range
        self._encode, self._decode = encode, decode
        self.has_variance = True

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """See ``VAE.encode``; without a variance of its own, log-variances are ``POINT``."""
        x, (low, high) = self.check_images(x), self.pixel_range
        # What changes nothing is left out, so that the explorer's page can follow the steps.
        x = x if (low, high) == (0, 1) else low + (high - low) * x
        mean, spread = _parts(self._encode(x))
        mu = _fitted(mean, (self.latent_dim,), "encode")
        if spread is None:
            return mu, torch.full_like(mu, POINT)
        return mu, _fitted(spread, (self.latent_dim,), "encode")

    def decode_logits(self, z: Tensor) -> Tensor:
        """See ``VAE.decode_logits``; those of the pictures, where it decodes pictures."""
        found = self._decoded(z)
        # Not further out than float32 can tell a probability from 0 and 1.
        return found if self.output == "logits" else torch.logit(found, eps=1e-6)

    def decode(self, z: Tensor, condition: Any = None) -> Tensor:
        """See ``VAE.decode``; pictures are those of the module, cut to [0, 1]."""
        if self.output == "logits":
            return super().decode(z, condition)
        return self.given(condition)._decoded(self.check_latents(z))

    def _decoded(self, z: Tensor) -> Tensor:
        found = _fitted(self._decode(z), self.image_shape, "decode")
        if self.output == "logits":
            return found
        low, high = self.pixel_range
        return ((found - low) / (high - low)).clamp(0, 1)


def wrap(
    module: nn.Module,
    latent_dim: int,
    image_shape: tuple[int, int, int],
    *,
    encode: str | Callable[..., Any] = "encode",
    decode: str | Callable[..., Any] = "decode",
    output: str = "pictures",
    pixel_range: tuple[float, float] = (0.0, 1.0),
    likelihood: str = "bernoulli",
) -> WrappedVAE:
    """A network that was trained elsewhere, ready to be encoded with, mapped, explored, reported.

    It is put into evaluation mode and tried once; nothing in it is changed.

    Parameters
    ----------
    module
        Any ``nn.Module`` that makes latents of pictures and pictures of latents.
    latent_dim
        Numbers per latent vector.
    image_shape
        (channels, height, width) of a picture.
    encode
        Name of its method, or a function: pictures (batch, c, h, w) to ``(mu, logvar)``, to a
        distribution with ``mean`` and ``variance``, or to one tensor, (batch, latent_dim) each.
        One tensor has no variance: the images become points (log-variance -20), and whatever is
        said of KL, loss and posterior samples then means nothing.
    decode
        Name of its method, or a function: latents (batch, latent_dim) to pictures (batch, c, h,
        w), or flattened.
    output
        ``"pictures"``: what ``decode`` gives is what one looks at; ``"logits"``: it is what a
        likelihood takes, before a sigmoid.
    pixel_range
        Which numbers are black and white to the module, in and (as pictures) out: (-1, 1) where
        pictures were scaled so.
    likelihood
        Of a pixel, by which costs are counted. Pictures, unlike logits, say only its mean: with
        ``"bernoulli"``, the default, the cost is the cross-entropy.

    Raises
    ------
    ConfigError
        It has no such methods, gives numbers outside its range, or another answer every time.
    ShapeError
        What it gives has another shape.

    Examples
    --------
    >>> from torch import nn
    >>> class Small(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.down, self.up = nn.Linear(64, 2), nn.Linear(2, 64)
    ...     def encode(self, x):
    ...         return self.down(x.flatten(1)), self.down(x.flatten(1))
    ...     def decode(self, z):
    ...         return self.up(z).sigmoid()
    >>> wrap(Small(), latent_dim=2, image_shape=(1, 8, 8)).decode([[0.0, 1.0]]).shape
    torch.Size([1, 1, 8, 8])
    """
    if not isinstance(module, nn.Module):
        raise ConfigError(f"wrap takes an nn.Module; got a {type(module).__name__}.")
    if output not in OUTPUTS:
        raise ConfigError(f"output must be {' or '.join(OUTPUTS)}; got {output!r}.")
    low, high = (float(edge) for edge in pixel_range)
    if not low < high:
        raise ConfigError(f"pixel_range must be (black, white), black below; got {pixel_range}.")
    vae = WrappedVAE(
        module, latent_dim, image_shape, likelihood, _method(module, encode, "encode"),
        _method(module, decode, "decode"), output, (low, high),
    )  # fmt: skip
    vae.eval()
    _try(vae)
    return vae


def _method(module: nn.Module, way: str | Callable[..., Any], what: str) -> Callable[..., Any]:
    found = getattr(module, way, None) if isinstance(way, str) else way
    if callable(found):
        return found
    children = ", ".join(name for name, _ in module.named_children()) or "none"
    raise ConfigError(
        f"{type(module).__name__} has no {way}; say which of its parts it is, {what}='…' "
        f"(it has {children}), or give a function."
    )


def _parts(found: Any) -> tuple[Tensor, Tensor | None]:
    """Mean and log-variance, in whatever form an encoder gives them."""
    if isinstance(found, Tensor):
        return found, None
    if isinstance(found, (tuple, list)) and len(found) == 2:
        return found[0], found[1]
    if isinstance(found, torch.distributions.Distribution):
        return found.mean, found.variance.log()
    raise ConfigError(
        f"encode must give (mu, logvar), a distribution, or one tensor; got {len(found)} things"
        if isinstance(found, (tuple, list))
        else f"{type(found).__name__}; give a function that picks them, encode=lambda x: …."
    )


def _fitted(found: Any, shape: tuple[int, ...], what: str) -> Tensor:
    """(batch, *shape), from that or flattened."""
    if not isinstance(found, Tensor):
        raise ConfigError(f"{what} must give a tensor; got a {type(found).__name__}.")
    if found.ndim < 2 or found[0].numel() != torch.Size(shape).numel():
        raise ShapeError(
            f"{what} must give (batch, {', '.join(map(str, shape))}); got {tuple(found.shape)}."
        )
    return found if found.shape[1:] == shape else found.reshape(len(found), *shape)


def _try(vae: WrappedVAE) -> None:
    """One pass each way, to say now what would otherwise be wrong later."""
    generator = torch_generator(0, "wrap")
    x = torch.rand(3, *vae.image_shape, generator=generator)
    z = torch.randn(64, vae.latent_dim, generator=generator)
    with evaluating(vae):
        inner = x * (vae.pixel_range[1] - vae.pixel_range[0]) + vae.pixel_range[0]
        _, logvar = _parts(vae._encode(vae._as_own(inner, "x")))
        vae.has_variance = logvar is not None
        first, second = vae.encode(x), vae.encode(x)
        found = _fitted(vae._decode(vae.check_latents(z)), vae.image_shape, "decode").float()
    if not torch.equal(first[0], second[0]):
        raise ConfigError(
            "encode gives another answer every time: it draws a sample; let it give the mean, "
            "encode=lambda x: …."
        )
    if not vae.has_variance:
        _log.warning(
            "encode gives no variance: each image is a point, and KL, loss and samples of the "
            "posterior mean nothing."
        )
    if not found.isfinite().all():
        raise ConfigError("decode gives numbers that are not finite.")
    if vae.output == "logits":
        return
    low, high = vae.pixel_range
    least, most = float(found.min()), float(found.max())
    if least < low - (high - low) / 2 or most > high + (high - low) / 2:
        raise ConfigError(
            f"decode gives numbers from {least:.3g} to {most:.3g}, which are no pictures in "
            f"[{low:g}, {high:g}]; say output='logits' if a sigmoid is still to come, or the "
            "pixel_range it was trained with."
        )
    slack = PIXEL_SLACK * (high - low)
    if least < low - slack or most > high + slack:
        _log.warning(
            "decode gives numbers from %.3g to %.3g, which are cut to [%g, %g].",
            least, most, low, high,
        )  # fmt: skip
