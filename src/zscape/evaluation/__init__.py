"""How good a model is: figures that carry how they were taken."""

from zscape.evaluation.bounds import Estimate, Evaluation, estimate, evaluate
from zscape.evaluation.disentanglement import Disentanglement, disentanglement
from zscape.evaluation.probes import Probes, probe
from zscape.evaluation.protocol import Protocol, check_comparable

__all__ = [
    "Disentanglement",
    "Estimate",
    "Evaluation",
    "Probes",
    "Protocol",
    "check_comparable",
    "disentanglement",
    "estimate",
    "evaluate",
    "probe",
]
