"""Questions: which button Enter and Escape press."""

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QMessageBox, QWidget

from studio.ui.dialogs import confirm


@pytest.mark.parametrize(
    ("key", "loses", "done"),
    [
        (Qt.Key.Key_Return, False, True),
        (Qt.Key.Key_Return, True, False),
        (Qt.Key.Key_Escape, False, False),
        (Qt.Key.Key_Escape, True, False),
    ],
)
def test_enter_does_nothing_that_something_is_lost_by(qtbot, key, loses, done):
    parent = QWidget()
    qtbot.addWidget(parent)

    def press():
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        qtbot.keyClick(box, key)

    QTimer.singleShot(100, press)
    assert confirm(parent, "Replace it?", "Replace it", loses=loses) is done
