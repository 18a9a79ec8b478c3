"""One vector that stands for a class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from zscape.errors import ConfigError
from zscape.latents.table import LatentTable
from zscape.words import counted, line

METHODS = ("mean", "medoid")


@dataclass(frozen=True, eq=False)
class Prototypes:
    """A vector per class, made for arithmetic: ``walk(vae, proto[7] - proto[1] + z)``.

    Parameters
    ----------
    vectors
        (n_classes, latent_dim) float32.
    class_names
        Of the rows of ``vectors``; iterating over prototypes goes over them.
    rows
        (n_classes,) of the table: the images whose places the medoids are. None of means.
    """

    vectors: NDArray[np.float32]
    class_names: tuple[str, ...]
    rows: NDArray[np.int64] | None = None

    def __repr__(self) -> str:
        return line(self, ", ".join(self), counted(self.vectors.shape[1], "latent neuron"))

    def __len__(self) -> int:
        return len(self.class_names)

    def __iter__(self) -> Iterator[str]:
        return iter(self.class_names)

    def __getitem__(self, name: str | int) -> NDArray[np.float32]:
        """(latent_dim,): a copy of the prototype of the class called ``name``.

        A number means the class it is the name of, as ``proto[7]`` does for digits; it is never
        a position.

        Raises
        ------
        ConfigError
            No such class.
        """
        if str(name) not in self.class_names:
            raise ConfigError(f"class must be one of {', '.join(self)}; got {str(name)!r}.")
        vector: NDArray[np.float32] = self.vectors[self.class_names.index(str(name))].copy()
        return vector


def prototypes(table: LatentTable, method: str = "mean") -> Prototypes:
    """The prototype of every class that has a row in ``table``.

    Parameters
    ----------
    table
        Latents with labels.
    method
        ``"mean"`` of the posterior means, a place where no image need be; or their ``"medoid"``:
        the one with the smallest sum of distances to the others of its class, the place of a
        real image (the first of equals). Its cost grows with the square of a class's rows.

    Raises
    ------
    DataError
        The table has no labels.
    ConfigError
        Unknown method.

    References
    ----------
    Medoid: Kaufman & Rousseeuw 1990, Finding Groups in Data, chapter 2.
    """
    if method not in METHODS:
        raise ConfigError(f"method must be one of {', '.join(METHODS)}; got {method!r}.")
    by_class = table.rows_by_class()
    if method == "mean":
        return Prototypes(
            np.stack([_mean(table.mu[found]) for found in by_class.values()]), tuple(by_class)
        )
    rows = np.array([found[_medoid(table.mu[found])] for found in by_class.values()])
    return Prototypes(table.mu[rows], tuple(by_class), rows)


def _mean(mu: NDArray[np.float32]) -> NDArray[np.float32]:
    mean: NDArray[np.float32] = mu.mean(0, dtype=np.float64).astype(np.float32)
    return mean


def _medoid(mu: NDArray[np.float32]) -> int:
    points = torch.from_numpy(mu).double()
    # In chunks: all distances of a class of 50 000 at once would take 20 GB.
    chunks = points.tensor_split(-(-len(points) // 1024))
    sums = torch.cat([torch.cdist(chunk, points).sum(1) for chunk in chunks])
    return int(sums.argmin())
