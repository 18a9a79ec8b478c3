"""Every command, told something wrong: one sentence, code 2, nothing written, nothing ignored."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from cli_helpers import save_npz

from zscape import api
from zscape.cli.app import app
from zscape.embedding import fit_map
from zscape.latents import encode
from zscape.sweeping import Sweep, Trial
from zscape.sweeping.space import config_of

Cli = Callable[..., Any]

WRONG: dict[str, dict[str, str]] = {
    "demo": {
        "--n-train 100": "--n-train goes with --train",
        "--train --n-train 1": "greater than or equal to 2",
        "--zoo": "there is no option --zoo",
    },
    "train": {
        "--data blobs.npz --out new --fit pad": "--fit goes with --resize",
        "--data blobs.npz --out new --bins 3": "--bins goes with --label",
        "--data blobs.npz --out new --on row": "--on goes with --columns",
        "--data blobs.npz --out new --stratified": "--stratified goes with --n-train or --n-test",
        "--data blobs.npz --out new --schedule constant --warmup 0.5": "--warmup is of the cosine",
        "--data blobs.npz --out new --epochs 0": "epochs must be an integer in [1, inf]",
        "--data blobs.npz --out new --go-on --overwrite": "which --overwrite would replace",
        "--data blobs.npz --out run --go-on": "run holds a run of other options",
        "--data blobs.npz --out new --shuffle twice": "'twice' is not one of",
        "--data thesis --out new": "holds nothing that images can be read from",
    },
    "sweep run": {
        "": "Missing option",
        "--data blobs.npz --out new --latent-dims 2": "did you mean --latent-dim?",
        "--data blobs.npz --out new --latent-dim 2,0": "latent_dim must be an integer in [1",
        "--data blobs.npz --out new --latent-dim 2..9": "a grid needs values",
        "--data blobs.npz --out new --fit pad": "--fit goes with --resize",
        "--data blobs.npz --out new --latent-dim 2,3 --trials 3": "leave out trials",
        "--data blobs.npz --out new --address auto": "address goes with engine ray",
        "--data blobs.npz --out run --latent-dim 2,3": "not empty and not a sweep",
        "--data blobs.npz --out new --seeds 1001": "1,001 trials, and more than 1,000",
    },
    "sweep resume": {
        "": "Missing argument",
        "nowhere": "nowhere is no folder",
        "run": "run is no sweep",
    },
    "sweep status": {
        "": "Missing argument",
        "nowhere": "nowhere is no folder",
        "run": "run is no sweep",
    },
    "sweep show": {
        "run": "run is no sweep",
        "nowhere -o a.txt": "give the file a name",
        "begun": "no trial of begun has finished yet",
    },
    "sweep best": {
        "": "Missing argument",
        "run": "run is no sweep",
        "begun": "no trial of begun has finished yet",
    },
    "encode": {
        "run -o a.xlsx": ".npz, .parquet, .h5ad or .csv",
        "run -o a.npz --split dev": "'dev' is not one of",
        "nowhere -o a.npz": "there is no file nowhere",
        "run -o new": "say where the shards are with --data",
        "run -o new --data thesis": "thesis holds no shards",
        "run -o run --data thesis": "thesis holds no shards",
        "run -o new --data thesis --address auto": "address goes with engine ray",
        "run -o a.csv --engine ray": "a.csv is one table, written here; leave out --engine",
    },
    "reconstruct": {
        "run -o a.gif": ".png or .svg",
        "run -o a.png --data nowhere": "'nowhere', which is no file or folder",
        "run -o a.png -n 0": "greater than or equal to 1",
    },
    "sample": {
        "run -o deep/a.png": "cannot write deep/a.png",
        "run -o a.png --seed -1": "greater than or equal to 0",
        "notes.txt -o a.png": "weights must be .safetensors",
    },
    "loss": {
        "nowhere -o a.png": "there is no run folder nowhere",
        "run -o a.csv": ".png or .svg",
        "run -o a.png --scale cubic": "'cubic' is not one of",
    },
    "film": {
        "run -o a.mp4": ".gif, .png, .svg",
        "run -o a.gif --moments 3": "no .png or .svg is written; leave out --moments",
        "run --map mercator": "mercator",
        "run": "run has no snapshots; they are kept along a training with --snapshots 20",
        "zoo:2": "zoo:2 has no snapshots; a film is of a run",
    },
    "info": {
        "nowhere": "there is no file nowhere",
        "thesis": "thesis is not a run",
        "zoo:11": "got zoo:11",
        "zoo:2 --network mlp": "takes no network of your own",
    },
    "architecture": {
        "": "a trained model (zoo:10, a run), or --network",
        "zoo:2 --network mlp": "takes no network of your own",
        "run --image-shape 1,8,8": "either a trained model or options",
        "--network mlp --image-shape 8x8": "C,H,W",
    },
    "report": {
        "run -o a.pdf": ".html",
        "run -o a.html --data nowhere": "'nowhere', which is no file or folder",
        "run -o notes.txt/a.html": "cannot write notes.txt/a.html",
    },
    "explore": {
        "run --port 99999": "less than or equal to 65535",
        "run --maps tsne,": "names with commas between",
        "run --maps star": "map method must be one of",
        "run --weights f64": "'f64' is not one of",
        "run -n 61": "61",
        "run --film": "run has no snapshots",
        "run zoo:2": "only models of the same images can be compared",
        "zoo:2 zoo:3 --film": "--film shows one run",
        "zoo:2 zoo:3 --label x": "several models are compared as they are",
    },
    "export": {
        "zoo:kld --against mnist -o a.html": "one model is shown on two sets of images",
        "run -o a.png": ".html",
        "run -o a.html --maps star": "map method must be one of",
        "run -o a.html -n 0": "greater than or equal to 1",
    },
    "walk random": {
        "run -o a.gif": ".png, .svg, .json, .csv, .parquet or .npz",
        "run -n 0": "greater than or equal to 1",
        "run --seed x": "valid integer",
    },
    "walk decode": {
        "run": "Missing argument 'VECTORS'",
        "run [1,2]": "3",
        "run origin --data blobs.npz -o a.png": "no image is looked at; leave out --data",
        "run origin --split train": "no image is looked at; leave out --split",
        "run origin --table latents.npz": "no image is looked at; leave out --table",
        "run none.json": "none.json",
    },
    "walk line": {
        "run --from origin": "a line needs both its ends",
        "run --from origin --to proto:9": "class must be one of 0, 1, 2; got '9'",
        "run --from origin --to [1,1,1] --seconds 4": "no .gif is written; leave out --seconds",
        "run --from origin --to [1,1,1] --steps 0": "greater than or equal to 1",
    },
    "walk along": {
        "run --column age": "age",
        "run --between 0 0": "values that differ",
        "run --between 0 1 --steps 1": "greater than or equal to 2",
        "run --between 0 1": "at least 10 images; the smaller has",
    },
    "walk traverse": {
        "run z3": "z3",
        "run 0 --range 3 -3": "two finite numbers, rising",
        "run 0 --values 1,2 --steps 4": "--values says every value; leave out --steps",
        "run 0 --values 1,2 --range 0 1": "--values says every value; leave out --range",
        "run 0 --seconds 2 -o a.png": "no .gif is written; leave out --seconds",
    },
    "walk progression": {
        "run --neurons 0,9": "9",
        "run --values a": "numbers like",
        "run --values 1,2 --steps 4": "--values says every value; leave out --steps",
    },
    "walk manifold": {
        "run --neurons 0": "two",
        "run --quantiles --range -1 1": "--quantiles says how far the sheet reaches",
        "run --range nan 1": "two finite numbers, rising",
    },
    "walk prototypes": {
        "run --method mode": "'mode' is not one of",
        "run -n 61": "-n must be in [1, ",
        "run -o a.gif": "give the file a name",
    },
    "walk arithmetic": {
        "run": "Missing argument 'SUM'",
        "run image:99": "must be an integer in [0, ",
        "run origin --data blobs.npz": "no image is looked at; leave out --data",
    },
    "walk around": {
        "run --radius nan": "radius",
        "run -n 0": "greater than or equal to 1",
        "run --at [1,2]": "3",
    },
    "walk nearest": {
        "run -k 0": "greater than or equal to 1",
        "run -k 99": "99",
        "run --table notes.txt": "notes.txt",
    },
    "map draw": {
        "run": "this needs a file to write",
        "run -o a.png --method star": "map method must be one of",
        "run -o a.png --set n_neighbors": "--set takes NAME=VALUE",
        "run -o a.csv --color z1": "no .png or .svg is written; leave out --color",
        "map.safetensors -o a.png --split test": "leave out --split",
        "map.safetensors -o a.png --seed 1": "leave out --seed",
        "map.safetensors -o a.png --network mlp": "leave out --network",
        "map.safetensors -o a.png --method tsne -n 5": "leave out --method, -n",
    },
    "map decode": {
        "run": "give either --line X0,Y0 X1,Y1 or points",
        "run --point 1": "a point of the map is X,Y",
        "run --point 1,1 --steps 4": "--point says every point; leave out --steps",
        "run --point 1,1 --inverse far": "inverse must be one of",
        "run --point 1,1 --seconds 1": "no .gif is written; leave out --seconds",
        "run --point 1,1 --map map.safetensors --split test": "leave out --split",
    },
    "map quality": {
        "run --methods star": "map method must be one of",
        "run --methods pca --n-neighbors 0": "greater than or equal to 1",
        "run --methods pca -o a.png": "give the file a name",
    },
    "map variance": {
        "run -o a.gif": "give the file a name",
        "map.safetensors --standardize": "leave out --standardize",
        "nowhere": "there is no file nowhere",
    },
    "map loadings": {
        "run -o a.gif": "give the file a name",
        "map.safetensors -n 5": "leave out -n",
        "run --table notes.txt": "notes.txt",
    },
    "map pairs": {
        "run": "this needs a file to write",
        "run -o a.png --neurons 0,9": "9",
        "run -o a.png --neurons 0,0": "differ",
    },
    "neurons table": {
        "run -o a.gif": "give the file a name",
        "run -n 0": "greater than or equal to 1",
        "run --table latents.npz --split train": "--split train was asked for",
        "run --rows nowhere.csv": "there is no file nowhere.csv",
        "run --rows notes.txt": "a file of columns ends in",
    },
    "neurons image": {
        "run": "this needs a file to write",
        "run -o a.png --classes x": "x",
        "run -o a.png --per-class 0": "greater than or equal to 1",
    },
    "neurons histograms": {
        "run --bars 9": "no .png or .svg is written; leave out --bars",
        "run --classes x": "x",
        "run -o a.png --bars 1": "greater than or equal to 2",
    },
    "neurons heatmap": {
        "run --layer fc99": "fc99",
        "run --measure median": "'median' is not one of",
        "run -o a.gif": "give the file a name",
    },
    "neurons correlations": {
        "run -o a.gif": "give the file a name",
        "run --data nowhere": "'nowhere', which is no file or folder",
        "run -n 61": "-n must be in [1, ",
    },
    "neurons cards": {
        "run": "this needs a file to write",
        "run -o a.png --neurons 9": "9",
        "run -o a.png --at proto:9": "9",
    },
    "neurons card": {
        "run -o a.png": "Missing argument 'neuron'",
        "run 9 -o a.png": "9",
        "run 0 -o a.csv": "give the file a name",
    },
    "neurons jacobian": {
        "run": "this needs a file to write",
        "run -o a.png --at origin --data blobs.npz": "no image is looked at; leave out --data",
        "run -o a.png --at origin -n 5": "no image is looked at; leave out -n",
        "run -o a.png --neurons 9": "9",
    },
    "neurons layers": {
        "run -o a.png": "give the file a name",
        "nowhere": "there is no file nowhere",
        "zoo:11": "got zoo:11",
    },
    "neurons selective": {
        "run --layer fc99": "fc99",
        "run -k 0": "greater than or equal to 1",
        "run -o a.png": "give the file a name",
    },
    "neurons silence": {
        "run": "Missing argument 'unit'",
        "run 9": "unit of layer z must be an integer in [0, 2]",
        "run 0 --to half": "'half' is not one of",
    },
    "neurons top": {
        "run --units 9": "unit of layer z must be an integer in [0, 2]",
        "run -k 0": "greater than or equal to 1",
        "run --layer fc99": "fc99",
    },
    "neurons maps": {
        "run -o a.png": "Missing option",
        "run --layer fc1": "this needs a file to write",
        "run --layer fc99 -o a.png": "fc99",
        "run --layer fc1 --image 99 -o a.png": "--image must be in [0, ",
    },
    "compare": {
        "run": "needs at least two models; got run alone",
        "run run -o a.txt": "ends in .csv, .json, .parquet, .md, .png, .svg or .html",
        "run run --pictures a.csv": ".png or .svg",
        "run nowhere": "there is no file nowhere",
        "run zoo:2": "cannot be compared",
        "run run": "run is there twice",
        "zoo:2 zoo:all": "zoo:2 is there twice",
    },
    "doctor": {
        "nowhere": "there is no file nowhere",
        "run -o a.pdf": "give the file a name",
        "run": "the doctor needs at least 20 images",
    },
    "evaluate": {
        "run --samples 0": "greater than or equal to 1",
        "run --binarize half": "'half' is not one of",
        "nowhere": "there is no file nowhere",
    },
    "probe": {
        "nowhere": "there is no file nowhere",
        "run -o a.pdf": "give the file a name",
        "run --seeds 0": "greater than or equal to 1",
    },
    "disentanglement": {
        "nowhere": "there is no file nowhere",
        "run -o a.pdf": "give the file a name",
        "run -n 0": "greater than or equal to 1",
    },
    "quality": {
        "nowhere": "there is no file nowhere",
        "run -o a.pdf": "give the file a name",
        "run -n 0": "greater than or equal to 1",
    },
    "neurons columns": {
        "nowhere": "there is no file nowhere",
        "run -o a.pdf": "give the file a name",
        "run -n 0": "greater than or equal to 1",
    },
    "neurons curves": {
        "run -o a.png": "Missing option",
        "run -o a.pdf": "",
        "run -n 0": "",
    },
    "find outliers": {
        "nowhere": "there is no file nowhere",
        "run -o a.pdf": "give the file a name",
        "run -n 0": "greater than or equal to 1",
    },
    "find mislabelled": {
        "nowhere": "there is no file nowhere",
        "run -o a.pdf": "give the file a name",
        "run -n 0": "greater than or equal to 1",
    },
    "find duplicates": {
        "nowhere": "there is no file nowhere",
        "run -o a.pdf": "give the file a name",
        "run -n 0": "greater than or equal to 1",
    },
    "data info": {
        "nowhere": "'nowhere', which is no file or folder",
        "blobs.npz --fit pad": "--fit goes with --resize",
        "blobs.npz --n-train 999": "999",
    },
    "data show": {
        "blobs.npz": "Missing option",
        "blobs.npz -o a.gif": ".png or .svg",
        "blobs.npz -o a.png -n 0": "greater than or equal to 1",
    },
    "zoo list": {
        "all": "unexpected extra argument",
        "--long": "there is no option --long",
        "-o a.csv": "there is no option -o",
    },
    "zoo show": {
        "": "Missing argument",
        "11": "got zoo:11",
        "10 2": "unexpected extra argument",
    },
}  # fmt: skip
"""Command → what is typed after it → a part of the sentence."""

CASES = [(command, words) for command, cases in WRONG.items() for words in cases]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, finished_run: Path, source: Path) -> Path:
    """A run, a source, a table and a map of it, and things that are none of these."""
    here = tmp_path_factory.mktemp("wrong")
    shutil.copytree(finished_run, here / "run")
    shutil.copy(source, here / "blobs.npz")
    save_npz(here / "odd.npz", side=10)
    (here / "notes.txt").write_text("not a model")
    (here / "thesis").mkdir()
    (here / "thesis/chapter.txt").write_text("text")
    config = config_of(None, {"latent_dim": 2})
    (here / "begun").mkdir()
    Sweep(here / "begun", (Trial(config, here / "begun"),), {
        "data": None, "by": "elbo", "probes": True, "images": {}, "search": {}
    }).save()  # fmt: skip
    opened = api.load(here / "run")
    table = encode(opened.model, opened.data().test)
    table.save(here / "latents.npz")
    fit_map(table, "pca").save(here / "map.safetensors")
    return here


def commands(group: Any = None, path: tuple[str, ...] = ()) -> Iterator[str]:
    """The names of all commands."""
    group = group or typer.main.get_command(app)
    if not hasattr(group, "commands"):
        yield " ".join(path)
        return
    for name, command in group.commands.items():
        yield from commands(command, (*path, name))


def test_every_command_is_told_three_wrong_things() -> None:
    assert set(WRONG) == set(commands())
    assert [name for name, cases in WRONG.items() if len(cases) < 3] == []


@pytest.mark.parametrize(("command", "words"), CASES, ids=[" ".join(case) for case in CASES])
def test_one_sentence_code_2_and_nothing_written(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch, command: str, words: str
) -> None:
    monkeypatch.chdir(folder)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    code, out, err = cli(*command.split(), *words.split())
    assert code == 2, (out, err)
    lines = [line for line in err.splitlines() if line.strip()]
    assert len(lines) == 1, err
    assert lines[0].startswith("zscape: ")
    assert WRONG[command][words] in lines[0]
    assert "Traceback" not in err
    assert out == ""
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_flags_that_are_heeded_are_not_refused(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(folder)
    for words in (
        "walk decode run image:0 --data blobs.npz",
        "walk decode run proto:1 --table latents.npz",
        "walk line run --from image:0 --to origin --seconds 1 -o {out}/a.gif",
        "map draw run --color z1 -o {out}/a.csv -o {out}/a.png",
        "map draw run --seed 3 -o {out}/a.csv",
        "neurons jacobian run --at image:0 --split train -o {out}/a.npz",
        "neurons table run --table latents.npz --data blobs.npz",
        "data info blobs.npz --n-train 10 --stratified",
    ):
        code, _, err = cli(*words.format(out=tmp_path).split())
        assert (code, err) == (0, ""), words


def test_a_table_of_other_images_than_data_is_refused(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    np.savez("others.npz", images=np.load("blobs.npz")["images"][::-1], labels=np.arange(60) % 3)
    try:
        code, out, err = cli(
            "neurons", "table", "run", "--table", "latents.npz", "--data", "others.npz"
        )
        assert (code, out) == (2, "")
        assert err.count("\n") == 1
    finally:
        Path("others.npz").unlink()
