"""Sets too large for memory, of which there is next to nothing here: mapped, kept, found again."""

from __future__ import annotations

import io
import logging
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from data.test_table import WRITERS, options_of, save_classes
from zscape.config import DataConfig
from zscape.data import ImageSet, Splits, containers, decoding, kept, load_data, mapped
from zscape.data.bounded import read_exactly
from zscape.data.mapped import mapping_of
from zscape.errors import ConfigError, DataError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where decoded sets are kept; empty."""
    monkeypatch.setenv("ZSCAPE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "images"


@pytest.fixture
def no_room(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever has pixels is too large for memory, and so is every part of it."""
    monkeypatch.setattr(mapped, "free_memory", lambda: 4)
    monkeypatch.setattr(mapped, "_PART", 1)
    monkeypatch.setattr(mapped, "CHUNK", 5)


@pytest.fixture
def birds(tmp_path: Path) -> Path:
    save_classes(tmp_path / "birds")
    return tmp_path / "birds"


def same(one: Splits, other: Splits) -> bool:
    def all_of(images: ImageSet) -> list[Any]:
        known = None if images.columns is None else images.columns.to_frame().to_csv()
        return [images.fingerprint, images.name, images.kind, images.split, known]

    return all(all_of(a) == all_of(b) for a, b in zip(one, other, strict=True))


def are_mapped(splits: Splits) -> bool:
    return all(mapping_of(images.images) is not None for images in splits)


@pytest.mark.parametrize("have", WRITERS)
@pytest.mark.usefixtures("no_room")
def test_every_container_is_the_same_mapped_and_found_again(have: str, tmp_path: Path) -> None:
    name, config = options_of(have)
    WRITERS[have](tmp_path / name)
    in_memory = load_data(tmp_path / name, config.replace(no_cache=True))
    assert not are_mapped(in_memory)
    first, second = (load_data(tmp_path / name, config) for _ in range(2))
    assert are_mapped(first)
    assert same(first, in_memory)
    assert same(second, in_memory)


