"""How everything looks: two sets of tokens, and the pens, brushes and fonts made from one of them.

A widget that keeps something of the theme makes it anew on ``QEvent.PaletteChange``, which
`apply_theme` causes in every widget.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from PySide6.QtCore import Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontMetricsF, QPalette, QPen
from PySide6.QtWidgets import QApplication, QStyleFactory

from studio.ui.sheet import sheet


@dataclass(frozen=True)
class Tokens:
    """Every colour of one theme, as ``#rrggbb``. Text keeps 4.5:1 to what lies behind it,
    ports, wires and marks 3:1; categories and dtypes are told apart by shape and text as well.

    Attributes:
        ports: by dtype group: float, int, bool, unknown.
        categories: by a layer's category; "" for any other.
        series: for curves, in order.
    """

    name: str
    dark: bool
    window: str
    base: str
    raised: str
    text: str
    text2: str
    disabled: str
    line: str
    accent: str
    on_accent: str
    canvas: str
    grid: str
    node: str
    node_border: str
    hover: str
    error: str
    error_soft: str
    warn: str
    warn_soft: str
    good: str
    ports: Mapping[str, str]
    categories: Mapping[str, str]
    series: tuple[str, ...]


LIGHT = Tokens(
    name="light",
    dark=False,
    window="#f3f4f7",
    base="#ffffff",
    raised="#ffffff",
    text="#1a2130",
    text2="#556072",
    disabled="#9aa3b0",
    line="#d3d8e0",
    accent="#2b62d9",
    on_accent="#ffffff",
    canvas="#f3f4f7",
    grid="#d5dae2",
    node="#ffffff",
    node_border="#c3cad5",
    hover="#8b97a9",
    error="#b3261e",
    error_soft="#fdecea",
    warn="#8a5200",
    warn_soft="#fdf3e0",
    good="#1a7446",
    ports={"float": "#2372b4", "int": "#b25a00", "bool": "#8a3fa8", "unknown": "#6d7684"},
    categories={
        "": "#3f6fb5",
        "Core": "#3f6fb5",
        "Input and output": "#0e7c74",
        "Recurrent": "#b4491f",
        "Merging": "#7d51a6",
        "Regularization": "#6a7382",
        "Convolution": "#2f7d32",
        "Pooling": "#587a1f",
        "Normalization": "#94631a",
        "Attention": "#a83a72",
        "Reshaping": "#4a6a8a",
    },
    series=("#0072b2", "#d55e00", "#1a7446", "#8a3fa8", "#94631a", "#a83a72", "#556072"),
)

DARK = Tokens(
    name="dark",
    dark=True,
    window="#1b1f26",
    base="#15181e",
    raised="#262b34",
    text="#e9edf3",
    text2="#a4aebd",
    disabled="#646d7b",
    line="#343b46",
    accent="#6fa5ff",
    on_accent="#0c1420",
    canvas="#14171c",
    grid="#2a303a",
    node="#22272f",
    node_border="#414a57",
    hover="#6f7b8c",
    error="#ff8f85",
    error_soft="#3b2427",
    warn="#f5bd5c",
    warn_soft="#382f1f",
    good="#66d19a",
    ports={"float": "#5ab0ea", "int": "#f0a13c", "bool": "#d596e8", "unknown": "#8c96a5"},
    categories={
        "": "#6c9de6",
        "Core": "#6c9de6",
        "Input and output": "#43bfb2",
        "Recurrent": "#f0895f",
        "Merging": "#bd94e4",
        "Regularization": "#9aa5b5",
        "Convolution": "#79c57d",
        "Pooling": "#a5c662",
        "Normalization": "#dcb062",
        "Attention": "#ea86b6",
        "Reshaping": "#8db0d3",
    },
    series=("#5ab0ea", "#f0895f", "#66d19a", "#d596e8", "#dcb062", "#ea86b6", "#a4aebd"),
)

THEMES = {"light": LIGHT, "dark": DARK}

_current = LIGHT


def tokens() -> Tokens:
    """The theme in use."""
    return _current


def apply_theme(app: QApplication, name: str) -> None:
    """Dress the application: ``light``, ``dark``, or ``system`` for what the desktop asks.

    Fusion with a palette of our own: a bare X11 ignores ``QStyleHints.setColorScheme``.
    """
    global _current
    if name == "system":
        asks_dark = app.styleHints().colorScheme() == Qt.ColorScheme.Dark
        name = "dark" if asks_dark else "light"
    _current = THEMES[name]
    if not app.styleSheet():  # once: beneath a style sheet the style has no name to ask for
        app.setStyle(QStyleFactory.create("Fusion"))
    app.setPalette(_palette(_current))
    app.setStyleSheet(sheet(_current, outline=_current.hover, fill=bar_fill(_current)))


def _palette(t: Tokens) -> QPalette:
    palette, role = QPalette(), QPalette.ColorRole
    for which, colour in (
        (role.Window, t.window),
        (role.WindowText, t.text),
        (role.Base, t.base),
        (role.AlternateBase, t.window),
        (role.Text, t.text),
        (role.PlaceholderText, t.text2),
        (role.Button, t.raised),
        (role.ButtonText, t.text),
        (role.BrightText, t.error),
        (role.Highlight, t.accent),
        (role.HighlightedText, t.on_accent),
        (role.Link, t.accent),
        (role.LinkVisited, t.accent),
        (role.ToolTipBase, t.raised),
        (role.ToolTipText, t.text),
        (role.Light, t.raised),
        (role.Midlight, t.line),
        (role.Mid, t.line),
        (role.Dark, t.node_border),
        (role.Shadow, "#000000" if t.dark else t.hover),
        (role.Accent, t.accent),
    ):
        palette.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(t.disabled))
    palette.setColor(QPalette.ColorGroup.Disabled, role.Highlight, QColor(t.line))
    return palette


# -- colour arithmetic ---------------------------------------------------------------------------


def mix(over: str, under: str, share: float) -> str:
    """`share` of one colour laid over another, as ``#rrggbb``."""
    a, b = QColor(over), QColor(under)
    parts = ((a.red(), b.red()), (a.green(), b.green()), (a.blue(), b.blue()))
    red, green, blue = (round(x * share + y * (1 - share)) for x, y in parts)
    return QColor(red, green, blue).name()


