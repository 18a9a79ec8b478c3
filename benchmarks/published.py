"""Published tables by ours, and the zoo beside them: ``python -m benchmarks.published [NAME …]``.

All is judged by one protocol: minus the bound of 5 000 samples on MNIST's test images, each
binarised once by its brightness (Burda, Grosse & Salakhutdinov 2016, arXiv:1509.00519, table 1).
The rows of their table are two hidden layers of 200 tanh units on either side of 50 latent neurons;
``benchmarks/together.py`` trains them at the same time within a budget, on a CUDA device or a CPU,
and nothing is chosen on test images. Models of the zoo, ``zoo:NAME``, are judged as they ship.

Everything goes on where it was stopped: trainings have their state in ``runs/published``, and
judging keeps every part. The zoo's images are dealt into 100 parts, part p being images p, p + 100,
…, so that some of the parts are a fair sample of all. ``published.json`` and ``zoo_bounds.json``
keep what was found, and ``docs/published.md`` is made of them.
"""

from __future__ import annotations

import argparse
import json
import math
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

import zscape
from benchmarks.gpu import machine_class
from benchmarks.tables import table
from benchmarks.together import BATCH, EMA, PAPER_EPOCHS, RATE, SAVE_EVERY, Row, train_together
from zscape.data import Splits
from zscape.evaluation import Estimate, estimate
from zscape.files import make_folder, write_atomic
from zscape.model import VAE
from zscape.model.layers import soft_bound
from zscape.zoo import load_pretrained, read_cards

FOLDER = Path(__file__).parent
ROWS, ZOO = FOLDER / "published.json", FOLDER / "zoo_bounds.json"
PAGE = FOLDER.parent / "docs" / "published.md"
RUNS = FOLDER.parent / "runs" / "published"
SAMPLES = 5_000
PART = 500
"""Test images that are judged at a time by what was trained; what is done is kept."""
N_TEST = 10_000
PARTS = 100
"""Into which the test images are dealt for the zoo."""


class Arm(NamedTuple):
    """One row of the table: what is trained, and what was published for it."""

    row: Row
    paper: float | None
    """Negative log-likelihood, nats: Burda et al. 2016."""
    again: float
    """By public reproductions of the paper."""


ARMS = {
    "vae": Arm(Row("elbo", 1), 86.76, 86.35),
    "iwae-5": Arm(Row("iwae", 5), 85.54, 85.18),
    "iwae-50": Arm(Row("iwae", 50), 84.78, 84.59),
    "dreg-50": Arm(Row("dreg", 50), None, 84.32),
}

PAGE_TEXT = """\
# Beside published tables

Made by `make published`, which goes on where it was stopped. All figures are minus a bound on
log p(x), nats per image; lower is better.

Test images of MNIST, each pixel white with its brightness as probability, drawn once; Bernoulli
likelihood. `nll` is the importance-weighted bound of {samples} samples from the posterior, `elbo`
the plain one; ± is the standard error over images, most of which is that some digits are harder
than others, for all models alike.

## The network of the IWAE paper

Two hidden layers of 200 tanh units on either side of 50 latent neurons, trained on images that are
binarised anew in every step. Published: Burda et al. 2016 (arXiv:1509.00519). Reproduced: by
others, in public; the figure of dreg, the gradient of Tucker et al. 2019 (arXiv:1810.04152), is one
whose source we could not find again.

{rows}
{how}
## The zoo

{zoo}

"""


CURVES_TEXT = """
## How the trainings went

The objective on the training images, a mean over the epoch while the weights moved / minus the ELBO
of grey test images by the averaged weights, one sample each; nats. The last of each is where it
stopped.

"""


