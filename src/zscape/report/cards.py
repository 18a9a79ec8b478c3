"""A card per latent neuron."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from zscape import figures
from zscape.neurons import NeuronCard, neuron_cards
from zscape.neurons.card import best_columns
from zscape.report.material import MOST_NEURONS, Material
from zscape.report.page import Plate, Section
from zscape.report.words import count, sentence

N_STEPS = 7
N_ENDS = 5


def cards(m: Material) -> Section:
    """Everything about each neuron on one card."""
    shown = m.top(MOST_NEURONS)
    at, name = m.centre
    steps = np.linspace(*m.span, N_STEPS)
    images = m.images[m.shown.indices.tolist()]
    # What they say about classes and columns is known already, and slow to work out.
    found = neuron_cards(
        m.decoder, images, replace(m.shown, labels=None, class_names=(), columns=None), at=at,
        steps=steps, neurons=shown, k=N_ENDS, seed=m.seed,
    )  # fmt: skip
    known = [_with_facts(m, card) for card in found]
    which = "Every neuron" if len(shown) == m.d else (
        f"The {len(shown)} of {m.d} neurons with the largest KL, each"
    )  # fmt: skip
    text = (
        f"{which} on a card: the histogram of its activations"
        f"{', class by class' if m.has_classes else ''}; what the decoder draws along it, around "
        f"{name}; the images at its two ends; and the pixels that change as it rises.{m.drawn_as}"
    )
    blank = sum(float(card.jacobian.abs().max()) < 0.05 for card in known)
    caption = (
        "Compare the images at the two ends: what they differ in should be what turns between them."
    )
    if blank:
        verb = "changes" if blank == 1 else "change"
        caption += f" {sentence(count(blank, 'neuron'))} of these hardly {verb} a pixel."
    plate = Plate(figures.plot_neuron_cards(known), caption, "Cards of the latent neurons")
    return Section("Neuron cards", [text, plate])


def _with_facts(m: Material, card: NeuronCard) -> NeuronCard:
    row: dict[str, Any] = m.neurons.loc[card.name].to_dict()
    labels = m.shown.labels
    if labels is not None:
        # Numbered anew, so that a card has no room for classes that are not shown.
        numbers = {m.table.class_names.index(name): i for i, name in enumerate(m.classes)}
        labels = np.array([numbers[int(label)] for label in labels])
    return replace(
        card,
        kl=row["kl"],
        is_used=row["is_used"],
        labels=labels,
        class_names=tuple(m.classes),
        mutual_information=row.get("mutual_information"),
        best_class=row.get("best_class"),
        best_d_prime=row.get("best_d_prime"),
        **best_columns(m.columns).get(card.name, {}),
    )
