"""Writing what a command made, in the format that the name of the file asks for."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zscape.errors import ConfigError
from zscape.files import check_writable, write_atomic
from zscape.words import is_number

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from zscape.cli.inputs import Latents
    from zscape.latents import LatentTable, Walk

FIGURES = (".png", ".svg")
TABLES = (".csv", ".json", ".parquet", ".md")

Outs = Annotated[
    list[Path] | None,
    typer.Option(
        "-o", "--out", help="File to write, its ending says what; may be given several times."
    ),
]


def save_figure(figure: Figure, path: Path, note: str = "") -> None:
    """Write ``figure``, over a ``note``, as PNG or SVG, whole or not at all, and say where.

    Raises
    ------
    ConfigError
        Another ending, or the folder is missing or cannot be written.
    """
    check_outs([path], FIGURES)
    write_outs([path], figure=lambda: figure, note=note)


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
    note: str = "",
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
    note
        Stands under the picture.
    """
    from zscape.figures import to_png, to_svg

    makers: dict[str, Callable[[], bytes]] = {}
    if figure is not None:
        makers |= {
            ".png": lambda: to_png(figure(), note), ".svg": lambda: to_svg(figure(), note)
        }  # fmt: skip
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
    places_of: LatentTable | None = None,
) -> None:
    """Write the files of a walk, or without any print its vectors.

    Parameters
    ----------
    figure, gif
        Make its picture and, if it is a way, its animation.
    columns
        What else is known of every vector, by name; they come first in a table.
    places_of
        The images that the vectors are the places of, a row each; otherwise those are found among
        the images that were looked up for this walk.
    """
    where.check_heeded()
    if gif is not None:
        where.check_written(outs, (".gif",), "seconds")
    frame, made_of = _known(where, walk, columns or {}, places_of)
    if not outs:
        _show(walk, frame)
        return
    flat = walk.vectors.reshape(-1, walk.vectors.shape[-1])
    frame = frame.assign(**{f"z{i}": values for i, values in enumerate(flat.T)})
    write_outs(
        outs, figure=figure, table=lambda: frame,
        others=walk_files(walk, where, made_of) | ({".gif": gif} if gif else {}),
        note=where.note,
    )  # fmt: skip


def _known(
    where: Latents, walk: Walk, columns: Mapping[str, Any], places_of: LatentTable | None
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """What is known of every vector, and of every image a walk is made of.

    The latter is the number, file, class and columns of the image, and which ``vector`` it is;
    missing of an image that was only reckoned with. None where there is no image.
    """
    import numpy as np
    import pandas as pd

    vectors = walk.vectors.reshape(-1, walk.vectors.shape[-1])
    if places_of is not None:
        scores = {"vector": range(len(vectors)), **columns}
        made_of = places_of.scored(scores, index="image").reset_index()
        return made_of.drop(columns="vector"), made_of
    frame = pd.DataFrame(dict(columns), range(len(vectors)))
    if not where.looked_up:
        return frame, None
    parts = []
    for table in where.looked_up.values():
        known = table.scored({"vector": None, **dict.fromkeys(columns)}, index="image")
        known = known.reset_index().drop(columns=list(columns))
        # A great circle comes back to its ends but for rounding.
        own = np.flatnonzero(np.isclose(vectors, table.mu, rtol=1e-6, atol=1e-7).all(1))
        known = known.loc[[0] * max(len(own), 1)]
        parts.append(known.assign(vector=pd.array(own if len(own) else [None], "Int64")))
    made_of = pd.concat(parts, ignore_index=True)
    if made_of["vector"].isna().all():
        return frame, made_of
    # Where some rows have no image, numbers stay integers.
    own = made_of.dropna(subset="vector").drop_duplicates("vector").set_index("vector")
    own = own.astype(dict.fromkeys(own.select_dtypes("int64"), "Int64"))
    return pd.concat([frame, own.reindex(frame.index)], axis=1), made_of


def _show(walk: Walk, frame: pd.DataFrame) -> None:
    from zscape.latents import format_vector

    rows = walk.vectors.reshape(-1, walk.vectors.shape[-1])
    texts = ["  ".join(map(_short, row)) for row in frame.itertuples(index=False)]
    width = max(map(len, texts))
    for text, row in zip(texts, rows, strict=True):
        print(f"{text:<{width}}  {format_vector(row)}" if width else format_vector(row))


def _short(value: Any) -> str:
    if not isinstance(value, Real):
        return str(value)
    number = float(value)
    if not isfinite(number):
        return "–"
    return f"{number:zg}" if number.is_integer() else f"{number:z.2f}"


def walk_files(
    walk: Walk, where: Latents, made_of: pd.DataFrame | None = None
) -> dict[str, Callable[[], bytes]]:
    """The formats of a walk's vectors that need no other column: .json and .npz.

    Both keep the fingerprints of the ``model`` and of the images the vectors are made of (``data``,
    empty if of none), and these images themselves: ``made_of``, a list of what is known of each
    (in the .npz as JSON). The ``vectors`` of the .json are a list of ``{"z0": value}``; every
    command takes the file back, with this model.
    """
    images = {} if made_of is None else {"made_of": _records(made_of)}
    told = {"drawn_as": where.drawn_as} if where.drawn_as else {}

    def as_json() -> bytes:
        texts = {name: json.dumps(text) for name, text in (where.fingerprints() | told).items()}
        return _vectors_json(walk, texts | images)

    return {
        ".json": as_json,
        ".npz": lambda: npz(
            vectors=walk.vectors,
            images=walk.images.numpy(),
            **where.fingerprints(),
            **told,
            **images,
        ),
    }


def _records(frame: pd.DataFrame) -> str:
    """The rows as JSON, without what is missing: the readers of vectors know no null."""
    text: str = frame.to_json(orient="records", date_format="iso")
    rows = [{k: v for k, v in row.items() if v is not None} for row in json.loads(text)]
    return "[\n" + ",\n".join(map(json.dumps, rows)) + "\n]"


def npz(**arrays: Any) -> bytes:
    """Arrays as an .npz file, without pickle."""
    import numpy as np

    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def _vectors_json(walk: Walk, known: dict[str, str]) -> bytes:
    rows = walk.vectors.reshape(-1, walk.vectors.shape[-1])
    # str gives the shortest digits that are the same float32 again.
    vectors = [{f"z{i}": float(str(value)) for i, value in enumerate(row)} for row in rows]
    head = "".join(f'"{name}": {text},\n' for name, text in known.items())
    lines = ",\n".join(json.dumps(vector) for vector in vectors)
    return f'{{{head}"vectors": [\n{lines}\n]}}\n'.encode()


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
        text = frame.to_json(
            orient="records", indent=1, force_ascii=False, double_precision=10, date_format="iso"
        )
    elif suffix == ".md":
        text = _markdown(frame)
    else:
        buffer = io.BytesIO()
        frame.to_parquet(buffer, index=False)
        return buffer.getvalue()
    return text.encode()


def _markdown(frame: pd.DataFrame) -> str:
    rows = [[_cell(value) for value in row] for row in frame.itertuples(index=False)]
    is_right = [all(is_number(row[i].strip("*")) for row in rows) for i in range(frame.shape[1])]
    rule = ["---:" if right else "---" for right in is_right]
    lines = [[str(name) for name in frame.columns], rule, *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "–" if value != value else f"{value:.4g}"
    return str(value).replace("|", "\\|")
