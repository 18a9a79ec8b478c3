"""``ImageSet``: a set of small pictures as one tensor of bytes, in memory or mapped from a file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from zscape.data.columns import Columns
from zscape.data.mapped import empty, parts_of, release, rows_of, slices
from zscape.data.shown import MOST_CHANNELS
from zscape.errors import ConfigError, DataError, ShapeError
from zscape.files import readable
from zscape.words import counted, line, sides


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Pictures, and what is known about them.

    Parameters
    ----------
    images
        (n, channels, height, width), uint8, 0 is black; 1 to 16 channels. Of a set that is larger
        than memory allows, a view of a mapped file (see ``mapped``), which is not to be written to.
    labels
        (n,) int64 indices into ``class_names``, or None.
    class_names
        One per class, in the order of the labels; empty without labels.
    split
        ``"train"`` or ``"test"``.
    name
        Where the pictures come from, for a person to read.
    kind
        What the source was recognised as, for a person to read; may be empty.
    columns
        What else is known of every image; a mapping from name to (n,) values or a pandas table
        becomes ``Columns``. None if nothing is.

    Raises
    ------
    ShapeError
        ``images`` or ``labels`` do not have the shape above.
    DataError
        No images, a label without a class name, two classes of one name, or a column of another
        length.
    """

    images: Tensor
    labels: Tensor | None = None
    class_names: tuple[str, ...] = ()
    split: str = "train"
    name: str = "array"
    kind: str = ""
    columns: Columns | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", readable(self.name))
        object.__setattr__(self, "class_names", tuple(map(readable, self.class_names)))
        images, labels = self.images, self.labels
        if (
            images.dtype != torch.uint8
            or images.ndim != 4
            or not 1 <= images.shape[1] <= MOST_CHANNELS
        ):
            raise ShapeError(
                f"{self.name}: images must be uint8 (n, 1 to {MOST_CHANNELS}, height, width); "
                f"got {images.dtype} {tuple(images.shape)}."
            )
        if images.numel() == 0:
            raise DataError(f"{self.name}: there are no {self.split} images.")
        if len(set(self.class_names)) < len(self.class_names):
            raise DataError(f"{self.name}: class names must differ; got {self.class_names}.")
        given: Any = self.columns
        if given is not None and not isinstance(given, Columns):
            object.__setattr__(self, "columns", Columns.of(dict(given)) if len(given) else None)
        if self.columns is not None and len(self.columns) != len(images):
            raise DataError(
                f"{self.name}: {len(images)} {self.split} images need as many rows of columns; "
                f"got {len(self.columns)}."
            )
        if labels is None:
            return
        if labels.dtype != torch.int64 or labels.shape != (len(images),):
            raise DataError(
                f"{self.name}: {len(images)} {self.split} images need as many int64 labels; "
                f"got {labels.dtype} {tuple(labels.shape)}."
            )
        low, high = int(labels.min()), int(labels.max())
        if low < 0 or high >= len(self.class_names):
            raise DataError(
                f"{self.name}: labels must lie in [0, {len(self.class_names) - 1}], one per class "
                f"name; got values from {low} to {high}."
            )

    def __repr__(self) -> str:
        images = f"{counted(len(self), f'{self.split} image')} of {self.name}"
        classes = counted(len(self.class_names), "class", "classes") if self.has_labels else ""
        return line(self, images, sides(self.image_shape), classes)

    def __len__(self) -> int:
        return len(self.images)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(channels, height, width) of one image."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    @property
    def has_labels(self) -> bool:
        """Whether every image has a class."""
        return self.labels is not None

    @cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that tell these images from any others.

        The start of the SHA-256 over shape, pixels, labels and class names, in their order, as
        they are now: a subset or a binarised copy has another. Name and split do not count.
        """
        names = self.class_names if self.has_labels else ()
        digest = hashlib.sha256(json.dumps([list(self.images.shape), names]).encode())
        for part in parts_of(self.images):
            digest.update(part.cpu().contiguous().numpy().data)
        if self.labels is not None:
            digest.update(self.labels.cpu().contiguous().numpy().data)
        return digest.hexdigest()[:16]

    def titles(self) -> list[str] | None:
        """The class name of every image, or None without labels."""
        if self.labels is None:
            return None
        return [self.class_names[label] for label in self.labels.tolist()]

    def class_counts(self) -> dict[str, int]:
        """Images per class name; empty without labels."""
        if self.labels is None:
            return {}
        counts = torch.bincount(self.labels, minlength=len(self.class_names)).tolist()
        return dict(zip(self.class_names, counts, strict=True))

    def value_range(self) -> tuple[float, float]:
        """Smallest and largest pixel, in [0, 1]."""
        low, high = zip(*((int(part.min()), int(part.max())) for part in parts_of(self.images)),
                        strict=True)  # fmt: skip
        return min(low) / 255, max(high) / 255

    def __getitem__(self, index: Tensor | slice | list[int] | int | np.integer[Any]) -> ImageSet:
        """The images at ``index``, in that order, as a new set; of one image for a number."""
        index = [int(index)] if isinstance(index, (int, np.integer)) else index
        labels = None if self.labels is None else self.labels[index]
        rows = index.cpu() if isinstance(index, Tensor) else index
        columns = None if self.columns is None else self.columns[rows]
        return replace(self, images=rows_of(self.images, index), labels=labels, columns=columns)

    def subset(self, n: int, generator: torch.Generator, *, stratified: bool = False) -> ImageSet:
        """``n`` images drawn without replacement, in the order of the full set.

        Parameters
        ----------
        n
            In [1, len(self)].
        generator
            Decides which; see ``zscape.seeding``.
        stratified
            Keep the proportions of the classes, to within one image each.

        Raises
        ------
        DataError
            More images asked for than there are, or none, or stratified without labels.
        """
        if not 1 <= n <= len(self):
            raise DataError(f"{self.name} has {len(self)} {self.split} images; asked for {n}.")
        if n == len(self):
            return self
        order = torch.randperm(len(self), generator=generator)
        if stratified:
            if self.labels is None:
                raise DataError(f"{self.name}: a stratified subset needs labels.")
            drawn = self.labels[order]
            shares = enumerate(class_shares(torch.bincount(drawn), n).tolist())
            order = order[torch.cat([(drawn == k).nonzero()[:share, 0] for k, share in shares])]
        return self[order[:n].sort().values]

    def binarized(self, threshold: float | None = 0.5, *,
                  generator: torch.Generator | None = None) -> ImageSet:  # fmt: skip
        """Pixels that are 0 or 255 only.

        Parameters
        ----------
        threshold
            In (0, 1); a pixel above it becomes white. None: dynamic binarisation, where a pixel
            turns white with its own brightness as probability.
        generator
            Needed for dynamic binarisation, and only there; on the device of the images.

        Raises
        ------
        ConfigError
            A threshold out of range, or dynamic without a generator.
        """
        if (threshold is None) == (generator is None):
            raise ConfigError("binarized takes either a threshold or (threshold=None) a generator.")
        if threshold is None:
            draw = torch.rand(self.images.shape, generator=generator, device=self.images.device)
            return replace(self, images=(draw * 255 < self.images).to(torch.uint8) * 255)
        if not 0 < threshold < 1:
            raise ConfigError(f"threshold must lie in (0, 1); got {threshold}.")
        return self.changed(lambda part: (part > threshold * 255).to(torch.uint8) * 255)

    def changed(self, change: Callable[[Tensor], Tensor]) -> ImageSet:
        """The set with every image changed; ``change`` takes and returns (n, c, h, w) uint8."""
        first = change(self.images[:1])
        shape = (len(self), *first.shape[1:])
        if self.images.device.type != "cpu":
            return replace(self, images=change(self.images))
        images = torch.from_numpy(empty(shape, like=self.images))
        for rows in slices(len(self)):
            images[rows] = change(self.images[rows])
            release(images, self.images)
        return replace(self, images=images)

    def to(self, device: torch.device | str) -> ImageSet:
        """The same set with its tensors on ``device``, so that batches never cross the bus."""
        labels = None if self.labels is None else self.labels.to(device)
        return replace(self, images=self.images.to(device), labels=labels)

    def pixels(self, index: Tensor | slice | None = None) -> Tensor:
        """(n, c, h, w) float32 in [0, 1] of the images at ``index`` (all by default)."""
        return as_pixels(self.images if index is None else rows_of(self.images, index))

    def batches(
        self, batch_size: int, generator: torch.Generator | None = None
    ) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Batches of ``(pixels, labels)``; shuffled if a generator is given.

        No batch is a stray remainder: ``len(self)`` images are dealt into the fewest batches of
        at most ``batch_size``, whose sizes differ by one at most (batch norm cannot learn from a
        last batch of one image).

        Yields
        ------
        Pixels (b, c, h, w) in [0, 1], and labels (b,) or None.
        """
        for index in batch_indices(len(self), batch_size, generator):
            index = index.to(self.images.device)
            yield self.pixels(index), None if self.labels is None else self.labels[index]


