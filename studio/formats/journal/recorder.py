"""Writes down what is done to a project while it is done, for `studio.formats.journal.recovery`.

An act is one line, written at once: who is killed loses at most the act under way. A thread flushes
lines to the disk within `SYNC` seconds, writes weights down, and writes the journal anew when it
has become long. The project's own file is never touched.

A journal that cannot be written keeps nobody from working: it is told once, tried again, and what
was missed comes with the next act that can be written.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from studio.document.history import Act
from studio.document.model import Document
from studio.document.project import Project
from studio.formats import strict_json
from studio.formats.atomic import reason
from studio.formats.journal import keeping, story
from studio.formats.journal.file import JournalFile, numbers, path_of
from studio.formats.journal.folder import Folder
from studio.formats.journal.story import Stamp, Story
from studio.formats.strict_json import MalformedError
from studio.limits import JSON_BYTES
from studio.problem import Problem, ProblemError

SYNC = 1.0  # seconds until what is written is on the disk, too
RETRY = 5.0  # seconds until what failed is tried again
LONG = 4 * 2**20  # bytes added to a journal after which it is written anew
COPIED = 2**28  # bytes of weights in the project's file that are copied before they are changed
WAIT = 0.25  # seconds an act waits for the journal's beginning, at most

_FEW = 20  # acts that are added to a journal written anew while the next one waits

Say = Callable[[Problem | None], None]
Record = Callable[[], bytes]


def nobody(problem: Problem | None) -> None:
    """Whom nothing is told."""


def nothing() -> None:
    """What follows where nothing does."""


@dataclass(frozen=True)
class Wanted:
    """What is to be written down beside the journal.

    Attributes:
        project: as it was then; see `keeping.light`.
        unsaved: whether no file of the project has it.
        saves: how many saves there had been.
        told: called once it is on the disk.
    """

    project: Project
    unsaved: bool
    saves: int
    told: tuple[Callable[[], None], ...]


class Recorder:
    """Writes down one open project, from now on until it is closed.

    Its methods are called by one thread, the window's, and return at once.

    Args:
        place: its folder, which is made: a new name in the folder that `recover` looks through.
        project: what is open, edited and trained.
        path: its file; None: it has none yet.
        say: told, by whatever thread, once that nothing can be written (a Problem), and once that
            it can be again (None).
    """

    def __init__(
        self, place: Path, project: Project, path: Path | None = None, say: Say = nobody
    ) -> None:
        bare = not keeping.has_learnt(project)
        self._begin(place, None, project, Story.beginning(project.document, path, bare), say)

    @classmethod
    def going_on(cls, folder: Folder, project: Project, so_far: Story, say: Say) -> "Recorder":
        """One that goes on with a journal, of a project that was recovered from it."""
        made = cls.__new__(cls)
        made._begin(folder.path, folder, project, so_far, say)
        return made

    def _begin(
        self, place: Path, folder: Folder | None, project: Project, so_far: Story, say: Say
    ) -> None:
        self._place, self._folder, self._project, self._say = place, folder, project, say
        self._story = so_far
        self._file: JournalFile | None = None
        self._written = so_far.now.document  # what the file comes to
        self._missed: list[Record] | None = None  # by a file that is being written anew
        self._wanted: Wanted | None = None
        self._saves = 0
        self._kept = so_far.kept.number if so_far.kept else 0  # counted up
        # What is large and stands in the project's file is not copied because of one edit.
        self._has_kept = so_far.kept is not None or bool(
            so_far.path and keeping.size(project) > COPIED
        )
        self._kept_layers = project.document.layers.keys()
        self._lost = False  # what was written down that no file has, by somebody who removed it
        self._anew, self._dirty, self._failed, self._closing = True, False, False, False
        self._discards = False  # what is under the pen is of no use
        self._tried = 0.0
        self._lock = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    # -- what happens in the window --------------------------------------------------------------

    def record(self, label: str, old: Document, new: Document, act: Act = "done") -> None:
        """One act: what `History.last` says, and the document before and after it."""
        with self._lock:
            if self._file is None:
                self._lock.wait_for(lambda: self._file or self._failed, WAIT)
            now, before = self._tick(), self._story.now.document
            self._story.took(act, label, new)
            self._keep_new(old, new)
            written = self._written
            # What could not be written before comes along, as one act.
            catching_up = act if written is before else "done"
            if self._add(
                lambda: story.act(catching_up, label, written, new, now),
                lambda: story.act(act, label, before, new, now),
            ):
                self._written = new

    def trained(self, project: Project, kept: Callable[[], None] = nothing) -> None:
        """The weights, what preprocessing learnt, or the runs are others now.

        `kept` is called, by whatever thread, once all that is on the disk.
        """
        with self._lock:
            self._want(Wanted(keeping.light(project), True, self._saves, (kept,)))

    def saved(self, path: Path) -> None:
        """The project's file is at `path`, and holds everything."""
        with self._lock:
            now, stamp, kept = self._tick(), Stamp.of(path), self._wanted is None
            self._story.was_saved(path, stamp, kept)
            self._saves, self._lost = self._saves + 1, False
            if self._wanted is not None:
                self._wanted = replace(self._wanted, unsaved=False)
            self._add(lambda: story.saved(path, stamp, kept, now))

    def training(self, place: Path | None) -> None:
        """A training began that is written down in `place`; or (None) it ended."""
        with self._lock:
            now, where = self._tick(), str(place) if place else ""
            self._story.training = where
            self._add(lambda: story.training(where, now))

    def close(self, discard: bool = True) -> None:
        """Write no more. What was written goes, or stays for `recover`."""
        with self._lock:
            self._closing, self._discards = True, discard
            self._lock.notify_all()
        self._thread.join()
        if not discard:
            self._turn()
        if self._file is not None:
            self._file.close()
        if self._folder is not None and discard:
            self._folder.remove()
        elif self._folder is not None:
            self._folder.release()

    # -- holding the lock ------------------------------------------------------------------------

    def _tick(self) -> float:
        self._story.when = time.time()
        return self._story.when

    def _keep_new(self, old: Document, new: Document) -> None:
        """Have weights written down that no file of the journal has: at first, and of new layers.

        They come with files and with what is pasted.
        """
        if self._has_kept and new.layers is old.layers:
            return
        cells = self._project.store.shared()
        fresh = new.layers.keys() - old.layers.keys() - self._kept_layers
        brought = any(cells.get(layer) for layer in fresh)
        if brought or (not self._has_kept and keeping.has_learnt(self._project)):
            unsaved, self._lost = brought or self._lost, False
            # At first those of what the act takes away as well: it may be undone.
            project = replace(keeping.light(self._project), document=new if brought else old)
            self._want(Wanted(project, unsaved, self._saves, ()))

    def _want(self, wanted: Wanted) -> None:
        before = self._wanted
        if before is not None:
            unsaved, told = before.unsaved or wanted.unsaved, before.told + wanted.told
            wanted = replace(wanted, unsaved=unsaved, told=told)
        self._wanted, self._has_kept = wanted, True
        self._kept_layers = wanted.project.document.layers.keys()
        self._lock.notify_all()

    def _add(self, record: Record, anew: Record | None = None) -> bool:
        """Write a record; whether that is done. What is being written anew gets it, too."""
        if self._missed is not None:
            self._missed.append(anew or record)
        if self._file is None:
            return False  # the one that is yet to be begins with it
        try:
            self._file.append(_bounded(record()))
        except Exception as error:  # whatever it is, it keeps nobody from working, and is told
            self._fail(error)
            return False
        if not self._dirty:  # else the thread knows, and each time it woke it took a turn
            self._dirty = True
            self._lock.notify_all()
        return True

    def _fail(self, error: BaseException) -> None:
        self._anew, self._tried = True, time.monotonic()
        self._lock.notify_all()
        if not self._failed and not self._discards:
            self._failed = True
            self._say(_problem(self._place, error))

    # -- the thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._lock:
                while not self._has_work():
                    self._lock.wait(RETRY if self._failed else None)
            if self._closing:
                return
            self._turn()
            with self._lock:
                self._lock.wait_for(self._is_urgent, SYNC)

    def _has_work(self) -> bool:
        return self._closing or self._dirty or (self._is_due() and self._is_behind())

    def _is_urgent(self) -> bool:
        return self._closing or (self._wanted is not None and self._is_due())

    def _is_behind(self) -> bool:
        return self._anew or self._wanted is not None

    def _is_due(self) -> bool:
        return not self._failed or time.monotonic() >= self._tried + RETRY

    def _turn(self) -> None:
        """Do what there is to do; what fails is tried again."""
        try:
            self._look()
            if self._anew and (self._is_due() or self._closing):
                self._write_anew()
            if self._wanted is not None and not self._anew:
                self._keep(self._wanted)
            if self._dirty:
                self._sync()
                self._look()
        except Exception as error:  # as above
            with self._lock:
                self._missed = None
                self._fail(error)
            return
        if self._failed and not self._anew:
            self._failed = False
            self._say(None)

    def _look(self) -> None:
        """Begin anew where somebody removed it, and where it has become long."""
        file = self._file
        if file is None:
            return
        if self._folder is None or not (self._folder.there and file.there):
            with self._lock:
                gone, self._story.kept = self._story.kept, None
                self._lost = self._lost or (gone is not None and gone.unsaved)
                self._anew, self._has_kept = True, False
        elif file.added > LONG:
            self._anew = True

    def _write_anew(self) -> None:
        with self._lock:
            so_far, self._missed = self._story.copied(), []
        if self._folder is None or not self._folder.there:
            if self._folder is not None:
                self._folder.release()
            self._folder = Folder.make(self._place)
        fresh = JournalFile(self._place, map(_bounded, story.written(so_far)))
        try:
            while not self._switched(fresh):
                fresh.sync()
        except BaseException:
            fresh.close()
            raise
        for number in numbers(self._place)[1:]:
            with suppress(OSError):
                path_of(self._place, number).unlink()

    def _switched(self, fresh: JournalFile) -> bool:
        """Add what happened meanwhile; where that is nothing more, the fresh one counts."""
        with self._lock:
            assert self._missed is not None
            missed, self._missed = self._missed, []
            if len(missed) <= _FEW:
                for record in missed:
                    fresh.append(_bounded(record()))
                fresh.name(max(numbers(self._place), default=0) + 1)
                if self._file is not None:
                    self._file.close()
                self._file, self._missed, self._anew = fresh, None, False
                self._written, self._dirty = self._story.now.document, bool(missed)
                self._lock.notify_all()
                return True
        for record in missed:
            fresh.append(_bounded(record()))
        return False

    def _keep(self, wanted: Wanted) -> None:
        """Write weights down, and say where; what was there before goes."""
        self._kept += 1
        try:
            kept = keeping.keep(
                self._place, self._kept, wanted.project, wanted.unsaved, lambda: self._discards
            )
        except MalformedError as error:  # no file can hold it: trying again is no use
            with self._lock:
                self._wanted = None
                self._fail(error)
            return
        with self._lock:
            asked = self._wanted
            assert asked is not None
            newer = asked.project is not wanted.project
            if newer and wanted.saves != self._saves:
                return  # what the file holds is as new, or newer
            if not newer:
                kept = replace(kept, unsaved=asked.unsaved)
            if not self._add(partial(story.kept, kept, self._tick())):
                return
            self._story.was_kept(kept)
            left = asked.told[len(wanted.told) :]  # who is told already is not told again
            self._wanted = replace(asked, told=left) if newer else None
        self._sync()
        keeping.sweep(self._place, kept)
        for told in wanted.told:
            told()

    def _sync(self) -> None:
        self._dirty = False  # before: what is added meanwhile is not flushed by this
        assert self._file is not None
        self._file.sync()


def _bounded(record: bytes) -> bytes:
    """A record that will be read again."""
    if len(record) > JSON_BYTES:
        raise strict_json.malformed("journal", "too_large", expected=JSON_BYTES)
    return record


def _problem(place: Path, error: BaseException) -> Problem:
    match error:
        case ProblemError(problems=(problem, *_)):
            why = problem.args.get("reason", problem)
        case MalformedError():
            why = error.reason
        case OSError():
            why = reason(error)
        case _:
            why = str(error) or type(error).__name__
    args = {"place": str(place.parent), "reason": why}
    return Problem("journal_not_written", args=args, severity="warning")
