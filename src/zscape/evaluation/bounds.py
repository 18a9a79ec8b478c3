"""Bounds on log p(x): the ELBO and the importance-weighted one, image by image."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zscape.data import ImagesLike, as_image_set, batch_indices
from zscape.errors import DataError
from zscape.evaluation.protocol import Protocol, binarized, is_binary, measure_of
from zscape.latents import fingerprint
from zscape.model import (
    ACTIVE_KL,
    VAE,
    ModelLike,
    as_vae,
    evaluating,
    kl_to_standard_normal,
)
from zscape.seeding import torch_generator
from zscape.training.hardware import teach_allocator
from zscape.words import counted, line

if TYPE_CHECKING:
    import pandas as pd

DECODES = 250
"""Vectors decoded at a time; on CPUs the fastest, more leave the cache."""
CUDA_DECODES = 20_000
"""The same on a GPU, which fewer leave idle."""
ENCODES = 250
"""Images at a time."""
CHECKED = 20_000
"""Decodes, about, on which the error of bf16 is measured at least; a fiftieth of the images if
that is more."""


class Estimate(NamedTuple):
    """A mean over images and its standard error."""

    mean: float
    error: float
    """Standard error over images; NaN of one image."""

    def __str__(self) -> str:
        return f"{self.mean:.2f} ± {self.error:.2f}"


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a model pays for every image of a set, and under which protocol; nats.

    All of it is minus a bound: lower is better.
    """

    protocol: Protocol
    measure: str
    """What nats are nats of: pixels of two grey levels, a density, or no likelihood at all."""
    likelihood: str
    name: str
    """Of the model."""
    model_fingerprint: str
    data: str
    """Name of the images."""
    split: str
    data_fingerprint: str
    reconstruction: NDArray[np.float64]
    """(n,) minus log p(x | z), the mean over posterior samples."""
    kl: NDArray[np.float64]
    """(n, latent_dim) KL of the posterior to the prior, in closed form."""
    nll: NDArray[np.float64]
    """(n,) minus the importance-weighted bound of all samples, which is closer to the negative
    log-likelihood than the ELBO, and never below it but by chance."""
    n_pixels: int
    """Of an image, times its channels."""
    level_bits: float | None
    """Bits of a pixel's grey levels that ``nll`` leaves out; None where it is no likelihood."""
    condition: str = ""
    """What the model is told of every image, so that all this is of log p(x | condition); empty: it
    is of log p(x)."""
    bf16_error: Estimate | None = None
    """What bf16 adds to ``nll``, measured on some of the images; None in float32."""
    labels: NDArray[np.int64] | None = None
    class_names: tuple[str, ...] = ()

    @property
    def elbo(self) -> NDArray[np.float64]:
        """(n,) minus the ELBO: reconstruction + KL."""
        total: NDArray[np.float64] = self.reconstruction + self.kl.sum(1)
        return total

    def __len__(self) -> int:
        return len(self.reconstruction)

    def __repr__(self) -> str:
        bound = f"{self.closer} {estimate(self.nll)}" if self.protocol.samples > 1 else ""
        return line(
            self, self.name, counted(len(self), f"{self.split} image") + f" of {self.data}",
            f"negative elbo {estimate(self.elbo)} nats", bound, str(self.protocol), self.of,
        )  # fmt: skip

    @property
    def closer(self) -> str:
        """What tables call ``nll``: that, or ``iw_bound`` where nats are of no likelihood."""
        return "iw_bound" if self.level_bits is None else "nll"

    @property
    def of(self) -> str:
        """What nats are nats of, and given what."""
        return f"{self.measure}, given the {self.condition}" if self.condition else self.measure

    def conditions(self) -> dict[str, Any]:
        """All that must be the same for figures to be compared."""
        return {
            **asdict(self.protocol),
            "measure": self.measure,
            "condition": self.condition or "none",
            "images": f"{len(self)} {self.split} of {self.data} ({self.data_fingerprint})",
        }

    def bits_per_dim(self, nats: float) -> float | None:
        """Bits per pixel and channel of ``nats`` per image; None where there is no likelihood.

        Of a density of dequantised pixels they bound those of the grey levels from above (Theis et
        al. 2016).
        """
        if self.level_bits is None:
            return None
        return nats / self.n_pixels / math.log(2) + self.level_bits

    def table(self) -> pd.DataFrame:
        """A row per quantity: ``nats``, ``error`` (standard, over images), ``bits_per_dim``.

        The bound of several samples is in the row ``nll``; in ``iw_bound`` where it is of no
        likelihood.
        """
        return self._rows({"": slice(None)}).reset_index(level=0, drop=True)

    def per_class(self) -> pd.DataFrame:
        """The rows of ``table`` for every class, indexed by (class, quantity).

        Raises
        ------
        DataError
            The images have no classes.
        """
        check_classes(self.data, self.labels)
        assert self.labels is not None
        present = np.unique(self.labels).tolist()
        return self._rows({self.class_names[k]: self.labels == k for k in present})

    def per_neuron(self) -> pd.DataFrame:
        """Mean KL of every latent neuron, its standard error, and whether it is in use."""
        import pandas as pd

        found = [estimate(column) for column in self.kl.T]
        frame = pd.DataFrame(found, columns=["kl", "error"])
        frame["is_used"] = frame["kl"] > ACTIVE_KL
        return frame.set_index(pd.Index([f"z{i}" for i in range(len(found))], name="neuron"))

    def _rows(self, groups: dict[str, Any]) -> pd.DataFrame:
        import pandas as pd

        parts = {"reconstruction": self.reconstruction, "kl": self.kl.sum(1), "elbo": self.elbo}
        if self.protocol.samples > 1:
            parts[self.closer] = self.nll
        rows = []
        for group, chosen in groups.items():
            for name, values in parts.items():
                found = estimate(values[chosen])
                bits = self.bits_per_dim(found.mean) if name in ("elbo", "nll") else None
                rows.append((group, name, found.mean, found.error, bits, len(values[chosen])))
        columns = ["class", "quantity", "nats", "error", "bits_per_dim", "n_images"]
        frame = pd.DataFrame(rows, columns=columns).set_index(["class", "quantity"])
        return frame.astype({"bits_per_dim": float})


