"""What a run can be told: frozen dataclasses, checked once, the same in Python, JSON and CLI.

An option is declared here and nowhere else. Its help text and allowed range sit in the field's
metadata; the command line builds its flags from them and the run folder stores them as JSON.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import logging
import os
import sys
import types
import typing
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, Self

from zscape.errors import ConfigError
from zscape.registry import built_in

Choices = tuple[str, ...]

_log = logging.getLogger(__name__)

SOURCES = f"mnist, sprites, or a folder, archive or file of {built_in('kind of file')}"
"""What ``--data`` may be."""

SYNONYMS = {
    "learning_rate": ("lr", "rate", "step_size", "max_lr"),
    "kld_weight": ("beta", "kl_weight", "kld", "kl", "kl_coeff", "lambda_kl"),
    "latent_dim": ("z_dim", "zdim", "dim", "latent", "latents", "latent_size", "n_latent", "nz",
                   "n_latents", "num_latents", "code_size", "embedding_dim", "bottleneck"),
    "batch_size": ("bs", "batch", "minibatch", "train_batch_size"),
    "epochs": ("n_epochs", "num_epochs", "max_epochs", "n_iter", "iterations"),
    "network": ("arch", "architecture", "model", "backbone", "encoder"),
    "likelihood": ("loss", "loss_fn", "criterion", "distribution", "output"),
    "accelerator": ("device", "gpu", "cuda", "use_cuda"),
    "precision": ("amp", "dtype", "fp16", "bf16", "mixed_precision"),
    "resize": ("image_size", "img_size", "input_size", "size", "side"),
    "n_train": ("n", "n_samples", "num_samples", "num_samples_train", "limit", "max_images"),
    "n_test": ("num_samples_test", "n_val", "n_valid"),
    "early_stopping": ("patience",),
    "clip_norm": ("grad_clip", "clip", "max_grad_norm", "gradient_clip_val", "clip_grad_norm"),
    "weight_decay": ("wd", "l2", "decay"),
    "condition": ("conditional", "cond", "conditioning", "class_conditional", "conditioned_on"),
    "schedule": ("scheduler", "lr_schedule", "lr_scheduler"),
    "kl_warmup": ("beta_warmup", "kl_annealing", "annealing"),
    "seed": ("random_state", "rng", "manual_seed", "random_seed"),
    "data": ("dataset", "source", "images", "root", "path"),
}  # fmt: skip
"""What options are called elsewhere: a person who types one is told its name here."""


def option(
    default: Any,
    help: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: Choices = (),
    is_flag: bool = True,
    needs: Collection[str] = (),
) -> Any:
    """A dataclass field that knows its help text and what it may be.

    ``is_flag=False`` keeps it off the command line (it is worked out, not asked for). Without one
    of the options it ``needs`` it would change nothing; see ``check_heeded``.
    """
    metadata = {"help": help, "low": low, "high": high, "choices": choices, "is_flag": is_flag}
    return dataclasses.field(default=default, metadata=metadata | {"needs": needs})


def check_heeded(options: typing.Mapping[str, Any], spell: Callable[[str], str] = str) -> None:
    """Raise ``ConfigError`` if one of the options that a person gave would change nothing.

    ``spell`` makes a name what that person calls it.
    """
    fields = [each for config in CONFIGS.values() for each in dataclasses.fields(config)]  # type: ignore[arg-type]
    given = {each.name for each in fields if options.get(each.name, each.default) != each.default}
    for each in fields:
        needs = each.metadata["needs"]
        if each.name in given and needs and not given & set(needs):
            raise ConfigError(
                f"{spell(each.name)} goes with {' or '.join(map(spell, needs))}; without, it "
                f"changes nothing."
            )
    if "warmup" in given and options.get("schedule") == "constant":
        raise ConfigError(
            f"{spell('warmup')} is of the cosine {spell('schedule')}; the constant one has none."
        )


def name_unknown(unknown: Iterable[str], known: Collection[str]) -> str:
    """The unknown options, sorted, each with the known one that it may stand for."""
    meant = {other: name for name, others in SYNONYMS.items() for other in others}

    def told(name: str) -> str:
        close = difflib.get_close_matches(name.lower(), known, n=1)
        target = meant.get(name.lower())
        near = target if target in known else close[0] if close else ""
        return f"{name} (did you mean {near}?)" if near else name

    return ", ".join(told(name) for name in sorted(unknown))


def plain(value: Any) -> Any:
    """NumPy's scalars, arrays and tensors without axes, and paths, as Python's own values."""
    if getattr(value, "ndim", None) == 0:
        return value.item()
    return os.fspath(value) if isinstance(value, os.PathLike) else value


class Config:
    """Names, range checks and the JSON round trip shared by the three configs below."""

    unknown: typing.ClassVar[typing.Mapping[str, Any]] = types.MappingProxyType({})
    """What a file of another version had besides; kept, and otherwise without effect."""

    def __new__(cls, *args: Any, **options: Any) -> Self:
        """Raise ``ConfigError`` for an option that there is not."""
        known = [field.name for field in dataclasses.fields(typing.cast(Any, cls))]
        if unknown := set(options) - set(known):
            raise ConfigError(f"{cls.__name__} has no option {name_unknown(unknown, known)}.")
        return super().__new__(cls)

    def __post_init__(self) -> None:
        for field in dataclasses.fields(typing.cast(Any, self)):
            value = plain(getattr(self, field.name))
            object.__setattr__(self, field.name, value)
            _check(field, field_type(type(self), field.name), value)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for ``json.dump``."""
        return dataclasses.asdict(typing.cast(Any, self)) | dict(self.unknown)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse of ``to_dict``, of this version or another.

        An option that this version does not know is warned of and kept; one that is missing has
        its default.

        Raises
        ------
        ConfigError
            A value is out of range.
        """
        known = {field.name for field in dataclasses.fields(typing.cast(Any, cls))}
        unknown = {name: value for name, value in values.items() if name not in known}
        if unknown:
            _log.warning(
                "%s of another version of zscape: %s is unknown here, and kept without effect.",
                cls.__name__, ", ".join(sorted(unknown)),
            )  # fmt: skip
        own = {name: value for name, value in values.items() if name in known}
        return cls(**own)._keeping(unknown)

    def replace(self, **changes: Any) -> Self:
        """A checked copy with ``changes`` applied."""
        copy: Self = dataclasses.replace(typing.cast(Any, self), **changes)
        return copy._keeping(self.unknown)

    def _keeping(self, unknown: typing.Mapping[str, Any]) -> Self:
        if unknown:
            object.__setattr__(self, "unknown", unknown)
        return self


def field_type(config: type[Config], name: str) -> Any:
    """The annotation of one option, resolved: ``int``, ``float | None``, …"""
    return _hints(typing.cast(Any, config))[name]


@functools.cache
def _hints(config: Any) -> dict[str, Any]:
    return typing.get_type_hints(config)


def _check(field: dataclasses.Field[Any], annotation: Any, value: Any) -> None:
    allowed = typing.get_args(annotation) if isinstance(annotation, types.UnionType) else ()
    allowed = allowed or (annotation,)
    if value is None and type(None) in allowed:
        return
    if typing.get_origin(annotation) is tuple:
        return
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if float in allowed and is_number:
        fits, kind = abs(value) <= sys.float_info.max, "a finite number"
    elif int in allowed:
        fits, kind = is_number and isinstance(value, int), "an integer"
    elif bool in allowed:
        fits, kind = isinstance(value, bool), "true or false"
    elif float in allowed:
        fits, kind = False, "a number"
    else:
        fits, kind = isinstance(value, str) and bool(value), "text"
    low, high, choices = (field.metadata[key] for key in ("low", "high", "choices"))
    fits = fits and (low is None or value >= low) and (high is None or value <= high)
    if choices:
        fits, kind = value in choices, f"one of {', '.join(choices)}"
    if fits:
        return
    if low is not None or high is not None:
        kind += f" in [{'-inf' if low is None else low}, {'inf' if high is None else high}]"
    raise ConfigError(f"{field.name} must be {kind}; got {value!r}.")


@dataclass(frozen=True)
class DataConfig(Config):
    """Which images, how many, and how they are prepared."""

    data: str | None = option(
        "mnist",
        f"Images: {SOURCES}.",
    )
    """Of images that were in memory, None."""
    n_train: int | None = option(None, "Train on this many images (all by default).", low=1)
    n_test: int | None = option(None, "Test on this many images (all by default).", low=1)
    stratified: bool = option(
        False, "Keep the class proportions when taking a subset.", needs=("n_train", "n_test")
    )
    binarize: str = option(
        "none",
        "Binarise the pixels: threshold (at 0.5) or dynamic (a new coin toss every epoch).",
        choices=("none", "threshold", "dynamic"),
    )
    resize: int | None = option(
        None, "Resize every image to this side, pixels; see --fit.", low=4, high=1024
    )
    fit: str = option(
        "crop",
        "How --resize makes a rectangle square: crop the centre, pad (black) or stretch.",
        choices=("crop", "pad", "stretch"),
        needs=("resize",),
    )
    channels: int | None = option(
        None,
        "How many channels an image has: says which axis of an array and how many pages of a TIFF "
        "they are; grey (1) and RGB (3) are made of each other (as it is by default).",
        low=1,
        high=16,
    )
    show_channels: str | None = option(
        None,
        "Channels drawn as red, green and blue, as in 3,0,1 (by default grey and RGB as they are, "
        "the first of two green and the second magenta, of more the first three).",
    )
    background: str | None = option(
        None,
        "What lies behind transparent pixels: black, white, #rrggbb (by default black, or white "
        "where the drawings are dark).",
    )
    range: str | None = option(
        None,
        "Pixel values that are black and white, as LOW,HIGH; auto takes the set's own (by default "
        "0 and 1, 255, 4095 or 65535, by type).",
    )
    skip_broken: bool = option(
        False, "Leave out pictures that cannot be read, and name them (by default an error)."
    )
    shape: str | None = option(
        None, "Shape of an image of an array, as in 28x28 or 3x32x32 (read from it by default)."
    )
    transpose: bool = option(False, "Exchange rows and columns of every image (EMNIST).")
    keys: str | None = option(
        None,
        "Arrays or columns to read, as in images=X,labels=y,test_images=Xt,test_labels=yt (by "
        "their usual names by default).",
    )
    no_cache: bool = option(
        False, "Read into memory always, and keep no decoded images in the cache folder."
    )
    columns: str | None = option(
        None, "A table of what else is known of the images: .csv, .tsv, .jsonl or .parquet."
    )
    on: str | None = option(
        None,
        "What the rows of --columns are told by: file_name, or row (a number from 0, or line by "
        "line); by default file_name where both have it.",
        choices=("file_name", "row"),
        needs=("columns",),
    )
    label: str | None = option(None, "The column that says the class.")
    bins: int | None = option(
        None, "Cut the numbers of --label into this many classes of one size.",
        low=2, high=1000, needs=("label",),
    )  # fmt: skip
    split_by: str | None = option(
        None,
        "Hold out whole groups of this column, so that a patient is in one split only; if it says "
        "train and test, it is believed.",
    )
    split_seed: int | None = option(
        None, "Seed of which images are taken and held out, alike under any --seed (by default "
        "that).", low=0,
    )  # fmt: skip


@dataclass(frozen=True)
class ModelConfig(Config):
    """What is trained: network, latent size, likelihood of the pixels, initialisation."""

    latent_dim: int = option(10, "Number of latent neurons.", low=1, high=4096)
    network: str = option(
        "enhanced", f"Network: {built_in('network')}, or your own as module:Class."
    )
    likelihood: str = option(
        "bernoulli",
        f"Distribution of a pixel: {built_in('likelihood')}, or your own as module:Class.",
    )
    init: str = option(
        "default",
        "Initial weights: PyTorch's, or the tutorial's Kaiming fan-out (explodes; to compare).",
        choices=("default", "tutorial"),
    )
    condition: str | None = option(
        None,
        "Tell encoder and decoder what an image is: label (its class) or a column of categories.",
    )
    image_shape: tuple[int, int, int] = option(
        (1, 28, 28), "Channels, height and width of an image; read from the data.", is_flag=False
    )
    condition_names: tuple[str, ...] = option(
        (), "Values of the condition; read from the data.", is_flag=False
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        names = tuple(self.condition_names)
        if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
            raise ConfigError(f"condition_names must be different texts; got {names!r}.")
        object.__setattr__(self, "condition_names", names)  # of a list
        shape: Any = self.image_shape
        if isinstance(shape, (tuple, list)):
            shape = [plain(side) for side in shape]
        fits = isinstance(shape, list) and len(shape) == 3
        if not fits or any(type(side) is not int or side < 1 for side in shape):
            raise ConfigError(
                f"image_shape must be three positive integers (channels, height, width); "
                f"got {self.image_shape!r}."
            )
        object.__setattr__(self, "image_shape", tuple(shape))  # of a list or torch.Size


@dataclass(frozen=True)
class TrainConfig(Config):
    """How it is trained."""

    kld_weight: float = option(
        1.0, "Weight of the KL term (the beta of a beta-VAE); 0 is a plain autoencoder.", low=0
    )
    objective: str = option(
        "elbo",
        f"What is maximised: {built_in('objective')} (the importance-weighted bound, and the same "
        "with a less noisy gradient).",
    )
    train_samples: int = option(
        1, "Samples of the posterior of every image in every step.", low=1, high=10_000
    )
    free_bits: float = option(
        0.0, "Nats of mean KL that every neuron may spend for nothing, so that none is given up.",
        low=0,
    )  # fmt: skip
    tc_weight: float = option(
        0.0,
        "Weight of the neurons' total correlation, on top of --kld-weight: beta - 1 of a "
        "beta-TC-VAE.",
        low=0,
    )
    epochs: int = option(10, "Times every training image is seen.", low=1)
    batch_size: int | None = option(
        None,
        "Images per step, over all devices together (by default a hundredth of the training "
        "images, at least 32, at most 512).",
        low=2,
    )
    shuffle: str | None = option(
        None,
        "How the order of an epoch is drawn: listed (all numbers of images, shuffled) or computed "
        "(each when it is its turn, with no list of all); by default computed from more than "
        "10 million training images on.",
        choices=("listed", "computed"),
    )
    learning_rate: float = option(8e-3, "Peak learning rate.", low=0)
    optimizer: str = option(
        "muon",
        "muon (orthogonalised steps for matrices, Adam for the rest) or adam.",
        choices=("muon", "adam"),
    )
    schedule: str = option("cosine", "Learning rate over time.", choices=("cosine", "constant"))
    warmup: float = option(
        0.1, "Fraction of all steps over which the cosine's rate rises from 0.", low=0, high=1
    )
    kl_warmup: float = option(0.0, "Epochs over which the KL weight rises linearly from 0.", low=0)
    weight_decay: float = option(
        0.1, "Share by which weights shrink per step, times the learning rate.", low=0, high=10
    )
    clip_norm: float | None = option(
        None, "Scale gradients down to this norm (off by default).", low=1e-6
    )
    ema: float = option(
        0.99, "Decay per step of the averaged weights that are saved and tested; 0 is off.",
        low=0, high=0.99999,
    )  # fmt: skip
    early_stopping: int | None = option(
        None, "Stop after this many epochs without a better test loss.", low=1
    )
    checkpoint_minutes: float = option(
        5.0, "Save this often inside of long epochs too, to go on from; 0 is after epochs only.",
        low=0,
    )  # fmt: skip
    snapshots: int | None = option(
        None,
        "Keep the weights at so many moments of the training in RUN/snapshots, the start and the "
        "end among them, the others evenly in the logarithm of the step.",
        low=2, high=1000,
    )  # fmt: skip
    evaluate_train: int = option(
        5_000,
        "Training images, at most, that are evaluated after every epoch as the test images are: "
        "the same weights, the same mode; 0 is none.",
        low=0,
    )
    precision: str = option(
        "auto",
        "32, bf16 (mixed), or auto: bf16 where the machine computes in it.",
        choices=("auto", "32", "bf16"),
    )
    accelerator: str = option("auto", "auto, cpu, cuda or mps.")
    cuda_graphs: bool = option(
        True,
        "On one CUDA device, record a step and replay it, which is several times as fast; off for "
        "a network of yours whose forward does not do the same in every step.",
    )
    devices: int = option(1, "Devices (processes) per node.", low=1)
    strategy: str = option("auto", "auto, or ddp for several devices.")
    num_nodes: int = option(1, "Machines that train together.", low=1)
    tensorboard: bool = option(False, "Also log to RUN/tensorboard (zscape[tensorboard]).")
    seed: int = option(0, "Seed of everything random.", low=0)


CONFIGS: dict[str, type[Config]] = {"data": DataConfig, "model": ModelConfig, "train": TrainConfig}
"""The three configs by the name they have in ``config.json``."""


class RunConfig(typing.NamedTuple):
    """All that a run was told."""

    data: DataConfig
    model: ModelConfig
    train: TrainConfig

    @classmethod
    def from_options(cls, **options: Any) -> RunConfig:
        """Deal options by name to the three configs, whose names do not overlap.

        Raises
        ------
        ConfigError
            An unknown name, or a value out of range.
        """
        names = {
            config: {field.name for field in dataclasses.fields(typing.cast(Any, config))}
            for config in CONFIGS.values()
        }
        known = set().union(*names.values())
        if unknown := set(options) - known:
            raise ConfigError(f"there is no option {name_unknown(unknown, known)}.")
        parts = [
            config(**{name: options[name] for name in own & set(options)})
            for config, own in names.items()
        ]
        return cls(*typing.cast(Any, parts))

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """The contents of ``config.json``."""
        return {name: getattr(self, name).to_dict() for name in CONFIGS}

    @classmethod
    def from_dict(cls, values: dict[str, dict[str, Any]]) -> RunConfig:
        """The inverse of ``to_dict``."""
        return cls(*(typing.cast(Any, CONFIGS[name]).from_dict(values[name]) for name in CONFIGS))
