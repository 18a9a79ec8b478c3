from __future__ import annotations

import doctest
import importlib
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import zscape
from model.contract import CONTRACT
from zscape.config import ModelConfig
from zscape.model import MLPVAE, networks

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "docs" / "examples"
PAGE = (ROOT / "docs" / "your-own-network.md").read_text()
PROGRAM = Path(sys.executable).with_name("zscape")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, flags=re.DOTALL | re.MULTILINE)


def describe(check):
    return check.__name__.removeprefix("check_")


@pytest.fixture(scope="module")
def tiny():
    """The module of the example, as someone in its folder imports it; forgotten afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXAMPLES)
        yield importlib.import_module("tiny_network")
        del sys.modules["tiny_network"]
        for name in ("tiny", "tiny_network:TinyVAE"):
            networks._table.pop(name, None)


@pytest.fixture
def noise():
    return np.random.default_rng(0).random((64, 16, 16), dtype=np.float32)


@pytest.mark.parametrize("check", CONTRACT, ids=describe)
@pytest.mark.parametrize("shape", [(1, 16, 16), (3, 20, 12)], ids=str)
def test_example_keeps_the_contract(tiny, shape, check):
    check(ModelConfig(network="tiny", latent_dim=3, image_shape=shape))


@pytest.mark.parametrize("likelihood", ["continuous-bernoulli", "gaussian", "gaussian-learned"])
def test_example_learns_under_every_likelihood(tiny, likelihood):
    step = next(check for check in CONTRACT if check.__name__ == "check_a_step_lowers_the_loss")
    step(ModelConfig(network="tiny", likelihood=likelihood, latent_dim=3, image_shape=(1, 16, 16)))


@pytest.mark.parametrize("name", ["tiny", "tiny_network:TinyVAE"])
def test_example_trains_from_python(tiny, noise, tmp_path, name):
    result = zscape.train(
        noise, network=name, latent_dim=2, epochs=1, batch_size=16, out=tmp_path / "run",
        progress="none",
    )  # fmt: skip
    assert type(result.model) is tiny.TinyVAE
    assert len(result.history) == 1
    opened = zscape.load(tmp_path / "run")
    assert type(opened.model) is tiny.TinyVAE
    state = opened.model.state_dict()
    assert all(torch.equal(state[name], w) for name, w in result.model.state_dict().items())


def test_example_trains_from_the_command_line(noise, tmp_path):
    """The very command of the page, with small data and another folder for the run."""
    (command,) = blocks("sh")
    words = shlex.split(command)
    assert words[:4] == ["zscape", "train", "--network", "tiny_network:TinyVAE"]
    np.save(tmp_path / "noise.npy", noise)
    words[0], words[words.index("--out") + 1] = str(PROGRAM), str(tmp_path / "run")
    done = subprocess.run(
        [*words, "--data", str(tmp_path / "noise.npy"), "--epochs", "1"],
        cwd=EXAMPLES, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["model"]["network"] == "tiny_network:TinyVAE"
    assert config["model"]["latent_dim"] == 2
    assert len((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()) == 1
    assert (tmp_path / "run" / "model.safetensors").is_file()


def test_page_shows_the_file_itself():
    shown = [block for block in blocks("python") if "class " in block]
    assert shown == [(EXAMPLES / "tiny_network.py").read_text()]


def test_python_of_the_page_runs(tiny, capsys, monkeypatch, tmp_path):
    """The block that trains, with fewer images."""
    (block,) = (block for block in blocks("python") if "zscape.train(" in block)
    smaller, n = re.subn(r"n_train=\d+", "n_train=64, n_test=64", block)
    assert n == 1
    monkeypatch.chdir(tmp_path)
    exec(compile(smaller, "docs/your-own-network.md", "exec"), {})
    assert re.search(r"^\d+\.\d nats per image$", capsys.readouterr().out, flags=re.MULTILINE)
    assert list(tmp_path.iterdir()) == []


def test_wrapping_of_the_page_runs():
    (block,) = (block for block in blocks("python") if "zscape.wrap(" in block)
    code, explore, _ = block.rpartition("zscape.explore(")
    assert explore
    names = {"module": MLPVAE(16), "images": np.zeros((3, 28, 28), np.uint8), "zscape": zscape}
    exec(compile(code, "docs/your-own-network.md", "exec"), names)
    assert names["table"].mu.shape == (3, 16)


def test_what_the_page_names_is_there():
    links = re.findall(r"\]\((?!https?:)([^)#]+)", PAGE)
    assert links
    for link in links:
        assert (ROOT / "docs" / link).exists(), link
    assert (ROOT / "tests" / "model" / "contract.py").is_file()


SOURCES = ROOT / "src" / "zscape"
WITH_EXAMPLES = [file for file in sorted(SOURCES.rglob("*.py")) if ">>> " in file.read_text()]


def test_there_are_docstring_examples():
    assert SOURCES / "api" / "using.py" in WITH_EXAMPLES


@pytest.mark.parametrize("file", WITH_EXAMPLES, ids=lambda file: str(file.relative_to(SOURCES)))
def test_examples_in_docstrings(file, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    parts = file.relative_to(SOURCES.parent).with_suffix("").parts
    module = importlib.import_module(".".join(part for part in parts if part != "__init__"))
    failed, attempted = doctest.testmod(module)
    assert attempted > 0
    assert failed == 0
    assert list(tmp_path.iterdir()) == [], "an example leaves files behind"


def test_the_page_of_results_is_of_the_models_that_ship():
    """The KL is in closed form: nothing is drawn, so it is that of the cards."""
    from zscape.zoo import read_cards

    page = (ROOT / "docs" / "results.md").read_text()
    _, *tables = re.split(r"(?=^\| model )", page, flags=re.MULTILINE)
    shown = []
    for table in tables:
        names, _, *rows = (
            [cell.strip(" *") for cell in line.strip("| ").split("|")]
            for line in table.splitlines() if line.startswith("|")
        )  # fmt: skip
        shown.append([dict(zip(names, row, strict=True)) for row in rows])
    cards = read_cards()
    binary, grey, samples = shown
    assert [row["model"] for row in binary] == [f"zoo:{name}" for name in cards]
    assert [row["model"] for row in samples] == [
        *(f"zoo:{name}" for name in cards),
        "training images",
    ]
    assert [row["kl"] for row in grey] == [f"{card.kl:.2f}" for card in cards.values()]
    assert [row["n_used"] for row in grey] == [f"{card.n_active}" for card in cards.values()]
    assert (ROOT / "docs" / "images" / "results.png").is_file()


def test_the_table_of_sprites_is_that_of_the_benchmark():
    """Nothing in it is typed: every cell of the page stands in the file that was measured."""
    from benchmarks import sprites

    found = json.loads(sprites.RESULTS.read_text("utf-8"))
    assert len(found) == len(sprites.SEEDS) * len(sprites.OBJECTIVES)
    made = sprites.as_markdown(found)
    assert sprites.RESULTS.with_suffix(".md").read_text("utf-8") == made

    def rows(text):
        lines = [line for line in text.splitlines() if line.startswith("| ")]
        return {line.split("|")[1].strip(" `"): line.split("|")[2:] for line in lines}

    names = {"reconstruction, nats": "reconstruction", "KL, nats": "kl", "neurons in use": "in_use"}
    page = (ROOT / "docs" / "evaluation.md").read_text()
    table = rows(page[page.index("| | β = 1") :].partition("\n\n")[0])
    assert len(table) == 11
    for name, cells in table.items():
        assert cells == rows(made)[names.get(name, name)], name


def test_the_page_of_the_zoo_shows_what_the_command_prints():
    from zscape.cli.zoo import cards_text
    from zscape.zoo import read_cards

    page = (ROOT / "docs" / "zoo.md").read_text()
    assert f"```text\n{cards_text(list(read_cards().values()))}\n```" in page
