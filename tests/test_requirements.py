"""constraints.txt, requirements.lock and pyproject.toml say the same."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from tools.write_lock import blocks, normal, pins

ROOT = Path(__file__).parents[1]
ELSEWHERE = "sys_platform|os_name"
"""In the marker of what some systems need and ours, where constraints.txt was frozen, does not."""


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def promised() -> list[Requirement]:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    extras = project["optional-dependencies"].values()
    return [Requirement(text) for texts in (project["dependencies"], *extras) for text in texts]


def test_the_lock_is_of_what_is_pinned() -> None:
    """If not: ``python tools/write_lock.py``."""
    pinned, locked = pins(read("constraints.txt")), pins(read("requirements.lock"))
    assert {name: locked.get(name) for name in pinned} == pinned
    others = {
        block for block in blocks(read("requirements.lock")) if not pins(block).keys() & pinned
    }
    assert all(re.search(ELSEWHERE, block) for block in others), others
    assert not pins(read("requirements-cuda.lock")).keys() & locked.keys()


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-cuda.lock"])
def test_every_package_has_its_hashes(name: str) -> None:
    lines = [line for line in read(name).splitlines() if not line.startswith("#")]
    assert sum(block.count("\n") for block in blocks(read(name))) == len(lines)
    assert all(
        re.search(r"--hash=sha256:[0-9a-f]{64}$", block.rstrip()) for block in blocks(read(name))
    )


def test_every_promise_is_pinned_and_kept() -> None:
    pinned = pins(read("constraints.txt"))
    broken = [str(each) for each in promised() if pinned[normal(each.name)] not in each.specifier]
    assert broken == []
    assert all({one.operator for one in each.specifier} == {">="} for each in promised())
