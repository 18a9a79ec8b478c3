"""Long use: memory and the time of a step stay as they were."""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reliability import ROOT, Tries

from training.training_helpers import fit_tiny, make_splits
from zscape.training import Epoch, Progress, Trainer

PART = "Soak"


def resident() -> float:
    """Megabytes of memory that this process occupies."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


class Watch(Progress):
    """Memory and seconds after every epoch."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.memory: list[float] = []

    def on_epoch(self, trainer: Trainer, epoch: Epoch) -> None:
        self.seconds.append(time.process_time())
        self.memory.append(resident())


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.attack(PART, "2,000 epochs on 64 images: memory and the time of an epoch stay flat")
def test_two_thousand_epochs(tmp_path: Path, tries: Tries) -> None:
    watch, n = Watch(), 2000
    fit_tiny(
        tmp_path / "run", data=make_splits(64, 16), progress=watch, epochs=n, batch_size=32,
        schedule="constant", learning_rate=1e-4,
    )  # fmt: skip
    tenth = n // 10
    each = np.diff(watch.seconds)
    ratio = statistics.median(each[-tenth:]) / statistics.median(each[tenth : 2 * tenth])
    growth = watch.memory[-1] - watch.memory[tenth]
    tries.of_which[f"% of the time of an epoch at first ({n} epochs), in the last tenth"] = round(
        100 * ratio
    )
    tries.of_which["KB of memory more for an epoch"] = round(1024 * growth / (n - tenth), 1)
    tries.add(n, n if ratio < 1.5 and growth < 40 else 0)
    assert ratio < 1.5
    assert growth < 40


IN_KERNEL = """
import gc, sys
from pathlib import Path
from typing import Any
sys.path.insert(0, {root!r})
from IPython.display import display
from tools.web_fixtures import small_images, small_model
from zscape.explorer import build_scene
from zscape.explorer.widget import ExplorerWidget

vae, images = small_model(), small_images(120)
scene = build_scene(vae, images, maps=["pca"], weights="f32")

def show(n):
    for _ in range(n):
        widget = ExplorerWidget(scene, vae, images)
        display(widget)
        widget.close()
    del widget
    gc.collect()
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024

show(50)
before = show(50)
print(before, show({n}))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.attack(PART, "a widget shown and closed 200 times in one kernel: memory stays flat")
def test_two_hundred_widgets(tries: Tries) -> None:
    from jupyter_client.manager import KernelManager

    n, said = 200, []
    manager = KernelManager()
    manager.kernel_spec.argv[0] = sys.executable
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=120)

        def hear(message: dict[str, Any]) -> None:
            if message["msg_type"] in ("stream", "error"):
                content = message["content"]
                said.append(content.get("text") or "\n".join(content["traceback"]))

        client.execute_interactive(
            IN_KERNEL.format(root=str(ROOT), n=n), output_hook=hear, timeout=500
        )
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    before, after = map(float, "".join(said).split())
    tries.of_which["KB of memory more for a widget"] = round(1024 * (after - before) / n, 1)
    tries.add(n, n if after - before < 20 else 0)
    assert after - before < 20
