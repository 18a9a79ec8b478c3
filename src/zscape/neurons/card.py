"""All there is to say about one latent neuron, gathered for one picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zscape.data import ImagesLike, as_image_set
from zscape.errors import ConfigError, ShapeError
from zscape.latents import LatentTable, VectorLike, as_neurons, locate, traversal
from zscape.model import ModelLike, as_vae
from zscape.neurons.bottleneck import neuron_table
from zscape.neurons.columns import NeuronColumns, neuron_columns
from zscape.neurons.effects import decoder_jacobian
from zscape.words import counted, line


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
    best_column, best_measure, best_effect
        The column that the neuron goes with most, ``"ρ"`` or ``"η"``, and how far; None where no
        column clearly does (``NeuronColumns.clear``).
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
    best_column: str | None = None
    best_measure: str | None = None
    best_effect: float | None = None

    def __repr__(self) -> str:
        best = f"tells {self.best_class} best" if self.best_class is not None else ""
        use = f"KL {self.kl:.2f} nats" if self.is_used else "unused"
        return line(self, self.name, use, counted(len(self.activations), "image"), best)


def neuron_cards(
    vae: ModelLike,
    images: ImagesLike,
    table: LatentTable,
    *,
    at: VectorLike | None = None,
    steps: Any = None,
    neurons: int | str | Sequence[int | str] | None = None,
    k: int = 5,
    seed: int = 0,
) -> list[NeuronCard]:
    """The cards of some latent neurons, or of all.

    Parameters
    ----------
    vae
        A model, or what has one: what ``zscape.load`` or ``zscape.train`` returned.
    images, table
        A set and its latents, row by row; the classes are those of the table.
    at
        The vector the traversals go around, where the Jacobian is taken; the origin by default.
    steps
        (n_steps,) values of the neuron; -3, -2, …, 3 by default.
    neurons
        Which ones; all by default.
    k
        How many images at either end; fewer if the set is small.
    seed
        Of what ``neuron_table`` and ``neuron_columns`` estimate.

    Raises
    ------
    ShapeError
        The table is not that of the images, or ``at`` is not one vector of the model's length.
    ConfigError
        A neuron that is not there, or ``k`` below 1.
    """
    vae = as_vae(vae)
    images = as_image_set(images, image_shape=vae.image_shape)
    if k < 1:
        raise ConfigError(f"k must be at least 1; got {k}.")
    if len(table) != len(images) or table.latent_dim != vae.latent_dim:
        raise ShapeError(
            f"the table must be ({len(images)}, {vae.latent_dim}), a row per image; got "
            f"{table.mu.shape}."
        )
    chosen = as_neurons(neurons, vae.latent_dim)
    centre = locate(vae, at)
    values = np.linspace(-3, 3, 7) if steps is None else np.asarray(steps)
    walk = traversal(vae, centre, chosen, values)
    jacobians = decoder_jacobian(vae, centre, chosen)
    facts = neuron_table(table, seed=seed)
    known = None if table.columns is None else neuron_columns(table, seed=seed)
    columns = best_columns(known)
    k = min(k, len(table))
    cards = []
    for i, neuron in enumerate(chosen):
        row = facts.iloc[neuron].to_dict()
        order = torch.from_numpy(np.argsort(table.mu[:, neuron], kind="stable"))
        cards.append(
            NeuronCard(
                name=str(facts.index[neuron]),
                kl=row["kl"],
                is_used=row["is_used"],
                activations=table.mu[:, neuron],
                steps=values.astype(np.float32),
                traversal=walk.images[i],
                jacobian=jacobians[i],
                lowest=images.pixels(order[:k]),
                highest=images.pixels(order[-k:]),
                labels=table.labels,
                class_names=table.class_names,
                mutual_information=row.get("mutual_information"),
                best_class=row.get("best_class"),
                best_d_prime=row.get("best_d_prime"),
                **columns.get(str(facts.index[neuron]), {}),
            )
        )
    return cards


def best_columns(known: NeuronColumns | None) -> dict[str, dict[str, Any]]:
    """By neuron, if a column clearly goes with it: what its card says of the closest."""
    if known is None:
        return {}
    closest = known.clear.drop_duplicates("neuron")
    return {
        row["neuron"]: {f"best_{what}": row[what] for what in ("column", "measure", "effect")}
        for _, row in closest.iterrows()
    }
