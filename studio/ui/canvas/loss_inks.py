"""How losses are told apart: each has a colour of the theme's curves, a letter and dashes.

The letter and the dashes say the same as the colour, to those who cannot tell the colours.
"""

from dataclasses import dataclass
from functools import cache

from PySide6.QtCore import Qt
from PySide6.QtGui import QBrush, QColor, QPen

from studio.train.report.shares import letter
from studio.ui.theme import THEMES, Tokens, contrast, mix, tokens

LEVELS = 10  # of a tint, so that brushes are made once
_FAINTEST, _DEEPEST = 0.14, 0.66  # how much of a loss's colour lies over a node's
_DASHES: tuple[tuple[float, ...], ...] = (
    (),
    (3.0, 1.5),
    (0.9, 1.1),
    (2.2, 0.9, 0.7, 0.9),
    (1.5, 0.7),
    (0.9, 0.8, 0.9, 2.2),
    (3.0, 0.9, 0.7, 0.9, 0.7, 0.9),
)


@dataclass(frozen=True)
class Ink:
    """What one loss is painted with.

    Attributes:
        colour: the theme's, as in the curves of trainings.
        on: what is written on the colour.
        fills: of a node, the faintest first, on which the text of a node can still be read.
        far: likewise from far away, where there is no text.
        edge: around what is filled with the colour.
        dashes: as a pen has them; none for the first.
    """

    letter: str
    colour: QColor
    on: QColor
    fills: tuple[QBrush, ...]
    far: tuple[QBrush, ...]
    edge: QPen
    dashes: tuple[float, ...]

    def fill(self, strength: float) -> QBrush:
        """For a strength above 0 and up to 1."""
        return self.fills[min(int(strength * LEVELS), LEVELS - 1)]

    def line(self, width: float) -> QPen:
        """For a piece of a strand that is dashed otherwise."""
        pen = QPen(self.colour, width)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        return pen

    def pen(self, width: float) -> QPen:
        """For a strand, with the dashes."""
        pen = self.line(width)
        if self.dashes:
            pen.setDashPattern(list(self.dashes))
        return pen


@dataclass(frozen=True)
class Greys:
    """What is painted where no loss arrives, or nothing could.

    Attributes:
        ground, hatch: of a node that nothing trains: a grey, and strokes across it.
        plain: of a node that has nothing to train.
        wire: of a wire that nothing flows back through.
    """

    ground: QBrush
    hatch: QBrush
    plain: QBrush
    head: QBrush
    wire: QPen
    ink: QColor


def ink(number: int) -> Ink:
    """That of a loss, counted in the order of the model's outputs, in the theme in use."""
    return _ink(tokens().name, number)


@cache
def _ink(theme: str, number: int) -> Ink:
    t = THEMES[theme]
    colour = t.series[number % len(t.series)]
    deepest = _deepest(t, colour)
    shares = [_FAINTEST + (deepest - _FAINTEST) * i / (LEVELS - 1) for i in range(LEVELS)]
    fills = tuple(QBrush(QColor(mix(colour, t.node, share))) for share in shares)
    on = max("#ffffff", "#000000", key=lambda other: contrast(other, colour))
    far = tuple(QBrush(QColor(mix(colour, t.node, share))) for share in (0.35, 0.55, 0.78, 1.0))
    return Ink(
        letter=letter(number),
        colour=QColor(colour),
        on=QColor(on),
        fills=fills,
        far=far,
        edge=QPen(QColor(t.node), 1.0),
        dashes=_DASHES[(number + number // len(t.series)) % len(_DASHES)],
    )


def _deepest(t: Tokens, colour: str) -> float:
    """How much of a colour can lie under text."""
    share = _DEEPEST
    while contrast(t.text, mix(colour, t.node, share)) < 4.5 and share > _FAINTEST:
        share -= 0.02
    return share


def greys() -> Greys:
    """Those of the theme in use."""
    return _greys(tokens().name)


@cache
def _greys(theme: str) -> Greys:
    t = THEMES[theme]
    wire = QPen(QColor(mix(t.text2, t.canvas, 0.45)), 1.0)
    wire.setCosmetic(True)
    return Greys(
        ground=QBrush(QColor(mix(t.text2, t.node, 0.16))),
        hatch=QBrush(QColor(mix(t.text2, t.node, 0.32)), Qt.BrushStyle.BDiagPattern),
        plain=QBrush(QColor(t.node)),
        head=QBrush(QColor(mix(t.text2, t.node, 0.10))),
        wire=wire,
        ink=QColor(t.text2),
    )
