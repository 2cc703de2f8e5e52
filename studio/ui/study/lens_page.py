"""What each loss trains, in numbers: shares over the epochs, and advice about the loss weights."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QSplitter, QVBoxLayout

from studio.text import text
from studio.train.study.adviser import Advice, advise
from studio.train.study.lens_text import losses_of
from studio.ui.parts import note
from studio.ui.session import Session
from studio.ui.study.advice_view import AdviceView, with_weights
from studio.ui.study.page import StudyPage
from studio.ui.study.saying import state_of
from studio.ui.study.shares_view import SharesView
from studio.ui.study.watching import Study, Wish


class LensPage(StudyPage):
    """The page of losses."""

    name = "lens"

    def __init__(self, session: Session, study: Study) -> None:
        super().__init__(session, study)
        self._advice: Advice | None = None
        self.status = note()
        self.shares = SharesView(session, study)
        self.advice = AdviceView()
        self.advice.jump.connect(self.jump)
        self.advice.tried.connect(self._try)
        self.advice.taken.connect(self._take)
        side = QScrollArea()
        side.setWidgetResizable(True)
        side.setFrameShape(QFrame.Shape.NoFrame)
        side.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        side.setWidget(self.advice)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.addWidget(self.shares)
        split.addWidget(side)
        split.setSizes([400, 600])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 6)
        layout.addWidget(self.status)
        layout.addWidget(split, 1)

    def wish(self) -> Wish:
        return Wish(lens=True)

    def catch_up(self) -> None:
        study, document = self.study, self.session.document
        self.status.setText(state_of(study))
        self.shares.refresh()
        looks = study.looks
        if looks and study.scales is None:
            self._advice = advise(*looks)
        names = losses_of(document, looks[0]) if looks else ()
        advice = self._advice if looks and self._advice is not None else None
        if advice is not None and advice.losses != looks[0].losses:
            advice = None
        self.advice.show_advice(advice, document, names, tried=study.scales is not None)

    def _try(self, weights: dict[str, float] | None) -> None:
        self.study.scales = weights

    def _take(self, weights: dict[str, float]) -> None:
        self.study.scales = None
        changed = with_weights(self.session.document, weights)
        self.session.commit(text("lens.take_label"), changed)
