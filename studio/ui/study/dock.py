"""The dock of what trains what: pages that are loaded and built when first looked at."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import QEvent, Signal
from PySide6.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from studio.text import language, text
from studio.ui.lazy import Lazy
from studio.ui.parts import clear
from studio.ui.session import Session
from studio.ui.study.watching import Study

Factory = Callable[[Session, Study], QWidget]


def _lens(session: Session, study: Study) -> QWidget:
    from studio.ui.study.lens_page import LensPage

    return LensPage(session, study)


def _values(session: Session, study: Study) -> QWidget:
    from studio.ui.study.values_page import ValuesPage

    return ValuesPage(session, study)


def _time(session: Session, study: Study) -> QWidget:
    from studio.ui.study.time_page import TimePage

    return TimePage(session, study)


def _ablation(session: Session, study: Study) -> QWidget:
    from studio.ui.study.ablation_page import AblationPage

    return AblationPage(session, study)


PAGES: Mapping[str, Factory] = {
    "lens": _lens,
    "values": _values,
    "time": _time,
    "ablation": _ablation,
}
"""By name, in order. A page may have a signal `jump`, with the call to be shown on the canvas, and
`shutdown`, for what it does beside the window.
"""


class InsightDock(Lazy):
    """What is seen of a training, a page for each way to look at it.

    Signals:
        jump(call): this node is to be shown.
    """

    jump = Signal(str)

    def __init__(self, session: Session, study: Study) -> None:
        super().__init__(0)
        self._session, self._study = session, study
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._tabs: QTabWidget | None = None
        self._wanted = next(iter(PAGES))
        self._language = ""  # in which it is built
        self._places: dict[str, QVBoxLayout] = {}
        self.pages: dict[str, QWidget] = {}

    def show_page(self, name: str) -> None:
        """Show one of `PAGES`, at once or when the dock comes into sight."""
        self._wanted = name
        if self._tabs is not None:
            self._tabs.setCurrentIndex(list(PAGES).index(name))

    def page(self, name: str) -> QWidget:
        """A page, built now if nobody has seen it yet."""
        if name not in self.pages:
            made = self.pages[name] = PAGES[name](self._session, self._study)
            if (jump := getattr(made, "jump", None)) is not None:
                jump.connect(self.jump)
            self._place(name).addWidget(made)
        return self.pages[name]

    def catch_up(self) -> None:
        if self._tabs is None:
            self._build()

    def _build(self) -> None:
        self._language = language()
        self._tabs = QTabWidget()
        self._tabs.setDocumentMode(True)
        for name in PAGES:
            place = QWidget()
            self._places[name] = QVBoxLayout(place)
            self._places[name].setContentsMargins(0, 0, 0, 0)
            self._tabs.addTab(place, text(f"lens.page_{name}"))
        self._layout.addWidget(self._tabs)
        self._tabs.setCurrentIndex(list(PAGES).index(self._wanted))
        self._tabs.currentChanged.connect(self._turned)
        self._turned(self._tabs.currentIndex())

    def _turned(self, index: int) -> None:
        self._wanted = list(PAGES)[index]
        self.page(self._wanted)

    def _place(self, name: str) -> QVBoxLayout:
        if self._tabs is None:
            self._build()
        return self._places[name]

    def shutdown(self) -> None:
        """End what pages are doing: they go."""
        for page in self.pages.values():
            if (end := getattr(page, "shutdown", None)) is not None:
                end()

    def changeEvent(self, event: QEvent) -> None:
        fresh = event.type() == QEvent.Type.LanguageChange and self._language != language()
        if fresh and self._tabs is not None:  # Qt tells of a language more than once
            self.shutdown()
            clear(self._tabs)
            self._tabs, self.pages = None, {}
            self.changed()
        super().changeEvent(event)
