"""What is dropped on the window: projects, ONNX files, data, and columns of the table in use."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QObject, QPoint, QPointF, QTimer
from PySide6.QtGui import QDropEvent, QGuiApplication

from studio.document.model import CallId, Document, Endpoint
from studio.formats.newer_files import newer_problem
from studio.formats.strict_json import MalformedError, loads
from studio.layers.input import Input
from studio.problem import ProblemError
from studio.text import text
from studio.train.proposals import (
    Seen,
    columns_for,
    seen_file,
    seen_source,
    trains_first,
    use_source,
)
from studio.train.tables import pasted_source
from studio.train.tables.kinds import PICTURES
from studio.ui.background import Latest
from studio.ui.column_table import COLUMNS_MIME
from studio.ui.dialogs import ask_dropped, tell, tell_problems
from studio.ui.file_choice import ask_file, ask_folder
from studio.ui.files import ONNX, SUFFIX
from studio.ui.proposals.binding import DataDialog, InputDialog, OutputDialog
from studio.ui.proposals.dialog import ProposalDialog
from studio.ui.proposals.starting import StartDialog
from studio.ui.source_bar import FILE, FOLDER, PASTE

if TYPE_CHECKING:
    from studio.ui.window import MainWindow

_MODELS = (SUFFIX, ONNX)
_MOST = 2  # files with data at once: one trains, one validates


@dataclass(frozen=True)
class Spot:
    """Where something is dropped.

    Attributes:
        pos: on the scene; None beside the canvas.
        call: the node there.
        endpoint: what that node gives, where it is or may become an output.
        empty: whether the model has no nodes.
    """

    pos: QPointF | None = None
    call: CallId | None = None
    endpoint: Endpoint | None = None
    empty: bool = False


class Dropping(QObject):
    """Says what would become of what is over the window, and asks once it is dropped."""

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self._window = window
        self._reader = Latest(self)
        self._reader.answered.connect(self._propose)
        self._shown: str | None = None

    @property
    def busy(self) -> bool:
        """Whether a file that was dropped is being read."""
        return self._reader.busy

    # -- over the window -------------------------------------------------------------------------

    def over(self, event: QDropEvent) -> None:
        """Accept what can be used, and say at the hand what would become of it."""
        data = event.mimeData()
        if not (files_in(data) or columns_of_hand(data)):
            event.ignore()
            return
        event.acceptProposedAction()
        spot = self._spot(event.position().toPoint())
        said = self._said(data, spot)
        canvas = self._window.canvas
        canvas.canvas.offer(spot.call if said else None)
        if spot.pos is not None and not self._window.front.shows_page:
            canvas.hint.say(said, spot.pos, canvas.visible_rect(), False)

    def leave(self) -> None:
        """Nothing is over the window any more."""
        self._window.canvas.canvas.offer(None)
        self._window.canvas.hint.say("")

    def _spot(self, at: QPoint) -> Spot:
        window, session, canvas = self._window, self._window.session, self._window.canvas
        empty = not session.document.graph.calls
        inner = canvas.viewport().mapFrom(window, at)
        if window.front.shows_page or not canvas.viewport().rect().contains(inner):
            return Spot(empty=empty)
        pos = canvas.mapToScene(inner)
        call = canvas.canvas.node_at(pos)
        if call is None or session.way or session.file is not None:
            return Spot(pos, empty=empty)
        return Spot(pos, call, _gives(session.document, call), empty)

    def _said(self, data: QMimeData, spot: Spot) -> str:
        """What a drop there would do."""
        files, columns = files_in(data), columns_of_hand(data)
        tables = _tables(files)
        document = self._window.session.document
        if files and not tables:
            return ""
        what = ", ".join(columns)
        if tables:
            path, held = _pair(tables)
            what = path.name
            if held:
                what = text("binding.drop_both", what=what, held=held.name)
        if spot.call and isinstance(document.entry(spot.call).body, Input):
            name = document.entry(spot.call).name
            return text("binding.drop_input", what=what, name=name)
        if spot.call and spot.endpoint:
            return text("binding.drop_output", what=what, name=document.entry(spot.call).name)
        if columns:
            return text("binding.drop_new_input", what=what)
        return text("binding.drop_start" if spot.empty else "binding.drop_data", what=what)

    # -- dropped ---------------------------------------------------------------------------------

    def drop(self, event: QDropEvent) -> None:
        """Take what is dropped; what is to be asked is asked after the event."""
        data, spot = event.mimeData(), self._spot(event.position().toPoint())
        self.leave()
        if paths := files_in(data):
            event.acceptProposedAction()
            # Asking within the event would block the program the file comes from.
            QTimer.singleShot(0, self, partial(self._take, paths, spot))
        elif columns := columns_of_hand(data):
            event.acceptProposedAction()
            self.take_columns(columns, spot)

    def _take(self, paths: list[Path], spot: Spot) -> None:
        """One question after the other; a timer for each would ask within the one before."""
        for path in paths:
            if path.suffix.lower() in _MODELS:
                self.take_model(path, spot.pos)
        tables = _tables(paths)
        if len(tables) > _MOST:
            tell(self._window, text("binding.too_many_files"), warning=False)
        elif tables:
            self.take_table(*_pair(tables), spot)

    def take_model(self, path: Path, spot: QPointF | None = None) -> None:
        """A project or an ONNX file was dropped: ask whether it goes in as a layer or into a tab.

        Where there is nothing yet it is not asked: what it would go into is empty.
        """
        window, onnx = self._window, path.suffix.lower() == ONNX
        if window.front.shows_page or (onnx and not window.session.document.graph.calls):
            self._open_model(path)
            return
        answer, frozen = ask_dropped(window, path.name)
        if answer == "open":
            self._open_model(path)
        elif answer == "insert" and onnx:
            window.sharing.insert_onnx(path, spot, frozen)
        elif answer == "insert":
            self.insert(path, frozen, spot)

    def _open_model(self, path: Path) -> None:
        """Open a project; an ONNX file as the first layer of a new one."""
        window = self._window
        if path.suffix.lower() != ONNX:
            window.files.open(path)
            return
        if not window.desk.blank:
            window.files.new()
        window.front.leave_page()
        window.sharing.insert_onnx(path)

    def insert(self, path: Path, frozen: bool, spot: QPointF | None = None) -> None:
        """Put a project's model in as a layer."""
        other = self._window.files.read(path, "window.not_inserted")
        if other is None:
            return
        self._window.sharing.insert(path, other, frozen, spot)
        if other.newer is not None:
            tell(self._window, str(newer_problem(other.newer, path.name)))

    # -- data ------------------------------------------------------------------------------------

    def take_table(self, path: Path, held: Path | None = None, spot: Spot | None = None) -> None:
        """Read a file or a folder beside the window, and propose what to do with it.

        Args:
            held: a second file, to validate on.
            spot: where they were dropped.
        """
        spot = self._spot_for_data(spot)
        self._window.status.tell(text("binding.reading", name=path.name))
        session = self._window.session
        base = session.path.parent if session.path else None
        self._read(partial(seen_file, path, base, held), spot)

    def take_pasted(self, copied: str) -> None:
        """Propose what to do with a table that was on the clipboard."""
        try:
            source = pasted_source(copied)
        except ProblemError as error:
            tell_problems(self._window, text("training.file_refused"), error.problems)
            return
        self._read(partial(seen_source, source, Path()), self._spot_for_data())

    def _spot_for_data(self, spot: Spot | None = None) -> Spot:
        """Where data goes; the start page gives way to a canvas without anything on it."""
        window = self._window
        if window.front.shows_page:
            if not window.desk.blank:
                window.files.new()
            window.front.leave_page()
            return Spot(empty=True)
        return spot or Spot(empty=not window.session.document.graph.calls)

    def _read(self, read: "partial[Seen]", spot: Spot, columns: tuple[str, ...] = ()) -> None:
        document = self._window.session.document
        self._reader.ask(partial(_read, read, document, spot, columns))

    def ask(self, what: str = FILE) -> None:
        """Let data be chosen, and propose what to do with it, as if it had been dropped.

        Args:
            what: `FILE`, `FOLDER`, or `PASTE` for what is on the clipboard.
        """
        window = self._window
        if what == PASTE:
            copied = QGuiApplication.clipboard().text()
            if copied.strip():
                self.take_pasted(copied)
            else:
                tell(window, text("data.nothing_to_paste"), warning=False)
            return
        start = window.session.path.parent if window.session.path else Path()
        path = (ask_folder if what == FOLDER else ask_file)(window, start)
        if path is not None:
            self.take_table(path)

    def propose_model(self) -> None:
        """Propose a model for the data that an empty document has."""
        self.take_columns((), Spot(empty=True))

    def take_columns(self, columns: tuple[str, ...], spot: Spot) -> None:
        """Columns of the table in use were dropped."""
        session = self._window.session
        source = session.document.plan.data.source
        if source is None:
            return
        base = session.path.parent if session.path else Path()
        self._read(partial(seen_source, source, base), spot, columns)

    def _propose(self, found: "Found | ProblemError") -> None:
        window = self._window
        window.status.clearMessage()
        if isinstance(found, ProblemError):
            tell_problems(window, text("training.file_refused"), found.problems)
            return
        dialog = self._dialog(found)
        dialog.made.connect(self._made)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _dialog(self, found: "Found") -> ProposalDialog:
        window, spot, seen = self._window, found.spot, found.seen
        session, document = window.session, window.session.document
        known = spot.call is not None and spot.call in document.graph.calls
        if known and isinstance(document.entry(spot.call or "").body, Input):
            return InputDialog(session, seen, window, spot.call, found.columns)
        if known and spot.endpoint is not None:
            column = found.columns[0] if found.columns else ""
            return OutputDialog(session, seen, window, spot.endpoint, column)
        if found.columns:
            at = spot.pos or window.canvas.room()
            place = (round(at.x()), round(at.y()))
            return InputDialog(session, seen, window, None, found.columns, place)
        if not document.graph.calls:
            return StartDialog(session, seen, text("binding.starting_model"), window)
        name = seen.table.name
        return DataDialog(session, seen, text("binding.use_data", name=name), window)

    def _made(self, train: bool) -> None:
        """Show what was made, and train it if that is wanted."""
        window = self._window
        window.canvas.fit()
        if train:
            window.train()


