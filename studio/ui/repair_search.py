"""Looks for repairs without stopping the window, and offers them as buttons."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from time import perf_counter

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QMenu, QPushButton, QToolButton

from studio.document.edits import Fix
from studio.document.repairs import search
from studio.problem import Problem
from studio.text import text
from studio.ui.session import Session

_AT_ONCE = 0.008  # seconds it works without a pause
_DONE = object()


class RepairSearch(QObject):
    """Tries edits on the whole model, bit by bit: for a large one each takes a while.

    Signals:
        found(number, fixes): all that repairs the problem of this number; told only where there
            is more than the problem's own repair.
    """

    found = Signal(int, object)

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._ahead: list[tuple[int, Problem]] = []
        self._tries: Iterator[Fix | None] | None = None
        self._fixes: list[Fix] = []
        self._pause = QTimer(self, singleShot=True, interval=0)
        self._pause.timeout.connect(self._go_on)
        session.changed.connect(self.stop)  # what was tried is of no use any more

    def seek(self, problems: Sequence[Problem]) -> None:
        """Look for what repairs these, in place of those it was at."""
        self._ahead = list(enumerate(problems))
        self._tries = None
        self._pause.start()

    def stop(self, *_: object) -> None:
        """Look no further."""
        self._ahead = []
        self._pause.stop()

    def _go_on(self) -> None:
        end = perf_counter() + _AT_ONCE
        while self._ahead and perf_counter() < end:
            number, problem = self._ahead[0]
            if self._tries is None:
                self._fixes = []
                session = self._session
                self._tries = search(session.document, problem, session.analysis)
            fix = next(self._tries, _DONE)
            if isinstance(fix, Fix):
                self._fixes.append(fix)
            if fix is _DONE:
                self._ahead.pop(0)
                self._tries = None
                if self._fixes and self._fixes != [problem.fix]:
                    self.found.emit(number, self._fixes)
        if self._ahead:
            self._pause.start()


def repair_button(fixes: Sequence[Fix], repair: Callable[[Fix], None]) -> QPushButton | QToolButton:
    """A button for the first of these; several are in its menu."""
    if len(fixes) == 1:
        only = QPushButton(str(fixes[0]))
        only.clicked.connect(lambda: repair(fixes[0]))
        return only
    button = QToolButton()
    button.setText(str(fixes[0]))
    button.clicked.connect(lambda: repair(fixes[0]))
    button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
    button.setToolTip(text("window.more_repairs", count=len(fixes) - 1))
    menu = QMenu(button)
    for fix in fixes:
        menu.addAction(str(fix)).triggered.connect(partial(_chosen, repair, fix))
    button.setMenu(menu)
    return button


def _chosen(repair: Callable[[Fix], None], fix: Fix, *_: object) -> None:
    repair(fix)
