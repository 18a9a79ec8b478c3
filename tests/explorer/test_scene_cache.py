from __future__ import annotations

import logging
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tools.web_fixtures import small_model

from zscape.cache import VARIABLE, cache_folder
from zscape.explorer import cache, cached_scene


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache" / "scenes"


@pytest.fixture
def build(vae, images):
    def build(vae=vae, images=images, **options):
        return cached_scene(vae, images, **{"maps": ["pca"], "title": "a", "n": 20} | options)

    return build


def files(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_the_second_time_it_is_read(build, folder, monkeypatch):
    first = build()
    assert len(files(folder)) == 1
    monkeypatch.setattr(cache, "build_scene", None)
    second = build()
    assert second.manifest_json == first.manifest_json
    assert second.blocks == first.blocks


def test_fresh_builds_again(build, folder, monkeypatch):
    build()
    built = []
    real = cache.build_scene
    monkeypatch.setattr(cache, "build_scene", lambda *a, **k: built.append(1) or real(*a, **k))
    build()
    assert built == []
    build(fresh=True)
    assert built == [1]
    assert len(files(folder)) == 1


class Louder(type(small_model())):
    """The same weights, another program."""

    def decode_logits(self, z):
        return 2 * super().decode_logits(z)


def test_whatever_changes_the_scene_makes_another(build, folder, images, monkeypatch):
    monkeypatch.setattr(cache, "MAX_SCENES", 20)
    other_model = small_model(seed=1)
    louder = Louder().eval()
    louder.load_state_dict(small_model().state_dict())
    changed = images.images.clone()
    changed[3, 0, 0, 0] ^= 1
    relabelled = images.labels.clone()
    relabelled[0] = 1
    builds = [
        {}, {"n": 21}, {"weights": "i8"}, {"seed": 1}, {"title": "b"}, {"maps": ["pair"]},
        {"vae": other_model}, {"vae": louder}, {"images": replace(images, images=changed)},
        {"images": replace(images, labels=relabelled)},
        {"images": replace(images, class_names=("a", "b", "c", "d"))},
    ]  # fmt: skip
    for count, options in enumerate(builds, start=1):
        build(**options)
        assert len(files(folder)) == count, options


def test_another_version_of_the_code_makes_another(build, folder, monkeypatch):
    build()
    monkeypatch.setattr(cache, "_code", lambda: "other")
    build()
    assert len(files(folder)) == 2


def test_a_damaged_file_is_made_again(build, folder, caplog):
    first = build()
    (file,) = folder.iterdir()
    file.write_bytes(file.read_bytes()[:-1])
    assert build().blocks == first.blocks
    assert "built again" in caplog.text
    caplog.clear()
    build()
    assert caplog.text == ""


def test_only_the_newest_are_kept(build, folder, monkeypatch):
    monkeypatch.setattr(cache, "MAX_SCENES", 2)
    for n in (10, 11):
        build(n=n)
    old = min(folder.iterdir(), key=lambda file: file.stat().st_mtime_ns)
    os.utime(old, (0, 0))
    build(n=12)
    assert len(files(folder)) == 2
    assert not old.exists()


def test_a_folder_that_cannot_be_written(build, monkeypatch, tmp_path, caplog):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "file"))
    with caplog.at_level(logging.WARNING):
        assert build().manifest["points"]["n"] == 20
    assert "could not be kept" in caplog.text


@pytest.mark.skipif(sys.platform != "linux", reason="each system has its own place")
def test_where_the_folder_is(monkeypatch, tmp_path):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "chosen"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "chosen"
    monkeypatch.delenv(VARIABLE)
    assert cache_folder() == tmp_path / "zscape"


def test_the_model_is_left_in_its_mode(build, vae):
    vae.train()
    try:
        build()
        assert vae.training
    finally:
        vae.eval()
    assert not torch.is_inference_mode_enabled()
