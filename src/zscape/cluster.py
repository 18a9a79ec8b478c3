"""Joining a Ray cluster, or starting one on this machine."""

from __future__ import annotations

import logging
import os
import socket

from zscape.errors import ConfigError, needing

ANSWER = 10.0
"""Seconds within which an address has to answer."""

ENVIRONMENT = {
    "RAY_AIR_NEW_OUTPUT": "0", "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1", "RAY_raylet_start_wait_time_s": "120",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
}  # fmt: skip
"""Read as Ray is imported: it neither prints nor heeds signals, which we do, and has time to start
on a machine that is busy."""


def check_installed(part: str) -> None:
    """Import ``ray.tune`` or ``ray.data`` as we need it.

    Raises
    ------
    MissingExtraError
        Ray is not installed.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    with needing("ray", "engine ray"):
        __import__(f"ray.{part}")


def connect(address: str | None) -> None:
    """Join the cluster at ``host:port`` or ``"auto"``, or start one here.

    Raises
    ------
    ConfigError
        Nobody answers, or what answers is no Ray of this version.
    """
    import ray

    host, _, port = (address or "").rpartition(":")
    try:
        if host and port.isdigit() and "/" not in host:  # Ray itself tries for a minute
            socket.create_connection((host, int(port)), ANSWER).close()
        ray.init(address or "local", include_dashboard=None if address else False,
                 log_to_driver=False, logging_level=logging.ERROR)  # fmt: skip
    except Exception as error:  # Ray has no class of its own for each that it says
        where = f"at {address}" if address else "on this machine"
        said = getattr(error, "strerror", None) or str(error) or type(error).__name__
        reason = " ".join(said.split()).rstrip(".")
        raise ConfigError(f"no Ray answers {where}: {reason}.") from error
