"""Finds what windows that were ended left unsaved, offers it, and opens it again."""

from collections.abc import Iterable, Sequence
from functools import partial
from html import escape
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QDateTime, QEvent, QLocale, QObject, QTimer, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QWidget

from studio.document.analysis import analyse
from studio.document.model import Document
from studio.document.store import Store
from studio.formats.journal.recovery import Found, recover
from studio.problem import Problem, ProblemError
from studio.text import language, text
from studio.ui.background import Latest
from studio.ui.canvas.faces import Faces
from studio.ui.canvas.picture import Picture
from studio.ui.desk import Desk
from studio.ui.dialogs import confirm, tell
from studio.ui.docks import Docks
from studio.ui.notice import Notice
from studio.ui.recovery.offer import PICTURE, Line, Offer
from studio.ui.session import Session
from studio.ui.theme import tokens

_SETTLED = 50  # milliseconds after the window was painted first
_DRAWN = 100  # nodes of a graph that is drawn: more takes long, and is dust


class Place(Protocol):
    """Where projects are opened: the window.

    Attributes:
        panels: what stands around the canvas.
    """

    panels: Docks

    def show_session(self, session: Session) -> None:
        """Open another project beside what is open, and bring it to the front."""
        ...

    def desk_of(self, path: Path) -> Desk | None:
        """What has this file open."""
        ...

    def give_way(self, desk: Desk) -> None:
        """Close a tab behind another one; nothing is asked."""
        ...


class Offering(QObject):
    """What was left, in a list above everything else until somebody decides about it.

    Signals:
        counted(): there is something to offer, or nothing any more.

    Attributes:
        bar: the list.
        notice: says what could not be recovered, or that nothing can be kept now.
        found: what is in it; nobody else's while it is there.
    """

    counted = Signal()

    def __init__(self, root: Path | None, window: QWidget, place: Place) -> None:
        super().__init__(window)
        self._root, self._window, self._place = root, window, place
        self.bar, self.notice = Offer(), Notice()
        self.found: list[Found] = []
        self._asked = False
        self._looking = Latest(self)
        self._looking.answered.connect(self._take)
        self.bar.opened.connect(lambda number: self.open([self.found[number]]))
        self.bar.discarded.connect(lambda number: self.discard(self.found[number]))
        self.bar.all_opened.connect(lambda: self.open(each for each in self.found if each.story))
        self.bar.later.connect(self.leave)
        self.bar.retranslated.connect(self._list)

    # -- looking ---------------------------------------------------------------------------------

    def look_once_painted(self) -> None:
        """Look when the window has been painted first: nobody waits for it because of this."""
        self._window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self._window.removeEventFilter(self)
            QTimer.singleShot(_SETTLED, self, self.look)
        return False

    def look(self) -> None:
        """Look for what was left, beside the window, and offer it."""
        if self._root is not None:
            self._looking.ask(partial(recover, self._root))

    def ask(self) -> None:
        """Somebody asks what there is, now."""
        self._asked = True
        self.look()

    def _take(self, found: list[Found]) -> None:
        self.found += found
        self._list()
        if self._asked and not self.found:
            tell(self._window, text("recovery.nothing"), warning=False)
        self._asked = False

    def leave(self) -> None:
        """Decide nothing now: it is offered again at the next start, or where it is asked for."""
        for each in self.found:
            each.leave()
        self.found = []
        self._list()

    def close(self) -> None:
        """The window goes: what is found from now on is left where it is."""
        self._looking.drop()
        self.leave()

    def warn(self, problem: Problem | None) -> None:
        """Say that what is done cannot be kept now; None: that it can again."""
        self.say([] if problem is None else [str(problem)])

    def say(self, lines: Iterable[str]) -> None:
        """Have these in sight until somebody closes them, and nothing else."""
        said = "".join(f"<div>{escape(line)}</div>" for line in lines)
        self.notice.hide()
        if said:
            self.notice.say("warning", said)

    # -- deciding --------------------------------------------------------------------------------

    def open(self, chosen: Iterable[Found]) -> None:
        """Open these, each in a tab; one that cannot be opened stays in the list."""
        wrong = []
        for each in list(chosen):
            try:
                wrong += [f"{_name(each)}: {problem}" for problem in self._open(each)]
            except (ProblemError, OSError) as error:
                wrong.append(f"{text('recovery.not_opened', name=_name(each))} {error}")
            else:
                self.found.remove(each)
        self.say(wrong)
        self._list()

    def _open(self, found: Found) -> Sequence[Problem]:
        """Open it; what is not as it was."""
        recovered, former = found.recovered(), self._open_already(found)
        beside = former is not None and former.busy
        session = Session.recovered(found, recovered, None if beside else recovered.path)
        self._place.show_session(session)
        if found.story is not None and found.story.training:
            self._place.panels.raise_("training")  # where it can be gone on with
        if former is not None and not beside:
            self._place.give_way(former)
        return recovered.problems

    def _open_already(self, found: Found) -> Desk | None:
        path = found.story.path if found.story else None
        return self._place.desk_of(path) if path else None

    def discard(self, found: Found) -> None:
        """Ask, then remove it for good."""
        question = text("recovery.discard_ask", name=_name(found))
        yes = text("recovery.discard")
        if confirm(self._window, question, yes, name="discard_kept", loses=True):
            found.discard()
            self.found.remove(found)
            self._list()

    # -- what is said of it ----------------------------------------------------------------------

    def _list(self) -> None:
        self.bar.show_lines([self._line(each) for each in self.found])
        self.counted.emit()

    def _line(self, found: Found) -> Line:
        story = found.story
        if story is None:
            said = [str(found.problem)]
            return Line(_name(found), "", "", said, opens=False, of=found.place)
        former = self._open_already(found)
        warnings = [] if found.problem is None else [str(found.problem)]
        if found.file in ("changed", "missing"):
            warnings.append(text(f"recovery.{found.file}"))
        if former is not None and former.busy:
            warnings.append(text("recovery.beside"))
        document = story.now.document
        drawn = 0 < len(document.graph.calls) <= _DRAWN
        picture = partial(_picture, document) if drawn else None
        folder = str(story.path.parent) if story.path else ""
        return Line(_name(found), folder, _facts(found), warnings, picture, of=found.place)


def _name(found: Found) -> str:
    path = found.story.path if found.story else None
    return path.name if path else text("window.untitled")


def _facts(found: Found) -> str:
    """When it was changed last, and how much."""
    story = found.story
    assert story is not None
    then = QDateTime.fromSecsSinceEpoch(round(story.when))
    when = QLocale(language()).toString(then, QLocale.FormatType.ShortFormat)
    since = "saved" if story.path else "new"
    number = {0: "none", 1: "one"}.get(story.acts, "many")
    facts = [when, text(f"recovery.acts_{number}_{since}", count=story.acts)]
    if story.kept is not None and story.kept.unsaved:
        facts.append(text("recovery.trained"))
    if story.training:
        facts.append(text("recovery.training"))
    return "  ·  ".join(facts)


def _picture(document: Document, ratio: float) -> QPixmap:
    picture = Picture(Faces(document, analyse(document), Store()))
    return QPixmap.fromImage(picture.fitted(PICTURE, tokens().name, ratio))
