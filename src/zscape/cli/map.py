"""``zscape map``: the latent space in a plane, the way back from it, and how far to trust both."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from zscape.cli.fitting import (
    FitOn,
    Method,
    Settings,
    Standardize,
    fit,
    is_map,
    load_map,
)
from zscape.cli.inputs import LATENTS, Latents, with_model
from zscape.cli.output import FIGURES, TABLES, Outs, check_outs, show_table, walk_files, write_outs
from zscape.cli.vectors import read_neurons, read_numbers
from zscape.errors import ConfigError, DataError
from zscape.registry import built_in

if TYPE_CHECKING:
    import pandas as pd

    from zscape.embedding import Embedding
    from zscape.latents import LatentTable

DRAW = "draw"

Color = Annotated[
    str,
    typer.Option(
        metavar="COLUMN", help="What colours the points: class, none, a neuron (z3), or a column."
    ),
]


class _DrawByDefault(TyperGroup):
    """``zscape map zoo:10`` means ``zscape map draw zoo:10``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """See the base class."""
        # A command misspelt is no model: the base class says which one is near.
        known = {*self.commands, "--help"}
        is_model = args and (Path(args[0]).exists() or not get_close_matches(args[0], known))
        if is_model and args[0] not in known:
            args = [DRAW, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_DrawByDefault,
    help="Maps of the latent space in two dimensions, and the way back from any point of them.\n\n"
    "`zscape map MODEL -o map.png` is short for `zscape map draw MODEL -o map.png`.",
    no_args_is_help=True,
)

ModelOrMap = Annotated[
    str, typer.Argument(metavar="MODEL", help="A model (zoo:10, a run), or a map that was saved.")
]


@app.command(DRAW)
@with_model(*LATENTS, model=ModelOrMap)
def draw(
    where: Latents,
    out: Outs = None,
    method: Method = "pca",
    settings: Settings = None,
    standardize: Standardize = False,
    fit_on: FitOn = None,
    color: Color = "class",
    by: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="A panel for each class, or each value of a column."),
    ] = None,
) -> None:
    """Draw a map: .png or .svg, its coordinates as .csv, .parquet, .json, or all as .safetensors.

    A map saved as .safetensors is drawn again by giving it in place of the model. Numbers and dates
    colour along a bar; of more than 20 categories the rarest share a grey, as do missing values.
    """
    from zscape import figures

    outs = check_outs(out, (*FIGURES, *TABLES[:3], ".safetensors"), needs_one=True)
    where.check_written(outs, FIGURES, "color", "by")
    if is_map(Path(where.model)):
        embedding = load_map(Path(where.model), where, method)
        _check_colors(embedding.table, color, by)
    else:
        _check_colors(where.table, color, by)  # before the map is fitted
        embedding = fit(
            where.table, method, settings, standardize=standardize, seed=where.seed, fit_on=fit_on
        )
    drawn = [path for path in outs if path.suffix.lower() != ".safetensors"]
    write_outs(
        drawn,
        figure=lambda: figures.plot_map(embedding, color, by=by),
        table=lambda: _coordinates(embedding),
        note=_of_rows(embedding),
    )
    for path in outs:
        if path not in drawn:
            embedding.save(path)
            print(f"Wrote {path}")


