"""What the colours of the lens mean: a card on the canvas, on which a loss is chosen."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QKeyEvent, QLinearGradient, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from studio.document.names import output_names
from studio.text import text
from studio.train.study.lens import LensSample
from studio.ui.canvas.loss_inks import greys, ink
from studio.ui.canvas.tints import DECADES, percent
from studio.ui.icons import icon
from studio.ui.parts import clear
from studio.ui.session import Session
from studio.ui.theme import mix, tokens

if TYPE_CHECKING:
    from studio.ui.canvas.board import Board
    from studio.ui.study.watching import Study

_WIDTH = 268
_ROW = 30
_SWATCH = 34.0


class Legend(QFrame):
    """Stands in a corner of the canvas.

    Signals:
        chosen(loss): it is to be shown alone, or all again.
        closed(): the lens is to be taken away.
    """

    chosen = Signal(int)
    closed = Signal()

    def __init__(self, board: "Board") -> None:
        # Not the viewport's child: Qt moves those along when the canvas is scrolled.
        super().__init__(board)
        self.setObjectName("legend")
        self.setAutoFillBackground(True)
        self.setFixedWidth(_WIDTH)
        self.rows: list[LossRow] = []
        self.title, self.status, self.hint = QLabel(), QLabel(), QLabel()
        self.close_button = QToolButton()
        self.close_button.setAutoRaise(True)
        self.close_button.clicked.connect(self.closed)
        self.nothing, self.scale = _Nothing(), _Scale()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(12, 8, 8, 10)
        self._layout.setSpacing(4)
        top = QHBoxLayout()
        top.addWidget(self.title, 1)
        top.addWidget(self.close_button)
        self._layout.addLayout(top)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(2)
        for widget in (self.status, self.hint):
            widget.setWordWrap(True)
        self._layout.addWidget(self.status)
        self._layout.addLayout(self._rows)
        for widget in (self.nothing, self.scale, self.hint):
            self._layout.addWidget(widget)

    def show_study(
        self, study: "Study", session: Session, isolated: int | None, top: int | None
    ) -> None:
        """Say what is shown, or why nothing is."""
        self._say_what_stays()
        seen = study.current
        sample = seen.lens if seen is not None else None
        self.status.setText(state_of(study))
        self.status.setVisible(bool(self.status.text()))
        if sample is None or len(self.rows) != len(sample.losses):
            for row in self.rows:
                clear(row)
            self.rows = [self._row(i) for i in range(len(sample.losses) if sample else 0)]
        names = {end.key: name for end, name in output_names(session.document).items()}
        for i, row in enumerate(self.rows):
            assert sample is not None
            row.show_loss(names.get(sample.losses[i], sample.losses[i]), sample, isolated)
        for widget in (self.nothing, self.scale, self.hint):
            widget.setVisible(sample is not None)
        self.scale.top = top or 0
        self.scale.update()

    def _say_what_stays(self) -> None:
        font = QFont(self.font())
        font.setBold(True)
        self.title.setFont(font)
        self.title.setText(text("lens.title"))
        self.hint.setText(text("lens.legend_hint"))
        self.close_button.setIcon(icon("close"))
        self.close_button.setToolTip(text("lens.close"))
        self.close_button.setAccessibleName(text("lens.close"))
        self.setAccessibleName(text("lens.title"))

    def _row(self, loss: int) -> "LossRow":
        row = LossRow(loss)
        row.clicked.connect(lambda: self.chosen.emit(loss))
        self._rows.addWidget(row)
        return row

    def place(self, edge: int) -> None:
        """Stand in the upper left corner of the canvas, so far from its edges."""
        self.layout().activate()
        self.resize(_WIDTH, self.layout().totalHeightForWidth(_WIDTH))
        self.move(edge, edge)
        self.raise_()

    def paintEvent(self, event: QPaintEvent) -> None:
        t = tokens()
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(t.hover if t.strong else t.node_border)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.fillRect(self.rect(), t.raised)
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))


def state_of(study: "Study") -> str:
    """Of what moment it is that is shown, or why there is nothing."""
    if study.problems:
        return str(study.problems[0])
    if study.report:
        return text("lens.failed")
    seen = study.current
    if seen is None:
        return text("lens.looking")
    if study.epoch is not None or seen.at == "epoch":
        return text("lens.at_epoch", epoch=seen.epoch + 1)
    if seen.at == "batch":
        return text("lens.at_batch", epoch=seen.epoch + 1, batch=seen.batch + 1)
    return text("lens.looking" if study.waiting else "lens.at_rest")


class LossRow(QAbstractButton):
    """One loss: its letter in its colour, how its strands are drawn, its name, its value."""

    def __init__(self, loss: int) -> None:
        super().__init__()
        self.loss = loss
        self._name = self._value = ""
        self._pale = False
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

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

    def sizeHint(self) -> QSize:
        return QSize(_WIDTH - 24, _ROW)

    def paintEvent(self, event: QPaintEvent) -> None:
        t, drawn, area = tokens(), ink(self.loss), QRectF(self.rect())
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            if self.underMouse() or self.hasFocus() or self.isChecked():
                share = 0.22 if self.isChecked() else 0.10
                painter.setPen(drawn.colour if self.isChecked() or self.hasFocus() else t.line)
                painter.setBrush(QColor(mix(drawn.colour.name(), t.raised, share)))
                painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
            painter.setOpacity(0.45 if self._pale else 1.0)
            middle = area.center().y()
            bold = QFont(self.font())
            bold.setBold(True)
            painter.setFont(bold)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(drawn.colour)
            circle = QRectF(6, middle - 9, 18, 18)
            painter.drawEllipse(circle)
            painter.setPen(drawn.on)
            painter.drawText(circle, Qt.AlignmentFlag.AlignCenter, drawn.letter)
            painter.setPen(drawn.pen(4.0))
            painter.drawLine(QPointF(30, middle), QPointF(30 + _SWATCH, middle))
            left = 30 + _SWATCH + 8
            painter.setPen(t.text)
            painter.setFont(self.font())
            metrics = painter.fontMetrics()
            taken = metrics.horizontalAdvance(self._value)
            room = area.width() - left - taken - 16
            painter.setFont(bold)
            bold_metrics = painter.fontMetrics()
            name = bold_metrics.elidedText(self._name, Qt.TextElideMode.ElideMiddle, int(room))
            level = Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(left, 0, room, area.height()), level, name)
            painter.setFont(self.font())
            painter.setPen(t.text2)
            place = area.adjusted(0, 0, -6, 0)
            painter.drawText(place, level | Qt.AlignmentFlag.AlignRight, self._value)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)


class _Nothing(QWidget):
    """What a node is painted like that nothing trains."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(22)

    def paintEvent(self, event: QPaintEvent) -> None:
        grey = greys()
        with QPainter(self) as painter:
            swatch = QRectF(6, 4, 24 + _SWATCH, 14)
            painter.fillRect(swatch, grey.ground)
            painter.fillRect(swatch, grey.hatch)
            painter.setPen(tokens().text)
            place = QRectF(self.rect()).adjusted(30 + _SWATCH + 8, 0, 0, 0)
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, text("lens.nothing"))


