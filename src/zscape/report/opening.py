"""Where the walk begins: the model in words, its data, and how it learned."""

from __future__ import annotations

import math

import numpy as np

from zscape import figures
from zscape.report.material import Material
from zscape.report.page import Block, Plate, Section, Table
from zscape.report.words import count, listing, neurons, number, percent, sentence

N_SAMPLES = 20
MOST_COUNTED = 50
"""Classes with a line of their own in the table."""


def stats(m: Material) -> list[tuple[str, str]]:
    """The key numbers."""
    scores, weight = m.scores, m.subject.kld_weight
    return [
        ("test loss, nats", number(scores.loss, 1)),
        ("reconstruction", number(scores.reconstruction, 1)),
        ("KL" if weight == 1 else f"KL (weight {weight:g})", number(scores.kl, 1)),
        ("neurons in use", f"{scores.n_active} of {m.d}"),
        ("images trained on", f"{len(m.subject.data.train):,}"),
    ]


def what_it_is(m: Material) -> Section:
    """The model in words."""
    config, scores, weight = m.subject.model_config, m.scores, m.subject.kld_weight
    channels, height, width = config.image_shape
    n_pixels = channels * height * width
    n_parameters = sum(parameter.numel() for parameter in m.model.parameters())
    colour = "grey" if channels == 1 else "colour"
    code = f"{count(m.d, 'number')}, one per latent neuron"
    if m.d == 1:
        code = "one number, that of its one latent neuron"
    what = (
        f"{m.subject.name} is a variational autoencoder. Its encoder turns a {colour} picture of "
        f"{width} × {height} pixels into {code}; its "
        f"decoder draws the picture again from nothing else. That is "
        f"{_ratio(n_pixels, m.d)}. The network is “{config.network}”, with {n_parameters:,} "
        f"weights; its likelihood of a pixel is “{config.likelihood}”."
    )
    loss = (
        f"The loss is what the model pays for a picture it has never seen, in nats: "
        f"{number(scores.reconstruction)} for the pixels it gets wrong, and {number(scores.kl)} "
        f"for what its neurons have to say about the picture (KL; "
        f"{number(scores.kl / math.log(2), 1)} bits). {_weighing(weight, scores.loss)} "
        f"{sentence(_usage(m))} These numbers are {scores.source}."
    )  # fmt: skip
    n, total = len(m.images), len(m.subject.data.test)
    looked = f"all {n:,} test images" if n == total else f"{n:,} of the {total:,} test images"
    how = (
        f"What follows is a walk through its latent space, with {looked} of {m.images.name} as the "
        f"landmarks. Nothing on this page is loaded from elsewhere."
    )
    return Section("What it is", [f"{what}\n\n{loss}\n\n{how}"])


def data(m: Material) -> Section:
    """What the pictures are."""
    train, test = m.subject.data
    low, high = test.value_range()
    plate = Plate(
        figures.plot_samples(test, N_SAMPLES, seed=m.seed),
        f"{sentence(count(min(N_SAMPLES, len(test)), 'test image'))} at random"
        + (", each under the name of its class. " if test.has_labels else ". ")
        + f"Pixels run from {low:.2f} to {high:.2f}; their mean is "
        f"{float(m.images.pixels().mean()):.2f}.",
        "Pictures of the test set",
    )
    counts = train.class_counts(), test.class_counts()
    blocks: list[Block] = [
        f"{train.name}: {len(train):,} images to train on and {len(test):,} that the model never "
        f"saw. Every figure below shows the latter."
    ]
    if counts[1]:
        names = [name for name in counts[1] if counts[0].get(name) or counts[1][name]]
        blocks[0] = f"{blocks[0]} {_balance(counts[1])}"
        rows = [
            [name, f"{counts[0].get(name, 0):,}", f"{counts[1][name]:,}"] for name in names[:50]
        ]
        if len(names) > 50:
            rest = [sum(split.get(name, 0) for name in names[50:]) for split in counts]
            rows.append([f"{len(names) - 50} more", f"{rest[0]:,}", f"{rest[1]:,}"])
        return Section("The data", [*blocks, plate, Table(["class", "train", "test"], rows)])
    unlabelled = "The images have no labels, so nothing below can speak of classes."
    return Section("The data", [f"{blocks[0]} {unlabelled}", plate])


