"""``LatentTable``: where a model puts every image of a set."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from zscape.data.coloring import groups
from zscape.data.columns import FILE_NAME, Columns
from zscape.errors import ConfigError, DataError, ShapeError
from zscape.files import write_atomic
from zscape.latents.h5ad import SUFFIX, to_anndata, to_h5ad
from zscape.latents.store import TEXTS, Arrays, read_table, write_parts, write_table
from zscape.latents.vectors import VectorLike, as_vectors
from zscape.seeding import torch_stream
from zscape.words import counted, line

if TYPE_CHECKING:
    import pandas as pd

STREAMED = (".csv", ".parquet")
"""Endings of what ``save_parts`` writes."""


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
        (n,) int64: which image of the set a row belongs to; a table of a few images points into
        the whole set.
    split
        ``"train"`` or ``"test"``.
    name
        The set the images are from.
    fingerprint
        Of the model's weights; a table can only be used with the model that made it.
    data_fingerprint
        ``ImageSet.fingerprint`` of the set that ``indices`` point into. Both are empty where they
        are not known: in tables put together by hand, or of earlier versions.
    columns
        What else is known of every image, or None.

    Raises
    ------
    ShapeError
        An array does not have the shape or type above.
    DataError
        No rows, a number that is not finite, or a label without a class name.
    """

    mu: NDArray[np.float32]
    logvar: NDArray[np.float32]
    labels: NDArray[np.int64] | None
    class_names: tuple[str, ...]
    indices: NDArray[np.int64]
    split: str = "test"
    name: str = "array"
    fingerprint: str = ""
    data_fingerprint: str = ""
    columns: Columns | None = None

    def __post_init__(self) -> None:
        for what, array in (("mu", self.mu), ("logvar", self.logvar)):
            if array.dtype != np.float32 or array.ndim != 2 or array.shape != self.mu.shape:
                raise ShapeError(
                    f"{self.name}: mu and logvar must both be float32 (n, latent_dim); got "
                    f"{what} as {array.dtype} {array.shape}."
                )
            if array.size == 0:
                raise DataError(f"{self.name}: a table needs at least one row; got {array.shape}.")
            if not (finite := np.isfinite(array).all(1)).all():
                raise DataError(
                    f"{self.name}: {what} must be finite, but is not in {(~finite).sum()} of "
                    f"{len(array)} rows, the first being {finite.argmin()}; the model may have "
                    "diverged."
                )
        for what, numbers in (("indices", self.indices), ("labels", self.labels)):
            if numbers is None:
                continue
            if numbers.dtype != np.int64 or numbers.shape != (len(self),):
                raise ShapeError(
                    f"{self.name}: {what} must be int64 ({len(self)},), one per row; got "
                    f"{numbers.dtype} {numbers.shape}."
                )
        if self.indices.min() < 0:
            raise DataError(f"{self.name}: indices must be 0 or more; got {self.indices.min()}.")
        if self.columns is not None and len(self.columns) != len(self):
            raise ShapeError(
                f"{self.name}: columns need as many rows as the table, {len(self)}; got "
                f"{len(self.columns)}."
            )
        self._check_classes()

    def _check_classes(self) -> None:
        names, labels = self.class_names, self.labels
        if len(set(names)) < len(names):
            raise DataError(f"{self.name}: class names must differ; got {names}.")
        if labels is None:
            if names:
                raise DataError(f"{self.name}: there are class names but no labels.")
        elif labels.min() < 0 or labels.max() >= len(names):
            raise DataError(
                f"{self.name}: labels must lie in [0, {len(names) - 1}], one per class name; got "
                f"values from {labels.min()} to {labels.max()}."
            )

    def __repr__(self) -> str:
        images = f"{counted(len(self), f'{self.split} image')} of {self.name}"
        classes = counted(len(self.class_names), "class", "classes") if self.has_labels else ""
        return line(self, images, counted(self.latent_dim, "latent neuron"), classes)

    def __len__(self) -> int:
        return len(self.mu)

    @property
    def latent_dim(self) -> int:
        """Number of latent neurons."""
        return int(self.mu.shape[1])

    @property
    def has_labels(self) -> bool:
        """Whether every row has a class."""
        return self.labels is not None

    def __getitem__(self, rows: NDArray[Any] | slice | list[int]) -> LatentTable:
        """The given rows (numbers, a mask or a slice), in that order, as a new table."""
        labels = None if self.labels is None else self.labels[rows]
        return replace(
            self,
            mu=self.mu[rows],
            logvar=self.logvar[rows],
            labels=labels,
            indices=self.indices[rows],
            columns=None if self.columns is None else self.columns[rows],
        )

    def rows_by_class(self) -> dict[str, NDArray[np.int64]]:
        """Row numbers of every class that has any, by its name, in the order of the labels.

        Raises
        ------
        DataError
            There are no labels.
        """
        if self.labels is None:
            raise DataError(f"{self.name} has no labels, which this needs; choose labelled images.")
        rows = ((name, np.flatnonzero(self.labels == k)) for k, name in enumerate(self.class_names))
        return {name: found for name, found in rows if len(found)}

    def known_columns(self) -> Columns:
        """``columns``, which are there.

        Raises
        ------
        DataError
            They are not.
        """
        if self.columns is None:
            raise DataError(
                f"the images of {self.name} have no columns; --columns FILE joins some."
            )
        return self.columns

    def labelled_by(self, column: str) -> LatentTable:
        """The rows whose ``column`` is known, with its values as their classes.

        Parameters
        ----------
        column
            One of ``columns``, or ``class`` for the table as it is. Many values, and numbers,
            are grouped as ``zscape.data.coloring.groups`` does.

        Raises
        ------
        DataError
            There is no such column, it has no value at all, or it is text or file names.
        """
        if column == "class" and (self.columns is None or column not in self.columns):
            return self
        known = self.known_columns()
        found = groups(known, column)
        rows = np.flatnonzero(known.table[column].is_valid().to_numpy())
        labels = found.labels[rows]
        # Those whose value is missing would be the last class.
        return replace(self[rows], labels=labels, class_names=found.names[: labels.max() + 1])

    def sample(self, *, seed: int | None = None) -> NDArray[np.float32]:
        """(n, latent_dim): one draw from every row's posterior; new ones without a seed."""
        noise = torch.randn(self.mu.shape, generator=torch_stream(seed, "posterior")).numpy()
        z: NDArray[np.float32] = self.mu + noise * np.exp(0.5 * self.logvar)
        return z

    def to_frame(self, z: VectorLike | None = None, *, label_column: str = "class") -> pd.DataFrame:
        """A tidy pandas table: one row per image, its index being ``indices``.

        Parameters
        ----------
        z
            (n, latent_dim) values to show, say of ``sample``; the posterior means by default.
        label_column
            Name of the column of class names, which is left out without labels. The names are
            text, also those of digits: ``frame[frame["class"] == "7"]``.

        Returns
        -------
        Columns: the class as an ordered-by-label categorical, what else is known (with
        ``column_`` before a name that is taken), then ``z0``, ``z1``, ….

        Raises
        ------
        ShapeError
            Not one row of ``z`` per image.
        """
        import pandas as pd

        values = self.mu if z is None else as_vectors(z, self.latent_dim)
        if len(values) != len(self):
            raise ShapeError(f"z must have one row per image, {len(self)}; got {len(values)}.")
        names = [f"z{neuron}" for neuron in range(self.latent_dim)]
        frame = pd.DataFrame(values, pd.Index(self.indices, name="index"), names)
        if self.labels is not None:
            classes = pd.Categorical.from_codes(self.labels, list(self.class_names))
            frame.insert(0, label_column, classes)
        if self.columns is not None:
            known = self.columns.to_frame().set_axis(frame.index)
            known = _beside(known, {frame.index.name, *frame})
            frame = pd.concat([frame.iloc[:, : -len(names)], known, frame[names]], axis=1)
        return frame

    def scored(
        self,
        scores: Mapping[str, Any],
        rows: NDArray[np.int64] | None = None,
        *,
        index: str = "index",
    ) -> pd.DataFrame:
        """What is known of every image, beside what was found of it; no neurons.

        Parameters
        ----------
        scores
            One value per row of the result, by name.
        rows
            (n,) the rows that there are scores of, in that order, again and again if need be; all
            by default.
        index
            What the index is called: the number of the image.

        Returns
        -------
        Columns: file name and class (where known), scores, other columns. A column that is called
        as a score or the index is has ``column_`` before its name.
        """
        import pandas as pd

        known = self.to_frame().iloc[:, : -self.latent_dim].rename_axis(index)
        known = _beside(known if rows is None else known.iloc[rows], {*scores, index})
        first = [name for name in (FILE_NAME, "class") if name in known]
        found = pd.DataFrame(dict(scores), known.index)
        return pd.concat([known[first], found, known.drop(columns=first)], axis=1)

    def describe(self, *, per_class: bool = False) -> pd.DataFrame:
        """Count, mean, standard deviation and quartiles of the posterior means of every neuron.

        Parameters
        ----------
        per_class
            For every class by itself: rows ``(class, neuron)`` instead of ``neuron``.

        Returns
        -------
        A row per neuron, with the columns of ``pandas.DataFrame.describe``; latent units.

        Raises
        ------
        DataError
            ``per_class`` without labels.
        """
        import pandas as pd

        frame = replace(self, labels=None, class_names=(), columns=None).to_frame().astype(float)
        groups = {"": np.arange(len(self))} if not per_class else self.rows_by_class()
        stats = {name: frame.iloc[rows].describe().T for name, rows in groups.items()}
        table = pd.concat(stats, names=["class", "neuron"])
        return table if per_class else table.droplevel("class")

    def about(self) -> dict[str, Any]:
        """What a file keeps of a table beside its arrays, ready for ``json.dump``."""
        texts = {name: getattr(self, name) for name in TEXTS}
        return {"class_names": list(self.class_names), **texts}

    def to_anndata(self) -> Any:
        """An ``AnnData``, as programs for single cells take it; needs ``zscape[anndata]``.

        Returns
        -------
        ``X`` and the layer ``logvar`` are (n, latent_dim) float32; ``obs`` holds index, class, file
        name and columns (dates as text), ``uns`` split, name and both fingerprints.

        Raises
        ------
        MissingExtraError
            The package is not installed.
        DataError
            A column has a name that the format cannot hold.
        """
        return to_anndata(self)

    def save(self, path: Path | str) -> None:
        """Write to ``.npz``, ``.parquet`` or ``.h5ad``, as the name ends; whole or not at all.

        The first two can be loaded again; of the third see ``to_anndata``.

        The Parquet file has one row per image, with the columns ``index``, ``label`` (if there
        are any), ``z0`` … and ``logvar0`` …, and those of ``columns``; class names and the rest
        are in its metadata under ``zscape``, as JSON.

        Raises
        ------
        ConfigError
            Another ending, or a folder that is missing or cannot be written.
        DataError
            To Parquet: one of ``columns`` has the name of one of the above.
        """
        if Path(path).suffix.lower() == SUFFIX:
            write_atomic(Path(path), to_h5ad(self))
            return
        write_table(Path(path), self._arrays(), self.about(), self.columns)

    def _arrays(self) -> Arrays:
        arrays: Arrays = {"index": self.indices, "mu": self.mu, "logvar": self.logvar}
        return arrays if self.labels is None else {**arrays, "label": self.labels}

    @classmethod
    def load(cls, path: Path | str) -> LatentTable:
        """The table that ``save`` wrote.

        Raises
        ------
        ConfigError
            Another ending than ``.npz`` or ``.parquet``.
        DataError
            The file is missing, damaged or not a table.
        """
        arrays, about, columns = read_table(Path(path))
        try:
            return cls(
                arrays["mu"], arrays["logvar"], arrays.get("label"), indices=arrays["index"],
                columns=columns, **about,
            )  # fmt: skip
        except (ShapeError, DataError) as error:
            raise DataError(f"{path} is not a table of latents: {error}") from error


