from itertools import pairwise

import numpy as np
import pytest
import torch
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg

from zscape.errors import DataError, ShapeError
from zscape.figures import (
    new_figure,
    plot_manifold,
    plot_progression,
    plot_prototypes,
    plot_strip,
)

SHAPES = [(1, 28, 28), (3, 3, 90), (1, 90, 3)]


def random(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def shown(ax):
    """What the axes show, as (c, h, w)."""
    (image,) = ax.images
    array = np.asarray(image.get_array())
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


def labels(axis):
    return [text.get_text() for text in axis.get_ticklabels() if text.get_text()]


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
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            boxes = [t.get_window_extent(renderer) for t in axis.get_ticklabels() if t.get_text()]
            for one, other in pairwise(boxes):
                assert not one.padded(-1).overlaps(other.padded(-1))


class TestPrototypes:
    @pytest.mark.parametrize(
        ("n", "d", "shape"),
        [
            (10, 10, (1, 28, 28)),
            (2, 1, (3, 3, 90)),
            (1, 2, (3, 90, 3)),
            (3, 3, (1, 1, 1)),
            (26, 64, (3, 16, 24)),
        ],
    )
    def test_a_line_per_class(self, n, d, shape):
        vectors = np.random.default_rng(0).normal(size=(n, d)).astype(np.float32)
        images = random(n, *shape)
        names = [f"class {i} {'w' * i}" for i in range(n)]
        figure = plot_prototypes(vectors, images, names)
        *tiles, heatmap, _ = figure.axes
        assert len(tiles) == n
        for i, ax in enumerate(tiles):
            np.testing.assert_array_equal(shown(ax), images[i])
            assert names[i].startswith(ax.get_ylabel().rstrip("…"))
            # The middle of the picture is the middle of its line of the heatmap.
            middle = ax.transAxes.transform((0, 0.5))[1]
            assert heatmap.transData.inverted().transform((0, middle))[1] == pytest.approx(
                i, abs=0.02
            )
            assert ax.get_position().x1 < heatmap.get_position().x0
        np.testing.assert_array_equal(heatmap.images[0].get_array(), vectors)
        low, high = heatmap.images[0].get_clim()
        assert -low == high == pytest.approx(np.abs(vectors).max())
        assert heatmap.images[0].get_cmap() == colormaps["RdBu_r"]
        assert set(labels(heatmap.xaxis)) <= {f"z{i}" for i in range(d)}
        numbers = [text.get_text().replace("−", "-") for text in heatmap.texts]
        assert numbers == ([] if d == 64 else [f"{value:z.2f}" for value in vectors.ravel()])
        assert_nothing_is_cut_off(figure)

    def test_bad_input(self):
        with pytest.raises(ShapeError, match="must be as many; got 3, 2 and 3"):
            plot_prototypes(np.zeros((3, 4)), random(2, 1, 4, 4), "abc")
        with pytest.raises(ShapeError, match="vectors must have two axes"):
            plot_prototypes(np.zeros((0, 4)), random(1, 1, 4, 4), "a")
        with pytest.raises(DataError, match="vectors must be finite"):
            plot_prototypes([[np.nan]], random(1, 1, 4, 4), "a")


class TestProgression:
    @pytest.mark.parametrize(
        ("n", "d", "shape"),
        [
            (10, 10, (1, 28, 28)),
            (1, 1, (1, 1, 1)),
            (3, 2, (1, 90, 3)),
            (3, 12, (1, 90, 3)),
            (40, 2, (3, 3, 90)),
            (7, 64, (3, 16, 24)),
        ],
    )
    def test_names_and_size(self, n, d, shape):
        figure = plot_progression(random(n, d, *shape), np.linspace(-4.5, 4.5, n))
        names = [name for ax in figure.axes for name in labels(ax.xaxis)]
        assert names[0] == "z0"
        if shape[2] > 3:
            assert names == [f"z{i}" for i in range(d)]
        assert_nothing_is_cut_off(figure)

    def test_values_go_down_and_neurons_across(self):
        images = np.broadcast_to(
            np.linspace(0, 1, 6).reshape(3, 2, 1, 1, 1), (3, 2, 1, 4, 4)
        )  # every tile its own grey
        figure = plot_progression(images, [-1.5, 0, 1e-17], neurons=[7, 3])
        (ax,) = figure.axes
        assert labels(ax.xaxis) == ["z7", "z3"]
        assert labels(ax.yaxis) == ["−1.5", "0", "0"]
        page = np.asarray(ax.images[0].get_array())
        height, width = page.shape[0] // 3, page.shape[1] // 2
        found = [[page[r * height, c * width, 0] for c in range(2)] for r in range(3)]
        np.testing.assert_allclose(found, images[..., 0, 0, 0] * 255, atol=1)
        left, right, bottom, top = ax.images[0].get_extent()
        assert (left, right, bottom, top) == (0, 2, 3, 0)
        assert list(ax.get_yticks()) == [0.5, 1.5, 2.5]

    def test_bad_input(self):
        with pytest.raises(ShapeError, match=r"images must be \(n_values, n_neurons"):
            plot_progression(random(3, 1, 4, 4), [0, 1, 2])
        with pytest.raises(ShapeError, match=r"values must be \(3,\).*got \(2,\)"):
            plot_progression(random(3, 2, 1, 4, 4), [0, 1])
        with pytest.raises(ShapeError, match="2 columns of images need as many neurons; got 1"):
            plot_progression(random(3, 2, 1, 4, 4), [0, 1, 2], neurons=[4])
        with pytest.raises(DataError, match="values must be finite"):
            plot_progression(random(1, 2, 1, 4, 4), [np.inf])
        with pytest.raises(DataError, match=r"images must lie in \[0, 1\]"):
            plot_progression(random(1, 2, 1, 4, 4) * np.nan, [1])
        with pytest.raises(ShapeError, match="images must be"):
            plot_progression(random(0, 2, 1, 4, 4), [])


class TestManifold:
    @pytest.mark.parametrize("shape", [(1, 5, 5), (3, 5, 7)])
    def test_a_value_is_at_the_centre_of_its_tiles_and_y_grows_upwards(self, shape):
        x, y = np.linspace(-3, 3, 20), np.linspace(-2, 2, 9)
        images = random(9, 20, *shape)
        (ax,) = plot_manifold(images, x, y[::-1], neurons=(2, 5)).axes
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("z2", "z5")
        low, high = ax.get_ylim()
        assert low < high
        sheet = shown(ax)
        height, width = sheet.shape[1:]
        left, right, bottom, top = ax.images[0].get_extent()
        assert ax.images[0].origin == "upper"
        for row, column in ((0, 0), (8, 0), (3, 17)):
            # The pixel drawn at (x, y), which of row 0 is the largest.
            i = int((top - y[8 - row]) / (top - bottom) * height)
            j = int((x[column] - left) / (right - left) * width)
            h, w = shape[1:]
            assert (i, j) == (row * h + h // 2, column * w + w // 2)
            np.testing.assert_array_equal(
                sheet[:, row * h : (row + 1) * h, column * w : (column + 1) * w],
                images[row, column],
            )
        box = ax.get_window_extent()
        assert box.width / box.height == pytest.approx(width / height, rel=1e-3)
        assert labels(ax.yaxis) == ["−2", "−1.5", "−1", "−0.5", "0", "0.5", "1", "1.5", "2"]
        assert set(ax.get_xticks()) >= {-3, -2, -1, 0, 1, 2, 3}

    def test_uneven_values_are_named_at_their_tiles(self):
        values = [-1.64, -0.5, 0, 0.5, 1.64]
        (ax,) = plot_manifold(random(5, 5, 1, 4, 4), values, values).axes
        assert list(ax.get_xticks()) == [0, 1, 2, 3, 4]
        assert labels(ax.xaxis) == ["−1.64", "−0.5", "0", "0.5", "1.64"]
        assert ax.get_xlim() == (-0.5, 4.5)

    @pytest.mark.parametrize("shape", SHAPES)
    @pytest.mark.parametrize(
        ("rows", "columns", "bend"), [(20, 20, 1), (1, 1, 1), (1, 30, 3), (30, 1, 1), (2, 3, 3)]
    )
    def test_any_size(self, rows, columns, shape, bend):
        x, y = np.linspace(-3, 3, columns) ** bend, np.linspace(-1, 4, rows) ** bend
        figure = plot_manifold(random(rows, columns, *shape), x, y, neurons=(63, 10))
        assert_nothing_is_cut_off(figure)
        assert figure.get_size_inches()[1] < 10

    def test_into_given_axes(self):
        figure = new_figure(6, 3, layout="constrained")
        ax, other = figure.subplots(1, 2)
        assert plot_manifold(random(3, 3, 1, 4, 4), [0, 1, 2], [0, 1, 2], ax=ax) is figure
        assert not other.images
        assert_nothing_is_cut_off(figure)
        box = ax.get_window_extent()
        assert box.width == pytest.approx(box.height)

    def test_bad_input(self):
        images = random(3, 2, 1, 4, 4)
        with pytest.raises(ShapeError, match=r"x_values must be \(2,\)"):
            plot_manifold(images, [0, 1, 2], [0, 1, 2])
        with pytest.raises(ShapeError, match="two neurons; got 3"):
            plot_manifold(images, [0, 1], [0, 1, 2], neurons=(1, 2, 3))
        with pytest.raises(DataError, match="y_values must be finite"):
            plot_manifold(images, [0, 1], [0, 1, np.nan])
        with pytest.raises(ShapeError, match=r"images must be \(n_rows, n_columns"):
            plot_manifold(images[0], [0, 1], [0, 1, 2])


class TestStrip:
    @pytest.mark.parametrize("shape", SHAPES)
    @pytest.mark.parametrize(("n", "k", "scale"), [(1, 1, 1), (2, 2, 60), (23, 3, 1), (43, 2, 60)])
    def test_pictures_under_their_coordinates(self, n, k, shape, scale):
        images = random(n, *shape)
        points = np.random.default_rng(0).normal(size=(n, k)) * scale
        figure = plot_strip(images, points, is_numbered=True)
        assert len(figure.axes) == n
        digits = 1 if np.abs(points).max() >= 20 else 2
        for i, ax in enumerate(figure.axes):
            np.testing.assert_array_equal(shown(ax), images[i])
            numbers = ax.get_title().strip("()").replace("−", "-").split(", ")
            assert numbers == [f"{value:z.{digits}f}" for value in points[i].astype(np.float32)]
            assert [text.get_text() for text in ax.texts] == [str(i + 1)]
        assert_nothing_is_cut_off(figure)

    def test_titles_and_pictures_never_touch(self):
        figure = plot_strip(random(30, 1, 20, 3), np.full((30, 2), -11.11), is_numbered=True)
        renderer = FigureCanvasAgg(figure).get_renderer()
        figure.draw(renderer)
        boxes = [ax.get_tightbbox(renderer) for ax in figure.axes]
        for i, one in enumerate(boxes):
            assert not any(one.padded(-1).overlaps(other.padded(-1)) for other in boxes[i + 1 :])

    def test_plain(self):
        figure = plot_strip(random(3, 1, 4, 4))
        assert [ax.get_title() for ax in figure.axes] == [""] * 3
        assert not any(ax.texts for ax in figure.axes)
        assert_nothing_is_cut_off(figure)

    @pytest.mark.parametrize("points", [np.zeros((2, 2)), np.zeros((3, 4)), np.zeros(3)])
    def test_bad_points(self, points):
        with pytest.raises(ShapeError, match="points must"):
            plot_strip(random(3, 1, 4, 4), points)

    def test_bad_values(self):
        with pytest.raises(DataError, match="points must be finite"):
            plot_strip(random(1, 1, 4, 4), [[np.nan, 0]])
