from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cli_helpers import load_npz
from PIL import Image

from zscape import neurons
from zscape.cli.inputs import Latents
from zscape.data.columns import Columns
from zscape.data.joining import read_rows
from zscape.errors import DataError
from zscape.latents import LatentTable

Cli = Callable[..., Any]

FIGURES = {
    "table": [],
    "image": ["--classes", "2,0", "--per-class", "2"],
    "histograms": ["--classes", "1"],
    "heatmap": ["--measure", "d-prime"],
    "correlations": [],
    "cards": ["--neurons", "2,z0"],
    "card": ["z1", "--at", "proto:1"],
    "jacobian": ["--neurons", "0,2"],
    "top": ["--layer", "encoder.1", "--units", "3,4", "-k", "3"],
}
TABLES = {
    "table": [],
    "histograms": [],
    "heatmap": ["--layer", "decoder.0"],
    "correlations": [],
    "selective": ["-k", "1"],
    "silence": ["z1"],
    "layers": [],
    "top": ["-k", "2"],
}


@pytest.fixture(scope="module")
def where(finished_run: Path) -> Latents:
    return Latents(str(finished_run))


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure(cli: Cli, finished_run: Path, tmp_path: Path, name: str) -> None:
    outs = ("-o", tmp_path / "a.png", "-o", tmp_path / "a.svg")
    code, _, err = cli("neurons", name, finished_run, *FIGURES[name], *outs)
    assert (code, err) == (0, "")
    with Image.open(tmp_path / "a.png") as picture:
        assert len(np.unique(np.asarray(picture))) > 2
    assert "</svg>" in (tmp_path / "a.svg").read_text()


@pytest.mark.parametrize("name", TABLES)
def test_every_table(cli: Cli, finished_run: Path, tmp_path: Path, name: str) -> None:
    files = [tmp_path / f"a{suffix}" for suffix in (".csv", ".json", ".parquet", ".md")]
    outs = [part for file in files for part in ("-o", file)]
    code, _, err = cli("neurons", name, finished_run, *TABLES[name], *outs)
    assert (code, err) == (0, "")
    frame = pd.read_parquet(files[2])
    assert len(frame) == len(json.loads(files[1].read_text())) == len(pd.read_csv(files[0]))
    assert len(files[3].read_text().splitlines()) == len(frame) + 2
    assert list(pd.read_csv(files[0]).columns) == list(frame.columns)
    printed = cli("neurons", name, finished_run, *TABLES[name]).out
    assert all(str(column) in printed for column in frame.columns)


def test_rows_of_a_file_are_the_only_images(
    cli: Cli, finished_run: Path, where: Latents, tmp_path: Path
) -> None:
    file, table = tmp_path / "selection.csv", where.table
    file.write_text(
        'index,note\r\n7,a\r\n3,\r\n7,"x,y"\r\n10,\r\n'
    )  # a selection saved by the page
    chosen = Latents(str(finished_run), rows=file)
    assert chosen.table.indices.tolist() == [3, 7, 10]
    np.testing.assert_allclose(chosen.table.mu, table.mu[[3, 7, 10]], rtol=1e-5, atol=1e-6)
    assert len(chosen.images) == 3
    assert len(Latents(str(finished_run), rows=file, n=2).table) == 2

    encoded = tmp_path / "encoded.csv"
    assert cli("encode", finished_run, "-o", encoded, "--rows", file).code == 0
    assert pd.read_csv(encoded)["index"].tolist() == [3, 7, 10]

    stored = tmp_path / "some.npz"
    table[[10, 3, 5, 7]].save(stored)
    of_file = Latents(str(finished_run), rows=file, table=stored)
    assert of_file.table.indices.tolist() == [10, 3, 7]
    table[[3, 5]].save(stored)
    code, _, err = cli("neurons", "table", finished_run, "--rows", file, "--table", stored)
    assert (code, err.count("has 1 of the 3 images that")) == (2, 1)
    out = tmp_path / "a.csv"
    assert cli("neurons", "table", finished_run, "--rows", file, "-o", out).code == 0
    expected = neurons.neuron_table(chosen.table)
    np.testing.assert_allclose(pd.read_csv(out)["mean"], expected["mean"], rtol=1e-5)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("row\n1\n", "has no column 'index'"),
        ("index\n1\n60\n", r"whole numbers in \[0, 59\]"),
        ("index\n-1\n", "got -1"),
        ("index\n1.5\n", "got 1.5"),
        ("index\na\n", "got 'a'"),
    ],
    ids=["no index", "too large", "negative", "fraction", "text"],
)
def test_rows_that_are_none(tmp_path: Path, content: str, complaint: str) -> None:
    file = tmp_path / "selection.csv"
    file.write_text(content)
    with pytest.raises(DataError, match=complaint):
        read_rows(file, 60)


