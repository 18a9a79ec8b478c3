"""Nothing needs float64 on the model's device, which Apple's GPUs do not have."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

from zscape.config import ModelConfig
from zscape.model import build_model
from zscape.neurons import decoder_jacobian

PROGRAM = Path(__file__).with_name("narrow_device.py")


def run(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, PROGRAM, *options], capture_output=True, text=True)


def test_the_whole_way_on_a_device_without_float64() -> None:
    done = run()
    assert (done.returncode, done.stdout) == (0, "the whole way\n"), done.stderr[-2000:]


class OnlyFloat32(TorchDispatchMode):
    """While it lasts, nothing may be computed in float64."""

    def __torch_dispatch__(self, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = op(*args, **(kwargs or {}))
        for value in tree_flatten(found)[0]:
            is_wide = isinstance(value, torch.Tensor) and value.dtype == torch.float64
            if is_wide and value.ndim:  # a plain number is no array on the device
                raise TypeError(f"float64 of {op}")
        return found


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian-learned", "discretized-logistic"])
def test_the_jacobian_needs_no_float64(likelihood: str) -> None:
    vae = build_model(ModelConfig(latent_dim=2, image_shape=(1, 16, 16), likelihood=likelihood))
    with OnlyFloat32():
        with pytest.raises(TypeError, match="float64"):
            torch.zeros(2).double()
        assert decoder_jacobian(vae, [0.5, -1.0]).shape == (2, 1, 16, 16)


def test_the_device_refuses_float64() -> None:
    done = run("--break")
    assert done.returncode != 0
    assert "narrowgpu has no float64" in done.stderr
