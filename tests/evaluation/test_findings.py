from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import zscape
from zscape.data import Splits
from zscape.evaluation import Checkup, Diagnosis, Estimate, Severity, diagnose, examine
from zscape.evaluation.checks import CHECKS
from zscape.evaluation.findings import normal_ranges, zoo_measures
from zscape.evaluation.measures import Course, Drift, Gap, TwoSample
from zscape.zoo import open_card, read_cards

D = 4
NONE = np.zeros(D)
TRAINED, SEEN = Estimate(40, 0.5), Estimate(44, 0.5)
CODES_OFF = {"two_sample": TwoSample(0.4, 0.002), "mean": NONE + 5, "std": NONE + 6,
             "correlation": 0.9, "holes": 0.9}  # fmt: skip
"""What comes with several diseases."""


def layers(**n_dead: int) -> pd.DataFrame:
    names = {"fc1": 512, "fc21": D, "out": 1}
    rows = [(n, n_dead.get(name, 0)) for name, n in names.items()]
    return pd.DataFrame(rows, columns=["n_units", "n_dead"], index=list(names))


@pytest.fixture
def healthy() -> Checkup:
    return Checkup(
        name="mine", data="test images of mnist", n_images=500, kld_weight=1.0, kl=NONE + 2,
        mean_variance=NONE + 0.9, posterior_variance=NONE + 0.05, mean=NONE + 0.02,
        std=NONE + 0.98, correlation=0.08, two_sample=TwoSample(0.004, 0.1), ks=NONE + 0.05,
        holes=0.03, excess=SEEN, kept=0.8, explained=NONE + 0.3, layers=layers(), saturated=0.005,
        gap=Gap(TRAINED, SEEN, None), course=Course(6, 0.5, 0.1, 0.0, 0.0), drift=Drift(0.01, 0.9),
    )  # fmt: skip


def test_nothing_is_said_of_a_healthy_model(healthy: Checkup) -> None:
    found = diagnose(healthy)
    assert (found.told, found.following) == ((), ())
    assert found.verdict == "Nothing serious is wrong with mine."
    assert {finding.name for finding in found.findings} == {check.name for check in CHECKS}
    assert not any(finding.advice for finding in found.findings)


SERIOUS: dict[str, dict[str, Any]] = {
    "unsteady training": {"course": Course(6, 90.0, 1.0, 5.0, 300.0), "layers": layers(fc1=512),
                          "mean_variance": NONE, "kept": 0.0, "saturated": 0.6, **CODES_OFF},
    "dead layer": {"layers": layers(fc21=D), "mean_variance": NONE, "kept": -0.2,
                   "posterior_variance": NONE, **CODES_OFF},
    "posterior collapse": {"mean_variance": NONE + 1e-5, "kept": 0.0, "layers": layers(fc1=510),
                           "posterior_variance": NONE + 0.999, "explained": NONE},
    "posteriors are points": {"posterior_variance": NONE + 1e-6, "kld_weight": 0.0,
                              "gap": Gap(Estimate(10, 0.5), SEEN, None), **CODES_OFF},
    "posteriors as wide as the prior": {"posterior_variance": NONE + 1, "std": NONE + 1.4,
                                        "two_sample": TwoSample(0.15, 0.002)},
    "classes without training images": {
        "gap": Gap(TRAINED, SEEN, Estimate(90, 1), ("7", "9"), 0.2), **CODES_OFF},
    "overfitting": {"gap": Gap(Estimate(10, 0.5), SEEN, None), **CODES_OFF,
                    "course": Course(6, -3.0, 0.1, 9.0, 0.0)},
    "aggregate posterior off the prior": CODES_OFF,
    "holes": {"holes": 0.5},
    "saturated pixels": {"saturated": 0.5},
}  # fmt: skip
NOTABLE: dict[str, dict[str, Any]] = {
    "posterior collapse": {"mean_variance": np.array([1, 0, 0, 0])},  # but it draws well
    "overfitting": {"gap": Gap(Estimate(30, 0.5), SEEN, None)},
    "poor reconstructions": {"kept": 0.1},
    "dead units": {"layers": layers(fc1=20)},
    "ignored neurons": {"explained": np.array([0.001, 0.5, 0.5, 0.5])},
    "codes off centre": {"mean": NONE + 0.4},
    "codes of another width": {"std": NONE + 0.4},
    "correlated neurons": {"correlation": 0.5},
    "still moving": {"course": Course(6, 5.0, 0.1, 0.0, 0.0)},
    "past its best": {"course": Course(6, 0.1, 0.1, 2.0, 0.0)},
    "unsteady training": {"course": Course(6, 0.5, 0.1, 0.0, 5.0)},
    "codes that drift": {"drift": Drift(0.5, 0.1)},
    "holes": {"holes": 0.1},
}


