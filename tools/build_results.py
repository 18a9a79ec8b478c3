"""Write ``docs/results.md``: what the zoo pays for the test images of MNIST.

``make results``: about an hour on one core. Everything random has seed 0, so that only the last
digit may differ from machine to machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from zscape import api, figures
from zscape.cli.compare import markdown
from zscape.cli.progress import showing_progress
from zscape.evaluation import Comparison, Protocol
from zscape.files import write_atomic

DOCS = Path(__file__).parents[1] / "docs"
PROTOCOLS = {
    "zscape compare zoo:all --binarize dynamic --samples 50": Protocol("dynamic", samples=50),
    "zscape compare zoo:all": Protocol(),
}
"""By the command that prints the same."""

HEAD = """# Results

What the models that ship pay for the 10 000 test images of MNIST, on which none was trained or
chosen. `make results` writes this page (2 CPU cores, one thread, float32); what the columns are
stands in [how good is it?](evaluation.md), how the models were trained in [the zoo](zoo.md). The
best of a column is bold.

## Black and white, as in the literature

Each test image is binarised once, a pixel turning white with its brightness as probability. `nll`
is the importance-weighted bound of 50 samples; the 5 000 of most papers would bring it lower.
"""
GREY = """
## Grey, the tutorial's loss

Pixels as they are: a cross-entropy, a score and no likelihood, and so no figures to set beside the
literature. What drawing the very pictures would cost is in it. It is the loss on the models' cards,
there with other posterior samples.
"""


def main() -> None:
    """Measure, draw, write."""
    torch.set_num_threads(1)
    found = {}
    with showing_progress() as show:
        for command, protocol in PROTOCOLS.items():
            found[command] = api.measure_models(["zoo:all"], protocol=protocol, progress=show)
    write(found)


def write(found: Mapping[str, Comparison]) -> None:
    """The page and its figure, of what was measured for each of ``PROTOCOLS``."""
    parts = [HEAD]
    for command, one in found.items():
        parts.append(f"\n```\n{command}\n```\n\n{markdown(one).decode()}\n{one.verdict()}\n")
        if len(parts) == 2:
            caption = "Measures against the number of latent neurons and the weight of the KL"
            parts += [f"\n![{caption}](images/results.png)\n", GREY]
    figure = figures.plot_comparison(next(iter(found.values())).frame())
    for path, content in {
        DOCS / "images" / "results.png": figures.to_png(figure),
        DOCS / "results.md": "".join(parts),
    }.items():
        write_atomic(path, content)
        print(f"Wrote {path}")


if __name__ == "__main__":
    main()
