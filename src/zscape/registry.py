"""A name → class table that also takes ``module:Class``, so that users need no fork."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from zscape.errors import ConfigError

T = TypeVar("T")


class Registry(Generic[T]):
    """Classes by name; iterates over the registered names."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._table: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """A class decorator that enters its class as ``name``."""

        def enter(entry: T) -> T:
            if self._table.setdefault(name, entry) is not entry:
                raise ConfigError(f"A {self.kind} called {name} is registered already.")
            return entry

        return enter

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __getitem__(self, name: str) -> T:
        """The class called ``name``, or the one at ``module:Class`` on the import path."""
        if name in self._table:
            return self._table[name]
        if ":" in name:
            return self._import(name)
        raise ConfigError(
            f"{self.kind} must be one of {', '.join(self._table)} or module:Class; got {name!r}."
        )

    def _import(self, name: str) -> T:
        module, _, attribute = name.partition(":")
        # An installed command, unlike `python -m`, does not look into the working folder.
        if "" not in sys.path:
            sys.path.insert(0, "")
        try:
            entry: T = getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError, TypeError, ValueError) as error:
            raise ConfigError(f"{self.kind} {name!r} cannot be imported: {error}.") from error
        return entry
