"""The way back: from points of a map to latent vectors, and how far to trust them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from zscape.config import Config, option
from zscape.embedding.embedding import Embedding
from zscape.embedding.methods import chosen, project
from zscape.embedding.neighbours import Floats
from zscape.embedding.umap import UMAP, keeping_threads
from zscape.errors import ConfigError, DataError, ShapeError
from zscape.latents.vectors import as_numbers
from zscape.registry import Registry
from zscape.words import counted, line

Way: TypeAlias = Callable[[Floats], NDArray[Any]]
"""Points (m, 2) to latent vectors (m, latent_dim), every row by itself."""

MAX_POINTS_AT_ONCE = 10_000
"""Bounds the memory of neighbourhoods; the answer does not depend on it."""


class Inverse(NamedTuple):
    """Latent vectors for points of a map.

    ``vectors`` (m, latent_dim); ``distance`` (m,) from the asked point to the nearest fitted one,
    and ``round_trip`` (m,) from it to where ``transform`` puts the vector, both in map units. A
    point in the void has a large distance; a large round trip says that the map is torn there,
    and the vector belongs somewhere else.
    """

    vectors: Floats
    distance: Floats
    round_trip: Floats

    def __repr__(self) -> str:
        m, latent_dim = self.vectors.shape
        return line(
            self, f"{counted(m, 'vector')} of {counted(latent_dim, 'latent neuron')}",
            f"median distance {np.median(self.distance):.2g}",
            f"median round trip {np.median(self.round_trip):.2g}",
        )  # fmt: skip


@dataclass(frozen=True)
class InverseMethod(Config, ABC):
    """A way back; its options are its fields. A subclass is a frozen dataclass with ``fit``."""

    about: ClassVar[str]
    """What it answers with, in a few words. The name of the class, if a subclass does not say."""

    def __init_subclass__(cls) -> None:
        cls.about = cls.__dict__.get("about", cls.__name__)

    @abstractmethod
    def fit(self, embedding: Embedding) -> Way:
        """Prepare the way back from ``embedding``; the same seed gives the same way."""


inverses: Registry[type[InverseMethod]] = Registry("inverse", InverseMethod, option="inverse")
register_inverse: Callable[[str], Callable[[type[InverseMethod]], type[InverseMethod]]] = (
    inverses.register
)


def inverse_transform(
    embedding: Embedding, points: Any, method: str | type[InverseMethod] = "local", **options: Any
) -> Inverse:
    """Latent vectors for points of a map.

    Parameters
    ----------
    embedding
        The map, as ``fit_map`` returned or ``Embedding.load`` read it.
    points
        (m, 2) finite numbers, or one point (2,), in map units.
    method
        ``nearest``, ``local``, ``learned``, ``exact`` (linear maps only), ``umap`` (umap maps
        only), one registered with ``register_inverse``, or your own, as a class or
        ``module:Class``, which is imported.
    **options
        Of the method, which are the fields of its class: ``n_neighbors=100``.

    Raises
    ------
    ConfigError
        Unknown method or option, or a method that does not go with this map.
    ShapeError
        ``points`` is not (m, 2).
    """
    asked = np.atleast_2d(as_numbers(points, "points of the map"))
    if asked.ndim != 2 or asked.shape[1] != 2 or not len(asked):
        raise ShapeError(f"points of the map must be (m, 2); got {np.shape(points)}.")
    way = prepare_inverse(embedding, method, **options)
    parts = np.array_split(asked, -(-len(asked) // MAX_POINTS_AT_ONCE))
    vectors = np.concatenate([way(part) for part in parts]).astype(np.float32)
    distance, _ = _tree(embedding.coordinates).query(asked)
    round_trip = np.linalg.norm(embedding.transform(vectors) - asked, axis=1)
    return Inverse(vectors, distance.astype(np.float32), round_trip.astype(np.float32))


def prepare_inverse(
    embedding: Embedding, method: str | type[InverseMethod] = "local", **options: Any
) -> Way:
    """The bare function behind ``inverse_transform``, fitted once per map and options.

    It answers as fast as the method can: no checks, no distances, no round trip.
    """
    inverse: InverseMethod = chosen(inverses.allow(method), inverses, options)
    if inverse not in embedding.ways:
        embedding.ways[inverse] = inverse.fit(embedding)
    return embedding.ways[inverse]


def _tree(coordinates: Floats) -> Any:
    from scipy.spatial import cKDTree

    # Splitting at the median, the default, is slow where many points are equal.
    return cKDTree(coordinates, balanced_tree=False)


@inverses.register("nearest")
@dataclass(frozen=True)
class Nearest(InverseMethod):
    """The vector of the nearest fitted point: the tutorial's way. It jumps."""

    about = "the nearest picture's own vector"

    def fit(self, embedding: Embedding) -> Way:
        """See ``InverseMethod``."""
        tree, z = _tree(embedding.coordinates), embedding.table.mu
        return lambda points: z[tree.query(points)[1]]


