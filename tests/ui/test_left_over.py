"""A test of the window fails where Qt warns, a slot raises, or anything is left alive."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

BAD = """
import threading
from PySide6.QtCore import QObject, QTimer, qWarning
from PySide6.QtWidgets import QWidget
from tests.ui import left_over

left_over.PATIENCE = 0.1

kept = []

def test_warns(qapp):
    qWarning("something is wrong")

class Warner(QWidget):
    def closeEvent(self, event):
        qWarning("wrong at the end")

def test_warns_at_the_end(qtbot):
    kept.append(Warner())
    qtbot.addWidget(kept[-1])
    kept[-1].show()

def test_raises(qapp, qtbot):
    def slot():
        raise ZeroDivisionError("in a slot")
    QTimer.singleShot(0, slot)
    qtbot.wait(20)

def test_leaves_a_window(qapp):
    kept.append(QWidget())
    kept[-1].setObjectName("forgotten")
    kept[-1].show()

def test_leaves_a_thread(qapp):
    end = threading.Event()
    kept.append(end)
    threading.Thread(target=end.wait, name="endless", daemon=True).start()

def test_is_good(qtbot):
    widget = QWidget()
    qtbot.addWidget(widget)
    widget.show()
    thread = threading.Thread(target=lambda: None)
    thread.start()
"""


def test_what_is_wrong_fails_and_what_is_right_does_not(tmp_path: Path) -> None:
    (tmp_path / "test_bad.py").write_text(BAD)
    options = ["-p", "tests.ui.conftest", "-p", "no:cacheprovider", "-q", "--rootdir", str(ROOT)]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", "pyproject.toml", *options, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )
    said = ran.stdout
    for words in ("something is wrong", "wrong at the end", "ZeroDivisionError: in a slot"):
        assert words in said
    assert "left alive: QWidget 'forgotten'" in said
    assert re.search(r"left alive: endless \(Event\.wait\)", said)
    bad = re.findall(r"^(FAILED|ERROR) \S+::(\w+)", said, re.MULTILINE)
    assert sorted(bad) == [
        ("ERROR", "test_leaves_a_thread"),
        ("ERROR", "test_leaves_a_window"),
        ("ERROR", "test_warns_at_the_end"),
        ("FAILED", "test_raises"),
        ("FAILED", "test_warns"),
    ]