@dataclass(frozen=True)
class Found:
    """What was read of what was dropped, where, and the columns it is about."""

    seen: Seen
    spot: Spot
    columns: tuple[str, ...]


def _read(
    read: partial[Seen], document: Document, spot: Spot, columns: tuple[str, ...]
) -> Found | ProblemError:
    """Read beside the window; for an Input, also which columns it should have."""
    try:
        seen = read()
    except ProblemError as error:
        return error
    call = spot.call
    if not columns and call and isinstance(document.entry(call).body, Input):
        fresh = use_source(document, seen.table, seen.source, without=call)
        columns = columns_for(fresh, call, seen.table)
    return Found(seen, spot, columns)


def _gives(document: Document, call: CallId) -> Endpoint | None:
    """The output of the model at a node, or what may become one: its only result, read by none."""
    graph = document.graph
    for endpoint in graph.outputs:
        if endpoint.call == call:
            return endpoint
    _, results = document.ports(document.entry(call))
    alone = len(results) == 1 and not graph.out_of(call)
    return Endpoint(call, results[0].name) if alone else None


def _pair(tables: list[Path]) -> tuple[Path, Path | None]:
    """Which of the files trains, and which one validates."""
    tables = trains_first(tables)
    return tables[0], None if len(tables) == 1 else tables[1]


def _tables(paths: list[Path]) -> list[Path]:
    """Those that hold data; one where all are arrays, which are one table as a folder's are."""
    tables = [path for path in paths if path.suffix.lower() not in _MODELS]
    return tables[:1] if all(path.suffix.lower() == ".npy" for path in tables) else tables


def files_in(data: QMimeData) -> list[Path]:
    """The files and folders that are being dragged; a picture by itself is no data."""
    paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    return [path for path in paths if path.suffix.lower() not in PICTURES]


def columns_of_hand(data: QMimeData) -> tuple[str, ...]:
    """The columns that are being dragged; none where another program says something odd."""
    try:
        found = loads(bytes(data.data(COLUMNS_MIME).data()))
    except MalformedError:
        return ()
    named = isinstance(found, list) and all(isinstance(name, str) for name in found)
    return tuple(found) if named else ()
