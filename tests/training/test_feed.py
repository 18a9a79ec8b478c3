"""Images that are mapped, or on another device than the model, are fetched ahead of their step."""

from __future__ import annotations

import pytest
import torch

from zscape.config import RunConfig
from zscape.data import ImageSet, Splits, mapped
from zscape.model import build_model
from zscape.seeding import torch_generator
from zscape.training import Trainer, feed
from zscape.training.loop import Wish
from zscape.training.processes import create_fabric


@pytest.fixture
def images() -> ImageSet:
    pixels = torch.randint(0, 256, (40, 1, 8, 8), generator=torch_generator(0, "feed"))
    return ImageSet(pixels.byte())


@pytest.fixture
def on_disk(images: ImageSet, monkeypatch: pytest.MonkeyPatch) -> ImageSet:
    monkeypatch.setattr(mapped, "free_memory", lambda: 4)
    monkeypatch.setattr(mapped, "_PART", 1)
    found = images.changed(lambda part: part)
    assert mapped.mapping_of(found.images) is not None
    return found


def weights(images: ImageSet, stop_after: int | None = None) -> dict[str, torch.Tensor]:
    config = RunConfig.from_options(network="mlp", epochs=2, batch_size=7, accelerator="cpu")
    model = build_model(config.model.replace(image_shape=images.image_shape))
    fabric = create_fabric(config.train)
    trainer = Trainer(model, Splits(images[:30], images[30:]), config.train, fabric)
    if stop_after is not None:
        left = iter(range(stop_after))
        trainer.run(wish=lambda: Wish.STOP if next(left, None) is None else Wish.GO_ON)
    trainer.run()
    return model.state_dict()


@pytest.mark.parametrize("stop_after", [None, 2])
def test_a_mapped_set_trains_bit_for_bit_as_one_in_memory(
    images: ImageSet, on_disk: ImageSet, stop_after: int | None
) -> None:
    assert images.fingerprint == on_disk.fingerprint
    found, expected = weights(on_disk, stop_after), weights(images)
    for name, value in found.items():
        assert torch.equal(value, expected[name]), name


def test_batches_come_in_order_and_ahead(on_disk: ImageSet, monkeypatch) -> None:
    asked: list[int] = []
    rows_of = feed.rows_of
    monkeypatch.setattr(
        feed, "rows_of", lambda images, index: asked.append(len(asked)) or rows_of(images, index)
    )
    batches = torch.arange(40).split(4)
    got = feed.fetched(on_disk, batches, torch.device("cpu"))
    assert torch.equal(next(got), on_disk.pixels(batches[0]))
    for batch in batches[1:]:
        assert torch.equal(next(got), on_disk.pixels(batch))
    assert len(asked) == len(batches)
    assert next(got, None) is None


def test_what_cannot_be_fetched_is_an_error(on_disk: ImageSet) -> None:
    with pytest.raises(IndexError):
        list(feed.fetched(on_disk, [torch.tensor([40])], torch.device("cpu")))


def test_a_set_that_would_fill_the_device_stays_where_it_is(images: ImageSet, monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (4 * images.images.numel() - 1, 0))
    assert feed.near(images, torch.device("cuda")) is images
