"""What sessions left that ended before their projects were saved.

Whoever writes a journal owns its folder while it lives; so does who was given a `Found`. Nothing
is removed but by `Found.discard`, or where there is nothing that a project's file has not.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Literal

from studio.document.history import Step
from studio.document.model import Document, LayerId
from studio.document.project import Project
from studio.formats import loom
from studio.formats.atomic import reason
from studio.formats.document_json import FORMAT, read_document, to_json
from studio.formats.journal import file as files
from studio.formats.journal import keeping, story
from studio.formats.journal.folder import Folder
from studio.formats.journal.lines import Lines
from studio.formats.journal.recorder import Recorder, Say, nobody
from studio.formats.journal.story import Stamp, Story
from studio.formats.newer_files import format_of
from studio.formats.strict_json import MalformedError
from studio.limits import JOURNAL_BYTES, JOURNALS
from studio.problem import Problem, ProblemError

_NAMED = 5  # layers, where something is said of several
_MENDABLE = ("reason_ports", "reason_too_many")  # what a document may be refused for, and be one


def recover(root: Path) -> list["Found"]:
    """What was left in the journals of a folder by those that do not live any more, latest first.

    Each belongs to the caller until `Found.leave`, `Found.discard` or `Found.recorder`.
    """
    try:
        places = Folder.all(root)[:JOURNALS]
    except OSError:
        return []
    found = [each for place in places if (each := _found(place)) is not None]
    return sorted(found, key=lambda each: each.when, reverse=True)


@dataclass(frozen=True)
class Recovered:
    """A project as it was when its session ended.

    Attributes:
        project: with what training learnt.
        path: its file, which may be another by now; None: it never had one.
        past, now, future, saved: for `History.go_on`.
        learnt: whether no file has what training learnt.
        problems: what is not as it was, and why.
    """

    project: Project
    path: Path | None
    past: Sequence[Step]
    now: Step
    future: Sequence[Step]
    saved: Document | None
    learnt: bool
    problems: tuple[Problem, ...]


class Found:
    """What one session left of one project.

    Attributes:
        story: its acts; None: nothing can be read.
        problem: why, or that the end of it is damaged; None: it is whole.
    """

    def __init__(self, folder: Folder, so_far: Story | None, problem: Problem | None) -> None:
        self._folder, self.story, self.problem = folder, so_far, problem

    @property
    def place(self) -> Path:
        """The folder it lies in."""
        return self._folder.path

    @property
    def when(self) -> float:
        """When the last act was, in seconds since 1970."""
        return self.story.when if self.story else 0.0

    @property
    def file(self) -> Literal["same", "changed", "missing", "none"]:
        """What became of the project's file since it was opened or saved last."""
        if self.story is None or self.story.path is None:
            return "none"
        now = Stamp.of(self.story.path)
        if now is None:
            return "missing"
        return "same" if now == self.story.stamp else "changed"

    def recovered(self) -> Recovered:
        """The project; everything stays where it is until it is discarded, or gone on with."""
        so_far = self.story
        assert so_far is not None, "something that can be read"
        project, problems = self._learnt(so_far)
        project = replace(project, document=so_far.now.document)
        if lost := _missing(so_far):
            args = {"layers": ", ".join((*lost[:_NAMED], *["…"] * (len(lost) > _NAMED)))}
            problems.append(Problem("journal_weights_missing", args=args, severity="warning"))
        learnt = so_far.kept is not None and so_far.kept.unsaved
        steps = (so_far.past, so_far.now, so_far.future, so_far.saved)
        return Recovered(project, so_far.path, *steps, learnt, tuple(problems))

    def recorder(self, project: Project, say: Say = nobody) -> Recorder:
        """Go on writing this journal, now that its project is open again."""
        assert self.story is not None
        so_far = self.story.copied()
        so_far.missing = ()  # of what is in memory now, nothing is
        return Recorder.going_on(self._folder, project, so_far, say)

    def discard(self) -> None:
        """Remove it: nobody will go on with this."""
        self._folder.remove()

    def leave(self) -> None:
        """Leave it for another time, or another window."""
        self._folder.release()

    def _learnt(self, so_far: Story) -> tuple[Project, list[Problem]]:
        """What lies beside the document, and what is wrong with it."""
        problems: list[Problem] = []
        beside: Project | None = None
        if so_far.kept is not None:
            try:
                kept = keeping.read(self.place, so_far.kept)
                if not so_far.kept.beside:
                    return _of_newer(kept, so_far.path), problems
                beside = kept
            except (OSError, MalformedError) as error:
                why = error.reason if isinstance(error, MalformedError) else reason(error)
                args = {"file": str(self.place), "reason": why}
                problems.append(Problem("file_unreadable", args=args))
        if so_far.path is None or (not problems and self._has_none(so_far)):
            return beside or Project(), problems
        try:
            project = loom.load(so_far.path)
        except ProblemError as error:
            return Project(), [*problems, *error.problems]
        if beside is not None:
            keeping.add(project, beside)
        if problems or self.file != "same":
            args = {"file": str(so_far.path)}
            problems.append(Problem("journal_other_weights", args=args, severity="warning"))
        return project, problems

    def _has_none(self, so_far: Story) -> bool:
        """Whether the project's file has no weights of this."""
        return so_far.bare or self.file in ("none", "missing")


