"""Shards encoded on a Ray cluster of three nodes, one of which is killed: run as a program.

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


def main(shards: str, out: str) -> None:
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
    )
    nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
    cluster.wait_for_nodes()
    killed: list[int] = []

    def n_tables() -> int:
        return len(list(Path(out).rglob("*.latents.parquet")))

    def kill() -> None:
        while n_tables() < 6:
            time.sleep(0.02)
        cluster.remove_node(nodes[0], allow_graceful=False)
        killed.append(n_tables())

    threading.Thread(target=kill, daemon=True).start()
    n = zscape.encode_shards("zoo:2", shards, out, engine="ray", address=cluster.address)
    print(json.dumps({"n": n, "done_when_killed": killed}))
    sys.stdout.flush()
    cluster.shutdown()
    os._exit(0)  # threads of a cluster that is no more


if __name__ == "__main__":
    main(*sys.argv[1:])
