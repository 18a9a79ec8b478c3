"""A model that was trained with --condition, at every command that decodes or encodes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_helpers import OPTIONS, TINY, blobs, load_npz
from matplotlib.figure import Figure
from matplotlib.text import Text

import zscape
from zscape.api import prepare_scene
from zscape.api.subject import subject_of
from zscape.report.material import Material
from zscape.report.opening import what_it_is

Cli = Callable[..., Any]


@pytest.fixture(scope="module")
def told(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny run that was told the class of every image; not to be changed."""
    folder = tmp_path_factory.mktemp("condition") / "told"
    zscape.train(source, out=folder, progress="none", condition="label", **OPTIONS)
    return folder


def pictures(cli: Cli, *arguments: object) -> tuple[np.ndarray, str]:
    """What a walk draws, and what it says."""
    file = Path("walk.npz").absolute()
    code, out, err = cli("walk", *arguments, "-o", file)
    assert code == 0, err
    return load_npz(file)["images"], out


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


WALKS = {
    "decode": ["[0, 1, 0]"],
    "line": ["--from", "[0, 0, 0]", "--to", "[1, 1, 1]", "--steps", "2"],
    "along": ["--between", "0", "1", "--steps", "2", "--split", "train"],
    "traverse": ["0", "--steps", "2"],
    "progression": ["--steps", "2"],
    "manifold": ["--steps", "2"],
    "arithmetic": ["random:1 - origin"],
    "around": ["-n", "2", "--seed", "0"],
}


@pytest.mark.parametrize("kind", WALKS)
def test_a_walk_draws_what_it_is_told_and_asks_where_it_is_not(
    cli: Cli, told: Path, kind: str
) -> None:
    flags = [kind, told, *WALKS[kind]]
    code, _, err = cli("walk", *flags, "-o", "a.png")
    assert code == 2
    assert "say which with --condition, one of 0, 1, 2" in err
    assert not Path("a.png").exists()
    one, other = (pictures(cli, *flags, "--condition", name)[0] for name in "02")
    assert one.shape == other.shape
    assert not np.allclose(one, other)


def test_a_walk_from_an_image_or_a_prototype_draws_what_that_is(cli: Cli, told: Path) -> None:
    labels = zscape.load(told).images().labels
    first, second = (f"image:{int((labels == k).nonzero()[0])}" for k in (0, 1))
    for at, name in ((first, "0"), ("proto:2", "2"), (f"{second} + 0.5*random:3", "1")):
        own, said = pictures(cli, "traverse", told, 0, "--at", at, "--steps", 2)
        assert f"Drawn as class {name}" in said
        asked, said = pictures(
            cli, "traverse", told, 0, "--at", at, "--steps", 2, "--condition", name
        )
        assert "Drawn as" not in said
        assert np.array_equal(own, asked)
    code, _, err = cli("walk", "line", told, "--from", first, "--to", second)
    assert code == 2
    assert "these vectors are of 0, 1." in err


def test_prototypes_are_drawn_as_their_own_class(cli: Cli, told: Path) -> None:
    model = zscape.load(told)
    for method in ("mean", "medoid"):
        own, _ = pictures(cli, "prototypes", told, "--method", method)
        found = zscape.latents.prototypes(zscape.encode(model), method)
        expected = zscape.decode(model, found.vectors, condition=["0", "1", "2"])
        np.testing.assert_allclose(own, expected, atol=1e-6)
        asked, _ = pictures(cli, "prototypes", told, "--method", method, "--condition", "1")
        expected = zscape.decode(model, found.vectors, condition="1")
        np.testing.assert_allclose(asked, expected, atol=1e-6)


