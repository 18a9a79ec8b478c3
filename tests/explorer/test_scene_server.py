from __future__ import annotations

import http.client
import json
import socket
import threading
import time

import numpy as np
import pytest

from zscape.errors import ConfigError
from zscape.explorer import ExplorerServer
from zscape.explorer import server as explorer_server
from zscape.latents import decode

METHODS = ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"]


@pytest.fixture
def server(scene, vae, bundle):
    with ExplorerServer(scene, vae) as server:
        server.run_in_background()
        yield server


def ask(server, path="/", method="GET", body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def raw(server, text: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_it_listens_on_loopback_only(server):
    assert server.server_address[0] == "127.0.0.1"
    assert server.url == f"http://127.0.0.1:{server.port}/"


def test_page(server):
    response, body = ask(server)
    text = body.decode()
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert '<div data-zscape="server"></div>' in text
    assert '<script type="module" src="explorer.js"></script>' in text
    assert "<title>small &amp; &lt;b&gt; · zscape</title>" in text


def test_headers_of_everything(server):
    for path in ("/", "/explorer.js", "/manifest.json", "/blocks/mu", "/nowhere"):
        headers = ask(server, path)[0].headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"].startswith(
            "default-src 'none'; script-src 'self'"
        )
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_bundle_manifest_and_blocks(server, scene, bundle):
    response, body = ask(server, "/explorer.js")
    assert (body.decode(), response.headers["Content-Type"]) == (
        bundle, "text/javascript; charset=utf-8"
    )  # fmt: skip
    assert json.loads(ask(server, "/manifest.json")[1]) == scene.manifest
    for name, data in scene.blocks.items():
        assert ask(server, f"/blocks/{name}")[1] == data


@pytest.mark.parametrize(
    ("path", "method", "body"),
    [("/", "GET", None), ("/manifest.json", "GET", None), ("/blocks/mu", "HEAD", None),
     ("/nowhere", "GET", None), ("/decode", "POST", b"\0" * 4 * 3), ("/decode", "POST", b"odd"),
     ("/decode", "BREW", None)],
)  # fmt: skip
def test_every_answer_is_one_write(server, monkeypatch, path, method, body):
    """A body sent after its head waits for the head to be acknowledged: 40 ms an answer."""
    written = []
    send = socket.socket.sendall

    def sendall(self, data, *flags):
        if self.getsockname()[1] == server.port:
            written.append(bytes(data))
        return send(self, data, *flags)

    monkeypatch.setattr(socket.socket, "sendall", sendall)
    response, content = ask(server, path, method, body)
    assert response.status
    assert len(written) == 1
    assert written[0].endswith(b"\r\n\r\n" + content)


def test_head_has_no_body(server):
    response, body = ask(server, "/blocks/mu", "HEAD")
    assert (response.status, body) == (200, b"")
    assert int(response.headers["Content-Length"]) > 0


def test_what_is_unchanged_is_not_sent_again(server):
    response, _ = ask(server, "/blocks/mu")
    assert response.headers["Cache-Control"] == "no-cache"
    again, body = ask(server, "/blocks/mu", If_None_Match=response.headers["ETag"])
    assert (again.status, body) == (304, b"")
    assert ask(server, "/blocks/mu", If_None_Match='"other"')[0].status == 200


@pytest.mark.parametrize(
    ("asked", "span"),
    [("bytes=0-9", slice(0, 10)), ("bytes=10-10", slice(10, 11)), ("bytes=100-", slice(100, None)),
     ("bytes=1900-99999", slice(1900, None))],
)  # fmt: skip
def test_a_part_of_a_block(server, scene, asked, span):
    data = scene.blocks["mu"]
    response, body = ask(server, "/blocks/mu", Range=asked)
    first, last, _ = span.indices(len(data))
    assert (response.status, body) == (206, data[span])
    assert response.headers["Content-Range"] == f"bytes {first}-{last - 1}/{len(data)}"
    assert response.headers["ETag"] == ask(server, "/blocks/mu")[0].headers["ETag"]


@pytest.mark.parametrize("asked", ["bytes=5-3", "bytes=-5", "bytes=0-1,4-5", "rows=0-1", "bytes=x"])
def test_parts_of_other_kinds_are_the_whole(server, scene, asked):
    response, body = ask(server, "/blocks/mu", Range=asked)
    assert (response.status, body) == (200, scene.blocks["mu"])


def test_a_part_beyond_the_end_is_refused(server, scene):
    n = len(scene.blocks["mu"])
    response, body = ask(server, "/blocks/mu", Range=f"bytes={n}-")
    assert (response.status, body) == (416, b"It ends before that.\n")
    assert response.headers["Content-Range"] == f"bytes */{n}"


def test_a_part_of_what_has_changed_is_the_whole(server, scene):
    response, body = ask(server, "/blocks/mu", Range="bytes=0-1", If_Range='"other"')
    assert (response.status, body) == (200, scene.blocks["mu"])
    tag = response.headers["ETag"]
    assert ask(server, "/blocks/mu", Range="bytes=0-1", If_Range=tag)[0].status == 206
    assert ask(server, "/blocks/mu", Range="bytes=0-1", If_None_Match=tag)[0].status == 304


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "/blocks/", "/blocks/none", "/blocks/../manifest.json", "/%2e%2e/etc/passwd",
     "/blocks/mu/", "/static/explorer.js"],
)  # fmt: skip
def test_other_paths_are_not_there(server, path):
    response, body = ask(server, path)
    assert response.status == 404
    assert body == b"There is no such page.\n"
    assert ask(server, path, "POST", b"")[0].status == 404


