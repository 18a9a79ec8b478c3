"""The small classifier of digits in whose features samples are compared with images."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load
from torch import Tensor, nn

FILE = "digits.safetensors"
N_FEATURES = 64
IMAGE_SHAPE = (1, 28, 28)
BATCH_SIZE = 250


class DigitClassifier(nn.Module):
    """Three convolutions and two layers: 60 000 weights, trained by ``tools/build_digits.py``.

    The header of its file says how many of the test images of MNIST it gets right.
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *_stage(1, 16), *_stage(16, 32), *_stage(32, 64),
            nn.Flatten(), nn.Linear(64 * 3 * 3, N_FEATURES), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(N_FEATURES, 10)

    def forward(self, x: Tensor) -> Tensor:
        """(n, 10) logits of pixels (n, 1, 28, 28) in [0, 1]."""
        logits: Tensor = self.head(self.features(x))
        return logits


def _stage(before: int, after: int) -> tuple[nn.Module, ...]:
    return (nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU(),
            nn.MaxPool2d(2))  # fmt: skip


@cache
def digit_classifier() -> DigitClassifier:
    """The classifier that ships, on the CPU, in evaluation mode."""
    found = DigitClassifier()
    weights = load((files("zscape.evaluation") / FILE).read_bytes())
    found.load_state_dict(weights)  # float16 becomes float32
    return found.eval().requires_grad_(False)


@cache
def digit_accuracy() -> float:
    """The share of the test images of MNIST that the classifier gets right, in [0, 1]."""
    content = (files("zscape.evaluation") / FILE).read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return float(json.loads(header["__metadata__"]["zscape"])["test_accuracy"])


def digit_features(pixels: Tensor) -> NDArray[np.float64]:
    """(n, 64) of pixels (n, 1, 28, 28) in [0, 1]: the classifier's last hidden layer."""
    classifier = digit_classifier()
    with torch.inference_mode():
        parts = [classifier.features(part) for part in torch.split(pixels, BATCH_SIZE)]
    features: NDArray[np.float64] = torch.cat(parts).double().numpy()
    return features
