"""Train variational autoencoders on images and walk through their latent space.

Names are imported on first use, so that ``import zscape`` costs nothing: torch and the rest are
loaded by what needs them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from zscape._version import __version__
from zscape.errors import (
    CheckpointError,
    ConfigError,
    DataError,
    MissingExtraError,
    ShapeError,
    TrainingDiverged,
    ZscapeError,
)

if TYPE_CHECKING:
    from zscape.api import Opened, explore, export, load, resume, train
    from zscape.config import DataConfig, ModelConfig, TrainConfig
    from zscape.data import ImageSet, load_data
    from zscape.latents import encode
    from zscape.model import VAE, EnhancedVAE, register_likelihood, register_network
    from zscape.training import Run
    from zscape.zoo import load_pretrained

_HOMES = {
    "DataConfig": "zscape.config",
    "EnhancedVAE": "zscape.model",
    "ImageSet": "zscape.data",
    "ModelConfig": "zscape.config",
    "Opened": "zscape.api",
    "Run": "zscape.training",
    "TrainConfig": "zscape.config",
    "VAE": "zscape.model",
    "load": "zscape.api",
    "explore": "zscape.api",
    "export": "zscape.api",
    "encode": "zscape.latents",
    "load_data": "zscape.data",
    "load_pretrained": "zscape.zoo",
    "register_likelihood": "zscape.model",
    "register_network": "zscape.model",
    "resume": "zscape.api",
    "train": "zscape.api",
}

__all__ = [
    "VAE",
    "CheckpointError",
    "ConfigError",
    "DataConfig",
    "DataError",
    "EnhancedVAE",
    "ImageSet",
    "MissingExtraError",
    "ModelConfig",
    "Opened",
    "Run",
    "ShapeError",
    "TrainConfig",
    "TrainingDiverged",
    "ZscapeError",
    "__version__",
    "encode",
    "explore",
    "export",
    "load",
    "load_data",
    "load_pretrained",
    "register_likelihood",
    "register_network",
    "resume",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'zscape' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
