"""A likelihood with a mean and a scale per pixel, from its one line of registry to the explorer."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import zscape
from zscape.config import ModelConfig
from zscape.errors import ConfigError, ShapeError
from zscape.explorer import build_scene
from zscape.model import (
    MLPVAE,
    VAE,
    Likelihood,
    build_model,
    likelihoods,
    mean_elbo,
    reconstruction_costs,
    register_likelihood,
)
from zscape.neurons import trace_architecture

FLOOR = 1 / 255


class MeanAndScale(Likelihood):
    """A normal density whose mean and scale are both the decoder's."""

    n_parameters = 2

    def log_prob(self, x: Tensor, logits: Tensor) -> Tensor:
        mean, raw = self.parameters_of(logits)
        scale = F.softplus(raw) + FLOOR
        error = (x - torch.sigmoid(mean)) / scale
        return -0.5 * error.square() - scale.log() - 0.5 * math.log(2 * math.pi)

    def best_log_prob(self, x: Tensor) -> Tensor:
        return torch.full_like(x, -math.log(FLOOR) - 0.5 * math.log(2 * math.pi))

    def mean(self, logits: Tensor) -> Tensor:
        return torch.sigmoid(self.parameters_of(logits)[0])


@pytest.fixture(scope="module", autouse=True)
def registered() -> Iterator[None]:
    register_likelihood("mean-and-scale")(MeanAndScale)
    yield
    del likelihoods._table["mean-and-scale"]


@pytest.fixture(scope="module", params=["mlp", "enhanced"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on colour images, so that channels and parameters cannot be mistaken."""
    images = np.random.default_rng(0).random((40, 3, 16, 16)) ** 2
    folder = tmp_path_factory.mktemp("several") / "run"
    zscape.train(
        images, likelihood="mean-and-scale", network=request.param, latent_dim=2, epochs=2,
        batch_size=16, out=folder, accelerator="cpu", precision="32", progress="none",
    )  # fmt: skip
    return folder


def test_parameters_are_one_after_another() -> None:
    logits = torch.arange(2 * 6 * 4.0).reshape(2, 6, 2, 2)
    mean, scale = MeanAndScale().parameters_of(logits)
    assert torch.equal(mean, logits[:, :3])
    assert torch.equal(scale, logits[:, 3:])


def test_it_trains_evaluates_and_decodes(run: Path) -> None:
    opened = zscape.load(run)
    model = opened.model
    images = np.random.default_rng(0).random((40, 3, 16, 16)) ** 2
    data = opened.data(images)
    assert model.logit_channels == 6
    last = opened.run.metrics()[-1] if opened.run else {}
    tested = mean_elbo(model, data.test)
    assert tested.loss() == pytest.approx(last["test"]["loss"], rel=1e-5)
    z = torch.zeros(4, 2)
    with torch.no_grad():
        pictures, logits = model.decode(z), model.decode_logits(z)
    assert pictures.shape == (4, 3, 16, 16)
    assert logits.shape == (4, 6, 16, 16)
    torch.testing.assert_close(pictures, torch.sigmoid(logits[:, :3]))
    costs = reconstruction_costs(model, data.test, np.zeros((len(data.test), 2), np.float32))
    assert (costs.avoidable >= 0).all()


def test_its_architecture_is_traced_and_the_page_says_it_cannot_run_it(run: Path) -> None:
    opened = zscape.load(run)
    images = opened.data(np.random.default_rng(0).random((40, 3, 16, 16)) ** 2).train
    assert trace_architecture(opened.model).to_dict()
    scene = build_scene(opened.model, images, maps=["pca"])
    assert scene.manifest["model"] is None
    assert "it does not know the likelihood MeanAndScale" in scene.manifest["why"]


def test_its_loss_is_that_of_the_formula() -> None:
    vae = build_model(ModelConfig(2, "mlp", "mean-and-scale", image_shape=(1, 4, 4)))
    x, z = torch.rand(3, 1, 4, 4), torch.zeros(3, 2)
    logits = vae.logits(z)
    scale = F.softplus(logits[:, 1:]) + FLOOR
    expected = -torch.distributions.Normal(torch.sigmoid(logits[:, :1]), scale).log_prob(x)
    torch.testing.assert_close(vae.likelihood.cost(x, logits), expected.flatten(1).sum(1))


def test_a_network_that_gives_one_number_per_pixel_is_told_so() -> None:
    class Narrow(MLPVAE):
        @property
        def logit_channels(self) -> int:
            return 2 if hasattr(self, "decoder") else 1

    vae: VAE = Narrow(2, (1, 4, 4), "mean-and-scale")
    with pytest.raises(ShapeError, match=r"must give \(batch, 2, 4, 4\), .* got \(3, 1, 4, 4\)"):
        vae.decode(torch.zeros(3, 2))


def test_what_the_best_is_must_be_said() -> None:
    with pytest.raises(ConfigError, match="must say what best_log_prob is"):

        class Unfinished(MeanAndScale):
            best_log_prob = Likelihood.best_log_prob
