"""``LatentTable``: where a model puts every image of a set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class LatentTable:
    """The posterior of every image, one row each.

    Parameters
    ----------
    mu, logvar
        (n, latent_dim) float32: posterior mean, and natural log of the posterior variance.
    labels
        (n,) int64 indices into ``class_names``, or None.
    class_names
        One per class; empty without labels.
    indices
        (n,) int64: which image of the set a row belongs to.
    split
        ``"train"`` or ``"test"``.
    name
        The set the images are from.
    fingerprint
        Of the model's weights; a table can only be used with the model that made it.
    """

    mu: NDArray[np.float32]
    logvar: NDArray[np.float32]
    labels: NDArray[np.int64] | None
    class_names: tuple[str, ...]
    indices: NDArray[np.int64]
    split: str = "test"
    name: str = "array"
    fingerprint: str = ""

    def __len__(self) -> int:
        return len(self.mu)

    @property
    def latent_dim(self) -> int:
        """Number of latent neurons."""
        return self.mu.shape[1]
