"""What the model keeps of pictures, and what it makes up."""

from __future__ import annotations

from collections import Counter

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from zscape import figures
from zscape.embedding.neighbours import nearest
from zscape.latents import sample_prior
from zscape.report.material import Material
from zscape.report.page import Block, Heading, Plate, Section
from zscape.report.words import count, distance, number, sentence
from zscape.seeding import torch_generator

N_PAIRS = 10
N_RANDOM = 12


def reconstructions(m: Material) -> Section:
    """Pictures beside what is left of them."""
    n = min(N_PAIRS, len(m.images))
    chosen = torch.randperm(
        len(m.images), generator=torch_generator(m.seed, "report", "pairs")
    ).numpy()[:n]
    mean_error = float((m.reconstruct(chosen) - m.pictures(chosen)).abs().mean())
    text = f"Pictures squeezed through {count(m.d, 'number')} and drawn again."
    if m.is_binary:
        text += (
            " Compare row 1 with row 3, and at a threshold of 0.5 row 2 with row 4, where a stroke "
            "or an edge that moved shows best."
        )
    blocks: list[Block] = [
        text,
        Plate(
            _pairs(m, chosen),
            f"{sentence(count(n, 'test image'))} at random. A pixel of these is off by "
            f"{mean_error:.3f} on average, of a range of 1; look for what moved or is gone.",
            f"Originals and reconstructions{', also at threshold 0.5' if m.is_binary else ''}",
        ),
    ]
    if len(m.images) >= 3 * n:
        blocks += _ranked(m, n)
    return Section("Reconstructions", blocks)


def _ranked(m: Material, n: int) -> list[Block]:
    """The images by what the model could have avoided."""
    costs = m.costs.avoidable
    order = np.argsort(costs, kind="stable")
    half = len(order) // 2 - n // 2
    parts = {
        "Best": (order[:n], "where least could have been saved: what it finds easy"),
        "Typical": (order[half : half + n], "around the median"),
        "Worst": (
            order[: -n - 1 : -1].copy(),
            "where most could have been saved: look for what is unusual in them",
        ),
    }
    blocks: list[Block] = [
        Heading("Best, typical, worst"),
        f"The images by what a perfect reconstruction would have saved: "
        f"{number(costs[order[0]], 1)} to {number(costs[order[-1]], 1)} nats, half of them below "
        f"{number(float(np.median(costs)), 1)}.{_unavoidable(m)}"
        + (f" {_hardest(m)}" if m.has_classes else ""),
    ]
    for name, (rows, what) in parts.items():
        caption = f"{name}: those {what}."
        caption += _classes_of(m, rows) if name != "Typical" else ""
        blocks.append(Plate(_pairs(m, rows, show_cost=True), caption, f"{name} reconstructions"))
    return blocks


def _unavoidable(m: Material) -> str:
    """What the picture itself costs, if that differs from one to the next."""
    floor = m.costs.total - m.costs.avoidable
    if np.ptp(floor) < 0.01:
        return ""
    low, high = number(float(floor.min()), 1), number(float(floor.max()), 1)
    return (
        f" What the likelihood takes even for the very picture, {low} to {high} nats, depends on "
        f"how grey it is and not on the model; it is left out."
    )


def imagined(m: Material) -> Section:
    """Pictures from vectors drawn at random."""
    n = N_RANDOM if m.d <= 20 else 6
    found, told = sample_prior(m.model, n, seed=m.seed), m.model.condition
    as_what = m.drawn_as
    if told is not None and m.model.chosen is None:
        as_what = f" Drawn as {told.in_turn()}."
    text = (
        "Vectors drawn from the standard normal distribution, and the pictures the decoder makes "
        "of them."
    )
    # What the decoder was trained on: codes with the noise of the encoder, as the prior has it.
    codes = m.table.sample(seed=m.seed)
    spread = codes[:, m.used or slice(None)].std(0).mean()
    gaps = nearest(m.table.mu, found.vectors, 1).distances
    usual = float(np.median(_to_another(m.table.mu, codes)))
    if not 0.5 < spread < 2:
        text += (
            f" But the codes of real images, noise included, have standard deviation "
            f"{number(float(spread))} on average, and these vectors 1: this is not where the model "
            f"keeps its pictures, and what comes out need not look like one."
        )
    caption = (
        f"{sentence(count(n, 'random picture'))}, each beside its vector.{as_what} "
        f"The nearest test image is {distance(float(gaps.min()))} to "
        f"{distance(float(gaps.max()))} away; from the code of a test image, drawn with the "
        f"encoder's noise, the nearest other is {distance(usual)} away (median)."
    )
    plate = Plate(figures.plot_random_samples(found.images, found.vectors), caption,
                  "Random pictures beside their latent vectors")  # fmt: skip
    return Section("Imagined pictures", [text, plate])


def _to_another(mu: NDArray[np.float32], codes: NDArray[np.float32]) -> NDArray[np.float64]:
    """From the code of each image to the nearest mean of another."""
    found = nearest(mu, codes, 2)
    is_own = found.rows[:, 0] == np.arange(len(mu))
    return np.where(is_own, found.distances[:, 1], found.distances[:, 0]).astype(np.float64)


def _pairs(m: Material, rows: NDArray[np.int64], *, show_cost: bool = False) -> Figure:
    names = [m.name_of(row) for row in rows]
    titles: list[str] | None = names if names[0] else None
    if show_cost:
        costs = [number(cost, 1) for cost in m.costs.avoidable[rows]]
        titles = [f"{name}: {cost}" if name else cost
                  for name, cost in zip(names, costs, strict=True)]  # fmt: skip
    return figures.plot_reconstructions(
        m.pictures(rows), m.reconstruct(rows), titles, binarized=m.is_binary
    )


def _hardest(m: Material) -> str:
    classes = m.table.rows_by_class().items()
    costs = {name: float(m.costs.avoidable[rows].mean()) for name, rows in classes}
    easy, hard = min(costs, key=lambda k: costs[k]), max(costs, key=lambda k: costs[k])
    return (
        f"By class, {easy} is the cheapest ({number(costs[easy], 1)} on average) and {hard} the "
        f"dearest ({number(costs[hard], 1)})."
    )


def _classes_of(m: Material, rows: NDArray[np.int64]) -> str:
    if not m.has_classes:
        return ""
    found = Counter(m.name_of(row) for row in rows).most_common(2)
    if len(found) == 1:
        return f" All are of class {found[0][0]}."
    (name, n), (_, second) = found
    if n == second:
        return ""
    return f" Most frequent among them is {name}, with {n} of {len(rows)}."
