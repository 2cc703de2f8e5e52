"""What one sees while nothing is open: the examples as pictures, recent files, where to begin."""

from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import (
    QBuffer,
    QByteArray,
    QDateTime,
    QEvent,
    QLocale,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
    QTimer,
    Signal,
    SignalInstance,
)
from PySide6.QtGui import (
    QColor,
    QFont,
    QImage,
    QImageReader,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from studio.document.analysis import analyse
from studio.document.model import Document
from studio.document.store import Store
from studio.examples import EXAMPLES
from studio.formats import loom
from studio.limits import THUMBNAIL_SIDE
from studio.text import language, text
from studio.ui.canvas.faces import Faces
from studio.ui.canvas.picture import THUMBNAIL, Picture
from studio.ui.drawings import drawing
from studio.ui.icons import icon
from studio.ui.parts import clear
from studio.ui.settings import Settings
from studio.ui.source_bar import FILE, FOLDER, PASTE
from studio.ui.theme import mix, tokens

_PAD = 12
_ABOVE, _BETWEEN = 6, 3  # a card's two lines
_GAP = 14
_WIDEST = 3  # cards side by side


class Card(QAbstractButton):
    """A picture with a title and a line below; a click, or Enter, takes it."""

    def __init__(self, title: str, line: str) -> None:
        super().__init__()
        self._title, self._line = title, line
        self._picture: QPixmap | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setAccessibleName(f"{title}. {line}")
        lines = 2 * self.fontMetrics().height() + _ABOVE + _BETWEEN
        self.setFixedSize(THUMBNAIL + QSize(2 * _PAD, 2 * _PAD + lines - 4))

    def show_picture(self, picture: QPixmap) -> None:
        """Show this in the upper part."""
        self._picture = picture
        self.update()

    @property
    def picture(self) -> QPixmap | None:
        """What is shown; None until it was drawn."""
        return self._picture

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        t, painter = tokens(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        marked = self.underMouse() or self.hasFocus() or self.isDown()
        painter.setPen(QPen(QColor(t.accent if marked else t.node_border), 2 if marked else 1))
        painter.setBrush(QColor(t.raised))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 8, 8)
        upper = QRect(_PAD, _PAD, THUMBNAIL.width(), THUMBNAIL.height())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(t.canvas))
        painter.drawRoundedRect(upper.adjusted(-6, -6, 6, 2), 5, 5)
        if self._picture is not None:
            size = self._picture.deviceIndependentSize()
            corner = QRectF(upper).center() - QPointF(size.width() / 2, size.height() / 2)
            painter.drawPixmap(corner, self._picture)
        self._paint_words(painter, upper)
        painter.end()

    def _paint_words(self, painter: QPainter, upper: QRect) -> None:
        t = tokens()
        left, width, top = upper.left() - 4, upper.width() + 8, upper.bottom() + _ABOVE
        bold = QFont(self.font())
        bold.setWeight(QFont.Weight.DemiBold)
        for font, colour, words in (
            (bold, t.text, self._title),
            (self.font(), t.text2, self._line),
        ):
            painter.setFont(font)
            painter.setPen(QColor(colour))
            metrics = painter.fontMetrics()
            shown = metrics.elidedText(words, Qt.TextElideMode.ElideMiddle, width)
            painter.drawText(QRect(left, top, width, metrics.height()), shown)
            top += metrics.height() + _BETWEEN


