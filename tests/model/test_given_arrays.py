"""``encode`` and ``decode`` take what people have pixels and vectors in, and look at the range."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from zscape.config import ModelConfig
from zscape.data import ImageSet
from zscape.errors import ConfigError, DataError, ShapeError
from zscape.model import VAE, as_vae, build_model, networks

BYTES = torch.randint(0, 256, (4, 1, 16, 16), generator=torch.Generator().manual_seed(0)).byte()
UNIT = BYTES.float() / 255


@pytest.fixture(params=["enhanced", "mlp"])
def vae(request) -> VAE:
    return build_model(
        ModelConfig(network=request.param, latent_dim=3, image_shape=(1, 16, 16))
    ).eval()


@pytest.mark.parametrize(
    "x",
    [
        BYTES, BYTES.numpy(), BYTES.long(), UNIT.double(), UNIT.numpy(), UNIT.double().numpy(),
        UNIT.tolist(), ImageSet(BYTES), UNIT.numpy()[:, :, ::1],
    ],
    ids=["bytes", "NumPy's bytes", "int64", "float64", "NumPy", "NumPy's float64", "lists", "set",
         "view"],
)  # fmt: skip
def test_pixels_in_any_type(vae, x):
    for given, expected in zip(vae.encode(x), vae.encode(UNIT), strict=True):
        assert given.dtype == torch.float32
        torch.testing.assert_close(given, expected)


def test_black_and_white(vae):
    for mean, expected in zip(
        vae.encode(UNIT > 0.5), vae.encode((UNIT > 0.5).float()), strict=True
    ):
        torch.testing.assert_close(mean, expected)


@pytest.mark.parametrize("make", [torch.Tensor.double, torch.Tensor.numpy, torch.Tensor.tolist])
def test_vectors_in_any_type(vae, make):
    z = torch.tensor([[0.5, -1, 2], [0, 0, 0]])
    torch.testing.assert_close(vae.decode(make(z)), vae.decode(z))


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (255 * UNIT, "got values from 0 to 255; divide by 255, or pass them as bytes"),
        (2 * UNIT - 1, "got values from -1 to 1"),
        (UNIT.numpy() + 0.01, "got values from 0.01 to 1.01"),
        (UNIT.where(UNIT > 0.1, torch.nan), "got values from nan to nan"),
    ],
)
def test_pixels_outside_their_range_are_refused(vae, x, said):
    with pytest.raises(DataError, match=rf"^pixels must be in \[0, 1\]; {said}\.$"):
        vae.encode(x)


def test_rounding_is_not_outside(vae):
    vae.encode(UNIT * (1 + 1e-6) - 1e-7)


def test_another_shape_or_no_numbers_is_said(vae):
    with pytest.raises(ShapeError, match=r"x must be \(batch, 1, 16, 16\); got \(4, 16, 16\)"):
        vae.encode(BYTES[:, 0].numpy())
    with pytest.raises(ShapeError, match=r"^x must be an array of numbers"):
        vae.encode([["a"]])
    with pytest.raises(ShapeError, match=r"^z must be \(batch, 3\); got \(3,\)"):
        vae.decode(np.zeros(3))


class Incomplete(VAE):
    def encode(self, x):
        return x, x


def test_a_network_without_a_method_is_refused_by_its_name():
    with pytest.raises(TypeError, match=r"Incomplete.*'?decode_logits'?"):
        Incomplete(2)
    with pytest.raises(TypeError, match=r"VAE.*'?decode_logits'?.*'?encode'?"):
        VAE(2)


def test_as_vae():
    vae = networks["mlp"](2, (1, 4, 4))
    assert as_vae(vae) is vae
    assert as_vae(type("Opened", (), {"model": vae})()) is vae
    for given, said in (
        ("zoo:10", r"got a str: open it with zscape.load\('zoo:10'\)"),
        (torch.nn.Linear(2, 2), r"got a Linear: make it one with zscape.wrap\("),
        (None, "got a NoneType: pass what zscape.load or zscape.train returned"),
    ):
        with pytest.raises(ConfigError, match=f"needs a model.*{said}"):
            as_vae(given)
