"""The status bar: how large the model is, what is wrong with it, what goes on."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QLabel, QStatusBar, QToolButton

from studio.document.muting import computing_layers
from studio.engine.engines import Choice
from studio.text import text
from studio.train.progress import chosen
from studio.ui.icons import icon
from studio.ui.parts import number
from studio.ui.session import Session
from studio.ui.theme import tokens
from studio.ui.trainer import Phase

_SAID = 10_000  # milliseconds that something is said


class Status(QStatusBar):
    """Three permanent fields; the middle one leads to the list of problems."""

    problems_clicked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setSizeGripEnabled(False)
        self.model, self.state = QLabel(), QLabel()
        self.problems = QToolButton()
        self.problems.setAutoRaise(True)
        self.problems.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.problems.clicked.connect(self.problems_clicked)
        for widget in (self.state, self.problems, self.model):
            self.addPermanentWidget(widget)
        self.setContentsMargins(8, 0, 8, 0)
        self._counts = (0, 0)

    def show_session(self, session: Session, phase: Phase, choice: Choice | None = None) -> None:
        """Show the model's size, the training's state, and why this engine was chosen."""
        total = session.analysis.count(computing_layers(session.document))
        nodes = len(session.seen.graph.calls)
        self.model.setText(text("window.size", nodes=number(nodes), parameters=number(total)))
        engine = choice.engine if choice else session.document.plan.run.engine
        self.state.setToolTip(chosen(choice) if choice else "")
        self.state.setText(
            text("window.state", engine=engine, state=text(f"window.phase_{phase.value}"))
        )
        self.show_problems(*self._counts)

    def tell(self, words: str) -> None:
        """Say something for a while."""
        self.showMessage(words, _SAID)

    def show_problems(self, errors: int, warnings: int) -> None:
        """Show how much is wrong."""
        self._counts = errors, warnings
        t = tokens()
        if not errors and not warnings:
            self.problems.setIcon(icon("ok", QColor(t.good)))
            self.problems.setText(text("window.no_problems_short"))
            return
        name, ink = ("error", t.error) if errors else ("warning", t.warn)
        self.problems.setIcon(icon(name, QColor(ink)))
        self.problems.setText(text("window.problem_count", errors=errors, warnings=warnings))
