"""What a report is about, and all that several of its sections need, worked out once."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zscape.config import ModelConfig, RunConfig
from zscape.data import ImageSet, Splits
from zscape.embedding import Embedding, fit_map, methods
from zscape.errors import DataError
from zscape.evaluation import Diagnosis, Probes, diagnose, examine, probe
from zscape.figures import is_nearly_binary
from zscape.latents import LatentTable, Prototypes, decode, encode, nearest, prototypes
from zscape.model import (
    ACTIVE_KL,
    CLASS,
    VAE,
    MeanElbo,
    ReconstructionCosts,
    kl_to_standard_normal,
    mean_elbo,
    reconstruction_costs,
)
from zscape.neurons import NeuronColumns, mean_kl, neuron_columns, neuron_table
from zscape.seeding import torch_generator

if TYPE_CHECKING:
    import pandas as pd

    from zscape.embedding import Film
    from zscape.embedding.methods import Tell

MOST_IMAGES = 10_000
"""Test images that are encoded; statistics of more would be the same to the digits shown."""
MOST_MAPPED = 10_000
"""Images on a map: t-SNE's time grows with them, its picture only gets fuller."""
MOST_TRIED = 1_000
"""Images on which a unit is silenced, or whose hidden activations are averaged."""
MOST_COMPARED = 5_000
"""Training images whose loss is compared with that of the test images, or that readers of the codes
are fitted on, and test images that these are scored on."""
MOST_NEURONS = 16
"""Latent neurons shown one by one."""
MOST_PAIRED = 6
"""Latent neurons in the pair plot."""
MOST_CLASSES = 20
"""Classes shown side by side."""
MOST_NUMBERS = 320_000
"""Latent values that mutual information is estimated from; it takes 20 µs for each."""
MAPS = {name: methods[name].label for name in ("pca", "tsne", "umap")}


class Scores(NamedTuple):
    """How good a model is on test images; nats per image."""

    loss: float
    """Reconstruction + kld_weight * KL."""
    reconstruction: float
    kl: float
    source: str
    """Where the numbers are from, for a person to read."""


@dataclass(frozen=True)
class Subject:
    """What a report is about.

    Parameters
    ----------
    name
        ``zoo:10``, or that of the run folder or file.
    model, model_config
        The model.
    data
        The images the report is made with.
    is_own
        Whether the model was trained on ``data.train`` and never saw ``data.test``; False where
        that is not known.
    settings
        All it was told, if that is known.
    history
        One mapping per epoch, as in ``metrics.jsonl``; empty if that is not known.
    scores
        Those of ``data.test``, if they are known; otherwise they are measured.
    facts
        Further rows ``(what, value)`` on how it was made.
    raw
        The model before its weights were averaged, if that is known.
    film
        Makes a film of how it learned, of these images; None if no snapshots were kept.
    """

    name: str
    model: VAE
    model_config: ModelConfig
    data: Splits
    is_own: bool = True
    settings: RunConfig | None = None
    history: Sequence[Mapping[str, Any]] = ()
    scores: Scores | None = None
    facts: Sequence[tuple[str, str]] = ()
    raw: VAE | None = None
    film: Callable[[ImageSet], Film] | None = None

    @property
    def kld_weight(self) -> float:
        """That of the training; 1 if it is not known."""
        return 1.0 if self.settings is None else self.settings.train.kld_weight

    def diagnose(self, seed: int = 0, progress: Tell | None = None) -> Diagnosis:
        """What is wrong with it, by its test images and all else that is known.

        ``seed`` and ``progress`` are those of ``zscape.doctor``.

        Raises
        ------
        DataError
            Too few test images, or numbers that are not finite.
        """
        # While the weight of the KL rises, so may the loss.
        warm = 0 if self.settings is None else math.ceil(self.settings.train.kl_warmup)
        return diagnose(
            examine(
                self.model, self.data.test, train=self.data.train if self.is_own else None,
                kld_weight=self.kld_weight, history=self.history[warm:], other=self.raw,
                name=self.name, seed=seed, progress=progress,
            )
        )  # fmt: skip


