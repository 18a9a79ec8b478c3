"""Several models on one page: what was measured, and what each makes of the same images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from matplotlib.figure import Figure

from zscape import figures
from zscape.data import ImageSet
from zscape.evaluation import Comparison
from zscape.evaluation.measures import holes, two_sample
from zscape.latents import LatentTable, between, decode, encode, traversal
from zscape.model import VAE
from zscape.neurons import mean_kl
from zscape.report.page import Block, Heading, Plate, Section, Table, draw_page
from zscape.report.words import count, listing, number, percent, sentence
from zscape.seeding import numpy_generator, torch_generator

MOST_CODED = 2_000
"""Images whose codes are drawn and compared with the prior."""
SHARES = (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
"""Of a neuron's codes: where it is held as it is turned."""
STEPS = 9
"""Of the walk from one image to another."""
MOST_TURNED = 2
"""Neurons of each model that are turned."""

QUANTITIES = {
    "elbo": "minus the ELBO, nats per image",
    "nll": "minus a closer bound on log p(x), nats per image",
    "iw_bound": "minus a closer bound, of no likelihood, nats per image",
    "bits_per_dim": "the same in bits per pixel and channel",
    "reconstruction": "what the pixels cost, nats",
    "kl": "what the code says, nats",
    "n_used": "neurons that say more than 0.01 nats",
    "linear": "test images whose class a linear reader of the latents tells",
    "neighbours": "those whose class their 15 nearest training images tell",
}


@dataclass(frozen=True, eq=False)
class SideBySide:
    """Models that are shown the same images.

    Parameters
    ----------
    models
        By the name they go by; all take ``images``.
    """

    models: Mapping[str, VAE]
    images: ImageSet

    @cached_property
    def chosen(self) -> ImageSet:
        """The first image of every class (of ten at most), or the first ten."""
        first = np.arange(min(10, len(self.images)))
        if self.images.labels is not None:
            first = np.unique(self.images.labels.numpy(), return_index=True)[1][:10]
        return self.images[[int(row) for row in first]]

    @cached_property
    def tables(self) -> dict[str, LatentTable]:
        """Where each model puts the same images, as many as are drawn."""
        few = self.images
        if len(few) > MOST_CODED:
            few = few.subset(MOST_CODED, torch_generator(0, "side by side"))
        return {name: encode(model, few) for name, model in self.models.items()}

    def turned(self, rank: int) -> dict[str, int]:
        """Of each model that has so many, its neuron that says ``rank``-th most, from 0."""
        orders = {name: np.argsort(-mean_kl(table), kind="stable")
                  for name, table in self.tables.items()}  # fmt: skip
        return {name: int(order[rank]) for name, order in orders.items() if len(order) > rank}

    def reconstructions(self) -> Figure:
        """The images, and what each model makes of them."""
        made = {
            name: decode(model, encode(model, self.chosen).mu, condition=self.chosen)
            for name, model in self.models.items()
        }
        return figures.plot_side_by_side({"images": self.chosen.pixels(), **made})

    def _told(self, name: str) -> VAE:
        """The model; one that is told what pictures are, that they are as the first one is."""
        return self.models[name].told_of(self.chosen)([0])

    def line(self) -> Figure:
        """A straight line in each latent space, between the same two images."""
        start, end = self.chosen[[0]], self.chosen[[len(self.chosen) - 1]]
        blank = torch.ones(STEPS - 2, *self.images.image_shape)
        ends = torch.cat([start.pixels(), blank, end.pixels()])
        walks = {name: between(self._told(name), start, end, STEPS).images for name in self.models}
        return figures.plot_side_by_side({"images": ends, **walks})

    def turns(self, rank: int) -> Figure:
        """The same image while one neuron of each model goes through its codes.

        It is the one that says most for ``rank`` 0, the next for 1.
        """
        rows = {}
        for name, neuron in self.turned(rank).items():
            values = np.quantile(self.tables[name].mu[:, neuron], SHARES)
            walk = traversal(self._told(name), self.chosen[[0]], neuron, values)
            rows[f"{name}, z{neuron}"] = walk.images[0]
        return figures.plot_side_by_side(rows, [f"{share:.0%}" for share in SHARES])

    def posteriors(self) -> Figure:
        """Codes of the same images on the two neurons of each model that say most."""
        codes = {}
        pairs = self.turned(0), self.turned(1)
        for name, table in self.tables.items():
            axes = [pair[name] for pair in pairs if name in pair]
            drawn = table.sample(seed=0)[:, axes]
            flat = drawn if len(axes) == 2 else np.column_stack([drawn, np.zeros(len(drawn))])
            codes[f"{name}: {', '.join(f'z{axis}' for axis in axes)}"] = flat
        one = next(iter(self.tables.values()))
        return figures.plot_posteriors(codes, one.labels, one.class_names)

    def apart(self) -> Table:
        """How far the codes of each model are from the prior."""
        rows = []
        for name, table in self.tables.items():
            drawn = table.sample(seed=0)
            prior = numpy_generator(0, "prior").standard_normal(drawn.shape)
            size = two_sample(drawn, prior, n_permutations=1).size
            found = f"{size:.3f}", percent(holes(drawn, prior))
            width = table.mu.std(0).astype(np.float64), np.exp(table.logvar).mean(0)
            spread = np.sqrt(width[0] ** 2 + width[1])
            rows.append((name, *found, f"{number(spread.min())} to {number(spread.max())}"))
        return Table(
            ["model", "distance", "holes", "standard deviations"], rows,
            "Codes against the prior: energy distance (0 for the same distribution, 1 for none in "
            "common), draws of the prior farther from all codes than 99 % of the codes are from "
            "each other (1 % for the same), and widths of the neurons (the prior's is 1).",
        )  # fmt: skip


