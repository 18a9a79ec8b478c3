"""What the pages show runs: every command parses, and (slow) every block is run, page by page."""

from __future__ import annotations

import ast
import io
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import typer
from PIL import Image

import zscape
from cells import make_cells
from zscape.cli import main
from zscape.cli.app import app
from zscape.explorer import ExplorerServer
from zscape.model import MLPVAE

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


class Block(NamedTuple):
    """A block of code, and the line of the page it begins in."""

    language: str
    text: str
    line: int


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text()
    return [
        Block(found[1], found[2], text.count("\n", 0, found.start()) + 2)
        for found in FENCE.finditer(text)
    ]


def commands_of(block: Block) -> list[list[str]]:
    """The words of every ``zscape`` command; none of a block in a language."""
    if block.language not in ("", "sh"):
        return []
    lines = block.text.replace("\\\n", " ").splitlines()
    return [shlex.split(line, comments=True) for line in lines if line.startswith("zscape ")]


COMMANDS = {
    f"{page.stem}: {' '.join(words)}": words
    for page in PAGES for block in blocks_of(page) for words in commands_of(block)
}  # fmt: skip


@cache
def commands() -> Any:
    return typer.main.get_command(app)


def parsed(words: list[str]) -> list[str]:
    """The names of the commands that ``words`` lead to; raises what a wrong option raises."""
    command = commands()
    names = []
    context = command.make_context("zscape", list(words))
    while hasattr(command, "commands"):
        rest = [*context._protected_args, *context.args]
        name, command, rest = command.resolve_command(context, rest)
        names.append(name)
        context = command.make_context(name, rest, parent=context)
    return names


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_a_command_of_a_page_parses(words: list[str]) -> None:
    assert parsed(words[1:])[0] == words[1]


def test_the_probe_sees_a_wrong_option() -> None:
    with pytest.raises(typer.TyperException, match="No such option"):
        parsed(["walk", "random", "zoo:10", "--sed", "1"])


def test_no_option_says_no_twice() -> None:
    train = commands().commands["train"]
    flags = [flag for option in train.params for flag in (*option.opts, *option.secondary_opts)]
    assert "--cache" in flags
    assert not [flag for flag in flags if "no-no" in flag]


@pytest.mark.parametrize("group", ["walk", "map", "neurons", "find"])
def test_every_sub_command_has_an_example(group: str) -> None:
    shown = {
        tuple(parsed(words[1:])[:2])
        for block in blocks_of(ROOT / "docs" / "commands.md") for words in commands_of(block)
    }  # fmt: skip
    assert {(group, name) for name in commands().commands[group].commands} <= shown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text())
    for link in re.findall(r"\]\((?!\w+:)([^)#\s]+)", text):
        assert (page.parent / link).exists() or link.startswith(MADE), link
    for link, part in re.findall(r"\]\((?!\w+:)([^)#\s]*)#([^)\s]+)\)", text):
        other = (page.parent / link) if link else page
        if other.suffix == ".md":
            assert part in anchors_of(other), f"{link}#{part}"


MADE = ("gallery.md", "reference/")
"""Made by tools/build_docs.py, which follows links to them."""


