"""``zscape probe`` and ``zscape disentanglement``: what the latents know of the images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from zscape.cli.inputs import Latents, with_model
from zscape.cli.output import TABLES, Outs, check_outs, show_table, write_outs

if TYPE_CHECKING:
    from zscape.latents import LatentTable

Column = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        help="What is asked for; class is the label. May be given several times; all by default.",
    ),
]


@with_model("data", "split", "rows", "n", "seed")
def probe(
    where: Latents,
    column: Column = None,
    group: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Cross-validate with its values kept together, so that no patient is on both "
            "sides.",
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(help="How often, on other images to fit on.", min=1)] = 5,
    outs: Outs = None,
) -> None:
    """Print how well simple readers of the latents tell the class and every column.

    They are fitted on training images and scored on test images; with --split train, or with
    --group, they are cross-validated.

    zscape probe zoo:10 -o probes.md
    """
    from zscape import evaluation

    written = check_outs(outs, TABLES)
    found = evaluation.probe(
        where.table, None if group or where.split == "train" else _training(where),
        columns=column, group=group, seeds=seeds, seed=where.seed,
    )  # fmt: skip
    print(f"{where.opened.name}, {found.how}")
    _say_left_out(found.left_out)
    if written:
        write_outs(written, table=lambda: found.frame.assign(how=found.how))
    else:
        show_table(found.frame)


@with_model("data", "split", "rows", "n", "seed")
def disentanglement(where: Latents, column: Column = None, outs: Outs = None) -> None:
    """Print whether each neuron goes its own way: MIG, SAP, DCI and the FactorVAE score.

    Against the columns of the images, or only those of --column. The file has a row for each
    factor, and the scores of them all in every row.

    zscape disentanglement runs/sprites
    """
    from zscape import evaluation

    written = check_outs(outs, TABLES)
    found = evaluation.disentanglement(where.table, column, seed=where.seed)
    print(f"{where.opened.name}, {found.n} {where.split} images of {where.table.name}")
    _say_left_out(found.left_out)
    known = {name: value for name, value in found.scores.items() if value == value}
    print("  ".join(f"{name} {known[name]:.3f}" if name in known else f"{name} –"
                    for name in found.scores))  # fmt: skip
    if written:
        totals = {f"all_{name}": value for name, value in found.scores.items()}
        write_outs(written, table=lambda: found.factors.assign(**totals))
    else:
        show_table(found.factors)


def _training(where: Latents) -> LatentTable:
    from zscape import latents

    return latents.encode(where.opened.model, where.opened.data(where.data).of("train"))


def _say_left_out(left_out: Mapping[str, str]) -> None:
    if left_out:
        print("left out: " + "; ".join(f"{name} ({why})" for name, why in left_out.items()))
