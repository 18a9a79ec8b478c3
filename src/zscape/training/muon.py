"""Muon: momentum whose every step is orthogonalised, for the weights that are matrices.

Gradients of a weight matrix are dominated by a few directions; Adam rescales single numbers and
leaves that so. Muon replaces the momentum M = U S Vᵀ by about U Vᵀ, a step of equal length in every
direction the gradients have shown. The default network reaches a given loss in about half of Adam's
epochs, for about a fifth more time per step; `benchmarks/recipe.md` has the losses. Where a network
does little besides its largest matrices, as the MLP, the step itself is most of the time.

PyTorch has a ``Muon`` for two-dimensional weights only. Most of a convolutional VAE's weights are
convolutions, which this one takes as the matrices (out, in · height · width) they are.

References
----------
Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks".
Amsel et al. 2025, "The Polar Express", arXiv:2505.16932, for polynomials that differ by step.
Liu et al. 2025, arXiv:2502.16982, for the scale that lets it share Adam's learning rate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

MIN_SIDE = 16
"""A matrix with a shorter side than this has too few directions to be worth orthogonalising."""

QUINTICS = (
    (8.406, -24.854, 18.427),
    (3.894, -2.631, 0.450),
    (3.492, -2.379, 0.426),
    (2.620, -1.794, 0.372),
)
"""Coefficients of p(s) = a s + b s³ + c s⁵, one for each step.

Each is the best there is, in the sense of Chebyshev, for where the step before has left the
singular values and for 5 % more than the greatest. Together they bring all from 1/400 to 1 within
0.3 of 1.
"""

ROUGH_QUINTICS = ((3.4445, -4.7750, 2.0315),) * 5
"""For bfloat16 (Jordan et al. 2024), whose rounding loses what those above lead through 0.02."""

MARGIN = 1.02
"""By which the norm is taken as larger than it is, as the first polynomial runs away beyond 1."""


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


def orthogonalize(matrices: Tensor) -> Tensor:
    """Roughly U Vᵀ of each matrix U S Vᵀ: singular values come out between about 0.7 and 1.3.

    Newton–Schulz: an odd polynomial of a matrix X acts on its singular values alone, so one after
    the other needs products only, no decomposition. Values below about 1/400 of the norm are not
    lifted all the way; the norm is the root of that of X Xᵀ, which no singular value exceeds.

    All of it is a polynomial of X Xᵀ, times X. Where the rows are much fewer than the columns only
    that is multiplied out, and X once at the end: half of the time for the widest convolutions.
    Not in bfloat16: X would not correct what its rounding makes of small eigenvalues.

    Parameters
    ----------
    matrices
        (..., rows, columns), rows <= columns, any floating type.
    """
    is_rough = torch.finfo(matrices.dtype).eps > 1e-6
    first, *others = ROUGH_QUINTICS if is_rough else QUINTICS
    x: Tensor = matrices / (torch.linalg.matrix_norm(matrices, keepdim=True) + 1e-7)
    gram = x @ x.mT
    if not is_rough:
        bound = torch.linalg.matrix_norm(gram, keepdim=True).clamp_min(1e-30) * MARGIN**2
        x, gram = x / bound.sqrt(), gram / bound
    rows, columns = x.shape[-2:]
    whole = polynomial = _polynomial(gram, *first)
    if is_rough or columns < 1.5 * rows:
        x = whole @ x
        for quintic in others:
            x = _polynomial(x @ x.mT, *quintic) @ x
        return x
    for quintic in others:
        gram = polynomial @ gram @ polynomial
        polynomial = _polynomial(gram, *quintic)
        whole = polynomial @ whole
    return whole @ x


def _polynomial(gram: Tensor, a: float, b: float, c: float) -> Tensor:
    """The symmetric a I + b G + c G², of each."""
    found = (gram @ gram).mul_(c).add_(gram, alpha=b)
    found.diagonal(dim1=-2, dim2=-1).add_(a)
    return found


def is_matrix(weight: Tensor) -> bool:
    """Whether ``weight`` is one for ``Muon``: two dimensions or more, no side too short."""
    return weight.ndim >= 2 and min(len(weight), weight[0].numel()) >= MIN_SIDE
