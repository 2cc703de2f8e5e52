"""Export the model as an ONNX file, and show the proof that it is the trained model."""

from collections.abc import Collection, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from html import escape
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QColor, QIcon
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from studio.document.project import Project
from studio.formats.atomic import typed_path
from studio.formats.onnx_export import changed_since, export
from studio.formats.proof import Proof
from studio.formats.proof_files import folder_of
from studio.problem import Problem, ProblemError
from studio.text import text
from studio.ui.background import Call, Latest
from studio.ui.dialogs import confirm
from studio.ui.icons import icon
from studio.ui.notice import ProblemsNotice
from studio.ui.parts import note
from studio.ui.session import Session
from studio.ui.theme import tokens

_SUFFIX = ".onnx"
_POLL = 50  # milliseconds
_SHOWN = 8  # outputs seen without scrolling
_COLUMNS = ("export_output", "export_difference", "export_allowed", "export_verdict")


@dataclass(frozen=True)
class Outcome:
    """How an export went: a proof and the files written, or problems and none."""

    path: Path
    proof: Proof | None = None
    problems: tuple[Problem, ...] = ()
    with_proof: bool = False


def run_export(session: Session, parent: QWidget | None = None) -> None:
    """Open the export dialog and wait until it is closed."""
    dialog = ExportDialog(session, parent)
    dialog.exec()
    dialog.deleteLater()


def attempt(
    project: Project, path: Path, with_proof: bool = False, replacing: Collection[Path] = ()
) -> Outcome:
    """Export, and say how it went; what is wrong is no exception here."""
    try:
        proof = export(project, path, with_proof, replacing)
        return Outcome(path, proof, with_proof=with_proof)
    except ProblemError as error:
        return Outcome(path, problems=error.problems)


