"""What cannot be evaluated: one sentence, code 2, nothing written, by whichever verb."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from cli_helpers import OPTIONS, save_npz

import zscape
from zscape.training import load_weights, save_weights

Cli = Callable[..., Any]

VERBS = ("evaluate", "doctor", "probe", "disentanglement", "quality", "compare")
OTHER = {
    "unlabelled.npz": "have neither labels nor columns",
    "one_class.npz": "class is the same for every image",
}
BAD = {
    # One image; images of another shape.
    **{
        f"{verb} --data {file}": said
        for verb in (*(f"{verb} run" for verb in VERBS[:-1]), "compare run dense")
        for file, said in {
            "single.npz": "single.npz has a single image",
            "odd.npz": "run takes images (1, 16, 16), but odd.npz has (1, 10, 10)",
        }.items()
    },
    # No labels, one class.
    **{
        f"{verb} run --data {file}": said
        for verb in ("probe", "disentanglement")
        for file, said in OTHER.items()
    },
    "evaluate run --by class --data unlabelled.npz": "has no labels",
    # None of something.
    "evaluate run --samples 0": "greater than or equal to 1; got 0.",
    "compare run dense --samples 0": "greater than or equal to 1; got 0.",
    "evaluate run --binarize dynamic --draws 0": "greater than or equal to 1; got 0.",
    "probe run --seeds 0": "greater than or equal to 1; got 0.",
    "quality run -n 0": "-n",
    "disentanglement run -n 0": "-n",
    # A column that is constant, empty, hardly known, or not there.
    **{
        f"{verb} run --split train {{known}} --column {column}": said
        for verb in ("probe", "disentanglement")
        for column, said in {
            "same": "the same for every image",
            "none": "no value at all",
            "few": "fewer than 10 values",
            "nope": "there is no column 'nope'",
        }.items()
    },
    "probe run {known} --group same": "is known of 1 group; 5 folds need as many",
    # Numbers that are not finite.
    "evaluate broken.safetensors --data blobs.npz": "holds NaN or infinity",
    "doctor broken.safetensors --data many.npz": "holds NaN or infinity",
    "probe broken.safetensors --data blobs.npz": "holds NaN or infinity",
    "disentanglement broken.safetensors --data blobs.npz": "holds NaN or infinity",
    "compare run broken.safetensors --data blobs.npz": "holds NaN or infinity",
    # A protocol that does not fit the likelihood, or the images.
    "evaluate dense --binarize dynamic": "the model's is Gaussian: use binarize none",
    "compare run dense --binarize threshold": "the model's is Gaussian: use binarize none",
    "evaluate run --binarize given": "has grey pixels: use threshold or dynamic",
    "evaluate run --draws 2": "only a dynamic binarisation is drawn several times",
    "compare run dense": "measure cross-entropy of grey pixels, no likelihood and density",
    # Too few images.
    "doctor run": "needs at least 20 images",
    "quality run": "features of a classifier of 1x28x28 images",
}
"""What is typed → a part of the sentence."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs on one set, weights that are no numbers, and sets that ask too much."""
    here = tmp_path_factory.mktemp("bad")
    images = np.load(save_npz(here / "blobs.npz"))["images"]
    save_npz(here / "odd.npz", side=10)
    save_npz(here / "many.npz", n=200)
    save_npz(here / "single.npz", n=1)
    np.savez(here / "unlabelled.npz", images=images)
    np.savez(here / "one_class.npz", images=images, labels=np.zeros(60, int))
    pd.DataFrame(
        {"same": 1, "none": [None] * 60, "few": [1.0, 2.0, 3.0] + [None] * 57, "a": range(60)}
    ).to_csv(here / "known.csv", index=False)
    for name, likelihood in {"run": "bernoulli", "dense": "gaussian"}.items():
        zscape.train(
            here / "blobs.npz", out=here / name, likelihood=likelihood, progress="none", **OPTIONS
        )
    loaded = load_weights(here / "run" / "model.safetensors")
    with torch.no_grad():
        for weights in loaded.model.parameters():
            weights.mul_(float("nan"))
    save_weights(loaded.model, loaded.config, here / "broken.safetensors")
    return here


@pytest.mark.parametrize("words", BAD)
def test_one_sentence_code_2_and_nothing_written(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    monkeypatch.chdir(folder)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    typed = words.format(known="--columns known.csv --on row").split()
    code, out, err = cli(*typed, "-o", "a.csv")
    lines = [line for line in err.splitlines() if not re.match(r" *\d+%", line)]
    assert (code, out, len(lines)) == (2, "", 1), err
    assert lines[0].startswith("zscape: ")
    assert BAD[words] in lines[0]
    assert "Traceback" not in err
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_models_that_cannot_be_compared_are_not_measured_first(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zscape.evaluation.measure", lambda *args, **more: pytest.fail("measured"))
    with pytest.raises(zscape.ConfigError, match="cannot be compared: measure cross-entropy"):
        zscape.compare([folder / "run", folder / "dense"])


def test_samples_that_are_no_numbers_are_refused() -> None:
    model = zscape.load("zoo:2").model
    with torch.no_grad():
        for weights in model.parameters():
            weights.mul_(float("nan"))
    with pytest.raises(zscape.DataError, match=r"fc3 .* makes NaN"):
        zscape.quality(model, zscape.load_data("mnist"), n=10)


def test_figures_per_class_are_refused_before_hours_of_measuring(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    np.savez(tmp_path / "bare.npz", images=np.zeros((9, 28, 28), np.uint8))
    monkeypatch.setattr("zscape.evaluation.evaluate", lambda *_, **__: pytest.fail("measured"))
    code, out, err = cli("evaluate", "zoo:2", "--by", "class", "--data", tmp_path / "bare.npz")
    assert (code, out) == (2, "")
    assert err == "zscape: bare.npz has no labels, so there are no figures per class.\n"
