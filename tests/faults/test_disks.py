"""Full disks, folders that may not be written or are gone, clocks, names, homes and locales."""

from __future__ import annotations

import ctypes
import errno
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import pytest
from forked import FLAGS, Program, Undisturbed, begun, resumed, wait_for
from reliability import Tries

from training.training_helpers import assert_same_outcome
from zscape.training import Run

PART = "Disks and places"
STAGES = ("mkstemp", "fsync", "replace")
"""Of a write: the new file is made, it is filled and flushed, it takes its name."""


def fill_disk(stage: str, number: int) -> None:
    """Let the write of this number, and every later one, find no room."""
    owner = {"mkstemp": tempfile, "fsync": os, "replace": Path}[stage]
    real, count = getattr(owner, stage), itertools.count()

    def full(*arguments: object, **kwargs: object) -> object:
        if next(count) >= number:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*arguments, **kwargs)

    setattr(owner, stage, full)


def check_full(undisturbed: Undisturbed, folder: Path, stage: str, number: int) -> bool:
    """Whether the disk was full before the training had ended; it must then be as it was."""
    program = undisturbed.start(folder, before=partial(fill_disk, stage, number))
    if program.wait() == 0:
        assert_same_outcome(folder, undisturbed.folder)
        return False
    assert program.wait() == 2, program.said
    complaint = program.said.splitlines()[-1]
    assert complaint.startswith("zscape: cannot write ")
    assert complaint.endswith(": No space left on device.")
    assert "Traceback" not in program.said
    assert not [*folder.rglob(".*"), *folder.rglob("lock.json")]
    if (folder / "config.json").exists():
        assert resumed(folder).wait() == 0
    else:
        assert undisturbed.start(folder).wait() == 0
    assert_same_outcome(folder, undisturbed.folder)
    return True


@pytest.mark.attack(PART, "a disk that is full at the fourth write")
def test_a_full_disk(tmp_path: Path, undisturbed: Undisturbed) -> None:
    assert check_full(undisturbed, tmp_path / "run", "fsync", 3)


@pytest.fixture(scope="module")
def short(undisturbed: Undisturbed, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """A training with a checkpoint per epoch and no more, so that its writes can all be tried."""
    flags = (*FLAGS, "--epochs", "2", "--checkpoint-minutes", "0")
    made = Undisturbed(undisturbed.data, tmp_path_factory.mktemp("short") / "run", flags=flags)
    assert made.start(made.folder).wait() == 0
    return made


@pytest.mark.slow
@pytest.mark.attack(PART, "a disk that is full at every write in turn, at each of its three stages")
@pytest.mark.parametrize("stage", STAGES)
def test_a_full_disk_at_every_write(
    tmp_path: Path, short: Undisturbed, stage: str, tries: Tries
) -> None:
    for number in itertools.count():
        if not check_full(short, tmp_path / str(number), stage, number):
            break
        tries.add(1, 1)
    assert tries.n >= 10  # what a training of two epochs writes whole


SMALL_DISK = """
mount -t tmpfs -o size={size}k none "$1" || exit 77
cd "$1" && "$2" train --out run "${{@:3}}"; code=$?
cp -a run "$1.kept" && exit $code
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs a tmpfs of its own")
@pytest.mark.attack(PART, "a real disk (tmpfs) of 320 KB")
def test_a_small_disk(tmp_path: Path, undisturbed: Undisturbed) -> None:
    (tmp_path / "disk").mkdir()
    done = subprocess.run(
        ["unshare", "-m", "bash", "-c", SMALL_DISK.format(size=320), "bash", tmp_path / "disk",
         Path(sys.executable).with_name("zscape"), "--data", undisturbed.data, *FLAGS],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("this process may not mount a disk")
    assert done.returncode == 2, done.stderr
    complaint = done.stderr.splitlines()[-1]
    assert complaint.startswith("zscape: cannot write run/")
    assert complaint.endswith(": No space left on device.")
    folder = tmp_path / "disk.kept"
    assert not list(folder.rglob(".*"))
    assert resumed(folder).wait() == 0
    assert_same_outcome(folder, undisturbed.folder)


def obey_permissions() -> None:
    """Give up what lets root write where nobody may."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    none = (ctypes.c_uint32 * 6)()
    assert os.getuid() or ctypes.CDLL(None).capset(header, none) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="capabilities of Linux")
