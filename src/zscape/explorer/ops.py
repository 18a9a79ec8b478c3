"""The steps a network may be made of: what they are, how torch computes them, who makes them."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from zscape.model.layers import LOGVAR_BOUND, soft_bound

TOLERANCE = 1e-5
"""Largest difference that counts as rounding, relative to the largest number where above 1."""


class Unsupported(Exception):
    """A network that the page cannot run; the message is the part of a sentence that says why."""


@dataclass(frozen=True, eq=False)
class Op:
    """One step: ``kind`` as in ``web/src/scene/manifest.ts``, or ``slice``, which folds away."""

    kind: str
    arrays: dict[str, Tensor] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)


def apply(op: Op, x: Tensor) -> Tensor:
    """Compute ``op`` with torch's plain functions; ``x`` (batch, …)."""
    arrays, options = op.arrays, op.options
    match op.kind:
        case "linear":
            return F.linear(x, arrays["weight"], arrays.get("bias"))
        case "conv":
            return F.conv2d(
                x, arrays["weight"], arrays.get("bias"), options["stride"], options["padding"]
            )
        case "convTranspose":
            return F.conv_transpose2d(
                x, arrays["weight"], arrays.get("bias"), options["stride"], options["padding"],
                options["outputPadding"],
            )  # fmt: skip
        case "affine":
            column = (-1, *[1] * (x.ndim - 2))
            return x * arrays["scale"].view(column) + arrays["shift"].view(column)
        case "leakyRelu":
            return F.leaky_relu(x, options["slope"])
        case "softBound":
            return soft_bound(x, options["bound"])
        case "reshape":
            return x.reshape(len(x), *options["shape"])
        case "slice":
            return x[:, options["start"] : options["stop"]]
    activations: dict[str, Callable[[Tensor], Tensor]] = {
        "relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid
    }  # fmt: skip
    return activations[op.kind](x)


def is_close(one: Tensor, other: Tensor) -> bool:
    """Whether two results differ by rounding only."""
    if one.shape != other.shape:
        return False
    scale = max(1.0, float(other.abs().max())) if other.numel() else 1.0
    return bool(((one - other).abs() <= TOLERANCE * scale).all())


def op_of(func: Any, x: Tensor, args: Any, kwargs: dict[str, Any], output: Tensor) -> Op | None:
    """The step by which ``func`` made ``output`` of ``x``; None: it changes nothing.

    Raises
    ------
    Unsupported
        None the page knows; "{where}" in the message stands for its place.
    """
    if func in _UNCHANGED and output.dtype == x.dtype:
        return None
    if func in _VIEWS:
        return _view(x, output)
    if func in _ARITHMETIC:
        return _affine(func, args, x, output)
    maker = _MAKERS.get(func)
    if maker is None:
        raise Unsupported("{where} is not among the layers the page knows")
    bound = inspect.signature(maker).bind(*args, **kwargs)
    if bound.args[0] is not x:
        raise Unsupported("{where} makes weights out of the picture")
    return maker(*bound.args, **bound.kwargs)


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Op:
    """As ``F.linear`` is called."""
    if input.ndim != 2:
        raise Unsupported("{where} takes more than one vector of a picture at a time")
    return Op("linear", _arrays(weight=weight, bias=bias))


