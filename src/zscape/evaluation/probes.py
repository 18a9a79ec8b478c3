"""What the latents tell of the class and the columns, to a reader that is kept simple."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zscape.data.columns import Columns
from zscape.errors import ConfigError, DataError
from zscape.evaluation.factors import Factor, factors_of
from zscape.latents import LatentTable
from zscape.latents.directions import FOLDS, folding, ridge
from zscape.neurons.columns import MIN_PER_VALUE, MIN_ROWS
from zscape.seeding import derive, numpy_generator
from zscape.words import counted, line

if TYPE_CHECKING:
    import pandas as pd

NEIGHBOURS = 15
MOST = 10_000
"""Images, at most, that a probe is fitted on."""
RESAMPLES = 1000
"""Of the bootstrap."""

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Probes:
    """How well simple readers tell what is known of the images; made by ``probe``.

    Parameters
    ----------
    frame
        Indexed by what is told and by which probe:

        - ``measure`` and ``score``: accuracy in [0, 1] of a category, R² of a number (1 is
          perfect, 0 no better than the mean), the mean over seeds;
        - ``low``, ``high``: where 95 of 100 resamples of the scored images (or groups) put it;
        - ``spread``: standard deviation over seeds, each of which fits on other images;
        - ``chance``: what always naming the commonest category gives; 0 for R²;
        - ``n_fit``, ``n_scored``: images, in each fit and in all.
    how
        On which images the probes were fitted, and on which scored.
    left_out
        Columns that cannot be told, and why.
    """

    frame: pd.DataFrame
    how: str
    left_out: Mapping[str, str]

    def __repr__(self) -> str:
        return line(self, counted(len(self.frame), "score"), self.how)


def probe(
    table: LatentTable,
    fit_on: LatentTable | None = None,
    *,
    columns: Sequence[str] | None = None,
    group: str | None = None,
    seeds: int = 5,
    seed: int = 0,
) -> Probes:
    """How well a linear and a nearest-neighbour reader of the posterior means tell what is known.

    Linear is logistic regression of a category (C = 1) and ridge regression of a number (penalty
    by leaving one out), on neurons scaled to variance 1; the other is the vote, or the mean, of
    the 15 nearest (of all, if there are fewer), at the distances that the latent space has.

    Parameters
    ----------
    table
        The images that are scored.
    fit_on
        Other images of the same source, to fit on: every seed draws its own half of them, at most
        10 000. Without them the probes are cross-validated in five folds, dealt anew by every
        seed.
    columns
        What is told, ``class`` being the label; by default all that can be.
    group
        A column whose values stay together, patients say: in the folds, and in the resamples.
    seeds
        How often, with other images to fit on.
    seed
        Of all of it.

    Raises
    ------
    DataError
        See ``factors_of``; or there are too few groups or images for five folds, or one group is
        on both sides.
    ConfigError
        ``seeds`` below 1.
    """
    import pandas as pd

    if seeds < 1:
        raise ConfigError(f"seeds must be at least 1; got {seeds}.")
    both = table if fit_on is None else _stacked(fit_on, table)
    to_fit = np.arange(len(both)) < (0 if fit_on is None else len(fit_on))
    units = _units(both, group, to_fit)
    factors, left_out = factors_of(both, columns)
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for factor in factors:
        try:
            for name, make in _probes(factor.is_category).items():
                drawn = [
                    _guess(make, both.mu, factor, to_fit, units if group else None,
                           derive(seed, "probe", factor.name, draw))
                    for draw in range(seeds)
                ]  # fmt: skip
                rows[factor.name, name] = _scored(factor, drawn, units, seed)
        except DataError as error:
            if columns is not None or (factor is factors[-1] and not rows):
                raise
            left_out[factor.name] = str(error)
    index = pd.MultiIndex.from_tuples(list(rows), names=["column", "probe"])
    frame = pd.DataFrame(list(rows.values()), index=index)
    return Probes(frame, _how(table, fit_on, group, seeds), left_out)


def _probes(is_category: bool) -> dict[str, Callable[[], Any]]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if is_category:
        return {
            "linear": lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
            "neighbours": lambda: KNeighborsClassifier(NEIGHBOURS),
        }
    return {
        "linear": lambda: make_pipeline(StandardScaler(), ridge()),
        "neighbours": lambda: KNeighborsRegressor(NEIGHBOURS),
    }


def _guess(
    make: Callable[[], Any], mu: NDArray[np.float32], factor: Factor, to_fit: NDArray[np.bool_],
    groups: Rows | None, seed: int,
) -> tuple[Rows, Floats, int]:  # fmt: skip
    """Which rows are scored, what the probe says of them, and how many images each fit saw."""
    x, y = mu.astype(np.float64), factor.values
    parts = _halved(factor, to_fit, seed) if to_fit.any() else _folds(factor, groups, seed)
    scored, guesses, sizes = [], [], []
    for fit, test in parts:
        model = make()
        if hasattr(model, "n_neighbors"):
            model.set_params(n_neighbors=min(NEIGHBOURS, len(fit)))
        scored.append(test)
        guesses.append(model.fit(x[fit], y[fit]).predict(x[test]))
        sizes.append(len(fit))
    order = np.concatenate(scored)
    return order, np.concatenate(guesses).astype(np.float64), min(sizes)


def _halved(factor: Factor, to_fit: NDArray[np.bool_], seed: int) -> Iterator[tuple[Rows, Rows]]:
    """A random half of the images to fit on, categories evenly; and all those to score."""
    draws = numpy_generator(seed, "half")
    fit = draws.permutation(np.flatnonzero(to_fit & factor.known))
    is_scored = ~to_fit & factor.known
    if factor.is_category:
        counts = np.bincount(factor.values[fit].astype(int), minlength=1)
        usual = np.flatnonzero(counts >= MIN_PER_VALUE)
        if len(usual) < 2:
            raise DataError(
                f"{factor.name!r} has fewer than two values of at least {MIN_PER_VALUE} images to "
                "fit on."
            )
        fit = fit[np.isin(factor.values[fit], usual)]
        # Ranked within its category, an image of the first half of each is taken.
        order = fit[np.argsort(factor.values[fit], kind="stable")]
        starts = np.searchsorted(factor.values[order], usual)
        sizes = counts[usual]
        share = min(0.5, MOST / len(fit))
        taken = [start + np.arange(max(2, int(size * share)))
                 for start, size in zip(starts, sizes, strict=True)]  # fmt: skip
        fit = order[np.concatenate(taken)]
    elif len(fit) < MIN_ROWS:
        raise DataError(
            f"{factor.name!r} is known of {counted(len(fit), 'image')} to fit on; {MIN_ROWS} are "
            "needed."
        )
    else:
        fit = fit[: min(len(fit) // 2, MOST)]
    if not is_scored.any():
        raise DataError(f"{factor.name!r} is known of no image that is scored.")
    if not factor.is_category and np.ptp(factor.values[is_scored]) == 0:
        raise DataError(
            f"{factor.name!r} has one value among all images that are scored, so no R²; it is "
            f"known of {counted(int(is_scored.sum()), 'image')} there."
        )
    yield fit, np.flatnonzero(is_scored)


def _folds(factor: Factor, groups: Rows | None, seed: int) -> Iterator[tuple[Rows, Rows]]:
    rows = np.flatnonzero(factor.known)
    x, y = np.empty((len(rows), 0)), factor.values[rows]
    of = None if groups is None else groups[rows]
    if of is not None and len(np.unique(of)) < FOLDS:
        raise DataError(
            f"{factor.name!r} is known of {counted(len(np.unique(of)), 'group')}; {FOLDS} folds "
            "need as many."
        )
    dealt = folding(is_category=factor.is_category, seed=seed, grouped=of is not None)
    for fit, test in dealt.split(x, y, of):
        if len(np.unique(y[fit])) < 2:
            raise DataError(
                f"{factor.name!r} has one value outside of some fold: its groups cannot be parted."
            )
        yield rows[fit], rows[test]


def _scored(
    factor: Factor, drawn: Sequence[tuple[Rows, Floats, int]], units: Rows, seed: int
) -> dict[str, Any]:
    """A row of the table, of the guesses of every seed."""
    order = drawn[0][0][np.argsort(drawn[0][0])]
    guesses = np.stack([told[np.argsort(rows)] for rows, told, _ in drawn])
    truth = factor.values[order]
    losses = guesses != truth if factor.is_category else (guesses - truth) ** 2
    # A score is a function of sums over images, so that resamples need no more than the sums of
    # every unit that is drawn: an image, or a group of them.
    of = np.unique(units[order], return_inverse=True)[1]
    centred = truth - truth.mean()
    parts = (losses.mean(0), np.ones(len(order)), centred, centred**2)
    sums = np.stack([np.bincount(of, part) for part in parts], axis=1)
    per_seed = [
        _score(np.array([loss.sum(), *sums.sum(0)[1:]]), factor.is_category) for loss in losses
    ]
    stream = numpy_generator(seed, "probe", "resamples")
    resampled = [
        _score(sums[stream.integers(len(sums), size=len(sums))].sum(0), factor.is_category)
        for _ in range(RESAMPLES)
    ]
    low, high = np.nanquantile(resampled, (0.025, 0.975))
    counts = np.unique(truth, return_counts=True)[1]
    return {
        "measure": "accuracy" if factor.is_category else "R²",
        "score": float(np.mean(per_seed)), "low": float(low), "high": float(high),
        "spread": float(np.std(per_seed, ddof=1)) if len(per_seed) > 1 else np.nan,
        "chance": float(counts.max() / len(truth)) if factor.is_category else 0.0,
        "n_fit": min(n for _, _, n in drawn), "n_scored": len(order),
    }  # fmt: skip


def _score(sums: Floats, is_category: bool) -> float:
    """Accuracy or R² of the sums of loss, images, values and squared values."""
    loss, n, value, square = sums
    if is_category:
        return float(1 - loss / n)
    variation = square - value**2 / n
    return float(1 - loss / variation) if variation > 0 else np.nan


def _units(table: LatentTable, group: str | None, to_fit: NDArray[np.bool_]) -> Rows:
    """(n,): what is dealt and drawn together; each image by itself without ``group``."""
    if group is None:
        return np.arange(len(table))
    codes, names = table.known_columns().classes(group, most=None)
    shared = np.intersect1d(codes[to_fit], codes[~to_fit])
    if to_fit.any() and len(shared := shared[shared >= 0]):
        raise DataError(
            f"{names[shared[0]]!r} of column {group!r} is both in images to fit on and in images "
            "that are scored; cross-validate one split instead, or train with split_by."
        )
    # An image without a value stands for itself.
    return np.where(codes < 0, len(names) + np.arange(len(table)), codes)


def _stacked(first: LatentTable, second: LatentTable) -> LatentTable:
    """One table of the rows of both."""
    for what in ("latent_dim", "fingerprint", "class_names"):
        if getattr(first, what) != getattr(second, what):
            raise DataError(f"the two tables differ in {what.replace('_', ' ')}: encode both anew.")
    if (first.columns is None) != (second.columns is None):
        raise DataError("one of the two tables has columns and the other none.")
    arrays: dict[str, Any] = {
        name: np.concatenate([getattr(first, name), getattr(second, name)])
        for name in ("mu", "logvar", "indices", *(("labels",) if first.has_labels else ()))
    }
    columns = first.columns
    if columns is not None and second.columns is not None:
        columns = Columns.stacked([columns, second.columns])
    return replace(second, columns=columns, **arrays)


def _how(table: LatentTable, fit_on: LatentTable | None, group: str | None, seeds: int) -> str:
    drawn = counted(seeds, "seed")
    if fit_on is None:
        dealt = f", every {group} in one of them" if group else ""
        images = counted(len(table), f"{table.split} image")
        return f"cross-validated on {images} of {table.name}, {FOLDS} folds{dealt}, {drawn}"
    return (
        f"scored on {counted(len(table), f'{table.split} image')} of {table.name}, fitted on "
        f"halves of {len(fit_on)} {fit_on.split} images (at most {MOST}), {drawn}"
    )
