"""Where the walk begins: the model in words, its data, and how it learned."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from zscape import figures
from zscape.data import shown_channels
from zscape.model.likelihoods import Bernoulli
from zscape.report.material import Material
from zscape.report.page import Plate, Section, Table
from zscape.report.words import count, listing, neurons, number, percent, sentence

N_SAMPLES = 20
MOST_COUNTED = 50
"""Classes with a line of their own in the table."""


def stats(m: Material) -> list[tuple[str, str]]:
    """The key numbers."""
    scores, weight = m.scores, m.subject.kld_weight
    found = [
        ("test loss, nats" if m.subject.is_own else "loss, nats", number(scores.loss, 1)),
        ("reconstruction", number(scores.reconstruction, 1)),
        ("KL" if weight == 1 else f"KL (weight {weight:g})", number(scores.kl, 1)),
        ("neurons in use", f"{len(m.used)} of {m.d}"),
    ]
    if m.subject.is_own:
        found.append(("images trained on", f"{len(m.subject.data.train):,}"))
    return found


def what_it_is(m: Material) -> Section:
    """The model in words."""
    config, scores = m.subject.model_config, m.scores
    channels, height, width = config.image_shape
    n_pixels = channels * height * width
    n_parameters = sum(parameter.numel() for parameter in m.model.parameters())
    colour = {1: "grey", 3: "colour"}.get(channels, f"{channels}-channel")
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
    unseen = "it has never seen" if m.subject.is_own else f"of {m.images.name}"
    loss = (
        f"The loss is what the model pays for a picture {unseen}, in nats: "
        f"{number(scores.reconstruction)} for its pixels, where drawing the very picture would "
        f"cost {number(float(m.floors.mean()))}, and {number(scores.kl)} "
        f"for what its neurons have to say about the picture (KL; "
        f"{number(scores.kl / math.log(2), 1)} bits). {_weighing(m)} "
        f"{sentence(_usage(m))} The loss is {scores.source}."
    )  # fmt: skip
    if (told := m.model.condition) is not None:
        own = " and so is every prototype" if m.own else ""
        turns = "" if m.model.chosen else f", but random ones as every {told.title} in turn"
        loss += (
            f"\n\nThe model is told the {told.title} of every picture. Each image is encoded, "
            f"drawn and priced as the {told.title} it has{own}; all other vectors on this page are "
            f"drawn as {told.title} {m.decoder.chosen}{turns}."
        )
    n, total = len(m.images), len(m.subject.data.test)
    looked = f"all {n:,} test images" if n == total else f"{n:,} of the {total:,} test images"
    how = (
        f"What follows is a walk through its latent space, with {looked} of {m.images.name} as the "
        f"landmarks. Nothing on this page is loaded from elsewhere."
    )
    return Section("What it is", [f"{what}\n\n{loss}\n\n{how}"])


def _drawn(channels: int) -> str:
    """Which channels are seen, where that is a choice."""
    if (shown := shown_channels(channels)) is None:
        return ""
    red, green, blue = shown
    return f" Of {channels} channels, red is channel {red}, green {green} and blue {blue}."


def data(m: Material) -> Section:
    """What the pictures are."""
    train, test = m.subject.data
    low, high = m.images.value_range()
    plate = Plate(
        figures.plot_samples(test, N_SAMPLES, seed=m.seed),
        f"{sentence(count(min(N_SAMPLES, len(test)), 'test image'))} at random"
        + (", each under the name of its class. " if test.has_labels else ". ")
        + f"Pixels run from {low:.2f} to {high:.2f}; their mean is "
        f"{float(m.images.pixels().mean()):.2f}.{_drawn(m.images.image_shape[0])}",
        "Pictures of the test set",
    )
    if m.subject.is_own:
        header, counted = ["class", "train", "test"], [train.class_counts(), test.class_counts()]
        text = (
            f"{train.name}: {len(train):,} images to train on and {len(test):,} that the model "
            f"never saw. What follows is measured on the latter."
        )
    else:
        header, counted = ["class", "images"], [test.class_counts()]
        text = (
            f"{test.name}: {count(len(test), 'image')}, on which all that follows is measured. "
            f"Whether the model has seen any of them before is not known."
        )
    names = [name for name in counted[-1] if any(counts.get(name) for counts in counted)]
    if not names:
        unlabelled = "The images have no labels, so nothing below can speak of classes."
        return Section("The data", [f"{text} {unlabelled}", plate])
    rows = [[name, *(counts.get(name, 0) for counts in counted)] for name in names[:MOST_COUNTED]]
    if rest := names[MOST_COUNTED:]:
        rows.append([f"{len(rest)} more", *(sum(c.get(k, 0) for k in rest) for c in counted)])
    table = Table(header, [[name, *(f"{n:,}" for n in line)] for name, *line in rows])
    return Section("The data", [f"{text} {_balance(counted[-1])}", plate, table])


def losses(m: Material) -> Section:
    """How it learned, if that is known."""
    history = m.subject.history
    if not history:
        return Section(
            "Learning",
            ["These weights come without the history of their training, so there is no curve."],
        )
    scale = "log" if len(history) > 10 else "linear"
    drawn = {
        "evaluated_train": "thick on training images",
        "test": "dashed on test images",
        "running": "thin the running mean while the weights moved",
    }
    curves = [what for key, what in drawn.items() if any(line.get(key) for line in history)]
    caption = f"Loss per image after each epoch: {listing(curves)}."
    if not m.subject.is_own:
        caption += " They are of the images of its training, not of those on this page."
    plate = Plate(figures.plot_losses(history, scale), caption, "Loss curves")
    said = [_course([line["test"]["loss"] for line in history])] if "test" in history[-1] else []
    if m.subject.is_own:
        said.append(_gap(m))
    return Section("Learning", [" ".join(said), plate] if said else [plate])


def film(m: Material) -> Section | None:
    """What it knew at several moments of its training; only where they were kept."""
    if m.subject.film is None:
        return None
    found = m.subject.film(m.few)
    text = (
        f"The same {len(m.few):,} images at {len(found)} moments of the training, in one frame of "
        f"reference. {found.frame}"
    )
    what = "the mean of each class" if m.few.labels is not None else "the same images"
    caption = (
        f"Above, where the model puts the images; below, {what} as its decoder draws it then, and "
        "what the images cost. A network that has learned nothing puts all images in one place."
    )
    plate = Plate(figures.plot_film(found), caption, "Maps and pictures along the training")
    return Section("Watch it learn", [text, plate])


def _course(losses: Sequence[float]) -> str:
    """What to read in the curve of the test loss."""
    curve, n = np.array(losses), len(losses)
    if n == 1:
        return f"After its one epoch the test loss is {number(curve[0])}."
    fall = curve[0] - curve[-1]
    course = (
        f"From the first to the last of {count(n, 'epoch')}, the test loss went from "
        f"{number(curve[0])} to {number(curve[-1])}."
    )
    late = curve[-max(2, n // 5 + 1)] - curve[-1]
    if fall > 0 and n >= 5 and late > 0:
        course += f" The last fifth of the epochs brought {number(late)} of that" + (
            ": it has all but settled." if late < 0.02 * fall else
            ": longer training may still help."
        )  # fmt: skip
    if (best := int(curve.argmin())) < n - 1 and curve[-1] - curve[best] > 0.01 * abs(fall):
        course += f" It was lowest after epoch {best + 1}, {number(curve[best])}."
    return course


def _gap(m: Material) -> str:
    """How much better it is on images it learned from: same weights, same mode, and how sure."""
    seen, weight = m.trained, m.subject.kld_weight
    gap = m.scores.loss - seen.loss(weight)
    error = m.loss_spread * math.sqrt(1 / seen.n_images + 1 / len(m.subject.data.test))
    images = f"{seen.n_images:,} of the images it learned from"
    if seen.n_images == len(m.subject.data.train):
        images = f"the {seen.n_images:,} images it learned from"
    text = f"With these weights it pays {number(seen.loss(weight))} nats on {images}"
    if abs(gap) < 2 * error:
        return (
            f"{text} and {number(m.scores.loss)} on test images: no more apart than the choice of "
            f"images explains."
        )
    side = "less" if gap > 0 else "more"
    terms = m.scores.reconstruction - seen.reconstruction, weight * (m.scores.kl - seen.kl)
    return (
        f"{text}, {number(abs(gap))} (± {number(error)}) {side} than on test images; in the "
        f"reconstruction the difference is {number(terms[0])}, in the KL {number(terms[1])}."
    )


def _usage(m: Material) -> str:
    dead = [i for i in range(m.d) if i not in m.used]
    if not dead:
        return "all neurons are in use." if m.d > 1 else "the neuron is in use."
    if not m.used:
        return "none of its neurons carries information: what it draws is the same for every image."
    verb = "says" if len(dead) == 1 else "say"
    return f"{neurons(sorted(dead), most=8)} {verb} next to nothing (less than 0.01 nats)."


def _weighing(m: Material) -> str:
    weight, scores = m.subject.kld_weight, m.scores
    if weight == 0:
        return (
            "It was trained with kld_weight 0, as a plain autoencoder: only the first was paid "
            "for, and nothing keeps its codes near the origin."
        )
    whole = scores.reconstruction + scores.kl
    # The cross-entropy of grey pixels is a score, no probability of the picture.
    is_score = isinstance(m.model.likelihood, Bernoulli) and float(m.floors.max()) > 0.01
    bound = "" if is_score else ", a bound on how surprising pictures are to it"
    if weight == 1:
        return f"Together they make {number(whole)}{bound}."
    effect = "less said, more order" if weight > 1 else "more said, less order"
    return (
        f"In training the KL was weighed by {weight:g} ({effect}), which makes "
        f"{number(scores.loss)}; unweighed, the two make {number(whole)}{bound}."
    )


def _ratio(n_pixels: int, d: int) -> str:
    if d >= n_pixels:
        return "no compression at all"
    return f"one number for every {n_pixels / d:.{0 if n_pixels >= 10 * d else 1}f} pixel values"


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
