"""``zscape quality``: are samples like images, and are all kinds of images among them?"""

from __future__ import annotations

from zscape.cli.inputs import Latents, with_model
from zscape.cli.output import TABLES, Outs, check_outs, show_table, write_outs


@with_model("data", "n", "seed")
def quality(where: Latents, outs: Outs = None) -> None:
    """Print how samples of the prior compare with test images, and training images with them.

    Precision, recall, density, coverage and the Fréchet distance, in the features of a small
    classifier of 28x28 grey digits that ships. The row of the training images is what samples of a
    model without fault would have.

    zscape quality zoo:10 -n 5000
    """
    from zscape import api

    written = check_outs(outs, TABLES)
    found = api.quality(where.opened, where.data, n=where.n, seed=where.seed)
    print(f"{where.opened.name}, {found.how}")
    if written:
        write_outs(written, table=lambda: found.frame.assign(how=found.how))
    else:
        show_table(found.frame)
