from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import zscape

Cli = Callable[..., Any]


@pytest.mark.parametrize("by", ["quantity", "class", "neuron"])
def test_a_file_is_the_librarys_table_and_every_row_says_how_it_was_measured(
    cli: Cli, finished_run: Path, tmp_path: Path, by: str
) -> None:
    file = tmp_path / "a.csv"
    flags = ("--by", by, "--samples", 4, "--binarize", "dynamic", "--draws", 2, "--seed", 3)
    code, out, err = cli("evaluate", finished_run, *flags, "-o", file)
    assert code == 0, err
    protocol = zscape.Protocol("dynamic", draws=2, samples=4, seed=3)
    found = zscape.evaluate(finished_run, protocol=protocol)
    expected = {"quantity": found.table, "class": found.per_class, "neuron": found.per_neuron}[by]()
    frame = pd.read_csv(file, dtype={"class": str}).set_index(expected.index.names)
    pd.testing.assert_frame_equal(frame[expected.columns], expected, check_dtype=False)
    assert set(frame["likelihood"]) == {"Bernoulli"}
    for name, value in found.conditions().items():
        assert set(frame[name].astype(str)) == {str(value)}
    assert "binarize dynamic, draws 2, samples 4, seed 3" in out


def test_what_is_printed(cli: Cli, finished_run: Path) -> None:
    out = cli("evaluate", finished_run, "-n", 5).out
    assert "5 test images" in out
    assert "no likelihood" in out
    assert "nll" not in out  # of one sample it would be the ELBO with noise
    out = cli("evaluate", finished_run, "-n", 5, "--samples", 2).out
    assert "iw_bound" in out  # of grey pixels: no likelihood
    assert "nll" not in out


def test_bf16_says_what_it_changes(cli: Cli, finished_run: Path) -> None:
    assert "bf16 changes iw_bound by" in cli("evaluate", finished_run, "--precision", "bf16").out


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--samples", "0"), "'--samples': must be greater than or equal to 1; got 0."),
        (
            ("--samples", "many"),
            "must be a valid integer, unable to parse string as an integer; got many.",
        ),
        (("--binarize", "given"), "has grey pixels: use threshold or dynamic."),
        (("--draws", "3"), "only a dynamic binarisation is drawn several times"),
        (("-n", "1000"), "-n must be in [1, "),
        (("-o", "a.txt"), "ends in .csv, .json, .parquet or .md."),
    ],
)
def test_wrong_questions_are_one_sentence(
    cli: Cli, finished_run: Path, tmp_path: Path, flags: tuple[str, ...], said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    code, out, err = cli("evaluate", finished_run, *flags)
    assert (code, out) == (2, "")
    last = err.splitlines()[-1]
    assert last.startswith("zscape: ")
    assert said in last
    assert not list(tmp_path.iterdir())