@dataclass(eq=False)
class Material:
    """Everything a section may ask of a subject; each is worked out on first use and kept.

    Raises
    ------
    DataError
        Fewer than four test images: too few to say anything about.
    """

    subject: Subject
    seed: int = 0
    progress: Tell = field(default=lambda stage, done: None)

    def __post_init__(self) -> None:
        n = len(self.subject.data.test)
        if n < 4:
            raise DataError(
                f"a report needs at least 4 test images; {self.subject.data.test.name} has {n}."
            )

    @property
    def model(self) -> VAE:
        """The model."""
        return self.subject.model

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """What is wrong with the model.

        Raises
        ------
        DataError
            Too few test images to say.
        """
        return self.subject.diagnose(self.seed, self.progress)

    @property
    def decoder(self) -> VAE:
        """The model that draws vectors: one that is told, of what was asked for, or the first."""
        return self.model.told_anything()

    @property
    def d(self) -> int:
        """Number of latent neurons."""
        return self.model.latent_dim

    @cached_property
    def images(self) -> ImageSet:
        """The test images that are looked at."""
        return self._some(self.subject.data.test, MOST_IMAGES)

    @cached_property
    def few(self) -> ImageSet:
        """Those of them on which what is slow is tried."""
        return self._some(self.images, MOST_TRIED)

    @cached_property
    def table(self) -> LatentTable:
        """Where ``images`` lie."""
        return encode(self.model, self.images)

    @cached_property
    def scores(self) -> Scores:
        """Those of the subject; measured on its test images if it has none."""
        if self.subject.scores is not None:
            return self.subject.scores
        found, weight = mean_elbo(self.model, self.images), self.subject.kld_weight
        source = f"measured on {len(self.images):,} test images for this report"
        return Scores(found.loss(weight), found.reconstruction, found.kl, source)

    @cached_property
    def trained(self) -> MeanElbo:
        """What ``scores`` says of test images, of some it was trained on."""
        return mean_elbo(self.model, self._some(self.subject.data.train, MOST_COMPARED))

    @cached_property
    def costs(self) -> ReconstructionCosts:
        """What the reconstruction of each image costs, from its posterior mean."""
        return reconstruction_costs(self.model, self.images, self.table.mu)

    @property
    def floors(self) -> NDArray[np.float64]:
        """(n,) what drawing the very picture would cost, nats: no decoder can do better."""
        return self.costs.total - self.costs.avoidable

    @cached_property
    def loss_spread(self) -> float:
        """Standard deviation of the loss over images, each with one posterior sample."""
        table = encode(self.model, self.few)
        z = table.sample(seed=self.seed)
        kl = kl_to_standard_normal(torch.from_numpy(table.mu), torch.from_numpy(table.logvar))
        cost = reconstruction_costs(self.model, self.few, z).total
        return float((cost + self.subject.kld_weight * kl.sum(1).numpy()).std())

    @cached_property
    def is_binary(self) -> bool:
        """Whether the pixels are black or white but for soft edges."""
        return is_nearly_binary(self.few.pixels())

    @cached_property
    def kl(self) -> NDArray[np.float64]:
        """(latent_dim,) mean KL of each neuron over ``images``, nats."""
        return mean_kl(self.table)

    @cached_property
    def by_kl(self) -> list[int]:
        """All neurons, the one that says most about an image first."""
        return [int(neuron) for neuron in np.argsort(-self.kl, kind="stable")]

    @property
    def used(self) -> list[int]:
        """Neurons in use, the one that says most first."""
        return [neuron for neuron in self.by_kl if self.kl[neuron] > ACTIVE_KL]

    def top(self, n: int) -> list[int]:
        """The ``n`` neurons with the largest KL, in the order of their numbers."""
        return sorted(self.by_kl[:n])

    @cached_property
    def has_classes(self) -> bool:
        """Whether there are labels that tell anything: two classes at least, one of two images."""
        counts = [n for n in self.images.class_counts().values() if n]
        return len(counts) > 1 and max(counts) > 1

    @cached_property
    def classes(self) -> list[str]:
        """Names of the classes that are shown, those with most images, in their usual order."""
        counts = {name: n for name, n in self.images.class_counts().items() if n}
        largest = sorted(counts, key=lambda name: -counts[name])[:MOST_CLASSES]
        return [name for name in counts if name in largest] if self.has_classes else []

    @cached_property
    def shown(self) -> LatentTable:
        """The rows of ``table`` in the classes that are shown; all of them without classes."""
        table = self.table
        if not self.has_classes:
            return replace(table, labels=None, class_names=())
        numbers = [table.class_names.index(name) for name in self.classes]
        return table[np.isin(np.asarray(table.labels), numbers)]

    @cached_property
    def neurons(self) -> pd.DataFrame:
        """``zscape.neurons.neuron_table`` of as many rows as its cost allows."""
        table = self._rows(self.table, max(200, MOST_NUMBERS // self.d), "neurons")
        if not self.has_classes:
            table = replace(table, labels=None, class_names=())
        frame = neuron_table(table, seed=self.seed)
        return frame.assign(kl=self.kl, is_used=self.kl > ACTIVE_KL)

    @cached_property
    def columns(self) -> NeuronColumns | None:
        """How the neurons go with what else is known, of as many rows as its cost allows.

        None where nothing is, or nothing that can be compared.
        """
        known = self.table.columns
        if known is None:
            return None
        n = max(200, MOST_NUMBERS // (self.d * len(known.names)))
        found = neuron_columns(self._rows(self.table, n, "columns"), seed=self.seed)
        return found if found.n_tests else None

    @cached_property
    def probes(self) -> Probes:
        """What simple readers tell from the codes, fitted on training images if it saw them.

        Raises
        ------
        DataError
            There is nothing to tell, or too few images.
        """
        table, fit_on = self._rows(self.table, MOST_COMPARED, "probes"), None
        if self.subject.is_own:
            fit_on = encode(self.model, self._some(self.subject.data.train, MOST_COMPARED))
        return probe(table, fit_on, seeds=1, seed=self.seed)

    @cached_property
    def prototypes(self) -> Prototypes | None:
        """Of the classes that are shown; None without classes."""
        if not self.has_classes:
            return None
        every = prototypes(self.table)
        return Prototypes(np.stack([every[name] for name in self.classes]), tuple(self.classes))

    @cached_property
    def apart(self) -> tuple[str, str]:
        """The two classes whose prototypes lie furthest apart."""
        found = self.prototypes
        assert found is not None
        gaps = np.linalg.norm(found.vectors[:, None] - found.vectors, axis=2)
        i, j = np.unravel_index(gaps.argmax(), gaps.shape)
        return found.class_names[i], found.class_names[j]

    @cached_property
    def middle(self) -> int:
        """Row of the image closest to the middle of all."""
        return int(nearest(self.table, self.table.mu.mean(0), 1).rows[0])

    @cached_property
    def centre(self) -> tuple[NDArray[np.float32], str]:
        """A place to walk around, and what it is: a prototype, or an image without classes."""
        if self.prototypes is None:
            return self.table.mu[self.middle], "the test image closest to the middle of all"
        chosen = self.decoder.chosen
        name = chosen if self.own and chosen in self.own else self.apart[0]
        return self.prototypes[name], f"the prototype of {name}"

    @cached_property
    def span(self) -> tuple[float, float]:
        """Where nearly all posterior means lie, whichever the neuron; at least −3 to 3."""
        low, high = np.percentile(self.table.mu[:, self.top(MOST_NEURONS)], (0.5, 99.5))
        return min(-3.0, float(low)), max(3.0, float(high))

    @cached_property
    def maps(self) -> dict[str, Embedding | str]:
        """By method: the map of at most ``MOST_MAPPED`` images, or why there is none."""
        table = self.mapped
        found: dict[str, Embedding | str] = {}
        for i, (method, name) in enumerate(MAPS.items()):

            def tell(stage: str, done: float, i: int = i, name: str = name) -> None:
                self.progress(f"{name}, {stage}", (i + done) / len(MAPS))

            try:
                found[method] = fit_map(table, method, seed=self.seed, progress=tell)
            except DataError as error:
                found[method] = str(error)
        return found

    @cached_property
    def mapped(self) -> LatentTable:
        """The rows that are mapped."""
        return self._rows(self.shown, MOST_MAPPED, "map")

    @property
    def drawn(self) -> dict[str, Embedding]:
        """The maps that could be drawn."""
        return {name: one for name, one in self.maps.items() if isinstance(one, Embedding)}

    def name_of(self, row: int) -> str:
        """The class of a row of ``table``; "" without labels."""
        if self.table.labels is None:
            return ""
        return self.table.class_names[int(self.table.labels[row])]

    def pictures(self, rows: Any) -> Tensor:
        """(n, c, h, w) pixels of ``images`` at rows of ``table``."""
        return self.images.pixels(torch.as_tensor(np.asarray(rows)))

    def decode(self, z: Any, condition: Any = None) -> Tensor:
        """Pictures of latent vectors, (n, c, h, w) in [0, 1]; see ``zscape.latents.decode``."""
        return decode(self.decoder, z, condition=condition)

    def reconstruct(self, rows: NDArray[np.int64]) -> Tensor:
        """What the model makes of the images at ``rows``, each drawn as what it is."""
        return self.decode(self.table.mu[rows], self.table[rows])

    @property
    def drawn_as(self) -> str:
        """A sentence on what vectors are drawn as, of a model that is told; else empty."""
        chosen, condition = self.decoder.chosen, self.model.condition
        return f" Drawn as {condition.title} {chosen}." if condition and chosen else ""

    @property
    def own(self) -> list[str] | None:
        """What ``prototypes`` are drawn as, where not as all else: each as the class it is."""
        condition = self.model.condition
        is_told_classes = condition is not None and condition.column == CLASS
        return self.classes if is_told_classes and self.prototypes is not None else None

    def _rows(self, table: LatentTable, n: int, purpose: str) -> LatentTable:
        if len(table) <= n:
            return table
        generator = torch_generator(self.seed, "report", purpose)
        return table[torch.randperm(len(table), generator=generator)[:n].sort().values.numpy()]

    def _some(self, images: ImageSet, n: int) -> ImageSet:
        if len(images) <= n:
            return images
        generator = torch_generator(self.seed, "report", "images", n)
        return images.subset(n, generator, stratified=images.has_labels)
