from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.optim.optimizer import register_optimizer_step_pre_hook
from training_helpers import (
    EPOCHS,
    STEPS,
    assert_same_outcome,
    blobs,
    fit_tiny,
    make_splits,
    resume_tiny,
    without_clock,
)

from zscape.data import ImageSet, Splits
from zscape.errors import ConfigError, TrainingDiverged
from zscape.model import mean_elbo, register_likelihood
from zscape.model.likelihoods import Bernoulli
from zscape.training import Epoch, Progress, Run, Trainer
from zscape.training.schedules import learning_rate


class Watch(Progress):
    """Keeps every epoch, and the weights after every step."""

    def __init__(self) -> None:
        self.weights: list[dict[str, Tensor]] = []
        self.epochs: list[Epoch] = []
        self.trainer: Trainer

    def on_step(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.weights.append({k: v.clone() for k, v in trainer.vae.state_dict().items()})

    def on_epoch(self, trainer: Trainer, epoch: Epoch) -> None:
        self.epochs.append(epoch)


def same_weights(a: torch.nn.Module, b: torch.nn.Module) -> bool:
    mine, theirs = a.state_dict(), b.state_dict()
    return all(torch.equal(value, theirs[name]) for name, value in mine.items())


@pytest.mark.parametrize("network", ["mlp", "enhanced"])
def test_loss_falls(network: str) -> None:
    history = fit_tiny(network=network, epochs=20).history
    for split in ("running", "evaluated_train", "test"):
        assert history[-1][split]["loss"] < 0.8 * history[0][split]["loss"]


@pytest.mark.parametrize("options", [{}, {"precision": "bf16"}, {"network": "enhanced"}])
def test_same_seed_same_bits(options: dict[str, Any]) -> None:
    first, second = (fit_tiny(epochs=2, seed=7, **options) for _ in range(2))
    assert same_weights(first.model, second.model)
    assert without_clock(first.history) == without_clock(second.history)
    other = fit_tiny(epochs=2, seed=8, **options)
    assert not same_weights(first.model, other.model)
    assert without_clock(first.history) != without_clock(other.history)


def test_outcome_does_not_depend_on_global_random_state() -> None:
    torch.manual_seed(0)
    first = fit_tiny(epochs=1)
    torch.manual_seed(1)
    state = torch.get_rng_state()
    second = fit_tiny(epochs=1)
    assert same_weights(first.model, second.model)
    assert torch.equal(state, torch.get_rng_state())


def test_bf16_is_near_but_not_equal_to_32() -> None:
    exact, mixed = (fit_tiny(precision=p).history[-1]["test"]["loss"] for p in ("32", "bf16"))
    assert exact != mixed
    assert mixed == pytest.approx(exact, rel=0.02)


def test_training_terms_are_the_mean_over_all_images() -> None:
    # 25 images in batches of 9, 8 and 8; with rate 0 nothing moves, and the KL has no noise.
    data = make_splits(n_train=25)
    result = fit_tiny(data=data, batch_size=10, learning_rate=0.0, epochs=1)
    line = result.history[0]
    assert line["running"]["kl"] == pytest.approx(mean_elbo(result.model, data.train).kl, rel=1e-5)
    assert line["test"]["kl"] == pytest.approx(mean_elbo(result.model, data.test).kl, rel=1e-5)
    assert sum(line["kl_per_neuron"]) == pytest.approx(line["test"]["kl"])


def test_train_is_evaluated_as_test_is_and_not_the_running_mean() -> None:
    """With the saved weights, in their mode, on a sample that is the same after every epoch."""
    data = make_splits()
    watch = Watch()
    result = fit_tiny(network="enhanced", evaluate_train=15, ema=0.9, data=data, progress=watch)
    sample = watch.trainer.train_sample
    assert len({image.numpy().tobytes() for image in sample.images}) == 15
    assert {image.numpy().tobytes() for image in sample.images} < {
        image.numpy().tobytes() for image in data.train.images
    }
    line = result.history[-1]
    tested = mean_elbo(result.model, sample)
    assert line["evaluated_train"] == {
        "loss": pytest.approx(tested.loss(), rel=1e-6),
        "reconstruction": pytest.approx(tested.reconstruction, rel=1e-6),
        "kl": pytest.approx(tested.kl, rel=1e-6),
        "n_images": 15,
    }
    assert line["evaluated_train"]["loss"] != pytest.approx(line["running"]["loss"], rel=1e-3)
    other = Watch()
    fit_tiny(evaluate_train=15, epochs=1, seed=1, data=data, progress=other)
    assert not torch.equal(sample.images, other.trainer.train_sample.images)


def test_all_training_images_are_evaluated_if_they_are_few_and_none_if_unasked() -> None:
    data = make_splits(n_train=25)
    result = fit_tiny(data=data, epochs=1)
    assert result.history[0]["evaluated_train"]["loss"] == pytest.approx(
        mean_elbo(result.model, data.train).loss(), rel=1e-6
    )
    without = fit_tiny(data=data, epochs=1, evaluate_train=0)
    assert same_weights(result.model, without.model)
    assert "evaluated_train" not in without.history[0]


def test_reported_rate_is_that_of_the_last_step() -> None:
    watch = Watch()
    history = fit_tiny(progress=watch).history
    expected = [
        learning_rate(watch.trainer.config, (epoch + 1) * STEPS - 1, EPOCHS * STEPS)
        for epoch in range(EPOCHS)
    ]
    assert [line["learning_rate"] for line in history] == expected


def test_loss_is_weighted_terms_and_weight_0_ignores_the_kl() -> None:
    for weight in (0.0, 0.5, 4.0):
        for line in fit_tiny(kld_weight=weight, epochs=1).history:
            for terms in (line["running"], line["evaluated_train"], line["test"]):
                expected = terms["reconstruction"] + weight * terms["kl"]
                assert terms["loss"] == pytest.approx(expected)
                assert terms["kl"] > 0
    free, bound = (fit_tiny(kld_weight=w, epochs=15).history[-1]["test"]["kl"] for w in (0.0, 4.0))
    assert free > 3 * bound


def test_kl_warmup_changes_the_training_but_not_the_reported_weight() -> None:
    plain, warm = (fit_tiny(kl_warmup=w) for w in (0.0, 2.0))
    assert not same_weights(plain.model, warm.model)
    terms = warm.history[0]["running"]
    assert terms["loss"] == pytest.approx(terms["reconstruction"] + terms["kl"])


def test_clip_norm_clips() -> None:
    norms: list[float] = []

    def measure(optimizer: torch.optim.Optimizer, *_: Any) -> None:
        gradients = [p.grad for group in optimizer.param_groups for p in group["params"]]
        norms.append(float(torch.nn.utils.get_total_norm([g for g in gradients if g is not None])))

    hook = register_optimizer_step_pre_hook(measure)
    try:
        fit_tiny(epochs=1)
        free, norms[:] = list(norms), []
        fit_tiny(epochs=1, clip_norm=0.5)
    finally:
        hook.remove()
    assert min(free) > 0.5
    assert len(norms) == STEPS
    assert norms == pytest.approx([0.5] * STEPS, rel=1e-3)


def test_a_norm_of_0_is_refused_not_off() -> None:
    with pytest.raises(ConfigError, match="clip_norm must be a finite number in"):
        fit_tiny(clip_norm=0.0)


def test_ema_is_the_recursion_with_a_young_average_that_forgets_faster() -> None:
    watch = Watch()
    result = fit_tiny(progress=watch, ema=0.3, epochs=2)
    average = {name: value.double() for name, value in watch.weights[0].items()}
    for n, weights in enumerate(watch.weights[1:], 1):
        decay = min(0.3, (1 + n) / (10 + n))
        for name, value in weights.items():
            average[name] = decay * average[name] + (1 - decay) * value.double()
    for name, value in result.model.state_dict().items():
        torch.testing.assert_close(value.double(), average[name], rtol=1e-5, atol=1e-6)
        assert not torch.equal(value, watch.weights[-1][name])
    tested = mean_elbo(result.model, make_splits().test)
    assert result.history[-1]["test"]["loss"] == pytest.approx(tested.loss(), rel=1e-6)


def test_ema_averages_batch_norm_too() -> None:
    result = fit_tiny(network="enhanced", ema=0.9, epochs=1)
    counters = [v for k, v in result.model.state_dict().items() if k.endswith("tracked")]
    assert counters
    assert all(int(counter) == STEPS for counter in counters)


@register_likelihood("test-recorder")
class Recorder(Bernoulli):
    seen: list[Tensor] = []  # noqa: RUF012

    def log_prob(self, x: Tensor, logits: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            self.seen.append(x.clone())
        return super().log_prob(x, logits)


def test_dynamic_binarization_tosses_anew_every_epoch() -> None:
    data = make_splits(n_train=20)
    Recorder.seen.clear()
    fit_tiny(data=data, likelihood="test-recorder", binarize="dynamic", batch_size=20, epochs=60)
    draws = torch.stack([x.sum(0) for x in Recorder.seen])
    assert set(torch.cat(Recorder.seen).unique().tolist()) == {0.0, 1.0}
    assert len({tuple(draw.flatten().tolist()) for draw in draws}) == 60
    # The mean of 60 tosses of a pixel over 20 images; its standard error is below 0.3.
    torch.testing.assert_close(draws.mean(0), data.train.pixels().sum(0), rtol=0, atol=1.5)


def test_without_dynamic_binarization_pixels_stay_grey() -> None:
    Recorder.seen.clear()
    fit_tiny(likelihood="test-recorder", epochs=1)
    assert len(torch.cat(Recorder.seen).unique()) > 10


def overfitting() -> Splits:
    """Noise to learn by heart, and other noise to fail on."""
    noise = torch.randint(0, 256, (28, 1, 16, 16), generator=torch.Generator().manual_seed(0))
    images = noise.to(torch.uint8)
    return Splits(ImageSet(images[:14]), ImageSet(images[14:], split="test"))


def test_early_stopping_keeps_the_best_epoch(tmp_path: Path) -> None:
    data = overfitting()
    options = {"early_stopping": 3, "epochs": 60, "schedule": "constant", "learning_rate": 1e-3}
    result = fit_tiny(tmp_path / "run", data=data, **options)
    losses = [line["test"]["loss"] for line in result.history]
    best = losses.index(min(losses))
    assert result.is_finished
    assert len(losses) == best + 1 + 3 < 60
    saved = Run.open(tmp_path / "run").model().model
    assert mean_elbo(saved, data.test).loss() == pytest.approx(losses[best], rel=1e-6)
    assert losses[-1] > losses[best] * 1.001
    assert same_weights(result.model, saved)
    assert same_weights(fit_tiny(data=data, **options).model, saved)


def test_no_early_stopping_keeps_the_last_epoch(tmp_path: Path) -> None:
    data = overfitting()
    result = fit_tiny(tmp_path / "run", data=data, epochs=40, schedule="constant")
    losses = [line["test"]["loss"] for line in result.history]
    assert losses[-1] > min(losses)
    saved = Run.open(tmp_path / "run").model().model
    assert mean_elbo(saved, data.test).loss() == pytest.approx(losses[-1], rel=1e-6)


@pytest.mark.parametrize("network", ["mlp", "enhanced"])
@pytest.mark.parametrize(("n", "batch_size"), [(2, 256), (2, 2), (5, 3), (7, 3), (41, 20)])
def test_few_images_and_uneven_batches(network: str, n: int, batch_size: int) -> None:
    data = make_splits(n_train=n, n_test=1)
    (line,) = fit_tiny(data=data, network=network, batch_size=batch_size, epochs=1).history
    assert line["running"]["loss"] > 0


@pytest.mark.parametrize(("n", "batch_size"), [(1, 256), (3, 2), (5, 2)])
def test_a_step_of_one_image_is_refused_before_anything_is_written(
    tmp_path: Path, n: int, batch_size: int
) -> None:
    with pytest.raises(
        ConfigError, match=rf"2 images .* got {n} training .*batch_size {batch_size}"
    ):
        fit_tiny(tmp_path / "run", data=make_splits(n_train=n), batch_size=batch_size)
    assert not (tmp_path / "run").exists()


@register_likelihood("test-fragile")
class Fragile(Bernoulli):
    """Breaks in the training step after ``n_good``, in the way ``how`` says."""

    n_good, how = 0, ""

    def log_prob(self, x: Tensor, logits: Tensor) -> Tensor:
        value = super().log_prob(x, logits)
        if not torch.is_grad_enabled():
            return value * float("inf") if self.how == "test" and Fragile.n_good <= 0 else value
        Fragile.n_good -= 1
        if Fragile.n_good >= 0 or self.how == "test":
            return value
        if self.how == "value":
            return value * float("nan")
        return value + 0 * torch.sqrt(0 * logits.square())  # the value is fine, its slope is 0/0


@pytest.fixture
def break_after(monkeypatch: pytest.MonkeyPatch) -> Any:
    def prepare(n_good: int, how: str) -> None:
        monkeypatch.setattr(Fragile, "n_good", n_good)
        monkeypatch.setattr(Fragile, "how", how)

    return prepare


@pytest.mark.parametrize(
    ("how", "n_good", "where"),
    [
        ("value", 4, "the reconstruction stopped being finite at step 2 of 3 in epoch 2"),
        ("slope", 5, "the gradient stopped being finite at step 3 of 3 in epoch 2"),
        ("test", 6, "the test loss stopped being finite after step 3 of 3 in epoch 2"),
    ],
)
def test_divergence_is_named_and_the_last_good_epoch_is_kept(
    tmp_path: Path, break_after: Any, how: str, n_good: int, where: str
) -> None:
    folder = tmp_path / "run"
    break_after(n_good, how)
    with pytest.raises(TrainingDiverged, match=where):
        fit_tiny(folder, likelihood="test-fragile")
    break_after(10**6, how)
    run = Run.open(folder)
    assert [line["epoch"] for line in run.metrics()] == [1]
    tested = mean_elbo(run.model().model, make_splits().test).loss()
    assert run.metrics()[0]["test"]["loss"] == pytest.approx(tested)
    assert resume_tiny(folder).is_finished
    fit_tiny(tmp_path / "whole", likelihood="test-fragile")
    assert_same_outcome(folder, tmp_path / "whole")


@pytest.mark.parametrize("network", ["mlp", "enhanced"])
@pytest.mark.parametrize("precision", ["32", "bf16"])
def test_an_absurd_learning_rate_diverges(network: str, precision: str) -> None:
    with pytest.raises(TrainingDiverged, match=r"epoch \d.*than 1e\+30 or --clip-norm"):
        fit_tiny(network=network, precision=precision, learning_rate=1e30, schedule="constant")


def test_divergence_in_a_long_epoch_is_found_before_its_end(break_after: Any) -> None:
    break_after(3, "value")
    data = Splits(ImageSet(blobs(400)), ImageSet(blobs(2), split="test"))
    watch = Watch()
    with pytest.raises(TrainingDiverged, match="step 4 of 200 in epoch 1"):
        fit_tiny(data=data, likelihood="test-fragile", batch_size=2, progress=watch)
    assert len(watch.weights) < 100