def conv(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Op:
    """As ``F.conv2d`` is called."""
    _check_plain(groups, dilation)
    if isinstance(padding, str):
        rest = [side - 1 for side in weight.shape[2:]]
        if padding == "same" and any(side % 2 for side in rest):
            raise Unsupported("{where} pads one side more than the other")
        padding = [side // 2 for side in rest] if padding == "same" else 0
    options = {"stride": _pair(stride), "padding": _pair(padding)}
    return Op("conv", _arrays(weight=weight, bias=bias), options)


def conv_transpose(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Op:
    """As ``F.conv_transpose2d`` is called."""
    _check_plain(groups, dilation)
    options = {
        "stride": _pair(stride),
        "padding": _pair(padding),
        "outputPadding": _pair(output_padding),
    }
    return Op("convTranspose", _arrays(weight=weight, bias=bias), options)


def _batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Op:
    if training or running_mean is None or running_var is None:
        raise Unsupported("{where} has no running statistics")
    # On the CPU, because not every device has float64.
    scale = (running_var.cpu().double() + eps).rsqrt()
    if weight is not None:
        scale = scale * weight.cpu().double()
    shift = -running_mean.cpu().double() * scale
    if bias is not None:
        shift = shift + bias.cpu().double()
    return Op("affine", _arrays(scale=scale.to(input), shift=shift.to(input)))


def _leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Op:
    return Op("leakyRelu", {}, {"slope": float(negative_slope)})


def _soft_bound(x: Tensor, bound: float = LOGVAR_BOUND) -> Op:
    return Op("softBound", {}, {"bound": float(bound)})


def _activation(kind: str) -> Callable[..., Op]:
    def make(input: Tensor, inplace: bool = False) -> Op:
        return Op(kind)

    return make


def _view(x: Tensor, output: Tensor) -> Op:
    """A change of shape, or some of the numbers of a vector."""
    if output.shape[:1] == x.shape[:1] and output.numel() == x.numel():
        return Op("reshape", {}, {"shape": list(output.shape[1:])})
    is_part = (
        x.ndim == output.ndim == 2
        and len(x) == len(output)
        and output.stride(1) == x.stride(1) == 1
        and output.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
    )
    if not is_part:
        raise Unsupported("{where} takes a part of its input that the page cannot")
    start = output.storage_offset() - x.storage_offset()
    return Op("slice", {}, {"start": start, "stop": start + output.shape[1]})


def _affine(func: Any, args: Any, x: Tensor, output: Tensor) -> Op:
    """Adding or multiplying constants, one per channel at most."""
    if output.shape != x.shape or x.ndim < 2:
        raise Unsupported("{where} changes the shape")

    def at(value: float) -> Tensor:
        filled = [torch.full_like(x, value) if part is x else part for part in args]
        result = func(*filled)[0].reshape(x.shape[1], -1)
        if not (result == result[:, :1]).all():
            raise Unsupported("{where} is not the same for every pixel")
        return torch.as_tensor(result[:, 0])

    # Any such function of x is scale * x + shift, and two places tell it.
    return Op("affine", _arrays(scale=at(1.0) - at(0.0), shift=at(0.0)))


def _arrays(**arrays: Tensor | None) -> dict[str, Tensor]:
    return {name: array.detach() for name, array in arrays.items() if array is not None}


def _pair(value: Any) -> list[int]:
    both = [value, value] if isinstance(value, int) else list(value)
    return [int(side) for side in (both * 2)[:2]]


def _check_plain(groups: int, dilation: Any) -> None:
    if groups != 1:
        raise Unsupported(f"{{where}} is a convolution in {groups} groups; the page knows one")
    if math.prod(_pair(dilation)) != 1:
        raise Unsupported("{where} is a dilated convolution")


_UNCHANGED = {
    Tensor.contiguous, Tensor.clone, Tensor.float, Tensor.to, Tensor.detach, torch.clone,
    F.dropout, F.dropout2d, torch.dropout,
}  # fmt: skip
_VIEWS = {
    Tensor.flatten, torch.flatten, Tensor.view, Tensor.reshape, torch.reshape, Tensor.unflatten,
    torch.unflatten, Tensor.squeeze, torch.squeeze, Tensor.unsqueeze, torch.unsqueeze,
    Tensor.__getitem__, Tensor.chunk, torch.chunk, Tensor.split, torch.split, Tensor.narrow,
    torch.narrow, torch.tensor_split, Tensor.tensor_split,
}  # fmt: skip
_ARITHMETIC = {
    Tensor.add, Tensor.__add__, Tensor.__radd__, torch.add, Tensor.sub, Tensor.__sub__,
    Tensor.__rsub__, torch.sub, Tensor.mul, Tensor.__mul__, Tensor.__rmul__, torch.mul,
    Tensor.div, Tensor.__truediv__, torch.div, Tensor.neg, Tensor.__neg__, torch.neg,
}  # fmt: skip
_MAKERS: dict[Any, Callable[..., Op]] = {
    F.linear: linear,
    F.conv2d: conv,
    F.conv_transpose2d: conv_transpose,
    F.batch_norm: _batch_norm,
    F.leaky_relu: _leaky_relu,
    soft_bound: _soft_bound,
    **dict.fromkeys((F.relu, torch.relu, Tensor.relu, torch.relu_), _activation("relu")),
    **dict.fromkeys((F.tanh, torch.tanh, Tensor.tanh), _activation("tanh")),
    **dict.fromkeys((F.sigmoid, torch.sigmoid, Tensor.sigmoid), _activation("sigmoid")),
}
