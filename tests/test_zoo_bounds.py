from __future__ import annotations

import json

import pytest
import torch
from benchmarks import zoo_bounds

import zscape


@pytest.fixture
def room(tmp_path, monkeypatch):
    """A folder of its own, few samples, few images."""
    pixels = torch.randint(0, 256, (130, 1, 28, 28), generator=torch.Generator().manual_seed(0))
    images = zscape.ImageSet(pixels.to(torch.uint8), split="test", name="noise")
    monkeypatch.setattr(zoo_bounds, "SAMPLES", 6)
    monkeypatch.setattr(zscape, "load_data", lambda name: type("Pair", (), {"test": images}))

    def call(folder: str, *arguments: str) -> tuple[str, str]:
        folder = tmp_path / folder
        folder.mkdir(exist_ok=True)
        monkeypatch.setattr(zoo_bounds, "RESULTS", folder / "a.json")
        monkeypatch.setattr(zoo_bounds, "PAGE", folder / "a.md")
        monkeypatch.setattr("sys.argv", ["zoo_bounds", *arguments])
        zoo_bounds.main()
        return (folder / "a.json").read_text(), (folder / "a.md").read_text()

    return call


def test_what_was_stopped_goes_on_and_ends_the_same_to_the_bit(room, monkeypatch):
    whole = room("whole", "2", "10", "--parts", "2")
    judge, calls = zoo_bounds.judge, []

    def stopped(*given):
        calls.append(given[:2])
        if len(calls) == 3:
            raise KeyboardInterrupt
        return judge(*given)

    monkeypatch.setattr(zoo_bounds, "judge", stopped)
    with pytest.raises(KeyboardInterrupt):
        room("stopped", "2", "10", "--parts", "2")
    assert room("stopped", "2", "10", "--parts", "2") == whole
    assert calls == [("2", 0), ("10", 0), ("2", 1), ("2", 1), ("10", 1)]


def test_the_page_counts_only_images_that_every_model_has_seen(room):
    kept, page = room("a", "2", "--parts", "2")
    assert "`zoo:2` | 2 | 1 |" in page
    assert "of 4 of the 10 000" in page  # rows 0, 100 and 1, 101
    results = json.loads(kept)
    results["10"] = {"0": results["2"]["0"]}
    assert "of 2 of the 10 000" in zoo_bounds.as_markdown(results)