class PublishedVAE(VAE):
    """784-200-200-50 and back, tanh between."""

    def __init__(
        self,
        latent_dim: int = 50,
        image_shape: tuple[int, int, int] = (1, 28, 28),
        likelihood: str = "bernoulli",
    ) -> None:
        super().__init__(latent_dim, image_shape, likelihood)
        n = math.prod(image_shape)
        self.encoder = nn.Sequential(
            nn.Flatten(), nn.Linear(n, 200), nn.Tanh(), nn.Linear(200, 200), nn.Tanh()
        )
        self.mu = nn.Linear(200, latent_dim)
        self.logvar = nn.Linear(200, latent_dim)
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, 200), nn.Tanh(), nn.Linear(200, 200), nn.Tanh(),
            nn.Linear(200, n), nn.Unflatten(1, image_shape),
        )  # fmt: skip

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """See ``VAE.encode``."""
        h = self.encoder(self.check_images(x))
        return self.mu(h), soft_bound(self.logvar(h))

    def decode_logits(self, z: Tensor) -> Tensor:
        """See ``VAE.decode_logits``."""
        logits: Tensor = self.decoder(z)
        return logits


def judge(
    model: VAE, folder: Path, images: zscape.ImageSet, samples: int = SAMPLES
) -> np.ndarray[Any, Any]:
    """(n,) minus the bound of every image, dynamically binarised once; parts that are done stay."""
    found = []
    for part, start in enumerate(range(0, len(images), PART)):
        file = folder / f"bound-{samples}-{part}.json"
        if not file.is_file():
            # A seed for each part, or all would share their noise.
            protocol = zscape.Protocol(binarize="dynamic", samples=samples, seed=part)
            bound = zscape.evaluate(model, images[start : start + PART], protocol)
            write_atomic(file, json.dumps(bound.nll.tolist()))
            print(f"{folder}: {start + len(bound)} of {len(images)} images", flush=True)
        found += json.loads(file.read_text())
    return np.array(found)


