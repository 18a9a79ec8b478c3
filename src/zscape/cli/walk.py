"""``zscape walk``: every way through the latent space by itself, in pictures and in numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from zscape.cli.inputs import LATENTS, PLACES, Latents, NewSeed, with_model
from zscape.cli.output import FIGURES, TABLES, Outs, check_outs, write_outs, write_walk
from zscape.cli.use import say_turns
from zscape.cli.vectors import (
    VECTOR_HELP,
    At,
    parse_terms,
    read_neurons,
    read_numbers,
    read_vector,
    read_vectors,
)
from zscape.errors import ConfigError

VECTORS = (".json", ".csv", ".parquet", ".npz")
OUTPUTS = (
    "-o writes .png or .svg; the vectors as .json (which any command takes back), .csv or "
    ".parquet; vectors and pictures as .npz; and of a way also a .gif. Without -o the vectors "
    "are printed."
)

app = typer.Typer(
    help="Walk through the latent space: each way as a picture, a GIF, or numbers.\n\n"
    f"{VECTOR_HELP}\n\n{OUTPUTS}",
    no_args_is_help=True,
)

Neurons = Annotated[
    str | None, typer.Option(metavar="0,3,…", help="Latent neurons; all by default.")
]
Range = Annotated[
    tuple[float, float], typer.Option("--range", help="Lowest and highest value, latent units.")
]
Values = Annotated[
    str | None, typer.Option(metavar="-3,0,…", help="These values instead of an even range.")
]
Seconds = Annotated[float, typer.Option(help="Of a .gif, one way.", min=0.1, max=600)]


@app.command()
@with_model("condition")
def random(
    where: Latents,
    out: Outs = None,
    n: Annotated[int, typer.Option("-n", help="How many.", min=1)] = 10,
    seed: NewSeed = None,
) -> None:
    """Vectors drawn at random from the prior, and their pictures."""
    from zscape import api, figures

    outs = check_outs(out, FIGURES + VECTORS)
    walk = api.sample(where.opened, n, seed=seed)
    say_turns(where)
    write_walk(where, outs, walk, lambda: figures.plot_random_samples(walk.images, walk.vectors))


@app.command()
@with_model(*PLACES)
def decode(
    where: Latents,
    vectors: Annotated[str, typer.Argument(metavar="VECTORS", help="One vector, or a file.")],
    out: Outs = None,
) -> None:
    """The pictures of any vectors, those of a file that a walk wrote for instance."""
    from zscape import figures, latents

    outs = check_outs(out, FIGURES + VECTORS)
    found = read_vectors(vectors, where)
    walk = latents.walk(where.decoder, found)
    write_walk(where, outs, walk, lambda: figures.plot_random_samples(walk.images, walk.vectors))


@app.command()
@with_model(*PLACES)
def line(
    where: Latents,
    out: Outs = None,
    start: Annotated[str, typer.Option("--from", metavar="VECTOR", help="Where it begins.")] = "",
    end: Annotated[str, typer.Option("--to", metavar="VECTOR", help="Where it ends.")] = "",
    steps: Annotated[int, typer.Option(help="Pictures, both ends included.", min=1)] = 10,
    path: Annotated[
        Literal["line", "slerp"], typer.Option(help="Straight, or along a great circle.")
    ] = "line",
    seconds: Seconds = 3.0,
) -> None:
    """From one place to another.

    zscape walk line zoo:10 --from image:0 --to proto:3 --steps 30 -o line.gif
    """
    import numpy as np

    from zscape import figures, latents

    outs = check_outs(out, (*FIGURES, ".gif", *VECTORS))
    if not start or not end:
        raise ConfigError("a line needs both its ends: --from VECTOR --to VECTOR.")
    ends = read_vector(start, where), read_vector(end, where)
    walk = latents.between(where.decoder, *ends, steps, path=path)
    share = np.linspace(0, 1, steps)
    write_walk(
        where, outs, walk,
        lambda: figures.plot_strip(walk.images, share[:, None]), {"share": share},
        lambda: figures.to_gif(
            walk.images, [f"{start}  →  {end}   {t:.0%}" if len(start + end) < 24 else f"{t:.0%}"
                          for t in share], seconds=seconds, note=where.note,
        ),
    )  # fmt: skip


@app.command()
@with_model(*LATENTS, "condition")
def along(
    where: Latents,
    column: Annotated[str, typer.Option(help="Which; class is the images' label.")] = "class",
    between: Annotated[
        tuple[str, str] | None, typer.Option(metavar="A B", help="Two values of a category.")
    ] = None,
    out: Outs = None,
    steps: Annotated[int, typer.Option(help="Pictures on the way.", min=2)] = 9,
    seconds: Seconds = 3.0,
    positions: Annotated[
        Path | None,
        typer.Option(
            help="Also write where every image lies along it: .csv, .json, .parquet, .md."
        ),
    ] = None,
) -> None:
    """The way along which a column of the images changes, and how well it tells it.

    zscape walk along zoo:10 --between 1 7 -o from1to7.png
    """
    import numpy as np

    from zscape import figures, latents

    outs = check_outs(out, (*FIGURES, ".gif", *VECTORS))
    told = check_outs([positions] if positions else [], TABLES)
    found = latents.column_direction(where.table, column, between=between, seed=where.seed)
    way = found.direction
    known = np.isfinite(found.values)
    low, high = np.quantile(way.positions[known], (0.02, 0.98)).tolist()
    places = np.linspace(low, high, steps)
    walk = latents.walk(where.decoder, way.at(places))
    said = found.sentence(column)
    print(said)
    write_walk(
        where, outs, walk,
        lambda: figures.plot_along(walk.images, places, way.positions, found.values, name=column,
                                   title=said, categories=found.categories,
                                   is_date=found.is_date),
        {"place": places},
        lambda: figures.to_gif(
            walk.images, [_number(place) for place in places], seconds=seconds, note=where.note
        ),
    )  # fmt: skip
    write_outs(told, table=lambda: where.table.scored({"position": way.positions}))


@app.command()
@with_model(*PLACES)
def traverse(
    where: Latents,
    neuron: Annotated[str, typer.Argument(help="The latent neuron: 3 or z3.")],
    out: Outs = None,
    at: At = "origin",
    limits: Range = (-3.0, 3.0),
    steps: Annotated[int, typer.Option(help="How many values.", min=1)] = 9,
    values: Values = None,
    seconds: Seconds = 3.0,
) -> None:
    """One neuron from end to end, all others held.

    zscape walk traverse zoo:10 3 --at proto:7 --steps 40 -o z3.gif
    """
    from zscape import figures, latents

    outs = check_outs(out, (*FIGURES, ".gif", *VECTORS))
    vae = where.opened.model
    number = latents.as_neuron(neuron, vae.latent_dim)
    places = _values(where, limits, steps, values)
    centre = read_vector(at, where)
    grid = latents.traversal(where.decoder, centre, number, places)
    walk = latents.Walk(grid.vectors[0], grid.images[0])
    write_walk(
        where, outs, walk, lambda: figures.plot_strip(walk.images, places[:, None]),
        {"neuron": [f"z{number}"] * len(places), "value": places},
        lambda: figures.to_gif(
            walk.images, [f"z{number} = {_number(value)}" for value in places], seconds=seconds,
            note=where.note,
        ),
    )  # fmt: skip


@app.command()
@with_model(*PLACES)
def progression(
    where: Latents,
    out: Outs = None,
    neurons: Neurons = None,
    at: At = "origin",
    limits: Range = (-4.5, 4.5),
    steps: Annotated[int, typer.Option(help="How many values.", min=1)] = 10,
    values: Values = None,
    seconds: Seconds = 3.0,
) -> None:
    """What every neuron does alone: a column per neuron, a row per value.

    The .gif moves all neurons at once, each in a picture of its own.
    """
    import numpy as np

    from zscape import figures, latents

    outs = check_outs(out, (*FIGURES, ".gif", *VECTORS))
    vae = where.opened.model
    chosen = read_neurons(neurons, vae.latent_dim)
    places = _values(where, limits, steps, values)
    centre = read_vector(at, where)
    walk = latents.traversal(where.decoder, centre, chosen, places)
    names = [f"z{number}" for number in chosen]
    columns = {"neuron": np.repeat(names, len(places)), "value": np.tile(places, len(names))}
    swapped = walk.images.transpose(0, 1)
    write_walk(
        where, outs, walk,
        lambda: figures.plot_progression(swapped, places, neurons=chosen), columns,
        lambda: figures.to_gif(
            swapped, [f"each at {_number(value)}" for value in places], names=names,
            seconds=seconds, note=where.note,
        ),
    )  # fmt: skip


@app.command()
@with_model(*PLACES)
def manifold(
    where: Latents,
    out: Outs = None,
    neurons: Annotated[str, typer.Option(metavar="X,Y", help="Two latent neurons.")] = "0,1",
    at: At = "origin",
    limits: Range = (-3.0, 3.0),
    steps: Annotated[int, typer.Option(help="Tiles along each side.", min=1)] = 20,
    quantiles: Annotated[
        bool, typer.Option("--quantiles", help="Every tile the same share of the prior.")
    ] = False,
) -> None:
    """The sheet of pictures over two neurons, the y axis upwards."""
    from zscape import figures, latents

    outs = check_outs(out, FIGURES + VECTORS)
    vae = where.opened.model
    pair = read_neurons(neurons, vae.latent_dim)
    if quantiles:
        where.refuse("limits", why="--quantiles says how far the sheet reaches")
    sides = latents.prior_quantiles(steps) if quantiles else _values(where, limits, steps, None)
    centre = read_vector(at, where)
    walk = latents.manifold(where.decoder, pair, x_values=sides, y_values=sides, z=centre)
    places = walk.vectors.reshape(-1, vae.latent_dim)
    columns = {"x": places[:, pair[0]], "y": places[:, pair[1]]}
    write_walk(
        where,
        outs,
        walk,
        lambda: figures.plot_manifold(walk.images, sides, sides, neurons=pair),
        columns,
    )


@app.command()
@with_model(*LATENTS, "condition")
def prototypes(
    where: Latents,
    out: Outs = None,
    method: Annotated[
        Literal["mean", "medoid"], typer.Option(help="medoid is the place of a real image.")
    ] = "mean",
) -> None:
    """One vector that stands for each class, its picture, and its neurons."""
    from zscape import figures, latents

    outs = check_outs(out, FIGURES + VECTORS)
    found = latents.prototypes(where.table, method)
    names = found.class_names
    own: Any = None
    if where.condition is None:
        own = where.table[found.rows] if found.rows is not None else None
        own = names if own is None and where.is_told_classes else own
    vae = where.own_decoder() if own is not None else where.decoder
    walk = latents.walk(vae, found.vectors, condition=own)
    write_walk(
        where, outs, walk, lambda: figures.plot_prototypes(walk.vectors, walk.images, names),
        {"class": list(names)} if found.rows is None else {},
        places_of=None if found.rows is None else where.table[found.rows],
    )  # fmt: skip


@app.command()
@with_model(*PLACES)
def arithmetic(
    where: Latents,
    expression: Annotated[str, typer.Argument(metavar="SUM", help="'proto:7 - proto:1 + image:3'")],
    out: Outs = None,
) -> None:
    """A sum of vectors: the picture of every term, and that of the result.

    Put spaces around + and -, and quotes around the whole: 'proto:7 - proto:1 + 0.5*image:3'
    """
    import numpy as np

    from zscape import figures, latents

    outs = check_outs(out, FIGURES + VECTORS)
    terms = parse_terms(expression)
    vectors = [read_vector(term.name, where) for term in terms]
    total = read_vector(expression, where)
    walk = latents.walk(where.decoder, np.stack([*vectors, total]))
    titles = [term.title(is_first=i == 0) for i, term in enumerate(terms)] + ["= the sum"]
    result = latents.Walk(walk.vectors[-1:], walk.images[-1:])
    write_walk(where, outs, result, lambda: figures.plot_pictures(walk.images, titles))


@app.command()
@with_model(*PLACES)
def around(
    where: Latents,
    out: Outs = None,
    at: At = "origin",
    radius: Annotated[float, typer.Option(help="Distance from it, latent units.")] = 1.0,
    n: Annotated[int, typer.Option("-n", help="How many.", min=1)] = 19,
    seed: NewSeed = None,
) -> None:
    """Places all as far from a vector, in directions drawn at random; the first is itself."""
    import numpy as np
    import torch

    from zscape import figures, latents

    outs = check_outs(out, FIGURES + VECTORS)
    centre = read_vector(at, where)
    vae = where.decoder
    ring = latents.neighbourhood(vae, centre, radius, n, seed=seed)
    middle = latents.walk(vae, centre)
    walk = latents.Walk(
        np.concatenate([middle.vectors, ring.vectors]), torch.cat([middle.images, ring.images])
    )
    titles = ["the middle", *map(str, range(1, n + 1))]
    write_walk(
        where, outs, walk, lambda: figures.plot_pictures(walk.images, titles),
        {"distance": [0.0] + [radius] * n},
    )  # fmt: skip


@app.command()
@with_model(*LATENTS, "condition")
def nearest(
    where: Latents,
    out: Outs = None,
    at: At = "origin",
    k: Annotated[int, typer.Option("-k", help="How many.", min=1)] = 9,
) -> None:
    """The images whose places lie nearest to a vector; first the vector's own picture."""
    import torch

    from zscape import figures, latents

    outs = check_outs(out, FIGURES + VECTORS)
    centre = read_vector(at, where)
    found = latents.nearest(where.table, centre, k)
    rows = where.table[found.rows]
    chosen = where.images[torch.from_numpy(found.rows)]
    classes = chosen.titles() or [f"image {index}" for index in rows.indices]
    titles = ["decoded"] + [
        f"{name} ({distance:.2f})" for name, distance in zip(classes, found.distances, strict=True)
    ]
    own = latents.walk(where.decoder, centre).images
    write_walk(
        where, outs, latents.Walk(rows.mu, chosen.pixels()),
        lambda: figures.plot_pictures(torch.cat([own, chosen.pixels()]), titles),
        {"distance": found.distances}, places_of=rows,
    )  # fmt: skip


def _values(where: Latents, limits: tuple[float, float], steps: int, values: str | None) -> Any:
    import numpy as np

    if values is not None:
        where.refuse("limits", "steps", why="--values says every value")
        return np.array(read_numbers(values, "--values"))
    if not limits[0] < limits[1] or not np.isfinite(limits).all():
        low, high = limits
        raise ConfigError(f"--range must be two finite numbers, rising; got {low:g} {high:g}.")
    return np.linspace(*limits, steps)


def _number(value: float) -> str:
    return f"{value:z.2f}".replace("-", "−")
