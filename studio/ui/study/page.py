"""A page of the dock of what trains what: it asks the study to look only while one sees it."""

from PySide6.QtCore import QEvent, Signal
from PySide6.QtGui import QHideEvent, QShowEvent

from studio.ui.lazy import Lazy
from studio.ui.session import Session
from studio.ui.study.watching import Study, Wish


class StudyPage(Lazy):
    """One way to look at a training; its subclasses say what they want, and show what was seen.

    Signals:
        jump(call): this node is to be shown.
    """

    jump = Signal(str)
    name = ""
    """That of the page in the dock; its wish is known by it."""

    def __init__(self, session: Session, study: Study) -> None:
        super().__init__(0)
        self.session, self.study = session, study
        study.seen.connect(self.changed)
        study.state_changed.connect(self.changed)
        session.changed.connect(self.changed)

    def wish(self) -> Wish:
        """What it wants to see while it is in sight."""
        raise NotImplementedError

    def want(self) -> None:
        """Say it anew: it is another, or the page came into sight or went."""
        self.study.wish(self.name, self.wish() if self.in_sight else Wish())

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.want()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.want()

    def _came(self, in_front: bool) -> None:
        super()._came(in_front)
        self.want()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.changed()
