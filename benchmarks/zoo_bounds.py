"""The zoo beside published tables: ``python -m benchmarks.zoo_bounds [--parts N] [NAME …]``.

The bound of 5 000 samples on MNIST's test images, each binarised once by its brightness: the
protocol of Burda, Grosse & Salakhutdinov 2016 (arXiv:1509.00519). All models of the zoo see the
same pixels. The images are dealt into 100 parts, part p being images p, p + 100, …, so that some of
the parts are a fair sample of all; ``zoo_bounds.json`` keeps every part that is done, a later call
goes on with the next, and ``docs/published.md`` says of how many images its figures are.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch

import zscape
from benchmarks.published import ARMS
from benchmarks.tables import table
from zscape.evaluation import estimate
from zscape.files import write_atomic
from zscape.zoo import load_pretrained, read_cards

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "zoo_bounds.json"
PAGE = FOLDER.parent / "docs" / "published.md"
SAMPLES, PARTS = 5_000, 100


PAGE_TEXT = """\
# Beside published tables

Made by `make published`, which goes on where it was stopped. All figures are minus a bound on
log p(x), nats per image; lower is better.

Test images of MNIST, each pixel white with its brightness as probability, drawn once; Bernoulli
likelihood. `nll` is the importance-weighted bound of {samples} samples from the posterior, `elbo`
the plain one. The zoo's figures are of {n} of the 10 000 test images, dealt evenly over all of
them, the same pixels for every model; ± is the standard error over images, most of which is that
some digits are harder than others, for all models alike. Models that are not listed have not been
measured yet. The decoder computes in bf16, which adds
{least} to {most} nats to `nll`, as measured on four of every hundred images, so only roughly.

## The zoo

{zoo}

## Published

Two hidden layers of 200 tanh units on either side of 50 latent neurons, trained on binarised
images for 3 280 epochs; {samples} samples, all test images (Burda et al. 2016, arXiv:1509.00519;
dreg: Tucker et al. 2019, arXiv:1810.04152). `benchmarks/published.py` trains the same by ours.

{published}

The two tables share their protocol and not their aim. The zoo's models were trained on grey pixels
for 30 epochs, most with few latent neurons, which are there to be looked at; none has seen a
binarised image before.
"""


def judge(name: str, part: int, images: zscape.ImageSet, samples: int = SAMPLES) -> dict[str, Any]:
    """One part of the images by one model: minus the bound and minus the ELBO, image by image."""
    # A seed for each part, or all would share their noise.
    protocol = zscape.Protocol("dynamic", samples=SAMPLES, seed=part, precision="bf16")
    found = zscape.evaluate(load_pretrained(name), images[part::PARTS], protocol)
    assert found.bf16_error is not None
    return {
        "nll": np.round(found.nll, 2).tolist(),
        "elbo": np.round(found.elbo, 2).tolist(),
        "bf16": found.bf16_error.mean,
    }


def as_markdown(results: dict[str, dict[str, Any]]) -> str:
    """The page: the zoo's figures beside the published ones."""
    cards = [card for card in read_cards().values() if results.get(card.name)]
    parts = sorted(set.intersection(*(set(results[card.name]) for card in cards)), key=int)
    best, rows, rounding = math.inf, [], []
    for card in cards:
        found = [results[card.name][part] for part in parts]
        nll, elbo = (estimate(np.concatenate([part[kind] for part in found]))
                     for kind in ("nll", "elbo"))  # fmt: skip
        n, best = sum(len(part["nll"]) for part in found), min(best, nll.mean)
        rounding.append(estimate(np.array([part["bf16"] for part in found])).mean)
        rows.append((f"`zoo:{card.name}`", card.latent_dim, f"{card.kld_weight:g}", str(nll),
                     str(elbo)))  # fmt: skip
    published = [(arm.objective, arm.train_samples, f"{arm.paper:.2f}") for arm in ARMS.values()]
    return PAGE_TEXT.format(
        samples=f"{SAMPLES:,}",
        n=f"{n:,}",
        least=f"{min(rounding):+.3f}",
        most=f"{max(rounding):+.3f}",
        zoo="\n".join(table(("model", "latent neurons", "kld_weight", "nll", "elbo"), rows)),
        published="\n".join(table(("objective", "k", "nll"), published)),
    )


def main() -> None:
    """Judge what is not judged yet, part by part, and write the page after each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="of the zoo; all by default")
    parser.add_argument(
        "--parts", type=int, default=10, help=f"of {PARTS}, 100 images each; ten by default"
    )
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    names, images = arguments.names or list(read_cards()), zscape.load_data("mnist").test
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for part in range(arguments.parts):
        for name in names:
            kept = results.setdefault(name, {})
            if str(part) not in kept:
                kept[str(part)] = judge(name, part, images)
                write_atomic(RESULTS, json.dumps(results) + "\n")
                print(f"zoo:{name}: part {part + 1} of {arguments.parts}", flush=True)
        write_atomic(PAGE, as_markdown(results))


if __name__ == "__main__":
    main()
