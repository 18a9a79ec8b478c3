"""``zscape doctor``: what is wrong with a model, and what to try."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from zscape.cli.inputs import Latents, with_model
from zscape.cli.output import TABLES, Outs, check_outs, show_table, write_outs
from zscape.cli.progress import showing_progress


@with_model("data", "seed")
def doctor(
    where: Latents,
    by: Annotated[
        Literal["finding", "neuron"],
        typer.Option(help="A row per finding; or the measures of each latent neuron."),
    ] = "finding",
    outs: Outs = None,
) -> None:
    """Print what is wrong with a model, the gravest first, and one thing to try for each.

    Looks at its codes, decoder and layers, at test against training images, and at how its training
    went. What is normal is what the models of the zoo have.
    """
    from zscape import api
    from zscape.evaluation.checks import EXCESS

    written = check_outs(outs, TABLES)
    with showing_progress() as show:
        found = api.doctor(where.opened, where.data, seed=where.seed, progress=show)
    checkup = found.checkup
    print(f"{checkup.name}, {checkup.n_images} {checkup.data}: {found.verdict}")
    for finding in found.told:
        print(f"\n{finding.severity}: {finding.name}. {finding}")
    if found.following:
        print("\nThis may follow from it: " + ", ".join(one.name for one in found.following) + ".")
    is_whole = by == "finding"
    frame = found.table() if is_whole else checkup.per_neuron()
    if written:
        write_outs(written, table=lambda: frame)
    else:
        print()
        show_table(frame.drop(columns=["sentence", "advice"], errors="ignore"))
        if is_whole:
            print(EXCESS)
    for sentence in checkup.skipped:
        print(sentence)
