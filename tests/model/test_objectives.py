from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.distributions import Categorical as Choice
from torch.distributions import Independent, MixtureSameFamily, Normal

from zscape.config import ModelConfig, TrainConfig
from zscape.errors import ConfigError
from zscape.model import (
    VAE,
    ElboObjective,
    Likelihood,
    TrainingObjective,
    build_model,
    decompose_kl,
    kl_to_standard_normal,
)
from zscape.seeding import torch_generator


class Unit(Likelihood):
    """Normal of standard deviation 1 around the logit."""

    def log_prob(self, x, logits):
        return Normal(logits, 1.0).log_prob(x)

    def mean(self, logits):
        return logits


class Line(VAE):
    """One pixel x = w z + noise; the posterior's mean is a x and its log-variance c."""

    def __init__(self) -> None:
        super().__init__(1, (1, 1, 1))
        self.likelihood = Unit()
        self.w, self.a, self.c = (nn.Parameter(torch.tensor(v)) for v in (0.8, 0.2, -0.7))

    def encode(self, x):
        mu = self.a * x.flatten(1)
        return mu, self.c.expand_as(mu)

    def decode_logits(self, z):
        return (self.w * z)[:, :, None, None]


X = torch.full((20_000, 1, 1, 1), 0.9)


def terms(vae: VAE, x: torch.Tensor, seed: int = 0, weight: float = 1.0, **options: object):
    objective = TrainingObjective(vae, TrainConfig(**options), n_images=1000)
    return objective(x, weight, torch_generator(seed, "test"))


def number(value: torch.Tensor) -> float:
    return float(value.detach())


def gradients(vae: VAE, loss: torch.Tensor) -> torch.Tensor:
    found = torch.autograd.grad(
        loss, list(vae.parameters()), retain_graph=True, materialize_grads=True
    )
    return torch.stack([part.flatten()[0] for part in found])


def test_the_elbo_of_one_sample_is_the_one_there_was():
    vae = build_model(ModelConfig(latent_dim=3, image_shape=(1, 16, 16))).eval()
    x = torch.rand(6, 1, 16, 16, generator=torch_generator(1, "x"))
    parts = ElboObjective(vae)(x, torch_generator(0, "test"))
    found = terms(vae, x, weight=0.5)
    assert torch.equal(found.reconstruction, parts.reconstruction)
    assert torch.equal(found.kl, parts.kl)
    torch.testing.assert_close(found.loss, parts.loss(0.5), rtol=1e-6, atol=0)
    assert found.others == {}


def test_several_samples_make_the_elbo_less_noisy_and_change_nothing_else():
    vae = Line()
    one, many = (terms(vae, X, train_samples=k) for k in (1, 20))
    assert many.reconstruction.std() < one.reconstruction.std() / 4
    error = number(one.reconstruction.std()) / len(X) ** 0.5
    assert number(many.loss) == pytest.approx(number(one.loss), abs=4 * error)


def exact(samples: int, weight: float = 1.0) -> tuple[float, float, torch.Tensor]:
    """The bound of ``samples`` draws, its standard error and its gradient, from another formula."""
    vae = Line()
    noise = torch.randn(len(X), samples, generator=torch_generator(7, "noise"))
    posterior = Normal(vae.a * 0.9, (vae.c / 2).exp())
    z = posterior.mean + noise * posterior.stddev
    weights = Normal(vae.w * z, 1.0).log_prob(torch.tensor(0.9))
    weights = weights + weight * (Normal(0.0, 1.0).log_prob(z) - posterior.log_prob(z))
    bound = weights.logsumexp(1) - math.log(samples)
    return (number(-bound.mean()), number(bound.std()) / len(X) ** 0.5,
            gradients(vae, -bound.mean()))  # fmt: skip


@pytest.mark.parametrize("objective", ["iwae", "dreg"])
@pytest.mark.parametrize("samples", [2, 8])
def test_the_importance_weighted_bound(objective, samples):
    value, error, _ = exact(samples)
    found = terms(Line(), X, objective=objective, train_samples=samples)
    assert float(found.others["objective"].mean()) == pytest.approx(value, abs=5 * error)
    assert not found.others["objective"].requires_grad


@pytest.mark.parametrize("objective", ["iwae", "dreg"])
def test_both_have_the_gradient_of_the_bound(objective):
    _, _, expected = exact(8)
    vae = Line()
    found = gradients(vae, terms(vae, X, objective=objective, train_samples=8).loss)
    torch.testing.assert_close(found, expected, rtol=0, atol=0.015)
    assert float(expected.abs().min()) > 0.03  # or the comparison says nothing


def test_the_doubly_reparameterised_gradient_of_the_encoder_is_less_noisy():
    spread = {}
    for objective in ("iwae", "dreg"):
        vae, each = Line(), []
        for seed in range(100):
            found = terms(vae, X[:5], seed, objective=objective, train_samples=8)
            each.append(gradients(vae, found.loss))
        spread[objective] = torch.stack(each).std(0)
    _, a, c = spread["dreg"] / spread["iwae"]
    assert a < 0.9
    assert c < 0.9


