"""What the recurrent microscope shows, to take away: as PNG, as SVG, as CSV."""

from math import inf
from pathlib import Path

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QPainter
from PySide6.QtWidgets import QApplication

from studio.formats.atomic import write_bytes
from studio.problem import refuse
from studio.text import text
from studio.train.study.recurrent_file import recurrent_csv
from studio.ui.painted import pixels, png, svg
from studio.ui.study.loss_swatch import paint_letter
from studio.ui.study.time_paint import (
    HEAD,
    Columns,
    axis_height,
    height_of,
    paint_axis,
    paint_row,
)
from studio.ui.study.time_rows import Heat, Picture, loss_name, sentence
from studio.ui.theme import tokens

KINDS = (".png", ".svg", ".csv")
FILES = "PNG (*.png);;SVG (*.svg);;CSV (*.csv)"
_WIDTHS, _MARGIN, _LINE = (1200.0, 4000.0), 16.0, 20.0
_WORD = 14.0  # of a column whose word can be read


def suffix_of(chosen: str, kind: str) -> str:
    """That of a name somebody typed, or of the kind chosen beside it."""
    given = Path(chosen).suffix.lower()
    return given if given in KINDS else next((k for k in KINDS if f"*{k}" in kind), KINDS[0])


def write_picture(path: Path, picture: Picture, name: str) -> None:
    """Write what is shown, as the name of the file says: one of `KINDS`.

    Args:
        path: where to. A ``.csv`` has all the numbers there are, whatever is drawn.
        picture: what is shown.
        name: of the layer.

    Raises:
        ProblemError: ``chart_suffix``, ``file_not_written``.
    """
    sheet = _Sheet(picture, name)
    match path.suffix.lower():
        case ".png":
            data = png(pixels(sheet.size, sheet.paint))
        case ".svg":
            data = svg(sheet.size, name, sheet.paint)
        case ".csv":
            table = recurrent_csv(picture.sample, picture.losses)
            data = table.encode("utf-8-sig")  # else Excel takes it for Latin
        case _:
            raise refuse("chart_suffix", file=path.name, known=", ".join(KINDS))
    write_bytes(path, data)


class _Sheet:
    """All rows on one sheet, under what it is and what becomes of each loss's gradient."""

    def __init__(self, picture: Picture, name: str) -> None:
        self._picture, self._name = picture, name
        self._head = _MARGIN + _LINE * (1 + len(picture.reading.norms)) + 8
        least, most = _WIDTHS
        words = _WORD * picture.columns if picture.sample.words else 0.0
        width = min(max(least, HEAD + words + _MARGIN), most)
        rows = sum(height_of(row, inf) for row in picture.rows)
        self.size = QSizeF(width, self._head + rows + axis_height(picture, inf) + _MARGIN)

    def paint(self, painter: QPainter) -> None:
        """Everything, from the upper left corner on."""
        picture, font = self._picture, QFont(QApplication.font())
        font.setPixelSize(13)  # whatever resolution the picture says it has
        painter.setFont(font)
        painter.fillRect(QRectF(QPointF(), self.size), QColor(tokens().base))
        self._paint_head(painter)
        far = self.size.width() - _MARGIN
        columns = Columns(HEAD, (far - HEAD) / picture.columns, picture.columns, HEAD, far)
        top = self._head
        for row in picture.rows:
            image = row.image() if isinstance(row, Heat) else None
            paint_row(painter, row, image, top, height_of(row, inf), columns, picture.read)
            top += height_of(row, inf)
        paint_axis(painter, picture, top, axis_height(picture, inf), columns)

    def _paint_head(self, painter: QPainter) -> None:
        picture, reading = self._picture, self._picture.reading
        about = text("microscope.sheet", name=self._name, sample=picture.sample.sample + 1)
        bold, plain, width = QFont(painter.font()), painter.font(), self.size.width()
        bold.setBold(True)
        painter.setFont(bold)
        painter.setPen(QColor(tokens().text))
        line = QRectF(8, _MARGIN - 4, width - 16, _LINE)
        painter.drawText(line, int(Qt.AlignmentFlag.AlignVCenter), about)
        painter.setFont(plain)
        for number, key in enumerate(reading.norms):
            line.translate(0, _LINE)
            right = paint_letter(painter, number, QPointF(8, line.top() + 2))
            name = loss_name(picture.sample, key, picture.losses.get(key, key))
            words = f"{name}: {sentence(picture.sample, reading, key)}"
            painter.setPen(QColor(tokens().text))
            beside = QRectF(right + 8, line.top(), width - right - 16, _LINE)
            painter.drawText(beside, int(Qt.AlignmentFlag.AlignVCenter), words)
