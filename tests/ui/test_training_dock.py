"""Training from the window: real processes on a small model, real clicks and keys."""

import os
import signal

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox

from studio.document import edits
from studio.document.model import Document, Endpoint
from studio.document.plan import EarlyStopping, NumberColumns, Split, TableSource
from studio.document.project import Project, Run
from studio.document.store import Store
from studio.engine.engines import Choice
from studio.layers.dense import Dense
from studio.layers.input import Input
from studio.losses.regression import MeanSquaredError
from studio.metrics.accuracy import Accuracy
from studio.optimizers.sgd import SGD
from studio.problem import Problem
from studio.text import set_language
from studio.train.events import (
    BatchDone,
    EpochDone,
    Finished,
    Paused,
    Resumed,
    Speed,
    Started,
)
from studio.ui.session import Session
from studio.ui.trainer import Phase, Progress
from studio.ui.training.describe import describe, duration
from studio.ui.training_dock import TrainingDock

CHOICE = Choice("numpy", "small")


def small_project(folder, rows=80, epochs=3) -> Project:
    """y = 2a − b, learnt by one Dense layer."""
    rng = np.random.default_rng(0)
    a, b = rng.random((2, rows))
    lines = [f"{x:.4f},{y:.4f},{2 * x - y:.4f}" for x, y in zip(a, b, strict=True)]
    (folder / "line.csv").write_text("\n".join(["a,b,y", *lines]))
    document, inputs = edits.add_layer(Document(), Input(shape=(2,)), name="features")
    document, dense = edits.add_layer(document, Dense(units=1), name="answer")
    document = edits.connect(document, Endpoint(inputs, "output"), Endpoint(dense, "x"))
    output = Endpoint(dense, "output")
    document = edits.mark_output(document, output)
    document = edits.plan_output(document, output, loss=MeanSquaredError())
    document = edits.set_data(
        document,
        source=TableSource("line.csv"),
        inputs={inputs: NumberColumns(("a", "b"))},
        targets={output.key: NumberColumns(("y",))},
        split=Split("last", 0.25),
    )
    return Project(edits.set_run(document, epochs=epochs, batch_size=16))


@pytest.fixture
def dock(qtbot, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))  # the trainer's process inherits it
    session = Session(small_project(tmp_path), tmp_path / "p.loom")
    widget = TrainingDock(session)
    widget.session = session
    qtbot.addWidget(widget)
    widget.resize(1200, 300)
    widget.show()
    qtbot.waitExposed(widget)
    yield widget
    widget.training.kill()


def click(qtbot, button):
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def weights(session):
    layer = next(k for k, e in session.document.layers.items() if e.name == "answer")
    return {
        name: (cell.trained, cell.value.copy())
        for (name, _), cell in session.project.store.cells(layer).items()
    }


def test_a_training_started_by_a_click_ends_in_the_store(qtbot, dock):
    with qtbot.waitSignal(dock.training.finished, timeout=30_000):
        click(qtbot, dock.controls.buttons["start"])
        assert dock.running
        assert dock.controls.buttons["start"].isHidden()
    assert not dock.running
    assert [run.id for run in dock.session.project.runs] == ["r1"]
    history = dock.session.project.runs[0].history
    assert set(history) == {"loss", "val_loss"}
    assert len(history["loss"]) == 3
    assert all(trained for trained, _ in weights(dock.session).values())
    assert dock.session.modified
    assert dock.session.project.store.step == 3 * 4
    dock.show_page("values")
    assert f"{history['loss'][-1]:.4f}" == dock.values.item(0, 1).text()
    assert f"{history['val_loss'][-1]:.4f}" == dock.values.item(0, 2).text()


def test_what_the_training_says_reaches_the_status_line(qtbot, dock):
    dock.session.commit("longer", edits.set_run(dock.session.document, epochs=100_000))
    click(qtbot, dock.controls.buttons["start"])
    qtbot.waitUntil(lambda: "ms/step" in dock.progress.status.text(), timeout=30_000)
    assert "/100000" in dock.progress.status.text()
    assert dock.progress.epochs.value() > 0
    with qtbot.waitSignal(dock.training.finished, timeout=30_000) as got:
        click(qtbot, dock.controls.buttons["stop"])
    assert got.args[0].stopped
    assert dock.session.project.runs


