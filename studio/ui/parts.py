"""Small pieces that several panels are built of."""

import re
from collections.abc import Container, Iterable, Sequence

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QSizePolicy,
    QTableWidget,
    QTableWidgetItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from studio.engine.memory import give_back
from studio.engine.program import Spec
from studio.text import text
from studio.ui.icons import icon
from studio.ui.theme import tokens

_MADE_OF_PARTS = (QAbstractSpinBox, QComboBox)
_DIRECT = Qt.FindChildOption.FindDirectChildrenOnly


def heading(written: str) -> QLabel:
    """The title of a section of a panel."""
    label = QLabel(written)
    font = QFont(label.font())
    font.setBold(True)
    label.setFont(font)
    label.setContentsMargins(0, 8, 0, 0)
    return label


def note(written: str = "") -> QLabel:
    """A text in running words, which can be selected and copied."""
    label = QLabel(written)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


class Complaint(QLabel):
    """What is wrong, in the theme's colour of errors; hidden while nothing is."""

    def __init__(self) -> None:
        super().__init__()
        self.setWordWrap(True)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.hide()

    def complain(self, message: str) -> None:
        """Say `message`; nothing when it is empty."""
        self.setText(message)
        if message:  # a form has one for each field, and almost none ever says anything
            self._dress()
        self.setVisible(bool(message))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange and self.text():
            self._dress()
        super().changeEvent(event)

    def _dress(self) -> None:
        ink = QColor(tokens().error)
        if self.palette().color(QPalette.ColorRole.WindowText) != ink:  # setting it comes back here
            palette = QPalette(self.palette())
            palette.setColor(QPalette.ColorRole.WindowText, ink)
            self.setPalette(palette)


def plain(written: str) -> str:
    """A menu's text without its mnemonic and dots."""
    return re.sub(r"\(&\w\)|&(?=\S)", "", written).rstrip("…")


def number(value: int) -> str:
    """A count with its thousands apart: ``5 120 000`` with thin spaces."""
    return f"{value:,}".replace(",", "\u2009")


def shape_of(spec: Spec | None) -> str:
    """``float32 (batch, 100, 512)``; a dash where it is not known."""
    if spec is None:
        return "–"
    return f"{spec.dtype} ({', '.join(map(str, spec.shape))})"


class Facts(QTableWidget):
    """A table to read: as high as its rows, no scroll bar of its own."""

    def __init__(self, titles: Sequence[str]) -> None:
        super().__init__(0, len(titles))
        self.setHorizontalHeaderLabels(list(titles))
        self.verticalHeader().hide()
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)

    def show_rows(self, rows: Sequence[Sequence[str]]) -> None:
        """Show these texts; the whole text of a cell is its tooltip."""
        self.setRowCount(len(rows))
        for i, row in enumerate(rows):
            for j, written in enumerate(row):
                item = QTableWidgetItem(written)
                item.setToolTip(written)
                self.setItem(i, j, item)
            self.resizeRowToContents(i)
        self.setFixedHeight(self._whole_height())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and self.rowCount():
            self.setFixedHeight(self._whole_height())

    def _whole_height(self) -> int:
        rows = sum(self.rowHeight(i) for i in range(self.rowCount()))
        header = self.horizontalHeader()
        titles = 0 if header.isHidden() else header.sizeHint().height()
        return rows + titles + 2 * self.frameWidth()


class IconButton(QToolButton):
    """A flat button that is only a drawing; `words` say what it does."""

    def __init__(self, drawing: str, words: str) -> None:
        super().__init__(autoRaise=True)
        self._drawing = drawing
        self.setToolTip(words)
        self.setAccessibleName(words)
        self.setIcon(icon(drawing))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.setIcon(icon(self._drawing))


