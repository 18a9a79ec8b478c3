"""The latent neurons: which carry information, about what, and which say the same thing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from zscape.errors import DataError, ShapeError
from zscape.latents import LatentTable
from zscape.model import ACTIVE_KL, kl_to_standard_normal
from zscape.neurons.moments import ClassMoments
from zscape.seeding import derive, numpy_generator


def neuron_table(table: LatentTable, *, seed: int = 0) -> pd.DataFrame:
    """One row per latent neuron: is it used, how far does it reach, what does it know.

    Parameters
    ----------
    table
        Without labels the last three columns are absent.
    seed
        Of the posterior samples and of the estimator of the mutual information.

    Returns
    -------
    Indexed by neuron (``z0`` …), with the columns

    - ``kl``: mean KL to the prior, nats;
    - ``is_used``: whether that is above ``ACTIVE_KL``;
    - ``mean``, ``std``: of the posterior means, over the images;
    - ``posterior_std``: the mean width of the posterior; 1, that of the prior, where an image
      says nothing about the neuron;
    - ``mutual_information``: nats a posterior *sample* tells about the class. The sample is what
      the decoder gets: a dead neuron's mean may follow the class in its fifth decimal, and no
      scale-free measure would notice that this drowns in the noise. It is at most ``kl``;
    - ``best_class``, ``best_d_prime``: the class it tells best from the rest, and how well; the d'
      of ``class_moments``.

    Raises
    ------
    DataError
        No class of two images to estimate the mutual information from.
    """
    kl = mean_kl(table)
    columns: dict[str, Any] = {
        "kl": kl,
        "is_used": kl > ACTIVE_KL,
        "mean": table.mu.mean(0, dtype=np.float64),
        "std": table.mu.std(0, dtype=np.float64),
        "posterior_std": np.exp(0.5 * table.logvar).mean(0, dtype=np.float64),
    }
    if table.labels is not None:
        noise = numpy_generator(seed, "neuron_table").standard_normal(table.mu.shape)
        samples = table.mu + np.exp(0.5 * table.logvar) * noise
        columns["mutual_information"] = mutual_information(samples, table.labels, seed=seed)
        d_prime = class_moments(table).d_prime().dropna()
        if len(d_prime):  # empty where there is but one class
            best = d_prime.abs().to_numpy().argmax(0)
            columns["best_class"] = d_prime.index.to_numpy()[best]
            columns["best_d_prime"] = d_prime.to_numpy()[best, np.arange(len(best))]
    return pd.DataFrame(columns, index=_names(table.mu, "neuron"))


def mean_kl(table: LatentTable) -> NDArray[np.float64]:
    """KL of the posterior to the prior per neuron, averaged over the images; (latent_dim,) nats."""
    parts = (torch.from_numpy(part).double() for part in (table.mu, table.logvar))
    mean: NDArray[np.float64] = kl_to_standard_normal(*parts).mean(0).numpy()
    return mean


def class_moments(table: LatentTable) -> ClassMoments:
    """Mean and variance of every latent neuron within every class; its ``d_prime`` is the one d'.

    They are those of posterior *samples*, which the decoder gets: the variance is that of the
    means and the mean of the posterior's own. Exact, nothing is drawn.

    Raises
    ------
    DataError
        There are no labels.
    """
    if table.labels is None:
        raise DataError(f"{table.name} has no labels, which this needs; choose labelled images.")
    values, variances = table.mu.astype(np.float64), np.exp(table.logvar.astype(np.float64))
    k = len(table.class_names)
    sums, squares = np.zeros((2, k, table.latent_dim))
    np.add.at(sums, table.labels, values)
    np.add.at(squares, table.labels, values**2 + variances)
    counts = np.bincount(table.labels, minlength=k)
    return ClassMoments.from_sums(counts, sums, squares, table.class_names, list(_names(table.mu)))


def mutual_information(
    values: Any, labels: Any, *, seed: int = 0, n_neighbors: int = 3
) -> NDArray[np.float64]:
    """What each neuron alone tells about the class; (latent_dim,) nats, >= 0.

    Estimated from the distances to nearest neighbours within a class and among all (Ross 2014,
    as in ``sklearn.feature_selection.mutual_info_classif``): no bins to choose, exact as n grows,
    off by about 1/√n. It cannot exceed the entropy of the labels, ln 10 = 2.30 for ten even
    classes, by more than that.

    Parameters
    ----------
    values
        (n, latent_dim): posterior samples for what the decoder gets, means for the encoder alone.
    labels
        (n,) class indices. An image that is alone in its class is left out.
    seed
        Of the tiny noise that breaks ties.
    n_neighbors
        More smooths: less variance, more bias.

    Raises
    ------
    ShapeError, DataError
        Wrong shapes, values that are not finite, no class of two images.

    References
    ----------
    Ross 2014, Mutual Information between Discrete and Continuous Data Sets, PLoS ONE 9(2) e87357.
    """
    from sklearn.feature_selection import mutual_info_classif

    matrix = _matrix(values, "values")
    index = _labels(labels, matrix)
    if np.bincount(index).max() < 2:
        raise DataError("Mutual information needs a class of at least two images; encode more.")
    return _information(mutual_info_classif, matrix, index, n_neighbors, seed)


def number_information(
    values: Any, numbers: Any, *, seed: int = 0, n_neighbors: int = 3
) -> NDArray[np.float64]:
    """What each neuron alone tells about a number; (latent_dim,) nats, >= 0.

    Estimated from the distances to nearest neighbours (Kraskov 2004, as in
    ``sklearn.feature_selection.mutual_info_regression``). It has no upper end: of a number that is
    a function of the neuron it grows with the number of images.

    Parameters
    ----------
    values, seed, n_neighbors
        As for ``mutual_information``.
    numbers
        (n,) finite, one per image.

    Raises
    ------
    ShapeError, DataError
        Wrong shapes, values that are not finite, or not more images than ``n_neighbors``.

    References
    ----------
    Kraskov, Stögbauer & Grassberger 2004, Estimating Mutual Information, Phys. Rev. E 69, 066138.
    """
    from sklearn.feature_selection import mutual_info_regression

    matrix, target = _matrix(values, "values"), np.asarray(numbers, np.float64)
    if target.shape != (len(matrix),):
        raise ShapeError(f"{len(matrix)} images need as many numbers; got {target.shape}.")
    if not np.isfinite(target).all():
        raise DataError("numbers must be finite; they hold NaN or infinity.")
    if len(target) <= n_neighbors:
        raise DataError(f"Mutual information needs more than {n_neighbors} images; encode more.")
    return _information(mutual_info_regression, matrix, target, n_neighbors, seed)


def _information(
    estimate: Any, matrix: NDArray[Any], target: NDArray[Any], n_neighbors: int, seed: int
) -> NDArray[np.float64]:
    # scikit-learn takes 32 bits of seed.
    bits = derive(seed, "mutual_information") % 2**32
    information: NDArray[np.float64] = estimate(
        matrix, target, n_neighbors=n_neighbors, random_state=bits
    )
    return information


def correlation(mu: Any) -> pd.DataFrame:
    """Pearson correlation of every pair of neurons over the images; (latent_dim, latent_dim).

    ``mu`` is (n, latent_dim): posterior means, or samples.

    NaN for a neuron that is the same for every image, the diagonal included.

    Raises
    ------
    ShapeError, DataError
        Not a finite (n, latent_dim) array.
    """
    values = _matrix(mu, "mu")
    centred = values - values.mean(0)
    spread = np.sqrt((centred**2).sum(0))
    # What is left of a constant after its mean is taken away is rounding, not variation.
    spread[spread <= 1e-7 * np.sqrt((values**2).sum(0))] = np.nan
    with np.errstate(invalid="ignore"):
        unit = centred / spread
    names = _names(values, "neuron")
    return pd.DataFrame((unit.T @ unit).clip(-1, 1), index=names, columns=names)


def _matrix(values: Any, name: str) -> NDArray[np.float64]:
    matrix = np.asarray(values, dtype=np.float64)
    if matrix.ndim != 2 or matrix.size == 0:
        raise ShapeError(f"{name} must be (n, latent_dim), both at least 1; got {matrix.shape}.")
    if not np.isfinite(matrix).all():
        raise DataError(f"{name} must be finite; it holds NaN or infinity.")
    return matrix


def _labels(labels: Any, values: NDArray[np.float64]) -> NDArray[np.int64]:
    index = np.asarray(labels)
    if index.shape != (len(values),):
        raise ShapeError(f"{len(values)} images need as many labels; got {index.shape}.")
    if index.dtype.kind not in "iu" or index.min() < 0:
        raise DataError("labels must be whole numbers from 0, indices into the class names.")
    return index.astype(np.int64)


def _names(values: NDArray[Any], name: str | None = None) -> pd.Index:
    return pd.Index([f"z{i}" for i in range(values.shape[1])], name=name)
