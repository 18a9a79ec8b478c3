"""Trials per hour of a sweep: one after the other, side by side, and on a Ray of this machine."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

WAYS: dict[str, tuple[str, ...]] = {
    "one": ("--workers", "1"), "local": (), "ray": ("--engine", "ray"),
}  # fmt: skip
"""What is timed, and the flags that it is."""


def sweeps(n: int = 12, n_train: int = 6_000, epochs: int = 3, rounds: int = 3) -> dict[str, Any]:
    """(h) The whole command, from its start to the page it writes; ways alternate."""
    found: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way, flags in WAYS.items():
            print(f"  sweep, {way}", end=" ", flush=True)
            found[way].append(n * 3600 / _seconds(n, n_train, epochs, flags))
            print(f"{found[way][-1]:.0f} trials/hour")
    return {"n": n, "n_train": n_train, "epochs": epochs, "trials_per_hour": found}


def _seconds(n: int, n_train: int, epochs: int, flags: tuple[str, ...]) -> float:
    dims = ",".join(map(str, range(2, 2 + n)))
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        subprocess.run(
            [
                Path(sys.executable).with_name("zscape"), "sweep", "--latent-dim", dims,
                "--n-train", str(n_train), "--n-test", "1000", "--epochs", str(epochs),
                "--out", Path(folder) / "sweep", *flags,
            ],
            check=True, capture_output=True,
        )  # fmt: skip
        return time.perf_counter() - began
