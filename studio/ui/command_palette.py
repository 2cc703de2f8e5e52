"""A search over everything: acts, nodes, layers to add. Type a few letters, press Enter."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    QTimer,
)
from PySide6.QtGui import QColor, QFont, QFontInfo, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
)

from studio.text import text
from studio.ui.drawings import drawing, layer_drawing
from studio.ui.find import Item, acts, best, layers, nodes
from studio.ui.palette import cut
from studio.ui.theme import tokens

if TYPE_CHECKING:  # the window opens this, so it cannot be imported here
    from studio.ui.window import MainWindow

Index = QModelIndex | QPersistentModelIndex
_WIDTH, _HEIGHT = 560, 420
_ITEM = int(Qt.ItemDataRole.UserRole)
_LAYERS = 8  # of those that can be added, at most so many are listed


class CommandPalette(QFrame):
    """A search field over a list, in a popup; a click beside it or Escape closes it.

    Args:
        window: what is searched.
        only_nodes: search its nodes alone.
    """

    def __init__(self, window: "MainWindow", *, only_nodes: bool = False) -> None:
        super().__init__(window, Qt.WindowType.Popup)
        self._window, self._only_nodes = window, only_nodes
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._acts = [] if only_nodes else acts(window)
        self._nodes = nodes(window)
        self._recent = window.settings.recent_acts
        self.search = QLineEdit()
        said = text("window.find_hint" if only_nodes else "window.commands_hint")
        self.search.setPlaceholderText(said)
        self.search.setAccessibleName(said)
        self.search.textChanged.connect(self._refresh)
        self.search.installEventFilter(self)
        self.model = _Items(self)
        self.list = QListView()
        self.list.setModel(self.model)
        self.list.setItemDelegate(_Delegate(self.list))
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setMouseTracking(True)
        self.list.setUniformItemSizes(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName(text("window.commands_list"))
        self.list.clicked.connect(self._take)
        self.nothing = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 6)
        for widget in (self.search, self.list, self.nothing):
            column.addWidget(widget)
        self.resize(min(_WIDTH, window.width()), min(_HEIGHT, window.height()))
        self.setFocusProxy(self.search)
        self._refresh()

    def popup(self) -> None:
        """Show it below the middle of the window's upper edge."""
        across = (self._window.width() - self.width()) // 2
        down = min(90, self._window.height() - self.height())
        self.move(self._window.mapToGlobal(QPoint(across, down)))
        self.show()
        self.search.setFocus(Qt.FocusReason.PopupFocusReason)

    def _refresh(self) -> None:
        letters = self.search.text()
        items = self._nodes
        if not self._only_nodes:
            named = self._nodes if letters.strip() else []
            items = [*self._acts, *named, *layers(self._window, letters)[:_LAYERS]]
        found = best(letters, items, self._recent)
        self.model.show_items(found)
        self.list.setVisible(bool(found))
        self.nothing.setVisible(not found)
        self.nothing.setText(text("window.nothing_found", words=letters))
        if found:
            self.list.setCurrentIndex(self.model.index(0, 0))
            self.list.scrollToTop()

    def items(self) -> Sequence[Item]:
        """What is listed, from the top."""
        return self.model.items

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """From the search field the arrows walk the list, and Enter takes what is current."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            steps = {
                Qt.Key.Key_Down: 1,
                Qt.Key.Key_Up: -1,
                Qt.Key.Key_PageDown: 8,
                Qt.Key.Key_PageUp: -8,
            }
            key = Qt.Key(event.key())
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._take(self.list.currentIndex())
                return True
            if key in steps:
                self._step(steps[key])
                return True
        return super().eventFilter(watched, event)

    def _step(self, step: int) -> None:
        row = min(max(self.list.currentIndex().row() + step, 0), len(self.model.items) - 1)
        self.list.setCurrentIndex(self.model.index(row, 0))

    def _take(self, index: Index) -> None:
        """Take an item; one that cannot be taken says why, and stays."""
        item: Item | None = index.data(_ITEM)
        if item is None or not item.possible:
            return
        if item.kind == "act":
            self._window.settings.remember_act(item.id)
        self.close()
        # Not within this popup: what is taken may open another, or a dialog.
        QTimer.singleShot(0, self._window, item.run)


class _Items(QAbstractListModel):
    """What was found."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.items: Sequence[Item] = ()

    def show_items(self, items: Sequence[Item]) -> None:
        self.beginResetModel()
        self.items = items
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.items)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        item = self.items[index.row()]
        if role == _ITEM:
            return item
        if role == Qt.ItemDataRole.DisplayRole:
            return item.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ". ".join(part for part in (item.title, item.detail, item.keys) if part)
        return None


class _Delegate(QStyledItemDelegate):
    """Paints an item: its drawing, its title with its keys, and what more is said below."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(200, 2 * option.fontMetrics.height() + 14)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        item: Item = index.data(_ITEM)
        theme, ground = tokens(), QRect(option.rect.adjusted(2, 1, -2, -1))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            wash = QColor(theme.accent)
            wash.setAlpha(52)
            painter.setPen(QColor(theme.accent) if theme.strong else Qt.PenStyle.NoPen)
            painter.setBrush(wash)
            painter.drawRoundedRect(ground, 6, 6)
        ink = theme.text if item.possible else theme.text2
        if item.icon:
            kind, _, name = item.icon.rpartition(":")
            pixels = round(18 * painter.device().devicePixelRatioF())
            picture = drawing(layer_drawing(name) if kind else name, ink, pixels)
            painter.drawPixmap(QRect(ground.x() + 9, ground.center().y() - 9, 18, 18), picture)
        inner = ground.adjusted(38, 4, -10, -4)
        self._write(painter, inner, item, ink, option.font)
        painter.restore()

    def _write(self, painter: QPainter, inner: QRect, item: Item, ink: str, font: QFont) -> None:
        theme, up = tokens(), Qt.AlignmentFlag.AlignTop
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setFont(font)
        painter.setPen(QColor(theme.text2))
        width = painter.fontMetrics().horizontalAdvance(item.keys)
        painter.drawText(inner, Qt.AlignmentFlag.AlignRight | middle, item.keys)
        room = inner.adjusted(0, 0, -width - 12 if item.keys else 0, 0)
        painter.setPen(QColor(ink))
        painter.drawText(room, up if item.detail else middle, cut(painter, item.title, room))
        small = QFont(font)
        small.setPointSizeF(QFontInfo(font).pointSizeF() * 0.9)
        painter.setFont(small)
        painter.setPen(QColor(theme.text2))
        down = Qt.AlignmentFlag.AlignBottom
        painter.drawText(room, down, cut(painter, item.detail, room))
