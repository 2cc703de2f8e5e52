"""Where losses meet, which way they pull, and weights with which all would pull alike: advice.

It is only ever shown: a person tries it on the canvas, and takes it over.
"""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from studio.document.edits import plan_output
from studio.document.model import CallId, Document, Endpoint, LayerId
from studio.text import text
from studio.train.report.shares import letter
from studio.train.study.adviser import ACROSS, Advice, Pull
from studio.ui.canvas.lens_tips import ALIKE, times_text
from studio.ui.parts import Facts, heading, note


class AdviceView(QWidget):
    """The proposal, and below it the layers it is made for.

    Signals:
        tried(weights): these loss weights, by outputs' keys, are to be tried; None: no longer.
        taken(weights): they are to be the model's.
        jump(call): this node is to be shown.
    """

    tried = Signal(object)
    taken = Signal(object)
    jump = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._advice: Advice | None = None
        self._calls: list[CallId] = []
        self.words, self._agreement = note(), heading(text("lens.agreement"))
        self.weights = Facts([text(f"lens.column_{n}") for n in ("loss", "now", "then", "share")])
        self.weights.setAccessibleName(text("lens.proposal"))
        self.try_button = QPushButton(text("lens.try"))
        self.try_button.setCheckable(True)
        self.try_button.toggled.connect(self._try)
        self.take_button = QPushButton(text("lens.take"))
        self.take_button.clicked.connect(self._take)
        self.pulls = Facts([text(f"lens.column_{n}") for n in ("layer", "pull", "direction")])
        self.pulls.setAccessibleName(text("lens.agreement"))
        self.pulls.cellDoubleClicked.connect(lambda row, _: self._go(row))
        buttons = QHBoxLayout()
        buttons.addWidget(self.try_button)
        buttons.addWidget(self.take_button)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 0, 8, 0)
        layout.setSpacing(4)
        layout.addWidget(heading(text("lens.proposal")))
        layout.addWidget(self.words)
        layout.addWidget(self.weights)
        layout.addLayout(buttons)
        layout.addWidget(self._agreement)
        layout.addWidget(self.pulls)
        layout.addStretch(1)
        self.show_advice(None, Document(), (), tried=False)

    def show_advice(
        self, advice: Advice | None, document: Document, names: Sequence[str], tried: bool
    ) -> None:
        """Say what was found; `tried` is whether the proposal is shown on the canvas."""
        self._advice = advice
        pulls = [p for p in advice.pulls if p.layer in document.layers] if advice else []
        self._show_pulls(pulls, document, advice, names)
        worthwhile = advice is not None and advice.worthwhile
        self._show_weights(advice if worthwhile else None, names)
        self.words.setText(text(_verdict(advice, bool(pulls))))
        for button in (self.try_button, self.take_button):
            button.setVisible(worthwhile)
        self.try_button.blockSignals(True)
        self.try_button.setChecked(tried and worthwhile)
        self.try_button.blockSignals(False)
        self.try_button.setText(text("lens.stop_trying" if tried else "lens.try"))

    def _show_weights(self, advice: Advice | None, names: Sequence[str]) -> None:
        self.weights.setVisible(advice is not None)
        if advice is None:
            return
        now, then = _shares(advice.norms), _shares(advice.predicted)
        self.weights.show_rows(
            [
                (
                    f"{letter(i)} {name}",
                    f"{advice.weights[i]:g}",
                    f"{advice.proposed[i]:g}",
                    f"{now[i]:.0f} % → {then[i]:.0f} %",
                )
                for i, name in enumerate(names)
            ]
        )

    def _show_pulls(
        self,
        pulls: Sequence[Pull],
        document: Document,
        advice: Advice | None,
        names: Sequence[str],
    ) -> None:
        for part in (self._agreement, self.pulls):
            part.setVisible(bool(pulls))
        numbers = {key: i for i, key in enumerate(advice.losses)} if advice is not None else {}
        worst = sorted(pulls, key=lambda pull: pull.cosine)
        self._calls = [_call(document, pull.layer) for pull in worst]
        rows = [_row(pull, document, numbers[pull.first], numbers[pull.second]) for pull in worst]
        self.pulls.show_rows(rows)
        for i, pull in enumerate(worst):
            tip = text(f"lens.verdict_tip_{_way(pull)}")
            if (item := self.pulls.item(i, 2)) is not None:
                item.setToolTip(tip)

    def _try(self, on: bool) -> None:
        if self._advice is not None:
            self.tried.emit(self._proposed() if on else None)

    def _take(self) -> None:
        if self._advice is not None:
            self.taken.emit(self._proposed())

    def _proposed(self) -> dict[str, float]:
        assert self._advice is not None
        return dict(zip(self._advice.losses, self._advice.proposed, strict=True))

    def _go(self, row: int) -> None:
        if self._calls[row]:
            self.jump.emit(self._calls[row])


def with_weights(document: Document, weights: dict[str, float]) -> Document:
    """With these loss weights, by the outputs' keys; those the model has no more are left out."""
    for key, weight in weights.items():
        end = Endpoint.parse(key)
        if end in document.graph.outputs:
            document = plan_output(document, end, weight=weight)
    return document


def _verdict(advice: Advice | None, shared: bool) -> str:
    if advice is None:
        return "lens.no_look"
    if not shared:
        return "lens.nothing_to_weigh"
    return "lens.worthwhile" if advice.worthwhile else "lens.balanced"


def _shares(norms: Sequence[float]) -> list[float]:
    total = sum(norms)
    return [100 * norm / total if total else 0.0 for norm in norms]


def _way(pull: Pull) -> str:
    if pull.conflict:
        return "conflict"
    return "agree" if pull.cosine > ACROSS else "apart"


def _row(pull: Pull, document: Document, first: int, second: int) -> tuple[str, str, str]:
    ratio = pull.ratio
    if ratio < 1:
        first, second, ratio = second, first, 1 / ratio
    both = {"first": letter(first), "second": letter(second)}
    said = text("lens.pulls", times=times_text(ratio), **both)
    if ratio < ALIKE:
        said = text("lens.pulls_alike", **both)
    way = text(f"lens.verdict_{_way(pull)}", cosine=f"{pull.cosine:+.2f}")
    return document.layers[pull.layer].name, said, way


def _call(document: Document, layer: LayerId) -> CallId:
    """The first call of a layer; empty where there is none."""
    return next((call for _, call, c in document.calls() if c.layer == layer), "")
