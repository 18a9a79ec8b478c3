"""What β does to the latent neurons of sprites: ``python -m benchmarks.sprites [--jobs N]``.

Fifteen models, five seeds of each objective, are trained and scored against the factors that
the sprites were drawn from. A run that was stopped goes on where it was, and one that is in
``sprites.json`` already is not trained again. ``sprites.md`` is made from that file.
"""

from __future__ import annotations

import argparse
import json
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from zscape.files import write_atomic
from zscape.model import ACTIVE_KL

FOLDER = Path(__file__).parent
RUNS = FOLDER.parent / "runs" / "sprites"
RESULTS = FOLDER / "sprites.json"
SEEDS = range(5)
OBJECTIVES: dict[str, dict[str, float]] = {
    "β = 1": {"kld_weight": 1.0},
    "β = 4": {"kld_weight": 4.0},
    "β-TC = 4": {"kld_weight": 1.0, "tc_weight": 3.0},
}
SETTINGS: dict[str, Any] = {
    "resize": 32, "network": "mlp", "latent_dim": 10, "epochs": 10, "batch_size": 128,
    "optimizer": "adam", "learning_rate": 2e-3, "evaluate_train": 0,
}  # fmt: skip
N_TRAIN = 12_000
SCORED = 30_000
"""``sprites:N`` whose test images, a sixth of it, are looked at."""


def train(name: str, seed: int) -> Path:
    """Train or finish one model, in one thread; the folder of its run."""
    import torch

    import zscape
    from zscape.training import Run

    torch.set_num_threads(1)
    folder = RUNS / f"{list(OBJECTIVES).index(name)}-{seed}"
    if not (folder / "last.ckpt").is_dir():
        zscape.train(f"sprites:{N_TRAIN}", out=folder, overwrite=True, progress="none", seed=seed,
                     **SETTINGS, **OBJECTIVES[name])  # fmt: skip
    elif len(Run.open(folder).metrics()) < SETTINGS["epochs"]:
        zscape.resume(folder, progress="none")
    return folder


def score(name: str, seed: int) -> dict[str, Any]:
    """One line of ``sprites.json``: what the model pays, and how it goes with the factors."""
    import torch

    import zscape
    from zscape import evaluation, neurons

    torch.set_num_threads(1)
    opened = zscape.load(train(name, seed))
    # Test images begin at the other end: none of them was trained on.
    table = zscape.encode(opened, opened.data(f"sprites:{SCORED}").test)
    found = evaluation.disentanglement(table)
    pays = evaluation.evaluate(opened.model, opened.data().test)
    return {
        "objective": name, "seed": seed,
        "reconstruction": evaluation.estimate(pays.reconstruction).mean,
        "kl": evaluation.estimate(pays.elbo - pays.reconstruction).mean,
        "in_use": int((neurons.mean_kl(table) > ACTIVE_KL).sum()),
        **found.scores,
        **{f"mig of {factor}": float(gap) for factor, gap in found.factors["mig"].items()},
        **{f"{factor} told": float(score)
           for factor, score in found.factors["informativeness"].items()},
    }  # fmt: skip


def as_markdown(results: list[dict[str, Any]]) -> str:
    """The mean over seeds and its standard deviation, a column per objective."""
    names = list(OBJECTIVES)
    title = (
        "# What β does to the latent neurons of sprites\n\n"
        f"Made by `python -m benchmarks.sprites`: {len(SEEDS)} seeds of each objective, "
        f"`sprites:{N_TRAIN}` and {', '.join(f'{k} {v}' for k, v in SETTINGS.items())}; scores on "
        f"{SCORED // 6} images of other combinations, costs in nats on the {N_TRAIN // 6} test "
        'images. Mean over seeds ± standard deviation. "mig of" a factor is its gap, "told" '
        "the accuracy or R² of the trees of DCI.\n"
    )
    lines = [title, f"| | {' | '.join(names)} |", "|---|" + "---:|" * len(names)]
    for quantity in (key for key in results[0] if key not in ("objective", "seed")):
        cells = []
        for name in names:
            values = [row[quantity] for row in results if row["objective"] == name]
            spread = f" ± {stdev(values):.2f}" if len(values) > 1 else ""
            cells.append(f"{mean(values):.2f}{spread}" if values else "–")
        lines.append(f"| {quantity} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Train and score what is missing, one after the other or in several processes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1)
    jobs = parser.parse_args().jobs
    results = json.loads(RESULTS.read_text("utf-8")) if RESULTS.is_file() else []
    done = {(row["objective"], row["seed"]) for row in results}
    missing = [(name, seed) for seed in SEEDS for name in OBJECTIVES if (name, seed) not in done]
    with ProcessPoolExecutor(jobs) as pool:
        for future in as_completed([pool.submit(score, *each) for each in missing]):
            results.append(future.result())
            results.sort(key=lambda row: (list(OBJECTIVES).index(row["objective"]), row["seed"]))
            write_atomic(
                RESULTS, (json.dumps(results, indent=1, ensure_ascii=False) + "\n").encode()
            )
            print(f"{len(results)} of {len(SEEDS) * len(OBJECTIVES)}", flush=True)
    write_atomic(RESULTS.with_suffix(".md"), as_markdown(results).encode())


if __name__ == "__main__":
    main()
