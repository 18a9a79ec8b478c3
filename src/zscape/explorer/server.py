"""The explorer as a page of this machine: the standard library's server, loopback only."""

from __future__ import annotations

import errno
import io
import logging
import math
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from zscape._version import __version__
from zscape.errors import ConfigError, ZscapeError
from zscape.explorer.blocks import Bytes
from zscape.explorer.kernel import Kernel
from zscape.explorer.page import BUNDLE, SERVER_POLICY, read_bundle, server_page
from zscape.explorer.scene import Scene
from zscape.model import VAE

HOST = "127.0.0.1"
PATIENCE_SECONDS = 60
"""A connection that has not asked, or not taken its answer, within so long is closed."""
MAX_CONNECTIONS = 256
"""Each has a thread; one more ends the one that would be closed next."""

_log = logging.getLogger(__name__)


class ExplorerServer(ThreadingHTTPServer):
    """Serves one scene, and decodes and encodes for networks that the page cannot run.

    Leaving its ``with`` block, or ``server_close``, ends all its connections and threads.

    Parameters
    ----------
    scene
        What the page shows.
    vae
        The model of the scene.
    port
        0: any that is free.

    Raises
    ------
    ConfigError
        The port is taken or may not be used.
    CheckpointError
        The scene is of another model.
    """

    # An answer may be in the middle of the network, where the interpreter cannot end in peace.
    daemon_threads = False
    request_queue_size = 128
    # Windows would let two servers share a port.
    allow_reuse_address = hasattr(errno, "EADDRINUSE") and not hasattr(errno, "WSAEADDRINUSE")

    def __init__(self, scene: Scene, vae: VAE, port: int = 0) -> None:
        scene.check_belongs(vae)
        self.kernel = Kernel(vae)
        self.files = _files(scene)
        self._closing_at: dict[socket.socket, float] = {}
        self._background: threading.Thread | None = None
        with _naming(port):
            super().__init__((HOST, port), _Handler)

    @property
    def port(self) -> int:
        """The port in use."""
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        """Address of the page."""
        return f"http://{HOST}:{self.port}/"

    @property
    def names(self) -> set[str]:
        """What a browser on this machine may call this server."""
        return {f"{host}:{self.port}" for host in (HOST, "localhost")}

    def handle_error(self, request: Any, client_address: Any) -> None:
        """See ``socketserver``; a browser that hangs up is no error of ours."""
        _log.debug("connection from %s", client_address, exc_info=True)

    def run_in_background(self) -> threading.Thread:
        """Serve from a thread, until ``shutdown`` or ``server_close``."""
        thread = threading.Thread(
            target=self.serve_forever, args=(0.05,), name="zscape explorer", daemon=True
        )
        thread.start()
        self._background = thread
        return thread

    def process_request(self, request: Any, client_address: Any) -> None:
        """See ``socketserver``; answers in a thread, and remembers the connection."""
        while len(self._closing_at) >= MAX_CONNECTIONS:
            self._hang_up(min(dict(self._closing_at).items(), key=lambda item: item[1])[0])
        self.wait_for(request)
        super().process_request(request, client_address)

    def wait_for(self, connection: Any, seconds: float | None = None) -> None:
        """Close ``connection`` unless it is heard of within ``PATIENCE_SECONDS``, or ``seconds``.

        However little arrives how often: a timeout of the socket would begin anew with every byte.
        """
        patience = PATIENCE_SECONDS if seconds is None else seconds
        self._closing_at[connection] = time.monotonic() + patience

    def service_actions(self) -> None:
        """Hang up on whom was waited for long enough."""
        now = time.monotonic()
        for connection, closing_at in list(self._closing_at.items()):
            if closing_at < now:
                self._hang_up(connection)

    def _hang_up(self, connection: socket.socket) -> None:
        """Its thread ends at its next read or write."""
        self._closing_at.pop(connection, None)
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    def shutdown_request(self, request: Any) -> None:
        """See ``socketserver``; hangs up."""
        super().shutdown_request(request)
        self._closing_at.pop(request, None)

    def server_close(self) -> None:
        """Hang up on every browser, and wait for the threads that answered them."""
        if self._background is not None:
            self.shutdown()
            self._background.join()
        for connection in list(self._closing_at):
            self._hang_up(connection)
        super().server_close()


