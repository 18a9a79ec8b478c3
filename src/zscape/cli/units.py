"""``zscape neurons layers|selective|silence|top|maps``: units of any layer, the hidden ones too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from zscape.cli.inputs import LATENTS, Latents, with_model
from zscape.cli.output import FIGURES, TABLES, Outs, check_outs, npz, show_table, write_outs
from zscape.cli.vectors import read_units
from zscape.errors import ConfigError

if TYPE_CHECKING:
    from zscape.neurons import ClassMoments

app = typer.Typer()

Layer = Annotated[str, typer.Option(help="A layer as zscape neurons layers calls it.")]
Units = Annotated[
    str | None, typer.Option(metavar="0,3,…", help="Units of the layer; all by default.")
]
MOST_UNITS = 64
"""Lines of pictures on one page."""


@app.command()
@with_model()
def layers(where: Latents, out: Outs = None) -> None:
    """The layers of the network: name, kind, units, and the size of their maps."""
    import pandas as pd

    from zscape.neurons import list_layers

    outs = check_outs(out, TABLES)
    frame = pd.DataFrame(
        [
            (one.name, one.part, one.kind, one.n_units, " x ".join(map(str, one.map_shape)))
            for one in list_layers(where.opened.model)
        ],
        columns=["layer", "part", "kind", "units", "map"],
    )
    if not outs:
        show_table(frame, with_index=False)
    write_outs(outs, table=lambda: frame)


@app.command()
@with_model(*LATENTS)
def selective(
    where: Latents,
    out: Outs = None,
    layer: Layer = "z",
    k: Annotated[int, typer.Option("-k", help="Units per class.", min=1)] = 3,
) -> None:
    """The units of a layer that tell each class best from the rest."""
    outs = check_outs(out, TABLES)
    frame = moments_of(where, layer).most_selective(k)
    if not outs:
        show_table(frame, with_index=False)
    write_outs(outs, table=lambda: frame)


@app.command()
@with_model(*LATENTS)
def silence(
    where: Latents,
    unit: Annotated[str, typer.Argument(help="The unit: 3, or z3 of the latent neurons.")],
    out: Outs = None,
    layer: Layer = "z",
    to: Annotated[
        Literal["zero", "mean"], typer.Option(help="Nothing, or its usual value.")
    ] = "zero",
) -> None:
    """What the reconstruction loses, per class, when one unit stops talking."""
    from zscape.neurons import find_layer, silence

    outs = check_outs(out, TABLES)
    vae = where.opened.model
    (number,) = read_units(unit, find_layer(vae, layer))
    frame = silence(vae, where.images, layer, number, to=to)
    if not outs:
        show_table(frame)
    write_outs(outs, table=lambda: frame)


@app.command()
@with_model(*LATENTS)
def top(
    where: Latents,
    out: Outs = None,
    layer: Layer = "z",
    units: Units = None,
    k: Annotated[int, typer.Option("-k", help="Images per unit.", min=1)] = 10,
    lowest: Annotated[bool, typer.Option("--lowest", help="The lowest responses instead.")] = False,
) -> None:
    """The images that drive each unit of a layer most."""
    import numpy as np
    import torch

    from zscape import figures
    from zscape.neurons import find_layer, top_images

    outs = check_outs(out, FIGURES + TABLES)
    vae, place = where.opened.model, find_layer(where.opened.model, layer)
    chosen = read_units(units, place)
    if units is None and len(chosen) > MOST_UNITS:
        raise ConfigError(
            f"layer {layer} has {len(chosen)} units, and a page {MOST_UNITS}; choose with --units."
        )
    found = top_images(vae, where.images, layer, k, largest=not lowest)
    rows, values = found.indices[chosen], found.values[chosen]
    names = [f"z{unit}" if layer == "z" else f"unit {unit}" for unit in chosen]
    scores = {
        "unit": np.repeat(chosen, rows.shape[1]),
        "rank": np.tile(np.arange(1, rows.shape[1] + 1), len(chosen)),
        "response": values.ravel(),
    }
    frame = where.table.scored(scores, rows.ravel(), index="image").reset_index()
    frame = frame[["unit", "rank", *(name for name in frame if name not in ("unit", "rank"))]]
    if not outs:
        show_table(frame, with_index=False)
    pictures = where.images.pixels(torch.from_numpy(rows.ravel()))
    pictures = pictures.reshape(*rows.shape, *pictures.shape[1:])
    write_outs(
        outs,
        figure=lambda: figures.plot_top_images(pictures, values, names),
        table=lambda: frame,
    )


@app.command()
@with_model("data", "split")
def maps(
    where: Latents,
    layer: Annotated[str, typer.Option(help="A convolution, as zscape neurons layers calls it.")],
    out: Outs = None,
    index: Annotated[int, typer.Option("--image", help="Number of the image.", min=0)] = 0,
) -> None:
    """What every channel of a convolution makes of one image; the numbers as .npz."""
    from zscape import figures
    from zscape.neurons import activation_maps

    outs = check_outs(out, (*FIGURES, ".npz"), needs_one=True)
    images = where.all_images
    if index >= len(images):
        raise ConfigError(f"--image must be in [0, {len(images) - 1}]; got {index}.")
    picture = images.pixels(slice(index, index + 1))[0]
    vae = where.opened.model.told_of(images)([index])
    found = activation_maps(vae, picture, layer)
    write_outs(
        outs,
        figure=lambda: figures.plot_activation_maps(found, picture, title=layer),
        others={".npz": lambda: npz(maps=found.numpy(), image=picture.numpy())},
    )


def moments_of(where: Latents, layer: str) -> ClassMoments:
    """Of the latent neurons from their table, of another layer by sending the images through."""
    from zscape.neurons import LATENT, class_moments, layer_moments

    if layer == LATENT:
        return class_moments(where.table)
    return layer_moments(where.opened.model, where.images, [layer])[layer]
