"""``Embedding``: a map of a table of latents; ``fit_map`` draws one."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zscape import schema
from zscape._version import __version__
from zscape.data.bounded import reading
from zscape.embedding.methods import Fitted, MapMethod, Tell, chosen, methods
from zscape.embedding.neighbours import Floats
from zscape.embedding.shipped import find_shipped
from zscape.errors import ConfigError, DataError, ShapeError
from zscape.files import check_utf8, write_atomic
from zscape.latents import LatentTable, VectorLike, as_vectors
from zscape.latents.store import ABOUT, COLUMNS, packed, read_about, unpacked
from zscape.words import counted, line

if TYPE_CHECKING:
    from zscape.embedding.inverse import Inverse, InverseMethod, Way

METADATA_KEY = "zscape"
_OF_TABLE = ("mu", "logvar", "labels", "indices")
_ABOUT = {"method": str, "settings": dict, "standardize": bool, "seed": int, "table": ABOUT}
_OWN = (*_OF_TABLE, "coordinates", COLUMNS)


@dataclass(frozen=True, eq=False)
class Embedding:
    """A map, what it was fitted on, and the way there and back.

    Parameters
    ----------
    table
        What it was fitted on: the posterior means, n rows.
    method
        Name of the registered map method.
    settings
        Its options.
    fitted
        The map itself.
    standardize
        Whether every neuron was scaled to mean 0 and variance 1 first.
    seed
        Of everything random in the map and in the ways back.
    ways
        The ways back that were asked for so far; they are not saved.
    """

    table: LatentTable
    method: str
    settings: MapMethod
    fitted: Fitted
    standardize: bool = False
    seed: int = 0
    ways: dict[InverseMethod, Way] = field(default_factory=dict, repr=False, init=False)

    def __repr__(self) -> str:
        options = [f"{name}={value}" for name, value in self.settings.to_dict().items()]
        points = f"{counted(len(self), f'{self.table.split} image')} of {self.table.name}"
        return line(self, self.method, points, *options, "standardized" * self.standardize)

    def __len__(self) -> int:
        return len(self.table)

    @property
    def coordinates(self) -> Floats:
        """(n, 2) float32: the place of every row of the table, in map units."""
        return self.fitted.coordinates

    @property
    def axis_names(self) -> tuple[str, str]:
        """What the two coordinates are, for a person."""
        return self.settings.axis_names(self.fitted)

    @cached_property
    def scaling(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation (latent_dim,) by which the table was scaled; 0 and 1 if not.

        A neuron that never changes keeps its scale.
        """
        dim = self.table.latent_dim
        if not self.standardize:
            return np.zeros(dim), np.ones(dim)
        mu = self.table.mu.astype(np.float64)
        deviation = mu.std(0)
        return mu.mean(0), np.where(deviation > 0, deviation, 1)

    @cached_property
    def x(self) -> Floats:
        """(n, latent_dim): what the method saw, the table's means after scaling."""
        return self.scale(self.table.mu)

    def scale(self, z: NDArray[Any]) -> Floats:
        """Latent vectors (m, latent_dim) as the method sees them."""
        shift, deviation = self.scaling
        scaled: Floats = ((z - shift) / deviation).astype(np.float32)
        return scaled

    def unscale(self, x: NDArray[Any]) -> Floats:
        """The inverse of ``scale``."""
        shift, deviation = self.scaling
        z: Floats = (x * deviation + shift).astype(np.float32)
        return z

    def transform(self, z: VectorLike) -> Floats:
        """Where latent vectors lie on this map.

        Parameters
        ----------
        z
            (m, latent_dim), or one vector, in any form ``zscape.latents.as_vectors`` takes.

        Returns
        -------
        (m, 2) float32, map units. Exact for linear maps; on the others the neighbours in the
        latent space place a point (``zscape.embedding.neighbours.place``). Each row is placed by
        itself, and a fitted point on its own place.
        """
        queries = self.scale(as_vectors(z, self.table.latent_dim))
        return self.settings.transform(self.fitted, self.x, queries)

    def inverse_transform(self, points: Any, method: str = "local", **options: Any) -> Inverse:
        """Latent vectors for points of this map; see ``zscape.embedding.inverse_transform``."""
        from zscape.embedding.inverse import inverse_transform

        return inverse_transform(self, points, method, **options)

    def save(self, path: Path | str) -> None:
        """Write everything to one ``.safetensors`` file, whole or not at all; nothing is pickled.

        Raises
        ------
        ConfigError
            Another ending, or the folder cannot be written.
        """
        from safetensors.numpy import save

        path, table = _checked(path), self.table
        about = {
            "version": __version__,
            "method": self.method,
            "settings": self.settings.to_dict(),
            "standardize": self.standardize,
            "seed": self.seed,
            "table": table.about(),
        }
        arrays = {name: getattr(table, name) for name in _OF_TABLE} | {
            "coordinates": self.coordinates,
            **{f"state.{name}": array for name, array in self.fitted.state.items()},
        }
        if table.columns is not None:
            arrays[COLUMNS] = packed(table.columns)
        kept = {name: np.ascontiguousarray(a) for name, a in arrays.items() if a is not None}
        write_atomic(path, save(kept, metadata={METADATA_KEY: json.dumps(about)}))

    @classmethod
    def load(cls, path: Path | str, *, method: str | type[MapMethod] | None = None) -> Embedding:
        """The map that ``save`` wrote; nothing is fitted again.

        Parameters
        ----------
        method
            Your own that drew it, a class or ``module:Class``, in place of what the file names:
            nothing that is named in a file is imported.

        Raises
        ------
        DataError
            The file is missing, damaged, or not a map.
        ConfigError
            Another ending, or a map method that is not registered here.
        """
        from safetensors import SafetensorError, safe_open

        own = None if method is None else methods.allow(method)
        path = _checked(path)
        try:
            with reading(path), safe_open(path, framework="numpy") as file:
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                about = schema.parse((file.metadata() or {})[METADATA_KEY], _ABOUT)
            table = LatentTable(
                arrays["mu"], arrays["logvar"], arrays.get("labels"), indices=arrays["indices"],
                columns=unpacked(arrays[COLUMNS]) if COLUMNS in arrays else None,
                **read_about(about["table"]),
            )  # fmt: skip
            coordinates = arrays["coordinates"]
            if coordinates.shape != (len(table), 2) or not np.isfinite(coordinates).all():
                raise DataError(f"its coordinates are not {len(table)} finite points.")
            state = {n.removeprefix("state."): a for n, a in arrays.items() if n not in _OWN}
            name, options = own or about["method"], about["settings"]
            standardize, seed = about["standardize"], about["seed"]
        # The last are types of numbers that NumPy lacks.
        except (
            SafetensorError,
            DataError,
            ShapeError,
            LookupError,
            ValueError,
            AttributeError,
            TypeError,
        ) as error:
            raise DataError(f"{path} is not a map of zscape's: {error}") from error
        return cls(
            table, name, methods[name].from_dict(options), Fitted(coordinates, state),
            standardize, seed,
        )  # fmt: skip


