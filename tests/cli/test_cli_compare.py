from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

import zscape
from zscape import api

Cli = Callable[..., Any]


@pytest.fixture
def runs(finished_run: Path, tmp_path: Path) -> list[Path]:
    """A run twice, in two folders."""
    return [Path(shutil.copytree(finished_run, tmp_path / name)) for name in ("one", "two")]


def test_table_and_pictures(cli: Cli, runs: list[Path], tmp_path: Path) -> None:
    files = [tmp_path / f"a{suffix}" for suffix in (".csv", ".md", ".html")]
    outs = [part for file in files for part in ("-o", file)]
    flags = ("--samples", 2, "--no-probes", "--pictures", tmp_path / "side.png", "--seed", 0)
    code, out, err = cli("compare", *runs, *flags, *outs)
    assert code == 0, err
    found = api.measure_models(runs, protocol=zscape.Protocol(samples=2), probes=False)
    pd.testing.assert_frame_equal(pd.read_csv(files[0]), found.table(), check_dtype=False)
    told, _, table = files[1].read_text().partition("\n\n")
    assert told == f"{found.how}. ± is {found.plus_minus}."
    assert "**" in table
    assert "how" not in table
    page = api.comparison_page(found, api.open_models(runs))
    assert files[2].read_text("utf-8") == page
    assert found.how in out
    with Image.open(tmp_path / "side.png") as picture:
        assert picture.width > picture.height / 2


def test_the_best_is_marked_on_the_terminal(cli: Cli, runs: list[Path]) -> None:
    out = cli("compare", *runs, "--no-probes").out
    assert " *" in out
    assert "± is the standard" in out
    assert "the best of its column" in out
