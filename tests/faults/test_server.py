"""The explorer's server among crowds, clients that never finish, and what is no request."""

from __future__ import annotations

import http.client
import random
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from reliability import Tries
from test_soak import resident
from tools.web_fixtures import small_images, small_model

from zscape.explorer import ExplorerServer, build_scene
from zscape.explorer import server as explorer_server

PART = "Server and page"
PATHS = ("/", "/manifest.json", "/blocks/mu", "/nowhere")
HEADERS = ("Content-Security-Policy", "Cross-Origin-Resource-Policy", "Referrer-Policy",
           "X-Content-Type-Options")  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[ExplorerServer]:
    vae, images = small_model(), small_images(40)
    with ExplorerServer(build_scene(vae, images, maps="pca", weights="f32"), vae) as server:
        server.run_in_background()
        yield server


def ask(server: ExplorerServer, n: int) -> int:
    """How many of ``n`` requests on one connection were answered as they should be."""
    answered = 0
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    for i in range(n):
        path = PATHS[i % len(PATHS)]
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        expected = server.files[path][1] if path in server.files else b"There is no such page.\n"
        answered += body == expected and all(name in response.headers for name in HEADERS)
    connection.close()
    return answered


@pytest.mark.slow
@pytest.mark.attack(PART, "requests of 200 clients at once, 1,000 each")
def test_two_hundred_clients(server: ExplorerServer, tries: Tries) -> None:
    with ThreadPoolExecutor(200) as clients:
        answered = sum(clients.map(lambda _: ask(server, 1000), range(200)))
    tries.add(200_000, answered)
    assert answered == 200_000


@pytest.mark.slow
@pytest.mark.attack(
    PART, "clients that send a byte now and then, or nothing: closed, and block nobody"
)
def test_two_hundred_slow_clients(
    server: ExplorerServer, tries: Tries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explorer_server, "PATIENCE_SECONDS", 5)
    slow = [socket.create_connection(("127.0.0.1", server.port), timeout=60) for _ in range(200)]
    assert ask(server, 100) == 100

    def drip(i: int) -> bool:
        """Whether it was closed."""
        slow[i].settimeout(0.5)
        for _ in range(100):
            try:
                if i % 2:
                    slow[i].sendall(b"G")
                if not slow[i].recv(1):
                    return True
            except TimeoutError:
                continue
            except OSError:
                return True
        return False

    with ThreadPoolExecutor(200) as clients:
        n_closed = sum(clients.map(drip, range(200)))
    for connection in slow:
        connection.close()
    tries.add(200, n_closed)
    assert n_closed == 200


def mutated(good: bytes, rng: random.Random) -> bytes:
    data = bytearray(good)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(data))
        match rng.randrange(4):
            case 0:
                data[at] = rng.randrange(256)
            case 1:
                del data[at : at + rng.randint(1, 12)]
            case 2:
                data[at:at] = rng.choice([b"\r\n", b"\0", b" ", b":", b"[", b"%", b"9" * 5000])
            case _:
                data[at:at] = rng.randbytes(rng.randint(1, 20))
        if not data:
            data = bytearray(b"\r\n")
    return bytes(data)


def attack(server: ExplorerServer, tries: Tries, seed: int, n: int) -> None:
    """Whatever is sent, what comes back is nothing or a whole answer below 500."""
    rng = random.Random(seed)
    host = f"Host: 127.0.0.1:{server.port}\r\n"
    goods = [
        f'GET /blocks/mu HTTP/1.1\r\n{host}If-None-Match: "a"\r\n\r\n'.encode(),
        f"POST /decode?condition=1 HTTP/1.1\r\n{host}Content-Length: 16\r\n\r\n".encode()
        + bytes(16),
        f"HEAD / HTTP/1.0\r\n{host}Origin: http://127.0.0.1:{server.port}\r\n\r\n".encode(),
    ]
    for data in tries(mutated(rng.choice(goods), rng) for _ in range(n)):
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
            answer = b""
            try:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                answer = b"".join(iter(lambda c=connection: c.recv(65536), b""))
            except ConnectionError:  # what it did not read, it hung up on
                continue
        if answer:
            assert answer[:9] == b"HTTP/1.1 ", (data, answer[:200])
            assert 100 <= int(answer[9:12]) < 500 or answer[9:12] == b"505", (data, answer[:200])


@pytest.fixture
def errors(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """What ended a thread of the server, but for clients that hung up."""
    found: list[BaseException] = []

    def keep(self: ExplorerServer, request: object, address: object) -> None:
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, ConnectionError):
            found.append(error)

    monkeypatch.setattr(ExplorerServer, "handle_error", keep)
    return found


@pytest.mark.attack(PART, "damaged requests")
def test_damaged_requests(
    server: ExplorerServer, errors: list[BaseException], tries: Tries
) -> None:
    attack(server, tries, seed=0, n=200)
    assert errors == []


@pytest.mark.slow
@pytest.mark.attack(PART, "damaged requests, many more; memory stays flat")
def test_many_damaged_requests(
    server: ExplorerServer, errors: list[BaseException], tries: Tries
) -> None:
    attack(server, tries, seed=1, n=2_000)
    before = resident()
    attack(server, tries, seed=2, n=10_000)
    assert errors == []
    assert resident() - before < 16
