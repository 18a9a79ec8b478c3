import matplotlib
import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgba_array

from zscape.errors import DataError, ShapeError
from zscape.figures import PALETTE, class_colors, house_style, new_figure, show_image
from zscape.figures.style import as_pictures, fit_text, text_width

# Linear RGB as seen by a protanope, deuteranope and tritanope (Machado et al. 2009, severity 1).
SIGHTS = {
    "normal": np.eye(3),
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def oklab(colors, sight):
    rgb = to_rgba_array(colors)[:, :3]
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.transpose(SIGHTS[sight]), 0, 1)
    cones = [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
    axes = [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
    return np.cbrt(seen @ np.transpose(cones)) @ np.transpose(axes)


def closest_pair(colors, sight):
    lab = oklab(colors, sight)
    apart = np.linalg.norm(lab[:, None] - lab[None], axis=-1)
    return apart[~np.eye(len(lab), dtype=bool)].min()


@pytest.mark.parametrize("sight", SIGHTS)
def test_palette_is_told_apart_with_every_kind_of_sight(sight):
    assert closest_pair(PALETTE, sight) > 0.13


def test_class_colors_start_with_the_palette_and_stay_distinct():
    assert class_colors(0) == []
    assert class_colors(10) == list(PALETTE)
    assert class_colors(20)[:10] == list(PALETTE)
    assert closest_pair(class_colors(20), "normal") > 0.05
    many = class_colors(2000)
    assert len(many) == 2000
    assert len(set(many)) > 1500


def test_grey_picture_is_drawn_right_way_up_on_the_full_range():
    image = np.zeros((1, 3, 2), np.float32)
    image[0, 0, 1] = 0.5
    ax = new_figure(1, 1).subplots()
    shown = show_image(ax, torch.from_numpy(image).to(torch.bfloat16))
    np.testing.assert_array_equal(shown.get_array(), image[0])
    assert shown.get_clim() == (0, 1)
    assert shown.get_cmap().name == "gray"
    assert shown.origin == "upper"
    assert ax.yaxis_inverted()


def test_colour_picture_keeps_its_channels():
    image = np.random.default_rng(0).random((3, 5, 7)).astype(np.float32)
    shown = show_image(new_figure(1, 1).subplots(), image)
    np.testing.assert_array_equal(shown.get_array(), image.transpose(1, 2, 0))


@pytest.mark.parametrize("shape", [(28, 28), (17, 28, 28), (1, 1, 28, 28)])
def test_show_image_refuses_other_shapes(shape):
    with pytest.raises(ShapeError, match="image must be"):
        show_image(new_figure(1, 1).subplots(), np.zeros(shape))


@pytest.mark.parametrize("shape", [(28, 28), (4, 17, 8, 8), (0, 1, 8, 8)])
def test_as_pictures_refuses_other_shapes(shape):
    with pytest.raises(ShapeError, match="images must be"):
        as_pictures(np.zeros(shape), "images")


@pytest.mark.parametrize("value", [-3.0, 255.0, np.nan])
def test_as_pictures_refuses_other_values(value):
    with pytest.raises(DataError, match=r"must lie in \[0, 1\]"):
        as_pictures(np.full((1, 1, 2, 2), value), "images")


def test_rounding_errors_are_clipped_and_the_input_left_alone():
    original = torch.tensor([[[[-1e-4, 1 + 1e-4]]]])
    kept = original.clone()
    assert as_pictures(original, "images").tolist() == [[[[0, 1]]]]
    assert torch.equal(original, kept)


@pytest.mark.parametrize(
    "text",
    ["7", "golden retriever", "a_very_long_class_name_for_a_square", "W" * 60, "two\nlines", ""],
)
@pytest.mark.parametrize("width", [0.5, 0.84])
def test_fitted_text_fits(text, width):
    lines = fit_text(text, width, 7.5).split("\n")
    assert len(lines) <= 2
    assert all(text_width(line, 7.5) < width * 1.12 for line in lines)
    shown = "".join(lines).rstrip("…").replace(" ", "")
    assert text.replace(" ", "").replace("\n", "").startswith(shown)


def test_missing_glyphs_do_not_warn_while_measuring():
    assert text_width("日本", 8) > 0


def test_style_neither_leaks_nor_lets_the_users_in():
    with matplotlib.rc_context({"axes.facecolor": "black", "savefig.facecolor": "black"}):
        ax = house_style(lambda: new_figure(2, 2).subplots())()
        assert matplotlib.rcParams["axes.facecolor"] == "black"
        assert matplotlib.colors.to_hex(ax.get_facecolor()) == "#ffffff"
        ax.plot([0, 1], [0, 1])
        data, size = ax.figure._repr_png_()
    assert data.startswith(b"\x89PNG")
    assert size == {"width": 192, "height": 192}
    assert ax.xaxis.get_major_ticks()[0].label1.get_color() == "#656d76"


def test_figures_stay_unknown_to_pyplot():
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    new_figure(1, 1)
    assert plt.get_fignums() == before


def test_two_lines_that_fit_are_kept() -> None:
    assert fit_text("33: 4\nrank  0.933", 2, 8) == "33: 4\nrank 0.933"
    assert fit_text("one\ntwo\nthree", 2, 8) == "one two three"


def test_the_second_line_is_not_lost_to_a_long_first() -> None:
    """Of a find it is the number that the sheet is ordered by; names differ at their ends."""
    first, second = fit_text("a_very_long_name_of_a_file.tif: treated\nrank 0.933", 1, 8).split(
        "\n"
    )
    assert second == "rank 0.933"
    assert first.startswith("…")
    assert first.endswith(".tif: treated")
    assert text_width(first, 8) <= 1
