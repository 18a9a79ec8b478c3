"""Does each neuron go its own way: scores of the posterior means against known factors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zscape.errors import DataError
from zscape.evaluation.factors import Factor, factors_of
from zscape.latents import LatentTable
from zscape.model import ACTIVE_KL
from zscape.neurons import mean_kl
from zscape.neurons.columns import MIN_PER_VALUE
from zscape.seeding import derive, numpy_generator
from zscape.words import counted, line

if TYPE_CHECKING:
    import pandas as pd

BINS = 20
"""Of a neuron, and of a number with more values than that."""
VALUES = 100
"""Values of a number that are told apart; of more, or more than one for each ``FIXED`` images,
``BINS`` ranges are."""
MOST = 5_000
"""Images that are looked at."""
VOTES = 5_000
"""Of the FactorVAE score, to learn from and to be scored, each."""
FIXED = 64
"""Images of a vote."""

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Disentanglement:
    """Scores in [0, 1] of how neurons and factors go together; made by ``disentanglement``.

    Parameters
    ----------
    scores
        - ``mig``: the mutual information gap;
        - ``sap``: how much better the best neuron alone predicts a factor than the second;
        - ``dci_disentanglement``: whether a neuron matters for one factor only;
        - ``dci_completeness``: whether a factor is told by one neuron only;
        - ``dci_informativeness``: accuracy of categories and R² of numbers on images left out;
        - ``factor_vae``: how often the neuron that varies least says which factor was held.

        NaN where there are too few factors or neurons for a score to mean anything.
    factors
        Indexed by factor: its ``kind``, ``mig``, ``sap``, ``completeness``, ``informativeness``,
        and the neuron that tells most of it.
    importances
        Neurons × factors, the columns adding up to 1: of gradient boosted trees.
    n
        Images it is from.
    left_out
        Columns that are no factors, and why.
    """

    scores: Mapping[str, float]
    factors: pd.DataFrame
    importances: pd.DataFrame
    n: int
    left_out: Mapping[str, str]

    def __repr__(self) -> str:
        said = ", ".join(f"{name} {value:.2f}" for name, value in self.scores.items())
        return line(self, counted(len(self.factors), "factor"), f"{self.n} images", said)


def disentanglement(
    table: LatentTable, columns: Sequence[str] | None = None, *, n: int = MOST, seed: int = 0
) -> Disentanglement:
    """MIG, SAP, DCI and the FactorVAE score of the posterior means.

    - MIG: mutual information of a factor with every neuron, in 20 ranges of equal width; the gap
      between the two largest over the factor's entropy, the mean over factors (as in Locatello et
      al. 2019).
    - SAP: of categories the accuracy of a linear support vector machine on one neuron, on images
      left out; of numbers the squared correlation.
    - DCI: gradient boosted trees, a classifier of categories and a regression of numbers.
    - FactorVAE: neurons in use (mean KL above 0.01 nats) over 64 images that share a value.

    Numbers of more than 100 values, or of more than one for 64 images, are cut into 20 ranges of
    one size where values are needed.

    Parameters
    ----------
    table
        Posterior means, and the columns that are the factors.
    columns
        The factors; see ``factors_of``.
    n
        Images that are looked at, at most, drawn at random; two thirds of them are fitted on.
    seed
        Of all that is drawn.

    Raises
    ------
    DataError
        See ``factors_of``; or there are fewer than 30 images of which all factors are known.

    References
    ----------
    Chen et al. 2018, arXiv:1802.04942 (MIG). Kumar et al. 2018, arXiv:1711.00848 (SAP). Eastwood &
    Williams 2018, openreview.net/forum?id=By-7dz-AZ (DCI). Kim & Mnih 2018, arXiv:1802.05983
    (FactorVAE). Locatello et al. 2019, arXiv:1811.12359.
    """
    import pandas as pd

    factors, left_out = factors_of(table, columns)
    complete = np.flatnonzero(np.all([factor.known for factor in factors], axis=0))
    order = numpy_generator(seed, "disentanglement").permutation(complete)[:n]
    if len(order) < 30:
        raise DataError(
            f"{table.name}: disentanglement needs 30 images of which every factor is known; there "
            f"are {len(order)} (--column chooses factors)."
        )
    mu = table.mu[order].astype(np.float64)
    known = [Factor(f.name, f.values[order], f.is_category) for f in factors]
    n_fit = len(order) * 2 // 3
    for factor in [f for f in known if len(np.unique(f.values[:n_fit])) < 2]:
        known.remove(factor)
        left_out[factor.name] = "the same for all images to fit on that have every factor"
    if not known:
        raise DataError(f"{table.name}: no factor varies over the images that have every factor.")
    codes = np.stack([_coded(factor) for factor in known])
    fit, test = np.arange(n_fit), np.arange(n_fit, len(order))
    information = mutual_informations(mu, codes)
    gaps = _gaps(information) / np.array([_entropy(code) for code in codes])
    predictions = np.stack([separate_predictions(mu, f, fit, test) for f in known], axis=1)
    told = [_importance(mu, factor, fit, test, seed) for factor in known]
    importances = np.stack([importance for importance, _ in told], axis=1)
    alone_for, complete_for = dci(importances)
    neurons = [f"z{i}" for i in range(table.latent_dim)]
    names = [factor.name for factor in known]
    in_use = np.flatnonzero(mean_kl(table) > ACTIVE_KL)
    frame = pd.DataFrame(
        {
            "kind": ["category" if factor.is_category else "number" for factor in known],
            "mig": gaps,
            "sap": _gaps(predictions),
            "completeness": complete_for,
            "informativeness": [score for _, score in told],
            "neuron": [neurons[i] for i in information.argmax(0)],
        },
        index=pd.Index(names, name="factor"),
    )
    scores = {
        "mig": float(frame["mig"].mean()),
        "sap": float(frame["sap"].mean()),
        "dci_disentanglement": float(importances.sum(1) @ alone_for / importances.sum()),
        "dci_completeness": float(frame["completeness"].mean()),
        "dci_informativeness": float(frame["informativeness"].mean()),
        "factor_vae": factor_vae(mu[:, in_use], codes, seed=seed),
    }
    table_of = pd.DataFrame(importances, pd.Index(neurons, name="neuron"), names)
    return Disentanglement(scores, frame, table_of, len(order), left_out)


def mutual_informations(mu: Floats, codes: Codes) -> Floats:
    """(latent_dim, factors) nats, of neurons (n, latent_dim) cut into 20 ranges of equal width."""
    from sklearn.metrics import mutual_info_score

    cut = [np.digitize(z, np.histogram_bin_edges(z, BINS)[:-1]) for z in mu.T]
    return np.array([[mutual_info_score(code, ranges) for code in codes] for ranges in cut])


def separate_predictions(mu: Floats, factor: Factor, fit: Codes, test: Codes) -> Floats:
    """(latent_dim,): how well every neuron alone predicts a factor; what SAP compares."""
    from sklearn.svm import LinearSVC

    if not factor.is_category:
        z, y = mu - mu.mean(0), factor.values - factor.values.mean()
        variation = (z**2).sum(0) * (y**2).sum()
        squares: Floats = (z.T @ y) ** 2 / np.where(variation > 1e-12, variation, np.inf)
        return squares
    scores = []
    for z in mu.T[:, :, None]:
        machine = LinearSVC(C=0.01, class_weight="balanced", random_state=0)
        machine.fit(z[fit], factor.values[fit])
        scores.append(machine.score(z[test], factor.values[test]))
    return np.array(scores)


def dci(importances: Floats) -> tuple[Floats, Floats]:
    """Disentanglement of every neuron and completeness of every factor.

    One less the entropy of a row, or a column, of (neurons, factors) over the largest it may have;
    NaN where there is but one factor, or one neuron.
    """
    return 1 - _spread(importances), 1 - _spread(importances.T)


def factor_vae(mu: Floats, codes: Codes, *, seed: int = 0) -> float:
    """The FactorVAE score of the neurons in use, (n, latent_dim), against (factors, n) values.

    A vote holds one factor at the value of a random image, draws 64 images that have it, and is
    given by the neuron whose variance shrinks most. NaN for a single factor, or one of whose values
    none is shared by five images; 0 without neurons.
    """
    if len(codes) < 2:
        return np.nan
    scale = mu.std(0)
    if not (scale > 0).any():
        return 0.0
    z = mu[:, scale > 0] / scale[scale > 0]
    rows = [[np.flatnonzero(code == value) for value in range(code.max() + 1)] for code in codes]
    # Over a few images every neuron stands still.
    held_by = [np.flatnonzero(np.bincount(code)[code] >= MIN_PER_VALUE) for code in codes]
    if not all(map(len, held_by)):
        return np.nan
    stream = numpy_generator(seed, "factor_vae")
    votes = np.zeros((2, z.shape[1], len(codes)), int)
    for half in votes:
        for _ in range(VOTES):
            held = stream.integers(len(codes))
            image = stream.choice(held_by[held])
            alike = rows[held][codes[held, image]]
            least = z[stream.choice(alike, FIXED)].var(0).argmin()
            half[least, held] += 1
    learned, scored = votes
    return float(scored[np.arange(len(scored)), learned.argmax(1)].sum() / VOTES)


def _importance(
    mu: Floats, factor: Factor, fit: Codes, test: Codes, seed: int
) -> tuple[Floats, float]:
    """(latent_dim,) importance of every neuron for a factor, adding up to 1, and the score."""
    from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor

    kind = GradientBoostingClassifier if factor.is_category else GradientBoostingRegressor
    trees = kind(random_state=derive(seed, "trees", factor.name) % 2**32)
    trees.fit(mu[fit], factor.values[fit])
    return trees.feature_importances_, float(trees.score(mu[test], factor.values[test]))


def _coded(factor: Factor) -> Codes:
    """(n,) numbers from 0 of a factor's values, or of ranges of them."""
    codes: Codes = np.unique(factor.values, return_inverse=True)[1]
    if not factor.is_category and codes.max() >= min(VALUES, len(codes) / FIXED):
        edges = np.quantile(factor.values, np.linspace(0, 1, BINS + 1)[1:-1])
        codes = np.unique(np.searchsorted(edges, factor.values), return_inverse=True)[1]
    return codes


def _gaps(scores: Floats) -> Floats:
    """The largest of each column less the second; of one row, the row."""
    ordered = np.sort(np.vstack([np.zeros((1, scores.shape[1])), scores]), axis=0)
    gaps: Floats = ordered[-1] - ordered[-2]
    return gaps


def _entropy(codes: Codes) -> float:
    shares = np.bincount(codes) / len(codes)
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum())


def _spread(weights: Any) -> Floats:
    """(rows,): entropy of each row over its largest, in [0, 1]; NaN of a single column."""
    from scipy.stats import entropy

    n = weights.shape[1]
    if n < 2:
        return np.full(len(weights), np.nan)
    spread: Floats = entropy(weights + 1e-11, axis=1) / np.log(n)
    return spread
