"""How long the canvas takes: CPU milliseconds, median over frames. Run by hand, asserts nothing.

QT_QPA_PLATFORM=offscreen python -m tests.benchmarks.canvas [nodes]
"""

import random
import statistics
import sys
from collections.abc import Callable
from dataclasses import replace
from time import perf_counter, process_time

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from studio.document import edits
from studio.document.analysis import analyse
from studio.document.model import Call, Document, Endpoint, LayerEntry, Wire
from studio.document.project import Project
from studio.layers.dense import Dense
from studio.layers.input import Input
from studio.layers.merge_concatenate import Concatenate
from studio.ui.canvas import CanvasView
from studio.ui.canvas.faces import Faces
from studio.ui.canvas.scene import CanvasScene
from studio.ui.session import Session
from studio.ui.theme import apply_theme


def residual(count: int) -> Document:
    """A long network with skips, 1.3 wires a node, in rows of 40."""
    rng = random.Random(0)
    layers = {"l0": LayerEntry(Input((8,)), "input")}
    calls = {"c0": Call("l0")}
    wires = set()
    for i in range(1, count):
        merging = i > 3 and rng.random() < 0.3
        body = Concatenate() if merging else Dense(8, "relu")
        layers[f"l{i}"] = LayerEntry(body, f"layer_{i}")
        calls[f"c{i}"] = Call(f"l{i}", (i % 40 * 240.0, i // 40 * 180.0))
        wires.add(Wire(f"c{i - 1}", "output", f"c{i}", "x", 0))
        if merging:
            wires.add(Wire(f"c{rng.randrange(max(0, i - 60), i - 1)}", "output", f"c{i}", "x", 1))
    document = Document(layers=layers, next_id=count + 1)
    graph = replace(
        document.graph,
        calls=calls,
        wires=frozenset(wires),
        inputs=("c0",),
        outputs=(Endpoint(f"c{count - 1}", "output"),),
    )
    return replace(document, graphs={"g1": graph})


def median(act: Callable[[int], None], times: int = 15) -> float:
    """CPU milliseconds of `act`, with the painting it causes."""
    taken = []
    for i in range(times):
        start = process_time()
        act(i)
        QApplication.processEvents()
        taken.append((process_time() - start) * 1000)
    return statistics.median(taken)


def main(count: int) -> None:
    app = QApplication([])
    apply_theme(app, "light")
    document = residual(count)
    start = perf_counter()
    analyse(document)
    print(f"analyse {1000 * (perf_counter() - start):.1f} ms")
    session = Session(Project(document))
    start = process_time()
    scene = CanvasScene()
    scene.show_faces(Faces(session.document, session.analysis, session.project.store))
    print(f"build {1000 * (process_time() - start):.1f} ms (budget 60 at 1,000)")
    view = CanvasView(session)
    view.resize(1600, 900)
    view.show()
    view.fit()
    QApplication.processEvents()
    print(f"full view at {view.zoom:.2f}: {median(lambda _: view.viewport().update()):.1f} ms (12)")
    view.zoom_reset()
    view.centerOn(1200, 1200)
    QApplication.processEvents()
    print(f"1:1 repaint {median(lambda _: view.viewport().update()):.1f} ms")
    print(f"1:1 pan {median(lambda _: view.scroll_by(QPoint(9, 5))):.1f} ms (8)")
    centre = QPoint(800, 450)
    zoom = median(lambda i: view.zoom_at(1.05 if i % 2 else 1 / 1.05, centre))
    print(f"zoom {zoom:.1f} ms (20)")
    for many, zoom in ((1, 1.0), (100, 0.5)):
        drag(view, many, zoom)
    call = next(iter(document.graph.calls))

    def edit(i: int) -> None:
        renamed = edits.rename_layer(session.document, document.graph.calls[call].layer, f"n{i}")
        session.commit("Rename", renamed)

    print(f"rename, analysis and view {median(edit):.1f} ms")
    print(f"select all {median(lambda i: view.select_all() if i % 2 else view.select(())):.1f} ms")


def drag(view: CanvasView, many: int, zoom: float) -> None:
    """Dragging by real mouse events through hit-testing."""
    view.zoom_at(zoom / view.zoom, QPoint(800, 450))
    view.centerOn(1200, 1200)
    near = sorted(view.canvas.calls_in(view.visible_rect()))[:many]
    view.select(near)
    QApplication.processEvents()
    item = view.canvas.items_by_call[near[0]]
    at = view.mapFromScene(item.pos() + QPointF(60, 14))
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    took = median(lambda i: QTest.mouseMove(view.viewport(), at + QPoint(5 + 4 * (i % 9), 3 * i)))
    QTest.keyClick(view, Qt.Key.Key_Escape)
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    print(f"drag {len(near)} at {zoom}: {took:.1f} ms ({8 if many == 1 else 20})")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
