"""The shares of the losses over the epochs, at a layer or at all, with a way back to any epoch."""

from pathlib import Path

from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from studio.document.names import output_names
from studio.problem import ProblemError
from studio.text import text
from studio.train.report.figure import Figure
from studio.train.report.shares import Shares, shares_chart, shares_of
from studio.ui.dialogs import tell_problems
from studio.ui.figure_view import FigureView, Make, take_away
from studio.ui.parts import IconButton
from studio.ui.session import Session
from studio.ui.study.watching import Study

_FILES = "PNG (*.png);;SVG (*.svg);;CSV (*.csv)"


class SharesView(QWidget):
    """A chart, and the layer it is of: the selected one, or what is chosen here."""

    def __init__(self, session: Session, study: Study) -> None:
        super().__init__()
        self._session, self._study = session, study
        self._layer = ""
        self._make: Make | None = None
        self.choice = QComboBox()
        self.choice.setAccessibleName(text("lens.shares_of"))
        self.choice.activated.connect(self._choose)
        self.newest = QPushButton(text("lens.newest"))
        self.newest.clicked.connect(lambda: study.look_back(None))
        self.export = IconButton("export", text("evaluation.export_tip"))
        self.export.clicked.connect(self.ask_export)
        self.chart = FigureView()
        self.chart.picked.connect(self._go_back)
        row = QHBoxLayout()
        row.addWidget(self.choice, 1)
        row.addWidget(self.newest)
        row.addWidget(self.export)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row)
        layout.addWidget(self.chart, 1)
        session.selected.connect(self._follow)

    def _follow(self, calls: frozenset[str]) -> None:
        """The selected node's layer, where it is the only one."""
        seen = self._session.seen
        names = {seen.entry(call).name for call in calls}
        self._layer = names.pop() if len(names) == 1 and not self._session.way else ""
        self.refresh()

    def _choose(self) -> None:
        self._layer = str(self.choice.currentData() or "")
        self.refresh()

    def _go_back(self, key: tuple[object, ...]) -> None:
        epoch = key[0]
        assert isinstance(epoch, int)
        self._study.look_back(None if epoch == self._study.epoch else epoch)

    def refresh(self) -> None:
        """Show things as they stand."""
        strengths = self._study.shares
        layers = list(dict.fromkeys(name for by in strengths.values() for name in by))
        layer = self._layer if self._layer in layers else ""
        self.choice.clear()
        self.choice.addItem(text("lens.all_layers"), "")
        for name in layers:
            self.choice.addItem(text("lens.one_layer", name=name), name)
        self.choice.setCurrentIndex(self.choice.findData(layer))
        names = {e.key: name for e, name in output_names(self._session.document).items()}
        losses = {key: names.get(key, key) for key in strengths}
        self._show(shares_of(strengths, losses, layer), layer)

    def _show(self, found: Shares, layer: str) -> None:
        chosen = self._study.epoch
        self.newest.setVisible(chosen is not None)
        self.export.setEnabled(bool(found.epochs))
        heading = text("lens.shares_at", name=layer) if layer else text("lens.shares_all")

        def make(width: float, height: float) -> Figure:
            return shares_chart(found, heading, width, height, chosen)

        self._make = make
        self.chart.show_chart(make)

    def ask_export(self) -> None:
        """Ask where to, and write the chart there."""
        title = text("evaluation.export").rstrip("…")
        chosen, _ = QFileDialog.getSaveFileName(self, title, "shares.png", _FILES)
        if chosen:
            self.write(Path(chosen))

    def write(self, path: Path) -> None:
        """Write the chart into a file, as its suffix says."""
        if self._make is None:
            return
        try:
            take_away(
                self._make, path if path.suffix else path.with_suffix(".png"), self.font().family()
            )
        except ProblemError as error:
            tell_problems(self, text("window.not_saved", name=str(path)), error.problems)