@pytest.mark.parametrize("method", METHODS)
def test_other_methods_are_refused(server, method):
    response, _ = ask(server, "/", method)
    assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD")
    assert ask(server, "/decode", method)[0].headers["Allow"] == "POST"


def test_get_and_post_are_not_exchanged(server):
    assert ask(server, "/decode")[0].status == 405
    assert ask(server, "/manifest.json", "POST", b"{}")[0].status == 405


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "", "localhost.evil"])
def test_foreign_hosts_are_refused(server, host):
    for path in ("/", "/manifest.json"):
        response, body = ask(server, path, Host=host)
        assert response.status == 403
        assert body == b"This server answers to its own address only.\n"
    assert ask(server, "/decode", "POST", bytes(16), Host=host)[0].status == 403


def test_a_request_without_host_is_refused(server):
    assert raw(server, b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1", ""])
def test_foreign_origins_are_refused(server, origin):
    for method, path in (("GET", "/manifest.json"), ("POST", "/decode")):
        response, _ = ask(server, path, method, bytes(16), Origin=origin)
        assert response.status == 403


def test_both_names_of_this_machine_are_its_own(server):
    for name in ("127.0.0.1", "localhost"):
        host = f"{name}:{server.port}"
        assert ask(server, "/manifest.json", Host=host, Origin=f"http://{host}")[0].status == 200
    crossed = ask(server, Host=f"localhost:{server.port}", Origin=server.url.rstrip("/"))
    assert crossed[0].status == 403


def test_decode(server, vae):
    z = np.random.default_rng(0).standard_normal((3, 4)).astype("<f4")
    response, body = ask(server, "/decode", "POST", z.tobytes())
    assert response.status == 200
    assert response.headers["Cache-Control"] == "no-store"
    pictures = np.frombuffer(body, "<f4").reshape(3, 3, 9, 12)
    assert pictures == pytest.approx(decode(vae, z).numpy(), abs=1e-6)


def test_encode(server, images, table):
    _, body = ask(server, "/encode", "POST", images[:2].pixels().numpy().astype("<f4").tobytes())
    mu, logvar = np.frombuffer(body, "<f4").reshape(2, 2, 4)
    assert mu == pytest.approx(table.mu[:2], abs=1e-4)
    assert logvar == pytest.approx(table.logvar[:2], abs=1e-4)


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("/decode", b"", "vectors must come as float32, 16 bytes each"),
        ("/decode", bytes(15), "got 15 bytes"),
        ("/decode", np.full(4, np.nan, "<f4").tobytes(), "finite"),
        ("/decode", bytes(16 * 1025), "1 to 1024 at once"),
        ("/encode", np.full(324, 2, "<f4").tobytes(), r"pixels must lie in [0, 1]"),
    ],
    ids=["nothing", "part", "nan", "many", "range"],
)
def test_bad_numbers_are_refused_in_a_sentence(server, path, body, message):
    response, text = ask(server, path, "POST", body)
    assert response.status == 400
    assert message in text.decode()


