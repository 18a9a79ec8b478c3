"""``zscape sweep``: its short form, what it prints, and what it asks."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from cli_helpers import TINY, flags

from zscape.sweeping import Sweep, run

Cli = Callable[..., Any]

SWEPT = [*TINY, *flags({"latent_dim": "2,3", "epochs": 1, "workers": 0})]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, source: Path) -> Path:
    """Two trials, of which one has diverged."""
    out = tmp_path_factory.mktemp("sweep") / "sweep"
    run.sweep(source, out=out, latent_dim=2, epochs=1, network="mlp", batch_size=16,
              learning_rate="1e-3,1e30", optimizer="adam", workers=0, progress="none")  # fmt: skip
    return out


def test_the_short_form_trains_says_which_is_best_and_writes_the_page(
    cli: Cli, source: Path, tmp_path: Path
) -> None:
    out = tmp_path / "sweep"
    done = cli("sweep", "--data", source, "--out", out, *SWEPT)
    assert done.code == 0, done.err
    assert [line.split()[0] for line in done.err.splitlines()] == ["1/2", "2/2"]
    found = Sweep.open(out)
    assert found.verdict() in done.out
    assert f"The answer on one page: {out / 'sweep.html'}" in done.out
    assert (out / "sweep.html").is_file()


def test_what_it_says_of_a_folder(cli: Cli, folder: Path, tmp_path: Path) -> None:
    best = cli("sweep", "best", folder)
    assert best.out == f"{Sweep.open(folder).best.folder}\n"
    assert cli("info", best.out.strip()).code == 0
    status = cli("sweep", "status", folder)
    assert status.out.startswith("2 trials: 1 finished, 1 diverged.\n")
    assert "learning_rate 1e+30, seed 0: " in status.out
    outs = [tmp_path / f"a{suffix}" for suffix in (".csv", ".md", ".json", ".parquet", ".svg")]
    flags = [part for out in outs for part in ("-o", out)]
    shown = cli("sweep", "show", folder, *flags, "--pareto", tmp_path / "b.png")
    assert shown.code == 2  # one that has finished is no figure
    assert "differ in their seed alone" in shown.err
    del flags[-2:]
    assert cli("sweep", "show", folder, *flags).code == 0
    assert pd.read_csv(outs[0])["status"].tolist() == ["finished", "diverged"]
    assert len(json.loads(outs[2].read_text())) == len(pd.read_parquet(outs[3])) == 2
    assert "**" in outs[1].read_text()
    assert "the only configuration" in cli("sweep", "show", folder).out


def test_many_trials_are_asked_about_at_a_terminal_alone(
    cli: Cli, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("sweep", "--data", source, "--out", tmp_path / "s", *SWEPT, "--at-most", 1)
    assert "2 trials, and more than 1" in cli(*command).err
    assert not (tmp_path / "s").exists()
    for answer, code in (("n", 130), ("y", 0)):
        monkeypatch.setattr("zscape.cli.sweep._is_asked", lambda: True)
        monkeypatch.setattr("typer.confirm", lambda *_, answer=answer, **__: _said(answer))
        assert cli(*command).code == code
        assert (tmp_path / "s").exists() == (answer == "y")


def _said(answer: str) -> bool:
    import typer

    if answer == "n":
        raise typer.Abort
    return True
