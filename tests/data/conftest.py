from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from zscape.data import ImageSet


@pytest.fixture
def write_idx() -> Callable[[Path, np.ndarray], Path]:
    """Write an array as IDX, compressed if the name says so."""

    def write(file: Path, array: np.ndarray) -> Path:
        header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
        data = header + array.astype(np.uint8).tobytes()
        file.write_bytes(gzip.compress(data) if file.suffix == ".gz" else data)
        return file

    return write


@pytest.fixture
def save_picture() -> Callable[..., Path]:
    """Save a picture of one colour, making its folders."""

    def save(
        file: Path, size: tuple[int, int] = (6, 5), mode: str = "L", color: object = 0
    ) -> Path:
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new(mode, size, color).save(file)
        return file

    return save


@pytest.fixture
def pictures() -> np.ndarray:
    """(7, 5, 4) bytes, all different, so that an order or a layout can be recognised."""
    return np.arange(7 * 5 * 4, dtype=np.uint8).reshape(7, 5, 4)


@pytest.fixture
def labelled() -> ImageSet:
    """60 images of 3 classes in proportions 1 : 2 : 3; every pixel of image i is i."""
    images = torch.arange(60, dtype=torch.uint8)[:, None, None, None].expand(60, 1, 3, 2).clone()
    labels = torch.tensor([0] * 10 + [1] * 20 + [2] * 30)
    return ImageSet(images, labels, ("a", "b", "c"), name="labelled")
