from __future__ import annotations

import io
import os
import pty
import re
import sys
import termios
from collections.abc import Iterator
from typing import TextIO

import pytest
from training_helpers import EPOCHS, fit_tiny

from zscape.errors import ConfigError, TrainingDiverged
from zscape.training import Progress, Trainer, create_progress
from zscape.training.progress import LineProgress, RichProgress, TqdmProgress

TERMS = r"[\d.]+ \(reconstruction [\d.]+, KL [\d.]+\)"
EPOCH = (
    r"epoch {}/3  [\d,]+ images/s  running [\d.]+  train [\d.]+  test [\d.]+ "
    r"\(reconstruction [\d.]+, KL [\d.]+\)  \d/3 neurons"
)
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A pseudo-terminal of 80 columns that remembers what was written to it."""

    def __init__(self) -> None:
        self.reading, writing = pty.openpty()
        termios.tcsetwinsize(writing, (24, 80))
        self.stream: TextIO = os.fdopen(writing, "w")
        self.text = ""

    def read(self) -> str:
        os.set_blocking(self.reading, False)
        try:
            while chunk := os.read(self.reading, 1 << 16):
                self.text += chunk.decode()
        except BlockingIOError:
            pass
        return self.text


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    for name in ("COLUMNS", "LINES", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    terminal = Terminal()
    yield terminal
    terminal.stream.close()
    os.close(terminal.reading)


def test_lines_for_logs() -> None:
    stream = io.StringIO()
    fit_tiny(progress=create_progress("lines", stream))
    header, *lines = stream.getvalue().splitlines()
    assert header.startswith("mlp, latent_dim 3, ")
    assert " on cpu in 32, processes: 1, threads: " in header
    assert len(lines) == EPOCHS
    for number, line in enumerate(lines, 1):
        assert re.fullmatch(EPOCH.format(number) + r"  ETA \d+:\d\d", line)
    assert lines[-1].endswith("ETA 0:00")


class Drawing(Progress):
    """Passes on to a display, and makes it draw and the terminal be read after every step."""

    def __init__(self, display: RichProgress, terminal: Terminal) -> None:
        self.display, self.terminal = display, terminal
        self.start, self.on_epoch, self.close = display.start, display.on_epoch, display.close

    def on_step(self, trainer: Trainer) -> None:
        self.display.shown = 0.0
        self.display.on_step(trainer)
        self.display.bar.refresh()
        self.terminal.read()


def test_a_bar_in_a_terminal(terminal: Terminal) -> None:
    display = create_progress("auto", terminal.stream)
    assert isinstance(display, RichProgress)
    fit_tiny(progress=Drawing(display, terminal))
    text = CONTROL.sub("", terminal.read()).replace("\r", "")
    lines = text.split("\n")
    bars = [line for line in lines if "━" in line]
    assert any("mlp, latent_dim 3, " in line for line in lines)
    for number in range(1, EPOCHS + 1):
        bar = rf"epoch {number}/3 [━╸╺]+ running loss {TERMS}"
        assert any(re.match(bar, line) for line in bars)
        assert any(re.search(EPOCH.format(number) + "$", line) for line in lines)
    assert any(re.search(r"^ +\d/3 neurons  [\d,]+ images/s  ETA \d+:\d\d", line) for line in lines)
    assert "…" not in text  # nothing is cut off at 80 columns
    assert terminal.text.rstrip().endswith("\x1b[2K")  # and the bar is gone in the end
    assert "\x1b[?25h" in terminal.text  # the cursor is back


def test_the_terminal_is_restored_after_an_error(terminal: Terminal) -> None:
    display = create_progress("rich", terminal.stream)
    with pytest.raises(TrainingDiverged):
        fit_tiny(progress=display, learning_rate=1e30, schedule="constant")
    assert terminal.read().count("\x1b[?25l") == terminal.text.count("\x1b[?25h") == 1


def test_a_tqdm_bar() -> None:
    stream = io.StringIO()
    display = create_progress("tqdm", stream)
    display.shown = -1e9
    fit_tiny(progress=display)
    text = stream.getvalue()
    assert "9/9" in text
    assert re.search(rf"epoch 1/3: .*running loss {TERMS}, \d/3 neurons", text)
    for number in range(1, EPOCHS + 1):
        assert re.search(EPOCH.format(number), text)
    assert text.count("mlp, latent_dim 3, ") == 1


def test_auto_suits_the_place(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    assert type(create_progress("auto", io.StringIO())) is LineProgress
    assert type(create_progress("auto", terminal.stream)) is RichProgress

    class Kernel:
        config = {"IPKernelApp": {}}  # noqa: RUF012

    class Shell:
        get_ipython = staticmethod(lambda: Kernel())

    monkeypatch.setitem(sys.modules, "IPython", Shell())
    assert type(create_progress("auto", terminal.stream)) is TqdmProgress


def test_none_is_silent(capfd: pytest.CaptureFixture[str]) -> None:
    fit_tiny(progress=create_progress("none"))
    assert capfd.readouterr() == ("", "")


def test_unknown_kind() -> None:
    with pytest.raises(ConfigError, match="auto, rich, tqdm, lines, none; got 'bar'"):
        create_progress("bar")
