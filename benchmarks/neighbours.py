"""Libraries that find nearest neighbours, each told to find the same ones; for ``scale``.

Every function takes points (n, dim) float32 and how many threads there are, and returns a function
of queries (m, dim) and k that gives the rows (m, k) of the nearest points, nearest first.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]
Rows = NDArray[np.int64]
Search = Callable[[Points, int], Rows]

LINKS, WIDTH_BUILT, WIDTH = 16, 100, 200
"""Of all graphs: links of a point, and candidates that are kept while it is built and asked."""


def sklearn_tree(x: Points, threads: int) -> Search:
    """What maps of up to 15 dimensions use."""
    from sklearn.neighbors import NearestNeighbors

    tree = NearestNeighbors(algorithm="kd_tree", n_jobs=threads).fit(x)
    return lambda queries, k: tree.kneighbors(queries, k, return_distance=False)


def sklearn_pairs(x: Points, threads: int) -> Search:
    """All pairs; what maps of more dimensions use for few points."""
    from sklearn.neighbors import NearestNeighbors

    pairs = NearestNeighbors(algorithm="brute", n_jobs=threads).fit(x)
    return lambda queries, k: pairs.kneighbors(queries, k, return_distance=False)


def scipy_tree(x: Points, threads: int) -> Search:
    """SciPy's, in C++."""
    from scipy.spatial import cKDTree

    tree = cKDTree(x)
    return lambda queries, k: tree.query(queries, k, workers=threads)[1]


def annoy(x: Points, threads: int) -> Search:
    """What maps of more dimensions use: the forest that comes with openTSNE, asked as it asks."""
    from openTSNE.dependencies.annoy import AnnoyIndex

    forest = AnnoyIndex(x.shape[1], "euclidean")
    forest.set_seed(1)
    for row, point in enumerate(x):
        forest.add_item(row, point)
    forest.build(50, n_jobs=threads)

    def search(queries: Points, k: int) -> Rows:
        from joblib import Parallel, delayed

        def some(part: Points) -> list[list[int]]:
            return [forest.get_nns_by_vector(query, k) for query in part]

        parts = np.array_split(queries, threads)
        found = Parallel(n_jobs=threads, require="sharedmem")(delayed(some)(p) for p in parts)
        return np.concatenate([np.array(part) for part in found])

    return search


def faiss_flat(x: Points, threads: int) -> Search:
    """All pairs."""
    import faiss

    faiss.omp_set_num_threads(threads)
    index = faiss.IndexFlatL2(x.shape[1])
    index.add(x)
    return lambda queries, k: index.search(queries, k)[1]


def faiss_hnsw(x: Points, threads: int) -> Search:
    """A graph of several layers."""
    import faiss

    faiss.omp_set_num_threads(threads)
    index = faiss.IndexHNSWFlat(x.shape[1], LINKS)
    index.hnsw.efConstruction, index.hnsw.efSearch = WIDTH_BUILT, WIDTH
    index.add(x)
    return lambda queries, k: index.search(queries, k)[1]


def faiss_ivf(x: Points, threads: int) -> Search:
    """Cells of k-means, of which the 32 nearest are looked through."""
    import faiss

    faiss.omp_set_num_threads(threads)
    n_cells = int(4 * len(x) ** 0.5)
    rough = faiss.IndexFlatL2(x.shape[1])
    index = faiss.IndexIVFFlat(rough, x.shape[1], n_cells)
    index.train(x[:: max(1, len(x) // (64 * n_cells))])
    index.add(x)
    index.nprobe = 32
    return lambda queries, k: index.search(queries, k)[1]


def hnswlib(x: Points, threads: int) -> Search:
    """The same graph by those who thought of it."""
    import hnswlib as library

    index = library.Index("l2", x.shape[1])
    index.init_index(len(x), M=LINKS, ef_construction=WIDTH_BUILT, random_seed=1)
    index.set_num_threads(threads)
    index.add_items(x)
    index.set_ef(WIDTH)
    return lambda queries, k: index.knn_query(queries, k)[0].astype(np.int64)


def usearch(x: Points, threads: int) -> Search:
    """The same graph in a small library."""
    from usearch.index import Index

    index = Index(
        ndim=x.shape[1], metric="l2sq", dtype="f32", connectivity=LINKS,
        expansion_add=WIDTH_BUILT, expansion_search=WIDTH,
    )  # fmt: skip
    index.add(np.arange(len(x)), x, threads=threads)
    return lambda queries, k: index.search(queries, k, threads=threads).keys.astype(np.int64)


def pynndescent(x: Points, threads: int) -> Search:
    """A graph of neighbours that is improved by the neighbours' neighbours; its usual settings."""
    from pynndescent import NNDescent

    index = NNDescent(x, n_neighbors=30, random_state=1, n_jobs=threads)
    index.prepare()
    return lambda queries, k: index.query(queries, k)[0].astype(np.int64)


LIBRARIES: dict[str, Callable[[Points, int], Search]] = {
    "scikit-learn k-d tree": sklearn_tree,
    "SciPy k-d tree": scipy_tree,
    "scikit-learn, all pairs": sklearn_pairs,
    "faiss, all pairs": faiss_flat,
    "Annoy, of openTSNE": annoy,
    "faiss, HNSW": faiss_hnsw,
    "faiss, IVF": faiss_ivf,
    "hnswlib": hnswlib,
    "USearch": usearch,
    "PyNNDescent": pynndescent,
}
DISTRIBUTIONS = {"scikit-learn": "scikit-learn", "SciPy": "scipy", "Annoy": "openTSNE",
                 "faiss": "faiss-cpu", "hnswlib": "hnswlib", "USearch": "usearch",
                 "PyNNDescent": "pynndescent"}  # fmt: skip
"""What is installed for a library: by how its name begins."""


def version_of(library: str) -> str:
    """Of what is installed for it."""
    (own,) = (name for start, name in DISTRIBUTIONS.items() if library.startswith(start))
    return importlib.metadata.version(own)


def truth(x: Points, queries: Points, k: int, at_once: int = 100_000) -> Rows:
    """The ``k`` nearest rows of every query, by comparing all pairs in double precision."""
    import torch

    asked = torch.from_numpy(queries).double()
    best: Any = torch.full((len(queries), k), torch.inf, dtype=torch.float64)
    rows = torch.full((len(queries), k), -1)
    for first in range(0, len(x), at_once):
        part = torch.from_numpy(np.array(x[first : first + at_once])).double()
        gaps = torch.cdist(asked, part, compute_mode="donot_use_mm_for_euclid_dist")
        near, at = gaps.topk(min(k, len(part)), largest=False)
        best, chosen = torch.cat([best, near], 1).topk(k, largest=False)
        rows = torch.cat([rows, at + first], 1).gather(1, chosen)
    return rows.numpy()


def recall(found: Rows, true: Rows, k: int) -> float:
    """The share of the ``k`` nearest of every query that are among the ``k`` that were found."""
    shares = [
        len({*a[:k]} & {*b[:k]}) / k for a, b in zip(found.tolist(), true.tolist(), strict=True)
    ]
    return float(np.mean(shares))
