"""Train the zoo: ``python tools/build_zoo.py [NAME …] [--jobs N]``.

Every model has its run in ``runs/zoo/NAME``; one that was stopped goes on where it was, one that
is finished is only published again. Each job computes in one thread, which on a small machine
trains two models in less time than two threads train one after the other, and makes the result
independent of the number of cores.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

ROOT = Path(__file__).parent.parent
RUNS = ROOT / "runs" / "zoo"
ZOO = ROOT / "src" / "zscape" / "zoo"
WANTED = [(dim, 1.0) for dim in (10, 2, 3, 4, 5, 6, 8, 9, 15, 20, 32)]
WANTED += [(10, 0.0), (10, 0.5), (10, 4.0)]
EPOCHS = 30
WEIGHT_DECAY = 0.3
"""The best of the search at many epochs; see benchmarks/recipe.md."""


def train(name: str, latent_dim: int, kld_weight: float) -> None:
    """Train or finish one model, in this process."""
    import zscape
    from zscape.training import Run

    folder = RUNS / name
    if not (folder / "last.ckpt").is_dir():
        zscape.train(
            out=folder, overwrite=True, progress="lines", latent_dim=latent_dim,
            kld_weight=kld_weight, epochs=EPOCHS, weight_decay=WEIGHT_DECAY,
        )  # fmt: skip
    elif len(Run.open(folder).metrics()) < Run.open(folder).config.train.epochs:
        zscape.resume(folder, progress="lines")


def publish(name: str, kld_weight: float) -> None:
    """Write the float16 weights and the card of a finished run into the package."""
    import torch

    from zscape import __version__
    from zscape.data import load_data
    from zscape.model import mean_elbo
    from zscape.training import Run, load_weights, save_weights
    from zscape.zoo.cards import CARDS, WEIGHTS, Card

    run, data = Run.open(RUNS / name), load_data("mnist")
    vae, config = run.model()
    exact = mean_elbo(vae, data.test).loss(kld_weight)
    file = ZOO / WEIGHTS / f"{name}.safetensors"
    file.parent.mkdir(exist_ok=True)
    save_weights(vae, config, file, dtype=torch.float16)
    half = load_weights(file).model
    test, train = mean_elbo(half, data.test), mean_elbo(half, data.train)
    card = Card(
        name=name,
        latent_dim=config.latent_dim,
        kld_weight=kld_weight,
        config=run.config.to_dict(),
        epochs=len(run.metrics()),
        seconds=round(sum(line["seconds"] for line in run.metrics()), 1),
        train_loss=train.loss(kld_weight),
        test_loss=test.loss(kld_weight),
        reconstruction=test.reconstruction,
        kl=test.kl,
        n_active=test.n_active,
        half_precision_cost=test.loss(kld_weight) - exact,
        sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
        version=__version__,
        history=[
            {"epoch": line["epoch"]}
            | {
                name: {term: round(value, 3) for term, value in terms.items()}
                for name, terms in line.items()
                if isinstance(terms, dict)
            }
            for line in run.metrics()
        ],
    )
    index = ZOO / CARDS
    cards = json.loads(index.read_text()) if index.is_file() else []
    cards = [other for other in cards if other["name"] != name] + [asdict(card)]
    cards.sort(key=lambda other: (other["latent_dim"], other["kld_weight"]))
    index.write_text("[\n" + ",\n".join(map(json.dumps, cards)) + "\n]\n")
    cost = card.half_precision_cost
    print(f"zoo:{name}  test loss {card.test_loss:.2f}  float16 costs {cost:.4f}")


def main() -> None:
    """Train what is asked for, several at a time, then publish one after the other."""
    from zscape.zoo.cards import card_name

    wanted = {card_name(*pair): pair for pair in WANTED}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(wanted)}")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--train-one", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(wanted):
        parser.error(f"unknown {', '.join(unknown)}")
    names = arguments.names or list(wanted)
    if arguments.train_one:
        return train(names[0], *wanted[names[0]])

    def train_in_its_own_process(name: str) -> int:
        command = [sys.executable, __file__, name, "--train-one"]
        RUNS.mkdir(parents=True, exist_ok=True)
        with (RUNS / f"{name}.log").open("a") as log:
            environment = {**os.environ, "OMP_NUM_THREADS": "1"}
            return subprocess.run(command, stderr=log, stdout=log, env=environment).returncode

    with ThreadPoolExecutor(arguments.jobs) as pool:
        codes = dict(zip(names, pool.map(train_in_its_own_process, names), strict=True))
    for name in names:
        if codes[name]:
            print(f"zoo:{name} stopped with code {codes[name]}; see {RUNS / name}.log")
        else:
            publish(name, wanted[name][1])
    sys.exit(any(codes.values()))


if __name__ == "__main__":
    main()
