"""The recurrent microscope: gates, states, and what flows back through time of each loss."""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QSignalBlocker
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QMenu,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from studio.document.model import Document, Endpoint
from studio.document.model import Path as CallPath
from studio.document.names import output_names
from studio.document.nesting import path_name
from studio.problem import ProblemError
from studio.text import text
from studio.train.report.shares import letter
from studio.train.study.recurrent import Reading, RecurrentSample
from studio.train.study.recurrent_calls import recurrent_paths
from studio.ui.dialogs import tell_problems
from studio.ui.elided import Elided
from studio.ui.parts import IconButton, note
from studio.ui.session import Session
from studio.ui.study.look_bar import LookBar
from studio.ui.study.loss_swatch import swatch
from studio.ui.study.page import StudyPage
from studio.ui.study.saying import moment, why_nothing
from studio.ui.study.time_files import FILES, suffix_of, write_picture
from studio.ui.study.time_rows import GROUPS, Picture, loss_name, picture, sentence
from studio.ui.study.time_view import TimeView
from studio.ui.study.watching import Study, Wish


class TimePage(StudyPage):
    """Looks into one recurrent call of the model, on one sample."""

    name = "time"

    def __init__(self, session: Session, study: Study) -> None:
        super().__init__(session, study)
        self._paths: list[CallPath] = []
        self._path: CallPath | None = None
        self._sample: RecurrentSample | None = None
        self._hidden: frozenset[str] = frozenset()
        self.loss_acts: dict[str, QAction] = {}
        self._build()
        self._list_calls()
        session.selected.connect(self._follow)
        session.entered.connect(self._follow)

    # -- building --------------------------------------------------------------------------------

    def _build(self) -> None:
        self.calls = QComboBox()
        self.calls.setAccessibleName(text("microscope.layer"))
        self.calls.setToolTip(text("microscope.layer_tip"))
        self.calls.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.calls.activated.connect(self._choose_call)
        self.readings = QComboBox()
        self.readings.setAccessibleName(text("microscope.reading"))
        self.readings.setToolTip(text("microscope.reading_tip"))
        self.readings.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.readings.activated.connect(self._draw)
        self.readings.hide()
        for choice in (self.calls, self.readings):
            choice.setMinimumWidth(64)  # where the dock is narrow
        self.look = LookBar(self.study)
        self.view = TimeView()
        self.jump_to = self._button("jump", "probes.show_node", self._jump)
        self.closer = self._button("zoom_in", "microscope.closer", lambda: self.view.zoom(1))
        self.wider = self._button("zoom_out", "microscope.wider", lambda: self.view.zoom(-1))
        self.show_menu = self._menu()
        self.export = self._button("export", "microscope.export", self.ask_export)
        self.told = Elided()
        self.status = note()
        self._lay_out()
        self.view.pointed.connect(self._show_told)
        self.view.zoomed.connect(self._allow)

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setSpacing(4)
        for widget in (self.calls, self.jump_to, self.readings, self.look):
            bar.addWidget(widget)
        bar.addStretch(1)
        for widget in (self.show_menu, self.wider, self.closer, self.export):
            bar.addWidget(widget)
        shown = QWidget()
        inside = QVBoxLayout(shown)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(3)
        inside.addWidget(self.told)
        inside.addWidget(self.view, 1)
        empty = QWidget()
        around = QVBoxLayout(empty)
        around.setContentsMargins(12, 12, 12, 12)
        around.addWidget(self.status)
        around.addStretch(1)
        self.stack = QStackedWidget()
        self.stack.addWidget(empty)
        self.stack.addWidget(shown)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 4)
        layout.setSpacing(4)
        layout.addLayout(bar)
        layout.addWidget(self.stack, 1)

    def _button(self, drawing: str, tip: str, act: Callable[[], object]) -> QToolButton:
        button = IconButton(drawing, text(tip))
        button.clicked.connect(lambda: act())
        return button

    def _menu(self) -> QToolButton:
        """What is drawn, to be ticked; below the kinds of rows are the losses."""
        button = QToolButton(popupMode=QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setText(text("microscope.show"))
        menu = QMenu(button)
        self.groups = {group: menu.addAction(text(f"microscope.{group}")) for group in GROUPS}
        for act in self.groups.values():
            act.setCheckable(True)
            act.setChecked(True)
            act.toggled.connect(self._draw)
        menu.addSeparator()
        button.setMenu(menu)
        return button

    # -- what is looked at -----------------------------------------------------------------------

    def wish(self) -> Wish:
        return Wish(recurrent=self._path)

    def look_into(self, path: CallPath) -> None:
        """Look into this call; nothing where it is none that can be looked into."""
        self._list_calls()
        if path in self._paths and path != self._path:
            self._path = path
            self._show_call()
            self.want()
            self.changed()

    def _list_calls(self) -> None:
        paths = recurrent_paths(self.session.document)
        names = path_names(self.session.document, paths)
        if paths != self._paths or names != [self.calls.itemText(i) for i in range(len(paths))]:
            self._paths = paths
            self.calls.clear()
            self.calls.addItems(names)
        if self._path not in paths:
            self._path = paths[0] if paths else None
            self.want()
        self._show_call()

    def _show_call(self) -> None:
        with QSignalBlocker(self.calls):
            self.calls.setCurrentIndex(self._paths.index(self._path) if self._path else -1)
        self.jump_to.setEnabled(self._path is not None)

    def _choose_call(self, number: int) -> None:
        self._path = self._paths[number]
        self.want()
        self.changed()

    def _follow(self, *_: object) -> None:
        """A recurrent node selected on the canvas is looked into, while this is in sight."""
        if self.in_sight and len(self.session.selection) == 1:
            (call,) = self.session.selection
            self.look_into((*self.session.way, call))

    def _jump(self) -> None:
        if self._path is not None:
            self.jump.emit(self._path[-1])

    # -- what is shown ---------------------------------------------------------------------------

    def catch_up(self) -> None:
        self._list_calls()
        seen = self.study.current
        found = seen.recurrent if seen is not None else None
        if found is not None and found.path == self._path:
            if found is not self._sample:
                self._take(found)
            elif not self.view.pointing:
                self._show_told("")
        else:
            self._sample = None
        self.stack.setCurrentIndex(int(self._sample is not None))
        self.status.setText("" if self._sample else self._why_nothing())
        self._allow()

    def _take(self, sample: RecurrentSample) -> None:
        self._sample = sample
        self.look.show_found(sample.count)
        names = [reading_name(sample, reading) for reading in sample.readings]
        if names != [self.readings.itemText(i) for i in range(self.readings.count())]:
            with QSignalBlocker(self.readings):
                self.readings.clear()
                self.readings.addItems(names)
        self.readings.setVisible(len(names) > 1)
        self._draw()

    def _why_nothing(self) -> str:
        if self._path is None:
            return text("microscope.no_layer")
        if why := why_nothing(self.study):
            return "\n".join(why)
        return text("lens.looking" if self.study.waiting else "microscope.not_computed")

    @property
    def reading(self) -> Reading | None:
        """What is drawn of the sample."""
        if self._sample is None:
            return None
        return self._sample.readings[max(0, self.readings.currentIndex())]

    def losses(self) -> Mapping[str, str]:
        """The names of the losses by their keys."""
        names = output_names(self.session.document)
        keys = self._sample.losses if self._sample is not None else ()
        return {key: names.get(Endpoint.parse(key), key) for key in keys}

    def drawn(self) -> Picture | None:
        """What is shown now."""
        sample, reading = self._sample, self.reading
        if sample is None or reading is None:
            return None
        groups = frozenset(group for group, act in self.groups.items() if act.isChecked())
        return picture(sample, reading, self.losses(), groups, self._hidden)

    def _draw(self, *_: object) -> None:
        self._list_losses()
        self.view.show_picture(self.drawn())
        self.view.setAccessibleDescription("; ".join(self._sentences(short=False)))
        if not self.view.pointing:
            self._show_told("")

    def _show_told(self, words: str) -> None:
        """Numbers where somebody points; else what becomes of each loss's gradient."""
        self.told.setText(words or self._at_first_sight())
        self.told.setToolTip("\n".join(self._sentences(short=False)))

    def _at_first_sight(self) -> str:
        """What becomes of each loss's gradient; or why what is shown is no longer so."""
        if self.study.problems and self.study.epoch is None:
            return text("microscope.stale", problem=self.study.problems[0])
        sentences = self._sentences(short=True)
        when = moment(self.study.current) if sentences else ""
        return " · ".join(filter(None, [when, *sentences]))

    def _sentences(self, short: bool) -> list[str]:
        sample, reading, names = self._sample, self.reading, self.losses()
        if sample is None or reading is None:
            return []
        told = []
        for number, key in enumerate(reading.norms):
            if key not in self._hidden:
                name = names[key] if short else loss_name(sample, key, names[key])
                told.append(f"{letter(number)} {name}: {sentence(sample, reading, key, short)}")
        return told

    def _allow(self) -> None:
        there = self._sample is not None
        for widget in (self.closer, self.export, self.show_menu):
            widget.setEnabled(there)
        self.wider.setEnabled(there and self.view.closer)

    # -- the losses ------------------------------------------------------------------------------

    def _list_losses(self) -> None:
        """Each of them can be taken away, in the menu of what is drawn."""
        names = self.losses()
        if list(self.loss_acts) != list(names):
            self._hidden &= frozenset(names)
            for act in self.loss_acts.values():
                act.deleteLater()
            self.loss_acts = {key: self._loss_act(key) for key in names}
        for number, (key, act) in enumerate(self.loss_acts.items()):
            act.setText(text("microscope.loss", name=names[key]))
            act.setIcon(swatch(number))
            with QSignalBlocker(act):
                act.setChecked(key not in self._hidden)

    def _loss_act(self, key: str) -> QAction:
        act = self.show_menu.menu().addAction("")
        act.setCheckable(True)
        act.toggled.connect(partial(self._show_loss, key))
        return act

    def _show_loss(self, key: str, shown: bool) -> None:
        self._hidden = self._hidden - {key} if shown else self._hidden | {key}
        self._draw()

    # -- taking it away --------------------------------------------------------------------------

    def ask_export(self) -> None:
        """Ask where to, and write what is shown there."""
        shown = self.drawn()
        if shown is None:
            return
        layer = self.calls.currentText().replace(" ▸ ", " ").replace("/", " of ")
        start = f"{layer}, {text('probes.sample')} {shown.sample.sample + 1}.png"
        title = text("microscope.export").rstrip("…")
        chosen, kind = QFileDialog.getSaveFileName(self, title, start, FILES)
        if chosen:
            self.export_to(Path(chosen).with_suffix(suffix_of(chosen, kind)))

    def export_to(self, path: Path) -> None:
        """Write what is shown: a picture of all rows, or a table of all numbers."""
        shown = self.drawn()
        if shown is None:
            return
        try:
            write_picture(path, shown, self.calls.currentText())
        except ProblemError as error:
            tell_problems(self, text("microscope.not_exported"), error.problems)

    # -- looks -----------------------------------------------------------------------------------

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "view"):
            self._list_losses()


def path_names(document: Document, paths: list[CallPath]) -> list[str]:
    """The names of several calls; those of one name are counted, as on the canvas."""
    names = [path_name(document, path) for path in paths]
    counts, many = Counter[str](), Counter(names)
    found = []
    for name in names:
        counts[name] += 1
        found.append(f"{name} {counts[name]}/{many[name]}" if many[name] > 1 else name)
    return found


def reading_name(sample: RecurrentSample, reading: Reading) -> str:
    """Which of the readings of a sample it is."""
    which = text("microscope.backwards" if reading.backwards else "microscope.forwards")
    if sample.readings[0].number == sample.readings[-1].number:
        return which
    return text("microscope.sequence", number=reading.number + 1, which=which)
