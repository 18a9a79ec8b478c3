"""Whatever a person has images in becomes one set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, TensorDataset

import zscape
from zscape.data import ImageSet, Splits, as_image_set, load_data
from zscape.errors import ConfigError, DataError

PIXELS = np.random.default_rng(0).integers(0, 256, (8, 6, 5), dtype=np.uint8)
LABELS = np.array([0, 1, 2, 0, 1, 2, 0, 1])
UNIT = PIXELS[:, None].astype(np.float64) / 255


class Items(Dataset):
    """As torchvision's: a picture and a plain number."""

    def __len__(self):
        return len(PIXELS)

    def __getitem__(self, index):
        if index >= len(self):
            raise IndexError(index)
        return torch.tensor(UNIT[index], dtype=torch.float32), int(LABELS[index])


def loader(*tensors, size=3):
    return DataLoader(TensorDataset(*tensors), size)


WITHOUT_LABELS = {
    "bytes": PIXELS,
    "float64": UNIT,
    "float32 tensor": torch.tensor(UNIT, dtype=torch.float32),
    "channels last": PIXELS[..., None],
    "set": ImageSet(torch.from_numpy(PIXELS[:, None])),
    "list of arrays": list(PIXELS),
    "list of tensors": list(torch.from_numpy(PIXELS)),
    "list of pictures": [Image.fromarray(picture) for picture in PIXELS],
    "nested lists": UNIT[:, 0].tolist(),
    "loader of tensors": loader(torch.tensor(UNIT)),
    "plain batches": DataLoader(UNIT, 3),
}

WITH_LABELS = {
    "pair of arrays": (PIXELS, LABELS),
    "pair of tensors": (torch.tensor(UNIT), torch.tensor(LABELS)),
    "list of pairs": list(zip(PIXELS, LABELS, strict=True)),
    "list of pairs with text": [(x, str(k)) for x, k in zip(UNIT, LABELS, strict=True)],
    "list of lists": [
        [torch.tensor(x), torch.tensor(k)] for x, k in zip(UNIT, LABELS, strict=True)
    ],
    "loader": loader(torch.tensor(UNIT), torch.tensor(LABELS)),
    "loader of a dataset": DataLoader(Items(), 4),
    "dataset": Items(),
}


@pytest.mark.parametrize("given", WITHOUT_LABELS.values(), ids=list(WITHOUT_LABELS))
def test_images_alone(given):
    images = as_image_set(given)
    assert torch.equal(images.images, torch.from_numpy(PIXELS[:, None]))
    assert images.labels is None


@pytest.mark.parametrize("given", WITH_LABELS.values(), ids=list(WITH_LABELS))
def test_images_and_their_labels(given):
    images = as_image_set(given)
    assert torch.equal(images.images, torch.from_numpy(PIXELS[:, None]))
    assert images.titles() == [str(k) for k in LABELS]
    assert images.split == "test"
    assert as_image_set(given, "train").split == "train"


def test_splits_and_sources_give_the_half_that_was_asked_for(tmp_path: Path):
    halves = Splits(as_image_set(PIXELS[:5], "train"), as_image_set(PIXELS[5:]))
    assert as_image_set(halves) is halves.test
    assert as_image_set(halves, "train") is halves.train
    np.savez(tmp_path / "x.npz", images=PIXELS)
    for source in (tmp_path / "x.npz", str(tmp_path / "x.npz")):
        for split in ("train", "test"):
            expected = getattr(load_data(source), split)
            assert torch.equal(as_image_set(source, split).images, expected.images)
    with pytest.raises(ConfigError, match=r"^split must be train or test; got 'valid'"):
        as_image_set(halves, "valid")


def test_a_set_is_passed_on_as_it_is():
    images = as_image_set(PIXELS)
    assert as_image_set(images) is images
    looks_like_a_loader = type("Loader", (), {"dataset": images, "__iter__": lambda self: None})()
    assert as_image_set(looks_like_a_loader).images is images.images


@pytest.mark.parametrize("shape", [(1, 6, 5), (3, 6, 5)])
def test_one_picture_of_a_known_shape_needs_no_first_axis(shape):
    picture = torch.rand(shape)
    assert as_image_set(picture, image_shape=shape).images.shape == (1, *shape)
    assert as_image_set(picture[None], image_shape=shape).images.shape == (1, *shape)
    if shape[0] == 1:
        assert as_image_set(picture[0].numpy(), image_shape=shape).images.shape == (1, *shape)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "what was passed is empty"),
        pytest.param(DataLoader([]), "what was passed is empty", id="empty loader"),
        ([PIXELS[0], PIXELS[1][:4]], r"must have one shape; got \(4, 5\), \(6, 5\)"),
        ([(PIXELS[0], 1), PIXELS[1]], "either all do or none"),
        (255 * UNIT, r"must be finite and in \[0, 1\]; got values from 0.0 to 255.0"),
        (UNIT - 1, "must be finite and in"),
        ("no such place", "no file or folder"),
        (7, "an object of type int"),
        ({"images": PIXELS}, "an object of type dict"),
    ],
    ids=str,
)
def test_what_cannot_be_images_is_said(given, said):
    with pytest.raises(DataError, match=said):
        as_image_set(given)


def test_what_is_taken_for_images_can_be_trained_on():
    pairs = [(np.random.default_rng(i).random((16, 16)), i % 2) for i in range(24)]
    result = zscape.train(
        pairs, latent_dim=2, network="mlp", epochs=1, batch_size=8, progress="none"
    )
    assert result.model.image_shape == (1, 16, 16)
