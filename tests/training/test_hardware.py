from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from training_helpers import EPOCHS, InterruptAt, fit_tiny, resume_tiny

from zscape.config import TrainConfig
from zscape.errors import ConfigError, MissingExtraError
from zscape.training import find_accelerator, find_precision
from zscape.training.hardware import find_environment
from zscape.training.processes import create_fabric, is_first_process


def test_auto_is_something_this_machine_has() -> None:
    found = find_accelerator("auto")
    assert find_accelerator(found) == found
    expected = "cuda" if torch.cuda.is_available() else "mps" if (
        torch.backends.mps.is_available()) else "cpu"  # fmt: skip
    assert found == expected


def test_unknown_and_absent_accelerators() -> None:
    with pytest.raises(ConfigError, match="auto or one of cuda, mps, cpu; got 'tpu'"):
        find_accelerator("tpu")
    absent = [name for name in ("cuda", "mps") if find_accelerator("auto") != name]
    for name in absent:
        with pytest.raises(ConfigError, match=f"{name} is not on this machine; use auto or cpu"):
            find_accelerator(name)


def test_precision() -> None:
    assert find_precision("32", "cpu") == "32"
    assert find_precision("bf16", "cpu") == "bf16"
    assert find_precision("auto", "mps") == "32"
    assert find_precision("auto", "cpu") in ("32", "bf16")


@pytest.mark.parametrize("precision", ["32", "bf16"])
def test_the_fabric_is_what_was_asked_for(precision: str) -> None:
    fabric = create_fabric(TrainConfig(accelerator="cpu", precision=precision))
    content = find_environment(fabric)
    assert (content["accelerator"], content["precision"], content["devices"]) == (
        "cpu", precision, 1,
    )  # fmt: skip


def test_only_the_first_process_of_the_first_machine_is_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert is_first_process()
    monkeypatch.setenv("NODE_RANK", "1")
    assert not is_first_process()


def read_scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    reader = EventAccumulator(str(folder))
    reader.Reload()
    return {
        tag: [(event.step, event.value) for event in reader.Scalars(tag)]
        for tag in reader.Tags()["scalars"]
    }


def test_tensorboard_gets_every_epoch(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    first = fit_tiny(folder, tensorboard=True, progress=InterruptAt(5))
    assert not first.is_finished
    history = resume_tiny(folder).history
    scalars = read_scalars(folder / "tensorboard")
    assert set(scalars) == {"n_active"} | {
        f"{split}/{term}"
        for split in ("running", "evaluated_train", "test")
        for term in ("loss", "reconstruction", "kl")
    }
    for split in ("running", "evaluated_train", "test"):
        for term in ("loss", "reconstruction", "kl"):
            steps, values = zip(*scalars[f"{split}/{term}"], strict=True)
            assert list(steps) == list(range(1, EPOCHS + 1))
            expected = [line[split][term] for line in history]
            assert list(values) == pytest.approx(expected, rel=1e-6)


def test_no_tensorboard_unless_asked_for(tmp_path: Path) -> None:
    fit_tiny(tmp_path / "run", epochs=1)
    assert not (tmp_path / "run" / "tensorboard").exists()


def test_missing_tensorboard_names_the_extra(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "sys.modules['tensorboard'] = sys.modules['tensorboardX'] = None\n"
        f"sys.argv = ['zscape', 'train', '--out', {str(tmp_path / 'run')!r}, '--tensorboard',\n"
        "            '--n-train', '20', '--n-test', '5']\n"
        "from zscape.cli import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "zscape: --tensorboard needs the package tensorboard: pip install 'zscape[tensorboard]'.\n"
    )
    assert not (tmp_path / "run").exists()


def test_missing_tensorboard_is_an_import_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("torch.utils.tensorboard")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(MissingExtraError) as caught:
        create_fabric(TrainConfig(tensorboard=True, accelerator="cpu"), Path("unused"))
    assert isinstance(caught.value, ImportError)
