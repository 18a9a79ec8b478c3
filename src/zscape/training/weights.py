"""Model weights in one file: ours as safetensors, published ones of the tutorial's layout as .pth.

Nothing is ever unpickled beyond tensors.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, NamedTuple, TypeGuard

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from zscape import schema
from zscape._version import __version__
from zscape.config import ModelConfig
from zscape.data.tensors import unpickled
from zscape.errors import CheckpointError, ConfigError, DataError
from zscape.files import check_utf8, write_atomic
from zscape.model import VAE, Likelihood, allowed, build_model, describe_model, networks
from zscape.model.condition import Condition, join_condition
from zscape.words import line

METADATA_KEY = "zscape"


class LoadedModel(NamedTuple):
    """A model in evaluation mode, and what it is."""

    model: VAE
    config: ModelConfig

    def __repr__(self) -> str:
        return line(self, describe_model(self.model))


def save_weights(
    vae: VAE,
    config: ModelConfig,
    path: Path,
    *,
    dtype: torch.dtype = torch.float32,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Write the weights as safetensors, with ``config`` in the header; whole or not at all.

    ``dtype=torch.float16`` halves the file; counters and other integers keep their type, and so
    do tensors whose numbers are too large for it. ``more`` is kept in the header too.
    """
    tensors = {
        name: _stored(value, dtype).cpu().contiguous() for name, value in vae.state_dict().items()
    }
    header = {"version": __version__, "model": config.to_dict(), **(more or {})}
    write_atomic(path, save(tensors, metadata={METADATA_KEY: json.dumps(header)}))


def _stored(value: Tensor, dtype: torch.dtype) -> Tensor:
    if not value.is_floating_point():
        return value
    small = value.to(dtype)
    return small if bool((small.isfinite() == value.isfinite()).all()) else value


def load_weights(
    path: Path,
    *,
    network: str | type[VAE] | None = None,
    likelihood: str | type[Likelihood] | None = None,
) -> LoadedModel:
    """The model in a file of safetensors or of ``torch.save``, on the CPU, in evaluation mode.

    Network, latent_dim and image shape are read from the file: from our header where there is
    one, else from the tensors, which must then have the tutorial's layout.

    Parameters
    ----------
    path
        ``.safetensors`` of ours, or a ``.pth`` of the tutorial's network.
    network, likelihood
        Your own, a class or ``module:Class``, in place of what the file names: nothing that is
        named in a file is imported.

    Raises
    ------
    ConfigError
        ``network`` or ``likelihood`` cannot be imported, or is of another kind.
    CheckpointError
        Missing, damaged, holds more than tensors, or does not fit; says what does not.
    """
    own = allowed(network, likelihood)
    tensors, header = read_tensors(path)
    try:
        if METADATA_KEY in header:
            about = schema.parse(header[METADATA_KEY], {"model": dict})
            config = ModelConfig.from_dict(about["model"])
        else:
            tensors = without_shared_prefix(tensors)
            config = infer_config(tensors)
        config = config.replace(**own)
        if (blank := _blank(config)) is not None:
            fitting(blank, tensors, str(path))  # before there is memory for what it says it is
        vae = build_model(config)
    except (
        CheckpointError,
        ConfigError,
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
    ) as error:
        raise CheckpointError(f"{path} is not a model zscape knows: {error}") from error
    fit_state_dict(vae, tensors, str(path))
    for name, value in vae.state_dict().items():
        if not value.isfinite().all():
            raise CheckpointError(f"{path} holds NaN or infinity in {name}: its training diverged.")
    return LoadedModel(vae.eval(), config)


def _blank(config: ModelConfig) -> VAE | None:
    """The model without memory for its weights; None if it cannot be made so, as it reads them."""
    try:
        with torch.device("meta"):
            vae = networks[config.network](config.latent_dim, config.image_shape, config.likelihood)
            if config.condition is not None:
                join_condition(vae, Condition(config.condition, config.condition_names))
            return vae
    except RuntimeError as error:
        if "overflow" in str(error):
            raise CheckpointError(f"{config.image_shape} is no shape of an image.") from error
        return None


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors by name and the header's text fields; see ``load_weights``."""
    if not path.is_file():
        raise CheckpointError(f"there is no file {path}.")
    check_utf8(path)
    ending = path.suffix.lower()
    if ending not in (".safetensors", ".pth", ".pt"):
        ending = _ending_by_content(path)
    if ending != ".safetensors":
        return _read_pickled_tensors(path), {}
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    # The last are types of numbers that torch lacks.
    except (SafetensorError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path} is damaged or not safetensors: {error}.") from error


