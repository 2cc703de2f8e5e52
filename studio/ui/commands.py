"""The list of what a person can do in the window, and where it stands in menus and tool bar."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from studio.document.looks import COLOURS, Colour
from studio.text import LANGUAGES, language
from studio.ui.actions import Action
from studio.ui.editing import COPIES, GOALS, PLACES, SELECTIONS, WIRES, editing
from studio.ui.picture_dialog import copy_picture, run_picture
from studio.ui.settings import THEMES
from studio.ui.study.acts import INSIGHT, PROBE_EXPORTS, PROBES, study_acts
from studio.ui.training.acts import RUNS, STEERING, training_acts

if TYPE_CHECKING:  # the window builds this list, so it cannot be imported here
    from studio.ui.canvas.picking import Picking
    from studio.ui.window import MainWindow


_EMPTY, _NO_MODEL = "window.why_empty", "window.why_no_model"


def commands(w: "MainWindow") -> tuple[Action, ...]:
    """Everything that can be done in the window `w`."""

    def on_canvas(action: Action) -> Action:
        """Of nodes: not while one looks into a file, whose nodes are none of the document's."""
        return replace(action, enabled=lambda: w.session.file is None and action.enabled())

    return (
        *_file(w),
        *_history(w),
        *map(on_canvas, (*_edit(w), *editing(w), *_sharing(w), *_looks(w))),
        *_view(w),
        *_model(w),
        Action(
            "start_page", "start.open_page", w.front.toggle_page, checked=lambda: w.front.shows_page
        ),
        Action("tour", "start.tour_act", w.start_tour),
        Action("commands", "window.commands", w.search_acts, "Ctrl+K"),
        Action("keys", "window.keys", w.show_keys, "?; F1"),
        Action("preferences", "window.preferences", w.show_preferences, "Ctrl+,"),
        *_insight(w),
        *study_acts(w),
        Action("about", "window.about", w.show_about),
    )


def _file(w: "MainWindow") -> tuple[Action, ...]:
    files = w.files

    def weights() -> bool:
        return any(True for _ in w.session.project.store.items())

    def runs() -> bool:
        return bool(w.session.project.runs)

    def nodes() -> bool:
        return bool(w.session.document.graph.calls)

    def seen() -> bool:
        return bool(w.session.seen.graph.calls)

    return (
        Action("new", "window.new", files.new, "Ctrl+N", "new"),
        Action("open", "window.open", files.ask_open, "Ctrl+O", "open"),
        Action("from_data", "binding.from_data", w.dropping.ask, "Ctrl+Shift+N"),
        Action("recover", "recovery.show", w.recovery.ask),
        Action("save", "window.save", files.save, "Ctrl+S", "save"),
        Action("save_as", "window.save_as", files.save_as, "Ctrl+Shift+S"),
        Action(
            "export", "window.export", w.export_onnx, "Ctrl+Shift+E", "export", nodes, why=_EMPTY
        ),
        Action(
            "export_weights",
            "window.export_weights",
            files.export_weights,
            enabled=weights,
            why="window.why_untrained",
        ),
        Action(
            "export_history",
            "window.export_history",
            files.export_history,
            enabled=runs,
            why="window.why_no_runs",
        ),
        Action(
            "picture", "picture.open", lambda: run_picture(w.session, w), "Ctrl+Alt+P",
            enabled=seen, why=_EMPTY,
        ),
        Action(
            "copy_picture", "picture.copy", lambda: copy_picture(w.session), "Ctrl+Alt+C",
            enabled=seen, why=_EMPTY,
        ),
        Action("close_tab", "window.close_tab", lambda: w.close_tab(), "Ctrl+W"),
        Action("quit", "window.quit", w.close, "Ctrl+Q"),
    )  # fmt: skip


