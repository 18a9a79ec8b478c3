"""Bytes that look for new ways through the server's parser: a program for atheris, which it ends.

``python tests/faults/atheris_requests.py -runs=200000``; every answer must be nothing, or whole and
below 500.
"""

from __future__ import annotations

import io
import sys
from typing import Any

import atheris

with atheris.instrument_imports(include=["http", "urllib", "email", "zscape.explorer.server"]):
    from zscape.explorer import server as served

from tools.web_fixtures import small_images, small_model

from zscape.explorer import ExplorerServer, build_scene


class Wire:
    """What a handler takes for a socket: it reads ``data``, and what it answers is kept."""

    def __init__(self, data: bytes) -> None:
        self.data, self.answer = data, b""

    def makefile(self, *_: Any) -> io.BytesIO:
        return io.BytesIO(self.data)

    def sendall(self, data: bytes) -> None:
        self.answer += data

    def setsockopt(self, *_: Any) -> None:
        pass


vae = small_model()
SERVER = ExplorerServer(build_scene(vae, small_images(40), maps="pca", weights="f32"), vae)


def test_one(data: bytes) -> None:
    """One connection, to its end; byte 1 stands for the server's name, which is hard to guess."""
    wire = Wire(data.replace(b"\x01", f"127.0.0.1:{SERVER.port}".encode()))
    served._Handler(wire, ("127.0.0.1", 1), SERVER)  # type: ignore[arg-type]
    SERVER._closing_at.clear()
    if wire.answer:
        assert wire.answer.startswith(b"HTTP/1.1 ")
        assert 100 <= int(wire.answer[9:12]) < 500 or wire.answer[9:12] == b"505"


if __name__ == "__main__":
    atheris.Setup(sys.argv, test_one)
    atheris.Fuzz()
