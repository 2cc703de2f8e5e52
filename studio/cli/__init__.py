"""The shell: ``layerloom [FILE]`` opens the window, everything else is a command.

The commands are functions, a few to a module by what they are for; what only some need is imported
where they need it, and Qt only when the window opens or something is drawn. What is wrong with a
model, its data or a file is listed on stderr and ends with status 1; wrong usage ends with 2;
neither shows a traceback.
"""

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import typer

from studio.cli.checking import check, lens, parity, summary
from studio.cli.console import complain, status_of
from studio.cli.starting import demo, new
from studio.cli.training import replay, train
from studio.cli.using import evaluate, predict
from studio.cli.writing import export, picture, report
from studio.engine.memory import VARIABLE, no_amount
from studio.problem import refuse

# In the order of the help.
COMMANDS: tuple[Callable[..., None], ...] = (
    new,
    train,
    replay,
    evaluate,
    predict,
    export,
    check,
    picture,
    report,
    lens,
    summary,
    parity,
    demo,
)

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Wire neural networks, train them, leave with a proven ONNX file. "
    "`layerloom [FILE]` opens the window.",
)
for command in COMMANDS:
    app.command()(command)


def main() -> None:
    """The command ``layerloom``."""
    _expect_environment()
    arguments = sys.argv[1:]
    commands = sorted(command.__name__ for command in COMMANDS)
    if not arguments:
        raise SystemExit(status_of(lambda: open_window(None)))
    first = arguments[0]
    if first.startswith("-") or first in commands:
        raise SystemExit(status_of(app))
    raise SystemExit(status_of(lambda: _open(first, len(arguments) == 1, commands)))


def _expect_environment() -> None:
    """Say, here and once, that what the environment allows is no amount, and go on without."""
    if problem := no_amount(os.environ.get(VARIABLE, "")):
        complain(problem)
        del os.environ[VARIABLE]


def _open(name: str, alone: bool, commands: list[str]) -> None:
    """The window on a file, where the first word is one."""
    path = Path(name)
    if alone and path.exists():
        open_window(path)
    if alone and path.suffix.lower() == ".loom":
        raise refuse("file_unreadable", file=name, reason=os.strerror(errno.ENOENT))
    raise refuse("command_unknown", name=name, known=", ".join(commands))


def open_window(path: Path | None) -> NoReturn:
    """Start the window, on a project where one is given, and exit when it closes.

    Without a screen Qt would abort the process.
    """
    screens = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if sys.platform == "linux" and not any(os.environ.get(name) for name in screens):
        raise refuse("no_display")
    from studio.ui.app import run

    raise SystemExit(run(path))
