"""Texts of numbers and shapes read back as what was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt

from studio.declare import declared, registry
from studio.ui.editors import read_number, read_shape, write_number, write_shape
from studio.ui.forms import Form, carried_over, problem_with


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_read_back(value):
    assert read_number(write_number(value)) == value


@given(st.lists(st.one_of(st.none(), st.integers(1, 10**6)), min_size=1, max_size=5).map(tuple))
def test_shapes_read_back(value):
    assert read_shape(write_shape(value)) == value


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("0,5", 0.5),
        (" 1e-3 ", 0.001),
        ("", None),
        ("None", None),
        ("fast", "fast"),
        ("1.5.2", "1.5.2"),
    ],
)
def test_numbers_as_people_write_them(written, read):
    assert read_number(written) == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("28×28×1", (28, 28, 1)),
        ("(28, 28)", (28, 28)),
        ("28 28", (28, 28)),
        ("[None, 5]", (None, 5)),
        ("?", (None,)),
        ("", ()),
        ("2.5", "2.5"),
        ("wide", "wide"),
    ],
)
def test_shapes_as_people_write_them(written, read):
    assert read_shape(written) == read


FAMILIES = ("layers", "losses", "optimizers", "metrics", "initializers", "regularizers")
KINDS = [declared(family, kind) for family in FAMILIES for kind in registry(family)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.__name__)
def test_every_declaration_has_a_form_that_is_silent_when_shown(qtbot, kind):
    form = Form(kind)
    qtbot.addWidget(form)
    told = []
    form.edited.connect(lambda *edit: told.append(edit))
    form.show_value(kind())
    assert told == []
    for p in kind.params():
        assert not p.shown or form.complaint(p.name) == ""


def test_problem_with_a_value_names_the_parameter():
    dense = declared("layers", "Dense")()
    assert problem_with(dense, "units", "many").code == "parameter_type"
    assert problem_with(dense, "units", -1).code == "parameter_min"
    assert problem_with(dense, "units", 5) is None


def test_carried_over_keeps_only_what_was_chosen():
    sgd, adam = declared("optimizers", "SGD"), declared("optimizers", "Adam")
    assert carried_over(sgd(learning_rate=0.5, momentum=0.9), adam) == adam(learning_rate=0.5)
    assert carried_over(sgd(), adam) == adam()
    assert carried_over(None, adam) == adam()


def test_a_metric_of_another_kind_has_the_name_of_that_kind_or_the_one_it_was_given():
    auc, precision = declared("metrics", "AUC"), declared("metrics", "Precision")
    assert carried_over(auc(), precision).name == "precision"
    assert carried_over(auc(name="mine"), precision).name == "mine"


def test_an_optional_shape_is_empty_where_there_is_none(qtbot):
    form = Form(declared("layers", "Dropout"))
    qtbot.addWidget(form)
    told = []
    form.edited.connect(lambda *edit: told.append(edit))
    dropout = declared("layers", "Dropout")
    form.show_value(dropout())
    field = form.editor("noise_shape")
    assert field.text() == ""
    for written, read in (("None, 1", (None, 1)), ("", None)):
        field.selectAll()
        qtbot.keyClicks(field, written) if written else qtbot.keyClick(field, Qt.Key.Key_Delete)
        qtbot.keyClick(field, Qt.Key.Key_Return)
        assert told.pop() == ("noise_shape", read)


def test_one_threshold_several_or_none(qtbot):
    kind = declared("metrics", "Precision")
    form = Form(kind)
    qtbot.addWidget(form)
    told = []
    form.edited.connect(lambda *edit: told.append(edit))
    field = form.editor("thresholds")
    for value, shown in ((None, ""), (0.5, "0.5"), ((0.2, 0.5), "0.2, 0.5")):
        form.show_value(kind(thresholds=value))
        assert field.text() == shown
    for written, read in (("0.3", 0.3), ("0.3, 0.6", (0.3, 0.6)), ("", None)):
        field.selectAll()
        qtbot.keyClicks(field, written) if written else qtbot.keyClick(field, Qt.Key.Key_Delete)
        qtbot.keyClick(field, Qt.Key.Key_Return)
        assert told.pop() == ("thresholds", read)
        assert form.complaint("thresholds") == ""
