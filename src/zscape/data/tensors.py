"""Files that ``torch.save`` wrote: tensors only, nothing is unpickled beyond them."""

from __future__ import annotations

from pickle import UnpicklingError

import torch
from torch import Tensor

from zscape.config import DataConfig
from zscape.data.arrays import as_numpy
from zscape.data.bounded import reading
from zscape.data.named import Found, find_named
from zscape.data.tree import Readable
from zscape.errors import DataError


def read_tensors(file: Readable, config: DataConfig) -> Found:
    """A tensor of images, ``(images, labels)``, or a mapping of tensors by name.

    Raises
    ------
    DataError
        The file is damaged, holds other objects, or no images.
    """
    try:
        with reading(file), file.open("rb") as stream:
            found = torch.load(stream, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise DataError(
            f"{file} holds pickled objects, which are never opened; save tensors instead: "
            f'torch.save({{"images": images, "labels": labels}}, ...).'
        ) from error
    match found:
        case dict():
            tensors = {str(k): v for k, v in found.items() if isinstance(v, Tensor)}
            return find_named(file, tensors, tensors.__getitem__, config)
        case Tensor():
            return Found({("train", "images"): as_numpy(found, str(file))}, is_lone=True)
        case (Tensor() as images, Tensor() as labels):
            arrays = {("train", "images"): images, ("train", "labels"): labels}
            named = {part: as_numpy(tensor, str(file)) for part, tensor in arrays.items()}
            return Found(named, ("0 (images)", "1 (labels)"))
    raise DataError(
        f"{file} must hold a tensor, (images, labels) or a dict of tensors; "
        f"got {type(found).__name__}."
    )
