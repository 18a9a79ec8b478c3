from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import MultivariateNormal

from zscape.data import ImageSet
from zscape.errors import ConfigError, DataError
from zscape.evaluation import Estimate, Protocol, check_comparable, estimate, evaluate
from zscape.evaluation import bounds as rooms
from zscape.evaluation.protocol import binarized
from zscape.model import VAE, Likelihood, mean_elbo

SCALE = 0.3


class Plain(Likelihood):
    """Normal around the logit itself."""

    def log_prob(self, x, logits):
        return torch.distributions.Normal(logits, SCALE).log_prob(x)

    def mean(self, logits):
        return logits.clamp(0, 1)


class LinearGaussian(VAE):
    """x = W z + b + noise with orthogonal columns of W, so that the true posterior is diagonal.

    ``off`` moves the encoder's posterior away from the true one.
    """

    def __init__(self, off: float = 0.0) -> None:
        super().__init__(2, (1, 2, 2))
        self.likelihood = Plain()
        self.weight = nn.Parameter(torch.tensor([[0.5, 0.2], [0.5, -0.2], [0.0, 0.1], [0.0, 0.1]]))
        self.bias = nn.Parameter(torch.full((4,), 0.5))
        self.off = off

    @property
    def precision(self):
        return 1 + self.weight.square().sum(0) / SCALE**2

    def encode(self, x):
        mu = (x.flatten(1) - self.bias) @ self.weight / SCALE**2 / self.precision
        logvar = -self.precision.log().expand_as(mu)
        return mu + self.off, logvar + self.off

    def decode_logits(self, z):
        return (z @ self.weight.T + self.bias).reshape(-1, 1, 2, 2)

    def log_prob(self, x):
        """The true one, (n,)."""
        covariance = self.weight @ self.weight.T + SCALE**2 * torch.eye(4)
        return MultivariateNormal(self.bias.double(), covariance.double()).log_prob(x.flatten(1))


@pytest.fixture(scope="module")
def images() -> ImageSet:
    pixels = torch.randint(0, 256, (300, 1, 2, 2), generator=torch.Generator().manual_seed(0))
    labels = torch.arange(300) % 3
    return ImageSet(pixels.to(torch.uint8), labels, ("a", "b", "c"), split="test", name="noise")


def truth(images: ImageSet) -> np.ndarray:
    with torch.no_grad():
        return -LinearGaussian().log_prob(images.pixels().double()).numpy()


def test_with_the_true_posterior_every_sample_gives_the_likelihood_itself(images):
    found = evaluate(LinearGaussian(), images, Protocol(samples=3))
    np.testing.assert_allclose(found.nll, truth(images), atol=2e-5)
    assert found.elbo.mean() == pytest.approx(truth(images).mean(), abs=0.2)


def test_the_bound_tightens_with_samples_until_it_is_the_likelihood(images):
    vae, exact = LinearGaussian(off=0.6), truth(images)
    gaps = {k: estimate(evaluate(vae, images, Protocol(samples=k)).nll - exact)
            for k in (1, 10, 2000)}  # fmt: skip
    assert gaps[1].mean > gaps[10].mean > gaps[2000].mean
    assert gaps[10].mean > 3 * gaps[10].error
    assert abs(gaps[2000].mean) < 3 * gaps[2000].error
    assert gaps[2000].error < 0.01


def test_the_elbo_is_reconstruction_and_kl_in_closed_form(images):
    vae = LinearGaussian(off=0.6)
    found, other = evaluate(vae, images, Protocol(samples=400)), mean_elbo(vae, images)
    assert found.kl.sum(1).mean() == pytest.approx(other.kl, rel=1e-6)
    errors = estimate(found.reconstruction)
    assert other.reconstruction == pytest.approx(found.reconstruction.mean(), abs=4 * errors.error)
    assert found.per_neuron()["kl"].sum() == pytest.approx(other.kl)
    np.testing.assert_array_equal(found.elbo, found.reconstruction + found.kl.sum(1))