def test_the_tables_are_the_librarys(
    cli: Cli, finished_run: Path, where: Latents, tmp_path: Path
) -> None:
    table, vae, file = where.table, where.opened.model, tmp_path / "a.parquet"
    cli("neurons", "table", finished_run, "-o", file)
    expected = neurons.neuron_table(table)
    pd.testing.assert_frame_equal(
        pd.read_parquet(file).set_index("neuron"), expected, check_dtype=False
    )
    cli("neurons", "silence", finished_run, 7, "--layer", "decoder.0", "--to", "mean", "-o", file)
    expected = neurons.silence(vae, where.all_images, "decoder.0", 7, to="mean")
    pd.testing.assert_frame_equal(pd.read_parquet(file).set_index("class"), expected)
    cli("neurons", "top", finished_run, "-k", 2, "--lowest", "-o", file)
    found = neurons.top_images(vae, where.all_images, "z", 2, largest=False)
    assert pd.read_parquet(file)["image"].tolist() == found.indices.ravel().tolist()


def test_images_of_a_subset_keep_their_numbers(
    cli: Cli, finished_run: Path, where: Latents, tmp_path: Path
) -> None:
    file = tmp_path / "a.csv"
    cli("neurons", "top", finished_run, "-n", 4, "-k", 1, "-o", file)
    for row in pd.read_csv(file).itertuples():
        assert where.table.mu[row.image, row.unit] == pytest.approx(row.response, abs=1e-5)


def test_jacobian_at_a_vector(cli: Cli, finished_run: Path, where: Latents, tmp_path: Path) -> None:
    file = tmp_path / "a.npz"
    code = cli("neurons", "jacobian", finished_run, "--at", "[0, 1, 0]", "-o", file).code
    assert code == 0
    expected = neurons.decoder_jacobian(where.opened.model, [[0.0, 1.0, 0.0]])
    np.testing.assert_allclose(load_npz(file)["jacobian"], expected, atol=1e-6)


def test_maps_of_a_convolution(cli: Cli, tmp_path: Path) -> None:
    words = ("--layer", "encoder.0.0", "--image", 3)
    outs = ("-o", tmp_path / "a.npz", "-o", tmp_path / "a.png")
    assert cli("neurons", "maps", "zoo:2", *words, *outs).code == 0
    assert load_npz(tmp_path / "a.npz")["maps"].shape == (32, 14, 14)