def fit_map(
    table: LatentTable,
    method: str | type[MapMethod],
    *,
    standardize: bool = False,
    seed: int = 0,
    anew: bool = False,
    start: Floats | None = None,
    progress: Tell | None = None,
    **settings: Any,
) -> Embedding:
    """Draw a map of the posterior means of ``table``.

    Parameters
    ----------
    method
        ``pca``, ``tsne``, ``umap``, ``pair`` (two neurons), one registered with
        ``register_method``, or your own, as a class or ``module:Class``, which is imported.
    standardize
        Scale every neuron to mean 0 and variance 1 first. Off by default: the prior gives all
        neurons one unit already, and scaling would blow the noise of unused ones up to the size
        of those that carry the picture.
    anew
        Draw it here in any case. Otherwise t-SNE and UMAP of a zoo model's test images, with the
        usual options and seed, are those that ship with the package: they were drawn by this
        function.
    start
        (n, 2): the layout to begin with, for methods that begin anywhere; it is drawn anew.
    progress
        Told what is being done and how much of it is done.
    **settings
        Options of the method, which are the fields of its class: ``perplexity=50``.

    Returns
    -------
    The map; on one machine and number of threads, the same for the same table and seed.

    Raises
    ------
    ConfigError
        Unknown method or option, or a value out of its range.
    DataError
        Too few points, too few neurons, or all points the same.
    """
    if not isinstance(table, LatentTable):
        raise ConfigError(
            f"a map is drawn of a LatentTable; got a {type(table).__name__}: "
            "zscape.encode(model, images) makes one."
        )
    name = methods.allow(method)
    drawer: MapMethod = chosen(name, methods, settings)
    own = anew or standardize or start is not None
    if not own and (shipped := find_shipped(table, name, drawer, seed)):
        return shipped
    blank = Embedding(
        table, name, drawer, Fitted(np.zeros((0, 2), np.float32), {}), standardize, seed
    )
    drawer.check(blank.x)
    tell = progress or (lambda stage, done: None)
    if start is None:
        return replace(blank, fitted=drawer.fit(blank.x, seed, tell))
    return replace(blank, fitted=drawer.fit_from(blank.x, start, seed, tell))


def _checked(path: Path | str) -> Path:
    path = Path(path)
    if path.suffix != ".safetensors":
        raise ConfigError(f"{path}: a map is a .safetensors file.")
    check_utf8(path)
    return path
