"""The application: its commands, and what becomes of an error."""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import Annotated, Any, TextIO

import typer

from zscape._version import __version__
from zscape.cli import (
    architecture,
    compare,
    data,
    demo,
    doctor,
    encode,
    evaluate,
    explore,
    film,
    find,
    map,
    neurons,
    probe,
    quality,
    report,
    sweep,
    train,
    use,
    walk,
    zoo,
)
from zscape.config import name_unknown
from zscape.errors import TrainingDiverged, ZscapeError
from zscape.streams import Enduring

app = typer.Typer(
    name="zscape",
    help="Train variational autoencoders on images and walk through their latent space.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo.demo)
app.command("train")(train.train)
app.command("encode")(encode.encode)
app.command("evaluate")(evaluate.evaluate)
app.command("doctor")(doctor.doctor)
app.command("probe")(probe.probe)
app.command("disentanglement")(probe.disentanglement)
app.command("quality")(quality.quality)
app.command("compare")(compare.compare)
app.command("reconstruct")(use.reconstruct)
app.command("sample")(use.sample)
app.command("loss")(use.loss)
app.command("info")(use.info)
app.command("architecture")(architecture.architecture)
app.command("report")(report.report)
app.command("film")(film.film)
app.command("explore")(explore.explore)
app.command("export")(explore.export)
app.add_typer(sweep.app, name="sweep")
app.add_typer(walk.app, name="walk")
app.add_typer(map.app, name="map")
app.add_typer(neurons.app, name="neurons")
app.add_typer(find.app, name="find")
app.add_typer(data.app, name="data")
app.add_typer(zoo.app, name="zoo")


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        print(f"zscape {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and stop.", callback=_print_version, is_eager=True
        ),
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show the library's log.")] = False,
) -> None:
    logging.basicConfig(format="%(name)s: %(message)s")
    for handler in logging.getLogger().handlers:
        handler.setLevel(logging.INFO if verbose else logging.WARNING)
    logging.getLogger("zscape").setLevel(logging.INFO)


def main() -> None:
    """Run the command line: 0 on success, 2 and one line on stderr for a user's error.

    A signal that ends it: 128 and its number. Anything that is neither keeps its traceback.
    """
    out, err = (Enduring(_open(stream)) for stream in (sys.stdout, sys.stderr))
    with redirect_stdout(out), redirect_stderr(err), _ended_in_order() as ended_by:
        try:
            code = app(standalone_mode=False)
        except (ZscapeError, typer.TyperException) as error:
            message = _usage(error) if isinstance(error, typer.TyperException) else str(error)
            message = message.replace(": Value error, ", ": ")  # pydantic's
            code = 0 if _is_said_elsewhere(error) else 2
            # Without arguments the help has been printed, and there is nothing to add.
            if code and message:
                print(f"zscape: {' '.join(message.split())}", file=sys.stderr)
        except typer.Exit as stop:
            code = stop.exit_code
        except (typer.Abort, KeyboardInterrupt):
            print("zscape: interrupted.", file=sys.stderr)
            code = 128 + (ended_by[0] if ended_by else signal.SIGINT)
        lost = _finish(out, err)
    sys.exit((code if isinstance(code, int) else 0) or lost)


@contextmanager
def _ended_in_order() -> Iterator[list[int]]:
    """End by SIGTERM and SIGHUP as by Ctrl-C: nothing is left half done. Yields the signal."""
    ended_by: list[int] = []

    def end(number: int, _: Any) -> None:
        ended_by.append(number)
        raise KeyboardInterrupt

    previous = {}
    for number in (signal.SIGTERM, getattr(signal, "SIGHUP", None)):
        if number and signal.getsignal(number) is signal.SIG_DFL:
            previous[number] = signal.signal(number, end)
    try:
        yield ended_by
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _open(stream: TextIO | None) -> TextIO:
    if stream is None:  # closed by who started this; else the next file opened is taken for it
        return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123
    if isinstance(stream, io.TextIOWrapper):
        # Whatever a class or a file is called: "?" where the terminal has no letter for it.
        stream.reconfigure(errors="replace")
    return stream


def _finish(out: Enduring, err: Enduring) -> int:
    """0 if all that was printed has arrived, else the code to end with.

    A reader that has seen enough, as ``head``, is no error: it is that of SIGPIPE, which shells
    know. What is left unwritten would be tried again, and complained of, as Python ends.
    """
    out.flush()
    if out.lost is not None and not isinstance(out.lost, BrokenPipeError):
        reason = out.lost.strerror
        print(f"zscape: cannot write to the standard output: {reason}.", file=sys.stderr)
    err.flush()
    lost = [stream for stream in (out, err) if stream.lost is not None]
    for stream in lost:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    if any(isinstance(stream.lost, BrokenPipeError) for stream in lost):
        return 128 + 13
    return 2 if out.lost is not None else 0


def _usage(error: typer.TyperException) -> str:
    """Typer's sentence, with what came; of an unknown option, with the one that it stands for."""
    unknown, context = getattr(error, "option_name", None), getattr(error, "ctx", None)
    if unknown is None or context is None:
        said = str(error.format_message()).replace("Input should be", "must be")
        problems: list[Any] = getattr(error.__cause__, "errors", list)()  # pydantic's
        if problems and "got " not in said:
            said = f"{said.rstrip('.')}; got {problems[0]['input']}."
        return said
    flags = [flag for parameter in context.command.params for flag in parameter.opts]
    known = [flag[2:].replace("-", "_") for flag in flags if flag.startswith("--")]
    told = name_unknown([unknown.lstrip("-").replace("-", "_")], known)
    _, hint, near = told.partition(" (did you mean ")
    return f"there is no option {unknown}{hint}{'--' * bool(hint)}{near.replace('_', '-')}."


def _is_said_elsewhere(error: Exception) -> bool:
    """Whether the first of several processes reports the same divergence.

    The others then end with 0: Lightning kills the first process if one of them does not.
    """
    if not isinstance(error, TrainingDiverged):
        return False
    from zscape.training.processes import is_first_process

    return not is_first_process()
