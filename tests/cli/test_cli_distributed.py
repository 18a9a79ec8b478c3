from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_helpers import ENVIRONMENT, OPTIONS, flags, is_group_gone, run, save_npz, start
from safetensors.torch import load_file

from zscape.training import Run

DDP = ("--devices", "2", "--strategy", "ddp")
NOISELESS = """
import os

from zscape.model import MLPVAE


class Net(MLPVAE):
    def reparameterize(self, mu, logvar, generator=None):
        return mu


class Broken(Net):
    def reparameterize(self, mu, logvar, generator=None):
        if os.environ.get("LOCAL_RANK") == "1":
            raise OSError("the second process has broken")
        return mu
"""
"""Without the noise, which every process draws for itself, two train to the bit as one does."""

TRAINING = {
    **OPTIONS, "data": "blobs.npz", "n_train": 48, "network": "noiseless:Net", "precision": "32",
    "accelerator": "cpu",
}  # fmt: skip
FLAGS = flags(TRAINING)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A folder with data and network, in which one process has trained."""
    folder = tmp_path_factory.mktemp("alone")
    save_npz(folder / "blobs.npz")
    (folder / "noiseless.py").write_text(NOISELESS)
    done = run("train", "--out", "alone", *FLAGS, cwd=folder)
    assert done.returncode == 0, done.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield Run.open(folder / "alone")


def assert_trained_as(folder: Path, alone: Run) -> None:
    two = Run.open(folder)
    assert two.environment()["devices"] == 2
    assert [line["epoch"] for line in two.metrics()] == [1, 2]
    for line, expected in zip(two.metrics(), alone.metrics(), strict=True):
        for split in ("running", "evaluated_train", "test"):
            assert line[split] == pytest.approx(expected[split], rel=1e-3)
    assert {path.name for path in folder.iterdir()} == {path.name for path in alone.path.iterdir()}
    weights = load_file(alone.path / "model.safetensors")
    for name, value in load_file(folder / "model.safetensors").items():
        # As a whole, not one by one: where a gradient is all but 0 its rounding decides the sign of
        # Adam's step.
        difference = (value.double() - weights[name].double()).norm()
        assert difference <= 1e-3 * weights[name].double().norm() + 1e-4, name


def wait_until_gone(process: subprocess.Popen[str]) -> bool:
    deadline = time.monotonic() + 60
    while not is_group_gone(process) and time.monotonic() < deadline:
        time.sleep(0.05)
    return is_group_gone(process)


def test_two_processes_train_as_one(tmp_path: Path, alone: Run) -> None:
    folder = tmp_path / "run"
    process = start("train", "--out", folder, *FLAGS, *DDP)
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    assert wait_until_gone(process)
    assert out.count("Test loss") == 1
    header, *epochs = err.splitlines()
    assert header.endswith("on cpu in 32, processes: 2, threads: 1")
    assert len(epochs) == 2
    assert_trained_as(folder, alone)


def test_started_by_torchrun(tmp_path: Path, alone: Run) -> None:
    folder = tmp_path / "run"
    process = subprocess.Popen(
        [
            sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2",
            "--master_port", str(free_port()), "-m", "zscape", "train", "--out", folder,
            *FLAGS, *DDP,
        ],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    assert wait_until_gone(process)
    assert out.count("Test loss") == 1
    assert err.count("epoch ") == 2
    assert_trained_as(folder, alone)


def test_a_setting_that_cannot_be_met_starts_no_process(tmp_path: Path, alone: Run) -> None:
    process = start("train", "--out", tmp_path / "run", *FLAGS, *DDP, "--batch-size", 3)
    out, err = process.communicate(timeout=100)
    assert (process.returncode, out) == (2, "")
    assert err.count("\n") == 1
    assert "2 images in every step" in err
    assert "2 process(es)" in err
    assert not (tmp_path / "run").exists()
    assert is_group_gone(process)


@pytest.mark.slow
def test_divergence_is_said_once(tmp_path: Path, alone: Run) -> None:
    process = start("train", "--out", tmp_path / "run", *FLAGS, *DDP, "--learning-rate", "1e30")
    out, err = process.communicate(timeout=100)
    assert (process.returncode, out) == (2, "")
    assert [line[:25] for line in err.splitlines()[1:]] == ["zscape: Training diverged"]
    assert wait_until_gone(process)


@pytest.mark.slow
def test_where_one_breaks_none_waits_for_ever(tmp_path: Path, alone: Run) -> None:
    process = start(
        "train", "--out", tmp_path / "run", *FLAGS, *DDP, "--network", "noiseless:Broken"
    )
    out, err = process.communicate(timeout=100)
    assert process.returncode != 0
    assert out == ""
    assert "the second process has broken" in err
    assert wait_until_gone(process)


@pytest.mark.slow
def test_batch_norm_and_averaging(tmp_path: Path, alone: Run) -> None:
    process = start(
        "train", "--out", tmp_path / "run", *FLAGS, *DDP, "--network", "enhanced",
        "--optimizer", "muon", "--ema", "0.9",
        "--clip-norm", "1", "--early-stopping", "1", "--tensorboard", "--precision", "bf16",
    )  # fmt: skip
    _, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    assert Run.open(tmp_path / "run").model().config.network == "enhanced"
    assert Run.open(tmp_path / "run").environment()["devices"] == 2
    assert len(list((tmp_path / "run" / "tensorboard").iterdir())) == 1


@pytest.mark.slow
def test_two_machines(tmp_path: Path, alone: Run) -> None:
    folder = tmp_path / "run"
    where = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    machines = [
        subprocess.Popen(
            [
                Path(sys.executable).with_name("zscape"), "train", "--out", folder, *FLAGS,
                "--num-nodes", "2", "--strategy", "ddp",
            ],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
            env={**ENVIRONMENT, **where, "NODE_RANK": str(rank)},
        )
        for rank in range(2)
    ]  # fmt: skip
    outcomes = [(*process.communicate(timeout=200), process.returncode) for process in machines]
    assert [code for *_, code in outcomes] == [0, 0], outcomes
    assert outcomes[0][0].count("Test loss") == 1
    assert outcomes[1][:2] == ("", "")
    assert_trained_as(folder, alone)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
