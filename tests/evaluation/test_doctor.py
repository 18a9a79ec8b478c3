from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import norm
from torch import Tensor, nn

import zscape
from zscape.data import ImageSet
from zscape.errors import DataError, ShapeError
from zscape.evaluation import evaluate, examine
from zscape.evaluation.measures import (
    aggregate,
    excess,
    explained_variance,
    holes,
    kept_variance,
    layer_health,
    measure_course,
    measure_drift,
    measure_gap,
    two_sample,
)
from zscape.latents import LatentTable
from zscape.model import VAE, reconstruction_costs
from zscape.model.likelihoods import ContinuousBernoulli

RNG = np.random.default_rng


class Tiny(VAE):
    """Two layers each way, on pictures of 2 x 2."""

    def __init__(self, latent_dim: int = 2) -> None:
        super().__init__(latent_dim, (1, 2, 2))
        self.inside = nn.Sequential(nn.Flatten(), nn.Linear(4, 6), nn.Tanh())
        self.mu, self.logvar = nn.Linear(6, latent_dim), nn.Linear(6, latent_dim)
        self.out = nn.Linear(latent_dim, 4)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.inside(self.check_images(x))
        return self.mu(hidden), self.logvar(hidden)

    def decode_logits(self, z: Tensor) -> Tensor:
        return self.out(z).reshape(-1, 1, 2, 2)


class Linear(Tiny):
    """Its pictures are linear in z."""

    def decode(self, z: Tensor) -> Tensor:
        return self.decode_logits(self.check_latents(z))


@pytest.fixture
def vae() -> Tiny:
    torch.manual_seed(0)
    return Tiny()


def noise(n: int, labels: list[int] | None = None, seed: int = 0) -> ImageSet:
    pixels = torch.randint(0, 256, (n, 1, 2, 2), generator=torch.Generator().manual_seed(seed))
    if labels is None:
        return ImageSet(pixels.to(torch.uint8), split="test", name="noise")
    names = ("a", "b", "c")
    return ImageSet(pixels.to(torch.uint8), torch.tensor(labels), names, split="test", name="noise")


def test_the_aggregate_posterior_has_the_moments_of_its_samples() -> None:
    rng = RNG(0)
    mu = rng.normal([1, -2, 0], [0.5, 1, 0], (50, 3)).astype(np.float32)
    logvar = rng.normal(-1, 0.5, (50, 3)).astype(np.float32)
    table = LatentTable(mu, logvar, None, (), np.arange(50))
    z = mu + np.exp(logvar / 2) * rng.standard_normal((20_000, 50, 3))
    mean, covariance = aggregate(table)
    np.testing.assert_allclose(mean, z.mean((0, 1)), atol=0.01)
    np.testing.assert_allclose(covariance, np.cov(z.reshape(-1, 3).T), atol=0.01)


@pytest.mark.parametrize("shift", [0.0, 0.5, 2.0])
def test_the_energy_distance_of_two_normals_is_the_closed_form(shift: float) -> None:
    x = norm.ppf((np.arange(400) + 0.5) / 400)[:, None]
    found = two_sample(x, x + shift)
    # E|x - y| of a normal of variance 2 around the shift; 2 / sqrt(pi) where that is 0.
    scale = np.sqrt(2)
    apart = 2 * scale * norm.pdf(shift / scale) + shift * (1 - 2 * norm.cdf(-shift / scale))
    assert found.size == pytest.approx(1 - 2 / np.sqrt(np.pi) / apart, abs=0.01)
    assert (found.p < 0.01) == (shift > 0)


def test_the_p_value_is_even_where_nothing_differs() -> None:
    rng = RNG(2)
    samples = ((rng.standard_normal((30, 2)), rng.standard_normal((20, 2))) for _ in range(200))
    found = np.array([two_sample(x, y, n_permutations=99, seed=i).p
                      for i, (x, y) in enumerate(samples)])  # fmt: skip
    assert np.mean(found <= 0.1) == pytest.approx(0.1, abs=0.06)
    assert found.mean() == pytest.approx(0.5, abs=0.07)


