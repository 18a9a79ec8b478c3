"""A sweep that is killed and interrupted ends complete, and equal to one that never was."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from training.training_helpers import blobs
from zscape.errors import ConfigError
from zscape.sweeping import Sweep, resume_sweep

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="signals and sessions"),
]

ZSCAPE = Path(sys.executable).with_name("zscape")
FLAGS = (
    "--network", "mlp", "--latent-dim", "2,3,5", "--kld-weight", "0.5,1", "--seeds", "2",
    "--epochs", "10", "--batch-size", "16", "--optimizer", "adam", "--precision", "32",
    "--accelerator", "cpu", "--workers", "2",
)  # fmt: skip
"""Twelve trials."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "blobs.npz"
    np.savez(path, images=blobs(960)[:, 0].numpy(), labels=np.arange(960) % 3)
    return path


def start(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [ZSCAPE, "sweep", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def wait_until(is_so: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    while not is_so():
        if process.poll() is not None:
            pytest.fail(f"ended before that: {process.communicate()}")
        time.sleep(0.02)


def done(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("outcomes/*.json")}


def trained_by(folder: Path) -> dict[str, int]:
    """The trials that are being trained, and by which process."""
    found = {}
    for lock in folder.glob("trials/*/lock.json"):
        if (lock.parent / "last.ckpt/state.safetensors").is_file():
            text = lock.read_text() if lock.is_file() else ""
            found |= {lock.parent.name: json.loads(text)["pid"]} if text else {}
    return found


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture(scope="module")
def undisturbed(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "sweep"
    process = start("--data", data, *FLAGS, "--out", folder)
    _, err = process.communicate()
    assert process.returncode == 0, err
    assert len(err.splitlines()) == 12
    return folder


def test_killed_twice_and_interrupted_it_ends_as_one_that_never_was(
    data: Path, undisturbed: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "sweep"
    command = ("--data", data, *FLAGS, "--out", folder)

    process = start(*command)
    wait_until(lambda: len(done(folder)) >= 2 and len(trained_by(folder)) >= 1, process)
    orphans = trained_by(folder).values()
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 20
    while any(map(is_alive, orphans)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(is_alive, orphans)), "a worker outlives who gave it work"
    kept = {name: (folder / "outcomes" / name).stat().st_mtime_ns for name in done(folder)}
    assert Sweep.open(folder).counts["running"] == 0

    process = start(*command)
    wait_until(lambda: len(done(folder)) >= 4 and len(trained_by(folder)) >= 1, process)
    with pytest.raises(ConfigError, match=f"{folder} is being run by process {process.pid}"):
        resume_sweep(folder)
    found: dict[str, int] = {}
    wait_until(lambda: bool(found.update(trained_by(folder)) or found), process)
    name, worker = next(iter(found.items()))
    os.kill(worker, signal.SIGKILL)  # a worker alone: another takes its trial
    wait_until(lambda: f"{name}.json" in done(folder), process)

    wait_until(lambda: len(done(folder)) >= 7 and len(trained_by(folder)) >= 1, process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 130, err
    assert out.endswith(f"Go on with: zscape sweep resume {folder}\n")
    assert "Traceback" not in err
    assert len(done(folder)) < 12

    process = start("resume", folder)
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert {n: (folder / "outcomes" / n).stat().st_mtime_ns for n in kept} == kept
    ended, whole = Sweep.open(folder), Sweep.open(undisturbed)
    assert ended.counts == whole.counts
    assert ended.counts["finished"] == 12
    for trial in ended.trials:
        for file in ("model.safetensors", "config.json"):
            one, other = (s / "trials" / trial.name / file for s in (folder, undisturbed))
            assert one.read_bytes() == other.read_bytes(), (trial, file)
    same = [c for c in ended.frame() if c != "seconds"]
    assert ended.frame()[same].equals(whole.frame()[same])
    assert ended.verdict() == whole.verdict()
    assert sorted(p.name for p in folder.iterdir()) == sorted(p.name for p in undisturbed.iterdir())


def test_sigterm_ends_it_in_order_too(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    process = start("--data", data, *FLAGS, "--out", folder)
    wait_until(lambda: len(trained_by(folder)) >= 1, process)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate()
    assert process.returncode == 143, err
    assert "Stopped and saved" in out
    assert Sweep.open(folder).counts["running"] == 0
    assert Sweep.open(folder).counts["stopped"] >= 1


def test_a_trial_that_takes_its_processes_along_is_given_up(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import zscape

    (tmp_path / "deadly.py").write_text(
        "import os, signal\nfrom zscape.model import MLPVAE\n"
        "class Deadly(MLPVAE):\n"
        "    def encode(self, x):\n"
        "        if self.latent_dim == 3:\n"
        "            os.kill(os.getpid(), signal.SIGKILL)\n"
        "        return super().encode(x)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    found = zscape.sweep(
        data, out=tmp_path / "s", network="deadly:Deadly", latent_dim=[2, 3, 4], epochs=1,
        optimizer="adam", batch_size=16, workers=2, progress="none",
    )  # fmt: skip
    assert found.frame()["status"].tolist() == ["finished", "failed", "finished"]
    assert "its process ended 3 times, last with signal 9" in found.frame()["why"][1]
