"""How the site shows a docstring: sections in our style (see CONTRIBUTING.md) as Markdown.

An extension of Griffe, which reads the sources for the reference pages.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

SECTION = re.compile(r"^([A-Z]\w+)\n-{3,}\n", re.MULTILINE)
NAMED = ("Parameters", "Raises", "Attributes", "Yields")
"""Sections of names, each with what is said of it below, indented."""


class AsMarkdown(griffe.Extension):
    """Replaces every docstring by its Markdown as it is read."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Of anything that has one."""
        if obj.docstring is not None:
            obj.docstring.value = as_markdown(obj.docstring.value)


def as_markdown(text: str) -> str:
    """A docstring with its sections as headings and lists, and its examples as code."""
    opening, *rest = SECTION.split(text)
    parts = [opening]
    for title, body in zip(rest[::2], rest[1::2], strict=True):
        parts.append(f"**{title}**\n\n{_entries(body) if title in NAMED else body}")
    return fenced("\n\n".join(part.strip() for part in parts if part.strip()))


def _entries(body: str) -> str:
    """``name`` and what is indented below it, as an item of a list each."""
    found = re.findall(r"^(\S.*)\n((?:[ \t]+\S.*\n?|\n)*)", body + "\n", re.MULTILINE)
    lines = []
    for names, told in found:
        called = ", ".join(f"`{name.strip(' `')}`" for name in names.split(","))
        lines.append(f"- {called}: {' '.join(told.split())}".rstrip(": "))
    return "\n".join(lines)


def fenced(text: str) -> str:
    """Examples and tables of text between fences, where Markdown leaves them as they are."""
    blocks = re.split(r"\n\s*\n", text)
    for number, block in enumerate(blocks):
        first = block.lstrip().splitlines()[0] if block.strip() else ""
        if first.startswith(">>> "):
            blocks[number] = f"```pycon\n{block}\n```"
        elif first.startswith("==="):
            blocks[number] = f"```text\n{block}\n```"
    return "\n\n".join(blocks)