def test_the_size_of_a_body_is_bounded(server):
    host = f"Host: 127.0.0.1:{server.port}\r\n".encode()
    huge = b"POST /decode HTTP/1.1\r\n" + host + b"Content-Length: 99999999999\r\n\r\n"
    assert raw(server, huge).startswith(b"HTTP/1.1 413 ")
    for length in (b"", b"Content-Length: -1\r\n", b"Content-Length: x\r\n"):
        answer = raw(server, b"POST /decode HTTP/1.1\r\n" + host + length + b"\r\n")
        assert answer.startswith(b"HTTP/1.1 411 ")
    short = b"POST /decode HTTP/1.1\r\n" + host + b"Content-Length: 16\r\n\r\n1234"
    assert raw(server, short).startswith(b"HTTP/1.1 400 ")


def test_a_refusal_ends_the_connection(server):
    """Its unread body must not become the next request."""
    host = f"Host: 127.0.0.1:{server.port}\r\n".encode()
    inner = b"GET /manifest.json HTTP/1.1\r\n" + host + b"\r\n"
    outer = b"PUT / HTTP/1.1\r\n" + host + f"Content-Length: {len(inner)}\r\n\r\n".encode()
    answer = raw(server, outer + inner)
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    ("request_line", "status"),
    [(b"\0\x01\x02", 400), (b"GET", 400), (b"GET / HTTP/9", 400), (b"GET / HTTP/2.0", 505),
     (b"GET /" + b"a" * 70_000 + b" HTTP/1.1", 414), (b"GET http://[ HTTP/1.1", 400),
     (b"GET / HTTP/1.1\r\nA: " + b"a" * 70_000, 431),
     (b"GET / HTTP/1.1" + b"\r\nA: a" * 200, 431),
     (b"POST /decode HTTP/1.1\r\nContent-Length: " + b"9" * 5000, 413)],
    ids=["bytes", "one word", "version", "new version", "long line", "address", "long header",
         "headers", "digits"],
)  # fmt: skip
def test_what_is_no_request_is_refused_as_any_other(server, caplog, request_line, status):
    host = f"\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode()
    answer = raw(server, request_line + host)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    for header in (b"Content-Security-Policy: ", b"X-Content-Type-Options: nosniff",
                   b"Referrer-Policy: no-referrer", b"Cross-Origin-Resource-Policy: "):  # fmt: skip
        assert answer.count(header) == 1
    assert b"text/plain" in answer
    by_name = status == 413 or b"[" in request_line
    assert by_name or "refused what is no request" in caplog.text


def test_the_body_of_a_get_is_not_the_next_request(server):
    host = f"Host: 127.0.0.1:{server.port}\r\n".encode()
    inner = b"GET /manifest.json HTTP/1.1\r\n" + host + b"\r\n"
    for head in (f"Content-Length: {len(inner)}".encode(), b"Transfer-Encoding: chunked"):
        answer = raw(server, b"GET / HTTP/1.1\r\n" + host + head + b"\r\n\r\n" + inner)
        assert answer.count(b"HTTP/1.1 ") == 1


