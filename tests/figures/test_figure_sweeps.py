"""What was measured against what was swept: read back from the axes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from zscape.errors import DataError
from zscape.figures import plot_pareto, plot_swept


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Two options, two seeds: a larger code pays more KL and less reconstruction."""
    rows = [
        {"latent_dim": dim, "kld_weight": weight, "seed": seed, "elbo": 100 - dim + seed,
         "reconstruction": 90 - 2 * dim + weight + seed, "kl": dim - weight, "n_used": dim}
        for dim in (2, 5, 10) for weight in (0.5, 1.0) for seed in (0, 1)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_a_row_of_panels_for_each_option_a_line_for_each_value_of_the_other(frame):
    figure = plot_swept(frame, ("latent_dim", "kld_weight"))
    titles = [ax.get_title(loc="left") for ax in figure.axes[:4]]
    assert titles == ["minus ELBO, nats", "reconstruction, nats", "KL, nats", "neurons in use"]
    assert [ax.get_xlabel() for ax in (figure.axes[0], figure.axes[5])] == [
        "latent_dim", "kld_weight"
    ]  # fmt: skip
    ax = figure.axes[0]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["2", "5", "10"]
    means = [bar.lines[0].get_ydata() for bar in ax.containers]
    assert len(means) == 2
    assert np.allclose(means[0], [98.5, 95.5, 90.5])
    low, high = ax.containers[0].lines[1]
    deviation = (high.get_ydata() - low.get_ydata()) / 2
    assert np.allclose(deviation, np.std([0, 1], ddof=1))
    assert [text.get_text() for text in figure.axes[4].get_legend().get_texts()] == ["0.5", "1"]
    assert len(figure.axes[5].containers) == 3


def test_numbers_that_were_drawn_stand_where_they_are_without_a_line(frame):
    drawn = pd.DataFrame({
        "learning_rate": np.geomspace(1e-3, 1e-1, 20), "seed": 0, "elbo": np.arange(20.0),
        "reconstruction": np.arange(20.0), "kl": np.arange(20.0), "n_used": 2,
    })  # fmt: skip
    ax = plot_swept(drawn, ("learning_rate",)).axes[0]
    assert ax.get_xscale() == "log"
    assert not ax.containers
    assert np.allclose(ax.lines[0].get_xdata(), drawn["learning_rate"])


def test_values_that_are_none_have_a_place_too(frame):
    some = frame.assign(clip_norm=[None, 1.0] * 6)
    ax = plot_swept(some, ("clip_norm",)).axes[0]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["1", "none"]


def test_the_front_joins_what_none_beats_in_both(frame):
    figure = plot_pareto(frame, ("latent_dim", "kld_weight"))
    (ax,) = figure.axes
    (line,) = (line for line in ax.lines if line.get_linewidth() == 0.8)
    x, y = line.get_data()
    assert (np.diff(x) > 0).all()
    assert (np.diff(y) < 0).all()
    assert [text.get_text() for text in ax.texts] == [
        "10, 0.5", "10, 1", "5, 0.5", "5, 1", "2, 0.5", "2, 1"
    ]  # fmt: skip
    own = Figure().subplots()
    assert plot_pareto(frame, ("latent_dim",), ax=own) is own.figure


@pytest.mark.parametrize("plot", [plot_swept, plot_pareto])
def test_trials_that_differ_in_their_seed_alone_have_no_figure(frame, plot):
    with pytest.raises(DataError, match="seed alone"):
        plot(frame[frame["latent_dim"] == 2], ("latent_dim",))