def train_and_judge(
    budget: float, names: list[str], data: Splits, folder: Path, samples: int = SAMPLES
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows ``names`` trained at the same time in ``budget`` seconds, one by one as judged."""
    models = {name: (PublishedVAE(), ARMS[name].row) for name in names}
    for name, one in train_together(models, data, folder, budget).items():
        # Judged anew if it has gone on since.
        place = one.folder / f"epoch-{one.epoch}"
        make_folder(place)
        nll = judge(one.averaged, place, data.test, samples)
        found = {
            "epochs": one.epoch,
            "planned": one.planned,
            "seconds": round(one.seconds, 1),
            "budget": one.budget,
            "beside": names,
            "machine": machine_class(),
            "n_images": len(nll),
            "nll": estimate(nll)._asdict(),
            "curve": one.curve,
        }
        yield name, found


def judge_zoo(name: str, part: int, images: zscape.ImageSet, precision: str) -> dict[str, Any]:
    """One part of the images by a model of the zoo: mean and deviation of ``nll`` and ``elbo``."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    # A seed for each part, or all would share their noise.
    protocol = zscape.Protocol("dynamic", samples=SAMPLES, seed=part, precision=precision)
    found = zscape.evaluate(load_pretrained(name).to(device), images[part::PARTS], protocol)
    figures = {
        kind: [round(float(value), 6) for value in (values.mean(), values.std())]
        for kind, values in (("nll", found.nll), ("elbo", found.elbo))
    }
    rounding = found.bf16_error.mean if found.bf16_error else None
    return {"n": len(found), **figures, "bf16": rounding}


def pooled(parts: list[dict[str, Any]], kind: str) -> Estimate:
    """The estimate of all images from size, mean and standard deviation of every part."""
    sizes = np.array([part["n"] for part in parts])
    means, deviations = np.array([part[kind] for part in parts]).T
    mean = np.average(means, weights=sizes)
    variance = np.average(deviations**2 + (means - mean) ** 2, weights=sizes)
    return Estimate(float(mean), math.sqrt(variance / (sizes.sum() - 1)))


def as_markdown(rows: dict[str, Any], zoo: dict[str, Any]) -> str:
    """The page: ours beside what was published, the zoo, and how each training went."""
    lines = []
    for name, arm in ARMS.items():
        ours, epochs, paper = "not trained yet", "", arm.paper and f"{arm.paper:.2f}"
        if found := rows.get(name):
            ours = "{mean:.2f} ± {error:.2f}".format(**found["nll"])
            is_short = found["epochs"] < found["planned"]
            epochs = f"{found['epochs']}" + f" of {found['planned']}, time ran out" * is_short
        lines.append((*arm.row, ours, paper or "", f"{arm.again:.2f}", epochs))
    header = ("objective", "k", "ours, nll", "published", "reproduced", "epochs of ours")
    text = PAGE_TEXT.format(
        samples=f"{SAMPLES:,}",
        rows="\n".join(table(header, lines)),
        how=rows_in_words(rows),
        zoo=zoo_section(zoo),
    )
    return text.rstrip() + "\n" + curves(rows)


def rows_in_words(rows: dict[str, Any]) -> str:
    """On what and how long those that are there were trained; nothing if none was."""
    if not rows:
        return ""
    worse = [found["nll"]["mean"] - (ARMS[name].paper or ARMS[name].again)
             for name, found in rows.items()]  # fmt: skip
    epochs = [found["epochs"] for found in rows.values()]
    least, most = f"{min(worse):+.2f}", f"{max(worse):+.2f}"
    groups: dict[tuple[float, str, tuple[str, ...]], list[str]] = {}
    for name, found in rows.items():
        key = found["budget"], found["machine"], tuple(found["beside"])
        groups.setdefault(key, []).append(name)
    trained = "\n".join(
        f"{in_words(names)}: all at the same time{f' as {in_words(others)}' if others else ''}, "
        f"within {budget:.0f} s, on {machine}."
        for (budget, machine, beside), names in groups.items()
        for others in [[other for other in beside if other not in names]]
    )
    return f"""
Ours are {least} to {most} nats from what was published (reproduced, where nothing was), after
{min(epochs)} to {max(epochs)} epochs where the paper has {PAPER_EPOCHS:,}. What more epochs would
make of them was not measured, and nothing is extrapolated.

{trained}

The recipe is the paper's where time allows: Adam with an epsilon of 1e-4, the learning rate in
eight stages, Glorot's weights. Otherwise: epochs are as many as there is time for, each stage
keeping its share; batches of {BATCH}, not 20, from a learning rate of {RATE:g}, not 0.001; the last
bias begins as that of the mean picture; and the weights that are judged are a running mean (decay
{EMA}). On a CUDA device training multiplies in TF32; bounds are of float32, on all test images.
"""


def in_words(names: list[str]) -> str:
    """Rows as the page calls them."""
    return ", ".join(ARMS[name].row.in_words() for name in names)


def zoo_section(results: dict[str, Any]) -> str:
    """The zoo's figures, of the images that every model in the table has seen."""
    cards = [card for card in read_cards().values() if results.get(card.name)]
    if not cards:
        return "Not judged yet."
    of_all = {
        exact: set.intersection(*(
            {part for part, one in results[card.name].items() if (one["bf16"] is None) == exact}
            for card in cards
        ))
        for exact in (True, False)
    }  # fmt: skip
    is_exact = bool(of_all[True])
    parts, lines, rounding = sorted(of_all[is_exact], key=int), [], []
    for card in cards:
        found = [results[card.name][part] for part in parts]
        n = sum(part["n"] for part in found)
        rounding.append(0.0 if is_exact else float(np.mean([part["bf16"] for part in found])))
        lines.append((f"`zoo:{card.name}`", card.latent_dim, f"{card.kld_weight:g}",
                      pooled(found, "nll"), pooled(found, "elbo")))  # fmt: skip
    missing = [f"`zoo:{name}`" for name in read_cards() if not results.get(name)]
    unseen = f" Not judged yet: {', '.join(missing)}." if missing else ""
    epochs = " or ".join(map(str, sorted({card.epochs for card in cards})))
    figures = "\n".join(table(("model", "latent neurons", "kld_weight", "nll", "elbo"), lines))
    whole = n == N_TEST
    of = "all 10 000" if whole else f"{n:,} of the 10 000"
    dealt = "" if whole else ", dealt evenly over all of them"
    least, most = f"{min(rounding):+.3f}", f"{max(rounding):+.3f}"
    rounds = "The decoder computes in " + (
        "float32."
        if is_exact
        else f"bf16, which adds {least} to {most} nats to `nll`, as measured on four of every "
        "hundred images, so only roughly."
    )
    differs = ["aim", *["precision"] * (not is_exact), *["images"] * (not whole)]
    sentences = (
        f"Of {of} test images{dealt}, the same pixels for every model.{unseen} {rounds}",
        "The two tables share binarisation, likelihood and number of samples, and differ in "
        f"{' and '.join(differs)}. The zoo's models were trained on grey pixels for {epochs} "
        "epochs, most with few latent neurons, which are there to be looked at; none has seen a "
        "binarised image before. Beside the first table these figures are as uncertain as their ± "
        "says; among each other less, the pixels being the same.",
    )
    return "\n\n".join([figures, *(textwrap.fill(sentence, 100) for sentence in sentences)])


def curves(rows: dict[str, Any]) -> str:
    """How the trainings went, epoch by epoch."""
    names = [name for name in ARMS if name in rows]
    if not names:
        return ""
    points = {name: {point[0]: point[1:] for point in rows[name]["curve"]} for name in names}
    epochs = sorted({epoch for name in names for epoch in points[name]})
    lines = [
        (epoch, *(" / ".join(f"{x:.2f}" for x in points[name].get(epoch, ())) for name in names))
        for epoch in epochs
    ]
    header = ("epoch", *(ARMS[name].row.in_words() for name in names))
    return CURVES_TEXT + "\n".join(table(header, lines)) + "\n"


def read(file: Path) -> dict[str, Any]:
    """What was found before."""
    found: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    return found


def keep(rows: dict[str, Any], zoo: dict[str, Any]) -> None:
    """Write both files and the page."""
    write_atomic(ROWS, json.dumps(rows, indent=1) + "\n")
    write_atomic(ZOO, json.dumps(zoo) + "\n")
    write_atomic(PAGE, as_markdown(rows, zoo))


def main() -> None:
    """Train and judge what is asked for and not done yet, and write every result as it comes."""
    parser = argparse.ArgumentParser(description=__doc__)
    every = [*ARMS, *(f"zoo:{name}" for name in read_cards())]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(every)}")
    parser.add_argument(
        "--budget", type=float, help="seconds for all rows; 330 on a CUDA device, else an hour each"
    )
    parser.add_argument(
        "--parts", type=int, default=10, help=f"of {PARTS} for the zoo, 100 images each; ten"
    )
    arguments = parser.parse_args()
    names = arguments.names or every
    if unknown := set(names) - set(every):
        parser.error(f"unknown {', '.join(sorted(unknown))}; there are {', '.join(every)}")
    rows, zoo, data = read(ROWS), read(ZOO), zscape.load_data("mnist")
    if trained := [name for name in names if name in ARMS]:
        usual = 330.0 if torch.cuda.is_available() else 3600.0 * len(trained)
        budget = arguments.budget or usual
        for name, row in train_and_judge(budget, trained, data, RUNS):
            rows[name] = row
            keep(rows, zoo)
    torch.set_num_threads(1)  # what comes out is independent of the number of cores
    # A CUDA device is fast enough for float32, and what one has begun is gone on with as it is.
    exact = torch.cuda.is_available() or any(
        part["bf16"] is None for parts in zoo.values() for part in parts.values()
    )
    saved, precision = time.monotonic(), "32" if exact else "bf16"
    try:
        for part in range(arguments.parts):
            for name in (name.removeprefix("zoo:") for name in names if name not in ARMS):
                kept = zoo.setdefault(name, {})
                if str(part) not in kept or (exact and kept[str(part)]["bf16"] is not None):
                    kept[str(part)] = judge_zoo(name, part, data.test, precision)
                    print(f"zoo:{name}: part {part + 1} of {arguments.parts}", flush=True)
                    if time.monotonic() - saved > SAVE_EVERY:
                        keep(rows, zoo)
                        saved = time.monotonic()
    finally:
        keep(rows, zoo)
    print(as_markdown(rows, zoo))


if __name__ == "__main__":
    main()
