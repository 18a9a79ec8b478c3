"""A sweep on a cluster of three nodes, one of which is killed in the middle: run as a program.

Each node is a Ray of its own with one core and its own processes, on this machine.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path

from ray.cluster_utils import Cluster

import zscape
from zscape.sweeping import Sweep

OPTIONS = {
    "network": "mlp", "latent_dim": [2, 3, 5], "kld_weight": [0.5, 1.0], "epochs": 25,
    "batch_size": 16, "optimizer": "adam", "precision": "32", "accelerator": "cpu",
}  # fmt: skip


def trained_by(folder: Path) -> dict[str, int]:
    """The trials that have a checkpoint and are being trained, and by which process."""
    found = {}
    for lock in folder.glob("trials/*/lock.json"):
        if (lock.parent / "last.ckpt/state.safetensors").is_file() and lock.is_file():
            text = lock.read_text()
            found |= {lock.parent.name: json.loads(text)["pid"]} if text else {}
    return found


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    except OSError:
        return False


def main(data: str, out: str) -> None:
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
    )
    nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
    cluster.wait_for_nodes()
    lost: dict[str, int] = {}

    def kill() -> None:
        before: dict[str, int] = {}
        while len(before) < 3:  # one trial on each node, all with a checkpoint
            time.sleep(0.05)
            before = trained_by(Path(out))
        cluster.remove_node(nodes[0], allow_graceful=False)
        while not lost:
            time.sleep(0.05)
            lost.update({name: pid for name, pid in before.items() if not is_alive(pid)
                         and not (Path(out) / "outcomes" / f"{name}.json").is_file()})  # fmt: skip

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    found = zscape.sweep(
        data, out=out, engine="ray", address=cluster.address, progress="none", **OPTIONS
    )
    killer.join(5)
    assert isinstance(found, Sweep)
    cluster.shutdown()
    print(json.dumps({"counts": found.counts, "lost": sorted(lost)}))
    sys.stdout.flush()
    os._exit(0)  # threads of a cluster that is no more


if __name__ == "__main__":
    main(*sys.argv[1:])
