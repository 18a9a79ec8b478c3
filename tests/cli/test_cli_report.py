from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_helpers import run, save_npz
from rich.console import Console

import zscape
from zscape import api
from zscape.api.subject import subject_of
from zscape.cli import demo, progress
from zscape.report import maps
from zscape.training import Run
from zscape.zoo import find_card

Cli = Callable[..., Any]


@pytest.fixture(autouse=True)
def without_learning(monkeypatch: pytest.MonkeyPatch) -> None:
    """The way back that trains a network for seconds is left to tests/report and the slow ones."""
    monkeypatch.setattr(maps, "WAYS", ("nearest", "local"))


def text_of(page: Path) -> str:
    """What a reader sees of a page, pictures left out."""
    text = re.sub(r"<style>.*?</style>", "", page.read_text("utf-8"), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", text))


def stands_alone(page: Path, neighbours: tuple[str, ...] = ()) -> bool:
    """Nothing is loaded, and nothing linked to but the page itself and files beside it."""
    links = re.findall(r"""(?:src|href)\s*=\s*["']([^"']+)""", page.read_text("utf-8"))
    return bool(links) and all(link.startswith(("data:", "#", *neighbours)) for link in links)


def test_report_of_a_run(finished_run: Path, tmp_path: Path, cli: Cli) -> None:
    page = tmp_path / "new" / "report.html"
    code, out, err = cli("report", finished_run, "-o", page)
    assert (code, out) == (0, f"Wrote {page}\n")
    # Where there is no terminal, a line per stage; the fractions rise.
    done = [int(line.split("%")[0]) for line in err.splitlines()]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0, 100)
    assert stands_alone(page)
    last = Run.open(finished_run).metrics()[-1]
    shown = text_of(page)
    for part in (
        f"{last['test']['loss']:.1f} test loss, nats".split()[0],
        f"{last['n_active']} of 3",
        "from the run, after epoch 2",
        "zscape train --data",
        "2 of 2 epochs",
    ):
        assert part in shown, part


def test_scores_of_a_run_hold_for_its_own_images_only(finished_run: Path, tmp_path: Path) -> None:
    opened, last = zscape.load(finished_run), Run.open(finished_run).metrics()[-1]
    known = subject_of(opened, None)
    assert known.scores is not None
    assert known.scores.loss == last["test"]["loss"]
    other = subject_of(opened, save_npz(tmp_path / "other.npz", n=48))
    assert other.scores is None
    assert sum(map(len, other.data)) == 48


def test_scores_under_early_stopping_are_those_of_the_best_epoch(
    finished_run: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(finished_run, tmp_path / "run"))
    config = json.loads((folder / "config.json").read_text())
    config["train"]["early_stopping"] = 2
    (folder / "config.json").write_text(json.dumps(config))
    lines = Run.open(folder).metrics()
    lines[0]["test"]["loss"] = lines[1]["test"]["loss"] - 1
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    scores = subject_of(zscape.load(folder), None).scores
    assert scores is not None
    assert scores.loss == lines[0]["test"]["loss"]
    assert "epoch 1" in scores.source


def test_weights_alone_know_nothing_of_their_training(finished_run: Path, source: Path) -> None:
    subject = subject_of(zscape.load(finished_run / "model.safetensors"), source)
    assert (subject.scores, subject.settings, list(subject.history)) == (None, None, [])


def test_the_zoo_knows_its_card() -> None:
    card = find_card("2")
    subject = subject_of(zscape.load("zoo:2"), None)
    assert subject.scores is not None
    assert subject.scores.kl == card.kl
    assert subject.settings == card.run_config
    assert len(subject.history) == card.epochs


