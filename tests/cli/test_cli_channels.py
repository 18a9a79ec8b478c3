"""A run of four channels, from the file to what is drawn of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_helpers import OPTIONS, TINY, blobs
from PIL import Image

import zscape
from zscape import api
from zscape.data import shown_channels

Cli = Callable[..., Any]


@pytest.fixture(scope="module")
def stained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of which one channel alone is shown: grey."""
    folder = tmp_path_factory.mktemp("stained")
    np.save(folder / "x.npy", blobs(160).reshape(40, 4, 16, 16))
    told = {"out": folder / "run", "show_channels": "2,2,2", "progress": "none"}
    zscape.train(folder / "x.npy", **told, **OPTIONS)
    return folder / "run"


def color_of(png: Path) -> int:
    """How far its pixels are from grey, at most; inks are within 17."""
    with Image.open(png) as opened:
        return int(np.ptp(np.asarray(opened.convert("RGB")).astype(int), axis=2).max())


def test_a_command_draws_the_channels_of_its_run(cli: Cli, stained: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(stained, copy)
    config = json.loads((copy / "config.json").read_text())
    assert config["data"]["show_channels"] == "2,2,2"
    config["data"]["show_channels"] = None
    (copy / "config.json").write_text(json.dumps(config))
    for run, is_grey in ((stained, True), (copy, False)):
        out = tmp_path / "x.png"
        assert cli("walk", "random", run, "--seed", "0", "-n", "3", "-o", out).code == 0
        assert (color_of(out) < 20) == is_grey
        assert shown_channels(4) == (0, 1, 2)  # the command is over
    assert color_of(stained / "samples.png") < 20


def test_a_scene_says_which_channels_are_shown(stained: Path) -> None:
    opened = api.load(stained)
    scene = api.prepare_scene(opened, maps=["pca"]).scene
    assert scene.manifest["imageShape"] == [4, 16, 16]
    assert scene.manifest["showChannels"] == [2, 2, 2]
    thumbnails = scene.array(scene.manifest["points"]["thumbnails"])
    assert thumbnails.shape[1:] == (4, 16, 16)
    other = api.prepare_scene(opened.model, opened.data(), maps=["pca"]).scene
    assert other.manifest["showChannels"] == [0, 1, 2]


def test_a_triple_that_does_not_fit_is_refused_before_training(
    cli: Cli, stained: Path, tmp_path: Path
) -> None:
    data, out = stained.parent / "x.npy", tmp_path / "run"
    found = cli("train", "--data", data, "--show-channels", "0,1,4", "--out", out, *TINY)
    assert found.code == 2
    assert "show_channels must be three channels from 0 to 3" in found.err
    assert not out.exists()