def bar_fill(t: Tokens) -> str:
    """The filled part of a bar: quiet enough for the text that crosses its edge."""
    return mix(t.accent, t.base, 0.45)


def contrast(a: str, b: str) -> float:
    """How far two colours are apart in luminance, from 1 to 21 (WCAG 2.2)."""
    darker, lighter = sorted((_luminance(a), _luminance(b)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    c = QColor(colour)
    linear = [
        v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4
        for v in (c.redF(), c.greenF(), c.blueF())
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


# -- what the canvas paints with -----------------------------------------------------------------


class Brushes:
    """Pens, brushes and fonts of the canvas, made once per theme, never while painting.

    Fonts are in pixels of the scene and unhinted: hinted text changes width with the zoom.
    """

    def __init__(self, t: Tokens) -> None:
        self.tokens = t
        self.canvas = QColor(t.canvas)
        self.grid = _pen(t.grid, 2.0, cosmetic=True)
        self.grid.setCapStyle(Qt.PenCapStyle.SquareCap)  # round points take five times as long
        self.node = QBrush(QColor(t.node))
        self.border = _pen(t.node_border, 1.0)
        self.border_hover = _pen(t.hover, 1.2)
        self.border_selected = _pen(t.accent, 2.0)
        self.border_error = _pen(t.error, 1.4)
        self.border_twin = _pen(t.accent, 1.4, Qt.PenStyle.DashLine)
        self.deck = _pen(t.hover, 1.0)
        self.halo = QBrush(_faint(t.accent, 46))
        self.rule = _pen(mix(t.node_border, t.node, 0.55), 1.0)
        self.text = QPen(QColor(t.text))
        self.text2 = QPen(QColor(t.text2))
        self.problem = {
            "error": (QPen(QColor(t.error)), QBrush(QColor(t.error_soft))),
            "warning": (QPen(QColor(t.warn)), QBrush(QColor(t.warn_soft))),
        }
        self.headers = {c: QBrush(QColor(mix(v, t.node, 0.16))) for c, v in t.categories.items()}
        self.accents = {c: QBrush(QColor(v)) for c, v in t.categories.items()}
        self.ports = {d: QBrush(QColor(v)) for d, v in t.ports.items()}
        self.port_pens = {d: _pen(v, 1.6) for d, v in t.ports.items()}
        self.port_rim = _pen(t.node, 1.5)
        self.wires = {d: _pen(v, 2.0) for d, v in t.ports.items()}
        for pen in self.wires.values():
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)  # the ports cover the ends
        self.ties = {d: _ties(v) for d, v in t.ports.items()}
        self.thin_wires = {d: _pen(v, 1.0, cosmetic=True) for d, v in t.ports.items()}
        self.wire_selected = _pen(t.accent, 3.5)
        self.wire_halo = QPen(_faint(t.accent, 70), 8.0)
        self.wire_hover = QPen(_faint(t.hover, 90), 7.0)
        self.wire_refused = _pen(t.error, 2.0, Qt.PenStyle.DashLine)
        self.stroke = _pen(t.error, 1.6, cosmetic=True)
        self.guide = _pen(t.accent, 1.0, Qt.PenStyle.DashLine, cosmetic=True)
        self.marquee = (_pen(t.accent, 1.0, cosmetic=True), QBrush(_faint(t.accent, 30)))
        self.chevron = _pen(t.text, 1.8)
        self.frames = {name: _frame(t, t.categories[c]) for name, c in _FRAMES.items()}
        self.frame_selected = _pen(t.accent, 2.0, cosmetic=True)
        self.note = (_pen(mix(t.warn, t.canvas, 0.45), 1.0), QBrush(QColor(t.warn_soft)))
        self.tag = (_pen(t.categories["Input and output"], 1.2), QBrush(QColor(t.raised)))
        self._far_marks: dict[str, QPen] = {}
        self.title_font = _font(13, QFont.Weight.DemiBold)
        self.far_font = _font(17, QFont.Weight.DemiBold)  # titles from farther away
        self.font = _font(11)

    def header(self, category: str) -> QBrush:
        """The tint behind a title."""
        return self.headers.get(category, self.headers[""])

    def far_mark(self, colour: str) -> QPen:
        """The rim of a marked node seen from far away."""
        if colour not in self._far_marks:
            self._far_marks[colour] = _pen(colour, 2.5, cosmetic=True)
        return self._far_marks[colour]

    def accent(self, category: str) -> QBrush:
        """The category's own colour."""
        return self.accents.get(category, self.accents[""])


@cache
def _brushes(name: str) -> Brushes:
    return Brushes(THEMES[name])


def brushes() -> Brushes:
    """The pens, brushes and fonts of the theme in use."""
    return _brushes(_current.name)


@cache
def metrics(which: str) -> QFontMetricsF:
    """Measures of a canvas font: ``title_font``, ``far_font`` or ``font``."""
    return QFontMetricsF(getattr(brushes(), which))


def _pen(
    colour: str, width: float, style: Qt.PenStyle = Qt.PenStyle.SolidLine, cosmetic: bool = False
) -> QPen:
    pen = QPen(QColor(colour), width, style, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    pen.setCosmetic(cosmetic)
    return pen


def _ties(colour: str) -> QPen:
    """Short strokes across a line, as under a railway's."""
    pen = QPen(QColor(colour), 8.0)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    pen.setDashPattern([1.5 / 8, 6.5 / 8])  # in widths of the pen
    return pen


# The colours of frames, as the categories of layers have them.
_FRAMES = {
    "grey": "Regularization",
    "blue": "Core",
    "teal": "Input and output",
    "orange": "Recurrent",
    "purple": "Merging",
    "green": "Convolution",
    "pink": "Attention",
}


def _frame(t: Tokens, colour: str) -> tuple[QPen, QBrush, QBrush]:
    """The rim of a frame, its ground, which lets the grid through, and the strip of its title."""
    ground = QBrush(_faint(colour, 26))
    return _pen(mix(colour, t.canvas, 0.6), 1.2), ground, QBrush(_faint(colour, 44))


def _faint(colour: str, alpha: int) -> QColor:
    faint = QColor(colour)
    faint.setAlpha(alpha)
    return faint


def _font(pixels: int, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    font = QFont(QApplication.font())
    font.setPixelSize(pixels)
    font.setWeight(weight)
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return font
