"""Every reader of files, given files that lie: a ``ZscapeError`` is all that may come of one."""

from __future__ import annotations

import os
import random
import struct
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hostile import Verdict, attack, damaged
from PIL import Image
from reliability import Tries
from scipy.io import savemat

from data.test_table import PIXELS, WRITERS, options_of, save_classes
from training.training_helpers import fit_tiny, resume_tiny
from zscape import figures, load
from zscape.cli.use import model_text
from zscape.config import DataConfig, ModelConfig
from zscape.data import ImageSet, load_data
from zscape.embedding import Embedding, fit_map
from zscape.explorer import Scene, build_scene
from zscape.latents import LatentTable, as_vectors, encode
from zscape.model import build_model
from zscape.training import load_weights, save_weights

if sys.platform != "linux":
    pytest.skip("processes are watched as Linux lets one", allow_module_level=True)

PART = "Hostile files"
CASES = 30
"""Per reader; the same ones every time."""


@dataclass(frozen=True)
class Reader:
    """Files of a kind: what makes good ones in a folder, which are damaged, what reads them."""

    make: Callable[[Path], Any]
    read: Callable[[Path], Any]
    damages: str = "**/*"


def _source(have: str) -> Reader:
    name, config = options_of(have)
    return Reader(
        lambda at: WRITERS[have](at / name),
        lambda at: load_data(at / name, config),
        # What was packed lies beside it, and is not read.
        name if name.endswith((".zip", ".tar.gz")) else "**/*",
    )


CONFIG = ModelConfig(latent_dim=3, network="mlp", image_shape=(1, 8, 8))
IMAGES = ImageSet(torch.from_numpy(PIXELS)[:, None], split="test", name="few")


def _table() -> LatentTable:
    return encode(build_model(CONFIG), IMAGES)


def _weights(at: Path) -> None:
    save_weights(build_model(CONFIG), CONFIG, at / "m.safetensors")


def _pickled(at: Path, is_zip: bool) -> None:
    state = build_model(ModelConfig(latent_dim=2, image_shape=(1, 16, 16))).state_dict()
    torch.save(state, at / "m.pth", _use_new_zipfile_serialization=is_zip)


def _run(at: Path) -> None:
    fit_tiny(at / "run", ema=0.9)


def _summary(at: Path) -> None:
    opened = load(at / "run")
    model_text(opened)
    figures.plot_losses(opened.run.metrics())


def _scene(at: Path) -> None:
    table = _table()
    scene = build_scene(
        build_model(CONFIG), IMAGES, table=table, maps=[fit_map(table, "pca")], weights="f32"
    )
    scene.save(at / "s.zscene")


def _columned(at: Path, save: Callable[[pd.DataFrame], Any]) -> None:
    save_classes(at / "birds")
    rows = [{"file_name": f"{i}.png", "sex": "fm"[i % 2], "weight": 1.5 * i} for i in range(12)]
    save(pd.DataFrame(rows))


READERS: dict[str, Reader] = {
    **{have: _source(have) for have in WRITERS},
    "weights": Reader(_weights, lambda at: load_weights(at / "m.safetensors")),
    "weights of torch": Reader(
        partial(_pickled, is_zip=True), lambda at: load_weights(at / "m.pth")
    ),
    "weights of old torch": Reader(
        partial(_pickled, is_zip=False), lambda at: load_weights(at / "m.pth")
    ),
    "latents as .npz": Reader(
        lambda at: _table().save(at / "t.npz"), lambda at: LatentTable.load(at / "t.npz")
    ),
    "latents as .parquet": Reader(
        lambda at: _table().save(at / "t.parquet"), lambda at: LatentTable.load(at / "t.parquet")
    ),
    "map": Reader(
        lambda at: fit_map(_table(), "pca").save(at / "m.safetensors"),
        lambda at: Embedding.load(at / "m.safetensors"),
    ),
    "scene": Reader(_scene, lambda at: Scene.load(at / "s.zscene")),
    "config of a run": Reader(_run, _summary, "run/config.json"),
    "metrics of a run": Reader(_run, _summary, "run/metrics.jsonl"),
    "machine of a run": Reader(_run, _summary, "run/environment.json"),
    "checkpoint": Reader(_run, lambda at: resume_tiny(at / "run"), "run/last.ckpt/*"),
    "vectors as .json": Reader(
        lambda at: (at / "z.json").write_text("[[1, 2, 3], [0.5, -1, 2e-3]]"),
        lambda at: as_vectors(at / "z.json", 3),
    ),
    "vectors as .npy": Reader(
        lambda at: np.save(at / "z.npy", np.ones((4, 3))), lambda at: as_vectors(at / "z.npy", 3)
    ),
    "columns as .csv": Reader(
        lambda at: _columned(at, lambda table: table.to_csv(at / "t.csv", index=False)),
        lambda at: load_data(at / "birds", DataConfig(columns=str(at / "t.csv"), label="sex")),
        "t.csv",
    ),
    "columns as .parquet": Reader(
        lambda at: _columned(at, lambda table: table.to_parquet(at / "t.parquet")),
        lambda at: load_data(at / "birds", DataConfig(columns=str(at / "t.parquet"))),
        "t.parquet",
    ),
    "columns as .jsonl": Reader(
        lambda at: _columned(
            at, lambda table: table.to_json(at / "t.jsonl", orient="records", lines=True)
        ),
        lambda at: load_data(at / "birds", DataConfig(columns=str(at / "t.jsonl"))),
        "t.jsonl",
    ),
}


