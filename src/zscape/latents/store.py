"""Tables of latents in files: ``.npz`` without pickle, and Parquet; neither is believed."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from zscape.data.bounded import reading
from zscape.data.npy import read_member
from zscape.errors import ConfigError, DataError
from zscape.files import write_atomic

Arrays: TypeAlias = dict[str, NDArray[Any]]
"""``index`` and, if there are labels, ``label``: (n,); ``mu`` and ``logvar``: (n, latent_dim)."""

KEY = "zscape"
"""Of the JSON that says what the numbers are: a member of the archive, or Parquet metadata."""

TEXTS = ("split", "name", "fingerprint", "data_fingerprint")
"""Fields of a ``LatentTable`` that are kept as text."""
_NEWER = {"data_fingerprint"}
"""Those that a file of an earlier version lacks."""
_UNFOLDING = 1000
"""The most bytes in memory per byte of a Parquet file; an archive has deflate's own limit."""


def write_table(path: Path, arrays: Arrays, about: dict[str, Any]) -> None:
    """Write ``arrays`` and the texts ``about`` them; see ``LatentTable.save``."""
    content = {".npz": _npz, ".parquet": _parquet}[_suffix(path)](arrays, json.dumps(about))
    write_atomic(path, content)


def read_table(path: Path) -> tuple[Arrays, dict[str, Any]]:
    """What ``write_table`` wrote; types and values of the arrays are still to be checked.

    Raises
    ------
    DataError
        Missing, damaged, or not such a file.
    """
    suffix = _suffix(path)
    with reading(path):
        arrays, text = _read_npz(path) if suffix == ".npz" else _read_parquet(path)
    try:
        return arrays, read_about(json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DataError(f"{path} does not say what its numbers are; got {text[:80]!r}.") from error


def read_about(about: Any) -> dict[str, Any]:
    """The fields of a ``LatentTable`` in what ``LatentTable.about`` made, whatever the version.

    Raises
    ------
    KeyError, TypeError, AttributeError
        One is missing or no text.
    """
    fields = {name: about.get(name, "") if name in _NEWER else about[name] for name in TEXTS}
    names = tuple(about["class_names"])
    if not all(isinstance(word, str) for word in (*names, *fields.values())):
        raise TypeError("what a table is of must be text.")
    return {**fields, "class_names": names}


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in (".npz", ".parquet"):
        raise ConfigError(f"{path}: a table of latents is an .npz or a .parquet file.")
    return suffix


def _npz(arrays: Arrays, about: str) -> bytes:
    buffer = io.BytesIO()
    members: dict[str, Any] = {KEY: np.array(about), **arrays}
    np.savez(buffer, **members)
    return buffer.getvalue()


def _read_npz(path: Path) -> tuple[Arrays, str]:
    with zipfile.ZipFile(path) as archive:
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        if lacking := {KEY, "index", "mu", "logvar"} - set(members):
            raise DataError(f"{path} is not a table of latents: it lacks {sorted(lacking)}.")
        arrays = {
            name: read_member(archive, members[name], f"{path}:{name}")
            for name in (KEY, "index", "label", "mu", "logvar")
            if name in members
        }
    return arrays, str(arrays.pop(KEY))


def _columns(latent_dim: int) -> dict[str, list[str]]:
    """Names in Parquet of the columns of each array with one per neuron."""
    prefixes = {"mu": "z", "logvar": "logvar"}
    return {name: [f"{prefix}{i}" for i in range(latent_dim)] for name, prefix in prefixes.items()}


def _parquet(arrays: Arrays, about: str) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns: dict[str, Any] = {
        name: pa.array(arrays[name]) for name in ("index", "label") if name in arrays
    }
    for name, names in _columns(arrays["mu"].shape[1]).items():
        columns |= dict(zip(names, map(pa.array, arrays[name].T), strict=True))
    buffer = io.BytesIO()
    # Noise does not compress, and plain numbers keep within what _read_parquet allows.
    pq.write_table(
        pa.table(columns).replace_schema_metadata({KEY: about}),
        buffer,
        compression="none",
        use_dictionary=False,
        write_page_checksum=True,
    )
    return buffer.getvalue()


def _read_parquet(path: Path) -> tuple[Arrays, str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            schema = file.schema_arrow
            found = {field.name: str(field.type) for field in schema}
            names = _columns(len(found.keys() - {"index", "label"}) // 2)
            types = {"index": "int64", "label": "int64"}
            types |= dict.fromkeys(names["mu"] + names["logvar"], "float")
            if {"label": "int64", **found} != types or not len(found) == len(schema) > 2:
                raise DataError(f"{path} is not a table of latents: its columns are {found}.")
            promised = 8 * file.metadata.num_rows * len(found)  # bytes, at most
            if promised > _UNFOLDING * path.stat().st_size:
                raise DataError(f"{path} is refused: it would unfold into {promised} bytes.")
            table = file.read()
    # The last two are how pyarrow's Python half fails on a damaged footer.
    except (pa.ArrowException, ValueError, KeyError) as error:
        raise DataError(f"{path} could not be read: {str(error)[:200]}.") from error
    if any(column.null_count for column in table.columns):
        raise DataError(f"{path} has gaps; a table of latents has a number everywhere.")
    arrays = {name: table[name].to_numpy() for name in ("index", "label") if name in found}
    for key, columns in names.items():
        arrays[key] = np.stack([table[name].to_numpy() for name in columns], axis=1)
    return arrays, (schema.metadata or {}).get(KEY.encode(), b"").decode(errors="replace")