def losses(m: Material) -> Section:
    """How it learned, if that is known."""
    history = m.subject.history
    if not history:
        return Section(
            "Learning",
            ["These weights come without the history of their training, so there is no curve."],
        )
    last = history[-1]
    scale = "log" if len(history) > 10 else "linear"
    caption = (
        f"Loss per image after each epoch{', on a logarithmic scale' if scale == 'log' else ''}; "
        "thick on training images, dashed on test images, thin the running mean while the weights "
        "moved."
    )
    return Section(
        "Learning",
        [_reading(m), Plate(figures.plot_losses(history, scale), caption, "Loss curves")]
        if "test" in last
        else [Plate(figures.plot_losses(history, scale), caption, "Loss curves")],
    )


def _reading(m: Material) -> str:
    """What to read in the curves."""
    history = m.subject.history
    curve = np.array([line["test"]["loss"] for line in history])
    last, n = history[-1], len(history)
    if n == 1:
        course = f"After its one epoch the test loss is {number(curve[0])}."
    else:
        fall = curve[0] - curve[-1]
        late = curve[-max(2, n // 5 + 1)] - curve[-1]
        course = (
            f"From the first to the last of {count(n, 'epoch')}, the test loss went from "
            f"{number(curve[0])} to {number(curve[-1])}."
        )
        if fall > 0 and n >= 5:
            course += (
                f" The last fifth of the epochs brought {number(late)} of that"
                + (": it has all but settled." if late < 0.02 * fall else
                   ": longer training may still help.")
            )  # fmt: skip
        if (best := int(curve.argmin())) < n - 1 and curve[-1] - curve[best] > 0.5:
            course += f" It was lowest after epoch {best + 1}, {number(curve[best])}."
    if "evaluated_train" not in last:
        return course
    train = last["evaluated_train"]
    gap = last["test"]["loss"] - train["loss"]
    side = (
        f"On {train['n_images']:,} of the images it learned from, it pays {number(abs(gap))} nats "
        f"{'less' if gap > 0 else 'more'} than on new ones; "
    )
    kl = last["test"]["kl"] - train["kl"]
    side += (
        "nearly all of that is in the reconstruction."
        if abs(kl) < 0.2 * abs(gap)
        else f"{number(abs(kl))} of it in KL."
    )
    return f"{course} {side}"


def _usage(m: Material) -> str:
    dead = [i for i in range(m.d) if i not in m.used]
    if not dead:
        return "all neurons are in use." if m.d > 1 else "the neuron is in use."
    if not m.used:
        return "none of its neurons carries information: what it draws is the same for every image."
    verb = "says" if len(dead) == 1 else "say"
    return f"{neurons(sorted(dead), most=8)} {verb} next to nothing (less than 0.01 nats)."


def _weighing(weight: float, loss: float) -> str:
    if weight == 1:
        return f"Together they make {number(loss)}, a bound on how surprising pictures are to it."
    if weight == 0:
        return (
            "It was trained with kld_weight 0, as a plain autoencoder: only the first was paid "
            "for, and nothing keeps its codes near the origin."
        )
    effect = "less said, more order" if weight > 1 else "more said, less order"
    return (
        f"In training the KL was weighed by {weight:g} ({effect}), which makes {number(loss)}; "
        f"unweighed, the two add up."
    )


def _ratio(n_pixels: int, d: int) -> str:
    if d >= n_pixels:
        return "no compression at all"
    return f"one number for every {n_pixels / d:.0f} pixel values"


def _balance(counts: dict[str, int]) -> str:
    present = {name: n for name, n in counts.items() if n}
    if len(present) < 2:
        return (
            f"All test images are of one class, {listing(present)}, so that classes tell nothing."
        )
    most, least = max(present, key=lambda k: present[k]), min(present, key=lambda k: present[k])
    if present[most] == present[least]:
        return f"The {count(len(present), 'class', 'classes')} are equally frequent among them."
    shares = [percent(present[name] / sum(present.values())) for name in (most, least)]
    return (
        f"Of {count(len(present), 'class', 'classes')} among them, {most} is the most frequent "
        f"({shares[0]}), {least} the rarest ({shares[1]})."
    )