@pytest.mark.parametrize("samples", [1, 7, 300])
def test_how_many_are_computed_at_a_time_changes_nothing(images, samples, monkeypatch):
    vae, protocol = LinearGaussian(off=0.3), Protocol(samples=samples, seed=5)
    whole = evaluate(vae, images[:20], protocol)
    monkeypatch.setattr(rooms, "DECODES", 3)
    np.testing.assert_allclose(evaluate(vae, images[:20], protocol).nll, whole.nll, atol=1e-5)
    assert not np.allclose(evaluate(vae, images[:20], Protocol(samples=samples)).nll, whole.nll)


class Coins(VAE):
    """Four pixels, one neuron; the posterior knows of the picture what ``heed`` lets through."""

    def __init__(self, heed: float) -> None:
        super().__init__(1, (1, 2, 2))
        self.heed, self.slope = heed, nn.Parameter(torch.tensor([2.0, -1.0, 0.5, 3.0]))

    def encode(self, x):
        mu = self.heed * (x.flatten(1) - 0.5).sum(1, keepdim=True)
        return mu, torch.full_like(mu, -1.0)

    def decode_logits(self, z):
        return (z * self.slope).reshape(-1, 1, 2, 2)


def test_draws_of_a_picture_cost_what_the_grey_one_does_where_the_posterior_is_the_same(images):
    """Cross-entropy is linear in the pixel, and a draw's mean is the grey picture."""
    vae = Coins(heed=0.0)
    grey = evaluate(vae, images, Protocol(samples=50))
    drawn = evaluate(vae, images, Protocol("dynamic", draws=40, samples=50))
    difference = estimate(drawn.elbo - grey.elbo)
    assert abs(difference.mean) < 3 * difference.error
    assert difference.error < 0.02


def test_that_does_not_hold_where_the_encoder_sees_the_draw(images):
    vae = Coins(heed=1.0)
    difference = estimate(
        evaluate(vae, images, Protocol("dynamic", draws=20, samples=20)).elbo
        - evaluate(vae, images, Protocol(samples=20)).elbo
    )
    assert abs(difference.mean) > 10 * difference.error


def test_a_draw_has_the_brightness_as_its_probability_and_is_an_images_own(images):
    x, rows = images.pixels(), torch.arange(len(images))
    draws = torch.stack([binarized(x, Protocol("dynamic"), k, rows) for k in range(50)])
    assert set(draws.unique().tolist()) == {0.0, 1.0}
    assert float((draws.mean(0) - x).mean()) == pytest.approx(0, abs=4 * 0.5 / (50 * 1200) ** 0.5)
    part = binarized(x[7:9], Protocol("dynamic"), 3, rows[7:9])
    assert torch.equal(part, draws[3, 7:9])


def test_measures_and_bits(images):
    vae = Coins(heed=1.0)
    grey, drawn = evaluate(vae, images), evaluate(vae, images, Protocol("threshold"))
    assert grey.measure == "cross-entropy of grey pixels, no likelihood"
    assert grey.bits_per_dim(1.0) is None
    assert grey.table()["bits_per_dim"].isna().all()
    assert drawn.measure == "2 grey levels"
    assert drawn.bits_per_dim(4 * math.log(2)) == pytest.approx(1)
    dense = evaluate(LinearGaussian(), images)
    # A uniform density leaves all 8 bits of a grey level open.
    assert dense.bits_per_dim(0.0) == 8


def test_given_is_held_to_its_word(images):
    vae = Coins(heed=1.0)
    with pytest.raises(DataError, match="noise has grey pixels"):
        evaluate(vae, images, Protocol("given"))
    static = images.binarized(0.5)
    np.testing.assert_array_equal(
        evaluate(vae, static, Protocol("given")).elbo,
        evaluate(vae, images, Protocol("threshold")).elbo,
    )


