"""Does training ever fail? ``python -m benchmarks.stability`` trains the whole grid and writes
``docs/stability.md``; ``pytest -m slow`` asserts the same of every cell. With the first words of a
table's name (``network``) only its rows are measured, and printed.

Every run is 3 epochs on 10 000 MNIST images with the default recipe, tested on 2 000 others.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

EPOCHS = 3
N_TRAIN, N_TEST = 10_000, 2_000
PAGE = Path(__file__).parent.parent / "docs" / "stability.md"

GRID: dict[str, dict[str, tuple[dict[str, Any], int]]] = {
    "latent_dim": {str(dim): ({"latent_dim": dim}, 10) for dim in (1, 2, 3, 10, 32)},
    "kld_weight": {f"{w:g}": ({"kld_weight": float(w)}, 3) for w in (0, 0.1, 1, 4, 10)},
    "network, likelihood": {
        f"{network}, {likelihood}": ({"network": network, "likelihood": likelihood}, 3)
        for network in ("enhanced", "mlp")
        for likelihood in ("bernoulli", "continuous-bernoulli", "gaussian", "gaussian-learned")
    },
}


@dataclass(frozen=True)
class Outcome:
    """The test loss, KL and pixel error of every seed of one cell; of a run that diverged, None.

    The pixel error is the mean absolute difference of a test pixel from its reconstruction: the one
    number that means the same whatever the likelihood.
    """

    losses: tuple[float | None, ...]
    kls: tuple[float | None, ...]
    errors: tuple[float | None, ...]

    @property
    def n_finite(self) -> int:
        """Runs that ended."""
        return sum(loss is not None for loss in self.losses)

    @property
    def n_alive(self) -> int:
        """Runs that say something about the picture: a KL above 1 nat."""
        return sum(kl is not None and kl > 1 for kl in self.kls)


def train_cell(options: dict[str, Any], n_seeds: int) -> Outcome:
    """Train one cell with seeds 0 … n_seeds - 1."""
    import zscape
    from zscape import api

    drawn = zscape.DataConfig(n_train=N_TRAIN, n_test=N_TEST)
    found = []
    for seed in range(n_seeds):
        data = zscape.load_data("mnist", drawn, seed=seed)
        try:
            result = zscape.train(
                n_train=N_TRAIN, n_test=N_TEST, epochs=EPOCHS, seed=seed, progress="none", **options
            )
        except zscape.TrainingDiverged:
            found.append((None, None, None))
        else:
            test, pixels = result.history[-1]["test"], data.test.pixels()
            error = (api.reconstruct(result.model, data.test) - pixels).abs().mean()
            found.append((test["loss"], test["kl"], float(error)))
    return Outcome(*zip(*found, strict=True))


def cells() -> Iterator[tuple[str, str, dict[str, Any], int]]:
    """(what is varied, its value, options, seeds) of the whole grid."""
    for quantity, values in GRID.items():
        for value, (options, n_seeds) in values.items():
            yield quantity, value, options, n_seeds


def page(outcomes: dict[tuple[str, str], Outcome]) -> str:
    """The text of ``docs/stability.md``."""
    n = sum(len(outcome.losses) for outcome in outcomes.values())
    n_finite = sum(outcome.n_finite for outcome in outcomes.values())
    n_alive = sum(outcome.n_alive for outcome in outcomes.values())
    lines = [
        "# Stability",
        "",
        f"Made by `python -m benchmarks.stability` on a machine with {os.cpu_count()} CPU cores: "
        f"every run is {EPOCHS} epochs on {N_TRAIN:,} MNIST images with the default recipe, tested "
        f"on {N_TEST:,} others; seeds count from 0. `pytest -m slow` asserts the same.",
        "",
        f"**{n_finite} of {n}** runs ended finite, **{n_alive} of {n}** with a KL above 1 nat.",
    ]
    for quantity in GRID:
        lines += [
            "",
            f"| {quantity} | finite | KL > 1 | test loss, mean | spread (standard deviation) "
            "| worst | KL, mean | pixel error |",
            "|---|---|---|---|---|---|---|---|",
        ]
        for (varied, value), outcome in outcomes.items():
            if varied == quantity:
                lines.append(_row(value, outcome))
    return "\n".join(lines) + "\n"


def _row(value: str, outcome: Outcome) -> str:
    n = len(outcome.losses)
    losses = [loss for loss in outcome.losses if loss is not None]
    kls = [kl for kl in outcome.kls if kl is not None]
    errors = [error for error in outcome.errors if error is not None]
    numbers = "– | – | – | – | –"
    if len(losses) > 1:
        numbers = (
            f"{mean(losses):.2f} | {stdev(losses):.2f} | {max(losses):.2f} | {mean(kls):.2f} | "
            f"{mean(errors):.4f}"
        )
    return f"| {value} | {outcome.n_finite}/{n} | {outcome.n_alive}/{n} | {numbers} |"


def main() -> None:
    """Train the grid, one single-threaded process per core, and write the page."""
    os.environ["OMP_NUM_THREADS"] = "1"
    chosen = sys.argv[1] if len(sys.argv) > 1 else ""
    grid = [cell for cell in cells() if cell[0].startswith(chosen)]
    with ProcessPoolExecutor() as pool:
        found = pool.map(train_cell, [cell[2] for cell in grid], [cell[3] for cell in grid])
        outcomes = {}
        for (quantity, value, *_), outcome in zip(grid, found, strict=True):
            outcomes[quantity, value] = outcome
            print(quantity, _row(value, outcome), flush=True)
    if not chosen:
        # What is said below the tables was written by hand, and stays.
        _, mark, said = PAGE.read_text().partition("\n## ")
        PAGE.write_text(page(outcomes) + mark + said)


if __name__ == "__main__":
    main()
