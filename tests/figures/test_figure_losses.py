import math

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from zscape.errors import ConfigError, DataError
from zscape.figures import plot_losses

TERMS = ["loss", "reconstruction", "kl"]


def history(epochs, offset=0.0, first=1):
    def terms(epoch, gap):
        reconstruction = 80 + 60 * math.exp(-epoch / 6) + gap + offset
        kl = 20 - 5 / epoch
        return {"loss": reconstruction + kl, "reconstruction": reconstruction, "kl": kl}

    return [
        {
            "epoch": epoch,
            "running": terms(epoch, 2),
            "evaluated_train": terms(epoch, 0),
            "test": terms(epoch, 1),
            "seconds": 3.0,
        }
        for epoch in range(first, first + epochs)
    ]


@pytest.mark.parametrize("scale", ["linear", "log"])
@pytest.mark.parametrize("epochs", [1, 2, 11, 100])
def test_curves_are_the_history(epochs, scale):
    lines = history(epochs)
    figure = plot_losses(lines, scale)
    assert [ax.get_title("left") for ax in figure.axes] == ["Loss", "Reconstruction", "KL"]
    assert figure.axes[0].get_ylabel() == "nats per image"
    for ax, term in zip(figure.axes, TERMS, strict=True):
        assert ax.get_yscale() == scale
        assert ax.get_xlabel() == "epoch"
        train, running, test = ax.lines
        assert train.get_color() == test.get_color() == running.get_color()
        assert train.get_linestyle() == running.get_linestyle() == "-"
        assert train.get_linewidth() > running.get_linewidth()
        assert test.get_linestyle() == "--"
        keys = ("evaluated_train", "running", "test")
        for curve, split in zip((train, running, test), keys, strict=True):
            assert list(curve.get_xdata()) == [line["epoch"] for line in lines]
            assert list(curve.get_ydata()) == [line[split][term] for line in lines]
            assert (curve.get_marker() == "o") == (epochs <= 10)
        last = lines[-1]
        assert [text.get_text() for text in ax.get_legend().get_texts()] == [
            f"train {last['evaluated_train'][term]:.2f}",
            f"running {last['running'][term]:.2f}",
            f"test {last['test'][term]:.2f}",
        ]
    figure.draw_without_rendering()


def test_the_three_terms_have_three_hues():
    assert len({ax.lines[0].get_color() for ax in plot_losses(history(2)).axes}) == 3


@pytest.mark.parametrize("offset", [0, -3000, 2e5])
def test_legends_and_titles_stay_inside_and_off_the_curves(offset):
    figure = plot_losses(history(30, offset=offset))
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    for ax in figure.axes:
        legend = ax.get_legend().get_window_extent(renderer)
        title = ax.get_title("left")
        (text,) = ax.findobj(lambda one, t=title: getattr(one, "get_text", str)() == t)
        assert legend.y1 <= text.get_window_extent(renderer).y0
        assert legend.y0 >= ax.get_window_extent(renderer).y1 - 1
        assert ax.get_tightbbox(renderer).x0 >= -1
        assert ax.get_tightbbox(renderer).x1 <= figure.bbox.x1 + 1
        assert ax.get_tightbbox(renderer).y1 <= figure.bbox.y1 + 1
    boxes = [ax.get_tightbbox(renderer) for ax in figure.axes]
    assert boxes[0].x1 <= boxes[1].x0
    assert boxes[1].x1 <= boxes[2].x0


def test_tick_labels_are_whole_numbers_even_where_training_explodes():
    lines = history(20)
    lines[0]["running"]["loss"] = 8e9
    figure = plot_losses(lines)
    figure.draw_without_rendering()
    ax = figure.axes[0]
    assert ax.yaxis.get_offset_text().get_text() == ""
    assert "8e+09" in [label.get_text() for label in ax.get_yticklabels()]


@pytest.mark.parametrize("first", [144, 1000, 5e4, 8e9])
def test_log_scale_labels_several_ticks_in_plain_numbers(first):
    lines = history(20)
    for split in ("running", "evaluated_train", "test"):
        lines[0][split]["loss"] = first
    figure = plot_losses(lines, "log")
    figure.draw_without_rendering()
    for ax in figure.axes:
        low, high = ax.get_ylim()
        ticks = [*ax.yaxis.get_major_ticks(), *ax.yaxis.get_minor_ticks()]
        labels = [t.label1.get_text() for t in ticks if low <= t.get_loc() <= high]
        assert len([label for label in labels if label]) >= 3
        assert not any("$" in label for label in labels)


def test_a_term_without_a_logarithm_stays_linear_and_says_so():
    figure = plot_losses(history(5, offset=-200), "log")
    assert [ax.get_yscale() for ax in figure.axes] == ["linear", "linear", "log"]
    assert [ax.get_title("right") for ax in figure.axes] == ["linear: not all above 0"] * 2 + [""]


def test_an_epoch_without_test_is_left_out_of_that_curve():
    lines = history(4)
    lines[1]["test"] = None
    del lines[2]["test"]
    train, _, test = plot_losses(lines).axes[0].lines
    assert list(train.get_xdata()) == [1, 2, 3, 4]
    assert list(test.get_xdata()) == [1, 4]


def test_a_loss_without_terms_gets_the_one_panel():
    (panel,) = plot_losses([{"epoch": e, "running": {"loss": 9.0 / e}} for e in (1, 2)]).axes
    assert panel.get_title(loc="left") == "Loss"
    assert list(panel.lines[0].get_ydata()) == [9.0, 4.5]


def test_unknown_scale():
    with pytest.raises(ConfigError, match="scale must be linear or log; got 'symlog'"):
        plot_losses(history(2), "symlog")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "no epoch to plot"),
        ([{"epoch": 1}], "none has evaluated_train, running, test"),
        ([*history(1), {"epoch": 2, "running": {"loss": 1.0}}], "'reconstruction'"),
        ([{"running": {"loss": 1.0, "reconstruction": 1.0, "kl": 0.0}}], "'epoch'"),
    ],
)
def test_broken_histories(lines, message):
    with pytest.raises(DataError, match=message):
        plot_losses(lines)
