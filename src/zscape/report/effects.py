"""What each latent neuron does to the picture, and what is lost without it."""

from __future__ import annotations

import numpy as np

from zscape import figures
from zscape.neurons import decoder_jacobian, silence
from zscape.report.material import MOST_NEURONS, Material
from zscape.report.page import Block, Heading, Plate, Section
from zscape.report.words import number, times_less

MOST_POINTS = 10
"""Places at which Jacobians are shown."""


def do(m: Material) -> Section:
    """Jacobians, and neurons put to silence."""
    shown = m.top(MOST_NEURONS)
    blocks: list[Block] = []
    if len(shown) < m.d:
        blocks.append(f"Shown are the {len(shown)} of {m.d} neurons with the largest KL.")
    return Section("What the neurons do", [*blocks, *_jacobians(m, shown), *_silence(m, shown)])


def _jacobians(m: Material, shown: list[int]) -> list[Block]:
    if m.prototypes is not None:
        points, names = m.prototypes.vectors[:MOST_POINTS], m.classes[:MOST_POINTS]
        where = "at the prototype of each class"
        if len(m.classes) > MOST_POINTS:
            where = f"at the prototypes of {MOST_POINTS} classes"
    else:
        points, names = m.table.mu[[m.middle]], ["middle"]
        where = f"at {m.centre[1]}"
    own = m.own and m.own[: len(points)]
    found = decoder_jacobian(m.decoder, points, shown, condition=own)
    size = found.abs().flatten(2).mean(2).numpy()
    strong, weak = int(size.mean(0).argmax()), int(size.mean(0).argmin())
    caption = f"z{shown[strong]} moves the pixels most"
    if len(shown) == 1:
        caption = (
            f"A unit of z{shown[0]} changes a pixel by {number(float(size.mean()), 3)} on average"
        )
    else:
        less = times_less(*(float(size.mean(0)[i]) for i in (strong, weak)))
        caption += f", z{shown[weak]} least ({less})"
    if len(names) > 1:
        # The same neuron may turn one thing in one class and another in the next.
        flat = found.flatten(2).numpy()
        flat = flat / np.maximum(np.linalg.norm(flat, axis=2, keepdims=True), 1e-12)
        alike = np.einsum("ijp,kjp->jik", flat, flat)
        upper = np.triu_indices(len(names), 1)
        agreement = np.array([one[upper].mean() for one in alike])
        same, other = shown[int(agreement.argmax())], shown[int(agreement.argmin())]
        if same != other:
            caption += (
                f". z{same} does most nearly the same in all classes (mean cosine "
                f"{number(float(agreement.max()))}), z{other} least so "
                f"({number(float(agreement.min()))})"
            )
    return [
        Heading("How each neuron moves the picture"),
        f"The change of every pixel as one neuron rises by a unit, {where}: the decoder's "
        f"Jacobian, column by column.",
        Plate(figures.plot_jacobians(found, names, neurons=shown), f"{caption}.",
              "Jacobians of the decoder"),
    ]  # fmt: skip


def _silence(m: Material, shown: list[int]) -> list[Block]:
    columns = []
    for i, neuron in enumerate(shown):
        m.progress(f"silencing z{neuron}", i / len(shown))
        frame = silence(m.model, m.few, "z", neuron, to="mean")
        # The last line is of all; a class may be called that too.
        *per_class, over_all = frame["reconstruction_change"].tolist()
        by_name = dict(zip(frame.index, per_class, strict=False))
        names = [name for name in m.classes if name in by_name]
        columns.append([*(by_name[name] for name in names), over_all])
    losses = np.array(columns).T
    total = losses[-1]
    worst = int(total.argmax())
    caption = (
        f"Nats of reconstruction lost when a neuron stays at its mean. z{shown[worst]} is missed "
        f"most ({number(float(total[worst]), 1)} nats on average)"
    )
    if len(shown) == 1:
        caption = (
            f"Nats of reconstruction lost when z{shown[0]} stays at its mean: "
            f"{number(float(total[0]), 1)} on average"
        )
    else:
        least = int(total.argmin())
        caption += f", z{shown[least]} least ({number(float(total[least]), 1)})"
    if names:
        row, column = np.unravel_index(losses[:-1].argmax(), losses[:-1].shape)
        i, j = int(row), int(column)
        caption += (
            f". Worst off is class {names[i]} without z{shown[j]} "
            f"({number(float(losses[i, j]), 1)})"
        )
    plate = Plate(
        figures.plot_class_neurons(
            losses, [*names, "all"], units=[f"z{neuron}" for neuron in shown], label="nats lost"
        ),
        f"{caption}.",
        "Nats lost by silencing each neuron, by class",
    )
    return [
        Heading("What is lost without it"),
        f"Each neuron in turn is held at its mean for {len(m.few):,} test images, which are then "
        f"drawn again from their posterior means.",
        plate,
    ]
