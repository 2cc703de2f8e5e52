"""How one output does: two charts side by side, a threshold where there is one, its samples."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSplitter, QVBoxLayout, QWidget

from studio.text import text
from studio.train.evaluation import choosing
from studio.train.evaluation.result import Evaluation, OutputEvaluation, Row
from studio.train.report import charts
from studio.train.report.figure import Figure
from studio.train.report.judged import (
    class_table,
    in_numbers,
    left_out,
    number_table,
    said_text,
    worst_rows,
)
from studio.ui.chart_panel import ChartPanel, Contents, Sheet
from studio.ui.parts import note
from studio.ui.samples_view import MOST, Sample, SamplesView
from studio.ui.threshold_bar import ThresholdBar

_SIZES = (380, 380, 420)
_SHARES = ("precision", "recall", "f1", "specificity")


class OutputView(QWidget):
    """What an evaluation says of one output.

    Signals:
        wanted(rows): rows of the table are to be read.
        opened(row): somebody wants to try a row.
    """

    wanted = Signal(list)
    opened = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._evaluation: Evaluation | None = None
        self._whole: OutputEvaluation | None = None
        self._output: OutputEvaluation | None = None  # or one label of it
        self._part = 0  # which label or column
        self._cell: tuple[int, int] | None = None
        self._charts = ["", ""]  # what somebody chose
        self.parts = QComboBox()
        self.parts.setAccessibleName(text("evaluation.label_choice"))
        self.parts.activated.connect(self._choose_part)
        self.facts = QLabel(textFormat=Qt.TextFormat.RichText, wordWrap=True)
        self.facts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.threshold = ThresholdBar()
        self.threshold.moved.connect(self._move)
        self.panels = [ChartPanel(f"chart_{n}") for n in (0, 1)]
        for n, panel in enumerate(self.panels):
            panel.picked.connect(self._pick)
            panel.chosen.connect(partial(self._keep_choice, n))
        self.samples = SamplesView()
        self.samples.wanted.connect(self.wanted)
        self.samples.opened.connect(self.opened)
        self.samples.all_wanted.connect(self._show_all)
        self.nothing = note()
        self.split = QSplitter()
        for widget in (*self.panels, self.samples):
            self.split.addWidget(widget)
        self.split.setSizes(list(_SIZES))
        self.split.setChildrenCollapsible(False)
        head = QHBoxLayout()
        head.addWidget(self.parts)
        head.addWidget(self.facts, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addWidget(self.threshold)
        layout.addWidget(self.nothing)
        layout.addWidget(self.split, 1)

    # -- what is shown ---------------------------------------------------------------------------

    @property
    def place(self) -> int | None:
        """The threshold's, where there is one."""
        found = self._output
        return self.threshold.place if found is not None and found.kind == "binary" else None

    def show_output(self, evaluation: Evaluation, output: OutputEvaluation) -> None:
        """Show an output of an evaluation, from its start."""
        self._evaluation, self._whole = evaluation, output
        self._part = 0
        names = output.names if output.kind in ("labels", "numbers") else ()
        self.parts.clear()
        item = "label_item" if output.kind == "labels" else "column_item"
        self.parts.addItems([_part_name(item, name) for name in names])
        self.parts.setVisible(len(names) > 1)
        self._show_part()

    def _choose_part(self, part: int) -> None:
        self._part = part
        self._show_part()

    def _show_part(self) -> None:
        assert self._whole is not None
        self._output = output = choosing.one_label(self._whole, self._part)
        self._cell = None
        judged = output.judged > 0
        self.split.setVisible(judged)
        self.nothing.setVisible(not judged)
        unjudged = "unjudged" if output.kind == "unjudged" else "nothing_judged"
        self.nothing.setText(text(f"evaluation.{unjudged}"))
        self.threshold.setVisible(bool(output.kind == "binary" and output.thresholds))
        if output.kind == "binary" and output.thresholds:
            self.threshold.show_thresholds(output.thresholds[0])
        self._show_facts()
        if not judged:
            return
        for number, panel in enumerate(self.panels):
            panel.show_contents(self._contents(), self._charts[number] or self._usual(number))
        self._show_samples()

    def _show_facts(self) -> None:
        output = self._output
        assert output is not None
        told = " · ".join(left_out(self._whole or output)) if output.kind != "unjudged" else ""
        numbers = [f"{name} <b>{value}</b>" for name, value in self._numbers()]
        parts = [part.replace(" ", "&nbsp;") for part in (*numbers, told) if part]
        self.facts.setText(" &nbsp;· ".join(parts))

    def _numbers(self) -> list[tuple[str, str]]:
        output = self._output
        assert output is not None
        if output.kind == "numbers" and output.residuals:
            titles, rows = number_table(output)
            return list(zip(titles[2:], rows[self._part][2:], strict=True))
        if output.kind == "binary" and output.thresholds:
            cut = output.thresholds[0].cut(self.threshold.place)
            output = replace(output, confusion=choosing.at_cut(cut))
            shares = [(text(f"evaluation.{n}"), charts.share(getattr(cut, n))) for n in _SHARES]
            return [*shares, *in_numbers(output)]
        return in_numbers(output)

    # -- charts ----------------------------------------------------------------------------------

    def _usual(self, number: int) -> str:
        """The chart a panel shows until somebody chooses another."""
        assert self._output is not None
        if self._output.kind == "numbers":
            return ("chart_scatter", "chart_residuals")[number]
        return ("chart_confusion", "chart_roc")[number]

    def _keep_choice(self, number: int, name: str) -> None:
        self._charts[number] = name

    def _contents(self) -> Contents:
        """What can be shown of the output, made when it is."""
        output = self._output
        assert output is not None and self._evaluation is not None
        found: dict[str, object] = {}
        if output.confusion is not None or output.kind == "binary":
            found["chart_confusion"] = self._confusion
        if output.rankings:
            found["chart_roc"] = lambda: partial(self._with_place, charts.roc_chart)
            found["chart_precision_recall"] = lambda: partial(
                self._with_place, charts.precision_recall_chart
            )
        if output.kind == "binary":
            found["chart_scores"] = lambda: self._scores
        if len(output.calibrations) == 1:
            one = output.calibrations[0]
            found["chart_calibration"] = lambda: partial(charts.calibration_chart, one, output.name)
        if output.residuals:
            residuals = output.residuals[self._part]
            found["chart_scatter"] = lambda: partial(charts.scatter_chart, residuals)
            found["chart_residuals"] = lambda: partial(charts.residual_chart, residuals)
            found["chart_columns"] = lambda: Sheet(*number_table(output))
        if output.by_step is not None:
            found["chart_steps"] = lambda: partial(charts.step_chart, output)
        if output.classes:
            found["chart_classes"] = lambda: Sheet(*class_table(output))
        logs = [(key, f"{value:.4f}") for key, value in self._evaluation.logs.items()]
        titles = text("evaluation.quantity"), text("evaluation.value")
        found["chart_metrics"] = lambda: Sheet(titles, logs)
        return found  # type: ignore[return-value]

    def _confusion(self) -> object:
        output = self._output
        assert output is not None
        confusion = output.confusion
        if output.kind == "binary":
            confusion = choosing.at_cut(output.thresholds[0].cut(self.threshold.place))
        assert confusion is not None
        return partial(charts.confusion_chart, confusion, output.names)

    def _scores(self, width: float, height: float) -> Figure:
        output = self._output
        assert output is not None
        cut, place = output.thresholds[0], self.threshold.place
        return charts.scores_chart(cut, output.names, width, height, place)

    def _with_place(self, chart: Callable[..., Figure], width: float, height: float) -> Figure:
        return chart(self._output, width, height, self.place)

    def _move(self, place: int) -> None:
        self._show_facts()
        for panel in self.panels:
            panel.refresh()
        if self._cell is not None:
            self._show_samples()

    # -- samples ---------------------------------------------------------------------------------

    def _pick(self, key: tuple[object, ...]) -> None:
        match key:
            case ("cell", int(truth), int(said)):
                self._cell = truth, said
                self._show_samples()
            case ("row", int(row)) if self._output is not None:
                self._list(choosing.of_row(self._output, row), "", filtered=True)

    def _show_all(self) -> None:
        self._cell = None
        self._show_samples()

    def _show_samples(self) -> None:
        output = self._output
        assert output is not None
        if self._cell is None:
            self._show_worst()
            return
        truth, said = self._cell
        threshold = 0.5
        confusion = output.confusion
        if output.kind == "binary":
            cut = output.thresholds[0].cut(self.threshold.place)
            threshold, confusion = cut.threshold, choosing.at_cut(cut)
        places = choosing.in_cell(output, truth, said, threshold)
        count = int(confusion.matrix()[truth, said]) if confusion is not None else len(places)
        names = {"truth": output.names[truth], "said": output.names[said]}
        title = text("evaluation.samples_cell", count=f"{count:,}", **names)
        self._list(places, title, filtered=True)

    def _show_worst(self) -> None:
        output = self._output
        assert output is not None
        if output.worst_rows is not None:
            rows = worst_rows(output, MOST)
            found = [Sample(row, loss) for row, loss, _ in rows]
            title = self._order()
            self.samples.show_samples(found, title, False, output.by_error)
            return
        every = np.arange(len(output.samples) if output.samples is not None else 0)
        self._list(every, self._order(), filtered=False)

    def _order(self) -> str:
        """By what the samples are in order."""
        by_error = self._output is not None and self._output.by_error
        return text(f"evaluation.samples_{'error' if by_error else 'worst'}")

    def _list(self, places: NDArray[np.intp], title: str, filtered: bool) -> None:
        output = self._output
        assert output is not None
        found: list[Sample] = []
        several = output.by_step is not None
        if output.samples is not None:
            for place in places[:MOST].tolist():
                row, loss = int(output.samples.rows[place]), float(output.samples.losses[place])
                step = int(output.samples.steps[place]) if several else None
                found.append(Sample(row, loss, *said_text(output, place), step))
        if len(places) > MOST:
            counts = {"shown": MOST, "count": f"{len(places):,}"}
            title = f"{title} ({text('evaluation.samples_more', **counts)})"
        title = title if found or title else text("evaluation.samples_none")
        self.samples.show_samples(found, title, filtered, output.by_error)

    def take_rows(self, rows: list[Row]) -> None:
        """Rows that were asked for."""
        self.samples.take_rows(rows)


def _part_name(item: str, name: str) -> str:
    return text(f"evaluation.{item}", name=name) if name else text("evaluation.all_columns")
