"""Tables with an image in every row: CSV, Parquet, Arrow, as files or a data set's folder."""

from __future__ import annotations

import json
import logging
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from PIL import Image
from pyarrow import parquet
from torch import Tensor

from zscape.config import DataConfig
from zscape.data.arrays import Part, as_numpy, from_parts
from zscape.data.bounded import check_unfolding, reading, size_of
from zscape.data.decoding import Blob, decoded, skipping
from zscape.data.imageset import ImageSet, Splits
from zscape.data.joining import MISSING
from zscape.data.kinds import TABLES, having, suffix_of
from zscape.data.looks import Look, check_sizes
from zscape.data.pictures import Frame, as_frame
from zscape.data.roles import parse_keys, role_of, split_of, splits_among
from zscape.data.text_tables import PIXEL, read_csv, read_json_lines
from zscape.data.tree import Place, Readable, Tree, spellings
from zscape.errors import DataError

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rows:
    """One split of a table: which of its columns are what."""

    table: pa.Table
    images: str | None
    labels: str | None
    pixels: list[str]
    files: Callable[[str], Readable]
    """The picture file that a cell names."""
    cells: list[Any] | None = None
    """The pictures themselves, where they are no column of an Arrow table."""
    class_names: tuple[str, ...] | None = None


def read_tables(tree: Tree, config: DataConfig) -> Splits | ImageSet:
    """Tables whose rows are images: a column of pictures, or a column for every pixel.

    Pictures are encoded bytes, names of files beside the table, nested lists, or text of numbers.
    Columns of pixels are called ``pixel0``, ``1x1``, ``0`` and the like; without a header, the
    first column is the label if the others make a square. The label is the column ``label``,
    ``y`` or ``target``, or ``config.keys`` says which; all other plain columns are kept as
    ``ImageSet.columns``. Files and folders called ``train`` and ``test`` (``val``) are the splits.

    Raises
    ------
    DataError
        A table that is damaged, or that has no images; names its columns.
    """
    tables: dict[str, list[pa.Table]] = defaultdict(list)
    first: dict[str, Place] = {}
    files = having(tree, TABLES)
    for place, file in sorted(files.items()):
        split = _split_of(place)
        first.setdefault(split, place)
        tables[split].append(read_table(file))
    for place in tree.files.keys() - files.keys():
        if place[-1] not in ("dataset_info.json", "state.json", "dataset_dict.json"):
            tree.left_out[PurePosixPath(place[-1]).suffix or place[-1]] += 1
    if "test" in tables and "val" in tables:
        tree.left_out["rows to validate on"] += sum(map(len, tables.pop("val")))
    rows = {}
    for split, found in splits_among(tables, tree.where).items():
        with reading(tree.where):
            table = _joined(tables[found], tree.where)
        find = _finder(tree, first[found][:-1])
        rows[split] = as_rows(table, tree.where, config, find)
    data = from_rows(rows, tree.where, config, tree.left_out)
    tree.say_left_out()
    return data


def _split_of(place: Place) -> str:
    role = role_of(PurePosixPath(place[-1]).stem)
    splits = [*map(split_of, place[:-1]), role.split]
    return next((split for split in splits if split), "train")


def _joined(tables: list[pa.Table], where: str) -> pa.Table:
    try:
        return pa.concat_tables(tables)
    except pa.ArrowInvalid as error:
        raise DataError(f"{where} holds tables of different columns; give one.") from error


def read_table(file: Readable) -> pa.Table:
    """A table in CSV (commas or semicolons, a header or none), TSV, JSON lines, Parquet or Arrow.

    Raises
    ------
    DataError
        The file is damaged.
    """
    try:
        with file.open("rb") as stream:
            match suffix_of(file):
                case ".parquet":
                    table = _read_parquet(stream, file)
                case ".arrow" | ".feather":
                    table = _read_arrow(stream)
                case ".jsonl":
                    table = read_json_lines(stream, file)
                case suffix:
                    table = read_csv(stream, "\t" if suffix == ".tsv" else ",;\t", file)
        table.validate(full=True)
        names = Counter(table.column_names)
    # All but the first three are how pyarrow's Python half fails on a damaged file.
    except (
        OSError, EOFError, pa.ArrowException, ValueError, KeyError, TypeError, MemoryError
    ) as error:  # fmt: skip
        text = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise DataError(f"{file} could not be read as a table: {text}.") from error
    if twice := [name for name, count in names.items() if count > 1]:
        called = f"called {twice[0]!r}" if twice[0] else "without a name"
        raise DataError(f"{file} has two columns {called}; rename one, or take it out.")
    return table