def _ending_by_content(path: Path) -> str:
    try:
        with path.open("rb") as file:
            start = file.read(9)
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error.strerror}.") from error
    if start[8:] == b"{":
        return ".safetensors"
    if start.startswith((b"PK", b"\x80")):  # a zip, or a pickle, as torch.save writes them
        return ".pth"
    raise CheckpointError(f"{path}: weights must be .safetensors, .pth or .pt; this is neither.")


def _read_pickled_tensors(path: Path) -> dict[str, Tensor]:
    try:
        content = unpickled(path)
    except UnpicklingError as error:
        raise CheckpointError(
            f"{path} was refused: it is damaged or holds Python code besides tensors; where it "
            "comes from, save the model's state_dict() alone."
        ) from error
    except DataError as error:
        raise CheckpointError(str(error)) from error
    if _is_state_dict(content):
        return content
    inside = {} if not isinstance(content, dict) else {
        key: value for key, value in content.items() if value and _is_state_dict(value)
    }  # fmt: skip
    named = [key for key in ("state_dict", "model_state_dict", "model") if key in inside]
    if len(inside) > 1 and not named:
        raise CheckpointError(
            f"{path} holds several state dicts ({', '.join(map(str, inside))}); save one alone."
        )
    if not inside:
        raise CheckpointError(f"{path} does not hold a state dict (names and tensors).")
    return inside[named[0]] if named else next(iter(inside.values()))


def _is_state_dict(content: Any) -> TypeGuard[dict[str, Tensor]]:
    return isinstance(content, dict) and all(isinstance(v, Tensor) for v in content.values())


def without_shared_prefix(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """``tensors`` without what stands before every name, as wrappers of a model put it there.

    ``module.`` of data parallelism, ``_orig_mod.`` of ``torch.compile``, ``model.`` of a trainer.
    """
    while tensors:
        first, dot, _ = str(next(iter(tensors))).partition(".")
        prefix = first + dot
        if not dot or not all(str(name).startswith(prefix) for name in tensors):
            break
        tensors = {str(name).removeprefix(prefix): value for name, value in tensors.items()}
    return tensors


def infer_config(tensors: dict[str, Tensor]) -> ModelConfig:
    """The ``EnhancedVAE`` whose state dict ``tensors`` is.

    An innermost kernel of 4 belongs to both 28 and 32 pixels; the published weights are for 28.
    """
    try:
        latent_dim = tensors["fc21.weight"].shape[0]
        channels = tensors["encoder.0.0.weight"].shape[1]
        kernel = tensors["encoder.3.0.weight"].shape[2]
    except (KeyError, IndexError) as error:
        raise CheckpointError(
            "it has no zscape header and not the tutorial's layout "
            f"({len(tensors)} tensors, among them {', '.join(sorted(tensors)[:3]) or 'none'})."
        ) from error
    side = 28 if kernel == 4 else 8 * kernel
    return ModelConfig(latent_dim=latent_dim, image_shape=(channels, side, side))


def fit_state_dict(module: nn.Module, tensors: dict[str, Tensor], source: str) -> None:
    """Load ``tensors`` into ``module``, or say exactly what does not fit; see ``fitting``."""
    module.load_state_dict(fitting(module, tensors, source))


def fitting(module: nn.Module, tensors: dict[str, Tensor], source: str) -> dict[str, Tensor]:
    """``tensors`` by the names that they have in ``module``.

    Raises
    ------
    CheckpointError
        Names of missing, unexpected and misshapen tensors.
    """
    own = module.state_dict()
    if (bare := without_shared_prefix(tensors)).keys() == own.keys():
        tensors = bare
    faults = [f"missing {name}" for name in own if name not in tensors]
    faults += [f"unexpected {name}" for name in tensors if name not in own]
    faults += [
        f"{name} is {tuple(value.shape)} instead of {tuple(own[name].shape)}"
        for name, value in tensors.items()
        if name in own and value.shape != own[name].shape
    ]
    if faults:
        raise CheckpointError(f"{source} does not fit the model: {'; '.join(faults)}.")
    return tensors
