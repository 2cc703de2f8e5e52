"""The list of all keys and mouse gestures, in groups, searched by what they do or are."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from studio.text import text
from studio.ui.actions import Entry
from studio.ui.commands import menus
from studio.ui.find import everywhere, fit, synonyms
from studio.ui.keys import GESTURES, shown
from studio.ui.parts import plain

if TYPE_CHECKING:  # the window shows this, so it cannot be imported here
    from collections.abc import Iterable, Iterator

    from studio.ui.window import MainWindow

_ID, _WORDS = int(Qt.ItemDataRole.UserRole), int(Qt.ItemDataRole.UserRole) + 1
_FITS = 0.5  # how well a search must fit a line that is to stay


class KeysView(QWidget):
    """A search field over what every key does.

    Args:
        window: whose keys.
        gestures: whether what the canvas does by itself is listed too.

    Signals:
        chosen(act): another line is current; the id of its act, empty where it is none.
    """

    chosen = Signal(str)

    def __init__(self, window: "MainWindow", *, gestures: bool) -> None:
        super().__init__()
        self._window, self._gestures = window, gestures
        self._groups: dict[QTreeWidgetItem, list[QTreeWidgetItem]] = {}
        self.search = QLineEdit(clearButtonEnabled=True)
        self.search.setPlaceholderText(text("window.keys_search"))
        self.search.setAccessibleName(text("window.keys_search"))
        self.search.textChanged.connect(self._filter)
        self.list = QTreeWidget()
        self.list.setColumnCount(2)
        self.list.setHeaderLabels([text("window.keys_act"), text("window.keys_keys")])
        self.list.setRootIsDecorated(False)
        self.list.setIndentation(14)
        self.list.setAllColumnsShowFocus(True)
        self.list.setUniformRowHeights(True)
        self.list.setAccessibleName(text("window.keys"))
        header = self.list.header()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.list.currentItemChanged.connect(lambda *_: self.chosen.emit(self.current))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.search)
        layout.addWidget(self.list, 1)
        self.setFocusProxy(self.search)
        self._fill()

    @property
    def current(self) -> str:
        """The id of the act on the current line; empty where it is none."""
        item = self.list.currentItem()
        return (item.data(0, _ID) or "") if item else ""

    def refresh(self) -> None:
        """Show the keys as they are now."""
        for item in self._lines():
            act = item.data(0, _ID)
            if act:
                item.setText(1, shown(self._window.actions_.keys.keys(act)))

    def _fill(self) -> None:
        acts = self._window.actions_.all
        for name, entries in menus(self._window).items():
            group = self._group(plain(text(f"window.menu_{name}")))
            for act in _listed(entries):
                words = [*everywhere(acts[act].key), *synonyms(acts[act])]
                self._line(group, acts[act].name, "", act, words)
        if self._gestures:
            group = self._group(text("window.keys_canvas"))
            for gesture in GESTURES:
                words = everywhere(f"window.gesture_{gesture.id}")
                self._line(group, gesture.name, gesture.shown, "", words)
        self.refresh()
        self.list.expandAll()

    def _group(self, title: str) -> QTreeWidgetItem:
        group = QTreeWidgetItem([title])
        font = group.font(0)
        font.setBold(True)
        group.setFont(0, font)
        group.setFlags(Qt.ItemFlag.ItemIsEnabled)
        self.list.addTopLevelItem(group)
        self._groups[group] = []
        group.setFirstColumnSpanned(True)
        return group

    def _line(
        self, group: QTreeWidgetItem, what: str, keys: str, act: str, words: list[str]
    ) -> None:
        item = QTreeWidgetItem(group, [what, keys])
        item.setData(0, _ID, act)
        item.setData(0, _WORDS, words)
        self._groups[group].append(item)

    def _lines(self) -> "Iterator[QTreeWidgetItem]":
        for lines in self._groups.values():
            yield from lines

    def _filter(self, letters: str) -> None:
        """Hide what does not fit, and the groups that are left empty."""
        for item in self._lines():
            words = [item.text(0), *item.data(0, _WORDS)]
            fits = not letters.strip() or letters.strip().casefold() in item.text(1).casefold()
            item.setHidden(not (fits or any(fit(letters, word) >= _FITS for word in words)))
        for group, lines in self._groups.items():
            group.setHidden(all(line.isHidden() for line in lines))

    def visible(self) -> list[tuple[str, str]]:
        """What is shown: what is done, and by which keys."""
        return [(item.text(0), item.text(1)) for item in self._lines() if not item.isHidden()]


def _listed(entries: "Iterable[Entry]") -> "Iterator[str]":
    """The acts in a menu and the menus in it."""
    for entry in entries:
        if isinstance(entry, tuple):
            yield from _listed(entry[1])
        elif isinstance(entry, str) and entry != "-":
            yield entry


class KeysDialog(QDialog):
    """All keys and mouse gestures, to be looked up."""

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self.setWindowTitle(plain(text("window.keys")))
        self.view = KeysView(window, gestures=True)
        buttons = QDialogButtonBox()
        change = buttons.addButton(
            text("window.keys_change"), QDialogButtonBox.ButtonRole.ActionRole
        )
        change.setAutoDefault(False)
        change.clicked.connect(self.accept)
        change.clicked.connect(window.show_preferences)
        close = buttons.addButton(text("window.close"), QDialogButtonBox.ButtonRole.RejectRole)
        close.clicked.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self.view, 1)
        layout.addWidget(buttons)
        self.resize(620, 560)
        self.view.setFocus()
