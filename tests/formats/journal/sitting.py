"""Somebody who edits a project, whose acts are written down; no window."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from studio.document import edits
from studio.document.history import History
from studio.document.model import Document
from studio.document.project import Project, Run
from studio.formats import loom
from studio.formats.journal.recorder import Recorder
from studio.formats.journal.recovery import Found, recover
from studio.problem import Problem
from tests.formats.examples import fill


class Sitting:
    """A project under edit, as a window has it.

    Attributes:
        told: what was said of writing.
    """

    def __init__(self, root: Path, project: Project, path: Path | None = None) -> None:
        self.told: list[Problem | None] = []
        self.root, self.project, self.path = root, project, path
        self.history = History(project.document)
        self.recorder = Recorder(root / "a", project, path, self.told.append)
        self.history.subscribe(self._on_change)

    @classmethod
    def going_on(cls, found: Found) -> "Sitting":
        """One with what was recovered."""
        made, had = cls.__new__(cls), found.recovered()
        made.told = []
        made.root, made.project, made.path = found.place.parent, had.project, had.path
        made.history = History(had.project.document)
        made.history.go_on(had.past, had.now, had.future, had.saved)
        made.recorder = found.recorder(had.project, made.told.append)
        made.history.subscribe(made._on_change)
        return made

    @property
    def document(self) -> Document:
        return self.history.document

    def _on_change(self, old: Document, new: Document) -> None:
        self.project.document = new
        label, act = self.history.last
        self.recorder.record(label, old, new, act)

    def epochs(self, *numbers: int) -> None:
        """One act for each: so many epochs."""
        for number in numbers:
            document = edits.set_run(self.document, epochs=number)
            self.history.commit(f"{number} epochs", document)

    def save(self, path: Path | None = None) -> None:
        self.path = path or self.path
        assert self.path is not None
        loom.save(self.path, self.project)
        self.history.saved()
        self.recorder.saved(self.path)

    def leave(self) -> Found:
        """End without saving, as far as a killed process does; what is left then."""
        self.wait()
        self.recorder.close(discard=False)
        (found,) = recover(self.root)
        return found

    def wait(self) -> None:
        """Until its thread has nothing more to do."""
        recorder = self.recorder
        until(lambda: recorder._file is not None and not recorder._dirty)
        until(lambda: not recorder._is_behind())


def until(true: Callable[[], object], seconds: float = 20) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never was"
        time.sleep(0.002)


def epochs(document: Document) -> int:
    return document.plan.run.epochs


def labels(found: Found) -> list[str]:
    """Of all acts that are had again."""
    had = found.recovered()
    return [step.label for step in (*had.past, had.now)]


def weights(project: Project) -> dict[Any, bytes]:
    """What is learnt, to be compared."""
    return {
        (*key, cell.value.shape): b"".join(
            a.tobytes() for a in (cell.value, *(cell.slots[s] for s in sorted(cell.slots)))
        )
        for key, cell in project.store.items()
    }


def train(project: Project, seed: int) -> None:
    """What a training leaves: weights with slots, a step, a run."""
    fill(project, seed)
    for cells in project.store.shared().values():
        for cell in cells.values():
            cell.slots = {"velocity": cell.value * np.float32(0.5)}
    project.store.step = seed
    project.keep_run(Run(project.next_run(), history={"loss": [float(seed), float("nan")]}))
