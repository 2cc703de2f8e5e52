"""Copies of trained layers are trained, whatever becomes of the original; also elsewhere."""

import gc
import json
import os
import shutil
import subprocess
import sys
import weakref

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from studio.document.project import Project
from studio.formats import clipboard
from studio.formats.arrays import Tensors, write
from studio.formats.clipboard import WEIGHTS_MIME
from studio.text import set_language
from tests.ui.canvas.conftest import small_document

CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def window(open_window):
    """With an LSTM and an Embedding that have learnt: all ones, and all twos."""
    made = open_window(Project(small_document()))
    store = made.session.project.store
    store.put(layer(made, "embedding"), "embeddings", np.full((50, 4), 2))
    for name, shape in (("kernel", (4, 12)), ("recurrent_kernel", (3, 12)), ("bias", (12,))):
        store.put(layer(made, "lstm"), name, np.ones(shape))
    made.session.weights_changed.emit()
    return made


def layer(window, name):
    document = window.session.document
    return next(i for i, entry in document.layers.items() if entry.name == name)


def press(window, key):
    window.canvas.setFocus()
    QTest.keyClick(window.canvas, key, CTRL)


def copy(window, *names, key=Qt.Key.Key_C):
    document = window.session.document
    calls = [c for c in document.graph.calls if document.entry(c).name in names]
    assert len(calls) == len(names)
    window.canvas.select(calls)
    press(window, key)


def paste_in_new_tab(window):
    window.files.new()
    press(window, Qt.Key.Key_V)


def has(window, name):
    """What the weights of a layer come to, by their names."""
    store = window.session.project.store
    return {w: float(cell.value.sum()) for (w, _), cell in store.cells(layer(window, name)).items()}


LEARNT = {"kernel": 48, "recurrent_kernel": 36, "bias": 12}


def elsewhere(window, formats=None, weights=None):
    """As another program finds what was copied here: bytes, by their types."""
    held = QApplication.clipboard().mimeData()
    data = QMimeData()
    for kind in held.formats() if formats is None else formats:
        data.setData(kind, bytes(held.data(kind).data()))
    if weights is not None:
        data.setData(WEIGHTS_MIME, weights)
    QApplication.clipboard().setMimeData(data)
    window.files.new()


# -- in one program ------------------------------------------------------------------------------


def close_the_tab(window):
    (desk,) = window.tabs.desks
    window.files.new()
    window.canvas.add_layer("Input")  # else an empty project gives way to the next
    desk.session.history.saved()
    desk.session.saved(desk.session.path)
    window.close_tab(desk)
    assert desk not in window.tabs.desks


def reset(window):
    window.session.reset_weights()


def train_on(window):
    store = window.session.project.store
    store.put(layer(window, "lstm"), "kernel", np.zeros((4, 12)))


def delete(window):
    window.canvas.delete_selection()
    window.session.project.store.forget([*window.session.project.store.shared()])


@pytest.mark.parametrize("happens", [close_the_tab, reset, train_on, delete])
def test_a_copy_has_what_was_learnt_when_it_was_made(window, happens):
    copy(window, "lstm")
    happens(window)
    gc.collect()
    paste_in_new_tab(window)
    assert has(window, "lstm") == LEARNT


def test_what_is_cut_is_pasted_trained_once_its_tab_is_closed(window):
    copy(window, "lstm", "embedding", key=Qt.Key.Key_X)
    close_the_tab(window)
    gc.collect()
    paste_in_new_tab(window)
    assert has(window, "lstm") == LEARNT
    assert has(window, "embedding") == {"embeddings": 400}


def test_copies_share_no_numbers(window):
    copy(window, "lstm")
    press(window, Qt.Key.Key_V)
    store = window.session.project.store
    one, other = (store.cells(layer(window, n))["bias", (12,)] for n in ("lstm", "lstm_1"))
    assert not np.shares_memory(one.value, other.value)


