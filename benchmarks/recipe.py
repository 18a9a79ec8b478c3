"""The search for the default recipe: ``python -m benchmarks.recipe``.

Every trial trains latent_dim 10 on the first 55 000 training images of MNIST and is judged on the
last 5 000; the test set is not touched. Trials that are in ``recipe.json`` already are not run
again. ``recipe.md`` is made from that file. Trials run side by side, one thread each, so their
seconds say nothing; ``make bench`` measures time.
"""

from __future__ import annotations

import json
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from zscape.files import write_atomic

FOLDER = Path(__file__).parent
N_VALIDATION = 5_000
EPOCHS = 8

MUON = {"optimizer": "muon", "batch_size": 512, "learning_rate": 8e-3}
"""Weights are not averaged unless a trial says so."""
TRIALS: list[dict[str, Any]] = [
    *({**MUON, "epochs": 16, "weight_decay": decay} for decay in (0.0, 0.1, 0.3, 1.0)),
    MUON,
    {"optimizer": "adam", "batch_size": 256, "learning_rate": 3e-3},
    {"optimizer": "adam", "batch_size": 128, "learning_rate": 3e-3},
    {**MUON, "batch_size": 256, "learning_rate": 5e-3},
    {**MUON, "learning_rate": 5e-3},
    {**MUON, "learning_rate": 1.2e-2},
    {**MUON, "batch_size": 1024},
    {**MUON, "warmup": 0.3},
    {**MUON, "ema": 0.99},
    {**MUON, "ema": 0.995},
    {**MUON, "ema": 0.99, "learning_rate": 1.2e-2},
    *({**MUON, **averaged, "seed": seed} for seed in (1, 2) for averaged in ({}, {"ema": 0.99})),
    {**MUON, "precision": "32"},
    {**MUON, "init": "tutorial"},
]


def run_trial(options: dict[str, Any]) -> list[float]:
    """Validation loss after every epoch; ends early with None if training diverged."""
    import torch

    import zscape
    from zscape.data import Splits

    train = zscape.load_data("mnist").train
    splits = Splits(train[: len(train) - N_VALIDATION], train[len(train) - N_VALIDATION :])
    torch.set_num_threads(1)
    result = zscape.train(splits, progress="none", **{"epochs": EPOCHS, "ema": 0.0, **options})
    return [round(line["test"]["loss"], 3) for line in result.history]


def as_markdown(results: list[dict[str, Any]]) -> str:
    """The table of all trials, best last loss of those with 8 epochs first."""
    lines = [
        "# The search for the default recipe",
        "",
        "Made by `python -m benchmarks.recipe`: latent_dim 10, `kld_weight` 1, 55 000 training "
        f"images, validation loss (nats) on the last {N_VALIDATION:,} training images, seed 0 and "
        "weights not averaged unless the options say so. The test set is not touched.",
        "",
        "| options | epochs | after 1 | 2 | 4 | 6 | 8 | last |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for result in sorted(results, key=lambda result: (len(result["loss"]), result["loss"][-1])):
        options = {k: v for k, v in result["options"].items() if k != "epochs"}
        text = ", ".join(f"{name} {value}" for name, value in options.items())
        loss = result["loss"]
        cells = [
            f"{loss[epoch - 1]:.2f}" if epoch <= len(loss) else "" for epoch in (1, 2, 4, 6, 8)
        ]
        lines.append(f"| {text} | {len(loss)} | {' | '.join(cells)} | {loss[-1]:.2f} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run what is missing, and write file and table after every trial."""
    os.environ["OMP_NUM_THREADS"] = "1"
    file = FOLDER / "recipe.json"
    results: list[dict[str, Any]] = json.loads(file.read_text()) if file.exists() else []
    known = [result["options"] for result in results]
    with ProcessPoolExecutor() as pool:
        trials = {pool.submit(run_trial, trial): trial for trial in TRIALS if trial not in known}
        for trial in as_completed(trials):
            results.append({"options": trials[trial], "loss": trial.result()})
            print(results[-1], flush=True)
            write_atomic(file, json.dumps(results, indent=1) + "\n")
            write_atomic(FOLDER / "recipe.md", as_markdown(results))


if __name__ == "__main__":
    main()
