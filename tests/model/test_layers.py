from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from zscape.model import layers
from zscape.model.layers import (
    LOGVAR_BOUND,
    DoublingConvTranspose2d,
    FullConv2d,
    HalvingConv2d,
    SeedConvTranspose2d,
    _convolve,
    soft_bound,
)

FORMATS = [torch.contiguous_format, torch.channels_last]


def pairs(side):
    """Our layer and the plain one with its parameters, and the side of their input."""
    torch.manual_seed(side)
    for fast, plain, input_side in (
        (FullConv2d(6, 5, side), nn.Conv2d(6, 5, side), side),
        (SeedConvTranspose2d(6, 5, side), nn.ConvTranspose2d(6, 5, side), 1),
    ):
        plain.load_state_dict(fast.state_dict(), strict=True)
        yield fast, plain, input_side


@pytest.mark.parametrize("memory_format", FORMATS, ids=str)
@pytest.mark.parametrize("side", [2, 3, 4, 16])
def test_products_are_the_convolutions_gradients_included(side, memory_format):
    for fast, plain, input_side in pairs(side):
        x = torch.randn(7, 6, input_side, input_side)
        results = []
        for layer in (fast, plain):
            layer = layer.to(memory_format=memory_format)
            inputs = x.clone(memory_format=memory_format).requires_grad_()
            output = layer(inputs)
            weights = torch.randn(output.shape, generator=torch.Generator().manual_seed(3))
            weights = weights / weights.norm()
            (weights * output).sum().backward()
            results.append([output, inputs.grad, layer.weight.grad, layer.bias.grad])
        for ours, theirs in zip(*results, strict=True):
            assert ours.shape == theirs.shape
            assert theirs.abs().max() > 1e-3
            torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)


STRIDED = {
    "halving": (lambda: HalvingConv2d(6, 5, 3), lambda: nn.Conv2d(6, 5, 3, 2, 1)),
    "halving, 4": (lambda: HalvingConv2d(6, 5, 4), lambda: nn.Conv2d(6, 5, 4, 2, 1)),
    "doubling, odd": (
        lambda: DoublingConvTranspose2d(6, 5, 3, is_odd=True),
        lambda: nn.ConvTranspose2d(6, 5, 3, 2, 1),
    ),
    "doubling, even": (
        lambda: DoublingConvTranspose2d(6, 5, 3),
        lambda: nn.ConvTranspose2d(6, 5, 3, 2, 1, output_padding=1),
    ),
    "doubling, 4": (
        lambda: DoublingConvTranspose2d(6, 5, 4),
        lambda: nn.ConvTranspose2d(6, 5, 4, 2, 1),
    ),
    "doubling, 4, to one channel": (
        lambda: DoublingConvTranspose2d(6, 1, 4),
        lambda: nn.ConvTranspose2d(6, 1, 4, 2, 1),
    ),
    "doubling, 4, to three channels": (
        lambda: DoublingConvTranspose2d(6, 3, 4),
        lambda: nn.ConvTranspose2d(6, 3, 4, 2, 1),
    ),
}


@pytest.mark.parametrize("memory_format", FORMATS, ids=str)
@pytest.mark.parametrize("side", [2, 4, 7])
@pytest.mark.parametrize("name", STRIDED)
def test_strided_convolutions_are_the_plain_layers_gradients_included(name, side, memory_format):
    torch.manual_seed(0)
    fast, plain = (make().to(memory_format=memory_format) for make in STRIDED[name])
    plain.load_state_dict(fast.state_dict(), strict=True)
    x = torch.randn(7, 6, side, side).to(memory_format=memory_format)
    results = []
    for layer, apply in ((fast, lambda x: _convolve(x, fast)), (plain, plain)):
        inputs = x.clone().requires_grad_()
        output = apply(inputs)
        torch.manual_seed(1)
        weights = torch.randn(output.shape)
        (output * weights / weights.norm()).sum().backward()
        results.append([output, inputs.grad, layer.weight.grad, layer.bias.grad])
    for ours, theirs in zip(*results, strict=True):
        assert theirs.abs().max() > 1e-3
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", STRIDED)
def test_the_detour_is_taken_in_training_only_where_it_is_shorter(name):
    layer, x = STRIDED[name][0](), torch.randn(2, 6, 4, 4)

    def is_taken(x):
        return "DirectConvolution" in type(layer(x).grad_fn).__name__

    doubles = "doubling" in name
    assert is_taken(x) == doubles
    with torch.autocast("cpu", torch.bfloat16):
        assert not is_taken(x)
    assert not is_taken(x[:0])
    layer.double()
    assert not is_taken(x.double())
    layer.bfloat16()
    assert is_taken(x.bfloat16())
    layer.eval()
    assert not is_taken(x.bfloat16())


