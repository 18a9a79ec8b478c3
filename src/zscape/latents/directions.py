"""The direction of the latent space along which a property of the images changes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zscape.errors import ConfigError, DataError, ShapeError
from zscape.latents.table import LatentTable
from zscape.seeding import derive, numpy_generator

FOLDS = 5
"""Of the cross-validation."""
RESAMPLES = 100
"""Of the bootstrap."""
MIN_ROWS = 10
"""Rows with a known number, or of either category, without which there is nothing to learn."""


class Direction(NamedTuple):
    """A direction, how well it tells the property of images it has not seen, and how sure it is."""

    vector: NDArray[np.float64]
    """(latent_dim,) of length 1; the property grows along it."""
    positions: NDArray[np.float64]
    """(n,) where every row of the table lies along it, latent units from the centre; also those of
    rows whose property is missing."""
    centre: NDArray[np.float64]
    """(latent_dim,) position 0: the mean of the images whose property is known, or the middle
    between the means of the two categories."""
    score: float
    """Cross-validated: R² of a number (1 is perfect, 0 no better than the mean), AUC of a
    category (1 is perfect, ½ no better than chance)."""
    measure: str
    """``"R²"`` or ``"AUC"``."""
    spread: float
    """Degrees: 95 of 100 bootstrap samples of the rows give a direction within this angle."""
    n: int
    """Rows whose property is known."""

    def at(self, positions: Any) -> NDArray[np.float32]:
        """(m, latent_dim) float32: the places at ``positions`` (m,) along the way."""
        steps = np.atleast_1d(np.asarray(positions, np.float64))
        places: NDArray[np.float32] = (self.centre + steps[:, None] * self.vector).astype(
            np.float32
        )
        return places


class Along(NamedTuple):
    """The direction of a column of a table, and the values it was found with."""

    direction: Direction
    values: NDArray[np.float64]
    """(n,) numbers, NaN where missing; of two categories 0 and 1, and NaN for all others."""
    categories: tuple[str, str] | None
    """The names of 0 and 1."""
    is_date: bool = False
    """Whether the numbers are seconds since 1970."""

    def sentence(self, column: str) -> str:
        """What was found of ``column``, and how sure it is, for a person to read."""
        found = self.direction
        what = column if self.categories is None else f"{column}, {' to '.join(self.categories)}"
        return (
            f"{what}: {found.measure} {found.score:.2f} on images left out of the fit "
            f"({found.n} images, {FOLDS} folds); 95 of 100 resamples turn the direction by less "
            f"than {found.spread:.0f}°."
        )


def column_direction(
    table: LatentTable, column: str, *, between: tuple[str, str] | None = None, seed: int = 0
) -> Along:
    """The direction along which a column of the table changes.

    Parameters
    ----------
    table
        Latents with columns.
    column
        One of ``table.columns``, or ``class``, the labels.
    between
        Of a category with more than two values: from which to which.
    seed
        See ``number_direction`` and ``category_direction``, which do it.

    Raises
    ------
    ConfigError
        ``between`` for numbers, or a value that is not there.
    DataError
        There is no such column, it is no number and not of two categories, or too few images
        have a value.
    """
    known = table.columns
    if column == "class" and table.labels is not None and (known is None or column not in known):
        codes, names = table.labels, table.class_names
    elif (known := table.known_columns()).kind(column) in ("number", "date"):
        if between is not None:
            raise ConfigError(
                f"column {column!r} holds numbers; it has no two values to go between."
            )
        values = known.numbers(column)
        found = number_direction(table, values, seed=seed)
        return Along(found, values, None, known.kind(column) == "date")
    else:
        codes, names = known.classes(column)
    ends = _ends(column, names, between)
    values = np.full(len(table), np.nan)
    for value, end in enumerate(ends):
        values[codes == names.index(end)] = value
    return Along(category_direction(table, values, seed=seed), values, ends)


def _ends(column: str, names: tuple[str, ...], between: tuple[str, str] | None) -> tuple[str, str]:
    if between is None:
        if len(names) != 2:
            raise DataError(
                f"column {column!r} has {len(names)} values, {', '.join(names[:5])} …; say between "
                f"which two."
            )
        return names[0], names[1]
    for end in between:
        if end not in names:
            raise ConfigError(
                f"column {column!r} has the values {', '.join(names[:20])}; got {end!r}."
            )
    if between[0] == between[1]:
        raise ConfigError(f"a direction needs two values that differ; got {between[0]!r} twice.")
    return between


def number_direction(table: LatentTable, values: Any, *, seed: int = 0) -> Direction:
    """The direction along which a number grows, by ridge regression on the posterior means.

    Parameters
    ----------
    table
        Latents of n images.
    values
        (n,) numbers, a row each; NaN where missing.
    seed
        Of folds and resamples.

    Raises
    ------
    ShapeError
        Not one value per row.
    DataError
        Fewer than 10 known values, or all of them the same.
    """
    from sklearn.linear_model import Ridge
    from sklearn.metrics import r2_score

    rows, y = _known(table, values)
    if len(y) < MIN_ROWS:
        raise DataError(f"a direction needs at least {MIN_ROWS} known values; there are {len(y)}.")
    if y.min() == y.max():
        raise DataError(f"all {len(y)} values are {y[0]:g}; there is no direction to find.")
    search = ridge()
    penalty = search.fit(table.mu[rows], y).alpha_
    return _direction(table, rows, y, search, Ridge(penalty), r2_score, "R²", seed)


def category_direction(table: LatentTable, is_second: Any, *, seed: int = 0) -> Direction:
    """The direction from one category to another, by logistic regression on the posterior means.

    The difference of the two means is what this becomes where it may not learn how the neurons
    vary together.

    Parameters
    ----------
    table
        Latents of n images.
    is_second
        (n,): 1 for the rows of the category that the direction leads to, 0 for those of the one it
        leads away from, NaN for all others.
    seed
        Of folds and resamples.

    Raises
    ------
    ShapeError
        Not one value per row.
    DataError
        Fewer than 10 rows in either category.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import GridSearchCV

    rows, y = _known(table, is_second)
    if (few := int(min(y.sum(), (1 - y).sum()))) < MIN_ROWS:
        raise DataError(f"both categories need at least {MIN_ROWS} images; the smaller has {few}.")
    plain = LogisticRegression(class_weight="balanced", solver="newton-cholesky")
    search = GridSearchCV(plain, {"C": np.logspace(-4, 2, 4)}, scoring="neg_log_loss", cv=FOLDS)
    chosen = search.fit(table.mu[rows], y).best_estimator_
    return _direction(table, rows, y, search, chosen, roc_auc_score, "AUC", seed)


