"""Which sample is looked at, and after which epoch."""

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSlider, QSpinBox, QWidget

from studio.text import text
from studio.ui.study.watching import Study

_ROWS = ("validation", "training")
_MOST = 1_000_000  # while nobody knows how many there are


class LookBar(QWidget):
    """Chooses the rows and the sample of a study, and the past epoch somebody looks back at."""

    def __init__(self, study: Study) -> None:
        super().__init__()
        self._study = study
        self.rows = QComboBox()
        self.rows.addItems([text(f"probes.rows_{which}") for which in _ROWS])
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
        for widget in (self.rows, self.sample, self.back):
            row.addWidget(widget)
        study.wanted_changed.connect(self.refresh)
        study.seen.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what the study looks at."""
        study = self._study
        epochs: list[int | None] = [*sorted(study.past)]
        place = epochs.index(study.epoch) if study.epoch in epochs else len(epochs)
        with QSignalBlocker(self.rows), QSignalBlocker(self.sample), QSignalBlocker(self.back):
            self.rows.setCurrentIndex(_ROWS.index(study.rows))
            self.sample.setValue(study.sample + 1)
            self.back.setRange(0, len(epochs))
            self.back.setValue(place)
        self.back.setVisible(bool(epochs))

    def show_count(self, count: int) -> None:
        """There are so many rows."""
        with QSignalBlocker(self.sample):
            self.sample.setMaximum(max(1, count))
            self.sample.setSuffix(f" / {count}")

    @property
    def when(self) -> str:
        """When in a training that was which is shown; empty for the weights as they are."""
        study, seen = self._study, self._study.current
        if study.epoch is not None:
            return text("probes.of_epoch", epoch=study.epoch + 1)
        if seen is None or seen.at == "asked":
            return ""
        return text("lens.at_batch", epoch=seen.epoch + 1, batch=seen.batch + 1)

    def _take_rows(self, index: int) -> None:
        self._study.rows = _ROWS[index]  # type: ignore[assignment]  # one of the two

    def _take_sample(self, number: int) -> None:
        self._study.sample = number - 1

    def _look_back(self, place: int) -> None:
        epochs = sorted(self._study.past)
        self._study.look_back(epochs[place] if place < len(epochs) else None)
