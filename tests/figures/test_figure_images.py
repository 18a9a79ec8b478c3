import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg

from zscape.data.imageset import ImageSet
from zscape.errors import ConfigError, DataError, ShapeError
from zscape.figures import (
    binarize_image,
    is_nearly_binary,
    plot_random_samples,
    plot_reconstructions,
    plot_samples,
)

DIGITS = tuple("0123456789")


def image_set(n=300, shape=(1, 28, 28), class_names=DIGITS):
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (n, *shape), generator=generator, dtype=torch.uint8)
    if not class_names:
        return ImageSet(images)
    labels = torch.randint(0, len(class_names), (n,), generator=generator)
    return ImageSet(images, labels, class_names)


def pictures(n, shape=(1, 28, 28), seed=0):
    return torch.rand(n, *shape, generator=torch.Generator().manual_seed(seed))


def shown(ax):
    """What the axes show, as (c, h, w)."""
    (image,) = ax.images
    array = np.asarray(image.get_array())
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


def assert_nothing_is_cut_off_or_overlaps(figure):
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    texts = [*figure.texts]
    for ax in figure.axes:
        texts += [ax.title, ax.yaxis.label]
    boxes = [t.get_window_extent(renderer) for t in texts if t.get_text()]
    tiles = [ax.get_window_extent(renderer) for ax in figure.axes]
    page = figure.bbox
    for box in boxes + tiles:
        assert box.x0 >= page.x0 - 1
        assert box.y0 >= page.y0 - 1
        assert box.x1 <= page.x1 + 1
        assert box.y1 <= page.y1 + 1
    every = np.array([box.extents for box in boxes + tiles])
    low, high = every[:, None, :2], every[:, None, 2:]
    shared = np.minimum(high, high.swapaxes(0, 1)) - np.maximum(low, low.swapaxes(0, 1))
    overlap = (shared > 1).all(-1) & ~np.eye(len(every), dtype=bool)  # a pixel of rounding
    assert not overlap.any()


class TestBinarizeImage:
    def test_threshold_is_exclusive_and_the_kind_of_array_is_kept(self):
        values = [0.0, 0.5, 0.51, 1.0]
        assert binarize_image(np.array(values)).tolist() == [0, 0, 1, 1]
        tensor = binarize_image(torch.tensor(values), 0.7)
        assert tensor.tolist() == [0, 0, 0, 1]
        assert tensor.dtype == torch.float32

    @pytest.mark.parametrize("threshold", [0, 1, -0.5, float("nan")])
    def test_threshold_outside_the_open_interval(self, threshold):
        with pytest.raises(ConfigError, match="threshold must lie"):
            binarize_image(np.zeros(3), threshold)


class TestSamples:
    @pytest.mark.parametrize("n", [1, 5, 6, 11, 20, 61])
    def test_shows_n_different_pictures_of_the_set_under_their_classes(self, n):
        images = image_set()
        known = {image.tobytes(): i for i, image in enumerate(images.images.numpy())}
        figure = plot_samples(images, n)
        found = [known[np.rint(shown(ax) * 255).astype(np.uint8).tobytes()] for ax in figure.axes]
        assert len(set(found)) == n
        assert [ax.get_title() for ax in figure.axes] == [
            DIGITS[images.labels[index]] for index in found
        ]
        assert_nothing_is_cut_off_or_overlaps(figure)

    def test_two_hundred(self):
        figure = plot_samples(image_set(shape=(1, 4, 4)), 200)
        assert len(figure.axes) == 200
        assert_nothing_is_cut_off_or_overlaps(figure)

    @pytest.mark.parametrize("shape", [(3, 64, 64), (3, 5, 200), (1, 200, 5), (1, 1, 1)])
    def test_any_size_with_long_class_names(self, shape):
        names = ("a_very_long_class_name_for_a_square", r"$5 \frac{x} $", "W" * 30)
        figure = plot_samples(image_set(13, shape, names), 13)
        height, width = shape[1:]
        for ax in figure.axes:
            box = ax.get_window_extent()
            assert box.width / box.height == pytest.approx(width / height, rel=0.01)
        if height <= width != 1:
            assert_nothing_is_cut_off_or_overlaps(figure)
        assert figure.get_size_inches()[0] <= 9.1

    def test_without_labels_there_are_no_titles(self):
        figure = plot_samples(image_set(class_names=()), 4)
        assert [ax.get_title() for ax in figure.axes] == [""] * 4

    def test_seed_decides(self):
        images = image_set()
        first, again, other, new = (
            [shown(ax).tobytes() for ax in plot_samples(images, 6, seed=seed).axes]
            for seed in (3, 3, 4, None)
        )
        assert first == again
        assert first != other
        assert first != new

    def test_a_small_set_is_shown_whole(self):
        assert len(plot_samples(image_set(3)).axes) == 3

    def test_none_at_all_is_refused(self):
        with pytest.raises(ConfigError, match="n must be at least 1; got 0"):
            plot_samples(image_set(), 0)