@pytest.mark.parametrize("name", SERIOUS)
def test_each_disease_is_named_and_no_other(healthy: Checkup, name: str) -> None:
    found = diagnose(replace(healthy, **SERIOUS[name]))
    assert [finding.name for finding in found.serious] == [name]
    assert found.findings[0].name == name
    assert found.verdict == f"mine has a serious problem: {name}."
    assert found.findings[0].advice
    for finding in found.following:
        assert finding.advice == f"It may follow from the {name}: see to that first."


@pytest.mark.parametrize("name", NOTABLE)
def test_what_is_out_of_the_ordinary_is_notable_only(healthy: Checkup, name: str) -> None:
    found = diagnose(replace(healthy, **NOTABLE[name]))
    assert [(one.name, one.severity) for one in found.told] == [(name, Severity.NOTABLE)]
    assert not found.serious


def test_sentences_are_sentences(healthy: Checkup) -> None:
    for changes in ({}, *SERIOUS.values(), *NOTABLE.values()):
        for finding in diagnose(replace(healthy, **changes)).findings:
            for text in (finding.sentence, finding.advice):
                assert not text or (text[0].isupper() or text[0].isdigit() or text[0] == "z")
                assert not text or text[-1] == "."
                assert "−0 " not in text
                assert "nan" not in text


def test_a_difference_that_chance_explains_is_no_overfitting(healthy: Checkup) -> None:
    unsure = Gap(Estimate(10, 12), Estimate(44, 12), None)
    assert not diagnose(replace(healthy, gap=unsure)).serious


def test_the_table_and_what_could_not_be_measured(healthy: Checkup) -> None:
    found = diagnose(replace(healthy, gap=None, course=None, drift=None))
    table = found.table()
    assert table.index.name == "finding"
    assert "overfitting" not in table.index
    assert set(table["severity"]) == {"fine"}
    with_drift = diagnose(healthy).table()
    assert with_drift.loc["codes that drift", ["normal_low", "normal_high"]].isna().all()
    low, high = with_drift.loc["holes", ["normal_low", "normal_high"]]
    assert (low, high) == normal_ranges()["holes"]


def test_findings_follow_only_from_what_stands_above_them() -> None:
    names = [check.name for check in CHECKS]
    for i, check in enumerate(CHECKS):
        assert set(check.explains) <= set(names[i + 1 :])
    assert {check.measure for check in CHECKS} - set(normal_ranges()) == {"moved"}


def test_what_is_normal_was_measured_and_not_typed() -> None:
    assert list(zoo_measures()) == list(read_cards())
    card, data = read_cards()["2"], zscape.load_data("mnist")
    found = examine(open_card("2").model, data.test, train=data.train, history=card.history)
    for name, value in found.measures().items():
        assert value == pytest.approx(zoo_measures()["2"][name], rel=0.02, abs=0.002), name
    # Ranges are of models of kld_weight 1: none of the others would be found ill by itself.
    assert normal_ranges()["certain"] == (0, 0)


@pytest.fixture(scope="module")
def few() -> Splits:
    data = zscape.load_data("mnist")
    return Splits(data.train[:400], data.test[:400])


def serious(found: Diagnosis) -> list[str]:
    return [finding.name for finding in found.serious]


def test_nothing_serious_is_wrong_with_zoo_10() -> None:
    found = zscape.doctor("zoo:10")
    assert not found.told
    assert "nothing serious" in repr(found)


def test_without_the_kl_codes_are_points(few: Splits) -> None:
    found = zscape.doctor("zoo:10-kld0", few)
    assert serious(found) == ["posteriors are points"]
    assert "kld_weight 0" in found.findings[0].sentence


@pytest.mark.parametrize("head", ["fc21", "fc22"])
def test_a_head_that_is_set_to_zero_is_named(head: str, few: Splits) -> None:
    vae = deepcopy(open_card("10").model)
    with torch.no_grad():
        getattr(vae, head).weight.zero_(), getattr(vae, head).bias.zero_()
    found = zscape.doctor(vae, few)
    assert serious(found) == ["dead layer"]
    assert found.findings[0].sentence == f"Layer {head} gives the same for every image."
