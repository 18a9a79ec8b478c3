"""What files beside pictures say of them: a table for all, or small files of the same name."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection
from pathlib import PurePosixPath
from typing import Any

from zscape.config import DataConfig
from zscape.data.bounded import reading
from zscape.data.columns import FILE_NAME
from zscape.data.decoding import skipping
from zscape.data.tree import Place, Readable, Tree, spellings
from zscape.errors import DataError

_BESIDE = (".cls", ".json", ".txt")
_LIMIT = 1 << 20
_NAMES = ("metadata.csv", "metadata.tsv", "metadata.jsonl", "metadata.parquet")

Row = dict[str, Any]


def read_metadata(
    tree: Tree, pictures: Collection[Place], config: DataConfig
) -> tuple[dict[Place, Row], set[Place]]:
    """What a tree says of the pictures at every place, and the files that say it.

    A table ``metadata.csv`` (``.tsv``, ``.jsonl``, ``.parquet``) has a column ``file_name``, with
    the folders on the way from the table to the file. In the shards of WebDataset, ``0001.cls``
    holds the class of ``0001.png``, ``0001.json`` columns and ``0001.txt`` a text.

    Nested values are left out, and counted.

    Raises
    ------
    DataError
        A file is damaged, a table has no ``file_name``, says something twice, or names a picture
        that is not there, unless ``config.skip_broken``.
    """
    rows: dict[Place, Row] = {}
    used: set[Place] = set()
    beside = {_key(place): place for place in pictures}
    has_classes = any(place[-1].endswith(".cls") for place in tree.files)
    for place, file in tree.files.items():
        suffix = PurePosixPath(place[-1]).suffix.lower()
        if has_classes and suffix in _BESIDE and (picture := beside.get(_key(place))):
            used.add(place)
            rows.setdefault(picture, {}).update(_read_beside(file, suffix, tree.left_out))
        if place[-1].lower() in _NAMES:
            used.add(place)
            for row in _read(file, tree.left_out):
                said = row.pop(FILE_NAME, None)
                name = PurePosixPath("" if said is None else str(said).replace("\\", "/"))
                found = [(*place[:-1], *PurePosixPath(way).parts) for way in spellings(str(name))]
                of = next((one for one in found if one in pictures), found[0])
                if of in rows:
                    raise DataError(f"{file} has a row for {name} more than once.")
                with skipping(config, tree.left_out):
                    if not name.parts:
                        raise DataError(f"{file} has a row without a {FILE_NAME}.")
                    if of not in pictures:
                        raise DataError(
                            f"{file} names {name}, but there is no such picture beside it."
                        )
                    rows[of] = row
    return rows, used


def _key(place: Place) -> Place:
    """What the files of one sample share: all before the first dot of the name."""
    shard, slash, name = place[-1].rpartition("/")  # see containers._joined
    return (*place[:-1], shard, slash, name.partition(".")[0])


def _read_beside(file: Readable, suffix: str, left_out: Counter[str]) -> Row:
    with reading(file), file.open("rb") as stream:
        content = stream.read(_LIMIT).decode("utf-8", "replace").strip()
    if suffix != ".json":
        return {"label" if suffix == ".cls" else "text": content}
    try:
        row = json.loads(content)
    except ValueError as error:
        raise DataError(f"{file} is not JSON: {error}.") from error
    if not isinstance(row, dict):
        left_out[".json without names"] += 1
        return {}
    nested = [name for name, value in row.items() if isinstance(value, (dict, list))]
    left_out.update(f"nested {name} in .json" for name in nested)
    return {name: value for name, value in row.items() if name not in nested}


def _read(file: Readable, left_out: Counter[str]) -> list[Row]:
    from zscape.data.tables import read_table, without_plain

    table = read_table(file)
    if FILE_NAME not in table.column_names:
        raise DataError(
            f"{file} has no column {FILE_NAME} that says which row is of which picture; it has "
            f"{', '.join(table.column_names)}."
        )
    nested = without_plain(table)
    left_out.update(nested.values())
    rows: list[Row] = table.drop_columns(list(nested)).to_pylist()
    return rows


def columns_of(
    places: list[Place], rows: dict[Place, Row], left_out: Counter[str]
) -> dict[str, list[Any]]:
    """A value for every place in every column; None where there is no row, which is counted."""
    if without := sum(place not in rows for place in places):
        left_out["without metadata (their columns are empty)"] += without
    names = dict.fromkeys(name for row in rows.values() for name in row)
    return {name: [rows.get(place, {}).get(name) for place in places] for name in names}
