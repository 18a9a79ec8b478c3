"""Which optimiser takes which weights, and their state as named tensors."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from zscape.config import TrainConfig
from zscape.training.muon import Muon, is_matrix


def create_optimizers(
    module: nn.Module, config: TrainConfig, dtype: torch.dtype
) -> list[Optimizer]:
    """``Muon`` for the matrices, if ``config.optimizer`` says so, and Adam for all else.

    Weight decay is decoupled, and spares biases and batch norm.

    Parameters
    ----------
    module
        Holds the weights, on their device.
    config
        ``optimizer``, ``learning_rate`` and ``weight_decay``.
    dtype
        In which ``Muon`` multiplies.
    """
    weights = list(module.parameters())
    is_muon = [config.optimizer == "muon" and is_matrix(weight) for weight in weights]
    matrices = [weight for weight, muon in zip(weights, is_muon, strict=True) if muon]
    others = [weight for weight, muon in zip(weights, is_muon, strict=True) if not muon]
    optimizers: list[Optimizer] = []
    if matrices:
        decay = config.weight_decay
        optimizers.append(Muon(matrices, config.learning_rate, weight_decay=decay, dtype=dtype))
    if others:
        is_fused = others[0].device.type != "mps"
        groups = [
            {"params": [p for p in others if p.ndim >= 2], "weight_decay": config.weight_decay},
            {"params": [p for p in others if p.ndim < 2], "weight_decay": 0.0},
        ]
        optimizers.append(AdamW(groups, config.learning_rate, fused=is_fused))
    return optimizers


def tell_rate(optimizers: Sequence[Optimizer], rate: float | Tensor) -> None:
    """Set the learning rate of all weights; a recording reads a tensor anew in every replay."""
    on_cuda = isinstance(rate, Tensor) and rate.is_cuda
    is_recorded = on_cuda and torch.cuda.is_current_stream_capturing()
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate
            if "capturable" in group:  # Adam asks; its fused kernels always are
                group["capturable"] = is_recorded


def pack_state(optimizers: Sequence[Optimizer]) -> dict[str, Tensor]:
    """State by names of the form ``"0.12.exp_avg"``: optimiser, weight, quantity."""
    return {
        f"{k}.{index}.{name}": value
        for k, optimizer in enumerate(optimizers)
        for index, state in optimizer.state_dict()["state"].items()
        for name, value in state.items()
    }


def unpack_state(optimizers: Sequence[Optimizer], tensors: dict[str, Tensor]) -> None:
    """Load what ``pack_state`` returned.

    Raises
    ------
    KeyError, IndexError, ValueError
        The tensors are of other optimisers or weights.
    """
    if not tensors:
        raise KeyError("optimizer")
    states: list[dict[int, dict[str, Tensor]]] = [{} for _ in optimizers]
    for key, value in tensors.items():
        k, index, name = key.split(".", 2)
        groups = optimizers[int(k)].param_groups
        weight = [weight for group in groups for weight in group["params"]][int(index)]
        if value.shape == weight.shape:
            # The fused Adam walks through memory: its moments must lie as the weights do
            # (channels last), or each would be applied to another weight.
            value = torch.empty_like(weight, dtype=value.dtype).copy_(value)
        states[int(k)].setdefault(int(index), {})[name] = value
    for optimizer, state in zip(optimizers, states, strict=True):
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": state, "param_groups": groups})
