"""Models made ill on purpose: each disease is named, and no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import zscape
from zscape.data import Splits

pytestmark = pytest.mark.slow

OPTIONS: dict[str, Any] = {"network": "mlp", "latent_dim": 10, "epochs": 12, "batch_size": 64}

ILL: dict[str, tuple[dict[str, Any], str | None]] = {
    "nothing": ({}, None),
    "kld_weight 50": ({"kld_weight": 50}, "posterior collapse"),
    "no KL": ({"kld_weight": 0}, "posteriors are points"),
    "200 images": ({"n_train": 200, "epochs": 60, "batch_size": 32}, "overfitting"),
    "learning rate × 30": ({"learning_rate": 30 * 8e-3}, "unsteady training"),
    "half the labels": ({}, "classes without training images"),
}


@pytest.mark.parametrize("name", ILL)
def test_a_disease_is_named_and_no_other(name: str, tmp_path: Path) -> None:
    more, disease = ILL[name]
    options = {"n_train": 4000, "n_test": 1000, "stratified": True, **OPTIONS, **more}
    data: Any = None
    if name == "half the labels":
        splits = zscape.load_data("mnist", zscape.DataConfig(n_train=4000, n_test=1000))
        assert splits.train.labels is not None
        data = Splits(splits.train[splits.train.labels < 5], splits.test)
        options = OPTIONS
    run = tmp_path / "run"
    zscape.train("mnist" if data is None else data, out=run, progress="none", **options)
    found = zscape.doctor(run, data)
    assert [finding.name for finding in found.serious] == ([] if disease is None else [disease])
    assert found.checkup.drift is not None  # the checkpoint has the weights before averaging
