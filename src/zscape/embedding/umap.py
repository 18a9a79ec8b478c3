"""UMAP, by umap-learn."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from zscape.config import option
from zscape.embedding.methods import Fitted, MapMethod, Tell, methods
from zscape.embedding.neighbours import Floats, nearest_others
from zscape.embedding.start import starting_layout
from zscape.seeding import derive


@methods.register("umap")
@dataclass(frozen=True)
class UMAP(MapMethod):
    """Neighbours stay neighbours, in tighter clusters than t-SNE's.

    The neighbours are found by scikit-learn and handed over: umap-learn's own search is what numba
    compiles for half a minute in every new process. The layout starts at the principal components:
    the eigenvectors it usually starts from give no better map, and for half a million points take
    longer than all the rest. One thread draws, for one result.

    References
    ----------
    McInnes, Healy & Melville 2018, arXiv:1802.03426; Kobak & Linderman 2021,
    doi:10.1038/s41587-020-00809-z (start).
    """

    most = 100_000

    n_neighbors: int = option(15, "Neighbours a point cares for, itself included.", low=2)
    min_dist: float = option(0.1, "How close points may lie on the map.", low=0, high=0.99)
    steps: int = option(200, "Passes over the neighbours.", low=1)

    def min_points(self) -> int:
        """See ``MapMethod``."""
        return max(self.n_neighbors, 4) + 1

    def fit(self, x: Floats, seed: int, progress: Tell) -> Fitted:
        """See ``MapMethod``."""
        return self._draw(x, seed, progress)

    def fit_from(self, x: Floats, start: Floats, seed: int, progress: Tell) -> Fitted:
        """See ``MapMethod``; umap-learn stretches a layout to a square before it begins."""
        return self._draw(x, seed, progress, init=start)

    def _draw(self, x: Floats, seed: int, progress: Tell, **options: Any) -> Fitted:
        progress("neighbours", 0)
        found = nearest_others(x, self.n_neighbors - 1, seed)
        own = np.arange(len(x))[:, None]
        rows = np.concatenate([own, found.rows], axis=1)
        distances = np.pad(found.distances, ((0, 0), (1, 0)))
        progress("layout", 0)
        options["precomputed_knn"] = rows, distances
        points = self.reducer(x, seed, **options).embedding_
        progress("layout", 1)
        return Fitted(np.asarray(points, dtype=np.float32), {})

    def reducer(self, x: Floats, seed: int, **options: Any) -> Any:
        """umap-learn's own object, fitted on ``x`` by ``seed``, with more of its ``options``."""
        settings = {
            "n_neighbors": self.n_neighbors,
            "min_dist": self.min_dist,
            "n_epochs": self.steps,
            "init": starting_layout(x, seed).astype(np.float32),
            "random_state": derive(seed, "map", "layout") % 2**31,
            "n_jobs": 1,
        }
        with keeping_threads(), warnings.catch_warnings():
            # umap-learn warns of what we chose, and of TensorFlow, which we do not need.
            warnings.simplefilter("ignore")
            return load_umap().UMAP(**settings | options).fit(x)


@contextmanager
def keeping_threads() -> Iterator[None]:
    """Undo what numba does to torch.

    As its own threads start, it sets the number of OpenMP's to that of the cores, whatever
    OMP_NUM_THREADS says. On busy cores that made torch and openTSNE fifty times slower from then
    on.
    """
    import torch

    before = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)


@cache
def load_umap() -> Any:
    """umap-learn, told to keep on disk what numba compiles for it.

    Numba chooses the folder: NUMBA_CACHE_DIR, beside the package, or the user's cache folder.
    Where it may write to none, a temporary one serves this process.
    """
    import numba
    from numba.core.dispatcher import Dispatcher

    try:
        import umap
    except RuntimeError:
        folder = tempfile.mkdtemp(prefix="zscape-numba-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        vars(numba.config)["CACHE_DIR"] = folder
        import umap
    for module in (umap.umap_, umap.layouts):
        for function in vars(module).values():
            if isinstance(function, Dispatcher):
                function.enable_caching()
    return umap
