"""A saved step of training: which it is, whether it comes out the same, where it went wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from html import escape
from pathlib import Path

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QProgressBar,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from studio.document.names import output_names
from studio.text import text
from studio.train.arrays import fed
from studio.train.aside import Aside, Done, Ended, Refused
from studio.train.events import Hit
from studio.train.hit_words import differing, facts, sentence
from studio.train.reproduction import SUFFIX, Replayed, Reproduction, read, replay
from studio.train.samples import compact
from studio.train.written import brief
from studio.ui.notice import Notice, Tone
from studio.ui.parts import note

_POLL = 40  # milliseconds
_SIZE = (640, 420)
_LISTED = 12  # differences written out


@dataclass(frozen=True)
class Step:
    """A step from a file, and what doing it again gave."""

    given: Reproduction
    found: Replayed

    @property
    def hit(self) -> Hit:
        """What was met in it; where something arises that is not finite, as it does here."""
        hit, origin = self.given.about.hit, self.found.origin
        return hit if origin is None else replace(hit, kind="not_finite", **vars(origin))


def opened(path: Path) -> Step:
    """Read a step, and do it again.

    Raises:
        ProblemError: what is wrong with the file, or keeps it from being done.
    """
    given = read(path)
    return Step(given, replay(given))


def ask_step(parent: QWidget, folder: Path) -> Path | None:
    """A file of a step, of the user's choice."""
    title = text("breakpoints.open_step").replace("&", "").rstrip("…")
    chosen, _ = QFileDialog.getOpenFileName(parent, title, str(folder), f"*{SUFFIX}")
    return Path(chosen) if chosen else None


class StepDialog(QDialog):
    """Does the step again in a process of its own, and tells what came of it.

    Signals:
        model_wanted(step): its model is to be opened, with what was met in it.
    """

    model_wanted = Signal(object)

    def __init__(self, path: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(text("breakpoints.step_title", name=path.name))
        self.resize(*_SIZE)
        self.step: Step | None = None
        self.what, self.where, self.verdict = note(), note(), Notice()
        self.verdict.close_button.hide()
        self.waiting = QProgressBar()
        self.waiting.setRange(0, 0)
        self.waiting.setAccessibleName(text("breakpoints.replaying"))
        self.waiting.setTextVisible(False)
        self.table = QTableWidget(0, 2)
        self.table.horizontalHeader().hide()
        self.table.verticalHeader().hide()
        self.table.horizontalHeader().setStretchLastSection(True)
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setShowGrid(False)
        self.table.setAlternatingRowColors(True)
        self.table.setAccessibleName(text("breakpoints.step_values"))
        self.buttons = QDialogButtonBox()
        self.buttons.addButton(text("window.close"), QDialogButtonBox.ButtonRole.RejectRole)
        self.open_button = self.buttons.addButton(
            text("breakpoints.open_model"), QDialogButtonBox.ButtonRole.ActionRole
        )
        self.open_button.setEnabled(False)
        self.open_button.clicked.connect(self._open)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        for part in (self.what, self.where, self.waiting, self.verdict):
            layout.addWidget(part)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.buttons)
        self.what.setText(text("breakpoints.replaying"))
        self._process = Aside()
        self._process.ask(partial(opened, path))
        self._timer = QTimer(self, interval=_POLL)
        self._timer.timeout.connect(self._poll)
        self._timer.start()

    def done(self, result: int) -> None:
        """Close; what still goes on is ended."""
        self._end()
        super().done(result)

    def _end(self) -> None:
        self._timer.stop()
        self._process.kill()

    def _poll(self) -> None:
        for answer in self._process.poll():
            match answer:
                case Done(Step() as step):
                    self._end()
                    self._show(step)
                case Refused(problems, report):
                    self._end()
                    self._refuse(str(problems[0]) if problems else "", report)
                case Ended():
                    self._end()

    def _refuse(self, why: str, report: str) -> None:
        self.waiting.hide()
        self.what.hide()
        self.verdict.say("error", escape(why or text("breakpoints.replay_broke_off")), report)

    def _show(self, step: Step) -> None:
        self.step = step
        given, hit = step.given, step.hit
        self.waiting.hide()
        about = {"name": given.document.graph.name, "engine": given.about.engine}
        places = {"epoch": hit.epoch + 1, "batch": hit.batch + 1, "samples": len(given.batch)}
        self.what.setText(text("cli.step_of", **about, **places))
        said, more = sentence(hit, given.document), " · ".join(facts(hit))
        self.where.setText(f"<b>{escape(said)}</b>" + (f"<br>{escape(more)}" if more else ""))
        self.verdict.say(*_verdict(step.found))
        self._list(_values(step))
        self.open_button.setEnabled(True)

    def _list(self, lines: list[tuple[str, str]]) -> None:
        self.table.setRowCount(len(lines))
        for i, line in enumerate(lines):
            for j, words in enumerate(line):
                item = QTableWidgetItem(words)
                item.setToolTip(words)
                self.table.setItem(i, j, item)
        self.table.resizeColumnToContents(0)

    def _open(self) -> None:
        if self.step is not None:
            self.model_wanted.emit(self.step)
            self.accept()


def _verdict(found: Replayed) -> tuple[Tone, str]:
    """Whether it came out the same, as a notice has it."""
    if found.equal:
        return "ok", escape(text("cli.replay_equal", count=found.compared))
    different = len(found.differences)
    lines = [text("cli.replay_differs", count=found.compared, different=different)]
    lines += map(differing, found.differences[:_LISTED])
    return "warning", "<br>".join(map(escape, lines))


def _values(step: Step) -> list[tuple[str, str]]:
    """What the step gave, and what its sample was, where it is of one."""
    given, sample = step.given, step.hit.sample
    names = {end.key: name for end, name in output_names(given.document).items()}
    lines = [
        (_result_name(name, names), brief(float(array)))
        for name, array in given.results.items()
        if not array.ndim
    ]
    if sample is None or sample >= len(given.batch):
        return lines
    document, batch = given.document, given.batch.take(slice(sample, sample + 1))
    for call, array in batch.inputs.items():
        name = document.entry(call).name if call in document.graph.calls else call
        told = text("breakpoints.sample_input", name=name, number=sample + 1)
        lines.append((told, compact(fed(array))))
    for key, array in batch.targets.items():
        told = text("breakpoints.sample_target", name=names.get(key, key), number=sample + 1)
        lines.append((told, compact(array)))
    return lines


def _result_name(name: str, outputs: Mapping[str, str]) -> str:
    """What a number of the file is called: see `studio.train.reproduction`."""
    kind, _, key = name.partition("/")
    if kind == "gradient_norm":
        return text("breakpoints.result_norm")
    if key:
        return text("breakpoints.result_of", name=outputs.get(key, key))
    return text("breakpoints.result_loss")
