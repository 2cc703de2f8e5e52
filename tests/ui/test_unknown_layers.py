"""In the window: layers of a later version are seen, moved, copied and kept like any other."""

import json
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from studio.document.model import Unknown
from studio.document.project import Project
from studio.formats import loom
from studio.ui.canvas.picture import Look, draw
from studio.ui.window import MainWindow
from tests.formats.examples import fill, two_outputs
from tests.formats.test_unknown_layers import CONFIG, call_of, changed, unknown
from tests.ui.canvas.conftest import assert_mirrors


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return changed(fill(two_outputs()), tmp_path / "m.loom", "lstm", kind="Mamba", config=CONFIG)


def unknowns(window: MainWindow) -> list[dict[str, Any]]:
    bodies = (entry.body for entry in window.session.document.layers.values())
    return [dict(body.config) for body in bodies if isinstance(body, Unknown)]


def press(window: MainWindow, key: Qt.Key, *modifiers: Qt.KeyboardModifier) -> None:
    held = Qt.KeyboardModifier.NoModifier
    for modifier in modifiers:
        held |= modifier
    QTest.keyClick(window.canvas, key, held)


def test_it_is_copied_deleted_and_brought_back(
    open_window: Any, project: Project, tmp_path: Path
) -> None:
    window = open_window(project)
    document = window.session.document
    layer, _ = unknown(document)
    call = call_of(document, layer)
    window.session.select([call])
    control = Qt.KeyboardModifier.ControlModifier
    press(window, Qt.Key.Key_C, control)
    press(window, Qt.Key.Key_V, control)
    assert unknowns(window) == [CONFIG, CONFIG]
    window.session.select([call])
    press(window, Qt.Key.Key_Delete)
    assert unknowns(window) == [CONFIG]
    press(window, Qt.Key.Key_Z, control)
    press(window, Qt.Key.Key_Z, control)
    assert window.session.document.graphs == document.graphs
    assert window.session.document.layers == document.layers
    loom.save(tmp_path / "again.loom", window.session.project)
    again = loom.load(tmp_path / "again.loom")
    assert unknown(again.document)[1] == Unknown("Mamba", CONFIG)
    assert len(again.store.cells(layer)) == 3


def test_it_is_shown_with_the_wires_it_has(open_window: Any, project: Project) -> None:
    window = open_window(project)
    document = window.session.document
    call = call_of(document, unknown(document)[0])
    window.session.select([call])
    for name in ("problems", "summary", "weights", "data", "try", "evaluation", "insight"):
        window.raise_dock(name)
        QTest.qWait(30)
    assert_mirrors(window.canvas)
    face = window.canvas.canvas.items_by_call[call].face
    assert [port.name for port in face.inputs] == ["x"]
    assert [port.name for port in face.outputs] == ["output"]
    said = " ".join(label.text() for label in window.inspector.findChildren(QLabel))
    for name, value in CONFIG.items():
        assert f"{name}: {json.dumps(value, ensure_ascii=False)}" in said
    window.inspector.check_gradients()
    QTest.qWait(300)


def test_its_picture_is_drawn(qapp: Any, project: Project, tmp_path: Path) -> None:
    draw(project, tmp_path / "m.svg", Look(1.0, False, "light"), None, "m")
    assert "Mamba" in (tmp_path / "m.svg").read_text("utf-8")
