"""What the colours of the lens mean: a bar above the canvas, on which a loss is chosen."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QLinearGradient,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QAbstractButton, QFrame, QLabel, QToolButton, QWidget

from studio.text import text
from studio.train.study.lens import LensSample
from studio.train.study.lens_text import losses_of
from studio.ui.canvas.loss_inks import greys, ink
from studio.ui.canvas.tints import DECADES
from studio.ui.elided import Elided
from studio.ui.icons import icon
from studio.ui.parts import clear
from studio.ui.session import Session
from studio.ui.study.saying import state_of
from studio.ui.theme import mix, tokens

if TYPE_CHECKING:
    from studio.ui.canvas.board import Board
    from studio.ui.study.watching import Study

_ROW = 30
_SWATCH = 26.0
_PAD, _GAP = 10, 8
_WIDEST = 320  # of a loss


class Legend(QFrame):
    """A bar along the upper edge of the canvas: what is shown, of what moment, in which colours.

    Signals:
        chosen(loss): it is to be shown alone, or all again.
        closed(): the lens is to be taken away.
        returned(): what is looked at is to be the newest again, with the model's loss weights.
    """

    chosen = Signal(int)
    closed = Signal()
    returned = Signal()

    def __init__(self, board: "Board") -> None:
        # Not the viewport's child: Qt moves those along when the canvas is scrolled.
        super().__init__(board)
        self.setObjectName("legend")
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self.rows: list[LossRow] = []
        self.title, self.status, self.hint = QLabel(self), Elided(), Elided()
        for words in (self.status, self.hint):
            words.setParent(self)
        self.close_button = QToolButton(self)
        self.close_button.setAutoRaise(True)
        self.close_button.clicked.connect(self.closed)
        self.back = QToolButton(self)
        self.back.clicked.connect(self.returned)
        self.nothing, self.scale = _Nothing(self), _Scale(self)

    def show_study(
        self, study: "Study", session: Session, isolated: int | None, top: int | None
    ) -> None:
        """Say what is shown, or why nothing is."""
        self._say_what_stays()
        seen = study.current
        sample = seen.lens if seen is not None else None
        self.status.setText(state_of(study))
        if len(self.rows) != (len(sample.losses) if sample else 0):
            for row in self.rows:
                clear(row)
            self.rows = [self._row(i) for i in range(len(sample.losses) if sample else 0)]
        if sample is not None:
            for row, name in zip(self.rows, losses_of(session.document, sample), strict=True):
                row.show_loss(name, sample, isolated)
        self.back.setText(text("lens.newest" if study.scales is None else "lens.own_weights"))
        away = study.epoch is not None or study.scales is not None
        self.back.setVisible(away)
        self.hint.setText(text(f"lens.legend_hint{'' if len(self.rows) > 1 else '_one'}"))
        self.hint.setVisible(sample is not None and not away)
        for widget in (self.nothing, self.scale):
            widget.setVisible(sample is not None)
        self.scale.show_top(top or 0)

    def _say_what_stays(self) -> None:
        font = QFont(self.font())
        font.setBold(True)
        self.title.setFont(font)
        self.title.setText(text("lens.title"))
        self.close_button.setIcon(icon("close"))
        self.close_button.setToolTip(text("lens.close"))
        self.close_button.setAccessibleName(text("lens.close"))
        self.setAccessibleName(text("lens.title"))

    def _row(self, loss: int) -> "LossRow":
        row = LossRow(loss, self)
        row.clicked.connect(lambda: self.chosen.emit(loss))
        row.show()
        return row

    def arrange(self, width: int) -> int:
        """Lay it out in so many pixels; how many it takes in height."""
        y = self._arrange_words(width)
        x, right = _PAD, width - _PAD
        shown = [w for w in (*self.rows, self.nothing, self.scale) if not w.isHidden()]
        for widget in shown:
            if widget is self.scale:
                self._bare_scale(right - x)
            taken = min(widget.sizeHint().width(), right - _PAD)
            if x > _PAD and x + taken > right:
                x, y = _PAD, y + _ROW + 2
            widget.setGeometry(x, y, taken, _ROW)
            x += taken + _GAP
        height = y + (_ROW + 6 if shown else 0)
        self.setGeometry(0, 0, width, height)
        self.raise_()
        return height

    def _bare_scale(self, room: int) -> None:
        """Leave out what its numbers are, where that alone keeps it from a row of its own."""
        self.scale.bare = False
        if self.scale.sizeHint().width() > room:
            self.scale.bare = True
            self.scale.bare = self.scale.sizeHint().width() <= room

    def _arrange_words(self, width: int) -> int:
        """The upper line: what it is, of when, what to do."""
        high = max(24, self.fontMetrics().height() + 6)
        self.close_button.setGeometry(width - high - 4, 4, high, high)
        x, right = _PAD, width - high - 12
        title = self.title.sizeHint().width()
        self.title.setGeometry(x, 4, title, high)
        x += title + 2 * _GAP
        back = self.back.sizeHint().width() if not self.back.isHidden() else 0
        status = self.status.fontMetrics().horizontalAdvance(self.status.text()) + 4
        if self.hint.isHidden() and not back:
            status = right - x
        status = max(min(status, right - x - back), 0)
        self.status.setGeometry(x, 4, status, high)
        x += status + 2 * _GAP
        self.back.setGeometry(x, 4, back, high)
        self.hint.setGeometry(x, 4, max(right - x, 0), high)
        return high + 6

    def paintEvent(self, event: QPaintEvent) -> None:
        t = tokens()
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), t.raised)
            painter.setPen(t.hover if t.strong else t.line)
            bottom = self.height() - 1
            painter.drawLine(0, bottom, self.width(), bottom)


class LossRow(QAbstractButton):
    """One loss: its letter in its colour, how its strands are drawn, its name, its value."""

    def __init__(self, loss: int, parent: QWidget) -> None:
        super().__init__(parent)
        self.loss = loss
        self._name = self._value = ""
        self._pale = False
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def show_loss(self, name: str, sample: LensSample, isolated: int | None) -> None:
        """Say what it is called, and what it is times its weight."""
        value, weight = sample.values[self.loss], sample.weights[self.loss]
        self._name, self._value = name, f"{value:.3g} × {weight:.3g}"
        self._pale = isolated not in (None, self.loss)
        self.setChecked(isolated == self.loss)
        said = text("lens.row_name", name=name, value=f"{value:.3g}", weight=f"{weight:.3g}")
        self.setAccessibleName(said)
        key = "lens.row_all" if isolated == self.loss else "lens.row_only"
        self.setToolTip(f"{said}\n{text(key, name=name)}")
        self.update()

    def _bold(self) -> QFont:
        bold = QFont(self.font())
        bold.setBold(True)
        return bold

    def sizeHint(self) -> QSize:
        name = QFontMetrics(self._bold()).horizontalAdvance(self._name)
        # The value's digits come and go: room for as many as there can be.
        value = self.fontMetrics().horizontalAdvance("0.000 × 0.00")
        return QSize(min(int(_LEFT + name + value + 22), _WIDEST), _ROW)

    def paintEvent(self, event: QPaintEvent) -> None:
        t, drawn, area = tokens(), ink(self.loss), QRectF(self.rect())
        middle = area.center().y()
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._paint_ground(painter, area)
            painter.setOpacity(0.45 if self._pale else 1.0)
            painter.setFont(self._bold())
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(drawn.colour)
            circle = QRectF(6, middle - 9, 18, 18)
            painter.drawEllipse(circle)
            painter.setPen(drawn.on)
            painter.drawText(circle, Qt.AlignmentFlag.AlignCenter, drawn.letter)
            painter.setPen(drawn.pen(4.0))
            painter.drawLine(QPointF(30, middle), QPointF(30 + _SWATCH, middle))
            taken = self.fontMetrics().horizontalAdvance(self._value)
            room = int(area.width() - _LEFT - taken - 14)
            name = painter.fontMetrics().elidedText(self._name, Qt.TextElideMode.ElideMiddle, room)
            level = Qt.AlignmentFlag.AlignVCenter
            painter.setPen(t.text)
            painter.drawText(QRectF(_LEFT, 0, room, area.height()), level, name)
            painter.setFont(self.font())
            painter.setPen(t.text2)
            place = area.adjusted(0, 0, -6, 0)
            painter.drawText(place, level | Qt.AlignmentFlag.AlignRight, self._value)

    def _paint_ground(self, painter: QPainter, area: QRectF) -> None:
        t, colour = tokens(), ink(self.loss).colour
        lit = self.underMouse() or self.hasFocus()
        share = 0.24 if self.isChecked() else 0.12 if lit else 0.0
        painter.setPen(QPen(colour, 1.5) if self.isChecked() or self.hasFocus() else QColor(t.line))
        painter.setBrush(QColor(mix(colour.name(), t.raised, share)))
        painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), 6, 6)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)


_LEFT = 30 + _SWATCH + 8  # of a loss's name


class _Nothing(QWidget):
    """What a node is painted like that nothing trains."""

    def sizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance(text("lens.nothing")) + 42, _ROW)

    def paintEvent(self, event: QPaintEvent) -> None:
        grey = greys()
        with QPainter(self) as painter:
            swatch = QRectF(4, (_ROW - 16) / 2, 26, 16)
            painter.fillRect(swatch, grey.ground)
            painter.fillRect(swatch, grey.hatch)
            painter.setPen(tokens().text)
            place = QRectF(self.rect()).adjusted(36, 0, 0, 0)
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, text("lens.nothing"))


class _Scale(QWidget):
    """From the faintest tint to the deepest, with the numbers they stand for.

    Attributes:
        bare: there is no room for what the numbers are.
    """

    _BAR, _ASIDE = 196, 20

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._top = 0
        self.bare = False

    def show_top(self, top: int) -> None:
        """The power of ten of the deepest."""
        self._top = top
        self.setToolTip(text("lens.scale_tip"))
        self.update()

    def sizeHint(self) -> QSize:
        said = 0 if self.bare else self.fontMetrics().horizontalAdvance(text("lens.scale")) + 14
        return QSize(said + self._BAR, _ROW)

    def paintEvent(self, event: QPaintEvent) -> None:
        t = tokens()
        with QPainter(self) as painter:
            painter.setPen(t.text)
            level = Qt.AlignmentFlag.AlignVCenter
            if not self.bare:
                place = QRectF(0, 0, self.width() - self._BAR, _ROW)
                painter.drawText(place, level, text("lens.scale"))
            bar = QRectF(self.width() - self._BAR + self._ASIDE, 4, self._BAR - 2 * self._ASIDE, 8)
            shade = QLinearGradient(bar.topLeft(), bar.topRight())
            shade.setColorAt(0, QColor(mix(t.text, t.raised, 0.10)))
            shade.setColorAt(1, QColor(mix(t.text, t.raised, 0.72)))
            painter.fillRect(bar, shade)
            painter.setPen(t.text2)
            font = QFont(self.font())
            font.setPointSizeF(font.pointSizeF() * 0.86)
            painter.setFont(font)
            metrics = painter.fontMetrics()
            for step in range(DECADES + 1):
                x = bar.left() + bar.width() * step / DECADES
                said = f"{10.0 ** (self._top + 2 - DECADES + step):g} %"
                at = QPointF(
                    x - metrics.horizontalAdvance(said) / 2, bar.bottom() + metrics.ascent()
                )
                painter.drawText(at, said)
