from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from training_helpers import fit_tiny


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished tiny run; not to be changed."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    fit_tiny(folder)
    return folder


@pytest.fixture
def run_copy(finished_run: Path, tmp_path: Path) -> Path:
    """The finished tiny run, to be damaged."""
    return Path(shutil.copytree(finished_run, tmp_path / "copy"))
