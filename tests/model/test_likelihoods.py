from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Bernoulli, ContinuousBernoulli, Normal, kl_divergence

from model.contract import LIKELIHOODS as ALL_LIKELIHOODS
from zscape.errors import ConfigError
from zscape.model import Likelihood, likelihoods, register_likelihood
from zscape.model.likelihoods import create_likelihood

DISTRIBUTIONS = {
    "bernoulli": lambda logits: Bernoulli(logits=logits, validate_args=False),
    "continuous-bernoulli": lambda logits: ContinuousBernoulli(logits=logits),
    "gaussian": lambda logits: Normal(torch.sigmoid(logits), 0.1),
    "gaussian-learned": lambda logits: Normal(torch.sigmoid(logits), 0.1),
}
LIKELIHOODS = [name for name in ALL_LIKELIHOODS if likelihoods[name].n_parameters == 1]
"""Those of several numbers per pixel have a test file of their own."""
SEAM = [-0.2501, -0.25, -0.2499, 0.2499, 0.25, 0.2501]
LOGITS = torch.tensor(
    [-50, -20, -5, -0.5, *SEAM, -1e-3, -1e-9, 0, 1e-9, 1e-3, 0.5, 5, 20, 50], dtype=torch.float64
)


def simpson(values: torch.Tensor, step: float) -> torch.Tensor:
    """Integral over the last axis, by Simpson's rule."""
    weights = torch.ones(values.shape[-1], dtype=values.dtype)
    weights[1:-1:2], weights[2:-1:2] = 4, 2
    return (values * weights).sum(-1) * step / 3


