"""Steps that are recorded and replayed do what they do otherwise; graphs are played by a tape."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import tape
import torch
from torch import Tensor
from training_helpers import fit_tiny, make_splits, without_clock

from zscape.data import ImageSet, Splits
from zscape.model.condition import Condition
from zscape.training import Trainer, loop, recorded
from zscape.training.recorded import WARM_UP, Recorded


@pytest.fixture(autouse=True)
def _no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded.torch, "cuda", tape.cuda)


def test_a_recording_reads_its_inputs_anew_and_its_outputs_stay() -> None:
    weight, noise, calls = torch.zeros(2), torch.Generator(), 0

    def step(x: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        weight.add_(x.sum())
        return weight + torch.rand(2, generator=noise)

    replayed, outputs = Recorded(step, [noise]), []
    for number in range(8):
        noise.manual_seed(number)
        outputs.append(replayed(torch.full((3 + number % 2,), float(number))))
    assert calls == 2 * (WARM_UP + 1)
    total = 0
    for number, output in enumerate(outputs):
        total += number * (3 + number % 2)
        expected = total + torch.rand(2, generator=torch.Generator().manual_seed(number))
        torch.testing.assert_close(output, expected)
    assert weight.tolist() == [total, total]


def test_what_cannot_be_recorded_runs_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    replayed = Recorded(lambda x: x * float(x.sum()))
    with caplog.at_level(logging.WARNING, logger="zscape"):
        outputs = [replayed(torch.full((2,), float(number))) for number in range(6)]
    assert [output.tolist() for output in outputs] == [[2.0 * n * n] * 2 for n in range(6)]
    assert len(caplog.records) == 1
    assert "steps are not recorded, which makes them slower: waiting" in caplog.text


def labelled(images: ImageSet) -> ImageSet:
    return ImageSet(images.images, torch.arange(len(images)) % 2, ("even", "odd"), images.split)


@pytest.mark.parametrize(
    "options",
    [
        {"network": "enhanced", "optimizer": "adam", "kl_warmup": 2.0, "clip_norm": 5.0},
        {"network": "mlp", "binarize": "dynamic", "objective": "iwae", "train_samples": 3},
        {"network": "mlp", "optimizer": "adam", "condition": "label", "precision": "bf16"},
        {"network": "enhanced", "optimizer": "muon", "precision": "auto"},  # bf16 where it is fast
        {"network": "mlp", "objective": "dreg", "train_samples": 2, "ema": 0.0},
    ],
)
def test_a_recorded_training_is_the_plain_one(
    options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    # More steps than the warm-up has, in batches of two sizes.
    options = {"batch_size": 8, "epochs": 4, "evaluate_train": 0} | options
    data = Splits(*(labelled(half) for half in make_splits(n_train=30)))
    plain = fit_tiny(data=data, **options)
    recordings: list[Recorded] = []

    def start(trainer: Trainer) -> None:
        trainer._recorded = Recorded(trainer._step, [trainer._noise])
        recordings.append(trainer._recorded)

    monkeypatch.setattr(loop.Trainer, "_start_recording", start)
    monkeypatch.setattr(Condition, "_fits", lambda *_: True)  # which no other device looks at
    found = fit_tiny(data=data, **options)
    assert len(recordings[-1]._graphs) == 2
    assert min(recordings[-1]._calls.values()) > WARM_UP + 3
    monkeypatch.setattr(recorded, "WARM_UP", 1000)
    never = fit_tiny(data=data, **options)
    assert recordings[-1]._graphs == {}
    assert without_clock(found.history) == without_clock(never.history)
    # The rate is a tensor there, which rounds otherwise; batches this small have fewer directions
    # than Muon makes steps in, and the rest is rounding too.
    tolerance = 1e-2 if options["network"] == "enhanced" else 1e-4
    for own, other in zip(plain.history, found.history, strict=True):
        for half in ("running", "test"):
            assert own[half]["loss"] == pytest.approx(other[half]["loss"], rel=tolerance)
