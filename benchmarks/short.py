"""The search for a recipe of four epochs: ``python -m benchmarks.short``, on a CUDA device.

One option after the other is varied and the best value kept, twice around; every candidate is
trained with three seeds on the first 55 000 training images of MNIST and judged on the last 5 000.
The test set is not touched. Candidates that are in ``short.json`` are not trained again, and
``short.md`` is made from that file. Not all that is varied is an option of ``zscape.train``: the
other schedules, Adam's betas, Muon's momentum and the first bias are changed here from outside.
"""

from __future__ import annotations

import json
import math
import statistics
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch

from benchmarks.gpu import machine_class
from benchmarks.recipe import N_VALIDATION
from benchmarks.tables import table
from zscape.config import RunConfig, TrainConfig
from zscape.data import Splits, load_data
from zscape.files import write_atomic
from zscape.model import build_model
from zscape.training import Trainer
from zscape.training.muon import Muon
from zscape.training.processes import create_fabric
from zscape.training.schedules import learning_rate

FILE = Path(__file__).with_suffix(".json")
EPOCHS, SEEDS, ROUNDS = 4, 3, 2
VARIED: dict[str, list[Any]] = {
    "batch_size": [512, 256, 384, 768],
    "learning_rate": [0.008, 0.012, 0.016, 0.024, 0.005],
    "warmup": [0.1, 0.05, 0.02, 0.2],
    "ema": [0.99, 0.98, 0.97, 0.95, 0.9],
    "falls": [
        "cosine",
        "linear",
        "last 60 %, linear",
        "last 60 %, 1 - sqrt",
        "last 90 %, 1 - sqrt",
    ],
    "adam_betas": [[0.9, 0.999], [0.9, 0.99], [0.9, 0.95], [0.8, 0.99]],
    "muon_momentum": [0.95, 0.9, 0.97],
    "first_bias": ["drawn", "the mean picture's"],
    "weight_decay": [0.1, 0.0, 0.5],
    "kl_warmup": [0.0, 0.5, 1.0],
}
"""The first of each is the default."""
PAGE = """\
# The search for a recipe of {epochs} epochs

Made by `python -m benchmarks.short` on {machine}. Negative ELBO of the last {n:,} training images,
nats, the mean of {seeds} seeds (least to greatest); 55 000 images are trained on, and the test set
is not touched. One thing after the other was varied and the best kept; a line says what is not the
default's. Seconds were not measured: smaller batches take longer.

{rows}
"""


def rate(falls: str, config: TrainConfig, step: int, n_steps: int) -> float:
    """The learning rate of a step, as ``schedules.learning_rate`` has it for the cosine."""
    n_warmup = config.warmup * n_steps
    if falls == "cosine" or step < n_warmup:
        return learning_rate(config, step, n_steps)
    left = 1 - (step - n_warmup) / max(1.0, n_steps - n_warmup)
    if falls != "linear":
        left = min(1.0, left / (int(falls.split()[1]) / 100))
    return config.learning_rate * (1 - math.sqrt(1 - left) if "sqrt" in falls else left)


def train(candidate: dict[str, Any], data: Splits, seed: int) -> float:
    """Loss of the validation images after the last epoch."""
    options = {name: values[0] for name, values in VARIED.items()} | candidate
    falls, betas, momentum, bias = (
        options.pop(name) for name in ("falls", "adam_betas", "muon_momentum", "first_bias")
    )
    config = RunConfig.from_options(epochs=EPOCHS, seed=seed, evaluate_train=0, **options)
    model = build_model(config.model)
    if bias != "drawn":
        first = torch.arange(min(2000, len(data.train)))
        mean = float(data.train.pixels(first).mean())
        with torch.no_grad():
            model.decoder[-1].bias.fill_(math.log(mean / (1 - mean)))
    losses = []
    with (
        patch("zscape.training.loop.learning_rate", partial(rate, falls)),
        patch("zscape.training.optimizers.AdamW", partial(torch.optim.AdamW, betas=betas)),
        patch("zscape.training.optimizers.Muon", partial(Muon, momentum=momentum)),
    ):
        one = Trainer(model, data, config.train, create_fabric(config.train))
        one.run(on_epoch=lambda _, epoch: losses.append(epoch.test.loss()))
    return round(losses[-1], 3)


def as_markdown(found: dict[str, Any]) -> str:
    """The page, the best first."""
    lines = []
    for one in sorted(found["candidates"], key=lambda one: statistics.mean(one["loss"])):
        named = ", ".join(f"{name} {value}" for name, value in one["changed"].items())
        loss = one["loss"]
        figure = f"{statistics.mean(loss):.2f} ({min(loss):.2f} to {max(loss):.2f})"
        lines.append((named or "the default recipe", figure))
    rows = "\n".join(table(("changed", "loss"), lines))
    return PAGE.format(
        epochs=EPOCHS, machine=found["machine"], n=N_VALIDATION, seeds=SEEDS, rows=rows
    )


def main() -> None:
    """Search, and write both files after every candidate."""
    images = load_data("mnist").train
    data = Splits(images[: len(images) - N_VALIDATION], images[len(images) - N_VALIDATION :])
    found = json.loads(FILE.read_text()) if FILE.exists() else {"candidates": []}

    def loss(candidate: dict[str, Any]) -> float:
        changed = {name: value for name, value in candidate.items() if value != VARIED[name][0]}
        known = (one for one in found["candidates"] if one["changed"] == changed)
        if not (one := next(known, None)):
            one = {"changed": changed, "loss": [train(changed, data, s) for s in range(SEEDS)]}
            found["candidates"].append(one)
            found["machine"] = machine_class()
            write_atomic(FILE, json.dumps(found, indent=1) + "\n")
            write_atomic(FILE.with_suffix(".md"), as_markdown(found))
            print(one, flush=True)
        return statistics.mean(one["loss"])

    best: dict[str, Any] = {}
    for _ in range(ROUNDS):
        for name, values in VARIED.items():
            best = min(({**best, name: value} for value in values), key=loss)
    print(as_markdown(found))


if __name__ == "__main__":
    main()
