"""One measurement in a process of its own: ``python -m benchmarks.measure KIND OPTIONS-AS-JSON``.

Prints one line of JSON. A fresh process for each keeps peak memory and caches apart.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import torch

from benchmarks.plain import train_plain
from zscape.config import RunConfig
from zscape.data import ImageSet, Splits, load_data
from zscape.model import build_model, mean_elbo
from zscape.seeding import torch_generator
from zscape.training import Trainer
from zscape.training.processes import create_fabric

THRESHOLDS = (100.0, 97.0, 96.4, 95.0)


def plain_epoch(n_train: int = 60_000) -> dict[str, Any]:
    """One epoch of the plain loop, after 20 batches that are not counted."""
    images = load_data("mnist").train[:n_train]
    next(train_plain(images[: 64 * 20]))
    _, epoch = next(train_plain(images))
    return rate(n_train, epoch["seconds"])


def our_epoch(n_train: int = 60_000, side: int = 28, **options: Any) -> dict[str, Any]:
    """The second epoch of ``zscape.train``'s loop.

    In the first, kernels are made for the sizes of its batches: half a second, once per process.
    Ten times the usual set is measured in its first epoch, where that is nothing.
    """
    images = tiled(load_data("mnist").train, n_train, side)
    n_epochs = 2 if n_train <= 60_000 else 1
    config = RunConfig.from_options(epochs=n_epochs, **options)
    model = build_model(config.model.replace(image_shape=images.image_shape))
    data, fabric = Splits(images, images[:500]), create_fabric(config.train)
    spent: list[float] = []
    trainer = Trainer(model, data, config.train, fabric)
    trainer.run(on_epoch=lambda _, epoch: spent.append(epoch.seconds))
    return rate(n_train, spent[-1])


def rate(n_images: int, seconds: float) -> dict[str, Any]:
    """Images per second and peak resident memory."""
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "images_per_second": n_images / seconds,
        "seconds_per_epoch": seconds,
        "peak_rss_mb": kilobytes / 1024,
    }


def tiled(images: ImageSet, n: int, side: int) -> ImageSet:
    """``n`` images of ``side`` pixels, repeating ``images`` as often as needed."""
    if side != images.image_shape[1]:
        from zscape.data.resize import resized

        images = resized(images[: min(n, 6_000)], side)
    return images[torch.arange(n) % len(images)]


def plain_quality(budget: float, latent_dim: int = 10) -> dict[str, Any]:
    """Seconds of training until each test loss, for at most ``budget`` seconds."""
    data = load_data("mnist")
    curve, spent = [], 0.0
    for model, epoch in train_plain(data.train, latent_dim=latent_dim):
        spent += epoch["seconds"]
        ours = build_model(RunConfig.from_options(latent_dim=latent_dim).model)
        ours.load_state_dict(model.state_dict())
        curve.append((spent, mean_elbo(ours, data.test).loss(), epoch["train_loss"]))
        if spent >= budget:
            return quality(curve)
    raise AssertionError("train_plain never ends")


def our_quality(**options: Any) -> dict[str, Any]:
    """Seconds of training until each test loss, with the default recipe."""
    config = RunConfig.from_options(**options)
    trainer = Trainer(
        build_model(config.model), load_data("mnist"), config.train, create_fabric(config.train)
    )
    curve: list[tuple[float, float, float]] = []

    def note(_: Trainer, epoch: Any) -> None:
        spent = epoch.seconds + (curve[-1][0] if curve else 0.0)
        curve.append((spent, epoch.test.loss(), epoch.running.loss()))

    trainer.run(on_epoch=note)
    return quality(curve)


def quality(curve: list[tuple[float, float, float]]) -> dict[str, Any]:
    """When the test loss first was at each threshold; None if never."""

    def first(threshold: float) -> dict[str, Any] | None:
        for epoch, (seconds, loss, _) in enumerate(curve, 1):
            if loss <= threshold:
                return {"epochs": epoch, "seconds": seconds}
        return None

    return {
        "reached": {str(threshold): first(threshold) for threshold in THRESHOLDS},
        "curve": [
            {"seconds": seconds, "test_loss": test, "train_loss": train}
            for seconds, test, train in curve
        ],
    }


def matrix_rate(dtype: str, side: int = 2048) -> dict[str, Any]:
    """GFLOP/s of a square matrix product, the best of 20."""
    generator = torch_generator(0, "matrix")
    a, b = (torch.randn(side, side, generator=generator).to(getattr(torch, dtype)) for _ in "ab")
    times = []
    for _ in range(20):
        clock = time.perf_counter()
        a @ b
        times.append(time.perf_counter() - clock)
    return {"gflops": 2 * side**3 / min(times) / 1e9}


def flops_per_image(latent_dim: int = 10) -> dict[str, Any]:
    """Floating-point operations of one training step per image: forward and backward."""
    from torch.utils.flop_counter import FlopCounterMode

    model = build_model(RunConfig.from_options(latent_dim=latent_dim).model)
    with FlopCounterMode(display=False) as counter:
        reconstruction, mu, logvar = model(torch.zeros(2, 1, 28, 28))
        (reconstruction.sum() + mu.sum() + logvar.sum()).backward()
    return {"mflops": counter.get_total_flops() / 2 / 1e6}


KINDS: dict[str, Callable[..., dict[str, Any]]] = {
    function.__name__: function
    for function in (
        plain_epoch, our_epoch, plain_quality, our_quality, matrix_rate, flops_per_image
    )
}  # fmt: skip

if __name__ == "__main__":
    print(json.dumps(KINDS[sys.argv[1]](**json.loads(sys.argv[2]))))
