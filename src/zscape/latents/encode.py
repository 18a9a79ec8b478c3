"""From images to their places in the latent space, and back to pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zscape.data import ImageSet, ImagesLike, as_image_set, batch_indices
from zscape.errors import CheckpointError, DataError, ShapeError
from zscape.latents.table import LatentTable
from zscape.latents.vectors import VectorLike, as_vector, as_vectors
from zscape.model import VAE, ModelLike, as_vae, blame, evaluating, is_finite

BATCH_SIZE = 250
"""Images at a time; on CPUs the fastest, larger batches leave the cache."""
PART = 40
"""Batches to a part of a table that is written as it comes."""


def encode(
    vae: ModelLike,
    images: ImagesLike,
    *,
    rows: NDArray[np.int64] | None = None,
    batch_size: int = BATCH_SIZE,
    progress: Callable[[int], None] | None = None,
) -> LatentTable:
    """The posterior of every image, with batch norm at its running statistics.

    Parameters
    ----------
    vae
        A model, or what has one: what ``zscape.load`` or ``zscape.train`` returned.
    images
        In any form of ``zscape.data.as_image_set``.
    rows
        Only these of the images, in this order; all by default.
    batch_size
        Images at a time, at least 1: a matter of speed and memory alone.
    progress
        Called after every batch with the number of images done so far.

    Returns
    -------
    One row per image, in the order of ``images``, into which its ``indices`` point; computed
    where the model is, kept on the CPU.

    Raises
    ------
    ShapeError
        The images do not have the model's shape.
    DataError
        The model gives numbers that are not finite.
    """
    (table,) = encode_parts(
        vae, images, rows=rows, batch_size=batch_size, n_batches=None, progress=progress
    )
    return table


def encode_parts(
    vae: ModelLike,
    images: ImagesLike,
    *,
    rows: NDArray[np.int64] | None = None,
    batch_size: int = BATCH_SIZE,
    n_batches: int | None = PART,
    progress: Callable[[int], None] | None = None,
) -> Iterator[LatentTable]:
    """The rows of ``encode``, a table of some after another: no more is held for more images.

    Parameters
    ----------
    vae, images, rows, batch_size, progress
        See ``encode``.
    n_batches
        Batches to a table; None for one table of all.

    Yields
    ------
    Tables whose rows follow each other.

    Raises
    ------
    ShapeError, DataError
        See ``encode``.
    """
    vae = as_vae(vae)
    images = as_image_set(images, image_shape=vae.image_shape)
    device = next(vae.parameters()).device
    indices = range(len(images)) if rows is None else rows
    batches = batch_indices(len(indices), batch_size)
    told, weights, n_done = vae.told_of(images), fingerprint(vae), 0
    for first in range(0, len(batches), n_batches or len(batches)):
        some = batches[first : first + (n_batches or len(batches))]
        own = np.asarray(indices[n_done : n_done + sum(map(len, some))])
        mu, logvar = torch.empty(2, len(own), vae.latent_dim)
        at = 0
        with evaluating(vae):
            # Only as many pixels at a time as a batch has: all may be more than memory holds.
            for n in map(len, some):
                numbers = torch.from_numpy(own[at : at + n]).to(images.images.device)
                x = images.pixels(numbers).to(device)
                view = told(numbers)
                found = tuple(part.float().cpu() for part in view.encode(x))
                if not is_finite(found):
                    reason = blame(view, partial(view.encode, x))
                    raise DataError(
                        f"{images.name}: of the {n} images from number {own[at]} on, the model "
                        f"gives latents that are not finite{reason}."
                    )
                mu[at : at + n], logvar[at : at + n] = found
                at += n
                if progress is not None:
                    progress(n_done + at)
        n_done += at
        is_all = rows is None and len(own) == len(images)
        yield LatentTable(
            mu=mu.numpy(),
            logvar=logvar.numpy(),
            labels=None if images.labels is None else images.labels.cpu().numpy()[own],
            class_names=images.class_names if images.has_labels else (),
            indices=own,
            split=images.split,
            name=images.name,
            fingerprint=weights,
            data_fingerprint=images.fingerprint,
            columns=images.columns if images.columns is None or is_all else images.columns[own],
        )


def decode(
    vae: ModelLike, z: VectorLike, *, condition: Any = None, batch_size: int = BATCH_SIZE
) -> Tensor:
    """Pictures (n, c, h, w) in [0, 1], on the CPU, of the vectors ``z``; see ``as_vectors``.

    Parameters
    ----------
    vae
        A model, or what has one: what ``zscape.load`` or ``zscape.train`` returned.
    z
        One vector or several, in any form of ``as_vectors``.
    condition
        To a model that is told what a picture is: a name for all, one for each, or the images or
        table whose rows the vectors are; see ``VAE.told_of``. It goes before what the model was
        ``given``.
    batch_size
        Vectors at a time, at least 1: a matter of speed and memory alone.

    Raises
    ------
    ConfigError
        The model has to be told and is not, or is told though it was trained without.
    ShapeError
        Neither one condition nor one for each vector.
    DataError
        The model gives numbers that are not finite.
    """
    vae = as_vae(vae)
    device, told = next(vae.parameters()).device, vae.told_of(condition)
    vectors = torch.from_numpy(as_vectors(z, vae.latent_dim))
    n_told = len(condition) if hasattr(condition, "__len__") else 1
    if not isinstance(condition, str) and n_told not in (1, len(vectors)):
        raise ShapeError(f"{len(vectors)} vectors need one condition or as many; got {n_told}.")

    def draw(rows: Tensor) -> Tensor:
        return told(rows).decode(vectors[rows].to(device)).float().cpu()

    pictures = []
    with evaluating(vae):
        for rows in batch_indices(len(vectors), batch_size):
            pictures.append(draw(rows))
            if not is_finite(pictures[-1]):
                reason = blame(told(rows), partial(draw, rows))
                raise DataError(
                    f"of the {len(rows)} vectors from number {int(rows[0])} on, the model makes "
                    f"pictures that are not finite{reason}."
                )
    return torch.cat(pictures)


def locate(vae: ModelLike, place: VectorLike | ImageSet | None) -> NDArray[np.float32]:
    """One place in the latent space, (latent_dim,).

    Parameters
    ----------
    vae
        A model, or what has one: what ``zscape.load`` or ``zscape.train`` returned.
    place
        A vector in any form of ``as_vectors``; an ``ImageSet`` of one image, which stands for
        its posterior mean; or None for the origin, the middle of the prior.
    """
    vae = as_vae(vae)
    if place is None:
        return np.zeros(vae.latent_dim, np.float32)
    if isinstance(place, ImageSet):
        return as_vector(encode(vae, place).mu, vae.latent_dim)
    return as_vector(place, vae.latent_dim)


def fingerprint(vae: VAE) -> str:
    """16 hexadecimal digits that tell one state of a model's weights from any other.

    The start of the SHA-256 over names, shapes and bytes of the state dict.
    """
    digest = hashlib.sha256()
    for name, value in vae.state_dict().items():
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        # As bytes, because NumPy has no bfloat16.
        digest.update(value.cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()[:16]


def check_belongs(table: LatentTable, vae: VAE, images: ImageSet | None = None) -> None:
    """Raise unless ``vae``, with the weights it has now, made ``table``, and of ``images``.

    What a table does not know, one put together by hand or of an earlier version, it is not held
    to; its latent_dim and indices must fit in any case.

    Raises
    ------
    ShapeError
        Another latent_dim.
    CheckpointError
        Other weights.
    DataError
        Other images.
    """
    if table.latent_dim != vae.latent_dim:
        raise ShapeError(
            f"the table of {table.name} is from another model: it has latent_dim "
            f"{table.latent_dim}, the model {vae.latent_dim}; encode the images again."
        )
    if table.fingerprint and table.fingerprint != (own := fingerprint(vae)):
        raise CheckpointError(
            f"the table of {table.name} is from another model: its fingerprint is "
            f"{table.fingerprint}, the model's {own}; encode the images again."
        )
    if images is None:
        return
    known = table.data_fingerprint
    if (known and known != images.fingerprint) or table.indices.max() >= len(images):
        raise DataError(
            f"the table is of the {table.split} images of {table.name} "
            f"({known or 'of no known fingerprint'}, up to number {table.indices.max()}), but "
            f"these are the {len(images)} {images.split} images of {images.name} "
            f"({images.fingerprint}); choose its data and split (--data, --split), or encode these."
        )
