"""The list of what was kept of projects nobody could save: to be opened, discarded, or left."""

from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from studio.text import text
from studio.ui.drawings import drawing
from studio.ui.elided import Elided
from studio.ui.parts import clear, heading, note
from studio.ui.theme import tokens

PICTURE = QSize(150, 68)
_SIGN = 32
_AT_ONCE = 3  # rows that are seen without scrolling, where there is room
_LEAST = 56  # pixels of the rows that are seen in any case
_ROOMY = 520  # pixels of width from which on a row shows its picture


@dataclass(frozen=True)
class Line:
    """What is said of one project.

    Attributes:
        name: what it is called.
        folder: where its file is; empty where it never had one.
        facts: when it was changed last and how much, in one line.
        warnings: what one should know before opening it.
        picture: draws it for so many pixels to a point; None where that would take long.
        opens: whether there is anything that can be opened.
        of: which one it is, of all that are shown.
    """

    name: str
    folder: str
    facts: str
    warnings: Sequence[str] = ()
    picture: Callable[[float], QPixmap] | None = field(default=None, compare=False)
    opens: bool = True
    of: Hashable = None


class Row(QFrame):
    """One project.

    Signals:
        opened(), discarded(): a button was pressed.
    """

    opened = Signal()
    discarded = Signal()

    def __init__(self, line: Line) -> None:
        super().__init__()
        self.line = line
        self._picture: QPixmap | None = None
        self.picture = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self.picture.setFixedSize(PICTURE)
        self.name, self.folder, self.facts = Elided(), Elided(), note(line.facts)
        self.name.setText(line.name)
        self.folder.setText(line.folder)
        self.folder.setVisible(bool(line.folder))
        self.facts.setVisible(bool(line.facts))
        self.warnings = [note(warning) for warning in line.warnings]
        self.open = QPushButton(text("recovery.open"))
        self.open.setAccessibleName(text("recovery.open_one", name=line.name))
        if not line.opens:
            self.open.hide()
        self.open.clicked.connect(self.opened)
        self.discard = QPushButton(text("recovery.discard"))
        self.discard.setAccessibleName(text("recovery.discard_one", name=line.name))
        self.discard.clicked.connect(self.discarded)
        words = QVBoxLayout()
        words.setSpacing(2)
        for widget in (self.name, self.folder, self.facts, *self.warnings):
            words.addWidget(widget)
        words.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 4, 0, 4)
        row.setSpacing(12)
        row.addWidget(self.picture, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        for button in (self.open, self.discard):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        self.dress()

    def draw(self) -> None:
        """Have its picture drawn, in the theme in use."""
        if self.line.picture is not None:
            self._picture = self.line.picture(self.devicePixelRatioF())
            self.dress()

    def fit(self, width: int) -> None:
        """Leave the picture out where words would have no room."""
        self.picture.setVisible(width >= _ROOMY)

    def dress(self) -> None:
        """Take on the theme's colours."""
        t = tokens()
        self.name.setStyleSheet("font-weight: 600;")
        self.folder.setStyleSheet(f"color: {t.text2};")
        for warning in self.warnings:
            warning.setStyleSheet(f"color: {t.warn};")
        self.picture.setPixmap(self._picture or sign(self.devicePixelRatioF()))


def sign(ratio: float) -> QPixmap:
    """In the place of a picture."""
    pixmap = QPixmap(drawing("layer.Model", tokens().text2, round(_SIGN * ratio)))
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


class _Rows(QScrollArea):
    """Rows below each other: as high as the first few of them, less where the window is low."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Row] = []
        self._wanted = 0
        inside = QWidget()
        inside.setObjectName("recovery_rows")
        self._list = QVBoxLayout(inside)
        self._list.setContentsMargins(0, 0, 8, 0)
        self.setObjectName("recovery_list")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.setWidget(inside)

    def add(self, row: Row) -> None:
        """One more, below the others."""
        self.rows.append(row)
        self._list.addWidget(row)
        row.show()  # now, not when the layout comes to it
        if len(self.rows) <= _AT_ONCE:
            self.fit()
        else:
            row.fit(self._width)

    def remove(self, rows: Sequence[Row]) -> None:
        """Have these gone."""
        gone = set(rows)
        self.rows = [row for row in self.rows if row not in gone]
        for row in rows:
            clear(row)
        self.fit()

    @property
    def _width(self) -> int:
        return self.viewport().width() - self._list.contentsMargins().right()

    def fit(self) -> None:
        """See how high the rows are, at the width there is."""
        width = self._width
        for row in self.rows:
            row.fit(width)
        heights = [row.heightForWidth(width) for row in self.rows[:_AT_ONCE]]
        self._wanted = sum(heights) + self._list.spacing() * max(0, len(heights) - 1)
        self.updateGeometry()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.fit()

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self._wanted)

    def minimumSizeHint(self) -> QSize:
        return QSize(super().minimumSizeHint().width(), min(self._wanted, _LEAST))


class Offer(QFrame):
    """What was kept, above everything else in the window; hidden while there is nothing.

    Signals:
        opened(number), discarded(number): of the lines shown, counted from 0.
        all_opened(), later(): a button below them was pressed.
        retranslated(): the lines are to be said in another language.
    """

    opened = Signal(int)
    discarded = Signal(int)
    all_opened = Signal()
    later = Signal()
    retranslated = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("recovery")
        self._coming = deque[Line]()
        self._undrawn = deque[Row]()
        self._drawer = QTimer(self, interval=0)
        self._drawer.timeout.connect(self._draw_one)
        self._title, self._body = heading(""), note()
        self.open_all, self.leave = QPushButton(), QPushButton()
        self.open_all.clicked.connect(self.all_opened)
        self.leave.clicked.connect(self.later)
        self._list = _Rows()
        below = QHBoxLayout()
        below.addStretch(1)
        for button in (self.open_all, self.leave):
            below.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 10, 18, 12)
        for widget in (self._title, self._body, self._list):
            column.addWidget(widget)
        column.addLayout(below)
        self.hide()
        self._retranslate()

    @property
    def rows(self) -> Sequence[Row]:
        """Those that are there: the first of the lines, soon all."""
        return self._list.rows

    def show_lines(self, lines: Sequence[Line]) -> None:
        """Show these; nothing where there are none. What is not seen at first follows one by one,
        and so do the pictures; rows whose lines are still the same stay.
        """
        focused = self._focused()
        known = {row.line.of: row for row in self.rows}
        staying: set[Row] = set()
        self._coming.clear()
        for line in lines:
            row = known.get(line.of)
            if row is not None and row.line == line and not self._coming:
                staying.add(row)
            else:
                self._coming.append(line)
        self._list.remove([row for row in self.rows if row not in staying])
        while self._coming and len(self.rows) < max(_AT_ONCE, focused + 1):
            self._add_row()
        self.open_all.setVisible(sum(line.opens for line in lines) > 1)
        self._drawer.start()
        self.setVisible(bool(lines))
        if focused >= 0 and self.rows:
            self.rows[min(focused, len(self.rows) - 1)].discard.setFocus()

    def _focused(self) -> int:
        """In which row the focus is, counted from 0; -1: in none."""
        focus = self.window().focusWidget()
        held = (number for number, row in enumerate(self.rows) if row.isAncestorOf(focus))
        return next(held, -1)

    def _add_row(self) -> None:
        row = Row(self._coming.popleft())
        row.opened.connect(lambda: self.opened.emit(self.rows.index(row)))
        row.discarded.connect(lambda: self.discarded.emit(self.rows.index(row)))
        last = self.rows[-1].discard if self.rows else None
        self._list.add(row)
        # Tab goes as one reads: through the rows, then to what is below them.
        before = () if last is None else (last,)
        for first, second in pairwise((*before, row.open, row.discard, self.open_all, self.leave)):
            QWidget.setTabOrder(first, second)
        self._undrawn.append(row)

    def _draw_one(self) -> None:
        """One row or one picture at a time, so that the list is there at once."""
        if self._coming:
            self._add_row()
        elif self._undrawn:
            row = self._undrawn.popleft()
            if row in self.rows:
                row.draw()
        else:
            self._drawer.stop()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
            self.retranslated.emit()
        elif event.type() == QEvent.Type.PaletteChange:
            self._dress()

    def _retranslate(self) -> None:
        self._title.setText(text("recovery.title"))
        self._body.setText(text("recovery.body"))
        self.open_all.setText(text("recovery.open_all"))
        self.leave.setText(text("recovery.later"))
        self.leave.setToolTip(text("recovery.later_tip"))
        self.setAccessibleName(text("recovery.title"))
        self._dress()

    def _dress(self) -> None:
        t = tokens()
        sheet = (
            f"#recovery {{ background: {t.raised}; border: 0; "
            f"border-bottom: 1px solid {t.accent}; }}"
            f"#recovery_list, #recovery_rows {{ background: transparent; }}"
        )
        if sheet != self.styleSheet():  # setting it causes another PaletteChange
            self.setStyleSheet(sheet)
            for row in self.rows:
                row.dress()
            self._undrawn = deque(self.rows)
            self._drawer.start()
