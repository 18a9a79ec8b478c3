"""The hidden layers: which units tell a class, what drives them, what they see in one image."""

from __future__ import annotations

import numpy as np
import torch

from zscape import figures
from zscape.neurons import (
    ClassMoments,
    Layer,
    activation_maps,
    layer_moments,
    list_layers,
    top_images,
)
from zscape.report.material import Material
from zscape.report.page import Block, Heading, Plate, Section, Table
from zscape.report.words import count, number

N_UNITS = 8
N_TOP = 8
MOST_CHANNELS = 256


def hidden(m: Material) -> Section:
    """Units of every hidden layer."""
    title = "Hidden layers"
    layers = _hidden(list_layers(m.model))
    if not layers:
        text = (
            "This network has no convolution or fully connected layer to look into but those that "
            "make the latent neurons and the pixels."
        )
        return Section(title, [text])
    blocks: list[Block] = [
        f"On the way from pixels to latent neurons and back lie "
        f"{count(len(layers), 'hidden layer')}, {sum(layer.n_units for layer in layers):,} units "
        f"in all. A unit is a channel of a convolution or an output of a fully connected layer."
    ]
    if m.has_classes:
        moments = layer_moments(m.model, m.few, [layer.name for layer in layers])
        blocks += _selective(m, layers, moments)
    else:
        moments = {}
        blocks.append("Without classes there is no telling which unit is selective.")
    blocks += _top(m, layers, moments)
    blocks += _maps(m, layers)
    return Section(title, blocks)


def _hidden(layers: tuple[Layer, ...]) -> list[Layer]:
    """All but the latent neurons, the heads that make them, and the last, which makes pixels."""
    places = [i for i, layer in enumerate(layers) if layer.part == "latent"]
    latent = layers[places[0]].n_units
    heads = {
        layer.name
        for layer in layers[max(0, places[0] - 2) : places[0]]
        if layer.kind == "dense" and layer.n_units in (latent, 2 * latent)
    }
    return [layer for layer in layers[:-1] if layer.part != "latent" and layer.name not in heads]


def _selective(m: Material, layers: list[Layer], moments: dict[str, ClassMoments]) -> list[Block]:
    rows, medians = [], {}
    for layer in layers:
        d_prime = moments[layer.name].d_prime().loc[m.classes].to_numpy()
        sizes = np.abs(np.nan_to_num(d_prime, posinf=0, neginf=0))
        i, j = np.unravel_index(sizes.argmax(), sizes.shape)
        medians[layer.name] = float(np.median(sizes.max(0)))
        kind = f"{layer.map_shape[0]} × {layer.map_shape[1]}" if layer.kind == "conv" else "–"
        rows.append([layer.name, layer.part, str(layer.n_units), kind, number(medians[layer.name]),
                     str(j), m.classes[i], number(float(d_prime[i, j]), 1)])  # fmt: skip
    most = max(medians, key=lambda name: medians[name])
    least = min(medians, key=lambda name: medians[name])
    caption = (
        f"|d′| of a unit: how far the class it tells best stands apart from all others, on "
        f"{len(m.few):,} test images. The typical unit is most selective in {most} (median "
        f"{number(medians[most])}), least in {least} ({number(medians[least])})."
    )
    header = ["layer", "part", "units", "map", "median |d′|", "best unit", "for", "d′"]
    return [Heading("Which units tell a class"), Table(header, rows, caption)]


def _top(m: Material, layers: list[Layer], moments: dict[str, ClassMoments]) -> list[Block]:
    """The images that drive some units of the last hidden layer before the latent neurons."""
    encoder = [layer for layer in layers if layer.part == "encoder"]
    layer = (encoder or layers)[-1]
    k = min(N_TOP, len(m.few))
    found = top_images(m.model, m.few, layer.name, k)
    if layer.name in moments:
        table = moments[layer.name].most_selective(1)
        table = table[table["class"].isin(m.classes) & (table["d_prime"] > 0)]
        table = table.drop_duplicates("unit").head(N_UNITS + 2)
        units = [int(unit) for unit in table["unit"]]
        names = [f"unit {unit} ({name})" for unit, name in zip(units, table["class"], strict=True)]
        which = "the unit that tells each class best, where it fires for it"
    else:
        spread = found.values[:, 0]
        units = [int(unit) for unit in np.argsort(-spread, kind="stable")[:N_UNITS]]
        names = [f"unit {unit}" for unit in units]
        which = "the units that fire most"
    if not units:
        return []
    indices = found.indices[units]
    pictures = m.few.pixels(torch.from_numpy(indices.ravel())).reshape(
        len(units), k, *m.few.image_shape
    )
    caption = f"Of {layer.name}, {which}; above each image the activation."
    if layer.name in moments and m.few.labels is not None:
        labels = m.few.labels.numpy()[indices]
        wanted = np.array([m.few.class_names.index(name) for name in table["class"]])
        right = int((labels == wanted[:, None]).sum())
        caption += f" {right} of these {labels.size} images are of the class the unit stands for."
    return [
        Heading("What drives a unit"),
        Plate(figures.plot_top_images(pictures, found.values[units], names), caption,
              "Images that drive units most"),
    ]  # fmt: skip


def _maps(m: Material, layers: list[Layer]) -> list[Block]:
    """One image as the first convolution sees it, and as one of the decoder's draws it."""
    seen = [
        layer
        for layer in layers
        if layer.kind == "conv" and min(layer.map_shape) > 1 and layer.n_units <= MOST_CHANNELS
    ]
    if not seen:
        return ["There is no hidden convolution, so there are no activation maps to show."]
    chosen = [seen[0]]
    if (drawing := [layer for layer in seen if layer.part == "decoder"]) and drawing[-1] != seen[0]:
        chosen.append(drawing[-1])
    image = m.pictures([m.middle])[0]
    blocks: list[Block] = [Heading("One image inside the network")]
    for layer in chosen:
        maps = activation_maps(m.model, image, layer.name)
        strength = maps.abs().flatten(1).mean(1)
        silent = int((strength < 0.05 * strength.max()).sum())
        shape = f"{layer.map_shape[0]} × {layer.map_shape[1]}"
        caption = (
            f"{layer.name}, in the {layer.part}: {count(layer.n_units, 'channel')} of {shape}. "
            f"Channel {int(strength.argmax())} answers this image most strongly"
            + (f"; {silent} hardly answer at all." if silent > 1 else ".")
        )
        plate = figures.plot_activation_maps(maps, image, title=layer.name)
        blocks.append(Plate(plate, caption, f"Activation maps of {layer.name}"))
    return blocks