def test_report_of_an_array_needs_the_array(tmp_path: Path) -> None:
    images = np.random.default_rng(0).random((60, 8, 8), dtype=np.float32)
    zscape.train(images, out=tmp_path / "run", network="mlp", latent_dim=2, epochs=1,
                 batch_size=16, optimizer="adam", progress="none")  # fmt: skip
    with pytest.raises(zscape.ConfigError, match="pass it as data"):
        api.write_report(tmp_path / "run", tmp_path / "r.html")
    assert subject_of(zscape.load(tmp_path / "run"), images).scores is not None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("report run -o thesis", "thesis: this is a page; give it a name that ends in .html"),
        ("report run -o page.html", "cannot write page.html: Is a directory"),
        ("report run -o notes.txt/r.html", "cannot write notes.txt/r.html"),
        ("report run -o notes.txt/deep/r.html", "cannot write notes.txt/deep/r.html"),
        ("report run -o r.html --data odd.npz", "run takes images (1, 16, 16), but odd.npz has"),
        ("report run -o r.html --data nowhere.npz", "nowhere.npz"),
        ("report nowhere -o r.html", "there is no file nowhere"),
        ("report zoo:11 -o r.html", "got zoo:11"),
        ("report run", "Missing option"),
        ("demo --out notes.txt", "cannot write notes.txt/explorer.html"),
        ("demo --n-train 30", "--n-train goes with --train"),
        ("demo --train --out thesis", "not empty and not a run"),
        ("demo --zoo", "there is no option --zoo"),
    ],
)
def test_bad_input_is_one_sentence_and_writes_nothing(
    finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli,
    arguments: str, message: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    shutil.copytree(finished_run, "run")
    save_npz(Path("odd.npz"), side=10)
    Path("notes.txt").write_text("mine")
    Path("page.html").mkdir()
    Path("thesis").mkdir()
    Path("thesis/chapter.txt").write_text("text")
    before = sorted(tmp_path.rglob("*"))
    code, _, err = cli(*arguments.split())
    lines = err.splitlines()
    assert (code, len(lines)) == (2, 1), err
    assert message in lines[0]
    assert sorted(tmp_path.rglob("*")) == before


def test_a_disk_that_fails_is_one_sentence(
    finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("zscape.report.write.SECTIONS", {})
    monkeypatch.setattr("zscape.files.os.fsync", full)
    with pytest.raises(zscape.ConfigError, match=r"cannot write .*r.html: No space left"):
        api.write_report(finished_run, tmp_path / "r.html")
    assert list(tmp_path.iterdir()) == []


def test_progress_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        def __init__(self) -> None:
            self.text = ""

        def isatty(self) -> bool:
            return True

        def write(self, text: str) -> int:
            self.text += text
            return len(text)

        def flush(self) -> None:
            pass

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    assert Console(stderr=True).is_terminal
    with progress.showing_progress() as tell:
        tell("maps", 0.25)
    assert "25%" in terminal.text
    assert "maps" in terminal.text


def test_the_time_left_goes_by_what_was_done_since_the_count_began(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr("sys.stderr.isatty", lambda: False, raising=False)
    # A share of the whole, in stages; then a stage with a count of its own that starts late.
    steps = [(0, "one", 0), (30, "one", 0.05), (120, "one", 0.2), (300, "two", 0.5),
             (310, "two", 0.51), (480, "two", 0.8),
             (600, "again", 0.5), (720, "again", 0.75), (850, "again", 0.99),
             (860, "done", 1)]  # fmt: skip
    with progress.showing_progress() as tell:
        for now[0], stage, done in steps:
            tell(stage, done)
    assert capsys.readouterr().err.splitlines() == [
        "  0%  one", " 20%  one, 8 min left", " 50%  two, 5 min left", " 80%  two, 2 min left",
        " 50%  again", " 75%  again, 2 min left", " 99%  again, under a minute left",
        "100%  done",
    ]  # fmt: skip


def test_the_pages_of_the_demo_get_a_folder_of_their_own(
    finished_run: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder, seen = tmp_path / "runs" / "demo", []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(
        "webbrowser.open", lambda page: seen.append((page, [*map(str, folder.iterdir())]))
    )
    demo._write_pages(str(finished_run), folder, open_=True)
    # The explorer was opened before the report was drawn.
    assert seen == [((folder / "explorer.html").as_uri(), [str(folder / "explorer.html")])]
    assert {file.name for file in folder.iterdir()} == {"report.html", "explorer.html"}
    assert str(folder / "explorer.html") in capsys.readouterr().out


@pytest.mark.slow
def test_demo_explores_the_zoo(tmp_path: Path) -> None:
    done = run("demo", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    page = tmp_path / "runs" / "demo" / "report.html"
    assert str(page) in done.stdout
    card = find_card("10")
    assert f"test loss {card.test_loss:.2f}" in done.stdout
    assert "zscape train --latent-dim 10" in done.stdout
    assert {file.name for file in page.parent.iterdir()} == {"report.html", "explorer.html"}
    assert 'href="explorer.html"' in page.read_text()
    assert stands_alone(page, neighbours=("explorer.html",))
    assert page.stat().st_size < 15e6
    assert f"{card.kl:.2f} for what its neurons have to say" in text_of(page)


@pytest.mark.slow
def test_demo_trains(tmp_path: Path) -> None:
    arguments = ("demo", "--train", "--n-train", "300")
    for _ in range(2):  # a second time replaces the first
        done = run(*arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    page = tmp_path / "runs" / "demo-train" / "report.html"
    assert str(page) in done.stdout
    assert "Test loss" in done.stdout
    assert "300 images to train on" in text_of(page)
    assert Run.open(page.parent).metrics()[-1]["epoch"] == 3