OF_ONE_FILE = (
    "weights", "weights of torch", "latents as .npz", "latents as .parquet", "map", "scene",
    "vectors as .json", "vectors as .npy",
)  # fmt: skip


def _damage(reader: str, sample: Path, number: int, at: Path) -> None:
    """The good files of ``reader``, one of them damaged."""
    rng = random.Random(f"{reader} {number}")
    files = sorted(file for file in sample.glob(READERS[reader].damages) if file.is_file())
    chosen = rng.choice(files)
    for file in sorted(sample.rglob("*")):
        to = at / file.relative_to(sample)
        if file.is_dir():
            to.mkdir()
        elif file == chosen:
            to.write_bytes(damaged(file.read_bytes(), rng))
        else:
            os.link(file, to)


def _attacked(reader: str, folder: Path, write: Callable[[int, Path], None], n: int) -> Verdict:
    sample = folder / "sample"
    sample.mkdir()
    READERS[reader].make(sample)
    READERS[reader].read(sample)  # it is good
    return attack(READERS[reader].read, write, range(n), folder)


def _assert_came_through(verdict: Verdict, n: int, tries: Tries) -> None:
    tries.add(n, n - len(verdict.faults))
    assert not verdict.faults, "\n\n".join(verdict.faults[:3])
    assert verdict.counts.total() == n


@pytest.mark.attack(PART, "a file damaged by 1 to 4 accidents, also inside what it packs, is read")
@pytest.mark.parametrize("reader", READERS)
def test_a_damaged_file_is_refused_or_read(reader: str, tmp_path: Path, tries: Tries) -> None:
    write = partial(_damage, reader, tmp_path / "sample")
    verdict = _attacked(reader, tmp_path, write, CASES)
    tries.of_which["refused"] = verdict.counts["refused"]
    _assert_came_through(verdict, CASES, tries)
    assert verdict.counts["refused"] > 0  # the damage is damage


@pytest.mark.attack(PART, "a pipe that nobody writes to, or `/dev/zero`, in place of a file")
@pytest.mark.parametrize("reader", OF_ONE_FILE)
def test_what_never_ends_is_refused(reader: str, tmp_path: Path, tries: Tries) -> None:
    def write(number: int, at: Path) -> None:
        (file,) = (tmp_path / "sample").iterdir()
        if number == 0:
            os.mkfifo(at / file.name)
        else:
            (at / file.name).symlink_to("/dev/zero")

    verdict = _attacked(reader, tmp_path, write, 2)
    _assert_came_through(verdict, 2, tries)
    assert verdict.counts["refused"] == 2


PNGS = {
    "grey": (0, 8), "colour": (2, 8), "palette": (3, 8), "grey with alpha": (4, 8),
    "colour with alpha": (6, 8), "grey of 16 bits": (0, 16), "colour of 16 bits": (2, 16),
    "colour of 16 bits with alpha": (6, 16),
}  # fmt: skip
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
SIDES = {8: 8000, 16: 5000}
"""By the bits of a channel: of the largest squares that are decoded."""


def _flat_png(kind: int, bits: int) -> bytes:
    """As many black pixels as are let in, in some hundred kilobytes."""
    side = SIDES[bits]
    packer, row = zlib.compressobj(1), bytes(1 + side * CHANNELS[kind] * bits // 8)
    pixels = b"".join([packer.compress(row) for _ in range(side)] + [packer.flush()])
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", side, side, bits, kind, 0, 0, 0))]
    chunks += [(b"PLTE", bytes(6) + b"\xff\0\0")] * (kind == 3)
    chunks += [(b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def _large_pictures(at: Path) -> list[Path]:
    for name, (kind, bits) in PNGS.items():
        (at / f"{name}.png").write_bytes(_flat_png(kind, bits))
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new("CMYK", (SIDES[8],) * 2, 7).save(at / "ink.jpg")
    Image.new("RGB", (SIDES[8],) * 2).save(at / "turned.jpg", exif=turned)
    return sorted(at.iterdir())


@pytest.mark.slow
@pytest.mark.attack(PART, "small files of the largest pictures that are decoded, also two at once")
def test_large_pictures_take_little_memory(tmp_path: Path, tries: Tries) -> None:
    (tmp_path / "sample").mkdir()
    files = _large_pictures(tmp_path / "sample")

    def write(number: int, at: Path) -> None:
        (at / "set").mkdir()
        file = files[number % len(files)]
        os.link(file, at / "set" / f"a{file.suffix}")
        if number < len(files):  # a single image cannot be split in two
            Image.new("L", (9, 9), 200).save(at / "set" / "b.png")
        else:
            os.link(file, at / "set" / f"b{file.suffix}")

    verdict = attack(
        lambda at: load_data(at / "set", DataConfig(resize=32)), write, range(len(files) + 2),
        tmp_path,
    )  # fmt: skip
    _assert_came_through(verdict, len(files) + 2, tries)
    assert verdict.counts["refused"] == 0


@pytest.mark.slow
@pytest.mark.attack(PART, "a .mat of 300 KB that unfolds into 300 MB")
def test_a_bomb_of_matlab(tmp_path: Path, tries: Tries) -> None:
    images = np.zeros((400_000, 784), np.uint8)
    sample = tmp_path / "bomb.mat"
    savemat(sample, {"dataset": {"train": {"images": images}}}, do_compression=True)
    verdict = attack(
        lambda at: load_data(at / "bomb.mat"),
        lambda _, at: os.link(sample, at / "bomb.mat"), range(1), tmp_path,
    )  # fmt: skip
    _assert_came_through(verdict, 1, tries)
    assert verdict.counts["refused"] == 1
