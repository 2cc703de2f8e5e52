"""The middle of the window: the canvas, or the start page in its place."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import QByteArray, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDockWidget, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from studio.document.model import Document
from studio.examples import EXAMPLES
from studio.ui.files import Files
from studio.ui.settings import Settings
from studio.ui.start_page import StartPage


class Front(QWidget):
    """Shows the start page, the window's docks put aside, until something is open.

    Signals:
        turned(): the one or the other is shown now.
        left(): the canvas and the docks are back.

    Attributes:
        page: the start page.
    """

    turned = Signal()
    left = Signal()

    def __init__(self, window: QMainWindow, settings: Settings, canvas: QWidget) -> None:
        super().__init__()
        self._window = window
        self._docks = QByteArray()  # where they stood
        self._stack = QStackedWidget()
        self._whole = _tight(QVBoxLayout(self))
        self.page = StartPage(settings)
        stage = QWidget()
        self._stage = _tight(QVBoxLayout(stage))
        self._stage.addWidget(canvas, 1)
        self._stack.addWidget(stage)
        self._stack.addWidget(self.page)
        self._whole.addWidget(self._stack, 1)

    def attach(
        self, files: Files, tour: Callable[[], object], data: Callable[[str], object]
    ) -> None:
        """Let the page's buttons and cards do what they say."""
        examples: Mapping[str, Callable[[], Document]] = EXAMPLES
        self.page.new_wanted.connect(files.new)
        self.page.open_wanted.connect(files.ask_open)
        self.page.tour_wanted.connect(tour)
        self.page.data_wanted.connect(data)
        self.page.example_chosen.connect(lambda name: files.open_example(examples[name]))
        self.page.file_chosen.connect(files.open)

    def put_above(self, bar: QWidget) -> None:
        """Let a bar stand over the canvas."""
        self._stage.insertWidget(0, bar)

    def put_on_top(self, bar: QWidget) -> None:
        """Let a bar stand over all of it, the start page too."""
        self._whole.insertWidget(0, bar)

    @property
    def shows_page(self) -> bool:
        """Whether the start page is there instead of the canvas."""
        return self._stack.currentWidget() is self.page

    def show_page(self) -> None:
        """Put the docks aside and show the start page."""
        if self.shows_page:
            return
        self._docks = self._window.saveState()
        for dock in self._window.findChildren(QDockWidget):
            dock.hide()
        self._stack.setCurrentWidget(self.page)
        self.page.setFocus(Qt.FocusReason.OtherFocusReason)
        self.turned.emit()

    def leave_page(self, *_: object) -> None:
        """Show the canvas, and the docks where they were."""
        if self.shows_page:
            self._stack.setCurrentIndex(0)
            self._window.restoreState(self._docks)
            self.turned.emit()
            self.left.emit()

    def toggle_page(self) -> None:
        """The one or the other."""
        if self.shows_page:
            self.leave_page()
        else:
            self.show_page()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.shows_page:
            self.leave_page()
        else:
            super().keyPressEvent(event)


def _tight(layout: QVBoxLayout) -> QVBoxLayout:
    """Without gaps."""
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    return layout
