from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cli_helpers import load_npz
from PIL import Image

from zscape import api, latents
from zscape.cli.inputs import Latents

Cli = Callable[..., Any]

WALKS = {
    "random": ["--seed", "1", "-n", "4"],
    "decode": ["[[0, 0, 1], [1, 0, 0]]"],
    "line": ["--from", "image:0", "--to", "proto:1", "--steps", "5"],
    "traverse": ["z1", "--at", "proto:2", "--steps", "5"],
    "progression": ["--neurons", "2,z0", "--values", "-1,0,1"],
    "manifold": ["--neurons", "2,0", "--steps", "4"],
    "prototypes": ["--method", "medoid"],
    "arithmetic": ["proto:0 - proto:1 + 0.5*image:3"],
    "around": ["--at", "image:1", "--radius", "2", "-n", "5", "--seed", "0"],
    "nearest": ["--at", "image:1", "-k", "3"],
}


@pytest.fixture(scope="module")
def vae(finished_run: Path) -> Any:
    return api.load(finished_run).model


def is_figure(path: Path) -> bool:
    if path.suffix == ".svg":
        return path.read_text().lstrip().startswith("<?xml") and "</svg>" in path.read_text()
    with Image.open(path) as picture:
        return picture.format == "PNG" and len(np.unique(np.asarray(picture))) > 2


@pytest.mark.parametrize("name", WALKS)
def test_every_walk_in_every_format(
    cli: Cli, finished_run: Path, vae: Any, tmp_path: Path, name: str
) -> None:
    files = {suffix: tmp_path / f"walk{suffix}" for suffix in
             (".png", ".svg", ".json", ".csv", ".parquet", ".npz")}  # fmt: skip
    outs = [part for file in files.values() for part in ("-o", file)]
    code, out, err = cli("walk", name, finished_run, *WALKS[name], *outs)
    assert (code, err) == (0, "")
    assert out.splitlines() == [f"Wrote {file}" for file in files.values()]
    assert is_figure(files[".png"])
    assert is_figure(files[".svg"])
    arrays = load_npz(files[".npz"])
    vectors = arrays["vectors"].reshape(-1, 3)
    assert str(arrays["model"]) == latents.fingerprint(vae)
    assert json.loads(files[".json"].read_text())["data"] == str(arrays["data"])
    assert bool(str(arrays["data"])) == (
        "image" in str(WALKS[name]) or "proto" in str((name, WALKS[name]))
    )
    # What is written in one format is what is written in all, and comes back to the bit.
    np.testing.assert_array_equal(latents.as_vectors(files[".json"], 3), vectors)
    for frame in (pd.read_csv(files[".csv"]), pd.read_parquet(files[".parquet"])):
        np.testing.assert_allclose(frame[["z0", "z1", "z2"]], vectors, rtol=1e-6)
    if name != "nearest":  # which shows the images themselves
        pictures = arrays["images"].reshape(-1, *vae.image_shape)
        np.testing.assert_allclose(latents.decode(vae, vectors), pictures, atol=1e-6)


@pytest.mark.parametrize("name", WALKS)
def test_without_a_file_the_vectors_are_printed(cli: Cli, finished_run: Path, name: str) -> None:
    code, out, err = cli("walk", name, finished_run, *WALKS[name])
    assert (code, err) == (0, "")
    for line in out.splitlines():
        vector = latents.as_vector(line[line.index("{") :], 3)
        assert np.isfinite(vector).all()


@pytest.mark.parametrize(("name", "n_frames"), [("line", 8), ("traverse", 8), ("progression", 4)])
def test_a_way_is_animated_there_and_back(
    cli: Cli, finished_run: Path, tmp_path: Path, name: str, n_frames: int
) -> None:
    file = tmp_path / "walk.gif"
    assert cli("walk", name, finished_run, *WALKS[name], "-o", file, "--seconds", 2).code == 0
    with Image.open(io.BytesIO(file.read_bytes())) as gif:
        assert gif.n_frames == n_frames
        assert gif.info["loop"] == 0


def test_ends_of_a_line_are_what_was_asked(cli: Cli, finished_run: Path, tmp_path: Path) -> None:
    file = tmp_path / "line.csv"
    cli("walk", "line", finished_run, *WALKS["line"], "-o", file)
    frame = pd.read_csv(file)
    table = Latents(str(finished_run)).table
    vectors = frame[["z0", "z1", "z2"]].to_numpy()
    np.testing.assert_allclose(vectors[0], table.mu[0], atol=1e-6)
    np.testing.assert_allclose(vectors[-1], table.mu[table.labels == 1].mean(0), atol=1e-6)
    assert frame["share"].tolist() == [0, 0.25, 0.5, 0.75, 1]


