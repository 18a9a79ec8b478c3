"""Train the classifier in whose features samples are judged: ``python tools/build_digits.py``.

A few minutes on one core. What ships is float16, and its header has the accuracy on the 10 000 test
images of MNIST that those weights reach; with less than 99 % nothing is written.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save
from torch.nn.functional import cross_entropy

from zscape import __version__, load_data
from zscape.data import ImageSet
from zscape.evaluation.digits import FILE, DigitClassifier
from zscape.files import write_atomic
from zscape.seeding import torch_generator

OUT = Path(__file__).parent.parent / "src" / "zscape" / "evaluation" / FILE
EPOCHS, BATCH_SIZE, RATE = 6, 128, 4e-3
FAR = 2
"""Pixels, at most, by which a batch is moved."""
ENOUGH = 0.99


def accuracy(classifier: DigitClassifier, images: ImageSet) -> float:
    """The share of ``images`` that it gets right."""
    classifier.eval()
    with torch.inference_mode():
        right = sum(
            int((classifier(x).argmax(1) == labels).sum()) for x, labels in images.batches(500)
        )
    return right / len(images)


def main() -> None:
    """Train, round to float16, measure, write."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    train, test = load_data("mnist")
    classifier = DigitClassifier()
    optimizer = torch.optim.Adam(classifier.parameters())
    n_steps = EPOCHS * -(-len(train) // BATCH_SIZE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=n_steps)
    for epoch in range(EPOCHS):
        classifier.train()
        stream = torch_generator(0, "digits", epoch)
        for x, labels in train.batches(BATCH_SIZE, stream):
            shift = torch.randint(-FAR, FAR + 1, (2,), generator=stream).tolist()
            loss = cross_entropy(classifier(x.roll(shift, (2, 3))), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        print(f"epoch {epoch}: {accuracy(classifier, test):.4f}", flush=True)
    weights = {
        name: value.half() if value.is_floating_point() else value
        for name, value in classifier.state_dict().items()
    }
    classifier.load_state_dict(weights)
    measured = accuracy(classifier, test)
    if measured < ENOUGH:
        raise SystemExit(f"{measured:.4f} of the test images are right; {ENOUGH} are needed.")
    about = {"version": __version__, "trained_on": "the 60 000 training images of MNIST",
             "test_accuracy": measured}  # fmt: skip
    write_atomic(OUT, save(weights, metadata={"zscape": json.dumps(about)}))
    print(f"Wrote {OUT}: {measured:.2%} of the test images, {OUT.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
