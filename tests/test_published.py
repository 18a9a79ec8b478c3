"""The published table: training and judging go on where they were stopped, the page says both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from benchmarks import published

import zscape
from zscape.data import ImageSet, Splits


@pytest.fixture(scope="module")
def data() -> Splits:
    grey = np.random.default_rng(0).integers(0, 255, (60, 1, 28, 28), np.uint8)
    images = torch.from_numpy(grey)
    return Splits(ImageSet(images[:40]), ImageSet(images[40:]))


def test_a_stopped_training_goes_on_and_what_was_judged_is_kept(
    data: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"epochs": 2, "batch_size": 20, "objective": "iwae", "train_samples": 2}
    run = published.train(tmp_path / "iwae", data, **options)
    assert [line["epoch"] for line in run.metrics()] == [1, 2]
    assert run.config.model.network.endswith(":PublishedVAE")
    again = published.train(tmp_path / "iwae", data, **options)
    assert again.metrics() == run.metrics()

    monkeypatch.setattr(published, "PART", 8)
    found = published.judge(run, data.test, samples=4)
    parts = sorted(run.path.glob("bound-4-*.json"))
    assert found.shape == (20,)
    assert len(parts) == 3
    # Shown by its not being computed again: what is written in the part's place comes back.
    parts[1].write_text("[1, 2, 3, 4, 5, 6, 7, 8]")
    assert published.judge(run, data.test, samples=4)[8:16].tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    protocol = zscape.Protocol(binarize="dynamic", samples=4, seed=2)
    last = zscape.evaluate(
        run.model(network=published.PublishedVAE).model, data.test[16:], protocol
    )
    assert found[16:].tolist() == last.nll.tolist()


def test_the_page_says_what_was_measured_and_what_was_not() -> None:
    curve = [[epoch, 100.0 - epoch, 101.0 - epoch] for epoch in range(1, 13)]
    found = {"epochs": 12, "seconds": 90.0, "samples": 5000, "n_images": 10_000,
             "nll": {"mean": 87.654, "error": 0.251}, "curve": curve}  # fmt: skip
    page = published.as_markdown({"iwae-5": found})
    assert "| iwae | 5 | 87.65 ± 0.25 | 85.54 | 85.18 | 12 | 2 |" in page
    assert "| elbo | 1 | not measured | 86.76 | 86.35 |  |  |" in page
    assert "| iwae-5 | 12 | 88.00 | 89.00 |" in page
    assert "| iwae-5 | 11 |" not in page
