"""The long lane: thousands of damaged files for every reader; it goes on where it stopped."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path

import pytest
from hostile import Verdict, attack
from reliability import ROOT, Tries
from test_hostile_files import PART, READERS, _damage

from zscape.cache import code_of
from zscape.files import make_folder, write_atomic

AT_ONCE = 250
"""Cases of a process, after which what came of them is kept."""


@pytest.mark.fuzz
@pytest.mark.attack(PART, "10,000 files for every reader, each damaged by 1 to 4 accidents")
@pytest.mark.parametrize("reader", READERS)
def test_thousands_of_damaged_files(
    reader: str, tmp_path: Path, tries: Tries, pytestconfig: pytest.Config
) -> None:
    n: int = pytestconfig.getoption("--cases")
    # For the code as it is: what other code came through says nothing of this one.
    name = re.sub(r"\W+", "_", reader)
    kept = ROOT / "runs" / "fuzz" / code_of([""]) / f"{name}.json"
    make_folder(kept.parent)
    verdict = Verdict()
    if kept.is_file():
        found = json.loads(kept.read_text("utf-8"))
        verdict.counts.update(found["counts"])
        verdict.faults += found["faults"]
    sample = tmp_path / "sample"
    sample.mkdir()
    READERS[reader].make(sample)
    while (done := verdict.counts.total()) < n:
        numbers = range(done, min(n, done + AT_ONCE))
        new = attack(READERS[reader].read, partial(_damage, reader, sample), numbers, tmp_path)
        verdict.counts.update(new.counts)
        verdict.faults += new.faults
        write_atomic(kept, json.dumps({"counts": verdict.counts, "faults": verdict.faults}))
    tries.of_which["refused"] = verdict.counts["refused"]
    tries.add(verdict.counts.total(), verdict.counts.total() - len(verdict.faults))
    assert not verdict.faults, "\n\n".join(verdict.faults[:3])
