"""What can be wrong with a model, in numbers: each measure is a function of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from zscape.data import ImageSet, ImagesLike, as_image_set, batch_indices
from zscape.embedding.neighbours import nearest, nearest_others
from zscape.evaluation.bounds import Estimate, estimate, evaluate
from zscape.latents import LatentTable, decode
from zscape.model import ModelLike, as_vae, evaluating
from zscape.neurons import LATENT, Layer, list_layers
from zscape.neurons.layers import run
from zscape.seeding import numpy_generator

Floats = NDArray[np.float64]

ACTIVE_VARIANCE = 0.01
"""A neuron is active if its posterior mean varies by more than this over the images: Burda et al.
2016, arXiv:1509.00519, section 5.2."""
UNSURE = 0.99
"""An active neuron whose posterior variance is above this on average is stuck at that of the prior,
1."""
CERTAIN = 1e-4
"""A posterior whose variance is below this share of the neuron's own is a point: stuck at 0."""
SATURATED = 3e-7
"""An expected pixel closer than this to black or white is saturated: the logit of a Bernoulli is
then beyond ±15, and its gradient gone."""
N_PERMUTATIONS = 499
N_DECODED = 400
"""Codes whose pictures are compared with one neuron changed."""


class TwoSample(NamedTuple):
    """How two samples differ."""

    size: float
    """Energy distance as a share of the largest possible, [0, 1]; 0 for one distribution."""
    p: float
    """How often a random division of all points differs as much."""


class Gap(NamedTuple):
    """What images cost beyond what drawing the very picture would; nats per image."""

    trained: Estimate
    """Of training images."""
    seen: Estimate
    """Of test images whose class has training images (all, without labels)."""
    unseen: Estimate | None
    """Of those whose class has none; None if there are none."""
    unseen_classes: tuple[str, ...] = ()
    unseen_share: float = 0.0
    """Of the test images."""

    @property
    def difference(self) -> Estimate:
        """Test less training, and its standard error."""
        error = math.hypot(self.trained.error, self.seen.error)
        return Estimate(self.seen.mean - self.trained.mean, error)

    @property
    def share(self) -> float:
        """The difference as a share of what test images cost; never below 0 but by chance."""
        return self.difference.mean / max(self.seen.mean, 1e-9)


class Course(NamedTuple):
    """How a training went; nats per image."""

    n: int
    """Epochs of the last stretch: a fifth of all, at least three."""
    fall: float
    """Of the test loss, by which the straight line through them falls; below 0 it rises."""
    error: float
    """Standard error of that, from their scatter around the line."""
    lost: float
    """By which the last test loss lies above the lowest."""
    jump: float
    """The largest rise of the training loss from one epoch to the next."""


class Drift(NamedTuple):
    """How far two sets of codes of the same images differ once one is rotated onto the other."""

    moved: float
    """Share of the variance that no rotation explains, [0, 1]."""
    kept: float
    """Share of the 10 nearest neighbours that are the same, [0, 1]."""


def aggregate(table: LatentTable) -> tuple[Floats, Floats]:
    """Mean (latent_dim,) and covariance of the aggregate posterior, the mixture of all posteriors.

    Exact, nothing is drawn: the covariance is that of the means, and the mean of the variances.
    """
    mu = table.mu.astype(np.float64)
    covariance = np.atleast_2d(np.cov(mu.T, bias=True))
    covariance += np.diag(np.exp(table.logvar.astype(np.float64)).mean(0))
    return mu.mean(0), covariance


def two_sample(x: Any, y: Any, *, seed: int = 0, n_permutations: int = N_PERMUTATIONS) -> TwoSample:
    """Whether two samples, (n, d) and (m, d), are of one distribution: energy distance.

    ``size`` is 1 - (E|x - x'| + E|y - y'|) / 2 E|x - y|, which does not grow with the number of
    points; ``p`` does fall with it, however small the difference. Euclidean distances.

    References
    ----------
    Székely & Rizzo 2013, Energy statistics: A class of statistics based on distances, J. Stat.
    Plann. Inference 143(8).
    """
    from scipy.spatial.distance import cdist

    both = np.concatenate([np.asarray(x, np.float64), np.asarray(y, np.float64)])
    n, m = len(x), len(y)
    gaps = cdist(both, both)
    is_x = np.zeros((n_permutations + 1, n + m))
    is_x[0, :n] = 1
    rng = numpy_generator(seed, "doctor", "permutations")
    for row in is_x[1:]:
        row[rng.permutation(n + m)[:n]] = 1
    to_x = is_x @ gaps
    within_x = (to_x * is_x).sum(1)
    between = (to_x * (1 - is_x)).sum(1)
    within_y = gaps.sum() - within_x - 2 * between
    # A point has no distance to itself: counted in, the size of equal samples would not be 0.
    inside = within_x / max(1, n * (n - 1)) + within_y / max(1, m * (m - 1))
    across = 2 * between / (n * m)
    sizes = 1 - inside / np.maximum(across, 1e-300)
    p = float((sizes >= sizes[0] - 1e-12).mean())
    return TwoSample(float(max(0.0, sizes[0])), p)


