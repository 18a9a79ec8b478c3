from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Categorical, SigmoidTransform, TransformedDistribution

from zscape.data import ImageSet
from zscape.evaluation import Protocol, evaluate
from zscape.model import MLPVAE
from zscape.model.likelihoods import LEVELS, create_likelihood
from zscape.seeding import torch_generator

NAMES = ["discretized-logistic", "categorical"]
ALL = torch.linspace(0, 1, LEVELS, dtype=torch.float64)


def logits_for(name: str, n: int, scale: float = 3.0) -> torch.Tensor:
    """(n, parameters, 1, 1), double."""
    k = create_likelihood(name).n_parameters
    draw = torch.randn(n, k, 1, 1, generator=torch_generator(0, name), dtype=torch.float64)
    return scale * draw


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("scale", [0.1, 3.0, 50.0])
def test_the_levels_share_a_mass_of_one(name, scale):
    likelihood = create_likelihood(name)
    for logits in logits_for(name, 20, scale):
        whole = logits.expand(LEVELS, -1, 1, 1)
        mass = likelihood.log_prob(ALL[:, None, None, None], whole).exp()
        assert float(mass.sum()) == pytest.approx(1, abs=1e-9)


def test_the_discretized_logistic_is_torchs():
    likelihood = create_likelihood("discretized-logistic")
    logits = torch.tensor([0.3, -0.5], dtype=torch.float64)[None, :, None, None]
    centre = torch.sigmoid(logits[0, 0, 0, 0])
    scale = (-7 + 9 * torch.sigmoid(logits[0, 1, 0, 0])).exp()
    density = logistic(centre, scale)
    for level in (0, 1, 100, 254, 255):
        edges = [(level + side) / 255 for side in (-0.5, 0.5)]
        low = 0.0 if level == 0 else float(density.cdf(torch.tensor(edges[0]).double()))
        high = 1.0 if level == 255 else float(density.cdf(torch.tensor(edges[1]).double()))
        x = torch.full((1, 1, 1, 1), level / 255, dtype=torch.float64)
        found = float(likelihood.log_prob(x, logits))
        assert found == pytest.approx(math.log(high - low), rel=1e-6)


def logistic(centre: torch.Tensor, scale: torch.Tensor) -> TransformedDistribution:
    """torch has no logistic by that name; its own docs make it of a uniform one."""
    from torch.distributions import AffineTransform, Uniform

    base = Uniform(torch.zeros((), dtype=torch.float64), torch.ones((), dtype=torch.float64))
    return TransformedDistribution(base, [SigmoidTransform().inv, AffineTransform(centre, scale)])


def test_the_categorical_is_torchs():
    likelihood, logits = create_likelihood("categorical"), logits_for("categorical", 5)
    levels = torch.tensor([0, 3, 100, 254, 255])
    found = likelihood.log_prob((levels / 255.0)[:, None, None, None].double(), logits)
    expected = Categorical(logits=logits.flatten(1)).log_prob(levels)
    torch.testing.assert_close(found.flatten(), expected)


@pytest.mark.parametrize("name", NAMES)
def test_the_mean_is_that_of_the_levels(name):
    likelihood = create_likelihood(name)
    for logits in logits_for(name, 30):
        whole = logits.expand(LEVELS, -1, 1, 1)
        mass = likelihood.log_prob(ALL[:, None, None, None], whole).exp().flatten()
        mean = float(likelihood.mean(logits[None]))
        assert mean == pytest.approx(float((mass * ALL).sum()), abs=0.5 / 255)
        assert 0 <= mean <= 1


@pytest.mark.parametrize("name", NAMES)
def test_nothing_beats_the_best(name):
    likelihood = create_likelihood(name)
    best = likelihood.best_log_prob(ALL)
    for logits in torch.cat([logits_for(name, 200, scale) for scale in (1.0, 10.0, 100.0)]):
        whole = logits.expand(LEVELS, -1, 1, 1)
        found = likelihood.log_prob(ALL[:, None, None, None], whole).flatten()
        assert (found <= best + 1e-9).all()
    assert (best <= 0).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_any_logit_gives_finite_numbers_and_gradients(name, dtype):
    likelihood = create_likelihood(name)
    k = likelihood.n_parameters
    values = torch.tensor([-1e6, -100, -1, 0, 1, 100, 1e6], dtype=dtype)
    logits = values[:, None, None, None].expand(7, k, 1, 3).clone()
    logits[:, : k // 2] *= -1
    logits.requires_grad_()
    x = torch.tensor([0, 0.5, 1], dtype=dtype).expand(7, 1, 1, 3)
    log_prob, mean = likelihood.log_prob(x, logits), likelihood.mean(logits)
    assert log_prob.shape == mean.shape == x.shape
    assert log_prob.dtype == mean.dtype == dtype
    assert log_prob.isfinite().all()
    assert (mean >= 0).all()
    assert (mean <= 1).all()
    (log_prob.sum() + mean.sum()).backward()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("name", NAMES)
def test_gradients(name):
    likelihood, logits = create_likelihood(name), logits_for(name, 4, 1.0).requires_grad_()
    x = torch.tensor([0, 100, 254, 255])[:, None, None, None].double() / 255
    assert torch.autograd.gradcheck(lambda free: likelihood.log_prob(x, free), logits)


def test_bits_of_grey_levels_need_nothing_added():
    images = ImageSet(torch.randint(0, 256, (20, 1, 4, 4)).to(torch.uint8))
    model = MLPVAE(2, (1, 4, 4), "categorical")
    found = evaluate(model, images, Protocol(samples=2))
    assert found.measure == "256 grey levels"
    # An untrained network gives every level about the same: 8 bits.
    assert found.bits_per_dim(found.reconstruction.mean()) == pytest.approx(8, abs=0.5)
