"""What can be done to trainings and their curves, for menus and the command palette."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from studio.ui.actions import Action

if TYPE_CHECKING:  # the window builds this list, so it cannot be imported here
    from studio.ui.training.runs_page import RunsPage
    from studio.ui.window import MainWindow

RUNS = (
    "compare_runs", "rename_run", "restore_run", "delete_runs", "-", "log_curves", "export_curves",
    "copy_curves",
)  # fmt: skip
STEERING = (
    "pause",
    "step",
    "stop",
    "stop_best",
    "checkpoint",
    "-",
    "train_on",
    "resume_checkpoint",
)


def training_acts(w: "MainWindow") -> tuple[Action, ...]:
    """Everything about the training of the project in front but starting it."""
    return (*_steering(w), *_runs(w))


def _steering(w: "MainWindow") -> tuple[Action, ...]:
    idle, none = "runs.why_not_training", "runs.why_nothing_to_continue"

    def running() -> bool:
        return w.training.running

    def seen(act: Callable[[], object]) -> Callable[[], None]:
        """Do it where one sees what comes of it."""

        def do() -> None:
            w.raise_dock("training")
            act()

        return do

    return (
        Action(
            "stop", "window.stop", lambda: w.training.stop(), "Shift+F5", "stop", running, why=idle
        ),
        Action(
            "pause", "runs.pause_act", lambda: w.training.pause(), "F6", "pause",
            lambda: w.training.can_pause, why=idle,
            turned=lambda: w.training.waits, icon_back="play",
        ),
        Action(
            "step", "runs.step_act", seen(lambda: w.training.step()), "F8", "step_on",
            lambda: bool(w.session.document.graph.calls), why="window.why_empty",
        ),
        Action(
            "stop_best", "runs.do_stop_best", lambda: w.training.stop_best(), "Ctrl+Shift+F5",
            "stop_best", running, why=idle,
        ),
        Action(
            "checkpoint", "runs.checkpoint_now", lambda: w.training.checkpoint(),
            enabled=lambda: w.training.can_pause, why=idle,
        ),
        Action(
            "train_on", "runs.do_continue", seen(lambda: w.training.go_on()), "Ctrl+F5",
            "play_more", lambda: w.training.can_continue, why=none,
        ),
        Action(
            "resume_checkpoint", "runs.resume_checkpoint",
            seen(lambda: w.training.resume_checkpoint()),
            enabled=lambda: w.training.can_resume, why="runs.why_no_checkpoint",
        ),
        Action(
            "training_settings", "runs.settings_act",
            seen(lambda: w.training.show_page("settings")), "Ctrl+Shift+T",
        ),
    )  # fmt: skip


def _runs(w: "MainWindow") -> tuple[Action, ...]:
    def page() -> "RunsPage":
        return w.training.runs

    def on_runs(id: str, key: str, why: str = "runs.why_no_run") -> Action:
        def do() -> None:
            w.raise_dock("training")
            w.training.show_page("curves")
            page().act(id)

        return Action(id, key, do, enabled=lambda: page().allowed(id), why=why)

    def log() -> None:
        page().curves.log.toggle()

    def curves() -> bool:
        return page().can_export()

    none = "runs.why_no_curves"
    return (
        on_runs("compare_runs", "runs.compare_act", "runs.why_one_run"),
        on_runs("rename_run", "runs.rename_act"),
        on_runs("restore_run", "runs.restore_act"),
        on_runs("delete_runs", "runs.delete_act"),
        Action(
            "log_curves", "runs.log_act", log, enabled=curves, why=none,
            checked=lambda: page().curves.log.isChecked(),
        ),
        Action("export_curves", "runs.export_curves", lambda: page().export(), "", "chart", curves,
               why=none),
        Action("copy_curves", "runs.copy_curves", lambda: page().copy(), enabled=curves, why=none),
    )  # fmt: skip
