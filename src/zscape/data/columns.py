"""What is known of every image besides its pixels: typed columns, a row per image."""

from __future__ import annotations

import io
import itertools
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from zscape.errors import ConfigError, DataError
from zscape.files import readable

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Kind: TypeAlias = Literal["category", "number", "date", "text", "file"]
"""What a column holds, which decides what can be asked of it."""

FILE_NAME = "file_name"
"""The column in which a source says which file an image is from."""

_log = logging.getLogger(__name__)
_KIND = b"zscape"
_MAX_CATEGORIES = 1000


@dataclass(frozen=True, eq=False)
class Columns:
    """Typed columns of one length. Made with ``Columns.of``; never changed, only taken from.

    Parameters
    ----------
    table
        An Arrow table whose fields say their kind in their metadata: a ``category`` is a
        dictionary of strings, a ``number`` float64 or int64, a ``date`` a timestamp in
        microseconds, ``text`` and ``file`` are strings. A value may be missing anywhere.
    """

    table: pa.Table

    @classmethod
    def of(cls, values: Mapping[str, Any], kinds: Mapping[str, Kind] | None = None) -> Columns:
        """Columns from arrays, lists, Arrow or pandas columns by name.

        Parameters
        ----------
        values
            One-dimensional, of one length. None and NaN are missing.
        kinds
            Of columns whose kind must not be guessed. The guess: numbers are numbers, truth
            values a category, times and text in ISO 8601 dates; other text is files if the column
            is called ``file_name``, a category if its values repeat (at most half as many as
            rows, at most 1 000), and else text.

        Raises
        ------
        DataError
            A column that is not one-dimensional, of another length, or not of its kind.
        """
        import pyarrow as pa

        made = {name: _typed(name, column, (kinds or {}).get(name))
                for name, column in values.items()}  # fmt: skip
        lengths = {name: len(column) for name, (column, _) in made.items()}
        if len(set(lengths.values())) > 1:
            raise DataError(f"columns must have one length; got {lengths}.")
        fields = [
            pa.field(name, column.type, metadata={_KIND: kind})
            for name, (column, kind) in made.items()
        ]
        return cls(pa.table([column for column, _ in made.values()], pa.schema(fields)))

    @classmethod
    def of_splits(cls, halves: Sequence[Mapping[str, Any]]) -> list[Columns | None]:
        """``of`` for several sets of one source, whose kinds are guessed together.

        A column that only some have is missing in the others; None where there are no columns.
        """
        import pyarrow as pa

        names = dict.fromkeys(name for half in halves for name in half)
        if not names:
            return [None] * len(halves)
        arrays = [{name: _as_arrow(half[name], name) for name in half} for half in halves]
        sizes = [len(next(iter(half.values()), ())) for half in arrays]
        whole = {}
        for name in names:
            parts = [half.get(name, pa.nulls(n)) for half, n in zip(arrays, sizes, strict=True)]
            try:
                tables = [pa.table({name: part}) for part in parts]
                whole[name] = pa.concat_tables(tables, promote_options="permissive")[name]
            except pa.ArrowException as error:
                raise DataError(f"column {name!r} differs in kind between the splits.") from error
        columns, ends = cls.of(whole), np.cumsum([0, *sizes])
        return [columns[slice(*pair)] for pair in itertools.pairwise(ends.tolist())]

    @classmethod
    def stacked(cls, parts: Sequence[Columns]) -> Columns:
        """The rows of all ``parts``, which have columns of the same names and kinds.

        Raises
        ------
        DataError
            They do not.
        """
        import pyarrow as pa

        kinds = [{name: part.kind(name) for name in part} for part in parts]
        if any(other != kinds[0] for other in kinds):
            raise DataError(f"both splits must have the same columns; got {parts}.")
        tables = [part.table.select(list(kinds[0])) for part in parts]
        whole = pa.concat_tables(tables, promote_options="permissive")
        return cls(whole.unify_dictionaries().combine_chunks())

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __repr__(self) -> str:
        kinds = ", ".join(f"{name}: {self.kind(name)}" for name in self)
        return f"Columns({len(self)} rows; {kinds})"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in their order."""
        return tuple(self.table.column_names)

    def kind(self, name: str) -> Kind:
        """What the column ``name`` holds."""
        return cast(Kind, self._field(name).metadata[_KIND].decode())

    def __getitem__(self, rows: Any) -> Columns:
        """The given rows (numbers, a mask, a slice or a tensor), in that order."""
        index = np.arange(len(self))[np.asarray(rows) if not isinstance(rows, slice) else rows]
        return Columns(self.table.take(np.atleast_1d(index)))

    def is_empty(self, name: str) -> bool:
        """Whether no row has a value."""
        return bool(self._column(name).null_count == len(self))

    def numbers(self, name: str) -> NDArray[np.float64]:
        """(n,) float64 of a number, or of a date as seconds since 1970; NaN where missing.

        Raises
        ------
        DataError
            There is no such column, it is of another kind, or it has no value at all.
        """
        import pyarrow as pa

        column, kind = self._present(name), self.kind(name)
        if kind == "date":
            column = column.cast(pa.int64())
        elif kind != "number":
            raise DataError(f"column {name!r} is {_a(kind)}; a column of numbers is needed.")
        # Integers beyond 2**53, as of dates before 1684 in microseconds, are rounded.
        wide = column.cast(pa.float64(), safe=False)
        values: NDArray[np.float64] = wide.to_numpy(zero_copy_only=False)
        return values / 1e6 if kind == "date" else values

    def classes(
        self, name: str, bins: int | None = None, most: int | None = _MAX_CATEGORIES
    ) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        """The column as classes: (n,) indices into their names, -1 where missing, and the names.

        Parameters
        ----------
        bins
            Of numbers and dates: this many ranges with as equal shares of the rows as ties allow.
            Without it every value is a class, in order of size; "B2" before "B10".
        most
            Distinct values that there may be; None for any number.

        Raises
        ------
        DataError
            There is no such column, it has no value at all, or more than ``most`` distinct ones.
        ConfigError
            ``bins`` for a column without numbers, or fewer than 2.
        """
        column, kind = self._present(name), self.kind(name)
        if bins is not None:
            if kind not in ("number", "date"):
                raise ConfigError(f"column {name!r} is {_a(kind)}; only numbers can be binned.")
            codes, edges = _edges(self.numbers(name), bins, name)
            return codes, _ranges(edges, kind)
        coded = column if kind == "category" else column.dictionary_encode()
        if most is not None and len(coded.dictionary) > most:
            raise DataError(
                f"column {name!r} has {len(coded.dictionary)} distinct values; as classes at most "
                f"{most} are possible{', or bins of it' * (kind == 'number')}."
            )
        codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        values = coded.dictionary.to_pylist()
        order = sorted(range(len(values)), key=lambda k: _in_order(values[k]))
        used = [k for k in order if (codes == k).any()]
        renumbered = np.full(len(values) + 1, -1)
        renumbered[used] = np.arange(len(used))
        return renumbered[codes], tuple(_name(values[k]) for k in used)

    def texts(self, name: str) -> list[str]:
        """Every value as a person reads it; empty where missing."""
        return ["" if value is None else _name(value) for value in self._column(name).to_pylist()]

    def joined(self, other: Columns) -> Columns:
        """These and the columns of ``other``, which has as many rows.

        Raises
        ------
        DataError
            Another length, or a name that is there already.
        """
        if len(other) != len(self):
            raise DataError(f"{len(self)} images need as many rows of columns; got {len(other)}.")
        if both := sorted(set(self) & set(other)):
            raise DataError(f"there is a column {both[0]!r} already; rename it in the file.")
        table = self.table
        for field, column in zip(other.table.schema, other.table.columns, strict=True):
            table = table.append_column(field, column)
        return Columns(table)

    def to_frame(self) -> pd.DataFrame:
        """A pandas table with a column per column."""
        frame: pd.DataFrame = self.table.to_pandas()
        return frame

    def to_bytes(self) -> bytes:
        """All of it, as an Arrow stream; ``from_bytes`` is the inverse."""
        import pyarrow as pa

        buffer = io.BytesIO()
        with pa.ipc.new_stream(buffer, self.table.schema) as writer:
            writer.write_table(self.table)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Columns:
        """The inverse of ``to_bytes``.

        Raises
        ------
        DataError
            It is something else, or damaged.
        """
        import pyarrow as pa

        try:
            with pa.ipc.open_stream(content) as reader:
                table = reader.read_all()
        # The last three are how pyarrow's Python half fails on a damaged stream.
        except (pa.ArrowException, KeyError, TypeError, ValueError, OSError) as error:
            raise DataError(f"these are no columns: {str(error)[:200]}.") from error
        return cls.from_table(table)

    @classmethod
    def from_table(cls, table: pa.Table) -> Columns:
        """Columns of an Arrow table that was read from somewhere, checked.

        Raises
        ------
        DataError
            A field does not say its kind, or is not of it, or the table is damaged.
        """
        import pyarrow as pa

        try:
            table.validate(full=True)
            kinds = [field.metadata[_KIND] for field in table.schema]
            fields = [
                pa.field(field.name, field.type, metadata={_KIND: kind})
                for field, kind in zip(table.schema, kinds, strict=True)
            ]
            whole = table.unify_dictionaries().combine_chunks()
            columns = cls(whole.cast(pa.schema(fields)))
            for name in columns:
                if not _fits(columns.kind(name), columns._field(name).type):
                    raise DataError(f"column {name!r} is not {_a(columns.kind(name))}.")
        except (pa.ArrowException, KeyError, TypeError, ValueError) as error:
            raise DataError(f"these are no columns: {str(error)[:200]}.") from error
        return columns

    def _field(self, name: str) -> pa.Field:
        if name not in self.names:
            near = get_close_matches(str(name).lower(), self.names, 1)
            meant = f" (did you mean {near[0]!r}?)" if near else ""
            there = ", ".join(self.names) or "none"
            raise DataError(f"there is no column {name!r}{meant}; there are: {there}.")
        return self.table.schema.field(name)

    def _column(self, name: str) -> pa.ChunkedArray:
        self._field(name)
        return self.table.column(name)

    def _present(self, name: str) -> Any:
        if self.is_empty(name):
            raise DataError(f"column {name!r} has no value in any of its {len(self)} rows.")
        return self._column(name).combine_chunks()


def _typed(name: str, values: Any, kind: Kind | None) -> tuple[Any, Kind]:
    """An Arrow array of the type of its kind, and the kind."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        array = _as_arrow(values, name)
        array = _with_dates(array) if kind in (None, "date") else array
        kind = kind or _guess(name, array)
        if kind == "category":
            if not pa.types.is_dictionary(array.type):
                array = array.cast(pa.string()).dictionary_encode()
            array = array.cast(pa.dictionary(pa.int32(), pa.string()))
        elif kind == "number":
            array = array.cast(pa.int64() if pa.types.is_integer(array.type) else pa.float64())
            if pa.types.is_floating(array.type):
                array = pc.if_else(pc.is_nan(array), None, array)
        else:
            if kind == "date" and getattr(array.type, "tz", None):
                _log.warning("column %s: times with a time zone are kept in UTC.", name)
            array = array.cast(pa.timestamp("us") if kind == "date" else pa.string())
    except (pa.ArrowException, ValueError, TypeError) as error:
        raise DataError(
            f"column {name!r} cannot be read as {_a(kind) if kind else 'a column'}: "
            f"{str(error)[:200].rstrip('.')}."
        ) from error
    return array, kind


