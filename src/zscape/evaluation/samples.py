"""Are samples like images, and are all kinds of images among them? In features of a classifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from zscape.data import ImageSet, ImagesLike, Splits, as_image_set
from zscape.errors import ConfigError, DataError
from zscape.evaluation.digits import IMAGE_SHAPE, digit_accuracy, digit_features
from zscape.latents import sample_prior
from zscape.model import ModelLike, as_vae, is_told
from zscape.seeding import derive, torch_generator
from zscape.words import line, sides

if TYPE_CHECKING:
    import pandas as pd

REACH = {"precision": 3, "density": 5}
"""Neighbours that make the ball of an image: as in the two papers."""
MOST = 10_000
"""Images, and samples, at most."""
CELLS_AT_ONCE = 10_000_000

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SampleQuality:
    """How samples compare with images; made by ``sample_quality``.

    Parameters
    ----------
    frame
        Indexed by what is compared with the images: ``samples`` of the prior, decoded, and
        ``other images``, those of the other split: as samples of a model without fault would be.
        Columns:

        - ``precision``: share of samples among the images (within the ball to the third nearest
          image of some image);
        - ``recall``: share of images among the samples, likewise;
        - ``density``: in how many balls (fifth nearest) of images a sample lies, over five; about 1
          for images, more where samples crowd where images do;
        - ``coverage``: share of images that have a sample in their ball;
        - ``frechet``: Fréchet distance of the two normal distributions of the features. It is not
          the FID, which is in the features of another network.
    n
        Images, and as many samples.
    name
        Where the images are from.
    """

    frame: pd.DataFrame
    n: int
    name: str

    def __repr__(self) -> str:
        said = ", ".join(f"{k} {v:.3f}" for k, v in self.frame.loc["samples"].items())
        return line(self, f"{self.n} samples and images of {self.name}", said)

    @property
    def how(self) -> str:
        """What the figures are of, for a person to read."""
        return (
            f"{self.n} samples against {self.n} images of {self.name}, in 64 features of a "
            f"classifier of MNIST ({digit_accuracy():.2%} of its test images right)"
        )


def sample_quality(
    vae: ModelLike, images: ImagesLike, others: ImagesLike = None, *, n: int | None = None,
    seed: int = 0,
) -> SampleQuality:  # fmt: skip
    """Precision, recall, density, coverage and Fréchet distance of samples of the prior.

    The features are the last hidden layer of a small classifier of MNIST, which ships: of pictures
    of other things they mean little.

    Parameters
    ----------
    vae
        A model, or what has one: what ``zscape.load`` or ``zscape.train`` returned.
    images
        What samples should be like. Of ``Splits`` the test images, and the training images are
        ``others``.
    others
        More images of the same kind, which are compared with ``images`` as the samples are.
    n
        How many images, drawn at random, and as many samples; by default all, at most 10 000.
    seed
        Of the samples and of the images.

    Raises
    ------
    DataError
        The images are not 28×28 grey, or there are fewer than ``n``, or no more than 5.
    ConfigError
        ``n`` below 6.

    References
    ----------
    Kynkäänniemi et al. 2019, arXiv:1904.06991 (precision, recall). Naeem et al. 2020,
    arXiv:2002.09797 (density, coverage). Dowson & Landau 1982, doi:10.1016/0047-259X(82)90077-X.
    """
    import pandas as pd

    vae = as_vae(vae)
    if isinstance(images, Splits):
        others = images.train if others is None else others
    sets = {"images": as_image_set(images, image_shape=vae.image_shape)}
    if others is not None:
        sets["other images"] = as_image_set(others, "train", image_shape=vae.image_shape)
    for found in sets.values():
        if found.image_shape != IMAGE_SHAPE:
            raise DataError(
                f"samples are compared in the features of a classifier of {sides(IMAGE_SHAPE)} "
                f"images; those of {found.name} are {sides(found.image_shape)}."
            )
    least = max(REACH.values()) + 1
    if n is not None and n < least:
        raise ConfigError(f"n must be at least {least}; got {n}.")
    n = min(MOST, *map(len, sets.values())) if n is None else n
    if n < least:
        raise DataError(f"samples are compared with at least {least} images; there are {n}.")
    some = _some(sets["images"], n, seed)
    # Of the classes that the images are of, to a model that is told them.
    own = some if vae.condition and not is_told(vae) else None
    drawn = sample_prior(vae, n, condition=own, seed=derive(seed, "sample quality")).images
    real = digit_features(some.pixels().cpu())
    compared = {"samples": digit_features(drawn)}
    if "other images" in sets:
        compared["other images"] = digit_features(
            _some(sets["other images"], n, seed).pixels().cpu()
        )
    rows = {name: compare_features(real, features) for name, features in compared.items()}
    frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("compared")
    return SampleQuality(frame, n, sets["images"].name)


def compare_features(real: Floats, other: Floats) -> dict[str, float]:
    """The five figures of ``other`` (m, features) against ``real`` (n, features).

    Raises
    ------
    DataError
        A feature is not finite.
    """
    if not (np.isfinite(real).all() and np.isfinite(other).all()):
        raise DataError("features must be finite; the model may have diverged.")
    precise, dense = REACH["precision"], REACH["density"]
    balls, wide = _radii(real, (precise, dense))
    (theirs,) = _radii(other, (precise,))
    n_inside = np.zeros(len(other))
    is_precise = np.zeros(len(other), bool)
    is_recalled, is_covered = np.zeros((2, len(real)), bool)
    for rows in _parts(real, other):
        gaps = _distances(real[rows], other)
        is_precise |= (gaps <= balls[rows, None]).any(0)
        is_recalled[rows] = (gaps <= theirs).any(1)
        inside = gaps <= wide[rows, None]
        n_inside += inside.sum(0)
        is_covered[rows] = inside.any(1)
    return {
        "precision": float(is_precise.mean()),
        "recall": float(is_recalled.mean()),
        "density": float(n_inside.mean() / dense),
        "coverage": float(is_covered.mean()),
        "frechet": frechet(real, other),
    }


def frechet(first: Floats, second: Floats) -> float:
    """Squared Fréchet distance of the normal distributions with the moments of two sets.

    |μ₁ - μ₂|² + tr(Σ₁ + Σ₂ - 2 (Σ₁ Σ₂)^½).
    """
    means = first.mean(0) - second.mean(0)
    one, two = (np.atleast_2d(np.cov(features, rowvar=False)) for features in (first, second))
    # The eigenvalues of a product of covariances are real and not negative.
    roots = np.sqrt(np.linalg.eigvals(one @ two).real.clip(0)).sum()
    # Of the same set twice rounding leaves less than nothing.
    return max(0.0, float(means @ means + np.trace(one) + np.trace(two) - 2 * roots))


def _some(images: ImageSet, n: int, seed: int) -> ImageSet:
    return images.subset(n, torch_generator(seed, "sample quality"))


def _radii(x: Floats, reaches: tuple[int, ...]) -> list[Floats]:
    """(n,) each: the distance of every point to its k-th nearest other."""
    radii = np.empty((len(reaches), len(x)))
    for rows in _parts(x, x):
        nearest = np.partition(_distances(x[rows], x), max(reaches), axis=1)
        nearest = np.sort(nearest[:, : max(reaches) + 1], axis=1)  # the first is the point itself
        radii[:, rows] = nearest[:, list(reaches)].T
    return list(radii)


def _parts(x: Floats, y: Floats) -> list[NDArray[np.int64]]:
    return np.array_split(np.arange(len(x)), -(-len(x) * len(y) // CELLS_AT_ONCE))


def _distances(x: Floats, y: Floats) -> Floats:
    """(len(x), len(y)) Euclidean, by a product of matrices."""
    gaps: Floats = torch.cdist(
        torch.from_numpy(x), torch.from_numpy(y), compute_mode="use_mm_for_euclid_dist"
    ).numpy()
    return gaps
