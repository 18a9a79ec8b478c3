from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

import zscape

Cli = Callable[..., Any]


def test_table_and_pictures(cli: Cli, finished_run: Path, tmp_path: Path) -> None:
    files = [tmp_path / f"a{suffix}" for suffix in (".csv", ".md")]
    outs = [part for file in files for part in ("-o", file)]
    flags = ("--samples", 2, "--no-probes", "--pictures", tmp_path / "side.png", "--seed", 0)
    code, out, err = cli("compare", finished_run, finished_run, *flags, *outs)
    assert code == 0, err
    found = zscape.compare(
        [finished_run, finished_run], protocol=zscape.Protocol(samples=2), probes=False
    )
    pd.testing.assert_frame_equal(pd.read_csv(files[0]), found.table(), check_dtype=False)
    assert "**" in files[1].read_text()
    assert found.how in out
    with Image.open(tmp_path / "side.png") as picture:
        assert picture.width > picture.height / 2


def test_the_best_is_marked_on_the_terminal(cli: Cli, finished_run: Path) -> None:
    out = cli("compare", finished_run, finished_run, "--no-probes").out
    assert " *" in out
    assert "the best of its column" in out