def _as_arrow(values: Any, name: str) -> Any:
    import pyarrow as pa

    if isinstance(values, pa.ChunkedArray):
        # A dictionary has to be one before its chunks can be.
        return pa.table({name: values}).unify_dictionaries().column(0).combine_chunks()
    if isinstance(values, pa.Array):
        return values
    if hasattr(values, "detach"):  # a tensor
        values = values.detach().cpu().numpy()
    if isinstance(values, np.ndarray) and values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if isinstance(values, np.ndarray) and values.dtype.kind == "U":
        values = [readable(text) for text in values.tolist()]
    elif isinstance(values, np.ndarray) and not values.dtype.isnative:
        values = values.astype(values.dtype.newbyteorder("="))
    try:
        # from_pandas also makes NaN missing.
        return pa.array(values, from_pandas=True)
    except (pa.ArrowException, ValueError, TypeError) as error:
        raise DataError(
            f"column {name!r} cannot be read: {str(error)[:200].rstrip('.')}."
        ) from error


def _with_dates(array: Any) -> Any:
    """Strings that are all ISO 8601 dates as such; anything else as it is."""
    import pyarrow as pa

    is_text = pa.types.is_string(array.type) or pa.types.is_large_string(array.type)
    if is_text and array.null_count < len(array):
        for zone in (None, "UTC"):
            try:
                return array.cast(pa.timestamp("us", zone))
            except pa.ArrowInvalid:
                continue
    return array


