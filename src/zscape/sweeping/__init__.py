"""Many trainings that answer one question: which options, and how sure is that."""

from zscape.sweeping.folder import Sweep
from zscape.sweeping.run import resume_sweep, sweep
from zscape.sweeping.space import Range
from zscape.sweeping.trial import Outcome, Trial

__all__ = ["Outcome", "Range", "Sweep", "Trial", "resume_sweep", "sweep"]
