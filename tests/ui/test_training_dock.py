"""Training from the window: real processes on a small model, real clicks and keys."""

import os
import signal

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox

from studio.document import edits
from studio.document.model import Document, Endpoint
from studio.document.plan import NumberColumns, Split, TableSource
from studio.document.project import Project, Run
from studio.document.store import Store
from studio.engine.engines import Choice
from studio.layers.dense import Dense
from studio.layers.input import Input
from studio.losses.regression import MeanSquaredError
from studio.metrics.accuracy import Accuracy
from studio.problem import Problem
from studio.text import set_language
from studio.train.events import BatchDone, EpochDone, Finished, Started
from studio.ui.plots import VALIDATION, quantities, styles
from studio.ui.session import Session
from studio.ui.theme import apply_theme
from studio.ui.trainer import Phase, Progress, merge
from studio.ui.training_dock import TrainingDock, duration

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
def dock(qtbot, tmp_path):
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
        click(qtbot, dock.start_button)
        assert dock.running
        assert not dock.start_button.isEnabled()
    assert not dock.running
    assert [run.id for run in dock.session.project.runs] == ["r1"]
    history = dock.session.project.runs[0].history
    assert set(history) == {"loss", "val_loss"}
    assert len(history["loss"]) == 3
    assert all(trained for trained, _ in weights(dock.session).values())
    assert dock.session.modified
    assert dock.session.project.store.step == 3 * 4
    assert f"{history['loss'][-1]:.4f}" == dock.values.item(0, 1).text()
    assert f"{history['val_loss'][-1]:.4f}" == dock.values.item(0, 2).text()


def test_what_the_training_says_reaches_the_status_line(qtbot, dock):
    dock.session.commit("longer", edits.set_run(dock.session.document, epochs=100_000))
    click(qtbot, dock.start_button)
    qtbot.waitUntil(lambda: "ms/step" in dock.status.text(), timeout=30_000)
    assert "/100000" in dock.status.text()
    assert dock.bar.value() > 0
    with qtbot.waitSignal(dock.training.finished, timeout=30_000) as got:
        click(qtbot, dock.stop_button)
    assert got.args[0].stopped
    assert dock.session.project.runs


def test_killing_the_process_leaves_the_window_and_the_model(qtbot, dock):
    with qtbot.waitSignal(dock.training.finished, timeout=30_000):
        click(qtbot, dock.start_button)
    before = weights(dock.session)
    dock.session.commit("longer", edits.set_run(dock.session.document, epochs=100_000))
    click(qtbot, dock.start_button)
    qtbot.waitUntil(lambda: dock.training.progress.steps > 0, timeout=30_000)
    with qtbot.waitSignal(dock.training.failed, timeout=30_000):
        os.kill(dock.training.pid, signal.SIGKILL)
    assert not dock.running
    assert dock.start_button.isEnabled()
    assert dock.notice.isVisible()
    assert "9" in dock.notice.label.text()
    assert "as it was before" in dock.notice.label.text()
    after = weights(dock.session)
    assert all(np.array_equal(after[k][1], before[k][1]) for k in before)
    assert len(dock.session.project.runs) == 1
    with qtbot.waitSignal(dock.training.phase_changed, timeout=5_000):
        click(qtbot, dock.start_button)  # and it trains again
    assert not dock.notice.isVisible()


def test_editing_while_it_trains_disturbs_nothing(qtbot, dock):
    dock.session.commit("longer", edits.set_run(dock.session.document, epochs=100_000))
    click(qtbot, dock.start_button)
    qtbot.waitUntil(lambda: dock.training.progress.steps > 0, timeout=30_000)
    layer = next(k for k, e in dock.session.document.layers.items() if e.name == "answer")
    call = dock.session.document.graph.inputs[0]
    dock.session.commit("move", edits.move_calls(dock.session.document, {call: (9.0, 9.0)}))
    assert not dock.edited_note.isVisible()
    dock.session.commit("wider", edits.set_parameters(dock.session.document, layer, units=3))
    assert dock.edited_note.isVisible()
    assert "as it was when it started" in dock.edited_note.text()
    with qtbot.waitSignal(dock.training.finished, timeout=30_000):
        click(qtbot, dock.stop_button)
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
        click(qtbot, dock.start_button)
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
        click(qtbot, dock.start_button)
    assert not dock.running
    assert dock.training.pid is None
    assert "answer" in dock.notice.label.text()
    dock.notice.label.linkActivated.emit("go:0")
    assert dock.session.selection == {dense}


def test_epochs_and_batch_size_are_edited_one_step_at_a_time(qtbot, dock):
    for field, name, keys in ((dock.epochs, "epochs", "25"), (dock.batch_size, "batch_size", "8")):
        field.setFocus()
        field.selectAll()
        qtbot.keyClicks(field, keys)
        qtbot.keyClick(field, Qt.Key.Key_Return)
        assert getattr(dock.session.document.plan.run, name) == int(keys)
    dock.session.history.undo()
    assert dock.session.document.plan.run.batch_size == 16
    assert dock.batch_size.value() == 16
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
    dock.training._take(finished(dock.session, 1))
    assert dock.choice.isVisible()
    assert "(2)" in dock.choice.text()
    for expected in (2.0, 1.0, 2.0):
        with qtbot.waitSignal(dock.session.weights_changed, timeout=1000):
            click(qtbot, dock.choice)
        assert all((value == expected).all() for _, value in weights(dock.session).values())


