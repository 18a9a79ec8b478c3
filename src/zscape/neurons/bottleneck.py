"""The latent neurons: which carry information, about what, and which say the same thing.

Works on the arrays of a ``LatentTable`` (its ``mu``, ``logvar``, ``labels``, ``class_names``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from zscape.errors import DataError, ShapeError
from zscape.model import ACTIVE_KL, kl_to_standard_normal
from zscape.neurons.moments import ClassMoments
from zscape.seeding import derive, numpy_generator


def neuron_table(
    mu: Any,
    logvar: Any,
    labels: Any = None,
    class_names: Sequence[str] = (),
    *,
    seed: int = 0,
) -> pd.DataFrame:
    """One row per latent neuron: is it used, how far does it reach, what does it know.

    Parameters
    ----------
    mu, logvar
        (n, latent_dim): posterior means and natural logs of the variances.
    labels, class_names
        (n,) indices into ``class_names``, or None; without them the last three columns are absent.
    seed
        Of the posterior samples and of the estimator of the mutual information.

    Returns
    -------
    Indexed by neuron (``z0`` …), with the columns

    - ``kl``: mean KL to the prior, nats;
    - ``is_used``: whether that is above ``ACTIVE_KL``;
    - ``mean``, ``std``: of the posterior means, over the images;
    - ``posterior_std``: the mean width of the posterior, 1 where the neuron is pure noise;
    - ``mutual_information``: nats a posterior *sample* tells about the class. The sample is what
      the decoder gets: a dead neuron's mean may follow the class in its fifth decimal, and no
      scale-free measure would notice that this drowns in the noise. It is at most ``kl``;
    - ``best_class``, ``best_d_prime``: the class it tells best from the rest, and how well, the
      width of the posterior counted in for the same reason.

    Raises
    ------
    ShapeError, DataError
        The arrays do not have the shapes above, are not finite, or a label has no class name.
    """
    means = _matrix(mu, "mu")
    log_variances = _matrix(logvar, "logvar", means.shape)
    kl = mean_kl(means, log_variances)
    columns: dict[str, Any] = {
        "kl": kl,
        "is_used": kl > ACTIVE_KL,
        "mean": means.mean(0),
        "std": means.std(0),
        "posterior_std": np.exp(0.5 * log_variances).mean(0),
    }
    if labels is not None:
        noise = numpy_generator(seed, "neuron_table").standard_normal(means.shape)
        samples = means + np.exp(0.5 * log_variances) * noise
        columns["mutual_information"] = mutual_information(samples, labels, seed=seed)
        moments = class_moments(means, labels, class_names, logvar=log_variances)
        d_prime = moments.d_prime().dropna()
        if len(d_prime):  # empty where there is but one class
            best = d_prime.abs().to_numpy().argmax(0)
            columns["best_class"] = d_prime.index.to_numpy()[best]
            columns["best_d_prime"] = d_prime.to_numpy()[best, np.arange(len(best))]
    return pd.DataFrame(columns, index=_names(means, "neuron"))


def mean_kl(mu: Any, logvar: Any) -> NDArray[np.float64]:
    """KL of the posterior to the prior per neuron, averaged over the images; (latent_dim,) nats.

    Raises
    ------
    ShapeError, DataError
        Not two finite (n, latent_dim) arrays of one shape.
    """
    parts = (torch.from_numpy(_matrix(mu, "mu")), torch.from_numpy(_matrix(logvar, "logvar")))
    mean: NDArray[np.float64] = kl_to_standard_normal(*parts).mean(0).numpy()
    return mean


def class_moments(
    mu: Any, labels: Any, class_names: Sequence[str], *, logvar: Any = None
) -> ClassMoments:
    """Mean and variance of every neuron within every class; its ``d_prime`` is the selectivity.

    Parameters
    ----------
    mu
        (n, latent_dim) posterior means, or any other activations.
    labels
        (n,) indices into ``class_names``.
    logvar
        (n, latent_dim): adds the posterior's own variance, so that the moments are those of
        posterior samples, and exact.

    Raises
    ------
    ShapeError, DataError
        Wrong shapes, no labels, values that are not finite, a label without a class name.
    """
    values = _matrix(mu, "mu")
    index = _labels(labels, values)
    k = len(class_names)
    if index.max() >= k:
        raise DataError(f"labels must lie in [0, {k - 1}], one per class name; got {index.max()}.")
    sums, squares = np.zeros((2, k, values.shape[1]))
    np.add.at(sums, index, values)
    np.add.at(squares, index, values**2)
    if logvar is not None:
        np.add.at(squares, index, np.exp(_matrix(logvar, "logvar", values.shape)))
    counts = np.bincount(index, minlength=k)
    return ClassMoments.from_sums(counts, sums, squares, class_names, list(_names(values)))


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
        Wrong shapes, no labels, values that are not finite, no class of two images.

    References
    ----------
    Ross 2014, Mutual Information between Discrete and Continuous Data Sets, PLoS ONE 9(2) e87357.
    """
    from sklearn.feature_selection import mutual_info_classif

    matrix = _matrix(values, "values")
    index = _labels(labels, matrix)
    if np.bincount(index).max() < 2:
        raise DataError("Mutual information needs a class of at least two images; encode more.")
    # scikit-learn takes 32 bits of seed.
    information: NDArray[np.float64] = mutual_info_classif(
        matrix, index, n_neighbors=n_neighbors,
        random_state=derive(seed, "mutual_information") % 2**32,
    )  # fmt: skip
    return information


def correlation(mu: Any) -> pd.DataFrame:
    """Pearson correlation of every pair of neurons over the images; (latent_dim, latent_dim).

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


def _matrix(values: Any, name: str, shape: tuple[int, ...] | None = None) -> NDArray[np.float64]:
    matrix = np.asarray(values, dtype=np.float64)
    if matrix.ndim != 2 or matrix.size == 0:
        raise ShapeError(f"{name} must be (n, latent_dim), both at least 1; got {matrix.shape}.")
    if shape is not None and matrix.shape != shape:
        raise ShapeError(f"{name} must be {shape}, as mu; got {matrix.shape}.")
    if not np.isfinite(matrix).all():
        raise DataError(f"{name} must be finite; it holds NaN or infinity.")
    return matrix


def _labels(labels: Any, values: NDArray[np.float64]) -> NDArray[np.int64]:
    if labels is None:
        raise DataError("This needs labels, and the images have none.")
    index = np.asarray(labels)
    if index.shape != (len(values),):
        raise ShapeError(f"{len(values)} images need as many labels; got {index.shape}.")
    if index.dtype.kind not in "iu" or index.min() < 0:
        raise DataError("labels must be whole numbers from 0, indices into the class names.")
    return index.astype(np.int64)


def _names(values: NDArray[np.float64], name: str | None = None) -> pd.Index:
    return pd.Index([f"z{i}" for i in range(values.shape[1])], name=name)
