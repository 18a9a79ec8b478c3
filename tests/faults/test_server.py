"""The explorer's server among crowds, clients that never finish, and what is no request."""

from __future__ import annotations

import http.client
import os
import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reliability import ROOT, Tries
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


def talk(server: ExplorerServer, data: bytes) -> bytes:
    """Everything that comes back of ``data``, after which nothing follows."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))
        except TimeoutError:
            raise
        except OSError:  # what it did not read, it hung up on
            return b""


def check_answer(data: bytes, answer: bytes) -> None:
    """It is nothing, or a whole answer below 500."""
    if answer:
        assert answer[:9] == b"HTTP/1.1 ", (data, answer[:200])
        assert 100 <= int(answer[9:12]) < 500 or answer[9:12] == b"505", (data, answer[:200])


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
    """Requests after accidents."""
    rng = random.Random(seed)
    host = f"Host: 127.0.0.1:{server.port}\r\n"
    goods = [
        f'GET /blocks/mu HTTP/1.1\r\n{host}If-None-Match: "a"\r\n\r\n'.encode(),
        f"POST /decode?condition=1 HTTP/1.1\r\n{host}Content-Length: 16\r\n\r\n".encode()
        + bytes(16),
        f"HEAD / HTTP/1.0\r\n{host}Origin: http://127.0.0.1:{server.port}\r\n\r\n".encode(),
    ]
    for data in tries(mutated(rng.choice(goods), rng) for _ in range(n)):
        check_answer(data, talk(server, data))


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


WORDS = st.sampled_from(
    ["GET", "POST", "HEAD", "/", "/decode", "/blocks/mu", "/manifest.json", "HTTP/1.1", "HTTP/0.9",
     "http://[", "/%00", "/..", "?condition=-1", "?condition=9", "*", "CONNECT"]
)  # fmt: skip
FIELDS = st.tuples(
    st.sampled_from(["Host", "Origin", "Content-Length", "Transfer-Encoding", "If-None-Match",
                     "Connection", "Expect", "Cookie", ""]),
    st.one_of(
        st.sampled_from(["HOST", "http://HOST", "0", "16", "-1", "1e3", "chunked", "keep-alive",
                         "100-continue", '"a"', "9" * 400]),
        st.text(max_size=20),
    ),
)  # fmt: skip
REQUESTS = st.tuples(
    st.lists(st.one_of(WORDS, st.text(max_size=8)), max_size=4),
    st.lists(FIELDS, max_size=6),
    st.sampled_from(["\r\n", "\n", "\r", "\r\n ", ""]),
    st.binary(max_size=40),
)


def check_structures(server: ExplorerServer, tries: Tries, n: int) -> None:
    """Requests of any words, fields and ends."""
    host = f"127.0.0.1:{server.port}"

    @settings(max_examples=n, derandomize=True, database=None)
    @given(st.lists(REQUESTS, min_size=1, max_size=3))
    def check(requests: list[tuple[list[str], list[tuple[str, str]], str, bytes]]) -> None:
        data = b""
        for words, fields, end, body in requests:
            head = [" ".join(words), *(f"{name}: {value}" for name, value in fields), "", ""]
            data += end.join(head).replace("HOST", host).encode("utf-8", "replace") + body
        for one in tries([data]):
            check_answer(one, talk(server, one))

    check()


@pytest.mark.attack(PART, "requests of any words, fields, line ends and bodies, up to three in one")
def test_requests_of_any_structure(
    server: ExplorerServer, errors: list[BaseException], tries: Tries
) -> None:
    check_structures(server, tries, 100)
    assert errors == []


@pytest.mark.slow
@pytest.mark.attack(PART, "requests of any structure, many more")
def test_many_requests_of_any_structure(
    server: ExplorerServer, errors: list[BaseException], tries: Tries
) -> None:
    check_structures(server, tries, 10_000)
    assert errors == []


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.attack(PART, "good requests, pictures decoded among them: memory stays flat")
def test_ten_thousand_good_requests(server: ExplorerServer, tries: Tries) -> None:
    z = bytes(16 * 8)
    expected = server.kernel.decode(z).astype("<f4").tobytes()

    def decode(n: int) -> int:
        """How many pictures came as they should."""
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        came = 0
        for _ in range(n):
            connection.request("POST", "/decode", z)
            came += connection.getresponse().read() == expected
        connection.close()
        return came

    ask(server, 1000), decode(1000)
    before, n = resident(), 5000
    answered = ask(server, n) + decode(n)
    growth = resident() - before
    tries.of_which["KB of memory more for a hundred requests"] = round(1024 * growth / (n / 50), 1)
    tries.add(2 * n, answered if growth < 16 else 0)
    assert answered == 2 * n
    assert growth < 16


@pytest.mark.slow
@pytest.mark.attack(PART, "bytes that atheris chooses by the code they reach in the parser")
def test_bytes_that_reach_new_code(tmp_path: Path, tries: Tries) -> None:
    pytest.importorskip("atheris", reason="atheris is not installed")
    n, corpus = 100_000, tmp_path / "corpus"
    corpus.mkdir()
    for number, words in enumerate(
        ("GET / HTTP/1.1", "POST /decode HTTP/1.1\r\nContent-Length: 16")
    ):
        (corpus / str(number)).write_bytes(f"{words}\r\nHost: \x01\r\n\r\n".encode() + bytes(16))
    program = [sys.executable, Path(__file__).with_name("atheris_requests.py")]
    done = subprocess.run(
        [*program, f"-runs={n}", "-seed=1", "-max_len=400", corpus],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        timeout=1200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    tries.add(n, n)
