"""Compare the model with Keras: choose a Python that has it, see every number that was compared."""

from functools import partial
from html import escape
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from studio.problem import ProblemError
from studio.text import text
from studio.train.aside import Aside, Done, Ended, Refused, Told
from studio.train.evaluation.evaluate import bare
from studio.train.parity.compare import STEPS, compare_with
from studio.train.parity.report import KINDS, Report, Row
from studio.train.parity.write import COLUMNS, cells, heading, rule, write
from studio.ui.icons import icon
from studio.ui.notice import ProblemsNotice
from studio.ui.parts import note
from studio.ui.report_look import page_colours
from studio.ui.session import Session
from studio.ui.settings import Settings
from studio.ui.theme import tokens

_POLL = 40  # milliseconds
_MOST_STEPS = 1000
_LARGE = QSize(980, 640)  # once there is something to be seen


def run_parity(session: Session, settings: Settings, parent: QWidget | None = None) -> None:
    """Open the dialog and wait until it is closed."""
    dialog = ParityDialog(session, settings, parent)
    dialog.exec()
    dialog.deleteLater()


class ParityDialog(QDialog):
    """Asks for a Python and for how many steps, compares beside the window, shows the report.

    Closing it while it compares cancels that.
    """

    def __init__(self, session: Session, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._settings = session, settings
        self._act: Aside | None = None
        self._report: Report | None = None
        self._rows: list[QTreeWidgetItem] = []
        self._timer = QTimer(self, interval=_POLL)
        self._timer.timeout.connect(self._poll)
        application = QCoreApplication.instance()
        assert application is not None
        application.aboutToQuit.connect(self._end)
        self.setWindowTitle(text("parity.title"))
        self.resize(720, 320)
        self.python = QLineEdit(settings.keras_python)
        self.python.setPlaceholderText(text("parity.on_the_path"))
        self.python.setAccessibleName(text("parity.python"))
        self.browse = QPushButton(text("training.export_browse"))
        self.browse.clicked.connect(self._browse)
        self.steps = QSpinBox(minimum=1, maximum=_MOST_STEPS, value=STEPS)
        self.steps.setAccessibleName(text("parity.how_many"))
        self.steps.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.state = note(text("parity.about"))
        self.busy = QProgressBar()
        self.busy.setTextVisible(False)
        self.busy.setRange(0, 0)
        self.busy.hide()
        self.notice = ProblemsNotice(session)
        self.notice.close_button.hide()
        self.notice.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.table = _table()
        self.notes = note()
        for widget in (self.table, self.notes):
            widget.hide()
        self._build()

    def _build(self) -> None:
        where = QHBoxLayout()
        where.addWidget(self.python, 1)
        where.addWidget(self.browse)
        form = QFormLayout()
        form.addRow(text("parity.python"), where)
        form.addRow(text("parity.how_many"), self.steps)
        buttons = QDialogButtonBox()
        self.go = QPushButton(text("parity.compare"))
        self.go.clicked.connect(self.compare)
        self.save = QPushButton(text("parity.save"))
        self.save.clicked.connect(self._save)
        self.save.setEnabled(False)
        self.close_button = QPushButton(text("training.close"))
        self.close_button.clicked.connect(self.reject)
        buttons.addButton(self.go, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(self.save, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(self.close_button, QDialogButtonBox.ButtonRole.RejectRole)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        for widget in (self.state, self.busy, self.notice):
            layout.addWidget(widget)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.notes)
        layout.addStretch()
        layout.addWidget(buttons)
        for button in (self.browse, self.save, self.close_button):
            button.setAutoDefault(False)
        # Enter compares. A button has to be in the dialog before it can be its default.
        self.go.setDefault(True)

    @property
    def report(self) -> Report | None:
        """What the last comparison found."""
        return self._report

    # -- comparing -------------------------------------------------------------------------------

    def compare(self) -> None:
        """Begin; nothing while a comparison is under way."""
        if self._act is not None:
            return
        session, python = self._session, self.python.text().strip()
        self._settings.keras_python = python
        base = session.path.parent.absolute() if session.path else Path()
        name = session.path.stem if session.path else session.document.graph.name
        self._act = Aside()
        project = bare(session.project)
        self._act.ask(partial(compare_with, project, base, name, python, self.steps.value()))
        self._tell(Told("parity_start", 0, 0))
        self._show_busy(True)
        self._timer.start()

    def reject(self) -> None:
        """Close; while it compares, only cancel that."""
        if self._act is None:
            super().reject()
        else:
            self._act.cancel()
            self.close_button.setEnabled(False)
            self.state.setText(text("progress.cancelling"))

    def _poll(self) -> None:
        for answer in self._act.poll() if self._act is not None else ():
            match answer:
                case Told():
                    self._tell(answer)
                case Done(report):
                    self._end()
                    self._show(report)
                case Refused():
                    self._end()
                    self._refuse(answer)
                case Ended():
                    self._end()
                    self.state.setText(text("parity.cancelled"))

    def _tell(self, told: Told) -> None:
        if not self.close_button.isEnabled():
            return  # it is being cancelled
        self.state.setText(text(f"progress.{told.doing}"))
        self.busy.setAccessibleName(self.state.text())

    def _end(self) -> None:
        self._timer.stop()
        if self._act is not None:
            self._act.end()
            self._act = None
        self._show_busy(False)

    def _show_busy(self, busy: bool) -> None:
        self.busy.setVisible(busy)
        for widget in (self.go, self.python, self.browse, self.steps):
            widget.setEnabled(not busy)
        self.close_button.setEnabled(True)
        self.close_button.setText(text("window.cancel" if busy else "training.close"))
        self.save.setEnabled(False)
        if busy:
            self._report = None
            for shown in (self.notice, self.table, self.notes):
                shown.hide()

    # -- how it went -----------------------------------------------------------------------------

    def _refuse(self, refused: Refused) -> None:
        self.state.setText(text("parity.not_compared"))
        if refused.problems:
            self.notice.list_problems(text("parity.why_not"), refused.problems)
        else:
            why = text("trying.broke" if refused.report else "trying.killed")
            self.notice.say("error", escape(why), refused.report)

    def _show(self, report: Report) -> None:
        self._report = report
        self.save.setEnabled(True)
        self.state.setText(text("parity.where", backend=report.backend, python=report.python))
        if refused := [note for note in report.notes if note.severity == "error"]:
            self.notice.list_problems(report.sentence(), refused)
        else:
            self.notice.say("ok" if report.ok else "error", f"<b>{escape(report.sentence())}</b>")
        self._fill(report)
        notes = [str(note) for note in report.notes if note not in refused]
        self.notes.setText("\n".join([*notes, rule()]))
        self.table.show()
        self.notes.show()
        self.resize(self.size().expandedTo(_LARGE))

    def _fill(self, report: Report) -> None:
        self.table.clear()
        self._rows.clear()
        for kind in KINDS:
            rows = report.of(kind)
            if rows:
                head = _head(heading(report, kind))
                self._rows += [_item(head, row) for row in rows]
                self.table.addTopLevelItem(head)
                self.table.setFirstColumnSpanned(
                    self.table.indexOfTopLevelItem(head), self.table.rootIndex(), True
                )
                head.setExpanded(True)
        self._dress()

    def _dress(self) -> None:
        """Verdicts in the theme's colours."""
        t = tokens()
        for item in self._rows:
            equal = item.data(0, _VERDICT) == "equal"
            colour = QColor(t.good if equal else t.error)
            item.setIcon(_LAST, icon("ok" if equal else "error", colour))
            item.setForeground(_LAST, colour)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._dress()

    # -- files -----------------------------------------------------------------------------------

    def _browse(self) -> None:
        title = text("parity.python")
        chosen, _ = QFileDialog.getOpenFileName(self, title, self.python.text())
        if chosen:
            self.python.setText(chosen)

    def _save(self) -> None:
        assert self._report is not None
        start = self._session.path or Path.home() / self._report.project
        first = str(start.with_name(f"{start.stem}-keras.html"))
        kinds = ";;".join((f"{text('parity.page')} (*.html)", "JSON (*.json)", "CSV (*.csv)"))
        chosen, kind = QFileDialog.getSaveFileName(self, text("parity.save_title"), first, kinds)
        if not chosen:
            return
        path = Path(chosen)
        if not path.suffix:
            path = path.with_suffix(f".{kind.rpartition('.')[2].rstrip(')')}")
        try:
            write(self._report, path, page_colours())
        except ProblemError as error:
            self.notice.list_problems(text("parity.not_saved"), error.problems)
        else:
            self.state.setText(text("cli.written", path=path))


_VERDICT = Qt.ItemDataRole.UserRole
_LAST = len(COLUMNS) - 1
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


def _table() -> QTreeWidget:
    table = QTreeWidget()
    table.setHeaderLabels([text(f"parity.column_{name}") for name in COLUMNS])
    table.setAccessibleName(text("parity.title"))
    table.setRootIsDecorated(True)
    table.setUniformRowHeights(True)
    table.setStyleSheet("QTreeView::item { padding: 2px 8px 2px 4px; }")
    header = table.header()
    header.setStretchLastSection(False)
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    for column in range(2, _LAST):
        table.headerItem().setTextAlignment(column, _RIGHT)
    return table


def _head(said: str) -> QTreeWidgetItem:
    """A kind's heading."""
    head = QTreeWidgetItem([said])
    font = QFont()
    font.setBold(True)
    head.setFont(0, font)
    return head


def _item(head: QTreeWidgetItem, row: Row) -> QTreeWidgetItem:
    """A row below its kind's heading."""
    item = QTreeWidgetItem(head, list(cells(row)))
    item.setData(0, _VERDICT, row.verdict)
    item.setToolTip(0, row.name)
    for column in range(2, _LAST):
        item.setTextAlignment(column, _RIGHT)
    return item
