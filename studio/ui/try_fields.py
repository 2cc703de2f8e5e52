"""Fields for one sample to be tried: one per column that the model reads."""

from datetime import datetime, timedelta
from typing import Any

from PySide6.QtCore import QDate, QDateTime, QSignalBlocker, Qt, QTime, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDateTimeEdit,
    QHBoxLayout,
    QLineEdit,
    QSlider,
    QWidget,
)

from studio.document.dates import read_date
from studio.document.preprocess import FittedClasses, FittedDates, FittedNumbers
from studio.text import text

_STEPS = 1000  # of a slider over what lies between two numbers
_WHOLE = 10_000  # whole numbers that a slider steps through one by one, at most
_EPOCH = datetime(1970, 1, 1)


class Slider(QSlider):
    """Lies across; a wheel that passes over it scrolls the form instead."""

    def __init__(self, steps: int) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setRange(0, steps)
        self.setPageStep(max(1, steps // 10))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class WordsField(QLineEdit):
    """A text, or a list of numbers.

    Signals, as every field has them:
        edited(): somebody changed it.
        done(): whoever types is ready for an answer.
    """

    edited = Signal()
    done = Signal()

    def __init__(self, hint: str = "") -> None:
        super().__init__()
        self.setPlaceholderText(hint)
        self.textEdited.connect(self.edited)
        self.returnPressed.connect(self.done)

    def show_cell(self, cell: str) -> None:
        """Show a cell of a table without telling of it."""
        self.setText(cell)
        self.setCursorPosition(0)


class NumberField(QWidget):
    """A number, written; or moved by a slider between the ends of the rows that trained."""

    edited = Signal()
    done = Signal()

    def __init__(self, cell: str, column: str, fitted: FittedNumbers | None) -> None:
        super().__init__()
        ends = fitted.ends(column) if fitted else None
        self._low, self._high = ends if ends and ends[0] < ends[1] else (0.0, 0.0)
        whole = self._low.is_integer() and self._high.is_integer()
        span = self._high - self._low
        self._steps = int(span) if whole and span <= _WHOLE else _STEPS
        self.line = QLineEdit(cell)
        self.line.textEdited.connect(self._typed)
        self.line.returnPressed.connect(self.done)
        self.slider = Slider(self._steps)
        self.slider.valueChanged.connect(self._slid)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.line, 1)
        row.addWidget(self.slider, 2)
        self.slider.setVisible(span > 0)
        if span > 0:
            tip = text("trying.range", least=f"{self._low:g}", most=f"{self._high:g}")
            self.slider.setToolTip(tip)
        self.setFocusProxy(self.line)
        self._place()

    def setAccessibleName(self, name: str) -> None:
        super().setAccessibleName(name)
        self.line.setAccessibleName(name)
        self.slider.setAccessibleName(name)

    def text(self) -> str:
        """What is written."""
        return self.line.text()

    def show_cell(self, cell: str) -> None:
        """Show a cell of a table without telling of it."""
        self.line.setText(cell)
        self._place()

    def _place(self) -> None:
        """Let the slider stand where the number lies, at an end where it lies beyond."""
        try:
            value = float(self.line.text())
        except ValueError:
            return
        if self._high > self._low and value == value:
            share = min(max((value - self._low) / (self._high - self._low), 0.0), 1.0)
            with QSignalBlocker(self.slider):
                self.slider.setValue(round(share * self._steps))

    def _typed(self) -> None:
        self._place()
        self.edited.emit()

    def _slid(self, step: int) -> None:
        value = self._low + (self._high - self._low) * step / self._steps
        self.line.setText(f"{value:.0f}" if self._steps < _STEPS or value == 0 else f"{value:.4g}")
        self.edited.emit()


class ClassField(QComboBox):
    """One of the classes there were in training."""

    edited = Signal()
    done = Signal()

    def __init__(self, cell: str, fitted: FittedClasses) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        for name in fitted.names:
            self.addItem(name or text("trying.empty_class"), name)
        self.show_cell(cell)
        self.currentIndexChanged.connect(lambda: self.edited.emit())

    def text(self) -> str:
        """The class chosen, as the data calls it."""
        return str(self.currentData() or "")

    def show_cell(self, cell: str) -> None:
        """Show a cell of a table without telling of it."""
        with QSignalBlocker(self):
            self.setCurrentIndex(max(0, self.findData(cell)))

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class DateField(QWidget):
    """A date and time, written or chosen; a slider goes over the days of the rows that trained."""

    edited = Signal()
    done = Signal()

    def __init__(self, cell: str, fitted: FittedDates | None) -> None:
        super().__init__()
        self._day_first = fitted.day_first if fitted else False
        self._first, self._last = (fitted.first, fitted.last) if fitted else (0.0, 0.0)
        self.when = QDateTimeEdit()
        self.when.setDisplayFormat("yyyy-MM-dd HH:mm")
        self.when.setCalendarPopup(True)
        self.when.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.slider = Slider(max(1, round(self._last - self._first)))
        self.slider.setVisible(self._last - self._first >= 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.when, 1)
        row.addWidget(self.slider, 2)
        self.setFocusProxy(self.when)
        self.show_cell(cell or _cell(_EPOCH + timedelta(days=self._last)))
        if self.slider.isVisibleTo(self):
            ends = (_EPOCH + timedelta(days=d) for d in (self._first, self._last))
            least, most = (f"{day:%Y-%m-%d}" for day in ends)
            self.slider.setToolTip(text("trying.range", least=least, most=most))
        self.when.dateTimeChanged.connect(self._chosen)
        self.slider.valueChanged.connect(self._slid)

    def setAccessibleName(self, name: str) -> None:
        super().setAccessibleName(name)
        self.when.setAccessibleName(name)
        self.slider.setAccessibleName(name)

    def text(self) -> str:
        """The moment chosen, as ISO 8601 writes it."""
        return self.when.dateTime().toString("yyyy-MM-dd HH:mm")

    def show_cell(self, cell: str) -> None:
        """Show a cell of a table without telling of it; what is no date changes nothing."""
        moment = read_date(cell, self._day_first)
        if moment is not None:
            clock = moment.clock
            at = QDateTime(QDate(clock.year, clock.month, clock.day), QTime(0, 0))
            at.setTime(QTime(clock.hour, clock.minute))
            with QSignalBlocker(self.when):
                self.when.setDateTime(at)
            self._place()

    def _place(self) -> None:
        moment = read_date(self.text(), False)
        if moment is not None:
            with QSignalBlocker(self.slider):
                self.slider.setValue(int(moment.days - self._first))

    def _chosen(self) -> None:
        self._place()
        self.edited.emit()

    def _slid(self, day: int) -> None:
        date = _EPOCH + timedelta(days=int(self._first) + day)
        with QSignalBlocker(self.when):
            self.when.setDate(QDate(date.year, date.month, date.day))
        self.edited.emit()


def _cell(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def usual_number(column: str, fitted: Any) -> str:
    """A number nobody typed yet: the training rows' mean, so that it is no outlier; else 0."""
    if not isinstance(fitted, FittedNumbers):
        return "0"
    mean = fitted.middle(column)
    return f"{mean:.0f}" if abs(mean) >= 1000 else f"{mean:.4g}"