@pytest.mark.parametrize(
    "options",
    [
        {"resize": 4}, {"resize": 16, "fit": "pad"}, {"channels": 3}, {"binarize": "threshold"},
        {"n_train": 5, "n_test": 1}, {"n_train": 4, "stratified": True}, {"split_by": "file_name"},
        {"label": "file_name"},
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.usefixtures("no_room")
def test_it_is_prepared_as_in_memory(birds: Path, options: dict[str, Any]) -> None:
    found = load_data(birds, DataConfig(**options))
    assert are_mapped(found)
    assert same(found, load_data(birds, DataConfig(no_cache=True, **options)))


@pytest.mark.usefixtures("no_room")
def test_colour_becomes_grey_as_in_memory(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (9, 5, 6, 3), dtype=np.uint8)
    np.save(tmp_path / "x.npy", pixels)
    options = {"channels": 1}
    found = load_data(tmp_path / "x.npy", DataConfig(**options))
    assert same(found, load_data(tmp_path / "x.npy", DataConfig(no_cache=True, **options)))


@pytest.mark.usefixtures("no_room")
def test_pictures_of_several_kinds_of_pixels(tmp_path: Path) -> None:
    """In one spool lie frames of one and two bytes, with and without transparency."""
    (tmp_path / "x").mkdir()
    for i, mode in enumerate(("L", "I;16", "RGBA", "LA", "RGB") * 2):
        Image.new(mode.replace("RGBA", "RGB").replace("LA", "L"), (5, 3), 40 + i).convert(
            mode if mode.endswith("A") else None
        ).save(tmp_path / "x" / f"{i}.{'tif' if mode == 'I;16' else 'png'}")
    found = load_data(tmp_path / "x")
    assert are_mapped(found)
    assert same(found, load_data(tmp_path / "x", DataConfig(no_cache=True)))


@pytest.mark.usefixtures("no_room")
def test_the_second_time_nothing_is_decoded(
    birds: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (birds / "notes.txt").write_text("")
    with caplog.at_level(logging.INFO, "zscape"):
        first = load_data(birds)
    assert "left out: 1 .txt" in caplog.text
    assert re.search(r"kept decoded in .*\.images \(.* kB\)", caplog.text)
    assert len(list(folder.iterdir())) == 1
    monkeypatch.setattr(containers, "_read", None)
    caplog.clear()
    assert same(load_data(birds), first)
    assert "left out: 1 .txt" in caplog.text  # what was warned of is said again


def change_a_file(birds: Path) -> None:
    os.utime(birds / "class0" / "0.png", (1, 1))


def add_a_file(birds: Path) -> None:
    Image.new("L", (8, 8)).save(birds / "class0" / "new.png")


def rename_a_file(birds: Path) -> None:
    (birds / "class0" / "0.png").rename(birds / "class0" / "1000.png")


@pytest.mark.parametrize("change", [change_a_file, add_a_file, rename_a_file, None])
@pytest.mark.usefixtures("no_room")
def test_it_is_read_again_when_something_decides_other_pixels(
    birds: Path, folder: Path, change: Callable[[Path], None] | None
) -> None:
    load_data(birds)
    options = DataConfig()
    if change is None:
        options = DataConfig(resize=4)
    else:
        change(birds)
    found = load_data(birds, options)
    assert len(list(folder.iterdir())) == 2
    assert same(found, load_data(birds, options.replace(no_cache=True)))


@pytest.mark.usefixtures("no_room")
def test_a_subset_is_of_the_same_decoded_set(birds: Path, folder: Path) -> None:
    load_data(birds)
    load_data(birds, DataConfig(n_train=3, binarize="threshold", label="file_name"), seed=3)
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize("n", [0, 10, 4100, 5000, -1])
@pytest.mark.usefixtures("no_room")
def test_a_damaged_file_is_made_again(
    birds: Path, folder: Path, n: int, caplog: pytest.LogCaptureFixture
) -> None:
    first = load_data(birds)
    (file,) = folder.iterdir()
    file.write_bytes(file.read_bytes()[:n])
    assert same(load_data(birds), first)
    assert f"{birds} is read again" in caplog.text
    caplog.clear()
    load_data(birds)
    assert "again" not in caplog.text


@pytest.mark.usefixtures("no_room")
def test_what_is_interrupted_leaves_nothing(
    birds: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(images: Any) -> Iterator[Any]:
        yield images[:1]
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(kept, "parts_of", stop)
        with pytest.raises(KeyboardInterrupt):
            load_data(birds)
    assert list(folder.iterdir()) == []
    assert [each.name for each in folder.parent.iterdir()] == ["images"]
    assert same(load_data(birds), load_data(birds, DataConfig(no_cache=True)))


def test_what_is_small_and_quick_is_not_kept(birds: Path, folder: Path) -> None:
    assert not are_mapped(load_data(birds))
    assert not folder.exists()


def test_what_is_slow_is_kept_however_small(
    birds: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "SLOW", -1)
    load_data(birds)
    assert len(list(folder.iterdir())) == 1
    load_data(birds, DataConfig(no_cache=True, resize=4))
    assert len(list(folder.iterdir())) == 1


def test_only_the_newest_are_kept(
    birds: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "SLOW", -1)
    monkeypatch.setattr(kept, "MAX_SETS", 2)
    load_data(birds)
    (oldest,) = folder.iterdir()
    os.utime(oldest, (0, 0))
    for side in (4, 5):
        load_data(birds, DataConfig(resize=side))
    assert len(list(folder.iterdir())) == 2
    assert not oldest.exists()


def test_a_folder_that_cannot_be_written(
    birds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ZSCAPE_CACHE", str(tmp_path / "file"))
    monkeypatch.setattr(kept, "SLOW", -1)
    assert len(load_data(birds).train) > 0
    assert "could not be kept" in caplog.text
    monkeypatch.setattr(mapped, "free_memory", lambda: 4)
    with pytest.raises(ConfigError, match=f"cannot write {tmp_path / 'file'}"):
        load_data(birds)


@pytest.mark.usefixtures("no_room")
def test_a_full_disk_is_said_beforehand(birds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("", (), {"free": 3})
    monkeypatch.setattr(mapped.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(ConfigError, match=r"has room for 3 bytes, but .* --no-cache"):
        load_data(birds)


@pytest.mark.usefixtures("no_room")
def test_a_table_that_names_files_is_not_kept(tmp_path: Path, folder: Path) -> None:
    """Nothing would show that one of them has changed."""
    WRITERS["a table of file names"](tmp_path / "list.csv")
    before = load_data(tmp_path / "list.csv")
    assert are_mapped(before)
    file = tmp_path / "birds" / "class0" / "0.png"
    Image.new("L", (8, 8), 77).save(file)
    assert not same(load_data(tmp_path / "list.csv"), before)


def test_how_far_it_is_and_how_much_it_will_be_is_said(
    birds: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(decoding, "_PATIENCE", 0)
    with caplog.at_level(logging.INFO, "zscape"):
        load_data(birds)
    said = [text for text in caplog.messages if "pictures read" in text]
    assert said[0].startswith(f"{birds}: 1 of 12 pictures read, about 768 bytes once decoded;")
    assert said[1].startswith(f"{birds}: 2 of 12 pictures read;")
    assert len(said) == 11


@pytest.mark.usefixtures("no_room")
def test_a_promise_beyond_memory_costs_only_what_is_there() -> None:
    assert bytes(read_exactly(io.BytesIO(b"cdef"), 6, "x", b"ab")) == b"abcdef"
    with pytest.raises(DataError, match=r"promises 10{12} bytes of data, it holds 3"):
        read_exactly(io.BytesIO(b"abc"), 10**12, "x")
    with pytest.raises(DataError, match=r"goes on after"):
        read_exactly(io.BytesIO(b"abc"), 2, "x")
    with pytest.raises(DataError, match=r"it holds 0"):
        read_exactly(io.BytesIO(b""), 2, "x")


@pytest.mark.usefixtures("no_room")
def test_pages_are_given_back_and_stay_what_they_were() -> None:
    images = torch.from_numpy(mapped.empty((3, 1, 2, 2)))
    images[:] = 7
    assert mapping_of(images[1:]) is mapping_of(images) is not None
    assert mapping_of(images.clone()) is None
    mapped.release(images)
    assert (images == 7).all()


def test_what_nobody_uses_any_more_is_closed(no_room: None) -> None:
    images = mapped.empty((3, 4))
    before = len(mapped._maps)
    del images
    assert len(mapped._maps) == before - 1


@pytest.mark.usefixtures("no_room")
@pytest.mark.parametrize("dtype", [torch.int64, torch.bool], ids=str)
def test_rows_that_lie_anywhere_are_those_asked_for(dtype: torch.dtype) -> None:
    images = torch.from_numpy(mapped.empty((500, 1, 2, 2)))
    images[:] = torch.arange(2000).view(500, 1, 2, 2) % 251
    index = torch.randperm(500, generator=torch.Generator().manual_seed(0))[:300]
    if dtype is torch.bool:
        index = index.bincount(minlength=500).bool()
    assert len(index) > 2 * mapped._SCATTERED
    assert torch.equal(mapped.rows_of(images, index), images.clone()[index])
