"""``zscape report``: the whole walk through a model's latent space, on one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zscape.cli.inputs import Latents, with_model
from zscape.cli.progress import showing_progress


@with_model("data", "seed", "condition")
def report(
    where: Latents,
    out: Annotated[Path, typer.Option("-o", "--out", help="Page to write, .html.")],
) -> None:
    """Write one page with everything there is to see in a model; it opens offline.

    Data, loss, reconstructions, latent neurons, prototypes, maps and the way back, hidden layers:
    each figure with what to look for. About a minute.
    """
    from zscape import api

    with showing_progress() as progress:
        page = api.write_report(
            where.opened, out, data=where.data, seed=where.seed, progress=progress
        )
    print(f"Wrote {page}")
