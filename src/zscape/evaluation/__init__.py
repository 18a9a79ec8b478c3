"""How good a model is: figures that carry how they were taken; and what is wrong with it."""

from zscape.evaluation.bounds import Estimate, Evaluation, estimate, evaluate
from zscape.evaluation.comparison import Comparison, check_alike, compare, measure
from zscape.evaluation.disentanglement import Disentanglement, disentanglement
from zscape.evaluation.doctor import Checkup, examine
from zscape.evaluation.findings import Diagnosis, Finding, Severity, diagnose
from zscape.evaluation.probes import Probes, probe
from zscape.evaluation.protocol import Protocol, check_comparable
from zscape.evaluation.samples import SampleQuality, sample_quality

__all__ = [
    "Checkup",
    "Comparison",
    "Diagnosis",
    "Disentanglement",
    "Estimate",
    "Evaluation",
    "Finding",
    "Probes",
    "Protocol",
    "SampleQuality",
    "Severity",
    "check_alike",
    "check_comparable",
    "compare",
    "diagnose",
    "disentanglement",
    "estimate",
    "evaluate",
    "examine",
    "measure",
    "probe",
    "sample_quality",
]