@app.command()
@with_model(*LATENTS, "condition")
def decode(
    where: Latents,
    out: Outs = None,
    line: Annotated[
        tuple[str, str] | None, typer.Option(metavar="X0,Y0 X1,Y1", help="A line on the map.")
    ] = None,
    point: Annotated[
        list[str] | None, typer.Option(metavar="X,Y", help="A point on the map. Repeatable.")
    ] = None,
    steps: Annotated[int, typer.Option(help="Points along the line.", min=1)] = 10,
    inverse: Annotated[
        str, typer.Option(help=f"Way back: {built_in('inverse')}, or module:Class.")
    ] = "local",
    saved: Annotated[
        Path | None, typer.Option("--map", help="A map of this model that was saved.")
    ] = None,
    method: Method = "pca",
    settings: Settings = None,
    standardize: Standardize = False,
    fit_on: FitOn = None,
    color: Color = "class",
    seconds: Annotated[float, typer.Option(help="Of a .gif, one way.", min=0.1, max=600)] = 3.0,
) -> None:
    """Go back from points of a map to pictures, and say how far to trust each.

    zscape map decode zoo:10 --map tsne.safetensors --line -18,-4 26,-3 -o line.png

    distance is that to the nearest image on the map; round_trip how far from the point the map puts
    the vector that came back. Both in map units; large ones are not to be trusted.
    """
    from zscape import figures, latents
    from zscape.embedding import inverses

    outs = check_outs(out, (*FIGURES, ".gif", *TABLES, ".npz"))
    where.check_written(outs, (".gif",), "seconds")
    points = _points(where, line, point, steps)
    vae = where.decoder  # before the map is fitted
    if saved is None:
        embedding = fit(
            where.table, method, settings, standardize=standardize, seed=where.seed, fit_on=fit_on
        )
    else:
        embedding = load_map(saved, where, method)
        latents.check_belongs(embedding.table, where.opened.model)
    back = embedding.inverse_transform(points, inverses.allow(inverse, here=True))
    images = latents.decode(vae, back.vectors)
    frame = _trust(points, back)
    coloring = latents.coloring_of(embedding.table, color)
    if not outs:
        show_table(frame)
        return
    show_table(frame.iloc[:, :4])
    write_outs(
        outs,
        figure=lambda: figures.plot_marked_scatter(
            embedding.coordinates, points, images, coloring=coloring,
            axis_names=embedding.axis_names, is_map=embedding.method != "pair",
            is_line=line is not None,
        ),
        note=where.note,
        table=lambda: frame,
        others=walk_files(latents.Walk(back.vectors, images), where)
        | {
            ".gif": lambda: figures.to_gif(
                images, [f"({x:z.2f}, {y:z.2f})".replace("-", "−") for x, y in points],
                seconds=seconds, note=where.note,
            ),
        },
    )  # fmt: skip


@app.command()
@with_model(*LATENTS)
def quality(
    where: Latents,
    out: Outs = None,
    methods: Annotated[str, typer.Option(help="Which maps, side by side.")] = "pca,tsne,umap",
    n_neighbors: Annotated[int, typer.Option(help="Size of a neighbourhood.", min=1)] = 15,
    standardize: Standardize = False,
) -> None:
    """How much each map keeps of the latent space, side by side in one table; more is better.

    trustworthiness: neighbours on the map are neighbours in the latent space; continuity: the other
    way round; label_accuracy: neighbours vote for a point's class; distance_correlation: of all
    distances.
    """
    from zscape.embedding import map_quality

    outs = check_outs(out, TABLES)
    maps = [
        fit(where.table, method.strip(), None, standardize=standardize, seed=where.seed)
        for method in methods.split(",")
    ]
    frame = map_quality(maps, n_neighbors=n_neighbors, seed=where.seed)
    show_table(frame)
    write_outs(outs, table=lambda: frame)


@app.command()
@with_model(*LATENTS, model=ModelOrMap)
def variance(
    where: Latents,
    out: Outs = None,
    standardize: Standardize = False,
) -> None:
    """How much of the variance each principal component explains, and all up to it."""
    import pandas as pd

    from zscape import figures

    outs = check_outs(out, FIGURES + TABLES)
    ratios = _components(where, standardize)["explained_variance_ratio"]
    frame = pd.DataFrame(
        {"explained": ratios, "together": ratios.cumsum()},
        pd.Index([f"PC{i + 1}" for i in range(len(ratios))], name="component"),
    )
    if not outs:
        show_table(frame)
    write_outs(outs, figure=lambda: figures.plot_explained_variance(ratios), table=lambda: frame)


