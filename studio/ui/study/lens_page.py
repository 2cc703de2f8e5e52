"""What each loss trains, in numbers: shares over the epochs, and advice about the loss weights."""

from PySide6.QtWidgets import QVBoxLayout

from studio.ui.parts import note
from studio.ui.session import Session
from studio.ui.study.page import StudyPage
from studio.ui.study.watching import Study, Wish


class LensPage(StudyPage):
    """The page of losses."""

    name = "lens"

    def __init__(self, session: Session, study: Study) -> None:
        super().__init__(session, study)
        self.status = note()
        layout = QVBoxLayout(self)
        layout.addWidget(self.status)
        layout.addStretch(1)

    def wish(self) -> Wish:
        return Wish(lens=True)

    def catch_up(self) -> None:
        seen = self.study.current
        self.status.setText("" if seen is None else f"{seen.epoch + 1}")
