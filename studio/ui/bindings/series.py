"""Whether samples are windows over successive rows, and which."""

from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from studio.document.plan import Series
from studio.text import text
from studio.train.table_view import TableView
from studio.ui.bindings.pairs import Pair, Pairs
from studio.ui.choices import ListedChoice
from studio.ui.editors import SwitchEditor, WholeEditor
from studio.ui.parts import heading, note

_WHOLE = {"length": 1, "ahead": 0, "step": 1}  # and the least
_COLUMNS = {"order": "binding.series_as_they_are", "group": "binding.series_all_one"}


class SeriesEditor(QWidget):
    """Edits the windows of a time series.

    Signals:
        edited(series): other windows, or None where each row is a sample.
    """

    edited = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._series: Series | None = None
        self.on = SwitchEditor(text("binding.series_on"))
        self.on.setObjectName("series")
        self.on.setToolTip(text("binding.series_tip"))
        self.on.edited.connect(lambda on: self.edited.emit(Series() if on else None))
        self.fields: dict[str, Any] = {name: WholeEditor(least) for name, least in _WHOLE.items()}
        self.fields |= {name: ListedChoice([]) for name in _COLUMNS}
        self._options = Pairs(
            [[self._pair(name) for name in names] for names in (_WHOLE, _COLUMNS)]
        )
        self.said = note()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(heading(text("binding.series")))
        layout.addWidget(self.on)
        layout.addWidget(self._options)
        layout.addWidget(self.said)
        self.show_series(None)

    def _pair(self, name: str) -> Pair:
        field = self.fields[name]
        field.setAccessibleName(text(f"binding.series_{name}"))
        field.setToolTip(text(f"binding.series_{name}_tip"))
        field.setObjectName(f"series_{name}")
        if name in _WHOLE:
            field.setMaximumWidth(90)
        field.edited.connect(partial(self._choose, name))
        return QLabel(text(f"binding.series_{name}")), field

    def show_series(self, series: Series | None) -> None:
        """Show these windows without telling of them."""
        self._series = series
        self.on.show_value(series is not None)
        self._options.setVisible(series is not None)
        self.said.setVisible(series is not None)
        if series is None:
            return
        for name, field in self.fields.items():
            field.show_value(getattr(series, name))
        self.said.setText(text("binding.series_said", length=series.length, ahead=series.ahead))

    def show_table(self, table: TableView | None) -> None:
        """Offer the columns of a table."""
        for name, usual in _COLUMNS.items():
            choices = [(text(usual), "")]
            choices += [(column, column) for column in table.columns] if table else []
            self.fields[name].set_choices(choices)
            self.fields[name].show_value(getattr(self._series, name) if self._series else "")

    def _choose(self, name: str, value: Any) -> None:
        if self._series is not None:
            self.edited.emit(replace(self._series, **{name: value}))
