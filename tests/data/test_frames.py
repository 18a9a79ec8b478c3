"""Tables in memory, as pandas and Hugging Face's datasets have them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from zscape.config import DataConfig
from zscape.data import ImageSet, as_image_set, load_data
from zscape.data.frames import read_frame
from zscape.errors import DataError

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 4, 4), dtype=np.uint8)
LABELS = ["b", "a", "c", "b", "a", "c"]


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def check(data: Any) -> ImageSet:
    assert isinstance(data, ImageSet)
    assert np.array_equal(data.images[:, 0].numpy(), PIXELS)
    assert data.titles() == LABELS
    return data


@pytest.mark.parametrize(
    "pictures",
    [
        list(PIXELS),
        [torch.from_numpy(pixels) for pixels in PIXELS],
        [Image.fromarray(pixels) for pixels in PIXELS],
        [png(pixels) for pixels in PIXELS],
        [{"bytes": png(pixels), "path": None} for pixels in PIXELS],
    ],
    ids=["array", "tensor", "Pillow", "bytes", "struct"],
)
def test_a_frame_with_a_column_of_pictures(pictures: list[Any]) -> None:
    frame = pd.DataFrame({"label": LABELS, "face": pictures, "area": range(6)})
    data = check(read_frame(frame, DataConfig()))
    assert data.columns is not None
    assert data.columns.texts("area") == list("012345")
    train, test = load_data(frame)
    assert len(train) + len(test) == 6
    check(as_image_set(frame))


def test_a_frame_with_names_of_files_or_with_pixels(tmp_path: Path) -> None:
    for i, pixels in enumerate(PIXELS):
        Image.fromarray(pixels).save(tmp_path / f"{i}.png")
    names = [str(tmp_path / f"{i}.png") for i in range(6)]
    check(read_frame(pd.DataFrame({"image": names, "y": LABELS}), DataConfig()))
    numbers = pd.DataFrame(PIXELS.reshape(6, 16)).assign(label=LABELS)
    check(read_frame(numbers, DataConfig()))
    with pytest.raises(DataError, match=r"names gone\.png, but there is no such file"):
        read_frame(pd.DataFrame({"image": ["gone.png"]}), DataConfig())
    with pytest.raises(DataError, match="DataFrame has no column of pictures"):
        read_frame(pd.DataFrame({"a": [1]}), DataConfig())
    with pytest.raises(DataError, match="DataFrame has no rows"):
        read_frame(pd.DataFrame({"a": []}), DataConfig())


def test_a_second_column_of_pictures_is_said(caplog: pytest.LogCaptureFixture) -> None:
    frame = pd.DataFrame({"mask": list(PIXELS > 9), "image": list(PIXELS), "label": LABELS})
    check(read_frame(frame, DataConfig()))
    assert caplog.messages == ["DataFrame: left out: 1 column mask."]


class ClassLabel:
    names = ("a", "b", "c")


class Dataset:
    """What ``datasets.Dataset`` looks like from outside."""

    def __init__(self, n: int) -> None:
        self.rows: dict[str, list[Any]] = {
            "image": [Image.fromarray(pixels) for pixels in PIXELS[:n]],
            "label": [ClassLabel.names.index(label) for label in LABELS[:n]],
            "area": list(range(n)),
        }
        self.column_names = list(self.rows)
        self.features = {"image": object(), "label": ClassLabel(), "area": object()}

    def __len__(self) -> int:
        return len(self.rows["image"])

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            return self.rows[key]
        return {name: values[key] for name, values in self.rows.items()}


def test_data_sets_of_hugging_face(caplog: pytest.LogCaptureFixture) -> None:
    check(read_frame(Dataset(6), DataConfig()))
    splits = {
        "train": Dataset(6),
        "validation": Dataset(3),
        "test": Dataset(2),
        "extra": Dataset(1),
    }
    train, test = load_data(splits)
    check(train)
    assert test.titles() == LABELS[:2]
    assert train.class_names == ("a", "b", "c")
    assert "left out: 1 split extra, 1 split val." in caplog.text


def test_a_data_set_that_gives_tensors_is_asked_for_what_it_holds() -> None:
    class Formatted(Dataset):
        def with_format(self, kind: None) -> Dataset:
            return Dataset(len(self))

        def __getitem__(self, key: Any) -> Any:
            found = super().__getitem__(key)
            return torch.tensor(found) if key == "area" else found

    check(read_frame(Formatted(6), DataConfig()))


def test_an_iterator_of_batches() -> None:
    labels = np.array([1, 0, 2, 1, 0, 2])
    batches = ((PIXELS[i : i + 4], labels[i : i + 4]) for i in range(0, 6, 4))
    train, test = load_data(batches)
    assert len(train) + len(test) == 6
    assert train.class_names == ("0", "1", "2")
    plain = load_data(iter([PIXELS[:3], PIXELS[3:]]))
    assert sum(map(len, plain)) == 6
    with pytest.raises(DataError, match="there are no images"):
        load_data(iter(()))


def test_a_picture_that_cannot_be_taken_is_named() -> None:
    deep = Image.fromarray(np.full((4, 4), 70_000, np.int32))
    frame = pd.DataFrame({"face": [Image.fromarray(PIXELS[0]), deep, Image.fromarray(PIXELS[1])]})
    with pytest.raises(DataError, match=r"row 1\) could not be read .* more than 16 bits; --skip"):
        read_frame(frame, DataConfig())
    data = read_frame(frame, DataConfig(skip_broken=True))
    assert len(data) == 2
