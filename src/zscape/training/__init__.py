"""From a configuration to a trained model: schedules, the loop, and the run folder."""

from zscape.training.hardware import find_accelerator, find_precision
from zscape.training.loop import Epoch, Trainer
from zscape.training.progress import Progress, create_progress
from zscape.training.run import Run
from zscape.training.snapshots import Snapshot, find_snapshot, load_snapshot, snapshots
from zscape.training.train import TrainingResult, fit
from zscape.training.weights import LoadedModel, load_weights, save_weights

__all__ = [
    "Epoch",
    "LoadedModel",
    "Progress",
    "Run",
    "Snapshot",
    "Trainer",
    "TrainingResult",
    "create_progress",
    "find_accelerator",
    "find_precision",
    "find_snapshot",
    "fit",
    "load_snapshot",
    "load_weights",
    "save_weights",
    "snapshots",
]