def test_a_walk_can_be_fed_back(cli: Cli, finished_run: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    cli("walk", "random", finished_run, "-n", 3, "-o", file)
    printed = cli("walk", "decode", finished_run, f"{file}#2").out
    vector = list(json.loads(file.read_text())["vectors"][2].values())
    assert printed.strip() == latents.format_vector(vector)


def test_a_table_of_latents_takes_the_place_of_encoding(
    cli: Cli, finished_run: Path, tmp_path: Path
) -> None:
    file = tmp_path / "table.npz"
    cli("encode", finished_run, "-o", file)
    with_table = cli("walk", "prototypes", finished_run, "--table", file)
    assert with_table == cli("walk", "prototypes", finished_run)


@pytest.fixture
def other_model(tmp_path: Path, source: Path) -> Path:
    """A table of another model's, and images without labels."""
    import zscape

    table = zscape.encode(zscape.load("zoo:2").model, zscape.load_data("mnist").test[:20])
    table.save(tmp_path / "other.npz")
    np.savez(tmp_path / "plain.npz", images=load_npz(source)["images"])
    (tmp_path / "file").write_text("no folder")
    return tmp_path


USER_ERRORS = {
    "suffix": (
        "random {run} -o a.jpg",
        "a.jpg: give the file a name that ends in .png, .svg, .json",
    ),
    "gif of a crowd": (
        "random {run} -o a.gif",
        "ends in .png, .svg, .json, .csv, .parquet or .npz",
    ),
    "no folder": ("random {run} -o deep/a.png", "cannot write deep/a.png: No such file"),
    "folder is a file": ("random {run} -o file/a.png", "cannot write file/a.png"),
    "one of two files": ("random {run} -o a.png -o deep/a.csv", "cannot write deep/a.csv"),
    "no ends": ("line {run} --from image:0 -o a.png", "--from VECTOR --to VECTOR"),
    "unknown path": (
        "line {run} --from image:0 --to mean --path arc -o a.png",
        "'arc' is not one of 'line', 'slerp'",
    ),
    "neuron not there": ("traverse {run} z3 -o a.png", "[0, 2]; got 'z3'"),
    "neurons not there": ("progression {run} --neurons 0,7 -o a.png", "[0, 2]; got '7'"),
    "one neuron twice": ("manifold {run} --neurons 1,1 -o a.png", "two different latent neurons"),
    "range": ("traverse {run} 0 --range 3 -3 -o a.png", "two finite numbers, rising; got 3 -3"),
    "range no number": ("traverse {run} 0 --range nan 1 -o a.png", "two finite numbers"),
    "class not there": ("decode {run} proto:7 -o a.png", "class must be one of 0, 1, 2; got '7'"),
    "wrong length": ("decode {run} [1,2] -o a.png", "must have 3 numbers"),
    "no labels": ("prototypes {run} --data plain.npz -o a.png", "has no labels"),
    "no labels for a class": ("decode {run} proto:1 --data plain.npz -o a.png", "has no labels"),
    "unknown method": (
        "prototypes {run} --method mode -o a.png",
        "'mode' is not one of 'mean', 'medoid'",
    ),
    "other model": ("prototypes {run} --table other.npz -o a.png", "is from another model"),
    "too many nearest": ("nearest {run} -k 99 -o a.png", "k must be in [1, "),
    "too many images": ("nearest {run} -n 99 -o a.png", "-n must be in [1, "),
    "negative radius": ("around {run} --radius -1 -o a.png", "at least 0; got -1"),
    "unknown split": ("nearest {run} --split dev -o a.png", "'dev' is not one of 'train', 'test'"),
    "unknown walk": ("stroll {run}", "No such command 'stroll'"),
}


@pytest.mark.parametrize(("command", "message"), USER_ERRORS.values(), ids=USER_ERRORS.keys())
def test_a_users_error_is_one_line_and_nothing_is_written(
    cli: Cli, finished_run: Path, other_model: Path, monkeypatch: pytest.MonkeyPatch,
    command: str, message: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(other_model)
    before = sorted(other_model.iterdir())
    words = [word.replace("{run}", str(finished_run)) for word in command.split()]
    code, out, err = cli("walk", *words)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert message in err
    assert sorted(other_model.iterdir()) == before


def test_along_a_column(cli: Cli, tmp_path: Path) -> None:
    files = [tmp_path / f"w{suffix}" for suffix in (".png", ".gif", ".csv")]
    outs = [part for file in files for part in ("-o", file)]
    args = ["zoo:2", "-n", 300, "--between", 1, 0, "--steps", 4]
    args += ["--positions", places := tmp_path / "places.csv"]
    code, out, err = cli("walk", "along", *args, *outs)
    assert (code, err) == (0, "")
    said, *wrote = out.splitlines()
    assert re.fullmatch(
        r"class, 1 to 0: AUC (1\.00|0\.9\d) on images left out of the fit \(\d+ images, 5 folds\); "
        r"95 of 100 resamples turn the direction by less than \d+°\.",
        said,
    )
    assert wrote == [f"Wrote {file}" for file in (*files, places)]
    assert is_figure(files[0])
    table = Latents("zoo:2", n=300).table
    found = latents.column_direction(table, "class", between=("1", "0"))
    each = pd.read_csv(places, dtype={"class": str})
    assert list(each) == ["index", "class", "position"]
    assert each["index"].tolist() == table.indices.tolist()
    assert each["class"].tolist() == [table.class_names[label] for label in table.labels]
    assert np.allclose(each["position"], found.direction.positions)
    frame = pd.read_csv(files[2])
    assert list(frame) == ["place", "z0", "z1"]
    steps = np.diff(frame[["z0", "z1"]].to_numpy(), axis=0)
    assert np.allclose(np.linalg.norm(steps, axis=1), np.diff(frame["place"]), atol=1e-4)


def test_along_what_is_not_there(cli: Cli, tmp_path: Path) -> None:
    for args, message in (
        (
            ["--column", "area"],
            "the images of mnist have no columns; --columns FILE joins some",
        ),
        ([], "has 10 values"),
        (["--between", "1", "x"], "got 'x'"),
    ):
        code, out, err = cli("walk", "along", "zoo:2", *args, "-o", tmp_path / "w.png")
        assert (code, out) == (2, "")
        assert message in err
        assert len(err.splitlines()) == 1
    assert not list(tmp_path.iterdir())