@inverses.register("local")
@dataclass(frozen=True)
class Local(InverseMethod):
    """A plane fitted to the nearest points of the map, read off at the asked point.

    Weights fall to 0 at the last neighbour, so that nothing jumps where neighbours change, and
    rise towards the asked point, so that detail survives where points are dense: tricube(u) /
    (u² + ``focus``²), u being the distance over that of the last neighbour. The ridge keeps the
    plane level where points say little about its slope.

    References
    ----------
    Cleveland 1979, doi:10.1080/01621459.1979.10481038 (LOESS).
    """

    about = "a plane through the nearest pictures"

    n_neighbors: int = option(50, "Points of the map that count (all, if there are fewer).", low=3)
    focus: float = option(0.1, "Smaller: closer to the nearest point.", low=1e-3, high=10)
    ridge: float = option(0.05, "Larger: closer to a weighted mean.", low=1e-6, high=1e6)

    def fit(self, embedding: Embedding) -> Way:
        """See ``InverseMethod``."""
        coordinates, z = embedding.coordinates.astype(np.float64), embedding.table.mu
        tree, k = _tree(embedding.coordinates), min(self.n_neighbors, len(z) - 1)

        def way(points: Floats) -> NDArray[Any]:
            distances, rows = tree.query(points, k + 1)
            reach = np.maximum(distances[:, -1:], np.finfo(np.float32).tiny)
            u = distances / reach
            weights = (1 - u**3) ** 3 / (u**2 + self.focus**2)
            weights[weights.sum(1) == 0] = 1
            weights /= weights.sum(1, keepdims=True)
            slopes = (coordinates[rows] - points[:, None]) / reach[..., None]
            design = np.concatenate([np.ones((*slopes.shape[:2], 1)), slopes], axis=2)
            weighted = (weights[..., None] * design).transpose(0, 2, 1)
            normal = weighted @ design
            normal[:, [1, 2], [1, 2]] += self.ridge
            # The plane's height at the asked point is linear in the neighbours' vectors.
            share = np.linalg.solve(normal, weighted)[:, 0]
            vectors: NDArray[Any] = (share[:, None] @ z[rows])[:, 0]
            return vectors

        return way


@inverses.register("exact")
@dataclass(frozen=True)
class Exact(InverseMethod):
    """For linear maps: the vector that lies exactly there. The map does not say the rest of it."""

    about = "the linear inverse"

    rest: str = option(
        "mean",
        "All that the map does not show: its mean, or that of the nearest fitted point.",
        choices=("mean", "nearest"),
    )

    def fit(self, embedding: Embedding) -> Way:
        """See ``InverseMethod``."""
        state = embedding.fitted.state
        if not {"axes", "centre"} <= set(state):
            raise ConfigError(
                f"the exact inverse is for linear maps (pca, pair); this one is {embedding.method}."
            )
        tree = _tree(embedding.coordinates)
        mean = embedding.x.mean(0, keepdims=True, dtype=np.float64)

        def way(points: Floats) -> NDArray[Any]:
            rest = mean if self.rest == "mean" else embedding.x[tree.query(points)[1]]
            return embedding.unscale(rest + (points - project(state, rest)) @ state["axes"])

        return way


@inverses.register("umap")
@dataclass(frozen=True)
class UmapInverse(InverseMethod):
    """umap-learn's own, for comparison: slow, and it compiles for most of a minute first."""

    about = "umap-learn's own inverse"

    def fit(self, embedding: Embedding) -> Way:
        """See ``InverseMethod``."""
        if not isinstance(embedding.settings, UMAP):
            raise ConfigError(f"umap's inverse is for umap maps; this one is {embedding.method}.")
        if embedding.table.latent_dim >= len(embedding):
            raise DataError("umap's inverse needs more points than latent neurons.")
        # Its object cannot be kept without pickle: fitted again for a moment, then given the map.
        reducer = embedding.settings.reducer(embedding.x, embedding.seed, n_epochs=1)
        reducer.embedding_, reducer.n_epochs = embedding.coordinates, None

        def way(points: Floats) -> NDArray[Any]:
            with keeping_threads():
                return embedding.unscale(reducer.inverse_transform(points))

        return way
