"""What the machine has, and what of it a training uses."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch

from zscape._version import __version__
from zscape.errors import ConfigError

if TYPE_CHECKING:
    from lightning_fabric import Fabric

ACCELERATORS: dict[str, Callable[[], bool]] = {
    "cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available, "cpu": lambda: True,
}  # fmt: skip
"""What can be asked for; ``"auto"`` is the first that is there."""


def teach_allocator() -> None:
    """Let the C library keep the memory of a training step for the next one.

    glibc hands large blocks back to the system as they are freed, and every step then pays for
    getting them anew, page by page: a seventh of a step here. It stops doing so for blocks up to
    the size of the largest it has seen freed, so one is shown to it: the largest it goes by, 32 MB.
    Elsewhere this is a block that comes and goes.
    """
    torch.empty(32 * 2**20 - 2**16, dtype=torch.uint8)


def find_accelerator(name: str) -> str:
    """What ``"auto"`` becomes here; any other known name unchanged.

    Raises
    ------
    ConfigError
        Unknown, or not on this machine.
    """
    if name == "auto":
        return next(kind for kind, found in ACCELERATORS.items() if found())
    if name not in ACCELERATORS:
        raise ConfigError(
            f"accelerator must be auto or one of {', '.join(ACCELERATORS)}; got {name!r}."
        )
    if not ACCELERATORS[name]():
        raise ConfigError(f"accelerator {name} is not on this machine; use auto or cpu.")
    return name


def find_precision(name: str, accelerator: str) -> str:
    """``"bf16"`` or ``"32"``: what ``"auto"`` becomes is bf16 where the hardware computes in it.

    Other processors emulate bf16 and would be slower for it, not faster.

    Parameters
    ----------
    name
        ``"auto"``, ``"bf16"`` or ``"32"``.
    accelerator
        What ``find_accelerator`` found.
    """
    if name != "auto":
        return name
    if accelerator == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    elif accelerator == "cpu" and platform.machine().lower() in ("x86_64", "amd64"):
        native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    else:
        native = False
    return "bf16" if native else "32"


def find_environment(fabric: Fabric) -> dict[str, Any]:
    """What the run ran on, for ``environment.json``; holds what every ``auto`` became."""
    precision = "bf16" if fabric._precision.precision == "bf16-mixed" else "32"
    return {
        "zscape": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "platform": platform.platform(),
        "accelerator": fabric.device.type,
        "precision": precision,
        "devices": fabric.world_size,
        "threads": torch.get_num_threads(),
        "cpu_count": os.cpu_count(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "amx": torch.cpu._is_amx_tile_supported(),
    }
