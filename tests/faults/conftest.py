"""Every attack is a test that counts; with ``--record`` the counts become docs/reliability.md.

A test stands on the page by ``@pytest.mark.attack(part, what)``. It is one try, survived if it
passes, unless it counts its own with the fixture ``tries``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from forked import Undisturbed
from reliability import Row, Tries, record

from training.training_helpers import blobs

_tries = pytest.StashKey[Tries]()
_rows: dict[str, Row] = {}


@pytest.fixture
def tries(request: pytest.FixtureRequest) -> Tries:
    return request.node.stash.setdefault(_tries, Tries())


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--record", type=Path, metavar="FOLDER", help="Write what came of it there.")
    parser.addoption("--cases", type=int, default=10_000, help="Damaged files of each reader.")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    marker = item.get_closest_marker("attack")
    if marker is not None and (report.when == "call" or report.skipped or report.failed):
        counted = item.stash.get(_tries, Tries(n=1, survived=int(report.passed)))
        tally = {**asdict(counted), "skipped": "", "seconds": report.duration}
        if report.skipped:
            tally |= {"n": 0, "survived": 0, "skipped": str(report.longrepr[2])}
        # As a property it also comes from the processes of pytest-xdist.
        part, what = marker.args
        test = item.nodeid.partition("[")[0]
        report.user_properties.append(
            ("attack", {"part": part, "what": what, "test": test} | tally)
        )
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    for name, found in report.user_properties:
        if name == "attack":
            _add(dict(found))


def _add(found: dict[str, Any]) -> None:
    new = Row(**found)
    row = _rows.setdefault(new.test, new)
    if row is not new:
        row.n, row.survived = row.n + new.n, row.survived + new.survived
        row.seconds += new.seconds
        row.skipped = row.skipped or new.skipped
        row.of_which = {k: row.of_which.get(k, 0) + v for k, v in new.of_which.items()}


def pytest_sessionfinish(session: pytest.Session) -> None:
    folder = session.config.getoption("--record", default=None)
    if folder is not None and _rows and not hasattr(session.config, "workerinput"):
        record(folder, list(_rows.values()))


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    folder = tmp_path_factory.mktemp("undisturbed")
    np.savez(folder / "blobs.npz", images=blobs(60)[:, 0].numpy())
    made = Undisturbed(folder / "blobs.npz", folder / "run")
    for attempt in ("warm", "run"):
        begun = time.perf_counter()
        program = made.start(folder / attempt)
        assert program.wait() == 0, program.said
        made.seconds = time.perf_counter() - begun
    return made
