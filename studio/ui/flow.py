"""Widgets beside one another, as many in a line as there is room for."""

from collections.abc import Iterator

from PySide6.QtCore import QEvent, QRect, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

_GAP = 6


class Flow(QWidget):
    """Lays widgets out like words: what has no room in a line begins the next.

    So a panel is no wider than its widest button, whatever the language.
    """

    def __init__(self) -> None:
        super().__init__()
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def add(self, widget: QWidget) -> None:
        """Put a widget at the end."""
        widget.setParent(self)
        widget.show()
        self._again()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return max((place.bottom() + 1 for _, place in self._places(width)), default=0)

    def minimumSizeHint(self) -> QSize:
        width = max((widget.sizeHint().width() for widget in self._shown()), default=0)
        return QSize(width, self.heightForWidth(max(width, self.width())))

    def sizeHint(self) -> QSize:
        sizes = [widget.sizeHint() for widget in self._shown()]
        width = sum(size.width() for size in sizes) + _GAP * max(0, len(sizes) - 1)
        return QSize(width, max((size.height() for size in sizes), default=0))

    def _shown(self) -> list[QWidget]:
        return [w for w in self.children() if isinstance(w, QWidget) and not w.isHidden()]

    def _places(self, width: int) -> Iterator[tuple[QWidget, QRect]]:
        x = y = high = 0
        for widget in self._shown():
            size = widget.sizeHint()
            size.setWidth(min(size.width(), width))
            if x and x + size.width() > width:
                x, y, high = 0, y + high + _GAP, 0
            yield widget, QRect(x, y, size.width(), size.height())
            x, high = x + size.width() + _GAP, max(high, size.height())

    def _again(self) -> None:
        self.updateGeometry()
        for widget, place in self._places(self.width()):
            widget.setGeometry(place)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._again()  # of another width it is of another height, too

    def event(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.ChildRemoved):
            self._again()  # one of them is hidden, shown, gone or says something else
        return super().event(event)


def beside(*widgets: QWidget) -> QWidget:
    """What stays together in a line, as a field and its name."""
    together = QWidget()
    row = QHBoxLayout(together)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(_GAP)
    for widget in widgets:
        row.addWidget(widget)
    return together
