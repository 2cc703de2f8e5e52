"""How good the model is: evaluate beside the window, then look at every output."""

from html import escape
from pathlib import Path

from PySide6.QtCore import QEvent, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from studio.problem import Problem
from studio.text import text
from studio.train.evaluation.result import Evaluation, Row, Which
from studio.train.tables import Table
from studio.ui.canvas.accessible import announce
from studio.ui.elided import Elided
from studio.ui.evaluator import Evaluator, Work
from studio.ui.icons import icon
from studio.ui.notice import Notice, ProblemsNotice, link_to
from studio.ui.output_view import OutputView
from studio.ui.parts import clear, note
from studio.ui.session import Session
from studio.ui.staleness import judged_parts

_FILE = "file"  # in the choice of rows: another one is to be chosen
_WHICH: tuple[Which, ...] = ("validation", "train", "all")


class EvaluationDock(QWidget):
    """The evaluation of a session.

    Signals:
        opened(table, before): a sample is to be tried: a table of one row; of a window over rows
            the cells of all of them.
    """

    opened = Signal(object, object)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.evaluator = Evaluator(session, self)
        self.evaluation: Evaluation | None = None
        self._judged_of: tuple[object, ...] = ()  # what the evaluation is of
        self._which: Which = "validation"
        self._file: Path | None = None
        self._output = ""  # the key of the one shown
        self._body: QWidget | None = None
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(6, 6, 6, 6)
        self._build()
        self.evaluator.told.connect(self._on_told)
        self.evaluator.evaluated.connect(self._on_evaluated)
        self.evaluator.rows_read.connect(lambda rows: self.view.take_rows(rows))
        self.evaluator.written.connect(self._on_written)
        self.evaluator.refused.connect(self._on_refused)
        self.evaluator.work_changed.connect(self._on_work)
        session.changed.connect(self._on_change)
        session.weights_changed.connect(self._on_change)

    # -- for the window --------------------------------------------------------------------------

    def start(self) -> None:
        """Evaluate the project as it is now; nothing happens while something is under way."""
        if self.evaluator.work is not Work.NOTHING:
            return
        self.notice.hide()
        self._judged_of = self._present()
        self.evaluator.evaluate(self._which, self._file)

    def ask_report(self) -> None:
        """Ask where to, and write a report there."""
        path = self._session.path
        start = (path.parent if path else Path()) / f"{self._name()}.html"
        title = text("evaluation.report").rstrip("…")
        chosen, _ = QFileDialog.getSaveFileName(self, title, str(start), "HTML (*.html)")
        if chosen:
            out = Path(chosen)
            self.write_report(out if out.suffix else out.with_suffix(".html"))

    def write_report(self, out: Path) -> None:
        """Write a report beside the window."""
        self.notice.hide()
        self.done.hide()
        self.evaluator.report(out, self._name())

    def shutdown(self) -> None:
        """The project is closed: end what is under way."""
        self.evaluator.shutdown()

    def _name(self) -> str:
        path = self._session.path
        return path.stem if path else self._session.document.graph.name

    # -- the widgets -----------------------------------------------------------------------------

    def _build(self) -> None:
        if self._body:
            clear(self._body)
        self._body = QWidget(self)
        self._layout.addWidget(self._body)
        self.notice = ProblemsNotice(self._session)
        self.done = Notice()  # of a report, with a link to it
        self.done.link.connect(lambda target: QDesktopServices.openUrl(QUrl(target)))
        self.empty = note(text("evaluation.empty"))
        self.stale = note()
        self.stale.linkActivated.connect(lambda _: self.start())
        self.view = OutputView()
        self.view.wanted.connect(self._read_rows)
        self.view.opened.connect(self._open)
        layout = QVBoxLayout(self._body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(self._build_controls())
        layout.addLayout(self._build_progress())
        for widget in (self.notice, self.done, self.stale, self.empty):
            layout.addWidget(widget)
        layout.addWidget(self.view, 1)
        layout.addStretch(0)
        self._dress()
        self._on_work()
        self._show()

    def _build_controls(self) -> QHBoxLayout:
        self.button = QPushButton(text("evaluation.evaluate"))
        self.button.clicked.connect(self.start)
        self.rows = QComboBox()
        self.rows.setAccessibleName(text("evaluation.rows_of"))
        self.rows.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.rows.activated.connect(self._choose_rows)
        self.outputs = QComboBox()
        self.outputs.setAccessibleName(text("evaluation.output"))
        self.outputs.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.outputs.activated.connect(self._choose_output)
        self.output_label = QLabel(text("evaluation.output"))
        self.output_label.setBuddy(self.outputs)
        self.status = Elided()
        self.report_button = QPushButton(text("evaluation.report"))
        self.report_button.clicked.connect(self.ask_report)
        row = QHBoxLayout()
        row.addWidget(self.button)
        row.addWidget(self.rows)
        row.addSpacing(8)
        row.addWidget(self.output_label)
        row.addWidget(self.outputs)
        row.addSpacing(8)
        row.addWidget(self.status, 1)
        row.addWidget(self.report_button)
        self._list_rows()
        return row

    def _build_progress(self) -> QHBoxLayout:
        self.bar = QProgressBar()
        self.bar.setMaximumHeight(18)
        self.bar.setAccessibleName(text("evaluation.evaluate"))
        self.doing = QLabel()
        self.cancel = QPushButton(text("evaluation.cancel"))
        self.cancel.clicked.connect(self._cancel)
        row = QHBoxLayout()
        row.addWidget(self.bar, 1)
        row.addWidget(self.doing, 1)
        row.addWidget(self.cancel)
        return row

    def _list_rows(self) -> None:
        self.rows.clear()
        for which in _WHICH:
            self.rows.addItem(text(f"evaluation.rows_{which}"), which)
        if self._file is not None:
            self.rows.addItem(text("evaluation.rows_of_file", file=self._file.name), self._file)
        self.rows.addItem(text("evaluation.rows_file"), _FILE)
        wanted = self._file if self._file is not None else self._which
        self.rows.setCurrentIndex(max(0, self.rows.findData(wanted)))

    def _dress(self) -> None:
        self.button.setIcon(icon("chart"))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._build()
        elif event.type() == QEvent.Type.PaletteChange and self._body:
            self._dress()

    # -- which rows, which output ----------------------------------------------------------------

    def _choose_rows(self, number: int) -> None:
        chosen = self.rows.itemData(number)
        if chosen == _FILE:
            self._ask_file()
        elif isinstance(chosen, Path):
            self._file = chosen
        else:
            self._which, self._file = chosen, None
        self._list_rows()
        self._show_stale()

    def _ask_file(self) -> None:
        path = self._session.path
        title = text("evaluation.rows_file").rstrip("…")
        start = str(path.parent if path else Path())
        chosen, _ = QFileDialog.getOpenFileName(self, title, start)
        if chosen:
            self._file = Path(chosen)

    def _choose_output(self, number: int) -> None:
        self._output = str(self.outputs.itemData(number))
        self._show_output()

    # -- how it goes -----------------------------------------------------------------------------

    def _on_work(self) -> None:
        busy = self.evaluator.work is not Work.NOTHING
        for widget in (self.bar, self.doing, self.cancel):
            widget.setVisible(busy)
        self.bar.setRange(0, 0)
        self.doing.setText(text("progress.starting") if busy else "")
        self._allow()
        self._show_stale()

    def _on_told(self, doing: str, done: int, total: int) -> None:
        self.bar.setRange(0, total)
        self.bar.setValue(done)
        count = f" {done:,} / {total:,}" if total else ""
        self.doing.setText(text(f"progress.{doing}") + count)

    def _cancel(self) -> None:
        self.evaluator.cancel()
        self.notice.say("info", escape(text("evaluation.cancelled")))

    def _on_evaluated(self, evaluation: Evaluation) -> None:
        self.evaluation = evaluation
        self.view.samples.forget_rows()
        self._show()
        announce(self, self.status.text())

    def _on_written(self, path: Path) -> None:
        said = escape(text("evaluation.report_written", path=path))
        self.done.say("ok", f"{said} &nbsp;{link_to(path, text('evaluation.report_open'))}")

    def _on_refused(self, problems: list[Problem], report: str) -> None:
        keys = ("evaluation.refused", "evaluation.broke", "evaluation.killed")
        self.notice.refuse(problems, report, *keys)

    # -- what is shown ---------------------------------------------------------------------------

    def _allow(self) -> None:
        """What can be done now; where nothing can, the sentence says what to do first."""
        plan = self._session.document.plan
        has_loss = any(o.loss is not None for o in plan.outputs.values())
        ready = has_loss and plan.data.source is not None
        idle = self.evaluator.work is Work.NOTHING
        self.button.setEnabled(ready and idle)
        self.report_button.setEnabled(idle and bool(self._session.document.graph.calls))
        why = "empty" if ready else "no_data" if has_loss else "no_model"
        why = "comes" if self.evaluator.work is Work.EVALUATING else why
        self.empty.setText(text(f"evaluation.{why}"))

    def _show(self) -> None:
        found = self.evaluation
        self.view.setVisible(found is not None)
        self.empty.setVisible(found is None)
        self.status.setVisible(True)
        self.outputs.clear()
        for output in found.outputs if found else ():
            self.outputs.addItem(output.name, output.key)
        self.outputs.setCurrentIndex(max(0, self.outputs.findData(self._output)))
        several = self.outputs.count() > 1
        self.outputs.setVisible(several)
        self.output_label.setVisible(several)
        self.status.setText("")
        if found is not None:
            which = text(f"evaluation.which_{found.which}")
            about = {"rows": f"{found.rows:,}", "table": found.table, "which": which}
            self.status.setText(text("evaluation.evaluated", seconds=found.seconds, **about))
            self._show_output()
        self._allow()
        self._show_stale()

    def _show_output(self) -> None:
        if self.evaluation is not None and self.outputs.count():
            self.view.show_output(
                self.evaluation, self.evaluation.outputs[self.outputs.currentIndex()]
            )

    def _present(self) -> tuple[object, ...]:
        """What an evaluation depends on: all of a project but where its nodes stand."""
        return *judged_parts(self._session.document), id(self._session.project.store)

    def _on_change(self, *_: object) -> None:
        self._allow()
        if not _:  # the weights
            self._judged_of = () if self.evaluation is not None else self._judged_of
        self._show_stale()

    def _show_stale(self) -> None:
        idle = self.evaluator.work is Work.NOTHING
        stale = self.evaluation is not None and idle and self._judged_of != self._present()
        link = f"<a href='again'>{escape(text('evaluation.stale_act'))}</a>"
        self.stale.setText(f"{escape(text('evaluation.stale'))} &nbsp;{link}")
        self.stale.setVisible(stale)

    # -- rows ------------------------------------------------------------------------------------

    def _read_rows(self, rows: list[int]) -> None:
        self.evaluator.ask_rows(rows)

    def _open(self, row: Row) -> None:
        cells = {name: [cell] for name, cell in row.cells.items()}
        arrays = {name: array[None] for name, array in row.arrays.items()}
        name = self.evaluation.table if self.evaluation is not None else ""
        table = Table(name, cells, (row.place,), arrays, folder=row.folder)
        self.opened.emit(table, dict(row.before))
