"""Maps for the commands: fitted under a progress bar, or read from a file."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zscape.cli.inputs import JOINED, LATENTS, OWN, Latents
from zscape.cli.progress import showing_progress
from zscape.errors import ConfigError
from zscape.registry import built_in

if TYPE_CHECKING:
    from zscape.embedding import Embedding
    from zscape.latents import LatentTable

USUAL = "pca"
Method = Annotated[str, typer.Option(help=f"{built_in('map method')}, or module:Class.")]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NAME=VALUE", help="Option of the method: --set perplexity=50. Repeatable."
    ),
]
Standardize = Annotated[
    bool, typer.Option("--standardize", help="Scale every neuron to variance 1 first.")
]
FitOn = Annotated[
    int | None,
    typer.Option(
        help="Fit it on so many images, drawn at random, and place the others by it; all, but "
        "100000 at most of tsne and umap.",
        min=1,
    ),
]


def fit(
    table: LatentTable, method: str, settings: list[str] | None, *, standardize: bool, seed: int,
    fit_on: int | None = None,
) -> Embedding:  # fmt: skip
    """A map of ``table``, with what is going on shown; see ``zscape.embedding.fit_map``."""
    from zscape.embedding import fit_map, methods

    methods.allow(method, here=True)
    with showing_progress() as show:
        return fit_map(
            table, method, standardize=standardize, seed=seed, fit_on=fit_on,
            progress=lambda stage, done: show(f"{method}: {stage}", done),
            **read_settings(settings),
        )  # fmt: skip


def read_settings(pairs: list[str] | None) -> dict[str, Any]:
    """``perplexity=50`` as an option and its value."""
    settings: dict[str, Any] = {}
    for pair in pairs or ():
        name, sign, text = pair.partition("=")
        if not sign or not name.strip() or not text.strip():
            raise ConfigError(f"--set takes NAME=VALUE, such as perplexity=50; got {pair!r}.")
        try:
            value = ast.literal_eval(text.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            value = text.strip()
        settings[name.strip().replace("-", "_")] = value
    if clash := sorted(
        {"standardize", "seed", "fit_on", "progress", "table", "method"} & set(settings)
    ):
        raise ConfigError(
            f"{clash[0]} is not an option of a map; use --{clash[0].replace('_', '-')}."
        )
    return settings


def is_map(path: Path) -> bool:
    """Whether a .safetensors file holds a map and not a model."""
    if path.suffix != ".safetensors" or not path.is_file():
        return False
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            return "coordinates" in file.keys()  # noqa: SIM118
    except (SafetensorError, OSError):
        return False


def load_map(path: Path, where: Latents, method: str = USUAL, *, joins: bool = True) -> Embedding:
    """The map in a file; what it has settled already must not have been asked for again.

    ``method`` may only be the user's own that the map was drawn with, as ``module:Class``. More
    columns of its images are joined by their file names, unless nothing is made of them.
    """
    from zscape.data.columns import FILE_NAME
    from zscape.data.joining import join
    from zscape.embedding import Embedding, methods

    is_own = ":" in method
    settled = {*LATENTS, *(each.name for each in JOINED), "settings", "standardize", "fit_on"}
    if not is_own:
        settled.add("method")
    if path == Path(where.model):
        settled |= set(OWN)  # no model is opened at all
    found = Embedding.load(path, method=methods.allow(method, here=True) if is_own else None)
    known = found.table.columns
    # Which rows of which set they were it does not know.
    if joins and known is not None and FILE_NAME in known and where.more.get("on") != "row":
        settled -= {"columns", "on"}
    where.refuse(*settled, why="a saved map has its images, their columns, method and settings")
    if "columns" not in where.more:
        return found
    columns = join(known, len(found), Path(where.more["columns"]).expanduser(), FILE_NAME)
    return replace(found, table=replace(found.table, columns=columns))
