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
    ProcessLost,
    ShapeError,
    TrainingDiverged,
    ZscapeError,
)

if TYPE_CHECKING:
    from zscape.api import (
        Opened,
        compare,
        decode,
        disentanglement,
        doctor,
        encode,
        evaluate,
        explore,
        export,
        film,
        load,
        probe,
        quality,
        reconstruct,
        resume,
        sample,
        train,
        write_comparison,
        write_report,
    )
    from zscape.config import DataConfig, ModelConfig, TrainConfig
    from zscape.data import ImageSet, Splits, load_data, register_source
    from zscape.embedding import (
        Embedding,
        fit_map,
        register_inverse,
        register_method,
        register_metric,
    )
    from zscape.evaluation import Protocol
    from zscape.explorer import Story
    from zscape.latents import LatentTable
    from zscape.model import (
        VAE,
        EnhancedVAE,
        Likelihood,
        register_likelihood,
        register_network,
        register_objective,
        wrap,
    )
    from zscape.shards import encode_shards
    from zscape.sweeping import Sweep, sweep
    from zscape.training import Run
    from zscape.zoo import load_pretrained

_HOMES = {
    "DataConfig": "zscape.config",
    "Embedding": "zscape.embedding",
    "EnhancedVAE": "zscape.model",
    "ImageSet": "zscape.data",
    "LatentTable": "zscape.latents",
    "Likelihood": "zscape.model",
    "ModelConfig": "zscape.config",
    "Opened": "zscape.api",
    "Protocol": "zscape.evaluation",
    "Run": "zscape.training",
    "Splits": "zscape.data",
    "Story": "zscape.explorer",
    "Sweep": "zscape.sweeping",
    "TrainConfig": "zscape.config",
    "VAE": "zscape.model",
    "compare": "zscape.api",
    "decode": "zscape.api",
    "disentanglement": "zscape.api",
    "doctor": "zscape.api",
    "encode": "zscape.api",
    "encode_shards": "zscape.shards",
    "evaluate": "zscape.api",
    "explore": "zscape.api",
    "export": "zscape.api",
    "film": "zscape.api",
    "fit_map": "zscape.embedding",
    "load": "zscape.api",
    "load_data": "zscape.data",
    "load_pretrained": "zscape.zoo",
    "probe": "zscape.api",
    "quality": "zscape.api",
    "reconstruct": "zscape.api",
    "register_inverse": "zscape.embedding",
    "register_likelihood": "zscape.model",
    "register_method": "zscape.embedding",
    "register_metric": "zscape.embedding",
    "register_network": "zscape.model",
    "register_objective": "zscape.model",
    "register_source": "zscape.data",
    "resume": "zscape.api",
    "sample": "zscape.api",
    "sweep": "zscape.sweeping",
    "train": "zscape.api",
    "wrap": "zscape.model",
    "write_comparison": "zscape.api",
    "write_report": "zscape.api",
}

__all__ = [
    "VAE",
    "CheckpointError",
    "ConfigError",
    "DataConfig",
    "DataError",
    "Embedding",
    "EnhancedVAE",
    "ImageSet",
    "LatentTable",
    "Likelihood",
    "MissingExtraError",
    "ModelConfig",
    "Opened",
    "ProcessLost",
    "Protocol",
    "Run",
    "ShapeError",
    "Splits",
    "Story",
    "Sweep",
    "TrainConfig",
    "TrainingDiverged",
    "ZscapeError",
    "__version__",
    "compare",
    "decode",
    "disentanglement",
    "doctor",
    "encode",
    "encode_shards",
    "evaluate",
    "explore",
    "export",
    "film",
    "fit_map",
    "load",
    "load_data",
    "load_pretrained",
    "probe",
    "quality",
    "reconstruct",
    "register_inverse",
    "register_likelihood",
    "register_method",
    "register_metric",
    "register_network",
    "register_objective",
    "register_source",
    "resume",
    "sample",
    "sweep",
    "train",
    "wrap",
    "write_comparison",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'zscape' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
