"""Encoder and decoder as ONNX files, for programs that are not Python."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from zscape.errors import DataError, needing
from zscape.files import make_folder, write_atomic
from zscape.model import VAE, ModelLike, as_vae, evaluating
from zscape.seeding import torch_generator

OPSET = 20
TOLERANCE = 1e-4
"""Largest difference from torch, relative to the largest number where above 1."""
_PACKAGES = ("onnx", "onnxscript", "onnxruntime")
_CHECKED_BATCHES = (1, 5)


class _Encoder(nn.Module):
    def __init__(self, vae: VAE) -> None:
        super().__init__()
        self.vae = vae

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.vae.encode(x)


class _Decoder(nn.Module):
    def __init__(self, vae: VAE) -> None:
        super().__init__()
        self.vae = vae

    def forward(self, z: Tensor) -> Tensor:
        return self.vae.decode(z)


def check_onnx() -> None:
    """Raise ``MissingExtraError`` unless the packages of the extra ``onnx`` are there."""
    with needing("onnx", "writing ONNX"):
        for name in _PACKAGES:
            importlib.import_module(name)


def write_onnx(vae: ModelLike, folder: Path | str) -> list[Path]:
    """Write ``encoder.onnx`` (``x`` → ``mu``, ``logvar``) and ``decoder.onnx`` (``z`` → ``x``).

    ``x`` is (batch, c, h, w) in [0, 1], the others (batch, latent_dim); any batch. Each is run by
    onnxruntime and compared with torch before it is kept.

    Raises
    ------
    MissingExtraError
        The packages are not installed.
    DataError
        The network cannot be exported, or the result differs from it.
    ConfigError
        The folder cannot be written.
    """
    vae = as_vae(vae)
    check_onnx()
    folder = Path(folder)
    halves: list[tuple[str, nn.Module, str, list[str], tuple[int, ...]]] = [
        ("encoder", _Encoder(vae), "x", ["mu", "logvar"], vae.image_shape),
        ("decoder", _Decoder(vae), "z", ["x"], (vae.latent_dim,)),
    ]
    contents = {}
    with evaluating(vae):
        for name, module, given, results, shape in halves:
            contents[f"{name}.onnx"] = _export(module.eval(), name, given, results, shape)
    make_folder(folder)
    for file, content in contents.items():
        write_atomic(folder / file, content)
    return [folder / file for file in contents]


def _export(
    module: nn.Module, name: str, given: str, results: Sequence[str], shape: tuple[int, ...]
) -> bytes:
    device = next(module.parameters()).device
    # Two: a batch of one would be taken for a constant.
    example = torch.zeros(2, *shape, device=device)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program: Any = torch.onnx.export(
                module, (example,), dynamo=True, opset_version=OPSET, external_data=False,
                input_names=[given], output_names=list(results), verbose=False,
                dynamic_shapes=({0: torch.export.Dim("batch", min=1)},),
            )  # fmt: skip
        content: bytes = program.model_proto.SerializeToString()
    except Exception as error:
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        reason = str(cause).strip().partition("\n")[0]
        raise DataError(f"the {name} cannot be written as ONNX: {reason}") from error
    _prove(module, content, name, given, shape, device)
    return content


def _prove(
    module: nn.Module, content: bytes, name: str, given: str, shape: tuple[int, ...], device: Any
) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    for batch in _CHECKED_BATCHES:
        generator = torch_generator(0, "onnx", name, batch)
        x = torch.rand(batch, *shape, generator=generator)
        theirs = module(x.to(device))
        theirs = [theirs] if isinstance(theirs, Tensor) else theirs
        ours = session.run(None, {given: x.numpy()})
        for one, other in zip(ours, theirs, strict=True):
            expected = other.float().cpu().numpy()
            gap = float(np.abs(one - expected).max())
            if not gap <= TOLERANCE * max(1.0, float(np.abs(expected).max())):
                raise DataError(
                    f"the {name} as ONNX differs from the model by {gap:.1e}; it was not kept."
                )
