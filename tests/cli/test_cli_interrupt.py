from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from cli_helpers import OPTIONS, flags, is_group_gone, run, save_npz, start
from safetensors.torch import load_file

import zscape
from zscape.training import Run

TRAINING = {
    **OPTIONS, "epochs": 4, "batch_size": 4, "precision": "bf16", "accelerator": "cpu",
}  # fmt: skip
FLAGS = flags(TRAINING)


def wait_for_epochs(process: subprocess.Popen[str], folder: Path, n: int) -> None:
    """Until ``n`` epochs are on disk, and the next has begun."""
    while process.poll() is None:
        checkpoint = folder / "last.ckpt" / "state.safetensors"
        if checkpoint.is_file() and len(Run.open(folder).metrics()) >= n:
            time.sleep(0.1)
            return
        time.sleep(0.02)
    pytest.fail(f"ended before epoch {n}: {process.communicate()}")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_npz(tmp_path_factory.mktemp("data") / "blobs.npz", n=480)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "run"
    zscape.train(data, out=folder, progress="none", **TRAINING)
    return folder


def test_ctrl_c_then_resume_is_as_never_stopped(tmp_path: Path, data: Path, whole: Path) -> None:
    folder = tmp_path / "run"
    process = start("train", "--data", data, "--out", folder, *FLAGS)
    wait_for_epochs(process, folder, 1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert out == f"Stopped and saved. Go on with: zscape train --resume {folder}\n"
    assert "Traceback" not in err
    assert is_group_gone(process)
    n_done = len(Run.open(folder).metrics())
    assert 1 <= n_done < TRAINING["epochs"]
    assert not (folder / "loss.png").exists()

    done = run("train", "--resume", folder)
    assert done.returncode == 0, done.stderr
    assert len(done.stderr.splitlines()) == 1 + TRAINING["epochs"] - n_done
    assert (folder / "loss.png").exists()
    for name in ("model.safetensors", "last.ckpt/state.safetensors"):
        tensors, expected = load_file(folder / name), load_file(whole / name)
        assert tensors.keys() == expected.keys()
        assert all((tensors[key] == value).all() for key, value in expected.items())
    for line, expected in zip(Run.open(folder).metrics(), Run.open(whole).metrics(), strict=True):
        assert line["running"] == expected["running"]
        assert line["test"] == expected["test"]


@pytest.mark.slow
def test_a_killed_training_resumes_too(tmp_path: Path, data: Path, whole: Path) -> None:
    folder = tmp_path / "run"
    process = start("train", "--data", data, "--out", folder, *FLAGS)
    wait_for_epochs(process, folder, 1)
    process.kill()
    process.communicate(timeout=60)
    assert run("train", "--resume", folder).returncode == 0
    assert (folder / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()


@pytest.mark.slow
def test_ctrl_c_with_two_processes(tmp_path: Path, data: Path) -> None:
    two = ("--devices", 2, "--strategy", "ddp", "--accelerator", "cpu")
    folder, whole = tmp_path / "run", tmp_path / "whole"
    settings = ["--data", data, *FLAGS, "--batch-size", 8, *two]
    process = start("train", "--out", folder, *settings)
    wait_for_epochs(process, folder, 1)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of them
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert out == f"Stopped and saved. Go on with: zscape train --resume {folder}\n"
    assert "Traceback" not in err
    deadline = time.monotonic() + 60
    while not is_group_gone(process) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert is_group_gone(process)

    assert run("train", "--resume", folder).returncode == 0
    assert run("train", "--out", whole, *settings).returncode == 0
    assert (folder / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    for line, expected in zip(Run.open(folder).metrics(), Run.open(whole).metrics(), strict=True):
        assert line["running"] == pytest.approx(expected["running"], rel=1e-12)
