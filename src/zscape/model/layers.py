"""The layers whose plain form is slow, and the bounded log-variance.

Two of the network's convolutions are matrix products in disguise. Where the kernel covers the
whole input (4×4 → 1×1) every output is one dot product with all of the input; where the input is
a single pixel (1×1 → 4×4) every output is one dot product with the channels. Convolution kernels
for CPUs treat both as convolutions all the same and lose most of the machine's matrix rate on
them. Here they are written as the products they are: parameters, names, shapes and results stay
those of the plain modules (`tests/model/test_layers.py` holds them to it, gradients included).

The other layers halve or double the picture and really are convolutions, but on a CPU four of their
kernels are slow for what they compute, and `_DirectConvolution` goes around them: in bfloat16, and
in float32 where a picture is doubled, in training and where it is only decoded.

- The gradient of 3×3 weights is again one matrix product, of all windows of the larger picture with
  the smaller one: less than half the time.
- A transposed 3×3 convolution is the gradient of a convolution for its input, and on processors
  without AMX the kernel for that gradient takes an eighth of the time.
- A transposed convolution asked for the gradient of its bias, a plain sum, takes twice as long for
  that of its weights: the sum is taken beside it.
- A transposed convolution to a few channels leaves most of each product empty. Its output
  pixels at even and odd places are four ordinary convolutions of the same input, done as one: half
  the time.

All read weights and pictures in channels-last order, so that on a model converted with
``.to(memory_format=torch.channels_last)`` flattening is a view and copies nothing.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.overrides import wrap_torch_function


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


class HalvingConv2d(nn.Conv2d):
    """A convolution of stride 2, kernel 3, or 4 where h and w are even."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int) -> None:
        super().__init__(in_channels, out_channels, kernel, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(b, c, h, w) → (b, o, ⌈h/2⌉, ⌈w/2⌉)."""
        if not (_trains_on_cpu(self, x) and x.dtype == torch.bfloat16):
            return super().forward(x)
        return _convolve(x, self)


class DoublingConvTranspose2d(nn.ConvTranspose2d):
    """The way back from ``HalvingConv2d``: to twice the side, or one less if ``is_odd``."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int, *, is_odd: bool = False
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel, stride=2, padding=1,
            output_padding=4 - kernel - is_odd,
        )  # fmt: skip

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """(b, c, h, w) → (b, o, 2h, 2w), or (b, o, 2h - 1, 2w - 1)."""
        if _trains_on_cpu(self, x) or _only_decodes(self, x):
            return _convolve(x, self)
        return super().forward(x, output_size)


def _trains_on_cpu(layer: nn.Module, x: Tensor) -> bool:
    if not layer.training or x.device.type != "cpu" or len(x) == 0:
        return False
    # Where autocast would change the type, or a tool looks at the pass, the plain layer is meant.
    is_as_it_comes = not torch.is_autocast_enabled("cpu") and not _is_looked_at(x)
    return x.dtype == torch.bfloat16 or (x.dtype == torch.float32 and is_as_it_comes)


def _only_decodes(layer: nn.Module, x: Tensor) -> bool:
    # What is exported, or differentiated, is the plain layer.
    is_plain = layer.training or torch.is_grad_enabled() or _is_looked_at(x)
    return not is_plain and x.device.type == "cpu" and len(x) > 0


def _is_looked_at(x: Tensor) -> bool:
    # torch.func differentiates whether gradients are enabled or not.
    return torch.compiler.is_compiling() or torch._C._functorch.is_functorch_wrapped_tensor(x)


def _convolve(x: Tensor, layer: nn.Conv2d | nn.ConvTranspose2d) -> Tensor:
    assert layer.bias is not None
    output_padding = layer.output_padding if layer.transposed else (0, 0)
    output: Tensor = _DirectConvolution.apply(  # type: ignore[no-untyped-call]
        x, layer.weight.to(x.dtype), layer.bias.to(x.dtype), layer.transposed, output_padding
    )
    return output


