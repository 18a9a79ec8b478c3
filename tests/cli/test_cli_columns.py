"""More columns joined to a model's images when it is used."""

from __future__ import annotations

import pandas as pd
import pytest
from cli_helpers import OPTIONS, TINY, load_npz, save_npz

import zscape
from zscape.embedding import Embedding
from zscape.errors import ConfigError, DataError

N_TRAIN, N = 50, 60


@pytest.fixture(scope="module")
def areas(tmp_path_factory):
    """A table of the 60 images of ``source``, told by row."""
    path = tmp_path_factory.mktemp("areas") / "areas.csv"
    rows = range(N)
    pd.DataFrame({"row": rows, "area": [r / 10 for r in rows], "dye": ["red", "blue"] * 30}).to_csv(
        path, index=False
    )
    return path


@pytest.fixture(scope="module")
def run_with_columns(source, areas, tmp_path_factory):
    """A run that was trained with columns, of which a copy of the table may be changed."""
    folder = tmp_path_factory.mktemp("with")
    table = folder / "own.csv"
    table.write_bytes(areas.read_bytes())
    zscape.train(source, columns=table, out=folder / "run", progress="none", **OPTIONS)
    return folder / "run"


@pytest.fixture
def moved_table(run_with_columns):
    """Puts the run's own table back after the test."""
    table = run_with_columns.parent / "own.csv"
    content = table.read_bytes()
    yield table
    table.write_bytes(content)


def test_columns_are_joined_without_training_again(finished_run, areas):
    plain = zscape.load(finished_run).data()
    splits = zscape.load(finished_run).with_columns(areas).data()
    assert [half.fingerprint for half in splits] == [half.fingerprint for half in plain]
    for half, before in zip(splits, plain, strict=True):
        # A row of the table is that of the image: its class is its number modulo 3.
        rows = (half.columns.numbers("area") * 10).round().astype(int)
        assert (rows % 3 == half.labels.numpy()).all()
        assert half.titles() == before.titles()


def test_a_column_is_shown_as_the_class_and_the_images_stay_who_they_are(finished_run, areas):
    opened = zscape.load(finished_run).with_columns(areas, label="area", bins=2)
    splits, plain = opened.data(), zscape.load(finished_run).data()
    assert splits.test.class_names == splits.train.class_names
    assert len(splits.test.class_names) == 2
    assert [half.fingerprint for half in splits] == [half.fingerprint for half in plain]
    assert zscape.encode(opened).class_names == splits.test.class_names
    # Two tables, and a column of the first as the class.
    assert opened.with_columns(label="dye").data().test.class_names == ("blue", "red")


def test_what_is_a_set_already_is_taken_as_it_is(finished_run, areas):
    opened = zscape.load(finished_run).with_columns(areas)
    splits = opened.data()
    for images in (splits, splits.test):
        assert opened.images(images).columns.names == ("area", "dye")


def test_an_array_is_joined_by_its_own_rows(finished_run, tmp_path):
    (tmp_path / "three.csv").write_text("size\n1\n2\n3\n")
    images = zscape.load(finished_run).data().test.images[:3].numpy()
    opened = zscape.load(finished_run).with_columns(tmp_path / "three.csv", label="size")
    assert opened.images(images).titles() == ["1", "2", "3"]
    assert zscape.load("zoo:2").with_columns(tmp_path / "three.csv").images(
        zscape.load("zoo:2").data().test.images[:3].numpy()
    ).columns.texts("size") == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"on": "row"}, "on goes with columns"),
        ({"bins": 3}, "bins goes with label"),
        ({"columns": "x.csv", "on": "name"}, "on must be one of"),
    ],
)
def test_options_that_would_change_nothing(finished_run, options, message):
    with pytest.raises(ConfigError, match=message):
        zscape.load(finished_run).with_columns(**options)


def test_every_command_that_looks_at_images_takes_them():
    """None has them forgotten: wherever --data is an option, so is --columns."""
    from typer.main import get_command

    from zscape.cli.app import app

    def leaves(command, name=""):
        for sub, one in getattr(command, "commands", {}).items():
            yield from leaves(one, f"{name} {sub}")
        if not hasattr(command, "commands"):
            yield name, {flag for option in command.params for flag in option.opts}

    told = {name: flags for name, flags in leaves(get_command(app)) if "--data" in flags}
    del told[" compare"]  # which looks at nothing that is known of the images but their class
    assert len(told) > 25
    for name, flags in told.items():
        assert {"--columns", "--on", "--label", "--bins"} <= flags, name


def test_dates_read_as_dates_in_every_table():
    from zscape.cli.output import TABLES, format_table

    day = pd.Timestamp("2026-03-01 12:30")
    for suffix in set(TABLES) - {".parquet"}:
        text = format_table(pd.DataFrame({"taken": [day, pd.NaT]}), suffix).decode()
        assert "2026-03-01" in text, suffix


