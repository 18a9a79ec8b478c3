from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import Normal, kl_divergence

from model.contract import LIKELIHOODS
from zscape.config import ModelConfig
from zscape.data import ImageSet
from zscape.errors import ShapeError
from zscape.model import (
    ACTIVE_KL,
    VAE,
    ElboObjective,
    ElboParts,
    MeanElbo,
    build_model,
    evaluating,
    kl_to_standard_normal,
    likelihoods,
    mean_elbo,
    reconstruction_costs,
)
from zscape.seeding import torch_generator


@pytest.fixture
def images() -> ImageSet:
    pixels = torch.randint(0, 256, (7, 1, 16, 16), generator=torch.Generator().manual_seed(0))
    return ImageSet(pixels.to(torch.uint8))


@pytest.fixture
def vae() -> VAE:
    """With batch norm whose running statistics are not those of a fresh layer."""
    vae = build_model(ModelConfig(latent_dim=3, image_shape=(1, 16, 16)))
    vae(torch.rand(8, 1, 16, 16, generator=torch.Generator().manual_seed(1)))
    return vae


def test_kl_is_that_of_torch():
    generator = torch.Generator().manual_seed(0)
    mu = 3 * torch.randn(50, 4, generator=generator, dtype=torch.float64)
    logvar = 4 * torch.randn(50, 4, generator=generator, dtype=torch.float64)
    expected = kl_divergence(Normal(mu, (0.5 * logvar).exp()), Normal(0.0, 1.0))
    torch.testing.assert_close(kl_to_standard_normal(mu, logvar), expected)


def test_kl_is_zero_at_the_prior_and_loses_nothing_beside_it():
    logvar = torch.tensor([[-1e-4, 0.0, 1e-4]])
    kl = kl_to_standard_normal(torch.zeros(1, 3), logvar)
    torch.testing.assert_close(kl, logvar.square() / 4, rtol=0, atol=1e-10)
    assert kl[0, 1] == 0


