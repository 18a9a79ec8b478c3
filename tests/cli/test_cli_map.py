from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cli_helpers import load_npz
from PIL import Image

from zscape import figures
from zscape.cli.fitting import read_settings
from zscape.cli.inputs import Latents
from zscape.data.columns import Columns
from zscape.embedding import Embedding, fit_map
from zscape.errors import ConfigError
from zscape.latents import as_vectors

Cli = Callable[..., Any]
TRAIN = ("--split", "train")


@pytest.fixture(scope="module")
def saved(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved PCA map of the run's training images."""
    path = tmp_path_factory.mktemp("maps") / "pca.safetensors"
    fit_map(Latents(str(finished_run), split="train").table, "pca").save(path)
    return path


@pytest.mark.parametrize("words", [[], ["draw"]], ids=["short", "long"])
def test_a_map_in_every_format(
    cli: Cli, finished_run: Path, tmp_path: Path, words: list[str]
) -> None:
    files = [tmp_path / f"map{suffix}" for suffix in
             (".png", ".svg", ".csv", ".parquet", ".json", ".safetensors")]  # fmt: skip
    outs = [part for file in files for part in ("-o", file)]
    code, _, err = cli("map", *words, finished_run, *TRAIN, *outs)
    assert (code, err) == (0, "")
    embedding = Embedding.load(files[-1])
    table = Latents(str(finished_run), split="train").table
    expected = fit_map(table, "pca").coordinates
    np.testing.assert_array_equal(embedding.coordinates, expected)
    for frame in (pd.read_csv(files[2]), pd.read_parquet(files[3]), pd.read_json(files[4])):
        assert list(frame.columns) == ["index", "class", "x", "y"]
        np.testing.assert_allclose(frame[["x", "y"]], expected, rtol=1e-5)
        assert frame["class"].astype(str).tolist() == [
            table.class_names[label] for label in table.labels
        ]
    with Image.open(files[0]) as picture:
        assert picture.format == "PNG"


def test_options_of_a_method_and_a_subset(cli: Cli, finished_run: Path, tmp_path: Path) -> None:
    file = tmp_path / "map.safetensors"
    words = ("--method", "tsne", "--set", "perplexity=5", "--set", "steps=50", "--standardize")
    code, _, err = cli("map", finished_run, *TRAIN, "-n", 30, *words, "-o", file)
    assert code == 0, err
    assert "tsne: layout" in err.splitlines()[-1]  # what it does, while it does it
    embedding = Embedding.load(file)
    assert embedding.settings.to_dict()["perplexity"] == 5
    assert embedding.standardize
    assert len(embedding) == 30
    assert len(set(embedding.table.indices)) == 30


def test_a_map_that_is_fitted_on_some_says_so(
    cli: Cli, finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = []
    monkeypatch.setattr("zscape.figures.to_png", lambda figure, note: notes.append(note) or b"png")
    outs = [
        word for name in ("m.png", "m.safetensors", "m.csv") for word in ("-o", tmp_path / name)
    ]
    assert cli("map", finished_run, *TRAIN, "--fit-on", 20, *outs).code == 0
    drawn = Embedding.load(tmp_path / "m.safetensors")
    n = len(drawn)
    assert len(drawn.fitted_rows) == 20 < n
    assert notes == [f"Fitted on 20 of {n} images; the others are placed by these."]
    assert len(pd.read_csv(tmp_path / "m.csv")) == n
    again = cli("map", tmp_path / "m.safetensors", "--fit-on", 9, "-o", tmp_path / "n.png")
    assert (again.code, "leave out --fit-on" in again.err) == (2, True)


def test_a_saved_map_is_drawn_again(cli: Cli, saved: Path, tmp_path: Path) -> None:
    code, _, err = cli("map", saved, "--color", "z1", "-o", tmp_path / "again.png")
    assert (code, err) == (0, "")
    assert (tmp_path / "again.png").exists()


@pytest.fixture(scope="module")
def known(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of the run's training images with columns, in a file."""
    path = tmp_path_factory.mktemp("tables") / "known.parquet"
    table = Latents(str(finished_run), split="train").table
    columns = {
        "file_name": [f"{i}.png" for i in range(len(table))],
        "treatment": [("A", "B", None)[i % 3] for i in range(len(table))],
        "area": np.where(np.arange(len(table)) % 4, np.arange(len(table)) / 3, np.nan),
    }
    replace(table, columns=Columns.of(columns)).save(path)
    return path


def test_a_map_is_coloured_and_parted_by_columns(
    cli: Cli, finished_run: Path, known: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = []
    monkeypatch.setattr(figures, "to_png", lambda figure, note: drawn.append(figure) or b"png")
    table = ("--table", known)
    saved = tmp_path / "map.safetensors"
    outs = ("-o", tmp_path / "a.png", "-o", tmp_path / "a.csv", "-o", saved)
    assert cli("map", finished_run, *table, "--color", "area", *outs).code == 0
    assert cli("map", saved, "--by", "treatment", "-o", tmp_path / "b.png").code == 0
    words = ("--color", "treatment", "-o", tmp_path / "c.png")
    assert cli("map", "pairs", finished_run, *table, *words).code == 0
    assert cli("map", "decode", finished_run, *table, "--point", "0,0", *words).code == 0

    by_area, parted, pairs, decoded = drawn
    assert by_area.axes[0].child_axes[0].get_ylabel() == "area"
    n = len(Embedding.load(saved))
    titles = [ax.get_title("left") for ax in parted.axes]
    counts = [len(range(k, n, 3)) for k in range(3)]
    assert titles == [f"A ({counts[0]})", f"B ({counts[1]})", f"missing ({counts[2]})"]
    for figure in (pairs, decoded):
        assert figure.axes[0].get_legend().get_title().get_text() == "treatment"
    frame = pd.read_csv(tmp_path / "a.csv")
    assert list(frame) == ["index", "file_name", "class", "x", "y", "treatment", "area"]
    assert frame["file_name"].tolist() == [f"{i}.png" for i in range(n)]


def test_settings_are_numbers_or_words() -> None:
    assert read_settings(["n-neighbors=5", "min_dist = 0.5", "kind=round"]) == {
        "n_neighbors": 5, "min_dist": 0.5, "kind": "round",
    }  # fmt: skip
    for pair in ("perplexity", "=5", "a="):
        with pytest.raises(ConfigError, match="NAME=VALUE"):
            read_settings([pair])


def test_a_line_on_a_map_is_decoded(
    cli: Cli, finished_run: Path, saved: Path, tmp_path: Path
) -> None:
    files = [tmp_path / f"line{suffix}" for suffix in (".png", ".gif", ".csv", ".json", ".npz")]
    outs = [part for file in files for part in ("-o", file)]
    line = ("--line", "-0.5,0.1", "0.5,-0.2", "--steps", 4)
    code, out, err = cli("map", "decode", finished_run, "--map", saved, *line, *outs)
    assert (code, err) == (0, "")
    frame, arrays = pd.read_csv(files[2]), load_npz(files[4])
    assert list(frame.columns)[:5] == ["point", "x", "y", "distance", "round_trip"]
    np.testing.assert_allclose(frame["x"], np.linspace(-0.5, 0.5, 4))
    back = Embedding.load(saved).inverse_transform(frame[["x", "y"]].to_numpy())
    np.testing.assert_allclose(frame[["z0", "z1", "z2"]], back.vectors, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(frame["round_trip"], back.round_trip, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(as_vectors(files[3], 3), arrays["vectors"])
    assert "round_trip" in out
    with Image.open(files[1]) as gif:
        assert gif.n_frames == 6


def test_points_need_no_file(cli: Cli, finished_run: Path) -> None:
    words = ("--inverse", "exact", *TRAIN)
    code, out, _ = cli("map", "decode", finished_run, "--point", "0,0", "--point", "-1,1", *words)
    assert code == 0
    assert len(out.splitlines()) == 4


def test_quality_of_maps_side_by_side(cli: Cli, finished_run: Path, tmp_path: Path) -> None:
    words = ("--methods", "pca,pair", "--n-neighbors", 5, *TRAIN)
    files = [tmp_path / f"quality{suffix}" for suffix in (".md", ".json")]
    code, out, _ = cli("map", "quality", finished_run, *words, "-o", files[0], "-o", files[1])
    assert code == 0
    frame = pd.read_json(files[1])
    assert frame["map"].tolist() == ["pca", "pair"]
    assert frame["trustworthiness"].between(0, 1).all()
    assert files[0].read_text().splitlines()[0].startswith("| map | trustworthiness |")
    assert "label_accuracy_map" in out


def test_components_and_pairs(cli: Cli, finished_run: Path, saved: Path, tmp_path: Path) -> None:
    state = Embedding.load(saved).fitted.state
    for model, words in ((saved, ()), (finished_run, TRAIN)):
        file = tmp_path / "variance.csv"
        assert cli("map", "variance", model, *words, "-o", file, "-o", tmp_path / "v.png").code == 0
        frame = pd.read_csv(file)
        np.testing.assert_allclose(frame["explained"], state["explained_variance_ratio"], rtol=1e-5)
        assert cli("map", "loadings", model, *words, "-o", file, "-o", tmp_path / "l.svg").code == 0
        np.testing.assert_allclose(pd.read_csv(file).iloc[:, 1:], state["components"], atol=1e-5)
    assert (
        cli("map", "pairs", finished_run, "--neurons", "0,z2", "-o", tmp_path / "p.png").code == 0
    )
    assert "PC3" in cli("map", "variance", saved).out


USER_ERRORS = {
    "command misspelt": ("dekode {run} --point 0,0", "'dekode'. Did you mean 'decode'?"),
    "unknown method": ("{run} --method mds -o a.png", "or your own, allowed by --method"),
    "unknown option": ("{run} --set perplexity=5 -o a.png", "no option perplexity"),
    "option out of range": ("{run} --method umap --set min_dist=7 -o a.png", "min_dist must be"),
    "option without value": ("{run} --set perplexity -o a.png", "NAME=VALUE"),
    "own option": ("{run} --set seed=1 -o a.png", "seed is not an option of a map; use --seed"),
    "too few points": ("{run} --method tsne -o a.png", "needs at least 92 points"),
    "no file": ("{run}", "-o with a name that ends in .png, .svg, .csv"),
    "suffix": ("{run} -o a.jpg", "a.jpg: give the file a name that ends in"),
    "no folder": ("{run} -o deep/a.safetensors", "cannot write deep/a.safetensors"),
    "folder is a file": ("{run} -o file/a.csv", "cannot write file/a.csv"),
    "no model": ("nowhere -o a.png", "nowhere"),
    "neuron to colour": ("{run} --color z9 -o a.png", "[0, 2]; got 'z9'"),
    "column misspelt": (
        "{run} --table known.parquet --color tretment -o a.png",
        "no column 'tretment' (did you mean 'treatment'?); there are: class, z0",
    ),
    "no such column": ("{run} --table known.parquet --by q -o a.png", "there are: class, z0 to z2"),
    "column of text": ("{run} --table known.parquet --by file_name -o a.png", "holds file names"),
    "no columns": ("{map} --color area -o a.png", "has none, only class, z0 to z2; --columns"),
    "pair not there": ("{run} --method pair --set first=5 -o a.png", "[0, 2]; got 5"),
    "map and method": ("{map} --method tsne -o a.png", "leave out --method"),
    "nothing to decode": ("decode {run} -o a.png", "either --line X0,Y0 X1,Y1 or points"),
    "line and point": ("decode {run} --line 0,0 1,1 --point 0,0 -o a.png", "either --line"),
    "no coordinates": ("decode {run} --point 0 -o a.png", "a point of the map is X,Y; got '0'"),
    "nan": ("decode {run} --point nan,0 -o a.png", "finite numbers"),
    "unknown inverse": ("decode {run} --point 0,0 --inverse far -o a.png", "local, nearest"),
    "map of another": ("decode zoo:10 --map {map} --point 0,0 -o a.png", "from another model"),
    "no map": ("decode {run} --map file.safetensors --point 0,0 -o a.png", "file.safetensors"),
    "table of another": ("zoo:2 --table table.npz -o a.png", "from another model"),
    "unknown neuron": ("pairs {run} --neurons 0,5 -o a.png", "[0, 2]; got '5'"),
    "too few neighbours": ("quality {run} --methods pca -o a.md", "need more than 30 points"),
}


@pytest.mark.parametrize(("command", "message"), USER_ERRORS.values(), ids=USER_ERRORS.keys())
def test_a_users_error_is_one_line_and_nothing_is_written(
    cli: Cli, finished_run: Path, saved: Path, known: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, command: str, message: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("no folder")
    Latents(str(finished_run)).table.save("table.npz")
    Path("known.parquet").write_bytes(known.read_bytes())
    before = sorted(tmp_path.iterdir())
    names = {"{run}": finished_run, "{map}": saved}
    words = [str(names.get(word, word)) for word in command.split()]
    code, out, err = cli("map", *words)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert message in err
    assert sorted(tmp_path.iterdir()) == before
