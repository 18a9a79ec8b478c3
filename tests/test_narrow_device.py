"""Nothing needs float64 on the model's device, which Apple's GPUs do not have."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).with_name("narrow_device.py")


def run(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, PROGRAM, *options], capture_output=True, text=True)


def test_the_whole_way_on_a_device_without_float64() -> None:
    done = run()
    assert (done.returncode, done.stdout) == (0, "the whole way\n"), done.stderr[-2000:]


def test_the_device_refuses_float64() -> None:
    done = run("--break")
    assert done.returncode != 0
    assert "narrowgpu has no float64" in done.stderr
