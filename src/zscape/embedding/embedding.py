"""``Embedding``: a map of a table of latents; ``fit_map`` draws one."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from zscape import schema
from zscape._version import __version__
from zscape.data.bounded import reading
from zscape.data.columns import Columns
from zscape.data.imageset import class_shares
from zscape.embedding.methods import Fitted, MapMethod, Tell, chosen, methods
from zscape.embedding.neighbours import Floats
from zscape.embedding.shipped import find_shipped
from zscape.errors import CheckpointError, ConfigError, DataError, ShapeError
from zscape.files import check_utf8, write_atomic
from zscape.latents import LatentTable, VectorLike, as_vectors
from zscape.latents.store import ABOUT, COLUMNS, packed, read_about, unpacked
from zscape.seeding import numpy_generator
from zscape.words import counted, line

if TYPE_CHECKING:
    from zscape.embedding.inverse import Inverse, InverseMethod, Way

_log = logging.getLogger(__name__)

METADATA_KEY = "zscape"
FITTED_ROWS = "fitted_rows"
"""Of the state of a map that was fitted on some of the rows of its table: which."""
_OF_TABLE = ("mu", "logvar", "labels", "indices")
_ABOUT = {"method": str, "settings": dict, "standardize": bool, "seed": int, "table": ABOUT}
_OWN = (*_OF_TABLE, "coordinates", COLUMNS)


@dataclass(frozen=True, eq=False)
class Embedding:
    """A map, what it was fitted on, and the way there and back.

    Parameters
    ----------
    table
        What it shows: the posterior means, n rows. It was fitted on all of them, or on
        ``fitted_rows``.
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
        return line(
            self, self.method, points, *options, "standardized" * self.standardize, self.about_rows
        )

    def __len__(self) -> int:
        return len(self.table)

    @property
    def coordinates(self) -> Floats:
        """(n, 2) float32: the place of every row of the table, in map units."""
        return self.fitted.coordinates

    @property
    def fitted_rows(self) -> NDArray[np.int64] | None:
        """(m,) rows of the table that it was fitted on; None if it was on all.

        ``transform`` placed the others.
        """
        return self.fitted.state.get(FITTED_ROWS)

    @property
    def about_rows(self) -> str:
        """``fitted on 500 of 9000``, or nothing."""
        rows = self.fitted_rows
        return "" if rows is None else f"fitted on {len(rows)} of {len(self)}"

    @property
    def axis_names(self) -> tuple[str, str]:
        """What the two coordinates are, for a person."""
        return self.settings.axis_names(self.fitted)

    @cached_property
    def scaling(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation (latent_dim,) by which the table was scaled; 0 and 1 if not.

        They are those of the rows that it was fitted on.

        A neuron that never changes keeps its scale.
        """
        dim = self.table.latent_dim
        if not self.standardize:
            return np.zeros(dim), np.ones(dim)
        mu = _at(self.table.mu, self.fitted_rows).astype(np.float64)
        deviation = mu.std(0)
        return mu.mean(0), np.where(deviation > 0, deviation, 1)

    @cached_property
    def x(self) -> Floats:
        """(n, latent_dim): what the method saw, the table's means after scaling."""
        return self.scale(self.table.mu)

    def scale(self, z: NDArray[Any]) -> Floats:
        """Latent vectors ``z`` (m, latent_dim) as the method sees them."""
        shift, deviation = self.scaling
        scaled: Floats = ((z - shift) / deviation).astype(np.float32)
        return scaled

    def unscale(self, x: NDArray[Any]) -> Floats:
        """The inverse of ``scale``: from ``x`` (m, latent_dim)."""
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
        queries, rows = self.scale(as_vectors(z, self.table.latent_dim)), self.fitted_rows
        fitted = self.fitted._replace(coordinates=_at(self.coordinates, rows))
        return self.settings.transform(fitted, _at(self.x, rows), queries)

    def place(self, table: LatentTable) -> LatentTable:
        """``table`` with two more columns: where its rows lie on this map.

        They are called by the method: ``umap_x``, ``umap_y``. So a table that is encoded part by
        part (``zscape.latents.encode_parts``) is placed and saved part by part.

        Raises
        ------
        DataError
            There are columns of these names.
        CheckpointError, ShapeError
            The table is of another model.
        """
        if "" != table.fingerprint != self.table.fingerprint != "":
            raise CheckpointError(
                f"the {self.method} map is of another model than the table of {table.name}: it has "
                f"the fingerprint {self.table.fingerprint}, the table {table.fingerprint}."
            )
        names = f"{self.method}_x", f"{self.method}_y"
        places = dict(zip(names, self.transform(table.mu).T, strict=True))
        found = Columns.of(places, dict.fromkeys(places, "number"))
        known = table.columns
        return replace(table, columns=found if known is None else known.joined(found))

    def inverse_transform(self, points: Any, method: str = "local", **options: Any) -> Inverse:
        """Latent vectors for points of this map, by ``method`` with its ``options``.

        See ``zscape.embedding.inverse_transform``.
        """
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
        path
            A ``.safetensors`` file.
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
            if (rows := state.get(FITTED_ROWS)) is not None and not (
                rows.dtype == np.int64
                and rows.ndim == 1
                and len(rows)
                and np.array_equal(rows, np.unique(rows.clip(0, len(table) - 1)))
            ):
                raise DataError(f"its {FITTED_ROWS} are not rows of its table.")
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
    fit_on: int | None = None,
    anew: bool = False,
    start: Floats | None = None,
    progress: Tell | None = None,
    **settings: Any,
) -> Embedding:
    """Draw a map of the posterior means of ``table``.

    Parameters
    ----------
    table
        What ``zscape.encode`` made of the images, a row each.
    method
        ``pca``, ``tsne``, ``umap``, ``pair`` (two neurons), one registered with
        ``register_method``, or your own, as a class or ``module:Class``, which is imported.
    standardize
        Scale every neuron to mean 0 and variance 1 first. Off by default: the prior gives all
        neurons one unit already, and scaling would blow the noise of unused ones up to the size
        of those that carry the picture.
    seed
        Of the starting layout, and of the rows that are drawn.
    fit_on
        Fit it on so many rows, drawn at random by the seed, and place the others by ``transform``.
        Of rows with labels every class has its share, and one row at least. By default on all, but
        t-SNE and UMAP on 100 000 at most, and that is said.
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
    tell = progress or (lambda stage, done: None)
    rows = _rows_to_fit(table, fit_on, drawer, seed)
    may_ship = rows is None and start is None and not (anew or standardize)
    if may_ship and (shipped := find_shipped(table, name, drawer, seed)):
        return shipped
    source = table if rows is None else table[rows]
    blank = Embedding(
        source, name, drawer, Fitted(np.zeros((0, 2), np.float32), {}), standardize, seed
    )
    drawer.check(blank.x)
    if start is None:
        fitted = drawer.fit(blank.x, seed, tell)
    else:
        fitted = drawer.fit_from(blank.x, _at(start, rows), seed, tell)
    drawn = replace(blank, fitted=fitted)
    if rows is None:
        return drawn
    tell("placing the others", 0)
    coordinates = drawn.transform(table.mu)
    coordinates[rows] = drawn.coordinates
    state = {**drawn.fitted.state, FITTED_ROWS: rows}
    return replace(drawn, table=table, fitted=Fitted(coordinates, state))


def _rows_to_fit(
    table: LatentTable, asked: int | None, drawer: MapMethod, seed: int
) -> NDArray[np.int64] | None:
    """Which rows a map is fitted on; None for all."""
    n = len(table)
    if asked is not None and asked < 1:
        raise ConfigError(f"fit_on must be 1 or more; got {asked}.")
    limit = drawer.most if asked is None else asked
    if limit is None or limit >= n:
        return None
    if asked is None:
        _log.warning(
            "%s is fitted on %s of %s images, drawn with seed %s, and the others are placed by it; "
            "fit_on says on how many.",
            drawer.label, limit, n, seed,
        )  # fmt: skip
    rng = numpy_generator(seed, "map", "rows")
    if table.labels is None:
        return np.sort(rng.choice(n, limit, replace=False))
    return _stratified(table.labels, limit, rng)


def _stratified(labels: NDArray[np.int64], n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """``n`` rows in the proportions of the classes, one of each at least if there are so many."""
    order = rng.permutation(len(labels))
    drawn = torch.from_numpy(labels[order])
    counts = drawn.bincount()
    least = torch.minimum(counts, torch.tensor(int((counts > 0).sum() <= n)))
    shares = least + class_shares(counts - least, n - int(least.sum()))
    # Rows by class, each class in the order drawn; of each the first.
    by_class = order[np.argsort(labels[order], kind="stable")]
    ends = np.cumsum(counts.numpy())
    parts = [
        by_class[end - count : end - count + share]
        for end, count, share in zip(ends, counts.tolist(), shares.tolist(), strict=True)
    ]
    return np.sort(np.concatenate(parts))


def _at(array: NDArray[Any], rows: NDArray[np.int64] | None) -> NDArray[Any]:
    return array if rows is None else array[rows]


def _checked(path: Path | str) -> Path:
    path = Path(path)
    if path.suffix != ".safetensors":
        raise ConfigError(f"{path}: a map is a .safetensors file.")
    check_utf8(path)
    return path
