"""The palette: every layer there is, by category, found by any word people use for it."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TypeVar

from PySide6.QtCore import (
    QByteArray,
    QEvent,
    QMimeData,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QColor,
    QDrag,
    QFont,
    QFontInfo,
    QKeyEvent,
    QPainter,
    QPixmap,
    QStandardItem,
    QStandardItemModel,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from studio.declare import declared
from studio.layers import CATALOGUE, FROM_FILES
from studio.layers.base import Layer
from studio.text import text
from studio.ui.drawings import drawing, layer_drawing
from studio.ui.theme import tokens

LAYER_MIME = "application/x-layerloom-layer"  # a layer's kind, as UTF-8 text

Index = QModelIndex | QPersistentModelIndex
T = TypeVar("T")
_PLACED = [kind for kind in CATALOGUE if kind not in FROM_FILES]
_KIND, _HELP, _CATEGORY, _ROW = (int(Qt.ItemDataRole.UserRole) + i for i in range(1, 5))
_RECENT = 5  # layers offered first because they were used lately


@dataclass(frozen=True)
class Row:
    """Something else than a new layer that a list offers: a port to connect, a wire to remove.

    Attributes:
        group: the heading it stands under.
        title, help: its two lines; a search looks in both.
        kind, category: of the layer whose drawing it shows.
        value: what is chosen with it.
        icon: another drawing that it shows instead.
    """

    group: str
    title: str
    help: str
    kind: str
    category: str
    value: object
    icon: str = ""


# -- finding -------------------------------------------------------------------------------------


def layer_class(kind: str) -> type[Layer]:
    """The declaration of a kind."""
    found = declared("layers", kind)
    assert issubclass(found, Layer)
    return found


def score(words: str, kind: str) -> float | None:
    """How well a search fits a layer, higher is better; None: not at all.

    Its name counts most, then its synonyms in whatever language, its category, its help, and last
    the letters of its name in their order: ``cnct`` finds Concatenate. Of several words each must
    be found: ``max 2d``.
    """
    whole = words.strip().casefold()
    found = _score(whole, kind)
    parts = whole.split()
    if found is None and len(parts) > 1:
        each = [_score(part, kind) for part in parts]
        return None if None in each else min(value for value in each if value is not None)
    return found


def _score(words: str, kind: str) -> float | None:
    layer = layer_class(kind)
    name = kind.casefold()
    if name.startswith(words):
        return 100.0 - len(name)
    if words in name:
        return 80.0 - len(name)
    if words == _initials(kind):
        return 70.0
    synonyms = [s.casefold() for s in layer.synonyms]
    if words in synonyms:
        return 65.0
    if any(s.startswith(words) for s in synonyms):
        return 60.0
    if any(words in s for s in synonyms):
        return 50.0
    if words in category_name(layer.category).casefold() or words in layer.category.casefold():
        return 30.0
    if words in layer.help().casefold():
        return 20.0
    return 10.0 if len(words) > 1 and _in_order(words, name) else None


def _initials(kind: str) -> str:
    """The capitals and digits of a name: ``gap2d`` for GlobalAveragePooling2D."""
    return "".join(c for c in kind if c.isupper() or c.isdigit()).casefold()


def _in_order(letters: str, word: str) -> bool:
    left = iter(word)
    return all(letter in left for letter in letters)


def category_name(category: str) -> str:
    """A category in the current language."""
    key = f"canvas.category_{category}"
    known = text(key)
    return category if known == key else known


def found(words: str, among: Collection[str] | None = None) -> list[str]:
    """The kinds a search finds, best first; all of them, in order, for no words.

    With `among` only those are looked through.
    """
    kinds = [kind for kind in _PLACED if among is None or kind in among]
    if not words.strip():
        return kinds
    scored = [(score(words, kind), kind) for kind in kinds]
    hits = [(value, kind) for value, kind in scored if value is not None]
    return [kind for _, kind in sorted(hits, key=lambda hit: -hit[0])]


def rows_found(words: str, rows: Iterable[Row]) -> list[Row]:
    """The rows that hold every word of a search, or whose layer it finds."""
    parts = words.casefold().split()

    def fits(row: Row) -> bool:
        said = f"{row.title} {row.help}".casefold()
        known = row.kind in CATALOGUE and score(words, row.kind)
        return all(part in said for part in parts) or bool(known)

    return [row for row in rows if not parts or fits(row)]


# -- showing -------------------------------------------------------------------------------------


class LayerModel(QStandardItemModel):
    """Rows of layers, and headings where they are not sorted by how well they fit."""

    def show(
        self, rows: Iterable[Row], kinds: Iterable[str], grouped: bool, recent: Iterable[str] = ()
    ) -> None:
        """Show rows and kinds of layers, kinds under their categories' headings if `grouped`.

        Those used lately come first, and in their place again.
        """
        self.clear()
        self._add_groups(rows, lambda row: row.group, _other_row)
        self._add_groups(recent, lambda kind: text("canvas.recent_layers"), _layer_row)
        if not grouped:
            self.invisibleRootItem().appendRows([_layer_row(kind) for kind in kinds])
            return
        self._add_groups(kinds, lambda kind: category_name(layer_class(kind).category), _layer_row)

    def _add_groups(
        self, members: Iterable[T], group: Callable[[T], str], made: Callable[[T], QStandardItem]
    ) -> None:
        groups: dict[str, list[T]] = {}
        for member in members:
            groups.setdefault(group(member), []).append(member)
        for title, those in groups.items():
            heading = QStandardItem(title)
            heading.setFlags(Qt.ItemFlag.NoItemFlags)
            self.appendRow(heading)
            self.invisibleRootItem().appendRows([made(member) for member in those])

    def mimeTypes(self) -> list[str]:
        return [LAYER_MIME]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        data = QMimeData()
        for index in indexes:
            kind = str(index.data(_KIND))
            data.setData(LAYER_MIME, QByteArray(kind.encode()))
        return data


def layer_of_hand(data: QMimeData) -> str:
    """The kind of layer that is being dragged; empty for anything else, whoever calls it one."""
    kind = bytes(data.data(LAYER_MIME).data()).decode(errors="replace")
    return kind if kind in _PLACED else ""


def _layer_row(kind: str) -> QStandardItem:
    layer = layer_class(kind)
    row = QStandardItem(kind)
    row.setData(kind, _KIND)
    row.setData(layer.help(), _HELP)
    row.setData(layer.category, _CATEGORY)
    row.setToolTip(f"<b>{kind}</b><br>{escape(layer.help())}")  # rich text wraps
    flags = Qt.ItemFlag
    row.setFlags(flags.ItemIsEnabled | flags.ItemIsSelectable | flags.ItemIsDragEnabled)
    row.setData(f"{kind}. {layer.help()}", Qt.ItemDataRole.AccessibleTextRole)
    return row


def _other_row(row: Row) -> QStandardItem:
    made = QStandardItem(row.title)
    made.setData(row.kind, _KIND)
    made.setData(row.help, _HELP)
    made.setData(row.category, _CATEGORY)
    made.setData(row, _ROW)
    made.setToolTip(f"<b>{escape(row.title)}</b><br>{escape(row.help)}")
    made.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
    made.setData(f"{row.title}. {row.help}", Qt.ItemDataRole.AccessibleTextRole)
    return made


class LayerDelegate(QStyledItemDelegate):
    """Paints a layer's drawing and name with its help below, or a heading."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        line = option.fontMetrics.height()
        return QSize(120, line + 14 if index.data(_KIND) is None else 2 * line + 14)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect: QRect = option.rect
        if index.data(_KIND) is None:
            self._paint_heading(painter, rect, index.data(), option.font)
        else:
            self._paint_layer(painter, rect, option, index)
        painter.restore()

    def _paint_heading(self, painter: QPainter, rect: QRect, name: str, font: QFont) -> None:
        small = QFont(font)
        small.setPointSizeF(QFontInfo(font).pointSizeF() * 0.88)
        small.setWeight(QFont.Weight.DemiBold)
        painter.setFont(small)
        painter.setPen(QColor(tokens().text2))
        down = Qt.AlignmentFlag.AlignBottom
        painter.drawText(rect.adjusted(10, 0, -8, -5), down, name)

    def _paint_layer(
        self, painter: QPainter, rect: QRect, option: QStyleOptionViewItem, index: Index
    ) -> None:
        theme, state = tokens(), QStyle.StateFlag
        category = index.data(_CATEGORY)
        colour = theme.categories.get(category, theme.categories[""])
        ground = rect.adjusted(4, 1, -4, -1)
        if option.state & (state.State_Selected | state.State_MouseOver):
            wash = QColor(theme.accent)
            wash.setAlpha(52 if option.state & state.State_Selected else 20)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(wash)
            painter.drawRoundedRect(ground, 6, 6)
        self._paint_icon(
            painter, QRect(ground.x() + 7, ground.center().y() - 13, 26, 26), index, colour
        )
        inner = ground.adjusted(42, 4, -6, -4)
        name_font = QFont(option.font)
        name_font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(name_font)
        painter.setPen(QColor(theme.text))
        painter.drawText(inner, Qt.AlignmentFlag.AlignTop, cut(painter, index.data(), inner))
        help_font = QFont(option.font)
        help_font.setPointSizeF(QFontInfo(option.font).pointSizeF() * 0.9)
        painter.setFont(help_font)
        painter.setPen(QColor(theme.text2))
        painter.drawText(
            inner, Qt.AlignmentFlag.AlignBottom, cut(painter, index.data(_HELP), inner)
        )

    def _paint_icon(self, painter: QPainter, box: QRect, index: Index, colour: str) -> None:
        wash = QColor(colour)
        wash.setAlpha(36)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(wash)
        painter.drawRoundedRect(box, 6, 6)
        pixels = round(18 * painter.device().devicePixelRatioF())
        row = index.data(_ROW)
        name = row.icon if row is not None and row.icon else layer_drawing(index.data(_KIND))
        picture = drawing(name, colour, pixels)
        painter.drawPixmap(box.adjusted(4, 4, -4, -4), picture)


