"""Files, folders and classes of any name: none ends a command in a traceback, none is left out."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli_helpers import TINY, blobs, start
from PIL import Image

import zscape
from zscape.training import create_progress

Cli = Callable[..., Any]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="file names of any bytes")


def pictures(folder: Path) -> Path:
    """A folder of 40 pictures in two classes, whose names are no text of any one alphabet."""
    names = [os.fsdecode(b"caf\xe9"), "猫"]
    for i, image in enumerate(blobs(40)):
        (folder / names[i % 2]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / names[i % 2] / f"{i}.png")
    return folder


@pytest.mark.filterwarnings("ignore:Glyph")  # of a machine without a font for it
def test_every_command_says_what_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    monkeypatch.chdir(tmp_path)
    data, run, out = pictures(tmp_path / "猫"), "犬", os.fsdecode(b"\xff")
    assert cli("train", "--data", data, "--out", run, "--resize", 16, *TINY).code == 0
    for command in (
        "data info {data}", "data show {data} -o {out}.svg", "info {run}",
        "sample {run} -o {out}.png",
        "encode {run} -o {out}.csv", "encode {run} -o {out}.parquet",
        "neurons heatmap {run} -o {out}.json -o {out}.md", "walk prototypes {run} -o {out}.svg",
        "map {run} -o {run}.safetensors", "map {run}.safetensors -o {out}.svg",
        "export {run} --maps pca -o {out}.html",
    ):  # fmt: skip
        parts = [part.format(data=data, run=run, out=out) for part in command.split()]
        done = cli(*parts)
        assert done.code == 0, (command, done.err)
    assert r"caf\udce9" in Path(f"{out}.csv").read_text("utf-8")
    table = zscape.load(run).data().test
    assert table.class_names == (r"caf\udce9", "猫")


@pytest.mark.parametrize(
    "command",
    ["data info {data}", "data show {data} -o {data}/猫.svg", "info {data}", "loss 犬 -o 猫/a.png"],
)
@pytest.mark.filterwarnings("ignore:Glyph")
def test_a_terminal_that_has_no_letter_for_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    from zscape.cli import main

    data = pictures(tmp_path / "猫")
    monkeypatch.setattr(sys, "argv", ["zscape", *command.format(data=data).split()])
    streams = {name: io.TextIOWrapper(io.BytesIO(), "cp1252") for name in ("stdout", "stderr")}
    for name, stream in streams.items():  # as on Windows, redirected to a file
        monkeypatch.setattr(sys, name, stream)
    with pytest.raises(SystemExit) as stop:
        main()
    for stream in streams.values():
        stream.flush()
    is_fine = command.startswith("data")
    said = streams["stdout" if is_fine else "stderr"].buffer.getvalue()  # type: ignore[attr-defined]
    assert stop.value.code == (0 if is_fine else 2)
    assert b"?" in said


def test_a_training_in_python_says_what_it_can(tmp_path: Path) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), "cp1252")
    create_progress("lines", stream).start(Trainer(), "mlp on 猫")  # type: ignore[arg-type]
    stream.flush()
    assert stream.buffer.getvalue() == b"mlp on ?\n"  # type: ignore[attr-defined]


class Trainer:
    """As much of one as the clock looks at."""

    step = epoch = 0
    n_steps_per_epoch = 1


def test_a_reader_that_goes_away_is_no_error(finished_run: Path) -> None:
    """As ``zscape walk random RUN | head -1`` does."""
    process = start("walk", "random", finished_run)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=100) == 141  # as of SIGPIPE
    assert "Traceback" not in err
    assert "BrokenPipe" not in err
