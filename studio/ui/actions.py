"""Every act a person can do, as a value; menus, tool bar and shortcuts are made from one list."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu, QToolBar, QWidget

from studio.text import language, text
from studio.ui.editors import finish_typing
from studio.ui.icons import icon
from studio.ui.keys import KeyTable, split
from studio.ui.parts import plain


def _always() -> bool:
    return True


@dataclass(frozen=True)
class Action:
    """One act.

    Attributes:
        id: stable name; settings and tests use it.
        key: of its text in the catalogue.
        run: does it.
        shortcut: as QKeySequence reads it, alternatives separated by ``; ``.
        icon: the name of its drawing.
        enabled: whether it can be done now.
        why: key of the text that says why not, where it cannot.
        checked: for an act that is on or off, which it is.
        on_canvas: its shortcut counts only while the canvas has the focus.
        args: what the text says more, such as what would be undone.
        turned: of an act that also takes itself back, such as pausing: whether that is what it
            would do now. Then its short text is the key's ``_back``, its drawing `icon_back`.
        icon_back: the name of that drawing.
    """

    id: str
    key: str
    run: Callable[[], object]
    shortcut: str = ""
    icon: str = ""
    enabled: Callable[[], bool] = _always
    checked: Callable[[], bool] | None = None
    on_canvas: bool = False
    args: Callable[[], Mapping[str, str]] = field(default=dict)
    why: str = "window.why_nothing_selected"
    turned: Callable[[], bool] | None = None
    icon_back: str = ""

    @property
    def text(self) -> str:
        """What it is called, in the current language."""
        return text(self.key, **self.args())

    @property
    def name(self) -> str:
        """Its text without mnemonic and dots, and without what the text says more."""
        return plain(text(self.key, **dict.fromkeys(self.args(), ""))).strip()


Entry = str | tuple[str, Sequence[Any]] | Callable[[QMenu], object]
"""In a menu: an action's id, "-" for a line, (id, entries) for a submenu, or what fills one."""


class Actions:
    """The QActions of a window, made from a list of `Action`s and kept in step with them.

    Args:
        window: theirs.
        actions: everything that can be done in it.
        keys: those a person chose, by the act's id.
    """

    def __init__(
        self, window: QMainWindow, actions: Iterable[Action], keys: Mapping[str, str]
    ) -> None:
        self._window = window
        self.all = {action.id: action for action in actions}
        self.keys = KeyTable(self.all.values(), keys)
        self.qt = {action.id: self._made(action) for action in self.all.values()}
        self._named: dict[str, tuple[str, str, str]] = {}  # what each was called last
        everywhere = (made for i, made in self.qt.items() if not self.all[i].on_canvas)
        window.addActions(list(everywhere))  # their shortcuts work with the menu bar hidden too
        self.refresh()

    def _made(self, action: Action) -> QAction:
        made = QAction(self._window)
        made.setObjectName(action.id)
        made.setShortcuts(split(self.keys.keys(action.id)))
        if action.on_canvas:
            made.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        made.setCheckable(action.checked is not None)
        made.triggered.connect(lambda: self._trigger(action))
        return made

    def _trigger(self, action: Action) -> None:
        finish_typing()
        if action.enabled():
            action.run()
        self.refresh()

    def attach(self, canvas: QWidget) -> None:
        """Let the shortcuts that belong to the canvas work in this one."""
        canvas.addActions([made for i, made in self.qt.items() if self.all[i].on_canvas])

    def rekey(self) -> None:
        """Take over what has changed in the table of keys."""
        for act, made in self.qt.items():
            made.setShortcuts(split(self.keys.keys(act)))
        self.refresh()

    def dress(self) -> None:
        """Draw the icons in the colours of the theme."""
        for action in self.all.values():
            if action.icon:
                self.qt[action.id].setIcon(icon(_drawing(action)))

    def refresh(self) -> None:
        """Texts in the language in use; enabled and checked as things stand."""
        for action in self.all.values():
            made = self.qt[action.id]
            made.setEnabled(action.enabled())
            if action.checked:
                made.setChecked(action.checked())
            named = action.text + _short(action), self.keys.keys(action.id), language()
            if self._named.get(action.id) != named:  # what menus and tool bars lay out anew
                self._named[action.id] = named
                self._name(made, action)

    def _name(self, made: QAction, action: Action) -> None:
        made.setText(action.text)
        keys = made.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        name = plain(action.text)
        made.setToolTip(f"{name} ({keys})" if keys else name)
        made.setIconText(_short(action))
        if action.turned:
            made.setIcon(icon(_drawing(action)))

    def fill_menu(self, menu: QMenu, entries: Iterable[Entry]) -> None:
        """Put entries into a menu."""
        for entry in entries:
            if entry == "-":
                menu.addSeparator()
            elif isinstance(entry, str):
                menu.addAction(self.qt[entry])
            elif isinstance(entry, tuple):
                self.fill_menu(menu.addMenu(text(f"window.menu_{entry[0]}")), entry[1])
            else:
                entry(menu)
        menu.aboutToShow.connect(self.refresh)

    def fill_toolbar(self, bar: QToolBar, entries: Iterable[str]) -> None:
        """Put actions into a tool bar, icon over text."""
        bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        bar.setIconSize(QSize(20, 20))
        for entry in entries:
            if entry == "-":
                bar.addSeparator()
            else:
                bar.addAction(self.qt[entry])


def _drawing(action: Action) -> str:
    return action.icon_back if action.turned and action.turned() else action.icon


def _short(action: Action) -> str:
    """The text under an icon: one or two words."""
    key = f"{action.key}_short"
    if action.turned and action.turned():
        key = f"{action.key}_back"
    written = text(key)
    return written if written != key else plain(action.text)
