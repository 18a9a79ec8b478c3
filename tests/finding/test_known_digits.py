"""The digits of MNIST whose labels people doubt, among those that ``find mislabelled`` lists."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from zscape import encode
from zscape.finding import mislabelled

DOCS = Path(__file__).parents[2] / "docs" / "data.md"

KNOWN = (947, 1621, 1901, 2130, 2462, 2597, 2654, 3520, 3558, 5937, 6651, 6783, 8527, 9679, 9729)
"""Of the test images that a classifier doubted, those of which fewer than 3 of 5 people chose the
label they have: Northcutt, Athalye & Mueller 2021, arXiv:2103.14749; the answers are in
github.com/cleanlab/label-errors, mturk/mnist_mturk.json."""


def test_what_the_docs_say_of_the_known_mislabelled_digits() -> None:
    found = mislabelled(encode("zoo:10"))
    ranks = np.sort(np.flatnonzero(np.isin(found.index, KNOWN)))
    said = re.search(
        r"Of the (\d+) test digits .*?lists (\d+) among its first (\d+) of 10 000 images",
        DOCS.read_text("utf-8").replace("\n", " "),
    )
    assert said is not None
    n_known, n_found, n_first = map(int, said.groups())
    assert n_known == len(KNOWN)
    assert (ranks < n_first).sum() == n_found
    # By chance there would be 15 * 105 / 10 000.
    assert n_found > 20 * n_known * n_first / 10_000
