"""Drawn cells of which everything is known: what stands for a user's own images in the tests."""

from __future__ import annotations

import numpy as np
import torch

from zscape.data import ImageSet

TREATMENTS = ("none", "A", "B")


def make_cells(n: int = 300, side: int = 16, seed: int = 0) -> ImageSet:
    """Soft ellipses whose columns say how each was drawn, and some that say nothing of it.

    ``area`` (pixels), ``elongation`` (long side over short), ``angle`` (degrees from the
    horizontal) and ``brightness`` (0 to 1, every tenth missing) are numbers; ``treatment`` a
    category of which B makes cells half as large again; ``taken`` a date, ``plate`` a category and
    ``luck`` a number without a meaning; ``note`` text, ``site`` the same for all, ``file_name``.
    """
    rng = np.random.default_rng(seed)
    treatment = rng.integers(0, 3, n)
    area = side**2 / 10 * np.exp(rng.normal(0, 0.3, n)) * np.where(treatment == 2, 1.5, 1)
    elongation, angle = rng.uniform(1, 2.5, n), rng.uniform(0, 180, n)
    brightness = rng.uniform(0.4, 1, n)
    x, y = np.mgrid[:side, :side][::-1, None] - (side - 1) / 2
    turn = np.deg2rad(angle)[:, None, None]
    along, across = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
    long = np.sqrt(area * elongation / np.pi)[:, None, None]
    radius = np.hypot(along / long, across / long * elongation[:, None, None])
    cells = brightness[:, None, None] / (1 + np.exp(8 * (radius - 1)))
    day = np.datetime64("2026-03-01", "us") + rng.integers(0, 90, n).astype("timedelta64[D]")
    columns = {
        "file_name": [f"cell{i:04}.tif" for i in range(n)],
        "area": area,
        "elongation": elongation,
        "angle": angle,
        "brightness": np.where(np.arange(n) % 10 == 7, np.nan, brightness),
        "treatment": np.array(TREATMENTS)[treatment],
        "taken": day,
        "plate": np.array(["p1", "p2", "p3", "p4"])[rng.integers(0, 4, n)],
        "luck": rng.normal(size=n),
        "note": [f"cell number {i}" for i in range(n)],
        "site": ["Rome"] * n,
    }
    pixels = torch.from_numpy(np.rint(255 * cells).astype(np.uint8)[:, None])
    return ImageSet(pixels, split="test", name="cells", columns=columns)