class Splits(NamedTuple):
    """The two halves of a source."""

    train: ImageSet
    test: ImageSet

    def __repr__(self) -> str:
        train, test = self
        return line(self, f"{len(train)} train and {len(test)} test images of {test.name}",
                    sides(test.image_shape),
                    counted(len(test.class_names), "class", "classes") if test.has_labels else "",
                    )  # fmt: skip

    def of(self, split: str) -> ImageSet:
        """The half called ``split``, ``"train"`` or ``"test"``.

        Raises
        ------
        ConfigError
            Another name.
        """
        if split not in self._fields:
            raise ConfigError(f"split must be train or test; got {split!r}.")
        half: ImageSet = getattr(self, split)
        return half


def as_pixels(images: Tensor) -> Tensor:
    """Bytes (n, c, h, w) as float32 in [0, 1]."""
    return images.float().div_(255)


def batch_indices(
    n: int, batch_size: int, generator: torch.Generator | None = None
) -> tuple[Tensor, ...]:
    """Indices 0 … n-1, shuffled if a generator is given, dealt into near-equal batches.

    None of them is of more than ``batch_size``.

    Raises
    ------
    ConfigError
        ``batch_size`` below 1.
    """
    if batch_size < 1:
        raise ConfigError(f"batch_size must be at least 1; got {batch_size}.")
    order = torch.arange(n) if generator is None else torch.randperm(n, generator=generator)
    return order.tensor_split(-(-n // batch_size))


def class_shares(counts: Tensor, n: int) -> Tensor:
    """How many of ``n`` each class gets by its share of ``counts``: to within one."""
    total = int(counts.sum())
    quota = n * counts
    shares = quota // total
    missing = n - int(shares.sum())
    shares[(quota % total).argsort(descending=True, stable=True)[:missing]] += 1
    return shares
