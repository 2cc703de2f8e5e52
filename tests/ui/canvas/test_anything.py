"""A hand that does anything anywhere, and gives up at any moment: what is shown stays the document,
each act is one undo step or none, and undoing all leads back to the start.

Hypothesis moves the hand, so that what fails is cut down to the few acts that it takes.
"""

from collections.abc import Callable
from dataclasses import replace

from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from studio.document.model import Document
from studio.document.project import Project
from studio.ui.canvas import CanvasView
from studio.ui.canvas.board import Board
from studio.ui.inline import InlineField
from studio.ui.quick_add import QuickAdd
from studio.ui.session import Session
from tests.document.test_edits import content, is_sound
from tests.ui.canvas.conftest import Hand, assert_mirrors, small_document

CTRL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)
NONE = Qt.KeyboardModifier.NoModifier
LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
RETURN, ESCAPE = Qt.Key.Key_Return, Qt.Key.Key_Escape
GRIPS = [(LEFT, keys) for keys in (NONE, CTRL, SHIFT, ALT, CTRL | SHIFT)] + [(RIGHT, CTRL)]
ACTS: dict[str, Callable[[Board], object]] = {
    "duplicate": Board.duplicate,
    "heal": Board.heal_selection,
    "delete": Board.delete_selection,
    "output": Board.toggle_output,
    "mute": Board.toggle_muted,
    "collapse": Board.toggle_collapsed,
    "align": lambda view: view.align("left"),
    "middle": lambda view: view.align("middle"),
    "across": lambda view: view.distribute(True),
    "down": lambda view: view.distribute(False),
    "paste": lambda view: view.clipboard.copy() and view.clipboard.paste(),
    "paste wired": lambda view: view.clipboard.copy() and view.clipboard.paste(True),
    "cut": lambda view: view.clipboard.cut(),
    "before": lambda view: view.select_linked(upstream=True),
    "all": Board.select_all,
    "recolour": lambda view: view.picking.recolour("teal"),
}

places = st.one_of(
    st.tuples(
        st.sampled_from(["port", "title", "wire", "bend", "piece", "chevron"]), st.integers(0, 99)
    ),
    st.tuples(st.integers(0, 1299), st.integers(0, 559)),
)


