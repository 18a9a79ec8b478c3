"""Models side by side on one page."""

from __future__ import annotations

import re

import numpy as np
import pytest

import zscape
from report.test_report_page import Page
from zscape import api
from zscape.errors import ConfigError
from zscape.report import SideBySide
from zscape.report.comparison import MOST_CODED


@pytest.fixture
def models(make_subject):
    """Three networks of one, two and three neurons, and images to show them."""
    subjects = [make_subject(30, latent_dim=d) for d in (1, 2, 3)]
    return [subject.model for subject in subjects], subjects[0].data.test


def test_the_page_holds_table_figures_and_pictures(models, tmp_path):
    vaes, images = models
    path = zscape.write_comparison(vaes, tmp_path / "new" / "a.html", images)
    text = path.read_text("utf-8")
    page, found = Page(text), api.measure_models(vaes, images)
    names = [model.evaluation.name for model in found.models]
    assert names == ["MLPVAE", "MLPVAE (2)", "MLPVAE (3)"]
    for said in (*names, found.how, found.plus_minus):
        assert said in page.text
    shown = found.shown()
    bold = re.findall("<b>(.*?)</b>", text)
    assert sorted(bold) == sorted(shown.loc[row, name] for name, row in found.best().items())
    # Measures; reconstructions, a walk, a neuron of each, a second of two of them, and codes.
    assert len(page.all("img")) == 6
    assert not page.all("script")
    assert "://" not in text
    assert zscape.write_comparison(vaes, path, images).read_text("utf-8") == text


def test_the_verdict_is_of_the_same_images(models, tmp_path):
    vaes, images = models
    found = api.measure_models(vaes, images)
    paid = sorted((model.evaluation for model in found.models), key=lambda one: one.elbo.mean())
    gap = paid[1].elbo - paid[0].elbo
    text = zscape.write_comparison(vaes, tmp_path / "a.html", images).read_text("utf-8")
    said = f"pays {gap.mean():.2f} more (± {gap.std(ddof=1) / np.sqrt(len(gap)):.2f}, "
    assert said in Page(text).text


def test_without_a_knob_each_model_has_a_line(models, make_subject, tmp_path):
    vae, images = models[0][2], models[1]
    other = make_subject(30, latent_dim=3).model
    text = zscape.write_comparison([vae, other], tmp_path / "a.html", images).read_text("utf-8")
    assert "Model by model" in Page(text).text
    assert "What it depends on" not in Page(text).text


def test_each_model_is_turned_through_its_own_codes(models):
    vaes, images = models
    beside = SideBySide(dict(zip("abc", vaes, strict=True)), images)
    assert len(images) <= MOST_CODED
    assert list(beside.turned(0)) == ["a", "b", "c"]
    assert list(beside.turned(1)) == ["b", "c"]
    assert beside.turned(0)["c"] != beside.turned(1)["c"]
    assert len(beside.chosen) == 3
    figure = beside.turns(1)
    assert len(figure.axes) == 2 * 7
    assert [row[0] for row in beside.apart().rows] == ["a", "b", "c"]


def test_nothing_is_written_of_models_that_cannot_be_compared(models, tmp_path):
    vaes, images = models
    for bad, match in (([vaes[0], vaes[0]], "is there twice"), (vaes[:0], "at least one model")):
        with pytest.raises(ConfigError, match=match):
            zscape.write_comparison(bad, tmp_path / "a.html", images)
    with pytest.raises(ConfigError, match=r"ends in \.html"):
        zscape.write_comparison(vaes, tmp_path / "a.pdf", images)
    assert not list(tmp_path.iterdir())
