"""Strange images, classes and networks in every home: right numbers, or one sentence."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reliability import Tries
from torch import Tensor, nn

import zscape
from training.training_helpers import blobs, make_splits
from zscape.cli import main
from zscape.errors import DataError, TrainingDiverged
from zscape.explorer.kernel import Kernel
from zscape.latents import decode, encode
from zscape.model import MLPVAE

PART = "Wrong numbers"
HOSTILE = "<img src=x onerror=\"document.title='hacked'\">"
NAMES = (
    HOSTILE,
    "</script><script>alert(1)</script>",
    "two\nlines\r\n",
    "\u202eleft\u2069 & right",
)
N = 130
PIXELS = blobs(N)[:, 0].numpy()
GREYS = np.broadcast_to(np.arange(N, dtype=np.uint8)[:, None, None] * 6, PIXELS.shape)
SETS: dict[str, dict[str, Any]] = {
    "labels of text": {"labels": np.array(["猫", "a b", ""])[np.arange(N) % 3]},
    "labels below 0 and with gaps": {"labels": np.array([-3, 7, 1000])[np.arange(N) % 3]},
    "names that are HTML, of lines and from right to left": {
        "labels": np.array(NAMES)[np.arange(N) % len(NAMES)]
    },
    "a class for every image": {"labels": np.arange(N)},
    "one class": {"labels": np.zeros(N, int)},
    "images of one grey each": {"images": GREYS, "labels": np.arange(N) % 2},
    "black images": {"images": np.zeros_like(PIXELS), "labels": np.arange(N) % 2},
    "equal images": {"images": np.repeat(PIXELS[:1], N, 0), "labels": np.arange(N) % 2},
    "one latent neuron": {"labels": np.arange(N) % 3},
}  # fmt: skip
HOMES = (
    "encode run -o t.csv", "encode run -o t.npz --describe", "map run --method pca -o pca.csv",
    "map run --method tsne --split train -o tsne.png -o tsne.safetensors",
    "map run --method umap --split train -o umap.csv",
    "map quality run --methods pca -o q.csv", "neurons table run -o n.csv",
    "neurons heatmap run -o h.png", "neurons histograms run -o hist.csv",
    "neurons card run z1 -o c.png", "neurons correlations run -o r.csv", "doctor run",
    "reconstruct run -o pairs.png", "report run -o report.html", "export run -o e.html",
    "export run --maps pca -o e.html",
)  # fmt: skip
QUICK = ("names that are HTML, of lines and from right to left", "equal images")
QUICKLY = ("encode run -o t.csv", "map run --method pca -o pca.csv", "neurons table run -o n.csv",
           "export run --maps pca -o e.html")  # fmt: skip

Say = Callable[[str], tuple[int, str]]


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """A command line, its exit code and everything it said."""
    monkeypatch.chdir(tmp_path)

    def call(line: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["zscape", *line.split()])
        with pytest.raises(SystemExit) as stop:
            main()
        return int(stop.value.code or 0), "".join(capsys.readouterr())

    return call


def save(path: Path, what: str) -> Path:
    np.savez(path, **{"images": PIXELS, **SETS[what]})
    return path


class Page(HTMLParser):
    """Elements that could do something, and every text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.alive: list[str] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if (
                name.startswith("on")
                or "javascript:" in (value or "")
                or (tag, value) == ("img", "x")
            ):
                self.alive.append(f"{tag} {name}={value}")
        self.alive += [tag] * (tag in ("iframe", "object", "embed", "form"))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def check_files(folder: Path) -> None:
    """No number that is none, and no name that has become HTML."""
    for file in folder.glob("*.csv"):
        for line in file.read_text(encoding="utf-8").splitlines()[1:]:
            assert not re.search(r"(^|,)-?(nan|inf)(,|$)", line), f"{file.name}: {line}"
    for file in folder.glob("*.html"):
        page = Page(file.read_text(encoding="utf-8"))
        assert page.alive == [], file.name
        words = [text for text in page.texts if len(text) < 2000]
        assert not [text for text in words if re.search(r"\b(nan|inf)\b", text)], file.name


def visit(say: Say, homes: tuple[str, ...], tries: Tries) -> None:
    for line in tries(homes):
        before = set(Path().iterdir())
        code, said = say(line)
        assert code in (0, 2), f"{line}: {said}"
        assert "Traceback" not in said
        if code == 2:
            assert said.strip().splitlines()[-1].startswith("zscape: "), f"{line}: {said}"
            assert set(Path().iterdir()) == before, line
            tries.of_which["refused"] = tries.of_which.get("refused", 0) + 1
    check_files(Path())


def begin(say: Say, folder: Path, what: str) -> None:
    save(folder / "some.npz", what)
    latent_dim = 1 if what == "one latent neuron" else 3
    code, said = say(
        f"train --data some.npz --out run --network mlp --latent-dim {latent_dim} --epochs 1 "
        "--batch-size 8 --optimizer adam"
    )
    assert code == 0, said


