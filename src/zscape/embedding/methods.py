"""What a way of drawing a map is, the registry of them, and the two that are linear."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, ClassVar, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from zscape.config import Config, option
from zscape.embedding.neighbours import Floats, place
from zscape.errors import ConfigError, DataError
from zscape.registry import Registry

Tell: TypeAlias = Callable[[str, float], None]
"""Called with what is being done and the fraction of it that is done, in [0, 1]."""


class Fitted(NamedTuple):
    """What a method makes of points: all there is to keep.

    ``coordinates`` (n, 2) is the map, ``state`` any further arrays ``transform`` needs, by name.
    """

    coordinates: Floats
    state: dict[str, NDArray[Any]]


@dataclass(frozen=True)
class MapMethod(Config, ABC):
    """A way of drawing a map; its options are its fields.

    A subclass is a frozen dataclass that adds ``fit``. It keeps nothing: what was fitted is
    passed back to it, which makes every map an array on disk and never a pickle.
    """

    label: ClassVar[str]
    """What a person calls it: ``t-SNE``. The name of the class, if a subclass does not say."""
    has_own_axes: ClassVar[bool] = False
    """Whether the two coordinates mean something each, so that a map must not be turned."""
    most: ClassVar[int | None] = None
    """Points on which it is fitted where nobody says on how many; None for all there are."""

    def __init_subclass__(cls) -> None:
        cls.label = cls.__dict__.get("label", cls.__name__)

    def title(self) -> str:
        """What a person calls a map with these options: ``t-SNE (perplexity 12)``.

        The options that are not the usual ones are named.
        """
        values = {field.name: getattr(self, field.name) for field in fields(self)
                  if getattr(self, field.name) != field.default}  # fmt: skip
        told = ", ".join(
            f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
            for name, value in values.items()
        )
        return f"{self.label} ({told})" if told else self.label

    def axis_names(self, fitted: Fitted) -> tuple[str, str]:
        """What the two coordinates of the map are."""
        return f"{self.label} 1", f"{self.label} 2"

    @abstractmethod
    def fit(self, x: Floats, seed: int, progress: Tell) -> Fitted:
        """Draw the map of ``x`` (n, dim); the same seed gives the same map.

        Parameters
        ----------
        x
            (n, dim) float32, at least ``min_points`` of them.
        seed
            Of all that is random; the same gives the same map.
        progress
            Told what is being done and the share of it that is done, in [0, 1].
        """

    def fit_from(self, x: Floats, start: Floats, seed: int, progress: Tell) -> Fitted:
        """As ``fit``, from a layout ``start`` (n, 2), if this is a method that starts anywhere.

        ``x``, ``seed`` and ``progress`` are those of ``fit``.
        """
        return self.fit(x, seed, progress)

    @property
    def starts_anywhere(self) -> bool:
        """Whether ``fit_from`` begins where it is told to."""
        return type(self).fit_from is not MapMethod.fit_from

    def min_points(self) -> int:
        """The fewest points it can be fitted on."""
        return 3

    def check(self, x: Floats) -> None:
        """Raise ``DataError`` or ``ConfigError`` if ``x`` cannot be drawn."""
        if len(x) < self.min_points():
            raise DataError(
                f"this map needs at least {self.min_points()} points with these settings "
                f"({type(self).__name__}: {self.to_dict()}); got {len(x)}."
            )
        if (x == x[0]).all():
            raise DataError(f"all {len(x)} points are the same; there is nothing to map.")

    def transform(self, fitted: Fitted, x: Floats, queries: Floats) -> Floats:
        """Where new points (m, dim) lie on the map of ``x``: (m, 2).

        Unless a method knows better, their neighbours place them.

        Parameters
        ----------
        fitted
            What ``fit`` returned.
        x
            (n, dim): the points it was fitted on.
        queries
            (m, dim).
        """
        return place(x, fitted.coordinates, queries)


def chosen(name: str, table: Registry[Any], options: dict[str, Any]) -> Any:
    """The entry ``name`` of ``table`` with ``options`` as its fields."""
    entry: Any = table[name]
    try:
        settings: Config = entry(**options)
    except ConfigError as error:
        raise ConfigError(f"{table.kind} {name}: {error}") from error
    return settings


methods: Registry[type[MapMethod]] = Registry("map method", MapMethod, option="method")
register_method: Callable[[str], Callable[[type[MapMethod]], type[MapMethod]]] = methods.register


@dataclass(frozen=True)
class LinearMap(MapMethod):
    """A map that is a projection; ``axes`` is all it has to choose."""

    @abstractmethod
    def axes(self, x: Floats) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
        """Two orthonormal rows (2, dim) for ``x`` (n, dim), and what else is worth knowing."""

    def fit(self, x: Floats, seed: int, progress: Tell) -> Fitted:
        """See ``MapMethod``; nothing here is random."""
        axes, known = self.axes(x)
        state = {"axes": axes, "centre": self.centre(x), **known}
        return Fitted(project(state, x), state)

    def centre(self, x: Floats) -> NDArray[Any]:
        """The point (dim,) of ``x`` (n, dim) that becomes the map's origin."""
        mean: NDArray[np.float64] = x.mean(0, dtype=np.float64)
        return mean

    def check(self, x: Floats) -> None:
        """See ``MapMethod``; also, a plane needs two dimensions."""
        if x.shape[1] < 2:
            raise DataError(
                f"this map needs at least 2 latent neurons; the table has {x.shape[1]}. "
                "Neighbour maps (tsne, umap) work with one."
            )
        super().check(x)

    def transform(self, fitted: Fitted, x: Floats, queries: Floats) -> Floats:
        """See ``MapMethod``; exact."""
        return project(fitted.state, queries)