def check_port(port: int) -> None:
    """Raise ``ConfigError`` if a server could not use ``port`` now."""
    with _naming(port), socket.create_server((HOST, port)):
        pass


@contextmanager
def _naming(port: int) -> Iterator[None]:
    """Make the errors of a port sentences."""
    try:
        yield
    except OverflowError as error:
        raise ConfigError(f"port must be in [0, 65535]; got {port}.") from error
    except OSError as error:
        reason = "is taken" if error.errno == errno.EADDRINUSE else f"is not for us ({error})"
        raise ConfigError(
            f"port {port} of {HOST} {reason}; choose another with --port, or 0 for a free one."
        ) from error


class _File(NamedTuple):
    kind: str
    content: Bytes
    crc32: int

    @property
    def tag(self) -> str:
        return f'"{self.crc32:08x}-{len(self.content):x}"'


def _files(scene: Scene) -> dict[str, _File]:
    """All that can be fetched, by its path."""
    texts = {
        "/": ("text/html; charset=utf-8", server_page(scene.manifest["title"])),
        f"/{BUNDLE}": ("text/javascript; charset=utf-8", read_bundle()),
        "/manifest.json": ("application/json", scene.manifest_json),
    }
    contents = {path: (kind, text.encode()) for path, (kind, text) in texts.items()}
    files = {path: _File(kind, text, crc32(text)) for path, (kind, text) in contents.items()}
    for name, data in scene.blocks.items():
        known = scene.manifest["blocks"][name]["crc32"]
        files[f"/blocks/{name}"] = _File("application/octet-stream", data, known)
    return files


def _span(asked: str, length: int) -> slice | None:
    """The bytes that a ``Range`` asks for; None for all: other units, and several spans at once."""
    match = re.fullmatch(r"bytes=(\d{1,15})-(\d{0,15})", asked)
    if match is None:
        return None
    first, last = int(match[1]), int(match[2] or length)
    return slice(first, min(last + 1, length)) if first <= last else None


