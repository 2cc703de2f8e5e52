"""The inspector: a form from the declaration, one undo step per act, in step with undo."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget

from studio.document import edits
from studio.document.model import Endpoint
from studio.initializers.constant import Constant, Zeros
from studio.losses.regression import MeanSquaredError
from studio.metrics.accuracy import Accuracy
from studio.metrics.auc import AUC
from studio.optimizers.adam import Adam
from studio.optimizers.schedules.cosine import CosineDecay
from studio.optimizers.schedules.piecewise import PiecewiseConstantDecay
from studio.ui.editors import finish_typing
from studio.ui.inspector import Inspector


@pytest.fixture
def inspector(qtbot, session):
    made = Inspector(session)
    qtbot.addWidget(made)
    made.resize(340, 900)
    made.show()
    qtbot.waitExposed(made)
    return made


def type_over(qtbot, field, written, key=Qt.Key.Key_Return):
    """Replace what a field holds by typing, as a person does."""
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, written)
    if key is not None:
        qtbot.keyClick(field, key)


def steps(session):
    """How many acts can be undone."""
    count = 0
    while session.history.undo_label is not None:
        session.history.undo()
        count += 1
    for _ in range(count):
        session.history.redo()
    return count


def body(session, call):
    return session.document.entry(call).body


def test_typing_a_number_is_one_undo_step(qtbot, session, node, inspector):
    call = node("dense")
    session.select([call])
    units = inspector.page.form.editor("units")
    type_over(qtbot, units, "128", key=None)
    assert body(session, call).units == 64, "told before typing was finished"
    qtbot.keyClick(units, Qt.Key.Key_Return)
    assert body(session, call).units == 128
    assert steps(session) == 1
    assert "dense" in session.history.undo_label


def test_leaving_a_field_finishes_typing(qtbot, session, node, inspector):
    call = node("dense")
    session.select([call])
    type_over(qtbot, inspector.page.form.editor("units"), "7", Qt.Key.Key_Tab)
    assert body(session, call).units == 7
    assert steps(session) == 1


def test_steps_of_a_spin_box_are_one_act(qtbot, session, node, inspector):
    call = node("dense")
    session.select([call])
    units = inspector.page.form.editor("units")
    units.setFocus()
    for _ in range(5):
        qtbot.keyClick(units, Qt.Key.Key_Up)
    assert body(session, call).units == 64
    qtbot.waitUntil(lambda: body(session, call).units == 69, timeout=2000)
    assert steps(session) == 1


def test_fields_follow_undo_and_redo(qtbot, session, node, inspector):
    call = node("dense")
    session.select([call])
    page = inspector.page
    type_over(qtbot, page.form.editor("units"), "9")
    session.history.undo()
    assert page.form.editor("units").value() == 64
    session.history.redo()
    assert page.form.editor("units").value() == 9
    assert inspector.page is page, "a page must stay while only values change: it has the focus"


def test_undo_key_reaches_the_window_when_nothing_is_typed(qtbot, session, node, inspector):
    session.select([node("dense")])
    name = inspector.page.name
    name.setFocus()
    undo = Qt.KeyboardModifier.ControlModifier
    taken = []
    for typed in ("", "x"):
        qtbot.keyClicks(name, typed)
        event = QKeyEvent(QEvent.Type.ShortcutOverride, Qt.Key.Key_Z, undo)
        event.ignore()
        QApplication.sendEvent(name, event)
        taken.append(event.isAccepted())
    assert taken == [False, True]


def test_a_value_out_of_bounds_is_explained_at_its_field(qtbot, session, node, inspector):
    call = node("dense")
    session.select([call])
    form = inspector.page.form
    type_over(qtbot, form.editor("units"), "0")
    assert body(session, call).units == 0
    assert "smallest value allowed is 1" in form.complaint("units")
    session.history.undo()
    assert form.complaint("units") == ""


def test_what_is_no_number_is_refused_and_kept_in_the_field(qtbot, session, inspector):
    rate = inspector.page.training.optimizer.editor("optimizer").form.editor("learning_rate").plain
    before = session.document
    type_over(qtbot, rate, "fast")
    assert session.document is before
    form = inspector.page.training.optimizer.editor("optimizer").form
    assert "fast" in form.complaint("learning_rate")
    type_over(qtbot, rate, "0,01")  # a comma is a decimal sign too
    assert session.document.plan.optimizer.learning_rate == 0.01
    assert form.complaint("learning_rate") == ""


def test_shape_field(qtbot, session, node, inspector):
    call = node("aux_input")
    session.select([call])
    field = inspector.page.form.editor("shape")
    assert field.text() == "5"
    type_over(qtbot, field, "None, 3")
    assert body(session, call).shape == (None, 3)
    type_over(qtbot, field, "a×b")
    assert body(session, call).shape == (None, 3)
    assert inspector.page.form.complaint("shape")


def test_choosing_an_initializer_and_its_parameter(qtbot, session, node, inspector):
    call = node("dense")
    session.select([call])
    bias = inspector.page.form.editor("bias_initializer")
    assert body(session, call).bias_initializer == Zeros()
    choose(qtbot, bias.kinds, "Constant")
    assert body(session, call).bias_initializer == Constant()
    type_over(qtbot, bias.form.editor("value"), "0.5")
    assert body(session, call).bias_initializer == Constant(0.5)
    assert steps(session) == 2
    session.history.undo()
    session.history.undo()
    assert bias.form is None


def choose(qtbot, combo, label):
    """Pick an entry with the keyboard, as a person does."""
    combo.setFocus()
    row = combo.findText(label)
    assert row >= 0
    combo.showPopup()
    combo.view().setCurrentIndex(combo.model().index(row, 0))
    qtbot.keyClick(combo.view(), Qt.Key.Key_Return)


def test_name_is_edited_and_automatic_when_cleared(qtbot, session, node, inspector):
    call = node("dense_1")
    session.select([call])
    type_over(qtbot, inspector.page.name, "middle")
    assert session.document.entry(call).name == "middle"
    inspector.page.name.selectAll()
    qtbot.keyClick(inspector.page.name, Qt.Key.Key_Delete)
    qtbot.keyClick(inspector.page.name, Qt.Key.Key_Return)
    assert session.document.entry(call).name == "dense_1"
    assert inspector.page.name.text() == "dense_1"
    assert steps(session) == 2


def test_freezing(qtbot, session, node, inspector):
    call = node("dense")
    session.select([call])
    click(qtbot, inspector.page.trainable)
    assert not session.document.entry(call).trainable
    assert steps(session) == 1


def click(qtbot, box):
    qtbot.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, box.height() // 2))


def test_marking_and_unmarking_an_output(qtbot, session, node, inspector):
    call = node("dense_2")
    session.select([call])
    endpoint = Endpoint(call, "output")
    assert not inspector.page.plans
    click(qtbot, inspector.page.marks[endpoint])
    assert session.document.graph.outputs[-1] == endpoint
    assert list(inspector.page.plans) == [endpoint], "its loss can be chosen at once"
    click(qtbot, inspector.page.marks[endpoint])
    assert endpoint not in session.document.graph.outputs
    assert steps(session) == 2


def test_loss_weight_and_metrics_of_an_output(qtbot, session, node, inspector):
    call = node("main_output")
    session.select([call])
    plan = inspector.page.plans[Endpoint(call, "output")]
    key = f"{call}.output"
    choose(qtbot, plan.settings.editor("loss").kinds, "MeanSquaredError")
    assert session.document.plan.outputs[key].loss == MeanSquaredError()
    type_over(qtbot, plan.settings.editor("weight"), "0.25")
    assert session.document.plan.outputs[key].weight == 0.25
    choose(qtbot, plan.metrics.adder, "Accuracy")
    choose(qtbot, plan.metrics.adder, "AUC")
    type_over(qtbot, plan.metrics.lines[1].editor.form.editor("num_thresholds"), "50")
    assert session.document.plan.outputs[key].metrics == (Accuracy(), AUC(50, name="auc"))
    click(qtbot, plan.metrics.lines[0].remove)
    assert session.document.plan.outputs[key].metrics == (AUC(50, name="auc"),)
    assert steps(session) == 6
    choose(qtbot, plan.weighted_metrics.adder, "AUC")
    assert session.document.plan.outputs[key].weighted_metrics == (AUC(name="auc"),)
    choose(qtbot, plan.settings.editor("loss").kinds, "none")
    assert session.document.plan.outputs[key].loss is None


def test_weights_table_tells_trained_from_untrained(session, node, inspector):
    call = node("main_output")
    session.select([call])
    table = inspector.page.weights
    assert texts(table) == [
        ["kernel", "64 × 1", "64", "untrained"],
        ["bias", "1", "1", "untrained"],
    ]
    layer = session.document.graph.calls[call].layer
    session.project.store.put(layer, "kernel", np.ones((64, 1)))
    session.weights_changed.emit()
    assert [row[3] for row in texts(table)] == ["trained", "untrained"]
    session.commit("", edits.set_parameters(session.document, layer, units=2))
    assert [row[3] for row in texts(table)] == ["untrained", "untrained"]
    session.history.undo()
    assert [row[3] for row in texts(table)] == ["trained", "untrained"]


def texts(table):
    return [
        [table.item(i, j).text() for j in range(table.columnCount())]
        for i in range(table.rowCount())
    ]


def test_model_page_edits_the_plan(qtbot, session, inspector):
    page = inspector.page
    choose(qtbot, page.training.optimizer.editor("optimizer").kinds, "Adam")
    assert session.document.plan.optimizer == Adam()
    type_over(qtbot, page.training.run.editor("epochs"), "7")
    type_over(qtbot, page.training.run.editor("batch_size"), "64")
    assert (session.document.plan.run.epochs, session.document.plan.run.batch_size) == (7, 64)
    assert steps(session) == 3


def test_a_learning_rate_someone_set_survives_another_optimizer(qtbot, session, inspector):
    optimizer = inspector.page.training.optimizer.editor("optimizer")
    type_over(qtbot, optimizer.form.editor("learning_rate").plain, "0.02")
    choose(qtbot, optimizer.kinds, "Adam")
    assert session.document.plan.optimizer == Adam(learning_rate=0.02)


def test_outputs_are_reordered(qtbot, session, inspector):
    page = inspector.page
    names = [row[0] for row in texts(page.outputs.table)]
    assert names == ["main_output", "aux_output"]
    page.outputs.table.setCurrentCell(1, 0)
    click(qtbot, page.outputs.up)
    assert [row[0] for row in texts(page.outputs.table)] == names[::-1]
    assert page.outputs.table.currentRow() == 0
    assert not page.outputs.up.isEnabled()
    assert steps(session) == 1


def test_totals(session, node, inspector):
    assert texts(inspector.page.totals)[1][1].replace("\u2009", "") == "5200610"
    layer = session.document.graph.calls[node("embedding")].layer
    session.commit("", edits.set_trainable(session.document, layer, False))
    assert [row[1].replace("\u2009", "") for row in texts(inspector.page.totals)] == [
        "10",
        "5200610",
        "80610",
        "5120000",
    ]


def test_several_nodes_are_frozen_in_one_act(qtbot, session, node, inspector):
    calls = [node("dense"), node("dense_1"), node("concatenate")]
    session.select(calls)
    click(qtbot, inspector.page.trainable)
    assert [session.document.entry(c).trainable for c in calls] == [False, False, True]
    assert steps(session) == 1


def test_a_layer_used_twice_says_so(session, node, inspector):
    call = node("dense_1")
    layer = session.document.graph.calls[call].layer
    document, twin = edits.use_layer(session.document, layer, (0, 0))
    session.commit("", document)
    session.select([twin])
    assert "2 nodes" in inspector.page._twins.text()


def test_removing_the_selected_node_shows_the_model_again(session, node, inspector):
    session.select([node("dense")])
    page = inspector.page
    session.commit("", edits.remove_calls(session.document, [node("dense")]))
    assert inspector.page is not page
    assert hasattr(inspector.page, "training")


def test_what_is_being_typed_counts_before_an_act(qtbot, session, node, inspector):
    """Saving with the keyboard does not take the focus away from the field."""
    call = node("dense")
    session.select([call])
    type_over(qtbot, inspector.page.form.editor("units"), "77", key=None)
    finish_typing()
    assert body(session, call).units == 77
    type_over(qtbot, inspector.page.name, "seventy", key=None)
    finish_typing()
    assert session.document.entry(call).name == "seventy"
    assert isinstance(QApplication.focusWidget(), QLineEdit)


def test_wheel_over_a_field_without_focus_changes_nothing(qtbot, session, node, inspector):
    session.select([node("dense")])
    for name in ("units", "activation"):
        field = inspector.page.form.editor(name)
        field.clearFocus()
        event = QWheelEvent(
            QPointF(5, 5), QPointF(5, 5), QPoint(), QPoint(0, -120),
            Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(field, event)
    assert steps(session) == 0
    assert inspector.page.form.editor("units").value() == 64


def test_the_learning_rate_may_be_a_schedule(qtbot, session, inspector):
    optimizer = inspector.page.training.optimizer.editor("optimizer")
    rate = optimizer.form.editor("learning_rate")
    type_over(qtbot, rate.plain, "0.02")
    choose(qtbot, rate.kinds, "CosineDecay")
    kind = type(session.document.plan.optimizer)
    assert session.document.plan.optimizer == kind(CosineDecay(0.02))
    assert rate.plain.isHidden()
    type_over(qtbot, rate.form.editor("decay_steps"), "50")
    assert session.document.plan.optimizer == kind(CosineDecay(0.02, 50))
    choose(qtbot, rate.kinds, "PiecewiseConstantDecay")
    type_over(qtbot, rate.form.editor("values"), "0.1, 0.05")
    assert session.document.plan.optimizer == kind(PiecewiseConstantDecay(values=(0.1, 0.05)))
    type_over(qtbot, rate.form.editor("values"), "0.1")
    assert "one rate more" in rate.form.complaint("values")
    choose(qtbot, rate.kinds, "constant")
    assert session.document.plan.optimizer == kind()
    assert rate.form is None
    assert not rate.plain.isHidden()
    for _ in range(7):
        session.history.undo()
    assert session.document.plan.optimizer == kind()


def test_regularizers_and_constraints_are_folded_away(qtbot, session, node, inspector):
    call = node("dense")
    session.select([call])
    form = inspector.page.form
    assert not [w for w in form.findChildren(QWidget) if w.objectName() == "kernel_regularizer"]
    qtbot.mouseClick(form.more, Qt.MouseButton.LeftButton)
    kinds = form.editor("kernel_regularizer").kinds
    assert kinds.isVisible()
    kinds.setCurrentIndex(kinds.findData("L2"))
    kinds.activated.emit(kinds.currentIndex())
    assert body(session, call).kernel_regularizer.kind == "L2"
    assert form.more.text() == "More (1 set)"
