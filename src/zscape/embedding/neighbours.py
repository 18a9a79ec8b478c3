"""Neighbours in the latent space, and where they put a new point on a map."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zscape.seeding import derive

Floats = NDArray[np.float32]

TREE_MAX_DIM = 6
"""A k-d tree is searched up to here; above, it is slower than comparing all pairs."""
ALL_PAIRS_MAX_POINTS = 100_000
"""Points of which all pairs are compared, which grow with the square; of more, a tree is searched
up to ``TREE_EVER_MAX_DIM``, and above, the search is approximate."""
TREE_EVER_MAX_DIM = 15
N_PLACING = 15
"""Neighbours that place a new point."""
N_MEDIAN_STEPS = 20
AT_ONCE = 10_000
"""Points that are placed at a time: what their neighbours take does not grow with the others."""


class Found(NamedTuple):
    """The nearest fitted points of each point, nearest first: (m, k) row numbers and distances."""

    rows: NDArray[np.int64]
    distances: Floats


def n_threads() -> int:
    """As many as torch uses, so that OMP_NUM_THREADS and torch.set_num_threads hold here too."""
    import torch

    return torch.get_num_threads()


def nearest_others(x: Floats, k: int, seed: int) -> Found:
    """The ``k`` nearest other points of every point of ``x`` (n, dim); k < n.

    Exact up to ``TREE_EVER_MAX_DIM`` dimensions or ``ALL_PAIRS_MAX_POINTS`` points, else by Annoy's
    forest of random projections.
    """
    if x.shape[1] > TREE_EVER_MAX_DIM and len(x) > ALL_PAIRS_MAX_POINTS:
        from openTSNE.nearest_neighbors import Annoy

        random_state = derive(seed, "neighbours") % 2**31
        forest = Annoy(x, k, random_state=random_state, n_jobs=n_threads())
        rows, distances = forest.build()
    else:
        distances, rows = _exact(x, k).kneighbors()
    return Found(rows.astype(np.int64), distances.astype(np.float32))


def nearest(x: Floats, queries: Floats, k: int) -> Found:
    """The ``k`` nearest rows of ``x`` (n, dim) of each of ``queries`` (m, dim); all if n < k."""
    return _nearest(_exact(x, min(k, len(x))), x, queries)


def _nearest(search: Any, x: Floats, queries: Floats) -> Found:
    rows = search.kneighbors(queries, return_distance=False)
    # Comparing all pairs goes through dot products, which leave a point at some distance to itself.
    distances = np.linalg.norm(x[rows] - queries[:, None], axis=2)
    return Found(rows.astype(np.int64), distances.astype(np.float32))


def _exact(x: Floats, k: int) -> Any:
    from sklearn.neighbors import NearestNeighbors

    most = TREE_MAX_DIM if len(x) <= ALL_PAIRS_MAX_POINTS else TREE_EVER_MAX_DIM
    search = "kd_tree" if x.shape[1] <= most else "brute"
    return NearestNeighbors(n_neighbors=k, algorithm=search, n_jobs=n_threads()).fit(x)


def place(x: Floats, coordinates: Floats, queries: Floats) -> Floats:
    """Where the neighbours of new points put them on a map.

    Parameters
    ----------
    x, coordinates
        (n, dim) and (n, 2): the fitted points in space and on the map.
    queries
        (m, dim): the new points.

    Returns
    -------
    (m, 2): the weighted geometric median of the ``N_PLACING`` nearest fitted points, the place
    with the least weighted sum of distances to them. A mean would put what lies between two
    clusters into the void; the median goes with the majority. The weights rise without bound as
    a fitted point is approached, which therefore lands on itself, and vanish at the last
    neighbour. A row depends on no other row.

    References
    ----------
    Franke & Nielson 1980, doi:10.1002/nme.1620151110 (modified Shepard weights, here their
    square root); Weiszfeld 1937 (the median).
    """
    search = _exact(x, min(N_PLACING + 1, len(x)))
    parts = np.array_split(queries, max(1, -(-len(queries) // AT_ONCE)))
    return np.concatenate([_place(_nearest(search, x, part), coordinates) for part in parts])


def _place(found: Found, coordinates: Floats) -> Floats:
    weights = shepard_weights(found.distances)[..., None]
    around = coordinates[found.rows]
    # Below this two places are one; it keeps the division finite on top of a neighbour.
    blur = 1e-4 * np.ptp(coordinates, axis=0).max()
    places: NDArray[Any] = (weights * around).sum(1)
    for _ in range(N_MEDIAN_STEPS):
        gaps = np.linalg.norm(around - places[:, None], axis=2, keepdims=True)
        pull = weights / np.hypot(gaps, blur)
        places = (pull * around).sum(1) / pull.sum(1)
    return places.astype(np.float32)


def shepard_weights(distances: Floats) -> NDArray[np.float64]:
    """Weights (m, k) that sum to 1, of neighbours at these distances, nearest first."""
    far = distances[:, -1:].astype(np.float64)
    # Points at no distance share all the weight; where all are equally far, all weigh the same.
    near = np.maximum(distances, 1e-12 * far + np.finfo(np.float32).tiny)
    weights = np.sqrt((far - distances).clip(0) / near)
    weights[weights.sum(1) == 0] = 1
    normal: NDArray[np.float64] = weights / weights.sum(1, keepdims=True)
    return normal