def test_a_training_that_stops_early_says_so_and_whose_weights_the_model_has(qtbot, dock):
    """With a rate this high the loss only grows: the first epoch is the best."""
    document = edits.set_optimizer(dock.session.document, SGD(learning_rate=1.5))
    early = EarlyStopping(patience=2, restore_best_weights=True)
    document = edits.set_run(document, epochs=50, early_stopping=early)
    dock.session.commit("stop early", document)
    with qtbot.waitSignal(dock.training.finished, timeout=30_000):
        click(qtbot, dock.controls.buttons["start"])
    said = dock.progress.status.text()
    assert said.startswith("Stopped early, after 3 epochs.")
    assert said.endswith("The model has the weights of the best epoch (1).")


def test_killing_the_process_leaves_the_window_and_the_model(qtbot, dock):
    with qtbot.waitSignal(dock.training.finished, timeout=30_000):
        click(qtbot, dock.controls.buttons["start"])
    before = weights(dock.session)
    dock.session.commit("longer", edits.set_run(dock.session.document, epochs=100_000))
    click(qtbot, dock.controls.buttons["start"])
    qtbot.waitUntil(lambda: dock.training.progress.steps > 0, timeout=30_000)
    with qtbot.waitSignal(dock.training.failed, timeout=30_000):
        os.kill(dock.training.pid, signal.SIGKILL)
    assert not dock.running
    assert dock.controls.buttons["start"].isEnabled()
    assert dock.notice.isVisible()
    assert "9" in dock.notice.label.text()
    assert "as it was before" in dock.notice.label.text()
    after = weights(dock.session)
    assert all(np.array_equal(after[k][1], before[k][1]) for k in before)
    assert len(dock.session.project.runs) == 1
    with qtbot.waitSignal(dock.training.phase_changed, timeout=5_000):
        click(qtbot, dock.controls.buttons["start"])  # and it trains again
    assert not dock.notice.isVisible()


def test_editing_while_it_trains_disturbs_nothing(qtbot, dock):
    dock.session.commit("longer", edits.set_run(dock.session.document, epochs=100_000))
    click(qtbot, dock.controls.buttons["start"])
    qtbot.waitUntil(lambda: dock.training.progress.steps > 0, timeout=30_000)
    layer = next(k for k, e in dock.session.document.layers.items() if e.name == "answer")
    call = dock.session.document.graph.inputs[0]
    dock.session.commit("move", edits.move_calls(dock.session.document, {call: (9.0, 9.0)}))
    assert not dock.edited_note.isVisible()
    dock.session.commit("wider", edits.set_parameters(dock.session.document, layer, units=3))
    assert dock.edited_note.isVisible()
    assert "as it was when it started" in dock.edited_note.text()
    with qtbot.waitSignal(dock.training.finished, timeout=30_000):
        click(qtbot, dock.controls.buttons["stop"])
    assert not dock.edited_note.isVisible()
    store = dock.session.project.store
    wide = dock.session.analysis.weights[layer]
    assert not store.trained(layer, wide)
    dock.session.history.undo()
    assert store.trained(layer, dock.session.analysis.weights[layer])


def test_problems_are_listed_and_handed_on(qtbot, dock):
    document = edits.set_data(dock.session.document, source=TableSource("gone.csv"))
    dock.session.commit("elsewhere", document)
    with qtbot.waitSignal(dock.problems_found, timeout=30_000) as got:
        click(qtbot, dock.controls.buttons["start"])
    (problems,) = got.args
    assert [p.code for p in problems] == ["file_missing"]
    assert str(problems[0]) in dock.notice.label.text()
    assert dock.notice.isVisible()
    with qtbot.waitSignal(dock.problems_found, timeout=1000) as got:
        dock.session.history.undo()
    assert got.args == [[]]
    assert not dock.notice.isVisible()


