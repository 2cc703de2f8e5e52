"""All settings of a training by Keras's names, each edit one undo step."""

import pytest
from PySide6.QtCore import QPoint, Qt

from studio.document import edits
from studio.document.model import Document, Endpoint
from studio.document.plan import Breakpoints, EarlyStopping, ReduceLROnPlateau
from studio.document.project import Project
from studio.layers.dense import Dense
from studio.layers.input import Input
from studio.losses.regression import MeanSquaredError
from studio.metrics.accuracy import Accuracy
from studio.ui.session import Session
from studio.ui.training.settings import SettingsPanel, monitors


@pytest.fixture
def panel(qtbot):
    widget = SettingsPanel(Session(Project(model())), wide=True)
    widget.session = widget._session
    widget.session.changed.connect(widget.refresh)
    qtbot.addWidget(widget)
    widget.resize(900, 500)
    widget.show()
    qtbot.waitExposed(widget)
    return widget


def model(outputs=1) -> Document:
    document, inputs = edits.add_layer(Document(), Input(shape=(2,)))
    for i in range(outputs):
        document, dense = edits.add_layer(document, Dense(units=1), name=f"answer_{i}")
        document = edits.connect(document, Endpoint(inputs, "output"), Endpoint(dense, "x"))
        output = Endpoint(dense, "output")
        document = edits.mark_output(document, output)
        document = edits.plan_output(
            document, output, loss=MeanSquaredError(), metrics=(Accuracy(),)
        )
    return document


CTRL = Qt.KeyboardModifier.ControlModifier


def tick(qtbot, switch):
    at = QPoint(8, switch.height() // 2)
    qtbot.mouseClick(switch, Qt.MouseButton.LeftButton, pos=at)


def type_over(qtbot, field, keys):
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, keys)
    qtbot.keyClick(field, Qt.Key.Key_Return)


def test_the_numbers_that_can_be_watched_have_keras_names():
    assert monitors(model()) == ["val_loss", "val_accuracy", "loss", "accuracy"]
    several = monitors(model(2))
    assert several[:3] == ["val_loss", "val_answer_0_loss", "val_answer_0_accuracy"]


def test_early_stopping_is_turned_on_and_edited_a_step_at_a_time(qtbot, panel):
    run = lambda: panel.session.document.plan.run  # noqa: E731
    assert not panel.stopping.form.isVisible()
    tick(qtbot, panel.stopping.switch)
    assert run().early_stopping == EarlyStopping()
    assert panel.stopping.form.isVisible()
    type_over(qtbot, panel.stopping.form.editor("patience"), "4")
    tick(qtbot, panel.stopping.form.editor("restore_best_weights"))
    panel.stopping.monitor.setFocus()
    qtbot.keyClick(panel.stopping.monitor, Qt.Key.Key_Down)
    assert run().early_stopping == EarlyStopping("val_accuracy", 0.0, 4, "auto", None, True)
    for _ in range(4):
        panel.session.history.undo()
    assert run().early_stopping is None
    assert panel.session.history.undo_label is None
    assert not panel.stopping.switch.isChecked()


def test_a_value_it_cannot_have_is_said_and_not_taken(qtbot, panel):
    tick(qtbot, panel.plateau.switch)
    type_over(qtbot, panel.plateau.form.editor("factor"), "1.5")
    assert panel.session.document.plan.run.reduce_lr == ReduceLROnPlateau()
    assert "1.5" in panel.plateau.form.complaint("factor")
    type_over(qtbot, panel.plateau.form.editor("factor"), "0.5")
    assert panel.session.document.plan.run.reduce_lr == ReduceLROnPlateau(factor=0.5)
    assert panel.plateau.form.complaint("factor") == ""


def test_turned_off_and_on_again_it_has_what_it_had(qtbot, panel):
    tick(qtbot, panel.stopping.switch)
    type_over(qtbot, panel.stopping.form.editor("patience"), "7")
    tick(qtbot, panel.stopping.switch)
    assert panel.session.document.plan.run.early_stopping is None
    tick(qtbot, panel.stopping.switch)
    assert panel.session.document.plan.run.early_stopping == EarlyStopping(patience=7)


