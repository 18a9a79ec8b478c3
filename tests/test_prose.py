"""Every measured number of the docs says which file it stands in, and is what stands there.

After the number, as a comment that no reader sees: ``96 s<!-- benchmarks/results.json a.b.0 -->``,
by a factor where the units differ (``… a.b *1e-6``); ``<!-- set -->`` is a number that was chosen,
not measured.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open

ROOT = Path(__file__).parents[1]
WRITTEN = ("published.md", "reliability.md", "results.md", "stability.md")
"""Written by a command, numbers and all."""
PAGES = [
    ROOT / "README.md",
    *sorted(page for page in (ROOT / "docs").rglob("*.md") if page.name not in WRITTEN),
]
NUMBER = r"(?<![\w.,:/#-])\d+(?:[ ,]\d{3})*(?:\.\d+)?"
UNIT = (
    r"(?:CPU )?(?:nats|seconds?|minutes?|s|ms|MB|KB|GB|%|times|images(?:/s| a second)|percent)\b|%"
)
SAID = re.compile(
    rf"(?P<number>{NUMBER})[^<>\d]{{0,24}}"
    r"<!-- (?P<file>[\w./-]+\.(?:json|safetensors)) (?P<key>\S+)(?: \*(?P<factor>\S+))? -->"
)
TYPED = re.compile(rf"{NUMBER}(?: to {NUMBER})? ?(?:{UNIT})(?!(?: [\w-]+)?<!-- )")


def prose(text: str) -> str:
    """The page without its code, tables, headings of tables and addresses of links."""
    text = re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"`[^`]*`|\]\([^)]*\)", "", text)
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("|"))


@cache
def contents(file: str) -> Any:
    if not file.endswith(".safetensors"):
        return json.loads((ROOT / file).read_text())
    with safe_open(ROOT / file, "numpy") as weights:
        return json.loads(weights.metadata()["zscape"])


def value_of(file: str, key: str) -> float:
    """What stands at ``key``: names and positions with slashes between; ~ is a space."""
    value = contents(file)
    for step in key.replace("~", " ").split("/"):
        value = value[int(step) if isinstance(value, list) else step]
    return float(value)


def agrees(shown: str, value: float) -> bool:
    """Whether ``value`` is shown, rounded to as many digits as are."""
    number = float(shown.replace(" ", "").replace(",", ""))
    _, _, decimals = shown.partition(".")
    if decimals or number % 10:
        return abs(value - number) <= 0.5000001 * 10 ** -len(decimals)
    digits = len(shown.replace(" ", "").rstrip("0"))
    return float(f"{value:.{digits}g}") == number


@pytest.mark.parametrize(
    ("shown", "value", "is_so"),
    [
        ("94.3", 94.28, True), ("94.3", 94.36, False), ("96", 96.4, True), ("96", 97.0, False),
        ("240 000", 239_600, True), ("240 000", 246_000, False), ("100", 104.0, True),
    ],
)  # fmt: skip
def test_a_number_is_what_it_rounds_to(shown: str, value: float, is_so: bool) -> None:
    assert agrees(shown, value) == is_so


def test_a_typed_number_is_seen() -> None:
    text = "It takes 96 s, or 3.2 times as long;\n95 s<!-- a.json b --> and 3 %<!-- set --> not."
    assert TYPED.findall(prose(text)) == ["96 s", "3.2 times"]
    assert [match["key"] for match in SAID.finditer(text)] == ["b"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_numbers_are_those_that_were_measured(page: Path) -> None:
    text = page.read_text()
    assert TYPED.findall(prose(text)) == []
    for match in SAID.finditer(text):
        value = value_of(match["file"], match["key"]) * float(match["factor"] or 1)
        assert agrees(match["number"], value), f"{match[0]}: {value}"