class _DirectConvolution(torch.autograd.Function):
    """A convolution of stride 2, transposed or not, computed as the top of this file says."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, transposed: bool, output_padding: Any
    ) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.geometry = ((2, 2), (1, 1), (1, 1), transposed, output_padding, 1)
        if transposed and weight.shape[1] <= 3 and weight.shape[2] == 4:
            return _by_phases(x, weight, bias)
        if transposed and weight.shape[2] == 3:
            return _as_gradient(x, weight, bias, output_padding)
        return torch.convolution(x, weight, bias, *ctx.geometry)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        is_product = weight.shape[2] == 3
        x_gradient, weight_gradient, _ = torch.ops.aten.convolution_backward(
            gradient, x, weight, None, *ctx.geometry,
            (ctx.needs_input_grad[0], not is_product, False),
        )  # fmt: skip
        if is_product:
            transposed = ctx.geometry[3]
            large, small = (gradient, x) if transposed else (x, gradient)
            product = small.permute(0, 2, 3, 1).flatten(0, 2).T @ _windows(large)
            weight_gradient = product.view(len(weight), 3, 3, -1).permute(0, 3, 1, 2)
        return x_gradient, weight_gradient, gradient.sum((0, 2, 3)), None, None


def _by_phases(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """A transposed 4×4 convolution of stride 2 as a 3×3 convolution to four times the channels.

    Output pixel 2m + p, p in {0, 1}, of one axis is the sum over inputs m + i - 1, i in {0, 1, 2},
    times weight p + 3 - 2i, which is 0 where there is none.
    """
    phases = F.pad(weight, (1, 1, 1, 1)).reshape(*weight.shape[:2], 3, 2, 3, 2).flip(2, 4)
    kernel = phases.permute(1, 3, 5, 0, 2, 4).flatten(0, 2)
    return F.pixel_shuffle(F.conv2d(x, kernel, bias.repeat_interleave(4), padding=1), 2)


def _as_gradient(
    x: Tensor, weight: Tensor, bias: Tensor, output_padding: tuple[int, ...]
) -> Tensor:
    """A transposed 3×3 convolution of stride 2 as what it transposes: a convolution's gradient."""
    height, width = (2 * n - 1 + p for n, p in zip(x.shape[2:], output_padding, strict=True))
    # Only its shape is read.
    like = x.new_empty(len(x), height, width, weight.shape[1]).permute(0, 3, 1, 2)
    output: Tensor = torch.ops.aten.convolution_backward(
        x, like, weight, None, (2, 2), (1, 1), (1, 1), False, (0, 0), 1, (True, False, False)
    )[0]
    return output.add_(bias[:, None, None])


def _windows(x: Tensor) -> Tensor:
    """Every window a 3×3 kernel of stride 2 sees, one per row: (b · h/2 · w/2, 3 · 3 · c)."""
    padded = F.pad(x.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1))
    windows = padded.unfold(1, 3, 2).unfold(2, 3, 2)
    return windows.permute(0, 1, 2, 4, 5, 3).flatten(3).flatten(0, 2)


LOGVAR_BOUND = 12.0


# Seen as one function by whoever records a pass, as the explorer does.
@wrap_torch_function(lambda x, bound=0.0: (x,))
def soft_bound(x: Tensor, bound: float = LOGVAR_BOUND) -> Tensor:
    """The identity on [-bound, bound]; beyond it, growth like a logarithm.

    Keeps the exponential of a log-variance finite in float32 for inputs up to ±1e33: one of ±1e10
    becomes about ±35. Value and slope are continuous at the bounds and the slope is
    nowhere zero, so a neuron that has run away can still be pulled back, which a clamp forbids.
    """
    # Not copysign, which cannot be written as ONNX.
    beyond = x.sign() * (bound + torch.log1p((x.abs() - bound).clamp_min(0)))
    return torch.where(x.abs() <= bound, x, beyond)
