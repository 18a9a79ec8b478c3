"""Likelihoods that give mass to each of 256 grey levels, with several numbers per pixel.

Their nats may be compared with each other; over a density of dequantised pixels they differ by
log 256 per pixel.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from zscape.model.likelihoods import LEVELS, Likelihood, register_likelihood

HALF = 0.5 / (LEVELS - 1)
"""Half the distance between two levels of pixels in [0, 1]."""
LOG_SCALES = (-7.0, 2.0)
"""Between them lies the log of a scale: under a quarter of a level, and wider than all levels."""


@register_likelihood("discretized-logistic")
class DiscretizedLogistic(Likelihood):
    """The mass that a logistic density around a mean leaves in the pixel's grey level.

    Two numbers per pixel: the centre and the log of the scale, each through a sigmoid. The
    lowest and the highest level have all that lies beyond them.

    References
    ----------
    Salimans, Karpathy, Chen & Kingma 2017, arXiv:1701.05517, equation 2, with one component.
    """

    n_parameters = 2
    is_density = False

    def log_prob(self, x: Tensor, logits: Tensor) -> Tensor:
        """See ``Likelihood.log_prob``."""
        centre, raw = self.parameters_of(logits)
        return _log_mass(x, torch.sigmoid(centre), _scale(raw))

    def mean(self, logits: Tensor) -> Tensor:
        """Expected pixel of the density with its tails at 0 and 1; to within half a grey level."""
        centre, raw = self.parameters_of(logits)
        middle, scale = torch.sigmoid(centre), _scale(raw)
        mean = scale * (F.softplus(middle / scale) - F.softplus((middle - 1) / scale))
        return mean.clamp(0, 1)  # of what rounding leaves

    def best_log_prob(self, x: Tensor) -> Tensor:
        """That of the narrowest density around the pixel itself."""
        return _log_mass(x, x, torch.full_like(x, LOG_SCALES[0]).exp())


def _scale(raw: Tensor) -> Tensor:
    least, most = LOG_SCALES
    return (least + (most - least) * torch.sigmoid(raw)).exp()


def _log_mass(x: Tensor, centre: Tensor, scale: Tensor) -> Tensor:
    # sigmoid(a) - sigmoid(b) is sigmoid(a) sigmoid(-b) (1 - exp(b - a)), which loses no digits.
    upper, lower = (x + HALF - centre) / scale, (x - HALF - centre) / scale
    below, above = F.logsigmoid(upper), F.logsigmoid(-lower)
    inside = below + above + torch.log(-torch.expm1(-2 * HALF / scale))
    return torch.where(x < HALF, below, torch.where(x > 1 - HALF, above, inside))


@register_likelihood("categorical")
class Categorical(Likelihood):
    """A probability for each of the 256 grey levels, which know nothing of being neighbours."""

    n_parameters = LEVELS
    is_density = False

    def log_prob(self, x: Tensor, logits: Tensor) -> Tensor:
        """See ``Likelihood.log_prob``."""
        level = (x * (LEVELS - 1)).round().long()
        return self.parameters_of(logits).log_softmax(0).gather(0, level[None])[0]

    def mean(self, logits: Tensor) -> Tensor:
        """Expected pixel."""
        levels = torch.linspace(0, 1, LEVELS, device=logits.device, dtype=logits.dtype)
        return torch.einsum("k...,k->...", self.parameters_of(logits).softmax(0), levels).clamp(
            0, 1
        )

    def best_log_prob(self, x: Tensor) -> Tensor:
        """0: certainty."""
        return torch.zeros_like(x)