def test_a_model_with_errors_does_not_start_a_process(qtbot, dock):
    dense = next(c for c, call in dock.session.document.graph.calls.items() if call.layer == "l3")
    wires = dock.session.document.graph.into(dense)
    dock.session.commit("cut", edits.disconnect(dock.session.document, wires))
    with qtbot.waitSignal(dock.training.failed, timeout=1000):
        click(qtbot, dock.controls.buttons["start"])
    assert not dock.running
    assert dock.training.pid is None
    assert "answer" in dock.notice.label.text()
    dock.notice.label.linkActivated.emit("go:0")
    assert dock.session.selection == {dense}


def test_epochs_and_batch_size_are_edited_one_step_at_a_time(qtbot, dock):
    for field, name, keys in (
        (dock.controls.epochs, "epochs", "25"),
        (dock.controls.batch_size, "batch_size", "8"),
    ):
        field.setFocus()
        field.selectAll()
        qtbot.keyClicks(field, keys)
        qtbot.keyClick(field, Qt.Key.Key_Return)
        assert getattr(dock.session.document.plan.run, name) == int(keys)
    dock.session.history.undo()
    assert dock.session.document.plan.run.batch_size == 16
    assert dock.controls.batch_size.value() == 16
    dock.session.history.undo()
    assert dock.session.document.plan.run.epochs == 3
    assert dock.session.history.undo_label is None


def finished(session, best_epoch: int) -> Finished:
    layer = next(k for k, e in session.document.layers.items() if e.name == "answer")
    last, best = Store(), Store()
    for store, value in ((last, 1.0), (best, 2.0)):
        store.put(layer, "kernel", np.full((2, 1), value))
        store.put(layer, "bias", np.full((1,), value))
    history = {"loss": [0.5, 0.4, 0.3], "val_loss": [0.5, 0.45, 0.6]}
    run = Run("r1", {}, history, best_epoch, "val_loss", 1.0)
    return Finished(run, False, last.snapshot(), best.snapshot(), 12, {})


def test_the_best_epochs_weights_and_the_last_ones_swap(qtbot, dock):
    assert not dock.choice.isVisible()
    with qtbot.waitSignal(dock.training.finished, timeout=5_000):
        dock.training._take(finished(dock.session, 1))
    assert dock.choice.isVisible()
    assert "(2)" in dock.choice.button.text()
    for expected in (2.0, 1.0, 2.0):
        with qtbot.waitSignal(dock.session.weights_changed, timeout=1000):
            click(qtbot, dock.choice.button)
        assert all((value == expected).all() for _, value in weights(dock.session).values())


def test_the_running_epoch_is_the_last_moving_point(dock):
    dock.training.phase = Phase.TRAINING
    progress = dock.training.progress
    progress.take(Started(2, 4, 64, 16, CHOICE))
    progress.take(EpochDone(0, {"loss": 0.9, "val_loss": 1.0}, 1.0, True))
    progress.take(BatchDone(1, 1, {"loss": 0.7}))
    dock.draw()
    training, validation = dock.runs.curves.chart("loss").lines
    assert list(training.x) == [1, 1.5]
    assert list(training.y) == [0.9, 0.7]
    assert training.moving
    assert list(validation.x) == [1]
    assert not validation.moving
    dock.show_page("values")
    assert dock.values.item(0, 1).text() == "0.7000"
    dock.training.phase = Phase.IDLE


def test_what_is_left_counts_from_where_it_began_and_not_while_it_waits():
    now = [0.0]
    progress = Progress(clock=lambda: now[0])
    progress.take(Started(2, 100, 3200, 0, CHOICE, epoch=1, batch=0))
    assert progress.remaining is None
    for batch in range(20):
        now[0] += 0.5
        progress.take(BatchDone(1, batch, {"loss": 1.0}))
    assert progress.steps == 120
    assert progress.remaining == pytest.approx(40)
    progress.take(Paused(1, 20))
    now[0] += 1000
    assert progress.remaining == pytest.approx(40)
    progress.take(Resumed())
    now[0] += 0.5
    progress.take(BatchDone(1, 20, {"loss": 1.0}))
    assert progress.remaining == pytest.approx(79 * 0.5)
    assert progress.live == (1.21, {"loss": 1.0})
    progress.take(EpochDone(1, {"loss": 1.0}, 30.0, True))
    assert progress.live is None
    assert progress.best_epoch == 1


