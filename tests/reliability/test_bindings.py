"""P15: what binds Qt to Python keeps count of None, True and False, which most calls give back.

Where a binding gives one reference away too many, some thousand calls of ``setPos`` end the process
with "none_dealloc", as PySide6 6.12.0 does on Python 3.11: nearly all of these methods lose some
there. From Python 3.12 on none of the three can be lost.
"""

import ctypes
import os
import sys
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QSettings, QTimer, Signal
from PySide6.QtGui import (
    QAction,
    QColor,
    QFont,
    QImage,
    QPainter,
    QPainterPath,
    QPalette,
    QPen,
    QStandardItem,
    QStandardItemModel,
)
from PySide6.QtWidgets import (
    QComboBox,
    QGraphicsRectItem,
    QGraphicsScene,
    QLabel,
    QLineEdit,
    QMenu,
    QSpinBox,
    QStatusBar,
    QTreeView,
    QWidget,
)

CHUNK = 50  # calls between two looks: a loss is told long before None runs out
COUNTED = (None, True, False)

pytestmark = pytest.mark.skipif(
    sys.version_info >= (3, 12), reason="None is immortal in this version of Python"
)


class Told(QObject):
    """Something with a signal, heard in Python."""

    happened = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.happened.connect(self.hear)

    def hear(self, _value: int) -> None:
        """Gives None back to Qt."""


