"""Offers to go on with a training that was cut off."""

from datetime import datetime

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from studio.text import text
from studio.train.checkpoints import Interrupted
from studio.ui.training.describe import size


class ResumeBar(QWidget):
    """A sentence and two buttons; hidden where nothing was cut off.

    Signals:
        resumed(): go on from the checkpoint.
        discarded(): forget it.
    """

    resumed = Signal()
    discarded = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.found: Interrupted | None = None
        self.label = QLabel(wordWrap=True)
        self.resume = QPushButton(text("runs.resume_checkpoint"))
        self.resume.setToolTip(text("runs.resume_checkpoint_tip"))
        self.resume.clicked.connect(self.resumed)
        self.discard = QPushButton(text("runs.discard_checkpoint"))
        self.discard.clicked.connect(self.discarded)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.label, 1)
        row.addWidget(self.resume)
        row.addWidget(self.discard)
        self.hide()

    def show_interrupted(self, found: Interrupted | None) -> None:
        """Say what was cut off, and where it can be gone on with."""
        self.found = found
        self.setVisible(found is not None)
        if found is None:
            return
        when = datetime.fromtimestamp(found.written).strftime("%Y-%m-%d %H:%M")
        told = {"epoch": found.epoch + 1, "epochs": found.epochs, "batch": found.batch}
        self.label.setText(text("runs.cut_off", when=when, size=size(found.size), **told))