def _history(w: "MainWindow") -> tuple[Action, ...]:
    def undone() -> Mapping[str, str]:
        return {"label": w.session.history.undo_label or ""}

    def redone() -> Mapping[str, str]:
        return {"label": w.session.history.redo_label or ""}

    def can_undo() -> bool:
        return w.session.history.undo_label is not None

    def can_redo() -> bool:
        return w.session.history.redo_label is not None

    return (
        Action(
            "undo", "window.undo", lambda: w.session.history.undo(), "Ctrl+Z", "undo", can_undo,
            args=undone, why="window.why_no_undo",
        ),
        Action(
            "redo", "window.redo", lambda: w.session.history.redo(), "Ctrl+Shift+Z; Ctrl+Y",
            "redo", can_redo, args=redone, why="window.why_no_redo",
        ),
    )  # fmt: skip


def _edit(w: "MainWindow") -> tuple[Action, ...]:
    def nodes() -> bool:
        return bool(w.session.seen.graph.calls)

    def things() -> bool:
        return nodes() or not w.session.seen.graph.looks.empty

    return (
        Action(
            "delete", "window.delete", lambda: w.canvas.delete_selection(), "Del; Backspace",
            "delete", things, on_canvas=True, why=_EMPTY,
        ),
        Action(
            "toggle_output", "window.toggle_output", lambda: w.canvas.toggle_output(),
            "Ctrl+Shift+O", enabled=lambda: bool(w.session.selection),
        ),
        Action(
            "arrange", "window.arrange", lambda: w.canvas.arrange(), "Ctrl+L", "arrange", nodes,
            why=_EMPTY,
        ),
    )  # fmt: skip


def _sharing(w: "MainWindow") -> tuple[Action, ...]:
    s = w.sharing
    return (
        Action(
            "use_again", "window.use_again", s.use_again, "Ctrl+Shift+D", "shared", s.can_use_again,
        ),
        Action(
            "make_independent", "window.make_independent", s.make_independent, "Ctrl+I",
            "disconnect", s.can_part, why="window.why_not_shared",
        ),
        Action(
            "group", "window.group", s.group, "Ctrl+G", "layer.Model",
            lambda: bool(w.session.selection),
        ),
        Action(
            "ungroup", "window.ungroup", s.ungroup, "Ctrl+Shift+G", enabled=s.can_ungroup,
            why=_NO_MODEL,
        ),
        Action(
            "wrap", "window.wrap", s.wrap, icon="layer.TimeDistributed", enabled=s.can_wrap,
            why="window.why_not_one",
        ),
        Action(
            "unwrap", "window.unwrap", s.unwrap, enabled=s.can_unwrap, why="window.why_no_wrapper",
        ),
        Action(
            "freeze", "window.freeze", s.toggle_frozen, "", "frozen", s.can_freeze,
            checked=s.frozen, why="window.why_no_weights",
        ),
        Action("insert", "window.insert", w.insert_model, "Ctrl+Shift+I", "import"),
    )  # fmt: skip


def _looks(w: "MainWindow") -> tuple[Action, ...]:
    def picking() -> "Picking":
        return w.canvas.picking

    def nodes() -> bool:
        return bool(w.session.seen.graph.calls)

    def can_mute() -> bool:
        chosen = w.session.selection
        return nodes() and (not chosen or not chosen.issubset(w.session.seen.graph.inputs))

    def chosen_are(what: str) -> bool:
        calls = w.session.seen.graph.calls
        chosen = [calls[c] for c in w.session.selection if c in calls]
        return bool(chosen) and all(getattr(call, what) for call in chosen)

    def recolour(name: Colour) -> None:
        picking().recolour(name)

    def coloured(name: Colour) -> bool:
        return picking().colours() == {name}

    return (
        Action(
            "mute", "window.mute", lambda: w.canvas.toggle_muted(), "M", enabled=can_mute,
            checked=lambda: chosen_are("muted"), on_canvas=True,
        ),
        Action(
            "collapse", "window.collapse", lambda: w.canvas.toggle_collapsed(), "H; Ctrl+H",
            enabled=nodes, checked=lambda: chosen_are("collapsed"), on_canvas=True,
        ),
        Action("frame", "window.frame", lambda: picking().frame(), "Ctrl+J"),
        Action("note", "window.note", lambda: picking().note(), "Ctrl+Shift+J"),
        Action(
            "write", "window.write", lambda: picking().write(),
            enabled=lambda: len(picking().pieces) == 1,
        ),
        *(
            Action(
                f"frame_{name}", f"window.frame_{name}", partial(recolour, name),
                enabled=lambda: bool(picking().colours()), checked=partial(coloured, name),
            )
            for name in COLOURS
        ),
    )  # fmt: skip


