"""Training in a process of its own, so that a window never waits and survives its death.

The process is spawned, never forked, and imports nothing of the window. What it is to do comes at
its start, words (pause, stop, …) while it trains; it says what happens, and ends when nobody
listens any more.
"""

import signal
import time
from copy import copy
from dataclasses import replace
from pathlib import Path

from studio.document.plan import Breakpoints, TableSource
from studio.document.project import Project
from studio.document.store import Store
from studio.problem import Problem
from studio.train import reproduction
from studio.train.beside import Beside, Gone
from studio.train.checkpoints import exists
from studio.train.control import Word
from studio.train.events import BatchDone, Event, Failed, Finished, Speed, Warned
from studio.train.job import Job, train_project
from studio.train.study.wanted import Wanted
from studio.train.trainee import main

__all__ = ["TrainingProcess", "train_project"]

SILENCE = 10.0  # seconds without a word after which something is wrong
BIRTH = 30.0  # likewise, before the first


class TrainingProcess:
    """A training that goes on elsewhere; `poll` tells what it said since the last time.

    Args:
        project: taken as it is now; what is learnt comes back with Finished.
        base: the folder relative data paths start from.
        epochs: instead of the plan's; with `more`, how many more.
        checkpoints: the folder of `studio.train.checkpoints.place_of` to write down in where it
            is, as often as the plan says; None: it is not written down. What is there stays once
            Finished has arrived, until whoever has taken that over discards it.
        resume: go on from what is written down there.
        more: the id of a run of the project to go on with, for `epochs` more epochs; it ends as
            that run had it been longer, and takes its place. The weights are the project's.
        steps: the folder to write a step to that a breakpoint was met in; None: the system's place
            for such files, where the newest few are kept.
    """

    def __init__(
        self,
        project: Project,
        base: Path | None = None,
        epochs: int | None = None,
        *,
        checkpoints: Path | None = None,
        resume: bool = False,
        more: str = "",
        steps: Path | None = None,
    ) -> None:
        light, steps = _light(project, more), steps or reproduction.folder()
        self._job = Job(light, base, epochs, checkpoints, resume, more, steps)
        self._beside = Beside(main, "trainer")
        self._beside.say(self._job)
        self._over = False  # nothing more is told
        self._last = time.monotonic()
        self._spoke = self._told_of_silence = False
        self._memory = 0

    # -- words to it -----------------------------------------------------------------------------

    def start(self) -> None:
        """Spawn it; this does not wait for it."""
        self._last = time.monotonic()
        self._beside.start()

    def pause(self) -> None:
        """Have it wait before the next batch, of a validation too. Paused follows."""
        self._say("pause")

    def resume(self) -> None:
        """Have it go on after a pause. Resumed follows."""
        self._say("resume")

    def stop(self, keep_best: bool = False) -> None:
        """Ask it to end before the next batch, paused or not. Finished follows.

        With `keep_best` its weights are those of the best epoch.
        """
        self._say("stop_at_best" if keep_best else "stop")

    def checkpoint(self) -> None:
        """Have it write down where it is before the next batch. Checkpointed follows, or Warned.

        Nothing does where no checkpoints are kept.
        """
        self._say("checkpoint")

    def step(self) -> None:
        """Have it train one batch, then wait, whether it waits now or not. Paused follows.

        A validation that comes after the batch is gone through.
        """
        self._say("step")

    def look(self, wanted: Wanted) -> None:
        """Say what is looked at from now on. Seen follows, again and again; at once in a pause."""
        self._say(wanted)

    def break_at(self, breakpoints: Breakpoints) -> None:
        """Have it stop there from now on, whatever the plan says. Hit follows when it does."""
        self._say(breakpoints)

    def kill(self) -> None:
        """End it at once; `poll` gives nothing more. What it wrote down last stays."""
        self._over = True
        self._beside.kill()
        self._beside.join(10)

    def _say(self, word: Word | Wanted | Breakpoints) -> None:
        self._beside.say(word)

    # -- what it says ----------------------------------------------------------------------------

    @property
    def pid(self) -> int | None:
        """Its number; None until it is there."""
        return self._beside.pid

    @property
    def alive(self) -> bool:
        """Whether it has begun, and is not at its end."""
        return self._beside.alive

    def poll(self) -> list[Event]:
        """What it said since the last time, without waiting; of several BatchDone the last."""
        events: list[Event] = []
        while self._beside.heard and not self._over:
            event = self._event(self._beside.heard.popleft())
            self._last, self._told_of_silence, self._spoke = time.monotonic(), False, True
            if isinstance(event, BatchDone) and events and isinstance(events[-1], BatchDone):
                events.pop()
            if isinstance(event, Speed):
                self._memory = event.memory
            events.append(event)
            self._over = isinstance(event, Finished | Failed)
        if not events and self.alive and not self._over:
            events += self._silence()
        return events

    def _silence(self) -> list[Event]:
        """A word about its silence, once, if that lasts: it says something every second else."""
        waited = time.monotonic() - self._last
        if waited < (SILENCE if self._spoke else BIRTH) or self._told_of_silence:
            return []
        self._told_of_silence = True
        args = {"seconds": round(waited), "pid": self.pid}
        return [Warned(Problem("trainer_silent", args=args, severity="warning"))]

    def _event(self, said: Event | Gone) -> Event:
        return Failed((self._death(said),)) if isinstance(said, Gone) else said

    def _death(self, gone: Gone) -> Problem:
        """Why it is gone without a last word."""
        if gone.why is not None:
            reason = str(gone.why) or type(gone.why).__name__
            return Problem("trainer_not_started", args={"reason": reason})
        kept = "_kept" if self._is_kept() else ""
        if gone.code is not None and gone.code < 0:
            args = {"signal": _signal_name(-gone.code), "memory": self._memory / 2**30}
            args["files"] = ", ".join(self._files()) or "?"
            cause = "cut_off" if -gone.code == getattr(signal, "SIGBUS", None) else "killed"
            return Problem(f"trainer_{cause}{kept}", args=args)
        return Problem(f"trainer_ended{kept}", args={"code": gone.code})

    def _files(self) -> list[str]:
        """The data that it read, by name."""
        data = self._job.project.document.plan.data
        sources = (data.source, data.split.file)
        return [Path(s.path).name for s in sources if isinstance(s, TableSource)]

    def _is_kept(self) -> bool:
        return self._job.checkpoints is not None and exists(self._job.checkpoints)


def _light(project: Project, more: str) -> Project:
    """What training needs of a project, in containers of its own; the arrays are the same."""
    store = Store()
    store.step = project.store.step
    for layer, cells in project.store.shared().items():
        store.adopt(layer, {key: copy(cell) for key, cell in cells.items()})
    runs = [
        run if run.id == more else replace(run, document=None, weights=None, fitted=None)
        for run in project.runs
    ]
    return Project(project.document, store, dict(project.fitted), runs)


def _signal_name(number: int) -> str:
    try:
        return f"{number}, {signal.Signals(number).name}"
    except ValueError:
        return str(number)