def distances_to_normal(z: Any) -> Floats:
    """(d,) Kolmogorov-Smirnov distance of every column of ``z`` (n, d) to N(0, 1), [0, 1]."""
    from scipy.stats import ks_1samp, norm

    return np.array([ks_1samp(column, norm.cdf).statistic for column in np.asarray(z).T])


def holes(codes: Any, prior: Any, *, seed: int = 0) -> float:
    """Share of ``prior`` (m, d) farther from all ``codes`` (n, d) than 99 % of them are.

    How far codes are is the distance of each to its nearest other. About 0.01 where both are of
    one distribution.
    """
    x, y = (np.ascontiguousarray(part, np.float32) for part in (codes, prior))
    usual = np.quantile(nearest_others(x, 1, seed).distances, 0.99)
    found = nearest(x, y, 1).distances
    return float((found > usual).mean())


def kept_variance(vae: ModelLike, images: ImagesLike, mu: Any) -> float:
    """Share of the variance of pixels that is drawn from the posterior means; 1 is all of it.

    R² over all pixels and images: 0 for a decoder that always draws the mean picture, below 0 for
    a worse one. ``mu`` is (n, latent_dim).
    """
    vae = as_vae(vae)
    found = as_image_set(images, image_shape=vae.image_shape)
    x = found.pixels().cpu().double()
    missed = (decode(vae, mu, condition=found) - x).square().sum()
    return float(1 - missed / (x - x.mean(0)).square().sum().clamp_min(1e-12))


def explained_variance(vae: ModelLike, z: Any, *, condition: Any = None, seed: int = 0) -> Floats:
    """Share of the variance of decoded pictures that each neuron explains, (latent_dim,), >= 0.

    It is what is left of the variance, summed over pixels, when all other neurons are known: the
    total index of Sobol, by Jansen's estimator, with a neuron's value exchanged for that of
    another row of ``z`` (n, latent_dim). Of a linear decoder the shares add up to 1; where
    neurons act together, to more. 0 where all pictures are alike. ``condition`` is as for
    ``zscape.latents.decode``: a row stays what it is.

    References
    ----------
    Jansen 1999, Analysis of variance designs for model output, doi:10.1016/S0010-4655(98)00154-4.
    """
    vae = as_vae(vae)
    values = np.asarray(z, np.float32)
    order = numpy_generator(seed, "doctor", "exchange").permutation(len(values))
    # Each row's partner is the next of a random circle, so never itself.
    partner = np.empty_like(order)
    partner[order] = np.roll(order, 1)
    pictures = decode(vae, values, condition=condition).flatten(1)
    whole = float(pictures.double().var(0, correction=0).sum())
    shares = np.zeros(vae.latent_dim)
    if whole <= 1e-9 * pictures.shape[1]:
        return shares
    for i in range(vae.latent_dim):
        changed = values.copy()
        changed[:, i] = values[partner, i]
        moved = decode(vae, changed, condition=condition).flatten(1) - pictures
        moved = moved.double().square().sum(1).mean()
        shares[i] = float(moved) / 2 / whole
    return shares


def layer_health(vae: ModelLike, images: ImagesLike) -> tuple[pd.DataFrame, float]:
    """Units that give the same for every image, and the share of pixels that are saturated.

    A unit is dead if nothing in its map changes by more than a millionth of the layer's largest
    activation. Layers are those of ``list_layers`` but the latent neurons. For what is a saturated
    pixel see ``SATURATED``.
    """
    vae = as_vae(vae)
    images = as_image_set(images, image_shape=vae.image_shape)
    layers = [layer for layer in list_layers(vae) if layer.name != LATENT]
    low: dict[Layer, Tensor] = {}
    high: dict[Layer, Tensor] = {}

    def see(layer: Layer, activation: Tensor) -> None:
        least, most = activation.float().aminmax(dim=0)
        low[layer] = least if layer not in low else torch.minimum(low[layer], least)
        high[layer] = most if layer not in high else torch.maximum(high[layer], most)

    beyond = n = 0
    told = vae.told_of(images)
    for rows in batch_indices(len(images), 250):
        x = images.pixels(rows)
        logits = run(told(rows), x, {layer: partial(see, layer) for layer in layers}, decode=True)
        mean = vae.likelihood.mean(logits.float())
        beyond += int(((mean < SATURATED) | (mean > 1 - SATURATED)).sum())
        n += mean.numel()
    found = []
    for layer in layers:
        spread = (high[layer] - low[layer]).reshape(layer.n_units, -1).amax(1)
        largest = torch.maximum(high[layer].abs(), low[layer].abs()).max()
        found.append((layer.n_units, int((spread <= 1e-6 * largest).sum())))
    frame = pd.DataFrame(found, columns=["n_units", "n_dead"])
    frame.index = pd.Index([layer.name for layer in layers], name="layer")
    return frame, beyond / n


