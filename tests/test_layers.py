"""The way of the data goes one way: who may import whom, read from the import statements."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[1] / "src" / "zscape"

RANKS = {
    "errors": 0, "config": 0, "seeding": 0, "files": 0, "registry": 0, "words": 0, "cache": 0,
    "options": 0, "lock": 0, "cluster": 0, "schema": 0, "streams": 0, "_version": 0,
    "data": 1,
    "model": 2,
    "training": 3, "zoo": 3,
    "latents": 4,
    "neurons": 5, "embedding": 5, "finding": 5,
    "evaluation": 6,
    "figures": 7, "report": 7, "explorer": 7,
    "api": 8,
    "sweeping": 9, "shards": 9,
    "cli": 10, "notebook": 10, "__main__": 10,
}  # fmt: skip
"""Rank of each file and folder of the package, as in docs/architecture.md."""

BESIDE = {
    ("__main__", "cli"),
    ("zoo", "training"),
    ("report", "figures"),
    ("finding", "embedding"),
} | {(one, other) for one in RANKS for other in RANKS if RANKS[one] == RANKS[other] == 0}
"""Who may import from its own rank.

Rank 0; the stub that starts the command line; the zoo, whose weights are read as any other; the
report, which is made of figures; finding, which searches neighbours as the maps do.
"""

MODULES = sorted(file for file in SOURCES.rglob("*.py") if file != SOURCES / "__init__.py")


def part_of(module: tuple[str, ...]) -> str:
    """The file or folder of the package that ``("zscape", …)`` belongs to."""
    return module[1]


def module_of(file: Path) -> tuple[str, ...]:
    return file.relative_to(SOURCES.parent).with_suffix("").parts


def imports(source: str, module: tuple[str, ...]) -> set[str]:
    """Parts of the package that a module's import statements name, wherever they stand."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [tuple(alias.name.split(".")) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            # module ends in the file's name, also for __init__.py: one level is its folder.
            above = module[: -node.level] if node.level else ()
            base = (*above, *(node.module.split(".") if node.module else ()))
            names = [(*base, alias.name) for alias in node.names]
        else:
            continue
        for name in names:
            if name[0] == "zscape":
                assert len(name) > 1, "import what is needed, not the lazy package"
                found.add(part_of(name))
    return found


def forbidden(source: str, module: tuple[str, ...]) -> set[str]:
    own = part_of(module)
    return {
        other
        for other in imports(source, module) - {own}
        if RANKS[other] >= RANKS[own] and (own, other) not in BESIDE
    }


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(SOURCES)))
def test_imports_go_down(file):
    module = module_of(file)
    assert part_of(module) in RANKS, "give the new part of the package a rank"
    assert forbidden(file.read_text(), module) == set()


def test_package_is_read():
    assert {part_of(module_of(file)) for file in MODULES} >= {"config", "data", "model", "cli"}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from zscape.api import train", {"api"}),
        ("from zscape import api, data", {"api"}),
        ("import zscape.figures.style as s", {"figures"}),
        ("def f():\n    from zscape.cli import app", {"cli"}),
        ("if TYPE_CHECKING:\n    from zscape.training import Run", {"training"}),
        ("from . import layers\nfrom .layers import soft_bound", set()),
        ("from ..training import Run\nfrom .. import explorer", {"training", "explorer"}),
        ("from zscape.model.layers import soft_bound\nfrom zscape.config import Config", set()),
        ("import numpy\nfrom torch import nn", set()),
    ],
)
def test_what_a_model_may_not_import(source, found):
    assert forbidden(source, ("zscape", "model", "new")) == found


def test_neighbours_of_one_rank_do_not_import_each_other():
    assert forbidden("from zscape.zoo import read_cards", ("zscape", "training", "x")) == {"zoo"}
    assert forbidden("from zscape.figures import to_png", ("zscape", "explorer")) == {"figures"}
    assert forbidden("from zscape.errors import DataError", ("zscape", "files")) == set()
    assert forbidden("from zscape.data import load_data", ("zscape", "files")) == {"data"}
