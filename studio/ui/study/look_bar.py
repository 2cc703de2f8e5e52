"""Which sample is looked at, and after which epoch."""

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSlider, QSpinBox, QWidget

from studio.text import text
from studio.ui.study.value_export import Rows
from studio.ui.study.watching import Study

ROWS: tuple[Rows, ...] = ("validation", "training")
_MOST = 1_000_000  # while nobody knows how many there are


class LookBar(QWidget):
    """Chooses the rows and the sample of a study, and the past epoch somebody looks back at."""

    def __init__(self, study: Study) -> None:
        super().__init__()
        self._study = study
        self.rows = QComboBox()
        self.rows.addItems([text(f"probes.rows_{which}") for which in ROWS])
        self.rows.setAccessibleName(text("probes.rows"))
        self.rows.setToolTip(text("probes.rows"))
        self.rows.activated.connect(self._take_rows)
        self.sample = QSpinBox(minimum=1, maximum=_MOST)
        self.sample.setPrefix(f"{text('probes.sample')} ")
        self.sample.setKeyboardTracking(False)
        self.sample.setAccessibleName(text("probes.sample"))
        self.sample.valueChanged.connect(self._take_sample)
        self.back = QSlider(Qt.Orientation.Horizontal)
        self.back.setMinimumWidth(40)
        self.back.setAccessibleName(text("probes.back"))
        self.back.setToolTip(text("probes.back_tip"))
        self.back.valueChanged.connect(self._look_back)
        self.rows.setMinimumWidth(70)  # where the dock is narrow
        self.sample.setMinimumWidth(96)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.rows)
        row.addWidget(self.sample)
        row.addWidget(self.back, 1)
        row.addStretch()  # where there is nothing to look back at
        study.wanted_changed.connect(self.refresh)
        study.seen.connect(self._show_epochs)
        self.refresh()

    def refresh(self) -> None:
        """Show what the study looks at."""
        self._show_rows(self._study.rows)
        if not self.sample.lineEdit().isModified():
            with QSignalBlocker(self.sample):
                self.sample.setValue(self._study.sample + 1)
        self._show_epochs()

    def show_found(self, count: int, rows: Rows | None = None) -> None:
        """What was found is one of so many samples; of these rows, where that is known."""
        tell_place(self.sample, self._study.sample + 1, count)
        if rows is not None:
            self._show_rows(rows)

    def _show_rows(self, which: Rows) -> None:
        with QSignalBlocker(self.rows):
            self.rows.setCurrentIndex(ROWS.index(which))

    def _show_epochs(self) -> None:
        """Where one looks among the epochs that were seen."""
        epochs, epoch = sorted(self._study.past), self._study.epoch
        with QSignalBlocker(self.back):
            self.back.setRange(0, len(epochs))
            self.back.setValue(epochs.index(epoch) if epoch in epochs else len(epochs))
        self.back.setVisible(bool(epochs))

    def _take_rows(self, index: int) -> None:
        self._study.rows = ROWS[index]

    def _take_sample(self, number: int) -> None:
        self._study.sample = number - 1

    def _look_back(self, place: int) -> None:
        epochs = sorted(self._study.past)
        self._study.look_back(epochs[place] if place < len(epochs) else None)


def tell_place(box: QSpinBox, value: int, of: int) -> None:
    """Let a box tell ``3 / 800``, unless somebody is writing in it."""
    if box.lineEdit().isModified() or (box.value(), box.maximum()) == (value, of):
        return
    with QSignalBlocker(box):
        box.setMaximum(of)
        box.setSuffix(f" / {of}")
        box.setValue(value)
