"""Tables of latents in files: ``.npz`` without pickle, and Parquet; neither is believed."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from zscape import schema
from zscape.data.bounded import reading
from zscape.data.columns import Columns
from zscape.data.npy import read_member
from zscape.errors import ConfigError, DataError
from zscape.files import write_atomic

Arrays: TypeAlias = dict[str, NDArray[Any]]
"""``index`` and, if there are labels, ``label``: (n,); ``mu`` and ``logvar``: (n, latent_dim)."""

KEY = "zscape"
"""Of the JSON that says what the numbers are: a member of the archive, or Parquet metadata."""

COLUMNS = "columns"
"""Of what else is known of the images, among arrays."""

TEXTS = ("split", "name", "fingerprint", "data_fingerprint")
"""Fields of a ``LatentTable`` that are kept as text."""
ABOUT = {"split": str, "name": str, "fingerprint": str, "data_fingerprint?": str,
         "class_names": [str]}  # fmt: skip
"""The shape of what ``LatentTable.about`` makes; an earlier version lacked a field."""
_UNFOLDING = 1000
"""The most bytes in memory per byte of a Parquet file; an archive has deflate's own limit."""


def write_table(path: Path, arrays: Arrays, about: dict[str, Any], columns: Columns | None) -> None:
    """Write ``arrays``, the texts ``about`` them and ``columns``; see ``LatentTable.save``."""
    if _suffix(path) == ".npz":
        write_atomic(path, _npz(arrays, json.dumps(about), columns))
    else:
        write_parts(path, [(arrays, columns)], about)


def write_parts(
    path: Path, parts: Iterable[tuple[Arrays, Columns | None]], about: dict[str, Any]
) -> None:
    """``write_table`` to Parquet, of rows that come part by part and are not kept."""
    write_atomic(path, _parquet(parts, json.dumps(about)))


def read_table(path: Path) -> tuple[Arrays, dict[str, Any], Columns | None]:
    """What ``write_table`` wrote; types and values of the arrays are still to be checked.

    Raises
    ------
    DataError
        Missing, damaged, or not such a file.
    """
    suffix = _suffix(path)
    with reading(path):
        read = _read_npz if suffix == ".npz" else _read_parquet
        arrays, text, columns = read(path)
    try:
        return arrays, read_about(schema.parse(text, ABOUT)), columns
    except ValueError as error:
        raise DataError(f"{path} does not say what its numbers are: {error}.") from error


def read_about(about: dict[str, Any]) -> dict[str, Any]:
    """The fields of a ``LatentTable`` in what ``LatentTable.about`` made, whatever the version."""
    return {**{k: about.get(k, "") for k in TEXTS}, "class_names": tuple(about["class_names"])}


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in (".npz", ".parquet"):
        raise ConfigError(f"{path}: a table of latents is an .npz or a .parquet file.")
    return suffix


def packed(columns: Columns) -> NDArray[np.uint8]:
    """Columns as an array of bytes, for files that hold arrays only; ``unpacked`` undoes it."""
    return np.frombuffer(columns.to_bytes(), np.uint8)


def unpacked(content: NDArray[Any]) -> Columns:
    """What ``packed`` made.

    Raises
    ------
    DataError
        It is something else.
    """
    return Columns.from_bytes(content.tobytes())


def _npz(arrays: Arrays, about: str, columns: Columns | None) -> bytes:
    buffer = io.BytesIO()
    members: dict[str, Any] = {KEY: np.array(about), **arrays}
    if columns is not None:
        members[COLUMNS] = packed(columns)
    np.savez(buffer, **members)
    return buffer.getvalue()


def _read_npz(path: Path) -> tuple[Arrays, str, Columns | None]:
    with zipfile.ZipFile(path) as archive:
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        if lacking := {KEY, "index", "mu", "logvar"} - set(members):
            raise DataError(f"{path} is not a table of latents: it lacks {sorted(lacking)}.")
        arrays = {
            name: read_member(archive, members[name], f"{path}:{name}")
            for name in (KEY, "index", "label", "mu", "logvar", COLUMNS)
            if name in members
        }
    columns = unpacked(arrays.pop(COLUMNS)) if COLUMNS in arrays else None
    return arrays, str(arrays.pop(KEY)), columns


