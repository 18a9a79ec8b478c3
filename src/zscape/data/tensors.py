"""Files that ``torch.save`` wrote: tensors only, nothing is unpickled beyond them."""

from __future__ import annotations

import pickletools
import warnings
import zipfile
from collections.abc import Iterator
from pickle import UnpicklingError
from typing import IO, Any

import torch
from torch import Tensor

from zscape.config import DataConfig
from zscape.data.arrays import as_numpy
from zscape.data.bounded import reading, size_of
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
        found = unpickled(file)
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


def unpickled(file: Readable) -> Any:
    """What ``torch.save`` wrote: tensors, numbers, text and collections of them, on the CPU.

    Raises
    ------
    DataError
        The file is damaged, or promises more than it holds.
    UnpicklingError
        It holds other objects, or is damaged so that it seems to.
    """
    with reading(file), file.open("rb") as stream:
        size = size_of(stream)
        promised = _promised(stream)
        stream.seek(0)
        if promised > size:
            raise DataError(
                f"{file} is damaged: {size} bytes cannot hold the {promised} that it promises."
            )
        try:
            with warnings.catch_warnings():
                # A pickle that torch.save did not write; whether it can be read will be seen.
                warnings.filterwarnings("ignore", "Detected pickle protocol", UserWarning)
                found = torch.load(stream, map_location="cpu", weights_only=True)
        except UnpicklingError:
            raise
        # torch raises whatever a damaged file makes it stumble over.
        except Exception as error:
            text = (str(error).splitlines() or [type(error).__name__])[0]
            raise DataError(f"{file} is damaged: {text.rstrip('.')}.") from error
    for tensor in _tensors(found):
        # By its strides, a tensor of one number can be of any shape.
        if tensor.layout != torch.strided or tensor.numel() * tensor.element_size() > size:
            raise DataError(f"{file} is damaged: a tensor {tuple(tensor.shape)} is not all in it.")
    return found


def _promised(stream: IO[bytes]) -> int:
    """Bytes of tensors, at most, for which torch would take memory before it reads them."""
    if zipfile.is_zipfile(stream):
        with zipfile.ZipFile(stream) as archive:
            return sum(info.file_size for info in archive.infolist())
    # Before it used zip, torch wrote pickles, the fourth of which describes the tensors.
    stream.seek(0)
    most, numbers = 0, [0]
    try:
        for _ in range(4):
            for code, argument, _ in pickletools.genops(stream):
                if code.name == "MARK":
                    numbers = [0]
                elif code.name == "BINPERSID":
                    most = max(most, *numbers)
                elif isinstance(argument, int) and "PUT" not in code.name:
                    numbers.append(argument)
    except Exception:  # as strange as it is, torch will say so too
        return most
    return most


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (dict, list, tuple)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _tensors(inner)
