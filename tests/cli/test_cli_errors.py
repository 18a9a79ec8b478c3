from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_helpers import TINY, run, save_npz

from zscape import api

Cli = Callable[..., Any]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, finished_run: Path, source: Path) -> Path:
    """An empty working folder but for a run, a source, and things that are neither."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(finished_run, "run")
    shutil.copy(source, "blobs.npz")
    save_npz(Path("odd.npz"), side=10)
    np.savez("wide.npz", images=np.zeros((20, 16, 24), np.uint8))
    Path("notes.txt").write_text("not a model")
    Path("thesis").mkdir()
    Path("thesis/chapter.txt").write_text("text")
    return tmp_path


USER_ERRORS = {
    "latent_dim too small": (
        "train --out new --latent-dim 0",
        "latent_dim must be an integer in [1, 4096]; got 0.",
    ),
    "latent_dim no number": (
        "train --out new --latent-dim ten",
        "'--latent-dim': must be a valid integer",
    ),
    "unknown flag": (
        "train --out new --latentdim 3",
        "there is no option --latentdim (did you mean --latent-dim?).",
    ),
    "a flag of another program": (
        "train --out new --beta 3",
        "there is no option --beta (did you mean --kld-weight?).",
    ),
    "no flag at all": ("sample zoo:2 -q", "there is no option -q."),
    "unknown command": ("trian --out new", "No such command 'trian'"),
    "unknown network": (
        "train --out new --network resnet",
        "or your own, allowed by",
    ),
    "unimportable network": ("train --out new --network no:Such", "cannot be imported"),
    "unknown likelihood": ("train --out new --likelihood poisson", "continuous-bernoulli"),
    "unknown choice": (
        "train --out new --schedule step",
        "'step' is not one of 'cosine', 'constant'",
    ),
    "unknown accelerator": ("train --out new --accelerator tpu", "cuda, mps, cpu; got 'tpu'"),
    "unknown strategy": ("train --out new --strategy fsdp", "auto or ddp; got 'fsdp'"),
    "missing run": ("train --resume nowhere", "there is no run folder nowhere"),
    "no run": ("train --resume thesis", "thesis is not a run"),
    "neither out nor resume": ("train", "either --out RUN, to start, or --resume RUN"),
    "both out and resume": ("train --out new --resume run", "either --out RUN, to start, or"),
    "resume with options": (
        "train --resume run --latent-dim 3 --seed 1",
        "takes all settings from the run; leave out --latent-dim, --seed",
    ),
    "resume with overwrite": ("train --resume run --overwrite", "leave out --overwrite"),
    "run exists": ("train --data blobs.npz --out run", "already holds a run"),
    "foreign folder": ("train --data blobs.npz --out thesis --overwrite", "not empty and not a"),
    "out is a file": ("train --data blobs.npz --out notes.txt", "notes.txt is a file"),
    "out below a file": (
        "train --data blobs.npz --out notes.txt/run",
        "cannot write notes.txt/run",
    ),
    "data missing": ("train --data nowhere.npz --out new", "nowhere.npz"),
    "data no source": ("train --data notes.txt --out new", "notes.txt"),
    "too few images": ("train --data blobs.npz --out new --n-train 999", "asked for 999"),
    "one image": ("train --data blobs.npz --out new --n-train 1", "at least 2 images"),
    "odd shape": ("train --data odd.npz --out new", "or the mlp network (--network mlp)"),
    "wide shape": ("train --data wide.npz --out new", "or the mlp network (--network mlp)"),
    "diverged": (
        "train --data blobs.npz --out new --network mlp --learning-rate 1e30 --batch-size 8",
        "Training diverged",
    ),
    "model missing": ("info nowhere", "there is no file nowhere"),
    "no model": ("info notes.txt", "weights must be .safetensors"),
    "not a png": ("sample run -o a.jpg", "a.jpg: give the file a name that ends in .png or .svg."),
    "no suffix": ("reconstruct run -o a", "a name that ends in .png"),
    "folder missing": ("sample run -o deep/a.png", "cannot write deep/a.png: No such file"),
    "folder a file": ("sample run -o notes.txt/a.png", "cannot write notes.txt/a.png"),
    "no output": ("sample run", "Missing option"),
    "no pictures": ("sample run -o a.png -n 0", "must be greater"),
    "too many pictures": ("reconstruct run -o a.png -n 61", "n must be in [1, "),
    "data of another shape": ("reconstruct run -o a.png --data odd.npz", "(1, 16, 16)"),
    "unknown split": (
        "data show blobs.npz -o a.png --split dev",
        "'dev' is not one of 'train', 'test'",
    ),
    "negative seed": (
        "data show blobs.npz -o a.png --seed -1",
        "must be greater",
    ),
    "info of nothing": ("data info nowhere", "nowhere"),
    "data subcommand": ("data tell blobs.npz", "No such command 'tell'"),
}


@pytest.mark.parametrize(("command", "message"), USER_ERRORS.values(), ids=USER_ERRORS.keys())
def test_a_users_error_is_one_line_and_code_2(
    here: Path, cli: Cli, command: str, message: str
) -> None:
    code, out, err = cli(*command.split())
    lines = err.splitlines()
    if "diverged" in message:  # comes after the display has begun
        lines = lines[1:]
    assert code == 2
    assert out == ""
    assert len(lines) == 1, err
    assert lines[0].startswith("zscape: ")
    assert message in lines[0]
    if "diverged" not in message:
        assert not (here / "new").exists()
    assert not (here / "a.png").exists()


@pytest.mark.parametrize("name", ["unknown flag", "odd shape"])
def test_installed_program_too(here: Path, name: str) -> None:
    command, message = USER_ERRORS[name]
    done = run(*command.split(), cwd=here)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert message in done.stderr


def test_resize_is_the_way_out(here: Path, cli: Cli) -> None:
    arguments = ("train", "--data", "odd.npz", "--out", "new", "--epochs", 1, "--latent-dim", 2)
    assert cli(*arguments, "--resize", 16).code == 0


def test_damage_is_one_line(here: Path, cli: Cli) -> None:
    for path in ("run/model.safetensors", "run/last.ckpt/state.safetensors"):
        content = Path(path).read_bytes()
        Path(path).write_bytes(content[:1000])
    for command in ("info run", "sample run -o a.png", "train --resume run"):
        code, _, err = cli(*command.split())
        assert code == 2
        assert len(err.splitlines()) == 1
        assert "damaged" in err


def test_a_network_of_the_users_own_beside_him(here: Path) -> None:
    Path("mine.py").write_text(
        "from zscape.model import MLPVAE\n\n\nclass Net(MLPVAE):\n    pass\n\n\n"
        "class Other:\n    pass\n"
    )
    arguments = ("train", "--data", "blobs.npz", "--out", "new", *TINY)
    done = run(*arguments, "--network", "mine:Net", cwd=here)
    assert done.returncode == 0, done.stderr
    assert "mine:Net, latent_dim 3" in done.stderr
    done = run(*arguments, "--overwrite", "--network", "mine:Other", cwd=here)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "not a subclass" in done.stderr


def test_an_error_of_ours_keeps_its_traceback(
    here: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(api, "sample", broken)
    with pytest.raises(ZeroDivisionError, match="a bug"):
        cli("sample", "run", "-o", "a.png")


def test_an_error_of_the_users_network_keeps_its_traceback(here: Path) -> None:
    Path("mine.py").write_text(
        "from zscape.model import MLPVAE\n\n\nclass Net(MLPVAE):\n"
        "    def encode(self, x):\n        return 1 / 0\n"
    )
    done = run(
        "train", "--data", "blobs.npz", "--out", "new", *TINY, "--network", "mine:Net", cwd=here
    )
    assert done.returncode == 1
    assert 'mine.py", line 6' in done.stderr
    assert done.stderr.splitlines()[-1] == "ZeroDivisionError: division by zero"


def test_ctrl_c_outside_training_is_code_130(
    here: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(api, "load", interrupted)
    assert cli("info", "run") == (130, "", "")
