from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from cli_helpers import TINY, run, save_npz
from PIL import Image
from typer.testing import CliRunner

import zscape
from zscape import figures
from zscape.cli import app
from zscape.data import load_data
from zscape.training import Run

Cli = Callable[..., Any]


def invoke(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def check_png(path: Path) -> None:
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 100


def test_version_through_the_runner_and_installed() -> None:
    assert invoke("--version").output == f"zscape {zscape.__version__}\n"
    done = run("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"zscape {zscape.__version__}\n", "")


@pytest.mark.parametrize("command", ["train", "reconstruct", "sample", "info", "demo", "data info"])
def test_every_command_has_help(command: str) -> None:
    result = invoke(*command.split(), "--help")
    assert result.exit_code == 0
    assert "Usage" in result.output


def test_help_of_train_holds_every_option() -> None:
    text = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["train", "--help"]).output
    for config in (zscape.DataConfig, zscape.ModelConfig, zscape.TrainConfig):
        for name, field in config.__dataclass_fields__.items():
            assert (f"--{name.replace('_', '-')}" in text) == field.metadata["is_flag"], name


@pytest.mark.parametrize("arguments", [(), ("data",)])
def test_no_command_prints_the_help_alone(cli: Cli, arguments: tuple[str, ...]) -> None:
    code, out, err = cli(*arguments)
    assert code == 2
    assert "Usage" in out + err
    assert "zscape: " not in out + err


def test_train_and_resume(source: Path, tmp_path: Path, cli: Cli) -> None:
    folder = tmp_path / "run"
    done = run("train", "--data", source, "--out", folder, *TINY)
    assert done.returncode == 0, done.stderr
    header, *epochs = done.stderr.splitlines()
    assert re.fullmatch(
        r"mlp, latent_dim 3, .*on (cpu|cuda|mps) in (32|bf16), processes: 1, threads: \d+", header
    )
    assert len(epochs) == 2
    for number, line in enumerate(epochs, 1):
        assert re.fullmatch(
            rf"epoch {number}/2  [\d,]+ images/s  running [\d.]+  train [\d.]+  test [\d.]+ "
            r"\(reconstruction [\d.]+, KL [\d.]+\)  [0-3]/3 neurons  ETA \d+:\d\d",
            line,
        )
    last = Run.open(folder).metrics()[-1]
    assert f"Test loss {last['test']['loss']:.2f} nats per image after 2 epochs" in done.stdout
    assert str(folder) in done.stdout

    code, out, _ = cli("train", "--resume", folder)
    assert (code, out) == (0, done.stdout)


def test_train_through_the_runner(source: Path, tmp_path: Path) -> None:
    result = invoke(
        "train", "--data", source, "--out", tmp_path / "run", *TINY, "--kld-weight", "0.5",
        "--n-train", "40", "--stratified", "--binarize", "dynamic", "--precision", "32",
        "--accelerator", "cpu", "--seed", "4",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    content = json.loads((tmp_path / "run" / "config.json").read_text())
    assert content["data"]["data"] == str(source)
    assert content["data"]["n_train"] == 40
    assert content["data"]["stratified"] is True
    assert content["train"]["kld_weight"] == 0.5
    assert content["train"]["seed"] == 4
    assert content["train"]["learning_rate"] == zscape.TrainConfig().learning_rate
    assert "on cpu in 32, processes: 1" in result.stderr.splitlines()[0]


def test_overwrite(source: Path, finished_run: Path, tmp_path: Path, cli: Cli) -> None:
    folder = shutil.copytree(finished_run, tmp_path / "run")
    arguments = ("train", "--data", source, "--out", folder, *TINY, "--latent-dim", "2")
    code, _, err = cli(*arguments)
    assert (code, len(err.splitlines())) == (2, 1)
    assert "already holds a run" in err
    assert cli(*arguments, "--overwrite").code == 0
    assert Run.open(folder).model().config.latent_dim == 2


def test_resume_draws_what_is_missing(finished_run: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(finished_run, tmp_path / "run"))
    for name in ("loss.png", "samples.png"):
        (folder / name).unlink()
    assert invoke("train", "--resume", folder).exit_code == 0
    check_png(folder / "loss.png")
    check_png(folder / "samples.png")


def test_data_info_counts(source: Path, cli: Cli) -> None:
    code, out, err = cli("data", "info", source, "--n-train", "24", "--stratified")
    assert (code, err) == (0, "")
    assert "images 1 x 16 x 16" in out
    n_train, n_test = map(len, load_data(source))
    values = r"values from 0\.\d+ to (1\.000|0\.99\d)"
    assert re.search(rf"train +24 of {n_train} images, {values}", out)
    assert re.search(rf"test +{n_test} images", out)
    counts = re.findall(r"^[012] +(\d+) +(\d+)$", out, re.MULTILINE)
    assert len(counts) == 3
    assert sum(int(train) for train, _ in counts) == 24
    assert sum(int(test) for _, test in counts) == n_test


def test_data_info_of_mnist() -> None:
    done = run("data", "info", "mnist", "--n-test", "500")
    assert done.returncode == 0
    assert "60000 images" in done.stdout
    assert "500 of 10000 images" in done.stdout


def test_data_show(source: Path, tmp_path: Path, cli: Cli) -> None:
    code, out, err = cli("data", "show", source, "-o", tmp_path / "a.png", "-n", 6)
    assert (code, out, err) == (0, f"Wrote {tmp_path / 'a.png'}\n", "")
    check_png(tmp_path / "a.png")
    for name, seed in (("b.png", 0), ("c.png", 1)):
        cli("data", "show", source, "-o", tmp_path / name, "-n", 6, "--seed", seed)
    same = [(tmp_path / name).read_bytes() for name in ("a.png", "b.png", "c.png")]
    assert same[0] == same[1] != same[2]
    assert cli("data", "show", source, "-o", tmp_path / "t.png", "-n", 6, "--split", "test")[0] == 0
    assert (tmp_path / "t.png").read_bytes() != same[0]


@pytest.mark.parametrize("command", ["reconstruct", "sample"])
def test_pictures_of_a_model(finished_run: Path, tmp_path: Path, cli: Cli, command: str) -> None:
    # Two draws of 4 of the run's 10 test images are alike once in 5 040 times; of 200, never.
    many = ("--data", save_npz(tmp_path / "many.npz", n=1200)) if command == "reconstruct" else ()
    pictures = []
    for number, options in enumerate([("--seed", 3), ("--seed", 3), ("--seed", 4), (), ()]):
        path = tmp_path / f"{number}.png"
        code, out, err = cli(command, finished_run, "-o", path, "-n", 4, *many, *options)
        assert (code, out, err) == (0, f"Wrote {path}\n", "")
        check_png(path)
        pictures.append(path.read_bytes())
    assert pictures[0] == pictures[1]
    assert len(set(pictures)) == 4


def test_reconstruct_from_a_file_and_other_data(
    finished_run: Path, tmp_path: Path, cli: Cli
) -> None:
    other = save_npz(tmp_path / "few.npz", n=12)
    weights = finished_run / "model.safetensors"
    for model in (finished_run, weights):
        code, _, err = cli("reconstruct", model, "-o", tmp_path / "r.png", "-n", 2, "--data", other)
        assert (code, err) == (0, "")


def test_other_data_may_be_smaller_than_the_runs_subset(
    source: Path, tmp_path: Path, cli: Cli
) -> None:
    folder = tmp_path / "run"
    cli("train", "--data", source, "--out", folder, *TINY, "--n-train", 40, "--n-test", 9)
    other = save_npz(tmp_path / "few.npz", n=12)
    arguments = ("reconstruct", folder, "-o", tmp_path / "r.png", "-n", 2, "--data", other)
    assert cli(*arguments).code == 0


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_loss(finished_run: Path, tmp_path: Path, cli: Cli, scale: str) -> None:
    picture = tmp_path / "loss.png"
    code, out, _ = cli("loss", finished_run, "-o", picture, "--scale", scale)
    assert (code, out.strip()) == (0, f"Wrote {picture}")
    drawn = figures.to_png(figures.plot_losses(Run.open(finished_run).metrics(), scale))
    assert picture.read_bytes() == drawn
    assert cli("loss", finished_run, "-o", picture, "--scale", "cubic").code == 2


def test_info_of_a_run(finished_run: Path, source: Path, cli: Cli) -> None:
    code, out, err = cli("info", finished_run)
    assert (code, err) == (0, "")
    last = Run.open(finished_run).metrics()[-1]
    n = sum(p.numel() for p in Run.open(finished_run).model().model.parameters())
    for part in (
        "finished",
        f"mlp, {n:,} parameters",
        "1 x 16 x 16",
        "bernoulli",
        str(source),
        "2 of 2 epochs, batch size 16",
        f"{last['test']['loss']:.2f} nats per image",
        f"{last['n_active']} of 3 latent neurons",
        " in " + Run.open(finished_run).environment()["precision"],
    ):
        assert part in out


def test_info_of_files(finished_run: Path, tmp_path: Path, cli: Cli) -> None:
    code, out, _ = cli("info", finished_run / "model.safetensors")
    assert code == 0
    assert "latent_dim" in out
    assert "epochs" not in out
    torch.save(zscape.EnhancedVAE(10).state_dict(), tmp_path / "published.pth")
    code, out, _ = cli("info", tmp_path / "published.pth")
    assert code == 0
    assert "enhanced, 1,543,509 parameters" in out
    assert "1 x 28 x 28" in out


def test_info_of_a_run_whose_data_is_gone(
    finished_run: Path, source: Path, tmp_path: Path, cli: Cli
) -> None:
    folder = Path(shutil.copytree(finished_run, tmp_path / "run"))
    text = (folder / "config.json").read_text().replace(str(source), str(tmp_path / "gone.npz"))
    (folder / "config.json").write_text(text)
    assert cli("info", folder).code == 0
    code, _, err = cli("reconstruct", folder, "-o", tmp_path / "r.png")
    assert (code, len(err.splitlines())) == (2, 1)
    assert "gone.npz" in err
