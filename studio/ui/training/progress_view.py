"""How far a training is: epochs and batches as bars, and in words how fast and how long still."""

from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QWidget

from studio.text import text
from studio.ui.elided import Elided
from studio.ui.trainer import Phase, Training
from studio.ui.training.describe import describe

_HEIGHT = 16


class ProgressView(QWidget):
    """Two bars and a line of text."""

    def __init__(self) -> None:
        super().__init__()
        self.epochs, self.batches = self._bar("epochs"), self._bar("batches")
        self.status = Elided()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.epochs, 3)
        row.addWidget(self.batches, 2)
        row.addWidget(self.status, 7)

    def _bar(self, name: str) -> QProgressBar:
        bar = QProgressBar()
        bar.setAccessibleName(text(f"runs.progress_{name}"))
        bar.setToolTip(text(f"runs.progress_{name}"))
        bar.setMaximumHeight(_HEIGHT)
        bar.setMinimumWidth(60)
        return bar

    def show_training(self, training: Training) -> None:
        """Show where it is."""
        phase, progress = training.phase, training.progress
        running = training.running
        known = running and progress.started is not None
        for bar in (self.epochs, self.batches):
            bar.setVisible(running)
            bar.setTextVisible(known)
        if not known:
            self.epochs.setRange(0, 0 if phase is Phase.STARTING else 1)
            self.batches.setRange(0, 1)
            self.batches.setValue(0)
        else:
            done = progress.steps % progress.batches
            self.epochs.setRange(0, progress.total)
            self.epochs.setValue(progress.steps)
            self.batches.setRange(0, progress.batches)
            self.batches.setValue(done)
        self.status.setText(describe(training))
        self.setVisible(running or progress.started is not None)
