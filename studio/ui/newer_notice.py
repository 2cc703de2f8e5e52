"""Above the canvas: that a later version wrote the file, and what of it is not known here."""

from html import escape

from PySide6.QtCore import QEvent

from studio.formats.newer_files import newer_problem
from studio.ui.notice import Notice
from studio.ui.session import Session


class NewerNotice(Notice):
    """Hidden, but for a project whose file a later version wrote."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        session.path_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Say it, or be gone where the project has become one of this version."""
        newer, path = self._session.project.newer, self._session.path
        if newer is None:
            self.hide()
        else:
            self.say("warning", escape(str(newer_problem(newer, path.name if path else ""))))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange and self.isVisible():
            self.refresh()