def test_kl_gradients():
    mu = torch.randn(5, 2, dtype=torch.float64, requires_grad=True)
    logvar = torch.randn(5, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(kl_to_standard_normal, (mu, logvar))


@pytest.mark.parametrize("shape", [(5, 1), (1, 2), (2,), (5, 2, 1)])
def test_kl_does_not_broadcast(shape):
    with pytest.raises(ShapeError) as caught:
        kl_to_standard_normal(torch.zeros(5, 2), torch.zeros(shape))
    assert str(caught.value) == f"mu and logvar must have one shape; got (5, 2) and {shape}."


def test_loss_weighs_the_kl_only():
    parts = ElboParts(torch.tensor([1.0, 3.0]), torch.tensor([[1.0, 2.0], [0.0, 5.0]]))
    assert parts.loss() == 2 + 4
    assert parts.loss(0) == 2
    assert parts.loss(2.5) == 2 + 2.5 * 4
    assert parts.loss(torch.tensor(0.5)) == 2 + 0.5 * 4


def test_evaluation_sums_up():
    evaluation = MeanElbo(80.0, (3.0, ACTIVE_KL, 2 * ACTIVE_KL, 0.0), 5)
    assert evaluation.kl == pytest.approx(3.03)
    assert evaluation.loss() == pytest.approx(83.03)
    assert evaluation.loss(0) == 80
    assert evaluation.loss(4) == pytest.approx(80 + 4 * 3.03)
    assert evaluation.n_active == 2


def test_evaluate_is_the_sum_written_out(vae, images):
    result = mean_elbo(vae, images, seed=3, batch_size=3)
    generator = torch_generator(3, "evaluation")
    vae.eval()
    reconstruction, kl = [], []
    for batch in (slice(0, 3), slice(3, 5), slice(5, 7)):
        x = images.images[batch].double() / 255
        with torch.no_grad():
            mu, logvar = vae.encode(x.float())
            noise = torch.randn(mu.shape, generator=generator)
            p = torch.sigmoid(vae.decode_logits(mu + noise * (logvar / 2).exp())).double()
        reconstruction += (-(x * p.log() + (1 - x) * (1 - p).log())).sum((1, 2, 3)).tolist()
        kl.append(kl_divergence(Normal(mu, (logvar / 2).exp()), Normal(0.0, 1.0)))
    assert result.n_images == 7
    assert result.reconstruction == pytest.approx(sum(reconstruction) / 7, rel=1e-6)
    assert result.kl_per_neuron == pytest.approx(torch.cat(kl).mean(0).tolist(), rel=1e-4)


def test_evaluate_is_decided_by_its_seed(vae, images):
    before = torch.get_rng_state()
    first = mean_elbo(vae, images, seed=1)
    assert first == mean_elbo(vae, images, seed=1)
    other = mean_elbo(vae, images, seed=2)
    assert other.reconstruction != first.reconstruction
    assert other.kl_per_neuron == first.kl_per_neuron
    assert torch.equal(torch.get_rng_state(), before)


def test_evaluate_changes_nothing(vae, images):
    before = {name: value.clone() for name, value in vae.state_dict().items()}
    for training in (True, False):
        vae.train(training)
        mean_elbo(vae, images)
        assert vae.training is training
        assert all(part.training is training for part in vae.modules())
    assert all(torch.equal(value, before[name]) for name, value in vae.state_dict().items())
    assert all(parameter.grad is None for parameter in vae.parameters())


def test_reconstruction_costs_are_those_of_each_image(vae, images):
    vae.eval()
    with torch.no_grad():
        mu, _ = vae.encode(images.pixels())
        p = torch.sigmoid(vae.decode_logits(mu)).double()
    x = images.pixels().double()
    total = -(x * p.log() + (1 - x) * (1 - p).log()).sum((1, 2, 3))
    entropy = -(torch.xlogy(x, x) + torch.xlogy(1 - x, 1 - x)).sum((1, 2, 3))
    found = reconstruction_costs(vae.train(), images, mu.numpy(), batch_size=3)
    assert vae.training
    np.testing.assert_allclose(found.total, total, rtol=1e-5)
    np.testing.assert_allclose(found.avoidable, total - entropy, rtol=1e-4)
    with pytest.raises(ShapeError, match=r"^7 images need as many rows of z; got 6"):
        reconstruction_costs(vae, images, mu[:6].numpy())


class Grey(VAE):
    """Draws every picture as a plane of the grey that is its latent."""

    def __init__(self, likelihood: str) -> None:
        super().__init__(1, (1, 8, 8), likelihood)
        self.unused = nn.Parameter(torch.zeros(1))

    def encode(self, x):
        level = x.mean((1, 2, 3), keepdim=True)[:, :, 0, 0].clamp(1e-3, 1 - 1e-3)
        return torch.logit(level), torch.zeros(len(x), 1)

    def decode_logits(self, z):
        return z[:, :, None, None].expand(-1, *self.image_shape)


@pytest.mark.parametrize(
    "likelihood", [name for name in LIKELIHOODS if likelihoods[name].n_parameters == 1]
)
def test_planted_outliers_cost_most_of_what_can_be_avoided(likelihood):
    """Among grey pictures of all brightnesses, near black or white are three with a stripe."""
    rng = np.random.default_rng(0)
    level = np.linspace(20, 235, 60)[:, None, None, None]
    pixels = level + rng.normal(0, 2, (60, 1, 8, 8))
    planted = [0, 1, 59]
    for row in planted:
        pixels[row, :, 3] = 128
    images = ImageSet(torch.from_numpy(pixels.clip(0, 255).astype(np.uint8)))
    vae = Grey(likelihood).eval()
    mu, _ = vae.encode(images.pixels())
    costs = reconstruction_costs(vae, images, mu.numpy())
    assert set(np.argsort(-costs.avoidable)[:3]) == set(planted)
    assert costs.avoidable.min() > -1e-3
    if likelihood == "bernoulli":  # by its total, the middle greys come first
        assert not set(np.argsort(-costs.total)[:3]) & set(planted)


def test_evaluating_gives_back_the_mode_of_every_part():
    model = nn.Sequential(nn.BatchNorm2d(1), nn.Dropout())
    model[0].eval()  # frozen, as in fine-tuning

    def fail_inside() -> None:
        with evaluating(model):
            assert not model.training
            assert not model[1].training
            assert not torch.is_grad_enabled()
            assert not torch.backends.cudnn.allow_tf32
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        fail_inside()
    assert model.training
    assert model[1].training
    assert not model[0].training
    assert torch.is_grad_enabled()
    assert torch.backends.cudnn.allow_tf32


class OnePixel(VAE):
    """log p(x = white | z) = log sigmoid(slope * z); the posterior is the prior moved by mu."""

    def __init__(self, slope: float, mu: float = 0.0, logvar: float = 0.0) -> None:
        super().__init__(1, (1, 1, 1))
        self.slope = nn.Parameter(torch.tensor(slope))
        self.mu, self.logvar = (nn.Parameter(torch.tensor(v)) for v in (mu, logvar))

    def encode(self, x):
        return self.mu.expand(len(x), 1), self.logvar.expand(len(x), 1)

    def decode_logits(self, z):
        return (self.slope * z)[:, :, None, None]


def expected_reconstruction(slope: float, mu: float, logvar: float) -> float:
    """-E log sigmoid(slope z) over z ~ N(mu, exp(logvar)), by Gauss-Hermite quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    z = mu + nodes * math.exp(logvar / 2)
    return float((weights * np.logaddexp(0, -slope * z)).sum() / weights.sum())


WHITE = ImageSet(torch.full((20_000, 1, 1, 1), 255, dtype=torch.uint8))


@pytest.mark.parametrize(("mu", "logvar"), [(0.0, 0.0), (0.7, -0.5)])
def test_monte_carlo_agrees_with_quadrature(mu, logvar):
    vae = OnePixel(1.5, mu, logvar)
    result = mean_elbo(vae, WHITE, batch_size=5000)
    expected = expected_reconstruction(1.5, mu, logvar)
    # The standard deviation of -log sigmoid(1.5 z) is below 1.
    assert result.reconstruction == pytest.approx(expected, abs=4 / 20_000**0.5)
    kl = 0.5 * (mu**2 + math.exp(logvar) - 1 - logvar)
    assert result.kl == pytest.approx(kl, abs=1e-6)
    # By symmetry p(white) is one half; the ELBO stays below its logarithm.
    assert result.loss() > math.log(2)


def test_the_bound_is_tight_when_the_posterior_is_the_true_one():
    """A decoder that ignores z has the prior as its posterior: the ELBO is log p(x)."""
    result = mean_elbo(OnePixel(0.0), WHITE)
    assert result.loss() == pytest.approx(math.log(2), abs=1e-6)
    assert result.kl == 0
    assert result.n_active == 0


def test_reparameterised_gradients_are_unbiased():
    vae = OnePixel(1.5, 0.7, -0.5)
    x = torch.ones(20_000, 1, 1, 1)
    parts = ElboObjective(vae)(x, torch.Generator().manual_seed(0))
    mu, logvar = torch.autograd.grad(parts.reconstruction.mean(), [vae.mu, vae.logvar])
    step = 1e-4
    for ours, up, down in (
        (mu, (0.7 + step, -0.5), (0.7 - step, -0.5)),
        (logvar, (0.7, -0.5 + step), (0.7, -0.5 - step)),
    ):
        slope = (expected_reconstruction(1.5, *up) - expected_reconstruction(1.5, *down)) / step / 2
        assert ours.item() == pytest.approx(slope, abs=4 / 20_000**0.5)


def test_objective_takes_noise_from_its_generator_only(vae):
    vae.eval()
    x = torch.rand(4, 1, 16, 16)
    before = torch.get_rng_state()
    first, again, other = (
        ElboObjective(vae)(x, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)
    )
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first.reconstruction, again.reconstruction)
    assert not torch.equal(first.reconstruction, other.reconstruction)
    assert first.reconstruction.shape == (4,)
    assert first.kl.shape == (4, 3)