def test_checkpoints_and_epochs_are_of_the_same_form(qtbot, panel):
    type_over(qtbot, panel.run.editor("checkpoint_minutes"), "0.5")
    type_over(qtbot, panel.run.editor("epochs"), "12")
    run = panel.session.document.plan.run
    assert (run.checkpoint_minutes, run.epochs) == (0.5, 12)


def test_columns_follow_the_width(qtbot, panel):
    tops = lambda: [part.y() for part in panel._parts]  # noqa: E731
    assert len(set(tops())) == 2, "three and one"
    *_, watching, breakpoints = panel._parts
    assert breakpoints.x() == watching.x(), "below the shortest"
    panel.resize(1200, 500)
    qtbot.waitUntil(lambda: len(set(tops())) == 1)
    panel.resize(300, 900)
    qtbot.waitUntil(lambda: len(set(tops())) == 4)


def test_what_few_set_is_folded_away_and_says_how_much_of_it_is_set(qtbot, panel):
    """The optimizer's form was so long that the run's settings below it were out of sight."""
    form = panel.optimizer.editor("optimizer").form
    low = form.height()
    assert form.more.text() == "More"
    qtbot.mouseClick(form.more, Qt.MouseButton.LeftButton)
    field = form.editor("clipnorm")
    assert field.isVisible()
    qtbot.waitUntil(lambda: form.height() > low)
    type_over(qtbot, field, "2")
    assert panel.session.document.plan.optimizer.clipnorm == 2
    assert form.more.text() == "More (1 set)"
    qtbot.mouseClick(form.more, Qt.MouseButton.LeftButton)
    assert not field.isVisible()
    again = SettingsPanel(panel.session)
    qtbot.addWidget(again)
    assert again.optimizer.editor("optimizer").form.more.isChecked(), "what is set is seen"


def test_a_narrow_inspector_needs_no_bar_to_the_right(qtbot, panel):
    """A form within a form stood in a column of its own, which left a third for its fields."""
    assert panel.optimizer.minimumSizeHint().width() <= 240


# -- breakpoints ---------------------------------------------------------------------------------


def test_breakpoints_are_set_a_step_at_a_time(qtbot, panel):
    def plan():
        return panel.session.document.plan.run.breakpoints

    form = panel.breakpoints
    assert form.form.editor("not_finite").isChecked()
    tick(qtbot, form.form.editor("not_finite"))
    assert plan() == Breakpoints(not_finite=False)
    type_over(qtbot, form.form.editor("gradient_norm"), "12.5")
    assert plan().gradient_norm == 12.5
    type_over(qtbot, form.form.editor("gradient_norm"), "-1")
    assert plan().gradient_norm == 12.5
    assert "-1" in form.form.complaint("gradient_norm")
    qtbot.keyClick(form.form.editor("gradient_norm"), Qt.Key.Key_A, CTRL)
    type_over(qtbot, form.form.editor("gradient_norm"), "\b")
    assert plan().gradient_norm is None
    for _ in range(3):
        panel.session.history.undo()
    assert plan() == Breakpoints()


def test_a_rising_loss_is_watched_while_another_falls(qtbot):
    panel = SettingsPanel(Session(Project(model(2))), wide=True)
    panel._session.changed.connect(panel.refresh)
    qtbot.addWidget(panel)
    panel.resize(1200, 500)
    panel.show()
    form = panel.breakpoints
    assert not form.falling.isVisible()
    assert not form.diverging.isVisible()
    listed = [form.rising.itemData(i) for i in range(form.rising.count())]
    assert listed[0] == ""
    assert {"val_loss", "val_answer_1_loss", "answer_0_loss"} <= set(listed)
    assert not any("accuracy" in key for key in listed)
    form.rising.setFocus()
    for _ in range(2):
        qtbot.keyClick(form.rising, Qt.Key.Key_Down)
    assert form.falling.isVisible()
    qtbot.keyClick(form.falling, Qt.Key.Key_Down)
    type_over(qtbot, form.diverging.editor("for_epochs").lineEdit(), "5")
    plan = panel._session.document.plan.run.breakpoints
    assert plan == Breakpoints(rising=listed[2], falling=listed[1], epochs=5)


def test_a_loss_that_is_watched_and_gone_is_still_shown(qtbot, panel):
    document = panel.session.document
    gone = Breakpoints(rising="val_other_loss")
    panel.session.commit("other", edits.set_run(document, breakpoints=gone))
    assert panel.breakpoints.rising.currentText() == "val_other_loss"
