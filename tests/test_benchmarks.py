"""The benchmarks: what is written of them follows from what was measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from benchmarks import gpu, neighbours, scale, scale_page, short
from benchmarks.__main__ import PARTS, QUICK, main
from benchmarks.tables import SECTIONS, as_markdown

from zscape.config import TrainConfig
from zscape.data import Splits, as_image_set

FOLDER = Path(__file__).parent.parent / "benchmarks"


def test_every_part_has_a_section() -> None:
    assert list(PARTS) == list(SECTIONS)


def test_the_page_is_made_of_the_results() -> None:
    results = json.loads((FOLDER / "results.json").read_text())
    assert (FOLDER / "results.md").read_text() == as_markdown(results)


def test_the_page_of_scale_is_made_of_its_results_and_says_what_is_not_there() -> None:
    found = json.loads((FOLDER / "scale.json").read_text())
    assert (FOLDER / "scale.md").read_text() == scale_page.as_markdown(found)
    own = {"1": {"step": "pca", "n": 10, "why_not": "more than 600 s"}}
    page = scale_page.as_markdown({"machine": "any", "steps": own})
    assert "Not measured: PCA of all, 10 (more than 600 s)." in page


def test_the_page_of_short_trainings_is_made_of_its_results_and_all_it_varies_is_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = json.loads(short.FILE.read_text())
    assert short.FILE.with_suffix(".md").read_text() == short.as_markdown(found)
    noise = np.random.default_rng(0).integers(0, 256, (60, 28, 28), np.uint8)
    images = as_image_set(noise)
    data = Splits(images[:40], images[40:])
    monkeypatch.setattr(short, "EPOCHS", 1)
    usual = short.train({"batch_size": 20}, data, seed=0)
    assert short.train({"batch_size": 20}, data, seed=0) == usual
    for name in ("falls", "adam_betas", "muon_momentum", "first_bias"):  # no options of training
        changed = {"batch_size": 20, name: short.VARIED[name][1]}
        assert short.train(changed, data, seed=0) != usual, name


@pytest.mark.parametrize(
    ("falls", "rates"),
    [
        ("cosine", [0.5, 1.0, 1.0, 0.75, 0.25]),
        ("linear", [0.5, 1.0, 1.0, 2 / 3, 1 / 3]),
        ("last 50 %, linear", [0.5, 1.0, 1.0, 1.0, 2 / 3]),
        ("last 100 %, 1 - sqrt", [0.5, 1.0, 1.0, 1 - (1 / 3) ** 0.5, 1 - (2 / 3) ** 0.5]),
    ],
)
def test_the_ways_in_which_a_rate_falls(falls: str, rates: list[float]) -> None:
    config = TrainConfig(learning_rate=1.0, warmup=0.4)
    assert [short.rate(falls, config, step, 5) for step in range(5)] == pytest.approx(rates)


def test_what_is_hopeless_is_not_tried() -> None:
    fewer = {"a": {"step": "pca", "n": 100, "took_s": 50.0}}
    assert scale._hopeless({"step": "pca", "n": 1_000}, fewer) == ""
    assert "about 50,000 s" in scale._hopeless({"step": "pca", "n": 100_000}, fewer)
    assert scale._hopeless({"step": "tiles", "n": 100_000}, fewer) == ""
    failed = {"a": {"step": "pca", "n": 100, "why_not": "killed"}}
    assert "100 were not measured" in scale._hopeless({"step": "pca", "n": 1_000}, failed)


def test_recall_counts_what_was_found_in_whatever_order() -> None:
    x = np.random.default_rng(0).random((300, 4), np.float32)
    true = neighbours.truth(x, x[:20], 5, at_once=70)
    gaps = ((x[:20, None] - x) ** 2).sum(2)
    np.testing.assert_array_equal(true, gaps.argsort(1)[:, :5])
    assert neighbours.recall(true[:, ::-1], true, 5) == 1.0
    assert neighbours.recall(true + 300, true, 5) == 0.0
    for name in ("scikit-learn k-d tree", "SciPy k-d tree", "scikit-learn, all pairs"):
        found = neighbours.LIBRARIES[name](x, 1)(x[:20], 5)
        np.testing.assert_array_equal(found, true)


def test_rates_are_compared_round_by_round() -> None:
    def rounds(*rates: float) -> list[dict[str, float]]:
        return [
            {"images_per_second": rate, "rss_mb": 50 + rate, "peak_rss_mb": 100 + rate}
            for rate in rates
        ]

    ways = {"memory": rounds(100.0, 200.0, 400.0), "mapped": rounds(98.0, 190.0, 396.0),
            "DataLoader": rounds(50.0, 50.0, 99.0)}  # fmt: skip
    text = as_markdown(
        {
            "machines": {"large": "a new machine", "flat": "an old one"},
            "old": {"flat": "Before something changed."},
            "large": {"n": 200_000, "side": 64, "network": "mlp", "ways": ways,
                      "build": {"images_per_second": 5000.0}},
            "flat": {"1000": {"images_per_second": 7.0, "growth_mb": 3.0, "peak_rss_mb": 5.0}},
        }
    )  # fmt: skip
    assert "## 200,000 pictures in files, 64 x 64 grey\n\nOn a new machine.\n" in text
    assert "\n\nOn an old one.\n\nBefore something changed.\n" in text
    assert "| mapped from the decoded set | 190.0 | 446.0 | 496.0 |" in text
    assert "in memory: **0.98 times** (0.95 to 0.99); over the `DataLoader`: **3.80" in text
    assert "| 1,000 | 7.0 | 3.0 | 5.0 |" in text


@pytest.mark.slow
def test_the_large_sets_are_measured(capsys: pytest.CaptureFixture[str]) -> None:
    """On sets of next to nothing, and nothing is kept of it."""
    before = (FOLDER / "results.json").read_bytes()
    main(["--quick"])
    said = capsys.readouterr().out
    assert f"## {QUICK['large']['n']} pictures in files" in said
    assert f"| {QUICK['flat']['n']:,} |" in said
    assert (FOLDER / "results.json").read_bytes() == before


def test_the_page_of_a_gpu_says_what_was_reached_and_what_was_not() -> None:
    curve = [[1.0, 99.0], [2.0, 96.2], [3.0, 95.5]]
    slower = [[1.5, 99.0], [2.5, 96.4], [3.5, 94.9]]
    runs = [{"curve": one, "wall": one[-1][0] + 1} for one in (curve, slower)]
    page = gpu.as_markdown(
        {
            "machine": "a machine",
            "equality": {"bf16": {"again": 1e-6, "recorded": 2e-6}},
            "rounding": {"machine": "its CPU", "equality": {"bf16": {"nudged": 0.3}}},
            "rates": {"512": {"plain": [1000.0], "recorded": [9000.0, 7000.0, 8000.0]}},
            "compiled": {"512": {"recorded, compiled": [10_000.0]}},
            "quality": [{"batch_size": 512, "epochs": 3, "runs": runs}],
            "failed": ["tsne"],
        }
    )
    assert "| bf16 | 2.0e-06 | 1.0e-06 |" in page
    assert "|  | plain, first weights off by 1e-7 |\n| --- | --- |\n| bf16 | 3.0e-01 |" in page
    # A way that was not reached has no column.
    assert "| batch | plain | recorded | recorded, compiled |" in page
    assert "| 512 | 1,000 | 8,000 | 10,000 |" in page
    assert "| 512 | 3 | 2.25 | 3.50 (1 of 2) | 95.20 (94.90 to 95.50) | 3.25 | 4.25 |" in page
    assert "Not measured, or not to its end: encoding, tsne." in page


@pytest.mark.slow
def test_without_a_gpu_next_to_nothing_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if not gpu.is_small():
        pytest.skip("there is a GPU")
    parts = [part for part in gpu.PARTS if part != "rounding"]  # it is whole everywhere
    main(["gpu", *parts, str(tmp_path)])
    assert "There is no CUDA device here" in capsys.readouterr().out
    found = json.loads((tmp_path / "gpu.json").read_text())
    assert found["failed"] == []
    assert set(parts) < set(found)
    assert (tmp_path / "gpu.md").read_text() == gpu.as_markdown(found)
