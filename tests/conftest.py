"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from zscape.data import ImageSet

# One thread, here and in the programs the tests start. The tensors are small: a second thread
# gains nothing, and on busy cores it makes a step a hundred times slower. Read as torch loads.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# No test asserts a time.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# Imported by tests of several folders; its asserts should explain themselves as theirs do.
pytest.register_assert_rewrite("model.contract")


@pytest.fixture(scope="session")
def cells() -> ImageSet:
    """300 drawn cells, and in their columns what each is; not to be changed."""
    from cells import make_cells

    return make_cells()


@pytest.fixture(autouse=True, scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What tests keep is not the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZSCAPE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
