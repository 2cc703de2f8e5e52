"""All there is to see of one value: its measures, a sample as a picture and in numbers, then and
now.
"""

from collections.abc import Iterator
from functools import partial

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QScrollArea,
    QSpinBox,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from studio.document.model import Document
from studio.document.nesting import layer_at, path_name, way_to
from studio.text import text
from studio.train.study.seen import Seen
from studio.train.study.taps import MOST, TapSample
from studio.train.study.wanted import Tap
from studio.ui.bindings.chart import BarChart, Bars
from studio.ui.canvas.faces import port_label
from studio.ui.elided import Elided
from studio.ui.parts import Facts, IconButton
from studio.ui.session import Session
from studio.ui.study.heat_view import FEW, HeatView
from studio.ui.study.look_bar import ROWS, LookBar, tell_place
from studio.ui.study.page import StudyPage
from studio.ui.study.saying import moment, why_nothing
from studio.ui.study.tap_views import part_index, parts, said, share, text_said, thinned_said
from studio.ui.study.value_export import ValueExport
from studio.ui.study.watching import Study, Wish
from studio.ui.weight_views import ValuesView

_FACTS, _NUMBERS = 250, 200  # pixels at least: of the column of measures, of the table


class ValuesPage(StudyPage):
    """The page of values.

    Attributes:
        tap: whose value is shown; None where there is nothing to choose from.
    """

    name = "values"

    def __init__(self, session: Session, study: Study) -> None:
        super().__init__(session, study)
        self.tap: Tap | None = None
        self._before: Seen | None = None  # what was seen last when it was chosen
        self._offered: list[Tap] = []
        self.hint = QLabel(text("probes.hint"), alignment=Qt.AlignmentFlag.AlignCenter)
        self.hint.setWordWrap(True)
        self.status = Elided()
        self.export = ValueExport(session)
        self.facts, self.bars = Facts(("", "")), BarChart()
        self.facts.horizontalHeader().hide()
        self.picture, self.numbers = HeatView(), ValuesView()
        self.part = QSpinBox(minimum=1, prefix=f"{text('probes.part')} ")
        self.part.valueChanged.connect(self.changed)
        self.fold = QSpinBox(minimum=0, maximum=MOST)
        self.fold.setPrefix(f"{text('probes.fold')} ")
        self.fold.setSpecialValueText(text("probes.one_row"))
        self.fold.setToolTip(text("probes.fold_tip"))
        self.fold.valueChanged.connect(self.changed)
        self._folded: Tap | None = None  # of which value the fold is
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.addWidget(self._bar())
        layout.addWidget(self.export)
        layout.addWidget(self.status)
        layout.addWidget(self.hint, 1)
        layout.addWidget(self._body(), 1)
        study.wanted_changed.connect(self.changed)
        session.selected.connect(self._follow)

    # -- what it is made of ----------------------------------------------------------------------

    def _bar(self) -> QWidget:
        """Whose value, of which sample, of when."""
        self.chooser = QComboBox()
        self.chooser.setAccessibleName(text("probes.whose"))
        self.chooser.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.chooser.setMinimumContentsLength(12)
        self.chooser.activated.connect(lambda i: self.show_tap(self._offered[i]))
        self.show_node = IconButton("jump", text("probes.show_node"))
        self.show_node.clicked.connect(self._jump)
        self.look, self.when, self.take = LookBar(self.study), Elided(), self._taker()
        bar = QWidget()
        row = QHBoxLayout(bar)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.chooser)
        row.addWidget(self.show_node)
        row.addWidget(self.look, 1)
        row.addWidget(self.when, 1)
        row.addSpacing(12)
        row.addWidget(self.take)
        return bar

    def _taker(self) -> QToolButton:
        """What writes values into files."""
        button = IconButton("export", text("probes.export"))
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(button)
        for which in ("sample", *ROWS):
            act = menu.addAction(text(f"probes.export_{which}"))
            act.triggered.connect(partial(self.write, which))
        button.setMenu(menu)
        return button

    def _body(self) -> QWidget:
        measures = QWidget()
        column = QVBoxLayout(measures)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.facts)
        column.addWidget(self.bars)
        column.addStretch(1)
        scrolled = QScrollArea(widgetResizable=True)
        scrolled.setFrameShape(QFrame.Shape.NoFrame)
        scrolled.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scrolled.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scrolled.setWidget(measures)
        scrolled.setMinimumWidth(_FACTS)
        drawn = QWidget()
        under = QVBoxLayout(drawn)
        under.setContentsMargins(0, 0, 0, 0)
        for box in (self.part, self.fold):
            under.addWidget(box, 0, Qt.AlignmentFlag.AlignLeft)
        under.addWidget(self.picture, 1)
        self.body = QSplitter()
        self.body.setChildrenCollapsible(False)
        for widget, stretch in ((scrolled, 0), (drawn, 3), (self.numbers, 2)):
            self.body.addWidget(widget)
            self.body.setStretchFactor(self.body.count() - 1, stretch)
        self.numbers.setMinimumWidth(_NUMBERS)
        return self.body

    # -- what is chosen --------------------------------------------------------------------------

    def show_tap(self, tap: Tap | None) -> None:
        """Show this value."""
        self.tap, self._before = tap, self.study.newest
        self.want()
        self.changed()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._follow()

    def _came(self, in_front: bool) -> None:
        super()._came(in_front)
        self._follow()

    def _follow(self, *_: object) -> None:
        """What the node selected on the canvas gives is shown, while this is in sight."""
        selection = self.session.selection & self.session.seen.graph.calls.keys()
        if not self.in_sight or len(selection) != 1:
            return
        (call,) = selection
        path = (*self.session.way, call)
        given = self.session.document.ports(self.session.seen.entry(call))[1]
        if given and (self.tap is None or self.tap.path != path):
            self.show_tap(Tap(path, given[0].name))

    def wish(self) -> Wish:
        if self.tap is None:
            self.tap = next(iter(self._pinned()), None)
        return Wish(taps=() if self.tap is None else (self.tap,))

    def _pinned(self) -> Iterator[Tap]:
        """The values that probes are pinned to, of whatever graph, by the first way that leads
        there.
        """
        document = self.session.document
        for graph_id, graph in document.graphs.items():
            way = way_to(document, graph_id) if graph.looks.probes else None
            if way is not None:
                yield from (Tap((*way, port.call), port.port) for port in graph.looks.probes)

    def _jump(self) -> None:
        if self.tap is not None:
            self.jump.emit(self.tap.path[-1])

    def write(self, which: str, *_: object) -> None:
        """Ask for a file and write the value: of the ``sample``, or for all rows."""
        if self.tap is None:
            return
        if which == "sample":
            self.export.ask(self.tap, self.study.rows, self.study.sample)
        else:
            self.export.ask(self.tap, "training" if which == "training" else "validation")

    def shutdown(self) -> None:
        """End what is being written."""
        self.export.shutdown()

    # -- what it shows ---------------------------------------------------------------------------

    def catch_up(self) -> None:
        self._offer()
        sample = self._sample()
        chosen = self.tap is not None
        self.hint.setVisible(not chosen)
        self.body.setVisible(chosen)
        for widget in (self.chooser, self.show_node, self.look.rows, self.look.sample):
            widget.setEnabled(chosen)
        self.take.setEnabled(chosen and not self.study.live)
        self.take.setToolTip(text(f"probes.{'why_not_written' if self.study.live else 'export'}"))
        seen = self.study.current
        self.when.setText(moment(seen) or (text("probes.now") if seen is not None else ""))
        self.status.setText(self._status(sample) if chosen else "")
        self.status.setVisible(bool(self.status.text()))
        if sample is not None:
            self.look.show_found(sample.count, sample.rows)
        self._show_sample(sample)

    def _sample(self) -> TapSample | None:
        seen = self.study.current
        return seen.taps.get(self.tap) if seen is not None and self.tap is not None else None

    def _offer(self) -> None:
        """The values that can be chosen: those that are pinned, and the one that is shown."""
        document = self.session.document
        if self.tap is not None and _name_of(document, self.tap) is None:
            self.tap = None
        offered = list(self._pinned())
        if self.tap is None and offered:
            self.show_tap(offered[0])
        if self.tap is not None and self.tap not in offered:
            offered.insert(0, self.tap)
        self._offered = offered
        names = [_name_of(document, tap) or "" for tap in offered]
        if names != [self.chooser.itemText(i) for i in range(self.chooser.count())]:
            self.chooser.clear()
            self.chooser.addItems(names)
        if self.tap is not None:
            self.chooser.setCurrentIndex(offered.index(self.tap))

    def _status(self, sample: TapSample | None) -> str:
        if sample is not None:
            quoted = f"“{text_said(sample)}”" if sample.is_text else ""
            return "    ".join(filter(None, (quoted, thinned_said(sample))))
        if why := why_nothing(self.study):
            return why[0]
        come = self.study.waiting or self.study.newest is self._before
        return text("probes.waiting" if come else "probes.no_value")

    def _show_sample(self, sample: TapSample | None) -> None:
        several = parts(sample.values) if sample is not None else 1
        self.part.setVisible(several > 1)
        tell_place(self.part, self.part.value(), several)
        part = self.part.value() - 1
        self.picture.show_sample(sample, part, self._fold(sample))
        self.facts.show_rows(_facts(sample) if sample is not None else ())
        self.bars.show_bars(_bars(sample) if sample is not None else None)
        if sample is None:
            self.numbers.show_array(None)
        elif sample.values.ndim > 2:
            index = part_index(sample.values, part)
            matrix = sample.values[index[:-1]][..., index[-1]]
            self.numbers.show_array(matrix, sample.every[-3:-1])
        else:
            self.numbers.show_array(sample.values, sample.every, sample.words_told)

    def _fold(self, sample: TapSample | None) -> int:
        """How long rows are that a long row of numbers is folded into; 0: it is not."""
        flat = sample is not None and sample.values.ndim == 1 and sample.whole
        long = sample is not None and flat and not sample.words and sample.values.size > FEW
        self.fold.setVisible(long)
        if sample is None or not long:
            return 0
        if self._folded != self.tap:
            self._folded = self.tap
            with QSignalBlocker(self.fold):
                self.fold.setValue(sample.side)
        return self.fold.value()


