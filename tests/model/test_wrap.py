"""A network of nobody's framework is looked into like one of ours."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import torch
from torch import nn

import zscape
from zscape.config import ModelConfig
from zscape.errors import ConfigError, ShapeError
from zscape.explorer import build_scene
from zscape.model import build_model
from zscape.model.wrapped import POINT, wrap

SHAPE = (1, 8, 8)
IMAGES = np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=np.uint8)
LABELS = np.arange(40) % 4


class Plain(nn.Module):
    """What a tutorial somewhere ends with."""

    def __init__(self, encoded="mean and log-variance", squash=torch.sigmoid):
        super().__init__()
        torch.manual_seed(0)
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.Dropout(0.5), nn.ReLU())
        self.mean, self.spread = nn.Linear(16, 3), nn.Linear(16, 3)
        self.decoder = nn.Linear(3, 64)
        self.encoded, self.squash = encoded, squash

    def encode(self, x):
        h = self.encoder(x)
        mu, logvar = self.mean(h), self.spread(h)
        if self.encoded == "mean":
            return mu
        if self.encoded == "distribution":
            return torch.distributions.Normal(mu, torch.exp(logvar / 2))
        if self.encoded == "sample":
            return mu + torch.randn_like(mu)
        return (mu, mu, logvar) if self.encoded == "three" else (mu, logvar)

    def decode(self, z):
        return self.squash(3 * self.decoder(z))


@pytest.mark.parametrize("encoded", ["mean and log-variance", "distribution"])
def test_it_encodes_and_decodes_as_the_module_does(encoded):
    module = Plain(encoded).train()
    vae = wrap(module, latent_dim=3, image_shape=SHAPE)
    assert not module.training
    x = torch.from_numpy(IMAGES[:, None]) / 255
    table = zscape.encode(vae, IMAGES)
    h = module.encoder(x)
    np.testing.assert_allclose(table.mu, module.mean(h).detach(), atol=1e-6)
    np.testing.assert_allclose(table.logvar, module.spread(h).detach(), atol=1e-5)
    pictures = zscape.decode(vae, table.mu)
    expected = module.decode(torch.from_numpy(table.mu)).view(-1, *SHAPE)
    torch.testing.assert_close(pictures, expected.detach())
    probability = vae.likelihood.mean(vae.decode_logits(torch.from_numpy(table.mu)))
    torch.testing.assert_close(probability, expected, atol=2e-6, rtol=0)


def test_it_is_mapped_explored_and_reported_on(tmp_path, monkeypatch):
    vae = wrap(Plain(), latent_dim=3, image_shape=SHAPE)
    images = zscape.load_data((IMAGES, LABELS))
    table = zscape.encode(vae, images.train)
    back = zscape.fit_map(table, "pca").inverse_transform([[0, 0]])
    assert zscape.decode(vae, back.vectors).shape == (1, *SHAPE)
    scene = build_scene(vae, images.train, maps=["pca"])
    assert scene.manifest["latentDim"] == 3
    zscape.write_report(vae, tmp_path / "report.html", data=images)
    assert "Plain" in (tmp_path / "report.html").read_text()


def test_logits_and_other_ranges():
    x, z = torch.rand(4, *SHAPE), torch.randn(4, 3)
    logits = wrap(Plain(squash=lambda a: a), 3, SHAPE, output="logits")
    expected = wrap(Plain(), 3, SHAPE)
    torch.testing.assert_close(logits.decode(z), expected.decode(z))
    signed = wrap(Plain(squash=torch.tanh), 3, SHAPE, pixel_range=(-1, 1))
    torch.testing.assert_close(signed.decode(z), expected.decode(2 * z), atol=0.3, rtol=0.3)
    module = signed.module
    same = module.mean(module.encoder(2 * x - 1))
    torch.testing.assert_close(signed.encode(x)[0], same)
    assert 0 <= signed.decode(10 * z).min() < signed.decode(10 * z).max() <= 1


def test_a_page_decodes_what_it_can_follow():
    layers = nn.Module()
    layers.mean, layers.spread = nn.Linear(64, 3), nn.Linear(64, 3)
    layers.decode = nn.Sequential(nn.Linear(3, 64), nn.Unflatten(1, SHAPE))

    def encode(x):
        flat = x.flatten(1)
        return layers.mean(flat), layers.spread(flat)

    vae = wrap(layers, 3, SHAPE, encode=encode, output="logits")
    scene = build_scene(vae, IMAGES, maps="pca")
    assert scene.manifest["why"] is None
    pictures = build_scene(wrap(Plain(), 3, SHAPE), IMAGES, maps="pca")
    assert "The page cannot run this network" in pictures.manifest["why"]


def test_an_autoencoder_is_made_of_points_and_says_so(caplog):
    with caplog.at_level(logging.WARNING):
        vae = wrap(Plain("mean"), 3, SHAPE)
    assert "no variance" in caplog.text
    assert not vae.has_variance
    mu, logvar = vae.encode(IMAGES[:, None])
    assert mu.std() > 0
    assert (logvar == POINT).all()


def test_what_is_cut_is_said(caplog):
    with caplog.at_level(logging.WARNING):
        wrap(Plain(squash=lambda a: 1.2 * a.sigmoid() - 0.1), 3, SHAPE)
    assert "which are cut to [0, 1]" in caplog.text


def test_parts_by_name_or_function():
    module = nn.Module()
    module.inner = Plain()
    module.down = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    vae = wrap(module, 3, SHAPE, encode="down", decode=lambda z: module.inner.decode(z))
    assert vae.encode(IMAGES[:2, None])[0].shape == (2, 3)


@pytest.mark.parametrize(
    ("module", "options", "error", "said"),
    [
        (nn.Linear(2, 2), {}, ConfigError, "Linear has no encode; say which of its parts it is"),
        (Plain("sample"), {}, ConfigError, "draws a sample; let it give the mean"),
        (Plain("three"), {}, ConfigError, r"must give \(mu, logvar\).*got 3 things"),
        (Plain(squash=lambda a: 9 * a), {}, ConfigError, "say output='logits'"),
        (Plain(squash=lambda a: a / 0), {}, ConfigError, "not finite"),
        (Plain(), {"latent_dim": 2}, ShapeError, r"encode must give \(batch, 2\); got \(3, 3\)"),
        (Plain(squash=lambda a: a[:, :9]), {}, ShapeError, r"decode must give \(batch, 1, 8, 8\)"),
        (Plain(), {"output": "probabilities"}, ConfigError, "output must be pictures or logits"),
        (Plain(), {"pixel_range": (1, 0)}, ConfigError, "black below"),
        (7, {}, ConfigError, "wrap takes an nn.Module; got a int"),
    ],
)
def test_what_cannot_be_wrapped_is_said(module, options, error, said):
    with pytest.raises(error, match=said):
        wrap(module, **({"latent_dim": 3, "image_shape": SHAPE} | options))


def test_one_of_ours_comes_out_as_it_went_in():
    inner = build_model(ModelConfig(network="mlp", latent_dim=3, image_shape=SHAPE)).eval()
    vae, x = wrap(inner, 3, SHAPE), torch.from_numpy(IMAGES[:, None])
    for ours, theirs in zip(vae.encode(x), inner.encode(x), strict=True):
        torch.testing.assert_close(ours, theirs)
