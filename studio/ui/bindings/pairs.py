"""Labelled fields in lines, which fold where there is no room for them side by side."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QWidget

Pair = tuple[QLabel | None, QWidget]


class Pairs(QWidget):
    """Lines of fields, each with its label before it; folded, every field has a line of its own.

    So a form is never wider than its widest field, whatever the language and the font.
    """

    def __init__(self, lines: Sequence[Sequence[Pair]] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines: Sequence[Sequence[Pair]] = ()
        self._folded: bool | None = None
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self.show_lines(lines)

    def show_lines(self, lines: Sequence[Sequence[Pair]]) -> None:
        """Show these fields in place of the others, which are left out of sight."""
        kept = {id(widget) for line in lines for pair in line for widget in pair if widget}
        for line in self._lines:
            for widget in (w for pair in line for w in pair if w):
                self._grid.removeWidget(widget)
                if id(widget) not in kept:
                    widget.hide()
        self._lines, self._folded = lines, None
        for label, field in self._column():
            for shown in (label, field):
                if shown is not None:
                    if shown.parentWidget() is not self:
                        shown.setParent(self)
                    shown.show()
            if label is not None:
                label.setBuddy(field)
        self._arrange(self.width() if self.isVisible() else None)

    @property
    def folded(self) -> bool:
        """Whether every field has a line of its own."""
        return bool(self._folded)

    def minimumSizeHint(self) -> QSize:
        labels, fields = self._widths(self._column())
        narrow = labels + self._gap(labels) + fields
        return QSize(narrow, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange(event.size().width())

    def event(self, event: QEvent) -> bool:
        """A field asks for another width once it shows other words."""
        if event.type() == QEvent.Type.LayoutRequest and self.isVisible():
            self._arrange(self.width())
        return super().event(event)

    def _arrange(self, width: int | None) -> None:
        folded = width is not None and width < self._needed()
        if folded == self._folded:
            return
        self._folded = folded
        lines = [[pair] for pair in self._column()] if folded else self._lines
        for column in range(self._grid.columnCount()):
            self._grid.setColumnStretch(column, 0)
        for row, line in enumerate(lines):
            for place, (label, field) in enumerate(line):
                if label is not None:
                    self._grid.addWidget(label, row, 2 * place)
                self._grid.addWidget(field, row, 2 * place + 1)
        self._grid.setColumnStretch(2 * max(map(len, lines), default=0), 1)

    def _column(self) -> list[Pair]:
        return [pair for line in self._lines for pair in line]

    def _needed(self) -> int:
        """The width in which no line is folded."""
        across = max(map(len, self._lines), default=0)
        places = [[line[at] for line in self._lines if at < len(line)] for at in range(across)]
        widths = [width for place in places for width in self._widths(place)]
        return sum(widths) + sum(map(self._gap, widths[:-1]))

    def _gap(self, beside: int) -> int:
        return self._grid.horizontalSpacing() if beside else 0

    @staticmethod
    def _widths(pairs: Sequence[Pair]) -> tuple[int, int]:
        """The widest label, and the widest field."""
        labels = (label.sizeHint().width() for label, _ in pairs if label is not None)
        return max(labels, default=0), max((_least(field) for _, field in pairs), default=0)


def _least(field: QWidget) -> int:
    hint = max(field.minimumSizeHint().width(), field.minimumWidth())
    return min(hint, field.maximumWidth())
