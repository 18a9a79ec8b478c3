"""Where a layout begins."""

from __future__ import annotations

import numpy as np

from zscape.embedding.neighbours import Floats
from zscape.seeding import numpy_generator


def starting_layout(x: Floats, seed: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """The first two principal components (n, 2), tiny, with equal points a little apart."""
    centred = x - x.mean(0, dtype=np.float64)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    layout = centred @ vectors[:, :-3:-1]
    layout = np.pad(layout, ((0, 0), (0, 2 - layout.shape[1])))
    noise = numpy_generator(seed, "map", "start").standard_normal(layout.shape)
    start: np.ndarray[tuple[int, int], np.dtype[np.float64]]
    start = 1e-4 * (layout / layout[:, 0].std() + 1e-2 * noise)
    return start
