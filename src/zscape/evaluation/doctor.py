"""Takes all measures of one model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zscape.data import ImageSet, ImagesLike, as_image_set
from zscape.errors import DataError
from zscape.evaluation.bounds import Estimate, estimate
from zscape.evaluation.measures import (
    ACTIVE_VARIANCE,
    CERTAIN,
    N_DECODED,
    UNSURE,
    Course,
    Drift,
    Floats,
    Gap,
    TwoSample,
    aggregate,
    distances_to_normal,
    excess,
    explained_variance,
    holes,
    kept_variance,
    layer_health,
    measure_course,
    measure_drift,
    measure_gap,
    two_sample,
)
from zscape.latents import encode
from zscape.model import VAE, ModelLike, as_vae
from zscape.neurons import mean_kl
from zscape.seeding import numpy_generator, torch_generator

MOST_IMAGES = 2000
"""Of each half that are looked at."""
LEAST_IMAGES = 20
"""Fewer say nothing about how codes are spread."""


@dataclass(frozen=True, eq=False)
class Checkup:
    """All measures of one model; those that could not be taken are None, ``skipped`` says why."""

    name: str
    data: str
    n_images: int
    kld_weight: float
    """That it was trained with."""
    kl: Floats
    """(latent_dim,) mean KL of each neuron, nats."""
    mean_variance: Floats
    """(latent_dim,) variance of the posterior mean over images."""
    posterior_variance: Floats
    """(latent_dim,) mean variance of the posterior."""
    mean: Floats
    """(latent_dim,) of the aggregate posterior; the prior's is 0."""
    std: Floats
    """(latent_dim,) of the aggregate posterior; the prior's is 1."""
    correlation: float
    """The largest between two neurons of the aggregate posterior, without sign."""
    two_sample: TwoSample
    """Aggregate posterior against prior."""
    ks: Floats
    """(latent_dim,) Kolmogorov-Smirnov distance of each neuron to the prior, [0, 1]."""
    holes: float
    """Share of prior samples farther from all codes than 99 % of those are from each other."""
    excess: Estimate
    """What an image costs beyond what drawing the very picture would: the loss that can be had
    less of, and the unit of all that is said of losses; nats."""
    kept: float
    """Share of the variance of pixels that reconstructions draw; see ``kept_variance``."""
    explained: Floats
    """(latent_dim,) share of the variance of the decoded pictures; see ``explained_variance``."""
    layers: pd.DataFrame
    """Per layer: ``n_units``, ``n_dead``."""
    saturated: float
    """Share of expected pixels that are saturated; see ``measures.SATURATED``."""
    gap: Gap | None
    course: Course | None
    drift: Drift | None
    skipped: tuple[str, ...] = ()
    """What was not looked at, and why; sentences."""

    @property
    def active(self) -> NDArray[np.bool_]:
        """(latent_dim,) Burda's criterion."""
        active: NDArray[np.bool_] = self.mean_variance > ACTIVE_VARIANCE
        return active

    @property
    def dead_layers(self) -> list[str]:
        """The first layer that gives the same for every image; those after it may for its sake."""
        is_dead = self.layers["n_dead"] == self.layers["n_units"]
        return [str(name) for name in self.layers.index[is_dead]][:1]

    def measures(self) -> dict[str, float]:
        """The numbers that have a normal range, by name; those that could not be taken are left
        out.
        """
        far = np.abs(np.log(self.std.clip(1e-9)))
        course, unit = self.course, self.excess.mean
        hidden = self.layers[self.layers["n_units"] > 1]
        dead = float((hidden["n_dead"] / hidden["n_units"]).max()) if len(hidden) else 0.0
        found = {
            "active": float(self.active.mean()),
            "kept": self.kept,
            "certain": float((self.posterior_variance < CERTAIN * self.std**2).mean()),
            "unsure": float((self.active & (self.posterior_variance > UNSURE)).mean()),
            "mean": float(np.abs(self.mean).max()),
            "std": float(self.std[far.argmax()]),
            "correlation": self.correlation,
            "energy": self.two_sample.size,
            "holes": self.holes,
            "ignored": self.ignored,
            "dead_layer": float(len(self.dead_layers)),
            "dead": dead,
            "saturated": self.saturated,
            "gap": None if self.gap is None else self.gap.share,
            "unseen": None if self.gap is None else self.gap.unseen_share,
            "falling": None if course is None else course.fall / unit,
            "lost": None if course is None else course.lost / unit,
            "jump": None if course is None else course.jump / unit,
            "moved": None if self.drift is None else self.drift.moved,
        }
        return {name: value for name, value in found.items() if value is not None}

    @property
    def ignored(self) -> float:
        """Share of the active neurons that explain less than a hundredth of an equal part."""
        if not self.active.any():
            return 0.0
        part = 1 / self.active.sum()
        return float((self.explained[self.active] < 0.01 * part).mean())

    def per_neuron(self) -> pd.DataFrame:
        """A row per latent neuron: the measures that are of one."""
        columns = {
            "kl": self.kl, "active": self.active, "mean_variance": self.mean_variance,
            "posterior_variance": self.posterior_variance, "mean": self.mean, "std": self.std,
            "ks": self.ks, "explained": self.explained,
        }  # fmt: skip
        names = pd.Index([f"z{i}" for i in range(len(self.kl))], name="neuron")
        return pd.DataFrame(columns, index=names)


