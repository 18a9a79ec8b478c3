"""The benchmarks: what is written of them follows from what was measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmarks.__main__ import PARTS, QUICK, main
from benchmarks.tables import SECTIONS, as_markdown

FOLDER = Path(__file__).parent.parent / "benchmarks"


def test_every_part_has_a_section() -> None:
    assert list(PARTS) == list(SECTIONS)


def test_the_page_is_made_of_the_results() -> None:
    results = json.loads((FOLDER / "results.json").read_text())
    assert (FOLDER / "results.md").read_text() == as_markdown(results)


def test_rates_are_compared_round_by_round() -> None:
    def rounds(*rates: float) -> list[dict[str, float]]:
        return [{"images_per_second": rate, "peak_rss_mb": 100 + rate} for rate in rates]

    ways = {"memory": rounds(100.0, 200.0, 400.0), "mapped": rounds(98.0, 190.0, 396.0),
            "DataLoader": rounds(50.0, 50.0, 99.0)}  # fmt: skip
    text = as_markdown(
        {
            "machine_class": "",
            "large": {"n": 200_000, "side": 64, "network": "mlp", "ways": ways,
                      "build": {"images_per_second": 5000.0}},
            "flat": {"1000": {"images_per_second": 7.0, "growth_mb": 3.0, "peak_rss_mb": 5.0}},
        }
    )  # fmt: skip
    assert "## 200,000 pictures in files, 64 x 64 grey" in text
    assert "| mapped from the decoded set | 190.0 | 496.0 |" in text
    assert "in memory: **0.98 times** (0.95 to 0.99); over the `DataLoader`: **3.80" in text
    assert "| 1,000 | 7.0 | 3.0 | 5.0 |" in text


@pytest.mark.slow
def test_the_large_sets_are_measured(capsys: pytest.CaptureFixture[str]) -> None:
    """On sets of next to nothing, and nothing is kept of it."""
    before = (FOLDER / "results.json").read_bytes()
    main(["--quick"])
    said = capsys.readouterr().out
    assert f"## {QUICK['large']['n']} pictures in files" in said
    assert f"| {QUICK['flat']['n']:,} |" in said
    assert (FOLDER / "results.json").read_bytes() == before
