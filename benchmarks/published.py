"""The table of the IWAE paper, by ours: ``python -m benchmarks.published [NAME …]``.

Two hidden layers of 200 tanh units on either side of 50 latent neurons, dynamic binarisation, the
bound of 5 000 samples on the 10 000 test images (Burda, Grosse & Salakhutdinov 2016,
arXiv:1509.00519, table 1). A training has its run in ``runs/published`` and a stopped one goes on;
judging goes on too, part by part. Nothing is chosen on test images: the epochs are what an hour of
one quiet core is about enough for, the rest is what ``zscape train`` does unasked but for the batch
size. Every process computes in one thread, so that what comes out is independent of the number of
cores.

On a CUDA device, or with ``--budget SECONDS``, all are trained at the same time, within so many
seconds; ``benchmarks/together.py`` says how.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

import zscape
from benchmarks.together import BATCH, EMA, RATE, Row, train_together
from zscape.data import Splits
from zscape.evaluation.bounds import estimate
from zscape.files import make_folder, write_atomic
from zscape.model import VAE
from zscape.model.layers import soft_bound
from zscape.training import Run

FOLDER = Path(__file__).parent
RUNS = FOLDER.parent / "runs" / "published"
SAMPLES = 5_000
PART = 500
"""Test images that are judged at a time; what is done is kept."""
OPTIONS: dict[str, Any] = {
    "latent_dim": 50, "binarize": "dynamic", "batch_size": 256,
}  # fmt: skip


class Arm(NamedTuple):
    """One row of the table: what is trained, and what was published for it."""

    objective: str
    train_samples: int
    epochs: int
    paper: float
    """Negative log-likelihood, nats: Burda et al. 2016, of dreg Tucker et al. 2019."""
    again: float | None
    """By a public reproduction of the paper."""


ARMS = {
    "vae": Arm("elbo", 1, 400, 86.76, 86.35),
    "iwae-5": Arm("iwae", 5, 200, 85.54, 85.18),
    "iwae-50": Arm("iwae", 50, 40, 84.78, 84.59),
    "dreg-50": Arm("dreg", 50, 40, 84.32, None),
}


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


def train(folder: Path, data: Any = "mnist", **options: Any) -> Run:
    """The finished run of ``folder``: begun, gone on with, or there already."""
    if not (folder / "config.json").is_file():
        zscape.train(data, out=folder, progress="lines", network=PublishedVAE, **OPTIONS | options)
    run = Run.open(folder)
    if len(run.metrics()) < run.config.train.epochs:
        own = None if data == "mnist" else data
        zscape.resume(run, own, network=PublishedVAE, progress="lines")
    return run


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


def measure(name: str) -> dict[str, Any]:
    """Train and judge one row of the table."""
    arm = ARMS[name]
    options = {"objective": arm.objective, "train_samples": arm.train_samples}
    run = train(RUNS / name, epochs=arm.epochs, **options)
    model = run.model(network=PublishedVAE).model
    nll = judge(model, run.path, zscape.load_data("mnist").test)
    lines = run.metrics()
    return {
        "epochs": len(lines),
        "seconds": round(sum(line["seconds"] for line in lines), 1),
        "samples": SAMPLES,
        "n_images": len(nll),
        "nll": estimate(nll)._asdict(),
        "curve": [
            [line["epoch"], line["running"].get("objective", line["running"]["loss"]),
             line["test"]["loss"]] for line in lines
        ],
    }  # fmt: skip


def within(
    budget: float, names: list[str], data: Splits, folder: Path, samples: int = SAMPLES
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows ``names`` trained at the same time in ``budget`` seconds, one by one as judged."""
    models = {name: (PublishedVAE(), Row(*ARMS[name][:2])) for name in names}
    trainings = train_together(models, data, folder, budget)
    for name, one in trainings.items():
        # Judged anew if it has gone on since.
        place = one.folder / f"epoch-{one.epoch}"
        make_folder(place)
        nll = judge(one.averaged, place, data.test, samples)
        yield (
            name,
            {
                "epochs": one.epoch,
                "planned": one.planned,
                "seconds": round(one.seconds, 1),
                "budget": budget,
                "device": device_name(),
                "samples": samples,
                "n_images": len(nll),
                "nll": estimate(nll)._asdict(),
                "curve": one.curve,
            },
        )