def test_the_epochs_before_a_checkpoint_are_drawn_too():
    progress = Progress()
    run = Run("r3", {}, {"loss": [3.0, 2.0]}, 1, "loss", 9.0)
    progress.take(Started(5, 10, 320, 0, CHOICE, epoch=2, batch=4, run=run))
    progress.take(EpochDone(2, {"loss": 1.0}, 1.0, True))
    assert progress.history == {"loss": [3.0, 2.0, 1.0]}
    assert progress.best_epoch == 2
    assert run.history == {"loss": [3.0, 2.0]}


def test_speed_and_memory_are_told(dock):
    dock.training.phase = Phase.TRAINING
    progress = dock.training.progress
    progress.take(Started(2, 4, 64, 16, CHOICE))
    progress.take(BatchDone(0, 1, {"loss": 0.7}))
    progress.take(Speed(50.0, 1600.0, 300 * 2**20))
    told = describe(dock.training)
    assert "20.0 ms/step" in told
    assert "1,600 samples/s" in told
    assert "300 MB" in told
    dock.training.phase = Phase.PAUSED
    assert "paused" in describe(dock.training)
    assert "ms/step" not in describe(dock.training)
    dock.training.phase = Phase.IDLE


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_closing_asks_and_keeps_what_was_learnt(qtbot, dock, monkeypatch, answer):
    dock.session.commit("longer", edits.set_run(dock.session.document, epochs=100_000))
    click(qtbot, dock.controls.buttons["start"])
    qtbot.waitUntil(lambda: dock.training.progress.steps > 0, timeout=30_000)

    def press(box):
        role = QMessageBox.ButtonRole.AcceptRole if answer == "yes" else None
        button = next(b for b in box.buttons() if not role or box.buttonRole(b) == role)
        if answer == "no":
            button = box.escapeButton()
        button.click()
        return 0

    monkeypatch.setattr(QMessageBox, "exec", press)
    assert dock.shutdown() is (answer == "yes")
    assert dock.running is (answer == "no")
    assert bool(dock.session.project.store.step) is (answer == "yes")


def test_the_dock_speaks_chinese_when_told_to(qtbot, dock):
    from PySide6.QtCore import QEvent
    from PySide6.QtWidgets import QApplication

    set_language("zh_CN")
    try:
        QApplication.sendEvent(dock, QEvent(QEvent.Type.LanguageChange))
        assert dock.controls.buttons["start"].text() == "开始"
        assert dock.training.phase is Phase.IDLE
    finally:
        set_language("en")


@pytest.mark.parametrize(("seconds", "shown"), [(7, "0:07"), (750, "12:30"), (3723, "1:02:03")])
def test_durations(seconds, shown):
    assert duration(seconds) == shown


def test_a_metric_gets_a_chart_of_its_own(qtbot, dock):
    output = dock.session.document.graph.outputs[0]
    document = edits.plan_output(dock.session.document, output, metrics=(Accuracy(),))
    dock.session.commit("metric", document)
    with qtbot.waitSignal(dock.training.finished, timeout=30_000):
        click(qtbot, dock.controls.buttons["start"])
    assert set(dock.runs.curves.charts) == {"loss", "accuracy"}
    assert [line.key for line in dock.runs.curves.chart("accuracy").lines] == [
        "accuracy",
        "val_accuracy",
    ]


def longer(dock, epochs=100_000):
    dock.session.commit("longer", edits.set_run(dock.session.document, epochs=epochs))