class ExportDialog(QDialog):
    """Asks where to, exports beside the window, shows the proof or why nothing was written.

    Closing it while it exports cancels that; what is about to be written is written whole.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._call = Call()
        self._worker = Latest(self)
        self._worker.answered.connect(self._show_outcome)
        self._worker.failed.connect(self._show_error)
        self.setWindowTitle(text("training.export_title"))
        self.resize(680, 360)
        self.path = QLineEdit(str(_first_path(session)))
        self.path.setAccessibleName(text("training.export_file"))
        self.path.setMinimumWidth(320)
        self.browse = QPushButton(text("training.export_browse"))
        self.browse.clicked.connect(self._browse)
        where = QHBoxLayout()
        where.addWidget(QLabel(text("training.export_file")))
        where.addWidget(self.path, 1)
        where.addWidget(self.browse)
        self.with_proof = QCheckBox(text("training.export_with_proof"))
        self.with_proof.setToolTip(text("training.export_with_proof_about"))
        self.busy = QProgressBar()
        self.busy.setTextVisible(False)
        self.busy.setAccessibleName(text("training.export_busy"))
        self.busy.hide()
        self._clock = QTimer(self, interval=_POLL)
        self._clock.timeout.connect(self._show_progress)
        self.state = note(text("training.export_about"))
        self.notice = ProblemsNotice(session)
        self.notice.close_button.hide()
        self.table = _proof_table()
        self.facts = note()
        self.table.hide()
        self.facts.hide()
        buttons = QDialogButtonBox()
        self.go = QPushButton(text("training.export"))
        self.go.clicked.connect(self._start)
        self.close_button = QPushButton(text("training.close"))
        self.close_button.clicked.connect(self.reject)
        buttons.addButton(self.go, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(self.close_button, QDialogButtonBox.ButtonRole.RejectRole)
        layout = QVBoxLayout(self)
        layout.addLayout(where)
        layout.addWidget(self.with_proof)
        for widget in (self.state, self.busy, self.notice):
            layout.addWidget(widget)
        layout.addWidget(self.table)
        layout.addWidget(self.facts)
        layout.addStretch(1)
        layout.addWidget(buttons)
        for button in (self.browse, self.close_button):
            button.setAutoDefault(False)
        # Enter exports. A button has to be in the dialog before it can be its default.
        self.go.setDefault(True)

    def reject(self) -> None:
        """Close; while it exports, only cancel that."""
        if self._worker.busy:
            self._call.cancelled.set()
            self.close_button.setEnabled(False)
            self.state.setText(text("progress.cancelling"))
        else:
            super().reject()

    # -- where to --------------------------------------------------------------------------------

    def _browse(self) -> None:
        title, kinds = text("training.export_title"), f"ONNX (*{_SUFFIX})"
        chosen, _ = QFileDialog.getSaveFileName(
            self,
            title,
            self.path.text(),
            kinds,
            options=QFileDialog.Option.DontConfirmOverwrite,  # asked when it is written
        )
        if chosen:
            self.path.setText(str(_with_suffix(Path(chosen))))

    def _start(self) -> None:
        for widget in (self.notice, self.table, self.facts):  # of the export before this one
            widget.hide()
        self.state.setText(text("training.export_about"))
        written = self.path.text().strip()
        if not written:
            self.path.setFocus()
            return
        try:
            path = _with_suffix(typed_path(written))
            self.path.setText(str(path))
            replacing = changed_since(path, self.with_proof.isChecked())
        except ProblemError as error:
            self._show_failure(Outcome(Path(written), problems=error.problems))
            return
        if not self._may_replace(path, replacing):
            return
        self._set_busy(True)
        # A copy: a training that ends meanwhile changes the weights.
        project = self._session.project
        snapshot = replace(project, store=deepcopy(project.store), fitted=dict(project.fitted))
        self._call = Call()
        job = partial(attempt, snapshot, path, self.with_proof.isChecked(), replacing)
        self._worker.ask(partial(self._call.run, job))

    def _may_replace(self, path: Path, changed: Collection[Path]) -> bool:
        """Ask about the file that is there, and about what people changed of those beside it."""
        lines = [text("training.export_overwrite", name=path.name)] if path.exists() else []
        if changed:
            names = ", ".join(str(file.relative_to(path.parent)) for file in changed)
            lines.append(text("training.export_overwrite_changed", names=names))
        question, yes = "\n\n".join(lines), text("training.export_replace")
        return not lines or confirm(self, question, yes, loses=bool(changed))

    def _set_busy(self, busy: bool) -> None:
        self.busy.setVisible(busy)
        for widget in (self.go, self.path, self.browse, self.with_proof):
            widget.setEnabled(not busy)
        self.close_button.setEnabled(True)
        self.close_button.setText(text("window.cancel" if busy else "training.close"))
        if busy:
            self.state.setText(text("training.export_busy"))
            self.busy.setRange(0, 0)  # until it tells how far it is
            self._clock.start()
        else:
            self._clock.stop()

    def _show_progress(self) -> None:
        if self._call.told is not None and not self._call.cancelled.is_set():
            doing, done, total = self._call.told
            self.busy.setRange(0, total)
            self.busy.setValue(done)
            self.state.setText(text(f"progress.{doing}"))

    # -- how it went -----------------------------------------------------------------------------

    def _show_outcome(self, outcome: Outcome | None) -> None:
        self._set_busy(False)
        if outcome is None:
            self.state.setText(text("training.export_cancelled"))
        elif outcome.proof is None:
            self._show_failure(outcome)
        else:
            self._show_proof(outcome.proof, outcome.path, outcome.with_proof)

    def _show_error(self) -> None:
        """An error of our own; the window reports it."""
        self._set_busy(False)
        self.state.setText(text("training.export_failed"))

    def _show_failure(self, outcome: Outcome) -> None:
        self.state.setText(text("training.export_failed"))
        self.notice.list_problems(text("training.export_not_written"), outcome.problems)
        failed = [p.args for p in outcome.problems if p.code == "proof_failed"]
        rows = [(str(a["name"]), float(a["received"]), float(a["expected"])) for a in failed]
        self._fill(rows)
        self.table.setVisible(bool(rows))

    def _show_proof(self, proof: Proof, path: Path, with_proof: bool) -> None:
        self.close_button.setDefault(True)
        self._fill([(name, d, proof.allowed(name)) for name, d in proof.outputs.items()])
        self.table.show()
        names = [path.with_suffix(s).name for s in (_SUFFIX, ".json", ".py")]
        names += [folder_of(path).name] * with_proof
        done = {"files": ", ".join(names), "folder": str(path.parent)}
        self.state.setText(text("training.export_done", **done))
        message = escape(text("training.export_proven", batches=_listed(proof.batch_sizes)))
        if proof.warnings:
            self.notice.list_problems(message, proof.warnings)
        else:
            self.notice.say("ok", f"<b>{message}</b>")
        self.facts.setText(_facts(proof))
        self.facts.show()

    def _fill(self, rows: Sequence[tuple[str, float, float]]) -> None:
        """A row per output: how far the engines are apart, how far they may be."""
        self.table.setRowCount(len(rows))
        for row, (name, difference, allowed) in enumerate(rows):
            ok = difference <= allowed
            verdict = QTableWidgetItem(
                _verdict_icon(ok), text(f"training.export_{'equal' if ok else 'different'}")
            )
            verdict.setForeground(QColor(tokens().good if ok else tokens().error))
            cells = (name, f"{difference:.2e}", f"{allowed:.2e}")
            for column, cell in enumerate(cells):
                self.table.setItem(row, column, QTableWidgetItem(cell))
            self.table.setItem(row, len(cells), verdict)
        shown = min(len(rows), _SHOWN) * self.table.verticalHeader().defaultSectionSize()
        self.table.setFixedHeight(shown + self.table.horizontalHeader().sizeHint().height() + 4)


def _proof_table() -> QTableWidget:
    table = QTableWidget(0, len(_COLUMNS))
    table.setHorizontalHeaderLabels([text(f"training.{name}") for name in _COLUMNS])
    table.setAccessibleName(text("training.export_proof"))
    table.verticalHeader().hide()
    table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
    table.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
    table.setShowGrid(False)
    table.verticalHeader().setDefaultSectionSize(table.fontMetrics().height() + 10)
    header = table.horizontalHeader()
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    return table


def _facts(proof: Proof) -> str:
    """What else is known of the file."""
    operators = ", ".join(
        f"{name} ×{count}" if count > 1 else name for name, count in sorted(proof.operators.items())
    )
    lines = [text("training.export_checked")]
    if proof.lengths:
        lines.append(text("training.export_lengths", lengths=_listed(proof.lengths)))
    lines.append(text("training.export_size", size=file_size(proof.size)))
    lines.append(text("training.export_operators", operators=operators))
    return "\n".join(lines)


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


def _verdict_icon(ok: bool) -> QIcon:
    t = tokens()
    return icon("ok" if ok else "error", QColor(t.good if ok else t.error))


def _first_path(session: Session) -> Path:
    return session.path.with_suffix(_SUFFIX) if session.path else Path.home() / f"model{_SUFFIX}"


def _with_suffix(path: Path) -> Path:
    fits = path.suffix.lower() == _SUFFIX
    return path if fits else path.with_name(f"{path.name}{_SUFFIX}")


def file_size(size: int) -> str:
    """``412 B``, ``1.3 MB``: by powers of 1000, as file managers count."""
    if size < 1000:
        return f"{size} B"
    value, unit = size / 1000, "kB"
    for larger in ("MB", "GB"):
        if value >= 1000:
            value, unit = value / 1000, larger
    return f"{value:.1f} {unit}"
