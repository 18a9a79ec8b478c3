"""Which layer of a network is the first to make numbers that are not finite."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


def blame(network: nn.Module, compute: Callable[[], Any]) -> str:
    """What in ``network`` makes NaN or infinity of finite numbers, when ``compute`` runs it again.

    Returns
    -------
    The end of a sentence, such as ``; its layer decoder.3 (Log) makes NaN or infinity of finite
    numbers``, or that no layer does, but code around them. Empty if what ``compute`` returns is
    finite.
    """
    found: list[str] = []

    def watch(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def look(module: nn.Module, inputs: Any, output: Any) -> None:
            if not found and is_finite(inputs) and not is_finite(output):
                found.append(f"layer {name} ({type(module).__name__})")

        return look

    hooks = [
        module.register_forward_hook(watch(name))
        for name, module in network.named_modules()
        if name
    ]
    try:
        with torch.no_grad():
            if is_finite(compute()):
                return ""
    finally:
        for hook in hooks:
            hook.remove()
    who = f"its {found[0]}" if found else f"{type(network).__name__} itself, in none of its layers,"
    return f"; {who} makes NaN or infinity of finite numbers"


def is_finite(value: Any) -> bool:
    """Whether every number of ``value``, tensors and tuples, lists, mappings of them, is finite."""
    match value:
        case Tensor():
            return bool(value.isfinite().all())
        case float():
            return math.isfinite(value)
        case dict():
            return all(map(is_finite, value.values()))
        case tuple() | list():
            return all(map(is_finite, value))
    return True
