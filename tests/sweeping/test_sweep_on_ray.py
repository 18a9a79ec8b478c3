"""A sweep on Ray: the same trials in the same folder, whatever becomes of a machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import zscape
from shards.small_disk import small_disk
from sweeping import three_nodes
from training.training_helpers import blobs
from zscape.cluster import ENVIRONMENT
from zscape.errors import ConfigError
from zscape.sweeping import Sweep

TINY = {
    "network": "mlp", "latent_dim": [2, 3, 4], "batch_size": 16, "optimizer": "adam",
    "precision": "32", "progress": "none",
}  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "blobs.npz"
    np.savez(path, images=blobs(480)[:, 0].numpy(), labels=np.arange(480) % 3)
    return path


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"address": "127.0.0.1:6"}, "no Ray answers at 127.0.0.1:6: Connection refused."),
        ({"asha": True, "by": "linear"}, "asha compares trials while they train"),
        ({"search": "optuna", "trials": 3}, "search optuna goes with engine local"),
        ({"engine": "local", "address": "auto"}, "address goes with engine ray"),
    ],
    ids=str,
)
def test_what_ray_cannot_do_is_said(data, tmp_path, options, said):
    with pytest.raises(ConfigError, match=said):
        zscape.sweep(data, out=tmp_path / "s", **{**TINY, "engine": "ray", **options})
    assert not (tmp_path / "s" / "trials").exists()


@pytest.mark.slow
def test_a_node_is_killed_and_the_sweep_ends_as_one_that_never_was(data, tmp_path):
    folder, whole = tmp_path / "killed", tmp_path / "whole"
    done = subprocess.run(
        [sys.executable, three_nodes.__file__, data, folder], capture_output=True, text=True,
        env={**os.environ, **ENVIRONMENT, "OMP_NUM_THREADS": "1"}, check=False, timeout=1200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["counts"]["finished"] == 6
    assert told["lost"], "no trial was lost with the node"
    zscape.sweep(data, out=whole, workers=2, progress="none", **three_nodes.OPTIONS)
    one, other = Sweep.open(folder), Sweep.open(whole)
    assert [trial.name for trial in one.trials] == [trial.name for trial in other.trials]
    for trial in one.trials:
        file = f"trials/{trial.name}/model.safetensors"
        assert (folder / file).read_bytes() == (whole / file).read_bytes(), trial
    same = [name for name in one.frame() if name != "seconds"]
    assert one.frame()[same].equals(other.frame()[same])
    assert not (folder / "ray").exists()


@pytest.mark.slow
def test_asha_stops_what_falls_behind_and_says_so(data, tmp_path):
    code = f"""if True:
        import zscape
        found = zscape.sweep({str(data)!r}, out={str(tmp_path / "s")!r}, engine="ray", asha=True,
                             learning_rate=[1e-2, 3e-3, 1e-5, 1e-6], epochs=9, network="mlp",
                             latent_dim=2, batch_size=16, optimizer="adam", progress="none")
        print(found.counts)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    frame = Sweep.open(tmp_path / "s").frame()
    assert set(frame["status"]) == {"finished", "pruned"}, frame
    assert (
        1e-2 in frame[frame["status"] == "finished"]["learning_rate"].to_list()
    )  # by far the best
    assert frame["why"].str.contains("ASHA stopped it after epoch").any()


@pytest.mark.slow
def test_a_full_disk_is_said_and_room_lets_it_go_on(data, tmp_path):
    command = [
        Path(sys.executable).with_name("zscape"), "sweep", "--data", data, "--network", "mlp",
        "--latent-dim", "2,3", "--epochs", "2", "--batch-size", "16", "--optimizer", "adam",
        "--engine", "ray",
    ]  # fmt: skip
    with small_disk(tmp_path / "disk", "256k") as resized:
        command += ["--out", tmp_path / "disk" / "s"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 2, (done.stdout, done.stderr)
        assert "No space left on device" in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr
        resized("256m")
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert Sweep.open(tmp_path / "disk" / "s").counts["finished"] == 2
