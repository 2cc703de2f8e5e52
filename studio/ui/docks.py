"""The docks around the canvas: where they stand, how large they are, whose views they show."""

from collections.abc import Mapping

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QMenu, QStackedWidget, QWidget

from studio.text import text

_LEFT, _RIGHT, _BOTTOM = (
    Qt.DockWidgetArea.LeftDockWidgetArea,
    Qt.DockWidgetArea.RightDockWidgetArea,
    Qt.DockWidgetArea.BottomDockWidgetArea,
)
_AREAS = {
    "palette": _LEFT,
    "outline": _LEFT,
    "minimap": _LEFT,
    "inspector": _RIGHT,
    "problems": _BOTTOM,
    "data": _BOTTOM,
    "training": _BOTTOM,
    "evaluation": _BOTTOM,
    "try": _BOTTOM,
    "summary": _BOTTOM,
    "weights": _BOTTOM,
    "insight": _BOTTOM,
}
_WIDTHS = {"palette": 220, "inspector": 330}
_MINIMAP_HEIGHT = 150
_BOTTOM_SHARE = 0.33  # of the window's height


class Docks:
    """The docks of a window, by name; each shows the view of the project in front.

    Attributes:
        unplaced: nobody has placed them yet.
    """

    def __init__(self, window: QMainWindow) -> None:
        self._window = window
        self.stacks = {name: QStackedWidget() for name in _AREAS}
        self.all = {name: self._dock(name, area) for name, area in _AREAS.items()}
        self.unplaced = False
        # The bottom docks stand between the side docks, so that those keep their whole height.
        for corner, area in (
            (Qt.Corner.BottomLeftCorner, _LEFT),
            (Qt.Corner.BottomRightCorner, _RIGHT),
        ):
            window.setCorner(corner, area)
        first, *others = (self.all[n] for n, area in _AREAS.items() if area == _BOTTOM)
        for dock in others:
            window.tabifyDockWidget(first, dock)
        window.tabifyDockWidget(self.all["palette"], self.all["outline"])
        self.all["palette"].raise_()
        window.setTabPosition(_BOTTOM, window.tabPosition(_BOTTOM).North)
        first.raise_()

    def _dock(self, name: str, area: Qt.DockWidgetArea) -> QDockWidget:
        dock = QDockWidget()
        dock.setObjectName(f"{name}_dock")
        dock.setWidget(self.stacks[name])
        self._window.addDockWidget(area, dock)
        return dock

    def put(self, views: Mapping[str, QWidget]) -> None:
        """Take in the views of a project, those whose names are docks'."""
        for name in views.keys() & self.stacks.keys():
            self.stacks[name].addWidget(views[name])

    def show(self, views: Mapping[str, QWidget]) -> None:
        """Show these of the views taken in."""
        for name in views.keys() & self.stacks.keys():
            self.stacks[name].setCurrentWidget(views[name])

    def raise_(self, name: str) -> None:
        """Show a dock, in front of those it shares a place with."""
        self.all[name].show()
        self.all[name].raise_()

    def fill(self, menu: QMenu) -> None:
        """A switch for each dock."""
        for dock in self.all.values():
            menu.addAction(dock.toggleViewAction())

    def retitle(self) -> None:
        """Say their names in the language in use."""
        for name, dock in self.all.items():
            dock.setWindowTitle(text(f"window.dock_{name}"))

    def place(self, geometry: QByteArray, state: QByteArray) -> None:
        """Put window and docks where they were left; where they fit, if they never were."""
        window = self._window
        if not (window.restoreGeometry(geometry) and window.restoreState(state)):
            screen = window.screen().availableGeometry()
            window.resize(min(1600, screen.width()), min(1000, screen.height()))
            self.unplaced = True

    def settle(self) -> None:
        """Once the window has its real size: give the docks theirs, the first time."""
        if not self.unplaced:
            return
        self.unplaced = False
        resize, upright = self._window.resizeDocks, Qt.Orientation.Vertical
        sides = [self.all[name] for name in _WIDTHS]
        resize(sides, list(_WIDTHS.values()), Qt.Orientation.Horizontal)
        height = self._window.height()
        resize([self.all["problems"]], [round(height * _BOTTOM_SHARE)], upright)
        left = [self.all["palette"], self.all["minimap"]]
        resize(left, [height - _MINIMAP_HEIGHT, _MINIMAP_HEIGHT], upright)
