"""Maps coloured by columns, and a panel for each group."""

from __future__ import annotations

import datetime

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex

from zscape.data.coloring import coloring, grouped, groups
from zscape.data.columns import Columns
from zscape.embedding import fit_map
from zscape.errors import ConfigError, DataError, ShapeError
from zscape.figures import (
    PALETTE,
    class_colors,
    plot_map,
    plot_marked_scatter,
    plot_pairs,
    plot_scatter,
    plot_small_multiples,
)
from zscape.figures.keys import FAINT
from zscape.figures.style import MUTED
from zscape.latents import LatentTable

N = 120


@pytest.fixture(scope="module")
def embedding():
    mu = np.random.default_rng(0).normal(size=(N, 3)).astype(np.float32)
    rows = np.arange(N)
    columns = Columns.of(
        {
            "file_name": [f"{i}.png" for i in rows],
            "treatment": [("A", "B", None)[i % 3] for i in rows],
            "plate": [f"plate {i % 40}" if i % 40 else "plate 1" for i in rows],
            "area": np.where(rows % 10, rows, np.nan),
            "day": [datetime.datetime(2024, 1, 1) + datetime.timedelta(int(i)) for i in rows],
            "well": [f"{i % 24}" if i % 5 else None for i in rows],
        }
    )
    labels = (rows % 2).astype(np.int64)
    return fit_map(
        LatentTable(mu, np.zeros_like(mu), labels, ("x", "y"), rows, columns=columns), "pca"
    )


def drawn(ax, k=-1):
    """Places and colours of the marks that were drawn last, in their order."""
    marks = ax.collections[k]
    colors = [to_hex(color) for color in marks.get_facecolors()]
    return np.asarray(marks.get_offsets(), np.float32), np.array(colors)


def rows_of(embedding, offsets):
    place = {tuple(point): i for i, point in enumerate(embedding.coordinates.tolist())}
    return np.array([place[tuple(point)] for point in offsets.tolist()])


def legend_of(figure):
    (legend,) = [ax.get_legend() for ax in figure.axes if ax.get_legend()]
    names = [text.get_text() for text in legend.get_texts()]
    colors = [to_hex(handle.get_color()) for handle in legend.legend_handles]
    return legend.get_title().get_text(), dict(zip(names, colors, strict=True))


def assert_nothing_is_cut_off(figure):
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    box, (width, height) = figure.get_tightbbox(renderer), figure.get_size_inches()
    assert min(box.x0, box.y0, width - box.x1, height - box.y1) >= -1 / figure.dpi
    assert width <= 9.15


def test_the_missing_of_a_category_lie_beneath_in_grey_and_are_counted(embedding):
    figure = plot_map(embedding, "treatment")
    title, entries = legend_of(figure)
    assert title == "treatment"
    assert entries == {"A": PALETTE[0], "B": PALETTE[1], "40 missing": FAINT}
    offsets, colors = drawn(figure.axes[0])
    rows = rows_of(embedding, offsets)
    assert sorted(rows) == list(range(N))
    assert colors.tolist() == [(*PALETTE[:2], FAINT)[i % 3] for i in rows]
    assert set(colors[:40]) == {FAINT}
    assert_nothing_is_cut_off(figure)


def test_many_categories_share_a_grey(embedding):
    figure = plot_map(embedding, "plate")
    _, entries = legend_of(figure)
    assert list(entries.values()) == [*class_colors(19), MUTED]
    assert next(iter(entries)) == "plate 1"
    assert list(entries)[-1] == "20 others"
    assert (drawn(figure.axes[0])[1] == MUTED).sum() == 20 * 3
    assert_nothing_is_cut_off(figure)


def test_a_number_has_a_bar_and_its_missing_are_counted(embedding):
    figure = plot_map(embedding, "area")
    (ax,) = figure.axes
    (bar,) = ax.child_axes
    known = np.arange(N)[np.arange(N) % 10 > 0]
    assert bar.get_ylabel() == "area"
    assert bar.get_ylim() == pytest.approx(np.percentile(known, (0.5, 99.5)))
    assert legend_of(figure) == ("", {"12 missing": FAINT})
    offsets, colors = drawn(ax)
    rows = rows_of(embedding, offsets)
    assert set(rows[:12] % 10) == {0}
    assert (colors == FAINT).tolist() == [True] * 12 + [False] * (N - 12)
    assert_nothing_is_cut_off(figure)


@pytest.mark.parametrize(
    ("step", "ticks"),
    [
        (datetime.timedelta(days=400), {"2080", "2120"}),
        (datetime.timedelta(days=1), {"2024-02", "2024-04"}),
        (datetime.timedelta(minutes=1), {"01-01 00:30", "01-01 01:00"}),
    ],
)
def test_the_bar_of_dates_has_dates(step, ticks):
    days = [datetime.datetime(2024, 1, 1) + i * step for i in range(N)]
    found = coloring(Columns.of({"day": days}), "day")
    figure = plot_scatter(np.random.default_rng(0).normal(size=(N, 2)), coloring=found)
    assert_nothing_is_cut_off(figure)
    (bar,) = figure.axes[0].child_axes
    assert ticks <= {text.get_text() for text in bar.get_yticklabels()}


