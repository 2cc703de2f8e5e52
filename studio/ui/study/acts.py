"""What can be done to see what trains what, for menus and the command palette."""

from typing import TYPE_CHECKING

from studio.ui.actions import Action

if TYPE_CHECKING:  # the window builds this list, so it cannot be imported here
    from studio.ui.window import MainWindow

INSIGHT = ("lens", "next_loss", "-", "insight_lens")
"""The menu; each part adds its own acts at the end, after a line."""


def study_acts(w: "MainWindow") -> tuple[Action, ...]:
    """Everything about seeing what trains what in the project in front."""
    return (*_lens(w), *_probes(w), *_microscope(w), *_stopping(w), *_checks(w), *_parity(w))


def _lens(w: "MainWindow") -> tuple[Action, ...]:
    def page() -> None:
        w.raise_dock("insight")
        w.desk.insight.show_page("lens")

    return (
        Action(
            "lens", "lens.toggle", lambda: w.canvas.lens.toggle(), "X", "lens",
            lambda: w.session.file is None, checked=lambda: w.canvas.lens.on, on_canvas=True,
        ),
        Action(
            "next_loss", "lens.next_loss", lambda: w.canvas.lens.isolate_next(), "Shift+X",
            enabled=lambda: w.canvas.lens.several, on_canvas=True, why="lens.why_one_loss",
        ),
        Action("insight_lens", "lens.open_page", page, "Ctrl+Shift+L"),
    )  # fmt: skip


def _probes(w: "MainWindow") -> tuple[Action, ...]:
    return ()


def _microscope(w: "MainWindow") -> tuple[Action, ...]:
    return ()


def _stopping(w: "MainWindow") -> tuple[Action, ...]:
    return ()


def _checks(w: "MainWindow") -> tuple[Action, ...]:
    return ()


def _parity(w: "MainWindow") -> tuple[Action, ...]:
    return ()
