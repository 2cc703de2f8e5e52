"""Curves to take away: as PNG, as SVG, as CSV, on the clipboard."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QGuiApplication, QImage, QPainter
from PySide6.QtWidgets import QApplication

from studio.formats.atomic import write_bytes
from studio.formats.results import histories_csv
from studio.text import text
from studio.ui.painted import pixels, png, svg
from studio.ui.theme import tokens
from studio.ui.training.chart import Chart, paint
from studio.ui.training.curves import Shown, run_style

KINDS = (".png", ".svg", ".csv")
_CELL = QSizeF(420, 260)
_GAP = 12.0


def write_curves(path: Path, charts: Sequence[Chart], runs: Sequence[Shown]) -> None:
    """Write what is shown, as the name of the file says: one of `KINDS`.

    Raises:
        ProblemError: ``file_not_written``.
    """
    sheet = Sheet(charts, runs)
    makers = {".png": lambda: png(sheet.image()), ".svg": sheet.svg, ".csv": lambda: table(runs)}
    write_bytes(path, makers[path.suffix.lower()]())


def copy_curves(charts: Sequence[Chart], runs: Sequence[Shown]) -> None:
    """Pixels for most programs, lines for those that take them, numbers for a spreadsheet."""
    sheet, data = Sheet(charts, runs), QMimeData()
    data.setImageData(sheet.image())
    data.setData("image/svg+xml", sheet.svg())
    QGuiApplication.clipboard().setMimeData(data)


def table(runs: Sequence[Shown]) -> bytes:
    """The numbers as they were told, nothing smoothed: a line per run and epoch."""
    return histories_csv([(run.name, run.history) for run in runs])


class Sheet:
    """Charts in rows, with a line that tells runs apart and what is dashed."""

    def __init__(self, charts: Sequence[Chart], runs: Sequence[Shown]) -> None:
        self._charts, self._runs = charts, runs
        self._columns = max(1, min(3, len(charts)))
        rows = -(-len(charts) // self._columns)
        self._head = 34.0
        self.size = QSizeF(
            self._columns * (_CELL.width() + _GAP) + _GAP,
            rows * (_CELL.height() + _GAP) + _GAP + self._head,
        )

    def image(self) -> QImage:
        """Pixels."""
        return pixels(self.size, self._paint)

    def svg(self) -> bytes:
        """Lines and text."""
        return svg(self.size, text("runs.curves"), self._paint)

    def _paint(self, painter: QPainter) -> None:
        font = QApplication.font()
        font.setPixelSize(13)  # whatever resolution the picture says it has
        painter.setFont(font)
        painter.fillRect(QRectF(QPointF(), self.size), QColor(tokens().base))
        self._paint_head(painter)
        for i, chart in enumerate(self._charts):
            row, column = divmod(i, self._columns)
            at = QPointF(
                _GAP + column * (_CELL.width() + _GAP),
                self._head + row * (_CELL.height() + _GAP),
            )
            paint(painter, QRectF(at, _CELL), chart)

    def _paint_head(self, painter: QPainter) -> None:
        x, middle = _GAP, _GAP + 8
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if len(self._runs) > 1:
            for run in self._runs:
                painter.setPen(run_style(run.hue).pen())
                x = _sample(painter, x, middle, run.name)
        ink = run_style(0).pen()
        ink.setColor(QColor(tokens().text2))
        dashed = run_style(0).pen(dashed=True)
        dashed.setColor(QColor(tokens().text2))
        for pen, name in ((ink, "training"), (dashed, "validation")):
            painter.setPen(pen)
            x = _sample(painter, x, middle, text(f"runs.{name}"))


def _sample(painter: QPainter, x: float, middle: float, name: str) -> float:
    """A short line with its name; where the next begins."""
    painter.drawLine(QPointF(x, middle), QPointF(x + 24, middle))
    width = QFontMetricsF(painter.font()).horizontalAdvance(name)
    painter.setPen(QColor(tokens().text))
    level = int(Qt.AlignmentFlag.AlignVCenter)
    painter.drawText(QRectF(x + 30, middle - 12, width + 2, 24), level, name)
    return x + 30 + width + 20