def test_values_may_be_dates_and_missing():
    points = np.eye(4)[:, :2]
    days = np.array(["2024-01-01", "2024-01-05", "NaT", "2024-01-03"], "datetime64[D]")
    figure = plot_scatter(points, values=days, value_name="day")
    assert "1 missing" in legend_of(figure)[1]
    assert figure.axes[0].child_axes[0].get_ylim() == pytest.approx((19723.02, 19726.98))
    figure = plot_scatter(points, values=[1, np.nan, np.nan, 2])
    assert "2 missing" in legend_of(figure)[1]
    with pytest.raises(DataError, match="infinity or none"):
        plot_scatter(points, values=[np.nan] * 4)


def test_a_neuron_the_classes_and_nothing_colour_too(embedding):
    (bar,) = plot_map(embedding, "z2").axes[0].child_axes
    assert bar.get_ylabel() == "z2"
    assert legend_of(plot_map(embedding)) == ("", {"x": PALETTE[0], "y": PALETTE[1]})
    assert set(drawn(plot_map(embedding, "none").axes[0])[1]) == {MUTED}


def test_marks_and_pairs_are_coloured_by_columns(embedding):
    table = embedding.table
    found = coloring(table.columns, "treatment")
    marked = plot_marked_scatter(
        embedding.coordinates, [[0, 0]], np.zeros((1, 1, 4, 4)), coloring=found
    )
    for figure in (marked, plot_pairs(table.mu, coloring=found)):
        assert "40 missing" in legend_of(figure)[1]
        assert_nothing_is_cut_off(figure)
    by_number = plot_pairs(table.mu, coloring=coloring(table.columns, "area"))
    assert "12 missing" in legend_of(by_number)[1]
    assert_nothing_is_cut_off(by_number)


def test_a_panel_for_each_group_with_the_others_behind(embedding):
    figure = plot_map(embedding, by="treatment", color="treatment")
    panels = figure.axes
    titles = [ax.get_title("left") for ax in panels]
    assert titles == ["A (40)", "B (40)", "missing (40)"]
    assert len({(ax.get_xlim(), ax.get_ylim()) for ax in panels}) == 1
    for k, ax in enumerate(panels):
        offsets, colors = drawn(ax)
        assert sorted(rows_of(embedding, offsets)) == list(range(k, N, 3))
        assert set(colors) == {(PALETTE[0], PALETTE[1], MUTED)[k]}
        behind, faint = drawn(ax, 0)
        assert sorted(rows_of(embedding, behind)) == [i for i in range(N) if i % 3 != k]
        assert len(set(faint)) == 1
    unit = panels[0].transData.transform([[0, 0], [1, 0], [0, 1]])
    assert unit[1, 0] - unit[0, 0] == pytest.approx(unit[2, 1] - unit[0, 1])
    assert [text.get_text() for text in figure.texts] == ["treatment", *embedding.axis_names]
    assert_nothing_is_cut_off(figure)


@pytest.mark.parametrize(
    ("by", "color", "n"),
    [("well", "plate", 20), ("plate", "day", 20), ("area", "treatment", 7), ("class", "none", 2),
     ("z1", "area", 6), ("day", "class", 6)],
)  # fmt: skip
def test_panels_by_anything_coloured_by_anything(embedding, by, color, n):
    figure = plot_map(embedding, color, by=by)
    assert len(figure.axes) == n
    total = sum(int(ax.get_title("left").split("(")[-1][:-1]) for ax in figure.axes)
    assert total == N
    assert_nothing_is_cut_off(figure)


def test_one_group_has_nothing_behind_it():
    points = np.random.default_rng(0).normal(size=(9, 2)) * (1, 30)
    figure = plot_small_multiples(points, grouped("all", np.zeros(9, int), ["one"]), title="a map")
    (ax,) = figure.axes
    assert len(ax.collections) == 1
    assert figure.texts[0].get_text() == "a map"
    assert_nothing_is_cut_off(figure)


def test_bad_input(embedding):
    with pytest.raises(DataError, match=r"'tretment' \(did you mean 'treatment'\?\); there are: c"):
        plot_map(embedding, "tretment")
    with pytest.raises(DataError, match="holds file names"):
        plot_map(embedding, by="file_name")
    with pytest.raises(ConfigError, match=r"integer in \[0, 2\]; got 'z3'"):
        plot_map(embedding, "z3")
    of = groups(embedding.table.columns, "treatment")
    with pytest.raises(ShapeError, match="9 points need as many values"):
        plot_scatter(np.zeros((9, 2)), coloring=of)
    with pytest.raises(ShapeError, match="9 points need as many values"):
        plot_small_multiples(np.zeros((9, 2)), of)
    with pytest.raises(ConfigError, match="by a column; give one"):
        plot_scatter(embedding.coordinates, values=np.zeros(N), coloring=of)
