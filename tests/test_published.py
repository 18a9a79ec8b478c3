"""The published table: training and judging go on where they were stopped, the page says both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from benchmarks import published, together
from benchmarks.together import Row

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
    model = run.model(network=published.PublishedVAE).model
    found = published.judge(model, run.path, data.test, samples=4)
    parts = sorted(run.path.glob("bound-4-*.json"))
    assert found.shape == (20,)
    assert len(parts) == 3
    # Shown by its not being computed again: what is written in the part's place comes back.
    parts[1].write_text("[1, 2, 3, 4, 5, 6, 7, 8]")
    assert published.judge(model, run.path, data.test, samples=4)[8:16].tolist() == [
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        8,
    ]
    protocol = zscape.Protocol(binarize="dynamic", samples=4, seed=2)
    last = zscape.evaluate(model, data.test[16:], protocol)
    assert found[16:].tolist() == last.nll.tolist()


ROWS = {"vae": Row("elbo", 1), "dreg": Row("dreg", 3)}


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "BATCH", 5)
    monkeypatch.setattr(together, "UNROLLED", 2)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("name", list(ROWS))
def test_a_training_among_others_that_was_stopped_goes_on_to_the_same_bits(
    name: str, data: Splits, tmp_path: Path
) -> None:
    def begun(folder: Path) -> together.Training:
        folder.mkdir(exist_ok=True)
        return together.Training(published.PublishedVAE(), ROWS[name], data, folder, "cpu")

    whole, part = begun(tmp_path / "whole"), begun(tmp_path / "part")
    whole.planned = part.planned = 3
    whole.run(until=float("inf"))
    part.run_epoch()
    part.save()
    part = begun(tmp_path / "part")
    assert part.epoch == 1
    part.run(until=float("inf"))
    assert part.epoch == part.planned == 3
    for key, value in whole.tensors().items():
        assert torch.equal(part.tensors()[key], value), key
    assert [point[0] for point in part.curve] == [1, 2, 3]
    assert part.curve == whole.curve
    assert whole.curve[2][1] < whole.curve[0][1]


@pytest.mark.usefixtures("few")
def test_rows_are_trained_within_a_budget_and_judged_once(data: Splits, tmp_path: Path) -> None:
    """As many epochs as are planned, or as the time went; then nothing is left to do."""
    names, folder = ["vae", "iwae-5"], tmp_path / "rows"
    found = dict(published.within(2.0, names, data, folder, samples=3))
    for name in names:
        row = found[name]
        assert 1 <= row["epochs"] <= row["planned"]
        assert row["curve"][0][0] == 1
        assert np.isfinite(row["nll"]["mean"])
        assert row["n_images"] == 20
    again = dict(published.within(0.0, names, data, folder, samples=3))
    assert [again[name]["nll"] for name in names] == [found[name]["nll"] for name in names]
    page = published.as_markdown(found)
    row = found["vae"]
    assert f"| {row['epochs']} of {row['planned']} | 0, together |" in page
    assert "Rows marked *together* were trained at the same time on a CPU within 2 s" in page


def test_rates_fall_in_the_stages_of_the_paper() -> None:
    epochs = together.PAPER_EPOCHS
    rates = [together.stage_rate(epoch / epochs) / together.RATE for epoch in range(epochs)]
    assert [rates.count(rate) for rate in dict.fromkeys(rates)] == [3**i for i in range(8)]
    assert rates[0] == 1
    assert rates[-1] == pytest.approx(0.1)


def test_the_page_says_what_was_measured_and_what_was_not() -> None:
    curve = [[epoch, 100.0 - epoch, 101.0 - epoch] for epoch in range(1, 13)]
    found = {"epochs": 12, "seconds": 90.0, "samples": 5000, "n_images": 10_000,
             "nll": {"mean": 87.654, "error": 0.251}, "curve": curve}  # fmt: skip
    page = published.as_markdown({"iwae-5": found})
    assert "| iwae | 5 | 87.65 ± 0.25 | 85.54 | 85.18 | 12 | 2 |" in page
    assert "| elbo | 1 | not measured | 86.76 | 86.35 |  |  |" in page
    assert "| iwae-5 | 12 | 88.00 | 89.00 |" in page
    assert "| iwae-5 | 11 |" not in page
