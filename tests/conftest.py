"""What all tests share."""

from __future__ import annotations

import os

import pytest

# One thread, here and in the programs the tests start. The tensors are small: a second thread
# gains nothing, and on busy cores it makes a step a hundred times slower. Read as torch loads.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Imported by tests of several folders; its asserts should explain themselves as theirs do.
pytest.register_assert_rewrite("model.contract")