def test_many_samples_reach_the_likelihood():
    true = -float(Normal(0.0, (1 + 0.8**2) ** 0.5).log_prob(torch.tensor(0.9)))
    found = terms(Line(), X[:2000], objective="iwae", train_samples=200).others["objective"]
    assert float(found.mean()) == pytest.approx(true, abs=5 * float(found.std()) / 2000**0.5)


def test_free_bits_are_free_and_pull_at_nothing():
    vae = Line()
    found = terms(vae, X[:100], free_bits=5.0)
    assert number(found.kl.mean()) < 5
    plain = number(found.reconstruction.mean())
    assert number(found.loss) == pytest.approx(plain + 5, abs=1e-4)
    kl = terms(vae, X[:100]).kl.sum(1).mean()
    pull = gradients(vae, kl)
    assert float(pull[2].abs()) > 0.1
    whole = gradients(vae, terms(vae, X[:100]).loss)
    torch.testing.assert_close(gradients(vae, found.loss), whole - pull)
    low = terms(vae, X[:100], free_bits=1e-6)
    torch.testing.assert_close(low.loss, terms(vae, X[:100]).loss)


def a_posterior(n: int, latent_dim: int = 2):
    mu = torch.randn(n, latent_dim, generator=torch_generator(0, "mu"), dtype=torch.float64)
    logvar = torch.full_like(mu, -1.5)
    noise = torch.randn(n, latent_dim, generator=torch_generator(1, "z"), dtype=torch.float64)
    return mu + noise * (logvar / 2).exp(), mu, logvar


def test_the_three_parts_add_up_to_the_sampled_kl():
    z, mu, logvar = a_posterior(50)
    own = Normal(mu, (logvar / 2).exp()).log_prob(z).sum(1) - Normal(0.0, 1.0).log_prob(z).sum(1)
    torch.testing.assert_close(sum(decompose_kl(z, mu, logvar, n_images=700)), own)


def test_of_a_batch_that_is_the_whole_set_the_parts_are_those_of_the_aggregate():
    """Up to log n, which the weighting of a batch adds to all estimates of log q(z)."""
    n = 400
    z, mu, logvar = a_posterior(n)
    mixture = MixtureSameFamily(
        Choice(torch.ones(n, dtype=torch.float64)),
        Independent(Normal(mu, (logvar / 2).exp()), 1),
    )
    parts = decompose_kl(z, mu, logvar, n_images=n)
    own = Normal(mu, (logvar / 2).exp()).log_prob(z).sum(1)
    torch.testing.assert_close(parts.mutual_information, own - mixture.log_prob(z) + math.log(n))


def test_total_correlation_sees_neurons_that_say_the_same():
    generator = torch_generator(0, "mu")
    one = torch.randn(500, 1, generator=generator)
    apart = torch.randn(500, 2, generator=generator)
    small = torch.full((500, 2), -3.0)
    found = []
    for mu in (one.expand(-1, 2), apart):
        z = mu + 0.22 * torch.randn(500, 2, generator=generator)
        found.append(float(decompose_kl(z, mu, small, 500).total_correlation.mean()))
    assert found[0] > found[1] + 0.5


def test_the_weight_of_the_total_correlation_is_added_to_the_elbo():
    vae, x = Line(), torch.rand(40, 1, 1, 1, generator=torch_generator(0, "x"))
    plain, found = terms(vae, x), terms(vae, x, tc_weight=3.0)
    added = 3 * found.others["total_correlation"].mean()
    torch.testing.assert_close(found.loss, plain.loss + added)
    assert list(found.others) == ["mutual_information", "total_correlation", "dimension_wise_kl"]


@pytest.mark.parametrize("objective", ["elbo", "iwae", "dreg"])
@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian-learned"])
def test_any_network_and_likelihood(objective, likelihood):
    vae = build_model(ModelConfig(latent_dim=2, image_shape=(1, 16, 16), likelihood=likelihood))
    x = torch.rand(4, 1, 16, 16, generator=torch_generator(0, "x"))
    found = terms(vae, x, objective=objective, train_samples=3)
    found.loss.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in vae.parameters())
    kl = kl_to_standard_normal(*(part.float() for part in vae.encode(x)))
    assert found.kl.shape == kl.shape


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"objective": "vlb"}, "vlb"),
        ({"objective": "iwae"}, "give train_samples of at least 2"),
        ({"objective": "dreg", "train_samples": 5, "tc_weight": 1.0}, "has none of its own"),
        ({"objective": "iwae", "train_samples": 5, "free_bits": 0.1}, "has none of its own"),
    ],
)
def test_what_does_not_go_together(options, said):
    with pytest.raises(ConfigError, match=said):
        terms(Line(), X[:2], **options)
