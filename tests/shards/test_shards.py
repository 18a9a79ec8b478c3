"""Shards on one machine: every image in one table once, whatever happened on the way."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shard_helpers import (
    numbers_of,
    picture,
    tables_of,
    write_parquet,
    write_shards,
    write_tar,
)

import zscape
from zscape.data import ImageSet, load_data
from zscape.errors import ConfigError, DataError, DiskFull
from zscape.lock import held
from zscape.shards import work

MODEL = "zoo:2"


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shards(tmp_path_factory.mktemp("shards"))


@pytest.fixture(scope="module")
def encoded(shards: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tables") / "out"
    assert zscape.encode_shards(MODEL, shards, out) == 30
    return out


def test_a_table_for_every_shard_and_every_image_once(shards: Path, encoded: Path) -> None:
    tables = tables_of(encoded)
    assert list(tables) == [
        "deep/train-001.tar.latents.parquet", "part-002.parquet.latents.parquet",
        "part-005.parquet.latents.parquet", "train-000.tar.latents.parquet",
        "train-003.tar.latents.parquet", "train-004.tar.latents.parquet",
    ]  # fmt: skip
    assert numbers_of(tables) == list(range(30))
    first = tables["train-000.tar.latents.parquet"]
    assert first.class_names == ("0", "1", "2")
    assert first.known_columns().texts("file_name")[0] == "000000.png"
    assert not (encoded / "lock.json").exists()


def test_the_latents_are_those_of_the_pictures(encoded: Path) -> None:
    import io

    from PIL import Image

    opened = zscape.load(MODEL)
    for table in tables_of(encoded).values():
        for number, mu in zip(table.known_columns().numbers("number"), table.mu, strict=True):
            pixels = np.asarray(Image.open(io.BytesIO(picture(int(number)))))
            np.testing.assert_allclose(zscape.encode(opened, pixels[None]).mu[0], mu, atol=1e-5)


def test_again_nothing_is_done_and_what_is_missing_or_newer_is(shards, encoded, tmp_path):
    before = {file: file.stat().st_mtime_ns for file in encoded.rglob("*.latents.parquet")}
    assert zscape.encode_shards(MODEL, shards, encoded) == 0
    assert {file: file.stat().st_mtime_ns for file in before} == before
    lost = encoded / "train-003.tar.latents.parquet"
    content = lost.read_bytes()
    lost.unlink()
    os.utime(shards / "part-002.parquet")
    assert zscape.encode_shards(MODEL, shards, encoded) == 10
    assert lost.read_bytes() == content
    assert numbers_of(tables_of(encoded)) == list(range(30))


def test_maps_place_what_is_encoded(shards: Path, tmp_path: Path) -> None:
    table = zscape.encode(MODEL)[np.arange(200)]
    drawn = zscape.fit_map(table, "pca")
    drawn.save(tmp_path / "pca.safetensors")
    out = tmp_path / "out"
    zscape.encode_shards(MODEL, shards, out, maps=[tmp_path / "pca.safetensors"])
    for own in tables_of(out).values():
        found = np.stack([own.known_columns().numbers(f"pca_{axis}") for axis in "xy"], axis=1)
        np.testing.assert_allclose(found, drawn.transform(own.mu), atol=1e-6)
    with pytest.raises(ConfigError, match="holds tables of another choice of maps"):
        zscape.encode_shards(MODEL, shards, out)


def test_a_shard_that_cannot_be_read_is_named_and_the_others_are_encoded(tmp_path: Path) -> None:
    folder, out = write_shards(tmp_path / "shards"), tmp_path / "out"
    whole = (folder / "train-000.tar").read_bytes()
    (folder / "train-000.tar").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"1 shard of 6 could not be encoded.*train-000\.tar"):
        zscape.encode_shards(MODEL, folder, out)
    assert numbers_of(tables_of(out)) == list(range(5, 30))
    (folder / "train-000.tar").write_bytes(whole)
    assert zscape.encode_shards(MODEL, folder, out) == 5
    assert numbers_of(tables_of(out)) == list(range(30))


def test_what_shards_would_each_decide_otherwise_is_refused(tmp_path: Path) -> None:
    write_tar(tmp_path / "a" / "0.tar", range(3), "LA")  # opaque: there is nothing to decide
    assert zscape.encode_shards(MODEL, tmp_path / "a", tmp_path / "out-a") == 3
    write_tar(tmp_path / "b" / "0.tar", range(3), "I;16")
    with pytest.raises(DataError, match=r"white of 16-bit pixels .* --range LOW,HIGH"):
        zscape.encode_shards(MODEL, tmp_path / "b", tmp_path / "out-b")
    write_tar(tmp_path / "c" / "0.tar", range(3), "RGB")
    with pytest.raises(DataError, match=r"0.tar: its images are \(3, 28, 28\).*\(1, 28, 28\)"):
        zscape.encode_shards(MODEL, tmp_path / "c", tmp_path / "out-c")
    assert not list((tmp_path / "out-c").glob("*.latents.parquet"))


def test_what_is_no_folder_of_shards_is_refused(shards, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "a.tex").write_text("x")
    wrong: list[tuple[Any, Any, dict[str, Any], str]] = [
        (tmp_path / "nowhere", "o", {}, "there is no folder"),
        (tmp_path / "empty", "o", {}, "holds no shards: files that end in .parquet or .tar"),
        (shards / "train-000.tar", "o", {}, "is one file"),
        (shards, "thesis", {}, "is not empty and holds no tables of shards"),
        (shards, "thesis/a.tex", {}, "is a file; the tables of shards need a folder"),
        (shards, "o", {"engine": "spark"}, "engine must be local or ray"),
        (shards, "o", {"address": "auto"}, "address goes with engine ray"),
        (shards, "o", {"gpus_per_worker": 1.0}, "gpus_per_worker goes with engine ray"),
        (shards, "o", {"maps": ["nowhere.safetensors"]}, "nowhere.safetensors"),
    ]
    for source, out, options, said in wrong:
        with pytest.raises((ConfigError, DataError), match=said):
            zscape.encode_shards(MODEL, source, tmp_path / out, **options)
        assert not (tmp_path / "o").exists()


def test_tables_of_another_model_and_a_second_process_are_refused(shards, encoded) -> None:
    with pytest.raises(ConfigError, match="holds tables of another model"):
        zscape.encode_shards("zoo:3", shards, encoded)
    with (
        held(encoded / "lock.json", "by the other"),
        pytest.raises(ConfigError, match=r"shards are being encoded by process \d+"),
    ):
        zscape.encode_shards(MODEL, shards, encoded)
    about = encoded / "encoding.json"
    content = about.read_text()
    about.write_text("{")
    with pytest.raises(ConfigError, match="is damaged"):
        zscape.encode_shards(MODEL, shards, encoded)
    about.write_text(content)


def test_a_full_disk_ends_it_at_once_and_room_lets_it_go_on(shards, tmp_path, monkeypatch):
    out, save = tmp_path / "out", work.save_parts
    done = 0

    def full(path: Path, parts: Any) -> int:
        nonlocal done
        done += 1
        if done > 2:
            from zscape.files import writing

            with writing(path):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return save(path, parts)

    with monkeypatch.context() as patch:
        patch.setattr(work, "save_parts", full)
        with pytest.raises(DiskFull, match="No space left on device"):
            zscape.encode_shards(MODEL, shards, out)
    assert done == 3
    assert len(tables_of(out)) == 2
    assert zscape.encode_shards(MODEL, shards, out) == 20


def test_a_killed_process_leaves_whole_tables_and_the_rest_follows(shards, tmp_path: Path) -> None:
    """Killed while a table is written, whose beginning lies there: it is cleared away."""
    out = tmp_path / "out"
    code = f"""if True:
        import os, signal, zscape
        from zscape.shards import work
        save = work.save_parts
        def dies(path, parts):
            def cut():
                yield next(parts)
                os.kill(os.getpid(), signal.SIGKILL)
            return save(path, cut() if path.name.startswith("train-003") else parts)
        work.save_parts = dies
        zscape.encode_shards({MODEL!r}, {str(shards)!r}, {str(out)!r})
    """
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert len(tables_of(out)) == 4
    assert [file for file in out.iterdir() if file.name.startswith(".train-003")]
    assert zscape.encode_shards(MODEL, shards, out) == 10
    assert numbers_of(tables_of(out)) == list(range(30))
    assert not list(out.rglob(".*"))


def test_progress_is_told_and_a_run_prepares_images_as_it_did(shards, tmp_path: Path) -> None:
    """Here it makes them smaller, and its own columns and subsets are not asked for."""
    images = load_data("mnist").test[:60]
    zscape.train(
        ImageSet(images.images, split="train"), out=tmp_path / "run", network="mlp", latent_dim=2,
        epochs=1, batch_size=20, resize=16, n_train=40, progress="none", optimizer="adam",
    )  # fmt: skip
    told: list[tuple[int, int, int]] = []
    out = tmp_path / "out"
    zscape.encode_shards(tmp_path / "run", shards, out, progress=lambda *three: told.append(three))
    assert told[-1] == (6, 6, 30)
    assert json.loads((out / "encoding.json").read_text())["data"]["resize"] == 16


def test_a_later_shard_joins(tmp_path: Path) -> None:
    folder, out = tmp_path / "shards", tmp_path / "out"
    write_parquet(folder / "test-0.parquet", range(4))
    assert zscape.encode_shards(MODEL, folder, out) == 4
    time.sleep(0.01)
    write_parquet(folder / "1.parquet", range(4, 6))
    assert zscape.encode_shards(MODEL, folder, out) == 2
