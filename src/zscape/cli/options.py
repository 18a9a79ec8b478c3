"""Command-line flags that several commands share: declared once, handed to a command as one value.

A command names one parameter for a whole block of flags; a decorator puts the flags in its place.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Sequence
from contextvars import copy_context
from functools import wraps
from typing import Annotated, Any, Literal, TypeAlias, get_type_hints

import typer

from zscape.config import CONFIGS, Config, check_heeded, field_type

Command: TypeAlias = Callable[..., None]


def replacing(
    name: str, flags: Sequence[inspect.Parameter], make: Callable[..., Any]
) -> Callable[[Command], Command]:
    """Decorator: ``flags`` stand for the parameter ``name``, which becomes ``make(**values)``.

    Arguments among the flags come first on the command line, options last in the help.
    """

    def decorate(command: Command) -> Command:
        hints = get_type_hints(command, include_extras=True)
        own = [
            parameter.replace(annotation=hints[other], kind=inspect.Parameter.KEYWORD_ONLY)
            for other, parameter in inspect.signature(command).parameters.items()
            if other != name
        ]
        is_first = [flag.default is inspect.Parameter.empty for flag in flags]
        first = [flag for flag, leads in zip(flags, is_first, strict=True) if leads]
        last = [flag for flag, leads in zip(flags, is_first, strict=True) if not leads]
        parameters = [*first, *own, *last]

        @wraps(command)
        def run(**arguments: Any) -> None:
            values = {flag.name: arguments.pop(flag.name) for flag in flags}
            # What a model says of how its pictures are drawn holds for this command.
            copy_context().run(command, **arguments, **{name: make(**values)})

        run.__annotations__ = {p.name: p.annotation for p in parameters}
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return run

    return decorate


def flag(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    """One flag of a block, as typer takes it; without a default it is an argument."""
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )


def with_options(
    *configs: type[Config], names: set[str] | None = None
) -> Callable[[Command], Command]:
    """Give a command one flag per option of ``configs`` (only ``names``, if given).

    The command receives in ``options`` those that were typed, and only those: the defaults stay
    where they are declared.
    """
    flags = [
        option_flag(config, field.name)
        for config in configs
        for field in dataclasses.fields(config)  # type: ignore[arg-type]
        if field.metadata["is_flag"] and (names is None or field.name in names)
    ]

    def typed(**options: Any) -> dict[str, Any]:
        known = {name: value for name, value in options.items() if value is not None}
        check_heeded(known, lambda name: f"--{name.replace('_', '-')}")
        return known

    return replacing("options", flags, typed)


ALL_CONFIGS = tuple(CONFIGS.values())


def option_flag(config: type[Config], name: str) -> inspect.Parameter:
    """The flag of an option of ``config``, which is None where it was not typed."""
    field = next(field for field in dataclasses.fields(config) if field.name == name)  # type: ignore[arg-type]
    annotation = field_type(config, field.name)
    kind: Any = next(kind for kind in (bool, int, float, str) if _admits(annotation, kind))
    help_text = field.metadata["help"]
    if field.default not in (None, False):
        help_text += f" (default {field.default})"
    panel = config.__name__.removesuffix("Config")
    if choices := field.metadata["choices"]:
        kind = Literal[choices]
    called = f"--{name.replace('_', '-')}"
    says_no = kind is bool and called.startswith("--no-")
    names = (f"{called}/--{called.removeprefix('--no-')}",) if says_no else ()
    option = typer.Option(*names, help=help_text, rich_help_panel=panel, show_default=False)
    return flag(field.name, Annotated[kind | None, option], None)


def _admits(annotation: Any, kind: type) -> bool:
    return annotation is kind or kind in getattr(annotation, "__args__", ())