class TestReconstructions:
    @pytest.mark.parametrize(
        ("n", "shape"), [(1, (1, 28, 28)), (10, (1, 28, 28)), (23, (3, 16, 16)), (4, (1, 8, 64))]
    )
    def test_four_rows_per_picture(self, n, shape):
        before, after = pictures(n, shape), pictures(n, shape, seed=1)
        titles = [f"class {i}" for i in range(n)]
        figure = plot_reconstructions(before, after.numpy(), titles, threshold=0.3, binarized=True)
        assert len(figure.axes) == 4 * n
        for i in range(n):
            expected = (before[i], before[i] > 0.3, after[i], after[i] > 0.3)
            axes = figure.axes[4 * i : 4 * i + 4]
            for ax, picture in zip(axes, expected, strict=True):
                np.testing.assert_array_equal(shown(ax), picture.float())
            assert [ax.get_title().replace("\n", " ") for ax in axes] == [titles[i], "", "", ""]
            tops = [ax.get_position().y1 for ax in axes]
            assert tops == sorted(tops, reverse=True)
            assert len({round(ax.get_position().x0, 9) for ax in axes}) == 1
        assert_nothing_is_cut_off_or_overlaps(figure)

    def test_rows_are_named_at_the_left(self):
        figure = plot_reconstructions(pictures(3), pictures(3), binarized=True)
        assert [ax.get_ylabel() for ax in figure.axes[:4]] == [
            "original",
            "binarised\nat 0.5",
            "reconstruction",
            "binarised\nat 0.5",
        ]
        assert not any(ax.get_ylabel() for ax in figure.axes[4:])

    def test_ten_digits_are_one_band(self):
        figure = plot_reconstructions(pictures(10), pictures(10), binarized=True)
        assert len({round(ax.get_position().y0, 9) for ax in figure.axes}) == 4

    def test_a_threshold_is_shown_where_pixels_are_nearly_black_and_white(self):
        soft = (pictures(3) * 9 - 4).clamp(0, 1)  # a ninth of the pixels lie between
        assert is_nearly_binary(soft)
        assert is_nearly_binary(torch.zeros(2, 1, 4, 4))
        assert len(plot_reconstructions(soft, pictures(3)).axes) == 4 * 3
        # Grey, dark and grey, bright and grey: a threshold would show another picture.
        for grey in (pictures(3), pictures(3) * 0.2, 1 - pictures(3) * 0.2):
            assert not is_nearly_binary(grey)
            figure = plot_reconstructions(grey, soft)
            assert [ax.get_ylabel() for ax in figure.axes[:2]] == ["original", "reconstruction"]
            np.testing.assert_array_equal(shown(figure.axes[1]), soft[0])
            assert len(figure.axes) == 2 * 3
            assert_nothing_is_cut_off_or_overlaps(figure)

    def test_shapes_must_agree(self):
        with pytest.raises(ShapeError, match="must have the same shape"):
            plot_reconstructions(pictures(3), pictures(2))
        with pytest.raises(ShapeError, match="3 pictures need as many titles; got 1"):
            plot_reconstructions(pictures(3), pictures(3), ["7"])
        with pytest.raises(ShapeError, match="originals must be"):
            plot_reconstructions(pictures(3)[0], pictures(3))

    def test_logits_are_refused(self):
        with pytest.raises(DataError, match="reconstructions must lie"):
            plot_reconstructions(pictures(2), pictures(2) * 9 - 4)


class TestRandomSamples:
    @pytest.mark.parametrize("latent_dim", [1, 2, 10, 20, 21, 32, 64, 300])
    @pytest.mark.parametrize("n", [1, 5])
    def test_every_value_is_printed_beside_its_picture(self, n, latent_dim):
        images = pictures(n)
        vectors = torch.randn(n, latent_dim, generator=torch.Generator().manual_seed(0))
        figure = plot_random_samples(images, vectors)
        assert len(figure.texts) == len(figure.axes) == n
        for ax, text, image, vector in zip(figure.axes, figure.texts, images, vectors, strict=True):
            np.testing.assert_array_equal(shown(ax), image)
            words = text.get_text().split()
            printed = dict(zip(words[::2], words[1::2], strict=True))
            assert list(printed) == sorted(printed, key=words.index)
            assert printed == {f"z{j}": f"{value:z.2f}" for j, value in enumerate(vector.tolist())}
            assert text.get_position()[0] > ax.get_position().x1
            assert text.get_position()[1] == pytest.approx(ax.get_position().y1)
        assert figure.get_size_inches()[0] <= 9.1
        assert_nothing_is_cut_off_or_overlaps(figure)

    def test_columns_are_aligned(self):
        vectors = np.array([[0.53, -0.53, -12.345, 0.0, -0.001] + [1.0] * 20])
        lines = plot_random_samples(pictures(1), vectors).texts[0].get_text().split("\n")
        assert lines[0].startswith("z0     0.53")
        assert lines[1].startswith("z1    -0.53")
        assert lines[2].startswith("z2   -12.35")
        assert lines[4].startswith("z4     0.00")
        starts = {tuple(i for i, letter in enumerate(line) if letter == "z") for line in lines}
        assert len({start[:1] for start in starts}) == 1
        assert len({start[:2] for start in starts}) == 1

    def test_huge_values_and_nan_stay_aligned(self):
        figure = plot_random_samples(pictures(1), np.array([[1e30, np.nan, -np.inf]]))
        widths = {len(line) for line in figure.texts[0].get_text().split("\n")}
        assert len(widths) == 1
        assert_nothing_is_cut_off_or_overlaps(figure)

    @pytest.mark.parametrize("shape", [(2, 5), (3,), (3, 0), (3, 1, 5)])
    def test_one_vector_per_image(self, shape):
        with pytest.raises(ShapeError, match=r"vectors must be \(3, latent_dim\)"):
            plot_random_samples(pictures(3), np.zeros(shape))
