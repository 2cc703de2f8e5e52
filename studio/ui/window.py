"""The main window: projects in tabs in the middle, docks around, menus, tool bar, status bar."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QPoint, Qt, QTimer
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QApplication, QDialog, QDockWidget, QMainWindow, QMenu, QToolBar

from studio.document.project import Project
from studio.text import set_language, text
from studio.train.tables import Table
from studio.ui.about import AboutDialog
from studio.ui.actions import Actions
from studio.ui.breadcrumbs import Stage
from studio.ui.canvas import CanvasView, Hit
from studio.ui.command_palette import CommandPalette
from studio.ui.commands import (
    CONTEXT_CANVAS,
    CONTEXT_NODE,
    CONTEXT_PIECE,
    CONTEXT_PROBE,
    TOOLBAR,
    commands,
    menus,
)
from studio.ui.data_dock import DataDock
from studio.ui.desk import Desk
from studio.ui.dialogs import confirm, tell
from studio.ui.docks import Docks
from studio.ui.dropping import Dropping
from studio.ui.editors import finish_typing
from studio.ui.export_dialog import run_export
from studio.ui.files import Files
from studio.ui.front import Front
from studio.ui.inspector import Inspector
from studio.ui.keys_view import KeysDialog
from studio.ui.palette import Palette
from studio.ui.preferences import Preferences, use_memory, use_threads
from studio.ui.problems_dock import ProblemsDock
from studio.ui.recovery.offering import Offering
from studio.ui.session import Session
from studio.ui.settings import Settings
from studio.ui.sharing import Sharing
from studio.ui.status import Status
from studio.ui.study.acts import show_value
from studio.ui.study.step_dialog import Step, StepDialog, ask_step
from studio.ui.summary_dock import SummaryDock
from studio.ui.tabs import Tabs
from studio.ui.theme import apply_theme
from studio.ui.tour import Tour
from studio.ui.training_dock import TrainingDock
from studio.ui.translator import use_qt_texts
from studio.ui.weights_dock import WeightsDock


class MainWindow(QMainWindow):
    """Projects side by side, each a desk behind a tab; docks and acts are about the one in front.

    Nothing that is open is ever replaced, but for a blank project by the first that is opened.

    Args:
        settings: what a person chose.
        session: what is open at first.
        kept_in: the folder of what is kept of projects nobody could save; None: nothing is.

    Attributes:
        ending: whether the system is about to end the session: then closing asks nothing.
    """

    def __init__(self, settings: Settings, session: Session, kept_in: Path | None = None) -> None:
        super().__init__()
        self.settings = settings
        self._kept_in = kept_in
        self.ending: Callable[[], bool] = lambda: False
        self.setAcceptDrops(True)
        self.setDockNestingEnabled(True)
        self.tabs = Tabs()
        self.front = Front(self, settings, self.tabs)
        self.front.left.connect(lambda: QTimer.singleShot(0, self, self._settle))
        self.setCentralWidget(self.front)
        self.panels = Docks(self)
        self.palette_ = Palette()
        self.palette_.chosen.connect(lambda kind: self.canvas.add_layer(kind))
        self.panels.put({"palette": self.palette_})
        self.files = Files(self, settings, self)
        self.recovery = Offering(kept_in, self, self)
        for bar in (self.recovery.notice, self.recovery.bar):
            self.front.put_on_top(bar)
        self.dropping = Dropping(self)
        self.front.attach(self.files, self.start_tour, self.dropping.ask)
        self.toolbar = QToolBar(movable=False)
        self.toolbar.setObjectName("toolbar")
        self.addToolBar(self.toolbar)
        self.status = Status()
        self.setStatusBar(self.status)
        self.status.problems_clicked.connect(lambda: self.raise_dock("problems"))
        self.sharing = Sharing(self)
        self.tour = Tour(self)
        self.front.put_above(self.tour.bar)
        self._put(session)
        self.tabs.raised.connect(self._raised)
        self.tabs.close_wanted.connect(self.close_tab)
        self.actions_ = Actions(self, commands(self), settings.keys)
        self.front.turned.connect(self._refresh)
        self.recovery.counted.connect(self._refresh)
        self.actions_.attach(self.canvas)
        self.actions_.fill_toolbar(self.toolbar, TOOLBAR)
        self._retranslate()
        self.actions_.dress()
        self.panels.place(*settings.layout())
        self._raised(self.desk)

    # -- the project in front --------------------------------------------------------------------

    @property
    def desk(self) -> Desk:
        """What is in front."""
        return self.tabs.current

    @property
    def session(self) -> Session:
        return self.desk.session

    @property
    def canvas(self) -> CanvasView:
        return self.desk.canvas

    @property
    def stage(self) -> Stage:
        return self.desk.stage

    @property
    def inspector(self) -> Inspector:
        return self.desk.inspector

    @property
    def problems(self) -> ProblemsDock:
        return self.desk.problems

    @property
    def training(self) -> TrainingDock:
        return self.desk.training

    @property
    def data(self) -> DataDock:
        return self.desk.data

    @property
    def summary(self) -> SummaryDock:
        return self.desk.summary

    @property
    def weights(self) -> WeightsDock:
        return self.desk.weights

    # -- tabs ------------------------------------------------------------------------------------

    def show_session(self, session: Session) -> None:
        """Open another project in a tab; a blank one that is in front gives way to it."""
        self.front.leave_page()
        former = self.desk
        self.actions_.attach(self._put(session).canvas)
        if former.blank:
            self.tabs.remove(former)

    def raise_file(self, path: Path) -> bool:
        """Bring the project of this file to the front; False where it is not open."""
        desk = self.tabs.at(path)
        if desk is not None:
            self._bring(desk)
        return desk is not None

    def is_open(self, path: Path) -> bool:
        """Whether the project of this file is open."""
        return self.desk_of(path) is not None

    def desk_of(self, path: Path) -> Desk | None:
        """What has this file open."""
        return self.tabs.at(path)

    def give_way(self, desk: Desk) -> None:
        """Close a tab behind another one; nothing is asked."""
        self.tabs.remove(desk)

    def close_tab(self, desk: Desk | None = None) -> None:
        """Ask what is unsaved, then close a tab, the one in front if None; never leave none."""
        desk = desk or self.desk
        if not self._may_close(desk):
            return
        if len(self.tabs.desks) == 1:
            self.actions_.attach(self._put(Session(Project())).canvas)
        self.tabs.remove(desk)

    def _put(self, session: Session) -> Desk:
        """A desk for a session, in front."""
        desk = Desk(session, self._kept_in)
        self.panels.put(desk.views)
        if desk.keeping is not None:
            desk.keeping.told.connect(self.recovery.warn)
        desk.set_wheel(self.settings.wheel == "scroll")
        desk.canvas.show_shapes(self.settings.wire_shapes)
        desk.changed.connect(self._refresh)
        session.changed.connect(self.front.leave_page)
        desk.counted.connect(partial(self._count, desk))
        desk.canvas.told.connect(self.status.tell)
        for place in (desk.canvas, desk.training):
            place.data_wanted.connect(lambda: self.raise_dock("data"))
        desk.training.training.met.connect(lambda _: self._show_met(desk))
        for asking in (desk.inspector.wanted, desk.outline.asked, desk.training.asked):
            asking.connect(lambda act: self.actions_.qt[act].trigger())
        desk.row_opened.connect(partial(self._try_row, desk))
        desk.canvas.node_activated.connect(self._activate)
        desk.model_wanted.connect(self.dropping.propose_model)
        desk.canvas.context_requested.connect(self._show_context)
        desk.canvas.picked.connect(self._refresh)
        desk.canvas.probes.closer.connect(partial(show_value, self))
        self.tabs.add(desk)
        return desk

    def _bring(self, desk: Desk) -> None:
        """Bring a desk to the front, in sight where the start page covered it."""
        self.front.leave_page()
        self.tabs.bring(desk)

    def _raised(self, desk: Desk) -> None:
        self.front.leave_page()
        self.panels.show(desk.views)
        self.tour.show_session(desk.session)
        desk.stage.plane.setFocus(Qt.FocusReason.OtherFocusReason)
        self._refresh()

    def _may_close(self, desk: Desk) -> bool:
        """Ask about a training under way and about changes, with the project in sight."""
        finish_typing()
        if not desk.busy:  # nothing is asked, least of all about the project in front
            return True
        self._bring(desk)
        return desk.training.shutdown() and self.files.may_close()

    def _refresh(self, *_: object) -> None:
        """Title, status and what can be done, as things stand."""
        self.setWindowTitle(f"{self.files.name}[*] — {text('window.title')}")
        self.setWindowModified(self.session.modified)
        self.desk.report(self.status)
        self.actions_.refresh()

    def _count(self, desk: Desk, errors: int, warnings: int) -> None:
        if desk is self.desk:
            self.status.show_problems(errors, warnings)

    @property
    def docks(self) -> dict[str, QDockWidget]:
        """The docks, by name."""
        return self.panels.all

    def raise_dock(self, name: str) -> None:
        """Show a dock, in front of those it shares a place with."""
        self.front.leave_page()
        self.panels.raise_(name)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not event.spontaneous():
            QTimer.singleShot(0, self, self._settle)

    def _settle(self) -> None:
        """What needs the window's real size: the docks', the first time, and the view's."""
        if not self.front.shows_page:
            self.panels.settle()
        self.canvas.fit()

    # -- acts ------------------------------------------------------------------------------------

    def _try_row(self, desk: Desk, table: Table, before: Mapping[str, list[str]]) -> None:
        """Let the model answer about the one row of a table, and show it."""
        self.raise_dock("try")
        desk.trying.take_row(table, 0, before or None)

    def open_step(self) -> None:
        """Let the file of a step be chosen, do it again, and tell what came of it."""
        path = self.session.path
        chosen = ask_step(self, path.parent if path else self.settings.folder)
        if chosen is not None:
            dialog = StepDialog(chosen, self)
            dialog.model_wanted.connect(self._show_step)
            self._open(dialog)

    def _show_step(self, step: Step) -> None:
        """The model of a saved step, in a tab of its own, with what was met in it."""
        self.show_session(Session(step.given.project()))
        self.raise_dock("training")
        self.training.tell_met(replace(step.hit, reproduction=""))

    def _show_met(self, desk: Desk) -> None:
        """A breakpoint was met: have it in sight, unless somebody works at another project."""
        if desk is self.desk:
            self.panels.raise_("training")

    def train(self) -> None:
        """Start training, and show it."""
        self.raise_dock("training")
        self.training.start()

    def evaluate(self) -> None:
        """Start to evaluate, and show it."""
        self.raise_dock("evaluation")
        self.desk.evaluation.start()

    def predict_file(self) -> None:
        """Let a file be chosen that every output is written for, and show how far it is."""
        self.raise_dock("try")
        self.desk.trying.file.ask()

    def reset_weights(self) -> None:
        """Ask, then forget what training learnt."""
        if confirm(self, text("window.reset_weights_ask"), text("window.reset_weights_yes")):
            self.training.forget_choice()
            self.session.reset_weights()

    def export_onnx(self) -> None:
        """Open the export dialog."""
        run_export(self.session, self)

    def start_tour(self) -> None:
        """Lead through the headline model, from the empty canvas of a tab of its own."""
        self.files.new()
        self.tour.begin(self.session)

    def search_acts(self) -> None:
        """Search everything that can be done, every node, and layers to add."""
        CommandPalette(self).popup()

    def search_nodes(self) -> None:
        """Search the nodes by their names."""
        CommandPalette(self, only_nodes=True).popup()

    def show_keys(self) -> None:
        """What all keys and mouse gestures do."""
        self._open(KeysDialog(self))

    def show_preferences(self) -> None:
        """What a person can choose for every project."""
        dialog = Preferences(self)
        dialog.finished.connect(self._tell_unkept)
        self._open(dialog)

    def _tell_unkept(self) -> None:
        """What was chosen counts, but it may not be there the next time."""
        problem = self.settings.flush()
        if problem is not None:
            tell(self, str(problem))

    def _open(self, dialog: QDialog) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def show_about(self) -> None:
        """What this program is."""
        self._open(AboutDialog(self))

    def toggle_wire_shapes(self) -> None:
        """Show the shapes on all wires, or hide them, and keep the choice."""
        self.settings.wire_shapes = not self.settings.wire_shapes
        for desk in self.tabs.desks:
            desk.canvas.show_shapes(self.settings.wire_shapes)

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

    def set_wheel(self, wheel: str) -> None:
        """Let the wheel of a mouse zoom or scroll every canvas, and keep the choice."""
        self.settings.wheel = wheel
        for desk in self.tabs.desks:
            desk.set_wheel(wheel == "scroll")

    def set_memory(self, gigabytes: int) -> None:
        """Let a model take at most so much memory; 0 for half of what there is."""
        self.settings.memory = gigabytes
        use_memory(gigabytes)

    def set_threads(self, threads: int) -> None:
        """Use at most so many cores, 0 for all, and keep the choice."""
        self.settings.threads = threads
        use_threads(threads)

    def set_keys(self) -> None:
        """Let the table of keys count, and keep it."""
        self.settings.keys = self.actions_.keys.chosen
        self.actions_.rekey()

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
        if hit.probe is not None:
            self.actions_.fill_menu(menu, CONTEXT_PROBE)
        else:
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
        self.panels.retitle()
        self.toolbar.setWindowTitle(text("window.toolbar"))
        self.tour.refresh()
        self.menuBar().clear()
        for name, entries in menus(self).items():
            menu = self.menuBar().addMenu(text(f"window.menu_{name}"))
            self.actions_.fill_menu(menu, entries)
        self._refresh()

    # -- files dropped, closing ------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        self.dropping.over(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        self.dropping.over(event)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.dropping.leave()
        event.accept()

    def dropEvent(self, event: QDropEvent) -> None:
        self.dropping.drop(event)

    def insert_model(self) -> None:
        """Let a project's file be chosen, and put its model in as a layer."""
        path = self.files.ask_insert()
        if path is not None:
            self.dropping.insert(path, frozen=False)

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.ending():
            self._end(kept=True)
        elif all(self._may_close(desk) for desk in tuple(self.tabs.desks)):
            self._end(kept=False)
        else:
            event.ignore()
            return
        event.accept()

    def leave(self) -> None:
        """End the program, asking nothing; what is unsaved stays kept for the next start."""
        self._end(kept=True)
        QApplication.exit()

    def _end(self, kept: bool) -> None:
        """Put the docks' places down, and end what goes on; keep what is unsaved, or give it up."""
        self.front.leave_page()
        if not self.panels.unplaced:  # where the docks never were seen, nobody has placed them
            self.settings.keep_layout(self.saveGeometry(), self.saveState())
        if kept:
            finish_typing()
        for desk in self.tabs.desks:
            desk.leave(kept)
        self.recovery.close()
