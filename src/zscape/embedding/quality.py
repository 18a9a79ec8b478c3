"""How good a map is: what it keeps of the neighbourhoods and distances in the latent space."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zscape.embedding.embedding import Embedding
from zscape.embedding.neighbours import Floats, nearest_others
from zscape.errors import DataError
from zscape.seeding import numpy_generator

if TYPE_CHECKING:
    import pandas as pd

MAX_DISTANCES = 1000
"""Points of which all distances are compared: half a million pairs."""
CELLS_AT_ONCE = 5_000_000
"""Of a matrix of distances; bounds memory at about a quarter of a gigabyte."""


def map_quality(
    maps: Iterable[Embedding], *, n_neighbors: int = 15, n_sample: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """All maps side by side, one row each, named by its method.

    Parameters
    ----------
    n_neighbors
        Size of a neighbourhood; below half of the points.
    n_sample
        Points whose neighbourhoods are judged for trustworthiness and continuity, the same ones
        for every map; their neighbours are sought among all points.

    Returns
    -------
    A table with these columns, for all of which more is better:

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

    rows = [_measures(embedding, n_neighbors, n_sample, seed) for embedding in maps]
    return pd.DataFrame(rows).set_index("map")


def _measures(embedding: Embedding, k: int, n_sample: int, seed: int) -> dict[str, Any]:
    from scipy.spatial.distance import pdist
    from scipy.stats import spearmanr

    x, y = embedding.x, embedding.coordinates
    order = numpy_generator(seed, "map quality").permutation(len(embedding))
    rows, few = order[:n_sample], order[:MAX_DISTANCES]
    labels = embedding.table.labels
    return {
        "map": embedding.method,
        "trustworthiness": trustworthiness(x, y, rows, k),
        # The same measure with the two spaces swapped.
        "continuity": trustworthiness(y, x, rows, k),
        "label_accuracy_z": label_accuracy(x, labels, k),
        "label_accuracy_map": label_accuracy(y, labels, k),
        "distance_correlation": float(spearmanr(pdist(x[few]), pdist(y[few])).statistic),
    }


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
    """How often the ``k`` nearest others of a point vote for its class, [0, 1].

    The first of equal classes wins. NaN without labels.
    """
    if labels is None:
        return float("nan")
    rows = nearest_others(x, k, seed=0).rows
    votes = np.zeros((len(x), labels.max() + 1), np.int32)
    np.add.at(votes, (np.arange(len(x))[:, None], labels[rows]), 1)
    return float((votes.argmax(1) == labels).mean())