def _missing(so_far: Story) -> Sequence[str]:
    """The names of layers, here or to come back, of which weights are lost."""
    steps = (so_far.now, *reversed(so_far.past), *so_far.future)
    names: dict[LayerId, str] = {}
    for layers in {id(step.document.layers): step.document.layers for step in steps}.values():
        for layer in so_far.missing:
            if layer in layers:
                names.setdefault(layer, layers[layer].name)
    return list(names.values())


def _of_newer(project: Project, path: Path | None) -> Project:
    """With what else is in its file, where a later version wrote that."""
    number = format_of(path) if path else None
    if path is not None and number is not None and number > FORMAT:
        with suppress(ProblemError):
            return replace(project, newer=loom.load(path).newer)
    return project


def _found(place: Path) -> "Found | None":
    try:
        folder = Folder.take(place)
    except OSError:
        return None
    if folder is None:
        return None
    found = _read(folder)
    if found.problem is None and (found.story is None or not found.story.lacking):
        found.discard()
        return None
    return found


def _read(folder: Folder) -> "Found":
    problem = None
    if not folder.path.is_dir():  # its owner was about to remove it
        return Found(folder, None, None)
    try:
        for number in files.numbers(folder.path):
            path = files.path_of(folder.path, number)
            try:
                so_far, damaged = _told(path)
            except MalformedError as error:
                args = {"file": str(path), "place": error.place, "reason": error.reason}
                problem = problem or Problem("file_problem", args=args)
            else:
                cut = Problem("journal_damaged", severity="warning")
                return Found(folder, so_far, problem or (cut if damaged else None))
    except OSError as error:
        args = {"file": str(folder.path), "reason": reason(error)}
        problem = Problem("file_unreadable", args=args)
    return Found(folder, None, problem)


def _told(path: Path) -> tuple[Story, bool]:
    """What a journal comes to as far as it is whole, and whether there was more.

    Raises:
        OSError: it cannot be read.
        MalformedError: nothing in it can be used.
    """
    with files.opened(path) as file:
        records = Lines(file.read(JOURNAL_BYTES))
        goes_on = bool(file.read(1))  # whoever wrote that: it is as good as damaged
    so_far, followed = story.told(records)
    if _is_valid(so_far):
        return so_far, goes_on or records.damaged or not followed
    good, bad = 2, records.count  # what begins it was read as a whole
    while bad - good > 1:
        middle = (good + bad) // 2
        so_far, followed = story.told(islice(records, middle))
        good, bad = (middle, bad) if followed and _is_valid(so_far) else (good, middle)
    return story.told(islice(records, good))[0], True


def _is_valid(so_far: Story) -> bool:
    """Whether its document is one; patches are not asked one by one.

    What no file may hold but a window can show was shown: somebody will mend it.
    """
    if not so_far.past:
        return True  # it was read as a whole
    try:
        read_document(to_json(so_far.now.document))
    except MalformedError as error:
        return error.reason.code in _MENDABLE
    return True
