"""The layers whose plain form is slow, and the bounded log-variance.

Two of the network's convolutions are matrix products in disguise. Where the kernel covers the
whole input (4×4 → 1×1) every output is one dot product with all of the input; where the input is
a single pixel (1×1 → 4×4) every output is one dot product with the channels. Convolution kernels
for CPUs treat both as convolutions all the same and lose most of the machine's matrix rate on
them. Here they are written as the products they are: parameters, names, shapes and results stay
those of the plain modules (`tests/model/test_layers.py` holds them to it, gradients included).

Both read weights and pictures in channels-last order, so that on a model converted with
``.to(memory_format=torch.channels_last)`` flattening is a view and copies nothing.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class FullConv2d(nn.Conv2d):
    """A convolution whose kernel is as large as its input, (b, c, k, k) → (b, o, 1, 1)."""

    def __init__(self, in_channels: int, out_channels: int, side: int) -> None:
        super().__init__(in_channels, out_channels, side)

    def forward(self, x: Tensor) -> Tensor:
        """(b, c, k, k) → (b, o, 1, 1)."""
        columns = x.permute(0, 2, 3, 1).flatten(1)
        weight = self.weight.permute(0, 2, 3, 1).flatten(1)
        return F.linear(columns, weight, self.bias)[:, :, None, None]


class SeedConvTranspose2d(nn.ConvTranspose2d):
    """A transposed convolution of a single pixel, (b, c, 1, 1) → (b, o, k, k)."""

    def __init__(self, in_channels: int, out_channels: int, side: int) -> None:
        super().__init__(in_channels, out_channels, side)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """(b, c, 1, 1) → (b, o, k, k)."""
        side = self.kernel_size[0]
        weight = self.weight.permute(0, 2, 3, 1).flatten(1)
        assert self.bias is not None
        flat = F.linear(x.flatten(1), weight.T, self.bias.repeat(side * side))
        return flat.view(-1, side, side, self.out_channels).permute(0, 3, 1, 2)


LOGVAR_BOUND = 12.0


def soft_bound(x: Tensor, bound: float = LOGVAR_BOUND) -> Tensor:
    """The identity on [-bound, bound]; beyond it, growth like a logarithm.

    Keeps the exponential of a log-variance finite in float32 for inputs up to ±1e33: one of ±1e10
    becomes about ±35. Value and slope are continuous at the bounds and the slope is
    nowhere zero, so a neuron that has run away can still be pulled back, which a clamp forbids.
    """
    beyond = torch.copysign(bound + torch.log1p((x.abs() - bound).clamp_min(0)), x)
    return torch.where(x.abs() <= bound, x, beyond)
