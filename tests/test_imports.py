"""``import zscape`` and ``zscape --help`` cost nothing; every public name is there."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import zscape

HEAVY = {
    "IPython", "PIL", "lightning_fabric", "matplotlib", "numpy", "openTSNE", "pandas",
    "safetensors", "scipy", "seaborn", "sklearn", "tensorboard", "torch", "umap",
}  # fmt: skip

LOADED = "import sys; print('loaded:', *sorted({name.partition('.')[0] for name in sys.modules}))"


def loaded_after(code: str) -> set[str]:
    """Top-level modules in a new interpreter after ``code``."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{LOADED}"], capture_output=True, text=True, check=True
    )
    label, *names = done.stdout.splitlines()[-1].split()
    assert label == "loaded:"
    return set(names)


COMMAND = """
import sys
from zscape.cli import main
sys.argv = ["zscape", *{arguments}]
try:
    main()
except SystemExit as stop:
    assert stop.code == 0, stop.code
else:
    raise AssertionError("did not exit")
"""


def test_import_is_light():
    loaded = loaded_after("import zscape; zscape.ConfigError; zscape.TrainConfig")
    assert "zscape" in loaded
    assert loaded & HEAVY == set()


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["--version"]], ids=str)
def test_help_is_light(arguments):
    loaded = loaded_after(COMMAND.format(arguments=arguments))
    assert {"zscape", "typer"} <= loaded
    assert loaded & HEAVY == set()


def test_the_probe_sees_heavy_modules():
    assert "torch" in loaded_after("import zscape; zscape.VAE")


@pytest.mark.parametrize("name", zscape.__all__)
def test_public_names_are_there(name):
    assert getattr(zscape, name) is not None
    assert name in dir(zscape)


def test_star_import():
    names: dict[str, object] = {}
    exec("from zscape import *", names)
    assert set(zscape.__all__) <= set(names)


def test_other_names_are_not():
    with pytest.raises(AttributeError, match=r"^module 'zscape' has no attribute 'trian'$"):
        zscape.trian  # noqa: B018


def test_type_checkers_are_told_the_same():
    """The imports under TYPE_CHECKING are the table of lazy names."""
    tree = ast.parse(Path(zscape.__file__).read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    told = {
        alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert told == zscape._HOMES
    assert set(told) <= set(zscape.__all__)
