"""How good a map is: what it keeps of the neighbourhoods and distances in the latent space."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from zscape.embedding.embedding import Embedding
from zscape.embedding.neighbours import Floats, nearest_others
from zscape.errors import DataError
from zscape.registry import Registry
from zscape.seeding import numpy_generator

if TYPE_CHECKING:
    import pandas as pd

MAX_DISTANCES = 1000
"""Points of which all distances are compared: half a million pairs."""
CELLS_AT_ONCE = 5_000_000
"""Of a matrix of distances; bounds memory at about a quarter of a gigabyte."""


class Judged(NamedTuple):
    """A map to be measured, beside what it was drawn of."""

    x: Floats
    """(n, latent_dim): the latent space as the map saw it, scaled if it was standardised."""
    y: Floats
    """(n, 2): the map."""
    labels: NDArray[np.int64] | None
    """(n,), or None."""
    n_neighbors: int
    """Size of a neighbourhood."""
    rows: NDArray[np.int64]
    """Of the points whose neighbourhoods are judged, in an order that is the same for all maps."""


MapMetric: TypeAlias = Callable[[Judged], float]

map_metrics: Registry[MapMetric] = Registry("metric")
register_metric: Callable[[str], Callable[[MapMetric], MapMetric]] = map_metrics.register


def map_quality(
    maps: Embedding | Iterable[Embedding], *, metrics: Iterable[str | MapMetric] | None = None,
    n_neighbors: int = 15, n_sample: int = 2000, seed: int = 0,
) -> pd.DataFrame:  # fmt: skip
    """One map, or several side by side: a row each, named by its method.

    Parameters
    ----------
    maps
        One map or several.
    metrics
        Names of the registered, or your own functions; all that are registered by default.
    n_neighbors
        Size of a neighbourhood; below half of the points.
    n_sample
        Points whose neighbourhoods are judged for trustworthiness and continuity, the same ones
        for every map; their neighbours are sought among all points.
    seed
        Of the points that are judged.

    Returns
    -------
    A table with a column per metric. Of those that ship, more is always better:

    - ``trustworthiness``, [0, 1]: neighbours on the map are neighbours in the latent space;
    - ``continuity``, [0, 1]: neighbours in the latent space are neighbours on the map;
    - ``label_accuracy_z``, ``label_accuracy_map``, [0, 1]: how often the neighbours of a point,
      in the latent space and on the map, outvote each other for its class; NaN without labels;
    - ``distance_correlation``, [-1, 1]: Spearman's of all distances in a sample of 1000 at most.

    "Latent space" is as the map saw it: scaled, if it was standardised.

    Raises
    ------
    DataError
        Fewer points than twice ``n_neighbors`` + 1.

    References
    ----------
    Venna & Kaski 2001, doi:10.1007/3-540-44668-0_68 (trustworthiness, continuity).
    """
    import pandas as pd

    names = list(map_metrics) if metrics is None else [*map(map_metrics.allow, metrics)]
    rows = []
    for embedding in [maps] if isinstance(maps, Embedding) else maps:
        order = numpy_generator(seed, "map quality").permutation(len(embedding))
        judged = Judged(
            embedding.x, embedding.coordinates, embedding.table.labels, n_neighbors,
            order[:n_sample],
        )  # fmt: skip
        measured = {name: map_metrics[name](judged) for name in names}
        rows.append({"map": embedding.method} | measured)
    return pd.DataFrame(rows).set_index("map")


@register_metric("trustworthiness")
def _trustworthiness(judged: Judged) -> float:
    return trustworthiness(judged.x, judged.y, judged.rows, judged.n_neighbors)


@register_metric("continuity")
def _continuity(judged: Judged) -> float:
    # The same measure with the two spaces swapped.
    return trustworthiness(judged.y, judged.x, judged.rows, judged.n_neighbors)


@register_metric("label_accuracy_z")
def _label_accuracy_z(judged: Judged) -> float:
    return label_accuracy(judged.x, judged.labels, judged.n_neighbors)


@register_metric("label_accuracy_map")
def _label_accuracy_map(judged: Judged) -> float:
    return label_accuracy(judged.y, judged.labels, judged.n_neighbors)


@register_metric("distance_correlation")
def _distance_correlation(judged: Judged) -> float:
    from scipy.spatial.distance import pdist
    from scipy.stats import spearmanr

    few = judged.rows[:MAX_DISTANCES]
    return float(spearmanr(pdist(judged.x[few]), pdist(judged.y[few])).statistic)


def trustworthiness(x: Floats, y: Floats, rows: NDArray[np.int64], k: int = 15) -> float:
    """How far the ``k`` nearest in ``y`` are among the nearest in ``x``, [0, 1]; 1 is always.

    Over all rows it is scikit-learn's function of this name, which needs n² numbers at once and
    cannot take a sample of the rows against all points.

    Raises
    ------
    DataError
        Not more than 2 k points.
    """
    from scipy.spatial.distance import cdist

    n = len(x)
    if not 2 * k < n:
        raise DataError(f"neighbourhoods of {k} need more than {2 * k} points; got {n}.")
    excess = 0
    for part in np.array_split(rows, -(-len(rows) * n // CELLS_AT_ONCE)):
        own = part[:, None]
        gaps = cdist(y[part], y)
        np.put_along_axis(gaps, own, np.inf, axis=1)
        neighbours = gaps.argpartition(k - 1, axis=1)[:, :k]
        gaps = cdist(x[part], x)
        np.put_along_axis(gaps, own, -1, axis=1)
        ranks = np.empty(gaps.shape, np.int64)
        np.put_along_axis(ranks, gaps.argsort(axis=1), np.arange(n)[None], axis=1)
        excess += (np.take_along_axis(ranks, neighbours, axis=1) - k).clip(0).sum()
    return float(1 - 2 * excess / (len(rows) * k * (2 * n - 3 * k - 1)))


def label_accuracy(x: Floats, labels: NDArray[np.int64] | None, k: int = 15) -> float:
    """How often the ``k`` nearest others of a point of ``x`` (n, dim) vote for its class, [0, 1].

    The first of equal classes wins. NaN without labels.
    """
    if labels is None:
        return float("nan")
    rows = nearest_others(x, k, seed=0).rows
    votes = np.zeros((len(x), labels.max() + 1), np.int32)
    np.add.at(votes, (np.arange(len(x))[:, None], labels[rows]), 1)
    return float((votes.argmax(1) == labels).mean())
