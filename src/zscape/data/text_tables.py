"""Tables as text, which do not say themselves how they are written: CSV, TSV, JSON lines."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from typing import IO, Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv
from pyarrow import json as json_table

from zscape.data.bounded import check_unfolding, size_of
from zscape.data.tree import Readable
from zscape.errors import DataError

PIXEL = re.compile(r"(?:pixel|pix|px|p|x|v|f)?[_ ]?\d+(?:x\d+)?", re.IGNORECASE)
"""What a column of pixels is called."""
_BLOCK = 16 << 20
_SNIFFED = 1 << 20
_WHOLE = float(1 << 53)  # beyond it, not every whole number is a float
_NAME = r"^[-+]?0\d|^[-+]?\d{16,}$"  # as text of figures; a float would lose some of them

_Reader: TypeAlias = Callable[..., pa.Table]


def read_csv(stream: IO[bytes], delimiters: str, where: Readable) -> pa.Table:
    """With whichever of the delimiters the first line has most of.

    In UTF-8, or in UTF-16 that begins by saying so.

    Raises
    ------
    DataError
        It is in another encoding, or a row has more or fewer cells than the first.
    """
    if stream.read(2) == b"\x1f\x8b":
        stream.seek(0)
        stream = _Gzip(stream, where)  # type: ignore[assignment]
    stream.seek(0)
    content = stream.read(_SNIFFED)
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    lines = re.split(
        "\r\n?|\n", content.decode(encoding, "replace").removeprefix("\ufeff"), maxsplit=2
    )
    if "\0" in lines[0]:
        raise _not_utf8(where)
    # So Excel is told what stands between the cells.
    told = re.fullmatch(r'"?sep=(.)"?', lines[0].rstrip())
    head = lines[1] if told and len(lines) > 1 else lines[0]
    plain = re.sub(r'"[^"]*"', "", head)
    delimiter = told[1] if told else max(delimiters, key=plain.count)
    has_header = _is_header(head, delimiter)

    def read(use_threads: bool = True, **options: Any) -> pa.Table:
        stream.seek(0)
        return csv.read_csv(
            stream,
            csv.ReadOptions(
                autogenerate_column_names=not has_header,
                block_size=_BLOCK,
                encoding=encoding,
                skip_rows=1 if told else 0,
                use_threads=use_threads,
            ),
            csv.ParseOptions(delimiter=delimiter),
            csv.ConvertOptions(strings_can_be_null=True, **options),
        )

    try:
        table = read()
        names = [name.strip() for name in table.column_names]
        if len(set(table.column_names)) == len(names):  # or it will be refused
            table = _with_names_of_figures(table, read)
    except UnicodeDecodeError as error:
        raise _not_utf8(where) from error
    except pa.ArrowInvalid as error:
        if "CSV parse error" in str(error):
            raise _uneven(where, read, delimiter) from error
        raise
    for field in table.schema:
        if pa.types.is_binary(field.type):
            raise _not_utf8(where, f"column {field.name.strip()}")
    return table.rename_columns(names)


def _is_header(head: str, delimiter: str) -> bool:
    cells = [cell.strip(' "') for cell in head.strip().split(delimiter)]
    # Columns of pandas without names of their own are called 0, 1, 2, …
    is_counted = len(cells) > 1 and cells == [str(i) for i in range(len(cells))]
    return is_counted or not all(re.fullmatch(r"[-+.\deE]+", cell) for cell in cells)


def _not_utf8(where: Readable, what: str = "its text") -> DataError:
    return DataError(
        f"{where} could not be read as a table: {what} is not in UTF-8; save it so (in Excel: CSV "
        f"UTF-8)."
    )


def _uneven(where: Readable, read: _Reader, delimiter: str) -> DataError:
    """What one thread, which alone counts the rows, says of a row that is not like the first."""
    try:
        read(use_threads=False)
    except pa.ArrowInvalid as error:
        text = str(error).splitlines()[0].removeprefix("CSV parse error: ").rstrip(".")
    between = {",": "commas", ";": "semicolons", "\t": "tabs"}.get(delimiter, delimiter)
    return DataError(
        f"{where} could not be read as a table: {text}. Every row needs as many cells as the "
        f"first, {between} between them, and quotes around text that has such."
    )


def _with_names_of_figures(table: pa.Table, read: _Reader) -> pa.Table:
    """``table`` with text where a number is no number: 0012 is a name, and not that of 12.

    So are whole numbers beyond 64 bits, of which a float keeps the first 16 figures.
    """
    numbers = [
        field.name
        for field in table.schema
        if not PIXEL.fullmatch(field.name)
        and (
            pa.types.is_integer(field.type)
            or (
                pa.types.is_floating(field.type)
                and pc.any(pc.greater(pc.abs(table[field.name]), _WHOLE)).as_py()
            )
        )
    ]
    if numbers:
        texts = read(include_columns=numbers, column_types=dict.fromkeys(numbers, pa.string()))
        for name in numbers:
            is_integer = pa.types.is_integer(table.schema.field(name).type)
            pattern = _NAME.partition("|")[0] if is_integer else _NAME
            if pc.any(pc.match_substring_regex(texts[name], pattern)).as_py():
                place = table.column_names.index(name)
                table = table.set_column(place, name, texts[name])
    return table


def read_json_lines(stream: IO[bytes], where: Readable) -> pa.Table:
    """A table with an object on every line.

    Raises
    ------
    DataError
        It is one array of objects.
    """
    if stream.read(_SNIFFED).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
        raise DataError(
            f"{where} could not be read as a table: it is an array; write an object on every line, "
            f"without brackets around or commas between them."
        )
    stream.seek(0)
    return json_table.read_json(stream, json_table.ReadOptions(block_size=_BLOCK))


class _Gzip(gzip.GzipFile):
    """Never more than a table has, however much there is to unfold."""

    def __init__(self, stream: IO[bytes], where: Readable) -> None:
        self._packed, self._where = size_of(stream), where
        super().__init__(fileobj=stream)

    def read(self, size: int | None = -1) -> bytes:
        content = super().read(size)
        check_unfolding(self.tell(), self._packed, self._where)
        return content