def project(state: dict[str, NDArray[Any]], x: Floats) -> Floats:
    """The coordinates (m, 2) of ``x`` (m, dim) on the axes of a linear map."""
    flat: Floats = ((x - state["centre"]) @ state["axes"].T).astype(np.float32)
    return flat


@methods.register("pca")
@dataclass(frozen=True)
class PCA(LinearMap):
    """The first two principal components.

    ``state`` also has all ``components`` (dim, dim), one a row, and ``explained_variance_ratio``
    (dim,), in [0, 1]: how much of the variance each explains. Signs are such that the largest
    entry of a component is positive.

    References
    ----------
    Tipping & Bishop 1999, doi:10.1111/1467-9868.00196.
    """

    def axis_names(self, fitted: Fitted) -> tuple[str, str]:
        """See ``MapMethod``; with the share of the variance that each explains."""
        first, second = fitted.state["explained_variance_ratio"][:2]
        return f"PC1 ({first:.0%} of the variance)", f"PC2 ({second:.0%})"

    def axes(self, x: Floats) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
        """See ``LinearMap``; from the covariance, whose size does not grow with the points."""
        values, vectors = np.linalg.eigh(np.cov(x, rowvar=False, dtype=np.float64))
        values, components = values[::-1].clip(0), vectors[:, ::-1].T
        largest = np.abs(components).argmax(1)
        components = components * np.sign(components[np.arange(len(values)), largest])[:, None]
        known = {
            "components": np.ascontiguousarray(components),
            "explained_variance_ratio": values / values.sum(),
        }
        return known["components"][:2].copy(), known


@methods.register("pair")
@dataclass(frozen=True)
class Pair(LinearMap):
    """Two latent neurons as they are."""

    has_own_axes = True

    first: int = option(0, "The latent neuron that runs to the right.", low=0)
    second: int = option(1, "The latent neuron that runs upwards.", low=0)

    def title(self) -> str:
        """See ``MapMethod``."""
        return f"z{self.first}, z{self.second}"

    def axis_names(self, fitted: Fitted) -> tuple[str, str]:
        """See ``MapMethod``."""
        return f"z{self.first}", f"z{self.second}"

    def check(self, x: Floats) -> None:
        """See ``MapMethod``."""
        super().check(x)
        for neuron in (self.first, self.second):
            if neuron >= x.shape[1]:
                raise ConfigError(
                    f"a latent neuron must be an integer in [0, {x.shape[1] - 1}]; got {neuron}."
                )
        if self.first == self.second:
            raise ConfigError(f"a pair needs two different latent neurons; got {self.first} twice.")

    def axes(self, x: Floats) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
        """See ``LinearMap``."""
        return np.eye(x.shape[1])[[self.first, self.second]], {}

    def centre(self, x: Floats) -> NDArray[Any]:
        """The origin, whatever ``x``, so that coordinates are the neurons' own values."""
        return np.zeros(x.shape[1])