def draw_comparison(found: Comparison, beside: SideBySide) -> str:
    """One self-contained page of models side by side.

    Parameters
    ----------
    found
        What was measured of them.
    beside
        The same models, and images to show them.
    """
    names = [model.evaluation.name for model in found.models]
    with figures.unshown():
        return draw_page(
            listing(names, most=4),
            (section(found, beside) for section in (_measured, _knobs, _images, _walks, _codes)),
            subtitle=sentence(f"{count(len(names), 'model')} side by side: {found.how}"),
        )


def _measured(found: Comparison, beside: SideBySide) -> Section:
    shown = found.shown()
    best = {(row, shown.columns.get_loc(name)) for name, row in found.best().items()}
    means = [(name, text) for name, text in QUANTITIES.items() if name in shown]
    table = Table(
        list(shown), shown.values.tolist(),
        f"In bold the best of its column, as far as these images can tell; ± is "
        f"{found.plus_minus}.", best,
    )  # fmt: skip
    return Section("What was measured", [found.verdict(), table, Table(["column", "is"], means)])


def _knobs(found: Comparison, beside: SideBySide) -> Section:
    frame = found.frame()
    figure = figures.plot_comparison(frame)
    if not figures.turned_knobs(frame):
        return Section("Model by model", [
            Plate(
                figure,
                "A line is a model; whiskers are the standard error over images, and shorter than "
                "the dot where there seem to be none.",
                "Measures of each model",
            )
        ])  # fmt: skip
    return Section("What it depends on", [
        Plate(
            figure,
            "A dot is a model, the line joins the means of those with the same value. Each row "
            "turns one of the two, number of neurons and weight of the KL, while the other stands "
            "still.",
            "Measures against the number of latent neurons and the weight of the KL",
        )
    ])  # fmt: skip


def _images(found: Comparison, beside: SideBySide) -> Section:
    return Section("The same images", [
        "The images as they are, and what each model draws from its posterior mean.",
        Plate(beside.reconstructions(), "Reconstructions of the same images by each model."),
    ])  # fmt: skip


def _walks(found: Comparison, beside: SideBySide) -> Section:
    told = {model.condition.title for model in beside.models.values() if model.condition}
    blocks: list[Block] = [
        *(f"All pictures of a walk are drawn as the {what} of the first image." for what in told),
        Plate(beside.line(), "From one image to another on a straight line through each latent "
              "space.", "The same walk in each latent space"),
        Heading("One neuron turned"),
        "Neurons of two models have nothing to do with each other, but for how much they say. Each "
        "goes through its own codes, from the lowest hundredth to the highest, while all others "
        "stay where the first of the images above is.",
    ]  # fmt: skip
    for rank in range(MOST_TURNED):
        if beside.turned(rank):
            which = ("most", "second most")[rank]
            caption = f"The neuron of each model that says {which} about the images."
            blocks.append(Plate(beside.turns(rank), caption))
    return Section("The same walks", blocks)


def _codes(found: Comparison, beside: SideBySide) -> Section:
    n = len(next(iter(beside.tables.values())))
    return Section("Aggregate posteriors", [
        f"Codes of the same {n:,} images: one draw from the posterior of each, on the two neurons "
        "that say most. The circle has radius 2 and 86 % of the prior in it; where codes reach far "
        "beyond it, it is small.",
        Plate(beside.posteriors(), "Posterior samples of the same images, for each model."),
        beside.apart(),
    ])  # fmt: skip
