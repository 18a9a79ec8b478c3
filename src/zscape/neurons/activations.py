"""What drives the units of a layer: mean per class, best pictures, activation maps.

A picture's *response* at a unit is the unit's activation; of a channel, averaged over its map.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zscape.data import ImagesLike, as_image_set, batch_indices
from zscape.errors import ConfigError, DataError, ShapeError
from zscape.latents import encode
from zscape.model import ModelLike, as_vae
from zscape.neurons.bottleneck import class_moments
from zscape.neurons.layers import LATENT, Layer, device_of, find_layer, list_layers, run
from zscape.neurons.moments import ClassMoments
from zscape.words import counted, line


class TopImages(NamedTuple):
    """The pictures that drive each unit most, best first."""

    indices: NDArray[np.int64]
    """(n_units, k) places in the set."""
    values: NDArray[np.float32]
    """(n_units, k) responses."""

    def __repr__(self) -> str:
        n_units, k = self.values.shape
        return line(self, f"{counted(k, 'image')} for each of {counted(n_units, 'unit')}")


def layer_moments(
    vae: ModelLike,
    images: ImagesLike,
    layers: Sequence[str] | None = None,
    *,
    batch_size: int = 500,
) -> dict[str, ClassMoments]:
    """Mean and variance of the response of every unit to every class, layer by layer.

    One pass over the images for all layers together; only sums are kept.

    Parameters
    ----------
    vae
        A model, or what has one: what ``zscape.load`` or ``zscape.train`` returned.
    images
        Labelled, in any form of ``zscape.data.as_image_set``.
    layers
        Names as in ``list_layers``; all by default.
    batch_size
        Images at a time, at least 1: a matter of speed and memory alone.

    Returns
    -------
    By layer name. ``.mean_table()`` is class × unit, ``.most_selective()`` the units that tell
    each class best. Of the latent neurons it is ``class_moments``, the posterior's width included;
    a hidden unit has none.

    Raises
    ------
    DataError
        The images have no labels.
    ConfigError
        Unknown layer.
    ShapeError
        The images are not the model's.
    """
    vae = as_vae(vae)
    images = as_image_set(images, image_shape=vae.image_shape)
    if images.labels is None:
        raise DataError(f"Activations per class need labels, and {images.name} has none.")
    every = list_layers(vae) if layers is None else [find_layer(vae, name) for name in layers]
    hidden = [layer for layer in every if layer.name != LATENT]
    k = len(images.class_names)
    # On the CPU, because not every device has float64.
    sums = {layer: torch.zeros(2, k, layer.n_units, dtype=torch.float64) for layer in hidden}

    def add(layer: Layer, classes: Tensor, activation: Tensor) -> None:
        response = respond(activation).cpu().double()
        sums[layer][0].index_add_(0, classes, response)
        sums[layer][1].index_add_(0, classes, response**2)

    told = vae.told_of(images)
    for rows in batch_indices(len(images), batch_size) if hidden else ():
        classes = images.labels[rows].cpu()
        taps = {layer: partial(add, layer, classes) for layer in hidden}
        run(told(rows), images.pixels(rows), taps)
    counts = torch.bincount(images.labels, minlength=k).cpu().numpy()
    return {
        layer.name: ClassMoments.from_sums(
            counts,
            sums[layer][0].numpy(),
            sums[layer][1].numpy(),
            images.class_names,
            range(layer.n_units),
        )
        if layer in sums
        else class_moments(encode(vae, images, batch_size=batch_size))
        for layer in every
    }


def top_images(
    vae: ModelLike,
    images: ImagesLike,
    layer: str,
    k: int = 10,
    *,
    largest: bool = True,
    batch_size: int = 500,
) -> TopImages:
    """The ``k`` pictures with the largest (or smallest) response, of every unit of ``layer``.

    Only the best so far are kept while the set streams by. A set of fewer than ``k`` pictures
    is ranked whole.

    Parameters
    ----------
    vae
        A model, or what has one: what ``zscape.load`` or ``zscape.train`` returned.
    images
        In any form of ``zscape.data.as_image_set``.
    layer
        A name as in ``list_layers``.
    k
        Pictures of each unit, at least 1.
    largest
        Or, if not, those with the smallest response.
    batch_size
        Images at a time, at least 1: a matter of speed and memory alone.

    Raises
    ------
    ConfigError
        Unknown layer, or ``k`` below 1.
    ShapeError
        The images are not the model's.
    """
    vae = as_vae(vae)
    images = as_image_set(images, image_shape=vae.image_shape)
    if k < 1:
        raise ConfigError(f"k must be at least 1; got {k}.")
    place, device = find_layer(vae, layer), device_of(vae)
    values = torch.empty(place.n_units, 0, device=device)
    indices = torch.empty(place.n_units, 0, dtype=torch.int64, device=device)
    seen = 0

    def keep(activation: Tensor) -> None:
        nonlocal values, indices
        new = respond(activation).T
        numbers = torch.arange(seen, seen + new.shape[1], device=device).expand_as(new)
        both, which = torch.cat([values, new], 1), torch.cat([indices, numbers], 1)
        values, order = both.topk(min(k, both.shape[1]), 1, largest=largest)
        indices = which.gather(1, order)

    told = vae.told_of(images)
    for rows in batch_indices(len(images), batch_size):
        run(told(rows), images.pixels(rows), {place: keep})
        seen += len(rows)
    return TopImages(indices.cpu().numpy(), values.cpu().numpy())


def activation_maps(vae: ModelLike, image: Tensor, layer: str) -> Tensor:
    """What every channel of a convolution makes of one picture: (n_units, height, width).

    Parameters
    ----------
    vae
        A model, or what has one: what ``zscape.load`` or ``zscape.train`` returned.
    image
        (c, h, w) in [0, 1]. A decoder's layer is driven by its posterior mean.
    layer
        A name as in ``list_layers``.

    Raises
    ------
    ConfigError
        Unknown layer, or one that has no maps.
    ShapeError
        Not one picture of the model's shape.
    """
    vae = as_vae(vae)
    place = find_layer(vae, layer)
    if place.kind != "conv":
        known = ", ".join(one.name for one in list_layers(vae) if one.kind == "conv")
        raise ConfigError(f"layer must be a convolution to have maps: one of {known}.")
    if tuple(image.shape) != vae.image_shape:
        raise ShapeError(f"image must be {vae.image_shape}; got {tuple(image.shape)}.")
    found: list[Tensor] = []
    # A copy: what comes next may write into its input.
    run(vae, image[None], {place: lambda activation: found.append(activation[0].clone())})
    return found[0].float().cpu()


def respond(activation: Tensor) -> Tensor:
    """(batch, n_units, ...) → (batch, n_units) float32: the mean over a map's positions."""
    return activation.float().flatten(2).mean(2) if activation.ndim > 2 else activation.float()
