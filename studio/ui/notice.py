"""A message inside a panel: what happened or what is wrong, with links to places and repairs."""

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QEvent, QSize, Qt, QUrl, Signal
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from studio.document.nesting import find, full_name
from studio.problem import Problem
from studio.text import text
from studio.ui.icons import icon
from studio.ui.session import Session
from studio.ui.theme import tokens

Tone = Literal["error", "warning", "ok", "info"]
# A tag, or a word so long that no panel is as wide; writing without spaces breaks anywhere anyway.
_LONG_WORD = re.compile(r"<[^>]*>|[^\s<>&/\u2e80-\uffff]{60}")
_BREAK = "\u200b"  # where a line may end, unseen
_LISTED = 12  # problems written out; the window's own list has them all


class Notice(QFrame):
    """One message in its tone's colour, with its icon; hidden while there is none.

    Signals:
        link(target): a link in the message was followed.
    """

    link = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tone: Tone = "info"
        self._report = ""
        self.setObjectName("notice")
        self._icon = QLabel(alignment=Qt.AlignmentFlag.AlignTop)
        self.label = QLabel(wordWrap=True)
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        self.label.linkActivated.connect(self.link)
        self.copy = QPushButton(text("training.copy_report"))
        self.copy.clicked.connect(self._copy)
        self.close_button = QPushButton(flat=True)
        self.close_button.setAccessibleName(text("training.hide_message"))
        self.close_button.setToolTip(text("training.hide_message"))
        self.close_button.setFixedSize(QSize(24, 24))
        self.close_button.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 6, 6, 6)
        row.addWidget(self._icon)
        row.addWidget(self.label, 1)
        side = QVBoxLayout()
        side.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignRight)
        side.addWidget(self.copy)
        side.addStretch()
        row.addLayout(side)
        self.hide()

    def say(self, tone: Tone, message: str, report: str = "") -> None:
        """Show `message`, a rich text; `report` can be copied, for who is to repair it."""
        self._tone, self._report = tone, report
        self.label.setText(_LONG_WORD.sub(_with_break, message))
        self.label.setAccessibleName(message)
        self.copy.setVisible(bool(report))
        self._dress()
        self.show()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self.isVisible():
            self._dress()

    def _dress(self) -> None:
        t = tokens()
        ink, paper = {
            "error": (t.error, t.error_soft),
            "warning": (t.warn, t.warn_soft),
            "ok": (t.good, t.raised),
            "info": (t.accent, t.raised),
        }[self._tone]
        sheet = f"#notice {{ background: {paper}; border: 1px solid {ink}; border-radius: 4px; }}"
        if sheet != self.styleSheet():  # setting it causes another PaletteChange
            self.setStyleSheet(sheet)
        self._icon.setPixmap(icon(self._tone, QColor(ink)).pixmap(18, 18))
        self.close_button.setIcon(icon("close"))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._report)


class ProblemsNotice(Notice):
    """Lists problems; a click on one selects its node, or repairs it."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._problems: list[Problem] = []
        self.link.connect(self._follow)

    def list_problems(self, headline: str, problems: Sequence[Problem]) -> None:
        """Show a line of introduction and the problems; nothing when there are none."""
        self._problems = list(problems)
        lines = [self._line(i, p) for i, p in enumerate(problems[:_LISTED])]
        if len(problems) > _LISTED:
            lines.append(escape(text("training.and_more", count=len(problems) - _LISTED)))
        errors = any(p.severity == "error" for p in problems)
        items = "".join(f"<div>{line}</div>" for line in lines)
        self.say("error" if errors else "warning", f"<b>{escape(headline)}</b>{items}")
        self.setVisible(bool(problems))

    def refuse(
        self, problems: Sequence[Problem], report: str, refused: str, broke: str, killed: str
    ) -> None:
        """Show why something asked of a process was not done: see `studio.train.aside.Refused`.

        Args:
            refused: the text's key before the problems.
            broke: that for an error of ours; it takes the ``reason``.
            killed: that for a process that was killed.
        """
        if problems:
            self.list_problems(text(refused), problems)
        elif report:
            last = escape(report.strip().rpartition("\n")[2])
            self.say("error", text(broke, reason=last), report)
        else:
            self.say("error", escape(text(killed)))

    def _line(self, number: int, problem: Problem) -> str:
        colour = tokens().accent
        parts = [f"• {escape(str(problem))}"]
        call = find(self._session.document, problem.where)
        if call is not None:
            name = escape(full_name(self._session.document, call))
            parts.append(f"<a href='go:{number}' style='color:{colour}'>{name}</a>")
        if problem.fix:
            fix = escape(str(problem.fix))
            parts.append(f"<a href='fix:{number}' style='color:{colour}'>{fix}</a>")
        return " &nbsp;".join(parts)

    def _follow(self, target: str) -> None:
        what, _, number = target.partition(":")
        if what not in ("go", "fix"):
            return  # of a message that is no list of problems
        problem = self._problems[int(number)]
        if what == "go":
            call = find(self._session.document, problem.where)
            if call is not None:
                self._session.look_at(call)
        else:
            fix = problem.fix
            self._session.commit(str(fix), fix.edit(self._session.document))


def link_to(path: Path, words: str) -> str:
    """A link of a notice to a file or a folder on this machine."""
    return f"<a href='{escape(QUrl.fromLocalFile(str(path)).toString())}'>{escape(words)}</a>"


def _with_break(found: re.Match[str]) -> str:
    return found[0] if found[0].startswith("<") else found[0] + _BREAK
