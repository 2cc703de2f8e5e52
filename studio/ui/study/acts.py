"""What can be done to see what trains what, for menus and the command palette."""

from typing import TYPE_CHECKING, cast

from studio.train.study.recurrent_calls import is_recurrent
from studio.ui.actions import Action

if TYPE_CHECKING:  # the window builds this list, so it cannot be imported here
    from studio.train.study.wanted import Tap
    from studio.ui.study.ablation_page import AblationPage
    from studio.ui.study.time_page import TimePage
    from studio.ui.study.values_page import ValuesPage
    from studio.ui.window import MainWindow

PROBE_EXPORTS = ("probe_export_sample", "probe_export_validation", "probe_export_training")
PROBES = ("probe", "probe_closer", ("probe_export", PROBE_EXPORTS))
STOPPING = ("wave", "waves", "-", "open_step")
INSIGHT = (
    "lens", "next_loss", "-", "insight_lens", "-", *PROBES, "-", "microscope", "-", *STOPPING, "-",
    "check_gradients", "insight_ablation", "ablate",
)  # fmt: skip
"""The menu; each part adds its own acts at the end, after a line."""


def study_acts(w: "MainWindow") -> tuple[Action, ...]:
    """Everything about seeing what trains what in the project in front."""
    return (*_lens(w), *_probes(w), *_microscope(w), *_stopping(w), *_checks(w), *_parity(w))


def _lens(w: "MainWindow") -> tuple[Action, ...]:
    def page() -> None:
        w.raise_dock("insight")
        w.desk.insight.show_page("lens")

    def nodes() -> bool:
        return w.session.file is None and bool(w.session.document.graph.calls)

    return (
        Action(
            "lens", "lens.toggle", lambda: w.canvas.lens.toggle(), "X", "lens",
            lambda: nodes() or w.canvas.lens.on, checked=lambda: w.canvas.lens.on, on_canvas=True,
            why="window.why_empty",
        ),
        Action(
            "next_loss", "lens.next_loss", lambda: w.canvas.lens.isolate_next(), "Shift+X",
            enabled=lambda: w.canvas.lens.several, on_canvas=True, why="lens.why_one_loss",
        ),
        Action("insight_lens", "lens.open_page", page, "Ctrl+Shift+L"),
    )  # fmt: skip


def values_page(w: "MainWindow") -> "ValuesPage":
    """The page of values of the project in front, in sight now."""
    w.raise_dock("insight")
    w.desk.insight.show_page("values")
    return cast("ValuesPage", w.desk.insight.page("values"))


def show_value(w: "MainWindow", tap: "Tap") -> None:
    """Show all there is to see of a value."""
    values_page(w).show_tap(tap)


def _probes(w: "MainWindow") -> tuple[Action, ...]:
    def drawn() -> bool:
        return w.session.file is None and bool(w.session.seen.graph.calls)

    def write(which: str) -> None:
        """What is meant on the canvas; what the page shows, where that is nothing."""
        if w.canvas.probes.meant():
            w.canvas.probes.look_closer()
        values_page(w).write(which)

    def closer() -> None:
        values_page(w)
        w.canvas.probes.look_closer()

    def export(which: str) -> Action:
        def idle() -> bool:
            return drawn() and not w.training.running

        return Action(
            f"probe_export_{which}",
            f"probes.act_{which}",
            lambda: write(which),
            enabled=idle,
            why="probes.why_not_written",
        )

    return (
        Action(
            "probe", "probes.toggle", lambda: w.canvas.probes.toggle(), "P", enabled=drawn,
            checked=lambda: w.canvas.probes.all_pinned, on_canvas=True, why="probes.why_no_model",
        ),
        Action(
            "probe_closer", "probes.closer", closer, "Shift+P", enabled=drawn, on_canvas=True,
            why="probes.why_no_model",
        ),
        *map(export, ("sample", "validation", "training")),
    )  # fmt: skip


def _microscope(w: "MainWindow") -> tuple[Action, ...]:
    def chosen() -> tuple[str, ...] | None:
        """The path of the recurrent node that is selected."""
        session = w.session
        if len(session.selection) != 1 or session.file is not None:
            return None
        (call,) = session.selection
        found = session.seen.graph.calls.get(call)  # gone, while an edit is told of
        there = found is not None and is_recurrent(session.document, found.layer)
        return (*session.way, call) if there else None

    def look() -> None:
        w.raise_dock("insight")
        w.desk.insight.show_page("time")
        if (path := chosen()) is not None:
            cast("TimePage", w.desk.insight.page("time")).look_into(path)

    return (
        Action(
            "microscope", "microscope.open", look, "Ctrl+Shift+R",
            enabled=lambda: not w.session.selection or chosen() is not None,
            why="microscope.why_not",
        ),
    )  # fmt: skip


def _stopping(w: "MainWindow") -> tuple[Action, ...]:
    settings = w.settings

    def turn() -> None:
        settings.waves = not settings.waves

    def trainable() -> bool:
        return bool(w.session.document.graph.outputs) and not w.session.analysis.errors

    return (
        Action(
            "wave", "breakpoints.wave_act", lambda: w.desk.waves.play(), "Shift+F8", "wave",
            trainable, why="window.why_no_start",
        ),
        Action("waves", "breakpoints.waves_act", turn, checked=lambda: settings.waves),
        Action("open_step", "breakpoints.open_step", w.open_step, icon="open"),
    )  # fmt: skip


def _checks(w: "MainWindow") -> tuple[Action, ...]:
    def check() -> None:
        w.raise_dock("inspector")
        w.desk.inspector.check_gradients()

    def page() -> "AblationPage":
        w.raise_dock("insight")
        w.desk.insight.show_page("ablation")
        return cast("AblationPage", w.desk.insight.page("ablation"))

    def can_ablate() -> bool:
        plan = w.session.document.plan
        losses = any(output.loss is not None for output in plan.outputs.values())
        return losses and plan.data.source is not None and bool(w.session.selection)

    return (
        Action(
            "check_gradients", "checks.act_check", check, "Shift+F7",
            enabled=lambda: w.desk.inspector.gradients.possible, why="checks.why_no_check",
        ),
        Action("insight_ablation", "checks.act_ablation", page, "Ctrl+Shift+A"),
        Action(
            "ablate", "checks.act_ablate", lambda: page().leave_chosen(), "Ctrl+Alt+A",
            enabled=can_ablate, why="checks.why_no_ablation",
        ),
    )  # fmt: skip


def _parity(w: "MainWindow") -> tuple[Action, ...]:
    def nodes() -> bool:
        return bool(w.session.document.graph.calls)

    def compare() -> None:
        from studio.ui.parity_dialog import run_parity

        run_parity(w.session, w.settings, w)

    return (Action("parity", "parity.act", compare, enabled=nodes, why="window.why_empty"),)
