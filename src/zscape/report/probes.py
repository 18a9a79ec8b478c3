"""What simple readers tell from the codes."""

from __future__ import annotations

from typing import Any

from zscape.errors import DataError
from zscape.report.material import Material
from zscape.report.page import Block, Section, Table
from zscape.report.words import listing, number, percent, sentence

TITLE = "What the codes know"
READERS = {"linear": "a linear reader", "neighbours": "the 15 nearest"}


def known(m: Material) -> Section:
    """How well the class and every column are told, by a linear and a nearest-neighbour reader."""
    try:
        found = m.probes
    except DataError as error:
        return Section(TITLE, [sentence(str(error))])
    frame = found.frame
    rows = [
        (column, READERS[probe], row["measure"], _score(row, row["score"]),
         f"{_score(row, row['low'])} to {_score(row, row['high'])}",
         _score(row, row["chance"]) if row["measure"] == "accuracy" else "–")
        for (column, probe), row in frame.iterrows()
    ]  # fmt: skip
    blocks: list[Block] = [
        "The model was told nothing but pixels. Here two simple readers of the posterior means "
        "look for what else is known of the images: one draws straight lines, the other asks the "
        f"nearest codes. {sentence(found.how)}.",
        *([_ahead(frame)] if "class" in frame.index.get_level_values("column") else []),
        Table(
            ["what", "reader", "measure", "score", "95 of 100 resamples", "chance"], rows,
            "Chance is always naming the commonest; R² is 1 where a number is told exactly, and 0 "
            "where its mean would do as well.",
        ),
    ]  # fmt: skip
    if found.left_out:
        left_out = listing(f"{name} ({why})" for name, why in found.left_out.items())
        blocks.append(f"Left out: {left_out}.")
    return Section(TITLE, blocks)


def _score(row: Any, value: float) -> str:
    return f"{value:.1%}".replace("%", " %") if row["measure"] == "accuracy" else number(value)


def _ahead(frame: Any) -> str:
    """Which reader tells the class better, if that is beyond doubt, and what that means."""
    linear, near = (frame.loc[("class", name)] for name in READERS)
    told = f"Straight lines tell the class of {percent(linear['score'])} of the images"
    if near["low"] > linear["high"]:
        return (
            f"{told}, the nearest codes of {percent(near['score'])}: classes are clumps that lie "
            "around each other, and not each on a side of its own."
        )
    if linear["low"] > near["high"]:
        return (
            f"{told}, the nearest codes only of {percent(near['score'])}: classes differ along "
            "directions that are short against everything else that is coded."
        )
    return f"{told}, the nearest codes of {percent(near['score'])}; the difference may be chance."
