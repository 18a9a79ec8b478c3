"""Every table with a row per image says which file it is of, its class and its columns."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from cli_helpers import OPTIONS, blobs, load_npz
from PIL import Image

import zscape
from zscape.latents import LatentTable

N = 60
KNOWN = {"file_name", "class", "area", "dye", "day"}


@pytest.fixture(scope="module")
def files_run(tmp_path_factory):
    """A run on PNG files in a folder per class, with a table of columns of them."""
    folder = tmp_path_factory.mktemp("files")
    source = folder / "cells"
    rows = []
    for i, picture in enumerate(blobs(N)):
        path = source / "abc"[i % 3] / f"{i:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path)
        day = None if i == 7 else (datetime(2026, 1, 1) + timedelta(i)).isoformat()
        # Tables have an "index" and a "distance" of their own.
        rows.append((path.name, i / 4, "red" if i % 2 else "blue", i, 5 * i, day))
    names = ["file_name", "area", "dye", "index", "distance", "day"]
    pd.DataFrame(rows, columns=names).to_csv(folder / "known.csv", index=False)
    zscape.train(
        source, columns=folder / "known.csv", out=folder / "run", progress="none", **OPTIONS
    )
    return folder / "run"


@pytest.fixture(scope="module")
def expected(files_run):
    """What is known of every test image, by its number."""
    return zscape.encode(zscape.load(files_run)).to_frame()


COMMANDS = {
    "encode": "index",
    "map": "index",
    "map --method pair": "index",
    "walk nearest -k 4": "image",
    "walk nearest -k 2 --at image:3": "image",
    "walk prototypes --method medoid": "image",
    "walk decode image:5": "image",
    "walk line --from image:2 --to image:4 --steps 2": "image",
    "neurons top -k 3": "image",
    "neurons top -k 2 --layer decoder.0 --units 1,2": "image",
    "find outliers": "index",
    "find mislabelled": "index",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_row_says_its_image(cli, files_run, expected, tmp_path, command):
    out, index = tmp_path / "table.csv", COMMANDS[command]
    words = command.split()
    at = 2 if words[0] in ("walk", "find", "neurons") else 1
    if "decode" in words:
        words.insert(2, files_run)
    else:
        words.insert(at, files_run)
    outcome = cli(*words, "-o", out)
    assert outcome.code == 0, outcome.err
    frame = pd.read_csv(out, parse_dates=["day"], dtype={"class": str})
    assert len(frame) > 0
    assert set(frame) >= KNOWN
    assert frame.columns.is_unique
    rows = expected.loc[frame[index]]
    for name in sorted(KNOWN):
        found = frame[name].where(frame[name].notna(), None).tolist()
        wanted = rows[name].astype(object).where(rows[name].notna(), None).tolist()
        assert found == wanted, name
    # A column that is called as something of the table's own.
    assert frame["column_index"].tolist() == rows["column_index"].tolist()


def test_duplicates_say_both_images(cli, files_run, tmp_path, expected):
    out = tmp_path / "t.csv"
    assert cli("find", "duplicates", files_run, "--within", 1, "-o", out).code == 0
    frame = pd.read_csv(out)
    assert len(frame) > 0
    assert set(frame) >= KNOWN | {"of_file_name", "of_class"}
    assert frame["file_name"].tolist() == expected.loc[frame["index"], "file_name"].tolist()


def test_a_walk_knows_the_images_it_is_made_of(cli, files_run, expected, tmp_path):
    outs = [tmp_path / f"w{ending}" for ending in (".json", ".npz", ".csv")]
    words = ("--from", "image:1", "--to", "image:7 - image:2", "--steps", 4)
    outcome = cli("walk", "line", files_run, *words, *(f"-o{path}" for path in outs))
    assert outcome.code == 0, outcome.err
    made_of = json.loads(outs[0].read_text())["made_of"]
    assert [(one["image"], one.get("vector")) for one in made_of] == [(1, 0), (7, None), (2, None)]
    for one in made_of:
        row = expected.loc[one["image"]]
        assert (one["file_name"], one["class"]) == (row["file_name"], row["class"])
        assert one["area"] == row["area"]
    assert json.loads(str(load_npz(outs[1])["made_of"])) == made_of
    frame = pd.read_csv(outs[2])
    assert frame["file_name"].tolist()[0] == expected["file_name"][1]
    assert frame["file_name"][1:].isna().all()
    # Any command takes it back.
    assert cli("walk", "decode", files_run, outs[0]).code == 0


def test_the_images_of_a_walk_are_those_of_its_vectors(cli, files_run, expected, tmp_path):
    out = tmp_path / "w.json"
    assert cli("walk", "nearest", files_run, "-k", 5, "-o", out).code == 0
    found = json.loads(out.read_text())
    assert [one["vector"] for one in found["made_of"]] == list(range(5))
    vectors = np.array([list(vector.values()) for vector in found["vectors"]])
    places = expected.loc[[one["image"] for one in found["made_of"]], ["z0", "z1", "z2"]]
    np.testing.assert_allclose(vectors, places, rtol=1e-6)
    assert cli("walk", "decode", files_run, f"{out}#3").code == 0


def test_without_images_there_is_nothing_of_them(cli, files_run, tmp_path):
    out = tmp_path / "w.json"
    assert cli("walk", "random", files_run, "-n", 2, "-o", out).code == 0
    assert "made_of" not in json.loads(out.read_text())


def test_what_a_medoid_is_of(files_run):
    table: LatentTable = zscape.encode(zscape.load(files_run))
    found = zscape.latents.prototypes(table, "medoid")
    np.testing.assert_array_equal(found.vectors, table.mu[found.rows])
    assert [table.class_names[k] for k in table.labels[found.rows]] == list(found)
    assert zscape.latents.prototypes(table).rows is None


def test_a_saved_map_takes_more_columns_by_file_name(cli, files_run, tmp_path):
    kept, more = tmp_path / "map.safetensors", tmp_path / "more.csv"
    assert cli("map", files_run, "-o", kept).code == 0
    names = pd.DataFrame({"file_name": [f"{i:02}.png" for i in range(N)], "size": range(N)})
    names.to_csv(more, index=False)
    words = ("map", kept, "--columns", more, "--color", "size")
    outcome = cli(*words, "-o", tmp_path / "m.csv", "-o", tmp_path / "m.png")
    assert outcome.code == 0, outcome.err
    frame = pd.read_csv(tmp_path / "m.csv")
    assert (frame["file_name"] == frame["size"].map(lambda i: f"{'abc'[i % 3]}/{i:02}.png")).all()
    refused = cli(*words, "--on", "row", "-o", tmp_path / "m.png")
    assert refused.code == 2
    assert "a saved map has its images, their columns" in refused.err
    assert cli("map", "variance", kept, "--columns", more).code == 2
