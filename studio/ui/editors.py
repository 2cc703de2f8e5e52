"""One widget per kind of value. Each shows a value silently and tells of an edit once, when done.

Q: Why not tell of every keystroke?
A: Every edit told of is one undo step. Typing is finished by Enter or by leaving the field;
   stepping with arrows or the wheel, by a short pause.
"""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QComboBox,
    QLineEdit,
    QSpinBox,
    QWidget,
)

from studio.declare import Param
from studio.text import text
from studio.ui.inline import InlineField

_PAUSE = 400  # ms after the last step of a spin box
_LARGEST = 2**31 - 1  # of QSpinBox


def finish_typing() -> None:
    """Let the field with the focus tell of what was typed so far: before saving, undoing, …"""
    field = QApplication.focusWidget()
    if isinstance(field, QAbstractSpinBox):
        field.interpretText()
    if isinstance(field, InlineField):
        field.leave()
    elif isinstance(field, QAbstractSpinBox | QLineEdit):
        field.editingFinished.emit()


def is_undo_of_window(event: QEvent, typing: bool) -> bool:
    """Whether a field should leave an undo or redo key to the window: nothing was typed in it."""
    return (
        event.type() == QEvent.Type.ShortcutOverride
        and not typing
        and isinstance(event, QKeyEvent)
        and (
            event.matches(QKeySequence.StandardKey.Undo)
            or event.matches(QKeySequence.StandardKey.Redo)
        )
    )


class LineEditor(QLineEdit):
    """A value written as text.

    What `parse` cannot read is told as the text itself, for the declaration to refuse.
    """

    edited = Signal(object)

    def __init__(
        self, parse: Callable[[str], Any] = str, render: Callable[[Any], str] = str
    ) -> None:
        super().__init__()
        self._parse, self._render = parse, render
        self._shown = ""
        self.editingFinished.connect(self._finish)

    def show_value(self, value: Any) -> None:
        """Show `value` without telling of it; text being typed is kept."""
        shown = self._render(value)
        if shown != self._shown or not self.isModified():
            self._shown = shown
            self.setText(shown)

    def event(self, event: QEvent) -> bool:
        if is_undo_of_window(event, self.isModified()):
            event.ignore()
            return False
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.isModified():
            self.setText(self._shown)
            return
        super().keyPressEvent(event)

    def _finish(self) -> None:
        if self.isModified():
            self.setModified(False)
            self.edited.emit(self._parse(self.text()))


class WholeEditor(QSpinBox):
    """A whole number. Arrows stop at its bounds; what is typed may lie beyond, and is a problem."""

    edited = Signal(object)

    def __init__(self, low: float | None = None, high: float | None = None) -> None:
        super().__init__()
        self.setRange(-_LARGEST, _LARGEST)
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCorrectionMode(QAbstractSpinBox.CorrectionMode.CorrectToPreviousValue)
        self._low = -_LARGEST if low is None else int(low)
        self._high = _LARGEST if high is None else int(high)
        self._shown = 0
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE)
        self._pause.timeout.connect(self._finish)
        self.valueChanged.connect(lambda: self._pause.start())
        self.editingFinished.connect(self._finish)

    def show_value(self, value: Any) -> None:
        """Show `value` without telling of it; something else than a number shows as the lowest."""
        number = value if isinstance(value, int) else max(0, self._low)
        number = max(-_LARGEST, min(_LARGEST, number))
        if number == self._shown and self.lineEdit().isModified():
            return  # being typed over
        self.blockSignals(True)
        self.setValue(number)
        self.blockSignals(False)
        self._pause.stop()
        self._shown = self.value()

    def stepBy(self, steps: int) -> None:
        wanted = self.value() + steps
        self.setValue(max(self._low, wanted) if steps < 0 else min(self._high, wanted))

    def event(self, event: QEvent) -> bool:
        if is_undo_of_window(event, self.lineEdit().isModified()):
            event.ignore()
            return False
        return super().event(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        _wheel_only_with_focus(self, event, super().wheelEvent)

    def _finish(self) -> None:
        self._pause.stop()
        self.lineEdit().setModified(False)
        if self.value() != self._shown:
            self._shown = self.value()
            self.edited.emit(self._shown)


class ChoiceEditor(QComboBox):
    """One of several values; a present value that is none of them is shown all the same."""

    edited = Signal(object)

    def __init__(self, choices: list[tuple[str, Any]]) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)
        self._choices = choices
        self._shown: Any = None
        for label, value in choices:
            self.addItem(label, value)
        self.activated.connect(self._choose)

    def make_room(self) -> None:
        """Be wide enough for the longest choice: for few and short ones."""
        longest = max(len(self.itemText(i)) for i in range(self.count()))
        self.setMinimumContentsLength(longest)

    def show_value(self, value: Any) -> None:
        """Show `value` without telling of it."""
        self._shown = value
        while self.count() > len(self._choices):
            self.removeItem(self.count() - 1)
        row = next((i for i, (_, v) in enumerate(self._choices) if v == value), -1)
        if row < 0:
            row = len(self._choices)
            self.addItem(str(value), value)
        self.setCurrentIndex(row)

    def wheelEvent(self, event: QWheelEvent) -> None:
        _wheel_only_with_focus(self, event, super().wheelEvent)

    def _choose(self, row: int) -> None:
        value = self.itemData(row)
        if value != self._shown:
            self._shown = value
            self.edited.emit(value)