def cut(painter: QPainter, words: str, room: QRect) -> str:
    """As much of a text as the painter's font has room for, with dots for the rest."""
    return painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, room.width())


class LayerList(QListView):
    """The list; what is dragged out of it shows its drawing and name at the cursor."""

    def startDrag(self, actions: Qt.DropAction) -> None:
        index = self.currentIndex()
        if index.data(_KIND) is None:
            return
        drag = QDrag(self)
        drag.setMimeData(self.model().mimeData([index]))
        drag.setPixmap(self._ghost(index))
        drag.setHotSpot(QPoint(24, 14))
        drag.exec(Qt.DropAction.CopyAction)

    def _ghost(self, index: Index) -> QPixmap:
        ratio = self.devicePixelRatioF()
        size = QSize(152, 30)
        pixmap = QPixmap(size * ratio)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        theme = tokens()
        colour = theme.categories.get(index.data(_CATEGORY), theme.categories[""])
        with QPainter(pixmap) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QColor(colour))
            painter.setBrush(QColor(theme.node))
            painter.drawRoundedRect(QRect(0, 0, 151, 29), 8, 8)
            picture = drawing(layer_drawing(index.data(_KIND)), colour, round(16 * ratio))
            painter.drawPixmap(QRect(10, 7, 16, 16), picture)
            painter.setPen(QColor(theme.text))
            painter.drawText(QRect(34, 0, 112, 30), Qt.AlignmentFlag.AlignVCenter, index.data())
        return pixmap