def test_training_can_be_differentiated_by_torch_func():
    layer, x = STRIDED["doubling, 4"][0](), torch.randn(2, 6, 4, 4)
    found = torch.func.grad(lambda x: layer(x).square().sum())(x)
    (expected,) = torch.autograd.grad(layer(x.requires_grad_()).square().sum(), x)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("name", [name for name in STRIDED if "doubling" in name])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
def test_what_only_decodes_takes_the_detour_and_draws_the_same(name, dtype, monkeypatch):
    torch.manual_seed(0)
    fast, plain = (make().eval() for make in STRIDED[name])
    plain.load_state_dict(fast.state_dict(), strict=True)
    x, taken = torch.randn(7, 6, 7, 7), []
    monkeypatch.setattr(layers, "_convolve", lambda *given: taken.append(1) or _convolve(*given))
    with torch.no_grad():
        ours, theirs = fast.to(dtype)(x.to(dtype)), plain(x).to(dtype)
    assert taken
    tolerance = 2e-2 if dtype is torch.bfloat16 else 1e-5
    torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance)
    fast(x.to(dtype))  # with gradients
    assert len(taken) == 1


@pytest.mark.parametrize("side", [2, 4])
def test_channels_last_is_kept(side):
    for fast, _, input_side in pairs(side):
        x = torch.randn(3, 6, input_side, input_side).to(memory_format=torch.channels_last)
        output = fast.to(memory_format=torch.channels_last)(x)
        assert output.is_contiguous(memory_format=torch.channels_last)


def test_an_empty_batch_passes():
    for fast, plain, side in pairs(4):
        x = torch.zeros(0, 6, side, side)
        assert fast(x).shape == plain(x).shape


def slope(x):
    x = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(soft_bound(x).sum(), x)
    return gradient


def test_soft_bound_is_the_identity_inside():
    x = torch.linspace(-LOGVAR_BOUND, LOGVAR_BOUND, 1001)
    assert torch.equal(soft_bound(x), x)
    assert torch.equal(slope(x), torch.ones_like(x))


@pytest.mark.parametrize("sign", [-1, 1])
def test_soft_bound_is_smooth_at_the_bounds(sign):
    x = sign * (LOGVAR_BOUND + torch.tensor([-1e-6, 0, 1e-6], dtype=torch.float64))
    assert torch.equal(soft_bound(x)[:2], x[:2])
    torch.testing.assert_close(soft_bound(x), x, rtol=0, atol=1e-11)
    torch.testing.assert_close(slope(x), torch.ones_like(x), rtol=0, atol=2e-6)


def test_soft_bound_grows_like_a_logarithm_outside():
    x = torch.tensor([13, 20, 1e4, 1e10], dtype=torch.float64)
    expected = 12 + torch.log(x - 11)
    torch.testing.assert_close(soft_bound(x), expected)
    torch.testing.assert_close(soft_bound(-x), -expected)
    torch.testing.assert_close(slope(x), 1 / (x - 11))
    assert soft_bound(x)[-1].item() == pytest.approx(35, abs=0.1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64], ids=str)
def test_soft_bound_can_always_be_pulled_back(dtype):
    edges = torch.tensor([0, 0.5, 11.9375, 12, 12.0625, 13, 50, 1e4, 1e10, 1e30]).to(dtype)
    x = torch.cat([-edges, edges])
    assert x[3] == -12
    assert x[13] == 12
    assert (slope(x) > 0).all()
    assert (slope(x) <= 1).all()
    assert torch.isfinite(soft_bound(x)).all()
    y = soft_bound(edges)
    assert (y[1:] >= y[:-1]).all()


@pytest.mark.parametrize("size", [1e30, 1e33])
def test_soft_bound_keeps_the_exponential_finite(size):
    x = torch.tensor([-size, size], requires_grad=True)
    variance = soft_bound(x).exp()
    variance.sum().backward()
    assert torch.isfinite(variance).all()
    assert variance[0] >= 0
    assert torch.isfinite(x.grad).all()


def test_soft_bound_does_not_hide_a_divergence():
    assert math.isnan(soft_bound(torch.tensor(math.nan)))
    assert math.isinf(soft_bound(torch.tensor(math.inf)))
