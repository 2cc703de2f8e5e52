"""Where the data comes from, what it holds, and which columns feed which port."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QResizeEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from studio.document import edits
from studio.document.model import Document
from studio.document.names import output_names
from studio.document.plan import Binding, Reading, Series, Source, Split, TableSource
from studio.problem import ProblemError
from studio.text import text
from studio.train.bindings import suggest_bindings
from studio.train.look import Look
from studio.train.ports import DataPort, input_ports, target_ports
from studio.train.table_view import Opened, TableView, is_large, open_source
from studio.train.tables import pasted_source
from studio.ui.background import Latest
from studio.ui.bindings.editor import BindingEditor
from studio.ui.bindings.series import SeriesEditor
from studio.ui.bindings.split import SplitEditor
from studio.ui.data_pages import DataPages
from studio.ui.file_choice import ask_file, ask_folder
from studio.ui.looks import Ending, Looks
from studio.ui.notice import Notice, ProblemsNotice, Tone
from studio.ui.parts import clear, heading, note, number
from studio.ui.session import Session
from studio.ui.source_bar import FILE, FOLDER, PASTE, ReadingProgress, SourceBar

_TURN = 10  # milliseconds in which the window does what else there is, between two parts of a look
_LOST = ("file_missing", "file_changed", "file_unreadable")
_LONG = 1.0  # seconds; what takes longer says afterwards what it did


class DataDock(QWidget):
    """The data plan of a session: source, table, bindings of every port, split.

    Signals:
        problems_found(list): everything wrong with the data, after each look at it.
        looked(): the table and what the ports receive are shown as the document says.
        model_wanted(): a model is to be proposed for the data.
    """

    problems_found = Signal(list)
    looked = Signal()
    model_wanted = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._look = Look(session.document)
        self._account: str = ""  # what the last long reading did
        self._rows: dict[str, BindingEditor] = {}
        self._stale: list[str] = []  # rows that still offer another table's columns
        self._renewing = QTimer(self, interval=_TURN)
        self._renewing.timeout.connect(self._renew_row)
        self._rest = QTimer(self, interval=_TURN, singleShot=True)
        self._rest.timeout.connect(self._show_rest)
        self._known_ports: list[DataPort] = []
        self._looks = Looks(self)
        self._looks.seen.connect(self._show_look)
        self._looks.told.connect(self._tell)
        self._looks.ended.connect(self._end)
        self._opener = Latest(self)
        self._opener.answered.connect(self._use_opened)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(6, 4, 6, 4)
        self._body: QWidget | None = None
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._build()
        session.changed.connect(self._on_change)
        session.path_changed.connect(self.refresh)
        session.weights_changed.connect(self.refresh)
        self.refresh()

    @property
    def busy(self) -> bool:
        """Whether a file is being read or looked at."""
        shows = self._renewing.isActive() or self._rest.isActive()
        return self._opener.busy or self._looks.busy or shows

    @property
    def look(self) -> Look:
        """What was last seen of the data."""
        return self._look

    def refresh(self) -> None:
        """Look at the data again, beside the window."""
        self._ask()

    @property
    def reader(self) -> int | None:
        """The id of the process that reads a large table, while there is one."""
        return self._looks.pid

    def close_reading(self) -> None:
        """End what is being read; no process is left."""
        self._opener.drop()
        self._looks.close()
        self.progress.end()

    def _ask(self, again: bool = False) -> None:
        document, fitted = self._session.document, dict(self._session.project.fitted)
        self.progress.begin()
        self._looks.ask(document, self._base(), fitted, again=again)

    def _base(self) -> Path:
        return self._session.path.parent if self._session.path else Path()

    # -- the widgets -----------------------------------------------------------------------------

    def _build(self) -> None:
        if self._body:
            clear(self._body)
        self._rows = {}
        self._body = QWidget(self)  # what gets another parent later is dressed anew
        self._layout.addWidget(self._body)
        self.bar = SourceBar()
        self.bar.chosen.connect(self._choose_source)
        self.bar.reload_wanted.connect(partial(self._ask, True))
        self.bar.locate_wanted.connect(self._locate)
        self.progress = ReadingProgress()
        self.progress.cancelled.connect(self._cancel)
        self.notice = ProblemsNotice(self._session, self._body)
        self.account = Notice(self._body)
        self.account.link.connect(lambda _: self._ask(True))
        self.ports_scroll = QScrollArea()
        self.pages = DataPages(self.ports_scroll, self._body)
        self._ports_panel = QWidget(self.ports_scroll.viewport())
        self._ports_layout = QVBoxLayout(self._ports_panel)
        self.ports_scroll.setWidgetResizable(True)
        self.ports_scroll.setWidget(self._ports_panel)
        self.pages.chosen.connect(self._choose_source)
        self.pages.reading_edited.connect(self._choose_reading)
        layout = QVBoxLayout(self._body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for widget in (self.bar, self.progress, self.notice, self.account):
            layout.addWidget(widget)
        layout.addWidget(self.pages, 1)
        self._show_plan()
        self._show_look(self._look)

    @property
    def source(self) -> Any:
        """The choice of the source."""
        return self.bar.choice

    @property
    def preview(self) -> Any:
        """The first rows of the table."""
        return self.pages.preview

    @property
    def reload(self) -> Any:
        """The button that looks at the file again."""
        return self.bar.reload

    @property
    def locate(self) -> Any:
        """The button that asks where the file is now."""
        return self.bar.locate

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._build()
            if self._looks.busy:
                self.progress.begin()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.pages.fit(event.size().width())
        self._show_trouble()

    # -- showing ---------------------------------------------------------------------------------

    def _on_change(self, old: Document, new: Document) -> None:
        before, ports = self._known_ports, self._ports()
        self._show_plan()
        if old.plan.data != new.plan.data or ports != before:
            self.refresh()

    def _ports(self) -> list[DataPort]:
        """Every input and every target of the document, as `ports_of`, from what is analysed."""
        document = self._session.document
        return input_ports(document) + target_ports(document, self._session.analysis)

    def _show_plan(self) -> None:
        """The document's plan, in the editors; what is being edited stays under the cursor."""
        data = self._session.document.plan.data
        self.bar.show_source(data.source)
        self._known_ports = ports = self._ports()
        fitting = [p.key for p in ports] == list(self._rows) and all(
            p.key in self._stale or self._rows[p.key].fits(p, self._look.table) for p in ports
        )
        if not fitting or not self._ports_layout.count():
            self._build_rows(ports)
        for port in ports:
            self._rows[port.key].show_binding(port.binding)
        self.split.show_split(data.split)
        self.series.show_series(data.series)

    def _build_rows(self, ports: list[DataPort]) -> None:
        for row in range(self._ports_layout.count() - 1, -1, -1):
            item = self._ports_layout.takeAt(row)
            if item and (widget := item.widget()):
                clear(widget)
        self._rows, self._stale = {}, []
        self.split = SplitEditor(self._session.path.parent if self._session.path else None)
        self.split.edited.connect(self._choose_split)
        self.series = SeriesEditor()
        self.series.edited.connect(self._choose_series)
        self.series.show_series(self._session.document.plan.data.series)
        self.series.show_table(self._look.table)
        add = self._ports_layout.addWidget
        add(self._build_head())
        if not ports:
            add(note(text("data.no_ports")))
            add(self._build_offer())
        for title, wanted in (("inputs", False), ("targets", True)):
            if title == "targets" and ports:
                add(heading(text("training.targets")))
            for port in (p for p in ports if bool(p.loss) is wanted):
                self._rows[port.key] = self._editor(port)
                add(self._rows[port.key])
        for name in self._without_target(ports):
            add(note(text("training.no_target", name=name)))
        add(self.split)
        add(self.series)
        self._ports_layout.addStretch(1)
        self._show_rows_look()

    def _editor(self, port: DataPort) -> BindingEditor:
        editor = BindingEditor(self._session, port, self._look.table, self._ports_panel)
        editor.edited.connect(partial(self._choose_binding, port))
        return editor

    def _renew_row(self) -> None:
        """Offer another table's columns in the next row: one at a time, lest the window wait."""
        ports = {port.key: port for port in self._ports()}
        while self._stale:
            key = self._stale.pop(0)
            port, old = ports.get(key), self._rows.get(key)
            if port is None or old is None or old.fits(port, self._look.table):
                continue
            self._rows[key] = self._editor(port)
            self._ports_layout.replaceWidget(old, self._rows[key])
            clear(old)
            self._rows[key].show_look(self._look.samples.get(key), self._look.at(port))
            return
        self._renewing.stop()

    def _build_head(self) -> QWidget:
        """The title of the inputs, and the act that binds all ports."""
        self.suggest = QPushButton(text("training.suggest"))
        self.suggest.setToolTip(text("training.suggest_tip"))
        self.suggest.clicked.connect(self._suggest)
        head = QWidget()
        row = QHBoxLayout(head)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(heading(text("training.inputs")), 1)
        row.addWidget(self.suggest)
        return head

    def _build_offer(self) -> QWidget:
        """Of a model without inputs: the act that proposes one for the data there is."""
        self.propose = QPushButton(text("binding.propose"))
        self.propose.setToolTip(text("binding.propose_tip"))
        empty = not self._session.document.graph.calls
        self.propose.setEnabled(empty and self._look.table is not None)
        self.propose.clicked.connect(self.model_wanted)
        place = QWidget()
        row = QHBoxLayout(place)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.propose)
        row.addStretch(1)
        return place

    def _without_target(self, ports: list[DataPort]) -> list[str]:
        document, keys = self._session.document, {p.key for p in ports}
        return [name for e, name in output_names(document).items() if e.key not in keys]

    def _show_look(self, seen: Look) -> None:
        old, self._look = self._look.table, seen
        self.pages.show_table(seen.table, self._session.document.plan.data.source)
        if seen.table is not old and (old is None or not old.alike(seen.table)):
            if self._rows:
                self._stale = list(self._rows)
                self.series.show_table(seen.table)
            else:
                self._build_rows(self._ports())
            self.split.show_split(self._session.document.plan.data.split)
            self._rest.start()
        else:
            self._show_rest()

    def _show_rest(self) -> None:
        """What a look found at each port; of another table later, lest the window wait for both."""
        self._rest.stop()
        self._show_rows_look()
        if self._stale:
            self._renewing.start()
        self.problems_found.emit(list(self._look.problems))
        self.looked.emit()

    def _show_rows_look(self) -> None:
        seen = self._look
        ports = self._ports()
        placed = {id(p) for port in ports for p in seen.at(port)}
        for port in ports:
            if port.key in self._rows:
                self._rows[port.key].show_look(seen.samples.get(port.key), seen.at(port))
        rest = [p for p in seen.problems if id(p) not in placed and p.code != "no_data"]
        self.notice.list_problems(text("training.data_problems"), rest)
        self.bar.locate.setVisible(any(p.code in _LOST for p in rest))
        self.suggest.setEnabled(seen.table is not None and bool(ports))
        self.split.show_table(seen.table, seen.rows)
        self._show_trouble()
        self._show_size()

    def _show_trouble(self) -> None:
        seen = self._look
        self.pages.show_trouble(
            sum(any(p.severity == "error" for p in seen.at(q)) for q in self._ports())
        )

    def _show_size(self) -> None:
        table = self._look.table
        if table is None:
            self.bar.size_label.setText("")
            return
        size = {"rows": number(table.rows), "columns": len(table.names)}
        if table.whole:
            self.bar.size_label.setText(self._account or text("training.table_size", **size))
        else:
            reading = "data.beginning" if self._looks.busy else "data.beginning_only"
            self.bar.size_label.setText(text(reading, **size))

    # -- reading ---------------------------------------------------------------------------------

    def _tell(self, doing: str, done: int, total: int) -> None:
        self.progress.show_progress(doing, done, total)

    def _cancel(self) -> None:
        if self._opener.busy:
            self._opener.drop()
            self.progress.end()
        self._looks.cancel()

    def _end(self, ending: Ending) -> None:
        """Say what a long reading did."""
        self.progress.end()
        table, seconds = self._look.table, f"{ending.seconds:.1f}"
        if ending.how == "seen":
            self.account.hide()
            if table is not None and ending.read:
                size = {"rows": number(table.rows), "columns": len(table.names)}
                said = text("data.was_read", **size, seconds=seconds)
                self._account = said if ending.seconds > _LONG else ""
                self._show_size()
        else:
            again = f"<a href='again'>{escape(text('data.read_again'))}</a>"
            rows = number(table.rows) if table else "0"
            self._show_size()
            said = text(f"data.{ending.how}", rows=rows, seconds=seconds)
            said = " ".join((said, *map(str, ending.problems)))
            tone: Tone = "info" if ending.how == "cancelled" else "error"
            self.account.say(tone, f"{escape(said)} {again}", ending.report)

    # -- acts, each one undo step ----------------------------------------------------------------

    def _commit(self, label: str, document: Document) -> None:
        self._session.commit(text(f"training.{label}"), document)

    def _choose_source(self, source: object) -> None:
        asked: dict[object, Callable[[], None]] = {
            FILE: self._ask_file,
            FOLDER: self._ask_folder,
            PASTE: self.paste,
        }
        if isinstance(source, str):
            self.bar.show_source(self._session.document.plan.data.source)
            asked[source]()
        else:
            assert source is None or isinstance(source, Source)
            self.use(source)

    def _ask_file(self) -> None:
        self._looks.warm_up()
        chosen = ask_file(self, self._base())
        if chosen:
            self.use_file(chosen)

    def _ask_folder(self) -> None:
        self._looks.warm_up()
        chosen = ask_folder(self, self._base())
        if chosen:
            self.use_file(chosen)

    def _locate(self) -> None:
        """Ask where the file is now; it is read as it was."""
        source = self._session.document.plan.data.source
        assert isinstance(source, TableSource)
        folder = not Path(source.path).suffix
        chosen = (ask_folder if folder else ask_file)(self, self._base(), Path(source.path).name)
        if chosen:
            self.use_file(chosen, source.reading)

    def paste(self) -> None:
        """Take the table on the clipboard."""
        copied = QGuiApplication.clipboard().text()
        if not copied.strip():
            self.account.say("warning", escape(text("data.nothing_to_paste")))
            return
        try:
            self.use(pasted_source(copied))
        except ProblemError as error:
            self.notice.list_problems(text("training.file_refused"), error.problems)

    def use_file(self, path: Path, reading: Reading = Reading()) -> None:
        """Take the data from a file or a folder; an unreadable one is refused, with why."""
        self._open(path, reading)

    def use(self, source: Source | None) -> None:
        """Take the data from `source`; a model without any bindings is given those that suit."""
        if source is None:
            self._commit("edit_source", edits.set_data(self._session.document, source=None))
        else:
            self._open(source)

    def _open(self, place: Path | Source, reading: Reading = Reading()) -> None:
        self.account.hide()
        self.progress.begin()
        self._opener.ask(partial(_opened, place, self._base(), reading))

    def _use_opened(self, opened: Opened | ProblemError) -> None:
        self.progress.end()
        if isinstance(opened, ProblemError):
            self.notice.list_problems(text("training.file_refused"), opened.problems)
            self.bar.show_source(self._session.document.plan.data.source)
            return
        document = edits.set_data(self._session.document, source=opened.source)
        data = document.plan.data
        if not data.inputs and not data.targets:
            document = self._suggested(document, opened.view)
        self._account = ""
        if document.plan.data == self._session.document.plan.data:
            self._ask(True)  # the same as before: read it again
        else:
            self._commit("edit_source", document)

    def _suggest(self) -> None:
        table = self._look.table
        if table is not None:
            self._commit("suggest", self._suggested(self._session.document, table))

    def _suggested(self, document: Document, table: TableView) -> Document:
        plan = suggest_bindings(document, table.head)
        return edits.set_data(document, inputs=plan.inputs, targets=plan.targets)

    def _choose_reading(self, reading: Reading) -> None:
        source = self._session.document.plan.data.source
        if isinstance(source, TableSource):
            self._account = ""
            changed = replace(source, reading=reading)
            self._commit("edit_source", edits.set_data(self._session.document, source=changed))

    def _choose_binding(self, port: DataPort, binding: Binding | None) -> None:
        document = self._session.document
        name = "targets" if port.loss else "inputs"
        bindings = {k: v for k, v in getattr(document.plan.data, name).items() if k != port.key}
        if binding is not None:
            bindings[port.key] = binding
        self._commit("edit_binding", edits.set_data(document, **{name: bindings}))

    def _choose_split(self, split: Split) -> None:
        table = self._look.table
        if split.kind == "column" and not split.column and table and table.columns:
            column = min(table.columns, key=table.distinct)
            split = replace(split, column=column, value=table.columns[column][-1].strip())
        self._commit("edit_split", edits.set_data(self._session.document, split=split))

    def _choose_series(self, series: Series | None) -> None:
        document = edits.set_data(self._session.document, series=series)
        self._session.commit(text("binding.edit_series"), document)

    # -- dropped and pasted ----------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        path = _dropped(event)
        if path is not None:
            event.acceptProposedAction()
            if is_large(TableSource(str(path)), Path()):
                self._looks.warm_up()

    def dropEvent(self, event: QDropEvent) -> None:
        path = _dropped(event)
        if path is not None:
            event.acceptProposedAction()
            self.use_file(path)

    def event(self, event: QEvent) -> bool:
        """Ctrl+V is the table's here, not the canvas's, unless a field wants it."""
        override = event.type() == QEvent.Type.ShortcutOverride
        if override and isinstance(event, QKeyEvent) and event.matches(_PASTE):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(_PASTE):
            self.paste()
        else:
            super().keyPressEvent(event)


_PASTE = QKeySequence.StandardKey.Paste
_OTHERS = (".loom", ".onnx", ".keras")  # what is opened otherwise


def _dropped(event: QDropEvent) -> Path | None:
    """The one file or folder that is being dragged, if it may hold a table."""
    urls = event.mimeData().urls()
    if len(urls) != 1 or not urls[0].isLocalFile():
        return None
    path = Path(urls[0].toLocalFile())
    return None if path.suffix.lower() in _OTHERS else path


def _opened(place: Path | Source, base: Path, reading: Reading) -> Opened | ProblemError:
    """A source and its beginning; else what is wrong with it."""
    try:
        return open_source(place, base, reading)
    except ProblemError as error:
        return error
