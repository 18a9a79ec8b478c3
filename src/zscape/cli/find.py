"""``zscape find``: images that stand out, as a table and as a sheet of pictures."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from zscape.cli.inputs import LATENTS, Latents, with_model
from zscape.cli.output import FIGURES, TABLES, Outs, check_outs, show_table, write_outs
from zscape.words import counted

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer(
    help="Images that stand out: outliers, duplicates, labels that their neighbours doubt.\n\n"
    "Written are .png and .svg, a sheet of the first ones, and .csv, .json, .parquet and .md, the "
    "table of all; every row says the image's number, file, class and columns.",
    no_args_is_help=True,
)

Top = Annotated[int, typer.Option(help="How many are printed and drawn.", min=1)]
K = Annotated[int, typer.Option("-k", help="Neighbours of an image.", min=1)]


@app.command()
@with_model(*LATENTS)
def outliers(
    where: Latents,
    out: Outs = None,
    by: Annotated[
        Literal["rank", "error", "distance", "density", "width"],
        typer.Option(
            help="What orders them; rank: what stands out first, then the mean rank by all four."
        ),
    ] = "rank",
    k: K = 10,
    top: Top = 20,
) -> None:
    """The most unusual images, each over its reconstruction.

    error: nats that the very picture would have saved; distance: to the k nearest others, latent
    units; density: log density of the others' posteriors there (low is unusual); width: of its own
    posterior.
    """
    from zscape.finding import outliers as find
    from zscape.finding.outliers import FENCE, LIMITED
    from zscape.latents import decode

    outs = check_outs(out, FIGURES + TABLES)
    frame = find(where.opened.model, where.images, table=where.table, by=by, k=k, seed=where.seed)
    names = frame["stands_out"].str.split(", ")
    n_each = {name: sum(name in found for found in names) for name in LIMITED}
    n_out = (frame["stands_out"] != "").sum()
    limit = f"more than {FENCE:g} interquartile ranges above the upper quartile"
    said = ", ".join(f"{n} by {name}" for name, n in n_each.items() if n)
    print(
        f"{n_out} of {_images(where)} stand out, {limit}: {said}."
        if n_out
        else f"Nothing stands out: none of {_images(where)} is {limit}."
    )
    rows = _rows(where, frame, top)
    _finish(where, outs, frame, top, by, ("outlier", "reconstruction"),
            lambda: decode(where.opened.model, where.table.mu[rows],
                           condition=where.table[rows]))  # fmt: skip


@app.command()
@with_model(*LATENTS)
def duplicates(
    where: Latents,
    out: Outs = None,
    across: Annotated[
        bool, typer.Option("--across", help="Look for these images among the other split.")
    ] = False,
    within: Annotated[
        float,
        typer.Option(help="Near: at most this share of the usual difference.", min=0.001, max=1),
    ] = 0.25,
    top: Top = 20,
) -> None:
    """Images that are there twice, pixel by pixel or nearly, each over the earlier one.

    The usual difference is that to the fifth nearest image, in pixels and in the latent space; near
    is below it in both. With --across test images are looked for among the training images: what
    is in both makes every test too good.
    """
    from zscape.finding import duplicates as find

    outs = check_outs(out, FIGURES + TABLES)
    others = where.images
    if across:
        others = where.opened.data(where.data).of("train" if where.split == "test" else "test")
    frame = find(
        where.opened.model, where.images, others if across else None,
        table=where.table, within=within, seed=where.seed,
    )  # fmt: skip
    n_same, place = int(frame["same"].sum()), f" among the {others.split} images" * across
    doubted = ""
    if "of_class" in frame and "class" in frame:
        n = int((frame["class"].astype(str) != frame["of_class"].astype(str)).sum())
        doubted = f" {n} of them have another class." if n else ""
    print(
        f"{len(frame)} of {_images(where)} are there{place or ' twice'}: {n_same} the same in "
        f"every pixel, {len(frame) - n_same} nearly.{doubted}"
        if len(frame)
        else f"Nothing stands out: none of {_images(where)} is there{place or ' twice'}, or nearly."
    )
    numbers = frame["of"].head(top).to_numpy()
    if not across:
        place_of = {index: row for row, index in enumerate(where.table.indices)}
        numbers = [place_of[index] for index in numbers]
    _finish(where, outs, frame, top, "pixels", ("image", "is also"),
            lambda: others[list(numbers)].pixels())  # fmt: skip


@app.command()
@with_model(*LATENTS)
def mislabelled(where: Latents, out: Outs = None, k: K = 10, top: Top = 20) -> None:
    """Images whose nearest others have another label, each over the nearest of that class."""
    import numpy as np

    from zscape.finding import mislabelled as find
    from zscape.finding.mislabelled import CERTAIN

    outs = check_outs(out, FIGURES + TABLES)
    frame = find(where.table, k=k, seed=where.seed)
    n = int(frame["stands_out"].sum())
    print(
        f"{n} of {_images(where)} stand out: another class has at least {CERTAIN:.0%} more of the "
        f"votes of {k} neighbours than their own; {len(frame)} have more at all."
        if n
        else f"Nothing stands out: of none of {_images(where)} has another class {CERTAIN:.0%} "
        f"more of the votes of {k} neighbours than its own; {len(frame)} have more at all."
    )
    table, by_class = where.table, where.table.rows_by_class()
    nearest = []
    for row, name in zip(_rows(where, frame, top), frame["suggested"], strict=False):
        others = by_class[name]
        gaps = np.linalg.norm(table.mu[others] - table.mu[row], axis=1)
        nearest.append(int(others[gaps.argmin()]))
    _finish(where, outs, frame, top, "suggested", ("labelled", "nearest of\nsuggested"),
            lambda: where.images[nearest].pixels())  # fmt: skip


def _images(where: Latents) -> str:
    return counted(len(where.table), f"{where.split} image")


def _rows(where: Latents, frame: pd.DataFrame, top: int) -> list[int]:
    """Rows of the table of the first finds."""
    place = {index: row for row, index in enumerate(where.table.indices.tolist())}
    return [place[index] for index in frame.index[:top]]


def _finish(
    where: Latents, outs: list[Path], frame: pd.DataFrame, top: int, score: str,
    names: tuple[str, str], beside: Any,
) -> None:  # fmt: skip
    """Print the first finds, write all of them, and draw the first over what is ``beside`` them."""
    from zscape import figures
    from zscape.errors import DataError

    if len(frame):
        show_table(frame.head(top))

    def sheet() -> Any:
        if not len(frame):
            raise DataError("nothing was found, so there is no picture to draw.")
        pictures = where.images[_rows(where, frame, top)].pixels()
        titles = [_title(index, row, score) for index, row in frame.head(top).iterrows()]
        return figures.plot_reconstructions(
            pictures, beside(), titles, binarized=False, names=names
        )

    write_outs(outs, figure=sheet, table=lambda: frame)


def _title(index: Any, row: Any, score: str) -> str:
    """Which image, its class, and what it was found by."""
    name = Path(str(row["file_name"])).name if row.get("file_name") else str(index)
    name = re.sub(r"(?<=.)\.\w+(?=$|#)", "", name)  # its ending tells none from others
    value, known = row[score], f": {row['class']}" if "class" in row else ""
    if isinstance(value, str):  # the class that its neighbours suggest
        return f"{name}{known} → {value}"
    return f"{name}{known}\n{score} {value:.3g}"