USER_ERRORS = {
    "unknown neuron": ("card {run} z3 -o a.png", "[0, 2]; got 'z3'"),
    "unknown neurons": ("cards {run} --neurons 0,-1 -o a.png", "[0, 2]; got '-1'"),
    "unknown layer": ("top {run} --layer fc9 -o a.png", "layer must be one of"),
    "unit not there": ("silence {run} 3", "unit of layer z must be an integer in [0, 2]; got '3'"),
    "unit no number": ("top {run} --layer encoder.1 --units z1", "unit of layer encoder.1"),
    "too many units": ("top {run} --layer encoder.1", "choose with --units"),
    "unknown class": ("image {run} --classes 0,7 -o a.png", "0, 1, 2; got 7"),
    "class of a table": ("histograms {run} --classes 7 -o a.csv", "0, 1, 2; got 7"),
    "no labels": ("heatmap {run} --data plain.npz -o a.png", "has no labels"),
    "no labels to tell": ("selective {run} --data plain.npz -o a.csv", "has no labels"),
    "no labels in a layer": (
        "selective {run} --layer decoder.0 --data plain.npz -o a.csv",
        "has none",
    ),
    "no labels, no prototypes": ("jacobian {run} --data plain.npz -o a.png", "has no labels"),
    "unknown measure": ("heatmap {run} --measure t -o a.png", "not one of 'mean', 'd-prime'"),
    "unknown silence": ("silence {run} 1 --to one", "'one' is not one of 'zero', 'mean'"),
    "no convolution": ("maps {run} --layer encoder.1 -o a.png", "must be a convolution"),
    "image not there": ("maps {run} --layer z --image 60 -o a.png", "; got 60"),
    "needs a file": ("cards {run}", "-o with a name that ends in .png or .svg"),
    "suffix": ("table {run} -o a.xlsx", ".png, .svg, .csv, .json, .parquet or .md"),
    "no folder": ("table {run} -o deep/a.csv", "cannot write deep/a.csv"),
    "wrong length": ("jacobian {run} --at [1,2] -o a.png", "must have 3 numbers"),
    "other model": ("table zoo:2 --table table.npz -o a.csv", "from another model"),
    "table of other images": (
        "top {run} --table train.npz --split test -o a.png",
        "train.npz",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("command", "message"), USER_ERRORS.values(), ids=USER_ERRORS.keys())
def test_a_users_error_is_one_line_and_nothing_is_written(
    cli: Cli, finished_run: Path, where: Latents, source: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, command: str, message: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    where.table.save("table.npz")
    Latents(str(finished_run), split="train").table.save("train.npz")
    np.savez("plain.npz", images=load_npz(source)["images"])
    before = sorted(tmp_path.iterdir())
    words = [word.replace("{run}", str(finished_run)) for word in command.split()]
    code, out, err = cli("neurons", *words)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert message in err
    assert sorted(tmp_path.iterdir()) == before


@pytest.fixture
def with_columns(where: Latents, tmp_path: Path) -> Path:
    """Latents of the run beside a column that follows z1 down, and some that do not."""
    table = Latents(where.model, split="train").table
    columns = Columns.of({
        "falls": -np.exp(table.mu[:, 1]), "kind": np.array(["a", "b"])[np.arange(len(table)) % 2],
        "note": [f"no {i}" for i in range(len(table))],
        "day": np.datetime64("2026-01-01", "us") + np.arange(len(table)).astype("timedelta64[D]"),
    })  # fmt: skip
    file = tmp_path / "table.npz"
    replace(table, logvar=np.full_like(table.logvar, -200), columns=columns).save(file)
    return file


def test_columns(cli: Cli, finished_run: Path, with_columns: Path, tmp_path: Path) -> None:
    args = (finished_run, "--table", with_columns)
    outs = ("-o", tmp_path / "a.csv", "-o", tmp_path / "a.png")
    code, out, err = cli("neurons", "columns", *args, *outs)
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "z1 goes with falls: ρ = −1.00 (q < 0.001, 9 tests)."
    assert "Left out: note (text)." in out
    frame = pd.read_csv(tmp_path / "a.csv")
    assert (len(frame), set(frame["column"])) == (9, {"falls", "kind", "day"})
    with Image.open(tmp_path / "a.png") as picture:
        assert len(np.unique(np.asarray(picture))) > 2
    code, out, _ = cli("neurons", "columns", *args[:1], "kind", *args[1:])
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[1:4]] == ["kind"] * 3


@pytest.mark.parametrize("column", ["falls", "day"])
def test_curves(
    cli: Cli, finished_run: Path, with_columns: Path, tmp_path: Path, column: str
) -> None:
    words = ("--column", column, "--neurons", "1", "-o", tmp_path / "a.png")
    code, out, err = cli("neurons", "curves", finished_run, "--table", with_columns, *words)
    assert (code, err, out) == (0, "", f"Wrote {tmp_path / 'a.png'}\n")


COLUMN_ERRORS = {
    "no columns": ("columns {run}", "have no columns"),
    "no such column": ("columns {run} area --table table.npz", "no column 'area'"),
    "text": ("columns {run} note --table table.npz", "column 'note' cannot be compared"),
    "curve of a category": (
        "curves {run} --column kind --table table.npz -o a.png", "a column of numbers is needed",
    ),
    "nothing to compare": ("columns {run} --table text.npz -o a.png", "Left out: note (text)"),
}  # fmt: skip


@pytest.mark.parametrize(("command", "message"), COLUMN_ERRORS.values(), ids=COLUMN_ERRORS.keys())
def test_a_users_error_about_columns(
    cli: Cli, finished_run: Path, with_columns: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, command: str, message: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    table = LatentTable.load(with_columns)
    texts = Columns.of({"note": table.known_columns().texts("note")})
    replace(table, columns=texts).save("text.npz")
    code, out, err = cli("neurons", *command.replace("{run}", str(finished_run)).split())
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert not (tmp_path / "a.png").exists()