class SwitchEditor(QCheckBox):
    """Yes or no."""

    edited = Signal(object)

    def __init__(self, label: str = "") -> None:
        super().__init__(label)
        self.clicked.connect(lambda checked: self.edited.emit(checked))

    def show_value(self, value: Any) -> None:
        """Show `value` without telling of it."""
        self.setChecked(bool(value))


# -- texts of numbers and shapes -----------------------------------------------------------------


def read_number(written: str) -> Any:
    """A number, with point or comma; "none" or nothing is None; else the text as it is."""
    plain = written.strip().replace(",", ".")
    if plain.lower() in ("", "none"):
        return None
    try:
        return float(plain)
    except ValueError:
        return written


def write_number(value: Any) -> str:
    """The shortest text that reads back as the same number."""
    if value is None:
        return ""
    short = f"{value:g}" if isinstance(value, float) else str(value)
    return short if not isinstance(value, float) or float(short) == value else repr(value)


def read_shape(written: str) -> Any:
    """Sizes separated by commas, spaces or ×; ``None`` or ``?`` is any size."""
    plain = written.strip().strip("()[]")
    for mark in "×x;，":
        plain = plain.replace(mark, ",")
    sizes = [size for size in plain.replace(",", " ").split() if size]
    try:
        return tuple(None if s.lower() in ("none", "?") else int(s) for s in sizes)
    except ValueError:
        return written


def write_shape(value: Any) -> str:
    """``100`` or ``None, 5``; what is no tuple as it is."""
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def read_numbers(written: str) -> Any:
    """Numbers separated by commas or spaces, each with a decimal point."""
    try:
        return tuple(float(number) for number in written.replace(",", " ").split())
    except ValueError:
        return written


def write_numbers(value: Any) -> str:
    """``0.1, 0.01``; what is no tuple as it is."""
    return ", ".join(map(write_number, value)) if isinstance(value, tuple) else str(value)


def plain_editor(p: Param) -> QWidget:
    """The editor for a parameter that is no declaration itself."""
    stem = p.type.split("[")[0].split("|")[0].strip()
    if p.choices:
        none = [(text("window.none"), None)] if p.optional else []
        return ChoiceEditor([*none, *((choice, choice) for choice in p.choices)])
    if stem == "bool":
        return SwitchEditor()
    if stem == "int" and not p.optional:
        return WholeEditor(p.min, p.max)
    if stem == "int":
        return LineEditor(_read_whole, write_number)
    if stem == "float":
        return LineEditor(read_number, write_number)
    if stem == "tuple" and "float" in p.type and p.optional:
        return LineEditor(_read_numbers_or_none, _write_numbers_or_none)
    if stem == "tuple" and "float" in p.type:
        return LineEditor(read_numbers, write_numbers)
    if stem == "tuple" and p.optional:
        return LineEditor(_read_shape_or_none, _write_shape_or_none)
    if stem == "tuple":
        return LineEditor(read_shape, write_shape)
    return LineEditor()


def _read_shape_or_none(written: str) -> Any:
    return read_shape(written) if written.strip() else None


def _write_shape_or_none(value: Any) -> str:
    return "" if value is None else write_shape(value)


def _read_numbers_or_none(written: str) -> Any:
    """One number alone is no list: it gives one result."""
    numbers = read_numbers(written)
    if not isinstance(numbers, tuple):
        return numbers
    return None if not numbers else numbers[0] if len(numbers) == 1 else numbers


def _write_numbers_or_none(value: Any) -> str:
    return write_numbers(value) if isinstance(value, tuple) else write_number(value)


def _read_whole(written: str) -> Any:
    number = read_number(written)
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _wheel_only_with_focus(
    widget: QWidget, event: QWheelEvent, handle: Callable[[QWheelEvent], None]
) -> None:
    """Scrolling a form past a field must not change it."""
    if widget.hasFocus():
        handle(event)
    else:
        event.ignore()
