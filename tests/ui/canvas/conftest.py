"""A canvas on the screen, and a hand that moves over it."""

import pytest
from PySide6.QtCore import QByteArray, QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtTest import QTest

from studio.document import edits
from studio.document.model import Document, Endpoint
from studio.document.project import Project
from studio.layers.dense import Dense
from studio.layers.embedding import Embedding
from studio.layers.input import Input
from studio.layers.lstm import LSTM
from studio.layers.merge_concatenate import Concatenate
from studio.ui.canvas import CanvasView
from studio.ui.palette import LAYER_MIME
from studio.ui.session import Session

LEFT = Qt.MouseButton.LeftButton
NO_KEYS = Qt.KeyboardModifier.NoModifier


def small_document() -> Document:
    """words → embedding → lstm ⊕ numbers → both → head; "alone" stands by itself."""
    document = Document()
    for name, body, x, y in (
        ("words", Input((7,), "int32"), 0, 0),
        ("embedding", Embedding(50, 4), 240, 0),
        ("lstm", LSTM(3), 480, 0),
        ("numbers", Input((5,)), 480, 160),
        ("both", Concatenate(), 720, 60),
        ("head", Dense(1), 960, 60),
        ("alone", Dense(2), 480, 330),
    ):
        document, _ = edits.add_layer(document, body, (float(x), float(y)), name=name)
    for start, end in (
        ("words", "embedding"),
        ("embedding", "lstm"),
        ("lstm", "both"),
        ("numbers", "both"),
        ("both", "head"),
    ):
        ends = Endpoint(call(document, start), "output"), Endpoint(call(document, end), "x")
        document = edits.connect(document, *ends)
    return edits.mark_output(document, Endpoint(call(document, "head"), "output"))


def call(document: Document, name: str) -> str:
    return next(c for c in document.graph.calls if document.entry(c).name == name)


class Hand:
    """Real mouse events on the viewport, at places given by what is there."""

    def __init__(self, view: CanvasView) -> None:
        self.view = view

    def __call__(self, name: str) -> str:
        return call(self.view.session.document, name)

    @property
    def document(self) -> Document:
        return self.view.session.document

    def position(self, name: str) -> tuple[float, float]:
        """Where a node is in the document."""
        return self.document.graph.calls[self(name)].position

    def steps(self) -> int:
        """How many acts can be undone; the document is left as it is."""
        history, count = self.view.session.history, 0
        while history.undo_label is not None:
            history.undo()
            count += 1
        for _ in range(count):
            history.redo()
        return count

    def idle(self) -> bool:
        """Whether nothing of a gesture is left on the scene."""
        canvas = self.view.canvas
        concealed = canvas.wires.hidden | canvas.wires.doomed
        others = [item for item in canvas.overlays if item is not self.view.hint]
        placed = all(
            (item.x(), item.y()) == self.document.graph.calls[c].position
            for c, item in canvas.items_by_call.items()
        )
        return placed and not (others or concealed or canvas.lights or self.view.hint.isVisible())

    def names(self) -> set[str]:
        """The selected nodes' names."""
        return {self.document.entry(c).name for c in self.view.session.selection}

    def wires(self) -> set[tuple[str, str, int]]:
        graph, name = self.document.graph, lambda c: self.document.entry(c).name
        return {(name(w.source), name(w.target), w.slot) for w in graph.wires}

    # places, in pixels of the viewport

    def title(self, name: str) -> QPoint:
        item = self.view.canvas.items_by_call[self(name)]
        return self.view.mapFromScene(item.pos() + QPointF(60, 14))

    def output(self, name: str) -> QPoint:
        item = self.view.canvas.items_by_call[self(name)]
        return self.view.mapFromScene(item.anchor("output", False))

    def input(self, name: str, slot: int = 0) -> QPoint:
        item = self.view.canvas.items_by_call[self(name)]
        return self.view.mapFromScene(item.anchor("x", True, slot))

    def middle(self, start: str, end: str) -> QPoint:
        """The middle of a wire into the first place of `end`."""
        return (self.output(start) + self.input(end)) / 2

    # acts

    def press(self, at: QPoint, keys=NO_KEYS, button=LEFT) -> None:
        QTest.mousePress(self.view.viewport(), button, keys, at)

    def move(self, at: QPoint) -> None:
        QTest.mouseMove(self.view.viewport(), at)

    def release(self, at: QPoint, keys=NO_KEYS, button=LEFT) -> None:
        QTest.mouseRelease(self.view.viewport(), button, keys, at)

    def click(self, at: QPoint, keys=NO_KEYS) -> None:
        self.press(at, keys)
        self.release(at, keys)

    def drag(self, start: QPoint, end: QPoint, keys=NO_KEYS, button=LEFT) -> None:
        """Press, three moves, release."""
        self.carry(start, end, keys, button)
        self.release(end, keys, button)

    def carry(self, start: QPoint, end: QPoint, keys=NO_KEYS, button=LEFT) -> None:
        """As `drag`, the button still held."""
        self.press(start, keys, button)
        for share in (0.1, 0.6, 1.0):
            self.move(start + (end - start) * share)

    def key(self, key: Qt.Key, keys=NO_KEYS) -> None:
        QTest.keyClick(self.view, key, keys)