def anchors_of(page: Path) -> set[str]:
    """What a title is called in links: as GitHub and the site make it."""
    titles = re.findall(r"^#+ (.*)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


# From here on: the blocks are run.

TRAINING = ("--n-train", "300", "--n-test", "200")
"""What makes a training of a page short."""
FEWER = {"evaluate": ("-n", "300"), "quality": ("-n", "500"), "compare": ("--data", "few")}
"""What makes other commands short, where they do not say how many images themselves."""


def shortened(words: list[str]) -> list[str]:
    """A command of a page on less data than it says, in the place of a run that was prepared."""
    trains = words[1] == "train" and "--resume" not in words
    if trains or (words[1] == "sweep" and words[2].startswith("--")):
        is_own = "--data" in words and words[words.index("--data") + 1] != "sprites"
        few = () if is_own else TRAINING  # the reader's own are few
        in_place = ("--overwrite",) if trains and "--go-on" not in words else ()
        return [*words, *few, "--epochs", "1", *in_place]
    if "-n" in words and any(word.startswith("runs/") for word in words):
        at = words.index("-n") + 1
        words = [*words[:at], "40", *words[at + 1 :]]
    fewer = FEWER.get(words[1], ())
    return words if fewer and fewer[0] in words else [*words, *fewer]


def encoded(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the pages speak of as the reader's own."""
    folder = tmp_path_factory.mktemp("reader")
    noise = np.random.default_rng(0)
    tiny = {"network": "mlp", "epochs": 2, "progress": "none", "optimizer": "adam"}
    digits = {"n_train": 600, "n_test": 300}
    for name, seed in {"ten": 0, "first": 0, "seed0": 0, "seed1": 1, "seed2": 2}.items():
        zscape.train(
            "mnist", latent_dim=10, seed=seed, out=folder / "runs" / name, **tiny, **digits
        )
    zscape.train("mnist", condition="label", out=folder / "runs" / "told", **tiny, **digits)
    cells, lines = make_cells(), ["file_name,patient,treatment,area"]
    areas, treatments = cells.columns.numbers("area"), cells.columns.texts("treatment")
    for i, picture in enumerate(cells.images[:, 0].numpy()):
        (folder / "cells").mkdir(exist_ok=True)
        Image.fromarray(picture).save(folder / "cells" / f"cell{i:04}.png")
        area, treatment = areas[i], treatments[i]
        lines.append(f"cell{i:04}.png,p{i % 12},{treatment},{area:.2f}")
    (folder / "cells.csv").write_text("\n".join(lines) + "\n")
    for kind in ("cat", "dog"):
        (folder / "my-pictures" / kind).mkdir(parents=True)
        for i in range(80):
            Image.fromarray(noise.integers(0, 255, (40, 40), np.uint8)).save(
                folder / "my-pictures" / kind / f"{i}.png"
            )
    zscape.train(
        str(folder / "cells"), columns=str(folder / "cells.csv"), label="treatment",
        out=folder / "runs" / "cells", **tiny,
    )  # fmt: skip
    zscape.train("sprites", n_train=600, n_test=300, out=folder / "runs" / "sprites", **tiny)
    zscape.train("mnist", snapshots=2, out=folder / "runs" / "mine", **tiny, **digits)
    for letter in ("a", "b"):
        (folder / "letters" / letter).mkdir(parents=True)
        for i in range(10):
            pixels = noise.integers(0, 255, (28, 28), np.uint8)
            Image.fromarray(pixels).save(folder / "letters" / letter / f"{i}.png")
    (folder / "shards").mkdir()
    for i, half in enumerate((cells.images[:9], cells.images[9:20])):
        pictures = {"image": [encoded(pixels) for pixels in half[:, 0].numpy()]}
        pq.write_table(pa.table(pictures), folder / "shards" / f"{i}.parquet")
    some = zscape.load_data("mnist").test[:600]
    digit = some[:300]
    for split, rows in {"train": range(300, 600), "test": range(300)}.items():
        for i, picture in enumerate(some[list(rows)].images[:, 0].numpy()):
            home = folder / "few" / split / str(int(some.labels[rows[i]]))
            home.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(home / f"{i}.png")
    np.savez(folder / "other.npz", images=digit.images[:, 0].numpy(), labels=digit.labels.numpy())
    (folder / "digits-A.csv").write_text("index\n" + "\n".join(map(str, range(40))) + "\n")
    return folder


@pytest.fixture
def reader(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The reader's folder, as the current one; a page that is served stops when it is up."""
    home = shutil.copytree(prepared, tmp_path / "reader")
    monkeypatch.chdir(home)
    monkeypatch.syspath_prepend(ROOT / "docs" / "examples")
    monkeypatch.setattr(ExplorerServer, "serve_forever", lambda self, *_: None)
    monkeypatch.setattr("zscape.cli.explore.show", lambda url: None)
    yield home
    sys.modules.pop("tiny_network", None)


def given(page: Path) -> dict[str, Any]:
    """What the Python of a page takes as the reader's own."""
    digits = zscape.load_data("mnist").test[:60]
    figure = zscape.figures.new_figure(2, 2)
    return {
        "zscape": zscape, "images": digits, "labels": digits.labels, "z": torch.zeros(3, 10),
        "module": MLPVAE(16), "figure": figure,
        "__name__": "tiny_network",  # whose text a page shows
    }  # fmt: skip


def expanded(words: list[str], answer: Callable[[list[str]], str]) -> list[str]:
    """As a shell hands a command on: ``*`` is what is there, ``$(…)`` what another one prints."""
    first = next((i for i, word in enumerate(words) if word.startswith("$(")), len(words))
    if inner := words[first:]:
        inner = shlex.split(" ".join(inner).removeprefix("$(").removesuffix(")"))
        words = [*words[:first], answer(inner)]
    there = {word: sorted(map(str, Path().glob(word))) for word in words if "*" in word}
    return [each for word in words for each in there.get(word, [word])]


def run_command(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    if "--devices" in words:  # which starts the program again, and that is not this one
        subprocess.run([sys.executable, "-m", *shortened(words)], check=True)
        return
    monkeypatch.setattr(sys, "argv", shortened(words))
    with pytest.raises(SystemExit) as stop:
        main()
    assert not stop.value.code, " ".join(words)


def run_python(block: Block, names: dict[str, Any], page: Path) -> None:
    """All statements of a block, as a cell of a notebook: a name alone on a line is no mistake."""
    text = re.sub(r"n_train=\d+", "n_train=300, n_test=200", block.text)
    text = re.sub(r'(zscape\.train\("mnist", latent_dim=10, )(?:epochs=3, )?',
                  r"\1n_train=300, n_test=200, epochs=1, overwrite=True, ", text)  # fmt: skip
    text = text.replace("zscape.sweep(", "zscape.sweep(n_train=300, n_test=200, epochs=1, ")
    tree = ast.parse("\n" * (block.line - 1) + text)
    exec(compile(tree, str(page), "exec"), names)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_blocks_run(
    page: Path, reader: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names, done, left_out = given(page), 0, []

    def answer(words: list[str]) -> str:
        capsys.readouterr()
        run_command(words, monkeypatch)
        return capsys.readouterr().out.strip()

    for block in blocks_of(page):
        for words in commands_of(block):
            if "--address" in words:  # of a cluster that is not here
                continue
            if "ray" in words and find_spec("ray") is None:
                left_out.append(" ".join(words))
                continue
            run_command(expanded(words, answer), monkeypatch)
            done += 1
        if block.language == "python":
            run_python(block, names, page)
            done += 1
    assert done or not any(block.language == "python" for block in blocks_of(page))
    if left_out:
        pytest.skip(f"{done} blocks ran; not installed is Ray, which needs: {'; '.join(left_out)}")
