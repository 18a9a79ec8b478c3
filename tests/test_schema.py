"""JSON from files: what is not of its shape is said, and where."""

from __future__ import annotations

import json
from typing import Any

import pytest

from zscape.schema import MOST_DEEP, parse

SHAPE = {"n": int, "loss": (float, None), "names": [str], "of?": {str: {"x": float}}}
GOOD: dict[str, Any] = {"n": 1, "loss": 2, "names": ["a"], "of": {"b": {"x": 0.5}}, "more": []}


def test_what_is_of_its_shape_comes_back() -> None:
    assert parse(json.dumps(GOOD), SHAPE) == GOOD
    assert parse('{"n": 1, "loss": null, "names": []}', SHAPE)["loss"] is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": 1.5}, "n must be a whole number; got '1.5'"),
        ({"n": True}, "n must be a whole number"),
        ({"n": 10**30}, "n must be a whole number"),
        ({"loss": float("nan")}, "loss must be a number; got 'nan'"),
        ({"loss": float("inf")}, "loss must be a number"),
        ({"names": "a"}, "names must be a list"),
        ({"names": ["a", 1]}, r"names\[1\] must be text"),
        ({"of": {"b": {}}}, r"of\.b\.x is missing"),
        ({"of": None}, "of must be a mapping"),
    ],
)
def test_what_is_not_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        parse(json.dumps(GOOD | change), SHAPE)


@pytest.mark.parametrize("depth", [MOST_DEEP + 1, 900, 100_000])
def test_what_nests_too_deep_is_refused(depth: int) -> None:
    with pytest.raises(ValueError, match="nests more than"):
        parse("[" * depth + "]" * depth)
