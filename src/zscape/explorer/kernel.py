"""The model behind the page, for networks that the page cannot run: bytes in, numbers out."""

from __future__ import annotations

import math
import threading

import numpy as np
import torch
from numpy.typing import NDArray

from zscape.errors import DataError, ShapeError
from zscape.latents import decode
from zscape.model import VAE, evaluating, is_finite

MAX_AT_ONCE = 1024
"""Pictures or vectors of one question."""


class Kernel:
    """Decodes and encodes raw little-endian float32, one question at a time."""

    def __init__(self, vae: VAE) -> None:
        self.vae = vae
        # Evaluation mode is a state of the model: two questions at once would undo each other's.
        self._lock = threading.Lock()

    @property
    def max_bytes(self) -> int:
        """The longest question."""
        return 4 * MAX_AT_ONCE * max(self.vae.latent_dim, math.prod(self.vae.image_shape))

    def decode(self, data: bytes | memoryview, condition: int | None = None) -> NDArray[np.float32]:
        """Vectors (n, latent_dim) → pictures (n, c, h, w) in [0, 1].

        Parameters
        ----------
        condition
            To a model that is told what pictures are: the number of what all of them are.

        Raises
        ------
        ShapeError, DataError
            The bytes are not whole rows of finite numbers, or more than ``MAX_AT_ONCE``.
        ConfigError
            There is no such condition, or it has to be said.
        """
        z = _rows(data, (self.vae.latent_dim,), "vectors")
        with self._lock:
            pictures: NDArray[np.float32] = decode(self._told(condition), z).numpy()
        return pictures

    def _told(self, condition: int | None) -> VAE:
        return self.vae if condition is None else self.vae.given(np.array([condition]))

    def encode(
        self, data: bytes | memoryview, condition: int | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Pictures (n, c, h, w) in [0, 1] → mean and log-variance, both (n, latent_dim).

        Raises
        ------
        ShapeError, DataError
            As ``decode``; also, a pixel outside [0, 1].
        """
        x = _rows(data, self.vae.image_shape, "pictures")
        if x.min() < 0 or x.max() > 1:
            raise DataError(f"pixels must lie in [0, 1]; got {x.min():g} to {x.max():g}.")
        device = next(self.vae.parameters()).device
        with self._lock, evaluating(self.vae):
            mu, logvar = self._told(condition).encode(torch.from_numpy(x).to(device))
        if not is_finite((mu, logvar)):
            raise DataError("the model gives latents that are not finite for these pictures.")
        return mu.float().cpu().numpy(), logvar.float().cpu().numpy()


def _rows(data: bytes | memoryview, shape: tuple[int, ...], what: str) -> NDArray[np.float32]:
    size = 4 * math.prod(shape)
    length = len(memoryview(data).cast("B"))
    n, rest = divmod(length, size)
    if rest or not 1 <= n <= MAX_AT_ONCE:
        raise ShapeError(
            f"{what} must come as float32, {size} bytes each, 1 to {MAX_AT_ONCE} at once; got "
            f"{length} bytes."
        )
    values = np.frombuffer(data, "<f4").astype(np.float32).reshape(n, *shape)
    if not np.isfinite(values).all():
        raise DataError(f"{what} must be finite numbers.")
    return values
