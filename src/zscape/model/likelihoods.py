"""What a pixel is distributed as, given the decoder's logit; one small class each.

A likelihood turns logits into ``log_prob`` (training) and ``mean`` (the picture one looks at).
A user adds one with ``@register_likelihood("name")``.

Pixels are bytes. The density of a point has no upper bound: a network that is sure of a pixel of
exactly 0 would gain without end by being surer still. So a continuous likelihood is one of
*dequantised* pixels, each spread evenly over the width of its grey level, and ``log_prob`` is the
mean over that width. It is a lower bound on the log-mass of the grey level + log 256, and never
above log 256: such numbers may be compared with one another (Theis et al. 2016, arXiv:1511.01844).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zscape.errors import ConfigError
from zscape.registry import Registry

LEVELS = 256
"""Grey levels of a pixel; level k is the interval from k/256 to (k + 1)/256."""
SPREAD = 1 / (12 * LEVELS**2)
"""Variance of a pixel spread evenly over its grey level."""


class Likelihood(nn.Module, ABC):
    """log p(x | logits) of independent pixels, and their mean.

    One that takes several numbers per pixel says how many in ``n_parameters``, and says what
    ``best_log_prob`` is.
    """

    n_parameters: ClassVar[int] = 1
    """Numbers that the decoder gives for each pixel of each channel; 2 for a mean and a scale."""
    levels: ClassVar[int] = LEVELS
    """Grey levels that a pixel may have; 2 if it is black or white."""
    is_density: ClassVar[bool] = True
    """Whether ``log_prob`` is of dequantised pixels, in [0, 1], and not the mass of a level: the
    mass is then at least ``log_prob`` - log ``levels``."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.n_parameters > 1 and cls.best_log_prob is Likelihood.best_log_prob:
            raise ConfigError(
                f"{cls.__name__} takes {cls.n_parameters} numbers per pixel: it must say what "
                "best_log_prob is, which can be worked out for one number only."
            )

    def parameters_of(self, logits: Tensor) -> Tensor:
        """What the decoder says, ``logits``, one parameter after another.

        From (batch, n_parameters * channels, h, w) to (n_parameters, batch, channels, h, w).
        """
        return torch.stack(logits.chunk(self.n_parameters, dim=1))

    @abstractmethod
    def log_prob(self, x: Tensor, logits: Tensor) -> Tensor:
        """Log density (or mass) of each pixel: (batch, channels, h, w), nats.

        Parameters
        ----------
        x
            (batch, channels, h, w), pixels in [0, 1].
        logits
            What the decoder says, (batch, n_parameters * channels, h, w), any real number; see
            ``parameters_of``.
        """

    @abstractmethod
    def mean(self, logits: Tensor) -> Tensor:
        """Expected pixel, in [0, 1], (batch, channels, h, w), of ``logits`` as for ``log_prob``.

        With one number of a pixel, it rises with it.
        """

    def best_log_prob(self, x: Tensor) -> Tensor:
        """What ``log_prob`` is for a decoder that draws the pixels themselves, in the shape of x.

        No logit gives a pixel more: for a density with the ``mean`` as its parameter the best
        is that whose mean is the pixel. Found by bisection; override it where a formula is known.
        """
        return self.log_prob(x, invert(self.mean, x))

    def cost(self, x: Tensor, logits: Tensor) -> Tensor:
        """Minus ``log_prob`` of ``x`` and ``logits``, summed over each picture: (batch,), nats."""
        return -self.log_prob(x, logits).flatten(1).sum(1)

    def avoidable_cost(self, x: Tensor, logits: Tensor) -> Tensor:
        """The part of ``cost`` that drawing the very picture would have saved: (batch,), nats.

        ``x`` and ``logits`` as for ``log_prob``.

        Never negative (up to rounding), 0 for the picture itself, and so an error; half of what
        statistics calls the deviance. The rest depends on the picture alone: under the Bernoulli
        it is the entropy of its grey pixels, which a brighter picture has more of.
        """
        return (self.best_log_prob(x) - self.log_prob(x, logits)).flatten(1).sum(1)


