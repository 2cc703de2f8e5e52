"""What a breakpoint met: where, which sample with its row, what may help; and the ways on."""

from collections.abc import Callable
from html import escape
from pathlib import Path
from shutil import copyfile

from PySide6.QtCore import QEvent, QSize, Qt, Signal, SignalInstance
from PySide6.QtGui import QColor, QResizeEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
)

from studio.document.edits import Fix
from studio.document.model import Document
from studio.document.nesting import Way
from studio.text import text
from studio.train import remedies
from studio.train.events import Hit
from studio.train.hit_words import about_weights, facts, sentence
from studio.train.reproduction import SUFFIX
from studio.ui.background import Latest
from studio.ui.dialogs import tell
from studio.ui.flow import Flow
from studio.ui.icons import icon
from studio.ui.parts import clear, note
from studio.ui.session import Session
from studio.ui.study.row_reader import RowReader
from studio.ui.study.row_view import RowView
from studio.ui.theme import tokens


class HitPanel(QFrame):
    """Tells of one `Hit`; hidden while there is none.

    Args:
        session: whose training met it.

    Signals:
        jump(path): the call at the end of this path is to be shown.
        again(): train again.
        data_wanted(): somebody goes to mend the data.
        reset_wanted(): the weights are to be forgotten.
    """

    jump = Signal(object)
    again = Signal()
    data_wanted = Signal()
    reset_wanted = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setObjectName("hit")
        self._session = session
        self.hit: Hit | None = None
        self._document: Document = session.document  # as it was trained
        self._reader = RowReader(self)
        self._copying = Latest(self)
        self._copying.answered.connect(self._copied)
        self._icon = QLabel(alignment=Qt.AlignmentFlag.AlignTop)
        self.title, self.facts, self.weights = note(), note(), note()
        self.show_button = self._button("show", self._jump)
        self.save_button = self._button("save_step", self.ask_save)
        self.again_button = self._button("train_again", self.again.emit)
        self.close_button = QPushButton(flat=True)
        self.close_button.setFixedSize(QSize(24, 24))
        self.close_button.clicked.connect(self.dismiss)
        self.row = RowView()
        self._reader.read.connect(self.row.show_row)
        self.help_title = QLabel()
        self.fixes: list[QPushButton] = []
        self.ways: list[QPushButton] = []
        self._lay_out()
        session.changed.connect(self._offer)
        self._retranslate()
        self.hide()

    def _button(self, name: str, act: Callable[[], object]) -> QPushButton:
        button = QPushButton()
        button.setObjectName(name)
        button.clicked.connect(lambda: act())
        return button

    def _lay_out(self) -> None:
        self._acts = acts = Flow()
        for button in (self.show_button, self.save_button, self.again_button):
            acts.add(button)
        self._help = Flow()
        left = QVBoxLayout()
        left.setSpacing(4)
        for part in (self.title, self.facts, self.weights):
            left.addWidget(part)
        left.addWidget(acts)
        left.addWidget(self.help_title)
        left.addWidget(self._help)
        left.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 6, 6, 6)
        row.addWidget(self._icon)
        row.addLayout(left, 3)
        row.addWidget(self.row, 2)
        row.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)

    # -- what it tells of ------------------------------------------------------------------------

    def show_hit(self, hit: Hit, document: Document) -> None:
        """Tell of this, met by a training of this document."""
        self.hit, self._document = hit, document
        self._say(hit)
        self.row.setVisible(False)
        if hit.row is not None and document.plan.data.source is not None:
            self.row.wait()
            self._reader.ask(document, self._base(), hit.row)
        self._offer()
        self.show()

    def dismiss(self) -> None:
        """Tell of nothing any more."""
        self.hit = None
        self._reader.drop()
        self.hide()

    def shutdown(self) -> None:
        """End what is being read; no process is left."""
        self._reader.drop()

    def _say(self, hit: Hit) -> None:
        said = sentence(hit, self._document)
        self.title.setText(f"<b>{escape(said)}</b>")
        self.title.setAccessibleName(said)
        for label, more in ((self.facts, facts(hit)), (self.weights, about_weights(hit))):
            label.setText(escape(" · ".join(more)))
            label.setVisible(bool(more))
        self._keep_words()
        self.show_button.setText(text("breakpoints.show", name=hit.layer))
        self.show_button.setVisible(bool(hit.place))
        self.save_button.setVisible(bool(hit.reproduction))
        self._dress()

    def _base(self) -> Path:
        return self._session.path.parent if self._session.path else Path()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._keep_words()

    def _keep_words(self) -> None:
        """Let no line be squeezed out where the dock is low: the curves can give way."""
        for label in (self.title, self.facts, self.weights):
            label.setMinimumHeight(max(0, label.heightForWidth(label.width())))

    # -- what can be done ------------------------------------------------------------------------

    def _jump(self) -> None:
        if self.hit is not None:
            self.jump.emit(self.hit.place)

    def _offer(self, *_: object) -> None:
        """The remedies, as edits of the document as it is now."""
        if self.hit is None:
            return
        for button in (*self.fixes, *self.ways):
            clear(button)
        fixes = remedies.fixes(self._session.document, self.hit)
        self.fixes = [self._remedy(fix) for fix in fixes]
        ways = {"mend_data": self.data_wanted, "fresh_weights": self.reset_wanted}
        if self._session.document.plan.data.source is None:
            del ways["mend_data"]
        self.ways = [self._way(n, ways[n]) for n in self.hit.remedies if n in ways]
        for button in self.ways:  # these are no edits: undo does not take them back
            self._acts.add(button)
        for button in self.fixes:
            self._help.add(button)
        self.help_title.setVisible(bool(self.fixes))
        trains = self._session.document.plan.data.source is not None
        self.again_button.setVisible(trains and self.hit.kind == "not_finite")

    def _remedy(self, fix: Fix) -> QPushButton:
        button = QPushButton(str(fix))
        button.setToolTip(text("breakpoints.remedy_tip"))
        button.clicked.connect(lambda: self._repair(fix))
        return button

    def _way(self, name: str, signal: SignalInstance) -> QPushButton:
        button = QPushButton(text(f"breakpoints.do_{name}"))
        button.setToolTip(text(f"breakpoints.do_{name}_tip"))
        button.clicked.connect(lambda: signal.emit())
        return button

    def _repair(self, fix: Fix) -> None:
        self._session.commit(str(fix), fix.edit(self._session.document))

    def ask_save(self) -> None:
        """Ask where to, and keep the step that met it in a file."""
        hit = self.hit
        if hit is None or not hit.reproduction:
            return
        name = text("breakpoints.file_name", epoch=hit.epoch + 1, batch=hit.batch + 1) + SUFFIX
        chosen, _ = QFileDialog.getSaveFileName(
            self, text("breakpoints.save_step").rstrip("…"), str(self._base() / name), f"*{SUFFIX}"
        )
        if chosen:
            self.save(Path(chosen).with_suffix(SUFFIX))

    def save(self, path: Path) -> None:
        """Keep the step in this file; it is copied beside the window."""
        assert self.hit is not None
        source = Path(self.hit.reproduction)

        def copy() -> tuple[Path, str]:
            try:
                copyfile(source, path)
            except OSError as error:
                return path, str(error)
            return path, ""

        self._copying.ask(copy)

    def _copied(self, outcome: tuple[Path, str]) -> None:
        path, failure = outcome
        if failure:
            tell(self, text("breakpoints.not_saved", name=path.name), failure)
        else:
            self.facts.setText(text("breakpoints.saved", name=escape(path.name)))
            self.facts.show()

    # -- language and theme ----------------------------------------------------------------------

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        elif event.type() == QEvent.Type.PaletteChange and self.isVisible():
            self._dress()

    def _retranslate(self) -> None:
        self.save_button.setText(text("breakpoints.save_step"))
        self.save_button.setToolTip(text("breakpoints.save_step_tip"))
        self.again_button.setText(text("breakpoints.train_again"))
        self.again_button.setToolTip(text("breakpoints.train_again_tip"))
        self.help_title.setText(text("breakpoints.what_helps"))
        self.close_button.setAccessibleName(text("training.hide_message"))
        self.close_button.setToolTip(text("training.hide_message"))
        if self.hit is not None:
            self._say(self.hit)
            self._offer()

    def _dress(self) -> None:
        t = tokens()
        bad = self.hit is not None and self.hit.kind == "not_finite"
        ink, paper = (t.error, t.error_soft) if bad else (t.warn, t.warn_soft)
        sheet = f"#hit {{ background: {paper}; border: 1px solid {ink}; border-radius: 4px; }}"
        if sheet != self.styleSheet():  # setting it causes another PaletteChange
            self.setStyleSheet(sheet)
        self._icon.setPixmap(icon("error" if bad else "warning", QColor(ink)).pixmap(18, 18))
        self.close_button.setIcon(icon("close"))
        self.show_button.setIcon(icon("jump"))
        self.save_button.setIcon(icon("save"))
        self.again_button.setIcon(icon("train"))


def look_along(session: Session, path: Way) -> str | None:
    """Look into the models a path leads through, that very call of each; the call at its end.

    None where it leads nowhere any more.
    """
    *models, call = path
    session.look(tuple(models))
    return call if session.way == tuple(models) and call in session.seen.graph.calls else None
