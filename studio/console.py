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
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from studio.document.model import Document
from studio.formats.atomic import reason
from studio.formats.runs import plain_numbers
from studio.formats.values import plain
from studio.problem import Problem, ProblemError, refuse
from studio.text import text
from studio.train.events import (
    BatchDone,
    Checkpointed,
    EpochDone,
    Event,
    Finished,
    Hit,
    Started,
    Warned,
)
from studio.train.memory import held

if TYPE_CHECKING:
    from studio.train.reproduction import Difference, Replayed, Reproduction

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
            case Hit():
                say_json({"event": "hit", **plain(event)})
            case EpochDone(epoch, logs, seconds, best):
                about = {"event": "epoch", "epoch": epoch, "seconds": seconds, "best": best}
                say_json({**about, **logs})
            case Finished():
                run = event.run
                about = {"run": run.id, "best_epoch": run.best_epoch, "monitor": run.monitor}
                about |= {"stopped": event.stopped, "ended": run.ended, "history": run.history}
                say_json({"event": "finished", **about})
        yield event


def tell_hit(hit: Hit, document: Document) -> None:
    """Print to stderr what a breakpoint met, what may help and where the step is kept."""
    from studio.train.hit_words import facts, sentence
    from studio.train.remedies import advice

    row = [] if hit.row is None else [text("cli.row", row=hit.row + 1)]
    lines = [" · ".join([sentence(hit, document, waits=False), *facts(hit), *row])]
    if hit.remedies:
        lines += [text("cli.may_help"), *(f"  {line}" for line in advice(hit))]
    if hit.reproduction:
        lines.append(text("cli.step_kept", path=hit.reproduction))
    severity = "error" if hit.kind == "not_finite" else "warning"
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{severity}: " + "\n".join(lines) + "\n")
        sys.stderr.flush()


def tell_replay(given: "Reproduction", found: "Replayed", as_json: bool) -> None:
    """Print what doing a step again gave."""
    about, hit = given.about, given.about.hit
    if as_json:
        kept = {"step": plain(hit), "engine": about.engine, "samples": len(given.batch)}
        say_json({**kept, "equal": found.equal, **plain(found)})
        return
    names = {"name": given.document.graph.name, "engine": about.engine}
    where = {"epoch": hit.epoch + 1, "batch": hit.batch + 1, "samples": len(given.batch)}
    say(text("cli.step_of", **names, **where))
    different = len(found.differences)
    key = "replay_differs" if different else "replay_equal"
    say(text(f"cli.{key}", count=found.compared, different=different))
    for difference in found.differences:
        say("  " + _differing(difference))
    say(_arising(hit, found, given.document))


def _differing(difference: "Difference") -> str:
    name, largest = difference.name, difference.largest
    if largest is None:
        return text("cli.replay_digest", name=name)
    return text("cli.replay_difference", name=name, largest=f"{largest:.3g}")


def _arising(hit: Hit, found: "Replayed", document: Document) -> str:
    """Where something not finite arises in a step, in a line."""
    from studio.train.hit_words import facts, sentence

    if found.origin is None:
        odd = hit.kind == "not_finite"
        return text("cli.replay_finite") if odd else sentence(hit, document, waits=False)
    met = replace(Hit("not_finite", hit.epoch, hit.batch, 0.0), **vars(found.origin))
    return " · ".join([sentence(met, document), *facts(met)])


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
