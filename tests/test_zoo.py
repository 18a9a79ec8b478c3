import subprocess
import sys

import pytest
import torch
from typer.testing import CliRunner

import zscape
from zscape import api
from zscape.cli.app import app
from zscape.data import load_data
from zscape.errors import CheckpointError, ConfigError
from zscape.model import mean_elbo
from zscape.zoo import cards, find_card, load_pretrained, open_card, read_cards

QUICK = ("2", "10", "10-kld4")
"""Looked at every time; all the others by ``make slow``."""


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] * (name not in QUICK)) for name in read_cards()],
)
def test_every_file_is_as_good_as_its_card_says(name):
    card = find_card(name)
    found = mean_elbo(open_card(name).model, load_data("mnist").test)
    assert found.loss(card.kld_weight) == pytest.approx(card.test_loss, abs=0.01)
    assert found.reconstruction == pytest.approx(card.reconstruction, abs=0.01)
    assert found.kl == pytest.approx(card.kl, abs=0.01)
    assert found.n_active == card.n_active
    assert abs(card.half_precision_cost) < 0.02
    assert card.run_config.model.latent_dim == card.latent_dim == len(found.kl_per_neuron)
    assert card.run_config.train.kld_weight == card.kld_weight
    assert card.epochs == card.run_config.train.epochs


def test_the_wheel_stays_small():
    weights = cards.FOLDER / cards.WEIGHTS
    files = {entry.name: len(entry.read_bytes()) for entry in weights.iterdir()}
    assert set(files) == {card.file for card in read_cards().values()}
    assert sum(files.values()) < 46e6  # and 11 MB of MNIST: under 60 MB with the code


def test_load_pretrained_is_ready_to_use():
    vae = load_pretrained(latent_dim=10)
    assert zscape.load_pretrained is load_pretrained
    assert not vae.training
    assert next(vae.parameters()).dtype == torch.float32
    assert vae.decode(torch.zeros(1, 10)).shape == (1, 1, 28, 28)


def test_what_is_not_there_is_told_with_what_is():
    with pytest.raises(ConfigError, match=r"the zoo has .*zoo:10.*; got zoo:11\."):
        load_pretrained(11)
    with pytest.raises(ConfigError, match=r"got zoo:10-kld3\."):
        load_pretrained(10, kld_weight=3.0)


def test_a_damaged_file_is_refused(tmp_path, monkeypatch):
    card = find_card("10")
    (tmp_path / cards.WEIGHTS).mkdir()
    monkeypatch.setattr(cards, "FOLDER", tmp_path)
    with pytest.raises(CheckpointError, match="no file"):
        open_card("10")
    (tmp_path / cards.WEIGHTS / card.file).write_bytes(b"something else")
    with pytest.raises(CheckpointError, match=r"zoo:10 is damaged.*install zscape again"):
        open_card("10")


def test_a_name_stands_wherever_a_run_does(tmp_path):
    opened = api.load("zoo:10")
    assert (opened.name, opened.run, opened.model.latent_dim) == ("zoo:10", None, 10)
    picture = tmp_path / "pairs.png"
    for arguments in (["reconstruct", "zoo:10", "-n", "3", "-o", str(picture)], ["info", "zoo:10"]):
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0, done.output
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_commands():
    def run(*arguments):
        return CliRunner().invoke(app, ["zoo", *arguments]).output

    listed = run("list")
    for name, card in read_cards().items():
        (line,) = (line for line in listed.splitlines() if line.split()[:1] == [f"zoo:{name}"])
        assert f"{card.test_loss:.2f}" in line
    assert find_card("10").sha256 in run("show", "zoo:10") == run("show", "10")
    command = [sys.executable, "-m", "zscape", "zoo", "show", "zoo:11"]
    wrong = subprocess.run(command, capture_output=True, text=True)
    assert wrong.returncode == 2
    assert len(wrong.stderr.splitlines()) == 1
