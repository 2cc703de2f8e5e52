"""Training in a process of its own, so that a window never waits and survives its death.

The process is spawned, never forked, and imports nothing of the window. It is told everything at
its start and only talks back; it ends when nobody listens any more.
"""

import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event as Flag
from pathlib import Path

from studio.document.analysis import obstacles
from studio.document.lowering import raise_first
from studio.document.project import Project
from studio.engine.threads import available
from studio.problem import Problem, ProblemError
from studio.train.data import load_data
from studio.train.events import BatchDone, BatchStarted, Event, Failed, Finished, Started
from studio.train.fit import FitPlan, fit
from studio.train.trainer import Settings, Trainer

_INTERVAL = 0.05  # seconds between two BatchDone that are sent
_NICE = 5  # below the window


def train_project(
    project: Project,
    base: Path | None = None,
    epochs: int | None = None,
    *,
    stop: Flag | threading.Event | None = None,
    threads: int = 0,
) -> Iterator[Event]:
    """Train a project on the data its plan binds: load, check, fit. In this process.

    Args:
        project: its Store is trained in place. Weights that learnt before go on with the
            vocabulary and statistics they know.
        base: the folder relative data paths start from.
        epochs: instead of the plan's.
        stop: set from elsewhere to end after the current batch.
        threads: for matrix products; all cores if 0.

    Raises:
        ProblemError: everything that keeps it from starting.
    """
    document, run = project.document, project.document.plan.run
    learnt = any(cell.trained for _, cell in project.store.items())
    model = obstacles(document)
    raise_first(model)
    data = load_data(document, base or Path(), project.fitted if learnt else None)
    trainer = Trainer(document, project.store, Settings(run.engine, run.seed, threads))
    plan = FitPlan(epochs or run.epochs, run.batch_size, run.shuffle)
    run_id = f"r{len(project.runs) + 1}"
    asked = stop.is_set if stop is not None else lambda: False
    for event in fit(trainer, data.train, data.validation, plan, run_id=run_id, stop=asked):
        if isinstance(event, Started):
            event = replace(event, warnings=(*model, *data.warnings))
        elif isinstance(event, Finished):
            event = replace(event, fitted=data.fitted)
        yield event


class TrainingProcess:
    """A training that goes on elsewhere; `poll` tells what it said since the last time."""

    def __init__(
        self, project: Project, base: Path | None = None, epochs: int | None = None
    ) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._receiver, sender = spawn.Pipe(duplex=False)
        self._sender = sender
        self._stop = spawn.Event()
        self._over = False
        arguments = (sender, self._stop, project, base, epochs)
        self._process = spawn.Process(target=_main, args=arguments, daemon=True)

    def start(self) -> None:
        """Spawn it."""
        self._process.start()
        self._sender.close()  # ours; the child has its own, whose end we want to notice

    @property
    def pid(self) -> int | None:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    def stop(self) -> None:
        """Ask it to end after the current batch; Finished follows."""
        self._stop.set()

    def kill(self) -> None:
        """End it at once. What it learnt is lost; `poll` gives nothing more."""
        self._over = True
        if self._process.pid is not None:
            self._process.kill()
            self._process.join()
        self._receiver.close()

    def poll(self) -> list[Event]:
        """What it said since the last time, without waiting; of several BatchDone the last."""
        events: list[Event] = []
        while not self._over:
            try:
                if not self._receiver.poll():
                    break
                event: Event = self._receiver.recv()
            except (EOFError, OSError):
                event = Failed((self._death(),))
            if isinstance(event, BatchDone) and events and isinstance(events[-1], BatchDone):
                events.pop()
            events.append(event)
            self._over = isinstance(event, Finished | Failed)
        return events

    def _death(self) -> Problem:
        """Why the pipe ended without a last word."""
        self._process.join(1.0)
        code = self._process.exitcode
        if code is not None and code < 0:
            return Problem("trainer_killed", args={"signal": _signal_name(-code)})
        return Problem("trainer_ended", args={"code": code})


def _signal_name(number: int) -> str:
    try:
        return f"{number}, {signal.Signals(number).name}"
    except ValueError:
        return str(number)


def _main(
    sender: Connection, stop: Flag, project: Project, base: Path | None, epochs: int | None
) -> None:
    """What the process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the window's to handle
    if hasattr(os, "nice"):
        os.nice(_NICE)
    try:
        _send_all(sender, train_project(project, base, epochs, stop=stop, threads=_spare()))
    except ProblemError as error:
        _send(sender, Failed(error.problems))
    except Exception:
        _send(sender, Failed(report=traceback.format_exc()))


def _spare() -> int:
    """All cores but one, which the window keeps."""
    return max(1, available() - 1)


def _send_all(sender: Connection, events: Iterator[Event]) -> None:
    last = 0.0
    for event in events:
        if isinstance(event, BatchStarted):
            continue
        if isinstance(event, BatchDone):
            now = time.perf_counter()
            if now - last < _INTERVAL:
                continue
            last = now
        if not _send(sender, event):
            return


def _send(sender: Connection, event: Event) -> bool:
    """Whether somebody still listens."""
    try:
        sender.send(event)
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True