def test_holes_are_the_share_of_the_prior_where_no_codes_are() -> None:
    rng = RNG(3)
    prior = rng.standard_normal((4000, 2))
    assert holes(rng.standard_normal((4000, 2)), prior) == pytest.approx(0.01, abs=0.01)
    codes = rng.standard_normal((8000, 2))
    ring = codes[np.linalg.norm(codes, axis=1) > 1]
    # Within 1 of the origin lie 1 - exp(-1/2) of the prior; a rim of them is near the ring.
    assert 0.25 < holes(ring, prior) < 1 - np.exp(-0.5)


def test_of_a_linear_decoder_a_neuron_explains_its_squared_weights() -> None:
    vae = Linear(3)
    with torch.no_grad():
        vae.out.weight.copy_(torch.tensor([[1.0, 2, 0], [0, 1, 0], [1, 0, 0], [0, 0, 0]]))
    found = explained_variance(vae, RNG(4).standard_normal((8000, 3)))
    np.testing.assert_allclose(found, [2 / 7, 5 / 7, 0], atol=0.03)
    with torch.no_grad():
        vae.out.weight.zero_()
    assert explained_variance(vae, np.ones((5, 3))).tolist() == [0, 0, 0]


def test_kept_variance_is_one_of_the_very_pictures_and_zero_of_their_mean() -> None:
    vae, images = Linear(4), noise(50)
    with torch.no_grad():
        vae.out.weight.copy_(torch.eye(4)), vae.out.bias.zero_()
    pixels = images.pixels().flatten(1).numpy()
    assert kept_variance(vae, images, pixels) == pytest.approx(1)
    means = np.repeat(pixels.mean(0, keepdims=True), 50, 0)
    assert kept_variance(vae, images, means) == pytest.approx(0, abs=1e-6)


def test_a_unit_that_never_changes_is_dead_and_a_layer_of_them_is_named(vae: Tiny) -> None:
    with torch.no_grad():
        vae.inside[1].weight[[1, 4]] = 0
    layers, saturated = layer_health(vae, noise(30))
    assert layers["n_dead"].to_dict() == {"inside.1": 2, "mu": 0, "logvar": 0, "out": 0}
    assert saturated == 0
    with torch.no_grad():
        vae.logvar.weight.zero_()
        vae.out.bias.copy_(torch.tensor([-40.0, 0, 0, 0]))
    layers, saturated = layer_health(vae, noise(30))
    assert layers.loc["logvar"].tolist() == [2, 2]
    assert saturated == 0.25
    assert examine(vae, noise(30)).dead_layers == ["logvar"]


def test_a_large_logit_of_a_likelihood_that_knows_no_end_is_not_saturated(vae: Tiny) -> None:
    with torch.no_grad():
        vae.out.bias.fill_(-40)
    assert layer_health(vae, noise(30))[1] == 1
    vae.likelihood = ContinuousBernoulli()
    assert layer_health(vae, noise(30))[1] == 0


def test_the_excess_is_the_loss_less_what_the_very_picture_costs(vae: Tiny) -> None:
    images, paid = noise(40), evaluate(vae, noise(40))
    costs = reconstruction_costs(vae, images, np.zeros((40, 2), np.float32))
    floors = costs.total - costs.avoidable
    np.testing.assert_allclose(excess(vae, images), paid.elbo - floors, rtol=1e-5)
    weighed = paid.reconstruction + 3 * paid.kl.sum(1) - floors
    np.testing.assert_allclose(excess(vae, images, 3), weighed, rtol=1e-5)


def test_the_gap_compares_classes_that_both_have_as_often_as_the_test_has_them() -> None:
    train, test = noise(40, [0] * 30 + [1] * 10), noise(40, [0] * 10 + [1] * 10 + [2] * 20)
    # By class: training 10 and 20, test 11, 23, and 90 for the class that has no training images.
    trained = np.array([10.0] * 30 + [20.0] * 10)
    tested = np.array([11.0] * 10 + [23.0] * 10 + [90.0] * 20)
    gap = measure_gap(trained, train, tested, test, train)
    assert (gap.trained.mean, gap.seen.mean) == (15, 17)
    assert gap.difference.mean == 2
    assert gap.unseen is not None
    assert (gap.unseen.mean, gap.unseen_classes, gap.unseen_share) == (90, ("c",), 0.5)
    # The class is not unseen if only the sample that is compared has none of it.
    known = noise(3, [0, 1, 2])
    assert measure_gap(trained, train, tested, test, known).unseen_classes == ()


