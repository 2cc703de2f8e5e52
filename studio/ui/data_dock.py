"""Where the data comes from, and which columns feed which port."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from studio.document import edits
from studio.document.model import Document
from studio.document.names import output_names
from studio.document.plan import Binding, GeneratedSource, Source, Split, TableSource
from studio.problem import ProblemError
from studio.text import text
from studio.train.bindings import suggest_bindings
from studio.train.data import load_table
from studio.train.generators import GENERATORS
from studio.train.ports import DataPort, input_ports, target_ports
from studio.train.tables import table_source
from studio.ui.background import Latest
from studio.ui.binding_editor import BindingEditor
from studio.ui.choices import ListedChoice
from studio.ui.data_look import Look, look
from studio.ui.icons import icon
from studio.ui.notice import ProblemsNotice
from studio.ui.parts import clear, heading, note, number
from studio.ui.session import Session
from studio.ui.split_editor import SplitEditor
from studio.ui.table_preview import TablePreview

_FILE = "file…"
_LOST = ("file_missing", "file_changed", "file_unreadable")


class DataDock(QWidget):
    """The data plan of a session: source, table, bindings of every port, split.

    Signals:
        problems_found(list): everything wrong with the data, after each look at it.
        looked(): the table and what the ports receive are shown as the document says.
    """

    problems_found = Signal(list)
    looked = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._look = Look(session.document)
        self._rows: dict[str, BindingEditor] = {}
        self._known_ports: list[DataPort] = []
        self._worker = Latest(self)
        self._worker.answered.connect(self._show_look)
        self._reader = Latest(self)
        self._reader.answered.connect(self._use_read)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(6, 6, 6, 6)
        self._body: QWidget | None = None
        self._build()
        session.changed.connect(self._on_change)
        session.path_changed.connect(self.refresh)
        session.weights_changed.connect(self.refresh)
        self.refresh()

    @property
    def busy(self) -> bool:
        """Whether a file is being read or looked at."""
        return self._reader.busy or self._worker.busy

    @property
    def look(self) -> Look:
        """What was last seen of the data."""
        return self._look

    def refresh(self) -> None:
        """Look at the data again, beside the window."""
        document, fitted = self._session.document, dict(self._session.project.fitted)
        self._worker.ask(partial(look, document, self._base(), fitted))

    def _base(self) -> Path:
        return self._session.path.parent if self._session.path else Path()

    # -- the widgets -----------------------------------------------------------------------------

    def _build(self) -> None:
        if self._body:
            clear(self._body)
        self._rows = {}
        self._body = QWidget()
        self._layout.addWidget(self._body)
        self.notice = ProblemsNotice(self._session)
        self.preview = TablePreview()
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(self._build_source())
        column.addWidget(self.notice)
        column.addWidget(self.preview, 1)
        self._ports_panel = QWidget()
        self._ports_layout = QVBoxLayout(self._ports_panel)
        self.ports_scroll = QScrollArea()
        self.ports_scroll.setWidgetResizable(True)
        self.ports_scroll.setWidget(self._ports_panel)
        split = QSplitter()
        split.addWidget(left)
        split.addWidget(self.ports_scroll)
        split.setSizes([500, 600])
        split.setChildrenCollapsible(False)
        layout = QVBoxLayout(self._body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(split)
        self._show_plan()
        self._show_look(self._look)

    def _build_source(self) -> QHBoxLayout:
        self.source = ListedChoice([])
        self.source.setMinimumContentsLength(16)
        self.source.setAccessibleName(text("training.source"))
        self.source.edited.connect(self._choose_source)
        self.table_size = QLabel()
        self.locate = QPushButton(text("training.locate"))
        self.locate.clicked.connect(self._ask_file)
        self.suggest = QPushButton(text("training.suggest"))
        self.suggest.setToolTip(text("training.suggest_tip"))
        self.suggest.clicked.connect(self._suggest)
        self.reload = QPushButton(icon("refresh"), "")
        self.reload.setToolTip(text("training.reload"))
        self.reload.setAccessibleName(text("training.reload"))
        self.reload.clicked.connect(self.refresh)
        row = QHBoxLayout()
        row.addWidget(QLabel(text("training.source")))
        row.addWidget(self.source)
        row.addWidget(self.reload)
        row.addWidget(self.locate)
        row.addWidget(self.table_size)
        row.addStretch(1)
        row.addWidget(self.suggest)
        return row

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._build()
        elif event.type() == QEvent.Type.PaletteChange and self._body:
            self.reload.setIcon(icon("refresh"))

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
        self._show_source(data.source)
        self._known_ports = ports = self._ports()
        fitting = [p.key for p in ports] == list(self._rows) and all(
            self._rows[p.key].fits(p, self._look.table) for p in ports
        )
        if not fitting or not self._ports_layout.count():
            self._build_rows(ports)
        for port in ports:
            self._rows[port.key].show_binding(port.binding)
        self.split.show_split(data.split)

    def _show_source(self, source: Source | None) -> None:
        choices: list[tuple[str, object]] = [(text("training.no_source"), None)]
        if isinstance(source, TableSource):
            choices.append((Path(source.path).name, source))
        choices.append((text("training.choose_file"), _FILE))
        for name in GENERATORS:
            mine = isinstance(source, GeneratedSource) and source.name == name
            made = source if mine else GeneratedSource(name)
            choices.append((text("training.generated", name=name), made))
        self.source.set_choices(choices)
        self.source.show_value(source)
        self.source.setToolTip(source.path if isinstance(source, TableSource) else "")

    def _build_rows(self, ports: list[DataPort]) -> None:
        for row in range(self._ports_layout.count() - 1, -1, -1):
            item = self._ports_layout.takeAt(row)
            if item and (widget := item.widget()):
                clear(widget)
        self._rows = {}
        self.split = SplitEditor()
        self.split.edited.connect(self._choose_split)
        add = self._ports_layout.addWidget
        for title, wanted in (("inputs", False), ("targets", True)):
            add(heading(text(f"training.{title}")))
            for port in (p for p in ports if bool(p.loss) is wanted):
                editor = BindingEditor(self._session, port, self._look.table)
                editor.edited.connect(partial(self._choose_binding, port))
                self._rows[port.key] = editor
                add(editor)
        for name in self._without_target(ports):
            add(note(text("training.no_target", name=name)))
        add(self.split)
        self._ports_layout.addStretch(1)
        self._show_rows_look()

    def _without_target(self, ports: list[DataPort]) -> list[str]:
        document, keys = self._session.document, {p.key for p in ports}
        return [name for e, name in output_names(document).items() if e.key not in keys]

    def _show_look(self, seen: Look) -> None:
        fresh = seen.table is not self._look.table
        self._look = seen
        self.preview.show_table(seen.table)
        if fresh:
            self._build_rows(self._ports())
            self.split.show_split(self._session.document.plan.data.split)
        self._show_rows_look()
        self.problems_found.emit(list(seen.problems))
        self.looked.emit()

    def _show_rows_look(self) -> None:
        seen = self._look
        ports = self._ports()
        placed = {id(p) for port in ports for p in seen.at(port)}
        for port in ports:
            if port.key in self._rows:
                self._rows[port.key].show_look(seen.samples.get(port.key), seen.at(port))
        rest = [p for p in seen.problems if id(p) not in placed]
        self.notice.list_problems(text("training.data_problems"), rest)
        self.locate.setVisible(any(p.code in _LOST for p in rest))
        self.suggest.setEnabled(seen.table is not None)
        self.split.show_table(seen.table, seen.rows)
        table = seen.table
        self.table_size.setText(
            text("training.table_size", rows=number(table.rows), columns=len(table.names))
            if table
            else ""
        )

    # -- acts, each one undo step ----------------------------------------------------------------

    def _commit(self, label: str, document: Document) -> None:
        self._session.commit(text(f"training.{label}"), document)

    def _choose_source(self, source: object) -> None:
        if source == _FILE:
            self._show_source(self._session.document.plan.data.source)
            self._ask_file()
        else:
            assert source is None or isinstance(source, TableSource | GeneratedSource)
            self.use(source)

    def _ask_file(self) -> None:
        tables, others = text("training.tables"), text("training.all_files")
        filters = f"{tables} (*.csv *.csv.gz *.tsv *.txt *.gz *.npz *.npy);;{others} (*)"
        title = text("training.choose_file").rstrip("…")
        chosen, _ = QFileDialog.getOpenFileName(self, title, str(self._base()), filters)
        if chosen:
            self.use_file(Path(chosen))

    def use_file(self, path: Path) -> None:
        """Take the data from a CSV, .npz or .npy file; an unreadable one is refused, with why."""
        base = self._session.path.parent if self._session.path else None
        self._reader.ask(partial(_source_of, path, base))

    def _use_read(self, found: TableSource | ProblemError) -> None:
        if isinstance(found, ProblemError):
            self.notice.list_problems(text("training.file_refused"), found.problems)
        else:
            self.use(found)

    def use(self, source: Source | None) -> None:
        """Take the data from `source`; a model without any bindings is given those that suit."""
        document = edits.set_data(self._session.document, source=source)
        data = document.plan.data
        if source is not None and not data.inputs and not data.targets:
            document = self._suggested(document)
        self._commit("edit_source", document)

    def _suggest(self) -> None:
        self._commit("suggest", self._suggested(self._session.document))

    def _suggested(self, document: Document) -> Document:
        try:
            table = load_table(document.plan.data.source, self._base())
        except ProblemError:
            return document  # shown as soon as it is looked at
        plan = suggest_bindings(document, table)
        return edits.set_data(document, inputs=plan.inputs, targets=plan.targets)

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


def _source_of(path: Path, base: Path | None) -> TableSource | ProblemError:
    """A file as a source, once it was read; else what is wrong with it."""
    try:
        return table_source(path, base)
    except ProblemError as error:
        return error