def save_parts(path: Path | str, parts: Iterable[LatentTable]) -> int:
    """Write the rows of all ``parts`` (``encode_parts``) as they come: none is kept.

    Parameters
    ----------
    path
        ``.parquet``, as ``LatentTable.save`` writes it, or ``.csv``: index, class, columns and
        posterior means, for a spreadsheet.
    parts
        Of one set, in the order of its images.

    Returns
    -------
    How many rows there were.

    Raises
    ------
    ConfigError
        Another ending, or a folder that is missing or cannot be written.
    DataError
        To Parquet: a column has the name of one of its own.
    """
    path, n = Path(path), 0
    if (suffix := path.suffix.lower()) not in STREAMED:
        raise ConfigError(f"{path}: a table is written part by part as .parquet or .csv.")

    def counted_parts() -> Iterator[LatentTable]:
        nonlocal n
        for part in parts:
            n += len(part)
            yield part

    several = counted_parts()
    first = next(several)
    several, about = itertools.chain([first], several), first.about()
    del first
    if suffix == ".csv":
        write_atomic(path, _csv(several))
    else:
        write_parts(path, ((part._arrays(), part.columns) for part in several), about)
    return n


def _csv(parts: Iterable[LatentTable]) -> Iterator[bytes]:
    """The same text whatever the parts: what a value looks like depends on no other row."""
    for number, part in enumerate(parts):
        frame = part.to_frame()
        for at, name in enumerate(part.columns or (), start=int(part.has_labels)):
            column = part.known_columns().table.schema.field(name)
            if column.type == "int64":  # which pandas makes floats where one is missing
                frame = frame.astype({frame.columns[at]: "Int64"})
            elif column.type == "timestamp[us]":  # of which it leaves out midnight if all are
                frame[frame.columns[at]] = part.known_columns().texts(name)
        text: str = frame.to_csv(header=number == 0)
        yield text.encode(errors="backslashreplace")


def _beside(known: pd.DataFrame, taken: Set[Any]) -> pd.DataFrame:
    """The columns with ``column_`` before a name that is ``taken``."""
    return known.rename(columns=lambda name: f"column_{name}" if name in taken else name)
