"""The runs of a project beside their curves: what is drawn, and what is done to runs."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QMenu,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from studio.document.names import loss_names
from studio.document.project import Run, restored
from studio.problem import ProblemError
from studio.text import text
from studio.ui.dialogs import confirm, tell_problems
from studio.ui.parts import IconButton
from studio.ui.session import Session
from studio.ui.trainer import Training, adopt, copies
from studio.ui.training.chart import Chart
from studio.ui.training.curve_files import KINDS, copy_curves, write_curves
from studio.ui.training.curves import Shown
from studio.ui.training.curves_view import CurvesView
from studio.ui.training.describe import title
from studio.ui.training.runs_table import LIVE, RunsTable


class RunsPage(QWidget):
    """A table of runs, and the charts of those that are ticked in it.

    Signals:
        acted(act): an act on runs that is the dock's was asked for: ``continue_run``,
            ``compare_runs``.
        restored(id): the model is that of a run.
    """

    acted = Signal(str)
    restored = Signal(str)

    def __init__(self, session: Session, training: Training) -> None:
        super().__init__()
        self._session, self._training = session, training
        self.table = RunsTable()
        self.table.allowed = self.allowed
        self.curves = CurvesView()
        self.split = QSplitter()
        self.split.addWidget(self.table)
        self.split.addWidget(self.curves)
        self.split.setSizes([190, 700])
        self.split.setStretchFactor(1, 1)
        self.split.setCollapsible(1, False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.addWidget(self.split)
        runs = session.project.runs
        self.table.shown = {runs[-1].id} if runs else {LIVE}
        self.table.renamed.connect(self.rename)
        self.table.wanted.connect(self.act)
        self.list_runs()

    # -- what is shown ---------------------------------------------------------------------------

    def list_runs(self) -> None:
        """List the runs there are."""
        runs = self._session.project.runs
        self.table.show_runs(runs, self._training.running)
        self.table.setVisible(bool(runs))

    def shown(self) -> list[Shown]:
        """What is drawn, the newest first."""
        found = []
        if LIVE in self.table.shown and (self._training.running or not self._session.project.runs):
            progress = self._training.progress
            history, best, live = progress.history, progress.best_epoch, progress.live
            hue = self.table.hue(LIVE)
            found.append(Shown(LIVE, text("runs.live"), history, best, live, hue))
        for run in reversed(self._session.project.runs):
            if run.id in self.table.shown:
                hue = self.table.hue(run.id)
                found.append(Shown(run.id, title(run), run.history, run.best_epoch, None, hue))
        return [run for run in found if run.keys]

    def draw(self) -> None:
        """Draw what is ticked as it stands."""
        key = "no_curves_ticked" if self._session.project.runs else "no_curves"
        self.curves.empty.setText(
            text(f"training.{'no_curves_yet' if self._training.running else key}")
        )
        self.curves.show_runs(self.shown(), loss_names(self._session.document))

    def ticked_runs(self) -> list[Run]:
        """The finished runs that are drawn, oldest first."""
        return [run for run in self._session.project.runs if run.id in self.table.shown]

    # -- acts on runs ----------------------------------------------------------------------------

    def chosen(self) -> list[Run]:
        """The runs an act is about: those selected, else those drawn."""
        picked = self.table.selected
        runs = [run for run in self._session.project.runs if run.id in picked]
        return runs or self.ticked_runs()

    def allowed(self, act: str) -> bool:
        """Whether an act on runs can be done now."""
        runs, idle = self.chosen(), not self._training.running
        if act in ("restore_run", "continue_run"):
            complete = len(runs) == 1 and runs[0].document is not None
            return complete and runs[0].weights is not None and idle
        if act == "rename_run":
            return len(runs) == 1
        if act == "delete_runs":
            return bool(runs) and idle
        if act == "compare_runs":
            return len(runs) > 1
        return bool(runs)

    def act(self, name: str) -> None:
        """Do one of the table's acts to the chosen runs."""
        if not self.allowed(name):
            return
        acts: dict[str, Callable[[], object]] = {
            "only": lambda: self.table.draw_only({run.id for run in self.chosen()}),
            "rename_run": self._type_name,
            "restore_run": self.restore,
            "delete_runs": self.delete,
        }
        acts.get(name, lambda: self.acted.emit(name))()

    def _type_name(self) -> None:
        self.table.select_runs({self.chosen()[0].id})
        self.table.rename()

    def rename(self, id: str, name: str) -> None:
        """Call a run so; by its number where the name is empty."""
        project = self._session.project
        project.runs = [replace(r, name=name) if r.id == id else r for r in project.runs]
        # Not at once: the table is still ending the edit.
        QTimer.singleShot(0, self, self._session.weights_changed.emit)

    def restore(self) -> None:
        """Give the project model, plan and weights of the chosen run."""
        run = self.chosen()[0]
        assert run.weights is not None
        session = self._session
        adopt(session.project.store, copies(run.weights))
        if run.fitted is not None:
            session.project.fitted = dict(run.fitted)
        label = text("runs.undo_restore", name=title(run))
        session.commit(label, restored(run, session.document))
        session.weights_changed.emit()
        self.restored.emit(run.id)

    def delete(self) -> None:
        """Ask, then forget the chosen runs."""
        runs = self.chosen()
        names = ", ".join(title(run) for run in runs)
        if not confirm(self, text("runs.delete_ask", names=names), text("runs.delete_yes")):
            return
        gone = {run.id for run in runs}
        project = self._session.project
        project.runs = [run for run in project.runs if run.id not in gone]
        left = self.table.shown - gone
        self._training.forget()
        self.table.shown = left or ({project.runs[-1].id} if project.runs else {LIVE})
        self._session.weights_changed.emit()

    # -- curves to take away ---------------------------------------------------------------------

    def can_export(self) -> bool:
        """Whether there are curves."""
        return bool(self.shown())

    def export(self) -> None:
        """Ask for a file, and write the curves as its name says."""
        folder = self._session.path.parent if self._session.path else Path.home()
        stem = self._session.path.stem if self._session.path else text("runs.curves")
        kinds = ";;".join(f"{text(f'runs.as_{k[1:]}')} (*{k})" for k in KINDS)
        chosen, kind = QFileDialog.getSaveFileName(
            self, text("runs.export_curves").rstrip("…"), str(folder / f"{stem}.png"), kinds
        )
        if not chosen:
            return
        path = Path(chosen)
        if path.suffix.lower() not in KINDS:
            suffix = next((k for k in KINDS if f"*{k}" in kind), KINDS[0])
            path = path.with_name(path.name + suffix)
        try:
            write_curves(path, self.charts(), self.shown())
        except ProblemError as error:
            tell_problems(self, text("window.not_saved", name=str(path)), error.problems)

    def copy(self) -> None:
        """Put the charts on the clipboard."""
        copy_curves(self.charts(), self.shown())

    def charts(self) -> list[Chart]:
        """The charts as they are drawn."""
        return [self.curves.chart(key) for key in self.curves.charts]

    def corner(self) -> QWidget:
        """How curves are looked at, and a button to take them away: for the corner of the pages."""
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 2)
        row.addWidget(self.curves.controls)
        row.addWidget(self._export_button())
        return holder

    def _export_button(self) -> QToolButton:
        """A button with everything curves can be taken away as."""
        button = IconButton("export", text("runs.export_tip"))
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(button)
        for name, do in (("export_curves", self.export), ("copy_curves", self.copy)):
            entry = menu.addAction(text(f"runs.{name}"))
            entry.setObjectName(name)
            entry.triggered.connect(lambda _=False, do=do: do())

        def allow() -> None:
            for entry in menu.actions():
                entry.setEnabled(self.can_export())

        menu.aboutToShow.connect(allow)
        button.setMenu(menu)
        return button
