"""Values written into a file beside the window: how far it is, and what became of it."""

from html import escape
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QCoreApplication, QTimer, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from studio.document.nesting import names_at
from studio.text import text
from studio.train.aside import Aside, Done, Ended, Refused, Told
from studio.train.evaluation.evaluate import bare
from studio.train.study.tap_file import TapFile, Written
from studio.train.study.wanted import Tap
from studio.ui.icons import icon
from studio.ui.notice import ProblemsNotice
from studio.ui.session import Session

Rows = Literal["validation", "training"]
_POLL = 40  # milliseconds
_KINDS = {"NumPy (*.npy)": ".npy", "CSV (*.csv)": ".csv"}


class ValueExport(QWidget):
    """Nothing until values are written; then a bar, and afterwards where they are."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._act: Aside | None = None
        self._name = ""
        self._timer = QTimer(self, interval=_POLL)
        self._timer.timeout.connect(self._poll)
        application = QCoreApplication.instance()
        assert application is not None
        application.aboutToQuit.connect(self.shutdown)
        self.doing, self.bar = QLabel(), QProgressBar()
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
        self.notice.link.connect(_follow)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.under_way)
        layout.addWidget(self.notice)

    @property
    def busy(self) -> bool:
        """Whether values are being written."""
        return self._act is not None

    def ask(self, tap: Tap, rows: Rows, sample: int | None = None) -> None:
        """Let a file be chosen, and write a value there: for one sample of the rows, or for all."""
        folder = self._session.path.parent if self._session.path else Path()
        name = names_at(self._session.document, tap.path)[-1]
        title = text("probes.export_title", name=name)
        start = str(folder / f"{name.replace('/', '_')}.npy")
        chosen, kind = QFileDialog.getSaveFileName(self, title, start, ";;".join(_KINDS))
        if chosen:
            path = Path(chosen)
            if path.suffix.lower() not in _KINDS.values():
                path = path.with_name(path.name + _KINDS.get(kind, ".npy"))
            self.begin(tap, path, rows, sample)

    def begin(self, tap: Tap, path: Path, rows: Rows, sample: int | None = None) -> None:
        """Write a value; nothing while another is being written."""
        if self.busy:
            return
        self._name = path.name
        self.notice.hide()
        base = self._session.path.parent if self._session.path else Path()
        act = TapFile(bare(self._session.project), base, tap, path.absolute(), rows, sample)
        self._act = Aside()
        self._act.ask(act)
        self._tell(Told("starting", 0, 0))
        self._show_busy(True)
        self._timer.start()

    def cancel(self) -> None:
        """End it; what the file was before, it is still."""
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

    def _poll(self) -> None:
        for answer in self._act.poll() if self._act is not None else ():
            match answer:
                case Told():
                    self._tell(answer)
                case Done(Written() as written):
                    self._end()
                    self._say(written)
                case Refused(problems, report):
                    self._end()
                    self._refuse(problems, report)
                case Ended():
                    self._end()
                    self.notice.say("info", escape(text("probes.cancelled", file=self._name)))

    def _refuse(self, problems: tuple, report: str) -> None:
        said = text("probes.not_written", file=self._name)
        if problems:
            self.notice.list_problems(said, problems)
        else:
            why = text("trying.broke" if report else "trying.killed")
            self.notice.say("error", f"<b>{escape(said)}</b> {why}", report)

    def _say(self, written: Written) -> None:
        shape = " × ".join(map(str, written.shape))
        words = escape(text("probes.written", shape=shape, file=written.path.name))
        folder = QUrl.fromLocalFile(str(written.path.parent)).toString()
        link = f"<a href='{folder}'>{text('trying.open_folder')}</a>"
        self.notice.say("ok", f"{words} &nbsp; {link}")

    def _tell(self, told: Told) -> None:
        self.doing.setText(f"{text(f'progress.{told.doing}')}: {self._name}")
        self.bar.setRange(0, told.total)  # of no known end: a bar that runs
        self.bar.setValue(told.done)
        self.bar.setAccessibleName(self.doing.text())

    def _end(self) -> None:
        self._timer.stop()
        if self._act is not None:
            self._act.kill()
            self._act = None
        self._show_busy(False)

    def _show_busy(self, busy: bool) -> None:
        self.under_way.setVisible(busy)
        self.stop.setEnabled(busy)


def _follow(target: str) -> None:
    if target.startswith("file:"):
        QDesktopServices.openUrl(QUrl(target))
