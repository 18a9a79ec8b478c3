"""How a unit answers to each class: count, mean and variance, and what they say of selectivity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zscape.errors import ConfigError
from zscape.words import counted, line


@dataclass(frozen=True, eq=False)
class ClassMoments:
    """Mean and variance of the activation of some units within every class.

    Parameters
    ----------
    counts
        (n_classes,) images per class. A class without images has NaN for everything below.
    mean, variance
        (n_classes, n_units); the variance is the plain average of squares (divided by n).
    class_names
        One per class.
    units
        One name or number per unit.
    """

    counts: NDArray[np.int64]
    mean: NDArray[np.float64]
    variance: NDArray[np.float64]
    class_names: tuple[str, ...]
    units: Sequence[str | int]

    def __repr__(self) -> str:
        return line(self, counted(len(self.units), "unit"), ", ".join(self.class_names))

    @classmethod
    def from_sums(
        cls,
        counts: NDArray[np.int64],
        sums: NDArray[np.float64],
        squares: NDArray[np.float64],
        class_names: Sequence[str],
        units: Sequence[str | int],
    ) -> ClassMoments:
        """From the (n_classes, n_units) sums of activations and of their squares.

        Parameters
        ----------
        counts
            (n_classes,) images of each class.
        sums, squares
            (n_classes, n_units), of the activations and of their squares.
        class_names
            Of the rows.
        units
            Of the columns.
        """
        with np.errstate(invalid="ignore"):
            mean = sums / counts[:, None]
            variance = np.maximum(squares / counts[:, None] - mean**2, 0)
        return cls(counts, mean, variance, tuple(class_names), units)

    def mean_table(self) -> pd.DataFrame:
        """Class × unit: the mean activation."""
        return self._table(self.mean)

    def d_prime(self) -> pd.DataFrame:
        """Class × unit: how far a class stands apart from all others, in standard deviations.

        d' = (mean of the class - mean of the rest) / √((variance of both) / 2): positive where
        the unit fires more for the class, 0 where it cannot tell, ±1 where about two thirds of
        the images would be told right by a threshold alone.

        References
        ----------
        Green & Swets 1966, Signal Detection Theory and Psychophysics, ch. 3.
        """
        rest_mean, rest_variance = self._rest()
        difference = self.mean - rest_mean
        # A unit that is constant differs by rounding only; without spread that would be infinite.
        is_rounding = np.abs(difference) <= 1e-6 * (np.abs(self.mean) + np.abs(rest_mean))
        with np.errstate(divide="ignore", invalid="ignore"):
            values = difference / np.sqrt((self.variance + rest_variance) / 2)
        return self._table(np.where(is_rounding, 0.0, values))

    def most_selective(self, n: int = 5) -> pd.DataFrame:
        """The ``n`` units that tell each class best from the rest, one row each.

        Ranked by |d'|: a unit that falls silent for a class tells it as well as one that fires.

        Returns
        -------
        Columns ``class``, ``rank`` (from 1), ``unit``, ``d_prime``, ``mean`` (in the class) and
        ``mean_rest``. Classes without images are left out.

        Raises
        ------
        ConfigError
            ``n`` is below 1.
        """
        if n < 1:
            raise ConfigError(f"n must be at least 1; got {n}.")
        d_prime, (rest_mean, _) = self.d_prime().to_numpy(), self._rest()
        rows = [
            (name, rank, self.units[unit], d_prime[k, unit], self.mean[k, unit], rest_mean[k, unit])
            for k, name in enumerate(self.class_names)
            if self.counts[k]
            for rank, unit in enumerate(np.argsort(-np.abs(d_prime[k]), kind="stable")[:n], 1)
        ]
        columns = ["class", "rank", "unit", "d_prime", "mean", "mean_rest"]
        return pd.DataFrame(rows, columns=columns)

    def _rest(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and variance over the images of all other classes; NaN if there are none."""
        n = self.counts[:, None]
        sums = np.where(n > 0, n * self.mean, 0)
        squares = np.where(n > 0, n * (self.variance + self.mean**2), 0)
        with np.errstate(invalid="ignore"):
            n_rest = n.sum() - n
            mean = (sums.sum(0) - sums) / n_rest
            variance = (squares.sum(0) - squares) / n_rest - mean**2
        return mean, np.maximum(variance, 0)

    def _table(self, values: NDArray[np.float64]) -> pd.DataFrame:
        index = pd.Index(self.class_names, name="class")
        return pd.DataFrame(values, index=index, columns=pd.Index(self.units, name="unit"))
