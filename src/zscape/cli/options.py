"""Command-line flags made from the configs, so that an option is declared once."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, get_type_hints

import typer

from zscape.config import CONFIGS, Config, field_type


def with_options(
    *configs: type[Config], names: set[str] | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command one flag per option of ``configs`` (only ``names``, if given).

    The command receives in ``options`` those that were typed, and only those: the defaults stay
    where they are declared.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command)
        hints = get_type_hints(command, include_extras=True)
        own = [
            parameter.replace(annotation=hints[name])
            for name, parameter in signature.parameters.items()
            if name != "options"
        ]
        flags = [
            _flag(config, field)
            for config in configs
            for field in dataclasses.fields(config)  # type: ignore[arg-type]
            if field.metadata["is_flag"] and (names is None or field.name in names)
        ]

        @wraps(command)
        def run(**arguments: Any) -> None:
            options = {flag.name: arguments.pop(flag.name) for flag in flags}
            typed = {name: value for name, value in options.items() if value is not None}
            command(**arguments, options=typed)

        run.__annotations__ = {p.name: p.annotation for p in [*own, *flags]}
        run.__signature__ = signature.replace(parameters=[*own, *flags])  # type: ignore[attr-defined]
        return run

    return decorate


ALL_CONFIGS = tuple(CONFIGS.values())


def _flag(config: type[Config], field: dataclasses.Field[Any]) -> inspect.Parameter:
    annotation = field_type(config, field.name)
    kind = next(kind for kind in (bool, int, float, str) if _admits(annotation, kind))
    help_text = field.metadata["help"]
    if field.default not in (None, False):
        help_text += f" (default {field.default})"
    panel = config.__name__.removesuffix("Config")
    option = typer.Option(help=help_text, rich_help_panel=panel, show_default=False)
    return inspect.Parameter(
        field.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[kind | None, option],
    )


def _admits(annotation: Any, kind: type) -> bool:
    return annotation is kind or kind in getattr(annotation, "__args__", ())