class AnyHand(RuleBasedStateMachine):
    """Somebody at the canvas."""

    @initialize(zoom=st.sampled_from([1.0, 0.5, 0.2]))
    def start(self, zoom: float) -> None:
        self.view = view = CanvasView(Session(Project(small_document())))
        self.hand = Hand(view)
        view.resize(1300, 560)
        view.show()
        view.zoom_at(zoom / view.zoom, QPoint(600, 250))
        view.centerOn(view.canvas.extent().center())
        view.activateWindow()
        assert QTest.qWaitForWindowActive(view)  # else fields are not left when the focus goes
        view.setFocus()
        self.first = self.now

    @property
    def now(self) -> Document:
        return self.view.session.document

    def once(self, act: Callable[[], object]) -> None:
        """Do it: one undo step or none, and nothing of it is left hanging."""
        before, history = self.now, self.view.session.history
        act()
        assert self.hand.idle()
        is_sound(self.now)
        if content(self.now) != content(before):
            after = self.now
            history.undo()
            assert content(self.now) == content(before)
            history.redo()
            assert self.now == after

    def where(self, place: tuple[str, int] | tuple[int, int]) -> QPoint:
        """A thing on the canvas, the middle of a wire, a point; a point where there is no such."""
        kind, number = place
        if isinstance(kind, int):
            return QPoint(kind, number)
        view, graph = self.view, self.now.graph
        points = self._points(kind)
        note(f"{kind} {number} of {len(points)}, {len(graph.wires)} wires")
        return view.mapFromScene(points[number % len(points)]) if points else QPoint(640, 20)

    def _points(self, kind: str) -> list[QPointF]:
        canvas, graph = self.view.canvas, self.now.graph
        items = [canvas.items_by_call[call] for call in sorted(graph.calls)]
        if kind == "port":
            return [i.pos() + p.point for i in items for p in i.geometry.places]
        if kind == "title":
            return [item.pos() + QPointF(40, 12) for item in items]
        if kind == "chevron":
            return [canvas.body_rect(i.call).topRight() + QPointF(-10, 12) for i in items]
        if kind == "piece":
            return [p.box.topLeft() + QPointF(12, 8) for _, p in sorted(canvas.pieces.items())]
        if kind == "bend":
            bends = graph.looks.bends
            return [QPointF(x, y) for wire in sorted(bends) for x, y in bends[wire]]
        ends = [canvas.wires.ends(wire) for wire in sorted(graph.wires)]
        return [QPointF(x0 + x1, y0 + y1) / 2 for x0, y0, x1, y1 in ends]

    # -- what it does --------------------------------------------------------------------------

    @rule(
        start=places,
        end=places,
        grip=st.sampled_from(GRIPS),
        gives_up=st.sampled_from([None, None, None, 0, 1, 2, 3]),
        words=st.sampled_from(["dense", "add", "qq", ""]),
        enters=st.booleans(),
    )
    def drag(self, start, end, grip, gives_up, words, enters) -> None:
        button, keys = grip
        first, last = self.where(start), self.where(end)

        def carry() -> None:
            self.hand.press(first, keys, button)
            for stage in range(4):
                if stage == gives_up:
                    self.hand.key(ESCAPE)
                    assert self.hand.idle()
                self.hand.move(first + (last - first) * ((stage + 1) / 4))
            self.hand.release(last, keys, button)
            self._answer(words, enters)

        self.once(carry)

    @rule(at=places, words=st.sampled_from(["dense", "qq"]), enters=st.booleans())
    def double_click(self, at, words, enters) -> None:
        point = self.where(at)

        def click() -> None:
            QTest.mouseClick(self.view.viewport(), LEFT, pos=point)
            QTest.mouseDClick(self.view.viewport(), LEFT, pos=point)
            self._answer(words, enters)

        self.once(click)

    @rule(
        act=st.sampled_from(sorted(ACTS)),
        numbers=st.sets(st.integers(0, 6), max_size=3) | st.none(),
    )
    def act(self, act, numbers) -> None:
        if numbers is not None:
            self.select(numbers)
        self.once(lambda: ACTS[act](self.view))

    def select(self, numbers) -> None:
        """Select these nodes, counted in the order of their ids."""
        calls = sorted(self.now.graph.calls)
        self.view.select(calls[n] for n in numbers if n < len(calls))

    @rule(kind=st.sampled_from(["frame", "note"]), enters=st.booleans())
    def annotate(self, kind, enters) -> None:
        self.once(lambda: getattr(self.view.picking, kind)() or self._write("", False))
        piece = max(self.view.canvas.pieces, key=lambda piece: int(piece[1:]))
        self.once(lambda: self.view.picking.write(piece) or self._write("words", enters))

    @rule(back=st.integers(1, 4), forth=st.integers(0, 4))
    def undo(self, back, forth) -> None:
        for _ in range(back):
            self.view.session.history.undo()
        for _ in range(forth):
            self.view.session.history.redo()
        assert self.hand.idle()

    def _answer(self, words: str, enters: bool) -> None:
        """Use or close what opened."""
        popup = QApplication.activePopupWidget()
        if isinstance(popup, QuickAdd):
            QTest.keyClicks(popup.layers.search, words)
            QTest.keyClick(popup.layers.search, RETURN if enters else ESCAPE)
        if popup := QApplication.activePopupWidget():
            popup.close()
        self._write("other", enters)

    def _write(self, words: str, enters: bool) -> None:
        """Write into the field that is open on the canvas, if there is one, and leave it."""
        fields = [c for c in self.view.viewport().children() if isinstance(c, InlineField)]
        for field in (f for f in fields if f.isVisible()):
            QTest.keyClicks(field, words)
            QTest.keyClick(field, RETURN if enters else ESCAPE, CTRL if enters else NONE)
        self.view.setFocus()

    def teardown(self) -> None:
        history = self.view.session.history
        assert_mirrors(self.view)
        while history.undo_label is not None:
            history.undo()
        assert replace(self.now, next_id=0) == replace(self.first, next_id=0)
        assert_mirrors(self.view)
        self.view.close()
        self.view.deleteLater()


TestAnyHand = AnyHand.TestCase
TestAnyHand.settings = settings(
    max_examples=20,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
