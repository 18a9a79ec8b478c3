from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from training_helpers import EPOCHS, blobs, fit_tiny, make_config, resume_tiny

import zscape
from zscape.errors import CheckpointError, ConfigError
from zscape.model import mean_elbo
from zscape.training import Run, TrainingResult, find_precision, run

FILES = {
    "config.json", "environment.json", "last.ckpt", "loss.png", "metrics.jsonl",
    "model.safetensors", "reconstructions.png", "samples.png",
}  # fmt: skip


def train(out: Path, **options: object) -> TrainingResult:
    defaults = {"network": "mlp", "latent_dim": 3, "epochs": EPOCHS, "progress": "none"}
    return zscape.train(blobs(48), out=out, **{**defaults, **options})


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    return train(tmp_path_factory.mktemp("runs") / "deeper" / "run")


@pytest.fixture
def folder(result: TrainingResult) -> Path:
    assert result.run is not None
    return result.run.path


def test_everything_is_there_and_nothing_else(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == FILES
    assert [path.name for path in (folder / "last.ckpt").iterdir()] == ["state.safetensors"]


def test_config_is_what_was_asked_for(folder: Path, result: TrainingResult) -> None:
    content = json.loads((folder / "config.json").read_text())
    assert content["version"] == zscape.__version__
    assert content["model"]["network"] == "mlp"
    assert content["model"]["latent_dim"] == 3
    assert content["model"]["image_shape"] == [1, 16, 16]
    assert content["train"]["epochs"] == EPOCHS
    assert content["train"]["precision"] == "auto"
    assert Run.open(folder).config == result.run.config


def test_metrics_have_one_full_line_per_epoch(folder: Path, result: TrainingResult) -> None:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert lines == result.history == Run.open(folder).metrics()
    assert [line["epoch"] for line in lines] == list(range(1, EPOCHS + 1))
    n_train, n_test = (Run.open(folder).images[half]["n"] for half in ("train", "test"))
    for line in lines:
        assert set(line) == {
            "epoch", "running", "evaluated_train", "test", "kl_per_neuron", "n_active",
            "learning_rate", "seconds", "images_per_second",
        }  # fmt: skip
        images = {"running": n_train, "evaluated_train": n_train, "test": n_test}
        for split, n in images.items():
            assert set(line[split]) == {"loss", "reconstruction", "kl", "n_images"}
            assert line[split]["n_images"] == n
        assert len(line["kl_per_neuron"]) == 3
        assert sum(line["kl_per_neuron"]) == pytest.approx(line["test"]["kl"])
        assert line["n_active"] == sum(kl > 0.01 for kl in line["kl_per_neuron"])
        assert line["seconds"] >= 0


def test_weights_are_those_of_the_result(folder: Path, result: TrainingResult) -> None:
    saved = Run.open(folder).model()
    assert saved.config == result.run.config.model
    for name, value in saved.model.state_dict().items():
        assert torch.equal(value, result.model.state_dict()[name])
    data = Run.open(folder).load_data(blobs(48))
    tested = mean_elbo(saved.model, data.test)
    assert tested.loss() == pytest.approx(result.history[-1]["test"]["loss"], rel=1e-6)


def test_environment_says_what_auto_became(folder: Path) -> None:
    environment = Run.open(folder).environment()
    assert environment["accelerator"] in ("cpu", "cuda", "mps")
    assert environment["precision"] == find_precision("auto", environment["accelerator"])
    assert environment["torch"] == torch.__version__
    assert environment["threads"] == torch.get_num_threads()
    assert environment["devices"] == 1


@pytest.mark.parametrize("precision", ["32", "bf16"])
def test_environment_says_what_was_asked_for(tmp_path: Path, precision: str) -> None:
    result = fit_tiny(tmp_path / "run", precision=precision, epochs=1)
    assert result.run.environment()["precision"] == precision


@pytest.mark.parametrize("name", ["loss.png", "reconstructions.png", "samples.png"])
def test_pictures_are_pictures(folder: Path, name: str) -> None:
    with Image.open(folder / name) as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 200
        low, high = picture.convert("L").getextrema()
        assert low < 100 < 200 < high


def test_files_are_readable_as_the_umask_says(folder: Path) -> None:
    plain = folder.parent / "plain"
    plain.touch()
    assert (folder / "model.safetensors").stat().st_mode == plain.stat().st_mode


def test_an_existing_run_is_not_overwritten_unasked(run_copy: Path) -> None:
    before = {path: path.read_bytes() for path in run_copy.rglob("*") if path.is_file()}
    with pytest.raises(ConfigError, match="already holds a run; resume it, choose another folder"):
        fit_tiny(run_copy)
    assert before == {path: path.read_bytes() for path in run_copy.rglob("*") if path.is_file()}


def test_overwriting_replaces_our_files_and_no_others(run_copy: Path) -> None:
    (run_copy / "notes.txt").write_text("mine")
    (run_copy / "latents").mkdir()
    (run_copy / "latents" / "a.npy").write_bytes(b"mine too")
    for name in ("report.html", "loss.png"):
        (run_copy / name).write_bytes(b"of the old run")
    (run_copy / "tensorboard").mkdir()
    fit_tiny(run_copy, epochs=1, latent_dim=2, overwrite=True)
    run = Run.open(run_copy)
    assert len(run.metrics()) == 1
    assert run.model().config.latent_dim == 2
    assert {path.name for path in run_copy.iterdir()} == {
        "config.json", "environment.json", "last.ckpt", "metrics.jsonl", "model.safetensors",
        "notes.txt", "latents",
    }  # fmt: skip
    assert (run_copy / "notes.txt").read_text() == "mine"
    assert (run_copy / "latents" / "a.npy").read_bytes() == b"mine too"


@pytest.mark.parametrize(
    "options",
    [
        {"accelerator": "abacus"},
        {"strategy": "abacus"},
        {"network": "abacus"},
        {"likelihood": "abacus"},
        {"batch_size": 2, "devices": 2},
    ],
)
def test_a_setting_that_cannot_be_met_costs_no_old_run(
    run_copy: Path, tmp_path: Path, options: dict[str, object]
) -> None:
    before = (run_copy / "model.safetensors").read_bytes()
    with pytest.raises(ConfigError, match=r"abacus|2 images"):
        fit_tiny(run_copy, overwrite=True, **options)
    assert (run_copy / "model.safetensors").read_bytes() == before
    assert Run.open(run_copy).metrics()
    with pytest.raises(ConfigError):
        fit_tiny(tmp_path / "new", **options)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "config", [None, "", "[]", '{"architectures": ["GPT2"]}', '{"data": 1, "train": 2}']
)
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_foreign_folder_is_never_touched(
    tmp_path: Path, overwrite: bool, config: str | None
) -> None:
    folder = tmp_path / "thesis"
    folder.mkdir()
    (folder / "model.safetensors").write_text("years of work")
    if config is not None:  # other programs call their settings so as well
        (folder / "config.json").write_text(config)
    with pytest.raises(ConfigError, match="is not empty and not a run; choose another folder"):
        fit_tiny(folder, overwrite=overwrite)
    assert (folder / "model.safetensors").read_text() == "years of work"
    assert len(list(folder.iterdir())) == 1 + (config is not None)