def ridge() -> Any:
    """Ridge regression that finds its own penalty, by leaving out one image at a time."""
    from sklearn.linear_model import RidgeCV

    return RidgeCV(np.logspace(-3, 5, 9))


def folding(*, is_category: bool, seed: int, grouped: bool = False) -> Any:
    """How images are dealt into folds: categories evenly, and whole groups where there are any."""
    from sklearn import model_selection

    name = ("Stratified" if is_category else "") + ("Group" if grouped else "") + "KFold"
    fold = getattr(model_selection, name)
    return fold(FOLDS, shuffle=True, random_state=seed % 2**32)


def _known(table: LatentTable, values: Any) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The rows whose value is known, and their values."""
    numbers = np.asarray(values, np.float64)
    if numbers.shape != (len(table),):
        raise ShapeError(f"{len(table)} rows need as many values; got {numbers.shape}.")
    rows = np.flatnonzero(np.isfinite(numbers))
    return rows, numbers[rows]


def _direction(
    table: LatentTable, rows: NDArray[np.int64], y: NDArray[np.float64],
    search: Any, chosen: Any, score: Any, measure: str, seed: int,
) -> Direction:  # fmt: skip
    """Fit ``chosen``; score ``search``, which chooses anew in every fold; resample the rows."""
    from sklearn.model_selection import cross_val_predict

    is_category = measure == "AUC"
    x = table.mu[rows].astype(np.float64)
    folds = folding(is_category=is_category, seed=derive(seed, "directions", "folds"))
    method = "decision_function" if is_category else "predict"
    guesses = cross_val_predict(search, x, y, cv=folds, method=method)

    def fit(some: NDArray[np.int64]) -> NDArray[np.float64]:
        weights: NDArray[np.float64] = chosen.fit(x[some], y[some]).coef_.ravel()
        weights /= np.linalg.norm(weights)
        return weights

    vector = fit(np.arange(len(y)))
    draws = numpy_generator(seed, "directions", "resamples")
    groups = [np.flatnonzero(y == k) for k in (0, 1)] if is_category else [np.arange(len(y))]
    cosines = [
        fit(np.concatenate([draws.choice(group, len(group)) for group in groups])) @ vector
        for _ in range(RESAMPLES)
    ]
    spread = np.degrees(np.arccos(np.clip(np.quantile(cosines, 0.05), -1, 1)))
    centre = np.mean([x[group].mean(0) for group in groups], axis=0)
    return Direction(
        vector, (table.mu - centre) @ vector, centre, float(score(y, guesses)), measure,
        float(spread), len(y),
    )  # fmt: skip
