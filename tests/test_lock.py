from __future__ import annotations

import errno
import json
import os
import re
import socket
import sys
from pathlib import Path

import pytest

from zscape import lock
from zscape.errors import ConfigError
from zscape.lock import held


def sign(file: Path, **other: object) -> None:
    """What a process leaves that was killed."""
    holder = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": "2026-01-01 00:00:00+00:00",
    }
    file.write_text(json.dumps(holder | other))


def test_a_second_is_told_who_is_first(tmp_path: Path) -> None:
    file = tmp_path / "lock.json"
    with held(file, "a is being trained"):
        who = (
            f"by process {os.getpid()} on {re.escape(socket.gethostname())} since 20..-..-.. ..:..:"
        )
        refused = pytest.raises(ConfigError, match=f"^a is being trained {who}.*; wait for it")
        with refused, held(file, "a is being trained"):
            pytest.fail("two at once")
        assert file.exists()
    assert list(tmp_path.iterdir()) == []
    with held(file, "a is being trained"):
        pass


def test_an_error_in_the_block_lets_go(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), held(tmp_path / "lock.json", ""):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_holds_nobody_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Though a process has its number again: this one."""
    file = tmp_path / "lock.json"
    sign(file)
    with held(file, ""):
        assert json.loads(file.read_text())["since"] > "2026-01-01 00:00:01"
    assert not caplog.records


@pytest.mark.parametrize("left", ["", "[1]", '{"pid": 1', "null"])
def test_what_it_left_may_be_anything(tmp_path: Path, left: str) -> None:
    file = tmp_path / "lock.json"
    file.write_text(left)
    with held(file, ""):
        assert json.loads(file.read_text())["pid"] == os.getpid()


def test_of_another_machine_it_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "lock.json"
    sign(file, host="node7", pid=12)
    with held(file, ""):
        pass
    assert "was left by process 12 on node7 since 2026" in caplog.text
    assert "if that still runs, stop it" in caplog.text


@pytest.mark.skipif(sys.platform == "win32", reason="the locks of POSIX")
def test_a_file_system_without_locks_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(lock.fcntl, "flock", no_locks)
    with held(tmp_path / "lock.json", ""):
        pass
    assert "this file system keeps no locks (No locks available)" in caplog.text


@pytest.mark.skipif(sys.platform == "win32", reason="there, an open file cannot be removed")
def test_a_file_that_its_holder_removed_meanwhile_is_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "lock.json"
    real, n = lock._lock, 0

    def lock_late(*arguments: object) -> None:
        nonlocal n
        if not n:
            file.unlink()
        n += 1
        real(*arguments)

    monkeypatch.setattr(lock, "_lock", lock_late)
    with held(file, ""):
        assert file.exists()
    assert n == 2


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    refused = pytest.raises(ConfigError, match=r"^cannot write .*lock\.json: No such file or dir")
    with refused, held(tmp_path / "no" / "lock.json", ""):
        pytest.fail("made it")
