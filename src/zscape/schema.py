"""JSON that comes from files, which may say anything: read, and held to the shape it must have."""

from __future__ import annotations

import json
import sys
from typing import Any, TypeAlias

Shape: TypeAlias = Any
"""A type, of which ``int`` has 64 bits and ``float`` is finite and may be whole;
``(shape, None)`` for what may be null; ``[shape]`` for a list of such; ``{str: shape}`` for a
mapping to such; or a mapping of keys to shapes, where a key that ends in ``?`` may be missing, and
others may be there.
"""

MOST_DEEP = 50
"""Lists and mappings inside each other; no file of ours has more than ten."""

_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text",
          dict: "a mapping", list: "a list"}  # fmt: skip


def parse(text: str | bytes, shape: Shape = object) -> Any:
    """What a JSON text says.

    Raises
    ------
    ValueError
        It is not JSON, nests too deep, or is not of ``shape``; says where.
    """
    try:
        value = json.loads(text)
    except RecursionError:
        level: list[Any] = [[]]
    else:
        level = [value]
        for _ in range(MOST_DEEP):
            level = [inner for outer in level for inner in _parts(outer)]
    if level:
        raise ValueError(f"it nests more than {MOST_DEEP} deep")
    check(value, shape)
    return value


def check(value: Any, shape: Shape, where: str = "") -> None:
    """Raise ``ValueError`` that says ``where``, unless ``value`` is of ``shape``."""
    if isinstance(shape, tuple):
        if value is None:
            return
        shape = shape[0]
    name, dot = where or "it", "." if where else ""
    kind = shape if isinstance(shape, type) else type(shape)
    if not _is(value, kind):
        raise ValueError(f"{name} must be {_WORDS[kind]}; got {str(value)[:40]!r}")
    if isinstance(shape, list):
        for number, inner in enumerate(value):
            check(inner, shape[0], f"{where}[{number}]")
    elif isinstance(shape, dict):
        if str in shape:
            shape = dict.fromkeys(value, shape[str])
        for key, inner in shape.items():
            own = key if key in value else key.removesuffix("?")
            if own in value:
                check(value[own], inner, f"{where}{dot}{own}")
            elif own == key:
                raise ValueError(f"{where}{dot}{key} is missing")


def _parts(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _is(value: Any, kind: type) -> bool:
    if kind not in (int, float):
        return isinstance(value, kind)
    most = sys.float_info.max if kind is float else sys.maxsize
    is_number = isinstance(value, int) or (kind is float and isinstance(value, float))
    return is_number and not isinstance(value, bool) and abs(value) <= most
