"""The verbs: train, load, encode, decode, …; Python users and the commands share them.

Where a verb takes a model, it takes whatever ``open_model`` does; where it takes images, whatever
``Opened.images`` does.
"""

from zscape.api.filming import film
from zscape.api.judging import (
    compare,
    disentanglement,
    doctor,
    evaluate,
    measure_models,
    probe,
    quality,
)
from zscape.api.opening import Openable, Opened, load, open_model, open_models
from zscape.api.pages import (
    Prepared,
    comparison_page,
    explore,
    export,
    plot_models,
    prepare_scene,
    write_comparison,
    write_report,
)
from zscape.api.training import resume, train
from zscape.api.using import choose, decode, encode, reconstruct, sample

__all__ = [
    "Openable",
    "Opened",
    "Prepared",
    "choose",
    "compare",
    "comparison_page",
    "decode",
    "disentanglement",
    "doctor",
    "encode",
    "evaluate",
    "explore",
    "export",
    "film",
    "load",
    "measure_models",
    "open_model",
    "open_models",
    "plot_models",
    "prepare_scene",
    "probe",
    "quality",
    "reconstruct",
    "resume",
    "sample",
    "train",
    "write_comparison",
    "write_report",
]
