from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import zscape
from zscape.errors import ConfigError
from zscape.files import check_writable, readable, write_atomic


def names_in(folder):
    return sorted(file.name for file in folder.iterdir())


def test_bytes_are_written_as_they_are(tmp_path):
    data = bytes(range(256)) + b"\r\n\0"
    write_atomic(tmp_path / "a.bin", data)
    assert (tmp_path / "a.bin").read_bytes() == data
    assert names_in(tmp_path) == ["a.bin"]


def test_text_is_utf8_with_its_own_line_ends(tmp_path):
    write_atomic(tmp_path / "a.txt", "β is 1\r\n漢字\n")
    assert (tmp_path / "a.txt").read_bytes() == "β is 1\r\n漢字\n".encode()


@pytest.mark.skipif(os.name != "posix", reason="there, a folder cannot be opened")
def test_a_name_outlives_a_power_cut(tmp_path, monkeypatch):
    real, synced = os.fsync, []

    def fsync(handle):
        is_folder = stat.S_ISDIR(os.fstat(handle).st_mode)
        synced.append((is_folder, names_in(tmp_path) == ["a.txt"]))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    write_atomic(tmp_path / "a.txt", "text")
    assert synced == [(False, False), (True, True)]  # the file before it is renamed, then the name


def test_a_file_that_is_there_is_replaced_and_not_written_into(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("old and longer")
    with file.open() as reader:
        write_atomic(file, "new")
        assert file.read_text() == "new"
        assert reader.read() == "old and longer"
    assert names_in(tmp_path) == ["a.txt"]


DISK_FULL = """
import resource, signal, sys
from pathlib import Path
from zscape.errors import ConfigError
from zscape.files import write_atomic

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    write_atomic(Path(sys.argv[1]), b"new" * 100_000)
except ConfigError as error:
    print(error)
"""


@pytest.mark.skipif(os.name != "posix", reason="limits the size of files as POSIX does")
def test_a_write_cut_short_leaves_the_old_file_and_nothing_else(tmp_path):
    file = tmp_path / "a.bin"
    file.write_bytes(b"old")
    done = subprocess.run(
        [sys.executable, "-c", DISK_FULL, str(file)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == f"cannot write {file}: File too large."
    assert file.read_bytes() == b"old"
    assert names_in(tmp_path) == ["a.bin"]


def test_data_of_the_wrong_type_leaves_the_old_file_and_nothing_else(tmp_path):
    file = tmp_path / "a.bin"
    file.write_bytes(b"old")
    with pytest.raises(TypeError):
        write_atomic(file, 5)
    assert file.read_bytes() == b"old"
    assert names_in(tmp_path) == ["a.bin"]


@pytest.mark.skipif(sys.platform == "win32", reason="there, an open file cannot be removed")
def test_what_dead_processes_left_is_removed_and_what_others_write_is_not(tmp_path):
    import fcntl

    path = tmp_path / "a [1].json"
    names = (".a [1].json.abc_1234", ".a [1].json.zzzzzzzz", ".a 1.json.abc_1234")
    dead, alive, foreign = (tmp_path / name for name in names)
    for file in (dead, alive, foreign):
        file.write_text("half")
    with alive.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        write_atomic(path, "whole")
        assert set(tmp_path.iterdir()) == {path, alive, foreign}
    write_atomic(path, "whole")
    assert set(tmp_path.iterdir()) == {path, foreign}


def test_a_target_that_cannot_be_replaced_leaves_nothing_behind(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(ConfigError, match=r"^cannot write .*/a: .*\.$"):
        write_atomic(tmp_path / "a", "text")
    assert names_in(tmp_path) == ["a"]
    assert names_in(tmp_path / "a") == []


def test_no_folder_is_made(tmp_path):
    with pytest.raises(ConfigError, match=r"^cannot write .*a\.txt: No such file or directory\.$"):
        write_atomic(tmp_path / "no" / "a.txt", "text")
    assert names_in(tmp_path) == []


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_permissions_follow_the_umask(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        write_atomic(tmp_path / "a.txt", "text")
        after = os.umask(umask)
    finally:
        os.umask(before)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == mode
    assert after == umask


def test_a_reader_never_sees_a_part(tmp_path):
    file = Path(tmp_path / "a.bin")
    versions = [bytes([digit]) * 200_000 for digit in range(20)]
    write_atomic(file, versions[0])
    seen = []
    writer = threading.Thread(target=lambda: [write_atomic(file, data) for data in versions])
    writer.start()
    while writer.is_alive():
        seen.append(file.read_bytes())
    writer.join()
    assert len(seen) > 0
    assert all(data in versions for data in seen)
    assert file.read_bytes() == versions[-1]


def test_a_name_may_be_as_long_as_the_file_system_allows(tmp_path):
    file = tmp_path / ("猫" * 83 + ".html")
    write_atomic(file, "text")
    assert names_in(tmp_path) == [file.name]


@pytest.mark.skipif(sys.platform != "linux", reason="file names of any bytes")
def test_a_name_that_is_no_text(tmp_path):
    file = tmp_path / os.fsdecode(b"caf\xe9.json")
    write_atomic(file, f'"{file.name}"')
    assert file.read_bytes() == b'"caf\\udce9.json"'
    assert readable(file.name) == "caf\\udce9.json"
    assert readable("café 猫") == "café 猫"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("no/a.png", "No such file or directory"),
        ("folder", "Is a directory"),
        ("file/a.png", "Not a directory"),
        ("file/deep/a.png", "Not a directory"),
        ("n" * 300, "File name too long"),
        ("n" * 300 + "/a.png", "File name too long"),
    ],
)
@pytest.mark.parametrize("makes_folders", [False, True])
@pytest.mark.skipif(os.name != "posix", reason="names of POSIX errors")
def test_what_cannot_be_written_is_found_out_before(tmp_path, name, reason, makes_folders):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    before = names_in(tmp_path)
    if makes_folders and name.startswith("no/"):
        check_writable(tmp_path / name, makes_folders=True)
    else:
        with pytest.raises(ConfigError, match=rf"^cannot write .*: {reason}\.$"):
            check_writable(tmp_path / name, makes_folders=makes_folders)
    check_writable(tmp_path / "file")
    check_writable(tmp_path / "new")
    assert names_in(tmp_path) == before


def test_a_name_that_weights_cannot_be_opened_by_is_refused_before(tmp_path):
    odd = os.fsdecode(b"\xff")
    with pytest.raises(ConfigError, match=r"\\udcff: the name is not UTF-8"):
        zscape.train(np.zeros((8, 16, 16), np.uint8), out=tmp_path / odd, progress="none")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / f"{odd}.safetensors").write_bytes(b"weights of old")
    with pytest.raises(ConfigError, match="the name is not UTF-8"):
        zscape.load(tmp_path / f"{odd}.safetensors")
