"""How good a model is, what it knows, and what is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from zscape import latents
from zscape.api.opening import Openable, open_model, open_models
from zscape.api.subject import subject_of
from zscape.api.using import encode
from zscape.data import ImagesLike, Splits

if TYPE_CHECKING:
    import pandas as pd

    from zscape.embedding.methods import Tell
    from zscape.evaluation import (
        Comparison,
        Diagnosis,
        Disentanglement,
        Evaluation,
        Probes,
        Protocol,
        SampleQuality,
    )


def evaluate(
    model: Openable,
    images: ImagesLike = None,
    protocol: Protocol | None = None,
    *,
    split: str = "test",
    progress: Callable[[float], None] | None = None,
) -> Evaluation:
    """What the model pays for images: reconstruction, KL, ELBO and a closer bound on log p(x).

    Parameters
    ----------
    model, images, split
        See ``encode``.
    protocol
        How it is measured, which the figures carry; ``zscape.Protocol(samples=5000)`` for the
        importance-weighted bound of 5 000 samples.
    progress
        Told the share that is done.

    Raises
    ------
    ShapeError, DataError, ConfigError, CheckpointError
        There is no such model, the images do not fit it, or the protocol does not fit either.

    Examples
    --------
    >>> import numpy as np, zscape
    >>> found = zscape.evaluate("zoo:10", np.zeros((3, 28, 28), np.uint8))
    >>> found.table().index.tolist(), found.kl.shape
    (['reconstruction', 'kl', 'elbo'], (3, 10))
    """
    from zscape import evaluation

    opened = open_model(model)
    return evaluation.evaluate(
        opened.model, opened.images(images, split), protocol, name=opened.name, progress=progress
    )


def compare(
    models: Sequence[Openable],
    images: ImagesLike = None,
    protocol: Protocol | None = None,
    *,
    split: str = "test",
    probes: bool = True,
    progress: Tell | None = None,
) -> pd.DataFrame:
    """Several models on the same images, measured alike: a tidy table, a row for each.

    Parameters
    ----------
    models, images, protocol, split, probes, progress
        See ``measure_models``, which also puts seeds into one row and says which is best;
        ``write_comparison`` shows all of it on one page.

    Returns
    -------
    See ``zscape.evaluation.Comparison.frame``.

    Examples
    --------
    >>> import numpy as np, zscape
    >>> frame = zscape.compare(["zoo:2", "zoo:3"], np.zeros((3, 28, 28), np.uint8))
    >>> frame[["model", "latent_dim"]].values.tolist()
    [['zoo:2', 2], ['zoo:3', 3]]
    """
    return measure_models(
        models, images, protocol, split=split, probes=probes, progress=progress
    ).frame()


def measure_models(
    models: Sequence[Openable],
    images: ImagesLike = None,
    protocol: Protocol | None = None,
    *,
    split: str = "test",
    probes: bool = True,
    progress: Tell | None = None,
) -> Comparison:
    """Several models on the same images, measured alike, before anything is made of it.

    Parameters
    ----------
    models
        Each as ``open_model`` takes it; ``"zoo:all"`` stands for all that ship.
    images, split, protocol
        As for ``evaluate``; by default each model's own test images, which must be the same.
    probes
        Also fit probes of the class on the training images, where all images have one.
    progress
        Told what is being done, and the share of the whole that is done.

    Raises
    ------
    ConfigError
        Two models cannot be compared: other images, or nats of something else; or one is there
        twice.
    ShapeError, DataError, CheckpointError
        There is no such model, or the images do not fit it.
    """
    from zscape import evaluation

    opened, protocol = open_models(models), protocol or evaluation.Protocol()
    shown = [model.images(images, split) for model in opened]
    evaluation.check_alike(
        [(model.name, model.model, own) for model, own in zip(opened, shown, strict=True)], protocol
    )
    found = []
    for k, (model, own) in enumerate(zip(opened, shown, strict=True)):

        def tell(done: float, k: int = k, name: str = model.name) -> None:
            if progress is not None:
                progress(name, (k + done) / len(opened))

        fit_on = model.data().train if probes and images is None else None
        found.append(
            evaluation.measure(
                model.model, own, protocol, name=model.name,
                config=model.settings,
                fit_on=fit_on if fit_on is not None and fit_on.has_labels else None, progress=tell,
            )
        )  # fmt: skip
    return evaluation.compare(found)


def probe(
    model: Openable,
    images: ImagesLike = None,
    *,
    split: str = "test",
    columns: Sequence[str] | None = None,
    group: str | None = None,
    seeds: int = 5,
    seed: int = 0,
) -> Probes:
    """How well simple readers of the latents tell the class and every column.

    They are fitted on training images and scored on test images; cross-validated where there is
    only one half (an array, ``split="train"``), or with ``group``.

    Parameters
    ----------
    model, images, split
        See ``encode``.
    columns, group, seeds, seed
        See ``zscape.evaluation.probe``.

    Raises
    ------
    ShapeError, DataError, ConfigError, CheckpointError
        There is no such model, the images do not fit it, or there is nothing to tell.

    Examples
    --------
    ``zscape.probe("zoo:10").frame``
    """
    from zscape import evaluation

    opened, fit_on = open_model(model), None
    if images is None or isinstance(images, (str, os.PathLike, Splits)):
        images = opened.data(images)
        fit_on = images.train if split == "test" and group is None else None
    return evaluation.probe(
        encode(opened, images, split=split),
        None if fit_on is None else latents.encode(opened.model, fit_on),
        columns=columns, group=group, seeds=seeds, seed=seed,
    )  # fmt: skip


def disentanglement(
    model: Openable,
    images: ImagesLike = None,
    *,
    split: str = "test",
    columns: Sequence[str] | None = None,
    n: int = 5_000,
    seed: int = 0,
) -> Disentanglement:
    """Whether each neuron goes its own way: MIG, SAP, DCI and the FactorVAE score.

    Parameters
    ----------
    model, images, split
        See ``encode``.
    columns, n, seed
        See ``zscape.evaluation.disentanglement``.

    Raises
    ------
    ShapeError, DataError, ConfigError, CheckpointError
        There is no such model, the images do not fit it, or nothing of them varies.

    Examples
    --------
    ``zscape.disentanglement("runs/sprites").scores``
    """
    from zscape import evaluation

    table = encode(model, images, split=split)
    return evaluation.disentanglement(table, columns, n=n, seed=seed)


def quality(
    model: Openable, data: Any = None, *, n: int | None = None, seed: int = 0
) -> SampleQuality:
    """Are samples of the prior like test images, and are all kinds of images among them?

    Parameters
    ----------
    model
        See ``open_model``.
    data
        Other images than the model's own, as for ``Opened.data``.
    n, seed
        See ``zscape.evaluation.sample_quality``.

    Raises
    ------
    ShapeError, DataError, ConfigError, CheckpointError
        There is no such model, or the images are not 28×28 grey ones, or too few.

    Examples
    --------
    ``zscape.quality("zoo:10").frame``
    """
    from zscape import evaluation

    opened = open_model(model)
    return evaluation.sample_quality(opened.model, opened.data(data), n=n, seed=seed)


def doctor(
    model: Openable, data: Any = None, *, seed: int = 0, progress: Tell | None = None
) -> Diagnosis:
    """What is wrong with a model: findings, the gravest first, each with one thing to try.

    Looks at its codes, its decoder and its layers, at how much better it is on images it was
    trained on, and at how its training went, as far as that is known.

    Parameters
    ----------
    model
        See ``open_model``.
    data
        Other images than the model's own, as for ``Opened.data``.
    seed
        Of the images and codes that are drawn.
    progress
        Told what is being done, and the share that is done.

    Raises
    ------
    ShapeError, DataError, ConfigError, CheckpointError
        There is no such model, the images do not fit it or are too few, or it gives numbers that
        are not finite.

    Examples
    --------
    >>> import zscape
    >>> zscape.doctor("zoo:10").serious
    ()
    """
    return subject_of(open_model(model), data).diagnose(seed, progress)