class _Refused(Exception):
    def __init__(self, status: HTTPStatus, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status, self.headers = status, headers


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = f"zscape/{__version__}"
    sys_version = ""
    disable_nagle_algorithm = True  # an answer larger than one packet does not wait either
    server: ExplorerServer

    def handle_one_request(self) -> None:
        """One of a connection, which is waited for anew."""
        self.server.wait_for(self.connection)
        super().handle_one_request()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what is no request of HTTP, as any other that is refused."""
        status = HTTPStatus(code)
        _log.warning("refused what is no request: %s", message or status.phrase)
        self._refuse(_Refused(status, f"{status.phrase}."))

    def do_GET(self) -> None:
        self._answer(self._fetch)

    def do_HEAD(self) -> None:
        self._answer(self._fetch)

    def do_POST(self) -> None:
        self._answer(self._compute)

    def __getattr__(self, name: str) -> Any:
        # Any other method there is or may be: the base class looks for one called do_<method>.
        if name.startswith("do_"):
            return lambda: self._answer(self._refuse_method)
        raise AttributeError(name)

    def _answer(self, action: Callable[[str], None]) -> None:
        try:
            self._check_origin()
            try:
                path = unquote(urlsplit(self.path).path)
            except ValueError as error:  # http://[
                raise _Refused(HTTPStatus.BAD_REQUEST, "That is no address.") from error
            action(path)
        except _Refused as refused:
            self._refuse(refused)

    def _refuse(self, refused: _Refused) -> None:
        # What was not read of the body would be taken for the next request.
        self.close_connection = True
        headers = {name.replace("_", "-"): value for name, value in refused.headers.items()}
        text = f"{refused}\n".encode()
        self._send(refused.status, "text/plain; charset=utf-8", text, headers)

    def _check_origin(self) -> None:
        """Another site's page, or a foreign name that leads here, gets nothing."""
        host, origin = self.headers.get("Host", ""), self.headers.get("Origin")
        if host not in self.server.names:
            raise _Refused(HTTPStatus.FORBIDDEN, "This server answers to its own address only.")
        if origin is not None and origin != f"http://{host}":
            raise _Refused(HTTPStatus.FORBIDDEN, "This server answers to its own page only.")

    def _refuse_method(self, path: str) -> None:
        allowed = "POST" if path in _WAYS else "GET, HEAD"
        raise _Refused(
            HTTPStatus.METHOD_NOT_ALLOWED, f"{path} takes {allowed} only.", Allow=allowed
        )

    def _fetch(self, path: str) -> None:
        if path in _WAYS:
            self._refuse_method(path)
        if self.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.headers:
            self.close_connection = True  # nobody reads that body
        if path not in self.server.files:
            raise _Refused(HTTPStatus.NOT_FOUND, "There is no such page.")
        file = self.server.files[path]
        length = len(file.content)
        headers = {"ETag": file.tag, "Cache-Control": "no-cache", "Accept-Ranges": "bytes"}
        is_same = self.headers.get("If-Range", file.tag) == file.tag
        span = _span(self.headers.get("Range", ""), length) if is_same else None
        if self.headers.get("If-None-Match") == file.tag:
            self._send(HTTPStatus.NOT_MODIFIED, file.kind, b"", headers)
        elif span is None:
            self._send(HTTPStatus.OK, file.kind, file.content, headers)
        elif span.start >= length:
            raise _Refused(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "It ends before that.",
                           Content_Range=f"bytes */{length}")  # fmt: skip
        else:
            headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{length}"
            self._send(HTTPStatus.PARTIAL_CONTENT, file.kind, file.content[span], headers)

    def _compute(self, path: str) -> None:
        if path in self.server.files:
            self._refuse_method(path)
        if path not in _WAYS:
            raise _Refused(HTTPStatus.NOT_FOUND, "There is no such page.")
        body = self._body()
        self.server.wait_for(self.connection, math.inf)  # now it waits for us
        try:
            answer = _WAYS[path](self.server.kernel, body, self._condition())
        except ZscapeError as error:
            raise _Refused(HTTPStatus.BAD_REQUEST, str(error)) from error
        except Exception as error:  # a network of the user's own raises what it likes
            _log.exception("%s failed", path)
            raise _Refused(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                f"The model failed with {type(error).__name__}; the log of zscape says where.",
            ) from error
        content = answer.astype("<f4").tobytes()
        self._send(
            HTTPStatus.OK, "application/octet-stream", content, {"Cache-Control": "no-store"}
        )

    def _condition(self) -> int | None:
        """What the pictures are, of a model that is told: ``?condition=2``."""
        text = dict(parse_qsl(urlsplit(self.path).query)).get("condition")
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and len(text) < 4):
            raise ConfigError(f"condition must be a number; got {text[:20]!r}.")
        return int(text)

    def _body(self) -> bytes:
        text = self.headers.get("Content-Length", "")
        if not text.isascii() or not text.isdigit():
            raise _Refused(HTTPStatus.LENGTH_REQUIRED, "Say how long the body is.")
        limit = self.server.kernel.max_bytes
        # Python reads no number of more than 4 300 digits.
        length = int(text) if len(text) < 20 else limit + 1
        if length > limit:
            raise _Refused(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body must have at most {limit} bytes."
            )
        body = self.rfile.read(length)
        if len(body) < length:
            raise _Refused(HTTPStatus.BAD_REQUEST, "The body ends too early.")
        return body

    def _send(self, status: HTTPStatus, kind: str, content: Bytes, headers: dict[str, str]) -> None:
        # In one write: a body that follows its head waits 40 ms for that to be acknowledged.
        socket_file, self.wfile = self.wfile, io.BytesIO()
        # What could not be read is taken for HTTP 0.9, whose answers have no head.
        self.request_version = self.protocol_version
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if status != HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", SERVER_POLICY)
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Content-Type-Options", "nosniff")
        for name, value in headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")  # or the next request is sent in vain
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        answer, self.wfile = self.wfile.getvalue(), socket_file
        self.server.wait_for(self.connection)
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        _log.debug(format, *args)


def _encode(kernel: Kernel, body: bytes, condition: int | None) -> NDArray[np.float32]:
    """Means of all pictures, then their log-variances."""
    return np.concatenate(kernel.encode(body, condition))


_WAYS: dict[str, Callable[[Kernel, bytes, int | None], NDArray[np.float32]]] = {
    "/decode": lambda kernel, body, condition: kernel.decode(body, condition),
    "/encode": _encode,
}