def test_earlier_runs_can_be_looked_at(qtbot, dock):
    older = Run("r1", {}, {"loss": [3.0, 2.0]}, 1, "loss", 1.0)
    newer = Run("r2", {}, {"loss": [1.0, 0.5, 0.25]}, 2, "loss", 1.0)
    dock.session.project.runs += [older, newer]
    dock.session.weights_changed.emit()
    dock.runs.setFocus()
    for _ in range(dock.runs.count()):
        qtbot.keyClick(dock.runs, Qt.Key.Key_Down)
    assert dock.runs.currentData() == "r1"
    assert dock.values.item(0, 1).text() == "2.0000"
    x, y = dock.curves.losses._curves["loss"]._line.getOriginalDataset()
    assert list(x) == [1, 2]
    assert list(y) == [3.0, 2.0]
    assert dock.curves.losses._best.value() == 2
    qtbot.keyClick(dock.runs, Qt.Key.Key_Up)
    assert dock.values.item(0, 1).text() == "0.2500"


def test_the_running_epoch_is_the_last_moving_point(dock):
    progress = dock.training.progress
    progress.take(Started(2, 4, 64, 16, CHOICE))
    progress.take(EpochDone(0, {"loss": 0.9, "val_loss": 1.0}, 1.0, True))
    progress.take(BatchDone(1, 1, {"loss": 0.7}))
    dock.draw()
    x, y = dock.curves.losses._curves["loss"]._line.getOriginalDataset()
    assert list(x) == [1, 1.5]
    assert list(y) == [0.9, 0.7]
    x, _ = dock.curves.losses._curves["val_loss"]._line.getOriginalDataset()
    assert list(x) == [1]
    assert dock.values.item(0, 1).text() == "0.7000"


def test_the_pace_is_measured_over_the_last_seconds():
    now = [0.0]
    progress = Progress(clock=lambda: now[0])
    progress.take(Started(2, 100, 3200, 0, CHOICE))
    for batch in range(100):
        now[0] += 0.1 if batch < 50 else 0.5
        progress.take(BatchDone(0, batch, {"loss": 1.0}))
    assert progress.step_seconds == pytest.approx(0.5)
    assert progress.remaining == pytest.approx(30 / 100 * 100)
    assert progress.live == (1.0, {"loss": 1.0})
    progress.take(EpochDone(0, {"loss": 1.0}, 30.0, True))
    assert progress.live is None
    assert progress.best_epoch == 0


def test_merging_keeps_arrays_of_other_shapes_and_copies():
    mine, theirs = Store(), Store()
    mine.put("l1", "kernel", np.ones((4, 4)))
    theirs.put("l1", "kernel", np.ones((2, 2)))
    learnt = theirs.snapshot()
    merge(mine, learnt)
    assert set(mine.cells("l1")) == {("kernel", (4, 4)), ("kernel", (2, 2))}
    mine.cells("l1")[("kernel", (2, 2))].value[:] = 9
    assert learnt["l1"][("kernel", (2, 2))].value.max() == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_curve_has_a_look_of_its_own(qapp, theme):
    apply_theme(qapp, theme)
    names = [f"{out}_{m}" for out in ("aux", "main") for m in ("loss", "accuracy", "auc")]
    keys = quantities({"loss": 0, **{k: 0 for n in names for k in (n, VALIDATION + n)}})
    assert keys[:3] == ["loss", "aux_loss", "main_loss"]
    looks = styles(keys)
    losses = [looks[k] for k in keys[:3]]
    assert len({s.marker for s in losses}) == len({s.color.name() for s in losses}) == 3
    rest = [looks[k] for k in keys[3:]]
    assert len({(s.marker, s.color.name()) for s in rest}) == 4
    assert looks["aux_accuracy"].color == looks["aux_loss"].color
    pens = losses[0].pen(), losses[0].pen(dashed=True)
    assert pens[0].style() != pens[1].style()
    apply_theme(qapp, "light")


def test_the_best_epoch_is_told_where_it_covers_no_point(dock):
    dock.session.project.runs.append(Run("r1", {}, {"loss": [2.0, 1.0]}, 1, "loss", 1.0))
    dock._shown_run = "r1"
    dock.draw()
    assert "best:&nbsp;epoch&nbsp;2" in dock.curves.losses.legend.text()
    assert not hasattr(dock.curves.losses._best, "label")


def test_a_click_in_the_legend_hides_a_curve(dock):
    dock.session.project.runs.append(Run("r1", {}, {"loss": [1.0]}, 0, "loss", 1.0))
    dock._shown_run = "r1"
    dock.draw()
    curve = dock.curves.losses._curves["loss"]._line
    assert curve.isVisible()
    dock.curves.losses.legend.linkActivated.emit("loss")
    assert not curve.isVisible()


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_closing_asks_and_keeps_what_was_learnt(qtbot, dock, monkeypatch, answer):
    dock.session.commit("longer", edits.set_run(dock.session.document, epochs=100_000))
    click(qtbot, dock.start_button)
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
        assert dock.start_button.text() == "开始"
        assert dock.training.phase is Phase.IDLE
    finally:
        set_language("en")


@pytest.mark.parametrize(("seconds", "shown"), [(7, "0:07"), (750, "12:30"), (3723, "1:02:03")])
def test_durations(seconds, shown):
    assert duration(seconds) == shown


def test_a_metric_gets_a_plot_of_its_own(qtbot, dock):
    output = dock.session.document.graph.outputs[0]
    document = edits.plan_output(dock.session.document, output, metrics=(Accuracy(),))
    dock.session.commit("metric", document)
    assert not dock.curves.metrics.isVisible()
    with qtbot.waitSignal(dock.training.finished, timeout=30_000):
        click(qtbot, dock.start_button)
    assert dock.curves.metrics.isVisible()
    assert set(dock.curves.metrics._curves) == {"accuracy", "val_accuracy"}


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
