"""A slider for the score from which on a model's answer counts as yes."""

from PySide6.QtCore import QLocale, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QLabel, QPushButton, QSlider, QWidget

from studio.text import text
from studio.train.evaluation.ranking import STEPS, Thresholds


class ThresholdBar(QWidget):
    """Moves a threshold.

    Signals:
        moved(place): it is another.
    """

    moved = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._found: Thresholds | None = None
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, STEPS)
        self.slider.setPageStep(50)
        self.slider.setMinimumWidth(90)
        self.slider.setToolTip(text("evaluation.threshold_tip"))
        self.slider.setAccessibleName(text("evaluation.threshold"))
        self.slider.valueChanged.connect(self._move)
        self.value = QDoubleSpinBox(decimals=3)
        self.value.setKeyboardTracking(False)
        self.value.setLocale(QLocale.c())
        self.value.setAccessibleName(text("evaluation.threshold"))
        self.value.valueChanged.connect(self._type)
        self.usual = QPushButton()
        self.usual.clicked.connect(lambda: self._go("usual"))
        self.f1 = QPushButton(text("evaluation.threshold_f1"))
        self.f1.setToolTip(text("evaluation.threshold_f1_tip"))
        self.f1.clicked.connect(lambda: self._go("best_f1"))
        self.youden = QPushButton(text("evaluation.threshold_youden"))
        self.youden.setToolTip(text("evaluation.threshold_youden_tip"))
        self.youden.clicked.connect(lambda: self._go("best_youden"))
        label = QLabel(text("evaluation.threshold"))
        label.setBuddy(self.slider)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(label)
        row.addWidget(self.slider, 1)
        for widget in (self.value, self.usual, self.f1, self.youden):
            row.addWidget(widget)

    @property
    def place(self) -> int:
        """Of the threshold chosen."""
        return self.slider.value()

    def show_thresholds(self, found: Thresholds, place: int | None = None) -> None:
        """Offer these; stand at `place`, or at the usual one."""
        self._found = found
        least, most = float(found.values[0]), float(found.values[-1])
        self.usual.setText(f"{found.values[found.usual]:.4g}")
        with QSignalBlocker(self.value), QSignalBlocker(self.slider):
            self.value.setRange(least, most)
            self.value.setSingleStep((most - least) / 100)
            self.slider.setValue(found.usual if place is None else place)
        self._say()

    def _go(self, which: str) -> None:
        if self._found is not None:
            self.slider.setValue(int(getattr(self._found, which)))

    def _move(self) -> None:
        self._say()
        self.moved.emit(self.place)

    def _type(self, value: float) -> None:
        if self._found is not None:
            self.slider.setValue(self._found.place(value))

    def _say(self) -> None:
        if self._found is None:
            return
        with QSignalBlocker(self.value):
            self.value.setValue(float(self._found.values[self.place]))