@pytest.mark.attack(PART, "a strange set of images, in a few homes")
@pytest.mark.parametrize("what", QUICK)
def test_a_strange_set_in_some_homes(what: str, say: Say, tmp_path: Path, tries: Tries) -> None:
    begin(say, tmp_path, what)
    visit(say, QUICKLY, tries)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Glyph")  # of a machine without a font for it
@pytest.mark.attack(
    PART, "a strange set of images is trained on, encoded, mapped, told of and shown"
)
@pytest.mark.parametrize("what", SETS)
def test_a_strange_set_in_every_home(what: str, say: Say, tmp_path: Path, tries: Tries) -> None:
    begin(say, tmp_path, what)
    visit(say, HOMES, tries)


OTHERS: dict[str, Callable[[Path], Any]] = {
    "one image": lambda at: np.savez(at, images=PIXELS[:1], labels=[1]),
    "two images": lambda at: np.savez(at, images=PIXELS[:2]),
    "images of another size": lambda at: np.savez(at, images=blobs(N, 20)[:, 0].numpy()),
    "images in colour": lambda at: np.savez(at, images=np.stack([PIXELS] * 3, -1)),
}


@pytest.mark.slow
@pytest.mark.attack(
    PART, "images that a model was not trained on: one, two, other sizes, in colour"
)
@pytest.mark.parametrize("what", OTHERS)
def test_other_images_in_every_home(what: str, say: Say, tmp_path: Path, tries: Tries) -> None:
    begin(say, tmp_path, "labels of text")
    OTHERS[what](tmp_path / "other.npz")
    homes = tuple(f"{line} --data other.npz" for line in HOMES)
    visit(say, homes, tries)
    if "size" in what or "colour" in what:
        assert tries.of_which["refused"] == len(HOMES)
    code, said = say("train --data other.npz --out other --epochs 1 --network mlp")
    # Of two one is held out, and a step needs two.
    assert code == (2 if what in ("one image", "two images") else 0), said


@pytest.mark.slow
@pytest.mark.attack(PART, "10,000 classes of two images each")
def test_ten_thousand_classes(say: Say, tmp_path: Path, tries: Tries) -> None:
    labels = np.arange(20_000) % 10_000
    images = np.resize(blobs(500, 8)[:, 0].numpy(), (20_000, 8, 8))
    np.savez(tmp_path / "some.npz", images=images, labels=labels)
    code, said = say(
        "train --data some.npz --out run --network mlp --latent-dim 3 --epochs 1 --batch-size 256 "
        "--optimizer adam"
    )
    assert code == 0, said
    visit(say, tuple(line for line in HOMES if "umap" not in line), tries)


@pytest.mark.slow
@pytest.mark.attack(PART, "a million images of 4 x 4 pixels are encoded and mapped")
def test_a_million_points(say: Say, tmp_path: Path, tries: Tries) -> None:
    images = np.resize(blobs(5000, 4)[:, 0].numpy(), (1_000_000, 4, 4))
    np.savez(tmp_path / "some.npz", images=images)
    code, said = say(
        "train --data some.npz --out run --network mlp --latent-dim 2 --epochs 1 --batch-size 8192 "
        "--n-train 100000 --optimizer adam"
    )
    assert code == 0, said
    visit(say, ("encode run -o t.parquet --data some.npz --split train",
                "map run --method pca -o pca.csv --split train",
                "export run -o e.html --maps pca --split train -n 10000"), tries)  # fmt: skip


class Log(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.log()


class Broken(MLPVAE):
    """A network of a user's own with a logarithm where there may be negative numbers."""

    at = "decoder"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        getattr(self, self.at).insert(1, Log())


class BrokenEncoder(Broken):
    at = "encoder"


class Itself(MLPVAE):
    def decode_logits(self, z: Tensor) -> Tensor:
        return super().decode_logits(z).log()


MADE = "makes NaN or infinity of finite numbers"
BLAMED = {
    Broken: rf"its layer decoder\.1 \(Log\) {MADE}",
    BrokenEncoder: rf"its layer encoder\.1 \(Log\) {MADE}",
    Itself: f"Itself itself, in none of its layers, {MADE}",
}


@pytest.mark.attack(PART, "a network of a user's own that makes NaN: its layer is named")
@pytest.mark.parametrize("network", BLAMED)
def test_a_layer_that_makes_nan_is_named(
    network: type[MLPVAE], tmp_path: Path, tries: Tries
) -> None:
    vae, z = network(3, (1, 16, 16)), np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3)
    images = make_splits().test
    asked: list[Callable[[], object]] = []
    if network is not BrokenEncoder:
        asked += [lambda: decode(vae, z), lambda: Kernel(vae).decode(z.tobytes())]
    else:
        asked += [lambda: encode(vae, images)]
    for ask in tries(asked):
        with pytest.raises(DataError, match=BLAMED[network]):
            ask()
    for _ in tries([0]):
        with pytest.raises(TrainingDiverged, match=f"at step 1 of 3 in epoch 1; {BLAMED[network]}"):
            zscape.train(
                make_splits(), network=network, latent_dim=3, epochs=1, batch_size=14,
                optimizer="adam", out=tmp_path / "run", progress="none",
            )  # fmt: skip
        assert not (tmp_path / "run" / "last.ckpt").exists()