@pytest.mark.attack(PART, "a folder that may not be written: for a new run, for one that goes on")
@pytest.mark.parametrize("is_new", [True, False])
def test_a_read_only_folder(tmp_path: Path, undisturbed: Undisturbed, is_new: bool) -> None:
    folder = tmp_path / "runs" / "run"
    shutil.copytree(undisturbed.folder, folder)
    for each in (*folder.rglob("*"), folder, folder.parent):
        each.chmod(0o555 if each.is_dir() else 0o444)
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    arguments = (
        ("--out", folder.with_name("new"), "--data", undisturbed.data, *FLAGS) if is_new
        else ("--resume", folder)
    )  # fmt: skip
    program = Program("train", *arguments, log=tmp_path / "log", before=obey_permissions)
    assert program.wait() == 2, program.said
    assert program.said.startswith("zscape: cannot write ")
    assert program.said.endswith(": Permission denied.\n")
    assert program.said.count("\n") == 1
    assert {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()} == before
    assert list(folder.parent.iterdir()) == [folder]


@pytest.mark.attack(PART, "the folder deleted while it trains")
def test_a_folder_that_is_deleted(tmp_path: Path, undisturbed: Undisturbed) -> None:
    folder = tmp_path / "run"
    program = begun(undisturbed, folder)
    shutil.rmtree(folder.rename(tmp_path / "gone"), ignore_errors=True)
    assert program.wait() == 2, program.said
    assert program.said.splitlines()[-1].startswith(f"zscape: cannot write {folder}/")
    assert "Traceback" not in program.said
    assert not folder.exists()


def turn_clock_back() -> None:
    hours = itertools.count()
    real = time.time
    time.time = lambda: real() - 3600 * next(hours)


@pytest.mark.attack(PART, "a clock that is set back an hour whenever it is read")
def test_a_clock_that_goes_back(tmp_path: Path, undisturbed: Undisturbed) -> None:
    program = undisturbed.start(tmp_path / "run", before=turn_clock_back)
    assert program.wait() == 0, program.said
    assert_same_outcome(tmp_path / "run", undisturbed.folder)


NAMES = (
    "with spaces", "it's \"quoted\"", "two\nlines", "猫" * 66, "-n", "$(false)`false`", "a[1]*?",
    "%s{}", "⁧right to left",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.attack(PART, "names of folders and data: spaces, quotes, newlines, 198 bytes of kanji")
def test_names(tmp_path: Path, undisturbed: Undisturbed, tries: Tries) -> None:
    for number, name in enumerate(tries(NAMES)):
        folder = tmp_path / str(number) / name
        folder.parent.mkdir()
        data = shutil.copy(undisturbed.data, folder.with_name(f"{name}.npz"))
        log = tmp_path / "log"
        program = Program("train", "--data", data, "--out", folder, *FLAGS, log=log)
        wait_for((folder / "last.ckpt" / "state.safetensors").is_file, program)
        program.kill_after(0)
        assert Program("train", "--resume", folder, log=log).wait() == 0, log.read_text()
        assert (folder / "model.safetensors").read_bytes() == (
            undisturbed.folder / "model.safetensors"
        ).read_bytes()
        assert Program("info", folder, log=log).wait() == 0, log.read_text()
        assert len(Run.open(folder).load_data().train) == 53


def live_as(environment: dict[str, str | None]) -> None:
    for name, value in environment.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value


PLACES: dict[str, dict[str, str | None]] = {
    "no HOME": {"HOME": None, "XDG_CACHE_HOME": None},
    "a HOME that is not there": {"HOME": "/nowhere", "XDG_CACHE_HOME": None},
    "a HOME that may not be written": {"HOME": "/proc", "XDG_CACHE_HOME": None},
    "ASCII": {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    "no terminal": {"TERM": None, "COLUMNS": "0"},
    "a dumb terminal": {"TERM": "dumb", "LINES": "-1", "COLUMNS": "one"},
}


@pytest.mark.slow
@pytest.mark.attack(PART, "no HOME, one that cannot be written, a locale of ASCII, no terminal")
@pytest.mark.parametrize("place", PLACES)
def test_places(tmp_path: Path, undisturbed: Undisturbed, place: str) -> None:
    """New processes: what these say is read as Python starts."""
    environment = {**os.environ, "ZSCAPE_CACHE": ""}
    for name, value in ({"ZSCAPE_CACHE": None} | PLACES[place]).items():
        environment.pop(name, None)
        if value is not None:
            environment[name] = value
    folder = tmp_path / ("run" if place == "ASCII" else "猫")  # there, refused in one sentence
    done = subprocess.run(
        [Path(sys.executable).with_name("zscape"), "train", "--data", undisturbed.data, "--out",
         folder, *FLAGS],
        env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    assert_same_outcome(folder, undisturbed.folder)
