"""Where the commands meet the terminal: how they print, are interrupted and end."""

import contextlib
import io
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import Any

from studio.engine.memory import held
from studio.formats.atomic import reason
from studio.formats.runs import plain_numbers
from studio.problem import Problem, ProblemError
from studio.text import text

# These are wrong in what was typed, not in a model, its data or a file.
WRONG_USAGE = frozenset(
    {"command_unknown", "unknown_example", "data_port_unknown", "data_malformed"}
)


# -- the status ----------------------------------------------------------------------------------


def status_of(command: Callable[[], None]) -> int:
    """Run a command to its exit status; whatever the user or the system did shows no traceback.

    1 where a model, its data or a file is at fault, 2 for wrong usage, 130 after Ctrl+C; a
    SystemExit passes through.
    """
    _mend_stdout()
    try:
        try:
            command()
        finally:
            sys.stdout.flush()  # a full disk may only show now
    except ProblemError as error:
        for problem in error.problems:
            complain(problem)
        return 2 if any(p.code in WRONG_USAGE for p in error.problems) else 1
    except KeyboardInterrupt:
        return 130
    except MemoryError:
        complain(Problem("trainer_memory", args={"memory": held() / 2**30}))
        return 1
    except OSError as error:
        return _refused(error)
    return 0


def _mend_stdout() -> None:
    """An output that is closed, or lacks a letter such as ←, is no reason to lose a training."""
    if sys.stdout is None:
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")
    elif isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _refused(error: OSError) -> int:
    """The status after the system refused. Files have names; what has none is our own output."""
    if error.filename is None:
        _silence_stdout()
    if isinstance(error, BrokenPipeError):  # the reader of our output went away
        return 0
    name = text("cli.stdout") if error.filename is None else str(error.filename)
    complain(Problem("system_refused", args={"file": name, "reason": reason(error)}))
    return 1


def _silence_stdout() -> None:
    """What is still in its buffer must not fail once more when the interpreter ends."""
    with contextlib.suppress(OSError, AttributeError):  # in a test it may be no file
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())


# -- printing ------------------------------------------------------------------------------------


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def say_json(values: Mapping[str, Any]) -> None:
    """Print values as one line of JSON; numbers it has no sign for as texts: "nan", "inf"."""
    say(json.dumps(plain_numbers(values), ensure_ascii=False, allow_nan=False))


def complain(problem: Problem) -> None:
    """Print a problem to stderr; where even that fails, the status says it."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{problem.severity}: {problem}\n")
        sys.stderr.flush()


# -- Ctrl+C --------------------------------------------------------------------------------------


@contextlib.contextmanager
def interruptible() -> Iterator[threading.Event]:
    """While it lasts, a first Ctrl+C sets the event, and a second ends all with status 130."""
    asked = threading.Event()

    def take(number: int, frame: FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    before = signal.signal(signal.SIGINT, take)
    try:
        yield asked
    except KeyboardInterrupt:
        with contextlib.suppress(OSError):
            sys.stderr.write(text("cli.nothing_saved") + "\n")
        raise SystemExit(130) from None
    finally:
        signal.signal(signal.SIGINT, before)
