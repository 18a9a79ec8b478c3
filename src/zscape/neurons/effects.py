"""What a neuron does: how it moves the picture, and what is lost without it.

Captum offers ablation and layer gradients too, but for one module's inputs and outputs: it cannot
tell the calls of a shared nonlinearity apart, knows nothing of nats, and both measures here are a
few lines of torch. So it is not a dependency.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from zscape.data import ImageSet, ImagesLike, as_image_set, batch_indices
from zscape.errors import ConfigError, DataError, ShapeError
from zscape.model import VAE, ModelLike, as_vae, evaluating
from zscape.neurons.layers import Layer, Tap, check_index, device_of, find_layer, run


def decoder_jacobian(
    vae: ModelLike,
    z: Any,
    neurons: Sequence[int] | None = None,
    *,
    condition: Any = None,
    batch_size: int = 250,
) -> Tensor:
    """How every pixel moves as one latent neuron does: columns of the decoder's Jacobian.

    Exact derivatives by forward-mode differentiation, one column at a time, so that the cost is
    that of decoding and the other columns are never made.

    Parameters
    ----------
    vae
        A model, or what has one: what ``zscape.load`` or ``zscape.train`` returned.
    z
        (latent_dim,) or (m, latent_dim): where to look, the prototype of each class for instance.
    neurons
        Which columns; all by default.
    condition
        What is drawn there, to a model that is told; as for ``zscape.latents.decode``.
    batch_size
        Vectors at a time, at least 1: a matter of speed and memory alone.

    Returns
    -------
    (n_neurons, c, h, w), or (m, n_neurons, c, h, w): change of the expected pixel per unit of the
    neuron; positive where raising the neuron brightens.

    Raises
    ------
    ShapeError
        ``z`` is not of the model's length.
    DataError
        ``z`` holds NaN or infinity.
    ConfigError
        A neuron that is not there, or none.
    """
    vae = as_vae(vae)
    d, device = vae.latent_dim, device_of(vae)
    points = torch.as_tensor(z, dtype=torch.float32, device=device)
    if points.ndim not in (1, 2) or points.shape[-1] != d or points.numel() == 0:
        raise ShapeError(f"z must be ({d},) or (m, {d}); got {tuple(points.shape)}.")
    if not points.isfinite().all():
        raise DataError("z must be finite; it holds NaN or infinity.")
    chosen = [check_index(i, d, "neuron") for i in (range(d) if neurons is None else neurons)]
    if not chosen:
        raise ConfigError("neurons must name at least one neuron; got none.")
    rows = points.reshape(-1, d)
    where = rows.repeat_interleave(len(chosen), 0)
    along = torch.eye(d, device=device)[chosen].repeat(len(rows), 1)
    owner = torch.arange(len(rows)).repeat_interleave(len(chosen))
    told = vae.told_of(condition)
    # In evaluation mode pictures do not know of each other: one pass for a batch of columns.
    # On first use torch loads its rules of forward mode by a call that it deprecates itself.
    quiet = warnings.catch_warnings(action="ignore", category=DeprecationWarning)
    with evaluating(vae), quiet:
        pictures = [
            torch.func.jvp(told(of).decode, (at,), (step,))[1]
            for of, at, step in zip(
                *(torch.split(part, batch_size) for part in (owner, where, along)), strict=True
            )
        ]
    return torch.cat(pictures).reshape(*points.shape[:-1], len(chosen), *vae.image_shape).cpu()


def silence(
    vae: ModelLike,
    images: ImagesLike,
    layer: str,
    unit: int,
    *,
    to: str = "zero",
    batch_size: int = 500,
) -> pd.DataFrame:
    """What the reconstruction loses when one unit stops talking.

    Images are encoded to their posterior mean and decoded, once as they are and once with the
    unit's activation replaced, whichever side of the bottleneck it is on.

    Parameters
    ----------
    vae
        A model, or what has one: what ``zscape.load`` or ``zscape.train`` returned.
    images
        In any form of ``zscape.data.as_image_set``.
    layer, unit
        As in ``list_layers``; layer ``"z"`` silences a latent neuron.
    to
        ``"zero"``, or ``"mean"``: the unit's average over these images, position by position.
        The mean is the fairer question where a unit's usual value is far from zero.
    batch_size
        Images at a time, at least 1: a matter of speed and memory alone.

    Returns
    -------
    One row per class that has images, then ``all``; columns

    - ``n_images``;
    - ``reconstruction``, ``reconstruction_silenced``, ``reconstruction_change``: nats per image,
      of the posterior mean (no sampling);
    - ``pixel_error``, ``pixel_error_silenced``, ``pixel_error_change``: mean absolute difference
      of a pixel from the original, in [0, 1].

    Raises
    ------
    ConfigError
        Unknown layer, a unit that is not there, or another ``to``.
    ShapeError
        The images are not the model's.
    """
    vae = as_vae(vae)
    images = as_image_set(images, image_shape=vae.image_shape)
    if to not in ("zero", "mean"):
        raise ConfigError(f"to must be zero or mean; got {to!r}.")
    place = find_layer(vae, layer)
    unit = check_index(unit, place.n_units, f"unit of layer {layer}")
    value = _mean_activation(vae, images, place, unit, batch_size) if to == "mean" else 0.0

    def replace(activation: Tensor) -> Tensor:
        activation = activation.clone()
        activation[:, unit] = value
        return activation

    measures = ("reconstruction", "pixel_error")
    before = _losses(vae, images, {}, batch_size)
    after = _losses(vae, images, {place: replace}, batch_size)
    columns = {}
    for i, measure in enumerate(measures):
        columns[measure] = before[:, i]
        columns[f"{measure}_silenced"] = after[:, i]
        columns[f"{measure}_change"] = after[:, i] - before[:, i]
    frame = pd.DataFrame(columns)
    whole = frame.mean().to_frame("all").T
    whole.insert(0, "n_images", len(frame))
    if images.labels is None:
        return whole.rename_axis("class")
    grouped = frame.groupby(images.labels.cpu().numpy())
    table = grouped.mean()
    table.insert(0, "n_images", grouped.size())
    table.index = pd.Index([images.class_names[i] for i in table.index])
    return pd.concat([table, whole]).rename_axis("class")


def _losses(vae: VAE, images: ImageSet, taps: dict[Layer, Tap], batch_size: int) -> Any:
    """(n, 2) float64 per image: nats of reconstruction, mean absolute error of a pixel."""
    device, parts = device_of(vae), []
    told = vae.told_of(images)
    for rows in batch_indices(len(images), batch_size):
        x = images.pixels(rows).to(device)
        logits = run(told(rows), x, taps, decode=True).float()
        with evaluating(vae):
            nats = vae.likelihood.cost(x, logits)
            error = (vae.likelihood.mean(logits) - x).abs().flatten(1).mean(1)
        parts.append(torch.stack([nats, error], 1).cpu().double())
    return torch.cat(parts).numpy()


def _mean_activation(
    vae: VAE, images: ImageSet, layer: Layer, unit: int, batch_size: int
) -> Tensor:
    """The unit's activation averaged over the images, in the shape of its map."""
    # On the CPU, because not every device has float64.
    total = torch.zeros(layer.map_shape, dtype=torch.float64)

    def add(activation: Tensor) -> None:
        total.add_(activation[:, unit].cpu().double().sum(0))

    told = vae.told_of(images)
    for rows in batch_indices(len(images), batch_size):
        run(told(rows), images.pixels(rows), {layer: add})
    return (total / len(images)).float().to(device_of(vae))
