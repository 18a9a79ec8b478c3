"""Pictures in Python's and torch's collections, as arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from zscape.config import plain
from zscape.data.imageset import ImageSet
from zscape.errors import DataError


def is_collection(source: Any) -> bool:
    """Whether ``gather`` is made for ``source``; never raises."""
    is_dataset = isinstance(source, Dataset) and hasattr(source, "__len__")
    is_iterator = isinstance(source, Iterator)
    return is_dataset or isinstance(source, (list, DataLoader)) or is_iterator or _is_loader(source)


def gather(source: Any) -> Any:
    """A collection as an array of pictures, as ``(pictures, labels)``, or as an ``ImageSet``.

    Parameters
    ----------
    source
        A list or a torch ``Dataset`` of pictures or of ``(picture, label)``; or a torch
        ``DataLoader``, what looks like one, or an iterator of batches, gone through once.

    Raises
    ------
    DataError
        It is empty, or its pictures are not all of one shape.
    """
    if _is_loader(source) or isinstance(source, Iterator):
        if isinstance(getattr(source, "dataset", None), ImageSet):
            return source.dataset
        join: Any = np.concatenate
        parts = [batch if isinstance(batch, (tuple, list)) else (batch,) for batch in source]
    else:
        # By number: a Dataset does not say where it ends to whoever iterates.
        join, items = np.stack, (source[i] for i in range(len(source)))
        parts = [item if _is_pair(item) else (item,) for item in items]
    if not parts:
        raise DataError("there are no images: what was passed is empty.")
    if len({len(part) > 1 for part in parts}) > 1:
        raise DataError("only some of the images come with a label; either all do or none.")
    pictures = _joined(join, (part[0] for part in parts))
    return pictures if len(parts[0]) == 1 else (pictures, _joined(join, (p[1] for p in parts)))


def _is_loader(source: Any) -> bool:
    return hasattr(source, "dataset") and hasattr(source, "__iter__")


def _is_pair(item: Any) -> bool:
    """Whether this is a picture and its label, and not two rows of a picture."""
    is_two = isinstance(item, (tuple, list)) and len(item) == 2
    return is_two and np.ndim(plain(item[1])) == 0 and np.ndim(_as_array(item[0])) > 1


def _as_array(part: Any) -> Any:
    return part.detach().cpu().numpy() if isinstance(part, Tensor) else np.asarray(part)


def _joined(join: Any, parts: Iterable[Any]) -> Any:
    arrays = [_as_array(part) for part in parts]
    try:
        return join(arrays)
    except ValueError as error:
        shapes = ", ".join(sorted({str(array.shape) for array in arrays})[:4])
        raise DataError(f"images of one set must have one shape; got {shapes}.") from error