def _name_of(document: Document, tap: Tap) -> str | None:
    """A value by the names of its layers: ``encoder ▸ lstm · state_h``; None: it is gone."""
    try:
        name, entry = path_name(document, tap.path), document.layers[layer_at(document, tap.path)]
    except KeyError:
        return None
    several = len(document.ports(entry)[1]) > 1
    label = port_label(document, entry, tap.port) if several else ""
    return f"{name} · {label}" if label else name


def _facts(sample: TapSample) -> list[tuple[str, str]]:
    numbers = sample.numbers
    found = [
        ("shape", " × ".join(map(str, sample.shape))),
        ("dtype", sample.dtype),
        ("least", said(numbers.low)),
        ("mean_of", said(numbers.mean)),
        ("deviation", said(numbers.deviation)),
        ("most", said(numbers.high)),
        ("zero", share(numbers.zeros)),
        ("nan", share(sample.nans)),
        ("inf", share(sample.infinite)),
    ]
    found += [("mask", share(sample.masked))] if sample.masked is not None else []
    return [(text(f"probes.fact_{key}"), value) for key, value in found]


def _bars(sample: TapSample) -> Bars | None:
    """How often numbers of a size occur in the batch."""
    numbers = sample.numbers
    if not numbers.heights.size:
        return None
    pairs = list(zip(numbers.edges[:-1].tolist(), numbers.edges[1:].tolist(), strict=True))
    names = tuple(f"{said(low)} … {said(high)}" for low, high in pairs)
    counts = tuple(round(h * 100_000) for h in numbers.heights.tolist())
    ends = said(numbers.low), said(numbers.high)
    return Bars(counts, names, text("probes.histogram"), ends)
