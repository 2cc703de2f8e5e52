"""Texts of a node where they are written, measured once and cut short where there is no room."""

from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter

from studio.ui.theme import brushes, metrics


@dataclass(frozen=True)
class Label:
    """A text where it is written: the baseline's left end."""

    text: str
    at: QPointF
    whole: str = ""  # before it was cut short, or empty

    @property
    def cut(self) -> bool:
        return self.whole != self.text


def label(words: str, font: str, x: float, middle: float, room: float) -> Label:
    """A text from `x` on, amid a line, as far as there is room."""
    shown = words if text_width(words, font) <= room else _elided(words, font, room)
    measure = metrics(font)
    return Label(shown, QPointF(x, middle + (measure.ascent() - measure.descent()) / 2), words)


def _elided(words: str, font: str, room: float) -> str:
    return metrics(font).elidedText(words, Qt.TextElideMode.ElideRight, room)


@lru_cache(maxsize=32768)
def text_width(words: str, font: str) -> float:
    """How wide a text is in a canvas font; measured once."""
    return metrics(font).horizontalAdvance(words)


def write(painter: QPainter, label: Label, down: float = 0.0) -> None:
    """Paint a text, in whatever font and colour the painter has."""
    painter.drawText(QPointF(label.at.x(), label.at.y() + down), label.text)


def write_small(
    painter: QPainter, words: str, left: float, middle: float, room: float, zoom: float
) -> None:
    """Paint words from a place of the scene on, in letters that can be read at any zoom; cut short
    where there is no room.
    """
    painter.save()
    painter.scale(1 / zoom, 1 / zoom)
    painter.setFont(brushes().small_font)
    write(painter, label(words, "small_font", left * zoom, middle * zoom, room * zoom))
    painter.restore()


def of_itself(said: str, name: str) -> str:
    """A problem without the node's own name before it: the title is right above."""
    return said.removeprefix(f"“{name}”").lstrip(" :：,，") or said