def measure_gap(
    trained: Floats, train: ImageSet, tested: Floats, test: ImageSet, known: ImageSet
) -> Gap:
    """What test images cost more than training images.

    With labels only classes that both have are compared, and training images are weighed to the
    frequencies of the classes in the test.

    Parameters
    ----------
    trained, tested
        (n,) and (m,) the ``excess`` of the images ``train`` and ``test``.
    known
        All training images, of which ``train`` may be some.
    """
    missing: tuple[str, ...] = ()
    if train.has_labels and test.has_labels:
        counts = known.class_counts()
        missing = tuple(k for k, n in test.class_counts().items() if n and not counts.get(k))
    is_unseen = np.isin(_names(test), missing)
    unseen = estimate(tested[is_unseen]) if is_unseen.any() else None
    seen = tested if is_unseen.all() else tested[~is_unseen]
    weights = _weights(train, test)
    mean = float(np.average(trained, weights=weights))
    error = float(np.sqrt((weights**2 * (trained - mean) ** 2).sum()) / weights.sum())
    return Gap(Estimate(mean, error), estimate(seen), unseen, missing, float(is_unseen.mean()))


def excess(vae: ModelLike, images: ImagesLike, kld_weight: float = 1.0) -> Floats:
    """(n,) the loss of each image, less what drawing the very picture would cost; nats."""
    vae = as_vae(vae)
    images = as_image_set(images, image_shape=vae.image_shape)
    device, floors = next(vae.parameters()).device, []
    with evaluating(vae):
        for rows in batch_indices(len(images), 250):
            best = vae.likelihood.best_log_prob(images.pixels(rows).to(device))
            floors.append(-best.flatten(1).sum(1).cpu().double())
    paid = evaluate(vae, images)
    found: Floats = paid.reconstruction + kld_weight * paid.kl.sum(1) - torch.cat(floors).numpy()
    return found


def measure_course(history: Sequence[Mapping[str, Any]]) -> Course | None:
    """How a training went; None of fewer than five epochs.

    ``history`` has one mapping per epoch, as in ``metrics.jsonl``.
    """
    curve = _losses(history, "test")
    if len(curve) < 5:
        return None
    # A rise of the test loss may be overfitting, one of the training loss is not.
    trained = next(
        filter(len, (_losses(history, k) for k in ("evaluated_train", "running"))), curve
    )
    late = curve[-max(3, len(curve) // 5) :]
    x = np.arange(len(late)) - (len(late) - 1) / 2
    slope = (x @ late) / (x @ x)
    rest = late - late.mean() - slope * x
    length = len(late) - 1
    error = math.sqrt(rest @ rest / (len(late) - 2) / (x @ x)) * length
    jump = max(0.0, float(np.diff(trained).max()))
    return Course(len(late), float(-slope * length), error, float(curve[-1] - curve.min()), jump)


def _losses(history: Sequence[Mapping[str, Any]], kind: str) -> Floats:
    return np.array([line[kind]["loss"] for line in history if line.get(kind)], np.float64)


def measure_drift(one: Any, other: Any, *, k: int = 10) -> Drift:
    """How two sets of codes (n, d) of the same images differ, after the best rotation."""
    from scipy.linalg import orthogonal_procrustes

    x, y = (np.asarray(part, np.float64) - np.mean(part, 0) for part in (one, other))
    rotation, _ = orthogonal_procrustes(x, y)
    moved = np.square(x @ rotation - y).sum() / max(np.square(y).sum(), 1e-300)
    k = min(k, len(x) - 1)
    rows = [nearest_others(part.astype(np.float32), k, 0).rows for part in (x, y)]
    kept = np.mean([len(np.intersect1d(a, b)) / k for a, b in zip(*rows, strict=True)])
    return Drift(float(min(1.0, moved)), float(kept))


def _names(images: ImageSet) -> NDArray[np.str_]:
    """The class of every image; all are of one without labels."""
    if images.labels is None:
        return np.full(len(images), "")
    return np.array([images.class_names[label] for label in images.labels.tolist()])


def _weights(train: ImageSet, test: ImageSet) -> Floats:
    """By which training images count, so that their classes are as frequent as in the test."""
    if not (train.has_labels and test.has_labels):
        return np.ones(len(train))
    own, others = _names(train), _names(test)
    share = {name: (others == name).mean() / (own == name).mean() for name in np.unique(own)}
    weights = np.array([share[name] for name in own])
    return weights if weights.any() else np.ones(len(train))