def test_without_labels_the_gap_is_the_difference_of_the_means_and_knows_its_error() -> None:
    rng = RNG(5)
    found = []
    for _ in range(300):
        trained, tested = rng.normal(10, 2, 50), rng.normal(11, 3, 80)
        gap = measure_gap(trained, noise(50), tested, noise(80), noise(50)).difference
        found.append((gap.mean - 1) / gap.error)
    assert np.std(found) == pytest.approx(1, abs=0.12)


def history(losses: list[float], trained: list[float] | None = None) -> list[dict[str, object]]:
    pairs = zip(losses, trained or losses, strict=True)
    return [{"test": {"loss": t}, "running": {"loss": r}} for t, r in pairs]


def test_the_course_of_a_training() -> None:
    falling = measure_course(history([100, 60, 50, 48, 46, 44]))
    assert falling is not None
    assert (falling.n, falling.fall, falling.lost, falling.jump) == (3, pytest.approx(4), 0, 0)
    assert falling.error == pytest.approx(0, abs=1e-9)
    jumping = measure_course(history([100, 60, 90, 50, 52, 51]))
    assert jumping is not None
    assert (jumping.lost, jumping.jump) == (1, 30)
    # What rises in the test loss alone is no jump.
    overfitted = measure_course(history([100, 60, 70, 80, 90], [100, 60, 50, 40, 30]))
    assert overfitted is not None
    assert (overfitted.lost, overfitted.jump, overfitted.fall) == (30, 0, -20)
    assert measure_course(history([3, 2, 1, 0])) is None


def test_codes_that_were_only_rotated_have_not_moved() -> None:
    rng = RNG(6)
    x = rng.standard_normal((300, 4))
    turn = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    found = measure_drift(x, x @ turn + 3)
    assert found.moved == pytest.approx(0, abs=1e-9)
    assert found.kept == 1
    other = measure_drift(x, rng.standard_normal((300, 4)))
    assert other.moved > 0.8
    assert other.kept < 0.1


def test_what_is_not_known_is_said(vae: Tiny) -> None:
    found = examine(vae, noise(30))
    assert (found.gap, found.course, found.drift) == (None, None, None)
    assert {"gap", "jump", "moved", "unseen"} & set(found.measures()) == set()
    said = " ".join(found.skipped)
    for part in (
        "training images are not known",
        "training is not known",
        "Only one state",
    ):
        assert part in said
    labelless = examine(vae, noise(30), train=noise(30, seed=1), history=history([2, 1]))
    assert "Without labels" in " ".join(labelless.skipped)
    assert "2 epochs" in " ".join(labelless.skipped)
    one = examine(vae, noise(30, [0] * 30), train=noise(40, [0] * 40, seed=1))
    assert one.gap is not None
    assert one.gap.unseen_classes == ()


def test_the_same_seed_gives_the_same_numbers(vae: Tiny) -> None:
    one, same, other = (examine(vae, noise(30), seed=seed).measures() for seed in (0, 0, 1))
    assert one == same
    assert one != other


def test_one_latent_neuron_is_examined_too() -> None:
    torch.manual_seed(0)
    found = examine(Tiny(1), noise(30))
    assert found.correlation == 0
    assert len(found.per_neuron()) == 1


@pytest.mark.parametrize("part", ["mu", "out"])
def test_weights_that_are_not_finite_are_an_error(vae: Tiny, part: str) -> None:
    with torch.no_grad():
        getattr(vae, part).weight[0, 0] = torch.nan
    with pytest.raises(DataError, match="finite"):
        examine(vae, noise(30))


def test_images_that_do_not_do(vae: Tiny) -> None:
    with pytest.raises(DataError, match=r"at least 20 images to say anything; noise has 1\."):
        examine(vae, noise(1))
    with pytest.raises(ShapeError):
        examine(vae, np.zeros((30, 3, 3), np.uint8))


def test_the_verb_takes_arrays_and_does_not_believe_they_are_the_models_own() -> None:
    images = RNG(7).integers(0, 256, (150, 28, 28), np.uint8)
    found = zscape.doctor("zoo:2", images)
    assert found.checkup.gap is None
