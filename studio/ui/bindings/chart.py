"""A little chart of what a port receives: how often numbers of a size, classes or words occur."""

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from studio.text import text
from studio.train.samples import Sample
from studio.ui.bars import draw_bars, step
from studio.ui.parts import number
from studio.ui.theme import tokens

_HEIGHT = 44  # of the bars
_NAMED = 8  # bars that have room for a name below
_MOST = 60  # bars drawn
_WIDEST = 72  # pixels of a bar


@dataclass(frozen=True)
class Bars:
    """Attributes:
    counts: of each bar.
    names: what each bar counts, in words.
    ends: written below the first and the last bar where bars have no names of their own.
    title: what is counted.
    """

    counts: tuple[int, ...]
    names: tuple[str, ...]
    title: str
    ends: tuple[str, str] | None = None


def bars_of(sample: Sample) -> Bars | None:
    """What a chart of a sample shows; None where nothing was counted."""
    if sample.text is not None:
        return _histogram(*sample.text.lengths, text("binding.chart_lengths"), whole=True)
    if sample.balance:
        balance = sample.balance[:_MOST]
        names = tuple(name or text("binding.empty_cell") for name, _ in balance)
        title = text("binding.chart_classes", rows=number(sample.rows))
        return Bars(tuple(count for _, count in balance), names, title)
    if sample.histogram is not None:
        title = text("binding.chart_numbers", rows=number(sample.rows))
        whole = sample.array.dtype.kind in "biu"
        return _histogram(*sample.histogram, title, whole=whole)
    return None


def _histogram(edges: object, counts: object, title: str, *, whole: bool) -> Bars:
    lows, highs = list(edges)[:-1], list(edges)[1:]  # type: ignore[call-overload]
    pairs = list(zip(lows, highs, strict=True))
    if whole and all(abs(high - low - 1) < 1e-9 for low, high in pairs):
        names = tuple(f"{low + 0.5:.0f}" for low in lows)
        ends = names[0], names[-1]
    else:
        names = tuple(f"{low:.4g} … {high:.4g}" for low, high in pairs)
        ends = f"{lows[0]:.4g}", f"{highs[-1]:.4g}"
    return Bars(tuple(int(count) for count in counts), names, title, ends)  # type: ignore[attr-defined]


class BarChart(QWidget):
    """Bars side by side; a tooltip says what a bar counts and how much."""

    def __init__(self) -> None:
        super().__init__()
        self._bars: Bars | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMaximumWidth(420)
        self.hide()

    @property
    def bars(self) -> Bars | None:
        """What is drawn."""
        return self._bars

    def show_bars(self, bars: Bars | None) -> None:
        """Draw these, or nothing."""
        self._bars = bars
        self.setVisible(bars is not None)
        if bars is not None:
            told = "; ".join(self._said(i) for i in range(min(12, len(bars.counts))))
            self.setAccessibleName(f"{bars.title}: {told}")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        line = self.fontMetrics().height()
        return QSize(300, 2 * line + _HEIGHT + 6)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, self.sizeHint().height())

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            at = self._bar_at(event.pos().x())
            QToolTip.showText(event.globalPos(), self._said(at) if at is not None else "", self)
            return True
        return super().event(event)

    def _bar_at(self, x: int) -> int | None:
        if self._bars is None or not 0 <= x < self.width():
            return None
        at = int(x / self._step())
        return at if at < len(self._bars.counts) else None

    def _step(self) -> float:
        """From one bar to the next."""
        assert self._bars is not None
        return step(self.width(), len(self._bars.counts), _WIDEST)

    def _said(self, bar: int) -> str:
        assert self._bars is not None
        count = self._bars.counts[bar]
        share = count / max(1, sum(self._bars.counts))
        return f"{self._bars.names[bar]}: {number(count)} ({share:.1%})"

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._bars is None:
            return
        t, bars = tokens(), self._bars
        line, width = self.fontMetrics().height(), self.width()
        with QPainter(self) as painter:
            painter.setPen(QColor(t.text2))
            title = self.fontMetrics().elidedText(bars.title, Qt.TextElideMode.ElideRight, width)
            painter.drawText(QRectF(0, 0, width, line), Qt.AlignmentFlag.AlignLeft, title)
            foot = line + 2 + _HEIGHT
            painter.setPen(QColor(t.line))
            painter.drawLine(0, foot, width, foot)
            area = QRectF(0, line + 2, width, _HEIGHT)
            draw_bars(painter, area, bars.counts, QColor(t.accent), _WIDEST)
            painter.setPen(QColor(t.text2))
            self._write_names(painter, foot + 2, self._step(), line)

    def _write_names(self, painter: QPainter, top: int, step: float, line: int) -> None:
        assert self._bars is not None
        bars, metrics, width = self._bars, self.fontMetrics(), self.width()
        if len(bars.counts) <= _NAMED:
            for place, name in enumerate(bars.names):
                said = metrics.elidedText(name, Qt.TextElideMode.ElideRight, int(step) - 2)
                box = QRectF(place * step, top, step, line)
                painter.drawText(box, Qt.AlignmentFlag.AlignHCenter, said)
            return
        first, last = bars.ends or (bars.names[0], bars.names[-1])
        half = width // 2 - 4
        for side, name in (
            (Qt.AlignmentFlag.AlignLeft, first),
            (Qt.AlignmentFlag.AlignRight, last),
        ):
            said = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, half)
            painter.drawText(QRectF(0, top, width, line), side, said)
