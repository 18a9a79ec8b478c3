"""One seed, many independent streams of random numbers, each with a name.

A stream is a function of (seed, names) alone, never of what was drawn before it. That is what
makes a resumed training run bit-identical to one that never stopped: nothing has to be saved.
"""

from __future__ import annotations

import hashlib
from operator import index
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import torch


def derive(seed: int, *names: str | int) -> int:
    """A 63-bit seed for the stream called ``names`` under ``seed``.

    >>> derive(0, "batches", 3) == derive(0, "batches", 3) != derive(0, "batches", 4)
    True
    """
    # index() makes NumPy's integers plain, whose repr would otherwise be another stream.
    key = tuple(str(part) if isinstance(part, str) else index(part) for part in (seed, *names))
    digest = hashlib.sha256(repr(key).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def torch_generator(
    seed: int, *names: str | int, device: str | torch.device = "cpu"
) -> torch.Generator:
    """A ``torch.Generator`` on ``device`` for the stream ``names``."""
    import torch

    return torch.Generator(device=device).manual_seed(derive(seed, *names))


def torch_stream(seed: int | None, *names: str | int) -> torch.Generator | None:
    """``torch_generator``, or None without a seed: torch's own, which is new every time."""
    return None if seed is None else torch_generator(seed, *names)


def numpy_generator(seed: int, *names: str | int) -> np.random.Generator:
    """A NumPy generator for the stream ``names``."""
    import numpy as np

    return np.random.default_rng(derive(seed, *names))