class Drawn(QWidget):
    """A widget whose handlers are written in Python: Qt calls them, and is given None."""

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Does nothing."""


def calls(painter: QPainter, folder: Path) -> dict[str, Callable[[], object]]:
    """What is called, by name: methods without a result, and Python called by Qt."""
    scene, item = QGraphicsScene(), QGraphicsRectItem(0, 0, 9, 9)
    scene.addItem(item)
    picture, path, pen, font, color = picture_of(8), QPainterPath(), QPen(), QFont(), QColor()
    widget, label, line, spin, combo = QWidget(), QLabel(), QLineEdit(), QSpinBox(), QComboBox()
    bar, menu, tree, model = QStatusBar(), QMenu(), QTreeView(), QStandardItemModel()
    entry, action, timer, told, drawn = QStandardItem(), QAction(), QTimer(), Told(), Drawn()
    settings = QSettings(str(folder / "probe.ini"), QSettings.Format.IniFormat)
    palette, changed = QPalette(), QEvent(QEvent.Type.StyleChange)
    return {
        "QGraphicsItem.setPos": lambda: item.setPos(1, 2),
        "QGraphicsItem.update": lambda: item.update(),
        "QGraphicsItem.setVisible": lambda: item.setVisible(True),
        "QGraphicsItem.setZValue": lambda: item.setZValue(1),
        "QGraphicsItem.setToolTip": lambda: item.setToolTip("tip"),
        "QGraphicsRectItem.setRect": lambda: item.setRect(0, 0, 9, 9),
        "QGraphicsScene.update": lambda: scene.update(),
        "QGraphicsScene.setSceneRect": lambda: scene.setSceneRect(0, 0, 9, 9),
        "QPainter.save, restore": lambda: (painter.save(), painter.restore()),
        "QPainter.setPen": lambda: painter.setPen(pen),
        "QPainter.setBrush": lambda: painter.setBrush(color),
        "QPainter.drawLine": lambda: painter.drawLine(0, 0, 9, 9),
        "QPainter.drawRect": lambda: painter.drawRect(0, 0, 9, 9),
        "QPainter.drawPath": lambda: painter.drawPath(path),
        "QPainter.fillRect": lambda: painter.fillRect(0, 0, 9, 9, color),
        "QPainter.translate": lambda: painter.translate(0, 0),
        "QPainterPath.moveTo": lambda: path.moveTo(0, 0),
        "QPainterPath.lineTo": lambda: path.lineTo(9, 9),
        "QPainterPath.clear": lambda: path.clear(),
        "QPen.setWidthF": lambda: pen.setWidthF(2),
        "QFont.setBold": lambda: font.setBold(True),
        "QColor.setAlpha": lambda: color.setAlpha(9),
        "QPalette.setColor": lambda: palette.setColor(QPalette.ColorRole.Base, color),
        "QImage.fill": lambda: picture.fill(color),
        "QWidget.update": lambda: widget.update(),
        "QWidget.resize": lambda: widget.resize(9, 9),
        "QWidget.setEnabled": lambda: widget.setEnabled(True),
        "QWidget.setWindowTitle": lambda: widget.setWindowTitle("title"),
        "QWidget.setToolTip": lambda: widget.setToolTip("tip"),
        "QWidget.setAccessibleName": lambda: widget.setAccessibleName("name"),
        "QLabel.setText": lambda: label.setText("text"),
        "QLineEdit.setText": lambda: line.setText("text"),
        "QLineEdit.selectAll": lambda: line.selectAll(),
        "QSpinBox.setValue": lambda: spin.setValue(3),
        "QComboBox.addItem, clear": lambda: (combo.addItem("one"), combo.clear()),
        "QStatusBar.showMessage": lambda: bar.showMessage("words"),
        "QMenu.clear": lambda: menu.clear(),
        "QTreeView.setModel": lambda: tree.setModel(model),
        "QStandardItem.setText": lambda: entry.setText("text"),
        "QAction.setText": lambda: action.setText("text"),
        "QAction.setEnabled": lambda: action.setEnabled(True),
        "QTimer.start, stop": lambda: (timer.start(10_000), timer.stop()),
        "QTimer.setInterval": lambda: timer.setInterval(10_000),
        "QTimer.isActive": lambda: timer.isActive(),
        "QWidget.isEnabled, isVisible": lambda: (widget.isEnabled(), widget.isVisible()),
        "QPainterPath.isEmpty": lambda: path.isEmpty(),
        "QObject.setObjectName": lambda: told.setObjectName("name"),
        "QSettings.setValue": lambda: settings.setValue("key", 1),
        "a signal heard in Python": lambda: told.happened.emit(1),
        "an event handled in Python": lambda: QCoreApplication.sendEvent(drawn, changed),
        "QCoreApplication.processEvents": lambda: QCoreApplication.processEvents(),
    }


def picture_of(side: int) -> QImage:
    return QImage(side, side, QImage.Format.Format_ARGB32_Premultiplied)


def lost(call: Callable[[], object], times: int) -> int:
    """How many references so many calls lose, of None or a truth; it stops soon where they do."""
    call()  # what is made at first is kept
    before, fewer = [sys.getrefcount(each) for each in COUNTED], 0
    for _ in range(0, times, CHUNK):
        for _ in range(CHUNK):
            call()
        now = [sys.getrefcount(each) for each in COUNTED]
        fewer = max(a - b for a, b in zip(before, now, strict=True))
        if fewer >= CHUNK:
            break
    return max(0, fewer)


def test_no_method_of_qt_loses_references(qapp, tmp_path, amount, tell):
    image = picture_of(16)
    painter, times = QPainter(image), amount(200, 200_000)
    methods = calls(painter, tmp_path)
    found = {name: lost(call, times) for name, call in methods.items()}
    painter.end()
    assert len(methods) >= 43
    losing = {name: count for name, count in found.items() if count >= CHUNK // 2}
    assert not losing, f"references lost, by method: {losing}"
    tell(
        f"{len(methods)} methods, {times} calls each: none loses references to None, True or False"
    )


def test_the_probe_would_find_a_loss():
    """A call that gives one reference away too many, as a faulty binding does."""
    decrease, increase = ctypes.pythonapi.Py_DecRef, ctypes.pythonapi.Py_IncRef
    decrease.argtypes = increase.argtypes = [ctypes.py_object]
    decrease.restype = increase.restype = None
    taken = 0

    def losing() -> None:
        nonlocal taken
        taken += 1
        decrease(None)

    found = lost(losing, 1000)
    for _ in range(taken):
        increase(None)
    assert CHUNK <= found < 2 * CHUNK
