"""``load_data``: one word for every source of pictures, and the registry behind it."""

from __future__ import annotations

import difflib
import os
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import update_wrapper
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
from torch import Tensor

from zscape.config import DataConfig
from zscape.data.arrays import from_arrays
from zscape.data.bounded import reading
from zscape.data.containers import read_path, say_unheeded
from zscape.data.given import gather, is_collection
from zscape.data.hold_out import hold_out
from zscape.data.idx import read_mnist
from zscape.data.imageset import ImageSet, Splits
from zscape.data.joining import join_all, label_by, show_by
from zscape.data.resize import resized, with_channels
from zscape.data.shown import shown_channels
from zscape.errors import ConfigError, DataError
from zscape.registry import Registry, built_in
from zscape.seeding import torch_generator

ImagesLike: TypeAlias = Any
"""Whatever ``as_image_set`` takes."""

Claim = Callable[[Any], bool]
Reader = Callable[[Any, DataConfig], Splits | ImageSet]


@dataclass(eq=False)
class Source:
    """One entry of the registry; see ``register_source``. It wraps its reader."""

    what: str
    claims: Claim
    read: Reader


data_sources: Registry[Source] = Registry("data source")


def register_source(what: str, *, claims: Claim) -> Callable[[Reader], Reader]:
    """Decorate a function that reads a new kind of source.

    It takes the source and the ``DataConfig`` and returns ``Splits``, or one ``ImageSet`` from
    which ``load_data`` holds a test split out. Subset, binarisation and resize are applied
    afterwards; only a source of mixed sizes has to heed ``config.resize`` itself.

    Parameters
    ----------
    what
        What a person passes, as an error message should list it.
    claims
        Whether the decorated function reads this source. It must not raise, whatever it is
        given. The last registered claim wins, so a built-in source can be replaced.

    Examples
    --------
    >>> import torch
    >>> def is_noise(source):  # an array would compare element by element
    ...     return isinstance(source, str) and source == "noise"
    >>> @register_source("noise", claims=is_noise)
    ... def read_noise(source, config):
    ...     return ImageSet(torch.randint(0, 256, (12, 1, 8, 8), dtype=torch.uint8), name="noise")
    >>> sum(len(images) for images in load_data("noise"))
    12
    """

    def register(read: Reader) -> Reader:
        source = Source(what, claims, read)
        update_wrapper(typing.cast(Any, source), read)
        data_sources.register(what)(source)
        return read

    return register


def load_data(
    source: Any = None,
    config: DataConfig | None = None,
    *,
    seed: int = 0,
    more: Sequence[DataConfig] = (),
) -> Splits:
    """Both splits of a source, prepared as ``config`` says.

    Parameters
    ----------
    source
        ``"mnist"`` (a folder of that name is ``"./mnist"``); ``"sprites"``; a folder, archive or
        file of one of the kinds in ``containers``; an array or tensor of images (see
        ``arrays.as_images``), ``(images, labels)`` or ``((images, labels), (test_images,
        test_labels))``; a list of pictures or of ``(picture, label)``; a torch ``Dataset`` or
        ``DataLoader``; an iterator of batches; a pandas DataFrame or a ``datasets.Dataset`` with a
        column of pictures; an ``ImageSet``; ``Splits``; or whatever else is registered. None:
        ``config.data``.
    config
        ``columns``, ``label`` and ``split_by`` are applied to the whole set; then ``n_train``,
        ``n_test``, ``stratified``, ``resize`` and ``binarize="threshold"``. ``"dynamic"`` is not:
        it needs a new draw every epoch, which the training loop makes.
    seed
        Decides the subsets and, if the source has no test split, the sixth of it that is held
        out as one; see ``zscape.data.hold_out``. ``config.split_seed`` goes before it.
    more
        Of each, ``columns`` are joined too, and the classes shown are those of ``label``: last, so
        that neither moves an image to another split, nor gives it another fingerprint.

    Raises
    ------
    DataError
        The source is unknown, missing or damaged, or has fewer images than asked for.
    ConfigError
        ``split_by`` of a source that has a test split, or another option that does not go with it.
    """
    config = config or DataConfig()
    seed = seed if config.split_seed is None else config.split_seed
    source = config.data if source is None else source
    data = _find_source(source).read(source, config)
    data = join_all(data, (config, *more))
    if config.label is not None:
        data = label_by(data, config.label, config.bins)
    if isinstance(data, ImageSet):
        splits = hold_out(data, seed, config.split_by)
    elif config.split_by is None:
        splits = data
    else:
        raise ConfigError(f"{data.train.name} has a test split; split_by is for sources without.")

    def prepare(images: ImageSet, n: int | None, split: str) -> ImageSet:
        if n is not None:
            generator = torch_generator(seed, "subset", split)
            images = images.subset(n, generator, stratified=config.stratified)
        return _prepared(images, config)

    train = prepare(splits.train, config.n_train, "train")
    test = prepare(splits.test, config.n_test, "test")
    _check_agreement(train, test)
    shown_channels(train.image_shape[0], config.show_channels)  # is refused now, not when drawn
    return cast(Splits, show_by(Splits(train, test), more))


def load_whole(source: Any, config: DataConfig) -> ImageSet:
    """All images of a source without splits, prepared as ``config`` says; none is held out.

    Raises
    ------
    DataError
        As ``load_data``, and if it has splits.
    """
    found = _find_source(source).read(source, config)
    if isinstance(found, Splits):
        raise DataError(f"{source} has images to train on and to test on; give one of these.")
    return _prepared(found, config)