def test_an_empty_folder_is_welcome(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    assert fit_tiny(tmp_path / "run", epochs=1).is_finished


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")
    with pytest.raises(ConfigError, match="run is a file; a run needs a folder"):
        fit_tiny(tmp_path / "run", overwrite=True)
    assert (tmp_path / "run").read_text() == "a file"


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"cannot write .*run: Not a directory"):
        fit_tiny(tmp_path / "file" / "below" / "run")


def test_opening_what_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"there is no run folder .*nowhere"):
        Run.open(tmp_path / "nowhere")
    with pytest.raises(CheckpointError, match="is empty: no training has begun there; start one"):
        Run.open(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(CheckpointError, match=r"is not a run: it has no config\.json"):
        Run.open(tmp_path)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def garble(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00 not text")


@pytest.mark.parametrize("damage", [truncate, empty, garble])
def test_a_damaged_config(run_copy: Path, damage: Callable[[Path], None]) -> None:
    damage(run_copy / "config.json")
    with pytest.raises(CheckpointError, match=r"config\.json is damaged"):
        Run.open(run_copy)


@pytest.mark.parametrize("content", ["[]", "3", "{}", '{"data": {}, "model": {}, "train": []}'])
def test_a_config_of_another_kind(run_copy: Path, content: str) -> None:
    (run_copy / "config.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"config\.json is damaged"):
        Run.open(run_copy)


def test_a_config_out_of_range(run_copy: Path) -> None:
    text = (run_copy / "config.json").read_text()
    (run_copy / "config.json").write_text(text.replace('"epochs": 3', '"epochs": 0'))
    with pytest.raises(CheckpointError, match=r"config\.json is damaged: epochs must be"):
        Run.open(run_copy)


def test_a_running_mean_that_was_called_train_is_called_running(run_copy: Path) -> None:
    expected = Run.open(run_copy).metrics()
    file = run_copy / "metrics.jsonl"
    file.write_text(file.read_text().replace('"running"', '"train"'))
    assert Run.open(run_copy).metrics() == expected
    assert "train" not in expected[0]


@pytest.mark.parametrize(
    ("name", "damage"),
    [("metrics.jsonl", garble), ("environment.json", garble), ("environment.json", truncate)],
)
def test_damaged_records(run_copy: Path, name: str, damage: Callable[[Path], None]) -> None:
    damage(run_copy / name)
    run = Run.open(run_copy)
    with pytest.raises(CheckpointError, match=f"{name} is damaged"):
        run.metrics() if name == "metrics.jsonl" else run.environment()


def test_an_epoch_writes_no_more_late_than_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[tuple[str, int]] = []

    def note(real: Callable[..., None], path: Path, data: str) -> None:
        written.append((path.name, len(data)))
        real(path, data)

    for name in ("append", "write_atomic"):
        monkeypatch.setattr(run, name, partial(note, getattr(run, name)))
    fit_tiny(tmp_path / "run", epochs=8)
    sizes = [n for name, n in written if name == "metrics.jsonl"]
    assert len(sizes) == 8
    assert max(sizes) < 1.5 * min(sizes)


def test_a_line_that_a_kill_cut_is_left_out_and_said(
    run_copy: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = Run.open(run_copy).metrics()
    file = run_copy / "metrics.jsonl"
    file.write_bytes(file.read_bytes()[:-9])
    assert Run.open(run_copy).metrics() == whole[:-1]
    assert "metrics.jsonl ends within a line, which is left out" in caplog.text


def test_metrics_that_lost_lines_are_not_continued(run_copy: Path) -> None:
    lines = (run_copy / "metrics.jsonl").read_text().splitlines(keepends=True)
    (run_copy / "metrics.jsonl").write_text("".join(lines[:-1]))
    with pytest.raises(CheckpointError, match=r"metrics\.jsonl is damaged: it has 2 lines"):
        resume_tiny(run_copy)


@pytest.mark.parametrize("damage", [truncate, empty, garble])
def test_a_damaged_checkpoint(run_copy: Path, damage: Callable[[Path], None]) -> None:
    damage(run_copy / "last.ckpt" / "state.safetensors")
    with pytest.raises(CheckpointError, match=r"state\.safetensors is damaged"):
        resume_tiny(run_copy)


@pytest.mark.parametrize("damage", [truncate, empty, garble])
def test_damaged_weights(run_copy: Path, damage: Callable[[Path], None]) -> None:
    damage(run_copy / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"model\.safetensors is damaged"):
        Run.open(run_copy).model()


@pytest.mark.parametrize("counters", [None, {}, {"counters": "no json"}, {"counters": "{}"}])
def test_a_file_that_is_no_checkpoint(run_copy: Path, counters: dict[str, str] | None) -> None:
    save_file(
        {"x": torch.zeros(1)}, run_copy / "last.ckpt" / "state.safetensors", metadata=counters
    )
    with pytest.raises(CheckpointError, match=r"no checkpoint|another model"):
        resume_tiny(run_copy)


def test_a_checkpoint_of_another_model(run_copy: Path, tmp_path: Path) -> None:
    fit_tiny(tmp_path / "other", latent_dim=5, epochs=1)
    shutil.copytree(tmp_path / "other" / "last.ckpt", run_copy / "last.ckpt", dirs_exist_ok=True)
    with pytest.raises(CheckpointError, match="checkpoint is of another model"):
        resume_tiny(run_copy)


def test_a_checkpoint_without_an_average(run_copy: Path, tmp_path: Path) -> None:
    fit_tiny(tmp_path / "plain", ema=0.0, epochs=1)
    shutil.copytree(tmp_path / "plain" / "last.ckpt", run_copy / "last.ckpt", dirs_exist_ok=True)
    with pytest.raises(CheckpointError, match="checkpoint is of another model"):
        resume_tiny(run_copy)


def test_a_checkpoint_without_optimiser_state(run_copy: Path) -> None:
    from safetensors import safe_open

    path = run_copy / "last.ckpt" / "state.safetensors"
    with safe_open(path, framework="pt") as file:
        names = [name for name in file.keys() if not name.startswith("optimizer.")]  # noqa: SIM118
        tensors, header = {name: file.get_tensor(name) for name in names}, file.metadata()
    save_file(tensors, path, metadata=header)
    with pytest.raises(CheckpointError, match="checkpoint is of another model"):
        resume_tiny(run_copy)


def test_a_run_without_weights_says_so(run_copy: Path) -> None:
    (run_copy / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match="has no trained model yet; resume its training"):
        Run.open(run_copy).model()


def test_nothing_is_written_without_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = fit_tiny(epochs=1)
    assert result.run is None
    assert list(tmp_path.iterdir()) == []


def test_the_folder_moves_with_its_contents(run_copy: Path, tmp_path: Path) -> None:
    moved = run_copy.rename(tmp_path / "moved")
    told = make_config(epochs=EPOCHS, image_shape=(1, 16, 16), shuffle="listed")
    assert Run.open(moved).config == told
    assert resume_tiny(moved).is_finished


def test_metrics_are_not_read_again_after_every_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or epochs take longer and longer."""
    real, n_read = Run.metrics, 0

    def metrics(run: Run) -> object:
        nonlocal n_read
        n_read += 1
        return real(run)

    monkeypatch.setattr(Run, "metrics", metrics)
    fit_tiny(tmp_path / "run")
    assert n_read == 0
    assert len(Run.open(tmp_path / "run").metrics()) == EPOCHS
