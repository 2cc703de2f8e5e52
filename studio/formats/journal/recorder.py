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
from studio.document.store import Store
from studio.formats import strict_json
from studio.formats.atomic import reason
from studio.formats.journal import keeping, story
from studio.formats.journal.file import FullError, JournalFile, numbers, path_of
from studio.formats.journal.folder import Folder
from studio.formats.journal.story import Stamp, Story, Told
from studio.formats.strict_json import MalformedError
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
        beside: whether it is only what the project's file lacks.
    """

    project: Project
    unsaved: bool
    saves: int
    told: tuple[Callable[[], None], ...]
    beside: bool = False


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
        self._written, self._lacks = so_far.copied(), False  # what the file comes to; or not all
        self._missed: list[Record] | None = None  # by a file that is being written anew
        self._wanted: Wanted | None = None
        self._saves = 0
        self._beside = frozenset[keeping.Place]()  # of what is kept beside the file, what that is
        self._kept = so_far.kept.number if so_far.kept else 0  # counted up
        # What is large and stands in the project's file is not copied because of one edit.
        self._has_kept = so_far.kept is not None or bool(
            so_far.path and keeping.size(project) > COPIED
        )
        self._held = keeping.learnt(project)  # of which weights are written down, or in the file
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
            told = Told.of(self._story, act, label, new)
            self._story.took(*told)
            self._keep_new(old, new)
            written = self._written.now.document
            # What could not be written before comes along, as one act.
            late = self._late() if self._lacks else Told.of(self._written, act, label, new)
            if self._add(lambda: late.after(written, now), lambda: told.after(before, now)):
                self._written.took(*late)
                self._lacks = False
            else:
                self._lacks = True

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
            left = self._left_out()
            missing = tuple(left.shared())
            self._story.was_saved(path, stamp, kept, missing)
            self._saves, self._lost = self._saves + 1, False
            if self._wanted is not None:
                self._wanted = replace(self._wanted, unsaved=False)
            self._add(lambda: story.saved(path, stamp, kept, missing, now))
            if missing and (self._wanted is None or self._wanted.beside):
                beside = keeping.light(Project(store=left))
                self._want(Wanted(beside, False, self._saves, (), beside=True))

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
            if self._anew and not self._failed:
                self._turn()  # it was full: what came to be written last is not in it
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
        fresh = new.layers.keys() - old.layers.keys()
        brought = not keeping.learnt(self._project, fresh) <= self._held
        if brought or (not self._has_kept and keeping.has_learnt(self._project)):
            unsaved, self._lost = brought or self._lost, False
            self._want(Wanted(keeping.light(self._project), unsaved, self._saves, ()))

    def _left_out(self) -> Store:
        """The weights in memory that a file that was just saved lacks, and what is written down."""
        kept = self._story.kept
        if self._wanted is None and kept is not None and not kept.beside:
            return Store()  # all were written down
        left = keeping.left_out(self._project)
        is_kept = self._wanted is None and kept is not None
        return Store() if is_kept and keeping.keys(left) <= self._beside else left

    def _want(self, wanted: Wanted) -> None:
        before = self._wanted
        self._beside = keeping.keys(wanted.project.store) if wanted.beside else frozenset()
        if before is not None:
            unsaved, told = before.unsaved or wanted.unsaved, before.told + wanted.told
            wanted = replace(wanted, unsaved=unsaved, told=told)
        self._wanted, self._has_kept = wanted, True
        self._held = keeping.learnt(self._project)
        self._lock.notify_all()

    def _late(self) -> Told:
        """What was done since what is written."""
        now, written = self._story.now, self._written.now.document
        alone = all(step.document is not written for step in self._story.past)  # it was undone
        return Told("done", now.label, now.document, alone)

    def _add(self, record: Record, anew: Record | None = None) -> bool:
        """Write a record; whether that is done. What is being written anew gets it, too."""
        if self._missed is not None:
            self._missed.append(anew or record)
        if self._file is None:
            return False  # the one that is yet to be begins with it
        try:
            self._file.append(record())
        except FullError:  # it is in the one that is written anew
            self._anew = True
            self._lock.notify_all()
            return False
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
        if self._folder is None or not self._folder.there:
            if self._folder is not None:
                self._folder.release()
            self._folder = Folder.make(self._place)
        full = True
        while full:
            with suppress(FullError):  # so much happened meanwhile
                self._write_what_was()
                full = False
        for number in numbers(self._place)[1:]:
            with suppress(OSError):
                path_of(self._place, number).unlink()

    def _write_what_was(self) -> None:
        """Write a journal of all there is up to now, and of what happens meanwhile."""
        with self._lock:
            so_far, self._missed = self._story.copied(), []
        fresh = JournalFile(self._place, map(_bounded, story.written(so_far)))
        try:
            while not self._switched(fresh):
                fresh.sync()
        except BaseException:
            fresh.close()
            raise

    def _switched(self, fresh: JournalFile) -> bool:
        """Add what happened meanwhile; where that is nothing more, the fresh one counts."""
        with self._lock:
            assert self._missed is not None
            missed, self._missed = self._missed, []
            if len(missed) <= _FEW:
                for record in missed:
                    fresh.append(record())
                fresh.name(max(numbers(self._place), default=0) + 1)
                if self._file is not None:
                    self._file.close()
                self._file, self._missed, self._anew = fresh, None, False
                self._written, self._lacks = self._story.copied(), False
                self._dirty = bool(missed)
                self._lock.notify_all()
                return True
        for record in missed:
            fresh.append(record())
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
            kept = replace(kept, beside=wanted.beside)
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
    """A record that will be read again: one that begins a journal has to be."""
    strict_json.refuse_large(record, "journal")
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