def invert(mean: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """The logits, in [-1024, 1024], that a rising ``mean`` takes to ``x``; by bisection."""
    low, high = torch.full_like(x, -1024), torch.full_like(x, 1024)
    for _ in range(40):
        middle = (low + high) / 2
        is_below = mean(middle) < x
        low, high = torch.where(is_below, middle, low), torch.where(is_below, high, middle)
    return (low + high) / 2


def dequantized(x: Tensor) -> Tensor:
    """The middle of the grey level of pixels ``x`` in [0, 1]: (255 x + ½) / 256."""
    return x + (0.5 - x) / LEVELS


likelihoods: Registry[type[Likelihood]] = Registry("likelihood", Likelihood, option="likelihood")
register_likelihood: Callable[..., Callable[[type[Likelihood]], type[Likelihood]]] = (
    likelihoods.register
)


def create_likelihood(name: str) -> Likelihood:
    """The registered likelihood called ``name``.

    Raises
    ------
    ConfigError
        No such likelihood; the message lists those there are.
    """
    return likelihoods[name]()


@register_likelihood("bernoulli")
class Bernoulli(Likelihood):
    """x log λ + (1-x) log(1-λ), from logits.

    Exact for black-and-white pixels. On grey ones it is the tutorial's cross-entropy loss: a
    useful score, but not a normalised density; see ``ContinuousBernoulli``. It cannot be compared
    with a density.
    """

    levels = 2
    is_density = False

    def log_prob(self, x: Tensor, logits: Tensor) -> Tensor:
        """See ``Likelihood.log_prob``."""
        return -F.binary_cross_entropy_with_logits(logits, x, reduction="none")

    def mean(self, logits: Tensor) -> Tensor:
        """λ, the probability of white."""
        return torch.sigmoid(logits)

    def best_log_prob(self, x: Tensor) -> Tensor:
        """Minus the entropy of a coin that shows white with probability x; 0 at 0 and 1."""
        return torch.xlogy(x, x) + torch.xlogy(1 - x, 1 - x)


@register_likelihood("continuous-bernoulli")
class ContinuousBernoulli(Likelihood):
    """The Bernoulli's formula with the constant that makes it a density on [0, 1].

    Its logarithm is linear in x: the mean over a grey level is the value in its middle.

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
        middle = dequantized(x)
        bernoulli = -F.binary_cross_entropy_with_logits(logits, middle, reduction="none")
        return bernoulli + self.log_normalizer(logits)

    def best_log_prob(self, x: Tensor) -> Tensor:
        """See ``Likelihood.best_log_prob``; worked out once per grey level that there is."""
        levels, place = torch.unique(x, return_inverse=True)
        return self.log_prob(levels, invert(self.mean, dequantized(levels)))[place]

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
    """A normal density around sigmoid(logit), with one fixed standard deviation.

    Half the squared error over the variance, and a constant. Its logarithm is a parabola in x: the
    mean over a grey level is the value in its middle, with the variance of an even spread added
    to the squared error.
    """

    def __init__(self, scale: float = 0.1) -> None:
        super().__init__()
        self._log_scale: Tensor | float = math.log(scale)

    @property
    def log_scale(self) -> Tensor | float:
        """Natural log of the standard deviation, in units of the pixel range."""
        return self._log_scale

    def log_prob(self, x: Tensor, logits: Tensor) -> Tensor:
        """See ``Likelihood.log_prob``."""
        return self._log_density((dequantized(x) - self.mean(logits)).square())

    def best_log_prob(self, x: Tensor) -> Tensor:
        """That of an error of 0: the same for every pixel."""
        return self._log_density(torch.zeros_like(x))

    def _log_density(self, square: Tensor) -> Tensor:
        log_scale = self.log_scale
        scale = log_scale.exp() if isinstance(log_scale, Tensor) else math.exp(log_scale)
        return -0.5 * ((square + SPREAD) / scale**2 + math.log(2 * math.pi)) - log_scale

    def mean(self, logits: Tensor) -> Tensor:
        """sigmoid(logit)."""
        return torch.sigmoid(logits)


@register_likelihood("gaussian-learned")
class LearnedGaussian(Gaussian):
    """A ``Gaussian`` whose one standard deviation is trained with the network.

    No gain is to be had below e^-6.8, the spread within one grey level; it cannot fall below e⁻⁷.
    """

    def __init__(self, scale: float = 0.1) -> None:
        super().__init__(scale)
        self.raw_log_scale = nn.Parameter(torch.tensor(math.log(math.expm1(math.log(scale) + 7))))

    @property
    def log_scale(self) -> Tensor:
        """Natural log of the standard deviation, > -7."""
        return F.softplus(self.raw_log_scale) - 7
