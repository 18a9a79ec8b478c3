"""The whole report: its sections in reading order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from zscape.figures import unshown
from zscape.report import (
    cards,
    columns,
    effects,
    health,
    layers,
    making,
    maps,
    neurons,
    opening,
    pictures,
    probes,
    space,
)
from zscape.report.material import Material, Subject
from zscape.report.page import Section, write_page
from zscape.report.words import count, sentence

if TYPE_CHECKING:
    from zscape.embedding.methods import Tell

SECTIONS: dict[str, Callable[[Material], Section | None]] = {
    "the model": opening.what_it_is,
    "the data": opening.data,
    "learning": opening.losses,
    "watch it learn": opening.film,
    "what is wrong": health.findings,
    "reconstructions": pictures.reconstructions,
    "imagined pictures": pictures.imagined,
    "neurons in use": space.in_use,
    "prototypes": space.class_prototypes,
    "one neuron at a time": space.one_by_one,
    "pairs": space.pairs,
    "a line": space.line,
    "maps": maps.maps,
    "the way back": maps.way_back,
    "what neurons tell": neurons.tell,
    "what else neurons know": columns.know,
    "what the codes know": probes.known,
    "what neurons do": effects.do,
    "hidden layers": layers.hidden,
    "neuron cards": cards.cards,
    "how it was made": making.how,
}
"""By the name that progress is told by."""

WEIGHTS = {"watch it learn": 3, "what is wrong": 3, "maps": 9, "the way back": 5, "pairs": 2,
           "what neurons tell": 3, "what else neurons know": 3, "what the codes know": 2,
           "what neurons do": 5, "hidden layers": 3, "neuron cards": 3}  # fmt: skip
"""How long a section takes, against 1 for any other; for progress only."""


def write_report(
    subject: Subject,
    path: Path | str,
    *,
    explorer: str = "",
    seed: int = 0,
    progress: Tell | None = None,
) -> Path:
    """Write one self-contained page with the whole walk through a model's latent space.

    What does not apply to a model (classes without labels, a plane of one neuron, …) is said in
    words in its place; the section on columns is there only if there are some. The same subject
    and seed give the same page.

    Parameters
    ----------
    subject
        The model with its images, and what else is known of it.
    path
        Where to; an existing file is replaced, missing folders are made.
    explorer
        Address of the explorer's page, seen from this one, to be linked at the top.
    seed
        Of the images and vectors that are chosen, and of the maps.
    progress
        Told what is being done, and the fraction of the report that is done.

    Returns
    -------
    ``path``.

    Raises
    ------
    DataError
        Fewer than four test images.
    """
    tell = progress or (lambda stage, done: None)
    material = Material(subject, seed)
    total = sum(WEIGHTS.get(name, 1) for name in SECTIONS)

    def draw() -> Iterator[Section]:
        done = 0
        for name, section in SECTIONS.items():
            weight = WEIGHTS.get(name, 1)

            def inside(
                stage: str, part: float, name: str = name, done: int = done, weight: int = weight
            ) -> None:
                tell(f"{name}: {stage}", (done + 0.9 * part * weight) / total)

            tell(name, done / total)
            material.progress = inside
            if (drawn := section(material)) is not None:
                yield drawn
            done += weight
        tell("done", 1.0)

    about = subject.data.train if subject.is_own else subject.data.test
    with unshown():
        return write_page(
            path,
            f"{subject.name}: a walk through its latent space",
            draw(),
            subtitle=sentence(
                f"{count(material.d, 'latent neuron')}, {len(about):,} images of {about.name}"
            ),
            stats=opening.stats(material),
            links=[("Walk through it yourself, in the explorer", explorer)] if explorer else [],
        )
