from __future__ import annotations

import sys

import numpy as np
import onnxruntime
import pytest
import torch

from zscape.config import ModelConfig
from zscape.errors import DataError, MissingExtraError
from zscape.explorer import onnx
from zscape.explorer.onnx import write_onnx
from zscape.model import build_model


def session(file):
    return onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])


def test_both_halves_for_any_batch(vae, images, tmp_path):
    encoder, decoder = write_onnx(vae, tmp_path / "new" / "folder")
    assert [encoder.name, decoder.name] == ["encoder.onnx", "decoder.onnx"]
    assert sorted(file.name for file in encoder.parent.iterdir()) == [decoder.name, encoder.name]
    for batch in (1, 2, 7):
        x = images[:batch].pixels()
        with torch.no_grad():
            mu, logvar = vae.encode(x)
            pictures = vae.decode(mu)
        ours = session(encoder).run(["mu", "logvar"], {"x": x.numpy()})
        assert ours[0] == pytest.approx(mu.numpy(), abs=1e-5)
        assert ours[1] == pytest.approx(logvar.numpy(), abs=1e-4)
        (drawn,) = session(decoder).run(["x"], {"z": mu.numpy()})
        assert drawn == pytest.approx(pictures.numpy(), abs=1e-5)


def test_the_enhanced_network(tmp_path):
    vae = build_model(ModelConfig(latent_dim=2, image_shape=(3, 16, 16))).eval()
    _, decoder = write_onnx(vae, tmp_path)
    z = np.array([[0.5, -1]], np.float32)
    with torch.no_grad():
        expected = vae.decode(torch.from_numpy(z)).numpy()
    assert session(decoder).run(None, {"z": z})[0] == pytest.approx(expected, abs=1e-5)


def test_a_file_that_differs_is_not_kept(vae, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx, "TOLERANCE", -1)
    with pytest.raises(DataError, match="differs from the model by"):
        write_onnx(vae, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("package", ["onnx", "onnxscript", "onnxruntime"])
def test_without_the_packages_the_extra_is_named(vae, tmp_path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"{package}: pip install 'zscape\[onnx\]'"):
        write_onnx(vae, tmp_path)