def dripping(server):
    """A client that never says all, but always something; what it was told when it was closed."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=0.05) as connection:
        for _ in range(200):
            try:
                connection.sendall(b"G")
                if not connection.recv(1):
                    return "closed"
            except TimeoutError:
                continue
            except OSError:
                return "closed"
    return "held"


def test_who_drips_is_closed_all_the_same(scene, vae, bundle, monkeypatch):
    """A timeout of the socket begins anew with every byte."""
    monkeypatch.setattr(explorer_server, "PATIENCE_SECONDS", 0.5)
    with ExplorerServer(scene, vae) as server:
        server.run_in_background()
        assert dripping(server) == "closed"
        assert ask(server)[0].status == 200


def test_as_many_as_are_let_in_block_nobody(scene, vae, bundle, monkeypatch):
    monkeypatch.setattr(explorer_server, "MAX_CONNECTIONS", 4)
    before = threading.active_count()
    with ExplorerServer(scene, vae) as server:
        server.run_in_background()
        address = ("127.0.0.1", server.port)
        silent = [socket.create_connection(address, timeout=10) for _ in range(12)]
        assert ask(server)[0].status == 200
        assert silent[0].recv(1) == b""  # who has waited longest made room
        for _ in range(1000):  # threads that were hung up on take a moment to end
            if (n := threading.active_count() - before) <= 4 + 1:
                break
            time.sleep(0.01)
        assert n <= 4 + 1  # the server's own
        for connection in silent:
            connection.close()


def test_a_connection_is_used_again_until_a_request_is_refused(server):
    """Who is refused is told that it ends: the next request on it would be lost."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    for path in ("/", "/manifest.json", "/nowhere", "/manifest.json"):
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        is_refused = path == "/nowhere"
        assert (response.status, response.version) == (404 if is_refused else 200, 11)
        assert (response.headers["Connection"] == "close") == is_refused
        assert (connection.sock is None) == is_refused  # else the same one goes on
    connection.close()


def test_a_taken_port_is_said_in_a_sentence(server, scene, vae):
    with pytest.raises(ConfigError, match=rf"^port {server.port} of 127\.0\.0\.1 is taken; "):
        ExplorerServer(scene, vae, server.port)


def test_closing_hangs_up_and_leaves_no_thread(scene, vae, bundle, monkeypatch):
    """A thread that is still in the network when the interpreter ends may end it by SIGABRT."""
    before = set(threading.enumerate())
    begun, may_end = threading.Event(), threading.Event()

    def decode_slowly(kernel, body, condition):
        begun.set()
        may_end.wait(10)
        return np.zeros(1, np.float32)

    monkeypatch.setitem(explorer_server._WAYS, "/decode", decode_slowly)
    with ExplorerServer(scene, vae) as server:
        server.run_in_background()
        idle = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        idle.request("GET", "/manifest.json")
        idle.getresponse().read()
        busy = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        busy.request("POST", "/decode", b"1234")
        assert begun.wait(10)
        threading.Timer(0.1, may_end.set).start()
    assert may_end.is_set()  # the answer was waited for
    assert idle.sock.recv(1) == b""  # and nobody else
    assert not [t for t in threading.enumerate() if t not in before and "Timer" not in repr(t)]
    idle.close()
    busy.close()


def test_a_port_out_of_range(scene, vae, bundle):
    with pytest.raises(ConfigError, match=r"port must be in \[0, 65535\]; got 70000"):
        ExplorerServer(scene, vae, 70000)


def test_an_error_of_the_model_is_answered_and_logged(server, monkeypatch, caplog):
    """It ended the thread, and the page waited for an answer that never came."""

    def fail(z):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(server.kernel.vae, "decode_logits", fail)
    response, text = ask(server, "/decode", "POST", bytes(16))
    assert (response.status, response.headers["Connection"]) == (500, "close")
    assert text == b"The model failed with RuntimeError; the log of zscape says where.\n"
    assert "mat1 and mat2" in caplog.text
