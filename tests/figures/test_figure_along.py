import numpy as np
import pytest
import torch
from matplotlib.dates import num2date
from tests.figures.test_figure_walks import assert_nothing_is_cut_off, shown

from zscape.errors import ShapeError
from zscape.figures import plot_along

STEPS = np.linspace(-2, 2, 5)
POSITIONS = np.linspace(-3, 3, 60)
IMAGES = torch.rand(5, 1, 12, 12, generator=torch.Generator().manual_seed(0))


def test_a_number_is_a_point_per_image_that_has_one():
    values = np.where(np.arange(60) % 4 == 0, np.nan, POSITIONS**3)
    figure = plot_along(IMAGES, STEPS, POSITIONS, values, name="area", title="area: R² 0.9")
    *tiles, plot = figure.axes
    assert [tile.get_title() for tile in tiles] == ["−2.00", "−1.00", "0.00", "1.00", "2.00"]
    assert np.allclose(shown(tiles[3]), IMAGES[3], atol=1e-6)
    (cloud,) = plot.collections
    points = np.ma.filled(cloud.get_offsets(), np.nan)
    is_there = np.isfinite(values)
    assert np.allclose(points[np.isfinite(points).all(1)], np.c_[POSITIONS, values][is_there])
    assert (plot.get_ylabel(), figure.texts[0].get_text()) == ("area", "area: R² 0.9")
    assert_nothing_is_cut_off(figure)


def test_a_long_title_has_several_lines():
    title = "class, a to c: AUC 0.99 on images left out of the fit (22 images, 5 folds); " * 3
    figure = plot_along(IMAGES, STEPS, POSITIONS, POSITIONS, name="area", title=title)
    assert figure.texts[0].get_text().split() == title.split()
    assert "\n" in figure.texts[0].get_text()
    assert_nothing_is_cut_off(figure)


def test_dates_are_read_as_dates():
    days = np.datetime64("2026-03-01", "s") + np.arange(len(POSITIONS)) * np.timedelta64(1, "D")
    values = days.astype(np.int64).astype(float)
    values[1] = np.nan
    figure = plot_along(IMAGES, STEPS, POSITIONS, values, name="day", is_date=True)
    ax = figure.axes[-1]
    (points,) = ax.collections
    found = num2date(points.get_offsets()[:, 1])
    assert [each.date() for each in found] == np.delete(days, 1).astype("M8[D]").tolist()
    assert ax.get_yticklabels()[0].get_text() == "Mar"
    assert_nothing_is_cut_off(figure)


def test_two_categories_are_counted_along_the_way():
    values = np.select([POSITIONS > 0, POSITIONS > -2], [1.0, 0.0], np.nan)
    figure = plot_along(IMAGES, STEPS, POSITIONS, values, name="kind", categories=("dull", "sharp"))
    plot = figure.axes[-1]
    heights = [sum(bar.get_height() for bar in bars) for bars in plot.containers]
    assert heights == [(values == 0).sum(), (values == 1).sum()]
    assert [text.get_text() for text in plot.get_legend().get_texts()] == ["dull", "sharp"]
    assert all(tick == int(tick) for tick in plot.get_yticks())  # images have no halves
    assert_nothing_is_cut_off(figure)


def test_lengths_must_agree():
    with pytest.raises(ShapeError, match="must both be"):
        plot_along(IMAGES, STEPS, POSITIONS, np.zeros(3), name="x")
    with pytest.raises(ShapeError, match="one per image"):
        plot_along(IMAGES, STEPS[:3], POSITIONS, POSITIONS, name="x")
