"""Every error zscape raises on purpose.

A message is one sentence a person can act on: what, where, what is allowed, what came.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager


class ZscapeError(Exception):
    """Root of the tree; the command line turns it into one line and exit code 2."""


class ConfigError(ZscapeError, ValueError):
    """A setting is outside its range or contradicts another."""


class DiskFull(ConfigError):
    """Nothing more can be written where it would have to be."""


class ShapeError(ZscapeError, ValueError):
    """An array does not have the shape that is needed."""


class DataError(ZscapeError):
    """Images or labels could not be read, or are not what they claim to be."""


class CheckpointError(ZscapeError):
    """Weights or a run folder are missing, damaged, or belong to another model."""


class TrainingDiverged(ZscapeError):
    """A loss or gradient stopped being finite; the last good checkpoint is kept."""


class ProcessLost(ZscapeError):
    """Another process of the same training has ended; the last good checkpoint is kept."""


class MissingExtraError(ZscapeError, ImportError):
    """An optional dependency is needed; the message names the extra to install."""


FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)
"""What ends a whole piece of work, as it would end every further step."""


def is_full(error: BaseException) -> bool:
    """Whether an error says that nothing more can be written."""
    return isinstance(error.__cause__, OSError) and error.__cause__.errno in FULL


@contextmanager
def needing(extra: str, what: str) -> Iterator[None]:
    """Around imports of what only ``extra`` installs, without which there is no ``what``.

    Raises
    ------
    MissingExtraError
        One of them is not installed.
    """
    try:
        yield
    except ImportError as error:
        package = (error.name or "zscape").partition(".")[0]
        if package == "zscape":
            raise
        raise MissingExtraError(
            f"{what} needs the package {package}: pip install 'zscape[{extra}]'."
        ) from error