def _read_parquet(stream: IO[bytes], where: Readable) -> pa.Table:
    with parquet.ParquetFile(stream) as file:
        about = file.metadata
        groups = map(about.row_group, range(about.num_row_groups))
        n = sum(group.column(i).num_values for group in groups for i in range(about.num_columns))
        # A number takes 8 bytes at most; how long a text or a picture is, its page must hold.
        check_unfolding(8 * n, size_of(stream), where)
        return file.read()


def _read_arrow(stream: IO[bytes]) -> pa.Table:
    # Of what is in memory Arrow takes slices; from a stream it would take what is promised.
    content = pa.BufferReader(stream.read())
    try:
        return pa.ipc.open_file(content).read_all()
    except pa.ArrowInvalid:
        content.seek(0)
        return pa.ipc.open_stream(content).read_all()


def _finder(tree: Tree, beside: Place) -> Callable[[str], Readable]:
    """The picture files that a table in the folder ``beside`` may name."""

    def find(name: str) -> Readable:
        own = next(iter(tree.files.values()))
        for spelled in spellings(name):
            parts = PurePosixPath(spelled.replace("\\", "/")).parts
            if len(tree.files) == 1 and isinstance(own, Path) and not {"..", "/"} & set(parts):
                if (file := own.parent.joinpath(*parts)).is_file():
                    tree.beside.append(file)
                    return file
            elif (place := (*beside, *parts)) in tree.files:
                return tree.files[place]
        raise DataError(
            f"{tree.where}: the table names {name}, but there is no such file beside it."
        )

    return find


def as_rows(
    table: pa.Table,
    where: str,
    config: DataConfig,
    find: Callable[[str], Readable],
    *,
    images: str | None = None,
) -> Rows:
    """Which columns of a table are the images (if not ``images``) and the labels."""
    names = table.column_names
    told = parse_keys(config.keys, names, where) if config.keys else {}
    labels = told.get(("train", "labels"))
    images = images or told.get(("train", "images"))
    pixels: list[str] = []
    if images is None:
        candidates = [name for name in names if _may_be_images(table.schema.field(name))]
        # A picture that is there goes before the name of a file that may not be.
        candidates.sort(key=lambda name: (
            _is_text(table.schema.field(name).type), role_of(name).kind != "images",
            role_of(name).about != "",
        ))  # fmt: skip
        images = candidates[0] if candidates else None
    if images is None:
        pixels = [
            name
            for name in names
            if name != labels
            and PIXEL.fullmatch(name)
            and _is_number(table.schema.field(name).type)
        ]
        pixels = _in_order(pixels, where)
        is_square = _can_be_picture(len(pixels))
        if not is_square and _can_be_picture(len(pixels) - 1) and labels is None:
            labels, pixels = pixels[0], pixels[1:]
    # Who says which are the images, and nothing of labels, wants none.
    if labels is None and ("train", "images") not in told:
        plain = [n for n in names if (r := role_of(n)).kind == "labels" and not r.about]
        labels = min(plain, key=lambda name: role_of(name).rank, default=None)
        if labels is not None and _has_fractions(table[labels]):
            _log.warning(
                "%s: %s has fractions, and is a column; --label %s makes a class of every value, "
                "and --bins of ranges.", where, labels, labels,
            )  # fmt: skip
            labels = None
    if images is None and len(pixels) < 4:
        raise DataError(
            f"{where} has no column of pictures and no columns pixel0, pixel1, …; got "
            f"{_some(names)}. Say which: --keys images=NAME,labels=NAME."
        )

    return Rows(table, images, labels, pixels, find)


def _has_fractions(column: pa.ChunkedArray) -> bool:
    return bool(
        pa.types.is_floating(column.type)
        and pc.any(pc.and_(pc.is_finite(column), pc.not_equal(column, pc.round(column)))).as_py()
    )


