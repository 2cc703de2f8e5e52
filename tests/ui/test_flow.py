"""Widgets laid out in lines, like words."""

import pytest
from PySide6.QtWidgets import QApplication, QLabel

from studio.ui.flow import Flow, beside


@pytest.fixture
def flow(qtbot):
    """Five labels of 80 pixels, the fourth hidden."""
    made = Flow()
    qtbot.addWidget(made)
    for number in range(5):
        label = QLabel(str(number))
        label.setFixedSize(80, 20)
        made.add(label)
    labels(made)[3].hide()
    made.show()
    qtbot.waitExposed(made)
    return made


def labels(flow):
    return flow.findChildren(QLabel)


def places(flow, width):
    flow.resize(width, 200)
    QApplication.processEvents()
    return [(label.x(), label.y()) for label in labels(flow) if label.isVisible()]


def test_what_has_no_room_in_a_line_begins_the_next(flow):
    assert places(flow, 260) == [(0, 0), (86, 0), (172, 0), (0, 26)]
    assert flow.heightForWidth(260) == 46
    assert flow.minimumSizeHint().toTuple() == (80, 46), "no line is cut off"


def test_one_line_where_there_is_room(flow):
    assert [y for _, y in places(flow, 400)] == [0, 0, 0, 0]
    assert flow.heightForWidth(400) == 20
    assert flow.sizeHint().width() == 4 * 80 + 3 * 6


def test_the_others_move_up_when_one_goes(flow):
    places(flow, 400)
    labels(flow)[0].hide()
    QApplication.processEvents()
    assert [label.x() for label in labels(flow) if label.isVisible()] == [0, 86, 172]


def test_a_field_keeps_its_name(qtbot):
    name, field = QLabel("Name"), QLabel("field")
    together = beside(name, field)
    qtbot.addWidget(together)
    assert name.parentWidget() is field.parentWidget() is together
