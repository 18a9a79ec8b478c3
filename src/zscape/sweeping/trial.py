"""One training of a sweep: its name, its folder, how it came out."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from zscape import schema
from zscape.config import CONFIGS, RunConfig
from zscape.errors import CheckpointError
from zscape.files import make_folder, write_atomic

TRIALS, OUTCOMES = "trials", "outcomes"
"""Folders of a sweep: of run folders, and of what became of each."""
FINISHED, DIVERGED, PRUNED = "finished", "diverged", "pruned"
"""How a trial ends for good; the last was stopped early, as it fell behind the others."""
FAILED, STOPPED = "failed", "stopped"
"""How it ends that the next start tries again."""

_OUTCOME = {"status": str, "why": str, "seconds": float, "epochs": int, "measures": dict}


def told(config: RunConfig) -> dict[str, Any]:
    """The options that are not as they are by default: what makes a trial this one."""
    return {
        each.name: value
        for part, kind in CONFIGS.items()
        for each in fields(kind)  # type: ignore[arg-type]
        if (value := getattr(getattr(config, part), each.name)) != each.default
    }


def name_of(config: RunConfig) -> str:
    """A t and 11 hexadecimal digits, the same for the same configuration, whatever its defaults.

    The letter keeps tables from reading ``12e456789012`` as a number.
    """
    text = json.dumps(told(config), sort_keys=True)
    return "t" + hashlib.sha256(text.encode()).hexdigest()[:11]


@dataclass(frozen=True)
class Outcome:
    """What became of a trial.

    Parameters
    ----------
    status
        ``finished``, ``diverged``, ``pruned``, ``failed`` or ``stopped``.
    why
        What went wrong, a sentence.
    seconds
        Of all its epochs, and of measuring.
    epochs
        How many it has trained.
    measures
        Of a finished one; see ``Sweep.frame``.
    """

    status: str
    why: str = ""
    seconds: float = 0.0
    epochs: int = 0
    measures: dict[str, Any] = field(default_factory=dict)

    @property
    def is_final(self) -> bool:
        """Whether another try would come to the same."""
        return self.status in (FINISHED, DIVERGED, PRUNED)


@dataclass(frozen=True, eq=False)
class Trial:
    """One configuration of a sweep, under one seed.

    Parameters
    ----------
    config
        All that it is told.
    sweep
        The folder of the sweep.
    """

    config: RunConfig
    sweep: Path

    def __repr__(self) -> str:
        return f"Trial({self.name}: {self.label})"

    @property
    def name(self) -> str:
        """See ``name_of``."""
        return name_of(self.config)

    @property
    def folder(self) -> Path:
        """Its run folder, which every command and ``zscape.load`` take."""
        return self.sweep / TRIALS / self.name

    @property
    def label(self) -> str:
        """The options that are not as by default."""
        hidden = ("data", "split_seed")
        own = {name: value for name, value in told(self.config).items() if name not in hidden}
        return ", ".join(f"{name} {_short(value)}" for name, value in own.items()) or "defaults"

    @property
    def options(self) -> dict[str, Any]:
        """Every option by its name."""
        parts = self.config.to_dict().values()
        return {name: value for part in parts for name, value in part.items()}

    def outcome(self) -> Outcome | None:
        """What became of it, if it has ended before.

        Raises
        ------
        CheckpointError
            The file that says so is damaged.
        """
        path = self._outcome
        try:
            if not path.is_file():
                return None
            return Outcome(**schema.parse(path.read_text(encoding="utf-8"), _OUTCOME))
        except OSError as error:
            raise CheckpointError(f"cannot read {path}: {error.strerror or error}.") from error
        except (ValueError, TypeError) as error:
            raise CheckpointError(
                f"{path} is damaged: {error}; remove it, and the trial is measured again."
            ) from error

    def keep(self, outcome: Outcome) -> None:
        """Write down what became of it, if it has come to an end."""
        if outcome.status != STOPPED:
            make_folder(self._outcome.parent)
            write_atomic(self._outcome, json.dumps(asdict(outcome), indent=1) + "\n")

    @property
    def _outcome(self) -> Path:
        return self.sweep / OUTCOMES / f"{self.name}.json"


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
