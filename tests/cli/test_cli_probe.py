from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import zscape
from zscape import evaluation

Cli = Callable[..., Any]


@pytest.fixture
def known(finished_run: Path, tmp_path: Path) -> tuple[Any, ...]:
    """Flags that join a table to the images of the run: two numbers and a constant."""
    n = sum(map(len, zscape.load(str(finished_run)).data()))
    frame = pd.DataFrame({"a": range(n), "b": [i % 7 for i in range(n)], "same": 1})
    frame.to_csv(tmp_path / "known.csv", index=False)
    return "--columns", tmp_path / "known.csv", "--on", "row"


def test_a_file_of_probes_is_the_librarys_table(
    cli: Cli, finished_run: Path, tmp_path: Path
) -> None:
    file = tmp_path / "a.csv"
    code, out, err = cli("probe", finished_run, "--seeds", 2, "--seed", 3, "-o", file)
    assert code == 0, err
    tables = [zscape.encode(finished_run, split=split) for split in ("test", "train")]
    expected = evaluation.probe(*tables, seeds=2, seed=3)
    pd.testing.assert_frame_equal(zscape.probe(finished_run, seeds=2, seed=3).frame, expected.frame)
    frame = pd.read_csv(file).set_index(["column", "probe"])
    pd.testing.assert_frame_equal(frame[expected.frame.columns], expected.frame, check_dtype=False)
    assert set(frame["how"]) == {expected.how}
    assert expected.how in out


def test_one_split_is_cross_validated(cli: Cli, finished_run: Path) -> None:
    out = cli("probe", finished_run, "--split", "train", "--seeds", 1).out
    assert "cross-validated on" in out
    assert "train images" in out
    assert "–" in out  # no spread of one seed


def test_joined_columns_are_probed_and_are_factors(
    cli: Cli, finished_run: Path, known: tuple[Any, ...], tmp_path: Path
) -> None:
    flags = (*known, "--split", "train", "--column", "a", "--column", "b")
    code, out, err = cli("probe", finished_run, *flags, "--seeds", 1)
    assert code == 0, err
    assert "R²" in out
    file = tmp_path / "a.csv"
    code, out, err = cli("disentanglement", finished_run, *flags, "-o", file)
    assert code == 0, err
    frame = pd.read_csv(file).set_index("factor")
    assert frame["kind"].to_dict() == {"a": "number", "b": "number"}
    assert frame["all_mig"].nunique() == 1
    model = zscape.load(finished_run).with_columns(known[1], on="row")
    found = zscape.disentanglement(model, split="train", columns=["a", "b"])
    pd.testing.assert_frame_equal(frame[found.factors.columns], found.factors)
    probed = zscape.probe(model, split="train", columns=["a"], seeds=1)
    assert probed.how.startswith("cross-validated")
    assert "dci_completeness" in out


def test_what_is_left_out_is_said(cli: Cli, finished_run: Path, known: tuple[Any, ...]) -> None:
    out = cli("probe", finished_run, *known, "--split", "train", "--seeds", 1).out
    assert "left out: same (the same for every image)" in out


def test_samples_are_compared_with_the_images_of_the_model(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    code, out, err = cli("quality", "zoo:2", "-n", 200, "--seed", 3, "-o", file)
    assert code == 0, err
    expected = zscape.quality("zoo:2", n=200, seed=3)
    frame = pd.read_csv(file).set_index("compared")
    pd.testing.assert_frame_equal(frame[expected.frame.columns], expected.frame)
    assert expected.how in out
    assert cli("quality", "zoo:2", "-n", 200, "--seed", 3).out.count("samples") == 2


@pytest.mark.parametrize(
    ("command", "flags", "said"),
    [
        ("probe", ("--column", "nope"), "no columns"),
        ("probe", ("--group", "who"), "no columns"),
        ("probe", ("-n", "1", "--split", "train"), "the same for every image"),
        ("probe", ("-o", "a.txt"), "ends in .csv, .json, .parquet or .md."),
        ("probe", ("--seeds", "0"), "--seeds"),
        ("disentanglement", ("-n", "1"), "the same for every image"),
        ("disentanglement", ("-o", "a.png"), "ends in .csv, .json, .parquet or .md."),
    ],
)
def test_wrong_questions_are_one_sentence(
    cli: Cli, finished_run: Path, tmp_path: Path, command: str, flags: tuple[str, ...], said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    code, _, err = cli(command, finished_run, *flags)
    assert code == 2
    assert said in err
    assert err.count("\n") == 1
    assert not list(tmp_path.glob("a.*"))
