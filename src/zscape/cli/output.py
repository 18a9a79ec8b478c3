"""Writing what a command made, in the format that the name of the file asks for."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zscape.errors import ConfigError
from zscape.files import check_writable, write_atomic

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from zscape.cli.inputs import Latents
    from zscape.latents import Walk

FIGURES = (".png", ".svg")
TABLES = (".csv", ".json", ".parquet", ".md")

Outs = Annotated[
    list[Path] | None,
    typer.Option(
        "-o", "--out", help="File to write, its ending says what; may be given several times."
    ),
]


def save_figure(figure: Figure, path: Path) -> None:
    """Write ``figure`` as PNG or SVG, whole or not at all, and say where.

    Raises
    ------
    ConfigError
        Another ending, or the folder is missing or cannot be written.
    """
    check_outs([path], FIGURES)
    write_outs([path], figure=lambda: figure)


def check_outs(
    paths: Sequence[Path] | None, allowed: Sequence[str], *, needs_one: bool = False
) -> list[Path]:
    """The files a command shall write, known to be possible before anything is computed.

    Raises
    ------
    ConfigError
        An ending that is not ``allowed``; a folder that is missing or cannot be written; or no
        file at all, where ``needs_one``.
    """
    outs = list(paths or ())
    endings = f"{', '.join(allowed[:-1])} or {allowed[-1]}" if len(allowed) > 1 else allowed[0]
    if needs_one and not outs:
        raise ConfigError(f"this needs a file to write: -o with a name that ends in {endings}.")
    for path in outs:
        if path.suffix.lower() not in allowed:
            raise ConfigError(f"{path}: give the file a name that ends in {endings}.")
        check_writable(path)
    return outs


def write_outs(
    paths: Sequence[Path],
    *,
    figure: Callable[[], Figure] | None = None,
    table: Callable[[], pd.DataFrame] | None = None,
    others: Mapping[str, Callable[[], bytes]] | None = None,
) -> None:
    """Write every file in its format, after all of them are made, and say where.

    Parameters
    ----------
    paths
        As ``check_outs`` found them.
    figure, table
        Make the picture of .png and .svg, and the table of .csv, .json, .parquet and .md.
    others
        The content of a file by its ending; goes before the two above.
    """
    from zscape.figures import to_png, to_svg

    makers: dict[str, Callable[[], bytes]] = {}
    if figure is not None:
        makers |= {".png": lambda: to_png(figure()), ".svg": lambda: to_svg(figure())}
    if table is not None:
        makers |= {suffix: _table_maker(suffix, table) for suffix in TABLES}
    makers |= others or {}
    contents = [(path, makers[path.suffix.lower()]()) for path in paths]
    for path, content in contents:
        write_atomic(path, content)
        print(f"Wrote {path}")


def show_table(frame: pd.DataFrame, *, with_index: bool = True) -> None:
    """Print a table as wide as it is."""
    print(frame.to_string(float_format="{:.4g}".format, index=with_index, na_rep="–"))


def write_walk(
    where: Latents,
    outs: Sequence[Path],
    walk: Walk,
    figure: Callable[[], Figure],
    columns: Mapping[str, Any] | None = None,
    gif: Callable[[], bytes] | None = None,
) -> None:
    """Write the files of a walk, or without any print its vectors.

    Parameters
    ----------
    figure, gif
        Make its picture and, if it is a way, its animation.
    columns
        What else is known of every vector, by name; they come first in a table.
    """
    where.check_heeded()
    if gif is not None:
        where.check_written(outs, (".gif",), "seconds")
    if not outs:
        _show(walk, columns or {})
        return
    others = walk_files(walk, where) | ({".gif": gif} if gif else {})
    write_outs(
        outs, figure=figure, table=lambda: vector_frame(walk.vectors, columns), others=others
    )


def vector_frame(vectors: Any, columns: Mapping[str, Any] | None = None) -> pd.DataFrame:
    """A row per vector: what is known of it, then its neurons."""
    import pandas as pd

    flat = vectors.reshape(-1, vectors.shape[-1])
    frame = pd.DataFrame(flat, columns=[f"z{i}" for i in range(flat.shape[1])])
    for place, (name, values) in enumerate((columns or {}).items()):
        frame.insert(place, name, values)
    return frame


def _show(walk: Walk, columns: Mapping[str, Any]) -> None:
    from zscape.latents import format_vector

    rows = walk.vectors.reshape(-1, walk.vectors.shape[-1])
    texts = ["  ".join(_short(values[i]) for values in columns.values()) for i in range(len(rows))]
    width = max(map(len, texts))
    for text, row in zip(texts, rows, strict=True):
        print(f"{text:<{width}}  {format_vector(row)}" if width else format_vector(row))


def _short(value: Any) -> str:
    if isinstance(value, str):
        return value
    return f"{value:zg}" if value == int(value) else f"{value:z.2f}"


def walk_files(walk: Walk, where: Latents) -> dict[str, Callable[[], bytes]]:
    """The formats of a walk's vectors that need no other column: .json and .npz.

    Both keep the fingerprints of the ``model`` and of the images the vectors are made of (``data``,
    empty if of none). The ``vectors`` of the .json are a list of ``{"z0": value}``; every command
    takes the file back, with this model.
    """
    return {
        ".json": lambda: _vectors_json(walk, where.fingerprints()),
        ".npz": lambda: npz(
            vectors=walk.vectors, images=walk.images.numpy(), **where.fingerprints()
        ),
    }


def npz(**arrays: Any) -> bytes:
    """Arrays as an .npz file, without pickle."""
    import numpy as np

    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def _vectors_json(walk: Walk, fingerprints: dict[str, str]) -> bytes:
    rows = walk.vectors.reshape(-1, walk.vectors.shape[-1])
    # str gives the shortest digits that are the same float32 again.
    vectors = [{f"z{i}": float(str(value)) for i, value in enumerate(row)} for row in rows]
    known = "".join(f'"{name}": {json.dumps(text)},\n' for name, text in fingerprints.items())
    lines = ",\n".join(json.dumps(vector) for vector in vectors)
    return f'{{{known}"vectors": [\n{lines}\n]}}\n'.encode()


def _table_maker(suffix: str, table: Callable[[], pd.DataFrame]) -> Callable[[], bytes]:
    return lambda: format_table(table(), suffix)


def format_table(frame: pd.DataFrame, suffix: str) -> bytes:
    """A table as the content of a file; its index, if it has a name, is the first column."""
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    frame = frame.rename(columns=str)
    frame.columns.name = None
    if suffix == ".csv":
        text: str = frame.to_csv(index=False)
    elif suffix == ".json":
        text = frame.to_json(orient="records", indent=1, force_ascii=False, double_precision=10)
    elif suffix == ".md":
        text = _markdown(frame)
    else:
        buffer = io.BytesIO()
        frame.to_parquet(buffer, index=False)
        return buffer.getvalue()
    return text.encode()


def _markdown(frame: pd.DataFrame) -> str:
    rows = [[_cell(value) for value in row] for row in frame.itertuples(index=False)]
    is_number = [frame[name].dtype.kind in "iuf" for name in frame.columns]
    rule = ["---:" if right else "---" for right in is_number]
    lines = [[str(name) for name in frame.columns], rule, *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "–" if value != value else f"{value:.4g}"
    return str(value).replace("|", "\\|")
