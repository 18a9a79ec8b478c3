"""All there is to say about one latent neuron, gathered for one picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zscape.data import ImageSet
from zscape.errors import ConfigError, ShapeError
from zscape.model import VAE
from zscape.neurons.bottleneck import neuron_table
from zscape.neurons.effects import decoder_jacobian


@dataclass(frozen=True, eq=False)
class NeuronCard:
    """One latent neuron, from every side; ``zscape.figures.plot_neuron_card`` draws it.

    Parameters
    ----------
    name
        ``z3``.
    kl
        Mean KL to the prior, nats.
    is_used
        Whether that is above ``ACTIVE_KL``.
    activations
        (n,) posterior means of the images.
    steps, traversal
        (n_steps,) values of the neuron, and (n_steps, c, h, w) the decoded pictures.
    jacobian
        (c, h, w) change of each pixel per unit of the neuron.
    lowest, highest
        (k, c, h, w) the images with the most extreme activations, in rising order both; so the
        first of ``lowest`` and the last of ``highest`` are the extremes.
    labels, class_names
        (n,) indices into the names, or None.
    mutual_information
        Nats about the class; None without labels.
    best_class, best_d_prime
        The class the neuron tells best from the rest, and how well; None without labels.
    """

    name: str
    kl: float
    is_used: bool
    activations: NDArray[np.float32]
    steps: NDArray[np.float32]
    traversal: Tensor
    jacobian: Tensor
    lowest: Tensor
    highest: Tensor
    labels: NDArray[np.int64] | None = None
    class_names: tuple[str, ...] = ()
    mutual_information: float | None = None
    best_class: str | None = None
    best_d_prime: float | None = None


def neuron_cards(
    vae: VAE,
    images: ImageSet,
    mu: Any,
    logvar: Any,
    *,
    at: Any,
    steps: Any,
    traversals: Tensor,
    neurons: Sequence[int] | None = None,
    k: int = 5,
    seed: int = 0,
) -> list[NeuronCard]:
    """The cards of some latent neurons, or of all.

    Parameters
    ----------
    images, mu, logvar
        A set and its (n, latent_dim) posterior, row by row.
    at
        (latent_dim,): the vector the traversals go around, where the Jacobian is taken.
    steps, traversals
        (n_steps,) values, and (n_neurons, n_steps, c, h, w) pictures with the neuron at each.
    neurons
        Which ones, in the order of ``traversals``.
    k
        How many images at either end; fewer if the set is small.
    seed
        Of the mutual information.

    Raises
    ------
    ShapeError
        The arrays do not fit each other.
    ConfigError
        A neuron that is not there, or ``k`` below 1.
    DataError
        Values that are not finite.
    """
    if k < 1:
        raise ConfigError(f"k must be at least 1; got {k}.")
    means = np.asarray(mu, dtype=np.float32)
    if means.shape != (len(images), vae.latent_dim):
        raise ShapeError(f"mu must be ({len(images)}, {vae.latent_dim}); got {means.shape}.")
    chosen = list(range(vae.latent_dim)) if neurons is None else list(neurons)
    values = np.asarray(steps, dtype=np.float32)
    expected = (len(chosen), *values.shape, *vae.image_shape)
    if values.ndim != 1 or tuple(traversals.shape) != expected:
        raise ShapeError(f"traversals must be {expected}; got {tuple(traversals.shape)}.")
    jacobians = decoder_jacobian(vae, at, chosen)
    if jacobians.ndim != 4:
        raise ShapeError(f"at must be one vector, ({vae.latent_dim},).")
    labels = None if images.labels is None else images.labels.cpu().numpy()
    table = neuron_table(means, logvar, labels, images.class_names, seed=seed)
    cards = []
    for i, neuron in enumerate(chosen):
        row = table.iloc[neuron].to_dict()
        order = np.argsort(means[:, neuron], kind="stable")
        k = min(k, len(order))
        cards.append(
            NeuronCard(
                name=str(table.index[neuron]),
                kl=row["kl"],
                is_used=row["is_used"],
                activations=means[:, neuron],
                steps=values,
                traversal=traversals[i],
                jacobian=jacobians[i],
                lowest=images.pixels(torch.from_numpy(order[:k])),
                highest=images.pixels(torch.from_numpy(order[-k:])),
                labels=labels,
                class_names=images.class_names,
                mutual_information=row.get("mutual_information"),
                best_class=row.get("best_class"),
                best_d_prime=row.get("best_d_prime"),
            )
        )
    return cards