def _in_order(pixels: list[str], where: str) -> list[str]:
    """Columns of pixels by their numbers, as pixel10 stands before pixel2 where names were sorted.

    Where they have two, the file may go through a picture column by column.
    """
    numbers = {name: [int(n) for n in re.findall(r"\d+", name)] for name in pixels}
    if len({tuple(found) for found in numbers.values()}) < len(pixels):
        return pixels
    if pixels == sorted(pixels, key=lambda name: numbers[name][::-1]):
        return pixels
    ordered = sorted(pixels, key=numbers.__getitem__)
    if ordered != pixels:
        _log.warning("%s: columns of pixels are taken by their numbers, not as they stand.", where)
    return ordered


def _some(names: list[str]) -> str:
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")


def _is_number(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
    )


def _can_be_picture(n: int) -> bool:
    return n > 3 and any(c * math.isqrt(n // c) ** 2 == n for c in (1, 3))


def _is_list(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _may_be_images(column: pa.Field) -> bool:
    kind = column.type
    if pa.types.is_struct(kind):
        return "bytes" in [kind.field(i).name for i in range(kind.num_fields)]
    is_named = role_of(column.name).kind == "images"
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return True
    if _is_list(kind):
        return is_named or _is_list(kind.value_type)
    return bool(_is_text(kind) and (is_named or column.name in ("file_name", "path", "filename")))


def from_rows(
    rows: dict[str, Rows], where: str, config: DataConfig, left_out: Counter[str]
) -> Splits | ImageSet:
    """The image set of one or two tables."""
    parts: dict[str, Part] = {}
    frames: dict[str, list[Frame]] = {}
    for split, part in rows.items():
        values = _images(part, where, config, left_out)
        if isinstance(values, list):
            kept = [i for i, frame in enumerate(values) if frame is not None]
            frames[split] = [frame for frame in values if frame is not None]
            part = replace(part, table=part.table.take(kept))
        parts[split] = Part(values, _labels(part, where), _columns(part, left_out))
    if frames:
        check_sizes({f"{where} ({split}, picture {i})": [frame]
                     for split, several in frames.items()
                     for i, frame in enumerate(several)} or {where: []})  # fmt: skip
        look = Look.of([f for fs in frames.values() for f in fs], config, where)
        for split, several in frames.items():
            parts[split] = replace(parts[split], images=look.stacked(several))
    train = rows["train"]
    return from_parts(
        where,
        parts,
        class_names=train.class_names or _class_names(train),
        kind=f"a table, pictures in {train.images}" if train.images else "a table of pixels",
        config=config,
    )


def _images(
    rows: Rows, where: str, config: DataConfig, left_out: Counter[str]
) -> NDArray[Any] | list[Frame | None]:
    """Arrays of pixels, or a frame per row, None where it is broken and may be."""
    if rows.images is None:
        columns = (_numpy(rows.table[name], name, where) for name in rows.pixels)
        return np.stack([_narrow(column) for column in columns], axis=1)
    cells = rows.cells
    if cells is None:
        column = rows.table[rows.images]
        if column.null_count and not config.skip_broken:
            raise DataError(f"{where}: {column.null_count} rows have nothing in {rows.images}.")
        if _is_list(column.type):
            return _nested(column.combine_chunks(), f"{where}:{rows.images}")
        cells = column.to_pylist()
    if not cells:
        raise DataError(f"{where} has no rows.")
    if isinstance(cells[0], str) and re.fullmatch(r"\s*[\d.]+(\s+[\d.]+)+\s*", cells[0]):
        return _from_text(cells, where)
    if isinstance(cells[0], (np.ndarray, Tensor)):
        try:
            return np.stack([as_numpy(cell, where) for cell in cells])
        except ValueError as error:
            raise DataError(f"{where}: pictures must have one shape; {error}.") from error
    frames: list[Frame | None] = [None] * len(cells)
    files: dict[int, Readable] = {}
    for i, cell in enumerate(cells):
        with skipping(config, left_out):
            if isinstance(cell, Image.Image):
                frames[i] = _frame_of(cell, f"{where} (row {i})", config)
            else:
                files[i] = _file_of(cell, f"{where} (row {i})", rows.files)
    found = decoded(files.values(), config, left_out, where)
    for number, several in zip(files, found, strict=True):
        if len(several) > 1:
            left_out["further frame of a picture"] += len(several) - 1
        frames[number] = several[0] if several else None
    return frames


def _narrow(values: NDArray[Any]) -> NDArray[Any]:
    """Bytes, if that is what the numbers are: a table has 64 bits for each."""
    is_bytes = values.dtype.kind in "iu" and values.min() >= 0 and values.max() <= 255
    return values.astype(np.uint8) if is_bytes else values


def _frame_of(picture: Image.Image, name: str, config: DataConfig) -> Frame:
    try:
        return as_frame(picture, config)
    # As of a file: of what it may stumble over there is no end.
    except Exception as error:
        text = str(error).rstrip(".")
        raise DataError(f"{name} could not be read as a picture: {text}.") from error


def _file_of(cell: Any, name: str, files: Callable[[str], Readable]) -> Readable:
    if isinstance(cell, dict):
        cell = cell.get("bytes") or cell.get("path")
    if isinstance(cell, bytes):
        return Blob(name, cell)
    if isinstance(cell, str):
        return files(cell)
    return Blob(name, b"")


def _from_text(cells: list[str], where: str) -> NDArray[Any]:
    try:
        values = np.stack([np.array(cell.split(), np.float64) for cell in cells])
    except ValueError as error:
        raise DataError(f"{where}: every row must have as many numbers; {error}.") from error
    return values.astype(np.int64) if (values == np.rint(values)).all() else values


def _nested(array: pa.Array, where: str) -> NDArray[Any]:
    """Lists of lists of numbers as an array; all of one length."""
    shape = [len(array)]
    while _is_list(array.type):
        lengths = array.value_lengths() if hasattr(array, "value_lengths") else None
        inner = array.flatten()
        if lengths is not None and len(lengths.unique()) != 1:
            raise DataError(f"{where}: pictures must have one shape; got lists of several lengths.")
        shape.append(len(inner) // max(len(array), 1))
        array = inner
    if array.null_count:
        raise DataError(f"{where}: {array.null_count} pixels are missing.")
    values: NDArray[Any] = array.to_numpy(zero_copy_only=False)
    return values.reshape(shape)


def _numpy(column: pa.ChunkedArray, name: str, where: str) -> NDArray[Any]:
    if column.null_count:
        raise DataError(f"{where}: {column.null_count} rows have nothing in the column {name}.")
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_binary(column.type):
        raise DataError(f"{where}: the column {name} is neither numbers nor text in UTF-8.")
    values: NDArray[Any] = column.to_numpy()
    return values.astype(str) if values.dtype.kind == "O" else values


def _labels(rows: Rows, where: str) -> NDArray[Any] | None:
    if rows.labels is None:
        return None
    column = rows.table[rows.labels]
    if column.null_count:
        way = "give them one, or leave them out"
        if rows.images is not None:
            way = (
                f"with --keys images={rows.images} it is a column like others, and --label "
                f"{rows.labels} makes a class {MISSING} of them"
            )
        raise DataError(
            f"{where}: {column.null_count} rows have nothing in the column {rows.labels}; {way}."
        )
    return _numpy(column, rows.labels, where)


def _class_names(rows: Rows) -> tuple[str, ...] | None:
    """What Hugging Face's ``ClassLabel`` calls the classes, if the table has it."""
    metadata = (rows.table.schema.metadata or {}).get(b"huggingface")
    if metadata is None or rows.labels is None:
        return None
    feature = json.loads(metadata).get("info", {}).get("features", {}).get(rows.labels, {})
    names = feature.get("names")
    return tuple(map(str, names)) if isinstance(names, list) else None


def _columns(rows: Rows, left_out: Counter[str]) -> dict[str, pa.ChunkedArray]:
    rest = rows.table.drop_columns(
        [n for n in {rows.images, rows.labels, *rows.pixels} if n in rows.table.column_names]
    )
    nested = without_plain(rest)
    left_out.update(nested.values())
    return {name: rest[name] for name in rest.column_names if name not in nested}


def without_plain(table: pa.Table) -> dict[str, str]:
    """Names of the columns that can be none, and what is said of them.

    They hold neither numbers, text nor dates but lists, structs or bytes, or have no name, as what
    pandas writes first.
    """
    is_a = pa.types
    return {
        field.name: f"column {field.name}" if field.name else "column without a name"
        for field in table.schema
        if is_a.is_nested(field.type)
        or is_a.is_binary(field.type)
        or is_a.is_large_binary(field.type)
        or is_a.is_fixed_size_binary(field.type)
        or not field.name
    }
