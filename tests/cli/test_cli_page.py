"""The page docs/commands.md: every command of it parses, and every sub-command is on it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from zscape.cli.app import app

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "commands.md").read_text()
BLOCKS = re.findall(r"^```\n(.*?)^```$", PAGE, flags=re.DOTALL | re.MULTILINE)
EXAMPLES = [line for block in BLOCKS for line in block.splitlines()]


def parsed(words: list[str]) -> list[str]:
    """The names of the commands that ``words`` lead to; raises what a wrong option raises."""
    command: Any = typer.main.get_command(app)
    names = []
    context = command.make_context("zscape", words)
    while hasattr(command, "commands"):
        rest = [*context._protected_args, *context.args]
        name, command, rest = command.resolve_command(context, rest)
        names.append(name)
        context = command.make_context(name, rest, parent=context)
    return names


@pytest.mark.parametrize("line", EXAMPLES)
def test_an_example_parses(line: str) -> None:
    program, *words = shlex.split(line)
    assert program == "zscape"
    names = parsed(words)
    assert names[0] == words[0]


def test_the_probe_sees_a_wrong_option() -> None:
    with pytest.raises(typer.TyperException, match="No such option"):
        parsed(["walk", "random", "zoo:10", "--sed", "1"])


@pytest.mark.parametrize("group", ["walk", "map", "neurons"])
def test_every_sub_command_has_an_example(group: str) -> None:
    commands: Any = typer.main.get_command(app)
    shown = {tuple(parsed(shlex.split(line)[1:])[:2]) for line in EXAMPLES}
    assert {(group, name) for name in commands.commands[group].commands} <= shown


def test_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#]+)", PAGE):
        assert (ROOT / "docs" / link).exists(), link