class _Scale(QWidget):
    """From the faintest tint to the deepest, with the numbers they stand for.

    Attributes:
        top: the power of ten of the deepest.
    """

    def __init__(self) -> None:
        super().__init__()
        self.top = 0
        self.setFixedHeight(34)

    def paintEvent(self, event: QPaintEvent) -> None:
        t = tokens()
        with QPainter(self) as painter:
            bar = QRectF(6, 4, self.width() - 16, 9)
            shade = QLinearGradient(bar.topLeft(), bar.topRight())
            shade.setColorAt(0, QColor(mix(t.text, t.raised, 0.08)))
            shade.setColorAt(1, QColor(mix(t.text, t.raised, 0.75)))
            painter.fillRect(bar, shade)
            painter.setPen(t.text2)
            font = QFont(self.font())
            font.setPointSizeF(font.pointSizeF() * 0.88)
            painter.setFont(font)
            for step in range(0, DECADES + 1, 2):
                x = bar.left() + bar.width() * step / DECADES
                said = percent(10.0 ** (self.top - DECADES + step))
                width = painter.fontMetrics().horizontalAdvance(said)
                at = min(max(x - width / 2, bar.left()), bar.right() - width)
                painter.drawText(
                    QPointF(at, bar.bottom() + painter.fontMetrics().ascent() + 2), said
                )
