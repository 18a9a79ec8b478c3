"""``zscape evaluate``: how good a model is, and how that was measured."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from zscape.cli.inputs import Latents, with_model
from zscape.cli.output import TABLES, Outs, check_outs, show_table, write_outs
from zscape.cli.progress import showing_progress


@with_model("data", "split", "rows", "n", "seed")
def evaluate(
    where: Latents,
    samples: Annotated[
        int,
        typer.Option(
            help="Posterior samples of each image; more than one give the importance-weighted "
            "bound too.",
            min=1,
        ),
    ] = 1,
    binarize: Annotated[
        Literal["none", "threshold", "dynamic", "given"],
        typer.Option(
            help="Pixels as they are; white above one half; white with their brightness as "
            "probability; or black and white already."
        ),
    ] = "none",
    draws: Annotated[
        int, typer.Option(help="How often each image is binarised dynamically.", min=1)
    ] = 1,
    precision: Annotated[
        Literal["32", "bf16"],
        typer.Option(help="Of the decoder; bf16 also prints by how much it changes the figures."),
    ] = "32",
    by: Annotated[
        Literal["quantity", "class", "neuron"],
        typer.Option(help="A row per quantity, also for each class; or the KL of each neuron."),
    ] = "quantity",
    outs: Outs = None,
) -> None:
    """Print what the model pays for images, and under which protocol; lower is better.

    Reconstruction, KL, ELBO, and with several samples a closer bound on the log-likelihood: nats
    per image, and bits per pixel where there is a likelihood, each with its standard error.
    """
    from zscape import evaluation
    from zscape.evaluation.bounds import check_classes

    written = check_outs(outs, TABLES)
    protocol = evaluation.Protocol(binarize, draws, samples, where.seed, precision)
    if by == "class":
        check_classes(where.images.name, where.images.labels)
    with showing_progress() as show:
        found = evaluation.evaluate(
            where.opened.model, where.images, protocol, name=where.opened.name,
            progress=lambda done: show("evaluating", done),
        )  # fmt: skip
    tables = {"quantity": found.table, "class": found.per_class, "neuron": found.per_neuron}
    frame = tables[by]()
    print(f"{found.name}, {len(found)} {found.split} images of {found.data}: {protocol}")
    print(f"nats of {found.of} ({found.likelihood}), and their standard error over images")
    if found.bf16_error is not None:
        mean, error = found.bf16_error
        print(f"bf16 changes {found.closer} by {mean:+.3f} ± {error:.3f}")
    if written:
        how = {"likelihood": found.likelihood, **found.conditions()}
        write_outs(written, table=lambda: frame.assign(**how))
    else:
        show_table(frame)
