"""Writes checkpoints while training goes on: a copy is made between two batches, a thread does
the rest.
"""

import threading
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO

from studio.document.model import LayerId
from studio.document.preprocess import Fitted
from studio.document.store import Store
from studio.formats import arrays, atomic, document_json, strict_json
from studio.formats.arrays import Tensors
from studio.formats.atomic import reason, writing
from studio.formats.strict_json import MalformedError
from studio.formats.values import plain
from studio.layers.cell import Cells
from studio.problem import Problem, ProblemError
from studio.train.checkpoints import FILE, SUMS, About, Kept, plain_course, sweep
from studio.train.course import Course
from studio.train.events import Checkpointed, Event, Warned
from studio.train.trainer import Trainer

FIRST = 5.0  # seconds until the first checkpoint: what is killed early can be gone on with, too
SHARE = 0.02  # of the time, at most, that training stands still for checkpoints


class Keeper:
    """Keeps one training's checkpoints in a folder.

    A checkpoint that cannot be written is warned of, and training goes on: the one before stays
    whole, and the next is tried when it is due.
    """

    def __init__(
        self,
        place: Path,
        trainer: Trainer,
        fitted: dict[str, Fitted],
        about: Callable[[], About],
        minutes: float,
        say: Callable[[Event], None],
    ) -> None:
        """The document is the trainer's as it is now; `about` is asked once, by the thread."""
        self._place, self._trainer, self._fitted = place, trainer, fitted
        self._document, self._ask = trainer.document, about
        self._about: About | None = None
        self._interval, self._say = minutes * 60, say
        self._next = time.monotonic() + min(FIRST, self._interval)
        self._thread: threading.Thread | None = None
        self._failed = False  # the last time, which was told
        self._copies: Mapping[LayerId, Cells] = {}  # of the last time
        self._clean()

    def due(self) -> bool:
        """Whether it is time for one, and the one before is written."""
        return time.monotonic() >= self._next and (
            self._thread is None or not self._thread.is_alive()
        )

    def keep(self, course: Course, at_once: bool = False) -> None:
        """Copy where training is, and have it written. `at_once`: wait until that is done."""
        began = time.monotonic()
        self.close()
        try:
            self._trainer.save()
            kept = self._copy(course)
        except MemoryError as error:
            self._fail(error)
            self._next = time.monotonic() + self._interval
            return
        held = time.monotonic() - began
        self._next = time.monotonic() + max(self._interval, held / SHARE)
        self._thread = threading.Thread(target=self._write, args=(kept, held), name="checkpoint")
        self._thread.start()
        if at_once:
            self.close()

    def close(self) -> None:
        """Wait until what is under way is written."""
        if self._thread is not None:
            self._thread.join()

    def _copy(self, course: Course) -> Kept:
        store, before = Store(), self._copies
        store.step = self._trainer.store.step
        for layer, cells in self._trainer.store.shared().items():
            old = before.get(layer, {})
            store.adopt(layer, {key: cell.copy(old.get(key)) for key, cell in cells.items()})
        self._copies = store.shared()
        about = self._about or About(0, "", 0, 0)
        return Kept(self._document, store, course, self._fitted, about)

    def _write(self, kept: Kept, held: float) -> None:
        """What the thread does."""
        began = time.monotonic()
        try:
            self._about = self._about or self._ask()
            kept = replace(kept, about=replace(self._about, with_best=kept.course.best is not None))
            self._place.mkdir(parents=True, exist_ok=True)
            with writing(self._place / FILE) as file:
                write(file, kept)
                size = file.tell()
        except (OSError, ProblemError, MemoryError, MalformedError) as error:
            self._fail(error)
            return
        self._failed = False
        where, seconds = kept.course, time.monotonic() - began
        self._say(Checkpointed(where.epoch, where.batch, size, held, seconds))

    def _fail(self, error: BaseException) -> None:
        """Say so, once until it succeeds again."""
        if self._failed:
            return
        self._failed = True
        match error:
            case ProblemError(problems=(problem, *_)):  # of `writing`
                why = problem.args["reason"]
            case OSError():
                why = reason(error)
            case _:
                why = str(error) or type(error).__name__
        args = {"place": str(self._place), "reason": why}
        self._say(Warned(Problem("checkpoint_not_written", args=args, severity="warning")))

    def _clean(self) -> None:
        """What a writer that was killed left behind is nobody's."""
        sweep()
        atomic.sweep(self._place / FILE)


def write(file: IO[bytes], kept: Kept) -> None:
    """Write a checkpoint: see `studio.train.checkpoints`."""
    values = {
        "course.json": plain_course(kept.course, kept.about),
        "document.json": document_json.to_json(kept.document),
        "preprocess.json": plain(dict(kept.fitted), tagged=True),
    }
    tensors = _tensors("", kept, kept.store)
    if kept.course.best is not None:
        best = Store()
        for layer, cells in kept.course.best.items():
            best.adopt(layer, dict(cells))
        tensors |= _tensors("best_", kept, best)
    tensors[SUMS] = Tensors(dict(kept.course.means))
    with zipfile.ZipFile(file, "w") as archive:
        for name, value in values.items():
            archive.writestr(name, strict_json.dumps(value, name))
        for name, given in tensors.items():
            with archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as member:
                arrays.write(member, given)


def _tensors(prefix: str, kept: Kept, store: Store) -> dict[str, Tensors]:
    names = (f"{prefix}weights.safetensors", f"{prefix}state.safetensors")
    return dict(zip(names, arrays.tensors_of(kept.document, store), strict=True))