def test_commands_show_them(cli, finished_run, areas, tmp_path):
    csv = tmp_path / "map.csv"
    outcome = cli("map", finished_run, "--columns", areas, "--label", "dye", "-o", csv)
    assert outcome.code == 0, outcome.err
    assert set(pd.read_csv(csv)["class"]) == {"red", "blue"}
    outcome = cli("walk", "prototypes", finished_run, "--columns", areas, "--label", "dye")
    assert outcome.out.split()[0] == "blue"
    outcome = cli("walk", "along", finished_run, "--column", "area", "--columns", areas)
    assert outcome.code == 0, outcome.err
    table = tmp_path / "latents.csv"
    assert cli("encode", finished_run, "--columns", areas, "-o", table).code == 0
    assert {"area", "dye"} <= set(pd.read_csv(table))


def test_they_are_joined_to_a_table_of_latents_and_to_its_images(
    cli, finished_run, areas, tmp_path
):
    table, out = tmp_path / "latents.npz", tmp_path / "n.csv"
    assert cli("encode", finished_run, "-o", table).code == 0
    more = ("--columns", areas, "--label", "dye", "--table", table)
    outcome = cli("neurons", "histograms", finished_run, *more, "-o", out)
    assert outcome.code == 0, outcome.err
    assert set(pd.read_csv(out)["class"]) == {"red", "blue"}
    outcome = cli("walk", "nearest", finished_run, *more, "-k", 2)
    assert {line.split()[1] for line in outcome.out.splitlines()} <= {"red", "blue"}
    # A table encoded with them is one of the same images.
    assert cli("encode", finished_run, *more[:4], "-o", table).code == 0
    outcome = cli("walk", "nearest", finished_run, "--table", table, "-k", 2)
    assert {line.split()[1] for line in outcome.out.splitlines()} <= {"red", "blue"}


def test_the_report_and_the_explorer_have_them(cli, finished_run, areas, tmp_path, monkeypatch):
    monkeypatch.setenv("ZSCAPE_CACHE", str(tmp_path / "cache"))
    more = ("--columns", areas, "--label", "dye")
    names = []
    for extra in ((), more):
        assert (
            cli("export", finished_run, "-o", tmp_path / "e.html", "--maps", "pca", *extra).code
            == 0
        )
        names.append('"red"' in (tmp_path / "e.html").read_text())
    assert names == [False, True]  # also from a cache that knows the images


def test_a_run_finds_its_own_table_from_any_folder(
    cli, run_with_columns, areas, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert zscape.load(run_with_columns).data().test.columns.names == ("area", "dye")
    # Named again, it is the same table, and no column is there twice.
    again = ("--columns", run_with_columns.parent / "own.csv")
    assert cli("encode", run_with_columns, *again, "-o", "t.npz").code == 0


def test_a_table_that_has_changed_is_said(run_with_columns, moved_table, caplog):
    moved_table.write_text(moved_table.read_text().replace("red", "green"))
    splits = zscape.load(run_with_columns).data()
    assert "is not the table of columns that" in caplog.text
    assert splits.test.columns.classes("dye")[1] == ("blue", "green")


def test_a_table_that_is_gone_is_named_and_may_be_named_elsewhere(
    run_with_columns, moved_table, areas, caplog
):
    moved_table.unlink()
    with pytest.raises(DataError, match=r"own\.csv, and there is no such file now.*--columns"):
        zscape.load(run_with_columns).data()
    splits = zscape.load(run_with_columns).with_columns(areas).data()
    assert splits.test.columns.names == ("area", "dye")
    assert not caplog.text  # the same table: nothing has changed


def test_trained_on_a_subset_rows_are_still_those_of_the_source(cli, tmp_path, areas):
    source = save_npz(tmp_path / "own.npz", n=N)
    options = ("--n-train", 30, "--n-test", 8, "--out", tmp_path / "run")
    assert cli("train", "--data", source, *TINY, *options).code == 0
    table = tmp_path / "t.npz"
    assert cli("encode", tmp_path / "run", "--columns", areas, "-o", table).code == 0
    known = zscape.latents.LatentTable.load(table)
    assert len(known) == 8
    rows = (known.columns.numbers("area") * 10).round().astype(int)
    assert (rows % 3 == load_npz(table)["label"]).all()


def test_a_saved_map_has_its_columns(cli, finished_run, areas, tmp_path):
    kept = tmp_path / "map.safetensors"
    assert cli("map", finished_run, "--columns", areas, "-o", kept).code == 0
    assert Embedding.load(kept).table.columns.names == ("area", "dye")
    outcome = cli("map", kept, "--columns", areas, "-o", tmp_path / "m.png")
    assert outcome.code == 2
    assert "a saved map has its images, their columns" in outcome.err
    assert "leave out --columns" in outcome.err


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("size\n1\n", (), "has 1 rows for 60 images"),
        ("row,size\n99,1\n", (), "no row of"),
        ("row,size\n1,2\n", ("--label", "sise"), "there is no column 'sise'"),
        ("row,size\n1,2\n", ("--on", "file_name"), "no file_name to join on"),
        (None, (), "there is no file"),
    ],
)
def test_tables_that_do_not_fit(cli, finished_run, tmp_path, text, options, message):
    file = tmp_path / "t.csv"
    if text is not None:
        file.write_text(text)
    outcome = cli("map", finished_run, "--columns", file, *options, "-o", tmp_path / "m.png")
    assert outcome.code == 2
    assert message in outcome.err
    assert not (tmp_path / "m.png").exists()
