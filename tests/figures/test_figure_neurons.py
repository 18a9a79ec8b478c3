from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from scipy import stats

from zscape.errors import ConfigError, DataError, ShapeError
from zscape.figures import (
    class_colors,
    plot_activation_maps,
    plot_class_neurons,
    plot_column_curves,
    plot_correlations,
    plot_jacobians,
    plot_neuron_card,
    plot_neuron_cards,
    plot_neuron_columns,
    plot_neuron_histograms,
    plot_neuron_image,
    plot_neuron_kl,
    plot_neuron_variances,
    plot_top_images,
)
from zscape.figures.neuron_parts import PALE
from zscape.figures.style import INK
from zscape.neurons import NeuronCard

LONG = tuple(f"class {k} with a name that is far too long for a margin" for k in range(20))
SIZES = [(1, 2), (2, 0), (10, 10), (64, 20)]


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def labelled(d, n_classes, n=60):
    """Activations with labels and names; none of the two for 0 classes."""
    labels = np.arange(n) % n_classes if n_classes else None
    return normal(n, d), labels, LONG[:n_classes]


def assert_readable(figure):
    """All text lies on the page, and no two tick labels of an axis touch."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    page = figure.bbox
    texts = [*figure.texts]
    for ax in figure.axes:
        texts += [ax.title, ax._left_title, ax.xaxis.label, ax.yaxis.label, *ax.texts]
        for axis, low, high in ((ax.xaxis, "x0", "x1"), (ax.yaxis, "y0", "y1")):
            inside = sorted(axis.get_view_interval())
            labels = [
                tick.label2 if tick.label2.get_visible() else tick.label1
                for tick in axis.get_major_ticks()
                if inside[0] <= tick.get_loc() <= inside[1]
            ]
            labels = [label for label in labels if label.get_text()]
            boxes = sorted(
                (label.get_window_extent(renderer) for label in labels),
                key=lambda box: getattr(box, low),
            )
            for one, other in itertools.pairwise(boxes):
                # Boxes of lines of text hold the room for descenders, which may meet.
                slack = 1 if low == "x0" else 0.35 * one.height
                assert getattr(other, low) >= getattr(one, high) - slack
            texts += labels
    for text in texts:
        if text.get_text():
            box = text.get_window_extent(renderer)
            assert page.x0 - 1 <= box.x0 <= box.x1 <= page.x1 + 1, text
            assert page.y0 - 1 <= box.y0 <= box.y1 <= page.y1 + 1, text
    assert figure.get_size_inches()[0] <= 9.1


def tick_labels(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def tiles_of(ax, shape, columns):
    """The (h, w, 3) tiles in [0, 1] that the first image of the axes is made of."""
    height, width = shape
    page = np.asarray(ax.images[0].get_array())
    zoom = max(1, math.ceil(48 / max(shape)))
    gap = round(0.05 * zoom * max(shape))
    down, across = zoom * height + gap, zoom * width + gap
    return [
        page[y : y + zoom * height : zoom, x : x + zoom * width : zoom, :3] / 255
        for y in range(0, len(page), down)
        for x in range(0, columns * across, across)
        if page[y, x, 3]
    ]


def painted(values, limit):
    return colormaps["RdBu_r"]((values / limit).clip(-1, 1) / 2 + 0.5)[..., :3]


class TestNeuronImage:
    def test_rows_are_the_chosen_samples_in_bands(self):
        values, labels, _ = labelled(10, 3)
        figure = plot_neuron_image(values, labels, "abc", classes=["c", "a"], n_per_class=7)
        ax, bar = figure.axes
        shown = np.asarray(ax.images[0].get_array())
        assert np.array_equal(shown, np.concatenate([values[labels == 2][:7],
                                                     values[labels == 0][:7]]))  # fmt: skip
        assert tick_labels(ax.yaxis) == ["c", "a"]
        assert ax.get_yticks().tolist() == [3, 10]
        assert tick_labels(ax.xaxis) == [f"z{i}" for i in range(10)]
        low, high = ax.images[0].get_clim()
        assert low == -high
        assert bar.get_ylim() == pytest.approx((low, high))

    @pytest.mark.parametrize(("d", "n_classes"), SIZES)
    def test_sizes(self, d, n_classes):
        assert_readable(plot_neuron_image(*labelled(d, n_classes)))


class TestHistograms:
    def test_are_those_of_numpy(self):
        values, labels, _ = labelled(3, 2)
        figure = plot_neuron_histograms(values, labels, ["a", "b"], n_bins=8)
        assert [ax.get_title() for ax in figure.axes] == ["z0", "z1", "z2"]
        ax = figure.axes[1]
        assert tick_labels(figure.axes[0].yaxis) == ["a", "b"]
        first, second = (patch.get_data() for patch in ax.patches)
        edges = first.edges
        assert edges[0] == -edges[-1]
        counts = [np.histogram(values[labels == k, 1].clip(edges[0], edges[-1]), edges)[0]
                  for k in (0, 1)]  # fmt: skip
        scale = 0.95 / max(count.max() for count in counts)
        assert first.values == pytest.approx(counts[0] * scale + 1)
        assert first.baseline == 1
        assert second.values == pytest.approx(counts[1] * scale)

    def test_a_class_keeps_its_colour(self):
        values, labels, _ = labelled(2, 3)
        figure = plot_neuron_histograms(values, labels, "abc", classes=["c"])
        (patch,) = figure.axes[0].patches
        assert to_hex(patch.get_facecolor()) == class_colors(3)[2]

    @pytest.mark.parametrize(("d", "n_classes"), [(1, 20), (2, 0), (10, 10), (64, 2)])
    def test_sizes(self, d, n_classes):
        figure = plot_neuron_histograms(*labelled(d, n_classes))
        assert len(figure.axes) == d
        assert_readable(figure)


@pytest.mark.parametrize("plot", [plot_neuron_image, plot_neuron_histograms])
@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"classes": ["x"]}, ConfigError, "among a, b; got x"),
        ({"classes": []}, ConfigError, "among a, b"),
        ({"classes": ["a"], "labels": None}, DataError, "needs labels"),
        ({"classes": ["b"], "labels": [0, 0, 0]}, DataError, "no sample of class b"),
        ({"labels": [0, 1]}, ShapeError, "as many labels"),
        ({"labels": [0, 1, 2]}, DataError, r"\[0, 1\]"),
        ({"activations": np.zeros(3)}, ShapeError, "two axes"),
        ({"activations": np.full((3, 1), np.nan)}, DataError, "finite"),
    ],
)
def test_bad_samples(plot, changes, error, says):
    options = {"activations": np.zeros((3, 1)), "labels": [0, 1, 0], "class_names": ["a", "b"]}
    with pytest.raises(error, match=says):
        plot(**{**options, **changes})


class TestClassNeurons:
    def test_values_and_numbers(self):
        values = np.array([[0.5, -1.25, np.nan], [0, 0.004, 1]])
        figure = plot_class_neurons(values, ["a", "b"], units=[3, 5, 8], label="d′")
        ax, bar = figure.axes
        np.testing.assert_allclose(ax.images[0].get_array().filled(np.nan), values, rtol=1e-6)
        assert ax.images[0].get_clim() == (-1.25, 1.25)
        assert [t.get_text() for t in ax.texts] == ["0.50", "−1.25", "0.00", "0.00", "1.00"]
        assert tick_labels(ax.xaxis) == ["3", "5", "8"]
        assert bar.get_ylabel() == "d′"

    def test_numbers_are_left_out_where_they_do_not_fit(self):
        assert not plot_class_neurons(normal(10, 64), LONG[:10]).axes[0].texts

    @pytest.mark.parametrize(("d", "n_classes"), [(1, 2), (2, 20), (10, 10), (64, 20), (512, 10)])
    def test_sizes(self, d, n_classes):
        assert_readable(plot_class_neurons(normal(n_classes, d), LONG[:n_classes]))

    def test_all_zero(self):
        assert plot_class_neurons(np.zeros((2, 2)), "ab").axes[0].images[0].get_clim() == (-1, 1)

    def test_bad_shapes(self):
        with pytest.raises(ShapeError, match="as many rows"):
            plot_class_neurons(np.zeros((2, 2)), "abc")
        with pytest.raises(ShapeError, match="as many units"):
            plot_class_neurons(np.zeros((2, 2)), "ab", units=[1])


class TestColumns:
    def effects(self, n, d):
        names = [f"z{i}" for i in range(d)]
        return pd.DataFrame(np.tanh(normal(n, d)), [f"{LONG[i]} {i}" for i in range(n)], names)

    def test_what_is_within_chance_is_pale(self):
        effects = self.effects(2, 2) * 0.5
        figure = plot_neuron_columns(effects, q=[[0.001, 0.2], [0.05, np.nan]])
        colors = [text.get_color() for text in figure.axes[0].texts]
        assert colors == [INK, PALE, PALE, INK]
        assert figure.axes[0].images[0].get_clim() == (-1, 1)

    @pytest.mark.parametrize(("n", "d"), [(1, 1), (3, 10), (20, 64)])
    def test_sizes(self, n, d):
        assert_readable(plot_neuron_columns(self.effects(n, d)))

    def test_bad_effects(self):
        with pytest.raises(DataError, match=r"\[-1, 1\]"):
            plot_neuron_columns(2 + self.effects(2, 2))
        with pytest.raises(ShapeError, match="one shape"):
            plot_neuron_columns(self.effects(2, 2), q=np.zeros((2, 3)))


class TestCurves:
    def test_bins_means_and_bands_are_those_of_the_images(self):
        values = np.repeat([1.0, 2.0, 4.0], [30, 50, 40])
        activations = normal(120, 2) + values[:, None]
        values[:10] = np.nan
        ax = plot_column_curves(activations, values, name="dose").axes[1]
        (_, line), own = ax.lines, activations[values == 2, 1].astype(np.float64)
        assert line.get_xdata().tolist() == [1, 2, 4]
        assert line.get_ydata()[1] == pytest.approx(own.mean(), rel=1e-5)
        half = stats.t.interval(0.95, 49, own.mean(), stats.sem(own))
        pale, dark = (
            np.unique(path.vertices[path.vertices[:, 0] == 2, 1])
            for collection in ax.collections for path in collection.get_paths()
        )  # fmt: skip
        assert dark == pytest.approx(half, rel=1e-4)
        assert pale == pytest.approx(np.quantile(own, [0.25, 0.75]), rel=1e-4)

    def test_many_values_are_dealt_into_even_bins(self):
        values = normal(4000)
        line = plot_column_curves(values[:, None], values, name="x").axes[0].lines[1]
        assert len(line.get_xdata()) == 12
        assert line.get_ydata() == pytest.approx(line.get_xdata(), abs=1e-4)

    @pytest.mark.parametrize("is_date", [False, True])
    @pytest.mark.parametrize("d", [1, 6, 32])
    def test_sizes(self, d, is_date):
        values = 1.7e9 + 1e6 * np.arange(90.0)
        figure = plot_column_curves(normal(90, d), values, name=LONG[0], is_date=is_date)
        assert_readable(figure)

    def test_bad_values(self):
        with pytest.raises(ShapeError, match="4 rows"):
            plot_column_curves(normal(4, 2), np.arange(3))
        with pytest.raises(ShapeError, match="2 neurons"):
            plot_column_curves(normal(4, 2), np.arange(4), titles=["z0"])
        with pytest.raises(DataError, match="two different"):
            plot_column_curves(normal(4, 2), [1, 1, 1, np.nan])


class TestCorrelations:
    @pytest.mark.parametrize("d", [1, 2, 10, 64])
    def test_scale_is_one(self, d):
        matrix = np.eye(d)
        figure = plot_correlations(matrix)
        image = figure.axes[0].images[0]
        assert np.array_equal(image.get_array(), matrix)
        assert image.get_clim() == (-1, 1)
        assert_readable(figure)

    def test_bad_matrices(self):
        with pytest.raises(ShapeError, match="square"):
            plot_correlations(np.zeros((2, 3)))
        with pytest.raises(DataError, match=r"\[-1, 1\]"):
            plot_correlations([[2.0]])


class TestKl:
    def test_bars_and_words(self):
        figure = plot_neuron_kl([1.5, 0.001, 0.2])
        (ax,) = figure.axes
        assert [bar.get_height() for bar in ax.patches] == pytest.approx([1.5, 0.001, 0.2])
        assert [t.get_text() for t in ax.texts] == ["1.50", "dead", "0.20"]
        assert ax.get_title(loc="left").startswith("2 of 3 used")

    @pytest.mark.parametrize("d", [1, 2, 10, 64, 300])
    def test_sizes(self, d):
        assert_readable(plot_neuron_kl(np.arange(d) / d))
        assert_readable(plot_neuron_kl(np.zeros(d)))

    def test_bad_values(self):
        with pytest.raises(ShapeError, match="latent_dim"):
            plot_neuron_kl(np.zeros((2, 2)))
        for value in (-1, math.nan):
            with pytest.raises(DataError, match="at least 0"):
                plot_neuron_kl([value])


class TestJacobians:
    def test_a_tile_per_class_and_neuron_on_one_scale(self):
        values = normal(3, 2, 1, 6, 5)
        figure = plot_jacobians(values, "abc", neurons=[4, 7])
        ax, bar = figure.axes
        _, limit = bar.get_ylim()
        tiles = tiles_of(ax, (6, 5), 2)
        for tile, value in zip(tiles, values.reshape(-1, 6, 5), strict=True):
            np.testing.assert_allclose(tile, painted(value, limit), atol=0.5 / 255)
        assert tick_labels(ax.yaxis) == ["a", "b", "c"]
        assert tick_labels(ax.xaxis) == ["z4", "z7"]
        assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first row is on top

    def test_three_channels_are_grey_and_a_colour(self):
        values = np.zeros((1, 1, 3, 4, 4), np.float32)
        values[0, 0, 0] = 2  # red rises
        (ax,) = (figure := plot_jacobians(values, ["a"])).axes
        (tile,) = tiles_of(ax, (4, 4), 1)
        np.testing.assert_allclose(tile, np.broadcast_to([1, 0.5, 0.5], (4, 4, 3)), atol=0.003)
        assert "grey" in figure.texts[0].get_text()

    @pytest.mark.parametrize(("d", "m", "c"), [(1, 1, 3), (2, 2, 1), (10, 10, 1), (64, 20, 1)])
    def test_sizes(self, d, m, c):
        figure = plot_jacobians(normal(m, d, c, 8, 8), LONG[:m])
        shown = [name for ax in figure.axes for name in tick_labels(ax.xaxis)]
        assert [name for name in shown if name] == [f"z{i}" for i in range(d)]
        assert_readable(figure)

    def test_bad_input(self):
        with pytest.raises(ShapeError, match="channels, height"):
            plot_jacobians(np.zeros((2, 1, 4, 4)), "ab")
        with pytest.raises(ShapeError, match="2 row names"):
            plot_jacobians(np.zeros((2, 1, 1, 4, 4)), "a")
        with pytest.raises(DataError, match="finite"):
            plot_jacobians(np.full((1, 1, 1, 4, 4), np.inf), "a")


class TestActivationMaps:
    @pytest.mark.parametrize("shape", [(1, 28, 28), (32, 14, 14), (128, 4, 4), (300, 1, 1)])
    def test_every_channel_in_order(self, shape):
        maps = normal(*shape)
        figure = plot_activation_maps(maps, torch.rand(3, 16, 16), title="encoder.0.0")
        _, ax, bar = figure.axes
        limit = bar.get_ylim()[1]
        columns = round(ax.get_xlim()[1])
        tiles = tiles_of(ax, shape[1:], columns)
        assert len(tiles) == shape[0]
        for tile, value in zip(tiles, maps, strict=True):
            np.testing.assert_allclose(tile, painted(value, limit), atol=0.5 / 255)
        firsts = [str(row * columns) for row in range(math.ceil(shape[0] / columns))]
        assert tick_labels(ax.yaxis) == firsts
        assert_readable(figure)

    def test_bad_input(self):
        with pytest.raises(ShapeError, match="maps must be"):
            plot_activation_maps(np.zeros((2, 2)), np.zeros((1, 4, 4)))
        with pytest.raises(ShapeError, match="image must be"):
            plot_activation_maps(np.zeros((2, 2, 2)), np.zeros((4, 4)))


class TestTopImages:
    @pytest.mark.parametrize(("n", "k", "c"), [(1, 1, 1), (3, 10, 3), (2, 25, 1)])
    def test_pictures_under_their_values(self, n, k, c):
        pictures, values = torch.rand(n, k, c, 8, 8), normal(n, k)
        figure = plot_top_images(pictures, values, [f"unit {i}" for i in range(n)])
        assert len(figure.axes) == n * k
        last = np.asarray(figure.axes[-1].images[0].get_array())
        expected = pictures[-1, -1, 0] if c == 1 else pictures[-1, -1].permute(1, 2, 0)
        np.testing.assert_allclose(last, expected, atol=1e-6)
        assert figure.axes[-1].get_title() == f"{values[-1, -1]:.2f}".replace("-", "−")
        assert figure.axes[0].get_ylabel() == "unit 0"
        assert_readable(figure)

    def test_bad_shapes(self):
        with pytest.raises(ShapeError, match="values"):
            plot_top_images(torch.zeros(1, 2, 1, 4, 4), np.zeros((1, 3)), ["a"])
        with pytest.raises(ShapeError, match="as many names"):
            plot_top_images(torch.zeros(1, 2, 1, 4, 4), np.zeros((1, 2)), [])


def card(name="z3", shape=(1, 12, 12), n_classes=10, n=200, seed=0, **changes):
    labels = np.arange(n) % n_classes if n_classes else None
    options = {
        "name": name, "kl": 1.234, "is_used": True, "activations": normal(n, seed=seed),
        "steps": np.linspace(-3, 3, 7), "traversal": torch.rand(7, *shape),
        "jacobian": torch.from_numpy(normal(*shape, seed=seed)),
        "lowest": torch.rand(4, *shape), "highest": torch.rand(4, *shape),
        "labels": labels, "class_names": LONG[:n_classes],
    }  # fmt: skip
    if n_classes:
        options |= {"mutual_information": 0.456, "best_class": LONG[1], "best_d_prime": -2.34}
    return NeuronCard(**{**options, **changes})


class TestCards:
    def test_says_and_shows_everything(self):
        one = card()
        figure = plot_neuron_card(one)
        histogram, traversal, lowest, highest, effect = figure.axes
        assert len(histogram.patches) == 10
        for ax, pictures in ((traversal, one.traversal), (lowest, one.lowest),
                             (highest, one.highest)):  # fmt: skip
            tiles = tiles_of(ax, (12, 12), len(pictures))
            for tile, picture in zip(tiles, pictures, strict=True):
                np.testing.assert_allclose(tile[..., 0], picture[0], atol=0.5 / 255)
        assert tick_labels(traversal.xaxis) == ["−3", "−2", "−1", "0", "1", "2", "3"]
        jacobian = one.jacobian[0].numpy()
        (tile,) = tiles_of(effect, (12, 12), 1)
        np.testing.assert_allclose(tile, painted(jacobian, abs(jacobian).max()), atol=0.5 / 255)
        words = " ".join(text.get_text() for text in figure.texts)
        for fact in ("z3", "used: KL 1.23 nats", "0.46 nats of the class", "d′ −2.3"):
            assert fact in words
        assert lowest.get_position().x1 < highest.get_position().x0
        assert_readable(figure)

    def test_a_dead_neuron_is_blank_and_a_spike(self):
        jacobian = torch.full((1, 12, 12), 1e-4)
        figure = plot_neuron_card(
            card(is_used=False, kl=0.001, jacobian=jacobian, activations=1e-4 * normal(200))
        )
        (tile,) = tiles_of(figure.axes[4], (12, 12), 1)
        np.testing.assert_allclose(tile, painted(np.zeros((12, 12)), 1), atol=0.02)
        assert figure.axes[0].get_xlim() == (-1, 1)
        words = " ".join(text.get_text() for text in figure.texts)
        assert "dead: KL 0.00" in words
        assert "best" not in words

    def test_a_page_shares_its_scales(self):
        weak = card("z1", jacobian=torch.full((1, 12, 12), 0.5))
        strong = card("z2", jacobian=torch.full((1, 12, 12), 1.0), activations=3 * normal(200))
        figure = plot_neuron_cards([weak, strong])
        assert figure.axes[0].get_xlim() == figure.axes[5].get_xlim()
        (tile,) = tiles_of(figure.axes[4], (12, 12), 1)
        np.testing.assert_allclose(tile[0, 0], painted(np.array([0.5]), 1)[0], atol=0.003)

    @pytest.mark.parametrize(
        ("n", "shape", "n_classes"),
        [(1, (3, 16, 16), 0), (2, (1, 8, 8), 2), (2, (3, 8, 16), 20), (3, (1, 16, 8), 10)],
    )
    def test_sizes(self, n, shape, n_classes):
        cards = [card(f"z{i}", shape, n_classes, seed=i) for i in range(n)]
        assert_readable(plot_neuron_cards(cards))

    def test_the_column_it_goes_with(self):
        shown = card(best_column="area", best_measure="ρ", best_effect=-0.91)
        words = " ".join(text.get_text() for text in plot_neuron_card(shown).texts)
        assert "goes with area (ρ −0.91)" in words
        long = card(best_column=LONG[0], best_class=LONG[1], best_measure="ρ", best_effect=-0.91)
        assert_readable(plot_neuron_card(long))

    def test_none_and_too_many(self):
        with pytest.raises(ConfigError, match="no card"):
            plot_neuron_cards([])
        with pytest.raises(ConfigError, match="draw fewer"):
            plot_neuron_cards([card(n=20)] * 200)

    def test_bad_pictures(self):
        with pytest.raises(DataError, match=r"traversal must lie in \[0, 1\]"):
            plot_neuron_card(card(traversal=torch.full((7, 1, 12, 12), 2.0)))


class TestVariances:
    def test_bars_are_stacked_beside_the_prior(self):
        figure = plot_neuron_variances([0.9, 0.0], [0.1, 0.5])
        (ax,) = figure.axes
        bars = [(bar.get_y(), bar.get_height()) for bar in ax.patches]
        assert np.ravel(bars) == pytest.approx([0, 0.9, 0, 0, 0.9, 0.1, 0, 0.5])
        assert list(ax.lines[0].get_ydata()) == [1, 1]
        assert ax.get_ylim()[1] > 1

    @pytest.mark.parametrize("d", [1, 2, 10, 64, 300])
    def test_sizes(self, d):
        assert_readable(plot_neuron_variances(np.arange(d) / d, np.full(d, 40.0)))

    def test_bad_values(self):
        with pytest.raises(ShapeError, match="latent_dim"):
            plot_neuron_variances([1, 2], [1])
        for value in (-1, math.nan):
            with pytest.raises(DataError, match="at least 0"):
                plot_neuron_variances([1], [value])
