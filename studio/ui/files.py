"""Projects and their files: new, open, save, recent ones, and what becomes of changes."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from studio.document.model import Document
from studio.document.project import Project
from studio.engine.memory import held
from studio.examples import EXAMPLES
from studio.formats import loom
from studio.formats.newer_files import astray_problems, listed_places
from studio.formats.results import write_history, write_weights
from studio.problem import ProblemError, refuse
from studio.text import text
from studio.ui.canvas.picture import thumbnail
from studio.ui.dialogs import ask_overtaken, ask_unsaved, confirm, tell, tell_problems
from studio.ui.editors import finish_typing
from studio.ui.session import Session
from studio.ui.settings import Settings
from studio.ui.tabs import name_of

SUFFIX = ".loom"
ONNX = ".onnx"


class Desks(Protocol):
    """Where projects are open: the window."""

    @property
    def session(self) -> Session:
        """The project in front."""
        ...

    def show_session(self, session: Session) -> None:
        """Open another project beside what is open, and bring it to the front."""
        ...

    def raise_file(self, path: Path) -> bool:
        """Bring the project of this file to the front; False where it is not open."""
        ...

    def is_open(self, path: Path) -> bool:
        """Whether the project of this file is open."""
        ...


class Files:
    """Opens projects in a window, each beside the others, and writes the one in front.

    Args:
        parent: the window questions belong to.
        settings: knows the recent files.
        desks: where projects are open.
    """

    def __init__(self, parent: QWidget, settings: Settings, desks: Desks) -> None:
        self._parent, self._settings, self._desks = parent, settings, desks

    @property
    def name(self) -> str:
        """What the project in front is called."""
        return name_of(self._desks.session)

    def may_close(self) -> bool:
        """Ask what becomes of unsaved changes; False when the person would rather stay."""
        finish_typing()
        if not self._desks.session.modified:
            return True
        answer = ask_unsaved(self._parent, self.name)
        return self.save() if answer == "save" else answer == "discard"

    # -- opening ---------------------------------------------------------------------------------

    def new(self) -> None:
        """An empty document."""
        self._desks.show_session(Session(Project()))

    def ask_open(self) -> None:
        """Let a file be chosen, and open it."""
        chosen, _ = QFileDialog.getOpenFileName(
            self._parent, text("window.open"), str(self._settings.folder), _filter()
        )
        if chosen:
            self.open(Path(chosen))

    def open(self, path: Path) -> bool:
        """Open a file in a tab, or raise the one it has; a file that cannot be read stays shut."""
        path = path.absolute()
        if self._desks.raise_file(path):
            return True
        project = self.read(path, "window.not_opened")
        if project is None:
            self._settings.forget(path)
            return False
        self._settings.remember(path)
        self._desks.show_session(Session(project, path))
        return True

    def read(self, path: Path, refusal: str) -> Project | None:
        """A project's file; one that cannot be read is said in the words of `refusal`."""
        try:
            return loom.load(path)
        except (ProblemError, OSError) as error:
            self._refused(refusal, path, error)
            return None

    def ask_insert(self) -> Path | None:
        """Let a file be chosen that is to be put in as a layer."""
        chosen, _ = QFileDialog.getOpenFileName(
            self._parent, text("window.insert").rstrip("…"), str(self._settings.folder), _filter()
        )
        return Path(chosen) if chosen else None

    def open_example(self, build: Callable[[], Document]) -> None:
        """Open one of the built-in examples; it has no file yet."""
        self._desks.show_session(Session(Project(build())))

    # -- saving ----------------------------------------------------------------------------------

    def save(self) -> bool:
        """Write the project to its file; ask for one where it has none. False when not written."""
        session = self._desks.session
        if session.path is None:
            return self.save_as()
        if session.project.newer is None:
            return self._write(session.path)
        question = text("window.newer_stays", name=self.name)
        return confirm(self._parent, question, text("window.save_as")) and self.save_as()

    def save_as(self) -> bool:
        """Ask for a file and write the project to it."""
        session = self._desks.session
        name = self.name if session.project.newer is None else f"{Path(self.name).stem}-2{SUFFIX}"
        path = self._ask_where("window.save_as", name, SUFFIX, _filter())
        if path is None or not self._may_lose(session.project):
            return False
        if session.path != path and self._desks.is_open(path):
            tell(self._parent, text("window.open_in_tab", name=path.name))
            return False
        return self._write(path)

    def _may_lose(self, project: Project) -> bool:
        """Ask about what a later version wrote and this one cannot save."""
        places = loom.lost(project)
        question = text("window.newer_loses", name=self.name, places=listed_places(places))
        return not places or confirm(self._parent, question, text("window.save_without"))

    def _write(self, path: Path) -> bool:
        session = self._desks.session
        if session.path == path and (session.gone or session.overtaken):
            answer = ask_overtaken(self._parent, path, session.gone)
            if answer != "replace":
                return answer == "elsewhere" and self.save_as()
        project = session.project
        project.thumbnail = thumbnail(session.document, session.analysis, project.store)
        moved = loom.astray(project, path)
        try:
            loom.save(path, project)
        except (ProblemError, OSError, MemoryError) as error:
            session.not_saved(path)
            if isinstance(error, MemoryError):
                error = refuse("memory_short", memory=held() / 2**30)
            self._refused("window.not_saved", path, error)
            return False
        session.saved(path)
        self._settings.remember(path)
        if moved:
            copied = text("window.newer_copied", name=path.name)
            tell_problems(self._parent, copied, astray_problems(moved, str(path)))
        return True

    def export_weights(self) -> None:
        """Write all weights as one NumPy archive."""
        self._export("window.export_weights", ".npz", write_weights)

    def export_history(self) -> None:
        """Write the history of the last run as a table."""
        self._export(
            "window.export_history", ".csv", lambda path, p: write_history(path, p.runs[-1])
        )

    def _export(self, title: str, suffix: str, write: Callable[[Path, Project], None]) -> None:
        name = Path(self.name).stem + suffix
        path = self._ask_where(title, name, suffix, f"*{suffix}")
        if path is None:
            return
        try:
            write(path, self._desks.session.project)
        except (ProblemError, OSError) as error:
            self._refused("window.not_saved", path, error)

    def _ask_where(self, title: str, name: str, suffix: str, kinds: str) -> Path | None:
        path = self._desks.session.path
        start = (path.parent if path else self._settings.folder) / name
        chosen, _ = QFileDialog.getSaveFileName(
            self._parent, text(title).rstrip("…"), str(start), kinds
        )
        if not chosen:
            return None
        where = Path(chosen)
        if where.suffix.lower() == suffix:
            return where
        # The dialog asked about overwriting the name without the suffix, not about this one.
        where = where.with_name(where.name + suffix)
        question = text("window.overwrite", name=where.name)
        yes = text("window.overwrite_it")
        if where.exists() and not confirm(self._parent, question, yes, loses=True):
            return None
        return where

    def _refused(self, key: str, path: Path, error: Exception) -> None:
        message = text(key, name=str(path))
        if isinstance(error, ProblemError):
            tell_problems(self._parent, message, error.problems)
        else:
            tell(self._parent, message, str(error))

    # -- menus -----------------------------------------------------------------------------------

    def fill_examples(self, menu: QMenu) -> None:
        """A submenu of the built-in examples."""
        examples: Mapping[str, Callable[[], Document]] = EXAMPLES
        into = menu.addMenu(text("window.menu_examples"))
        for name, build in examples.items():
            act = into.addAction(text(f"window.example_{name}"))
            act.setObjectName(f"example_{name}")
            act.triggered.connect(lambda _=False, build=build: self.open_example(build))

    def fill_recent(self, menu: QMenu) -> None:
        """A submenu of the files opened or saved last."""
        into = menu.addMenu(text("window.menu_recent"))
        into.aboutToShow.connect(lambda: self._list_recent(into))
        self._list_recent(into)

    def _list_recent(self, menu: QMenu) -> None:
        menu.clear()
        recent = self._settings.recent
        for path in recent:
            act = menu.addAction(f"{path.name}  —  {path.parent}".replace("&", "&&"))
            act.triggered.connect(lambda _=False, path=path: self.open(path))
        if not recent:
            menu.addAction(text("window.no_recent")).setEnabled(False)


def _filter() -> str:
    return f"{text('window.projects')} (*{SUFFIX})"
