"""What a scene holds of the columns of its images, and what may be asked to be shown of them."""

from __future__ import annotations

import datetime
import json
from dataclasses import replace

import numpy as np
import pytest
from test_scenes import CONTRACT, RULES

from zscape.data.columns import Columns
from zscape.errors import ConfigError
from zscape.explorer import Scene, build_scene, cached_scene
from zscape.explorer.columns import check_filter, colors
from zscape.explorer.export import squeezed

ROWS = np.arange(120)
AREA = np.where(ROWS % 10, ROWS / 7, np.nan)
FIRST = datetime.datetime(2024, 1, 1, 6, 30, 0, 123000)


@pytest.fixture(scope="module")
def known() -> Columns:
    return Columns.of({
        "file_name": [f"plates/{row}.png" for row in ROWS],
        "area": AREA,
        "cells": ROWS,
        "treatment": [("B", "</script>A", None)[row % 3] for row in ROWS],
        "day": [FIRST + datetime.timedelta(int(row)) for row in ROWS],
        "note": [f"noté {row}" if row % 2 else None for row in ROWS],
        "z0": ROWS,
        "class": ROWS,
        "gone": [None] * 120,
    })  # fmt: skip


@pytest.fixture(scope="module")
def scene(vae, images, known) -> Scene:
    return build_scene(vae, replace(images, columns=known), maps=["pca"], title="columns")


def texts(scene: Scene, block: str) -> list[str | None]:
    values = np.rint(scene.array(block) * 255).astype(np.uint8)
    return json.loads(values.tobytes())


def test_every_kind_of_column(scene):
    assert CONTRACT.check(scene.manifest, RULES) == []
    specs = {spec["name"]: spec for spec in scene.manifest["columns"]}
    assert [(name, spec["kind"], spec["missing"]) for name, spec in specs.items()] == [
        ("file_name", "file", 0), ("area", "number", 12), ("cells", "number", 0),
        ("treatment", "category", 40), ("day", "date", 0), ("note", "text", 60),
        ("column_z0", "number", 0), ("column_class", "number", 0), ("gone", "text", 120),
    ]  # fmt: skip
    assert np.array_equal(scene.array(specs["area"]["values"]), AREA, equal_nan=True), "all digits"
    assert scene.manifest["blocks"][specs["area"]["values"]]["dtype"] == "f64"
    assert scene.manifest["blocks"][specs["cells"]["values"]]["dtype"] == "f32"
    assert specs["treatment"]["categories"] == ["</script>A", "B"]
    assert scene.array(specs["treatment"]["codes"])[:4].tolist() == [1, 0, -1, 1]
    first = FIRST.replace(tzinfo=datetime.UTC).timestamp() * 1000
    assert scene.array(specs["day"]["values"])[:2] == pytest.approx([first, first + 86_400_000])
    assert texts(scene, specs["file_name"]["texts"])[7] == "plates/7.png"
    assert texts(scene, specs["note"]["texts"])[:2] == [None, "noté 1"]


def test_columns_survive_saving_and_squeezing(scene, tmp_path):
    scene.save(tmp_path / "scene")
    again = squeezed(Scene.load(tmp_path / "scene"))
    assert again.manifest["columns"] == scene.manifest["columns"]
    for spec in scene.manifest["columns"]:
        block = spec.get("values") or spec.get("codes") or spec.get("texts")
        assert np.array_equal(again.array(block), scene.array(block), equal_nan=True)


def test_columns_are_of_the_rows_that_are_shown(vae, images, known):
    few = build_scene(vae, replace(images, columns=known), maps=["pca"], n=20)
    cells = next(spec for spec in few.manifest["columns"] if spec["name"] == "cells")
    assert few.array(cells["values"]).tolist() == few.array("indices").tolist()


def test_a_column_without_a_finite_value_is_held(vae, images):
    odd = Columns.of({"x": [np.inf] * 120})
    odd = replace(images, columns=odd)
    spec = build_scene(vae, odd, maps=["pca"]).manifest["columns"][0]
    assert spec["missing"] == 120


def test_without_columns_the_manifest_has_no_word_of_them(vae, images):
    assert "columns" not in build_scene(vae, images, maps=["pca"], n=20).manifest


def test_other_columns_are_another_scene_of_the_cache(vae, images, known, tmp_path, monkeypatch):
    monkeypatch.setenv("ZSCAPE_CACHE", str(tmp_path))
    for of in (None, known, known[::-1]):
        cached_scene(vae, replace(images, columns=of), maps=["pca"], title="a", n=20)
    assert len(list((tmp_path / "scenes").iterdir())) == 3


def test_what_colours(scene):
    found = ["class", "kl", "error", "area", "cells", "treatment", "day"]
    assert colors(scene.manifest) == [*found, "column_z0", "column_class"]


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({}, {}),
        ({"area": (None, 3)}, {"area": [None, 3.0]}),
        ({"area": np.array([1, np.inf])}, {"area": [1.0, None]}),
        ({"treatment": ["B", None]}, {"treatment": ["B", None]}),
        ({"treatment": {"not": ["B"]}}, {"treatment": {"not": ["B"]}}),
        ({"class": ["red"], "error": (1, 2)}, {"class": ["red"], "error": [1.0, 2.0]}),
        (
            {"day": ("2024-02-01", datetime.date(2024, 3, 1))},
            {"day": ["2024-02-01T00:00:00.000", "2024-03-01T00:00:00.000"]},
        ),
        (
            {"day": (None, datetime.datetime(2024, 3, 1, tzinfo=datetime.UTC))},
            {"day": [None, "2024-03-01T00:00:00.000"]},
        ),
    ],
    ids=str,
)
def test_filters(scene, given, taken):
    checked = check_filter(scene.manifest, given)
    assert checked == taken
    assert json.loads(json.dumps(checked)) == taken
    assert check_filter(scene.manifest, checked) == taken, "it can be set to what it says"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["area"], "must be a dictionary"),
        ({"x": (1, 2)}, "no column 'x'; there are: kl, error, area"),
        ({"note": ["a"]}, "no column 'note'"),
        ({"gone": ["a"]}, "no column 'gone'"),
        ({"treatment": ["Z"]}, "'treatment' has no value 'Z'; it has: </script>A, B"),
        ({"treatment": "B"}, "must be a list"),
        ({"area": (1, 2, 3)}, "must be two numbers"),
        ({"area": ("a", 1)}, "must be two numbers"),
        ({"area": (float("nan"), 1)}, "must be two numbers"),
        ({"day": ("x", None)}, "must be two dates"),
    ],
    ids=str,
)
def test_what_is_no_filter(scene, given, says):
    with pytest.raises(ConfigError, match=says):
        check_filter(scene.manifest, given)


@pytest.mark.parametrize("year", [1500, 3000])
def test_a_date_beyond_what_nanoseconds_hold_is_a_bound(year: int) -> None:
    manifest = {"points": {"n": 1}, "classNames": [], "blocks": {},
                "columns": [{"name": "day", "kind": "date", "missing": 0}]}  # fmt: skip
    found = check_filter(manifest, {"day": (f"{year}-01-02", datetime.datetime(year, 2, 3))})
    assert found == {"day": [f"{year}-01-02T00:00:00.000", f"{year}-02-03T00:00:00.000"]}
