"""Files that are written whole or not at all, and what goes wrong with them in one sentence."""

from __future__ import annotations

import errno
import glob
import io
import os
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from zscape.errors import ConfigError

if sys.platform != "win32":
    import fcntl


def write_atomic(path: Path, data: bytes | str | Iterable[bytes | memoryview]) -> None:
    """Write beside ``path``, flush to the disk, rename onto it, and flush the folder.

    A reader, or the next run after a power cut, finds the old file or the new one, never a part.
    What a process left beside it that died while it wrote the same file is removed.
    Text is written as UTF-8; see ``readable`` for what cannot be. What comes in pieces is never
    held as a whole.

    Raises
    ------
    ConfigError
        The folder is missing, may not be written, the disk is full, …; nothing is left behind.
    """
    content = data.encode(errors="backslashreplace") if isinstance(data, str) else data
    pieces = (content,) if isinstance(content, bytes) else content
    with writing(path):
        for leftover in leftovers(path):
            with suppress(OSError):
                leftover.unlink()
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=_prefix(path))
        try:
            with os.fdopen(handle, "wb") as file:
                _is_locked_by_us(handle)
                file.writelines(pieces)
                file.flush()
                os.fsync(file.fileno())
                Path(temporary).chmod(0o666 & ~_umask())
            Path(temporary).replace(path)
        except BaseException:
            with suppress(OSError):  # the disk that failed may fail again
                Path(temporary).unlink(missing_ok=True)
            raise
        _sync(path.parent)


def append(path: Path, text: str) -> None:
    """Write ``text`` at the end of ``path``, which is there, and flush to the disk.

    What was there is never written again, so a line costs the same in a long file as in a short
    one. A process that is killed here may leave a part of ``text``: who reads the file goes by the
    last line that has an end.

    Raises
    ------
    ConfigError
        As ``write_atomic``; the file is as it was before.
    """
    with writing(path), path.open("r+b") as file:
        end = file.seek(0, io.SEEK_END)
        try:
            file.write(text.encode(errors="backslashreplace"))
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            with suppress(OSError):
                os.truncate(path, end)
            raise


def make_folder(path: Path) -> None:
    """Make the folder ``path``, and those above it, if they are not there.

    Raises
    ------
    ConfigError
        It cannot be made.
    """
    with writing(path):
        missing = [folder for folder in (path, *path.parents) if not folder.exists()]
        path.mkdir(parents=True, exist_ok=True)
        for folder in missing:
            _sync(folder.parent)


def _sync(folder: Path) -> None:
    """Let what has a new name in ``folder`` keep it through a power cut."""
    if sys.platform == "win32":
        return  # there, a folder cannot be opened
    try:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        # Not every file system can, and one may write to a folder that one may not read.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EACCES):
            raise


def leftovers(path: Path) -> list[Path]:
    """Temporary files that processes left which died in ``write_atomic`` of ``path``."""
    found = path.parent.glob(f"{glob.escape(_prefix(path))}{'[a-z0-9_]' * 8}")
    return [file for file in found if _is_abandoned(file)]


def _prefix(path: Path) -> str:
    # The name, cut: with what is added it may be longer than a file system allows.
    return f".{path.name[:50]}."


def _is_abandoned(temporary: Path) -> bool:
    try:
        with temporary.open("rb") as file:
            return _is_locked_by_us(file.fileno())
    except OSError:
        return False


def _is_locked_by_us(handle: int) -> bool:
    """Lock an open file until it is closed, or its process dies; false if another has done so."""
    if sys.platform == "win32":
        return True  # there, the other's file cannot be removed
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Make what the system says while ``path`` is written a ``ConfigError`` that names it."""
    try:
        yield
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror or error}.") from error


def check_writable(path: Path, *, makes_folders: bool = False) -> None:
    """Raise ``ConfigError`` now if ``write_atomic`` could not write ``path`` later.

    Parameters
    ----------
    makes_folders
        Folders that are missing will be made first.
    """
    with writing(path):
        with suppress(FileNotFoundError):
            if path.stat() and path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        folder = path.parent
        while makes_folders and not folder.exists() and folder != folder.parent:
            folder = folder.parent
        with tempfile.TemporaryFile(dir=folder):
            pass


def is_special(path: Path) -> bool:
    """Whether this is a pipe, a socket or a device, which may keep whoever reads it for ever."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def check_utf8(path: Path) -> None:
    """Raise ``ConfigError`` if ``path`` is not UTF-8: safetensors opens no file by such a name."""
    if readable(str(path)) != str(path):
        raise ConfigError(
            f"{readable(str(path))}: the name is not UTF-8, which the format of weights and maps "
            f"needs; choose another."
        )


def readable(text: str) -> str:
    r"""The name of a file as text that every program can read and write.

    A name on disk is bytes, and those that are not UTF-8 come as half a character each, which
    nothing can encode: they become ``\udcff`` and the like. Other text is returned as it is.
    """
    return text.encode(errors="backslashreplace").decode()


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
