"""What every network must do, whoever wrote it; run over the registry and over the docs' example.

A check takes the ``ModelConfig`` of the network and builds what it needs.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from zscape.config import ModelConfig
from zscape.errors import ShapeError
from zscape.model import (
    VAE,
    ElboObjective,
    build_model,
    kl_to_standard_normal,
    likelihoods,
    networks,
)

# Other tests enter classes of their own, in the order in which pytest collects them.
NETWORKS = [name for name in networks if networks[name].__module__.startswith("zscape.")]
LIKELIHOODS = [name for name in likelihoods if likelihoods[name].__module__.startswith("zscape.")]

CONTRACT: list[Callable[[ModelConfig], None]] = []
BATCH = 6


def _part(check: Callable[[ModelConfig], None]) -> Callable[[ModelConfig], None]:
    CONTRACT.append(check)
    return check


def pictures(config: ModelConfig, n: int = BATCH) -> Tensor:
    """(n, c, h, w) in [0, 1], full range, the same every time."""
    x = torch.rand(n, *config.image_shape, generator=torch.Generator().manual_seed(0))
    return (1.4 * x - 0.2).clamp(0, 1)


def latents(config: ModelConfig, n: int = BATCH) -> Tensor:
    return torch.randn(n, config.latent_dim, generator=torch.Generator().manual_seed(1))


def loss_of(vae: VAE, x: Tensor) -> Tensor:
    """The loss with one and the same noise every time."""
    return ElboObjective(vae)(x, torch.Generator().manual_seed(2)).loss()


@_part
def check_shapes_and_ranges(config: ModelConfig) -> None:
    vae, x = build_model(config), pictures(config)
    mu, logvar = vae.encode(x)
    assert mu.shape == logvar.shape == (BATCH, config.latent_dim)
    assert torch.isfinite(mu).all()
    assert torch.isfinite(logvar.exp()).all()
    z = 3 * latents(config)
    assert vae.decode_logits(z).shape == (BATCH, vae.logit_channels, *config.image_shape[1:])
    images = vae.decode(z)
    assert images.shape == x.shape
    assert images.dtype == torch.float32
    assert images.min() >= 0
    assert images.max() <= 1
    assert images.std() > 0
    assert vae.latent_dim == vae.get_latent_dim() == config.latent_dim
    assert vae.image_shape == config.image_shape


@_part
def check_forward_is_encode_sample_decode(config: ModelConfig) -> None:
    vae, x = build_model(config).eval(), pictures(config)
    torch.manual_seed(0)
    reconstruction, mu, logvar = vae(x)
    torch.manual_seed(0)
    assert torch.equal(reconstruction, vae.decode(vae.reparameterize(mu, logvar)))
    assert torch.equal(mu, vae.encode(x)[0])
    assert torch.equal(logvar, vae.encode(x)[1])
    assert not torch.equal(reconstruction, vae(x)[0])


@_part
def check_pictures_do_not_know_of_each_other(config: ModelConfig) -> None:
    """In evaluation mode; one of them alone, and none at all, pass as well."""
    vae, x, z = build_model(config).eval(), pictures(config), latents(config)
    for together, alone in zip((*vae.encode(x), vae.decode(z)),
                               (*vae.encode(x[:1]), vae.decode(z[:1])), strict=True):  # fmt: skip
        torch.testing.assert_close(together[:1], alone, rtol=1e-4, atol=1e-5)
    assert vae.encode(x[:0])[0].shape == (0, config.latent_dim)
    assert vae.decode(z[:0]).shape == (0, *config.image_shape)


@_part
def check_a_step_lowers_the_loss(config: ModelConfig) -> None:
    vae, x = build_model(config), pictures(config)
    optimizer = torch.optim.Adam(vae.parameters(), 1e-3)
    before = loss_of(vae, x)
    before.backward()
    for name, parameter in vae.named_parameters():
        assert parameter.grad is not None, f"{name} takes no part"
        assert torch.isfinite(parameter.grad).all(), name
    optimizer.step()
    assert loss_of(vae, x) < before


@_part
def check_runaway_weights_do_not_overflow(config: ModelConfig) -> None:
    vae, x = build_model(config), pictures(config)
    with torch.no_grad():
        for parameter in vae.parameters():
            parameter.mul_(100)
    mu, logvar = vae.encode(x)
    assert logvar.abs().max() > 12
    assert torch.isfinite(kl_to_standard_normal(mu, logvar)).all()


@_part
def check_mixed_precision_and_memory_format(config: ModelConfig) -> None:
    """What the trainer does to a network changes its loss by rounding only."""
    x = pictures(config)
    expected = loss_of(build_model(config), x).item()
    vae = build_model(config).to(memory_format=torch.channels_last)
    x = x.contiguous(memory_format=torch.channels_last)
    assert loss_of(vae, x).item() == pytest.approx(expected, rel=1e-4)
    with torch.autocast("cpu", torch.bfloat16):
        loss = loss_of(vae, x)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(expected, rel=0.05)


@_part
def check_state_dict_round_trip(config: ModelConfig) -> None:
    trained, other, x = build_model(config), build_model(config, seed=1), pictures(config)
    trained.encode(x)  # moves the running statistics, where there are any
    other.load_state_dict(trained.state_dict(), strict=True)
    for vae in (trained, other):
        vae.eval()
    z = latents(config)
    assert torch.equal(trained.encode(x)[0], other.encode(x)[0])
    assert torch.equal(trained.decode(z), other.decode(z))


@_part
def check_seed_decides_the_weights(config: ModelConfig) -> None:
    before = torch.get_rng_state()
    first, again, other = build_model(config), build_model(config), build_model(config, seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    pairs = zip(first.parameters(), again.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    pairs = zip(first.parameters(), other.parameters(), strict=True)
    assert any(not torch.equal(a, b) for a, b in pairs)


@_part
def check_wrong_shapes_are_named(config: ModelConfig) -> None:
    vae = build_model(config)
    channels, height, width = config.image_shape
    for shape in ((2, height, width), (2, channels, height + 4, width), (channels, height, width)):
        with pytest.raises(ShapeError) as caught:
            vae.encode(torch.zeros(shape))
        assert str(caught.value) == (
            f"x must be (batch, {channels}, {height}, {width}); got {shape}."
        )
    d = config.latent_dim
    for shape in ((2, d + 1), (d,), (2, d, 1)):
        with pytest.raises(ShapeError) as caught:
            vae.decode(torch.zeros(shape))
        assert str(caught.value) == f"z must be (batch, {d}); got {shape}."
