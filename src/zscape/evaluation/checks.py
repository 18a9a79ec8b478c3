"""How each measure is judged: what is said of it, when it is serious, and what to try."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from zscape.evaluation.doctor import Checkup
from zscape.evaluation.measures import ACTIVE_VARIANCE, SATURATED
from zscape.words import counted, number, percent


@dataclass(frozen=True)
class Check:
    """How one measure is judged.

    Parameters
    ----------
    name
        Of the finding.
    measure, about
        Which of ``Checkup.measures``, and what that is.
    says
        The sentence, for a checkup.
    advice
        One thing to try.
    is_serious
        Whether it is, for a checkup; never by default. The limits are far from anything the zoo
        holds, so that small and short trainings do not meet them either.
    slack
        How far beyond the zoo's range is still fine.
    is_bad
        Which side of the range is bad: -1 below, 1 above, 0 both.
    explains
        Findings that follow from this one where it is serious.
    """

    name: str
    measure: str
    about: str
    says: Callable[[Checkup], str]
    advice: str
    is_serious: Callable[[Checkup], bool] = lambda _: False
    slack: float = 0.0
    is_bad: int = 1
    explains: tuple[str, ...] = ()


def _neurons(which: Iterable[int]) -> str:
    names = [f"z{i}" for i in which]
    if len(names) > 8:
        names = [*names[:7], f"{len(names) - 7} more"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _dead_layer(c: Checkup) -> str:
    if not c.dead_layers:
        return "No layer gives the same for every image."
    return f"Layer {c.dead_layers[0]} gives the same for every image."


def _active(c: Checkup) -> str:
    n, d = int(c.active.sum()), len(c.active)
    return (
        f"{n} of {counted(d, 'latent neuron')} {'is' if n == 1 else 'are'} active: the posterior "
        f"mean varies by more than {ACTIVE_VARIANCE:g} over the images. Reconstructions draw "
        f"{percent(max(0.0, c.kept))} of the variance of pixels."
    )


def _kept(c: Checkup) -> str:
    return f"Reconstructions draw {percent(max(0.0, c.kept))} of the variance of pixels."


def _certain(c: Checkup) -> str:
    share = c.measures()["certain"]
    if not share:
        return "No posterior is a point: every code has a width that its neighbours share."
    return (
        f"In {percent(share)} of the neurons the posterior is a point: its variance is stuck at 0, "
        f"and nothing is asked of the decoder between the codes of images."
        + ("" if c.kld_weight else " It was trained with kld_weight 0, as a plain autoencoder.")
    )


def _unsure(c: Checkup) -> str:
    share = c.measures()["unsure"]
    if not share:
        return "No active neuron has a posterior as wide as the prior."
    return (
        f"In {percent(share)} of the neurons the posterior's variance is stuck at 1, that of the "
        f"prior, though their means differ from image to image."
    )


def _aggregate(c: Checkup) -> str:
    worst = int(np.argmax(c.ks))
    return (
        f"All codes together differ from the prior by an energy distance of "
        f"{number(c.two_sample.size, 3)} (0 is none, 1 the most; p = {c.two_sample.p:.2g}); one by "
        f"one, z{worst} differs most (Kolmogorov-Smirnov {number(float(c.ks[worst]))})."
    )


def _mean(c: Checkup) -> str:
    i = int(np.abs(c.mean).argmax())
    return f"The codes of z{i} lie around {number(float(c.mean[i]))}; the prior's around 0."


def _std(c: Checkup) -> str:
    i = int(np.abs(np.log(c.std.clip(1e-9))).argmax())
    return f"The codes of z{i} have standard deviation {number(float(c.std[i]))}; the prior's is 1."


def _correlation(c: Checkup) -> str:
    if len(c.mean) == 1:
        return "One neuron has nothing to go together with."
    return f"The two neurons that go together most have correlation {number(c.correlation)}."


def _holes(c: Checkup) -> str:
    return (
        f"{percent(c.holes)} of vectors drawn from the prior lie farther from all codes than 99 % "
        f"of the codes lie from each other."
    )


def _ignored(c: Checkup) -> str:
    equal = 1 / max(1, c.active.sum())
    which = np.flatnonzero(c.active & (c.explained < 0.01 * equal))
    if not len(which):
        return "Every active neuron changes the picture."
    verb, each = ("is", "it") if len(which) == 1 else ("are", "each")
    return (
        f"{_neurons(which)} {verb} active, but the decoder hardly listens: {each} explains less "
        f"than {percent(0.01 * equal)} of the variance of its pictures."
    )


def _dead_units(c: Checkup) -> str:
    dead = c.layers[(c.layers["n_dead"] > 0) & (c.layers["n_units"] > 1)]
    if dead.empty:
        return "No unit of any layer gives the same for every image."
    worst = (dead["n_dead"] / dead["n_units"]).idxmax()
    row = dead.loc[worst]
    return (
        f"{row['n_dead']} of {row['n_units']} units of layer {worst} give the same for every image."
    )


def _saturated(c: Checkup) -> str:
    return (
        f"{percent(c.saturated)} of the pixels that are drawn are pure black or white, to "
        f"{SATURATED:g}: there the decoder learns no more."
    )


def _gap(c: Checkup) -> str:
    assert c.gap is not None
    gap = c.gap.difference
    side = "more" if gap.mean >= 0 else "less"
    return (
        f"A test image costs {number(abs(gap.mean))} ± {number(gap.error)} nats {side} than a "
        f"training image, {percent(abs(c.gap.share))} of what is paid beyond the very picture."
    )


def _unseen(c: Checkup) -> str:
    assert c.gap is not None
    if c.gap.unseen is None:
        return "Every class of the test images has training images."
    more = c.gap.unseen.mean - c.gap.seen.mean
    names = list(c.gap.unseen_classes)
    shown = ", ".join(names if len(names) <= 8 else [*names[:7], f"{len(names) - 7} more"])
    return (
        f"{percent(c.gap.unseen_share)} of the test images are of classes without training images "
        f"({shown}); they cost {number(c.gap.unseen.mean)} ± {number(c.gap.unseen.error)} nats, "
        f"{number(abs(more))} {'more' if more > 0 else 'less'} than the others."
    )


def _steadiness(c: Checkup) -> str:
    assert c.course is not None
    if c.course.jump == 0:
        return "The training loss never rose from one epoch to the next."
    return (
        f"From one epoch to the next the training loss rose by up to {number(c.course.jump)} nats, "
        f"{_of_excess(c, c.course.jump)}."
    )


def _falling(c: Checkup) -> str:
    assert c.course is not None
    way = "fell" if c.course.fall >= 0 else "rose"
    return (
        f"In the last {c.course.n} epochs the test loss {way} by {number(abs(c.course.fall))} ± "
        f"{number(c.course.error)} nats, {_of_excess(c, abs(c.course.fall))}."
    )


def _lost(c: Checkup) -> str:
    assert c.course is not None
    if c.course.lost == 0:
        return "The test loss was lowest after the last epoch."
    return (
        f"The last test loss lies {number(c.course.lost)} nats above its lowest, "
        f"{_of_excess(c, c.course.lost)}."
    )


def _of_excess(c: Checkup, nats: float) -> str:
    share = nats / c.excess.mean
    shown = f"{percent(share)} of" if share <= 1 else f"{number(share, 1)} times"
    return f"{shown} what is paid beyond the very picture"


def _moved(c: Checkup) -> str:
    assert c.drift is not None
    return (
        f"Between the two states of its weights, {percent(c.drift.moved)} of the codes' variance "
        f"moved after the best rotation; {percent(c.drift.kept)} of nearest neighbours stayed."
    )


def _is_collapsed(c: Checkup) -> bool:
    n = c.active.sum()
    return bool(n == 0 or (n < len(c.active) / 2 and c.kept < 0.5))


def _is_overfitted(c: Checkup) -> bool:
    gap = c.gap
    return gap is not None and gap.share > 0.5 and gap.difference.mean > 4 * gap.difference.error


def _is_unseen(c: Checkup) -> bool:
    if c.gap is None or c.gap.unseen is None or c.gap.unseen_share < 0.01:
        return False
    more = c.gap.unseen.mean - c.gap.seen.mean
    return bool(more > 4 * np.hypot(c.gap.unseen.error, c.gap.seen.error))


_OF_CODES = ("aggregate posterior off the prior", "codes off centre", "codes of another width",
             "correlated neurons", "holes")  # fmt: skip

_OF_A_DEAD_LAYER = (
    "posterior collapse", "posteriors are points", "posteriors as wide as the prior", "overfitting",
    *_OF_CODES, "poor reconstructions", "saturated pixels", "dead units", "ignored neurons",
    "codes that drift",
)  # fmt: skip

EXCESS = "The excess of a loss is what it is above that of drawing the very picture."
"""What measures say it of."""

CHECKS: tuple[Check, ...] = (
    Check(
        "unsteady training",
        "jump",
        "largest rise of the training loss, of its excess",
        _steadiness,
        "Train with a lower learning rate, or --clip-norm.",
        lambda c: c.measures().get("jump", 0) > 0.5,
        slack=0.05,
        explains=("dead layer", *_OF_A_DEAD_LAYER, "still moving", "past its best"),
    ),
    Check(
        "dead layer",
        "dead_layer",
        "layers that never change",
        _dead_layer,
        "Look at its weights: they may all be 0, or behind units that never fire.",
        lambda c: bool(c.dead_layers),
        explains=_OF_A_DEAD_LAYER,
    ),
    Check(
        "posterior collapse",
        "active",
        f"share of neurons whose mean varies by > {ACTIVE_VARIANCE:g}",
        _active,
        "Train with a smaller --kld-weight, or raise it slowly with --kl-warmup.",
        _is_collapsed,
        slack=0.2,
        is_bad=-1,
        explains=(
            *_OF_CODES,
            "poor reconstructions",
            "dead units",
            "ignored neurons",
            "codes that drift",
        ),
    ),
    Check(
        "posteriors are points",
        "certain",
        "share of neurons with variance 0",
        _certain,
        "Train with a --kld-weight above 0, or a larger one.",
        lambda c: c.measures()["certain"] >= 0.5,
        explains=("overfitting", *_OF_CODES),
    ),
    Check(
        "posteriors as wide as the prior",
        "unsure",
        "share of neurons with variance 1",
        _unsure,
        "Look at the layer of the log-variance: it may not have been trained.",
        lambda c: c.measures()["unsure"] >= 0.5,
        explains=_OF_CODES,
    ),
    Check(
        "classes without training images",
        "unseen",
        "share of test images of such classes",
        _unseen,
        "Train with images of every class, or test without those.",
        _is_unseen,
        explains=_OF_CODES,
    ),
    Check(
        "overfitting",
        "gap",
        "test loss above training loss, of its excess",
        _gap,
        "Train on more images, for fewer epochs (--early-stopping), or with fewer neurons.",
        _is_overfitted,
        slack=0.1,
        explains=(*_OF_CODES, "still moving", "past its best"),
    ),
    Check(
        "aggregate posterior off the prior",
        "energy",
        "energy distance of codes and prior",
        _aggregate,
        "Draw pictures from codes of images, not from the prior; or train with a larger "
        "--kld-weight.",
        lambda c: c.two_sample.size > 0.1,
        slack=0.01,
        explains=_OF_CODES[1:],
    ),
    Check(
        "holes",
        "holes",
        "share of the prior far from all codes",
        _holes,
        "Draw pictures near codes of images; train on more images or with fewer neurons.",
        lambda c: c.holes > 0.3,
        slack=0.03,
    ),
    Check(
        "poor reconstructions",
        "kept",
        "share of the variance of pixels drawn",
        _kept,
        "Train longer, with more neurons, or with a smaller --kld-weight.",
        slack=0.1,
        is_bad=-1,
    ),
    Check(
        "saturated pixels",
        "saturated",
        "share of pixels drawn pure black or white",
        _saturated,
        "Train with a lower learning rate, or more --weight-decay.",
        lambda c: c.saturated > 0.3,
        slack=0.02,
    ),
    Check(
        "dead units",
        "dead",
        "largest share of a layer's units",
        _dead_units,
        "The model would not miss them; a lower learning rate leaves fewer behind.",
    ),
    Check(
        "ignored neurons",
        "ignored",
        "share of active neurons hardly heard",
        _ignored,
        "Fewer neurons would do; train with a smaller --latent-dim.",
    ),
    Check(
        "codes off centre",
        "mean",
        "largest mean of a neuron's codes",
        _mean,
        "A larger --kld-weight draws codes to the origin.",
        slack=0.2,
    ),
    Check(
        "codes of another width",
        "std",
        "standard deviation furthest from 1",
        _std,
        "A larger --kld-weight keeps codes as wide as the prior.",
        slack=0.2,
        is_bad=0,
    ),
    Check(
        "correlated neurons",
        "correlation",
        "largest correlation of two neurons",
        _correlation,
        "Fewer neurons, or a larger --kld-weight, would say it once.",
        slack=0.1,
    ),
    Check(
        "still moving",
        "falling",
        "last fall of the test loss, of its excess",
        _falling,
        "Train longer.",
        slack=0.02,
    ),
    Check(
        "past its best",
        "lost",
        "test loss above its lowest, of its excess",
        _lost,
        "Keep the weights of the best epoch, with --early-stopping.",
        slack=0.02,
    ),
    Check(
        "codes that drift",
        "moved",
        "share of the variance of codes",
        _moved,
        "Train longer, or with the cosine --schedule, which lets the weights come to rest.",
        slack=0.1,
    ),
)
"""In the order of gravity: a finding can only follow from one that stands above it."""
