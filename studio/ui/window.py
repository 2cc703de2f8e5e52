"""The main window: the canvas in the middle, docks around it, menus, tool bar and status bar."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QShowEvent
from PySide6.QtWidgets import (
    QApplication,
    QDockWidget,
    QMainWindow,
    QMenu,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from studio.text import set_language, text
from studio.ui.about import AboutDialog
from studio.ui.actions import Actions
from studio.ui.breadcrumbs import Stage
from studio.ui.canvas import CanvasView, Hit
from studio.ui.commands import CONTEXT_CANVAS, CONTEXT_NODE, CONTEXT_PIECE, TOOLBAR, commands, menus
from studio.ui.data_dock import DataDock
from studio.ui.dialogs import ask_dropped, confirm
from studio.ui.export_dialog import run_export
from studio.ui.files import ONNX, SUFFIX, Files
from studio.ui.inspector import Inspector
from studio.ui.palette import Palette
from studio.ui.parts import clear
from studio.ui.problems_dock import ProblemsDock
from studio.ui.session import Session
from studio.ui.settings import Settings
from studio.ui.sharing import Sharing
from studio.ui.status import Status
from studio.ui.theme import apply_theme
from studio.ui.training_dock import TrainingDock
from studio.ui.translator import use_qt_texts
from studio.ui.try_dock import TryDock

_LEFT, _RIGHT, _BOTTOM = (
    Qt.DockWidgetArea.LeftDockWidgetArea,
    Qt.DockWidgetArea.RightDockWidgetArea,
    Qt.DockWidgetArea.BottomDockWidgetArea,
)
_DOCKS = {
    "palette": _LEFT,
    "inspector": _RIGHT,
    "problems": _BOTTOM,
    "data": _BOTTOM,
    "training": _BOTTOM,
    "try": _BOTTOM,
}
_WIDTHS = {"palette": 220, "inspector": 330}
_BOTTOM_SHARE = 0.33  # of the window's height


class MainWindow(QMainWindow):
    """One project in one window. Another project gets another session, and new views of it."""

    session: Session
    canvas: CanvasView

    def __init__(self, settings: Settings, session: Session) -> None:
        super().__init__()
        self.settings = settings
        self.session = session
        self.setAcceptDrops(True)
        self.setDockNestingEnabled(True)
        self._places = {name: _Place() for name in ("canvas", *_DOCKS)}
        self.setCentralWidget(self._places["canvas"])
        self.docks = {name: self._dock(name, area) for name, area in _DOCKS.items()}
        self._tabify()
        self.files = Files(self, settings, self._session, self.show_session, self._may_leave)
        self.toolbar = QToolBar(movable=False)
        self.toolbar.setObjectName("toolbar")
        self.addToolBar(self.toolbar)
        self.status = Status()
        self.setStatusBar(self.status)
        self.status.problems_clicked.connect(lambda: self.raise_dock("problems"))
        self.sharing = Sharing(self)
        self._build_views(session)
        self.actions_ = Actions(self, commands(self))
        self.actions_.attach(self.canvas)
        self.actions_.fill_toolbar(self.toolbar, TOOLBAR)
        self._retranslate()
        self.actions_.dress()
        self._place()

    # -- views of the session --------------------------------------------------------------------

    def show_session(self, session: Session) -> None:
        """Put another project into the window."""
        former, self.session = self.session, session
        self._build_views(session)
        self.actions_.attach(self.canvas)
        former.deleteLater()
        self._refresh()
        QTimer.singleShot(0, self, self._settle)

    def _build_views(self, session: Session) -> None:
        self.canvas = CanvasView(session)
        self.palette_ = Palette()
        self.inspector = Inspector(session)
        self.problems = ProblemsDock(session)
        self.training = TrainingDock(session)
        self.data = DataDock(session)
        views: dict[str, QWidget] = {
            "palette": self.palette_,
            "inspector": self.inspector,
            "problems": self.problems,
            "training": self.training,
            "data": self.data,
            "try": TryDock(session),
        }
        for name, view in views.items():
            self._places[name].put(view)
        self.stage = Stage(session, self.canvas)
        self._places["canvas"].put(self.stage)
        self._connect(session)
        self.canvas.setFocus(Qt.FocusReason.OtherFocusReason)

    def _connect(self, session: Session) -> None:
        self.inspector.wanted.connect(lambda act: self.actions_.qt[act].trigger())
        self.palette_.chosen.connect(self.canvas.add_layer)
        self.canvas.node_activated.connect(self._activate)
        self.problems.jump.connect(self.canvas.jump_to)
        self.problems.counted.connect(self.status.show_problems)
        self.canvas.context_requested.connect(self._show_context)
        self.canvas.picked.connect(self._refresh)
        self.training.state_changed.connect(self._refresh)
        self.training.problems_found.connect(partial(self.problems.add_source, "training"))
        self.data.problems_found.connect(partial(self.problems.add_source, "data"))
        session.changed.connect(lambda: self.problems.drop_source("training"))
        session.changed.connect(self._refresh)
        session.selected.connect(self._refresh)
        session.entered.connect(self._refresh)
        session.weights_changed.connect(self._refresh)
        session.path_changed.connect(self._refresh)
        self.problems.refresh()

    def _session(self) -> Session:
        return self.session

    def _refresh(self, *_: object) -> None:
        """Title, status and what can be done, as things stand."""
        self.setWindowTitle(f"{self.files.name}[*] — {text('window.title')}")
        self.setWindowModified(self.session.modified)
        training = self.training.training
        started = training.progress.started
        self.status.show_session(self.session, training.phase, started.engine if started else None)
        self.actions_.refresh()

    # -- docks -----------------------------------------------------------------------------------

    def _dock(self, name: str, area: Qt.DockWidgetArea) -> QDockWidget:
        dock = QDockWidget()
        dock.setObjectName(f"{name}_dock")
        dock.setWidget(self._places[name])
        self.addDockWidget(area, dock)
        return dock

    def _tabify(self) -> None:
        # The bottom docks stand between the side docks, so that those keep their whole height.
        for corner, area in (
            (Qt.Corner.BottomLeftCorner, _LEFT),
            (Qt.Corner.BottomRightCorner, _RIGHT),
        ):
            self.setCorner(corner, area)
        first, *others = (self.docks[n] for n, area in _DOCKS.items() if area == _BOTTOM)
        for dock in others:
            self.tabifyDockWidget(first, dock)
        self.setTabPosition(_BOTTOM, self.tabPosition(_BOTTOM).North)
        first.raise_()

    def raise_dock(self, name: str) -> None:
        """Show a dock, in front of those it shares a place with."""
        self.docks[name].show()
        self.docks[name].raise_()

    def fill_docks(self, menu: QMenu) -> None:
        """A switch for each dock."""
        for dock in self.docks.values():
            menu.addAction(dock.toggleViewAction())

    def _place(self) -> None:
        geometry, state = self.settings.layout()
        self._unplaced = False
        if not (self.restoreGeometry(geometry) and self.restoreState(state)):
            screen = self.screen().availableGeometry()
            self.resize(min(1600, screen.width()), min(1000, screen.height()))
            self._unplaced = True

    def _size_docks(self) -> None:
        sides = [self.docks[name] for name in _WIDTHS]
        self.resizeDocks(sides, list(_WIDTHS.values()), Qt.Orientation.Horizontal)
        self.resizeDocks(
            [self.docks["problems"]],
            [round(self.height() * _BOTTOM_SHARE)],
            Qt.Orientation.Vertical,
        )

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not event.spontaneous():
            QTimer.singleShot(0, self, self._settle)

    def _settle(self) -> None:
        """What needs the window's real size: the docks', the first time, and the view's."""
        if self._unplaced:
            self._unplaced = False
            self._size_docks()
        self.canvas.fit()

    # -- acts ------------------------------------------------------------------------------------

    def train(self) -> None:
        """Start training, and show it."""
        self.raise_dock("training")
        self.training.start()

    def reset_weights(self) -> None:
        """Ask, then forget what training learnt."""
        if confirm(self, text("window.reset_weights_ask"), text("window.reset_weights_yes")):
            self.training.forget_choice()
            self.session.reset_weights()

    def export_onnx(self) -> None:
        """Open the export dialog."""
        run_export(self.session, self)

    def show_about(self) -> None:
        """What this program is."""
        AboutDialog(self).exec()

    def set_theme(self, name: str) -> None:
        """Dress everything in another theme, and keep the choice."""
        self.settings.theme = name
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        apply_theme(application, name)

    def set_language(self, language: str) -> None:
        """Say everything in another language, and keep the choice."""
        self.settings.language = language
        set_language(language)
        use_qt_texts(language)
        # Every widget hears of it as QEvent.LanguageChange, through its parent.
        QApplication.sendEvent(self, QEvent(QEvent.Type.LanguageChange))

    def look_inside(self) -> None:
        """Look into the model that is selected."""
        self.session.enter(next(iter(self.session.selection)))

    def show_model(self) -> None:
        """Show the settings of the whole model."""
        self.session.look(())
        self.session.select(())

    def _activate(self, call: str) -> None:
        if self.session.holds_model(call):
            self.session.enter(call)
        else:
            self._edit_node(call)

    def _edit_node(self, call: str) -> None:
        self.raise_dock("inspector")
        self.session.select([call])
        self.inspector.focus_first()

    def _show_context(self, hit: Hit, pos: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        on_something = hit.call is not None or hit.wire is not None
        entries = CONTEXT_NODE if on_something else CONTEXT_CANVAS
        self.actions_.fill_menu(menu, CONTEXT_PIECE if hit.piece is not None else entries)
        menu.popup(pos)

    # -- language and theme ----------------------------------------------------------------------

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        elif event.type() == QEvent.Type.PaletteChange:
            self.actions_.dress()
        super().changeEvent(event)

    def _retranslate(self) -> None:
        for name, dock in self.docks.items():
            dock.setWindowTitle(text(f"window.dock_{name}"))
        self.toolbar.setWindowTitle(text("window.toolbar"))
        self.menuBar().clear()
        for name, entries in menus(self).items():
            menu = self.menuBar().addMenu(text(f"window.menu_{name}"))
            self.actions_.fill_menu(menu, entries)
        self._refresh()

    # -- files dropped, closing ------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _file_in(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = _file_in(event)
        if path:
            event.acceptProposedAction()
            at = self.canvas.viewport().mapFrom(self, event.position().toPoint())
            inside = self.canvas.viewport().rect().contains(at)
            spot = self.canvas.mapToScene(at) if inside else None
            # Asking within the event would block the program the file comes from.
            QTimer.singleShot(0, self, lambda: self.dropped(path, spot))

    def dropped(self, path: Path, spot: QPointF | None = None) -> None:
        """A file was dropped: an ONNX file is put in as a layer; a project's, too, or opened."""
        if path.suffix.lower() == ONNX:
            self.sharing.insert_onnx(path, spot)
            return
        answer, frozen = ask_dropped(self, path.name)
        if answer == "open":
            self.files.open(path)  # which asks itself when there are changes
        elif answer == "insert":
            self._insert(path, frozen, spot)

    def insert_model(self) -> None:
        """Let a project's file be chosen, and put its model in as a layer."""
        path = self.files.ask_insert()
        if path is not None:
            self._insert(path, frozen=False)

    def _insert(self, path: Path, frozen: bool, spot: QPointF | None = None) -> None:
        other = self.files.read(path, "window.not_inserted")
        if other is not None:
            self.sharing.insert(path, other, frozen, spot)

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.files.leave():
            event.ignore()
            return
        self.settings.keep_layout(self.saveGeometry(), self.saveState())
        event.accept()

    def _may_leave(self) -> bool:
        """Ask what becomes of a training under way."""
        return self.training.shutdown()


class _Place(QWidget):
    """Where a view stands. It stays when the view is replaced, so that docks keep their sizes."""

    def __init__(self) -> None:
        super().__init__()
        self._view: QWidget | None = None
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)

    def put(self, view: QWidget) -> None:
        """Show `view` and delete the one before it."""
        if self._view is not None:
            clear(self._view)
        self._view = view
        self._layout.addWidget(view)


def _file_in(event: QDropEvent) -> Path | None:
    """The project or the ONNX file that is being dragged."""
    paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
    return next((p for p in paths if p.suffix.lower() in (SUFFIX, ONNX)), None)