@app.command()
@with_model(*LATENTS, model=ModelOrMap)
def loadings(
    where: Latents,
    out: Outs = None,
    standardize: Standardize = False,
) -> None:
    """How much of every neuron is in each principal component; the picture shows the first two."""
    import pandas as pd

    from zscape import figures

    outs = check_outs(out, FIGURES + TABLES)
    components = _components(where, standardize)["components"]
    frame = pd.DataFrame(
        components,
        pd.Index([f"PC{i + 1}" for i in range(len(components))], name="component"),
        [f"z{i}" for i in range(components.shape[1])],
    )
    if not outs:
        show_table(frame)
    write_outs(outs, figure=lambda: figures.plot_loadings(components), table=lambda: frame)


@app.command()
@with_model(*LATENTS)
def pairs(
    where: Latents,
    out: Outs = None,
    neurons: Annotated[
        str | None, typer.Option(metavar="0,3,…", help="At most 12; all by default.")
    ] = None,
    color: Color = "class",
) -> None:
    """Every pair of neurons as a scatter, and the density of each per class."""
    from zscape import figures
    from zscape.latents import coloring_of

    outs = check_outs(out, FIGURES, needs_one=True)
    source = where.table
    coloring = coloring_of(source, color)
    chosen = None if neurons is None else read_neurons(neurons, source.latent_dim)
    write_outs(
        outs,
        figure=lambda: figures.plot_pairs(source.mu, coloring=coloring, neurons=chosen),
    )


def _points(
    where: Latents, line: tuple[str, str] | None, points: list[str] | None, steps: int
) -> list[tuple[float, float]]:
    import numpy as np

    if (line is None) == (not points):
        raise ConfigError("give either --line X0,Y0 X1,Y1 or points: --point X,Y.")
    if line is None:
        where.refuse("steps", why="--point says every point")
        return [_pair(text) for text in points or ()]
    start, end = map(_pair, line)
    return [(float(x), float(y)) for x, y in np.linspace(start, end, steps)]


def _pair(text: str) -> tuple[float, float]:
    numbers = read_numbers(text, "coordinates on the map")
    if len(numbers) != 2:
        raise ConfigError(f"a point of the map is X,Y; got {text!r}.")
    return numbers[0], numbers[1]


def _trust(points: list[tuple[float, float]], back: Any) -> pd.DataFrame:
    import pandas as pd

    known = pd.DataFrame(points, columns=["x", "y"])
    known["distance"], known["round_trip"] = back.distance, back.round_trip
    known.index = pd.RangeIndex(1, len(known) + 1, name="point")
    names = [f"z{i}" for i in range(back.vectors.shape[1])]
    return pd.concat([known, pd.DataFrame(back.vectors, known.index, names)], axis=1)


def _check_colors(table: LatentTable, color: str, by: str | None) -> None:
    from zscape.latents import coloring_of, groups_of

    coloring_of(table, color)
    if by is not None:
        groups_of(table, by)


def _of_rows(embedding: Embedding) -> str:
    """What a figure says of a map that was not fitted on all of its points."""
    said = embedding.about_rows
    return f"{said.capitalize()} images; the others are placed by these." if said else ""


def _coordinates(embedding: Embedding) -> pd.DataFrame:
    """A row per image: its place on the map, and what is known of it."""
    return embedding.table.scored(dict(zip("xy", embedding.coordinates.T, strict=True)))


def _components(where: Latents, standardize: bool) -> dict[str, Any]:
    if not is_map(Path(where.model)):
        return fit(where.table, "pca", None, standardize=standardize, seed=0).fitted.state
    embedding = load_map(Path(where.model), where, joins=False)
    if "components" not in embedding.fitted.state:
        raise DataError(
            f"{where.model} is a map by {embedding.method}; components are those of pca."
        )
    return embedding.fitted.state