def _guess(name: str, array: Any) -> Kind:
    import pyarrow as pa

    is_a = pa.types
    if is_a.is_dictionary(array.type) or is_a.is_boolean(array.type):
        return "category"
    if is_a.is_integer(array.type) or is_a.is_floating(array.type) or is_a.is_decimal(array.type):
        return "number"
    if is_a.is_timestamp(array.type) or is_a.is_date(array.type):
        return "date"
    if is_a.is_null(array.type) or not (
        is_a.is_string(array.type) or is_a.is_large_string(array.type)
    ):
        return "text"
    if name == FILE_NAME:
        return "file"
    distinct = len(array.unique().drop_null())
    repeats = 0 < distinct <= min(_MAX_CATEGORIES, (len(array) - array.null_count) // 2)
    return "category" if repeats else "text"


def _fits(kind: str, found: Any) -> bool:
    import pyarrow as pa

    allowed: dict[str, Sequence[Any]] = {
        "category": (pa.dictionary(pa.int32(), pa.string()),),
        "number": (pa.int64(), pa.float64()),
        "date": (pa.timestamp("us"),),
        "text": (pa.string(),),
        "file": (pa.string(),),
    }
    return found in allowed.get(kind, ())


def _edges(
    values: NDArray[np.float64], bins: int, name: str
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Which range every value lies in, -1 where missing, and the ends of the ranges."""
    if bins < 2:
        raise ConfigError(f"bins must be 2 or more; got {bins}.")
    is_there = np.isfinite(values)
    edges = np.unique(np.quantile(values[is_there], np.linspace(0, 1, bins + 1)))
    if len(edges) < 3:
        raise DataError(f"column {name!r} has too few distinct values for {bins} bins.")
    codes = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    return np.where(is_there, codes, -1), edges


def _ranges(edges: NDArray[np.float64], kind: Kind) -> tuple[str, ...]:
    """What a person calls the ranges between ``edges``, with as few digits as tell them apart."""
    texts: list[str] = []
    for digits in range(3, 18):
        if kind == "date":
            times = (edges * 1e6).astype("datetime64[us]")
            unit = ("D", "m", "s", "us")[min(digits - 3, 3)]
            texts = [str(time.astype(f"datetime64[{unit}]")).replace("T", " ") for time in times]
        else:
            texts = [f"{edge:.{digits}g}" for edge in edges]
        if len(set(texts)) == len(texts):
            break
    return tuple(f"{low} to {high}" for low, high in itertools.pairwise(texts))


def _in_order(value: Any) -> Any:
    """Sort key of values of one kind: numbers within text by their size."""
    if not isinstance(value, str):
        return value
    parts: list[Any] = re.split("([0-9]{1,18})", value)
    parts[1::2] = map(int, parts[1::2])
    return parts, value


def _name(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return value.isoformat(sep=" ") if hasattr(value, "isoformat") else str(value)


def _a(kind: str) -> str:
    return {
        "category": "a category",
        "number": "a number",
        "date": "a date",
        "text": "text",
        "file": "a file name",
    }[kind]
