"""Forms fold where there is no room for fields side by side, and nothing is cut off."""

import pytest
from PySide6.QtWidgets import QLabel, QLineEdit, QScrollArea

from studio.ui.bindings.pairs import Pairs


@pytest.fixture
def place(qtbot):
    made = QScrollArea()
    made.setFrameShape(QScrollArea.Shape.NoFrame)
    made.setWidgetResizable(True)
    qtbot.addWidget(made)
    return made


@pytest.fixture
def pairs(place):
    made = Pairs([[pair("one"), pair("two")], [pair("three")]])
    place.setWidget(made)
    place.resize(900, 300)
    place.show()
    return made


def pair(name):
    field = QLineEdit(objectName=name)
    field.setMinimumWidth(150)
    return QLabel(name), field


def field(pairs, name):
    return pairs.findChild(QLineEdit, name)


def inside(pairs):
    fields = [f for f in pairs.findChildren(QLineEdit) if f.isVisible()]
    return all(f.geometry().right() <= pairs.width() for f in fields)


def test_a_line_is_folded_only_where_it_does_not_fit(place, pairs, qtbot):
    assert field(pairs, "one").y() == field(pairs, "two").y()
    least = pairs.minimumSizeHint().width()
    assert least < 300
    place.resize(least, 300)
    assert pairs.folded
    qtbot.waitUntil(lambda: inside(pairs))
    assert field(pairs, "one").y() < field(pairs, "two").y() < field(pairs, "three").y()
    place.resize(900, 300)
    assert not pairs.folded
    qtbot.waitUntil(lambda: field(pairs, "one").y() == field(pairs, "two").y())
    assert inside(pairs)


def test_a_field_that_grows_folds_its_line(place, pairs, qtbot):
    place.resize(420, 300)
    assert not pairs.folded
    field(pairs, "two").setMinimumWidth(300)
    qtbot.waitUntil(lambda: pairs.folded and inside(pairs))


def test_other_fields_take_the_place_of_the_first(pairs):
    kept = field(pairs, "three")
    pairs.show_lines([[(None, kept)]])
    assert kept.isVisible()
    assert not field(pairs, "one").isVisible()
