"""``make results``: what was measured is kept, and the page is made of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tools import build_results

from zscape import evaluation
from zscape.data import load_data
from zscape.zoo import find_card, load_pretrained

PROTOCOL = evaluation.Protocol("dynamic", samples=3)


def test_a_model_that_was_measured_is_not_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = find_card("2")
    images = load_data("mnist").test[:20]
    calls = []

    def measure(names: list[str], **more: object) -> evaluation.Comparison:
        calls.append((names, more.get("probes")))
        one = evaluation.measure(
            load_pretrained("2"), images, PROTOCOL, name="zoo:2", config=card.run_config
        )
        one.accuracy["linear"] = 0.5
        return evaluation.compare([one])

    monkeypatch.setattr(build_results.api, "measure_models", measure)
    first, again = (build_results.measured(card, PROTOCOL, tmp_path, print, None) for _ in range(2))
    assert calls == [(["zoo:2"], True)]
    fresh = measure([]).models[0]
    for one in (first, again):
        for name in build_results.ARRAYS:
            np.testing.assert_array_equal(
                getattr(one.evaluation, name), getattr(fresh.evaluation, name)
            )
        assert one.family == fresh.family
        assert one.evaluation.conditions() == fresh.evaluation.conditions()
        pd.testing.assert_frame_equal(
            evaluation.compare([one]).frame(), evaluation.compare([fresh]).frame()
        )
    other = evaluation.Protocol()
    known = {"linear": 0.25}
    found = build_results.measured(card, other, tmp_path, print, known)
    assert calls[-1] == (["zoo:2"], False)
    assert found.accuracy == known


def test_the_best_samples_are_bold_and_training_images_are_no_model() -> None:
    real = {"precision": 0.9, "frechet": 0.5}
    found = {
        name: {"samples": {"precision": precision, "frechet": frechet}, "other images": real}
        for name, precision, frechet in (("a", 0.2, 9.0), ("b", 0.4, 20.0))
    }
    assert build_results.samples_table(found).splitlines() == [
        "| model | precision | frechet |",
        "| --- | ---: | ---: |",
        "| a | 0.20 | **9.0** |",
        "| b | **0.40** | 20.0 |",
        "| training images | 0.90 | 0.5 |",
    ]
