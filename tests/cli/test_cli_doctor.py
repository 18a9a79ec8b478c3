from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from cli_helpers import OPTIONS, blobs

import zscape
from zscape.model import VAE
from zscape.training import load_weights, save_weights

Cli = Callable[..., Any]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny run with enough test images, without labels; not to be changed."""
    folder = tmp_path_factory.mktemp("doctor")
    np.savez(folder / "spots.npz", images=blobs(80), test_images=blobs(40))
    zscape.train(folder / "spots.npz", out=folder / "run", progress="none", **OPTIONS)
    return folder / "run"


def test_what_is_printed(cli: Cli, run: Path) -> None:
    code, out, err = cli("doctor", run)
    assert code == 0, err
    found = zscape.doctor(run)
    assert out.startswith(f"run, 40 test images of spots.npz: {found.verdict}\n")
    for finding in found.told:
        assert f"\n{finding.severity}: {finding.name}. {finding}\n" in out
    for sentence in found.checkup.skipped:
        assert f"{sentence}\n" in out
    assert "Without labels" in out
    assert "normal_low" in out


def test_files_are_the_librarys_table(cli: Cli, run: Path, tmp_path: Path) -> None:
    files = [tmp_path / f"found.{ending}" for ending in ("csv", "json", "md")]
    code, out, err = cli("doctor", run, *(word for file in files for word in ("-o", file)))
    assert code == 0, err
    assert "normal_low" not in out
    expected = zscape.doctor(run).table()
    written = pd.read_csv(files[0]).set_index("finding")
    written["advice"] = written["advice"].fillna("")
    pd.testing.assert_frame_equal(written, expected, check_dtype=False)
    rows = json.loads(files[1].read_text())
    assert [row["finding"] for row in rows] == expected.index.tolist()
    assert len(files[2].read_text().splitlines()) == len(expected) + 2


def test_a_row_for_each_neuron(cli: Cli, run: Path, tmp_path: Path) -> None:
    file = tmp_path / "neurons.csv"
    assert cli("doctor", run, "--by", "neuron", "-o", file).code == 0
    expected = zscape.doctor(run).checkup.per_neuron()
    frame = pd.read_csv(file).set_index("neuron")
    pd.testing.assert_frame_equal(frame, expected, check_dtype=False)
    assert "posterior_variance" in cli("doctor", run, "--by", "neuron").out


def broken(run: Path, folder: Path) -> Path:
    model = load_weights(run / "model.safetensors")
    vae: VAE = model.model
    with torch.no_grad():
        next(vae.parameters()).fill_(torch.nan)
    save_weights(vae, model.config, folder / "nan.safetensors")
    return folder / "nan.safetensors"


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("one image", "the doctor needs at least 20 images to say anything; "),
        ("shape", "takes images (1, 16, 16), but mnist has (1, 28, 28)"),
        ("nan", "holds NaN or infinity"),
        ("ending", "ends in .csv, .json, .parquet or .md."),
        ("nothing", "there is no"),
    ],
)
def test_what_cannot_be_examined_is_one_sentence(
    cli: Cli, run: Path, tmp_path: Path, what: str, said: str
) -> None:
    np.savez(tmp_path / "one.npz", images=blobs(1), test_images=blobs(1))
    words: dict[str, list[Any]] = {
        "one image": [run, "--data", tmp_path / "one.npz"],
        "shape": [run, "--data", "mnist"],
        "nan": [broken(run, tmp_path), "--data", run.parent / "spots.npz"],
        "ending": [run, "-o", tmp_path / "a.txt"],
        "nothing": [tmp_path / "nowhere"],
    }
    before = sorted(tmp_path.iterdir())
    code, out, err = cli("doctor", *words[what], "-o", tmp_path / "found.csv")
    assert (code, out) == (2, "")
    last = err.splitlines()[-1]
    assert last.startswith("zscape: ")
    assert said in last
    assert sorted(tmp_path.iterdir()) == before
