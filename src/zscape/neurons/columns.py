"""What the latent neurons tell of everything that is known of the images, their class apart."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zscape.errors import DataError
from zscape.latents import LatentTable
from zscape.neurons.bottleneck import class_moments, mutual_information, number_information
from zscape.words import counted, line, number

if TYPE_CHECKING:
    import pandas as pd

LEVEL = 0.05
"""False discoveries among all that is called one, on average."""
NOTICEABLE = 0.3
"""Size of an effect that is worth a sentence: ρ² or η² of about a tenth."""
MIN_ROWS = 10
"""Images whose number is known, without which nothing is said."""
MIN_PER_VALUE = 5
"""Images of a category without which it is left out: the test is not exact for fewer."""


@dataclass(frozen=True, eq=False)
class NeuronColumns:
    """How every latent neuron goes with every column; made by ``neuron_columns``.

    Parameters
    ----------
    frame
        A row per pair of column and neuron, the largest effect first:

        - ``column``, its ``kind`` (number, date or category), and ``neuron`` (``z0`` …);
        - ``measure`` and ``effect``: Spearman's ρ in [-1, 1] of numbers and dates; of categories
          η in [0, 1], which is the same for groups: its square is the share of the variance of the
          neuron's ranks that lies between the categories, less what chance would put there;
        - ``mutual_information``: nats;
        - ``p``: of no relation at all, by the t distribution of ρ, and of Kruskal and Wallis;
        - ``q``: p, corrected for that many tests by Benjamini and Hochberg;
        - ``n``: images it is from, and ``n_left_out``: those without a value, or of a category of
          fewer than 5 images;
        - ``best_category``, ``best_d_prime``: the category that the neuron tells best from all
          others, and how well; none for numbers.

        A neuron that is the same for every image has NaN, and is no test.
    left_out
        Columns that nothing can be said of, and why.
    """

    frame: pd.DataFrame
    left_out: Mapping[str, str]

    def __repr__(self) -> str:
        columns = counted(self.frame["column"].nunique(), "column")
        neurons = counted(self.frame["neuron"].nunique(), "neuron")
        return line(self, f"{columns} of {neurons}", counted(len(self.clear), "clear effect"))

    @property
    def n_tests(self) -> int:
        """How many pairs were tested."""
        return int(self.frame["p"].count())

    @property
    def clear(self) -> pd.DataFrame:
        """The rows that are both beyond chance (q < 0.05) and of a noticeable size (≥ 0.3)."""
        frame = self.frame
        return frame[(frame["q"] < LEVEL) & (frame["effect"].abs() >= NOTICEABLE)]

    def effects(self) -> pd.DataFrame:
        """Column × neuron: the effects, the column with the largest first."""
        return self._table("effect")

    def q_values(self) -> pd.DataFrame:
        """Column × neuron: their q, in the same order."""
        return self._table("q")

    def sentences(self) -> list[str]:
        """What is clear, a sentence each, the largest effect first; that nothing is, if so."""
        if not self.n_tests:
            return []
        found = [f"{self._say(row)} ({self._sure(row)})." for _, row in self.clear.iterrows()]
        if found:
            return found
        row = self.frame.iloc[0]
        return [
            f"No neuron clearly goes with a column (q < {LEVEL:g}, {row['measure']} of at least "
            f"{NOTICEABLE:g}); closest is {row['neuron']} with {row['column']}: {row['measure']} = "
            f"{number(row['effect'])} ({self._sure(row)})."
        ]

    def left_out_sentence(self) -> str:
        """Which columns were left out and why; empty if none were."""
        by_reason: dict[str, list[str]] = {}
        for name, reason in self.left_out.items():
            by_reason.setdefault(reason, []).append(name)
        parts = []
        for reason, names in by_reason.items():
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            parts.append(f"{', '.join(names[:3])}{more} ({reason})")
        return f"Left out: {'; '.join(parts)}." if parts else ""

    def _say(self, row: pd.Series) -> str:
        said = f"{row['neuron']} goes with {row['column']}: {row['measure']} = " + number(
            row["effect"]
        )
        if row["kind"] == "category":
            said += f", tells {row['best_category']} best, d′ = {number(row['best_d_prime'], 1)}"
        return said

    def _sure(self, row: pd.Series) -> str:
        q = "q < 0.001" if row["q"] < 0.001 else f"q = {row['q']:.2g}"
        return f"{q}, {counted(self.n_tests, 'test')}"

    def _table(self, what: str) -> pd.DataFrame:
        columns = self.frame["column"].unique()
        neurons = sorted(self.frame["neuron"].unique(), key=lambda name: int(name[1:]))
        wide = self.frame.pivot(index="column", columns="neuron", values=what)
        return wide.loc[columns, neurons]


def neuron_columns(
    table: LatentTable, columns: Sequence[str] | None = None, *, seed: int = 0
) -> NeuronColumns:
    """How every latent neuron goes with every column that is known of the images.

    Ranks are compared, so that any rising or falling curve counts as much as a line. Neurons are
    posterior *samples*, as in ``neuron_table``: the mean of a dead neuron may follow a column in
    its fifth decimal, which drowns in the noise that the decoder gets. Images whose value is
    missing are left out, column by column, and so are categories of fewer than 5 images.

    Parameters
    ----------
    table
        Latents with columns.
    columns
        Which ones; by default all of which something can be said, but not the one that is the
        class already.
    seed
        Of the samples and of the estimator of the mutual information.

    Raises
    ------
    DataError
        The images have no columns, or one that was asked for is not there, is text, or does not
        vary.

    References
    ----------
    Benjamini & Hochberg 1995, Controlling the False Discovery Rate, J. R. Stat. Soc. B 57(1).
    Tomczak & Tomczak 2014, The need to report effect size estimates revisited (η² from ranks),
    Trends in Sport Sciences 1(21).
    """
    import pandas as pd
    from scipy.stats import false_discovery_control

    known = table.known_columns()
    samples = table.sample(seed=seed)
    parts, left_out = [], {}
    for name in known.names if columns is None else columns:
        values = values_of(table, name)
        if columns is None and not isinstance(values, str) and is_class(table, values):
            values = "it is the class"
        if not isinstance(values, str):
            parts.append(_measure(table, samples, name, values, seed))
        elif columns is None:
            left_out[name] = values
        else:
            raise DataError(f"column {name!r} cannot be compared with neurons: {values}.")
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=FIELDS)
    is_tested = frame["p"].notna()
    frame.loc[is_tested, "q"] = false_discovery_control(frame.loc[is_tested, "p"].astype(float))
    order = frame["effect"].abs().sort_values(ascending=False, kind="stable").index
    return NeuronColumns(frame.loc[order, FIELDS].reset_index(drop=True), left_out)


FIELDS = ["column", "kind", "neuron", "measure", "effect", "mutual_information", "p", "q", "n",
          "n_left_out", "best_category", "best_d_prime"]  # fmt: skip


def values_of(table: LatentTable, name: str) -> NDArray[Any] | str:
    """The values of a column that something can be learned of, or why there are none.

    Returns
    -------
    (n,) floats with NaN, or whole numbers of categories with -1, where a value is missing or of
    a category of fewer than 5 images.
    """
    known = table.known_columns()
    kind = known.kind(name)
    if known.is_empty(name):
        return "no value at all"
    if kind in ("text", "file"):
        return "text" if kind == "text" else "file names"
    if kind != "category":
        numbers = known.numbers(name)
        finite = numbers[np.isfinite(numbers)]
        if len(finite) < MIN_ROWS:
            return f"fewer than {MIN_ROWS} values"
        return "the same for every image" if finite.min() == finite.max() else numbers
    codes, names = known.classes(name, most=None)
    if len(names) == 1:
        return "the same for every image"
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    if (counts >= MIN_PER_VALUE).sum() < 2:
        return f"fewer than two values of at least {MIN_PER_VALUE} images"
    return np.where((codes >= 0) & (counts[codes] >= MIN_PER_VALUE), codes, -1)


def is_class(table: LatentTable, values: NDArray[Any]) -> bool:
    """Whether a column says of every image it is known of what the label says."""
    if table.labels is None:
        return False
    there = np.isfinite(values) & (values != -1 if values.dtype.kind == "i" else True)
    pairs = np.unique(np.stack([values[there], table.labels[there]]), axis=1)
    return all(len(np.unique(side)) == pairs.shape[1] for side in pairs)


def _measure(
    table: LatentTable, samples: NDArray[np.float32], name: str, values: NDArray[Any], seed: int
) -> pd.DataFrame:
    """The rows of one column, without ``q``."""
    import pandas as pd

    known = table.known_columns()
    is_category = known.kind(name) == "category"
    rows = np.flatnonzero(values >= 0 if is_category else np.isfinite(values))
    x, y = samples[rows].astype(np.float64), values[rows]
    best: dict[str, Any] = {"best_category": None, "best_d_prime": np.nan}
    if is_category:
        effect, p = _between_groups(x, y)
        information = mutual_information(x, y, seed=seed)
        names = known.classes(name, most=None)[1]
        d_prime = class_moments(replace(table[rows], labels=y, class_names=names)).d_prime()
        sizes = d_prime.dropna().abs()
        best["best_category"] = sizes.idxmax().to_numpy()
        at = d_prime.index.get_indexer(best["best_category"])
        best["best_d_prime"] = d_prime.to_numpy()[at, np.arange(len(at))]
    else:
        effect, p = _ranks(x, y)
        information = number_information(x, y, seed=seed)
    return pd.DataFrame(
        {
            "column": name, "kind": known.kind(name),
            "neuron": [f"z{i}" for i in range(table.latent_dim)],
            "measure": "η" if is_category else "ρ", "effect": effect,
            "mutual_information": information, "p": p, "q": np.nan, "n": len(rows),
            "n_left_out": len(table) - len(rows), **best,
        }
    )  # fmt: skip


def _ranks(x: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Spearman's ρ of every neuron with a number, and its p."""
    from scipy.stats import ConstantInputWarning, spearmanr

    with warnings.catch_warnings(action="ignore", category=ConstantInputWarning):
        found = [spearmanr(neuron, y) for neuron in x.T]
    return np.array([one.statistic for one in found]), np.array([one.pvalue for one in found])


def _between_groups(x: NDArray[Any], codes: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """η of every neuron's ranks, and the p of Kruskal and Wallis."""
    from scipy.stats import kruskal

    groups = [x[codes == code] for code in np.unique(codes)]
    n, k = len(x), len(groups)
    with np.errstate(invalid="ignore"):
        found = kruskal(*groups, axis=0)
    share = (found.statistic - k + 1) / (n - k)  # H of nothing but chance is k - 1
    return np.sqrt(np.clip(share, 0, None)), found.pvalue
