"""What stands out in a set of images: outliers, duplicates, labels that their neighbours doubt."""

from zscape.finding.duplicates import duplicates
from zscape.finding.mislabelled import mislabelled
from zscape.finding.outliers import MEASURES, outliers

__all__ = ["MEASURES", "duplicates", "mislabelled", "outliers"]
