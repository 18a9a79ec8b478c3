"""Muon: momentum whose every step is orthogonalised, for the weights that are matrices.

Gradients of a weight matrix are dominated by a few directions; Adam rescales single numbers and
leaves that so. Muon replaces the momentum M = U S Vᵀ by about U Vᵀ, a step of equal length in every
direction the gradients have shown. On the networks here it reaches a given loss in about half of
Adam's epochs, for about a fifth more time per step; `benchmarks/recipe.md` has the losses.

PyTorch has a ``Muon`` for two-dimensional weights only. Most of a convolutional VAE's weights are
convolutions, which this one takes as the matrices (out, in · height · width) they are.

References
----------
Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks".
Liu et al. 2025, arXiv:2502.16982, for the scale that lets it share Adam's learning rate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

MIN_SIDE = 16
"""A matrix with a shorter side than this has too few directions to be worth orthogonalising."""

QUINTIC = (3.4445, -4.7750, 2.0315)
"""Coefficients of p(s) = a s + b s³ + c s⁵, chosen for a steep slope at 0 (Jordan et al. 2024)."""


class Muon(torch.optim.Optimizer):
    """Steps of 0.2 · lr root mean square in every matrix, which is about what Adam takes.

    Parameters
    ----------
    params
        Weights of two or more dimensions; the first is the output.
    lr
        As one would give Adam.
    momentum
        Share of the past in the running mean of gradients; the step looks ahead by it (Nesterov).
    weight_decay
        Every weight shrinks by this share, times lr, before it is changed.
    dtype
        In which matrices are multiplied. bfloat16 is enough: the result need only be roughly
        orthogonal.
    """

    def __init__(
        self,
        params: Iterable[nn.Parameter],
        lr: float,
        *,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.dtype = dtype
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Change every weight that has a gradient."""
        for group in self.param_groups:
            weights = [weight for weight in group["params"] if weight.grad is not None]
            if not weights:
                continue
            gradients, lr = [weight.grad for weight in weights], group["lr"]
            for weight in weights:
                if not self.state[weight]:
                    self.state[weight]["mean"] = torch.zeros_like(weight.grad)
            means = [self.state[weight]["mean"] for weight in weights]
            torch._foreach_lerp_(means, gradients, 1 - group["momentum"])
            ahead = torch._foreach_lerp(gradients, means, group["momentum"])
            if group["weight_decay"]:
                torch._foreach_mul_(weights, 1 - lr * group["weight_decay"])
            # An encoder and its decoder have the same shapes: what matches is multiplied together.
            alike: dict[torch.Size, list[tuple[Tensor, Tensor]]] = {}
            for weight, direction in zip(weights, ahead, strict=True):
                matrix = _as_wide_matrix(direction)
                alike.setdefault(matrix.shape, []).append((_as_wide_matrix(weight), matrix))
            for shape, pairs in alike.items():
                stack = torch.stack([matrix.to(self.dtype) for _, matrix in pairs])
                scale = 0.2 * max(shape) ** 0.5
                for (weight, _), direction in zip(pairs, orthogonalize(stack), strict=True):
                    if isinstance(lr, Tensor):
                        weight.addcmul_(direction, lr, value=-scale)
                    else:
                        weight.add_(direction, alpha=-scale * lr)


def _as_wide_matrix(weight: Tensor) -> Tensor:
    """(out, everything else), or its transpose if that is wider; a view in any memory order."""
    if weight.ndim == 4 and weight.is_contiguous(memory_format=torch.channels_last):
        weight = weight.permute(0, 2, 3, 1)
    matrix = weight.view(len(weight), -1)
    return matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T


def orthogonalize(matrices: Tensor, n_steps: int = 5) -> Tensor:
    """Roughly U Vᵀ of each matrix U S Vᵀ: singular values come out between about 0.7 and 1.2.

    Newton–Schulz: an odd polynomial of a matrix acts on its singular values alone, so repeating
    one whose fixed points lie near 1 needs products only, no decomposition. Values below about
    1/1000 of the norm are not lifted all the way.

    Parameters
    ----------
    matrices
        (..., rows, columns), rows <= columns, any floating type.
    """
    a, b, c = QUINTIC
    x: Tensor = matrices / (torch.linalg.matrix_norm(matrices, keepdim=True) + 1e-7)
    for _ in range(n_steps):
        gram = x @ x.mT
        polynomial = (gram @ gram).mul_(c).add_(gram, alpha=b)
        polynomial.diagonal(dim1=-2, dim2=-1).add_(a)
        x = polynomial @ x
    return x


def is_matrix(weight: Tensor) -> bool:
    """Whether ``weight`` is one for ``Muon``: two dimensions or more, no side too short."""
    return weight.ndim >= 2 and min(len(weight), weight[0].numel()) >= MIN_SIDE
