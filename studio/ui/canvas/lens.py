"""The lens of a canvas: on or off, which losses are shown, and that it stays as things stand."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Signal

from studio.document.model import CallId
from studio.train.study.lens import LensSample
from studio.ui.canvas import lens_tips
from studio.ui.canvas.legend import Legend
from studio.ui.canvas.scene import Hit
from studio.ui.canvas.tints import Tints, top_of

if TYPE_CHECKING:
    from studio.ui.canvas.board import Board
    from studio.ui.study.watching import Study


class Lens(QObject):
    """Shows on a board how strongly each loss trains what is drawn there.

    While it is on and the board in sight, the study of the project is asked to look.

    Attributes:
        isolated: the only loss that is shown, counted in the order of the outputs; None for all.

    Signals:
        turned(): it is on or off, another loss is isolated, or there are others to choose.
    """

    turned = Signal()

    def __init__(self, board: "Board") -> None:
        super().__init__(board)
        self._board = board
        self._study: Study | None = None
        self._top: int | None = None
        self._several = False
        self.isolated: int | None = None
        self.on = False
        self.legend: Legend | None = None
        board.installEventFilter(self)

    def watch(self, study: "Study") -> None:
        """Show what this study sees."""
        self._study = study
        study.seen.connect(self.refresh)
        study.state_changed.connect(self._tell)
        self._board.session.entered.connect(self.refresh)
        self._board.session.changed.connect(self.refresh)

    # -- acts ------------------------------------------------------------------------------------

    def toggle(self) -> None:
        """Put it on, or take it away."""
        self.on = not self.on
        self.isolated = None
        if self.on and self.legend is None:
            self.legend = Legend(self._board)
            self.legend.chosen.connect(self.isolate)
            self.legend.closed.connect(self.toggle)
            self.legend.returned.connect(self._return)
        if self.legend is not None:
            self.legend.setVisible(self.on)
        self._want()
        self.refresh()
        self._place()
        self.turned.emit()

    def isolate(self, loss: int | None) -> None:
        """Show this loss alone; all where it was the only one, or with None."""
        self.isolated = None if loss == self.isolated else loss
        self.refresh()
        self.turned.emit()

    def isolate_next(self) -> None:
        """Show the first loss alone, then the next, after the last all of them."""
        count = len(self.sample.losses) if self.sample else 0
        after = 0 if self.isolated is None else self.isolated + 1
        self.isolated = after if after < count else None
        self.refresh()
        self.turned.emit()

    def _return(self) -> None:
        if self._study is not None:
            self._study.look_back(None)
            self._study.scales = None

    @property
    def several(self) -> bool:
        """Whether there is a loss to choose."""
        return self.on and self.sample is not None and len(self.sample.losses) > 1

    # -- what it shows ---------------------------------------------------------------------------

    @property
    def sample(self) -> LensSample | None:
        """What was seen of the losses, if it is on and anything was."""
        seen = self._study.current if self._study is not None and self.on else None
        return seen.lens if seen is not None else None

    def tints(self) -> Tints | None:
        """What is shown of the graph one looks into."""
        sample, session = self.sample, self._board.session
        if sample is None:
            return None
        if self.isolated is not None and self.isolated >= len(sample.losses):
            self.isolated = None
        self._top = top_of(sample, self._top)
        return Tints.of(sample, session.seen.graph, session.way, self.isolated, self._top)

    def tip(self, hit: Hit) -> str:
        """What is told of the thing under the cursor; empty while the lens is off."""
        sample = self.sample
        return lens_tips.tip(self._board.session, sample, hit) if sample is not None else ""

    def spoken(self, call: CallId) -> list[str]:
        """What is told of a node to who cannot see it; nothing while the lens is off."""
        sample = self.sample
        return lens_tips.spoken(self._board.session, sample, call) if sample is not None else []

    def refresh(self, *_: object) -> None:
        """Show things as they stand."""
        tints, canvas = self.tints(), self._board.canvas
        if tints is not None or canvas.tints is not None:
            canvas.show_tints(tints)
            self._board.viewport().update()
        self._tell()
        if self.several != self._several:
            self._several = self.several
            self.turned.emit()

    def _tell(self) -> None:
        if self.on and self.legend is not None and self._study is not None:
            self.legend.show_study(self._study, self._board.session, self.isolated, self._top)
            self._place()

    def _place(self) -> None:
        """Give the legend the room it takes, above what is drawn."""
        legend, board = self.legend, self._board
        height = legend.arrange(board.width()) if legend is not None and self.on else 0
        if board.viewportMargins().top() != height:
            board.setViewportMargins(0, height, 0, 0)

    # -- being in sight --------------------------------------------------------------------------

    def _want(self) -> None:
        if self._study is not None:
            self._study.want(lens=self.on and self._board.isVisible(), who="canvas")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind in (QEvent.Type.Show, QEvent.Type.Hide):
            self._want()
        elif self.on and kind == QEvent.Type.Resize:
            self._place()
        elif self.on and kind in (QEvent.Type.LanguageChange, QEvent.Type.PaletteChange):
            self._tell()
        return super().eventFilter(watched, event)
