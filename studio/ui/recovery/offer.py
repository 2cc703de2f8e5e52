"""The list of what was kept of projects nobody could save: to be opened, discarded, or left."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
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
_AT_ONCE = 3  # rows that are seen without scrolling


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
    """

    name: str
    folder: str
    facts: str
    warnings: Sequence[str] = ()
    picture: Callable[[float], QPixmap] | None = None
    opens: bool = True


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
        self.name, self.folder, self.facts = Elided(), Elided(), Elided()
        for label, said in zip(
            (self.name, self.folder, self.facts), (line.name, line.folder, line.facts), strict=True
        ):
            label.setText(said)
            if not said:
                label.hide()
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
        self.rows: list[Row] = []
        self._undrawn: list[Row] = []
        self._drawer = QTimer(self, interval=0)
        self._drawer.timeout.connect(self._draw_one)
        self._title, self._body = heading(""), note()
        self.open_all, self.leave = QPushButton(), QPushButton()
        self.open_all.clicked.connect(self.all_opened)
        self.leave.clicked.connect(self.later)
        self._list = QVBoxLayout()
        self._list.setContentsMargins(0, 0, 8, 0)
        inside = QWidget()
        inside.setObjectName("recovery_rows")
        inside.setLayout(self._list)
        self._scroll = QScrollArea()
        self._scroll.setObjectName("recovery_list")
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(inside)
        below = QHBoxLayout()
        below.addStretch(1)
        for button in (self.open_all, self.leave):
            below.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 10, 18, 12)
        for widget in (self._title, self._body, self._scroll):
            column.addWidget(widget)
        column.addLayout(below)
        self.hide()
        self._retranslate()

    def show_lines(self, lines: Sequence[Line]) -> None:
        """Show these; nothing where there are none. Pictures follow one by one."""
        for row in self.rows:
            clear(row)
        self.rows = [Row(line) for line in lines]
        for number, row in enumerate(self.rows):
            row.opened.connect(partial(self.opened.emit, number))
            row.discarded.connect(partial(self.discarded.emit, number))
            self._list.addWidget(row)
        self.open_all.setVisible(sum(line.opens for line in lines) > 1)
        self._undrawn = [row for row in self.rows if row.line.picture is not None]
        self._drawer.start()
        self.setVisible(bool(lines))
        self._fit()

    def _fit(self) -> None:
        """As high as its rows, or as the first of them where there are many."""
        heights = [row.sizeHint().height() for row in self.rows[:_AT_ONCE]]
        gaps = self._list.spacing() * max(0, len(heights) - 1)
        self._scroll.setFixedHeight(sum(heights) + gaps)

    def _draw_one(self) -> None:
        """One picture at a time, so that the list is there at once."""
        if self._undrawn:
            self._undrawn.pop(0).draw()
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
            self._undrawn = [row for row in self.rows if row.line.picture is not None]
            self._drawer.start()
