"""The repairs of a node's problems, below what is wrong with it."""

from collections.abc import Sequence

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from studio.document.edits import Fix
from studio.problem import Problem
from studio.ui.parts import clear
from studio.ui.repair_search import RepairSearch, repair_button
from studio.ui.session import Session

_IDLE = 150  # milliseconds after an edit before repairs are sought


class Remedies(QWidget):
    """A button for each problem that can be repaired; hidden while there is none."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._problems: list[Problem] = []
        self.buttons: dict[int, QWidget] = {}  # by the problem's number
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._search = RepairSearch(session, self)
        self._search.found.connect(self._offer)
        self._wait = QTimer(self, singleShot=True, interval=_IDLE)
        self._wait.timeout.connect(lambda: self._search.seek(self._problems))
        self.hide()

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Offer what repairs these: their own repairs at once, others when they are found."""
        if list(problems) == self._problems:
            return
        self._problems = list(problems)
        for button in self.buttons.values():
            clear(button)
        self.buttons = {}
        self.hide()
        for number, problem in enumerate(problems):
            if isinstance(problem.fix, Fix):
                self._offer(number, [problem.fix])
        if problems:
            self._wait.start()

    def _offer(self, number: int, fixes: Sequence[Fix]) -> None:
        if number in self.buttons:
            clear(self.buttons[number])
        button = repair_button(fixes, self._repair)
        button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        if not button.toolTip():
            button.setToolTip(button.text())
        self.buttons[number] = button
        before = sum(other < number for other in self.buttons)
        self._layout.insertWidget(before, button)
        self.show()

    def _repair(self, fix: Fix) -> None:
        self._session.commit(str(fix), fix.edit(self._session.document))
