"""``zscape train``."""

from __future__ import annotations

import shlex
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zscape.cli.inputs import OWN
from zscape.cli.options import ALL_CONFIGS, with_options
from zscape.errors import ConfigError
from zscape.words import counted

if TYPE_CHECKING:
    from zscape.training import TrainingResult


@with_options(*ALL_CONFIGS)
def train(
    *,
    out: Annotated[Path | None, typer.Option(help="Folder of the new run.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Go on with this run instead.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a run in OUT.")] = False,
    go_on: Annotated[
        bool,
        typer.Option(
            "--go-on",
            help="Go on with a run in OUT that was told the same, if there is one: for torchrun "
            "and schedulers, which start a command again.",
        ),
    ] = False,
    options: dict[str, Any],
) -> None:
    """Train a model and keep everything about it in a run folder.

    Ctrl-C finishes the step, saves, and says how to go on; so do SIGTERM and SIGHUP. SIGUSR1
    saves, and training goes on.
    """
    if hasattr(signal, "SIGUSR1"):  # it may come before there is anything to save
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    from zscape import api
    from zscape.model import allowed

    own: dict[str, Any] = {k: options.pop(k) for k in OWN if k in options}
    if (out is None) == (resume is None):
        raise ConfigError("train takes either --out RUN, to start, or --resume RUN, to go on.")
    if resume is not None:
        if options or overwrite or go_on:
            others = {"overwrite": overwrite, "go_on": go_on}
            typed = [*options, *(name for name, is_typed in others.items() if is_typed)]
            names = ", ".join(f"--{name.replace('_', '-')}" for name in typed)
            raise ConfigError(f"--resume takes all settings from the run; leave out {names}.")
        result = api.resume(resume, **allowed(**own, here=True))
    else:
        if go_on and overwrite:
            raise ConfigError(
                "--go-on goes on with the run that is there, which --overwrite would replace; "
                "leave out one of them."
            )
        data = options.pop("data", "mnist")
        options |= allowed(**own, here=True)
        result = api.train(data, out=out, overwrite=overwrite, go_on=go_on, **options)
    report_result(result)


def report_result(result: TrainingResult) -> None:
    """Say how a training ended, and what can be done next; only the first process speaks.

    Raises
    ------
    typer.Exit
        With 128 and the number of the signal, if one stopped it: 130 for Ctrl-C.
    """
    from zscape.training.processes import is_first_process

    assert result.run is not None
    folder = shlex.quote(str(result.run.path))
    # The others end with 0 always: Lightning kills the first process if one of them does not.
    if not is_first_process():
        return
    if not result.is_finished:
        print(f"Stopped and saved. Go on with: zscape train --resume {folder}")
        raise typer.Exit(128 + (result.stopped_by or signal.SIGINT))
    last = result.history[-1]
    test = last["test"]
    print(
        f"Test loss {test['loss']:.2f} nats per image after {counted(last['epoch'], 'epoch')} "
        f"(reconstruction {test['reconstruction']:.2f}, KL {test['kl']:.2f}, "
        f"{last['n_active']} of {result.model.latent_dim} latent neurons in use).\n"
        f"Everything is in {result.run.path}. "
        f"See its settings with: zscape info {folder}"
    )
