"""Dragging out of the palette, on a real X server: the offscreen platform cannot drag and drop."""

import os
import shutil
import subprocess
import sys

import pytest

_SCRIPT = """
import os
from PySide6.QtCore import QPoint, QTimer, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QHBoxLayout, QWidget
from studio.document.project import Project
from studio.ui.canvas import CanvasView
from studio.ui.palette import Palette
from studio.ui.session import Session

app = QApplication([])
both, palette, view = QWidget(), Palette(), CanvasView(Session(Project()))
row = QHBoxLayout(both)
row.addWidget(palette)
row.addWidget(view, 1)
both.resize(900, 500)
both.show()
QTest.qWait(200)
palette.search.setText("LSTM")
left, keys, window = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, both.windowHandle()
index = palette.model.index(0, 0)
start = palette.list.viewport().mapTo(both, palette.list.visualRect(index).center())
goal = view.viewport().mapTo(both, QPoint(300, 200))

def carry():
    # QDrag runs its own event loop, so the rest of the way is driven from a timer.
    QTest.mouseMove(window, goal - QPoint(30, 0))
    QTest.mouseMove(window, goal)
    QTimer.singleShot(150, lambda: QTest.mouseRelease(window, left, keys, goal))

QTimer.singleShot(500, carry)
QTimer.singleShot(10000, lambda: os._exit(3))
QTest.mousePress(window, left, keys, start)
for step in range(1, 6):
    QTest.mouseMove(window, start + QPoint(6 * step, 0))
    QTest.qWait(20)
QTest.qWait(700)
(call,) = view.session.document.graph.calls
assert view.session.document.entry(call).kind == "LSTM"
assert view.canvas.items_by_call[call].covers(view.mapToScene(QPoint(300, 200)))
assert view.session.history.undo_label == "Add LSTM"
print("dropped", flush=True)
os._exit(0)
"""


@pytest.mark.xvfb
@pytest.mark.skipif(
    not (shutil.which("xvfb-run") and shutil.which("xauth")), reason="no virtual screen"
)
def test_a_layer_is_dragged_from_the_palette_to_the_canvas():
    said = subprocess.run(
        ["xvfb-run", "-a", "-s", "-screen 0 1200x800x24", sys.executable, "-c", _SCRIPT],
        env={**os.environ, "QT_QPA_PLATFORM": "xcb", "PYTHONPATH": "."},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert said.stdout.strip() == "dropped", said.stderr
