"""Pages that hold everything they show: any figures and text, and the whole walk of a model."""

from zscape.report.comparison import SideBySide, draw_comparison
from zscape.report.material import Scores, Subject
from zscape.report.page import (
    Block,
    Code,
    Details,
    Heading,
    Plate,
    Row,
    Section,
    Table,
    write_page,
)
from zscape.report.write import write_report

__all__ = [
    "Block",
    "Code",
    "Details",
    "Heading",
    "Plate",
    "Row",
    "Scores",
    "Section",
    "SideBySide",
    "Subject",
    "Table",
    "draw_comparison",
    "write_page",
    "write_report",
]
