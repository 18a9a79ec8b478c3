"""How a figure was taken: two may be compared only if that is the same."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import torch

from zscape.data import ImageSet
from zscape.errors import ConfigError, DataError
from zscape.seeding import torch_generator

if TYPE_CHECKING:
    from zscape.evaluation.bounds import Evaluation
    from zscape.model import Likelihood

Binarize: TypeAlias = Literal["none", "threshold", "dynamic", "given"]
Precision: TypeAlias = Literal["32", "bf16"]


@dataclass(frozen=True)
class Protocol:
    """What is done to images and model before anything is measured.

    Parameters
    ----------
    binarize
        ``none``: pixels as they are. ``threshold``: those above ½ are white. ``dynamic``: each
        turns white with its own brightness as probability, ``draws`` times. ``given``: the images
        are black and white already, of a static binarisation; it is looked at whether they are.
    draws
        How often each image is binarised dynamically; its figures are the means over the draws.
    samples
        K, posterior samples of each image: the ELBO is the mean over them, the importance-weighted
        bound is taken of all together.
    seed
        Of the samples and the draws.
    precision
        ``32``, or ``bf16`` for the decoder, which says by how much that changes the figures.

    Raises
    ------
    ConfigError
        A value that there is not.
    """

    binarize: Binarize = "none"
    draws: int = 1
    samples: int = 1
    seed: int = 0
    precision: Precision = "32"

    def __post_init__(self) -> None:
        for name, known in (("binarize", get_args(Binarize)), ("precision", get_args(Precision))):
            if (value := getattr(self, name)) not in known:
                raise ConfigError(f"{name} must be one of {', '.join(known)}; got {value!r}.")
        for name in ("draws", "samples"):
            if (value := getattr(self, name)) < 1:
                raise ConfigError(f"{name} must be at least 1; got {value}.")
        if self.draws > 1 and self.binarize != "dynamic":
            raise ConfigError(
                f"only a dynamic binarisation is drawn several times; got draws {self.draws} with "
                f"binarize {self.binarize}."
            )

    def check_fits(self, likelihood: Likelihood, images: ImageSet) -> None:
        """Raise unless figures of ``images`` under ``likelihood`` mean something.

        Raises
        ------
        ConfigError
            Pixels are binarised for a likelihood of grey ones.
        DataError
            ``given``, and there is a grey pixel.
        """
        if self.binarize != "none" and likelihood.levels != 2:
            raise ConfigError(
                f"binarize {self.binarize} is for a likelihood of black-and-white pixels, such as "
                f"bernoulli; the model's is {type(likelihood).__name__}: use binarize none."
            )
        if self.binarize == "given" and not is_binary(images):
            raise DataError(
                f"binarize given takes images that are black and white already; {images.name} has "
                "grey pixels: use threshold or dynamic."
            )

    def __str__(self) -> str:
        shown = {"draws": self.binarize == "dynamic", "binarize": True, "samples": True,
                 "seed": True, "precision": self.precision != "32"}  # fmt: skip
        parts = [f"{field.name} {getattr(self, field.name)}" for field in fields(self)
                 if shown[field.name]]  # fmt: skip
        return ", ".join(parts)


def is_binary(images: ImageSet) -> bool:
    """Whether every pixel is 0 or 255."""
    starts = range(0, len(images), 10_000)
    parts = (images.images[start : start + 10_000] for start in starts)
    return all(bool(((part == 0) | (part == 255)).all()) for part in parts)


def measure_of(likelihood: Likelihood, is_black_and_white: bool) -> tuple[str, float | None]:
    """What nats are nats of, and the bits of a pixel's grey levels that they leave out.

    Figures of two measures cannot be compared. The bits are None where there is no likelihood.
    """
    if likelihood.is_density:
        return "density of dequantised pixels", math.log2(likelihood.levels)
    if likelihood.levels == 2 and not is_black_and_white:
        return "cross-entropy of grey pixels, no likelihood", None
    return f"{likelihood.levels} grey levels", 0.0


def check_comparable(first: Evaluation, second: Evaluation) -> None:
    """Raise unless the figures of both may stand in one column.

    Raises
    ------
    ConfigError
        They were taken otherwise; the message names every difference.
    """
    one, two = first.conditions(), second.conditions()
    if differences := [
        f"{name} {one[name]} and {two[name]}" for name in one if one[name] != two[name]
    ]:
        raise ConfigError(
            f"{first.name} and {second.name} cannot be compared: {'; '.join(differences)}."
        )


def binarized(x: torch.Tensor, protocol: Protocol, draw: int, rows: torch.Tensor) -> torch.Tensor:
    """Pixels ``x`` of the images at ``rows``, as ``protocol`` wants them in this ``draw``.

    What becomes of an image is decided by its row alone, so not by how images are batched.
    """
    if protocol.binarize == "threshold":
        return (x > 0.5).float()
    if protocol.binarize != "dynamic":
        return x
    coins = torch.stack([
        torch.rand(x.shape[1:], generator=torch_generator(protocol.seed, "binarize", draw, row))
        for row in rows.tolist()
    ])  # fmt: skip
    return (coins < x).float()
