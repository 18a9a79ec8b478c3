"""Trainings by ``torchrun``, of which a process or a machine is killed: they go on with the rest.

Two machines are two network namespaces with a cable between them, where they can be made; else two
launchers on one machine that meet at a port.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from training_helpers import blobs

from zscape.training import Run
from zscape.training.processes import FRESH

pytestmark = pytest.mark.slow

TRAIN = (
    "-m", "zscape", "train", "--data", "blobs.npz", "--network", "noiseless:Net", "--latent-dim",
    "3", "--epochs", "8", "--batch-size", "16", "--optimizer", "adam", "--precision", "32",
    "--accelerator", "cpu", "--strategy", "ddp", "--shuffle", "computed", "--go-on",
)  # fmt: skip
NETWORK = """
import time

from zscape.model import MLPVAE


class Net(MLPVAE):
    def reparameterize(self, mu, logvar, generator=None):
        time.sleep(0.01)  # that there is a middle to be killed in
        return mu
"""
"""Without the noise, which every process draws for itself, any number train as one does."""


class Machine(NamedTuple):
    prefix: tuple[str, ...]
    address: str
    environment: dict[str, str]


@contextmanager
def two_machines() -> Iterator[list[Machine]]:
    names, addresses = ("zscape-a", "zscape-b"), ("10.213.7.1", "10.213.7.2")
    if os.geteuid() or not shutil.which("ip") or _ip("netns", "add", names[0]):
        yield [Machine((), "127.0.0.1", {})] * 2
        return
    with ExitStack() as stack:
        stack.callback(_ip, "netns", "del", names[0])
        for name in names[1:]:
            assert not _ip("netns", "add", name)
            stack.callback(_ip, "netns", "del", name)
        ends = ("zscape0", "zscape1")
        assert not _ip("link", "add", ends[0], "type", "veth", "peer", "name", ends[1])
        for name, end, address in zip(names, ends, addresses, strict=True):
            assert not _ip("link", "set", end, "netns", name)
            for rest in (
                f"addr add {address}/24 dev {end}",
                f"link set {end} up",
                "link set lo up",
            ):
                assert not _ip("-n", name, *rest.split())
        yield [
            Machine(("ip", "netns", "exec", name), address, {"GLOO_SOCKET_IFNAME": end})
            for name, end, address in zip(names, ends, addresses, strict=True)
        ]


def _ip(*words: str) -> int:
    return subprocess.run(["ip", *words], capture_output=True, check=False).returncode


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    np.savez(tmp_path / "blobs.npz", images=blobs(240)[:, 0].numpy())
    (tmp_path / "noiseless.py").write_text(NETWORK)
    return tmp_path


def launch(folder: Path, out: str, *flags: object, machine: Machine) -> subprocess.Popen[str]:
    with (folder / f"{out}-{time.monotonic_ns()}.log").open("w") as log:
        return subprocess.Popen(
            [
                *machine.prefix, sys.executable, "-m", "torch.distributed.run", *map(str, flags),
                *TRAIN, "--out", out,
            ],
            cwd=folder, stdout=log, stderr=subprocess.STDOUT, text=True, start_new_session=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", FRESH: "1", **machine.environment},
        )  # fmt: skip


def logs(folder: Path) -> str:
    return "\n".join(file.read_text() for file in sorted(folder.glob("*.log")))


def wait_for(what: Callable[[], bool], folder: Path, seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, logs(folder)
        time.sleep(0.05)


def workers_of(launcher: int) -> list[int]:
    """The processes that torchrun has started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            number, _, rest = stat.read_text().partition(" (")
            parent = int(rest.rpartition(") ")[2].split()[1])
            words = (stat.parent / "cmdline").read_text()
        except OSError:
            continue
        if parent == launcher and "zscape" in words:
            found.append(int(number))
    return found


def has_epochs(run: Path, n: int) -> Callable[[], bool]:
    metrics = run / "metrics.jsonl"
    return lambda: metrics.is_file() and metrics.read_text().count("\n") >= n


def assert_trained_as_one(folder: Path, out: str) -> None:
    """The batches were those of one process all along."""
    machine = Machine((), "127.0.0.1", {})
    alone = launch(folder, "alone", "--standalone", "--nproc-per-node", 1, machine=machine)
    assert alone.wait(300) == 0, logs(folder)
    one, other = (Run.open(folder / name) for name in ("alone", out))
    assert [line["epoch"] for line in other.metrics()] == list(range(1, 9))
    for line, expected in zip(other.metrics(), one.metrics(), strict=True):
        # Sums in another order, and Adam, which goes by signs where a gradient is all but 0.
        assert line["test"]["loss"] == pytest.approx(expected["test"]["loss"], rel=0.01)
        assert line["running"]["n_images"] == expected["running"]["n_images"]


def test_a_killed_process_is_started_again_and_the_run_goes_on(folder: Path) -> None:
    machine = Machine((), "127.0.0.1", {})
    launcher = launch(folder, "run", "--standalone", "--nproc-per-node", 2, "--max-restarts", 3,
                      machine=machine)  # fmt: skip
    wait_for(has_epochs(folder / "run", 3), folder)
    before = workers_of(launcher.pid)
    assert len(before) == 2
    os.kill(before[1], signal.SIGKILL)
    assert launcher.wait(300) == 0, logs(folder)
    assert not {*before} & {*workers_of(launcher.pid)}
    assert Run.open(folder / "run").environment()["devices"] == 2
    assert logs(folder).count("Test loss") == 1
    assert_trained_as_one(folder, "run")


def test_a_killed_machine_leaves_the_run_to_the_other(folder: Path) -> None:
    with two_machines() as machines:
        port = 29_500
        if not machines[0].prefix:
            with socket.socket() as found:
                found.bind(("127.0.0.1", 0))
                port = found.getsockname()[1]
        launchers = [
            launch(
                folder, "run", "--nnodes", "1:2", "--nproc-per-node", 1, "--max-restarts", 5,
                "--rdzv-backend", "c10d", "--rdzv-id", "zscape",
                "--rdzv-endpoint", f"{machines[0].address}:{port}", "--rdzv-conf",
                f"is_host={int(number == 0)},last_call_timeout=5,keep_alive_interval=1,"
                "keep_alive_max_attempt=3",
                "--local-addr", machine.address, machine=machine,
            )
            for number, machine in enumerate(machines)
        ]  # fmt: skip
        try:
            wait_for(has_epochs(folder / "run", 3), folder)
            assert Run.open(folder / "run").environment()["devices"] == 2, logs(folder)
            lost = launchers[1]
            # As a power cut: the launcher and what it has started.
            for process in (*_below(lost.pid), lost.pid):
                os.kill(process, signal.SIGKILL)
            assert launchers[0].wait(300) == 0, logs(folder)
        finally:
            for launcher in launchers:
                if launcher.poll() is None:
                    os.killpg(launcher.pid, signal.SIGKILL)
    assert Run.open(folder / "run").environment()["devices"] == 1
    assert "processes: 2" in logs(folder)
    assert "processes: 1" in logs(folder)
    assert_trained_as_one(folder, "run")


def _below(process: int) -> list[int]:
    """All that a process has started, the last first: none is left to start another."""
    children = [
        int(number)
        for file in Path(f"/proc/{process}/task").glob("*/children")
        for number in file.read_text().split()
    ]
    return [each for child in children for each in (*_below(child), child)]
