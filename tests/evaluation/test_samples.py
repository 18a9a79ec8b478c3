from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

import zscape
from zscape.data import ImageSet, load_data
from zscape.errors import ConfigError, DataError
from zscape.evaluation import sample_quality
from zscape.evaluation.digits import digit_accuracy, digit_classifier, digit_features
from zscape.evaluation.samples import compare_features, frechet
from zscape.model import MLPVAE

N = 1000


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """Features and labels of 2 000 test digits."""
    images = load_data("mnist").test[: 2 * N]
    return digit_features(images.pixels()), images.labels.numpy()


def test_the_classifier_is_as_good_as_its_file_says():
    assert digit_accuracy() >= 0.99
    test = load_data("mnist").test[:2000]
    with torch.inference_mode():
        right = (digit_classifier()(test.pixels()).argmax(1) == test.labels).float().mean()
    # Of 2 000 images the standard error is a quarter of a percent.
    assert float(right) == pytest.approx(digit_accuracy(), abs=0.01)


def test_two_halves_of_the_images_are_alike(digits):
    features, _ = digits
    found = compare_features(features[:N], features[N:])
    assert min(found["precision"], found["recall"]) > 0.85
    assert found["density"] == pytest.approx(1, abs=0.15)
    assert found["coverage"] > 0.9
    pixels = load_data("mnist").test[:N].pixels()
    far = frechet(features[:N], digit_features(pixels.flip(3)))
    assert found["frechet"] < far / 5


def test_a_set_is_nearest_to_itself(digits):
    features, _ = digits
    found = compare_features(features[:N], features[:N])
    assert [found[name] for name in ("precision", "recall", "coverage")] == [1, 1, 1]
    assert found["frechet"] == pytest.approx(0, abs=1e-6)


def test_noise_is_like_no_digit(digits):
    features, _ = digits
    noise = torch.rand((N, 1, 28, 28), generator=torch.Generator().manual_seed(0))
    found = compare_features(features[:N], digit_features(noise))
    assert max(found[name] for name in ("precision", "recall", "density", "coverage")) < 0.02


def test_dropping_classes_lowers_recall_and_coverage_alone(digits):
    features, labels = digits
    whole, some = features[:N], features[N:][labels[N:] < 5]
    found = compare_features(whole, some)
    assert found["precision"] > 0.85
    assert found["density"] > 0.85
    assert found["recall"] == pytest.approx((labels[:N] < 5).mean(), abs=0.1)
    assert found["coverage"] < 0.65


def test_in_one_dimension_the_figures_are_those_counted_by_hand():
    real, other = np.arange(8.0)[:, None], np.array([[0.5], [3.2], [30], [31], [32], [33]])
    found = compare_features(real, other)
    # Balls of the third nearest reach 3 at the ends and 2 inside: the last ends at 10.
    assert found["precision"] == 2 / 6
    # 0.5 has its third nearest at 30, 3.2 at 31: both reach all images.
    assert found["recall"] == 1
    # Fifth nearest: 5, 4, 3, 3, 3, 3, 4, 5. In reach of 0.5: 0, 1, 2, 3; of 3.2: 0 … 7.
    assert found["density"] == pytest.approx((4 + 8) / 6 / 5)
    assert found["coverage"] == 1


def test_the_frechet_distance_is_that_of_the_matrix_root():
    rng = np.random.default_rng(0)
    one = rng.standard_normal((500, 4)) @ rng.standard_normal((4, 4))
    two = rng.standard_normal((400, 4)) @ rng.standard_normal((4, 4)) + 1
    covariances = np.cov(one.T), np.cov(two.T)
    root = sqrtm(covariances[0] @ covariances[1]).real
    expected = ((one.mean(0) - two.mean(0)) ** 2).sum() + np.trace(sum(covariances) - 2 * root)
    assert frechet(one, two) == pytest.approx(expected)


def test_samples_of_the_zoo_stand_between_noise_and_other_images():
    vae, splits = zscape.load_pretrained(latent_dim=10), load_data("mnist")
    found = sample_quality(vae, splits, n=N)
    samples, others = found.frame.loc["samples"], found.frame.loc["other images"]
    assert 0.1 < samples["precision"] < others["precision"]
    assert samples["frechet"] > 5 * others["frechet"]
    assert "1000 samples against 1000 images of mnist, in 64 features" in found.how
    again = sample_quality(vae, splits, n=N)
    assert found.frame.equals(again.frame)
    assert not found.frame.equals(sample_quality(vae, splits, n=N, seed=1).frame)


@pytest.mark.parametrize("shape", [(1, 32, 32), (3, 28, 28)], ids=str)
def test_other_pictures_than_the_classifiers_are_refused(shape):
    images = ImageSet(torch.zeros((20, *shape), dtype=torch.uint8), name="mine")
    with pytest.raises(DataError, match=f"1x28x28 images; those of mine are {shape[0]}x"):
        sample_quality(MLPVAE(2, shape), images)


def test_too_few_images_are_refused():
    vae, images = zscape.load_pretrained(latent_dim=2), load_data("mnist").test
    with pytest.raises(DataError, match="at least 6 images; there are 1"):
        sample_quality(vae, images[:1])
    with pytest.raises(ConfigError, match="n must be at least 6; got 1"):
        sample_quality(vae, images, n=1)
    with pytest.raises(DataError, match="has 10 test images; asked for 20"):
        sample_quality(vae, images[:10], n=20)


def test_features_that_are_not_finite_are_refused():
    with pytest.raises(DataError, match="features must be finite"):
        compare_features(np.zeros((9, 2)), np.full((9, 2), np.nan))