class Ordered(QWidget):
    """A table whose rows can be put into another order, or a sentence while it has none.

    Signals:
        moved(row, steps): a row should stand so much farther down.
        chosen(row): a row was double-clicked.
    """

    moved = Signal(int, int)
    chosen = Signal(int)

    def __init__(self, title: str, columns: Sequence[str], empty: str, earlier: str, later: str):
        super().__init__()
        self.table = Facts(columns)
        self.table.cellDoubleClicked.connect(lambda row, _: self.chosen.emit(row))
        self.table.itemSelectionChanged.connect(self._allow_moves)
        self.up, self.down = self._mover("up", earlier, -1), self._mover("down", later, 1)
        self._empty = note(empty)
        row = QHBoxLayout()
        row.addWidget(heading(title), 1)
        row.addWidget(self.up)
        row.addWidget(self.down)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row)
        layout.addWidget(self._empty)
        layout.addWidget(self.table)

    def show_rows(self, rows: Sequence[Sequence[str]]) -> None:
        """Show these."""
        self.table.show_rows(rows)
        self.table.setVisible(bool(rows))
        self._empty.setVisible(not rows)
        self._allow_moves()

    def _mover(self, name: str, help: str, steps: int) -> QToolButton:
        button = IconButton(name, help)
        button.clicked.connect(lambda: self._move(steps))
        return button

    def _move(self, steps: int) -> None:
        row = self.table.currentRow()
        self.moved.emit(row, steps)
        self.table.setCurrentCell(row + steps, 0)

    def _allow_moves(self) -> None:
        row, last = self.table.currentRow(), self.table.rowCount() - 1
        self.up.setEnabled(row > 0)
        self.down.setEnabled(0 <= row < last)


class Acts(QWidget):
    """Buttons for acts of the window's, by their ids.

    Signals:
        wanted(id): one was pressed.
    """

    wanted = Signal(str)

    def __init__(self, *acts: str) -> None:
        super().__init__()
        self.buttons = {act: self._button(act) for act in acts}
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for i, button in enumerate(self.buttons.values()):
            layout.addWidget(button, i, 0)

    def _button(self, act: str) -> QPushButton:
        button = QPushButton(plain(text(f"window.{act}")))
        button.clicked.connect(lambda: self.wanted.emit(act))
        return button

    def offer(self, acts: Container[str]) -> None:
        """Show the buttons of these."""
        for act, button in self.buttons.items():
            button.setVisible(act in acts)
        self.setVisible(any(act in acts for act in self.buttons))


def clear(widget: QWidget) -> None:
    """Take a widget off the screen now and delete it when its signal handlers have returned."""
    widget.hide()
    widget.setParent(None)
    _be_forgotten(widget)
    widget.deleteLater()


class Clearing(QObject):
    """Deletes things one after the other, while the window has nothing else to do: all at once it
    would wait for them.

    Nobody shows them any more; widgets stay hidden where they are meanwhile, since giving each of
    them another parent takes longer than to delete it.
    """

    def __init__(self, things: Iterable[QObject]) -> None:
        super().__init__(QApplication.instance())
        self._things = list(things)
        self._turn = QTimer(self, interval=0)
        self._turn.timeout.connect(self._take)
        self._turn.start()

    def _take(self) -> None:
        self._things = [thing for thing in self._things if isValid(thing)]  # the window may be gone
        thing = self._things.pop(0) if self._things else self
        if thing is self:
            give_back()
        if isinstance(thing, QWidget):
            _be_forgotten(thing)
        thing.deleteLater()


def _be_forgotten(widget: QWidget) -> None:
    """Have Qt forget what is in a widget once it is deleted.

    Q: Would it not?
    A: Of each widget it remembers what the program's style sheet says, until that is destroyed. Of
       what spin boxes and combo boxes are made of it does not hear that, but for parts that have a
       style sheet of their own: a tab that was closed left 60 KB.
    """
    if isinstance(widget, _MADE_OF_PARTS):
        fields = [widget]
    else:
        fields = [*widget.findChildren(QAbstractSpinBox), *widget.findChildren(QComboBox)]
    for field in fields:
        field.ensurePolished()  # it does not hear of what was never in sight, either
        for part in field.findChildren(QWidget, options=_DIRECT):
            if not part.testAttribute(Qt.WidgetAttribute.WA_StyleSheet):
                part.setStyleSheet(" ")
                part.ensurePolished()
