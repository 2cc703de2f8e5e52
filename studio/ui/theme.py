"""How everything looks: sets of tokens, and the pens, brushes and fonts made from one of them.

A widget that keeps something of the theme makes it anew on ``QEvent.PaletteChange``, which
`apply_theme` causes in every widget.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache

from PySide6.QtCore import Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFont,
    QFontInfo,
    QFontMetricsF,
    QPalette,
    QPen,
    QStyleHints,
)
from PySide6.QtWidgets import QApplication, QStyleFactory

from studio.ui.sheet import sheet


@dataclass(frozen=True)
class Tokens:
    """Every colour of one theme, as ``#rrggbb``. Text keeps 4.5:1 to what lies behind it,
    ports, wires and marks 3:1; categories and dtypes are told apart by shape and text as well.

    Attributes:
        dark: whether text is lighter than what lies behind it.
        strong: whether lines are drawn wider, and what is current is outlined as well as tinted.
        ports: by dtype group: float, int, bool, unknown.
        categories: by a layer's category; "" for any other.
        series: for curves, in order.
    """

    name: str
    dark: bool
    strong: bool
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
    strong=False,
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
    ports={"float": "#027eeb", "int": "#b25b02", "bool": "#7a368e", "unknown": "#6d7481"},
    categories={
        "": "#3f6fb5",
        "Core": "#3f6fb5",
        "Input and output": "#1b8a8a",
        "Recurrent": "#bb4513",
        "Merging": "#5f39ba",
        "Regularization": "#7c7670",
        "Convolution": "#2f7d31",
        "Pooling": "#486a46",
        "Normalization": "#634205",
        "Attention": "#a83a72",
        "Reshaping": "#38427d",
    },
    series=("#107ac2", "#d55e00", "#15663f", "#773495", "#99764f", "#a83a72", "#61728d"),
)

DARK = Tokens(
    name="dark",
    dark=True,
    strong=False,
    window="#1b1f26",
    base="#15181e",
    raised="#262b34",
    text="#e9edf3",
    text2="#a8b2c0",
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
    ports={"float": "#5ab0ea", "int": "#f0a13c", "bool": "#ecd3fb", "unknown": "#8c95a2"},
    categories={
        "": "#4a88c5",
        "Core": "#4a88c5",
        "Input and output": "#44c0b1",
        "Recurrent": "#d78769",
        "Merging": "#ca96f9",
        "Regularization": "#a5b8d4",
        "Convolution": "#8fcf8c",
        "Pooling": "#9bbd45",
        "Normalization": "#fdd270",
        "Attention": "#fb5e9d",
        "Reshaping": "#7b9ec7",
    },
    series=("#509ac5", "#e26a3d", "#65d09c", "#e3a4fc", "#dcb062", "#d5809e", "#a8b3c1"),
)

CONTRAST = Tokens(
    name="contrast",
    dark=True,
    strong=True,
    window="#000000",
    base="#000000",
    raised="#0d0d0d",
    text="#ffffff",
    text2="#e4e4e4",
    disabled="#9a9a9a",
    line="#8a8a8a",
    accent="#ffd900",
    on_accent="#000000",
    canvas="#000000",
    grid="#3a3a3a",
    node="#000000",
    node_border="#d6d6d6",
    hover="#ffffff",
    error="#ff9d94",
    error_soft="#2a0805",
    warn="#ffcf66",
    warn_soft="#261a00",
    good="#6dffb0",
    ports={"float": "#5ab0ea", "int": "#f0a13c", "bool": "#ecd3fb", "unknown": "#8c95a2"},
    categories=DARK.categories,
    series=DARK.series,
)

SMALL = 10  # pixels: no name on the canvas is written in smaller letters
THEMES = {"light": LIGHT, "dark": DARK, "contrast": CONTRAST}

# Named with their region: left to itself, Qt may pick another region's shapes.
_CHINESE = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Microsoft YaHei",
    "PingFang SC",
    "WenQuanYi Micro Hei",
)

_current = LIGHT


def tokens() -> Tokens:
    """The theme in use."""
    return _current


def use_fonts(app: QApplication) -> None:
    """The desktop's font, and for Chinese letters it lacks, one that has simplified shapes."""
    font = app.font()
    font.setFamilies([QFontInfo(font).family(), *_CHINESE])
    app.setFont(font)


@contextmanager
def painted_in(name: str) -> Iterator[None]:
    """What is painted meanwhile, on something else than the screen, wears this theme."""
    global _current
    before, _current = _current, THEMES[name]
    try:
        yield
    finally:
        _current = before


def apply_theme(app: QApplication, name: str) -> None:
    """Dress the application: a key of `THEMES`, or ``system`` for what the desktop asks.

    Fusion with a palette of our own: a bare X11 ignores ``QStyleHints.setColorScheme``.
    """
    global _current
    _current = THEMES[asked(app.styleHints()) if name == "system" else name]
    if not app.styleSheet():  # once: beneath a style sheet the style has no name to ask for
        app.setStyle(QStyleFactory.create("Fusion"))
    app.setPalette(_palette(_current))
    app.setStyleSheet(sheet(_current, outline=_current.hover, fill=bar_fill(_current)))


def asked(hints: QStyleHints) -> str:
    """The theme the desktop asks for: light where it says nothing."""
    if hasattr(hints, "accessibility"):  # since Qt 6.10
        contrast = hints.accessibility().contrastPreference()
        if contrast == Qt.ContrastPreference.HighContrast:
            return "contrast"
    return "dark" if hints.colorScheme() == Qt.ColorScheme.Dark else "light"


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
        wide = 1.5 if t.strong else 1.0
        self.border = _pen(t.node_border, wide)
        self.border_hover = _pen(t.hover, 1.2 * wide)
        self.border_selected = _pen(t.accent, 2.0 * wide)
        self.border_error = _pen(t.error, 1.4 * wide)
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
        still = mix(t.text2, t.canvas, 0.45)
        self.wire_quiet = _pen(still, 1.0, cosmetic=True)
        self.wire_still = _pen(still, 1.5, Qt.PenStyle.DotLine, cosmetic=True)
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
        outline = _pen(t.line if t.strong else mix(t.text, t.node, 0.14), 1.0)
        self.field = (outline, QBrush(QColor(mix(t.text, t.node, 0.05))))
        self.field_hover = (_pen(t.hover, wide), QBrush(QColor(mix(t.text, t.node, 0.11))))
        self.field_sign = _pen(t.text2, 1.3)
        self.tag = (_pen(t.categories["Input and output"], 1.2), QBrush(QColor(t.raised)))
        self._far_marks: dict[str, QPen] = {}
        self.title_font = _font(13, QFont.Weight.DemiBold)
        self.far_font = _font(17, QFont.Weight.DemiBold)  # titles from farther away
        self.font = _font(11)
        self.pill_font = _font(11, QFont.Weight.DemiBold)
        self.small_font = _font(SMALL)  # as large at any zoom

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
def _quiet_brushes(name: str) -> Brushes:
    t = THEMES[name]
    grey = mix(t.text2, t.node, 0.75)
    return Brushes(
        replace(
            t,
            text2=t.text,
            ports=dict.fromkeys(t.ports, grey),
            categories=dict.fromkeys(t.categories, grey),
        )
    )


def quiet_brushes() -> Brushes:
    """The same without the colours of categories and dtypes, where others are to be seen; all text
    is as dark as the first, as it may stand on these.
    """
    return _quiet_brushes(_current.name)


@cache
def metrics(which: str) -> QFontMetricsF:
    """Measures of a canvas font, by its name among the `Brushes`."""
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
