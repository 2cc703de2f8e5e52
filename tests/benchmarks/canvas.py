"""How long the canvas takes, in milliseconds of CPU time. Run by hand, asserts nothing.

python -m tests.benchmarks.canvas --nodes 1000 [--json]    # without a screen: offscreen

The mouse is moved by real events through hit-testing; each act is measured with the painting it
causes. `open` reads a .loom file and shows it; `edit` changes a layer's units until shapes,
problems and nodes are refreshed, `edit_kept` the same while it is written down; `memory_mb` is what
the process grew by from the empty window.
Those that begin with `lens` are the same with the lens on and two losses everywhere; `lens_look` is
taking in a look.
"""

import argparse
import gc
import json
import os
import random
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from time import process_time

import psutil
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from studio.document import edits
from studio.document.model import Call, Document, Endpoint, LayerEntry, Wire
from studio.document.project import Project
from studio.formats.loom import load, save
from studio.layers.dense import Dense
from studio.layers.input import Input
from studio.layers.merge_concatenate import Concatenate
from studio.train.study.lens import LensSample
from studio.train.study.wanted import Tap
from studio.ui.canvas import CanvasView
from studio.ui.canvas.faces import Faces
from studio.ui.canvas.scene import CanvasScene
from studio.ui.canvas.tints import Tints, top_of
from studio.ui.recovery.keeping import Keeping
from studio.ui.session import Session
from studio.ui.theme import apply_theme

MIDDLE = QPoint(800, 450)
Times = dict[str, float]


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


def timed(act: Callable[[int], object], times: int = 15) -> Times:
    """Median and 95th percentile of `act`, with the painting it causes."""
    taken = []
    for i in range(times):
        start = process_time()
        act(i)
        QApplication.processEvents()
        taken.append((process_time() - start) * 1000)
    taken.sort()
    return {
        "median": round(statistics.median(taken), 2),
        "p95": round(taken[min(len(taken) - 1, round(0.95 * len(taken)))], 2),
    }


def memory() -> float:
    """What the process holds, in MB."""
    gc.collect()
    return float(psutil.Process().memory_info().rss) / 2**20


def window(project: Project) -> CanvasView:
    """A canvas with everything in sight."""
    view = CanvasView(Session(project))
    view.resize(1600, 900)
    view.show()
    view.fit()
    QApplication.processEvents()
    return view


def measured(count: int) -> Iterator[tuple[str, Times | float]]:
    """Each measure by its name."""
    document = residual(count)
    few = 5 if count > 2000 else 9
    window(Project(residual(8)))  # what is loaded at first is none of the model's
    before = memory()
    view = window(Project(document))
    yield "memory_mb", round(memory() - before, 1)
    session = view.session

    def build(_: int) -> None:
        faces = Faces(session.document, session.analysis, session.project.store)
        CanvasScene().show_faces(faces)

    yield "build", timed(build, few)
    yield "full", timed(lambda _: view.viewport().update())
    view.zoom_reset()
    view.centerOn(1200, 1200)
    QApplication.processEvents()
    yield "repaint", timed(lambda _: view.viewport().update())
    yield "pan", timed(lambda _: view.scroll_by(QPoint(9, 5)))
    yield "zoom", timed(lambda i: view.zoom_at(1.05 if i % 2 else 1 / 1.05, MIDDLE))
    for name, many, zoom in (("drag_1", 1, 1.0), ("drag_100", 100, 0.5)):
        yield name, drag(view, many, zoom)
    yield "marquee", marquee(view)
    yield "select_all", timed(lambda i: view.select(()) if i % 2 else view.select_all())
    view.select(())
    view.zoom_reset()
    view.centerOn(1200, 1200)
    call = session.document.graph.calls[min(f"c{count // 2}", f"c{count - 1}")]
    layer = next(k for k in (call.layer, *session.document.layers) if has_units(session, k))

    def edit(i: int) -> None:
        units = edits.set_parameters(session.document, layer, units=9 + i)
        session.commit("Units", units)

    yield "edit", timed(edit)
    with tempfile.TemporaryDirectory() as folder:
        keeping = Keeping(Path(folder), session)
        yield "edit_kept", timed(edit)
        keeping.close()
    yield "undo", timed(lambda _: session.history.undo())
    yield from looked_at(view)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.loom"
        save(path, session.project)
        yield "open", timed(lambda _: window(load(path)), few)


def looked_at(view: CanvasView) -> Iterator[tuple[str, Times]]:
    """The canvas with what the lens shows."""
    graph = view.session.document.graph
    rng = random.Random(0)

    def look(_: int) -> None:
        pairs = {
            call: (10 ** rng.uniform(-6, -2), 10 ** rng.uniform(-6, -2)) for call in graph.calls
        }
        sample = LensSample(
            losses=("c1.output", "c2.output"),
            values=(1.0, 1.0),
            weights=(1.0, 1.0),
            rate=0.01,
            strengths={(call,): pair for call, pair in pairs.items()},
            signals={Tap((call,), "output"): pair for call, pair in pairs.items()},
        )
        view.canvas.show_tints(Tints.of(sample, graph, (), None, top_of(sample)))

    look(0)
    yield "lens_paint", timed(lambda _: view.viewport().update())
    yield "lens_pan", timed(lambda _: view.scroll_by(QPoint(9, 5)))
    view.fit()
    yield "lens_full", timed(lambda _: view.viewport().update())
    yield "lens_look", timed(look)
    view.canvas.show_tints(None)


def has_units(session: Session, layer: str) -> bool:
    return isinstance(session.document.layers[layer].body, Dense)


def drag(view: CanvasView, many: int, zoom: float) -> Times:
    """Dragging nodes, a step of the mouse at a time."""
    view.zoom_at(zoom / view.zoom, MIDDLE)
    view.centerOn(1200, 1200)
    near = sorted(view.canvas.calls_in(view.visible_rect()))[:many]
    view.select(near)
    QApplication.processEvents()
    item = view.canvas.items_by_call[near[0]]
    at = view.mapFromScene(item.pos() + QPointF(60, 14))
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    took = timed(lambda i: QTest.mouseMove(view.viewport(), at + QPoint(5 + 4 * (i % 9), 3 * i)))
    QTest.keyClick(view, Qt.Key.Key_Escape)
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    return took


def marquee(view: CanvasView) -> Times:
    """Drawing a rectangle over half of what is in sight."""
    at = QPoint(4, 4)
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    took = timed(lambda i: QTest.mouseMove(view.viewport(), QPoint(400 + 40 * i, 300 + 20 * i)))
    QTest.keyClick(view, Qt.Key.Key_Escape)
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    asked = parser.parse_args()
    if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys():
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QApplication([])
    apply_theme(app, "light")
    found = dict(measured(asked.nodes))
    if asked.json:
        print(json.dumps({"nodes": asked.nodes, **found}))
        return
    for name, value in found.items():
        if isinstance(value, dict):
            print(f"{name:10} median {value['median']:8.2f} ms   p95 {value['p95']:8.2f} ms")
        else:
            print(f"{name:10} {value:.1f}")


if __name__ == "__main__":
    main()