@pytest.mark.parametrize("by", ["copy", "text", "clear"])
def test_weights_are_held_as_long_as_they_can_be_pasted(window, by):
    copy(window, "lstm")
    held = weakref.ref(QApplication.clipboard().mimeData().store)
    assert "embedding" not in {window.session.document.layers[i].name for i in held().shared()}
    if by == "copy":
        copy(window, "embedding")
    elif by == "text":
        QApplication.clipboard().setText("a word of another program")
    else:
        QApplication.clipboard().clear()
    gc.collect()
    assert held() is None


# -- in another one ------------------------------------------------------------------------------


def test_another_program_gets_the_weights_too(window):
    copy(window, "lstm", "embedding")
    elsewhere(window)
    press(window, Qt.Key.Key_V)
    assert has(window, "lstm") == LEARNT
    assert has(window, "embedding") == {"embeddings": 400}
    store = window.session.project.store
    assert all(cell.trained for _, cell in store.items())


def test_all_shapes_come_along_where_less_arrives_than_did(window):
    """Of a layer behind a Concatenate that is copied with one of two inputs."""
    d = window.session.document
    (head,) = (c for c in d.graph.calls if d.entry(c).name == "head")
    wide = window.session.analysis.weights[d.graph.calls[head].layer][0]
    window.session.project.store.put(d.graph.calls[head].layer, wide.name, np.ones(wide.shape))
    copy(window, "numbers", "both", "head")
    elsewhere(window)
    found = QApplication.clipboard().mimeData().data(WEIGHTS_MIME)
    store = clipboard.weights_from_bytes(bytes(found.data()))
    assert [cell.value.shape for _, cell in store.items()] == [wide.shape]


def test_layers_that_learnt_nothing_bring_nothing_and_nothing_is_said(window):
    copy(window, "head")
    assert WEIGHTS_MIME not in QApplication.clipboard().mimeData().formats()
    assert "learnt" not in json.loads(QApplication.clipboard().text())
    elsewhere(window)
    press(window, Qt.Key.Key_V)
    assert has(window, "head") == {}


def test_a_text_says_that_it_holds_no_weights(window, answer):
    copy(window, "lstm", "embedding")
    elsewhere(window, ["text/plain"])
    asked = answer("Close")
    press(window, Qt.Key.Key_V)
    ((_, said),) = asked
    assert said.startswith("Pasted without what training learnt.")
    assert "embedding, lstm: a text holds no weights" in said or "lstm, embedding" in said
    assert has(window, "lstm") == {}


def test_a_text_of_an_older_version_is_pasted(window):
    copy(window, "lstm")
    older = json.loads(QApplication.clipboard().text())
    del older["learnt"]
    QApplication.clipboard().setText(json.dumps(older))
    paste_in_new_tab(window)
    assert has(window, "lstm") == {}


def test_too_large_weights_are_not_offered_and_missed(window, monkeypatch, answer):
    monkeypatch.setattr(clipboard, "COPIED_BYTES", 4 * 96 - 1)
    copy(window, "lstm")
    assert WEIGHTS_MIME not in QApplication.clipboard().mimeData().formats()
    elsewhere(window)
    asked = answer("Close")
    press(window, Qt.Key.Key_V)
    assert "lstm: a text holds no weights" in asked[0][1]
    assert has(window, "lstm") == {}


def test_too_large_weights_are_not_read(window, monkeypatch, answer):
    copy(window, "lstm")
    elsewhere(window)
    monkeypatch.setattr(clipboard, "COPIED_BYTES", 10)
    monkeypatch.setattr(clipboard, "JSON_BYTES", 10)
    asked = answer("Close")
    press(window, Qt.Key.Key_V)
    assert "it is larger than 10 bytes" in asked[0][1]


