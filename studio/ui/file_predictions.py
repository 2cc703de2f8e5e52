"""Predictions for all rows of a file, made beside the window and written beside the file."""

from dataclasses import replace
from functools import partial
from html import escape
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent, QTimer, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from studio.document.project import Project
from studio.document.store import Store
from studio.text import text
from studio.train.aside import Aside, Done, Ended, Refused, Told
from studio.train.predict_file import Predicted, predict_file, predictions_path
from studio.ui.dialogs import confirm
from studio.ui.file_choice import ask_file
from studio.ui.icons import icon
from studio.ui.notice import ProblemsNotice
from studio.ui.parts import number
from studio.ui.session import Session

_POLL = 40  # milliseconds
_NAMED = 8  # columns of predictions, at most


class FilePredictions(QWidget):
    """The button, how far it is, and what became of it.

    Attributes:
        button: for whoever has a place for it.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._act: Aside | None = None
        self._file = Path()
        self._timer = QTimer(self, interval=_POLL)
        self._timer.timeout.connect(self._poll)
        application = QCoreApplication.instance()
        assert application is not None
        application.aboutToQuit.connect(self.shutdown)
        self.button = QPushButton(icon("table"), text("trying.file"))
        self.button.setToolTip(text("trying.file_tip"))
        self.button.clicked.connect(self.ask)
        self.doing = QLabel()
        self.bar = QProgressBar()
        self.bar.setMaximumHeight(18)
        self.stop = QPushButton(icon("stop"), text("window.cancel"))
        self.stop.clicked.connect(self.cancel)
        self.under_way = QWidget()
        row = QHBoxLayout(self.under_way)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.doing)
        row.addWidget(self.bar, 1)
        row.addWidget(self.stop)
        self.under_way.hide()
        self.notice = ProblemsNotice(session)
        self.notice.link.connect(self._follow)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.under_way)
        layout.addWidget(self.notice)

    @property
    def busy(self) -> bool:
        """Whether a file is being predicted."""
        return self._act is not None

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.button.setIcon(icon("table"))
            self.stop.setIcon(icon("stop"))

    def ask(self) -> None:
        """Let a file be chosen, and begin with it."""
        start = self._session.path.parent if self._session.path else Path()
        if path := ask_file(self, start):
            self.begin(path)

    def begin(self, path: Path) -> None:
        """Predict a file; nothing while another is under way, or where nobody wants to lose the
        predictions that are there.
        """
        if self.busy:
            return
        out = predictions_path(path)
        if out.exists():
            question = text("trying.replace", file=out.name)
            if not confirm(self, question, text("trying.replace_yes"), name="replace"):
                return
        if errors := self._session.analysis.errors:
            self.notice.list_problems(text("training.cannot_answer"), errors)
            return
        self._file = path
        self.notice.hide()
        project = _bare(self._session.project)
        self._act = Aside()
        self._act.ask(partial(predict_file, project, path.absolute(), out.absolute()))
        self._tell(Told("starting", 0, 0))
        self._show_busy(True)
        self._timer.start()

    def cancel(self) -> None:
        """End it; the predictions that were there before are there still."""
        if self._act is not None:
            self._act.cancel()
            self.stop.setEnabled(False)
            self._tell(Told("cancelling", 0, 0))

    def shutdown(self) -> None:
        """End it, since the window goes."""
        if self._act is not None:
            self._act.end()
            self._end()

    # -- within ----------------------------------------------------------------------------------

    def _show_busy(self, busy: bool) -> None:
        self.under_way.setVisible(busy)
        self.stop.setEnabled(busy)
        self.button.setEnabled(not busy)

    def _poll(self) -> None:
        for answer in self._act.poll() if self._act is not None else ():
            match answer:
                case Told():
                    self._tell(answer)
                case Done(result):
                    self._end()
                    self._say(result)
                case Refused():
                    self._end()
                    self._refuse(answer)
                case Ended():
                    self._end()
                    self.notice.say("info", text("trying.cancelled", file=escape(self._file.name)))

    def _tell(self, told: Told) -> None:
        self.doing.setText(f"{text(f'progress.{told.doing}')}: {self._file.name}")
        self.bar.setRange(0, told.total)  # of no known end: a bar that runs
        self.bar.setValue(told.done)
        self.bar.setAccessibleName(self.doing.text())

    def _end(self) -> None:
        self._timer.stop()
        if self._act is not None:
            self._act.kill()
            self._act = None
        self._show_busy(False)

    def _say(self, found: Predicted) -> None:
        counts = {"samples": number(found.samples), "rows": number(found.rows)}
        key = "trying.predicted" if found.samples == found.rows else "trying.predicted_some"
        columns = ", ".join((*found.columns[:_NAMED], *["…"] * (len(found.columns) > _NAMED)))
        where = text("trying.predicted_where", file=found.path.name, columns=columns)
        words = f"<b>{escape(text(key, **counts, file=self._file.name))}</b> {escape(where)}"
        places = {"trying.open_folder": found.path.parent, "trying.open_file": found.path}
        links = " &nbsp; ".join(
            f"<a href='{QUrl.fromLocalFile(str(path)).toString()}'>{text(action)}</a>"
            for action, path in places.items()
        )
        self.notice.say("ok", f"{words}<br>{links}")

    def _refuse(self, refused: Refused) -> None:
        said = text("trying.refused", file=self._file.name)
        if refused.problems:
            self.notice.list_problems(said, refused.problems)
        else:
            why = text("trying.broke" if refused.report else "trying.killed")
            self.notice.say("error", f"<b>{escape(said)}</b> {why}", refused.report)

    def _follow(self, target: str) -> None:
        if target.startswith("file:"):
            QDesktopServices.openUrl(QUrl(target))


def _bare(project: Project) -> Project:
    """What is needed to predict: no picture, no runs, no optimizer's slots."""
    store = Store()
    for layer, cells in project.store.shared().items():
        store.adopt(layer, {k: replace(cell, slots={}) for k, cell in list(cells.items())})
    return Project(project.document, store, dict(project.fitted), [])
