"""From images to their places in the latent space, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from zscape import latents
from zscape.api.opening import Openable, open_model
from zscape.data import ImageSet, ImagesLike, as_image_set
from zscape.errors import ConfigError
from zscape.latents import LatentTable, VectorLike, Walk, sample_prior
from zscape.seeding import torch_stream


def encode(
    model: Openable,
    images: ImagesLike = None,
    *,
    split: str = "test",
    progress: Callable[[int], None] | None = None,
) -> LatentTable:
    """Where the model puts images: the posterior of each, one row of a table.

    Parameters
    ----------
    model
        See ``open_model``.
    images, split
        See ``Opened.images``; the model's own test images by default.
    progress
        Called after every batch with the number of images done so far.

    Raises
    ------
    ShapeError, DataError, ConfigError, CheckpointError
        There is no such model, or the images do not fit it.

    Examples
    --------
    >>> import numpy as np, zscape
    >>> zscape.encode("zoo:10", np.zeros((3, 28, 28), np.uint8)).mu.shape
    (3, 10)
    """
    opened = open_model(model)
    return latents.encode(opened.model, opened.images(images, split), progress=progress)


def decode(model: Openable, z: VectorLike, *, condition: Any = None) -> Tensor:
    """Pictures (n, c, h, w) in [0, 1] of latent vectors in any form of ``latents.as_vectors``.

    ``condition`` is what they are to show, a name for all or for each, to a model that is told.
    """
    return latents.decode(open_model(model).model, z, condition=condition)


def reconstruct(
    model: Openable, images: ImagesLike = None, *, split: str = "test", condition: Any = None
) -> Tensor:
    """What the model makes of images: decoded posterior means, (n, c, h, w) in [0, 1].

    ``model``, ``images`` and ``split`` are those of ``encode``. A model that is told what an image
    is draws it as that, or as ``condition``.
    """
    opened = open_model(model)
    found = opened.images(images, split)
    mu = latents.encode(opened.model, found).mu
    return latents.decode(opened.model, mu, condition=found if condition is None else condition)


def sample(model: Openable, n: int = 10, *, condition: Any = None, seed: int | None = None) -> Walk:
    """``n`` latent vectors drawn from the prior N(0, I), and their pictures.

    Parameters
    ----------
    model
        See ``open_model``.
    n
        How many, at least 1.
    condition
        What they are to show, to a model that is told; every class in turn by default.
    seed
        The same gives the same vectors; without one they are new every time.

    Returns
    -------
    ``vectors`` (n, latent_dim) and ``images`` (n, c, h, w) in [0, 1], in this order.
    """
    return sample_prior(open_model(model).model, n, condition=condition, seed=seed)


def choose(images: ImagesLike, n: int, *, seed: int | None = None) -> ImageSet:
    """``n`` of the images at random; the same ones for the same seed, in the same order."""
    found = as_image_set(images)
    if not 1 <= n <= len(found):
        raise ConfigError(f"n must be in [1, {len(found)}], the {found.split} images; got {n}.")
    return found[torch.randperm(len(found), generator=torch_stream(seed, "choose"))[:n]]
