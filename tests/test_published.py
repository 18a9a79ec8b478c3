"""Beside published tables: training and judging go on where they were stopped; the page."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from benchmarks import gpu, published, together
from benchmarks.together import Row

import zscape
from zscape.data import ImageSet, Splits
from zscape.evaluation import estimate


@pytest.fixture(scope="module")
def data() -> Splits:
    grey = np.random.default_rng(0).integers(0, 255, (60, 1, 28, 28), np.uint8)
    images = torch.from_numpy(grey)
    return Splits(ImageSet(images[:40]), ImageSet(images[40:]))


def test_what_was_judged_is_kept(
    data: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published, "PART", 8)
    model = published.PublishedVAE()
    found = published.judge(model, tmp_path, data.test, samples=4)
    parts = sorted(tmp_path.glob("bound-4-*.json"))
    assert found.shape == (20,)
    assert len(parts) == 3
    # Shown by its not being computed again: what is written in the part's place comes back.
    parts[1].write_text("[1, 2, 3, 4, 5, 6, 7, 8]")
    again = published.judge(model, tmp_path, data.test, samples=4)
    assert again[8:16].tolist() == list(range(1, 9))
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
    part.budget = 7.0
    whole.run()
    part.run_epoch()
    part.save()
    part = begun(tmp_path / "part")
    assert (part.epoch, part.budget) == (1, 7.0)
    part.run()
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
    n_threads = torch.get_num_threads()
    found = dict(published.train_and_judge(2.0, names, data, folder, samples=3))
    assert torch.get_num_threads() == n_threads
    for name in names:
        row = found[name]
        assert 1 <= row["epochs"] <= row["planned"]
        assert row["curve"][0][0] == 1
        assert np.isfinite(row["nll"]["mean"])
        assert (row["n_images"], row["budget"], row["beside"]) == (20, 2.0, names)
    again = dict(published.train_and_judge(0.0, names, data, folder, samples=3))
    assert [again[name]["nll"] for name in names] == [found[name]["nll"] for name in names]
    assert again["vae"]["budget"] == 2.0
    page = published.as_markdown(found, {})
    row = found["vae"]
    assert f"elbo 1, iwae 5: all at the same time, within 2 s, on {row['machine']}." in page


@pytest.mark.usefixtures("few")
def test_ctrl_c_ends_all_trainings_with_what_they_have(
    data: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = {}
    for name, row in ROWS.items():
        (tmp_path / name).mkdir()
        one = together.Training(published.PublishedVAE(), row, data, tmp_path / name, "cpu")
        begun[name], one.planned = one, 100_000
    join, before = threading.Thread.join, set(threading.enumerate())

    def interrupted(thread: threading.Thread) -> None:
        monkeypatch.setattr(threading.Thread, "join", join)
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "join", interrupted)
    with pytest.raises(KeyboardInterrupt):
        together.together(list(begun.values()), "run", math.inf)
    assert set(threading.enumerate()) <= before
    for name, one in begun.items():
        done = one.epoch
        assert done < 100_000
        again = together.Training(published.PublishedVAE(), ROWS[name], data, one.folder, "cpu")
        assert (again.epoch, again.planned) == (done, 100_000)


def test_rates_fall_in_the_stages_of_the_paper() -> None:
    epochs = together.PAPER_EPOCHS
    rates = [together.stage_rate(epoch / epochs) / together.RATE for epoch in range(epochs)]
    assert [rates.count(rate) for rate in dict.fromkeys(rates)] == [3**i for i in range(8)]
    assert rates[0] == 1
    assert rates[-1] == pytest.approx(0.1)


def test_the_page_says_what_was_measured_and_what_was_not() -> None:
    found = {"epochs": 12, "planned": 14, "seconds": 90.0, "budget": 100.0, "machine": "a machine",
             "beside": ["vae", "iwae-5"], "n_images": 10_000,
             "nll": {"mean": 87.654, "error": 0.251},
             "curve": [[1, 99.0, 100.0], [12, 88.0, 89.0]]}  # fmt: skip
    page = published.as_markdown({"iwae-5": found}, {})
    assert "| iwae | 5 | 87.65 ± 0.25 | 85.54 | 85.18 | 12 of 14, time ran out |" in page
    assert "| elbo | 1 | not trained yet | 86.76 | 86.35 |  |" in page
    assert "Ours are +2.11 to +2.11 nats" in page
    assert "iwae 5: all at the same time as elbo 1, within 100 s, on a machine." in page
    assert "| 12 | 88.00 / 89.00 |" in page
    assert "CUDA" not in published.as_markdown({}, {})


def test_the_pages_are_what_the_code_makes_of_the_files() -> None:
    rows, zoo = published.read(published.ROWS), published.read(published.ZOO)
    assert published.PAGE.read_text() == published.as_markdown(rows, zoo)
    found = json.loads((published.FOLDER / "gpu.json").read_text())
    assert (published.FOLDER / "gpu.md").read_text() == gpu.as_markdown(found)


def test_parts_are_pooled_into_the_estimate_of_all_images() -> None:
    values = np.random.default_rng(0).normal(90, 30, 17)
    parts = [{"n": len(v), "nll": [v.mean(), v.std()]} for v in np.split(values, [3, 4, 11])]
    assert published.pooled(parts, "nll") == pytest.approx(estimate(values))


@pytest.fixture
def judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[str, str]]:
    """Models of the zoo judged in a folder of their own: few samples, few images."""
    pixels = torch.randint(0, 256, (130, 1, 28, 28), generator=torch.Generator().manual_seed(0))
    images = ImageSet(pixels.to(torch.uint8), split="test", name="noise")
    monkeypatch.setattr(published, "SAMPLES", 6)
    monkeypatch.setattr(zscape, "load_data", lambda _: Splits(images, images))
    monkeypatch.setattr(torch, "set_num_threads", lambda _: None)

    def call(name: str, *arguments: str) -> tuple[str, str]:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        for kind in ("ROWS", "ZOO", "PAGE"):
            monkeypatch.setattr(published, kind, folder / kind)
        monkeypatch.setattr("sys.argv", ["published", *arguments])
        published.main()
        return published.ZOO.read_text(), published.PAGE.read_text()

    return call


def test_judging_the_zoo_goes_on_where_it_was_stopped_and_ends_the_same_to_the_bit(
    judged: Callable[..., tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("zoo:2", "zoo:10", "--parts", "2")
    whole = judged("whole", *asked)
    judge, calls = published.judge_zoo, []

    def stopped(*given: Any) -> dict[str, Any]:
        calls.append(given[:2])
        if len(calls) == 3:
            raise KeyboardInterrupt
        return judge(*given)

    monkeypatch.setattr(published, "judge_zoo", stopped)
    with pytest.raises(KeyboardInterrupt):
        judged("stopped", *asked)
    assert judged("stopped", *asked) == whole
    assert calls == [("2", 0), ("10", 0), ("2", 1), ("2", 1), ("10", 1)]
    kept, page = whole
    assert "`zoo:2` | 2 | 1 |" in page
    assert "Of 4 of the 10 000" in page  # rows 0, 100 and 1, 101
    results = json.loads(kept)
    del results["10"]["1"]
    page = published.as_markdown({}, results)
    assert "Of 2 of the 10 000" in page  # only images that every model has seen
    assert "bf16" in page
    for name in ("2", "10"):  # as a GPU does it
        results[name]["0"]["bf16"] = None
    assert "bf16" not in published.as_markdown({}, results)
    published.ZOO.write_text(json.dumps(results))
    results = json.loads(judged("stopped", *asked)[0])
    assert {one["bf16"] for parts in results.values() for one in parts.values()} == {None}
    assert "Not judged yet: `zoo:3`, " in " ".join(page.split())
