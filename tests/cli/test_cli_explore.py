"""``zscape explore`` and ``zscape export``, on a tiny run."""

from __future__ import annotations

import json
import re
import signal
import socket
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from cli_helpers import ENVIRONMENT, ZSCAPE, start

from zscape.api import prepare_scene
from zscape.explorer import page

BUNDLE = "export default { render() {} };"


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp() / "scenes"
    monkeypatch.setenv("ZSCAPE_CACHE", str(folder))
    monkeypatch.setitem(ENVIRONMENT, "ZSCAPE_CACHE", str(folder))


@pytest.fixture
def bundle(monkeypatch, tmp_path):
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / page.BUNDLE).write_text(BUNDLE)
    monkeypatch.setattr(page, "STATIC", tmp_path / "static")


def manifest_of(file: Path):
    text = file.read_text()
    found = re.search(r'id="zscape-manifest">(.*?)</script>', text, re.DOTALL)
    return json.loads(found.group(1))


def test_export(cli, finished_run, tmp_path, bundle):
    out, told = tmp_path / "page.html", tmp_path / "story.json"
    told.write_text('{"title": "t", "steps": [{"title": "a", "text": "b", "view": {"row": 7}}]}')
    done = cli("export", finished_run, "-o", out, "--maps", "pca", "--n", 8, "--weights", "i8",
               "--story", told)  # fmt: skip
    assert done.code == 0, done.err
    assert re.fullmatch(rf"Wrote {out}, \d+\.\d MB\n", done.out)
    manifest = manifest_of(out)
    assert manifest["points"]["n"] == 8
    assert manifest["story"] == json.loads(told.read_text())
    assert [spec["name"] for spec in manifest["maps"]] == ["pca"]
    assert manifest["blocks"]["decoder.0.weight"]["dtype"] == "i8"
    assert manifest["data"].endswith(", test")


def test_export_of_the_training_images(cli, finished_run, tmp_path, bundle):
    out = tmp_path / "page.html"
    assert cli("export", finished_run, "-o", out, "--maps", "pca", "--split", "train").code == 0
    assert manifest_of(out)["data"].endswith(", train")
    assert manifest_of(out)["points"]["n"] == 49


def test_export_into_a_folder(cli, finished_run, tmp_path, bundle):
    done = cli("export", finished_run, "-o", f"{tmp_path}/large/", "--maps", "pca")
    assert done.code == 0, done.err
    assert re.fullmatch(rf"Wrote {tmp_path}/large, \d+\.\d MB\n", done.out)
    manifest = json.loads((tmp_path / "large" / "manifest.json").read_text())
    assert set(manifest["blocks"]) == {f.name for f in (tmp_path / "large" / "blocks").iterdir()}


def test_export_of_a_selection(cli, finished_run, tmp_path, bundle):
    """As the page saves it: the numbers of its images stay what they were."""
    (tmp_path / "some.csv").write_text("index,class\n7,1\n2,0\n9,1\n2,0\n")
    out = tmp_path / "page.html"
    done = cli("export", finished_run, "-o", out, "--maps", "pca", "--rows", tmp_path / "some.csv")
    assert done.code == 0, done.err
    manifest = manifest_of(out)
    assert manifest["points"]["n"] == 3
    scene = prepare_scene(finished_run, maps="pca", rows=[9, 2, 7]).scene
    assert scene.array("indices").tolist() == [2, 7, 9]
    whole = prepare_scene(finished_run, maps="pca").scene
    assert np.array_equal(scene.array("mu"), whole.array("mu")[[2, 7, 9]])
    assert (
        scene.manifest["fingerprints"]
        == whole.manifest["fingerprints"]
        == (manifest["fingerprints"])
    )
    few = prepare_scene(["zoo:2", "zoo:10"], rows=[9, 2, 7], maps="pca").scene
    assert few.array("indices").tolist() == [2, 7, 9]


def test_export_with_onnx(cli, finished_run, tmp_path, bundle):
    done = cli("export", finished_run, "-o", tmp_path / "page.html", "--maps", "pca",
               "--onnx", tmp_path / "onnx")  # fmt: skip
    assert done.code == 0, done.err
    assert sorted(file.name for file in (tmp_path / "onnx").iterdir()) == [
        "decoder.onnx", "encoder.onnx",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "page.pdf"], "page.pdf: the export is a page, with a name that ends in .html, or"),
        (["-o", "page.html", "--rows", "none.csv"], "there is no file none.csv"),
        (["-o", "page.html", "--rows", "far.csv"], "far.csv: the column 'index' must hold whole"),
        (["-o", "page.html", "--rows", "empty.csv"], "empty.csv has no rows"),
        (["-o", "page.html", "--rows", "far.csv", "--against", "digits"], "rows are numbers of"),
        (["-o", "full/"], "full has other things in it than an explorer"),
        (["-o", "none/page.html"], "cannot write none/page.html"),
        (["-o", "page.html", "--maps", "pca,"], "--maps takes names with commas between"),
        (["-o", "page.html", "--maps", "mds"], "map method must be one of pca"),
        (
            ["-o", "page.html", "--split", "all"],
            "Invalid value for '--split': 'all' is not one of 'train', 'test'",
        ),
        (["-o", "page.html", "--n", "12"], "n must be in [1, 11]"),
        (["-o", "page.html", "--story", "none.json"], "There is no file none.json"),
        (
            ["-o", "page.html", "--weights", "f8"],
            "Invalid value for '--weights': 'f8' is not one of 'f32', 'f16', 'i8'",
        ),
    ],
    ids=lambda value: "" if isinstance(value, str) else value[-1],
)
def test_export_says_what_is_wrong(
    cli, finished_run, tmp_path, monkeypatch, bundle, options, message
):
    monkeypatch.chdir(tmp_path)
    Path("far.csv").write_text("index\n99\n")
    Path("empty.csv").write_text("index,name\n")
    Path("full").mkdir()
    Path("full/letter").touch()
    done = cli("export", finished_run, *options)
    assert done.code == 2
    assert done.err.splitlines()[-1].startswith(f"zscape: {message}")
    assert not (tmp_path / "page.html").exists()


def test_explore_says_that_the_port_is_taken(cli, finished_run, bundle):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = cli("explore", finished_run, "--maps", "pca", "--port", port, "--no-open")
    assert (done.code, done.out) == (2, "")
    # Before a minute was spent on maps: nothing else is on stderr.
    assert done.err == (
        f"zscape: port {port} of 127.0.0.1 is taken; choose another with --port, or 0 for a free "
        "one.\n"
    )


def test_explore_serves_until_ctrl_c(finished_run):
    """The installed program with the page it ships with."""
    assert ZSCAPE.exists()
    process = start("explore", finished_run, "--maps", "pca", "--no-open")
    try:
        line = process.stdout.readline()
        said = re.fullmatch(r".* is at (http://127\.0\.0\.1:\d+/)  \(Ctrl-C stops\)\n", line)
        url = said.group(1)
        with urllib.request.urlopen(url + "manifest.json", timeout=20) as answer:
            assert json.load(answer)["points"]["n"] == 11
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, out) == (0, "\nStopped.\n")
    assert "Traceback" not in err
