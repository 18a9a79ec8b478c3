import itertools

import pytest
import torch
from torch import nn

from zscape.training.muon import QUINTICS, Muon, is_matrix, orthogonalize


def of_values(values, columns):
    """A matrix with these singular values, and its directions."""
    rows = len(values)
    (u, _), (v, _) = (torch.linalg.qr(torch.randn(n, rows)) for n in (rows, columns))
    return u @ torch.diag(values) @ v.T, u, v


def test_the_polynomials_bring_all_but_the_smallest_values_near_one():
    values = torch.logspace(0, -2.602, 10_000, dtype=torch.float64)  # to 1/400
    for a, b, c in QUINTICS:
        values = a * values + b * values**3 + c * values**5
    assert values.min() == pytest.approx(0.7, abs=0.02)
    assert values.max() == pytest.approx(1.3, abs=0.02)


@pytest.mark.parametrize("columns", [32, 40, 80], ids=["square", "wide", "wider"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_orthogonalize_flattens_the_singular_values(columns, dtype):
    torch.manual_seed(0)
    matrix, u, v = of_values(torch.logspace(0, -2, 32), columns)
    found = orthogonalize(torch.stack([matrix, 1e-3 * matrix]).to(dtype)).float()
    for one in found:
        values = torch.linalg.svdvals(one)
        assert values.min() > 0.65
        assert values.max() < 1.35
        # It keeps the directions: U^T O V is diagonal.
        inner = u.T @ one @ v
        off = (inner * (1 - torch.eye(32))).norm() / inner.norm()
        assert off < (1e-3 if dtype is torch.float32 else 0.2)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("columns", [32, 80], ids=["square", "wider"])
def test_one_direction_or_none_stays_in_bounds(columns, dtype):
    torch.manual_seed(0)
    for rank, scale in itertools.product((0, 1, 2), (1e-8, 1.0, 1e4)):
        matrix = scale * torch.randn(32, rank) @ torch.randn(rank, columns)
        values = torch.linalg.svdvals(orthogonalize(matrix.to(dtype)).float())
        assert values.max() < 1.6
        if dtype is torch.float32:  # elsewhere rounding adds directions of its own
            assert values[rank:].max() < 0.6
        if rank == 1 and scale >= 1:
            assert values[0] > 0.6


@pytest.mark.parametrize("shape", [(24, 60), (40, 24)])
def test_a_step_is_that_of_torchs_own_muon_but_for_its_polynomial(shape):
    torch.manual_seed(0)
    ours, theirs = (nn.Parameter(torch.ones(shape)) for _ in range(2))
    own = Muon([ours], lr=0.01, momentum=0.9)
    # Its own polynomial ends between 0.7 and 1.2 as ours does, elsewhere; this one ends at 1.
    reference = torch.optim.Muon(
        [theirs], lr=0.01, momentum=0.9, weight_decay=0, adjust_lr_fn="match_rms_adamw",
        ns_coefficients=(1.875, -1.25, 0.375), ns_steps=20,
    )  # fmt: skip
    for _ in range(3):
        gradient = torch.randn(shape)
        for weight, optimizer in ((ours, own), (theirs, reference)):
            weight.grad = gradient.clone()
            optimizer.step()
    assert (ours - theirs).norm() < 0.3 * (theirs - 1).norm()


def test_a_convolution_is_stepped_as_its_matrix_in_either_memory_order():
    torch.manual_seed(0)
    gradient = torch.randn(16, 8, 3, 3)
    plain = nn.Parameter(torch.zeros(16, 8, 3, 3))
    last = nn.Parameter(torch.zeros(16, 8, 3, 3).to(memory_format=torch.channels_last))
    flat = nn.Parameter(torch.zeros(16, 72))
    for weight in (plain, last, flat):
        weight.grad = gradient.view_as(weight).clone(memory_format=torch.preserve_format)
        if weight is last:
            weight.grad = gradient.to(memory_format=torch.channels_last)
        Muon([weight], lr=1.0).step()
    torch.testing.assert_close(plain.detach().view(16, 72), flat.detach())
    torch.testing.assert_close(plain.detach(), last.detach(), atol=1e-5, rtol=1e-4)


def test_a_step_has_about_the_size_of_adams():
    torch.manual_seed(0)
    weight = nn.Parameter(torch.zeros(64, 256))
    weight.grad = torch.randn(64, 256)
    Muon([weight], lr=0.5).step()
    assert weight.detach().square().mean().sqrt() == pytest.approx(0.1, rel=0.15)


def test_weights_of_one_shape_are_stepped_as_if_alone():
    torch.manual_seed(0)
    together = [nn.Parameter(torch.zeros(shape)) for shape in [(16, 48), (48, 16), (16, 48)]]
    alone = [nn.Parameter(torch.zeros_like(weight)) for weight in together]
    for a, b in zip(together, alone, strict=True):
        a.grad = torch.randn_like(a)
        b.grad = a.grad.clone()
        Muon([b], lr=1.0).step()
    Muon(together, lr=1.0).step()
    for a, b in zip(together, alone, strict=True):
        torch.testing.assert_close(a, b)


def test_weight_decay_is_decoupled():
    torch.manual_seed(0)
    plain, decayed = (nn.Parameter(torch.ones(16, 32)) for _ in range(2))
    gradient = torch.randn(16, 32)
    for weight, decay in ((plain, 0.0), (decayed, 0.5)):
        weight.grad = gradient.clone()
        Muon([weight], lr=0.1, weight_decay=decay).step()
    torch.testing.assert_close(plain - decayed, torch.full((16, 32), 0.05))


def test_a_weight_without_gradient_is_left_alone():
    weight = nn.Parameter(torch.ones(16, 16))
    Muon([weight], lr=1.0).step()
    assert torch.equal(weight, torch.ones(16, 16))


def test_which_weights_are_matrices():
    assert is_matrix(torch.zeros(16, 4, 2, 2))
    assert is_matrix(torch.zeros(20, 16))
    assert not is_matrix(torch.zeros(10, 512))
    assert not is_matrix(torch.zeros(512, 10))
    assert not is_matrix(torch.zeros(512))
