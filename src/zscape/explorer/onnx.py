"""Encoder and decoder as ONNX files, for programs that are not Python."""

from __future__ import annotations

import importlib
import json
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

    def forward(self, x: Tensor, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        return _told(self.vae, condition).encode(x)


class _Decoder(nn.Module):
    def __init__(self, vae: VAE) -> None:
        super().__init__()
        self.vae = vae

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        return _told(self.vae, condition).decode(z)


def _told(vae: VAE, condition: Tensor | None) -> VAE:
    """``VAE.given`` of numbers that are not known yet."""
    if condition is None or vae.condition is None:
        return vae
    return vae.given(torch.eye(len(vae.condition.names), device=condition.device)[condition])


def check_onnx() -> None:
    """Raise ``MissingExtraError`` unless the packages of the extra ``onnx`` are there."""
    with needing("onnx", "writing ONNX"):
        for name in _PACKAGES:
            importlib.import_module(name)


def write_onnx(vae: ModelLike, folder: Path | str) -> list[Path]:
    """Write ``encoder.onnx`` (``x`` → ``mu``, ``logvar``) and ``decoder.onnx`` (``z`` → ``x``).

    ``x`` is (batch, c, h, w) in [0, 1], the others (batch, latent_dim); any batch. A model that is
    told what pictures are takes that too, ``condition`` (batch,) int64; what the numbers stand for
    is in the file's metadata, ``condition``, as a JSON list. Each is run by onnxruntime and
    compared with torch before it is kept.

    Raises
    ------
    MissingExtraError
        The packages are not installed.
    DataError
        The network cannot be exported, or the result differs from it.
    ConfigError
        The folder cannot be written.
    """
    vae = as_vae(vae).untold()
    check_onnx()
    folder = Path(folder)
    halves: list[tuple[str, _Encoder | _Decoder, str, list[str], tuple[int, ...]]] = [
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
    module: _Encoder | _Decoder,
    name: str,
    given: str,
    results: Sequence[str],
    shape: tuple[int, ...],
) -> bytes:
    device = next(module.parameters()).device
    # Two: a batch of one would be taken for a constant.
    example = [torch.zeros(2, *shape, device=device)]
    condition, names = module.vae.condition, [given]
    if condition is not None:
        example.append(torch.zeros(2, dtype=torch.int64, device=device))
        names.append("condition")
    batch = {0: torch.export.Dim("batch", min=1)}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program: Any = torch.onnx.export(
                module, tuple(example), dynamo=True, opset_version=OPSET, external_data=False,
                input_names=names, output_names=list(results), verbose=False,
                dynamic_shapes=(batch,) if condition is None else (batch, batch),
            )  # fmt: skip
        proto = program.model_proto
        if condition is not None:
            proto.metadata_props.add(key="condition", value=json.dumps(condition.names))
        content: bytes = proto.SerializeToString()
    except Exception as error:
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        reason = str(cause).strip().partition("\n")[0]
        raise DataError(f"the {name} cannot be written as ONNX: {reason}") from error
    _prove(module, content, name, given, shape, device)
    return content


def _prove(
    module: _Encoder | _Decoder,
    content: bytes,
    name: str,
    given: str,
    shape: tuple[int, ...],
    device: Any,
) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    for batch in _CHECKED_BATCHES:
        generator = torch_generator(0, "onnx", name, batch)
        x = torch.rand(batch, *shape, generator=generator)
        feed = {given: x}
        if (condition := module.vae.condition) is not None:
            feed["condition"] = torch.arange(batch) % len(condition.names)
        theirs = module(*(value.to(device) for value in feed.values()))
        theirs = [theirs] if isinstance(theirs, Tensor) else theirs
        ours = session.run(None, {name: value.numpy() for name, value in feed.items()})
        for one, other in zip(ours, theirs, strict=True):
            expected = other.float().cpu().numpy()
            gap = float(np.abs(one - expected).max())
            if not gap <= TOLERANCE * max(1.0, float(np.abs(expected).max())):
                raise DataError(
                    f"the {name} as ONNX differs from the model by {gap:.1e}; it was not kept."
                )
