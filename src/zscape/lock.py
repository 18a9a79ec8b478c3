"""One process at a time: a lock file that says who holds it."""

from __future__ import annotations

import errno
import json
import logging
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from zscape.errors import ConfigError
from zscape.files import writing

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_TAKEN = (errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK)
_log = logging.getLogger(__name__)


@contextmanager
def held(path: Path, doing: str) -> Iterator[None]:
    """Hold the lock file ``path`` during the block, as the only process of any machine.

    The system keeps the lock and lets go of it however a process ends: none is ever stale, and
    a file that lies there says nothing by itself. Where a file system keeps no locks, or not
    between machines, a warning says so.

    Parameters
    ----------
    doing
        What the holder does, for the message: "runs/a is being trained".

    Raises
    ------
    ConfigError
        Another process holds it, or the file cannot be written.
    """
    with writing(path):
        file = _take(path, doing)
    try:
        yield
    finally:
        with suppress(OSError):  # the folder may be gone; and Windows removes no open file
            path.unlink()
        file.close()
        if sys.platform == "win32":
            with suppress(OSError):
                path.unlink()


def is_held(path: Path) -> bool:
    """Whether a process holds the lock file ``path``; for a person to know, nobody waits for it."""
    try:
        file = path.open(encoding="utf-8")
    except OSError:
        return False
    with file:
        if sys.platform == "win32":
            return True  # there, it is gone with its holder
        try:
            # Shared, so that two who look do not see each other; let go of as the file is closed.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno in _TAKEN
    return False


def _take(path: Path, doing: str) -> TextIO:
    while True:
        file = path.open("a+", encoding="utf-8")
        try:
            _lock(file, path, doing)
            # Its last holder may have removed it after it was opened here.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                    _sign(file, path)
                    return file
        except BaseException:
            file.close()
            raise
        file.close()


def _lock(file: TextIO, path: Path, doing: str) -> None:
    try:
        if sys.platform == "win32":
            os.lseek(file.fileno(), 2**30, os.SEEK_SET)  # the text stays readable
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _TAKEN:
            raise ConfigError(
                f"{doing} {_in_words(_read(file))}; wait for it, stop it, or choose another folder."
            ) from error
        _log.warning(
            "%s: this file system keeps no locks (%s); nothing keeps a second process away.",
            path, error.strerror,
        )  # fmt: skip


def _sign(file: TextIO, path: Path) -> None:
    left = _read(file)
    if left and left.get("host") != socket.gethostname():
        _log.warning(
            "%s was left %s; if that still runs, stop it: the file system does not tell.",
            path, _in_words(left),
        )  # fmt: skip
    since = datetime.now().astimezone().isoformat(" ", "seconds")
    holder = {"pid": os.getpid(), "host": socket.gethostname(), "since": since}
    file.truncate(0)
    json.dump(holder, file)
    file.flush()


def _read(file: TextIO) -> dict[str, Any]:
    file.seek(0)
    try:
        content = json.load(file)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _in_words(holder: dict[str, Any]) -> str:
    if not {"pid", "host", "since"} <= holder.keys():
        return "by another process"
    return f"by process {holder['pid']} on {holder['host']} since {holder['since']}"
