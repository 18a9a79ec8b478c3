from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
import typer
from cli_helpers import OPTIONS, save_npz

from zscape.cli import main


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture(autouse=True, scope="session")
def commands() -> Iterator[None]:
    """They are put together once, not for every call: a program does so once too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.main, "get_command", cache(typer.main.get_command))
        yield


@pytest.fixture
def cli(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Outcome]]:
    """Call ``main`` as the installed program would, in this process."""
    handlers = [(handler, handler.level) for handler in logging.getLogger().handlers]
    logger = logging.getLogger("zscape")
    level = logger.level

    def call(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["zscape", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        return Outcome(stop.value.code, *capsys.readouterr())

    yield call
    logger.setLevel(level)
    for handler, level in handlers:
        handler.setLevel(level)


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 labelled images of 16 x 16 in an .npz."""
    return save_npz(tmp_path_factory.mktemp("source") / "blobs.npz")


@pytest.fixture(scope="session")
def finished_run(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished tiny run; not to be changed."""
    import zscape

    folder = tmp_path_factory.mktemp("cli") / "finished"
    zscape.train(source, out=folder, progress="none", **OPTIONS)
    return folder