def test_it_waits_and_goes_on_by_clicks(qtbot, dock):
    longer(dock)
    buttons = dock.controls.buttons
    click(qtbot, buttons["start"])
    qtbot.waitUntil(lambda: dock.training.progress.steps > 0, timeout=30_000)
    assert buttons["start"].isHidden()
    click(qtbot, buttons["pause"])
    qtbot.waitUntil(lambda: dock.training.phase is Phase.PAUSED, timeout=30_000)
    steps = dock.training.progress.steps
    qtbot.wait(200)
    assert dock.training.progress.steps == steps
    assert buttons["pause"].isHidden()
    click(qtbot, buttons["resume"])
    qtbot.waitUntil(lambda: dock.training.progress.steps > steps, timeout=30_000)
    with qtbot.waitSignal(dock.training.finished, timeout=30_000):
        click(qtbot, buttons["stop_best"])
    run = dock.session.project.runs[0]
    best = run.history["val_loss"][run.best_epoch]
    assert best == min(run.history["val_loss"])
    layer = next(k for k, e in dock.session.document.layers.items() if e.name == "answer")
    kept = {name: cell.value for (name, _), cell in run.weights[layer].items()}
    assert all(np.array_equal(kept[n], value) for n, (_, value) in weights(dock.session).items())
    assert dock.choice.isHidden()  # they are the best ones already


def test_a_run_goes_on_for_more_epochs_as_if_it_had_been_planned_longer(qtbot, dock):
    assert dock.controls.buttons["continue"].isHidden()
    with qtbot.waitSignal(dock.training.finished, timeout=30_000):
        click(qtbot, dock.controls.buttons["start"])
    dock.controls.more.setValue(2)
    with qtbot.waitSignal(dock.training.finished, timeout=30_000):
        click(qtbot, dock.controls.buttons["continue"])
    (run,) = dock.session.project.runs
    assert run.epochs == 5
    assert len(dock.runs.curves.chart("loss").lines[0].x) == 5


def test_a_training_that_was_killed_goes_on_from_its_checkpoint(qtbot, dock):
    longer(dock, 2_000)  # or it has ended before it can be paused
    assert dock.resume_bar.isHidden()
    click(qtbot, dock.controls.buttons["start"])
    qtbot.waitUntil(lambda: dock.training.progress.steps > 0, timeout=30_000)
    click(qtbot, dock.controls.buttons["pause"])  # which writes it down
    qtbot.waitUntil(lambda: dock.training.phase is Phase.PAUSED, timeout=30_000)
    qtbot.waitUntil(lambda: dock.training.progress.checkpoint is not None, timeout=30_000)
    with qtbot.waitSignal(dock.training.failed, timeout=30_000):
        os.kill(dock.training.pid, signal.SIGKILL)
    assert "checkpoint is intact" in dock.notice.label.text()
    assert dock.resume_bar.isVisible()
    assert dock.can_resume
    with qtbot.waitSignal(dock.training.finished, timeout=60_000):
        click(qtbot, dock.resume_bar.resume)
    (run,) = dock.session.project.runs
    assert run.epochs == 2_000
    assert dock.resume_bar.isHidden()
    # What was cut off and gone on with is what had run through.
    killed = weights(dock.session)
    dock.session.reset_weights()
    with qtbot.waitSignal(dock.training.finished, timeout=60_000):
        click(qtbot, dock.controls.buttons["start"])
    whole = weights(dock.session)
    assert all(np.array_equal(whole[name][1], killed[name][1]) for name in killed)


def test_a_checkpoint_nobody_wants_is_discarded(qtbot, dock):
    longer(dock)
    click(qtbot, dock.controls.buttons["start"])
    qtbot.waitUntil(lambda: dock.training.progress.steps > 0, timeout=30_000)
    dock.checkpoint()
    qtbot.waitUntil(lambda: dock.training.progress.checkpoint is not None, timeout=30_000)
    with qtbot.waitSignal(dock.training.failed, timeout=30_000):
        os.kill(dock.training.pid, signal.SIGKILL)
    click(qtbot, dock.resume_bar.discard)
    assert dock.resume_bar.isHidden()
    assert dock.training.interrupted() is None


def test_what_is_probably_not_meant_is_said_while_training_goes_on(dock):
    problem = Problem(
        "words_unknown", args={"percent": 99, "column": "text", "port": "words"}, severity="warning"
    )
    told = []
    dock.problems_found.connect(told.append)
    dock.training.phase = Phase.STARTING
    dock.training._take(Started(2, 4, 64, 16, CHOICE, (problem,)))
    assert "99" in dock.notice.label.text()
    assert told[-1] == [problem]
    dock.training._over()