def tensors(arrays):
    class Joined(bytearray):
        def write(self, data):
            self.extend(data)

    file = Joined()
    write(file, Tensors(arrays))
    return bytes(file)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data, key: data[:-1],
        lambda data, key: b"\xff" * 64,
        lambda data, key: b"x",
        lambda data, key: data.replace(b'"F32"', b'"F16"'),
        lambda data, key: data.replace(b"[4, 12]", b"[4, 13]"),
        lambda data, key: tensors({f"{key}/kernel": np.ones((4, 12), np.int64)}),
        lambda data, key: tensors({"": np.ones((4, 12), np.float32)}),
    ],
)
def test_damaged_weights_are_refused_by_a_sentence_and_the_layers_pasted(window, answer, damage):
    copy(window, "lstm")
    held = QApplication.clipboard().mimeData().data(WEIGHTS_MIME).data()
    elsewhere(window, weights=damage(bytes(held), layer(window, "lstm")))
    asked = answer("Close")
    press(window, Qt.Key.Key_V)
    assert "lstm: the weights that came along cannot be used. “safetensors” cannot" in asked[0][1]
    assert has(window, "lstm") == {}


def test_weights_of_other_shapes_are_missed(window, answer):
    copy(window, "words", "embedding", "lstm")
    key = layer(window, "lstm")
    elsewhere(window, weights=tensors({f"{key}/kernel": np.ones((5, 12), np.float32)}))
    asked = answer("Close")
    press(window, Qt.Key.Key_V)
    assert "the weights that came along are not of the shapes" in asked[0][1]
    assert "lstm" in asked[0][1]
    document, analysis = window.session.document, window.session.analysis
    store = window.session.project.store
    assert not any(store.trained(i, w) for i, w in analysis.weights.items() if w), document


def test_what_is_said_is_said_in_chinese(window, answer):
    copy(window, "lstm")
    elsewhere(window, ["text/plain"])
    set_language("zh_CN")
    asked = answer("关闭")
    press(window, Qt.Key.Key_V)
    assert asked[0][1].startswith("已粘贴，但不含训练所得。 lstm：文本不含权重。")


_PROGRAM = """
import sys
import numpy as np
from PySide6.QtCore import QEventLoop, QProcess, QTimer
from PySide6.QtWidgets import QApplication
from studio.document.project import Project
from studio.ui.session import Session
from studio.ui.settings import Settings
from studio.ui.window import MainWindow
from studio.text import set_language
from tests.ui.canvas.conftest import small_document

app = QApplication([])
pastes = sys.argv[1:] == ["paste"]
window = MainWindow(Settings(), Session(Project() if pastes else Project(small_document())))
window.show()
session, loop = window.session, QEventLoop()
QTimer.singleShot(500, loop.quit)
loop.exec()
if pastes:
    window.canvas.clipboard.paste()
    (call,) = session.document.graph.calls.values()
    cells = session.project.store.cells(call.layer)
    print(sorted((name, float(c.value.sum()), c.trained) for (name, _), c in cells.items()))
else:
    (call,) = (c for c in session.document.graph.calls if session.document.entry(c).name == "lstm")
    key = session.document.graph.calls[call].layer
    for weight in session.analysis.weights[key]:
        session.project.store.put(key, weight.name, np.ones(weight.shape))
    window.canvas.select([call])
    assert window.canvas.clipboard.copy()
    other = QProcess(processChannelMode=QProcess.ProcessChannelMode.ForwardedChannels)
    other.finished.connect(loop.quit)
    other.start(sys.executable, ["-c", sys.argv[1], "paste"])
    QTimer.singleShot(90000, other.kill)  # a question nobody answers
    loop.exec()
session.saved(None)
window.close()
"""


@pytest.mark.xvfb
@pytest.mark.skipif(
    not (shutil.which("xvfb-run") and shutil.which("xauth")), reason="no virtual screen"
)
def test_a_copy_in_a_program_of_its_own_is_trained(tmp_path):
    said = subprocess.run(
        ["xvfb-run", "-a", sys.executable, "-c", _PROGRAM, _PROGRAM],
        env={
            **os.environ,
            "QT_QPA_PLATFORM": "xcb",
            "PYTHONPATH": ".",
            "XDG_CONFIG_HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    expected = [("bias", 12.0, True), ("kernel", 48.0, True), ("recurrent_kernel", 36.0, True)]
    assert said.stdout.strip() == str(expected), said.stderr
    assert said.returncode == 0, said.stderr
