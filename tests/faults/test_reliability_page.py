"""docs/reliability.md says what was counted, and nothing that nobody can run."""

from __future__ import annotations

from reliability import ROOT, fill, is_there, read

DOCS = ROOT / "docs"


def test_the_page_is_that_of_the_counts() -> None:
    page = (DOCS / "reliability.md").read_text(encoding="utf-8")
    assert fill(page, DOCS) == page, "run make faults"


def test_every_row_is_a_test_that_there_is() -> None:
    assert [row.test for row in read(DOCS) if not is_there(row.test)] == []