def _names(latent_dim: int) -> dict[str, list[str]]:
    """Names in Parquet of the columns of each array with one per neuron."""
    prefixes = {"mu": "z", "logvar": "logvar"}
    return {name: [f"{prefix}{i}" for i in range(latent_dim)] for name, prefix in prefixes.items()}


_OWN = re.compile("index|label|(z|logvar)[0-9]+")
"""Names of columns in Parquet that are ours."""


def _parquet(parts: Iterable[tuple[Arrays, Columns | None]], about: str) -> Iterator[bytes]:
    """A file of Parquet, piece by piece, with a row group for every part."""
    import pyarrow.parquet as pq

    sink, writer = _Pieces(), None
    for arrays, columns in parts:
        table = _arrow(arrays, columns)
        if writer is None:
            # Noise does not compress, and plain numbers keep within what _read_parquet allows.
            writer = pq.ParquetWriter(
                sink,
                table.schema.with_metadata({KEY: about}),
                compression="none",
                use_dictionary=False,
                write_page_checksum=True,
            )
        writer.write_table(table.replace_schema_metadata({KEY: about}))
        yield from sink.drained()
    assert writer is not None  # a table has rows
    writer.close()
    yield from sink.drained()


def _arrow(arrays: Arrays, columns: Columns | None) -> Any:
    import pyarrow as pa

    table = pa.table({name: arrays[name] for name in ("index", "label") if name in arrays})
    for name, names in _names(arrays["mu"].shape[1]).items():
        for column, values in zip(names, arrays[name].T, strict=True):
            table = table.append_column(column, pa.array(values))
    for field in () if columns is None else columns.table.schema:
        if _OWN.fullmatch(field.name):
            raise DataError(
                f"column {field.name!r} has a name that a table of latents uses itself; rename it, "
                f"or write .npz."
            )
        table = table.append_column(field, columns.table.column(field.name))  # type: ignore[union-attr]
    return table


class _Pieces(io.RawIOBase):
    """A file to write to, from which what was written is taken away."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.at = 0

    def writable(self) -> bool:
        """It is for nothing else."""
        return True

    def tell(self) -> int:
        """How much was written so far."""
        return self.at

    def write(self, piece: Any) -> int:
        """Keep it until it is taken."""
        self.pieces.append(bytes(piece))
        self.at += len(self.pieces[-1])
        return len(self.pieces[-1])

    def drained(self) -> list[bytes]:
        """What was written since the last time."""
        pieces, self.pieces = self.pieces, []
        return pieces


def _read_parquet(path: Path) -> tuple[Arrays, str, Columns | None]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            fields = file.schema_arrow
            found = {f.name: str(f.type) for f in fields if _OWN.fullmatch(f.name)}
            others = [name for name in fields.names if name not in found]
            names = _names(len(found.keys() - {"index", "label"}) // 2)
            types = {"index": "int64", "label": "int64"}
            types |= dict.fromkeys(names["mu"] + names["logvar"], "float")
            is_plain = len(found) + len(set(others)) == len(fields)
            if {"label": "int64", **found} != types or not is_plain or len(found) < 3:
                raise DataError(f"{path} is not a table of latents: its columns are {found}.")
            promised = 8 * file.metadata.num_rows * len(fields)  # bytes, at most
            if promised > _UNFOLDING * path.stat().st_size:
                raise DataError(f"{path} is refused: it would unfold into {promised} bytes.")
            table = file.read()
    # The last two are how pyarrow's Python half fails on a damaged footer.
    except (pa.ArrowException, ValueError, KeyError) as error:
        raise DataError(f"{path} could not be read: {str(error)[:200]}.") from error
    if any(table[name].null_count for name in found):
        raise DataError(f"{path} has gaps; a table of latents has a number everywhere.")
    arrays = {name: table[name].to_numpy() for name in ("index", "label") if name in found}
    for key, columns in names.items():
        arrays[key] = np.stack([table[name].to_numpy() for name in columns], axis=1)
    known = Columns.from_table(table.select(others)) if others else None
    text = (fields.metadata or {}).get(KEY.encode(), b"").decode(errors="replace")
    return arrays, text, known