def test_every_likelihood_is_compared():
    assert set(DISTRIBUTIONS) == set(LIKELIHOODS)


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_log_prob_is_that_of_torch(name):
    """Of a density: its mean over the width of the pixel's grey level."""
    likelihood = create_likelihood(name).double()
    logits = LOGITS[LOGITS.abs() <= 20]
    for level in (0, 1, 128, 230, 255):
        x = torch.full_like(logits, level / 255)
        if name == "bernoulli":
            expected = DISTRIBUTIONS[name](logits).log_prob(x)
        else:
            inside = torch.linspace(level, level + 1, 9, dtype=torch.float64)[:, None] / 256
            density = DISTRIBUTIONS[name](logits).log_prob(inside.expand(-1, len(logits)))
            expected = simpson(density.T, 1 / 8)
        torch.testing.assert_close(likelihood.log_prob(x, logits), expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", [name for name in LIKELIHOODS if name != "bernoulli"])
def test_grey_levels_share_a_mass_of_one_at_most(name):
    """So no pixel is worth more than log 256, however sure the network; a density has no bound."""
    likelihood = create_likelihood(name).double()
    x = torch.linspace(0, 1, 256, dtype=torch.float64)[:, None]
    for logits in (torch.linspace(-9, 9, 19), torch.tensor([-1e6, -1e4, -300, 300, 1e4, 1e6])):
        for scale in (0.1, 0.01, 0.001):
            if name == "gaussian-learned":
                with torch.no_grad():
                    likelihood.raw_log_scale.fill_(math.log(math.expm1(math.log(scale) + 7)))
            log_prob = likelihood.log_prob(*torch.broadcast_tensors(x, logits.double())).detach()
            assert log_prob.max() < math.log(256)
            assert (log_prob - math.log(256)).exp().sum(0).max() <= 1 + 1e-9
    # And little is given away: the bound is nearly tight where the density is smooth.
    smooth = create_likelihood(name).double()
    log_prob = smooth.log_prob(x, torch.zeros(256, 1, dtype=torch.float64)).detach()
    assert (log_prob - math.log(256)).exp().sum() > 0.999


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_no_logit_beats_the_best(name):
    likelihood = create_likelihood(name).double()
    x = torch.linspace(0, 1, 256, dtype=torch.float64)[:, None]
    logits = torch.cat([-(t := torch.logspace(-3, 3, 3001).double()), t])
    found = likelihood.log_prob(*torch.broadcast_tensors(x, logits)).max(1).values.detach()
    best = likelihood.best_log_prob(x)[:, 0].detach()
    assert (best >= found - 1e-9).all()
    torch.testing.assert_close(best, found, rtol=0, atol=1e-4)
    if name != "continuous-bernoulli":  # what a user's own has: of the pixel, not of its middle
        in_general = Likelihood.best_log_prob(likelihood, x)[:, 0].detach()
        torch.testing.assert_close(in_general, best, rtol=0, atol=1e-3)


def test_avoidable_cost_of_a_bernoulli_is_its_divergence():
    x, logits = torch.rand(5, 3, 4, 4), torch.randn(5, 3, 4, 4)
    likelihood = create_likelihood("bernoulli")
    divergence = kl_divergence(Bernoulli(x), Bernoulli(logits=logits)).sum((1, 2, 3))
    torch.testing.assert_close(likelihood.avoidable_cost(x, logits), divergence)
    perfect = likelihood.avoidable_cost(x, torch.logit(x))
    torch.testing.assert_close(perfect, torch.zeros(5), rtol=0, atol=1e-4)
    assert (likelihood.cost(x, torch.logit(x)) > 10).all()


def test_avoidable_cost_of_a_gaussian_is_its_squared_error():
    x, logits = torch.rand(5, 1, 4, 4), torch.randn(5, 1, 4, 4)
    square = ((255 * x + 0.5) / 256 - torch.sigmoid(logits)).square().sum((1, 2, 3))
    found = create_likelihood("gaussian").avoidable_cost(x, logits)
    torch.testing.assert_close(found, square / (2 * 0.1**2))


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_mean_is_that_of_torch(name):
    logits = LOGITS[LOGITS.abs() <= 20]
    expected = DISTRIBUTIONS[name](logits).mean
    torch.testing.assert_close(create_likelihood(name).mean(logits), expected, rtol=0, atol=1e-7)


@pytest.mark.parametrize("name", LIKELIHOODS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_any_logit_gives_finite_numbers_and_a_picture(name, dtype):
    likelihood = create_likelihood(name)
    logits = torch.tensor([-1e6, -100, -1, 0, 1, 100, 1e6]).to(dtype)[:, None]
    x = torch.tensor([0, 0.5, 1]).to(dtype).expand(7, 3)
    logits = logits.expand(7, 3).clone().requires_grad_()
    log_prob, mean = likelihood.log_prob(x, logits), likelihood.mean(logits)
    assert log_prob.shape == mean.shape == (7, 3)
    assert log_prob.dtype == mean.dtype == dtype
    assert torch.isfinite(log_prob).all()
    assert mean.min() >= 0
    assert mean.max() <= 1
    assert (mean.diff(dim=0) >= 0).all()
    assert mean[0, 0] < 1e-4
    assert mean[-1, 0] > 1 - 1e-4
    (log_prob.sum() + mean.sum()).backward()
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_gradients(name):
    likelihood = create_likelihood(name).double()
    logits = LOGITS.clone().requires_grad_()
    x = torch.linspace(0, 1, len(LOGITS), dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda free: likelihood.log_prob(x, free), logits)
    assert torch.autograd.gradcheck(likelihood.mean, logits)


def continuous_bernoulli_density(x: torch.Tensor) -> torch.Tensor:
    """(LOGITS, x) with the constant that is ours."""
    logits = LOGITS[:, None]
    normalizer = create_likelihood("continuous-bernoulli").log_normalizer(logits)
    return (x * logits - torch.nn.functional.softplus(logits) + normalizer).exp()


def test_continuous_bernoulli_integrates_to_one():
    x = torch.linspace(0, 1, 20_001, dtype=torch.float64)
    area = simpson(continuous_bernoulli_density(x), 1 / 20_000)
    torch.testing.assert_close(area, torch.ones_like(LOGITS), rtol=0, atol=1e-9)


def test_continuous_bernoulli_mean_is_that_of_its_density():
    x = torch.linspace(0, 1, 20_001, dtype=torch.float64)
    centre = simpson(x * continuous_bernoulli_density(x), 1 / 20_000)
    mean = create_likelihood("continuous-bernoulli").mean(LOGITS)
    torch.testing.assert_close(centre, mean, rtol=0, atol=1e-9)


def test_bernoulli_does_not_integrate_to_one():
    """Why there is a continuous one: on grey pixels the tutorial's loss is not a likelihood."""
    x = torch.linspace(0, 1, 2001, dtype=torch.float64)
    density = create_likelihood("bernoulli").log_prob(x, torch.zeros_like(x)).exp()
    assert simpson(density, 1 / 2000).item() == pytest.approx(0.5)


def test_continuous_bernoulli_is_accurate_in_float32_near_one_half():
    """Value, slope and mean against the closed forms, where those lose nothing in float64."""
    likelihood = create_likelihood("continuous-bernoulli")
    logits = torch.linspace(-0.7, 0.7, 5000).requires_grad_()
    normalizer, mean = likelihood.log_normalizer(logits), likelihood.mean(logits)
    (slope,) = torch.autograd.grad(normalizer.sum(), logits)
    exact = logits.detach().double()
    exact = exact[exact.abs() > 1e-3]
    keep = logits.abs() > 1e-3
    for ours, theirs in (
        (normalizer, torch.log(exact / torch.tanh(exact / 2))),
        (slope, 1 / exact - 1 / torch.sinh(exact)),
        (mean, -1 / torch.expm1(-exact) - 1 / exact),
    ):
        error = (ours[keep].double() - theirs).abs().max()
        assert error < 1e-6
    assert (normalizer[~keep] - math.log(2)).abs().max() < 1e-6
    assert slope[~keep].abs().max() < 1e-3 / 6 * 1.01


def test_continuous_bernoulli_seam_does_not_show():
    likelihood = create_likelihood("continuous-bernoulli")
    seam = torch.tensor(likelihood.seam, dtype=torch.float64)
    sides = torch.stack([torch.nextafter(seam, seam * 0), seam]).requires_grad_()
    for function, tolerance in ((likelihood.log_normalizer, 1e-10), (likelihood.mean, 1e-10)):
        value = function(sides)
        (slope,) = torch.autograd.grad(value.sum(), sides)
        assert abs(value[1] - value[0]) < 1e-11
        assert abs(slope[1] - slope[0]) < tolerance


def test_learned_scale_finds_the_spread_of_the_residuals():
    torch.manual_seed(0)
    likelihood = create_likelihood("gaussian-learned")
    assert likelihood.log_scale.item() == pytest.approx(math.log(0.1), abs=1e-6)
    x = 0.5 + 0.03 * torch.randn(4000)
    optimizer = torch.optim.Adam(likelihood.parameters(), 0.05)
    for _ in range(150):
        optimizer.zero_grad()
        (-likelihood.log_prob(x, torch.zeros(4000)).mean()).backward()
        optimizer.step()
    spread = (x - 0.5).square().mean().sqrt()
    assert likelihood.log_scale.exp().item() == pytest.approx(spread.item(), rel=0.01)


def test_learned_scale_has_a_floor():
    likelihood = create_likelihood("gaussian-learned")
    x = torch.full((10,), 0.5)
    for raw in (-1.0, -10.0, -1000.0):
        with torch.no_grad():
            likelihood.raw_log_scale.fill_(raw)
        assert likelihood.log_scale >= -7
        assert torch.isfinite(likelihood.log_prob(x, torch.zeros(10))).all()
    assert likelihood.log_scale.item() == pytest.approx(-7)


def test_the_fixed_scale_is_not_trained():
    assert list(create_likelihood("gaussian").parameters()) == []
    assert [n for n, _ in create_likelihood("gaussian-learned").named_parameters()] == [
        "raw_log_scale"
    ]


def test_unknown_names_are_answered_with_the_known_ones():
    with pytest.raises(ConfigError) as caught:
        create_likelihood("poisson")
    assert str(caught.value) == (
        f"likelihood must be one of {', '.join(likelihoods)}, or your own, allowed by --likelihood "
        "module:Class (in Python likelihood='module:Class'); got 'poisson'."
    )


def test_a_likelihood_of_ones_own_by_its_path():
    found = create_likelihood("zscape.model.likelihoods:Bernoulli")
    assert type(found) is likelihoods["bernoulli"]
    assert register_likelihood("gaussian")(likelihoods["gaussian"]) is likelihoods["gaussian"]
