"""Running the command: inside this process, and as the installed program."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

ZSCAPE = Path(sys.executable).with_name("zscape")
OPTIONS = {"network": "mlp", "latent_dim": 3, "epochs": 2, "batch_size": 16, "optimizer": "adam"}
"""Of a tiny training; Adam, because Muon is slow on this network without bf16."""
ENVIRONMENT = {**os.environ, "PYTHONWARNINGS": "error", "OMP_NUM_THREADS": "1"}


def flags(options: dict[str, Any]) -> list[str]:
    """Options of ``zscape.train`` as the command line takes them."""
    pairs = ((f"--{name.replace('_', '-')}", str(value)) for name, value in options.items())
    return [part for pair in pairs for part in pair]


TINY = flags(OPTIONS)


def blobs(n: int, side: int = 16) -> np.ndarray:
    """(n, side, side) bytes: one soft bright spot each, somewhere."""
    centres = np.random.default_rng(0).random((n, 2, 1, 1)) * side
    y, x = np.mgrid[:side, :side]
    distance = (y - centres[:, 0]) ** 2 + (x - centres[:, 1]) ** 2
    return (255 * np.exp(-distance / side)).astype(np.uint8)


def save_npz(path: Path, n: int = 60, side: int = 16) -> Path:
    np.savez(path, images=blobs(n, side), labels=np.arange(n) % 3)
    return path


def load_npz(path: Path) -> dict[str, np.ndarray]:
    """Every array of the file, which is closed again."""
    with np.load(path) as arrays:
        return dict(arrays)


def _heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def start(*arguments: object, **kwargs: Any) -> subprocess.Popen[str]:
    """The installed program, in a process group of its own, with Ctrl-C as a terminal gives it.

    What runs the tests in the background may ignore it, and children inherit that.
    """
    return subprocess.Popen(
        [ZSCAPE, *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env=ENVIRONMENT, preexec_fn=_heed_interrupts, **kwargs,
    )  # fmt: skip


def run(*arguments: object, **kwargs: Any) -> subprocess.CompletedProcess[str]:
    """The installed program, to its end."""
    return subprocess.run(
        [ZSCAPE, *map(str, arguments)], capture_output=True, text=True, timeout=300,
        env=ENVIRONMENT, check=False, **kwargs,
    )  # fmt: skip


def is_group_gone(process: subprocess.Popen[str]) -> bool:
    """Whether the program left no process of its group behind."""
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return True
    return False
