"""Small pieces that several panels are built of."""

import ctypes
import sys

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QComboBox, QSpinBox, QVBoxLayout, QWidget

from studio.ui.parts import IconButton, clear
from studio.ui.theme import apply_theme


def ink(button):
    """The colour of the drawing."""
    image = button.icon().pixmap(32, 32).toImage()
    spots = ((x, y) for x in range(image.width()) for y in range(image.height()))
    return max((image.pixelColor(*spot) for spot in spots), key=lambda c: c.alpha()).name()


def test_a_drawing_follows_the_theme(qtbot, qapp):
    button = IconButton("export", "Export…")
    qtbot.addWidget(button)
    button.show()
    assert (button.toolTip(), button.accessibleName()) == ("Export…", "Export…")
    before = ink(button)
    apply_theme(qapp, "dark")
    assert ink(button) != before


class _Memory(ctypes.Structure):
    """What glibc tells of its memory."""

    _fields_ = (
        *((f"before_{number}", ctypes.c_size_t) for number in range(7)),
        *((name, ctypes.c_size_t) for name in ("used", "free", "at_the_end")),
    )


@pytest.mark.skipif(sys.platform != "linux", reason="the system says nothing of what is held")
@pytest.mark.parametrize(("kind", "most"), [(QSpinBox, 400), (QComboBox, 700)])  # twice that before
def test_nothing_of_fields_is_held_that_were_cleared(qapp, kind, most):
    told = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if told is None:
        pytest.skip("another C library")
    told.restype = _Memory
    apply_theme(qapp, "light")

    def come_and_go(times):
        for _ in range(times):
            panel = QWidget()
            layout = QVBoxLayout(panel)
            for _ in range(10):
                layout.addWidget(kind())
            if kind is QComboBox:
                for box in panel.findChildren(QComboBox):
                    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
            clear(panel)
            del panel, layout
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    come_and_go(20)
    before = told().used
    come_and_go(60)
    assert (told().used - before) / 600 < most, "bytes for each"
