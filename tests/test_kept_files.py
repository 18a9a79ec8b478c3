"""Files that a version once wrote are opened by every later one.

``tests/kept/VERSION`` holds them. For another: ``python tests/test_kept_files.py tests/kept/NEW``.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor, nn

import zscape
from zscape.embedding import Embedding, fit_map
from zscape.latents import LatentTable, check_belongs, encode
from zscape.model import VAE, networks

KEPT = sorted((Path(__file__).parent / "kept").iterdir())


class Small(VAE):
    """A network of few bytes."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(36, 8), nn.ReLU(), nn.Linear(8, 4))
        self.decoder = nn.Sequential(
            nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 36), nn.Unflatten(1, (1, 6, 6))
        )

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mu, logvar = self.encoder(x).chunk(2, dim=1)
        return mu, logvar

    def decode_logits(self, z: Tensor) -> Tensor:
        logits: Tensor = self.decoder(z)
        return logits


def make(folder: Path) -> None:
    """Everything of this version that is kept."""
    networks.register("kept")(Small)
    folder.mkdir(parents=True)
    os.chdir(folder)
    pixels = np.random.default_rng(0).integers(0, 256, (24, 6, 6), dtype=np.uint8)
    np.savez_compressed("d.npz", images=pixels, labels=np.arange(24) % 3)
    options = {"latent_dim": 2, "epochs": 2, "batch_size": 8, "accelerator": "cpu", "seed": 1}
    result = zscape.train("d.npz", network="kept", out="run", progress="none", **options)
    assert result.run is not None
    table = encode(result.model, result.run.load_data().train)
    for name in ("table.npz", "table.parquet"):
        table.save(name)
    fit_map(table, "pca").save("map.safetensors")
    for name in ("loss.png", "reconstructions.png", "samples.png", "environment.json"):
        (result.run.path / name).unlink()  # large, or of the machine
    content = json.loads((result.run.path / "config.json").read_text())
    content["images"]["place"] = "/where/it/was/d.npz"
    (result.run.path / "config.json").write_text(json.dumps(content, indent=2) + "\n")


@pytest.fixture(params=KEPT, ids=lambda path: path.name)
def kept(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(networks._table, "kept", Small)
    folder = Path(shutil.copytree(request.param, tmp_path / "kept"))
    monkeypatch.chdir(folder)
    return folder


def test_a_run_opens_with_its_images(kept: Path, caplog: pytest.LogCaptureFixture) -> None:
    opened = zscape.load("run")
    assert opened.run is not None
    assert opened.model_config.latent_dim == 2
    assert opened.run.config.train.epochs == 2
    assert [line["epoch"] for line in opened.run.metrics()] == [1, 2]
    assert sum(map(len, opened.data())) == 24
    assert not caplog.records


def test_a_run_is_resumed_where_it_was(kept: Path) -> None:
    result = zscape.resume("run", progress="none")
    assert result.is_finished
    assert result.history == zscape.Run.open("run").metrics()


@pytest.mark.parametrize("name", ["table.npz", "table.parquet"])
def test_a_table_is_that_of_its_model_and_images(kept: Path, name: str) -> None:
    opened = zscape.load("run")
    table, images = LatentTable.load(name), opened.data().train
    check_belongs(table, opened.model, images)
    np.testing.assert_allclose(table.mu, encode(opened.model, images).mu, atol=1e-4)


def test_a_map_takes_new_points(kept: Path) -> None:
    drawn = Embedding.load("map.safetensors")
    np.testing.assert_allclose(drawn.transform(drawn.table.mu), drawn.coordinates, atol=1e-4)


def test_an_option_of_a_newer_version_is_kept(kept: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = kept / "run" / "config.json"
    content = json.loads(file.read_text()) | {"version": "99.0", "hardware": {"gpu": 1}}
    for part in ("data", "model", "train"):
        content[part]["quantum"] = [part]
    file.write_text(json.dumps(content))
    run = zscape.Run.open("run")
    assert caplog.text.count("quantum is unknown here, and kept") == 3
    assert run.config.to_dict()["train"]["quantum"] == ["train"]
    assert zscape.resume(run, progress="none").is_finished


if __name__ == "__main__":
    make(Path(sys.argv[1]))
