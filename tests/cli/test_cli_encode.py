from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import pytest
from cli_helpers import run
from typer.testing import CliRunner

import zscape
from zscape.cli import app
from zscape.latents import LatentTable
from zscape.training import Run


@pytest.mark.parametrize("suffix", [".npz", ".parquet"])
def test_the_table_comes_back(finished_run: Path, tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"table{suffix}"
    result = CliRunner().invoke(app, ["encode", str(finished_run), "-o", str(file)])
    assert result.exit_code == 0, result.output
    table = LatentTable.load(file)
    opened = Run.open(finished_run)
    expected = zscape.encode(opened.model().model, opened.load_data().test)
    np.testing.assert_array_equal(table.mu, expected.mu)
    assert table.fingerprint == expected.fingerprint
    assert f"Wrote {len(table)} rows of 3 latent neurons" in result.output


def test_a_spreadsheet_of_the_training_images(finished_run: Path, tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    done = run("encode", finished_run, "-o", file, "--split", "train", "--describe")
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(file.read_text().splitlines()))
    train = Run.open(finished_run).load_data().train
    assert len(rows) == len(train)
    assert set(rows[0]) == {"index", "class", "z0", "z1", "z2"}
    assert [row["class"] for row in rows] == train.titles()
    assert "std" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "table.xlsx"], "a name that ends in .npz, .parquet, .h5ad or .csv"),
        (["-o", "table.csv", "--split", "dev"], "'dev' is not one of 'train', 'test'"),
        (["-o", "nowhere/table.csv"], "cannot write"),
        (["-o", "nowhere/table.npz"], "cannot write"),
        (["-o", "nowhere/table.parquet"], "cannot write"),
    ],
)
def test_wrong_inputs(
    finished_run: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    done = run("encode", finished_run, *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_installed_is_said_before_anything_is_encoded(
    finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli
) -> None:
    def never(*args: object, **kwargs: object) -> None:
        raise AssertionError("was encoded")

    monkeypatch.setitem(sys.modules, "anndata", None)
    monkeypatch.setattr("zscape.latents.encode", never)
    outcome = cli("encode", finished_run, "-o", tmp_path / "t.h5ad")
    assert outcome.code == 2
    assert "writing .h5ad needs the package anndata: pip install 'zscape[anndata]'" in outcome.err
    assert not list(tmp_path.iterdir())


def test_every_image_is_placed_on_maps_of_a_few(
    finished_run: Path, tmp_path: Path, cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And described, though no table of all is ever held where the file is written in parts."""
    few = ("map", finished_run, "--split", "train", "-n", 30)
    for method in ("pca", "pair"):
        assert cli(*few, "--method", method, "-o", f"{tmp_path}/{method}.safetensors").code == 0
    maps = [
        word for method in ("pca", "pair") for word in ("--map", tmp_path / f"{method}.safetensors")
    ]
    whole = cli("encode", finished_run, *maps, "--describe", "-o", tmp_path / "t.npz")
    monkeypatch.setattr("zscape.latents.encode", None)  # what holds the whole table
    done = cli("encode", finished_run, *maps, "--describe", "-o", tmp_path / "t.parquet")
    assert done.code == 0, done.err
    assert done.out.partition("\n")[2] == whole.out.partition("\n")[2] != ""
    table = LatentTable.load(tmp_path / "t.parquet")
    drawn = zscape.Embedding.load(tmp_path / "pca.safetensors")
    found = np.stack([table.columns.numbers(name) for name in ("pca_x", "pca_y")], axis=1)
    np.testing.assert_array_equal(found, drawn.transform(table.mu))
    assert set(table.columns) == {"pca_x", "pca_y", "pair_x", "pair_y"}
    twice = cli("encode", finished_run, *maps[:2], *maps[:2], "-o", tmp_path / "u.csv")
    assert (twice.code, "a column 'pca_x' already" in twice.err) == (2, True)
    assert not (tmp_path / "u.csv").exists()
    other = cli("encode", "zoo:2", *maps[:2], "-o", tmp_path / "u.csv")
    assert (other.code, "is from another model" in other.err) == (2, True)
