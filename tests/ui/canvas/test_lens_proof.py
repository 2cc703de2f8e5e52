"""What the lens is for, in the window and with real processes: an auxiliary loss reaches layers
that the main one does not.
"""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from studio.document.model import Endpoint
from studio.document.project import Project
from studio.document.store import Store
from studio.examples import EXAMPLES
from tests.ui.looked import call
from tests.ui.test_training_dock import small_project

WAIT = 60_000  # milliseconds; another process loads everything first


def cut_off(document) -> Project:
    """The headline model whose first Dense is deaf to the LSTM: those rows of its kernel are 0."""
    graph, lstm = document.graph, call(document, "lstm")
    (slot,) = (w.slot for w in graph.into(call(document, "concatenate")) if w.source == lstm)
    assert slot == 0  # the LSTM's 32 numbers are the first of the 37 that the Dense reads
    kernel = np.random.default_rng(0).normal(size=(37, 64)).astype("f4") / 6
    kernel[:32] = 0
    store = Store()
    store.put(graph.calls[call(document, "dense")].layer, "kernel", kernel)
    return Project(document, store)


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def test_what_only_the_auxiliary_loss_trains_is_grey_for_the_main_one(open_window, qtbot):
    window = open_window(cut_off(EXAMPLES["headline"]()))
    QTest.keyClick(window.canvas, Qt.Key.Key_X)
    qtbot.waitUntil(lambda: window.canvas.canvas.tints is not None, timeout=WAIT)
    document, tints = window.session.document, window.canvas.canvas.tints
    for name in ("embedding", "lstm"):
        main, auxiliary = tints.nodes[call(document, name)]
        assert main.depth == 0 and main.strength == 0  # noqa: PT018
        assert auxiliary.depth > 0
    main, auxiliary = tints.nodes[call(document, "dense")]
    assert main.depth > 0 and auxiliary.depth == 0  # noqa: PT018
    read = Endpoint(call(document, "lstm"), "output")
    for wire in document.graph.out_of(read.call):
        shown = [band.loss for band in tints.along(wire)]
        assert shown == ([1] if wire.target == call(document, "aux_output") else [])


def test_a_training_is_seen_while_it_goes_on(open_window, qtbot, tmp_path):
    window = open_window(small_project(tmp_path, rows=400, epochs=40))
    window.session.saved(tmp_path / "p.loom")
    QTest.keyClick(window.canvas, Qt.Key.Key_X)
    training, study = window.training.training, window.desk.study
    looks = []
    training.saw.connect(looks.append)
    QTest.keyClick(window.canvas, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: any(seen.at == "epoch" for seen in looks), timeout=WAIT)
    assert window.canvas.canvas.tints.nodes
    qtbot.waitUntil(lambda: not training.running, timeout=WAIT)
    assert study.shares == window.session.project.runs[-1].shares
    assert set(study.past) <= set(range(40))
    (key,) = study.shares
    assert len(study.shares[key]["answer"]) <= 40


def test_a_model_without_data_says_what_is_lacking(open_window, qtbot):
    from studio.document import edits
    from studio.document.model import Document
    from studio.layers.input import Input

    document, _ = edits.add_layer(Document(), Input((3,)), name="lonely")
    window = open_window(Project(document))
    QTest.keyClick(window.canvas, Qt.Key.Key_X)
    study, legend = window.desk.study, window.canvas.lens.legend
    qtbot.waitUntil(lambda: bool(study.problems), timeout=WAIT)
    assert legend.status.text() == str(study.problems[0])
