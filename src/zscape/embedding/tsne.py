"""t-SNE, by openTSNE."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zscape.config import option
from zscape.embedding.methods import Fitted, MapMethod, Tell, methods
from zscape.embedding.neighbours import Floats, n_threads, nearest_others
from zscape.embedding.start import starting_layout

EXAGGERATION = 12.0
"""By how much attraction is raised at the start."""
PHASE = 25
"""Steps of equal exaggeration."""
CHUNK = 50
"""Steps between two looks at the loss."""
MIN_FALL = 0.03
"""The map is done when ``CHUNK`` steps lower the loss by less than this fraction of it.

More steps only make the map larger, and each step with it: neither trustworthiness nor the
accuracy of neighbours' labels rises any more (docs/maps.md).
"""
MIN_POINTS_TO_INTERPOLATE = 3000
"""Below, a tree is faster than the grid, whose cost hardly depends on the number of points."""


@methods.register("tsne")
@dataclass(frozen=True)
class TSNE(MapMethod):
    """Neighbours stay neighbours; distances between clusters mean little.

    Starts from the principal components, exact neighbours (see ``nearest_others``), learning
    rate n / exaggeration, gradient by interpolation on a grid (for few points, Barnes-Hut).
    Exaggeration fades, where it is usually cut off after 250 steps: clusters come apart while
    points can still pass between them, and the map is better after a third of the steps.

    References
    ----------
    van der Maaten & Hinton 2008 (t-SNE); Kobak & Berens 2019, doi:10.1038/s41467-019-13056-x
    (start); Belkina et al. 2019, doi:10.1038/s41467-019-13055-y (learning rate, end of
    exaggeration); Linderman et al. 2019, doi:10.1038/s41592-018-0308-4 (gradient);
    Policar et al. 2024, doi:10.18637/jss.v109.i03 (openTSNE).
    """

    label = "t-SNE"
    most = 100_000

    perplexity: float = option(
        30.0, "Neighbours a point cares for; at most a third of the points.", low=1
    )
    exaggeration_steps: int = option(
        200, "Steps with more attraction than there is, first: 12-fold, then less and less.", low=0
    )
    steps: int = option(500, "Steps after those, at most; it stops when little changes.", low=1)

    def min_points(self) -> int:
        """See ``MapMethod``: three neighbours per unit of perplexity, and the point itself."""
        return int(3 * self.perplexity) + 2

    def fit(self, x: Floats, seed: int, progress: Tell) -> Fitted:
        """See ``MapMethod``."""
        return self._draw(x, starting_layout(x, seed), self.exaggeration_steps, seed, progress)

    def fit_from(self, x: Floats, start: Floats, seed: int, progress: Tell) -> Fitted:
        """See ``MapMethod``; without exaggeration, which would pull the layout together first."""
        return self._draw(x, start.astype(np.float64), 0, seed, progress)

    def _draw(
        self, x: Floats, start: NDArray[np.float64], n_exaggerated: int, seed: int, progress: Tell
    ) -> Fitted:
        from openTSNE import TSNEEmbedding, affinity
        from openTSNE.nearest_neighbors import PrecomputedNeighbors

        progress("neighbours", 0)
        found = nearest_others(x, int(3 * self.perplexity), seed)
        affinities = affinity.PerplexityBasedNN(
            knn_index=PrecomputedNeighbors(found.rows, found.distances.astype(np.float64)),
            perplexity=self.perplexity,
            n_jobs=n_threads(),
        )
        progress("layout", 0)
        points = TSNEEmbedding(
            start,
            affinities,
            negative_gradient_method="bh" if len(x) < MIN_POINTS_TO_INTERPOLATE else "fft",
            n_jobs=n_threads(),
        )
        total = n_exaggerated + self.steps
        done, loss = 0, np.inf
        for n_steps, exaggeration in fading_exaggeration(n_exaggerated):
            points.optimize(n_steps, exaggeration=exaggeration, momentum=0.8, inplace=True)
            done += n_steps
            progress("layout", done / total)
        while done < total:
            n_steps = min(CHUNK, total - done)
            points.optimize(n_steps, momentum=0.8, inplace=True)
            done += n_steps
            progress("layout", done / total)
            if points.kl_divergence > (1 - MIN_FALL) * loss:
                break
            loss = points.kl_divergence
        return Fitted(np.asarray(points, dtype=np.float32), {"steps": np.array(done)})


def fading_exaggeration(steps: int) -> Iterator[tuple[int, float]]:
    """(steps, exaggeration) of every phase: two in full, then each less by the same factor."""
    n = -(-steps // PHASE)
    for i in range(n):
        share = min(1.0, (n - i) / max(1, n - 1))
        yield min(PHASE, steps - i * PHASE), EXAGGERATION**share
