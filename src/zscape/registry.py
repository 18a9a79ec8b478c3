"""Name → class (or function) of one kind, so that users need no fork.

Looking a name up never imports what it says, since names stand in files, and files come from
anywhere. Code of a user's own gets in by being imported, by being typed as ``module:Class``
(``Registry.allow``), or with an installed package that has an entry point in ``zscape.plugins``.
"""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Generic, TypeVar

from zscape.errors import ConfigError

T = TypeVar("T")

PLUGINS = "zscape.plugins"
"""Entry-point group; each names a module that registers what it has when it is imported."""

BUILT_IN: dict[str, dict[str, str]] = {
    "network": {"enhanced": "zscape.model.enhanced", "mlp": "zscape.model.mlp"},
    "likelihood": {
        **dict.fromkeys(
            ("bernoulli", "continuous-bernoulli", "gaussian", "gaussian-learned"),
            "zscape.model.likelihoods",
        ),
        **dict.fromkeys(("discretized-logistic", "categorical"), "zscape.model.grey_levels"),
    },
    "objective": dict.fromkeys(("elbo", "iwae", "dreg"), "zscape.model.objectives"),
    "map method": {
        "pca": "zscape.embedding.methods", "tsne": "zscape.embedding.tsne",
        "umap": "zscape.embedding.umap", "pair": "zscape.embedding.methods",
    },
    "inverse": {
        "local": "zscape.embedding.inverse", "nearest": "zscape.embedding.inverse",
        "learned": "zscape.embedding.learned", "exact": "zscape.embedding.inverse",
        "umap": "zscape.embedding.inverse",
    },
    "kind of file": dict.fromkeys(
        ("pictures", "IDX files", ".csv", ".tsv", ".jsonl", ".parquet", ".arrow", ".feather",
         ".npz", ".npy", ".mat", ".pt", ".hdf5", ".h5"),
        "zscape.data.containers",
    ),
}  # fmt: skip
"""Kind → name → the module that registers it, which is imported when the name is looked up.

So help texts list what there is, in this order, without importing any of it.
"""

_log = logging.getLogger(__name__)


def built_in(kind: str) -> str:
    """What zscape itself has of a kind, for a help text: ``enhanced, mlp``."""
    return ", ".join(BUILT_IN[kind])


class Registry(Generic[T]):
    """Entries of one kind by name; iterates over the registered names.

    Parameters
    ----------
    kind
        What an entry is, for messages.
    base
        The class that every entry must be a subclass of; None where entries are no classes.
    option
        Under which name a person gives one of their own: ``network=`` and ``--network``. None
        where entries are not chosen by name.
    """

    def __init__(self, kind: str, base: type | None = None, *, option: str = "") -> None:
        self.kind, self.base, self.option = kind, base, option
        self._table: dict[str, T] = {}
        self._homes = BUILT_IN.get(kind, {})

    def register(self, name: str) -> Callable[[T], T]:
        """A decorator that enters what it decorates as ``name``.

        A second entry of one module and qualified name replaces the first, so that a notebook's
        cell can be run again.

        Raises
        ------
        ConfigError
            Another entry has the name, or it is no subclass of ``base``.
        """

        def enter(entry: T) -> T:
            self._check(name, entry)
            known = self._table.get(name)
            if known is not None and home_of(known) != home_of(entry):
                raise ConfigError(f"A {self.kind} called {name} is registered already.")
            self._table[name] = entry
            return entry

        return enter

    def allow(self, entry: str | T, *, here: bool = False) -> str:
        """The name of what a person gave, which from now on can be looked up.

        Parameters
        ----------
        entry
            A registered name, the entry itself, or ``module:Class``, which is imported. Never
            pass a name that was read from a file.
        here
            Whether the module may lie in the working folder, as an installed command, unlike
            ``python -m``, does not look there.

        Raises
        ------
        ConfigError
            There is none of that name, it cannot be imported, or is no subclass of ``base``.
        """
        if not isinstance(entry, str):
            if not hasattr(entry, "__qualname__"):
                raise ConfigError(
                    f"{self.kind} must be a name or a class; got a {type(entry).__name__}."
                )
            same = [name for name, known in self._table.items() if known is entry]
            name = same[0] if same else home_of(entry)
            self.register(name)(entry)
            return name
        if ":" in entry and self._find(entry) is None:
            self.register(entry)(self._import(entry, here))
        self[entry]
        return entry

    def __iter__(self) -> Iterator[str]:
        load_plugins()
        return iter(dict.fromkeys((*self._homes, *self._table)))

    def values(self) -> tuple[T, ...]:
        """All entries, the first registered first."""
        return tuple(self[name] for name in self)

    def __getitem__(self, name: str) -> T:
        """The entry called ``name``, be it the registered name or its own ``module:Class``.

        Raises
        ------
        ConfigError
            There is none; the message lists those there are, and says how to allow another.
        """
        if (found := self._find(name)) is not None:
            return found
        known = ", ".join(self)
        if (found := self._find(name)) is not None:
            return found
        own = (
            f", or your own, allowed by --{self.option} module:Class "
            f"(in Python {self.option}='module:Class')"
        )
        raise ConfigError(
            f"{self.kind} must be one of {known}{own if self.option else ''}; got {name!r}."
        )

    def _find(self, name: str) -> T | None:
        home = self._homes.get(name, name.partition(":")[0])
        if home in self._homes.values():
            importlib.import_module(home)
        if name in self._table:
            return self._table[name]
        return next((entry for entry in self._table.values() if home_of(entry) == name), None)

    def _check(self, name: str, entry: Any) -> None:
        if self.base is not None and not (isinstance(entry, type) and issubclass(entry, self.base)):
            raise ConfigError(f"{self.kind} {name!r} is not a subclass of {self.base.__name__}.")
        if missing := getattr(entry, "__abstractmethods__", None):
            raise ConfigError(f"{self.kind} {name!r} lacks {', '.join(sorted(missing))}.")

    def _import(self, name: str, here: bool) -> T:
        module, _, attribute = name.partition(":")
        try:
            with _working_folder(here):
                entry: T = getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError, TypeError, ValueError) as error:
            raise ConfigError(f"{self.kind} {name!r} cannot be imported: {error}.") from error
        return entry


def home_of(entry: Any) -> str:
    """``module:Class`` of a class or function."""
    return f"{entry.__module__}:{entry.__qualname__}"


@cache
def load_plugins() -> None:
    """Import, once, what installed packages name in the entry-point group ``zscape.plugins``."""
    for plugin in entry_points(group=PLUGINS):
        try:
            plugin.load()
        # Whatever is wrong with someone's plugin, everything else must go on working.
        except Exception as error:
            _log.warning("the plugin %s (%s) failed: %s", plugin.name, plugin.value, error)


@contextmanager
def _working_folder(is_wanted: bool) -> Iterator[None]:
    """The working folder first on the import path, for as long as this lasts."""
    folder = str(Path.cwd())
    if not is_wanted or folder in sys.path:
        yield
        return
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        with suppress(ValueError):  # the module may have put the path in order itself
            sys.path.remove(folder)