def test_figures_of_different_protocols_are_not_compared(images):
    vae = Coins(heed=1.0)
    first = evaluate(vae, images, Protocol("dynamic"), name="zoo:2")
    check_comparable(first, evaluate(Coins(0.5), images, Protocol("dynamic")))
    other = evaluate(vae, images[:50], Protocol("dynamic", samples=5, seed=1), name="zoo:3")
    with pytest.raises(ConfigError) as caught:
        check_comparable(first, other)
    said = str(caught.value)
    assert said.startswith("zoo:2 and zoo:3 cannot be compared: samples 1 and 5; seed 0 and 1; ")
    assert "images 300 test of noise" in said
    assert "and 50 test of noise" in said


def test_rows_per_class_add_up(images):
    found = evaluate(Coins(heed=1.0), images, Protocol(samples=2))
    whole, parts = found.table(), found.per_class()
    assert list(whole.index) == ["reconstruction", "kl", "elbo", "iw_bound"]
    for quantity in whole.index:
        each = parts.xs(quantity, level="quantity")
        assert each["n_images"].sum() == 300
        mean = (each["nats"] * each["n_images"]).sum() / 300
        assert mean == pytest.approx(whole.loc[quantity, "nats"])
    with pytest.raises(DataError, match="has no labels"):
        evaluate(Coins(1.0), ImageSet(images.images)).per_class()


def test_bf16_says_what_it_costs(images):
    exact = evaluate(LinearGaussian(0.3), images, Protocol(samples=50))
    rough = evaluate(LinearGaussian(0.3), images, Protocol(samples=50, precision="bf16"))
    assert exact.bf16_error is None
    found = rough.bf16_error
    assert isinstance(found, Estimate)
    true = estimate(rough.nll - exact.nll)
    assert true.mean != 0
    assert found.mean == pytest.approx(true.mean, abs=4 * (found.error + true.error))


def test_what_bf16_costs_is_asked_of_images_from_all_over(images, monkeypatch):
    """The first of a set may be of one kind: of MNIST's test images, the easier ones."""
    seen, weigh = [], rooms._weigh
    monkeypatch.setattr(
        rooms, "_weigh",
        lambda told, rows, x, *rest: seen.append((rest[-1], x)) or weigh(told, rows, x, *rest),
    )  # fmt: skip
    evaluate(Coins(1.0), images, Protocol(samples=5_000, precision="bf16"))
    exact = torch.cat([x for precision, x in seen if precision == "32"])
    torch.testing.assert_close(exact, images.pixels()[torch.linspace(0, 299, 6).long()])


@pytest.mark.parametrize("precision", ["32", "bf16"])
def test_progress_rises_to_the_end_and_counts_the_check(images, precision):
    told = []
    protocol = Protocol("dynamic", draws=2, samples=3, precision=precision)
    evaluate(Coins(1.0), images[:100], protocol, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1
    assert (told[-2] < 1) == (precision == "bf16")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"samples": 0}, "samples must be at least 1; got 0."),
        ({"draws": 0}, "draws must be at least 1; got 0."),
        ({"draws": 2}, "only a dynamic binarisation is drawn several times"),
        ({"binarize": "static"}, "binarize must be one of none, threshold, dynamic, given; got"),
        ({"precision": "16"}, "precision must be one of 32, bf16; got '16'."),
    ],
)
def test_wrong_protocols(options, said):
    with pytest.raises(ConfigError) as caught:
        Protocol(**options)
    assert said in str(caught.value)


def test_a_density_takes_no_black_and_white_pixels(images):
    with pytest.raises(ConfigError, match="is for a likelihood of black-and-white pixels"):
        evaluate(LinearGaussian(), images, Protocol("threshold"))


def test_numbers_that_are_not_finite_are_an_error(images):
    vae = Coins(heed=1.0)
    with torch.no_grad():
        vae.slope[0] = math.nan
    with pytest.raises(DataError, match="not finite"):
        evaluate(vae, images)


def test_one_image_has_no_standard_error(images):
    found = evaluate(Coins(1.0), images[:1])
    assert math.isnan(estimate(found.elbo).error)
    assert len(found) == 1


def test_the_model_stays_as_it_was(images):
    vae = Coins(heed=1.0).train()
    evaluate(vae, images)
    assert vae.training