def _prepared(images: ImageSet, config: DataConfig) -> ImageSet:
    """Of the size, the number of channels and the values that ``config`` asks for."""
    if config.resize is not None:
        images = resized(images, config.resize, config.fit)
    if config.channels is not None:
        images = with_channels(images, config.channels)
    return images.binarized(0.5) if config.binarize == "threshold" else images


def as_image_set(
    images: ImagesLike, split: str = "test", *, image_shape: tuple[int, int, int] | None = None
) -> ImageSet:
    """The set of images that ``images`` is or holds: the one home of this conversion.

    Parameters
    ----------
    images
        An ``ImageSet``; ``Splits``; images in memory or any other source, as for ``load_data``.
        Of what is in memory nothing is held out.
    split
        Which half of ``Splits`` or of a source, and what an array is taken for.
    image_shape
        (channels, height, width): a single picture of this shape, or of this height and width if
        there is one channel, may come without the first axis.

    Returns
    -------
    A set whose pixels are bytes: floats are rounded to the nearest of 256 grey levels.

    Raises
    ------
    DataError
        These are no images, or a pixel is outside its range.
    ConfigError
        Another word than train or test.
    """
    if image_shape is not None and isinstance(images, (np.ndarray, Tensor)):
        alone = image_shape[1:] if image_shape[0] == 1 else image_shape
        images = images[None] if tuple(images.shape) == alone else images
    if isinstance(images, ImageSet):
        return images
    is_given = _is_in_memory(images) or _is_frame(images)
    found = _find_source(images).read(images, DataConfig()) if is_given else load_data(images)
    return found.of(split) if isinstance(found, Splits) else replace(found, split=split)


def place_of(source: str) -> str | None:
    """The absolute path that ``source`` means from here, or None if it is no path (``mnist``)."""
    path = Path(source).expanduser().absolute()
    with reading(source):
        is_path = path.exists() and _find_source(source) is _find_source(str(path))
    return str(path) if is_path else None


def _find_source(source: Any) -> Source:
    newest_first = data_sources.values()[::-1]
    with reading(source):
        for candidate in newest_first:
            if candidate.claims(source):
                return candidate
    names = [candidate.what for candidate in newest_first]
    got, hint = f"an object of type {type(source).__name__}", ""
    if (path := _path(source)) is not None:
        got = f"{str(source)!r}, which is " + (
            "a file of another kind" if path.exists() else "no file or folder"
        )
        if close := difflib.get_close_matches(path.name.lower(), names, n=1):
            hint = f" (did you mean the word {close[0]!r}?)"
    raise DataError(f"Images must come from {'; '.join(names)}; got {got}{hint}.")


def _check_agreement(train: ImageSet, test: ImageSet) -> None:
    if train.image_shape != test.image_shape:
        raise DataError(
            f"{train.name}: both splits must have images of one (channels, height, width); got "
            f"{train.image_shape} to train on and {test.image_shape} to test on."
        )
    if train.has_labels != test.has_labels or train.class_names != test.class_names:
        raise DataError(
            f"{train.name}: both splits must have the same classes; got "
            f"{train.class_names if train.has_labels else 'no labels'} to train on and "
            f"{test.class_names if test.has_labels else 'no labels'} to test on."
        )


def _path(source: Any) -> Path | None:
    return Path(source).expanduser() if isinstance(source, (str, os.PathLike)) else None


def _is_in_memory(source: Any) -> bool:
    is_pair = isinstance(source, tuple) and len(source) == 2
    is_array = isinstance(source, (np.ndarray, Tensor, ImageSet))
    return is_pair or is_array or is_collection(source)


def _is_frame(source: Any) -> bool:
    """Whether this is a table with columns, or a mapping of splits to such."""
    is_splits = isinstance(source, Mapping) and bool(source)
    half = next(iter(source.values())) if is_splits else source
    return hasattr(half, "iloc") or (hasattr(half, "column_names") and hasattr(half, "features"))


def _is_pair_of_arrays(source: Any) -> bool:
    """Whether this is ``(images, labels)``, and not two pictures."""
    return isinstance(source, tuple) and len(source) == 2 and np.ndim(source[1]) in (1, 2)


@register_source(
    "an array, tensor, (images, labels), ((images, labels), (test images, test labels)), list of "
    "pairs, DataLoader, ImageSet or Splits in memory",
    claims=_is_in_memory,
)
def _read_memory(source: Any, config: DataConfig) -> Splits | ImageSet:
    match gather(source) if is_collection(source) else source:
        case ImageSet() as images:
            return images
        case (ImageSet() as train, ImageSet() as test):
            return Splits(train, test)
        case ((images, labels), (test_images, test_labels)) if all(map(_is_pair_of_arrays, source)):
            return from_arrays("array", images, labels, test_images, test_labels, config=config)
        case (images, labels):
            return from_arrays("array", images, labels, config=config)
        case images:
            return from_arrays("array", images, config=config)


@register_source("a DataFrame or a datasets.Dataset", claims=_is_frame)
def _read_frame(source: Any, config: DataConfig) -> Splits | ImageSet:
    from zscape.data.frames import read_frame  # with pyarrow, which takes its time

    return read_frame(source, config)


@register_source(
    f"a folder, a zip or tar, or a file: {built_in('kind of file')}",
    claims=lambda source: (path := _path(source)) is not None and path.exists(),
)
def _read_path(source: Any, config: DataConfig) -> Splits | ImageSet:
    return read_path(Path(source).expanduser(), config)


@register_source("mnist", claims=lambda source: isinstance(source, str) and source == "mnist")
def _read_mnist(source: Any, config: DataConfig) -> Splits | ImageSet:
    say_unheeded("mnist", config)
    return read_mnist()