class Palette(QWidget):
    """Search field and list, of all layers or of those offered.

    Attributes:
        sought: the key of what the search field says it searches.

    Signals:
        chosen(kind): a layer was double-clicked, or Enter pressed on it.
        picked(value): one of the other rows was.
    """

    chosen = Signal(str)
    picked = Signal(object)

    def __init__(
        self,
        parent: QWidget | None = None,
        kinds: Collection[str] | None = None,
        rows: Sequence[Row] = (),
        recent: Sequence[str] = (),
        sought: str = "",
    ) -> None:
        super().__init__(parent)
        self.sought = sought or ("canvas.search_ports" if rows else "canvas.search")
        self._offered, self._rows = kinds, rows
        self._recent = [kind for kind in recent if kind in found("", kinds)][:_RECENT]
        self.search = QLineEdit()
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._refresh)
        self.search.installEventFilter(self)
        self.model = LayerModel(self)
        self.list = LayerList()
        self.list.setModel(self.model)
        self.list.setItemDelegate(LayerDelegate(self.list))
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setMouseTracking(True)
        self.list.setDragEnabled(True)
        self.list.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.installEventFilter(self)
        self.list.doubleClicked.connect(self._choose)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 6)
        column.addWidget(self.search)
        column.addWidget(self.list)
        self.setFocusProxy(self.search)
        self._retranslate()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()

    def _retranslate(self) -> None:
        sought = text(self.sought)
        self.search.setPlaceholderText(sought)
        self.search.setAccessibleName(sought)
        self.list.setAccessibleName(text("canvas.palette"))
        self._refresh()

    def _refresh(self) -> None:
        words = self.search.text().strip()
        kinds, rows = found(words, self._offered), rows_found(words, self._rows)
        recent = [] if words or self._rows else self._recent
        self.model.show(rows, kinds, grouped=not words or bool(rows), recent=recent)
        if not kinds and not rows:
            said = text("canvas.nothing_found", words=words) if words else text("canvas.none_fits")
            nothing = QStandardItem(said)
            nothing.setFlags(Qt.ItemFlag.NoItemFlags)
            self.model.appendRow(nothing)
        elif words or self._rows or recent:
            self._step(1)

    def take_by_click(self) -> None:
        """Let one click take a row, as in the list of a combo box."""
        self.list.doubleClicked.disconnect(self._choose)
        self.list.clicked.connect(self._choose)
        self.list.setDragEnabled(False)

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Offer these other rows instead, the list staying where it is."""
        bar, row = self.list.verticalScrollBar(), self.list.currentIndex().row()
        self._rows, at = rows, bar.value()
        self._refresh()
        self.list.setCurrentIndex(self.model.index(row, 0))
        bar.setValue(at)

    def kinds(self) -> list[str]:
        """The layers shown, from the top."""
        indexes = (self.model.index(i, 0) for i in range(self.model.rowCount()))
        return [i.data(_KIND) for i in indexes if i.data(_KIND) and i.data(_ROW) is None]

    def rows(self) -> list[Row]:
        """The other rows shown, from the top."""
        rows = (self.model.index(i, 0).data(_ROW) for i in range(self.model.rowCount()))
        return [row for row in rows if row is not None]

    def _choose(self, index: QModelIndex) -> None:
        kind, row = index.data(_KIND), index.data(_ROW)
        if row is not None:
            self.picked.emit(row.value)
        elif kind is not None:
            self.chosen.emit(kind)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """From the search field the arrows walk the list, and Enter takes what is current."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            key = event.key()
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._choose(self.list.currentIndex())
                return True
            if watched is self.search and key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
                self._step(1 if key == Qt.Key.Key_Down else -1)
                return True
            if watched is self.search and key == Qt.Key.Key_Escape and self.search.text():
                self.search.clear()
                return True
        return super().eventFilter(watched, event)

    def _step(self, step: int) -> None:
        """The next row of a layer."""
        row = self.list.currentIndex().row() + step
        while 0 <= row < self.model.rowCount():
            index = self.model.index(row, 0)
            if index.data(_KIND) is not None:
                self.list.setCurrentIndex(index)
                return
            row += step