def device_name() -> str:
    """What all of them ran on."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "a CPU"


def as_markdown(results: dict[str, Any]) -> str:
    """Ours beside what was published, and how each training went."""
    lines = [
        "# Beside a published table",
        "",
        "Made by `make published` on 2 CPU cores, each model in one thread: two hidden layers of "
        "200 tanh units on either side of 50 latent neurons, Bernoulli pixels, 60 000 training "
        "images of MNIST binarised anew in every epoch, our default optimiser at batch size "
        f"{OPTIONS['batch_size']}. Figures are negative log-likelihoods in nats (lower is better), "
        f"by the importance-weighted bound of {SAMPLES:,} samples on the 10 000 test images, each "
        "binarised once; ± is the standard error over images. Published: Burda et al. 2016 "
        "(3 280 epochs), of dreg Tucker et al. 2019; again: a public reproduction of the first.",
        *together_in_words(results),
        "",
        "| objective | k | ours | published | again | epochs | minutes |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, arm in ARMS.items():
        if (found := results.get(name)) is None:
            ours, epochs, minutes = "not measured", "", ""
        else:
            ours = "{mean:.2f} ± {error:.2f}".format(**found["nll"])
            epochs, minutes = str(found["epochs"]), f"{found['seconds'] / 60:.0f}"
            if "planned" in found:
                epochs, minutes = f"{epochs} of {found['planned']}", f"{minutes}, together"
        again = "" if arm.again is None else f"{arm.again:.2f}"
        lines.append(
            f"| {arm.objective} | {arm.train_samples} | {ours} | {arm.paper:.2f} | {again} "
            f"| {epochs} | {minutes} |"
        )
    lines += [
        "", "## The whole curve", "",
        "After so many epochs: the objective on the training images, a mean over the epoch while "
        "the weights moved, and minus the ELBO of grey test images by the averaged weights, one "
        "sample each; nats. The last line of each is where it stopped; nothing is extrapolated.",
        "", "| model | epoch | objective, training | ELBO, test |", "|---|---|---|---|",
    ]  # fmt: skip
    for name in filter(results.__contains__, ARMS):
        curve = results[name]["curve"]
        shown = {1, 2, 5, 10, 20, 50, 100, 200, 500, len(curve)}
        lines += [
            f"| {name} | {epoch} | {running:.2f} | {test:.2f} |"
            for epoch, running, test in curve
            if epoch in shown
        ]
    return "\n".join(lines) + "\n"


def together_in_words(results: dict[str, Any]) -> list[str]:
    """What is different of rows that were trained at the same time; nothing if none was."""
    rows = [found for found in results.values() if "planned" in found]
    if not rows:
        return []
    return [
        "",
        f"Rows marked *together* were trained at the same time on {rows[0]['device']} within "
        f"{rows[0]['budget']:.0f} s, otherwise: with Adam (epsilon 1e-4) and the learning rate in "
        f"the paper's eight stages from {RATE:g}, its 3 280 epochs made as few as there was time "
        f"for, at batch size {BATCH} (the paper's is 20, from 0.001); Glorot's weights, the last "
        f"bias the mean picture's; a running mean of the weights (decay {EMA}). Training "
        "multiplies in TF32, the bound is of float32. Where epochs are fewer than planned, time "
        "ran out.",
    ]


def main() -> None:
    """Measure what is asked for, several at a time, and write every result as it comes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(ARMS)}")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--budget", type=float, help="seconds for all; 330 on a CUDA device")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="of published.json and .md")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(ARMS):
        parser.error(f"unknown {', '.join(sorted(unknown))}; there are {', '.join(ARMS)}")
    names = arguments.names or list(ARMS)
    if arguments.one:
        write_atomic(RUNS / f"{names[0]}.json", json.dumps(measure(names[0])))
        return

    def in_its_own_process(name: str) -> int:
        command = [sys.executable, "-m", "benchmarks.published", name, "--one"]
        RUNS.mkdir(parents=True, exist_ok=True)
        with (RUNS / f"{name}.log").open("a") as log:
            return subprocess.run(
                command, cwd=FOLDER.parent, stdout=log, stderr=log,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            ).returncode  # fmt: skip

    file = arguments.folder / "published.json"
    results = json.loads(file.read_text()) if file.exists() else {}
    if arguments.budget or torch.cuda.is_available():
        data, budget = zscape.load_data("mnist"), arguments.budget or 330.0
        for name, row in within(budget, names, data, RUNS / "together"):
            results[name] = row
            write_atomic(file, json.dumps(results, indent=1) + "\n")
            write_atomic(arguments.folder / "published.md", as_markdown(results))
        print(as_markdown(results))
        return
    with ThreadPoolExecutor(arguments.jobs) as pool:
        codes = dict(zip(names, pool.map(in_its_own_process, names), strict=True))
    for name in names:
        if codes[name]:
            print(f"{name} stopped with code {codes[name]}; see {RUNS / name}.log")
        else:
            results[name] = json.loads((RUNS / f"{name}.json").read_text())
    write_atomic(file, json.dumps(results, indent=1) + "\n")
    write_atomic(arguments.folder / "published.md", as_markdown(results))
    print(as_markdown(results))
    sys.exit(any(codes.values()))


if __name__ == "__main__":
    main()
