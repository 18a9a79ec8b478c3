from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

Cli = Callable[..., Any]


def test_of_a_run_in_every_format(cli: Cli, finished_run: Path, tmp_path: Path) -> None:
    files = [tmp_path / f"a{suffix}" for suffix in (".png", ".svg", ".json")]
    outs = [part for file in files for part in ("-o", file)]
    code, _, err = cli("architecture", finished_run, *outs)
    assert (code, err) == (0, "")
    with Image.open(files[0]) as picture:
        assert picture.size[0] > 1000
    assert "</svg>" in files[1].read_text()
    plan = json.loads(files[2].read_text())
    assert plan["name"] == "MLPVAE"
    assert sum(node["n_parameters"] for node in plan["nodes"]) == plan["n_parameters"]


def test_of_a_network_that_is_not_trained(cli: Cli) -> None:
    words = ("--network", "enhanced", "--latent-dim", 7, "--image-shape", "3,32,32")
    code, out, _ = cli("architecture", *words)
    assert code == 0
    assert "3 x 32 x 32" in out
    assert "fc21" in out


def test_without_its_extra_the_layers_are_still_told(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    assert cli("architecture", "zoo:2", "-o", tmp_path / "a.json")[0] == 0
    assert "fc21" in cli("architecture", "zoo:2")[1]
    code, out, err = cli(
        "architecture", "zoo:2", "-o", tmp_path / "b.json", "-o", tmp_path / "b.svg"
    )
    assert (code, out) == (2, "")
    assert err == (
        "zscape: the picture of a network needs the package pygraphviz: "
        "pip install 'zscape[architecture]'.\n"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json"]


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("-o a.svg", "--network NAME"),
        ("--latent-dim 3 -o a.svg", "--network NAME"),
        ("{run} --latent-dim 3 -o a.svg", "either a trained model or"),
        ("--network resnet -o a.svg", "enhanced, mlp"),
        ("--network mlp --latent-dim 0 -o a.svg", "latent_dim must be"),
        ("--network mlp --image-shape 28 -o a.svg", "C,H,W"),
        ("--network mlp --image-shape 1,0,28 -o a.svg", "three positive integers"),
        ("{run} -o a.pdf", ".png, .svg or .json"),
        ("{run} -o deep/a.svg", "cannot write"),
        ("nowhere -o a.svg", "nowhere"),
    ],
)
def test_a_users_error_is_one_line(
    cli: Cli, finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    command: str, message: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    code, out, err = cli(
        "architecture", *(word.replace("{run}", str(finished_run)) for word in command.split())
    )
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert message in err
    assert list(tmp_path.iterdir()) == []
