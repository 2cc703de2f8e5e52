"""What a person can do with the nodes and wires of the canvas, for `commands` to list."""

from functools import partial
from typing import TYPE_CHECKING

from studio.layers.input import Input
from studio.ui.actions import Action
from studio.ui.canvas.commands import EDGES
from studio.ui.canvas.goals import PARTS

if TYPE_CHECKING:  # the window builds this list, so it cannot be imported here
    from studio.ui.window import MainWindow

_ALIGN_KEYS = {"left": "L", "centre": "C", "right": "R", "top": "T", "middle": "M", "bottom": "B"}


def editing(w: "MainWindow") -> tuple[Action, ...]:
    """Acts on the selection in the window `w`; their keys count while the canvas has the focus."""
    return (*_copies(w), *_wires(w), *_selections(w), *_places(w), *_goals(w))


def _chosen(w: "MainWindow", least: int = 1) -> bool:
    return len(w.session.selection) >= least


def _copies(w: "MainWindow") -> tuple[Action, ...]:
    def some() -> bool:
        return _chosen(w) or bool(w.canvas.picking.pieces)

    return (
        Action(
            "cut", "window.cut", lambda: w.canvas.clipboard.cut(), "Ctrl+X", "cut", some,
            on_canvas=True,
        ),
        Action(
            "copy", "window.copy", lambda: w.canvas.clipboard.copy(), "Ctrl+C", "copy", some,
            on_canvas=True,
        ),
        Action(
            "paste", "window.paste", lambda: w.canvas.clipboard.paste(), "Ctrl+V", "paste",
            on_canvas=True,
        ),
        Action(
            "paste_wired", "window.paste_wired",
            lambda: w.canvas.clipboard.paste(keep_inbound=True), "Ctrl+Shift+V", on_canvas=True,
        ),
        Action(
            "duplicate", "window.duplicate", lambda: w.canvas.duplicate(), "Ctrl+D",
            enabled=some, on_canvas=True,
        ),
    )  # fmt: skip


def _wires(w: "MainWindow") -> tuple[Action, ...]:
    def one() -> bool:
        return w.canvas.one_selected() is not None

    def replaceable() -> bool:
        call = w.canvas.one_selected()
        return call is not None and not isinstance(w.session.seen.entry(call).body, Input)

    def wired() -> bool:
        call, graph = w.canvas.one_selected(), w.session.seen.graph
        return call is not None and bool(graph.into(call) or graph.out_of(call))

    return (
        Action(
            "add", "window.add", lambda: w.canvas.popups.search_here(), "/", "add",
            lambda: not w.front.shows_page, on_canvas=True,
        ),
        Action(
            "connect", "window.connect", lambda: w.canvas.popups.connect(), "C", enabled=one,
            on_canvas=True,
        ),
        Action(
            "disconnect", "window.disconnect", lambda: w.canvas.popups.disconnect(), "Shift+C",
            "disconnect", wired, on_canvas=True,
        ),
        Action(
            "replace", "window.replace", lambda: w.canvas.popups.replace(), "R", "refresh",
            replaceable, on_canvas=True,
        ),
        Action(
            "heal", "window.heal", lambda: w.canvas.heal_selection(), "Ctrl+Del; Ctrl+Backspace",
            enabled=partial(_chosen, w), on_canvas=True,
        ),
    )  # fmt: skip


def _selections(w: "MainWindow") -> tuple[Action, ...]:
    some = partial(_chosen, w)
    return (
        Action("select_all", "window.select_all", lambda: w.canvas.select_all(), "Ctrl+A"),
        Action(
            "select_upstream", "window.select_upstream",
            lambda: w.canvas.select_linked(upstream=True), "U", enabled=some, on_canvas=True,
        ),
        Action(
            "select_downstream", "window.select_downstream",
            lambda: w.canvas.select_linked(downstream=True), "D", enabled=some, on_canvas=True,
        ),
        Action(
            "select_connected", "window.select_connected",
            lambda: w.canvas.select_linked(upstream=True, downstream=True), "L", enabled=some,
            on_canvas=True,
        ),
    )  # fmt: skip


def _places(w: "MainWindow") -> tuple[Action, ...]:
    several, many = partial(_chosen, w, 2), partial(_chosen, w, 3)

    def align(edge: str) -> None:
        w.canvas.align(edge)

    def distribute(across: bool) -> None:
        w.canvas.distribute(across)

    return (
        *(
            Action(
                f"align_{edge}", f"window.align_{edge}", partial(align, edge),
                f"A, {_ALIGN_KEYS[edge]}", enabled=several, on_canvas=True,
            )
            for edge in EDGES
        ),
        Action(
            "distribute_across", "window.distribute_across", partial(distribute, True), "A, H",
            enabled=many, on_canvas=True,
        ),
        Action(
            "distribute_down", "window.distribute_down", partial(distribute, False), "A, V",
            enabled=many, on_canvas=True,
        ),
    )  # fmt: skip


def _goals(w: "MainWindow") -> tuple[Action, ...]:
    """What the selected node's first output is trained for."""

    def can() -> bool:
        return bool(w.canvas.goals.outputs())

    def change(part: str) -> None:
        w.canvas.goals.open(w.canvas.goals.outputs()[0], part)

    return tuple(
        Action(
            f"goal_{part}", f"window.goal_{part}", partial(change, part), enabled=can,
            on_canvas=True, why="window.why_no_output",
        )
        for part in PARTS
    )  # fmt: skip


GOALS = tuple(f"goal_{part}" for part in PARTS)
COPIES = ("cut", "copy", "paste", "paste_wired", "duplicate")
WIRES = ("connect", "disconnect", "replace")
SELECTIONS = ("select_all", "select_upstream", "select_downstream", "select_connected")
PLACES = (
    *(f"align_{edge}" for edge in EDGES), "-", "distribute_across", "distribute_down",
)  # fmt: skip