@pytest.fixture
def view(qtbot):
    shown = CanvasView(Session(Project(small_document())))
    qtbot.addWidget(shown)
    shown.resize(1300, 560)
    shown.show()
    shown.zoom_at(1 / shown.zoom, QPoint(0, 0))
    shown.centerOn(shown.canvas.extent().center())
    shown.setFocus()
    return shown


@pytest.fixture
def hand(view):
    return Hand(view)


@pytest.fixture
def mirrored(view):
    """Asserts that the scene shows the document, and undo and redo keep it so."""

    def check() -> None:
        history = view.session.history
        assert_mirrors(view)
        history.undo()
        assert_mirrors(view)
        history.redo()
        assert_mirrors(view)

    return check


def assert_mirrors(view: CanvasView) -> None:
    """Every node and wire of the graph shown is on the scene, where and as it should be."""
    view.arranging.settle()
    document, scene = view.session.seen, view.canvas
    assert scene.items_by_call.keys() == document.graph.calls.keys()
    for call_id, item in scene.items_by_call.items():
        assert (item.x(), item.y()) == document.graph.calls[call_id].position
        assert item.face.title == document.entry(call_id).name
        assert item.scene() is scene
    assert set(scene.wires.wires) == document.graph.wires
    fresh = CanvasView(Session(Project(view.session.document, view.session.project.store)))
    fresh.session.look(view.session.way)
    for call_id, item in fresh.canvas.items_by_call.items():
        assert scene.items_by_call[call_id].face == item.face
    for wire in document.graph.wires:
        assert scene.wires.ends(wire) == fresh.canvas.wires.ends(wire)
    assert scene.wires.bends() == document.graph.looks.bends
    looks = {**document.graph.looks.frames, **document.graph.looks.notes}
    assert {i: p.rect for i, p in scene.pieces.items()} == {i: p.rect for i, p in looks.items()}
    assert scene.picked <= scene.pieces.keys()
    for gone in (fresh, fresh.session):
        gone.deleteLater()


@pytest.fixture
def dropped(view):
    """Drops a kind of layer out of the palette at a point of the viewport."""

    def drop(kind: str, at: QPoint) -> None:
        data = QMimeData()
        data.setData(LAYER_MIME, QByteArray(kind.encode()))
        copy, keys = Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
        for event in (QDragEnterEvent, QDragMoveEvent):
            shown = event(at, copy, data, LEFT, keys)
            (view.dragEnterEvent if event is QDragEnterEvent else view.dragMoveEvent)(shown)
        view.dropEvent(QDropEvent(QPointF(at), copy, data, LEFT, keys))

    return drop
