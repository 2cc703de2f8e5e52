"""The bar under a wave: where it is in words, and what can be done with it."""

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPixmap
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from studio.text import text
from studio.ui.elided import Elided
from studio.ui.icons import icon
from studio.ui.theme import contrast, tokens

SPEEDS = (0.5, 1.0, 2.0, 4.0)
_SWATCH = 16  # pixels


class WaveBar(QFrame):
    """A line of words with buttons, over the canvas.

    Signals:
        stepped(by): one front on, or back by -1.
        jumped(by): to the next phase, or the one before by -1.
        toggled(): go on by itself, or wait.
        sped(factor): another speed was chosen.
        closed(): nobody wants to see it any more.
    """

    stepped = Signal(int)
    jumped = Signal(int)
    toggled = Signal()
    sped = Signal(float)
    closed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("wave")
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self._colour, self._letter = tokens().accent, ""
        self._words, self._tip = ("", ""), ""
        self._plays = False
        self.swatch = QLabel()
        self.phase, self.where = QLabel(), QLabel()
        self.buttons = {name: self._button(name) for name in _BUTTONS}
        self.speed = QComboBox()
        for factor in SPEEDS:
            self.speed.addItem(f"{factor:g}×", factor)
        self.speed.activated.connect(lambda _: self.sped.emit(self.speed.currentData()))
        self.buttons["before"].clicked.connect(lambda: self.jumped.emit(-1))
        self.buttons["back"].clicked.connect(lambda: self.stepped.emit(-1))
        self.buttons["play"].clicked.connect(self.toggled)
        self.buttons["on"].clicked.connect(lambda: self.stepped.emit(1))
        self.buttons["next"].clicked.connect(lambda: self.jumped.emit(1))
        self.buttons["close"].clicked.connect(self.closed)
        self.meaning = Elided()  # of the numbers at the nodes; it never widens the bar
        self._row = row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.swatch)
        row.addWidget(self.phase)
        row.addWidget(self.where)
        row.addSpacing(6)
        for name, button in self.buttons.items():
            if name == "close":
                row.addWidget(self.speed)
            row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 5, 6, 5)
        layout.setSpacing(2)
        layout.addLayout(row)
        layout.addWidget(self.meaning)
        self._retranslate()
        self.hide()

    def _button(self, name: str) -> QToolButton:
        button = QToolButton(autoRaise=True)
        button.setObjectName(name)
        button.setIconSize(QSize(16, 16))
        return button

    def show_at(
        self, phase: str, where: str, meaning: str, tip: str, colour: str, letter: str
    ) -> None:
        """Say where the wave is, and what its numbers mean, in short and at length; colour and
        letter are the phase's.
        """
        self._tip = tip
        self.meaning.setText(meaning)
        self._words = phase, where
        self.setAccessibleName(f"{phase} {where}")
        if (colour, letter) != (self._colour, self._letter):
            self._colour, self._letter = colour, letter
            self._dress()
        self.show()

    def fit(self, room: int) -> QSize:
        """Cut the words off where they need more than so many pixels; the size it takes."""
        for label, words in zip((self.phase, self.where), self._words, strict=True):
            label.setText(words)
            label.setToolTip(f"{words}\n{self._tip}")
        for label, words in zip((self.where, self.phase), reversed(self._words), strict=True):
            over = self._taken().width() - room
            if over > 0:
                left = max(0, label.sizeHint().width() - over)
                mode = Qt.TextElideMode.ElideRight
                label.setText(label.fontMetrics().elidedText(words, mode, left))
        size = self._taken()
        return QSize(min(size.width(), room), size.height())

    def _taken(self) -> QSize:
        """The size with the words as they are now: a layout in a layout keeps what it was."""
        self._row.invalidate()
        return self.sizeHint()

    def show_playing(self, plays: bool) -> None:
        """Whether it goes on by itself."""
        self._plays = plays
        self._dress_play()

    def show_speed(self, factor: float) -> None:
        """Show the speed in use."""
        self.speed.setCurrentIndex(max(0, self.speed.findData(factor)))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        elif event.type() == QEvent.Type.PaletteChange and hasattr(self, "speed"):
            self._dress()

    def _retranslate(self) -> None:
        for name in ("before", "back", "on", "next", "close"):
            self._name(self.buttons[name], text(f"breakpoints.wave_{name}"))
        self._name(self.speed, text("breakpoints.wave_speed"))
        self._dress()

    @staticmethod
    def _name(widget: QWidget, words: str) -> None:
        widget.setToolTip(words)
        widget.setAccessibleName(words)

    def _dress(self) -> None:
        t = tokens()
        sheet = (
            f"#wave {{ background: {t.raised}; border: 1px solid {self._colour};"
            " border-radius: 6px; }"
        )
        if sheet != self.styleSheet():  # setting it causes another PaletteChange
            self.setStyleSheet(sheet)
        self.swatch.setPixmap(self._painted_swatch())
        font = self.font()
        font.setBold(True)
        self.phase.setFont(font)
        for name, button in self.buttons.items():
            button.setIcon(icon(_BUTTONS[name]))
        self._dress_play()

    def _painted_swatch(self) -> QPixmap:
        """The colour of the phase, with the letter of its loss."""
        scale = self.devicePixelRatioF()
        pixmap = QPixmap(round(_SWATCH * scale), round(_SWATCH * scale))
        pixmap.setDevicePixelRatio(scale)
        pixmap.fill(QColor(self._colour))
        with QPainter(pixmap) as painter:
            on = max("#ffffff", "#000000", key=lambda other: contrast(other, self._colour))
            painter.setPen(QColor(on))
            font = self.font()
            font.setBold(True)
            font.setPixelSize(_SWATCH - 4)
            painter.setFont(font)
            painter.drawText(0, 0, _SWATCH, _SWATCH, Qt.AlignmentFlag.AlignCenter, self._letter)
        return pixmap

    def _dress_play(self) -> None:
        name = "pause" if self._plays else "play"
        self.buttons["play"].setIcon(icon(name))
        self._name(self.buttons["play"], text(f"breakpoints.wave_{name}"))


_BUTTONS = {
    "before": "skip_back",
    "back": "step_back",
    "play": "play",
    "on": "step_on",
    "next": "skip_on",
    "close": "close",
}
