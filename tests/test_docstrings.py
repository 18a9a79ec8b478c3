"""Every public name says what it takes, what it gives, and what it raises.

- A docstring with a section Parameters names every parameter in it, and nothing else. In one
  without, a parameter is obvious: the words name it, or its type is one of ours, which says what
  it is.
- Tensors, arrays and tables have their shape in the first line, or a section Returns; a generator
  has a section Yields, or says "one after another".
- What the body itself raises is named.
- "See ``X``" stands for what X says, and "parameters … of ``X``" for those of X.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from dataclasses import is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
MODULES = re.findall(r'"reference/(zscape[\w.]*)\.md"', (ROOT / "zensical.toml").read_text())
"""Those that the site has a page of."""
SECTION = re.compile(r"^([A-Z]\w+)\n-{3,}\n", re.MULTILINE)
SHAPELESS = re.compile(r"\b(?:Tensor|NDArray|DataFrame|dict|tuple)\b")
SHAPE = re.compile(r"\([^)]*,[^)]*\)")
LIKE = {"ImagesLike", "ModelLike", "Openable", "Path", "StoryLike", "Tell", "VectorLike"}


def public(module: str) -> list[Any]:
    """Functions and classes of ours that ``module`` gives to everybody."""
    home = import_module(module)
    values = [getattr(home, name) for name in home.__all__ if not name.startswith("__")]
    values = [getattr(value, "__func__", value) for value in values]
    return [value for value in values if inspect.isfunction(value) or inspect.isclass(value)]


OWN = LIKE | {
    value.__name__ for name in MODULES for value in public(name) if inspect.isclass(value)
}


def parts_of(value: Any) -> Iterator[tuple[str, Any, str]]:
    """What is to be judged of a function or class: its name, the function, the docstring."""
    if not inspect.isclass(value):
        yield value.__qualname__, value, inspect.getdoc(value) or ""
        return
    for name, part in vars(value).items():
        if isinstance(part, property):
            part = part.fget
        function = getattr(part, "__func__", part)
        if not inspect.isfunction(function):
            continue
        text = inspect.cleandoc(function.__doc__ or "")
        if name == "__init__" and not (is_dataclass(value) or issubclass(value, tuple)):
            yield value.__qualname__, function, f"{inspect.getdoc(value)}\n{text}"
        elif not name.startswith("_"):
            yield f"{value.__qualname__}.{name}", function, text


def sections_of(text: str) -> tuple[str, dict[str, str]]:
    """What stands above the sections, and these."""
    opening, *rest = SECTION.split(text)
    return opening, dict(zip(rest[::2], rest[1::2], strict=True))


def names_in(section: str) -> list[str]:
    heads = [line for line in section.splitlines() if line and not line[0].isspace()]
    return [name.strip(" *`") for head in heads for name in head.split(",")]


def unsaid(function: Any, text: str) -> list[str]:
    """What the docstring ``text`` leaves out."""
    if not text.strip():
        return ["everything"]
    if text.startswith("See ``"):
        return []
    opening, sections = sections_of(text)
    return [
        *_parameters(function, text, sections),
        *_returns(function, opening, sections),
        *(f"raises {name}" for name in raised_by(function) if not _is_named(name, function, text)),
    ]


def _parameters(function: Any, text: str, sections: dict[str, str]) -> Iterator[str]:
    signature = {
        name: str(one.annotation)
        for name, one in inspect.signature(function).parameters.items()
        if name not in ("self", "cls")
    }
    if "Parameters" in sections:
        named = names_in(sections["Parameters"])
        yield from (name for name in signature if name not in named)
        yield from (f"{name}, which it has not" for name in named if name not in signature)
    elif not re.search(r"parameters (?:as|are those) of ``", text):
        for name, kind in signature.items():
            is_own = OWN & set(re.findall(r"\w+", kind))
            if not is_own and not re.search(rf"\b{name}\b", text, re.IGNORECASE):
                yield name


def _returns(function: Any, opening: str, sections: dict[str, str]) -> Iterator[str]:
    given = str(inspect.signature(function).return_annotation)
    if inspect.isgeneratorfunction(function):
        if "Yields" not in sections and "one after an" not in opening:
            yield "yields"
    elif "Parameters" in sections and "Returns" not in sections and SHAPELESS.search(given):
        first = opening.split("\n\n")[0]
        if not SHAPE.search(first):
            yield "returns"


def raised_by(function: Any) -> set[str]:
    """Classes whose instances the body raises; not what functions in it raise, or it catches."""
    body = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function)))).body[0]

    def within(node: ast.AST) -> Iterator[ast.AST]:
        caught = node.body if isinstance(node, ast.Try) and node.handlers else []
        for child in ast.iter_child_nodes(node):
            if child not in caught and not isinstance(child, ast.FunctionDef | ast.Lambda):
                yield child
                yield from within(child)

    raised = [one.exc for one in within(body) if isinstance(one, ast.Raise) and one.exc]
    called = [one.func if isinstance(one, ast.Call) else one for one in raised]
    return {one.id for one in called if isinstance(one, ast.Name) and one.id[0].isupper()}


def _is_named(name: str, function: Any, text: str) -> bool:
    """Whether the class, or one that it is a kind of, is."""
    kinds = getattr(inspect.unwrap(function).__globals__.get(name), "__mro__", ())
    ours = [kind.__name__ for kind in kinds if kind.__module__.startswith("zscape")]
    return any(kind in text for kind in [name, *ours])


@pytest.mark.parametrize("module", MODULES)
def test_nothing_public_is_left_unsaid(module: str) -> None:
    left = {
        name: missing
        for value in public(module)
        if value.__module__.startswith("zscape")
        for name, function, text in parts_of(value)
        if (missing := unsaid(function, text))
    }
    assert left == {}


def complete(x: int, y: int) -> tuple[int, int]:
    """The pair (x, y).

    Parameters
    ----------
    x, y
        Any.

    Raises
    ------
    ValueError
        They are equal.
    """
    if x == y:
        raise ValueError
    return x, y


def incomplete(x: int, y: int) -> dict[str, int]:
    """A pair.

    Parameters
    ----------
    x, z
        Any.
    """
    if x == y:
        raise ValueError
    return {"x": x}


def brief(x: int, other: Path) -> int:
    """What lies beside it."""
    return x


def test_what_is_left_out_is_seen() -> None:
    assert unsaid(complete, inspect.getdoc(complete) or "") == []
    assert unsaid(incomplete, inspect.getdoc(incomplete) or "") == [
        "y", "z, which it has not", "returns", "raises ValueError",
    ]  # fmt: skip
    assert unsaid(brief, brief.__doc__ or "") == ["x"]
    assert unsaid(brief, "") == ["everything"]