def check_classes(name: str, labels: Any) -> None:
    """Raise ``DataError`` if the images called ``name`` have no labels: before measuring."""
    if labels is None:
        raise DataError(f"{name} has no labels, so there are no figures per class.")


def estimate(values: NDArray[np.float64]) -> Estimate:
    """Mean of ``values`` (n,) and its standard error."""
    n = len(values)
    error = float(values.std(ddof=1) / math.sqrt(n)) if n > 1 else math.nan
    return Estimate(float(values.mean()), error)


def evaluate(
    vae: ModelLike,
    images: ImagesLike,
    protocol: Protocol | None = None,
    *,
    name: str = "",
    progress: Callable[[float], None] | None = None,
) -> Evaluation:
    """What the model pays for every one of ``images``.

    An image's samples depend on ``protocol.seed`` and its row alone (and on whether a GPU draws
    them), not on how many are computed at a time; memory does not grow with the number of samples.

    Parameters
    ----------
    vae
        A model, or what has one: what ``zscape.load`` or ``zscape.train`` returned.
    images
        In any form of ``zscape.data.as_image_set``.
    protocol
        How it is measured; pixels as they are, one sample, float32 by default.
    name
        What to call the model.
    progress
        Told the share that is done.

    Raises
    ------
    ConfigError, DataError
        The protocol does not fit the model's likelihood or the images; or the model gives numbers
        that are not finite.

    References
    ----------
    Burda, Grosse & Salakhutdinov 2016, arXiv:1509.00519, equation 8.
    """
    vae, protocol = as_vae(vae), protocol or Protocol()
    images = as_image_set(images, image_shape=vae.image_shape)
    protocol.check_fits(vae.likelihood, images)
    n, draws, likelihood = len(images), protocol.draws, vae.likelihood
    kl = torch.zeros(n, vae.latent_dim, dtype=torch.float64)
    cost, nll = torch.zeros(n, dtype=torch.float64), torch.zeros(n, dtype=torch.float64)
    device, told = next(vae.parameters()).device, vae.told_of(images)
    checked = _checked(n, protocol) if protocol.precision == "bf16" else 0
    done, total = 0, n * draws + 2 * checked
    teach_allocator()
    with evaluating(vae):
        for draw in range(draws):
            for rows in batch_indices(
                n, max(1, min(ENCODES, _decodes(device) // protocol.samples))
            ):
                x = binarized(images.pixels(rows).cpu(), protocol, draw, rows).to(device)
                mu, logvar = (part.float() for part in told(rows).encode(x))
                kl[rows] += kl_to_standard_normal(mu, logvar).cpu().double() / draws
                noise = _noise(protocol, draw, rows, mu)
                costs, weights = _weigh(told, rows, x, mu, logvar, noise, protocol.precision)
                cost[rows] += costs.mean(1) / draws
                nll[rows] -= (weights.logsumexp(1) - math.log(protocol.samples)) / draws
                done += len(rows)
                if progress is not None:
                    progress(done / total)
        error = _bf16_error(vae, images, protocol, checked) if checked else None
    if progress is not None:
        progress(1.0)
    if not (cost.isfinite().all() and kl.isfinite().all() and nll.isfinite().all()):
        raise DataError(f"the model gives numbers that are not finite for {images.name}.")
    measure, level_bits = measure_of(likelihood, protocol.binarize != "none" or is_binary(images))
    return Evaluation(
        protocol=protocol,
        measure=measure,
        likelihood=type(likelihood).__name__,
        name=name or type(vae).__name__,
        model_fingerprint=fingerprint(vae),
        data=images.name,
        split=images.split,
        data_fingerprint=images.fingerprint,
        reconstruction=cost.numpy(),
        kl=kl.numpy(),
        nll=nll.numpy(),
        n_pixels=math.prod(vae.image_shape),
        level_bits=level_bits,
        condition=vae.condition.title if vae.condition else "",
        bf16_error=error,
        labels=None if images.labels is None else images.labels.cpu().numpy(),
        class_names=images.class_names,
    )


def _decodes(device: torch.device) -> int:
    return CUDA_DECODES if device.type == "cuda" else DECODES


def _noise(protocol: Protocol, draw: int, rows: Tensor, mu: Tensor) -> Tensor:
    """(batch, samples, latent_dim) standard normal numbers beside ``mu``, a stream for each image.

    A GPU draws them itself: a processor would take longer than all the rest.
    """
    shape = (protocol.samples, mu.shape[1])
    place = mu.device if mu.device.type == "cuda" else torch.device("cpu")
    noise = []
    for row in rows.tolist():
        stream = torch_generator(protocol.seed, "posterior", draw, row, device=place)
        noise.append(torch.randn(shape, generator=stream, device=place))
    return torch.stack(noise).to(mu.device)


def _weigh(
    told: Callable[[Tensor], VAE],
    rows: Tensor,
    x: Tensor,
    mu: Tensor,
    logvar: Tensor,
    noise: Tensor,
    precision: str,
) -> tuple[Tensor, Tensor]:
    """Cost and log importance weight of every sample, both (batch, samples), float64, on the CPU.

    The weight is p(x | z) p(z) / q(z | x) at z = mu + sigma * noise; ``told`` gives the model for
    the images at ``rows``, whose pixels are ``x``.
    """
    n, samples, _ = noise.shape
    z = mu[:, None] + noise * torch.exp(0.5 * logvar)[:, None]
    ratio = 0.5 * (noise.square() - z.square() + logvar[:, None]).sum(2)
    flat, owner = z.flatten(0, 1), torch.arange(n, device=x.device).repeat_interleave(samples)
    costs, kind, is_rough, most = [], x.device.type, precision == "bf16", _decodes(x.device)
    # Around all parts, so that weights are rounded once.
    with torch.autocast(kind, torch.bfloat16) if is_rough else nullcontext():
        for part, of in zip(torch.split(flat, most), torch.split(owner, most), strict=True):
            vae = told(rows[of.cpu()])
            logits = vae.logits(part).float()
            with torch.autocast(kind, enabled=False) if is_rough else nullcontext():
                costs.append(vae.likelihood.cost(x[of], logits))
    # On the CPU, because not every device has float64.
    cost = torch.cat(costs).reshape(n, samples).cpu().double()
    return cost, ratio.cpu().double() - cost


def _checked(n: int, protocol: Protocol) -> int:
    """On how many of ``n`` images the error of bf16 is measured: as many as are soon done."""
    return min(n, max(2, n // 50, CHECKED // protocol.samples))


def _bf16_error(vae: VAE, images: Any, protocol: Protocol, checked: int) -> Estimate:
    """``nll`` in bf16 less that in float32, on ``checked`` images from all over the set."""
    rows = torch.linspace(0, len(images) - 1, checked).long()
    device, told = next(vae.parameters()).device, vae.told_of(images)
    differences = []
    for row in torch.split(rows, 1):
        x = binarized(images.pixels(row).cpu(), protocol, 0, row).to(device)
        mu, logvar = (part.float() for part in told(row).encode(x))
        noise = _noise(protocol, 0, row, mu)
        bounds = [
            _weigh(told, row, x, mu, logvar, noise, precision)[1].logsumexp(1)
            for precision in ("bf16", "32")
        ]
        differences.append(float(bounds[1] - bounds[0]))
    return estimate(np.array(differences))
