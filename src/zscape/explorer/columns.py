"""The columns of a scene: what else is known of every image, as blocks of bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from zscape.data.columns import Columns
from zscape.errors import ConfigError
from zscape.latents import LatentTable

COSTS = ("kl", "error")
"""What the page knows of every point as a number, by the names that it has there."""
RESERVED = ("selections", "index", "distance")
"""What else goes by a name there."""


class Add(Protocol):
    """Keeps an array as a block of the scene, and gives its name back."""

    def __call__(self, name: str, array: Any, dtype: str, **options: Any) -> str: ...


def describe_columns(table: LatentTable, add: Add) -> list[dict[str, Any]]:
    """``ColumnSpec`` of the manifest for every column of ``table``, which has some.

    A name that a colour of the map has already gets ``column_`` before it, as in
    ``LatentTable.to_frame``.
    """
    columns = table.columns
    assert columns is not None
    neurons = (f"z{i}" for i in range(table.latent_dim))
    taken = {*COSTS, *RESERVED, *neurons, *["class"] * table.has_labels}
    specs = []
    for i, name in enumerate(columns):
        unique = name
        while unique in taken:
            unique = f"column_{unique}"
        taken.add(unique)
        specs.append({"name": unique, **_describe(columns, name, f"column{i}", add)})
    return specs


def _describe(columns: Columns, name: str, block: str, add: Add) -> dict[str, Any]:
    kind, n = columns.kind(name), len(columns)
    if kind in ("number", "date"):
        values = np.full(n, np.nan) if columns.is_empty(name) else columns.numbers(name)
        values = np.where(np.isfinite(values), values, np.nan)
        if kind == "date":
            values *= 1000
        stored = add(block, values, _smallest(values), codec="gzip", has_gaps=True)
        return {"kind": kind, "missing": int(np.isnan(values).sum()), "values": stored}
    if kind == "category":
        empty = np.full(n, -1), ()
        codes, names = empty if columns.is_empty(name) else columns.classes(name, most=None)
        missing = int((codes < 0).sum())
        stored = add(block, codes, "i32", codec="gzip")
        return {"kind": kind, "missing": missing, "codes": stored, "categories": list(names)}
    texts = columns.table.column(name).to_pylist()
    # ASCII, as half of a character, which a file's name may hold, is no UTF-8.
    content = np.frombuffer(json.dumps(texts, separators=(",", ":")).encode(), np.uint8)
    stored = add(block, content, "u8", codec="gzip")
    return {"kind": kind, "missing": texts.count(None), "texts": stored}


def _smallest(values: NDArray[np.float64]) -> str:
    """``f32`` where that is exact, as a table that is taken away must hold what was put in."""
    with np.errstate(over="ignore"):
        is_exact = np.array_equal(values.astype(np.float32), values, equal_nan=True)
    return "f32" if is_exact else "f64"


def colors(manifest: Mapping[str, Any]) -> list[str]:
    """Names of all that the map of a scene can be coloured by, but for its neurons."""
    classes = ["class"] if manifest["classNames"] else []
    points, blocks = manifest["points"], manifest["blocks"]
    # Every number that the scene holds per point.
    costs = [
        name for name, block in points.items()
        if block in blocks and len(blocks[block]["shape"]) == 1 and blocks[block]["dtype"] != "i32"
    ]  # fmt: skip
    return [*classes, *costs, *(spec["name"] for spec in _tellable(manifest))]


def check_filter(manifest: Mapping[str, Any], value: Any) -> dict[str, Any]:
    """``value`` as the page takes it: by the name of a column what of it is shown.

    Parameters
    ----------
    value
        Of a number or a date a pair ``(low, high)``, None for no bound: shown is
        ``low <= x < high``; of a category a list of its values, None for the missing ones, or
        ``{"not": …}`` with a list of those that are not shown.

    Raises
    ------
    ConfigError
        There is no such column, or it has no such values.
    """
    kinds = dict.fromkeys(COSTS, "number")
    kinds |= {spec["name"]: spec["kind"] for spec in _tellable(manifest)}
    categories: dict[str, Sequence[str]]
    categories = {spec["name"]: spec.get("categories", ()) for spec in _tellable(manifest)}
    if manifest["classNames"]:
        kinds["class"], categories["class"] = "category", manifest["classNames"]
    if not isinstance(value, Mapping):
        raise ConfigError(f"filter must be a dictionary of columns; got {value!r}.")
    checked: dict[str, Any] = {}
    for name, wanted in value.items():
        if name not in kinds:
            known = ", ".join(kinds)
            raise ConfigError(f"filter has no column {name!r}; there are: {known}.")
        is_not = isinstance(wanted, Mapping) and list(wanted) == ["not"]
        if is_not and kinds[name] == "category":
            checked[name] = {"not": _values(name, wanted["not"], categories[name])}
            continue
        if isinstance(wanted, str) or not isinstance(wanted, (Sequence, np.ndarray)):
            raise ConfigError(f"filter of {name!r} must be a list; got {wanted!r}.")
        if kinds[name] == "category":
            checked[name] = _values(name, wanted, categories[name])
        else:
            checked[name] = _range(name, wanted, kinds[name] == "date")
    return checked


def _tellable(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Columns that have values of a kind that colours and filters."""
    n = manifest["points"]["n"]
    return [
        spec
        for spec in manifest.get("columns", [])
        if spec["kind"] not in ("text", "file") and spec["missing"] < n
    ]


def _values(name: str, wanted: Any, known: Sequence[str]) -> list[str | None]:
    values = [None if value is None else str(value) for value in wanted]
    if unknown := [value for value in values if value is not None and value not in known]:
        some = ", ".join(known[:8]) + ", …" * (len(known) > 8)
        raise ConfigError(f"filter: {name!r} has no value {unknown[0]!r}; it has: {some}.")
    return values


def _range(name: str, wanted: Any, is_date: bool) -> list[float | str | None]:
    try:
        low, high = (_bound(bound, is_date) for bound in wanted)
    except (TypeError, ValueError) as error:
        what = "dates" if is_date else "numbers"
        raise ConfigError(
            f"filter of {name!r} must be two {what}, low and high, or None for no bound; got "
            f"{wanted!r}."
        ) from error
    return [low, high]


def _bound(value: Any, is_date: bool) -> float | str | None:
    if value is None:
        return None
    if not is_date:
        number = float(value)
        if np.isnan(number):
            raise ValueError("not a number")
        return number if np.isfinite(number) else None
    import pandas as pd

    time = pd.Timestamp(value)
    if time is pd.NaT:
        raise ValueError("not a time")
    # As Columns has them: without a zone.
    plain = time if time.tzinfo is None else time.tz_convert("UTC").tz_localize(None)
    return str(plain.isoformat(timespec="milliseconds"))
