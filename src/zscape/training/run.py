"""The run folder: the only place that knows the names of its files."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors.torch import save
from torch import Tensor

from zscape import schema
from zscape._version import __version__
from zscape.config import CONFIGS, DataConfig, RunConfig
from zscape.data import Splits, load_data, place_of
from zscape.errors import CheckpointError, ConfigError, DataError
from zscape.files import append, check_utf8, leftovers, make_folder, write_atomic, writing
from zscape.lock import held
from zscape.model import VAE, Likelihood
from zscape.training.loop import Epoch, Trainer
from zscape.training.order import LISTED
from zscape.training.weights import LoadedModel, load_weights, read_tensors, save_weights
from zscape.words import counted, line, sides

CONFIG = "config.json"
METRICS = "metrics.jsonl"
WEIGHTS = "model.safetensors"
CHECKPOINT = "last.ckpt"
STATE = "state.safetensors"
SNAPSHOTS = "snapshots"
ENVIRONMENT = "environment.json"
LOSS = "loss.png"
RECONSTRUCTIONS = "reconstructions.png"
SAMPLES = "samples.png"
REPORT = "report.html"
EXPLORER = "explorer.html"
TENSORBOARD = "tensorboard"
LOCK = "lock.json"
OWN_FILES = (
    METRICS, WEIGHTS, ENVIRONMENT, LOSS, RECONSTRUCTIONS, SAMPLES, REPORT, EXPLORER, CONFIG,
)  # fmt: skip

LAUNCHED = ("devices", "num_nodes", "strategy")
"""Options of who trains, which may change from one start to the next."""

_HALF = {"n": int, "fingerprint": str}
_CONFIG = {
    **dict.fromkeys(CONFIGS, dict),
    "images?": ({"place": (str, None), "train": _HALF, "test": _HALF, "columns?": str}, None),
}
_TERMS = {"loss": float, "reconstruction": float, "kl": float}
_LINE = {
    "epoch": int, "running?": _TERMS, "train?": _TERMS, "evaluated_train?": _TERMS, "test": _TERMS,
    "n_active": int, "seconds": float,
}  # fmt: skip
_COUNTERS = {
    "epoch": int, "step": int, "n_images": int, "seconds?": float, "best_loss": (float, None),
    "best_epoch": int,
}  # fmt: skip

_log = logging.getLogger(__name__)


class Run:
    """A folder that holds one training: what it was told, how it went, and the model.

    ========================= =======================================================
    ``config.json``           data, model and train options, the zscape version, and
                              which images they were: place, numbers, fingerprints
    ``environment.json``      machine and versions; what every ``auto`` became
    ``metrics.jsonl``         one line per epoch
    ``model.safetensors``     the weights to use (best epoch under early stopping)
    ``last.ckpt/``            weights, optimiser and counters, to go on with
    ``snapshots/``            weights along the training, if they were asked for
    ``loss.png`` …            pictures, ``report.html`` of the demo
    ``lock.json``             while it is trained: by which process of which machine
    ========================= =======================================================

    ``Run.create`` starts one, ``Run.open`` reads one.
    """

    def __init__(self, path: Path, config: RunConfig, images: dict[str, Any] | None = None) -> None:
        self.path, self.config = path, config
        self._n_lines = 0  # of metrics.jsonl, written by us
        self.images = images
        """Which images: the absolute ``place`` of the source, if it is a path, how many images
        each half has and their fingerprint, and that of the table of ``columns``, if there was one.
        None in a run of a version that did not keep it."""

    def __repr__(self) -> str:
        model, epochs = self.config.model, counted(self.config.train.epochs, "epoch")
        network = f"{model.network} of {counted(model.latent_dim, 'latent neuron')}"
        return line(
            self, str(self.path), f"{network} for images {sides(model.image_shape)}", epochs
        )

    @classmethod
    def create(
        cls, path: Path | str, config: RunConfig, data: Splits, *, overwrite: bool = False
    ) -> Run:
        """Make the folder and write ``config.json``, with what identifies the images ``data``.

        Raises
        ------
        ConfigError
            The folder holds something already. With ``overwrite`` a run is replaced, but
            a folder with anyone else's files never is. Or its name is not UTF-8.
        """
        path = Path(path)
        left = cls.check_free(path, overwrite=overwrite)
        with writing(path):
            for folder in (path / CHECKPOINT, path / TENSORBOARD, path / SNAPSHOTS):
                if folder.exists():
                    shutil.rmtree(folder)
            # config.json stays until it is replaced: without it nobody knows the folder is a run.
            for file in left | {path / name for name in OWN_FILES if name != CONFIG}:
                file.unlink(missing_ok=True)
        make_folder(path)
        source = config.data.data
        place = None if source is None else place_of(source)
        images = {"place": place, **_identities(data)}
        if config.data.columns is not None:
            images["columns"] = _digest(config.data.columns)
        run = cls(path, config, images)
        run._write_json(CONFIG, {"version": __version__, **config.to_dict(), "images": run.images})
        return run

    @staticmethod
    def is_begun(path: Path) -> bool:
        """Whether ``path`` holds a run, which may have no checkpoint yet."""
        return (path / CONFIG).is_file()

    def found(self, data: Splits) -> Run:
        """The run in this run's folder, which must be of the same options and images.

        The number of processes that train it may differ.

        Raises
        ------
        ConfigError
            It is of other options.
        DataError
            Of other images.
        """
        found = Run.open(self.path)
        wanted, there = self.config.to_dict(), found.config.to_dict()
        differing = [
            f"{name} {there[part].get(name)!r} instead of {value!r}"
            for part, options in wanted.items()
            for name, value in options.items()
            if name not in LAUNCHED and there[part].get(name) != value
        ]
        if differing:
            raise ConfigError(
                f"{self.path} holds a run of other options ({'; '.join(differing)}); go on with it "
                "as it is (--resume), or choose another folder."
            )
        found.check_images(data)
        return found

    @classmethod
    def check_free(cls, path: Path, *, overwrite: bool = False) -> set[Path]:
        """Raise ``ConfigError`` if ``create`` would, with the same ``overwrite``.

        Returns what dead processes left there.
        """
        check_utf8(path.absolute())
        if path.is_file():
            raise ConfigError(f"{path} is a file; a run needs a folder.")
        left = {file for name in OWN_FILES for file in leftovers(path / name)}
        if not _is_empty(path, left):
            if not _is_run(path):
                raise ConfigError(f"{path} is not empty and not a run; choose another folder.")
            if not overwrite:
                raise ConfigError(
                    f"{path} already holds a run; resume it, choose another folder, or overwrite."
                )
        return left

    @property
    def identity(self) -> str:
        """16 hexadecimal digits that tell this run from one of other settings or images."""
        return hashlib.sha256((_text(self.path / CONFIG) or "").encode()).hexdigest()[:16]

    @contextmanager
    def held(self) -> Iterator[None]:
        """Be the only process that trains here, in the folder, which is made if it is not there.

        Raises
        ------
        ConfigError
            Another does.
        """
        make_folder(self.path)
        with held(self.path / LOCK, f"{self.path} is being trained"):
            yield

    @classmethod
    def open(cls, path: Path | str) -> Run:
        """Read ``config.json`` of an existing run.

        Raises
        ------
        CheckpointError
            Not a run, or its configuration is damaged.
        """
        path = Path(path)
        if not path.is_dir():
            raise CheckpointError(f"there is no run folder {path}.")
        if (text := _text(path / CONFIG)) is None:
            if _is_empty(path, set(leftovers(path / CONFIG))):
                raise CheckpointError(f"{path} is empty: no training has begun there; start one.")
            raise CheckpointError(f"{path} is not a run: it has no {CONFIG}.")
        try:
            content = schema.parse(text, _CONFIG)
            images = content.get("images")
            if images is None and content["data"].get("data") == "array":
                content["data"]["data"] = None  # as versions without fingerprints said it
            if content["train"].get("clip_norm") == 0:
                content["train"]["clip_norm"] = None  # as it once could be said
            content["train"].setdefault("shuffle", LISTED)  # as it was before it could be said
            config = RunConfig.from_dict(content)
        except ValueError as error:
            reason = str(error).rstrip(".")
            raise CheckpointError(f"{path / CONFIG} is damaged: {reason}.") from error
        return cls(path, config, images)

    def model(
        self,
        *,
        network: str | type[VAE] | None = None,
        likelihood: str | type[Likelihood] | None = None,
    ) -> LoadedModel:
        """The trained model; ``network`` and ``likelihood`` are as for ``load_weights``.

        Raises
        ------
        CheckpointError
            There is none yet, or it is damaged.
        """
        if not (self.path / WEIGHTS).is_file():
            raise CheckpointError(f"{self.path} has no trained model yet; resume its training.")
        return load_weights(self.path / WEIGHTS, network=network, likelihood=likelihood)

    def load_data(self, source: Any = None, *, more: Sequence[DataConfig] = ()) -> Splits:
        """The images of the run, prepared as they were.

        They are looked for under the name that was typed, then where that was at the time.

        Parameters
        ----------
        source
            The same images from somewhere else: the array of a run that was trained on one.
        more
            Columns to join, and the classes to show; see ``zscape.data.load_data``. The first
            table also stands in for the run's own, if that is gone.

        Raises
        ------
        ConfigError
            The run was trained on an array from Python, which must then be passed.
        DataError
            They are not there, or are not those that the run was trained on; or its table of
            columns is gone.
        """
        config = self._data_config(more)
        if source is None and config.data is None:
            raise ConfigError(f"{self.path} was trained on an array from Python; pass it as data.")
        source = self._find_images() if source is None else source
        splits = load_data(source, config, seed=self.config.train.seed, more=more)
        place = place_of(source) if isinstance(source, str) else None
        if self.images is None:
            _log.warning(
                "%s is of a version that did not keep which images it was trained on; those of "
                "%s may be others.", self.path, place or splits.train.name,
            )  # fmt: skip
        self.check_images(splits, place)
        return splits

    def check_images(self, data: Splits, place: str | None = None) -> None:
        """Raise ``DataError`` if ``data``, found at ``place``, is not what the run was trained on.

        A run of a version that did not keep it takes any.
        """
        if self.images is not None and not self.is_trained_on(data):
            found = {"place": place, **_identities(data)}
            raise DataError(
                f"{self.path} was trained on {_in_words(self.images)}; now there are "
                f"{_in_words(found)}: put the former back, or name other images as data (--data)."
            )

    def is_trained_on(self, data: Splits) -> bool:
        """Whether both halves of ``data`` are the run's own; false if it does not know."""
        own, found = self.images, _identities(data)
        return own is not None and all(found[half] == own[half] for half in found)

    def _find_images(self) -> str | None:
        typed, place = self.config.data.data, (self.images or {}).get("place")
        return typed if place is None or Path(str(typed)).expanduser().exists() else str(place)

    def _data_config(self, more: Sequence[DataConfig]) -> DataConfig:
        """How the images are prepared, with a table of columns that is there."""
        config = self.config.data
        if config.columns is None:
            return config
        if not (found := _digest(config.columns)):
            given = next((one for one in more if one.columns is not None), None)
            if given is None:
                raise DataError(
                    f"{self.path} was trained with the columns of {config.columns}, and there is "
                    "no such file now: put it back, or name it where it is (--columns)."
                )
            config = config.replace(columns=given.columns, on=given.on or config.on)
            found = _digest(given.columns)
        known = (self.images or {}).get("columns")
        if known not in (None, found):
            _log.warning(
                "%s is not the table of columns that %s was trained with: it has changed.",
                config.columns, self.path,
            )  # fmt: skip
        return config

    def metrics(self) -> list[dict[str, Any]]:
        """The lines of ``metrics.jsonl``: one mapping per finished epoch.

        What older versions called ``train`` is a running mean, and is called ``running`` here.
        A last line without an end was being written when the process was killed: a warning.

        Raises
        ------
        CheckpointError
            A line is damaged.
        """
        file = self.path / METRICS
        finished, _, begun = (_text(file) or "").rpartition("\n")
        if begun:
            _log.warning("%s ends within a line, which is left out: a kill does that.", file)
        try:
            lines = [schema.parse(line, _LINE) for line in finished.splitlines()]
        except ValueError as error:
            raise CheckpointError(f"{file} is damaged: {error}.") from error
        return [{"running" if k == "train" else k: v for k, v in d.items()} for d in lines]

    def metrics_until(self, epoch: int) -> list[dict[str, Any]]:
        """The lines of the first ``epoch`` epochs.

        Raises
        ------
        CheckpointError
            One is damaged or not there.
        """
        lines = self.metrics()[:epoch]
        if len(lines) < epoch:
            raise CheckpointError(
                f"{self.path / METRICS} is damaged: it has {len(lines)} lines, but the checkpoint "
                f"is of epoch {epoch}."
            )
        return lines

    def environment(self) -> dict[str, Any]:
        """Machine and versions of the last training session; empty before the first.

        Raises
        ------
        CheckpointError
            The file is damaged.
        """
        file = self.path / ENVIRONMENT
        if (text := _text(file)) is None:
            return {}
        try:
            content: dict[str, Any] = schema.parse(text, {"accelerator": str, "precision": str})
        except ValueError as error:
            raise CheckpointError(f"{file} is damaged: {error}.") from error
        return content

    def write_environment(self, description: dict[str, Any]) -> None:
        """Write ``description``, of machine and versions, to ``environment.json``."""
        self._write_json(ENVIRONMENT, description)

    def save_epoch(self, trainer: Trainer, epoch: Epoch) -> None:
        """Write metrics, weights and checkpoint after an epoch, in an order that survives a crash.

        The checkpoint comes last, so that a run cut off before it repeats the epoch.
        """
        line = json.dumps(epoch.to_dict()) + "\n"
        if self._n_lines == epoch.number - 1 > 0:
            append(self.path / METRICS, line)
        else:  # what was there may say more than the checkpoint, or end within a line
            before = self.metrics_until(epoch.number - 1) if epoch.number > 1 else []
            lines = "".join(json.dumps(each) + "\n" for each in before)
            write_atomic(self.path / METRICS, lines + line)
        self._n_lines = epoch.number
        if trainer.config.early_stopping is None or trainer.is_best:
            save_weights(trainer.final_vae, self.config.model, self.path / WEIGHTS)
        self.save_checkpoint(trainer)

    def save_checkpoint(self, trainer: Trainer) -> None:
        """Write ``last.ckpt/``: one file, so that it is replaced whole."""
        tensors, counters = trainer.state_dict()
        tensors = {name: value.cpu().contiguous() for name, value in tensors.items()}
        folder = self.path / CHECKPOINT
        with writing(folder):
            folder.mkdir(exist_ok=True)  # but not the run's, should someone have deleted it
        write_atomic(folder / STATE, save(tensors, metadata={"counters": json.dumps(counters)}))

    def load_checkpoint(self, trainer: Trainer) -> bool:
        """Continue from ``last.ckpt/``.

        Returns
        -------
        Whether there is one; not if the run was stopped before the first.

        Raises
        ------
        CheckpointError
            It is lost, or damaged, or of another model.
        """
        for name in OWN_FILES:
            for file in leftovers(self.path / name):
                with writing(file):
                    file.unlink(missing_ok=True)
        if not (self.path / CHECKPOINT / STATE).is_file():
            # The metrics of an epoch are written before its checkpoint.
            if (n_done := len(self.metrics())) > 1:
                raise CheckpointError(
                    f"{self.path} has finished {n_done} epochs, but its checkpoint is gone; "
                    "train it anew, overwriting."
                )
            return False
        tensors, header = read_tensors(self.path / CHECKPOINT / STATE)
        try:
            counters = schema.parse(header["counters"], _COUNTERS)
        except (KeyError, ValueError) as error:
            raise CheckpointError(
                f"{self.path / CHECKPOINT / STATE} is no checkpoint: {error}."
            ) from error
        trainer.load_state_dict(tensors, counters)
        return True

    def raw_weights(self) -> dict[str, Tensor] | None:
        """The weights after the last step, before averaging; None if they are not there or the
        model is made of them.

        Raises
        ------
        CheckpointError
            The checkpoint is damaged.
        """
        file = self.path / CHECKPOINT / STATE
        if not (file.is_file() and self.config.train.ema):
            return None
        tensors, _ = read_tensors(file)
        start = "model."
        own = {k.removeprefix(start): v for k, v in tensors.items() if k.startswith(start)}
        return own or None

    def _write_json(self, name: str, content: dict[str, Any]) -> None:
        write_atomic(self.path / name, json.dumps(content, indent=2) + "\n")


