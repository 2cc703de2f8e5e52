"""The system ends the session or the program: nothing is asked, and what is unsaved stays kept."""

import os
import signal
import subprocess
import sys

import pytest

from studio.document import edits
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.formats.journal import recover
from studio.ui.recovery.leaving import Leaving

WINDOW = """
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMessageBox
from studio.ui import app
from studio.ui.window import MainWindow

QMessageBox.exec = lambda box: print("asked", box.text(), flush=True)

def work():
    window = next(w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow))
    window.canvas.add_layer("Dense")
    print("worked", flush=True)

application = QApplication(["layerloom"])
QTimer.singleShot(200, work)
sys.exit(app.run(None))
"""


@pytest.fixture
def leaving(qapp):
    made = Leaving(lambda: None)
    yield made
    made.close()


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no such signals")
@pytest.mark.parametrize("number", ["SIGTERM", "SIGHUP"])
def test_a_program_that_is_told_to_end_keeps_what_is_unsaved(tmp_path, number):
    state = {"XDG_STATE_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "settings")}
    process = subprocess.Popen(
        [sys.executable, "-c", WINDOW],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **state, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "worked\n"
        process.send_signal(getattr(signal, number))
        said, _ = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (process.returncode, said) == (0, ""), "nothing is asked"
    (found,) = recover(tmp_path / "layerloom" / "recovery")
    assert [e.kind for e in found.recovered().now.document.layers.values()] == ["Dense"]
    found.discard()


def test_while_the_session_ends_a_window_closes_without_a_question(
    open_window, leaving, tmp_path, qtbot
):
    root = tmp_path / "recovery"
    window = open_window(Project(EXAMPLES["headline"]()), kept_in=root)
    window.ending = lambda: leaving.ending
    document = window.session.document
    layer = next(iter(document.layers))
    window.session.commit("Rename", edits.rename_layer(document, layer, "mine"))
    leaving._end_session(None)
    assert window.close()
    (found,) = recover(root)
    assert found.recovered().now.document == window.session.document
    found.discard()


def test_a_session_that_does_not_end_after_all_is_forgotten(leaving, qtbot):
    leaving._stayed.setInterval(20)
    leaving._end_session(None)
    assert leaving.ending
    qtbot.waitUntil(lambda: not leaving.ending)


def test_signals_do_again_what_they_did(qapp):
    before = signal.getsignal(signal.SIGTERM)
    made = Leaving(lambda: None)
    assert signal.getsignal(signal.SIGTERM) != before
    made.close()
    assert signal.getsignal(signal.SIGTERM) == before
