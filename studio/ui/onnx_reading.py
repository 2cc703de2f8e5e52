"""An ONNX file on its way into the window: read beside it, with a bar where that takes a while."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QObject, Qt, Signal
from PySide6.QtWidgets import QProgressDialog, QWidget

from studio.engine.onnx_apart import open_onnx
from studio.engine.program import Array
from studio.layers.onnx_model import OnnxModel, frozen_problem
from studio.problem import Problem, ProblemError
from studio.text import text
from studio.ui.background import Call, Latest

_PATIENCE = 500  # milliseconds without a bar
_WIDEST = 400  # pixels of a file's name


@dataclass(frozen=True)
class Read:
    """What a file came to.

    Attributes:
        layer: what it computes.
        weights: its numbers, by name.
        held: which of them stay as they are, and why; None if none does.
    """

    layer: OnnxModel
    weights: dict[str, Array]
    held: Problem | None


class OnnxReading(QObject):
    """Reads one file; when it is over, this is gone.

    Signals:
        arrived(Read): it was read.
        refused(problems): it was not.
    """

    arrived = Signal(object)
    refused = Signal(object)

    def __init__(self, path: Path, window: QWidget) -> None:
        super().__init__(window)
        self._call = Call()
        self._worker = Latest(self)
        self._worker.answered.connect(self._take)
        self._worker.failed.connect(self._end)
        name = window.fontMetrics().elidedText(path.name, Qt.TextElideMode.ElideMiddle, _WIDEST)
        self.bar = QProgressDialog(
            text("window.reading_file", name=name), text("window.cancel"), 0, 0, window
        )
        self.bar.setWindowTitle(text("window.title"))
        self.bar.setWindowModality(Qt.WindowModality.NonModal)
        self.bar.setMinimumDuration(_PATIENCE)
        self.bar.setAutoReset(False)
        self.bar.setValue(0)  # it waits so long from here on
        self.bar.canceled.connect(self.cancel)
        application = QCoreApplication.instance()
        assert application is not None
        application.aboutToQuit.connect(self.cancel)
        self._worker.ask(partial(self._call.run, partial(_read, path)))

    def cancel(self) -> None:
        """Nobody wants it any more: its process ends, and nothing is told."""
        self._call.cancelled.set()

    def _take(self, found: "Read | tuple[Problem, ...] | None") -> None:
        wanted = not self._call.cancelled.is_set()
        self._end()
        if isinstance(found, Read) and wanted:
            self.arrived.emit(found)
        elif found is not None and wanted:
            self.refused.emit(found)

    def _end(self) -> None:
        self.bar.hide()
        self.bar.deleteLater()
        self.deleteLater()


def _read(path: Path) -> "Read | tuple[Problem, ...]":
    """In the thread."""
    try:
        model, weights = open_onnx(path)
        return Read(OnnxModel(model), dict(weights), frozen_problem(model))
    except ProblemError as error:
        return error.problems
