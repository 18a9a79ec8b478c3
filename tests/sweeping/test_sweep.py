"""A sweep in this process: what it keeps, what it says, and what it does about accidents."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

import zscape
from training.training_helpers import blobs
from zscape.errors import CheckpointError, ConfigError, DataError, DiskFull
from zscape.sweeping import Sweep, local, resume_sweep
from zscape.sweeping.folder import LOCK
from zscape.sweeping.search import Queue, Search
from zscape.training import Run

TINY = {
    "network": "mlp", "epochs": 1, "batch_size": 16, "optimizer": "adam", "precision": "32",
    "workers": 0, "progress": "lines",
}  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "blobs.npz"
    np.savez(path, images=blobs(60)[:, 0].numpy(), labels=np.arange(60) % 3)
    return path


@pytest.fixture(scope="module")
def finished(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    """Two sizes under two seeds, and at a rate at which both diverge; not to be changed."""
    return zscape.sweep(
        data, out=tmp_path_factory.mktemp("sweep"), latent_dim=[2, 3], seeds=2,
        learning_rate="1e-3,1e30", **TINY,
    )  # fmt: skip


def written(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_diverged_trials_are_marked_and_the_rest_goes_on(finished):
    frame = finished.frame()
    bad = frame["learning_rate"] > 1
    assert (frame["status"] == np.where(bad, "diverged", "finished")).all()
    assert frame.loc[bad, "why"].str.contains("stopped being finite|not finite").all()
    assert frame.loc[~bad, "elbo"].notna().all()
    assert frame.loc[bad, "elbo"].isna().all()
    assert finished.counts["diverged"] == finished.counts["finished"] == 4
    assert repr(finished).startswith("Sweep(8 trials, 4 finished, 4 diverged, best ")


def test_a_trial_is_a_run_that_every_verb_takes_and_compare_measures_the_same(finished):
    frame = finished.finished()
    first, second = (finished.folder / "trials" / name for name in frame["trial"][:2])
    compared = zscape.compare([first, second])
    for name in ("elbo", "reconstruction", "kl", "n_used", "linear", "neighbours"):
        assert np.allclose(compared[name], frame[name][:2], rtol=1e-5), name
    assert zscape.load(finished.best.folder).model.latent_dim in (2, 3)


def test_the_best_is_that_of_the_mean_over_seeds(finished):
    table, frame = finished.table(), finished.finished()
    means = frame.groupby("latent_dim")["elbo"].mean()
    assert table["latent_dim"].tolist() == means.sort_values().index.tolist()
    assert np.allclose(table["elbo"], means.sort_values())
    own = frame[frame["latent_dim"] == table["latent_dim"][0]]
    assert finished.best.name == own.loc[own["elbo"].idxmin(), "trial"]
    assert f"latent_dim {table['latent_dim'][0]}" in finished.verdict()
    assert "over seeds" in finished.verdict()


def test_again_it_trains_nothing(finished, data):
    before = written(finished.folder / "trials")
    again = zscape.sweep(
        data, out=finished.folder, latent_dim="2,3", seeds=2, learning_rate="1e-3,1e30", **TINY
    )
    assert written(finished.folder / "trials") == before
    assert again.counts == finished.counts
    assert resume_sweep(finished.folder, workers=0).counts == finished.counts
    assert written(finished.folder / "trials") == before


def test_more_values_are_more_trials_and_a_killed_one_goes_on(data, tmp_path, capsys):
    options = {**TINY, "latent_dim": 2, "epochs": 2}
    whole = zscape.sweep(data, out=tmp_path / "whole", **options)
    killed = tmp_path / "killed"
    real = Run.save_checkpoint

    def die(self, trainer):
        real(self, trainer)
        raise KeyboardInterrupt  # as sudden as a signal that nobody heeds

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "save_checkpoint", die)
        with pytest.raises(KeyboardInterrupt):
            zscape.sweep(data, out=killed, **options)
    left = Sweep.open(killed)
    assert left.statuses == ("stopped",)
    assert len(Run.open(left.trials[0].folder).metrics()) == 1
    capsys.readouterr()
    more = zscape.sweep(data, out=killed, **{**options, "latent_dim": "2,3"})
    assert more.counts["finished"] == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[0] for line in lines] == ["1/2", "2/2"]
    name = whole.trials[0].name
    one, other = (s.folder / "trials" / name / "model.safetensors" for s in (whole, more))
    assert one.read_bytes() == other.read_bytes()


def test_a_full_disk_ends_it_and_room_lets_it_go_on(data, tmp_path, monkeypatch):
    def full(self, trainer):
        with work_writing(self.path):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    from zscape.files import writing as work_writing

    with monkeypatch.context() as patch:
        patch.setattr(Run, "save_checkpoint", full)
        with pytest.raises(DiskFull, match="No space left"):
            zscape.sweep(data, out=tmp_path / "s", latent_dim=[2, 3], **TINY)
    assert Sweep.open(tmp_path / "s").statuses == ("stopped", "waiting")
    assert resume_sweep(tmp_path / "s", workers=0).counts["finished"] == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"latent_dim": range(1, 2000)}, "1,999 trials, and more than 1,000"),
        ({"latent_dim": [2, 0]}, r"latent_dim must be an integer in \[1"),
        ({"latent_dims": 2}, "did you mean latent_dim"),
        ({"network": ["mlp", "cnn"]}, "network must be one of"),
        ({"batch_size": [16, 2**20], "n_train": 1}, "at least 2 images"),
        ({"n_train": [10, 10_000]}, "10,?000"),
        ({"schedule": ["cosine", "constant"], "warmup": 0.2}, "warmup is of the cosine"),
        ({"learning_rate": "1e-3..1e9", "search": "random"}, "how many"),
        ({"ema": "0.1..2", "search": "random", "trials": 3}, "ema must be a finite number"),
        ({"accelerator": "tpu"}, "accelerator must be"),
        ({"by": "beauty"}, "by must be one of"),
        ({"engine": "slurm"}, "engine must be one of"),
        ({"seeds": 0}, "seeds must be at least 1"),
        ({"seed": [1, 2], "seeds": 3}, "not both"),
        ({"workers": -1}, "workers must be"),
        ({"gpus_per_trial": 2.0}, "gpus_per_trial must be"),
        ({"progress": "loud"}, "progress must be one of"),
    ],
    ids=str,
)
def test_what_is_wrong_is_said_before_anything_is_trained(data, tmp_path, options, said):
    with pytest.raises((ConfigError, DataError), match=said):
        zscape.sweep(data, out=tmp_path / "new", **{**TINY, **options})
    assert not list(tmp_path.rglob("trials"))


def test_a_folder_of_something_else_is_left_alone(finished, data, tmp_path):
    with Sweep.open(finished.folder).held():
        assert Sweep.open(finished.folder).is_running
        with pytest.raises(ConfigError, match=f"{finished.folder} is being run by process"):
            resume_sweep(finished.folder, workers=0)
    assert not Sweep.open(finished.folder).is_running
    assert not (finished.folder / LOCK).exists()
    np.savez(tmp_path / "others.npz", images=blobs(60, seed=9)[:, 0].numpy())
    with pytest.raises(DataError, match="over other images"):
        zscape.sweep(tmp_path / "others.npz", out=finished.folder, latent_dim=2, **TINY)
    with pytest.raises(ConfigError, match="not empty and not a sweep"):
        zscape.sweep(data, out=finished.best.folder, latent_dim=2, **TINY)
    with pytest.raises(CheckpointError, match="no sweep"):
        Sweep.open(finished.best.folder)


def test_a_network_that_no_other_process_finds_is_refused(data, tmp_path, monkeypatch):
    from zscape.model import MLPVAE

    mine = type("Mine", (MLPVAE,), {"__module__": "__main__"})
    with pytest.raises(ConfigError, match="__main__:Mine cannot be found by the processes"):
        zscape.sweep(data, out=tmp_path / "s", **{**TINY, "network": mine, "workers": None})


def test_places_have_their_share_of_the_machine(monkeypatch):
    monkeypatch.setattr(local.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(local.sys, "platform", "linux")
    assert local.find_places("cpu", 100) == local.Places(1, (None,) * 8)
    assert local.find_places("cpu", 3) == local.Places(2, (None,) * 3)
    assert local.find_places("cpu", 100, workers=2) == local.Places(4, (None,) * 2)


def test_a_search_that_asks_is_gone_on_with_where_it_was(data, tmp_path):
    options = {**TINY, "progress": "none", "learning_rate": "1e-4..1e-2:log", "search": "optuna"}
    two = zscape.sweep(data, out=tmp_path / "s", trials=2, **options)
    three = zscape.sweep(data, out=tmp_path / "s", trials=3, **options)
    assert [t.name for t in three.trials[:2]] == [t.name for t in two.trials]
    assert three.counts["finished"] == 3
    plan = Search.from_dict(str(data), three.plan["search"])
    assert Queue(three, plan).next() is None


def test_trials_in_processes_of_their_own_come_to_the_same(finished, data, tmp_path, monkeypatch):
    """The one test of the fast lane that starts processes; the killing ones are slow."""
    monkeypatch.setattr(local, "find_places", lambda *_, **__: local.Places(1, (None,)))
    apart = zscape.sweep(
        data, out=tmp_path / "s", latent_dim=[2, 3], learning_rate=1e-3,
        **{**TINY, "workers": 1, "progress": "none"},
    )  # fmt: skip
    assert apart.counts["finished"] == 2
    for trial in apart.trials:
        same = finished.folder / "trials" / trial.name / "model.safetensors"
        assert (trial.folder / "model.safetensors").read_bytes() == same.read_bytes()


def test_the_page_has_the_answer_the_figures_and_every_trial(finished, tmp_path):
    page = finished.write_page(tmp_path / "a.html").read_text()
    assert finished.verdict() in page
    assert page.count("<img ") == 3
    assert all(trial.name in page for trial in finished.trials)
    for section in ("The answer", "What it depends on", "Pixels against code", "The same images"):
        assert f"<h2>{section}</h2>" in page
    assert '="http' not in page


def test_an_array_is_swept_too_and_its_page_asks_for_it(tmp_path):
    images = blobs(60)[:, 0].numpy()
    found = zscape.sweep(images, out=tmp_path / "s", latent_dim=[2, 3], **TINY)
    assert "linear" not in found.frame()
    assert "trained on an array from Python" in found.write_page().read_text()
    assert "<h2>The same images</h2>\n<figure" in found.write_page(data=images).read_text()
    with pytest.raises(ConfigError, match="begun on an array"):
        resume_sweep(found.folder)
    assert resume_sweep(found.folder, images, workers=0).counts["finished"] == 2