def _view(w: "MainWindow") -> tuple[Action, ...]:
    def has_theme(name: str) -> bool:
        return w.settings.theme == name

    def model() -> bool:
        chosen = w.session.selection
        one = len(chosen) == 1 and w.session.file is None
        return one and w.session.holds_model(next(iter(chosen)))

    def inside() -> bool:
        return bool(w.session.way) or w.session.file is not None

    def speaks(code: str) -> bool:
        return language() == code

    def nodes() -> bool:
        return bool(w.session.document.graph.calls)

    def several() -> bool:
        return len(w.tabs.desks) > 1

    return (
        Action("fit", "window.fit", lambda: w.stage.plane.fit(), "Ctrl+Shift+F", "fit"),
        Action("fit_selection", "window.fit_selection", lambda: w.canvas.fit_selection(), "Ctrl+E"),
        Action("find", "window.find", w.search_nodes, "Ctrl+F", enabled=nodes, why=_EMPTY),
        Action(
            "zoom_in", "window.zoom_in", lambda: w.stage.plane.zoom_in(), "Ctrl++; Ctrl+=",
            "zoom_in",
        ),
        Action(
            "zoom_out", "window.zoom_out", lambda: w.stage.plane.zoom_out(), "Ctrl+-", "zoom_out",
        ),
        Action("zoom_reset", "window.zoom_reset", lambda: w.stage.plane.zoom_reset(), "Ctrl+0"),
        Action("enter", "window.enter", w.look_inside, "Alt+Down", "down", model, why=_NO_MODEL),
        Action(
            "leave", "window.leave", lambda: w.session.leave(), "Alt+Up", "up", inside,
            why="window.why_outside",
        ),
        Action(
            "next_tab", "window.next_tab", lambda: w.tabs.step(1), "Ctrl+Tab; Ctrl+PgDown",
            enabled=several, why="window.why_one_tab",
        ),
        Action(
            "previous_tab", "window.previous_tab", lambda: w.tabs.step(-1),
            "Ctrl+Shift+Tab; Ctrl+PgUp", enabled=several, why="window.why_one_tab",
        ),
        *(
            Action(
                f"theme_{name}", f"window.theme_{name}", partial(w.set_theme, name),
                checked=partial(has_theme, name),
            )
            for name in THEMES
        ),
        *(
            Action(
                f"language_{code}", f"window.language_{code}", partial(w.set_language, code),
                checked=partial(speaks, code),
            )
            for code in LANGUAGES
        ),
    )  # fmt: skip


def _model(w: "MainWindow") -> tuple[Action, ...]:
    def can_train() -> bool:
        return bool(w.session.document.graph.calls) and not w.training.running

    def can_reset() -> bool:
        return any(True for _ in w.session.project.store.items()) and not w.training.running

    return (
        Action(
            "train", "window.train", w.train, "F5", "train", can_train, why="window.why_no_start",
        ),
        *training_acts(w),
        Action(
            "predict_file", "window.predict_file", w.predict_file, icon="table",
            enabled=lambda: bool(w.session.document.graph.calls) and not w.desk.predicts_file,
            why="window.why_no_predict",
        ),
        Action("model", "window.model_settings", w.show_model, "Ctrl+M"),
        Action(
            "reset_weights", "window.reset_weights", w.reset_weights, enabled=can_reset,
            why="window.why_no_reset",
        ),
    )  # fmt: skip


