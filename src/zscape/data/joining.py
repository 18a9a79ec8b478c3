"""More columns from a file: which of its rows belongs to which image."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from operator import attrgetter
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from zscape.config import DataConfig
from zscape.data.columns import FILE_NAME, Columns
from zscape.data.imageset import ImageSet, Splits
from zscape.data.tree import say_left_out, spellings
from zscape.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

ENDINGS = (".csv", ".tsv", ".jsonl", ".parquet")
ROW = "row"
MISSING = "missing"
"""Class of the images whose label is not known."""
_LISTED = 3

_log = logging.getLogger(__name__)


def _read(path: Path) -> pa.Table:
    from zscape.data.tables import read_table

    if path.suffix.lower() not in ENDINGS:
        raise DataError(f"{path}: a file of columns ends in {', '.join(ENDINGS)}.")
    if not path.is_file():
        raise DataError(f"there is no file {path}.")
    table = read_table(path)
    if table.num_rows == 0:
        raise DataError(f"{path} has no rows.")
    return table


def read_rows(path: Path, n: int) -> NDArray[np.int64]:
    """Which of ``n`` images a file lists, ascending and each once.

    Parameters
    ----------
    path
        A table as ``join`` takes it whose column ``index`` counts the images from 0: what the
        explorer saves of a selection, and ``zscape encode`` of all images.

    Raises
    ------
    DataError
        There is no such file or column, or it holds other than numbers of these images.
    """
    table = _read(path)
    if "index" not in table.column_names:
        raise DataError(
            f"{path} has no column 'index', which says which images; it has: "
            f"{', '.join(table.column_names[:_LISTED])}."
        )
    found = np.asarray(table.column("index").to_pylist(), dtype=object)
    if wrong := [value for value in found if type(value) is not int or not 0 <= value < n]:
        raise DataError(
            f"{path}: the column 'index' must hold whole numbers in [0, {n - 1}], the images "
            f"there are; got {wrong[0]!r}."
        )
    return np.unique(found.astype(np.int64))


def join(
    known: Columns | None, n: int, path: Path, on: str | None = None, *, is_whole: bool = True
) -> Columns:
    """What is known of ``n`` images and, beside it, the columns of a file.

    Parameters
    ----------
    known
        A row per image; with ``file_name`` a file can be joined by that.
    path
        A table in ``.csv`` (commas or semicolons), ``.tsv``, ``.jsonl`` or ``.parquet``.
    on
        ``"file_name"``: by that column, which the file has too, with or without its folders and
        ending as long as that tells the images apart; one of another name that names most files
        stands for it; ``"row"``: by a column ``row`` that counts the images from 0 (training images
        first), or, without one, line by line. None: by ``file_name`` where both have it, else by
        ``row``.
    is_whole
        Whether the images are all that the source has; where some may have been left out as broken,
        a column ``row`` no longer counts them.

    Returns
    -------
    The columns, with gaps where the file has no row. A sentence that counts what matched and
    names some of what did not is logged.

    Raises
    ------
    DataError
        The file is missing, damaged, empty or of another kind; nothing matches, a key is there
        twice, or a column of that name is known already.
    """
    from zscape.data.tables import without_plain

    table = _read(path)
    names = known.texts(FILE_NAME) if known is not None and FILE_NAME in known else None
    if names and on != ROW and not {FILE_NAME, ROW} & set(table.column_names):
        table = _named(table, names, path)
    has_names, is_told = FILE_NAME in table.column_names, on is not None
    own: Sequence[Any]
    keys: Sequence[Any]
    n_blank = 0
    match on or (FILE_NAME if names and has_names else ROW):
        case "file_name" as on:
            if not names or not has_names:
                lacking = f"{path} has" if names else "these images have"
                raise DataError(f"{lacking} no {FILE_NAME} to join on; say --on row.")
            table, n_blank = _with_keys(table, on)
            own, keys = _shortened(names, table.column(FILE_NAME).to_pylist())
        case "row" as on:
            has_rows = ROW in table.column_names
            if has_rows and not is_whole:
                raise DataError(
                    f"{path} counts the images in its column {ROW}, and skip_broken may leave some "
                    f"out, so that others follow; give it a column {FILE_NAME}."
                )
            table, n_blank = _with_keys(table, on)
            own, keys = range(n), table.column(ROW).to_pylist() if has_rows else range(len(table))
            if has_rows and n in keys and 0 not in keys:
                raise DataError(
                    f"{path} counts the images from 1 to {n} in its column {ROW}; count from 0, or "
                    f"every image would get what is known of the one before it."
                )
            if not has_rows and len(keys) != n:
                raise DataError(
                    f"{path} has {len(keys)} rows for {n} images; give it a column {FILE_NAME} or "
                    f"{ROW} that says which are which."
                )
            if names and not has_rows and not is_told:
                _log.warning(
                    "%s names no files: its rows are taken line by line, the first for %s.",
                    path, names[0],
                )  # fmt: skip
        case other:
            raise DataError(f"columns can be joined on {FILE_NAME} or {ROW}; got {other!r}.")
    place = _places(keys, path, on)
    rows = np.array([place.get(key, -1) for key in own])
    if (rows < 0).all():
        raise DataError(
            f"no row of {path} matches an image: its {on} is {_listed(keys)}, that of the images "
            f"{_listed(own)}."
        )
    table = table.drop_columns([on] if on in table.column_names else [])
    nested = without_plain(table)
    say_left_out(path, Counter(nested.values()))
    added = _aligned(table.drop_columns(list(nested)), rows)
    without = [key for key, row in zip(own, rows, strict=True) if row < 0]
    images = set(own)
    surplus = [key for key in keys if key not in images]
    sentence = f"{path}: {n - len(without)} of {n} images have a row"
    if without:
        sentence += f"; without one: {_listed(without)}"
    if surplus:
        sentence += f"; {len(surplus)} rows are of no image: {_listed(surplus)}"
    if n_blank:
        sentence += f"; {n_blank} rows have no {on}"
    is_partial = without or surplus or n_blank
    _log.log(logging.WARNING if is_partial else logging.INFO, "%s.", sentence)
    return added if known is None else known.joined(added)


def _with_keys(table: pa.Table, on: str) -> tuple[pa.Table, int]:
    """The rows that say which image they are of, and how many do not."""
    if on not in table.column_names:
        return table, 0
    kept = table.filter(table.column(on).is_valid())
    return kept, len(table) - len(kept)


def _named(table: pa.Table, names: Sequence[str], path: Path) -> pa.Table:
    """``table`` whose ``file_name`` is the column that names most of the files, if one does."""
    import pyarrow as pa

    found: dict[str, int] = {}
    for column in table.column_names:
        kind = table.schema.field(column).type
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            continue
        own, keys = _shortened(names, table.column(column).to_pylist())
        if len(set(keys)) == len(keys):
            found[column] = len(set(own) & set(keys))
    name = max(found, key=found.__getitem__, default=None)
    if name is None or found[name] <= len(names) / 2:
        return table
    _log.warning("%s: its column %s names the files.", path, name or "without a name")
    return table.rename_columns([FILE_NAME if n == name else n for n in table.column_names])


def add_columns(
    data: ImageSet | Splits, path: Path, on: str | None, *, is_whole: bool = True
) -> ImageSet | Splits:
    """``data`` with the columns of a file joined; see ``join``.

    Of two splits, the rows of the training images come first.
    """
    halves = _halves(data)
    known = [half.columns for half in halves if half.columns is not None]
    before = Columns.stacked(known) if len(known) == len(halves) else None
    columns = join(before, sum(map(len, halves)), path, on, is_whole=is_whole)
    return _dealt(data, lambda half, rows: replace(half, columns=columns[rows]))


def join_all(data: ImageSet | Splits, told: Iterable[DataConfig]) -> ImageSet | Splits:
    """``data`` with the tables of all ``told`` joined; a file that comes again is joined once."""
    told, files = list(told), set()
    is_whole = not any(one.skip_broken for one in told)
    for one in told:
        if one.columns is None:
            continue
        path = Path(one.columns).expanduser()
        if path.resolve() not in files:
            files.add(path.resolve())
            data = add_columns(data, path, one.on, is_whole=is_whole)
    return data


def show_by(data: ImageSet | Splits, told: Iterable[DataConfig]) -> ImageSet | Splits:
    """``label_by`` for images that are looked at: they keep the fingerprint of who they are."""
    for one in told:
        if one.label is not None:
            shown = label_by(data, one.label, one.bins)
            for before, after in zip(_halves(data), _halves(shown), strict=True):
                vars(after)["fingerprint"] = before.fingerprint
            data = shown
    return data


def label_by(data: ImageSet | Splits, column: str, bins: int | None) -> ImageSet | Splits:
    """``data`` whose classes are the values of a column, or ranges of its numbers.

    An image without a value is of the class ``missing``.

    Raises
    ------
    DataError, ConfigError
        There is no such column, or it cannot be classes; see ``Columns.classes``.
    """
    halves = _halves(data)
    known = [half.columns for half in halves if half.columns is not None]
    if len(known) < len(halves):
        raise DataError(f"{halves[0].name} has no columns, so {column!r} cannot be its classes.")
    codes, names = Columns.stacked(known).classes(column, bins)
    if (codes < 0).any():
        # What says "missing" itself is of that class, too.
        names = names if MISSING in names else (*names, MISSING)
        codes = np.where(codes < 0, names.index(MISSING), codes)
    labels = torch.from_numpy(codes)
    return _dealt(data, lambda half, rows: replace(half, labels=labels[rows], class_names=names))


def _halves(data: ImageSet | Splits) -> list[ImageSet]:
    return [data] if isinstance(data, ImageSet) else list(data)


def _dealt(
    data: ImageSet | Splits, change: Callable[[ImageSet, slice], ImageSet]
) -> ImageSet | Splits:
    """Each half changed by ``change``, which is told its rows of the whole."""
    if isinstance(data, ImageSet):
        return change(data, slice(None))
    n = len(data.train)
    return Splits(change(data.train, slice(n)), change(data.test, slice(n, None)))


def _aligned(table: pa.Table, rows: np.ndarray[Any, Any]) -> Columns:
    """Row ``rows[i]`` of the table for image i, nothing where that is -1."""
    import pyarrow as pa

    index = pa.array(rows, mask=rows < 0)
    return Columns.of(
        {name: table.column(name).combine_chunks().take(index) for name in table.column_names}
    )


def _places(keys: Sequence[Any], path: Path, on: str) -> dict[Any, int]:
    if twice := [key for key, count in Counter(keys).items() if count > 1]:
        raise DataError(f"{path} has {on} {twice[0]!r} more than once; a row belongs to one image.")
    return {key: row for row, key in enumerate(keys)}


def _shortened(own: Sequence[Any], keys: Sequence[Any]) -> tuple[list[str], list[str]]:
    """Both as they are, or without folders, or without ending too: the first way that matches.

    Of files of several frames (``a.tif#0``), those that match nothing are then taken by their file.
    """
    paths = [
        [PurePosixPath(spellings(str(name).strip())[1].replace("\\", "/")) for name in names]
        for names in (own, keys)
    ]
    # A row may be of all frames of a file.
    whole = [PurePosixPath(re.sub(r"#\d+$", "", str(path))) for path in paths[0]]
    ways: tuple[Callable[[PurePosixPath], str], ...] = (str, attrgetter("name"), attrgetter("stem"))
    for images, n in ((paths[0], len(own)), (whole, len(set(whole)))):
        for way in ways:
            mine, theirs = ([way(path) for path in names] for names in (images, paths[1]))
            if len(set(mine)) == n and set(mine) & set(theirs):
                return mine, theirs
    return [str(name) for name in own], [str(key) for key in keys]


def _listed(keys: Sequence[Any]) -> str:
    more = f" and {len(keys) - _LISTED} more" if len(keys) > _LISTED else ""
    return ", ".join(str(key) for key in keys[:_LISTED]) + more
