"""Where the commands meet terminal and disk: what they print, which files they leave alone, how
they are interrupted and what they exit with.
"""

import contextlib
import io
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from studio.formats.atomic import reason
from studio.problem import Problem, ProblemError, refuse
from studio.text import text
from studio.train.events import (
    BatchDone,
    Checkpointed,
    EpochDone,
    Event,
    Finished,
    Started,
    Warned,
)
from studio.train.memory import held

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
    """Print values as one line of JSON."""
    say(json.dumps(values, ensure_ascii=False))


def complain(problem: Problem) -> None:
    """Print a problem to stderr; where even that fails, the status says it."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{problem.severity}: {problem}\n")
        sys.stderr.flush()


def json_lines(events: Iterator[Event]) -> Iterator[Event]:
    """Print each event but the batches' beginnings as one line."""
    for event in events:
        match event:
            case Started():
                warnings = [str(problem) for problem in event.warnings]
                engine = {"engine": event.engine.engine, "reason": event.engine.reason}
                about = {**vars(event), "run": event.run.id, "warnings": warnings}
                say_json({"event": "started", **about, **engine})
            case BatchDone(epoch, batch, logs):
                say_json({"event": "batch", "epoch": epoch, "batch": batch, **logs})
            case Checkpointed():
                say_json({"event": "checkpoint", **vars(event)})
            case Warned(problem):
                say_json({"event": "warning", "code": problem.code, "text": str(problem)})
            case EpochDone(epoch, logs, seconds, best):
                about = {"event": "epoch", "epoch": epoch, "seconds": seconds, "best": best}
                say_json({**about, **logs})
            case Finished():
                run = event.run
                about = {"run": run.id, "best_epoch": run.best_epoch, "monitor": run.monitor}
                about |= {"stopped": event.stopped, "history": run.history}
                say_json({"event": "finished", **about})
        yield event


# -- files that must survive ---------------------------------------------------------------------


def expect_loom(path: Path) -> None:
    """Refuse to write a project under a name that is not a project's."""
    if path.suffix.lower() != ".loom":
        raise refuse("project_suffix", file=str(path))


def spare_project(out: Path, project_file: Path) -> None:
    """Refuse to write anything else where the project, or any other, is or would be."""
    if out.suffix.lower() == ".loom" or _same(out, project_file):
        raise refuse("out_is_project", file=str(out))


def spare_data(out: Path, read: Iterable[Path]) -> None:
    """Refuse to write over a file that data is read from."""
    if any(_same(out, path) for path in read):
        raise refuse("out_is_data", file=str(out))


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # one of them does not exist
        return False


# -- options -------------------------------------------------------------------------------------


def expect_data(data: Iterable[str]) -> None:
    """Refuse a ``--data`` that can name no file: ``PORT=``, or a bare word that is none."""
    for item in data:
        _, equals, place = item.partition("=")
        bare = not equals and not Path(item).exists() and not Path(item).suffix
        if bare or (equals and not place):
            raise refuse("data_malformed", received=item)


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
