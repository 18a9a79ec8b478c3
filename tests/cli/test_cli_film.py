"""``zscape film``: one tiny training with snapshots, seen as strip, GIF, table and report."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cli_helpers import OPTIONS
from PIL import Image

import zscape
from zscape import figures
from zscape.embedding import Film
from zscape.errors import CheckpointError, ConfigError, DataError
from zscape.figures.film import film_frames, moments_of, plot_film

Cli = Callable[..., Any]
N = 4


@pytest.fixture(scope="module")
def filmed(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("film") / "run"
    zscape.train(source, out=folder, progress="none", snapshots=N, **{**OPTIONS, "epochs": 3})
    return folder


@pytest.fixture(scope="module")
def film(filmed: Path) -> Film:
    return zscape.film(filmed, n=10)


def test_a_film_is_the_same_images_by_each_snapshot(filmed: Path, film: Film) -> None:
    assert len(film) == N
    assert (film.titles[0], film.titles[-1]) == ("start", "epoch 3")
    assert film.pictures.shape == (N, 3, 1, 16, 16)
    assert film.names == ("0", "1", "2")
    assert film.losses[-1] < film.losses[0]
    last = zscape.load(f"{filmed}@3")
    drawn = zscape.encode(last, last.images()).mu
    assert all(np.isclose(drawn, row, atol=1e-5).all(1).any() for row in film.maps[-1].table.mu)
    assert len({tuple(one.table.indices) for one in film.maps}) == 1


def test_several_models_make_a_film_too(filmed: Path) -> None:
    film = zscape.film([f"{filmed}@0", f"{filmed}@3"], n=10, method="pca")
    assert film.titles == ("run@0", "run@3")
    assert "PCA" in film.frame


def test_the_strip_is_in_one_frame_with_the_curve_below(film: Film) -> None:
    figure = plot_film(film, 3)
    maps = [ax for ax in figure.axes if ax.collections]
    assert len(maps) == 3
    assert len({(ax.get_xlim(), ax.get_ylim()) for ax in maps}) == 1
    for ax, k in zip(maps, moments_of(film, 3), strict=True):
        assert ax.get_title(loc="left") == film.titles[k]
        drawn = np.asarray(ax.collections[0].get_offsets())
        assert np.allclose(np.sort(drawn, 0), np.sort(film.maps[k].coordinates, 0))
    curve = figure.axes[-1]
    assert curve.lines[0].get_ydata().tolist() == list(film.losses)
    assert len([ax for ax in figure.axes if ax.images]) == 3 * 3


@pytest.mark.parametrize("n", range(2, N + 2))
def test_moments_are_the_first_the_last_and_no_two_the_same(film: Film, n: int) -> None:
    found = moments_of(film, n)
    assert (found[0], found[-1]) == (0, N - 1)
    assert len(found) == min(n, N)


def test_points_travel_between_two_moments(film: Film) -> None:
    shown = [
        np.asarray(figure.axes[0].collections[0].get_offsets()) for figure in film_frames(film, 2)
    ]
    assert len(shown) == 2 * (N - 1) + 1
    order = np.random.default_rng(0).permutation(len(shown[0]))  # as points are drawn
    first, second = (film.maps[k].coordinates[order] for k in (0, 1))
    assert np.allclose(shown[0], first)
    assert np.allclose(shown[1], (first + second) / 2, atol=1e-6)


def test_files(cli: Cli, filmed: Path, tmp_path: Path) -> None:
    outs = [tmp_path / name for name in ("film.gif", "strip.png", "frame.csv")]
    flags = [part for out in outs for part in ("-o", out)]
    told = cli("film", filmed, "-n", 10, "--map", "pca", "--moments", 3, *flags)
    assert told.code == 0, told.err
    assert "Each PCA map is turned, mirrored and shifted as a whole" in told.out
    gif = Image.open(io.BytesIO(outs[0].read_bytes()))
    assert gif.n_frames == 5 * (N - 1) + 1  # type: ignore[attr-defined]
    corner = gif.convert("RGB").getpixel((0, 0))
    assert corner == (255, 255, 255)
    table = pd.read_csv(outs[2])
    assert list(table) == ["from", "to", "moved", "rest", "kept"]
    assert len(table) == N - 1
    assert (table["rest"] <= table["moved"] * (1 + 1e-6)).all()  # places are float32


def test_the_report_has_it_and_others_have_not(filmed: Path) -> None:
    from zscape.api.subject import subject_of
    from zscape.report.material import Material
    from zscape.report.opening import film

    with figures.unshown():
        section = film(Material(subject_of(zscape.load(filmed), None)))
    assert section is not None
    assert section.title == "Watch it learn"
    assert "in one frame of reference" in str(section.blocks[0])
    assert film(Material(subject_of(zscape.load(f"{filmed}@1"), None))) is None


def test_what_is_no_film_is_refused(filmed: Path, finished_run: Path) -> None:
    with pytest.raises(CheckpointError, match="no snapshots; a film is of a run that was trained"):
        zscape.film("zoo:2")
    with pytest.raises(CheckpointError, match="kept along a training with --snapshots 20"):
        zscape.film(finished_run)
    with pytest.raises(ConfigError, match=r"n must be in \[2, "):
        zscape.film(filmed, n=10_000)
    with pytest.raises(ConfigError, match="two models or moments at least; got 1"):
        zscape.film([filmed])
    with pytest.raises(DataError, match="at least"):
        zscape.film(filmed, n=10, method="tsne")
