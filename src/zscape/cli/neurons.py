"""``zscape neurons``: what the neurons know and what they do, each table and figure by itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from zscape.cli.inputs import LATENTS, Latents, with_model
from zscape.cli.output import FIGURES, TABLES, Outs, check_outs, npz, show_table, write_outs
from zscape.cli.units import Layer, moments_of
from zscape.cli.units import app as units
from zscape.cli.vectors import VECTOR_HELP, read_neurons, read_vector, read_vectors
from zscape.errors import ConfigError, DataError
from zscape.words import number

if TYPE_CHECKING:
    import pandas as pd


app = typer.Typer(
    help="What every neuron knows and does: the latent ones, and those of the hidden layers.\n\n"
    "-o writes .png or .svg; tables as .csv, .json, .parquet or .md. Without -o a table is "
    f"printed.\n\n{VECTOR_HELP}",
    no_args_is_help=True,
)

Neurons = Annotated[
    str | None, typer.Option(metavar="0,3,…", help="Latent neurons; all by default.")
]
Classes = Annotated[
    str | None, typer.Option(metavar="0,3,…", help="Names of classes; all by default.")
]
Vector = Annotated[str, typer.Option("--at", metavar="VECTOR", help="The others stay there.")]


@app.command("table")
@with_model(*LATENTS)
def table_(
    where: Latents,
    out: Outs = None,
) -> None:
    """A row per neuron: its KL, whether it is used, its spread, what it knows of the class.

    The picture shows the KL of each, and names the dead ones.
    """
    from zscape import figures
    from zscape.neurons import neuron_table

    outs = check_outs(out, FIGURES + TABLES)
    frame = neuron_table(where.table, seed=where.seed)
    if not outs:
        show_table(frame)
    write_outs(outs, figure=lambda: figures.plot_neuron_kl(frame["kl"]), table=lambda: frame)


@app.command()
@with_model(*LATENTS)
def image(
    where: Latents,
    out: Outs = None,
    classes: Classes = None,
    per_class: Annotated[int, typer.Option(help="Images of each class.", min=1)] = 50,
) -> None:
    """Images x neurons as one picture, in a band per class."""
    from zscape import figures

    outs = check_outs(out, FIGURES, needs_one=True)
    source = where.table
    write_outs(
        outs,
        figure=lambda: figures.plot_neuron_image(
            source.mu, source.labels, source.class_names, classes=_names(classes),
            n_per_class=per_class,
        ),
    )  # fmt: skip


@app.command()
@with_model(*LATENTS)
def histograms(
    where: Latents,
    out: Outs = None,
    classes: Classes = None,
    bars: Annotated[int, typer.Option(help="Of every histogram.", min=2)] = 40,
) -> None:
    """A histogram of every neuron per class; as a table, its mean, spread and quartiles."""
    from zscape import figures

    outs = check_outs(out, FIGURES + TABLES)
    source = where.table

    def quartiles() -> pd.DataFrame:
        frame = source.describe(per_class=source.has_labels)
        if classes is None:
            return frame
        _check_classes(_names(classes) or [], list(source.rows_by_class()))
        return frame.loc[_names(classes)]

    where.check_written(outs, FIGURES, "bars")
    if not outs:
        show_table(quartiles())
    write_outs(
        outs,
        figure=lambda: figures.plot_neuron_histograms(
            source.mu, source.labels, source.class_names, classes=_names(classes), n_bins=bars
        ),
        table=quartiles,
    )


@app.command()
@with_model(*LATENTS)
def heatmap(
    where: Latents,
    out: Outs = None,
    layer: Layer = "z",
    measure: Annotated[
        Literal["mean", "d-prime"],
        typer.Option(help="mean activation, or d-prime: how far a class stands apart."),
    ] = "mean",
) -> None:
    """Class x neuron: the mean activation, of the latent neurons or of a hidden layer's units.

    --label COLUMN takes a column of the images for their class.
    """
    from zscape import figures

    outs = check_outs(out, FIGURES + TABLES)
    moments = moments_of(where, layer)
    frame = moments.mean_table() if measure == "mean" else moments.d_prime()
    if not outs:
        show_table(frame)
    write_outs(
        outs,
        figure=lambda: figures.plot_class_neurons(
            frame, list(frame.index), units=list(frame.columns),
            label="mean activation" if measure == "mean" else "d′",
        ),
        table=lambda: frame,
    )  # fmt: skip


@app.command("columns")
@with_model(*LATENTS)
def columns_(
    where: Latents,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[COLUMN]…", help="Which; all that can be compared by default."),
    ] = None,
    out: Outs = None,
) -> None:
    """Which neuron goes with which column of the images: how far, how surely, and in words.

    The measure of numbers and dates is Spearman's rho, that of categories eta, the same for
    groups; q is p corrected for so many tests. The picture is a heatmap, column x neuron.
    """
    from zscape import figures
    from zscape.neurons import neuron_columns

    outs = check_outs(out, FIGURES + TABLES)
    found = neuron_columns(where.table, names or None, seed=where.seed)
    if not found.n_tests:
        raise DataError(f"no column can be compared with the neurons. {found.left_out_sentence()}")
    if not outs:
        show_table(found.frame, with_index=False)
    print("\n".join([*found.sentences(), found.left_out_sentence()]).strip())
    write_outs(
        outs,
        figure=lambda: figures.plot_neuron_columns(found.effects(), q=found.q_values()),
        table=lambda: found.frame,
    )


@app.command()
@with_model(*LATENTS)
def curves(
    where: Latents,
    column: Annotated[str, typer.Option(help="Which: numbers or dates.")],
    out: Outs = None,
    neurons: Neurons = None,
) -> None:
    """What every neuron does as a column of numbers or dates rises."""
    from zscape import figures
    from zscape.neurons import neuron_columns

    outs = check_outs(out, FIGURES, needs_one=True)
    table = where.table
    chosen = read_neurons(neurons, table.latent_dim)
    known = table.known_columns()
    values, is_date = known.numbers(column), known.kind(column) == "date"
    effects = neuron_columns(table, [column], seed=where.seed).effects().loc[column]
    titles = [f"z{i}   ρ = {number(effects[f'z{i}'])}" for i in chosen]
    write_outs(
        outs,
        figure=lambda: figures.plot_column_curves(
            table.mu[:, chosen], values, name=column, titles=titles, is_date=is_date
        ),
    )


@app.command()
@with_model(*LATENTS)
def correlations(
    where: Latents,
    out: Outs = None,
) -> None:
    """Which neurons say the same thing: the correlation of every pair."""
    from zscape import figures
    from zscape.neurons import correlation

    outs = check_outs(out, FIGURES + TABLES)
    source = where.table
    frame = correlation(source.mu)
    if not outs:
        show_table(frame)
    write_outs(outs, figure=lambda: figures.plot_correlations(frame), table=lambda: frame)


@app.command()
@with_model(*LATENTS, "condition")
def cards(
    where: Latents,
    out: Outs = None,
    neurons: Neurons = None,
    at: Vector = "origin",
) -> None:
    """All there is to say about every neuron, one card under the other."""
    outs = check_outs(out, FIGURES, needs_one=True)
    _write_cards(outs, where, read_neurons(neurons, where.opened.model.latent_dim), at)


@app.command()
@with_model(*LATENTS, "condition")
def card(
    where: Latents,
    neuron: Annotated[str, typer.Argument(help="The latent neuron: 3 or z3.")],
    out: Outs = None,
    at: Vector = "origin",
) -> None:
    """All there is to say about one neuron."""
    from zscape.latents import as_neuron

    outs = check_outs(out, FIGURES, needs_one=True)
    _write_cards(outs, where, [as_neuron(neuron, where.opened.model.latent_dim)], at)


@app.command()
@with_model(*LATENTS, "condition")
def jacobian(
    where: Latents,
    out: Outs = None,
    at: Annotated[
        str | None,
        typer.Option(metavar="VECTORS", help="Where to look; every class's prototype by default."),
    ] = None,
    neurons: Neurons = None,
) -> None:
    """How every pixel moves as a neuron does, as a picture; the numbers as .npz."""
    from zscape import figures
    from zscape.neurons import decoder_jacobian

    outs = check_outs(out, (*FIGURES, ".npz"), needs_one=True)
    chosen = read_neurons(neurons, where.opened.model.latent_dim)
    own: list[str] | None = None
    if at is None:
        vectors, names = where.prototypes.vectors, list(where.prototypes)
        own = names if where.is_told_classes else None
    else:
        vectors = read_vectors(at, where)
        names = [at] if len(vectors) == 1 else [f"{i}" for i in range(len(vectors))]
    where.check_heeded()
    vae = where.own_decoder() if own else where.decoder
    values = decoder_jacobian(vae, vectors, chosen, condition=own)
    write_outs(
        outs,
        figure=lambda: figures.plot_jacobians(values, names, neurons=chosen),
        note=where.note,
        others={
            ".npz": lambda: npz(
                jacobian=values.numpy(), vectors=vectors, neurons=chosen, names=names
            )
        },
    )


def _write_cards(outs: list[Path], where: Latents, chosen: list[int], at: str) -> None:
    from zscape import figures
    from zscape.neurons import neuron_cards

    centre = read_vector(at, where)
    cards = neuron_cards(
        where.decoder, where.images, where.table, at=centre, neurons=chosen, seed=where.seed
    )
    write_outs(outs, figure=lambda: figures.plot_neuron_cards(cards), note=where.note)


def _names(text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",")]


def _check_classes(wanted: list[str], known: list[str]) -> None:
    for name in wanted:
        if name not in known:
            raise ConfigError(f"classes must be among {', '.join(known)}; got {name}.")


app.add_typer(units)
