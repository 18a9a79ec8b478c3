"""``zscape encode`` of a folder of shards."""

from __future__ import annotations

from pathlib import Path

import pytest

from shards.shard_helpers import numbers_of, tables_of, write_shards

MODEL = "zoo:2"


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shards(tmp_path_factory.mktemp("shards"))


def test_the_command_says_what_became_of_it(shards, tmp_path: Path, cli) -> None:
    done = cli("encode", MODEL, "--data", shards, "-o", tmp_path / "out")
    assert done.code == 0, done.err
    assert f"Encoded 30 images into {tmp_path / 'out'}: every shard of" in done.out
    assert numbers_of(tables_of(tmp_path / "out")) == list(range(30))
    wrong = {
        ("-o", tmp_path / "new"): "say where the shards are with --data",
        ("-o", tmp_path / "new", "--data", shards, "--split", "train"): "leave out --split",
        ("-o", tmp_path / "new", "--data", shards, "--label", "x"): "leave out --label",
        ("-o", tmp_path / "a.csv", "--data", shards, "--engine", "ray"): "leave out --engine",
    }
    for flags, said in wrong.items():
        outcome = cli("encode", MODEL, *flags)
        assert (outcome.code, said in outcome.err) == (2, True), outcome.err
        assert not (tmp_path / "new").exists()
