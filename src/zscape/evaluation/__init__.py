"""How good a model is: figures that carry how they were taken."""

from zscape.evaluation.bounds import Estimate, Evaluation, estimate, evaluate
from zscape.evaluation.protocol import Protocol, check_comparable

__all__ = ["Estimate", "Evaluation", "Protocol", "check_comparable", "estimate", "evaluate"]
