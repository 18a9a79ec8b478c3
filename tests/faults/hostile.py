"""Files that lie: seeded ways to damage one, and a process that is watched while it reads them."""

from __future__ import annotations

import gzip
import io
import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import struct
import sys
import tarfile
import traceback
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from zscape.errors import ZscapeError

SECONDS = 5
"""Of the processor: a file that takes longer hangs. By the clock, six times that: other programs
may have the processor."""
BYTES = 1 << 30
"""Of memory, beyond what the process had. To ask for ``ROOM`` more is a fault too, though it be
refused, and though it never be used."""
ROOM = 3 << 30

_SIZES = (0, 1, 127, 128, 255, 256, 32767, 65535, 2**31 - 1, 2**32 - 1, 10**9, 2**40, 2**63 - 1)
_DEEP = "nested "
_VALUES = (
    f"{_DEEP}100", f"{_DEEP}900", f"{_DEEP}100000", None, True, -1, 0, 1e308, -1e308,
    float("nan"), float("inf"), 10**9, 10**30, "", "x", "\x00", "<b>", "os:system",
    "../../../../../../etc/passwd", [], {}, [[]], [1, "a"], {"a": {"b": [None]}},
)  # fmt: skip


def damaged(content: bytes, rng: random.Random) -> bytes:
    """``content`` after one to four accidents; half of them inside what it packs."""
    if rng.random() < 0.5 and (inner := _inside(content, rng)) is not None:
        return inner
    data = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(7):
            case 0 if data:
                data[at % len(data)] ^= 1 << rng.randrange(8)
            case 1 if data:
                data[at % len(data)] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
            case 2:
                size = rng.choice("BHIQ")
                order = rng.choice("<>")
                number = rng.choice(_SIZES) & (256 ** struct.calcsize(size) - 1)
                piece = struct.pack(order + size, number)
                data[at : at + len(piece)] = piece
            case 3:
                del data[at:]
            case 4:
                del data[at : at + rng.randint(1, 64)]
            case 5:
                data[at:at] = rng.randbytes(rng.randint(1, 64))
            case 6:
                start = rng.randrange(len(data) + 1)
                data[at:at] = data[start : start + rng.randint(1, 256)]
    return bytes(data)


def _inside(content: bytes, rng: random.Random) -> bytes | None:
    """Damage behind what protects it: checksums and lengths are made to fit again."""
    if content.startswith(b"PK\x03\x04"):
        return _in_zip(content, rng)
    if content.startswith(b"\x1f\x8b"):
        return gzip.compress(damaged(gzip.decompress(content), rng), 1)
    if content.startswith(b"\x89PNG"):
        return _in_png(content, rng)
    if content[257:262] == b"ustar":
        return _in_tar(content, rng)
    if content.lstrip()[:1] in (b"{", b"["):
        return _in_json(content, rng)
    if content[8:9] == b"{":
        return _in_safetensors(content, rng)
    return None


def _in_zip(content: bytes, rng: random.Random) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        infos = old.infolist()
        chosen = rng.choice(infos)
        for info in infos:
            data = old.read(info)
            if info is chosen:
                if rng.random() < 0.2:
                    info.filename = rng.choice(("../../x.npy", "/x.npy", "C:\\x.png", "a" * 300))
                data = damaged(data, rng)
            if rng.random() < 0.02:
                continue
            with new.open(zipfile.ZipInfo(info.filename), "w") as file:
                file.write(data)
    return out.getvalue()


def _in_tar(content: bytes, rng: random.Random) -> bytes:
    out = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(content)) as old,
        tarfile.open(fileobj=out, mode="w") as new,
    ):
        members = old.getmembers()
        chosen = rng.choice(members)
        for member in members:
            stream = old.extractfile(member)
            data = b"" if stream is None else stream.read()
            if member is chosen:
                data = damaged(data, rng)
                member.name = rng.choice((member.name, "../../x.png", "/x.png"))
                if rng.random() < 0.3:
                    member.type = rng.choice(
                        (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE)
                    )
                    member.linkname = "/etc/passwd"
                    data = b""
            member.size = len(data)
            new.addfile(member, io.BytesIO(data))
    return out.getvalue()


def _in_png(content: bytes, rng: random.Random) -> bytes:
    chunks, at = [], 8
    while at < len(content):
        (size,) = struct.unpack(">I", content[at : at + 4])
        chunks.append((content[at + 4 : at + 8], content[at + 8 : at + 8 + size]))
        at += 12 + size
    chosen = rng.randrange(len(chunks))
    kind, data = chunks[chosen]
    if kind == b"IDAT":
        data = zlib.compress(damaged(zlib.decompress(data), rng))
    else:
        data = damaged(data, rng)
    chunks[chosen] = (kind, data)
    return content[:8] + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def _in_json(content: bytes, rng: random.Random) -> bytes | None:
    """Another value somewhere in a JSON text, or in one of its lines."""
    lines = content.splitlines(keepends=True)
    at = rng.randrange(len(lines))
    with suppress(ValueError):
        return _text(_changed(json.loads(content), rng)).encode()
    with suppress(ValueError):
        lines[at] = _text(_changed(json.loads(lines[at]), rng)).encode() + b"\n"
        return b"".join(lines)
    return None


