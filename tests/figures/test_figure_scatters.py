import logging
import math

import numpy as np
import pytest
import torch
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex

from zscape.errors import ConfigError, DataError, ShapeError
from zscape.figures import (
    PALETTE,
    class_colors,
    new_figure,
    plot_explained_variance,
    plot_loadings,
    plot_marked_scatter,
    plot_pairs,
    plot_scatter,
)
from zscape.figures.pairs import MOST_POINTS, _density
from zscape.figures.style import MUTED

DIGITS = tuple("0123456789")


def cloud(n=500, d=2, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def classes(n, k):
    return np.arange(n) * 7 % k


def legend_of(figure):
    """(name, colour) of every entry of the one legend."""
    (legend,) = [ax.get_legend() for ax in figure.axes if ax.get_legend()]
    handles = legend.legend_handles
    return [
        (text.get_text(), to_hex(handle.get_color()) if handle.get_color() != "none" else None)
        for text, handle in zip(legend.get_texts(), handles, strict=True)
    ]


def drawn(ax):
    """Point → colour (hex) and alpha, in the order of drawing."""
    marks = ax.collections[0]
    colors = marks.get_facecolors()
    return np.asarray(marks.get_offsets()), [to_hex(color) for color in colors], colors[:, 3]


def assert_nothing_is_cut_off(figure):
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    box, (width, height) = figure.get_tightbbox(renderer), figure.get_size_inches()
    pixel = 1 / figure.dpi
    assert box.x0 >= -pixel
    assert box.y0 >= -pixel
    assert box.x1 <= width + pixel
    assert box.y1 <= height + pixel
    assert width <= 9.15


class TestScatter:
    def test_every_point_has_the_colour_of_its_class_and_no_class_hides_the_others(self):
        points, labels = cloud(1000), np.repeat(np.arange(10), 100)
        figure = plot_scatter(torch.from_numpy(points), labels, DIGITS, axis_names=("a", "b"))
        (ax,) = figure.axes
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("a", "b")
        offsets, colors, _ = drawn(ax)
        place = {tuple(point): i for i, point in enumerate(points.tolist())}
        order = [place[tuple(point)] for point in offsets.astype(np.float32).tolist()]
        assert sorted(order) == list(range(1000))
        assert colors == [PALETTE[labels[i]] for i in order]
        last = [labels[i] for i in order[-100:]]
        assert len(set(last)) == 10
        assert legend_of(figure) == list(zip(DIGITS, PALETTE, strict=True))
        assert ax.collections[0].get_rasterized()
        assert_nothing_is_cut_off(figure)

    def test_only_classes_with_points_are_in_the_legend_and_keep_their_colours(self):
        figure = plot_scatter(cloud(10), np.repeat([2, 7], 5), DIGITS)
        assert legend_of(figure) == [("2", PALETTE[2]), ("7", PALETTE[7])]

    @pytest.mark.parametrize("k", [1, 2, 26, 60, 120])
    def test_any_number_of_classes(self, k):
        names = [f"class_{i}" * (1 + i % 4) for i in range(k)]
        figure = plot_scatter(cloud(600), classes(600, k), names)
        entries = legend_of(figure)
        assert [color for _, color in entries if color] == class_colors(k)[
            : len(entries) - (entries[-1][1] is None)
        ]
        if k < 120:
            assert len(entries) == k
        else:
            named = len(entries) - 1
            assert named > 80
            assert entries[-1] == (f"+{k - named} more", None)
        assert_nothing_is_cut_off(figure)

    def test_without_labels_it_is_grey(self):
        figure = plot_scatter(cloud(50))
        assert set(drawn(figure.axes[0])[1]) == {MUTED}
        assert figure.axes[0].get_legend() is None
        assert_nothing_is_cut_off(figure)

    def test_coloured_by_value(self):
        points = np.stack([np.arange(100.0), np.zeros(100)], 1)
        figure = plot_scatter(points, values=np.arange(100.0), value_name="distance")
        ax = figure.axes[0]
        (bar,) = ax.child_axes
        assert bar.get_ylabel() == "distance"
        assert bar.get_ylim() == pytest.approx(np.percentile(np.arange(100), (0.5, 99.5)))
        offsets, colors, _ = drawn(ax)
        low, high = bar.get_ylim()
        wanted = colormaps["viridis"]((offsets[:, 0] - low) / (high - low))
        assert colors == [to_hex(color) for color in wanted]
        assert_nothing_is_cut_off(figure)

    def test_one_value_for_all(self):
        assert_nothing_is_cut_off(plot_scatter(cloud(9), values=np.ones(9)))

    def test_more_points_are_smaller_and_fainter(self):
        marks = [plot_scatter(cloud(n)).axes[0] for n in (30, 3000, 30_000)]
        sizes = [ax.collections[0].get_sizes()[0] for ax in marks]
        alphas = [drawn(ax)[2][0] for ax in marks]
        assert sizes == sorted(sizes, reverse=True)
        assert alphas == sorted(alphas, reverse=True)
        assert len(set(sizes)) == len(set(alphas)) == 3

    @pytest.mark.parametrize("stretch", [(1, 1), (100, 1), (1, 100), (0, 1), (0, 0)])
    def test_a_map_has_one_unit_and_shows_every_point(self, stretch, caplog):
        points = cloud(40) * stretch
        figure = plot_scatter(points)
        with caplog.at_level(logging.WARNING):
            assert_nothing_is_cut_off(figure)
        assert not caplog.records
        (ax,) = figure.axes
        unit = ax.transData.transform([[0, 0], [1, 0], [0, 1]])
        assert unit[1, 0] - unit[0, 0] == pytest.approx(unit[2, 1] - unit[0, 1])
        box = ax.get_window_extent()
        assert box.width > 200
        assert box.height > 200
        inside = [box.contains(*place) for place in ax.transData.transform(points)]
        assert all(inside)

    def test_given_limits_are_kept(self):
        limits = ((-3, 3), (-1, 2))
        for is_map in (True, False):
            (ax,) = plot_scatter(cloud(), limits=limits, is_map=is_map).axes
            ax.apply_aspect()
            assert (ax.get_xlim(), ax.get_ylim()) == limits
            box = ax.get_window_extent()
            assert box.height / box.width == pytest.approx(0.5 if is_map else 1)

    def test_into_given_axes(self):
        figure = new_figure(9, 4, layout="constrained")
        left, right = figure.subplots(1, 2)
        assert plot_scatter(cloud(), classes(500, 10), DIGITS, title="map", ax=left) is figure
        plot_scatter(cloud(), values=cloud()[:, 0], value_name="z0", ax=right)
        assert left.get_title("left") == "map"
        assert_nothing_is_cut_off(figure)

    def test_bad_input(self):
        points = cloud(4)
        for broken in (points[:0], points[0], cloud(4, 3)):
            with pytest.raises(ShapeError, match="points must"):
                plot_scatter(broken)
        with pytest.raises(DataError, match="points must be finite"):
            plot_scatter([[0, np.nan]])
        with pytest.raises(ShapeError, match="4 samples need as many labels"):
            plot_scatter(points, [0, 1], DIGITS)
        with pytest.raises(DataError, match="labels must lie"):
            plot_scatter(points, [0, 1, 2, 3], DIGITS[:3])
        with pytest.raises(ConfigError, match="by labels, by values or by a column"):
            plot_scatter(points, [0] * 4, DIGITS, values=[0] * 4)
        with pytest.raises(ShapeError, match="4 points need as many values"):
            plot_scatter(points, values=[1, 2])
        with pytest.raises(DataError, match="values must be finite"):
            plot_scatter(points, values=[1, 2, 3, np.inf])
        for limits in ((0, 1), ((0, 1), (2, 2)), ((0, 1), (0, np.nan)), ((0, 1), (0, 1, 2)), "ab"):
            with pytest.raises(ConfigError, match="limits must be"):
                plot_scatter(points, limits=limits)


class TestMarkedScatter:
    @pytest.mark.parametrize("is_line", [True, False])
    @pytest.mark.parametrize("m", [1, 2, 13])
    def test_marks_are_numbered_as_the_pictures(self, m, is_line):
        marks = np.linspace([-5, 2], [5, -2], m)
        images = torch.rand(m, 3, 8, 8)
        figure = plot_marked_scatter(
            cloud(), marks, images, classes(500, 10), DIGITS, is_line=is_line, title="a line"
        )
        ax, *tiles = figure.axes
        found = {text.get_text(): text.get_position() for text in ax.texts}
        assert sorted(found, key=int) == [str(i + 1) for i in range(m)]
        for i, tile in enumerate(tiles):
            np.testing.assert_allclose(found[str(i + 1)], marks[i], atol=1e-6)
            np.testing.assert_array_equal(tile.images[0].get_array(), images[i].permute(1, 2, 0))
            assert [text.get_text() for text in tile.texts] == [str(i + 1)]
            assert tile.get_position().y1 < ax.get_position().y0
        joined = [line for line in ax.lines if line.get_linestyle() == "-" and m > 1]
        joined = [line for line in joined if len(line.get_xdata()) == m]
        assert len(joined) == (is_line and m > 1)
        for line in joined:
            np.testing.assert_allclose(line.get_xydata(), marks, atol=1e-6)
        box = ax.get_window_extent()
        assert all(box.contains(*place) for place in ax.transData.transform(marks))
        assert legend_of(figure)[3] == ("3", PALETTE[3])
        assert_nothing_is_cut_off(figure)

    def test_numbers_that_would_touch_are_dots(self):
        marks = np.linspace([-1, 0], [1, 0], 60)
        figure = plot_marked_scatter(cloud(), marks, torch.rand(60, 1, 4, 4), is_line=True)
        ax = figure.axes[0]
        numbers = [int(text.get_text()) for text in ax.texts]
        assert numbers[0] == 1
        assert numbers[-1] == 60
        assert 5 < len(numbers) < 40
        places = ax.transData.transform(marks[np.array(numbers) - 1])
        assert np.linalg.norm(np.diff(places, axis=0), axis=1).min() > 13 / 72 * figure.dpi
        (dots,) = [
            line for line in ax.lines if line.get_marker() == "o" and line.get_markersize() < 6
        ]
        assert len(dots.get_xdata()) == 60 - len(numbers)
        assert_nothing_is_cut_off(figure)

    def test_by_value_within_limits(self):
        figure = plot_marked_scatter(
            cloud(), [[0, 0]], torch.rand(1, 1, 30, 5), values=cloud()[:, 0], value_name="z0",
            limits=((-2, 2), (-2, 2)), is_map=False,
        )  # fmt: skip
        assert figure.axes[0].get_xlim() == (-2, 2)
        assert_nothing_is_cut_off(figure)

    def test_bad_input(self):
        image = torch.rand(1, 1, 4, 4)
        with pytest.raises(ConfigError, match="marks must lie within the limits"):
            plot_marked_scatter(cloud(), [[3, 0]], image, limits=((-2, 2), (-2, 2)))
        with pytest.raises(ShapeError, match=r"points must be \(1, 1 to 3\)"):
            plot_marked_scatter(cloud(), [[3, 0], [1, 1]], image)
        with pytest.raises(ShapeError, match="marks must"):
            plot_marked_scatter(cloud(), [[3, 0, 1]], image)
        with pytest.raises(DataError, match="marks must be finite"):
            plot_marked_scatter(cloud(), [[3, np.nan]], image)


class TestPairs:
    @pytest.mark.parametrize(("d", "k"), [(1, 10), (2, 0), (3, 120), (4, 2), (6, 120), (12, 10)])
    def test_every_pair_once(self, d, k):
        latents = cloud(300, d) + np.arange(d)
        labels = classes(300, k) if k else None
        figure = plot_pairs(latents, labels, [f"class {i}" for i in range(k)])
        axes = iter(figure.axes)
        for row in range(d):
            for column in range(row + 1):
                ax = next(axes)
                if row == column:
                    assert [text.get_text() for text in ax.texts] == [f"z{row}"]
                    assert len(ax.lines) == max(k, 1)
                    assert {to_hex(line.get_color()) for line in ax.lines} == set(
                        class_colors(k) or [MUTED]
                    )
                else:
                    offsets, *_ = drawn(ax)
                    assert ax.collections[0].get_rasterized()
                    np.testing.assert_allclose(
                        sorted(offsets.tolist()), sorted(latents[:, [column, row]].tolist())
                    )
                    low, high = np.array([ax.get_xlim(), ax.get_ylim()]).T
                    assert (offsets > low).all()
                    assert (offsets < high).all()
                assert ax.get_xlabel() == (f"z{column}" if row == d - 1 else "")
                assert ax.get_ylabel() == (f"z{row}" if column == 0 < row else "")
        assert next(axes, None) is None
        if k:
            entries = legend_of(figure)
            assert len(entries) == k if k < 120 else 50 < len(entries) < 120
        assert_nothing_is_cut_off(figure)
        if k and d > 1:
            legend = figure.axes[0].get_legend().get_window_extent()
            assert not any(legend.overlaps(ax.get_window_extent()) for ax in figure.axes)

    def test_chosen_neurons_of_many(self):
        latents = cloud(50, 64)
        figure = plot_pairs(latents, neurons=[40, 3])
        first, pair, second = figure.axes
        assert [ax.texts[0].get_text() for ax in (first, second)] == ["z40", "z3"]
        np.testing.assert_allclose(
            sorted(drawn(pair)[0].tolist()), sorted(latents[:, [40, 3]].tolist())
        )

    def test_many_points_are_thinned_out_and_a_dead_neuron_is_drawn(self):
        latents = cloud(MOST_POINTS + 500, 2)
        latents[:, 1] = 0
        figure = plot_pairs(latents, classes(len(latents), 10), DIGITS)
        assert len(drawn(figure.axes[1])[0]) == MOST_POINTS
        assert_nothing_is_cut_off(figure)

    def test_density_is_that_of_gaussian_kernels(self):
        stats = pytest.importorskip("scipy.stats")
        values = np.concatenate([cloud(800, 1)[:, 0], cloud(200, 1, seed=1)[:, 0] + 4])
        edges = np.linspace(-6, 9, 257)
        places = (edges[1:] + edges[:-1]) / 2
        found = _density(values, edges)
        np.testing.assert_allclose(found, stats.gaussian_kde(values)(places), atol=3e-3)
        assert found.sum() * (edges[1] - edges[0]) == pytest.approx(1, abs=1e-3)
        assert math.isfinite(_density(values[:1], edges).max())

    def test_bad_input(self):
        latents = cloud(9, 13)
        with pytest.raises(ConfigError, match="1 to 12 neurons, got 13; choose them"):
            plot_pairs(latents)
        with pytest.raises(ConfigError, match="1 to 12 neurons, got 0"):
            plot_pairs(latents, neurons=[])
        for wrong in ([0, 0], [13], [-1]):
            with pytest.raises(ConfigError, match=r"different numbers in \[0, 12\]"):
                plot_pairs(latents, neurons=wrong)
        with pytest.raises(DataError, match="latents must be finite"):
            plot_pairs(latents * np.nan, neurons=[0])
        with pytest.raises(ShapeError, match="latents must have two axes"):
            plot_pairs(latents[:0], neurons=[0])


class TestExplainedVariance:
    @pytest.mark.parametrize("n", [1, 2, 10, 64])
    def test_single_and_cumulative(self, n):
        ratios = np.sort(np.random.default_rng(0).dirichlet(np.ones(n)))[::-1]
        figure = plot_explained_variance(ratios)
        (ax,) = figure.axes
        np.testing.assert_allclose([bar.get_height() for bar in ax.patches], ratios, atol=1e-6)
        np.testing.assert_allclose(ax.lines[0].get_ydata(), ratios.cumsum(), atol=1e-6)
        names = [text.get_text() for text in ax.get_legend().get_texts()]
        assert sorted(names) == ["all up to it", "each component"]
        assert ax.get_xticklabels()[0].get_text() == "PC1"
        if n == 10:
            above = [text.get_text() for text in ax.texts if to_hex(text.get_color()) == PALETTE[1]]
            assert above == [f"{share * 100:.0f}" for share in ratios.cumsum()]
        assert_nothing_is_cut_off(figure)

    def test_title_says_how_many_are_needed(self):
        def title(ratios):
            return plot_explained_variance(ratios).axes[0].get_title("left")

        assert title([0.5, 0.3, 0.1, 0.1]) == "3 of 4 components hold 90% of the variance"
        assert title([0.4, 0.3]) == "2 of 2 components hold 70% of the variance"
        assert title([1.0]) == "1 component holds 100% of the variance"

    def test_into_given_axes(self):
        figure = new_figure(5, 3, layout="constrained")
        assert plot_explained_variance([0.6, 0.4], ax=figure.subplots()) is figure
        assert_nothing_is_cut_off(figure)

    def test_bad_input(self):
        for shape in (0, (2, 2)):
            with pytest.raises(ShapeError, match="ratios must be"):
                plot_explained_variance(np.zeros(shape))
        for wrong in ([0.8, 0.8], [-0.1, 1], [np.nan]):
            with pytest.raises(DataError, match="must be shares"):
                plot_explained_variance(wrong)


class TestLoadings:
    @pytest.mark.parametrize("d", [1, 2, 10, 64])
    def test_every_number_is_written(self, d):
        loadings = np.random.default_rng(0).uniform(-1, 1, (d, d)).astype(np.float32)
        figure = plot_loadings(loadings)
        ax = figure.axes[0]
        shown = loadings[:2] if d <= 20 else loadings[:2].T
        np.testing.assert_array_equal(ax.images[0].get_array(), shown)
        numbers = [text.get_text().replace("−", "-") for text in ax.texts]
        assert numbers == [f"{value:z.2f}" for value in shown.ravel()]
        names = [text.get_text() for text in (*ax.get_xticklabels(), *ax.get_yticklabels())]
        assert set(names) == {"PC1", "PC2"[: 3 * (d > 1)]} - {""} | {f"z{i}" for i in range(d)}
        assert_nothing_is_cut_off(figure)

    def test_bad_input(self):
        with pytest.raises(DataError, match="loadings must be finite"):
            plot_loadings([[np.nan]])
        with pytest.raises(ShapeError, match="loadings must have two axes"):
            plot_loadings([1, 2])
