"""Measure what is normal: ``python tools/measure_zoo.py`` examines every model of the zoo.

The doctor's ranges are read from what this writes; it is run after the zoo was trained.
"""

from __future__ import annotations

import json
from pathlib import Path

from zscape.data import load_data
from zscape.evaluation.doctor import examine
from zscape.evaluation.findings import NORMAL
from zscape.zoo import open_card
from zscape.zoo.cards import read_cards

FILE = Path(__file__).parent.parent / "src" / "zscape" / "evaluation" / NORMAL


def main() -> None:
    """One line per model."""
    data, lines = load_data("mnist"), []
    for name, card in read_cards().items():
        found = examine(
            open_card(name).model, data.test, train=data.train, kld_weight=card.kld_weight,
            history=card.history,
        ).measures()  # fmt: skip
        print(name, found)
        rounded = {key: float(f"{value:.4g}") for key, value in found.items()}
        lines.append(f"{json.dumps(name)}: {json.dumps(rounded)}")
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