def _insight(w: "MainWindow") -> tuple[Action, ...]:
    def nodes() -> bool:
        return bool(w.session.document.graph.calls)

    def can_judge() -> bool:
        outputs = w.session.document.plan.outputs.values()
        has_data = w.session.document.plan.data.source is not None
        return has_data and any(output.loss is not None for output in outputs)

    return (
        Action(
            "evaluate", "window.evaluate", w.evaluate, "F7", "chart", can_judge,
            why="window.why_no_evaluation",
        ),
        Action(
            "report", "window.report", lambda: w.desk.evaluation.ask_report(),
            enabled=nodes, why=_EMPTY,
        ),
        Action(
            "wire_shapes", "window.wire_shapes", w.toggle_wire_shapes, "Ctrl+Shift+W",
            checked=lambda: w.settings.wire_shapes,
        ),
        Action("summary", "window.summary", lambda: w.raise_dock("summary"), "Ctrl+Shift+M"),
        Action("weights", "window.weights_dock", lambda: w.raise_dock("weights"), "Ctrl+Shift+H"),
    )  # fmt: skip


def menus(w: "MainWindow") -> Mapping[str, tuple]:
    """What stands in each menu, in order."""
    themes = tuple(f"theme_{name}" for name in THEMES)
    languages = tuple(f"language_{code}" for code in LANGUAGES)
    return {
        "file": (
            "new", "open", "from_data", w.files.fill_examples, w.files.fill_recent, "recover", "-",
            "save", "save_as", "-",
            "export", "export_weights", "export_history", "-", "picture", "copy_picture", "-",
            "close_tab", "quit",
        ),
        "edit": (
            "undo", "redo", "-", "find", "commands", "-", *COPIES, "-", "add", "insert", *WIRES,
            "-", "delete", "heal", "-", ("select", SELECTIONS), ("align", PLACES), "arrange", "-",
            "toggle_output", "freeze", "mute", "-", *LOOKS, FRAME_COLOURS, "write", "-", *SHARING,
            "-", "preferences",
        ),
        "view": (
            "fit", "fit_selection", "zoom_in", "zoom_out", "zoom_reset", "-",
            "enter", "leave", "-", "next_tab", "previous_tab", "-",
            "wire_shapes", "summary", "weights", "-",
            ("theme", themes), ("language", languages), "-", w.panels.fill,
        ),
        "model": (
            "train", *STEERING, "-", ("goals", GOALS), ("runs", RUNS), "-", "evaluate",
            "predict_file", "report", "-", "reset_weights", "-", "model", "training_settings",
        ),
        "insight": (*INSIGHT, "-", "parity"),
        "help": ("start_page", "tour", "-", "keys", "about"),
    }  # fmt: skip


TOOLBAR = (
    "open", "save", "-", "undo", "redo", "-", "add", "fit", "arrange", "-",
    "train", "pause", "stop", "lens", "-", "export",
)  # fmt: skip

SHARING = ("use_again", "make_independent", "-", "group", "ungroup", "-", "wrap", "unwrap")
LOOKS = ("collapse", "frame", "note")
FRAME_COLOURS = ("frame_colour", tuple(f"frame_{name}" for name in COLOURS))
CONTEXT_NODE = (
    "enter", "toggle_output", ("goals", GOALS), "freeze", "mute", "ablate", "-", *PROBES,
    "microscope", "-", *WIRES, "-", "cut", "copy", "duplicate", "-", *SHARING, "-", *LOOKS, "-",
    ("align", PLACES),
    "fit_selection", "arrange", "-", "delete", "heal",
)  # fmt: skip
CONTEXT_CANVAS = (
    "add", "paste", "insert", "frame", "note", "select_all", "-", "leave", "fit", "arrange", "-",
    "model",
)  # fmt: skip
CONTEXT_PROBE = ("probe_closer", ("probe_export", PROBE_EXPORTS), "-", "probe")
CONTEXT_PIECE = (
    "write", FRAME_COLOURS, "-", "cut", "copy", "duplicate", "-", "frame", "-", "delete",
)  # fmt: skip
