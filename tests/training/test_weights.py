from __future__ import annotations

import io
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

import zscape
from zscape.config import ModelConfig
from zscape.errors import CheckpointError, ConfigError
from zscape.model import VAE, EnhancedVAE, build_model
from zscape.notebook import load_model
from zscape.training import load_weights, save_weights

CONFIG = ModelConfig(latent_dim=4, network="mlp", image_shape=(1, 8, 8), likelihood="gaussian")


@pytest.fixture(scope="module")
def enhanced() -> EnhancedVAE:
    torch.manual_seed(0)
    vae = EnhancedVAE(latent_dim=7)
    for name, buffer in vae.named_buffers():  # as after some training
        buffer.fill_(3) if name.endswith("tracked") else buffer.uniform_(0.5, 1)
    return vae.eval()


def assert_equal_weights(vae: VAE, other: VAE) -> None:
    mine, theirs = vae.state_dict(), other.state_dict()
    assert mine.keys() == theirs.keys()
    for name, value in mine.items():
        assert value.dtype == theirs[name].dtype
        assert torch.equal(value, theirs[name]), name


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian-learned"])
@pytest.mark.parametrize(("network", "side"), [("mlp", 8), ("enhanced", 16)])
def test_round_trip(tmp_path: Path, network: str, side: int, likelihood: str) -> None:
    config = ModelConfig(5, network, likelihood, image_shape=(3, side, side))
    vae = build_model(config, seed=3)
    save_weights(vae, config, tmp_path / "m.safetensors")
    loaded = load_weights(tmp_path / "m.safetensors")
    assert loaded.config == config
    assert type(loaded.model) is type(vae)
    assert not loaded.model.training
    assert_equal_weights(loaded.model, vae)


def test_header_says_what_it_is(tmp_path: Path) -> None:
    save_weights(build_model(CONFIG), CONFIG, tmp_path / "m.safetensors")
    with safe_open(tmp_path / "m.safetensors", framework="pt") as file:
        header = json.loads(file.metadata()["zscape"])
    assert header == {
        "version": zscape.__version__,
        "model": {**CONFIG.to_dict(), "image_shape": [1, 8, 8], "condition_names": []},
    }


def test_half_precision_halves_the_file(tmp_path: Path, enhanced: EnhancedVAE) -> None:
    config = ModelConfig(latent_dim=7)
    full, half = tmp_path / "full.safetensors", tmp_path / "half.safetensors"
    save_weights(enhanced, config, full)
    save_weights(enhanced, config, half, dtype=torch.float16)
    assert half.stat().st_size < 0.51 * full.stat().st_size
    loaded = load_weights(half).model.state_dict()
    for name, value in enhanced.state_dict().items():
        assert loaded[name].dtype == value.dtype
        expected = value.half().float() if value.is_floating_point() else value
        assert torch.equal(loaded[name], expected), name