def _identities(data: Splits) -> dict[str, Any]:
    """What tells the images of a run from any others."""
    return {
        half: {"n": len(images), "fingerprint": images.fingerprint}
        for half, images in zip(Splits._fields, data, strict=True)
    }


def _digest(table: str | None) -> str:
    """16 hexadecimal digits that tell a table of columns from any other; empty: it is not there."""
    path = Path(str(table)).expanduser()
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16] if path.is_file() else ""


def _in_words(images: dict[str, Any]) -> str:
    halves = (
        f"{images[half]['n']} {half} images ({images[half]['fingerprint']})"
        for half in Splits._fields
    )
    return " and ".join(halves) + (f" of {images['place']}" if images["place"] else "")


def _is_empty(path: Path, left: set[Path]) -> bool:
    """Whether a folder holds nothing but what a process left that died before it began."""
    return not path.is_dir() or not set(path.iterdir()) - left - {path / LOCK}


def _text(file: Path) -> str | None:
    """What a file of a run says; None if it is not there."""
    try:
        if file.is_file():
            return file.read_text(encoding="utf-8")
    except OSError as error:
        raise CheckpointError(f"cannot read {file}: {error.strerror or error}.") from error
    except ValueError as error:
        raise CheckpointError(f"{file} is damaged: {error}.") from error
    if file.exists():
        raise CheckpointError(f"{file} is no file.")
    return None


def _is_run(path: Path) -> bool:
    """Whether ``config.json`` is ours: other programs' folders hold a file of that name too."""
    try:
        schema.parse(_text(path / CONFIG) or "", {"version": str, **dict.fromkeys(CONFIGS, dict)})
    except (CheckpointError, ValueError):
        return False
    return True
