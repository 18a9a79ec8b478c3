"""What a pixel is distributed as, given the decoder's logit; one small class each.

A likelihood turns logits into ``log_prob`` (training) and ``mean`` (the picture one looks at).
A user adds one with ``@register_likelihood("name")``.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zscape.errors import ConfigError
from zscape.registry import Registry


class Likelihood(nn.Module):
    """log p(x | logits) of independent pixels, and their mean."""

    @abstractmethod
    def log_prob(self, x: Tensor, logits: Tensor) -> Tensor:
        """Log density (or mass) of each pixel, nats, in the shape of ``x``.

        Parameters
        ----------
        x
            Pixels in [0, 1].
        logits
            What the decoder says, same shape, any real number.
        """

    @abstractmethod
    def mean(self, logits: Tensor) -> Tensor:
        """Expected pixel, in [0, 1], in the shape of ``logits``."""


likelihoods: Registry[type[Likelihood]] = Registry("likelihood")
register_likelihood: Callable[..., Callable[[type[Likelihood]], type[Likelihood]]] = (
    likelihoods.register
)


def create_likelihood(name: str) -> Likelihood:
    """The registered likelihood called ``name``, or the class at ``module:Class``.

    Raises
    ------
    ConfigError
        No such likelihood; the message lists those there are.
    """
    likelihood = likelihoods[name]
    if not (isinstance(likelihood, type) and issubclass(likelihood, Likelihood)):
        raise ConfigError(f"likelihood {name!r} is not a subclass of zscape.model.Likelihood.")
    return likelihood()


@register_likelihood("bernoulli")
class Bernoulli(Likelihood):
    """x log λ + (1-x) log(1-λ), from logits.

    Exact for black-and-white pixels. On grey ones it is the tutorial's cross-entropy loss: a
    useful score, but not a normalised density; see ``ContinuousBernoulli``.
    """

    def log_prob(self, x: Tensor, logits: Tensor) -> Tensor:
        """See ``Likelihood.log_prob``."""
        return -F.binary_cross_entropy_with_logits(logits, x, reduction="none")

    def mean(self, logits: Tensor) -> Tensor:
        """λ, the probability of white."""
        return torch.sigmoid(logits)


@register_likelihood("continuous-bernoulli")
class ContinuousBernoulli(Likelihood):
    """The Bernoulli's formula with the constant that makes it a density on [0, 1].

    log C(λ) = log(l / tanh(l/2)) in the logit l. Near λ = ½ both that and its slope are 0/0, so
    for small |l| the even Taylor series is used instead; at the seam the two agree to 1e-11 in
    value and 1e-10 in slope.

    References
    ----------
    Loaiza-Ganem & Cunningham 2019, arXiv:1907.06845, equations 8 to 10.
    """

    seam = 0.25

    def log_prob(self, x: Tensor, logits: Tensor) -> Tensor:
        """See ``Likelihood.log_prob``."""
        bernoulli = -F.binary_cross_entropy_with_logits(logits, x, reduction="none")
        return bernoulli + self.log_normalizer(logits)

    def log_normalizer(self, logits: Tensor) -> Tensor:
        """Log C, nats, >= log 2, in the shape of ``logits``."""
        small, size = self._split(logits)
        square = (logits.clamp(-self.seam, self.seam) / 2).square()
        series = square * (1 / 3 - square * (7 / 90 - square * (62 / 2835 - square * 127 / 18900)))
        return torch.where(small, math.log(2) + series, torch.log(size / torch.tanh(size / 2)))

    def mean(self, logits: Tensor) -> Tensor:
        """Expected pixel, 1/(1 - e^-l) - 1/l; unlike the Bernoulli's it is not λ."""
        small, size = self._split(logits)
        near = logits.clamp(-self.seam, self.seam)
        square = near.square()
        series = near * (1 / 12 - square * (1 / 720 - square * (1 / 30240 - square / 1209600)))
        # Not copysign, which cannot be written as ONNX.
        exact = logits.sign() * (-1 / torch.expm1(-size) - 1 / size - 0.5)
        return 0.5 + torch.where(small, series, exact)

    def _split(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        # The unused branch of a `where` still gets a gradient: keep it away from 0/0.
        size = logits.abs()
        small = size < self.seam
        return small, size.clamp_min(self.seam)


@register_likelihood("gaussian")
class Gaussian(Likelihood):
    """A normal density around sigmoid(logit), with one fixed standard deviation."""

    def __init__(self, scale: float = 0.1) -> None:
        super().__init__()
        self._log_scale: Tensor | float = math.log(scale)

    @property
    def log_scale(self) -> Tensor | float:
        """Natural log of the standard deviation, in units of the pixel range."""
        return self._log_scale

    def log_prob(self, x: Tensor, logits: Tensor) -> Tensor:
        """See ``Likelihood.log_prob``."""
        log_scale = self.log_scale
        scale = log_scale.exp() if isinstance(log_scale, Tensor) else math.exp(log_scale)
        error = (x - self.mean(logits)) / scale
        return -0.5 * error.square() - log_scale - 0.5 * math.log(2 * math.pi)

    def mean(self, logits: Tensor) -> Tensor:
        """sigmoid(logit)."""
        return torch.sigmoid(logits)


@register_likelihood("gaussian-learned")
class LearnedGaussian(Gaussian):
    """A ``Gaussian`` whose one standard deviation is trained with the network.

    It cannot fall below e⁻⁷ (a quarter of one grey level of 255), where the density of 8-bit
    pixels would grow without bound.
    """

    def __init__(self, scale: float = 0.1) -> None:
        super().__init__(scale)
        self.raw_log_scale = nn.Parameter(torch.tensor(math.log(math.expm1(math.log(scale) + 7))))

    @property
    def log_scale(self) -> Tensor:
        """Natural log of the standard deviation, > -7."""
        return F.softplus(self.raw_log_scale) - 7
