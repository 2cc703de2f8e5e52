"""After a training: the weights of its best epoch, or those of its last."""

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from studio.layers.cell import Cells
from studio.text import text
from studio.train.events import Finished


@dataclass
class Choice:
    """Two sets of weights, of which a model has one.

    Attributes:
        best_epoch, last_epoch: when they were learnt, counted from 0.
        uses_best: which of them it has.
    """

    best: Mapping[str, Cells]
    last: Mapping[str, Cells]
    best_epoch: int
    last_epoch: int
    uses_best: bool = False

    @property
    def weights(self) -> Mapping[str, Cells]:
        """Those it has."""
        return self.best if self.uses_best else self.last


def choice_after(event: Finished) -> Choice | None:
    """What there is to choose from after a training; None where the best weights are the last."""
    if event.best is None:
        return None
    return Choice(event.best, event.weights, event.run.best_epoch, event.run.epochs - 1)


class BestOrLast(QWidget):
    """Says which weights a model has, and swaps them; hidden where there is no choice.

    Signals:
        swapped(): the others are wanted.
    """

    swapped = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.label = QLabel(wordWrap=True)
        self.button = QPushButton()
        self.button.clicked.connect(self.swapped)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.button)
        row.addWidget(self.label, 1)
        self.hide()

    def show_choice(self, choice: Choice | None) -> None:
        """Show this."""
        self.setVisible(choice is not None)
        if choice is None:
            return
        numbers = {"best": choice.best_epoch + 1, "last": choice.last_epoch + 1}
        now, other = ("best", "last") if choice.uses_best else ("last", "best")
        self.label.setText(text(f"training.has_{now}", **numbers))
        self.button.setText(text(f"training.use_{other}", **numbers))