def test_channels_last_and_training_mode_do_not_matter(tmp_path: Path) -> None:
    vae = EnhancedVAE(3).to(memory_format=torch.channels_last).train()
    save_weights(vae, ModelConfig(latent_dim=3), tmp_path / "m.safetensors")
    assert_equal_weights(load_weights(tmp_path / "m.safetensors").model, vae)
    assert vae.training


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.safetensors"
    save_weights(build_model(CONFIG), CONFIG, path)
    before = path.read_bytes()
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(ConfigError, match="disk full"):
        save_weights(build_model(CONFIG, seed=1), CONFIG, path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["m.safetensors"]


@pytest.mark.parametrize("suffix", [".pth", ".pt"])
@pytest.mark.parametrize("key", [None, "state_dict", "model_state_dict"])
@pytest.mark.parametrize("is_zip", [True, False])
def test_published_weights_load(
    tmp_path: Path, enhanced: EnhancedVAE, suffix: str, key: str | None, is_zip: bool
) -> None:
    path = tmp_path / f"vae{suffix}"
    state = enhanced.state_dict()
    content: Any = state if key is None else {key: state, "epoch": 100}
    torch.save(content, path, _use_new_zipfile_serialization=is_zip)
    vae, config = load_weights(path)
    assert config == ModelConfig(latent_dim=7)
    assert_equal_weights(vae, enhanced)
    x = torch.rand(3, 1, 28, 28)
    with torch.no_grad():
        assert torch.equal(vae.encode(x)[0], enhanced.encode(x)[0])


def test_published_weights_as_safetensors_without_our_header(
    tmp_path: Path, enhanced: EnhancedVAE
) -> None:
    save_file(enhanced.state_dict(), tmp_path / "foreign.safetensors")
    vae, config = load_weights(tmp_path / "foreign.safetensors")
    assert config.latent_dim == 7
    assert_equal_weights(vae, enhanced)


@pytest.mark.parametrize(
    ("shape", "seen"), [((1, 28, 28), 28), ((3, 28, 28), 28), ((1, 64, 64), 64), ((1, 16, 16), 16)]
)
def test_image_shape_is_read_from_the_tensors(
    tmp_path: Path, shape: tuple[int, int, int], seen: int
) -> None:
    torch.save(EnhancedVAE(2, shape).state_dict(), tmp_path / "vae.pth")
    assert load_weights(tmp_path / "vae.pth").config.image_shape == (shape[0], seen, seen)


def test_what_does_not_fit_is_named(tmp_path: Path, enhanced: EnhancedVAE) -> None:
    state = dict(enhanced.state_dict())
    del state["fc1.bias"]
    state["fc9.weight"] = torch.zeros(1)
    state["fc3.weight"] = torch.zeros(512, 8)
    torch.save(state, tmp_path / "vae.pth")
    with pytest.raises(CheckpointError) as caught:
        load_weights(tmp_path / "vae.pth")
    for part in (
        "vae.pth",
        "missing fc1.bias",
        "unexpected fc9.weight",
        "fc3.weight is (512, 8) instead of (512, 7)",
    ):
        assert part in str(caught.value)


class Payload:
    """Runs code when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return Path.touch, (self.marker,)


@pytest.mark.parametrize("how", ["pickle", "zip", "legacy", "nested"])
def test_a_malicious_pickle_is_refused_and_not_run(
    tmp_path: Path, enhanced: EnhancedVAE, how: str
) -> None:
    path, marker = tmp_path / "evil.pth", tmp_path / "it-ran"
    if how == "pickle":
        path.write_bytes(pickle.dumps(Payload(marker)))
    else:
        content = {**enhanced.state_dict(), "x": Payload(marker)} if how == "nested" else (
            Payload(marker)
        )  # fmt: skip
        torch.save(content, path, _use_new_zipfile_serialization=how != "legacy")
    with pytest.raises(CheckpointError, match=r"evil\.pth was refused: .*Python code"):
        load_weights(path)
    assert not marker.exists()
    # The file would have done it: whoever unpickles it is hit.
    (pickle.loads if how == "pickle" else lambda b: torch.load(io.BytesIO(b), weights_only=False))(
        path.read_bytes()
    )
    assert marker.exists()


def test_a_whole_pickled_module_is_refused(tmp_path: Path, enhanced: EnhancedVAE) -> None:
    torch.save(enhanced, tmp_path / "module.pth")
    with pytest.raises(CheckpointError, match="refused"):
        load_weights(tmp_path / "module.pth")


@pytest.mark.parametrize("suffix", [".safetensors", ".pth", "-legacy.pth"])
@pytest.mark.parametrize("share", [0.0, 1e-6, 1e-5, 0.001, 0.3, 0.7, 0.9999])
def test_a_truncated_file_is_damaged(
    tmp_path: Path, enhanced: EnhancedVAE, suffix: str, share: float
) -> None:
    path = tmp_path / f"whole{suffix}"
    if suffix == ".safetensors":
        save_weights(enhanced, ModelConfig(latent_dim=7), path)
    else:
        is_zip = suffix == ".pth"
        torch.save(enhanced.state_dict(), path, _use_new_zipfile_serialization=is_zip)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(CheckpointError, match=r"whole.*(damaged|refused)"):
        load_weights(path)


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("seed", range(8))
def test_random_bytes_are_damaged(tmp_path: Path, suffix: str, seed: int) -> None:
    path = tmp_path / f"noise{suffix}"
    numbers = torch.randint(0, 256, (400,), generator=torch.Generator().manual_seed(seed))
    start = b"\x80\x02" if suffix == ".pth" else b""
    path.write_bytes(start + bytes(numbers.tolist()))
    with pytest.raises(CheckpointError, match=r"noise.*(damaged|refused)"):
        load_weights(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1, 2], "does not hold a state dict"),
        (torch.zeros(3), "does not hold a state dict"),
        ({"epoch": 3}, "does not hold a state dict"),
        ({}, "not the tutorial's layout"),
        ({0: torch.zeros(1)}, "not a model zscape knows"),
        (nn.Linear(2, 2).state_dict(), "not the tutorial's layout.*bias, weight"),
    ],
)
def test_other_contents_are_not_a_model(tmp_path: Path, content: Any, message: str) -> None:
    torch.save(content, tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match=message) as caught:
        load_weights(tmp_path / "other.pth")
    assert "other.pth" in str(caught.value)


@pytest.mark.parametrize(
    "header",
    [
        "no json",
        "[]",
        "{}",
        '{"model": 3}',
        '{"model": {"latent_dim": 0}}',
        '{"model": {"network": "unheard-of"}}',
        '{"model": {"image_shape": [1, 2]}}',
    ],
)
def test_a_damaged_header_is_said(tmp_path: Path, header: str) -> None:
    path = tmp_path / "m.safetensors"
    save_file({"x": torch.zeros(1)}, path, metadata={"zscape": header})
    with pytest.raises(CheckpointError, match=r"m\.safetensors is not a model zscape knows"):
        load_weights(path)


def lightning(state: dict[str, Any]) -> dict[str, Any]:
    inner = {f"model.{name}": value for name, value in state.items()}
    return {"state_dict": inner, "epoch": 3, "optimizer_states": [{"state": {}}]}


FORMS: dict[str, Any] = {
    "dataparallel.pth": lambda state: {f"module.{name}": v for name, v in state.items()},
    "compiled.pth": lambda state: {f"module._orig_mod.{name}": v for name, v in state.items()},
    "a-trainers.pt": lambda state: {"model": state, "ema": state, "epoch": 3},
    "lightning.ckpt": lightning,
    "UPPER.PTH": dict,
    "pytorch_model.bin": dict,
    "no-ending": lambda state: {"net": state, "optimizer": {"state": {}, "param_groups": []}},
}


@pytest.mark.parametrize("name", FORMS)
def test_weights_as_other_programs_leave_them(
    tmp_path: Path, enhanced: EnhancedVAE, name: str
) -> None:
    torch.save(FORMS[name](enhanced.state_dict()), tmp_path / name)
    assert_equal_weights(load_weights(tmp_path / name).model, enhanced)
    other = EnhancedVAE(7)
    assert_equal_weights(load_model(other, tmp_path / name), enhanced)


def test_safetensors_of_a_wrapped_model_under_another_ending(
    tmp_path: Path, enhanced: EnhancedVAE
) -> None:
    wrapped = {f"module.{name}": value for name, value in enhanced.state_dict().items()}
    save_file(wrapped, tmp_path / "model.bin")
    assert_equal_weights(load_weights(tmp_path / "model.bin").model, enhanced)


def test_of_several_state_dicts_none_is_guessed(tmp_path: Path, enhanced: EnhancedVAE) -> None:
    torch.save({"old": enhanced.state_dict(), "new": enhanced.state_dict()}, tmp_path / "two.pth")
    with pytest.raises(CheckpointError, match=r"two\.pth holds several state dicts \(old, new\)"):
        load_weights(tmp_path / "two.pth")


def test_missing_file_folder_and_unknown_suffix(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"there is no file .*gone\.pth"):
        load_weights(tmp_path / "gone.pth")
    (tmp_path / "folder.pth").mkdir()
    with pytest.raises(CheckpointError, match="there is no file"):
        load_weights(tmp_path / "folder.pth")
    (tmp_path / "weights.h5").write_bytes(b"x")
    with pytest.raises(CheckpointError, match=r"weights\.h5: .*\.safetensors, \.pth or \.pt"):
        load_weights(tmp_path / "weights.h5")


def test_a_header_that_promises_more_than_there_is_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_weights(build_model(CONFIG), CONFIG.replace(image_shape=(1, 2**16, 2**16)), path)
    with pytest.raises(CheckpointError, match="does not fit the model"):
        load_weights(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(tmp_path: Path, value: float) -> None:
    vae = build_model(CONFIG)
    next(vae.parameters()).data.view(-1)[3] = value
    save_weights(vae, CONFIG, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"NaN or infinity in .*: its training diverged"):
        load_weights(tmp_path / "model.safetensors")
