"""What a model answers, in the user's words: bars for probabilities, numbers for the rest."""

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from studio.text import text
from studio.train.prediction import Answer
from studio.ui.parts import note

_MOST = 12  # bars of one output; the likeliest
_FINE = 1000  # steps of a bar


Ends = Mapping[str, tuple[float, float]]  # by column
NO_ENDS: Ends = {}
Shown = tuple[float, str]  # how much of a bar is full, and what stands on it


class AnswerView(QWidget):
    """One output: its name, the likeliest class, a bar for each probability, or its numbers."""

    def __init__(
        self,
        name: str,
        answer: Answer,
        probability: bool,
        truth: str = "",
        ends: Ends = NO_ENDS,
    ) -> None:
        """
        Args:
            name: the output's.
            answer: what it said.
            probability: the output's values are probabilities even where no class has a name.
            truth: what the table says, where the sample is one of its rows.
            ends: the least and the largest number of each column in training, of numbers.
        """
        super().__init__()
        self.title = QLabel(_title(name, answer, truth))
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.title.setWordWrap(True)
        font = self.title.font()
        font.setBold(True)
        self.title.setFont(font)
        self._name = name
        self.bars: dict[str, QProgressBar] = {}
        self.numbers: QLabel | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 8)
        layout.setSpacing(3)
        layout.addWidget(self.title)
        found = _bars(answer, probability, ends)
        if found:
            layout.addLayout(self._grid(name, found))
        else:
            self.numbers = note(_written(answer))
            layout.addWidget(self.numbers)

    def move_to(
        self, answer: Answer, probability: bool, truth: str = "", ends: Ends = NO_ENDS
    ) -> bool:
        """Say something else of the same classes; False, and nothing done, where they differ."""
        found = _bars(answer, probability, ends)
        if set(found) != set(self.bars):  # or where only the likeliest have bars
            return False
        self.title.setText(_title(self._name, answer, truth))
        for name, shown in found.items():
            _move(self.bars[name], *shown)
        if self.numbers is not None:
            self.numbers.setText(_written(answer))
        return True

    def _grid(self, output: str, found: dict[str, Shown]) -> QGridLayout:
        grid = QGridLayout()
        grid.setColumnStretch(1, 1)
        likely = sorted(found, key=lambda name: -found[name][0])[:_MOST]
        for row, name in enumerate(n for n in found if n in likely):
            bar = QProgressBar()
            bar.setRange(0, _FINE)
            _move(bar, *found[name])
            bar.setMaximumHeight(18)
            bar.setAccessibleName(f"{output}: {name}")
            self.bars[name] = bar
            grid.addWidget(QLabel(name), row, 0)
            grid.addWidget(bar, row, 1)
        if len(found) > _MOST:
            grid.addWidget(QLabel(text("training.less_likely", count=len(found) - _MOST)))
        return grid


def _move(bar: QProgressBar, share: float, words: str) -> None:
    bar.setValue(round(max(0.0, min(1.0, share)) * _FINE))
    bar.setFormat(words)


def _bars(answer: Answer, probability: bool, ends: Ends) -> dict[str, Shown]:
    """What is shown as bars: probabilities, and numbers between known ends; empty for others."""
    found = shares(answer) if answer.names else dict(_numbered(answer, probability))
    spread = bool(ends) and all(low < high for low, high in ends.values())
    if found or not spread or len(ends) != len(answer.values):
        return {name: (share, f"{share * 100:.1f} %") for name, share in found.items()}
    return {
        column: ((value - low) / (high - low), f"{value:.6g}")
        for (column, (low, high)), value in zip(ends.items(), answer.values, strict=True)
    }


def _written(answer: Answer) -> str:
    values = ", ".join(f"{v:.6g}" for v in answer.values[:100])
    return values + (", …" if len(answer.values) > 100 else "")


def shares(answer: Answer) -> dict[str, float]:
    """The probability of each class by its name; one value is the second of two classes'."""
    if len(answer.values) == 1 and len(answer.names) == 2:
        share = answer.values[0]
        return dict(zip(answer.names, (1 - share, share), strict=True))
    return dict(zip(answer.names, answer.values, strict=False))


def _numbered(answer: Answer, probability: bool) -> list[tuple[str, float]]:
    """Probabilities without names, by their number."""
    if not probability or not all(0 <= v <= 1 for v in answer.values):
        return []
    if len(answer.values) == 1:
        return [(text("training.probability"), answer.values[0])]
    return [(str(i), v) for i, v in enumerate(answer.values)]


def _title(name: str, answer: Answer, truth: str) -> str:
    parts = [f"{name}: {answer.label}" if answer.label else name]
    if truth:
        parts.append(text("training.truth", truth=truth))
    return "   ".join(parts)