class Cards(QWidget):
    """Cards side by side, as many as there is room for; as high as its rows."""

    def __init__(self) -> None:
        super().__init__()
        self.cards: list[Card] = []

    def show_cards(self, cards: list[Card]) -> None:
        """Show these in place of the others."""
        for card in self.cards:
            clear(card)
        self.cards = cards
        for card in cards:
            card.setParent(self)
            card.show()
        self._place()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        if not self.cards:
            return
        size = self.cards[0].size() + QSize(_GAP, _GAP)
        columns = min(max(1, (self.width() + _GAP) // size.width()), _WIDEST)
        for number, card in enumerate(self.cards):
            card.move(number % columns * size.width(), number // columns * size.height())
        rows = -(-len(self.cards) // columns)
        self.setFixedHeight(rows * size.height() - _GAP)


class DropArea(QFrame):
    """Where to begin with data of one's own: by dropping it here, or by a button.

    Signals:
        wanted(what): `FILE`, `FOLDER` or `PASTE`.
    """

    wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("drop")
        self.title = QLabel(text("start.data"))
        self.body, self.models = QLabel(text("start.data_body")), QLabel(text("start.drop"))
        self.buttons: dict[str, QPushButton] = {}
        row = QHBoxLayout()
        for key, what in (("open_file", FILE), ("open_folder", FOLDER), ("paste_table", PASTE)):
            button = QPushButton(text(f"data.{key}"))
            button.setMinimumHeight(34)
            button.clicked.connect(lambda _=False, what=what: self.wanted.emit(what))
            self.buttons[what] = button
            row.addWidget(button)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 14, 18, 14)
        column.setSpacing(8)
        for label in (self.title, self.body):
            column.addWidget(label)
        column.addLayout(row)
        column.addWidget(self.models)
        for label in (self.body, self.models):
            label.setWordWrap(True)

    def dress(self) -> None:
        """Take on the theme's colours."""
        t = tokens()
        sheet = f"#drop {{ border: 2px dashed {mix(t.text2, t.window, 0.5)}; border-radius: 8px; }}"
        if sheet != self.styleSheet():  # setting it causes another PaletteChange
            self.setStyleSheet(sheet)
            self.models.setStyleSheet(f"color: {t.text2};")


class StartPage(QScrollArea):
    """The page in the middle of the window while nothing is open.

    Signals:
        new_wanted(), open_wanted(), tour_wanted(): a button was pressed.
        data_wanted(what): `FILE`, `FOLDER` or `PASTE` to begin with.
        example_chosen(name), file_chosen(path): a card was.
    """

    new_wanted = Signal()
    open_wanted = Signal()
    tour_wanted = Signal()
    data_wanted = Signal(str)
    example_chosen = Signal(str)
    file_chosen = Signal(Path)

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self._theme = tokens().name  # what the pictures are drawn in
        self._undrawn: deque[Callable[[], None]] = deque()
        self._drawer = QTimer(self, interval=0)
        self._drawer.timeout.connect(self._draw_one)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._body: QWidget | None = None
        self._build()

    # -- the widgets -----------------------------------------------------------------------------

    def _build(self) -> None:
        self._undrawn.clear()
        self.examples, self.files = Cards(), Cards()
        self.tour = self._button("tour", "train", self.tour_wanted)
        self.new = self._button("new", "new", self.new_wanted)
        self.open = self._button("open", "open", self.open_wanted)
        self.drop = DropArea()
        self.drop.wanted.connect(self.data_wanted)
        self._headings = [QLabel(text(f"start.{name}")) for name in ("examples", "recent")]
        column = QVBoxLayout()
        column.setContentsMargins(0, 28, 0, 28)
        column.setSpacing(12)
        column.addLayout(self._head())
        recent, examples = self._headings[1], self._headings[0]
        for widget in (self.drop, recent, self.files, examples, self.examples):
            column.addWidget(widget)
        column.addStretch(1)
        body = QWidget()
        sides = QHBoxLayout(body)
        sides.setContentsMargins(24, 0, 24, 0)
        sides.addStretch(1)
        middle = QWidget()
        middle.setLayout(column)
        middle.setMaximumWidth(_WIDEST * (THUMBNAIL.width() + 2 * _PAD + _GAP) - _GAP)
        sides.addWidget(middle, 1000)
        sides.addStretch(1)
        self.setWidget(body)
        self._dress()
        if self.isVisible():
            self.refresh()

    def _button(self, name: str, drawn: str, wanted: SignalInstance) -> QPushButton:
        button = QPushButton(icon(drawn), text(f"start.{name}"))
        button.setMinimumHeight(34)
        button.clicked.connect(wanted)
        return button

    def _head(self) -> QHBoxLayout:
        row = QHBoxLayout()
        logo = QLabel()
        logo.setPixmap(icon("layerloom").pixmap(56, 56))
        self._title, self._line = QLabel("Layerloom"), QLabel(text("start.line"))
        self._line.setWordWrap(True)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._title)
        words.addWidget(self._line)
        row.addWidget(logo)
        row.addSpacing(8)
        row.addLayout(words, 1)
        for button in (self.tour, self.new, self.open):
            row.addWidget(button)
        return row

    def _dress(self) -> None:
        self.drop.dress()
        for label, larger in ((self._title, 2.0), *((h, 1.25) for h in self._titles())):
            font = QFont(self.font())
            font.setPointSizeF(font.pointSizeF() * larger)
            font.setWeight(QFont.Weight.DemiBold)
            label.setFont(font)
        for button, drawn in ((self.tour, "train"), (self.new, "new"), (self.open, "open")):
            button.setIcon(icon(drawn))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """What is pasted here is a table."""
        if event.matches(QKeySequence.StandardKey.Paste):
            self.data_wanted.emit(PASTE)
        else:
            super().keyPressEvent(event)

    def _titles(self) -> list[QLabel]:
        """Of the page's parts."""
        return [self.drop.title, *self._headings]

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._build()
        elif event.type() == QEvent.Type.PaletteChange and hasattr(self, "drop"):
            self._dress()
            if self.isVisible() and self._theme != tokens().name:
                self.refresh()

    # -- the cards -------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._dress()  # the style sheet takes fonts away that were set before it reached a label
        self.refresh()

    def refresh(self) -> None:
        """Show the examples and the files there are now; their pictures follow one by one."""
        self._theme = tokens().name
        self._undrawn.clear()
        self.examples.show_cards([self._example(name) for name in EXAMPLES])
        paths = [path for path in self._settings.recent if path.is_file()]
        self.files.show_cards([self._file(path) for path in paths])
        for widget in (self._headings[1], self.files):
            widget.setVisible(bool(paths))
        if self._undrawn:
            self._drawer.start()

    def _example(self, name: str) -> Card:
        title, _, line = text(f"window.example_{name}").replace("：", ": ").partition(": ")
        card = Card(title, line)
        card.setObjectName(f"example:{name}")
        card.clicked.connect(lambda: self.example_chosen.emit(name))
        self._undrawn.append(lambda: card.show_picture(example_picture(name, self._ratio)))
        return card

    def _file(self, path: Path) -> Card:
        saved = QDateTime.fromSecsSinceEpoch(round(path.stat().st_mtime))
        when = QLocale(language()).toString(saved, QLocale.FormatType.ShortFormat)
        card = Card(path.name, f"{when}  ·  {path.parent}")
        card.setToolTip(str(path))
        card.clicked.connect(lambda: self.file_chosen.emit(path))
        self._undrawn.append(lambda: card.show_picture(file_picture(path, self._ratio)))
        return card

    @property
    def _ratio(self) -> float:
        return self.devicePixelRatioF()

    def _draw_one(self) -> None:
        """One picture at a time, so that the page is there at once."""
        if self._undrawn:
            self._undrawn.popleft()()
        else:
            self._drawer.stop()


def example_picture(name: str, ratio: float = 1.0) -> QPixmap:
    """An example's graph, drawn in the theme and language in use."""
    examples: Mapping[str, Callable[[], Document]] = EXAMPLES
    document = examples[name]()
    picture = Picture(Faces(document, analyse(document), Store()))
    return QPixmap.fromImage(picture.fitted(THUMBNAIL, tokens().name, ratio))


def file_picture(path: Path, ratio: float = 1.0) -> QPixmap:
    """The picture a project's file holds; a sign where it holds none."""
    reader = QImageReader()
    buffer = QBuffer()
    buffer.setData(QByteArray(loom.thumbnail(path)))
    reader.setDevice(buffer)
    reader.setFormat(b"png")
    size = reader.size()
    if not 0 < max(size.width(), size.height()) <= THUMBNAIL_SIDE:
        return _sign(ratio)
    image: QImage = reader.read()
    if image.isNull():
        return _sign(ratio)
    keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    room = THUMBNAIL * ratio
    if image.width() > room.width() or image.height() > room.height():
        image = image.scaled(room, keep, smooth)
    pixmap = QPixmap.fromImage(image)
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def _sign(ratio: float) -> QPixmap:
    pixmap = QPixmap(drawing("layer.Model", tokens().text2, round(48 * ratio)))
    pixmap.setDevicePixelRatio(ratio)
    return pixmap