def examine(
    vae: ModelLike,
    images: ImagesLike,
    *,
    train: ImageSet | None = None,
    kld_weight: float = 1.0,
    history: Sequence[Mapping[str, Any]] = (),
    other: VAE | None = None,
    name: str = "",
    seed: int = 0,
    progress: Callable[[str, float], None] | None = None,
) -> Checkup:
    """Take all measures of a model.

    At most ``MOST_IMAGES`` of each half are looked at. The same arguments give the same numbers.

    Parameters
    ----------
    vae
        A model, or what has one: what ``zscape.load`` or ``zscape.train`` returned.
    images
        That it was not trained on.
    train
        That it was trained on, if they are known.
    kld_weight
        That it was trained with.
    history
        One mapping per epoch, as in ``metrics.jsonl``, if it is known.
    other
        The same model at another moment of its training, if it is known.
    name
        What to call the model.
    seed
        Of the images and codes that are drawn.
    progress
        Told what is being done, and the share that is done.

    Raises
    ------
    DataError
        Fewer than ``LEAST_IMAGES`` images; or the model gives numbers that are not finite.
    ShapeError
        The images are not the model's.
    """
    vae, tell = as_vae(vae), progress or (lambda stage, done: None)
    whole = as_image_set(images, image_shape=vae.image_shape)
    if len(whole) < LEAST_IMAGES:
        raise DataError(
            f"the doctor needs at least {LEAST_IMAGES} images to say anything; {whole.name} has "
            f"{len(whole)}."
        )
    some, skipped = _some(whole, seed), []
    tell("codes", 0.0)
    table = encode(vae, some)
    tested = excess(vae, some, kld_weight)
    z = table.sample(seed=seed)
    rng = numpy_generator(seed, "doctor", "prior")
    prior = rng.standard_normal(z.shape).astype(np.float32)
    mean, covariance = aggregate(table)
    tell("aggregate posterior", 0.2)
    half = min(1000, len(z))
    sizes = two_sample(z[:half], prior[:half], seed=seed)
    share = holes(z, prior, seed=seed)
    tell("decoder", 0.3)
    kept = kept_variance(vae, some, table.mu)
    explained = explained_variance(vae, z[:N_DECODED], condition=table[:N_DECODED], seed=seed)
    tell("layers", 0.5)
    layers, saturated = layer_health(vae, some)
    tell("training images", 0.7)
    gap = None
    if train is None:
        skipped.append("Its training images are not known, so overfitting cannot be seen.")
    else:
        part = _some(train, seed)
        gap = measure_gap(excess(vae, part, kld_weight), part, tested, some, train)
        if not (train.has_labels and whole.has_labels):
            skipped.append("Without labels nobody can say whether classes are missing in training.")
    course = measure_course(history)
    if course is None:
        known = f"is {len(history)} epochs long" if history else "is not known"
        skipped.append(f"Its training {known}, so whether it still moves cannot be seen.")
    drift = None
    if other is None:
        skipped.append(
            "Only one state of its weights is known, so a drift of its codes cannot be seen."
        )
    else:
        drift = measure_drift(table.mu, encode(other, some).mu)
    scale = np.sqrt(np.diag(covariance))
    together = np.abs(covariance / np.outer(scale, scale).clip(1e-12)) - np.eye(len(scale))
    variance = np.exp(table.logvar.astype(np.float64))
    tell("done", 1.0)
    return Checkup(
        name=name or type(vae).__name__, data=f"{whole.split} images of {whole.name}",
        n_images=len(some), kld_weight=kld_weight, kl=mean_kl(table),
        mean_variance=table.mu.var(0, dtype=np.float64), posterior_variance=variance.mean(0),
        mean=mean, std=scale, correlation=float(together.max().clip(0)), two_sample=sizes,
        ks=distances_to_normal(z), holes=share, excess=estimate(tested), kept=kept,
        explained=explained, layers=layers, saturated=saturated, gap=gap, course=course,
        drift=drift, skipped=tuple(skipped),
    )  # fmt: skip


def _some(images: ImageSet, seed: int) -> ImageSet:
    if len(images) <= MOST_IMAGES:
        return images
    draw = torch_generator(seed, "doctor", images.split)
    return images.subset(MOST_IMAGES, draw, stratified=images.has_labels)
