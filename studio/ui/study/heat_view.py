"""One sample of a value as a picture, with what its columns and rows are."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from studio.engine.program import Array
from studio.text import text
from studio.train.study.taps import TapSample
from studio.ui.study.heat import Scale, paint_heat, paint_scale, scale_of
from studio.ui.study.tap_views import Picture, picture_of, said
from studio.ui.theme import tokens

_GAP = 6
_SCALE = 10  # pixels the bar of colours is high
_SIDE = 44  # pixels left of the picture, for the numbers of its rows
_SLANT = 52  # pixels below it, for words that stand aslant
FEW = 64  # numbers without steps that are drawn as bars
_HIGHEST = 300.0  # pixels
_WIDEST = 28.0  # pixels of a bar


class HeatView(QWidget):
    """Steps across and units down, or the pixels of a picture; hovering tells the number there."""

    def __init__(self) -> None:
        super().__init__()
        self._sample: TapSample | None = None
        self._picture = Picture(np.empty((0, 0)))
        self._scale = Scale(0.0, 1.0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(200, 110)

    def sizeHint(self) -> QSize:
        return QSize(520, 220)

    def show_sample(self, sample: TapSample | None, part: int = 0, fold: int | None = None) -> None:
        """Show this one, one part of it where it has more than two axes; see `picture_of`."""
        self._sample = sample
        if sample is not None:
            self._picture = picture_of(sample, part, fold)
            self._scale = scale_of(sample.values)
            down, across = self._picture.matrix.shape
            self.setAccessibleName(text("probes.picture", down=down, across=across))
        self.update()

    @property
    def _barred(self) -> bool:
        """Whether the numbers are drawn as bars: a few, without steps."""
        return self._picture.row and self._picture.matrix.shape[1] <= FEW

    # -- where things are ------------------------------------------------------------------------

    def _area(self) -> QRectF:
        """Where the picture is."""
        line = self.fontMetrics().height()
        words = self._sample.words if self._sample is not None else ()
        below = _SLANT if words else line
        area = QRectF(self.rect()).adjusted(_SIDE, _GAP, -_GAP, -below - line - _SCALE - 3 * _GAP)
        down, across = self._picture.matrix.shape
        if self._picture.square and down and across:
            side = min(area.width() / across, area.height() / down)
            return QRectF(area.left(), area.top(), side * across, side * down)
        if self._barred:
            area.setWidth(min(area.width(), _WIDEST * across))
        highest = 28.0 if down == 1 and not self._picture.row else _HIGHEST
        area.setHeight(max(8.0, min(area.height(), highest)))
        return area

    def _place_at(self, at: QPointF) -> tuple[int, int] | None:
        """The row and the column of the matrix at a point."""
        area, (down, across) = self._area(), self._picture.matrix.shape
        if not area.contains(at) or not down or not across:
            return None
        row = int((at.y() - area.top()) / area.height() * down)
        column = int((at.x() - area.left()) / area.width() * across)
        return min(row, down - 1), min(column, across - 1)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            place = self._place_at(QPointF(event.pos())) if self._sample is not None else None
            words = self.said_at(*place) if place else ""
            QToolTip.showText(event.globalPos(), words, self)
            return True
        return super().event(event)

    def said_at(self, row: int, column: int) -> str:
        """What is told of one number: where it is, its word, whether the mask leaves it out."""
        picture, sample = self._picture, self._sample
        assert sample is not None
        number = said_exactly(picture.matrix[row, column])
        across, down = column * picture.every[0], row * picture.every[1]
        if picture.row:
            return text("probes.at_place", place=across, value=number)
        if picture.square:
            return text("probes.at_pixel", row=down, column=across, value=number)
        word = sample.words[across] if sample.words else ""
        step = f"{across} “{word}”" if word else str(across)
        key = "probes.at_unit" if len(picture.matrix) > 1 else "probes.at_step"
        told = text(key, step=step, unit=down, value=number)
        left_out = picture.mask is not None and not picture.mask[column]
        return f"{told}\n{text('probes.left_out')}" if left_out else told

    # -- painting --------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            if self._sample is None or not self._picture.matrix.size:
                return
            area, t = self._area(), tokens()
            if self._barred:
                _paint_bars(painter, area, self._picture.matrix[0], self._scale)
            else:
                paint_heat(painter, area, self._picture.matrix, self._scale, self._picture.mask)
                painter.setPen(QColor(t.node_border))
                painter.drawRect(area)
            painter.setPen(QColor(t.text2))
            self._paint_rows(painter, area)
            if self._sample.words:
                self._paint_words(painter, area, self._sample.words_told)
            else:
                self._paint_columns(painter, area)
            self._paint_scale(painter, area)

    def _paint_rows(self, painter: QPainter, area: QRectF) -> None:
        """The numbers of the first and the last row, and what rows are between them."""
        picture, line = self._picture, self.fontMetrics().height()
        if self._barred:
            ends = said(self._scale.high), said(self._scale.low)
        elif len(picture.matrix) == 1:
            return
        else:
            ends = "0", str((len(picture.matrix) - 1) * picture.every[1])
        right = Qt.AlignmentFlag.AlignRight
        box = QRectF(0, area.top(), _SIDE - 4, line)
        painter.drawText(box, right | Qt.AlignmentFlag.AlignTop, ends[0])
        if area.height() > 2 * line:
            box.moveBottom(area.bottom())
            painter.drawText(box, right | Qt.AlignmentFlag.AlignBottom, ends[1])
        if picture.steps and area.height() > 4 * line:
            box.moveCenter(QPointF(box.center().x(), area.center().y()))
            unit = text("probes.units")
            short = self.fontMetrics().elidedText(unit, Qt.TextElideMode.ElideRight, _SIDE - 4)
            painter.drawText(box, right | Qt.AlignmentFlag.AlignVCenter, short)

    def _paint_columns(self, painter: QPainter, area: QRectF) -> None:
        picture, line = self._picture, self.fontMetrics().height()
        last = str((picture.matrix.shape[1] - 1) * picture.every[0])
        box = QRectF(area.left(), area.bottom() + 2, area.width(), line)
        painter.drawText(box, Qt.AlignmentFlag.AlignLeft, "0")
        painter.drawText(box, Qt.AlignmentFlag.AlignRight, last)
        if area.width() > 160 and not picture.square:
            name = text("probes.steps" if picture.steps else "probes.places")
            painter.drawText(box, Qt.AlignmentFlag.AlignHCenter, name)

    def _paint_words(self, painter: QPainter, area: QRectF, words: Sequence[str]) -> None:
        """Words below their steps: level where each has room, else aslant, up to their step; of
        those that would cover one another only some.
        """
        wide, metrics = area.width() / len(words), self.fontMetrics()
        level = all(metrics.horizontalAdvance(word) + 4 <= wide for word in words)
        free = area.left() - 1.0  # from here on there is room for the next
        for place, word in enumerate(words):
            x = area.left() + (place + 0.5) * wide
            if not word or (not level and x < free):
                continue
            free = x + metrics.height() - 2
            painter.save()
            painter.translate(x, area.bottom() + 4)
            if level:
                box = QRectF(-wide / 2, 0, wide, metrics.height())
                painter.drawText(box, Qt.AlignmentFlag.AlignHCenter, word)
            else:
                painter.rotate(-55)
                room = int((_SLANT - 8) / 0.82)
                short = metrics.elidedText(word, Qt.TextElideMode.ElideRight, room)
                painter.drawText(
                    QPointF(-metrics.horizontalAdvance(short), metrics.ascent()), short
                )
            painter.restore()

    def _paint_scale(self, painter: QPainter, area: QRectF) -> None:
        """What the colours mean, below everything."""
        line, scale = self.fontMetrics().height(), self._scale
        below = (_SLANT if self._sample and self._sample.words else line) + _GAP
        wide = min(220.0, self.width() - _SIDE - _GAP)
        bar = QRectF(_SIDE, area.bottom() + below, wide, _SCALE)
        if not np.isfinite(self._picture.matrix).all():
            self._paint_broken(painter, bar)
        if self._barred:
            return  # their length says it
        paint_scale(painter, bar, scale)
        painter.setPen(QColor(tokens().text2))
        box = QRectF(bar.left(), bar.bottom() + 1, wide, line)
        painter.drawText(box, Qt.AlignmentFlag.AlignLeft, said(scale.low))
        painter.drawText(box, Qt.AlignmentFlag.AlignRight, said(scale.high))
        if scale.low < 0 < scale.high:
            x = bar.left() - scale.low / (scale.high - scale.low) * wide
            middle = QRectF(x - 20, box.top(), 40, line)
            painter.drawText(middle, Qt.AlignmentFlag.AlignHCenter, "0")

    def _paint_broken(self, painter: QPainter, bar: QRectF) -> None:
        """What the colour of what is no number means."""
        mark = QRectF(bar.right() + 16, bar.top(), _SCALE, _SCALE)
        painter.fillRect(mark, QColor(tokens().text))
        words = QRectF(mark.right() + 5, bar.top() - 4, 200, self.fontMetrics().height())
        painter.setPen(QColor(tokens().text2))
        painter.drawText(words, text("probes.broken"))


def _paint_bars(painter: QPainter, area: QRectF, values: Array, scale: Scale) -> None:
    """Numbers as bars from zero up and down; what is none is a mark on the line."""
    t, span = tokens(), scale.high - scale.low
    zero = area.top() + scale.high / span * area.height()
    wide = area.width() / len(values)
    for place, value in enumerate(values.astype(float).tolist()):
        left = area.left() + place * wide
        if not np.isfinite(value):
            painter.fillRect(QRectF(left + 1, zero - 4, max(1.0, wide - 2), 8), QColor(t.text))
            continue
        end = zero - value / span * area.height()
        ink = QColor(t.series[0] if value >= 0 else t.series[1])
        painter.fillRect(QRectF(left + 1, min(zero, end), max(1.0, wide - 2), abs(zero - end)), ink)
    painter.fillRect(QRectF(area.left(), zero, wide * len(values), 1), QColor(t.text2))


def said_exactly(value: object) -> str:
    """A number with all that tells it from its neighbours."""
    return f"{value:.7g}" if isinstance(value, float | np.floating) else str(value)