def _changed(value: Any, rng: random.Random) -> Any:
    """``value`` with one thing in it missing, doubled, or of another kind."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(sorted(value))
        if rng.random() < 0.1:
            return {name: inner for name, inner in value.items() if name != key}
        return {**value, key: _changed(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.7:
        at = rng.randrange(len(value))
        if rng.random() < 0.2:
            return value[:at] + value[at + 1 :]
        return [*value[:at], _changed(value[at], rng), *value[at + 1 :]]
    return rng.choice(_VALUES)


def _text(value: Any) -> str:
    """JSON; ``_DEEP`` becomes what json.dumps itself could not write."""
    for depth in (100, 900, 100_000):
        deep = "[" * depth + "]" * depth
        value = value if isinstance(value, str) else json.dumps(value)
        value = value.replace(json.dumps(f"{_DEEP}{depth}"), deep)
    return str(value)


def _in_safetensors(content: bytes, rng: random.Random) -> bytes | None:
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    about = header.get("__metadata__", {})
    texts = [key for key, text in about.items() if text[:1] == "{"]
    if texts and rng.random() < 0.7:
        key = rng.choice(texts)
        about[key] = _text(_changed(json.loads(about[key]), rng))
    else:
        header = _changed(header, rng)
    text = _text(header).encode()
    return struct.pack("<Q", len(text)) + text + content[8 + length :]


@dataclass
class Verdict:
    """What became of the files: how many were read, how many refused, and every fault."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def attack(
    read: Callable[[Path], object],
    write: Callable[[int, Path], None],
    numbers: Iterable[int],
    folder: Path,
) -> Verdict:
    """Let a process ``read`` one bad file after the other, and watch it.

    A fault is anything raised but ``ZscapeError``; a signal; a hang; memory; a file opened
    outside; a program started.

    Parameters
    ----------
    write
        Writes case ``number`` into an empty folder, which ``read`` then gets.
    """
    verdict, todo = Verdict(), list(numbers)
    fork = multiprocessing.get_context("fork")
    while todo:
        ours, theirs = fork.Pipe(duplex=False)
        process = fork.Process(target=_work, args=(read, write, todo, folder, theirs))
        process.start()
        theirs.close()
        is_alive = True
        while is_alive and todo:
            try:
                if ours.poll(6 * SECONDS):
                    kind, text = ours.recv()
                else:
                    kind, text = "fault", f"nothing came of it in {6 * SECONDS} s"
                    is_alive = False
            except EOFError:
                process.join()
                kind, text = "fault", f"the process died of {signal.Signals(-process.exitcode)!s}"
                is_alive = False
            verdict.counts[kind] += 1
            if kind == "fault":
                verdict.faults.append(f"case {todo[0]}: {text}")
            todo.pop(0)
        process.kill()
        process.join()
        ours.close()
    return verdict


def _work(
    read: Callable[[Path], object],
    write: Callable[[int, Path], None],
    numbers: Iterable[int],
    folder: Path,
    pipe: Connection,
) -> None:
    with open(os.devnull, "w") as nothing:  # noqa: PTH123
        for stream in (1, 2):
            os.dup2(nothing.fileno(), stream)
    warnings.simplefilter("ignore")
    strange: list[str] = []
    at = folder / "case"
    os.chdir(folder)
    _limit(resource.RLIMIT_AS, _memory("VmSize") + ROOM)
    _limit(resource.RLIMIT_FSIZE, ROOM)
    _limit(resource.RLIMIT_CORE, 0)
    before = _memory("VmRSS")
    sys.addaudithook(lambda event, args: strange.extend(_strange(event, args, folder)))
    for number in numbers:
        shutil.rmtree(at, ignore_errors=True)
        at.mkdir()
        write(number, at)
        used = resource.getrusage(resource.RUSAGE_SELF)
        _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + SECONDS + 1)
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
        strange.clear()
        outcome = "read", ""
        try:
            read(at)
        except ZscapeError as error:
            outcome = "refused", str(error)
            if _wanted_memory(error):
                outcome = "fault", f"asked for more than {ROOM} bytes: {error}"
        except BaseException:
            outcome = "fault", traceback.format_exc(limit=-6)
        if strange:
            outcome = "fault", strange[0]
        if _memory("VmHWM") - before > BYTES:
            outcome = "fault", f"took {_memory('VmHWM') - before} bytes; {outcome[1]}"
        pipe.send(outcome)


def _limit(what: int, to: int) -> None:
    resource.setrlimit(what, (to, resource.getrlimit(what)[1]))


def _memory(what: str) -> int:
    """Bytes, of a line in what Linux says of a process."""
    text = Path("/proc/self/status").read_text()
    return 1024 * int(text.partition(f"{what}:")[2].split()[0])


def _wanted_memory(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, MemoryError) or "allocate memory" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


_STARTS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "socket.connect")
_FORBIDDEN = "/etc/passwd"
_CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.symlink", "os.link", "os.chmod")


def _strange(event: str, args: tuple[Any, ...], folder: Path) -> Iterator[str]:
    """What no reader of a file may do."""
    if event in _STARTS:
        yield f"{event} {args}"
    if event not in ("open", *_CHANGES) or not isinstance(args[0], str):
        return
    changes = event != "open" or bool((args[2] or 0) & (os.O_WRONLY | os.O_RDWR))
    allowed = (str(folder), os.environ["ZSCAPE_CACHE"], "/proc/self", "/dev/null")
    path = os.path.realpath(args[0])
    if path == _FORBIDDEN or (changes and not path.startswith(allowed)):
        yield f"{event} of {path}"