def test_random_pictures_are_of_every_class_in_turn(cli: Cli, told: Path) -> None:
    drawn, said = pictures(cli, "random", told, "-n", 4, "--seed", 0)
    assert "Every class in turn: 0, 1, 2." in said
    expected = zscape.sample(told, 4, seed=0, condition=["0", "1", "2", "0"])
    np.testing.assert_allclose(drawn, expected.images, atol=1e-6)
    assert "in turn" in cli("sample", told, "-o", "a.png").out
    assert "in turn" not in cli("sample", told, "-o", "a.png", "--condition", "1").out


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All that is written on the figures that are saved."""
    found: list[str] = []
    save = Figure.savefig

    def see(figure: Figure, *args: Any, **kwargs: Any) -> None:
        save(figure, *args, **kwargs)
        found.extend(text.get_text() for text in figure.findobj(Text))

    monkeypatch.setattr(Figure, "savefig", see)
    return found


def test_reconstructions_as_another_class(cli: Cli, told: Path, texts: list[str]) -> None:
    for flags in ((), ("--condition", "2")):
        file = Path(f"a{len(flags)}.png")
        assert cli("reconstruct", told, "-o", file, "-n", 3, "--seed", 0, *flags).code == 0
        assert ("reconstruction\nas class 2" in texts) == bool(flags)
    assert Path("a0.png").read_bytes() != Path("a2.png").read_bytes()


def test_figures_say_what_was_drawn(cli: Cli, told: Path, texts: list[str]) -> None:
    first = int(zscape.load(told).images().labels[0])
    for flags, said in (
        (("walk", "random"), "Drawn as every class in turn: 0, 1, 2."),
        (("sample", "--condition", "2"), "Drawn as class 2."),
        (("walk", "traverse", 0, "--steps", 2, "--at", "image:0"), f"Drawn as class {first}."),
        (("walk", "prototypes"), "Drawn as the class that each is."),
        (("walk", "prototypes", "--condition", "1"), "Drawn as class 1."),
        (("neurons", "jacobian"), "Drawn as the class that each is."),
        (("map", "decode", "--point", "0,0", "--condition", "1"), "Drawn as class 1."),
    ):
        verbs = 1 if flags[0] == "sample" else 2
        code, _, err = cli(*flags[:verbs], told, *flags[verbs:], "-o", "a.png")
        assert code == 0, err
        assert said in texts
        texts.clear()


def test_a_report_prices_every_image_as_what_it_is(told: Path) -> None:
    own, other = (Material(subject_of(zscape.load(told).given(name), None)) for name in (None, "2"))
    np.testing.assert_array_equal(own.costs.total, other.costs.total)
    np.testing.assert_array_equal(own.costs.avoidable, other.costs.avoidable)
    rows = np.arange(5)
    np.testing.assert_array_equal(own.reconstruct(rows), other.reconstruct(rows))
    assert (own.loss_spread, other.own) == (other.loss_spread, ["0", "1", "2"])
    assert "drawn as class 2." in str(what_it_is(other).blocks)
    assert "drawn as class 0, but random ones as every class in turn." in str(
        what_it_is(own).blocks
    )
    # What vectors are drawn as is where they begin.
    assert (own.centre[1], other.centre[1]) == ("the prototype of 0", "the prototype of 2")


def test_a_report_needs_no_condition(cli: Cli, told: Path) -> None:
    code, _, err = cli("report", told, "-o", "page.html")
    assert code == 0, err
    page = Path("page.html").read_text("utf-8")
    assert "Drawn as every class in turn: 0, 1, 2." in page
    assert "Drawn as class 0." in page
    np.savez("bare.npz", images=blobs(30))
    code, _, err = cli("report", told, "--data", "bare.npz", "-o", "bare.html")
    assert code == 2
    assert "has no labels, and this model is told the class of every image" in err
    assert not Path("bare.html").exists()


def test_the_frames_of_a_gif_say_what_was_drawn(
    cli: Cli, told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    def see(*args: Any, note: str = "", **more: Any) -> bytes:
        said.append(note)
        return b""

    monkeypatch.setattr("zscape.figures.to_gif", see)
    for kind in ("line", "along", "traverse", "progression"):
        flags = (*WALKS[kind], "--condition", "1")
        assert cli("walk", kind, told, *flags, "-o", "a.gif").code == 0
    way = ("--line", "0,0", "1,1", "--condition", "1", "-o", "a.gif")
    code, _, err = cli("map", "decode", told, *way)
    assert code == 0, err
    assert said == ["Drawn as class 1."] * 5


def test_no_other_column_becomes_the_class_that_a_model_is_told(cli: Cli, told: Path) -> None:
    Path("more.csv").write_text("\n".join(["size", *(f"{i % 3}" for i in range(60))]))
    other = ("--columns", "more.csv", "--label", "size")
    for command in (("evaluate", told), ("encode", told, "-o", "a.npz")):
        code, _, err = cli(*command, *other)
        assert code == 2
        assert "is told the class of every image, 0, 1, 2, so no other column can be" in err
    assert not Path("a.npz").exists()
    assert cli("encode", told, "--columns", "more.csv", "-o", "a.npz").code == 0


def test_the_way_back_from_a_map(cli: Cli, told: Path) -> None:
    flags = ("map", "decode", told, "--point", "0,0")
    code, _, err = cli(*flags)
    assert code == 2
    assert "say which with --condition, one of 0, 1, 2." in err
    for name in "02":
        assert cli(*flags, "--condition", name, "-o", f"{name}.npz").code == 0
    one, other = (load_npz(Path(f"{name}.npz")) for name in "02")
    assert np.array_equal(one["vectors"], other["vectors"])
    assert not np.allclose(one["images"], other["images"])


def test_neurons(cli: Cli, told: Path) -> None:
    assert cli("neurons", "jacobian", told, "-o", "a.npz").code == 0
    assert load_npz(Path("a.npz"))["names"].tolist() == ["0", "1", "2"]
    assert cli("neurons", "jacobian", told, "--at", "origin", "-o", "b.npz").code == 2
    assert cli("neurons", "card", told, "0", "--at", "proto:1", "-o", "a.png").code == 0
    assert cli("neurons", "silence", told, "0").code == 0


def test_every_figure_of_a_model_says_given_what(
    cli: Cli, told: Path, finished_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "given the class" in cli("evaluate", told).out
    assert "the class: 0, 1, 2" in cli("info", told).out
    with monkeypatch.context() as patch:
        patch.setattr("zscape.evaluation.measure", None)  # refused before anything is measured
        code, _, err = cli("compare", told, finished_run)
    assert code == 2
    assert "condition class and none" in err


def test_two_models_that_are_told_the_same_are_drawn_side_by_side(cli: Cli, told: Path) -> None:
    shutil.copytree(told, "other")
    code, _, err = cli("compare", told, "other", "-o", "page.html")
    assert code == 0, err
    assert "are drawn as the class of the first image" in Path("page.html").read_text("utf-8")


def test_images_without_labels_are_told_what_to_be(cli: Cli, told: Path) -> None:
    np.savez("bare.npz", images=blobs(10))
    bare = ("--data", "bare.npz", "--split", "train")
    code, _, err = cli("encode", told, *bare, "-o", "a.npz")
    assert code == 2
    assert "has no labels, and this model is told the class of every image" in err
    assert cli("encode", told, *bare, "--condition", "1", "-o", "a.npz").code == 0
    code, _, err = cli("encode", told, "--condition", "1", "-o", "b.npz")
    assert code == 2
    assert "say what class they are, and are encoded as that; leave out --condition." in err
    assert not Path("b.npz").exists()


def test_a_table_in_a_file_knows_what_its_rows_are(cli: Cli, told: Path) -> None:
    assert cli("encode", told, "-o", "a.parquet").code == 0
    flags = ("prototypes", told, "--method", "medoid")
    one, other = (pictures(cli, *flags, *more)[0] for more in ((), ("--table", "a.parquet")))
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_column_as_the_condition(cli: Cli, source: Path) -> None:
    lines = ["kind,area", *(f"{'ab'[i % 2]},{i}" for i in range(60))]
    Path("more.csv").write_text("\n".join(lines))
    columns = ("--columns", "more.csv")
    train = ("train", "--data", source, *TINY, "--epochs", 1)
    code, _, err = cli(*train, *columns, "--condition", "kind", "--out", "run")
    assert code == 0, err
    config = json.loads(Path("run/config.json").read_text())["model"]
    assert (config["condition"], config["condition_names"]) == ("kind", ["a", "b"])
    drawn, _ = pictures(cli, "random", "run", "--condition", "b")
    assert len(drawn) == 10
    code, _, err = cli("walk", "prototypes", "run", "-o", "a.png")
    assert code == 2
    assert "told the kind of every picture" in err
    for asked, said in (("shade", "no column 'shade'"), ("label", "")):
        code, _, err = cli(*train, *columns, "--condition", asked, "--out", f"run-{asked}")
        assert code == (2 if said else 0)
        assert said in err


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("random",), "this model was trained without a condition"),
        (("decode", "origin"), "this model was trained without a condition"),
    ],
)
def test_a_model_that_is_told_nothing_refuses(
    cli: Cli, finished_run: Path, flags: tuple[str, ...], said: str
) -> None:
    kind, *rest = flags
    code, out, err = cli("walk", kind, finished_run, *rest, "--condition", "1", "-o", "a.png")
    assert (code, out) == (2, "")
    assert said in err
    assert not Path("a.png").exists()


def test_a_class_there_is_not(cli: Cli, told: Path) -> None:
    code, _, err = cli("walk", "random", told, "--condition", "9", "-o", "a.png")
    assert code == 2
    assert "condition must be one of 0, 1, 2" in err


def test_a_page_begins_with_what_was_asked_for_and_prices_images_as_what_they_are(
    cli: Cli, told: Path
) -> None:
    for flags in ((), ("--condition", "2")):
        code, _, err = cli("export", told, *flags, "--maps", "pca", "-o", "page.html")
        assert code == 0, err
    model = zscape.load(told)
    plain, chosen = (prepare_scene(model.given(name), maps="pca").scene for name in (None, "2"))
    assert plain.manifest["title"] == chosen.manifest["title"] == told.name
    assert plain.manifest["condition"]["first"] == 0
    assert chosen.manifest["condition"] == {
        "title": "class", "names": ["0", "1", "2"], "first": 2, "codes": "condition"
    }  # fmt: skip
    for name in ("mu", "error"):
        np.testing.assert_array_equal(plain.array(name), chosen.array(name))
    labels = model.images().labels
    assert labels is not None
    np.testing.assert_array_equal(plain.array("condition"), labels.numpy())


def test_a_page_of_images_that_do_not_say_what_they_are(cli: Cli, told: Path) -> None:
    np.savez("bare.npz", images=blobs(10))
    bare = ("--data", "bare.npz", "--split", "train", "--maps", "pca", "-o", "page.html")
    code, _, err = cli("export", told, *bare)
    assert code == 2
    assert "has no labels, and this model is told the class of every image" in err
    assert not Path("page.html").exists()
    assert cli("export", told, *bare, "--condition", "1").code == 0
