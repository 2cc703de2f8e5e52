"""Somebody who uses the window: with mouse and keys only, never through its functions.

The same person works with Qt's own events, so that CI needs no screen, and with an X server's
(`XHand`), where the events come from outside the process.
"""

import shutil
import subprocess
import time
from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QTabBar, QToolButton, QWidget

from studio.ui.window import MainWindow


class Hand(Protocol):
    """Moves, presses and types."""

    def click(self, widget: QWidget, at: QPoint, times: int = 1) -> None: ...

    def drag(self, widget: QWidget, start: QPoint, end: QPoint) -> None: ...

    def type(self, words: str) -> None: ...

    def key(self, name: str) -> None: ...


def settle(seconds: float = 0.0) -> None:
    """Let the window do what it has to do, for at least so long."""
    end = time.monotonic() + seconds
    while True:
        QApplication.processEvents()
        if time.monotonic() >= end:
            break
        time.sleep(0.005)


class QtHand:
    """Events made by Qt, sent to the widget that would get them."""

    _KEYS: ClassVar = {
        "Return": Qt.Key.Key_Return,
        "Tab": Qt.Key.Key_Tab,
        "Escape": Qt.Key.Key_Escape,
        "Delete": Qt.Key.Key_Delete,
        "Home": Qt.Key.Key_Home,
    }

    def __init__(self) -> None:
        self._combo: QComboBox | None = None

    def click(self, widget: QWidget, at: QPoint, times: int = 1) -> None:
        self._combo = widget if isinstance(widget, QComboBox) else None
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=at)
        if times == 2:
            QTest.mouseDClick(widget, Qt.MouseButton.LeftButton, pos=at)
        settle()

    def drag(self, widget: QWidget, start: QPoint, end: QPoint) -> None:
        QTest.mousePress(widget, Qt.MouseButton.LeftButton, pos=start)
        for share in (0.2, 0.6, 1.0):
            QTest.mouseMove(widget, start + (end - start) * share)
        QTest.mouseRelease(widget, Qt.MouseButton.LeftButton, pos=end)
        settle()

    def type(self, words: str) -> None:
        QTest.keyClicks(self._focus(), words)
        settle()

    def key(self, name: str) -> None:
        if name == "ctrl+a":
            QTest.keyClick(self._focus(), Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        else:
            QTest.keyClick(self._focus(), self._KEYS[name])
        settle()

    def _focus(self) -> QWidget:
        if QApplication.activePopupWidget() is not None and self._combo is not None:
            return self._combo.view()
        found = QApplication.focusWidget()
        assert found is not None, "nothing has the focus"
        return found


class XHand:
    """Events sent to the X server by xdotool; the process gets them as from any user."""

    PAUSE = 0.12  # seconds the window is given after each act

    def __init__(self) -> None:
        assert shutil.which("xdotool"), "xdotool is not installed"

    def click(self, widget: QWidget, at: QPoint, times: int = 1) -> None:
        self._move(widget, at)
        self._do("click", *(["--repeat", "2", "--delay", "60"] if times == 2 else []), "1")

    def drag(self, widget: QWidget, start: QPoint, end: QPoint) -> None:
        self._move(widget, start)
        self._do("mousedown", "1")
        for share in (0.1, 0.4, 0.7, 1.0):
            self._move(widget, start + (end - start) * share)
        self._do("mouseup", "1")

    def carry(self, source: QWidget, start: QPoint, target: QWidget, end: QPoint) -> None:
        """Drag from one widget to another: Qt's own drag and drop."""
        self._move(source, start)
        self._do("mousedown", "1")
        self._move(source, start + QPoint(6, 6))
        self._move(source, start + QPoint(24, 12))
        for share in (0.5, 1.0):
            self._move(target, end * share)
        self._do("mouseup", "1")

    def type(self, words: str) -> None:
        self._do("type", "--delay", "15", words)

    def key(self, name: str) -> None:
        self._do("key", name)

    def _move(self, widget: QWidget, at: QPoint) -> None:
        place = widget.mapToGlobal(at) * widget.devicePixelRatio()
        self._do("mousemove", str(int(place.x())), str(int(place.y())))

    def _do(self, *words: str) -> None:
        process = subprocess.Popen(["xdotool", *words])
        while process.poll() is None:
            settle(0.005)
        settle(self.PAUSE)


class Person:
    """Knows what the window shows and where."""

    def __init__(self, window: MainWindow, hand: Hand) -> None:
        self.window, self.hand = window, hand

    # -- looking ---------------------------------------------------------------------------------

    def find(self, name: str) -> str:
        """The node with this title."""
        document = self.window.session.document
        return next(c for c in document.graph.calls if document.entry(c).name == name)

    def place(self, name: str, what: str = "title", slot: int = 0) -> QPoint:
        """Where a node's title, output or input is, in pixels of the viewport."""
        view = self.window.canvas
        item = view.canvas.items_by_call[self.find(name)]
        at = {
            "title": lambda: item.pos() + QPointF(60, 14),
            "output": lambda: item.anchor("output", False),
            "input": lambda: item.anchor("x", True, slot),
        }[what]()
        return view.mapFromScene(at)

    def empty_place(self) -> QPoint:
        """A place on the canvas with nothing under it."""
        view = self.window.canvas
        rect = view.viewport().rect()
        for x in range(20, rect.width(), 40):
            for y in range(rect.height() - 20, 0, -40):
                at = QPoint(x, y)
                if not any(
                    item.scene_rect().adjusted(-30, -30, 160, 30).contains(view.mapToScene(at))
                    for item in view.canvas.items_by_call.values()
                ):
                    return at
        raise AssertionError("the canvas is full")

    def until(self, true: Callable[[], Any], seconds: float = 30) -> None:
        """Wait until something is so."""
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, f"not so within {seconds} s"
            settle(0.02)

    # -- acting ----------------------------------------------------------------------------------

    def click(self, widget: QWidget, times: int = 1) -> None:
        """Click into the middle of a widget."""
        self.hand.click(widget, widget.rect().center(), times)

    def tool(self, title: str) -> None:
        """Click a button of the tool bar."""
        buttons = self.window.toolbar.findChildren(QToolButton)
        self.click(next(b for b in buttons if b.text().replace("&", "") == title))

    def bring(self, *names: str) -> None:
        """See to it that these nodes are in sight, ports and all."""
        rect = self.window.canvas.viewport().rect().adjusted(8, 8, -8, -8)
        points = [self.place(n, what) for n in names for what in ("title", "output")]
        if not all(rect.contains(point) for point in points):
            self.tool("Fit all")
            settle(0.3)

    def select(self, name: str) -> None:
        self.bring(name)
        self.hand.click(self.window.canvas.viewport(), self.place(name))

    def select_nothing(self) -> None:
        self.hand.click(self.window.canvas.viewport(), self.empty_place())

    def add(self, kind: str) -> None:
        """Search a layer in the palette and double-click it."""
        palette = self.window.palette_
        self.write(palette.search, kind, end="")
        shown = palette.list.visualRect(palette.model.index(0, 0))
        self.hand.click(palette.list.viewport(), shown.center(), 2)

    def wire(self, start: str, end: str, slot: int = 0) -> None:
        """Drag from a node's output to another's input."""
        view = self.window.canvas
        self.bring(start, end)
        self.hand.drag(view.viewport(), self.place(start, "output"), self.place(end, "input", slot))

    def write(self, field: QWidget, words: str, end: str = "Return") -> None:
        """Put words in place of a field's."""
        self.click(field)
        self.hand.key("ctrl+a")
        self.hand.type(words)
        if end:
            self.hand.key(end)

    def choose(self, combo: QComboBox, words: str) -> None:
        """Open a list of choices and take one, by the keyboard."""
        self.click(combo)
        self.hand.type(words)
        self.hand.key("Return")

    def raise_dock(self, name: str) -> None:
        """Click the tab of a dock at the bottom."""
        title = self.window.docks[name].windowTitle()
        for bar in self.window.findChildren(QTabBar):
            if not self.window.rect().contains(bar.geometry().center()):
                continue  # Qt keeps one it no longer uses outside the window
            for index in range(bar.count()):
                if bar.tabText(index) == title:
                    self.hand.click(bar, bar.tabRect(index).center())
                    settle(0.3)
                    return
        raise AssertionError(f"no tab is called {title}")

    # -- the inspector ---------------------------------------------------------------------------

    @property
    def page(self) -> Any:
        return self.window.inspector.page

    def show(self, widget: QWidget) -> QWidget:
        """Scroll the inspector to a field, as a wheel would."""
        self.window.inspector.ensureWidgetVisible(widget)
        settle()
        return widget

    def rename(self, name: str) -> None:
        self.write(self.show(self.page.name), name)

    def set(self, param: str, value: str) -> None:
        """Give the selected layer's parameter a value."""
        editor = self.show(self.page.form.editor(param))
        if isinstance(editor, QComboBox):
            self.choose(editor, value)
        else:
            self.write(editor, value)

    def make_output(self, loss: str, weight: str) -> None:
        """Mark the selected node as an output with this loss and weight, and no metrics."""
        (mark,) = self.page.marks.values()
        self.hand.click(self.show(mark), QPoint(8, mark.height() // 2))
        (plan,) = self.page.plans.values()
        self.choose(self.show(plan.settings.editor("loss").kinds), loss)
        self.write(self.show(plan.settings.editor("weight")), weight)
        while plan.metrics.lines:
            remove = self.show(plan.metrics.lines[0].remove)
            self.hand.click(remove, remove.rect().center())


def wire_the_headline(person: Person) -> None:
    """The guide's two-loss model, from an empty canvas."""
    person.add("Input")
    person.rename("main_input")
    person.set("shape", "100")
    person.set("dtype", "int32")
    person.add("Embedding")  # each is wired to the node selected before it
    person.set("input_dim", "10000")
    person.set("output_dim", "512")
    person.add("LSTM")
    person.add("Concatenate")
    for _ in range(3):
        person.add("Dense")
        person.set("units", "64")
        person.set("activation", "relu")
    person.add("Dense")
    person.rename("main_output")
    person.set("units", "1")
    person.set("activation", "sigmoid")
    person.make_output("BinaryCrossentropy", "1")
    person.select("lstm")
    person.add("Dense")
    person.rename("aux_output")
    person.set("units", "1")
    person.set("activation", "sigmoid")
    person.make_output("BinaryCrossentropy", "0.2")
    person.select_nothing()
    person.add("Input")
    person.rename("aux_input")
    person.set("shape", "5")
    person.wire("aux_input", "concatenate", slot=1)
