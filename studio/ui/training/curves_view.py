"""The charts of one run or several, output by output, and how all of them are looked at."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from studio.engine.program import Array
from studio.text import text
from studio.train.report.quantities import grouped, label, owner
from studio.train.report.scales import Scale, fitting
from studio.ui.training.chart import Chart
from studio.ui.training.chart_view import ChartView
from studio.ui.training.curves import (
    Line,
    Shown,
    Smoother,
    lines,
    styles,
)

_WIDE = 270  # pixels of a chart, where there is room
_LEAST_WIDE, _HIGH = 150, 100  # at least
_GAP = 4  # between charts
_APART = 12  # milliseconds between two charts that are drawn anew, so that none waits for all
_SMOOTHEST = 0.99


class CurvesView(QWidget):
    """Charts, smoothing, logarithmic axes; what is pointed at is read in all charts.

    Signals:
        looked(): smoothing, axes or the epochs in sight are others.
    """

    looked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._runs: tuple[Shown, ...] = ()
        self._order: tuple[str, ...] = ()
        self._range: tuple[float, float] | None = None
        self._smoother = Smoother()
        self._keys: list[str] = []
        self._due: list[str] = []
        self._columns = 0
        self.charts: dict[str, ChartView] = {}
        self._next = QTimer(self, interval=_APART)
        self._next.timeout.connect(self._draw_next)
        self.empty = QLabel(text("training.no_curves"), wordWrap=True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.controls = self._build_controls()  # for whoever has a place for them
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.empty, 1)
        layout.addWidget(self._scroll, 1)
        self.show_runs(())

    def _build_controls(self) -> QWidget:
        self.smoothing = QSlider(Qt.Orientation.Horizontal)
        self.smoothing.setMaximum(100)
        self.smoothing.setFixedWidth(60)
        self.smoothing.setToolTip(text("runs.smoothing_tip"))
        self.smoothing.setAccessibleName(text("runs.smoothing"))
        self.smoothing.valueChanged.connect(self._smooth)
        self._smoothness = QLabel("0")
        self._smoothness.setMinimumWidth(self.fontMetrics().horizontalAdvance("0.00") + 2)
        self.log = QToolButton()
        self.log.setText(text("runs.log"))
        self.log.setToolTip(text("runs.log_tip"))
        self.log.setAccessibleName(text("runs.log_act"))
        self.log.setCheckable(True)
        self.log.toggled.connect(lambda: self._look_anew())
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        for widget in (QLabel(text("runs.smoothing")), self.smoothing, self._smoothness, self.log):
            row.addWidget(widget)
        holder = QWidget()
        holder.setLayout(row)
        return holder

    # -- what is shown ---------------------------------------------------------------------------

    def show_runs(self, runs: Sequence[Shown], order: Sequence[str] = ()) -> None:
        """Draw these, coloured as the outputs stand in `order`; the same keys stay where they are.

        See `styles`.
        """
        self._runs, self._order = tuple(runs), tuple(order)
        keys = self._found_keys()
        if keys != self._keys:
            self._keys = keys
            self._rebuild()
        self.empty.setVisible(not keys)
        self._scroll.setVisible(bool(keys))
        waiting = set(self._due)
        self._due += [key for key in keys if key not in waiting]
        if self._due and not self._next.isActive():
            self._draw_next()
            self._next.start()

    def _found_keys(self) -> list[str]:
        found = dict.fromkeys(key for run in self._runs for key in run.keys)
        return grouped(sorted(found, key=lambda k: (k != "loss", not k.endswith("loss"), k)))

    def _draw_next(self) -> None:
        """One chart at a time: the window takes what the mouse does in between."""
        if not self._due:
            self._next.stop()
            return
        key = self._due.pop(0)
        if key in self.charts:
            self.charts[key].show_chart(self.chart(key))

    def chart(self, key: str) -> Chart:
        """The chart of a quantity as things stand."""
        runs = [run for run in self._runs if key in run.keys]
        looks = styles(self._keys, self._order) if len(self._runs) == 1 else {}
        drawn = tuple(lines(runs, key, looks, self._smoother))
        x = self._epochs()
        y = fitting([_between(line, x) for line in drawn], self.log.isChecked())
        best = self._runs[0].best + 1 if len(self._runs) == 1 else 0
        names = {run.id: run.name for run in runs} if len(self._runs) > 1 else None
        return Chart(key, self._title(key), drawn, x, y, best, names)

    def _title(self, key: str) -> str:
        output = owner(key, self._keys)
        if not output:
            return label(key)
        rest = key.removeprefix(f"{output}_")
        return f"{output} · {text('runs.loss') if rest == 'loss' else rest}"

    def _epochs(self) -> Scale:
        """The epochs in sight, the same in all charts."""
        if self._range is not None:
            return Scale(*self._range)
        passed = [float(len(v)) for run in self._runs for v in run.history.values()]
        moving = [run.live[0] for run in self._runs if run.live is not None]
        low = 1.0 if all(at >= 1 for at in moving) else 0.0
        return Scale(low, max([*passed, *moving, low + 1]))

    # -- how it is looked at ---------------------------------------------------------------------

    def _smooth(self, value: int) -> None:
        weight = _SMOOTHEST * value / 100
        self._smoothness.setText(f"{weight:.2f}" if weight else "0")
        self._smoother.reset(weight)
        self._look_anew()

    def _range_to(self, epochs: tuple[float, float] | None) -> None:
        self._range = epochs
        self._look_anew()

    def _look_anew(self) -> None:
        self.show_runs(self._runs, self._order)
        self.looked.emit()

    def _point(self, epoch: float | None) -> None:
        for view in self.charts.values():
            view.point(epoch)

    # -- the charts ------------------------------------------------------------------------------

    def _rebuild(self) -> None:
        grid = QWidget()
        self.charts = {key: self._view() for key in self._keys}
        self._columns = 0
        layout = QGridLayout(grid)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(_GAP)
        self._scroll.setWidget(grid)  # deletes the one before
        self._place()

    def _view(self) -> ChartView:
        view = ChartView()
        view.pointed.connect(self._point)
        view.ranged.connect(self._range_to)
        return view

    def _place(self) -> None:
        """As many charts side by side as it takes to have all in sight, where there is room."""
        room = self._scroll.viewport().size()
        columns = columns_for(len(self._keys), room.width(), room.height())
        if columns == self._columns or not self._keys:
            return
        self._columns = columns
        grid = self._scroll.widget()
        layout = grid.layout() if grid is not None else None
        assert isinstance(layout, QGridLayout)
        while layout.count():
            layout.takeAt(0)
        for i, key in enumerate(self._keys):
            down, across = divmod(i, columns)
            wide = columns - across if key == self._keys[-1] else 1  # it takes what is left
            self.charts[key].setMinimumHeight(_HIGH)
            layout.addWidget(self.charts[key], down, across, 1, wide)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def changeEvent(self, event: QEvent) -> None:
        """Another theme: draw again in its colours."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.show_runs(self._runs, self._order)


def columns_for(charts: int, width: int, height: int) -> int:
    """Into how many columns charts go: as wide as they should be, narrower where that brings
    more of them into sight.
    """
    wide = max(1, min(width // _WIDE, charts))
    narrow = max(wide, min(width // _LEAST_WIDE, charts))
    at_once = max(1, (height + _GAP) // (_HIGH + _GAP))  # rows
    tried = range(wide, narrow + 1)
    return next((c for c in tried if -(-charts // c) <= at_once), narrow)


def _between(line: Line, x: Scale) -> Array:
    """The values of a line that are in sight."""
    seen = (line.x >= x.low) & (line.x <= x.high)
    return line.y[seen]
