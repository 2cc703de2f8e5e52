"""The recurrent microscope in the window, by mouse and keys: what is shown, chosen, taken away."""

import csv
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog

from studio import layers
from studio.document import edits
from studio.document.building import add
from studio.document.model import Document, Endpoint
from studio.document.project import Project
from studio.document.store import Store
from studio.examples import EXAMPLES
from studio.layers.bidirectional import Bidirectional
from studio.layers.dense import Dense
from studio.layers.embedding import Embedding
from studio.layers.gru import GRU
from studio.layers.input import Input
from studio.losses.probabilistic import BinaryCrossentropy
from studio.models import Model
from studio.problem import Problem
from studio.text import catalogue
from studio.train.data import load_data
from studio.train.study.bench import Bench
from studio.train.study.recurrent import sampled
from studio.train.study.recurrent_calls import recurrent_paths
from studio.train.study.seen import Seen
from studio.train.study.wanted import Wanted
from studio.train.trainer import Settings, Trainer
from studio.ui.commands import CONTEXT_NODE
from studio.ui.study.time_paint import HEAD
from studio.ui.study.time_rows import Curves, Heat
from studio.ui.theme import THEMES, apply_theme

LEFT = Qt.MouseButton.LeftButton
CTRL_SHIFT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


def bench_of(document):
    data = load_data(document, Path())
    trainer = Trainer(document, Store(), Settings("numpy"))
    return Bench(trainer, data.train, data.validation, data.fitted)


HEADLINE = EXAMPLES["headline"]()


@pytest.fixture(scope="module")
def bench():
    return bench_of(HEADLINE)


def seen_of(bench, wanted, at="asked", epoch=0):
    return Seen(epoch, 0, at, recurrent=sampled(bench, wanted))


@pytest.fixture
def window(open_window, monkeypatch, bench):
    """With the headline, where a look is taken in this process as soon as it is wanted."""
    window = open_window(Project(HEADLINE), size=(1400, 950))
    study = window.desk.study
    monkeypatch.setattr(study, "_ask", lambda: study._take(seen_of(bench, study.wanted)))
    return window


def opened(window, qtbot, timeout=5000):
    """The page, in sight, with what was seen."""
    QTest.keyClick(window.canvas, Qt.Key.Key_R, CTRL_SHIFT)
    page = window.desk.insight.page("time")
    qtbot.waitUntil(lambda: page.view.picture is not None, timeout=timeout)
    return page


def find(document, name):
    return next(c for c in document.graph.calls if document.entry(c).name == name)


def titles(page):
    return [row.title for row in page.view.picture.rows]


def middle(page, column, row=0):
    """Of a column, in the viewport, at a height within a row."""
    columns = page.view.columns()
    return QPoint(round(columns.x(column + 0.5)), 30 + 95 * row)


# -- what is shown ---------------------------------------------------------------------------------


def test_the_key_shows_what_flows_back_states_and_gates(window, qtbot):
    page = opened(window, qtbot)
    assert window.desk.study.wanted.recurrent == (find(HEADLINE, "lstm"),)
    assert titles(page) == [
        "Gradient by step",
        *("main_output", "aux_output") * 2,  # by the state and by the memory
        *("State h", "Memory c"),
        *("Input gate i", "Forget gate f", "Candidate", "Output gate o"),
    ]
    first, *maps = page.view.picture.rows
    assert isinstance(first, Curves)
    assert all(isinstance(row, Heat) and row.values.shape == (100, 32) for row in maps)


def test_where_it_vanishes_is_said_and_marked(window, qtbot):
    page = opened(window, qtbot)
    reading = page.view.picture.reading
    for number, (key, name) in enumerate(page.losses().items()):
        step = reading.vanished[key]
        assert step is not None
        assert f"{'AB'[number]} {name}: vanishes before step {step + 1}" in page.told.text()
        assert page.view.picture.rows[0].curves[number].fade.place == step
        assert f"{step} of 100 steps" in page.told.toolTip()


def test_pointing_at_a_step_tells_its_word_and_numbers(window, qtbot):
    page = opened(window, qtbot)
    sample = page.view.picture.sample
    step = next(i for i in range(99, 0, -1) if sample.words[i])
    QTest.mouseMove(page.view.viewport(), middle(page, step))
    told = page.told.text()
    assert told.startswith(f"Step {step + 1} “{sample.words[step]}” of 100")
    for key, name in page.losses().items():
        assert f"{name} {page.view.picture.reading.norms[key][step]:.3g}" in told
    page.view._point(QPointF(middle(page, 5, row=1)))  # within the map of the first loss
    assert "gradient of main_output by h, unit" in page.told.text()
    QApplication.sendEvent(page.view.viewport(), QEvent(QEvent.Type.Leave))
    assert page.told.text().startswith("A main_output")


def test_arrows_go_from_step_to_step(window, qtbot):
    page = opened(window, qtbot)
    page.view.setFocus()
    QTest.keyClick(page.view, Qt.Key.Key_End)
    assert page.told.text().startswith("Step 100")
    QTest.keyClick(page.view, Qt.Key.Key_Left)
    assert page.told.text().startswith("Step 99")
    QTest.keyClick(page.view, Qt.Key.Key_Home)
    QTest.keyClick(page.view, Qt.Key.Key_Right)
    assert page.told.text().startswith("Step 2 ")
    QTest.keyClick(page.view, Qt.Key.Key_Escape)
    assert page.told.text().startswith("A main_output")


def test_one_looks_closer_at_the_place_of_the_mouse(window, qtbot):
    page = opened(window, qtbot)
    view, at = page.view, middle(page, 90)
    assert not page.wider.isEnabled()
    before = view.columns().at(at.x())
    event = QWheelEvent(
        QPointF(at), view.viewport().mapToGlobal(QPointF(at)), QPoint(), QPoint(0, 120),
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.ControlModifier,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    for _ in range(4):
        view.wheelEvent(event)
    assert view.columns().wide > 2 * (view.viewport().width() - HEAD - 12) / 100
    assert abs(view.columns().at(at.x()) - before) <= 1
    QTest.mouseClick(page.wider, LEFT)
    assert view.closer
    for _ in range(9):
        QTest.mouseClick(page.wider, LEFT)
    assert not view.closer
    assert view.columns().left == HEAD


# -- what is chosen --------------------------------------------------------------------------------


def test_losses_are_compared_and_taken_away(window, qtbot):
    page = opened(window, qtbot)
    main, aux = page.loss_acts.values()
    assert (main.text(), aux.text()) == ("Loss of main_output", "Loss of aux_output")
    aux.trigger()
    assert "aux_output" not in titles(page)
    assert len(page.view.picture.rows[0].curves) == 1
    assert "aux_output" not in page.told.text()
    aux.trigger()
    assert titles(page).count("aux_output") == 2
    page.groups["gates"].trigger()
    page.groups["states"].trigger()
    assert titles(page) == ["Gradient by step", *("main_output", "aux_output") * 2]


def test_another_sample_is_looked_at(window, qtbot, bench):
    page = opened(window, qtbot)
    assert page.look.sample.text() == "Sample 1 / 800"
    page.look.sample.setFocus()
    page.look.sample.selectAll()
    QTest.keyClicks(page.look.sample, "3")
    QTest.keyClick(page.look.sample, Qt.Key.Key_Return)
    assert window.desk.study.sample == 2
    qtbot.waitUntil(lambda: page.view.picture.sample.sample == 2, timeout=5000)
    expected = sampled(bench, Wanted(recurrent=recurrent_paths(HEADLINE)[0], sample=2))
    assert page.view.picture.sample.words == expected.words
    page.look.rows.setCurrentIndex(1)
    page.look.rows.activated.emit(1)
    assert window.desk.study.rows == "training"


def test_one_looks_back_at_past_epochs(window, qtbot, bench):
    page, study = opened(window, qtbot), window.desk.study
    assert not page.look.back.isVisible()
    for epoch in range(2):
        wanted = Wanted(recurrent=page._path, sample=epoch)
        study._take(seen_of(bench, wanted, "epoch", epoch))
    qtbot.waitUntil(page.look.back.isVisible, timeout=3000)
    page.look.back.setValue(0)
    said = "End of epoch 1 · A main_output"
    qtbot.waitUntil(lambda: page.told.text().startswith(said), timeout=3000)
    assert page.view.picture.sample.sample == 0
    study.past[0] = Seen(0, 0, "epoch")
    study.seen.emit()
    qtbot.waitUntil(lambda: page.stack.currentIndex() == 0, timeout=3000)
    assert page.status.text() == "Nobody looked at this value in that epoch."
    page.look.back.setValue(2)
    qtbot.waitUntil(lambda: page.stack.currentIndex() == 1, timeout=3000)
    assert study.epoch is None


def test_a_node_selected_on_the_canvas_is_looked_into(open_window, qtbot, monkeypatch):
    document = EXAMPLES["tweets"]()
    window = open_window(Project(document))
    study, bench = window.desk.study, bench_of(document)
    monkeypatch.setattr(study, "_ask", lambda: study._take(seen_of(bench, study.wanted)))
    page = opened(window, qtbot)
    assert [page.calls.itemText(i) for i in range(page.calls.count())] == ["lstm 1/2", "lstm 2/2"]
    first, second = recurrent_paths(document)
    assert study.wanted.recurrent == first
    window.session.select([second[-1]])
    assert study.wanted.recurrent == second
    qtbot.waitUntil(lambda: page.view.picture.sample.path == second, timeout=5000)
    assert page.calls.currentText() == "lstm 2/2"
    window.session.select([document.graph.inputs[0]])
    assert study.wanted.recurrent == second
    assert not window.actions_.all["microscope"].enabled()
    QTest.mouseClick(page.jump_to, LEFT)
    assert window.session.selection == {second[-1]}


def test_within_a_model_that_is_used_twice_each_use_is_looked_into(open_window, qtbot, monkeypatch):
    x = layers.Input((5, 3))
    inner = Model(x, layers.LSTM(2, name="reads")(x), name="reader")
    a, b = layers.Input((5, 3)), layers.Input((5, 3))
    model = Model([a, b], layers.Dense(1)(layers.concatenate([inner(a), inner(b)])))
    model.compile("sgd", "mse")
    window = open_window(Project(model.document))
    study = window.desk.study
    monkeypatch.setattr(study, "_ask", lambda: None)
    first, second = recurrent_paths(window.session.document)
    window.session.look(second[:1])
    window.session.select([second[1]])
    QTest.keyClick(window.canvas, Qt.Key.Key_R, CTRL_SHIFT)
    page = window.desk.insight.page("time")
    qtbot.waitUntil(lambda: study.wanted.recurrent == second, timeout=3000)
    assert page.calls.currentText() == "reader ▸ reads 2/2"
    page.calls.setCurrentIndex(0)
    page.calls.activated.emit(0)
    assert study.wanted.recurrent == first


def test_the_menu_of_a_node_offers_it(window, qtbot):
    node = find(HEADLINE, "lstm")
    act = window.actions_.qt["microscope"]
    window.session.select([find(HEADLINE, "dense")])
    window.actions_.refresh()
    assert not act.isEnabled()
    window.session.select([node])
    window.actions_.refresh()
    assert act.isEnabled()
    assert "microscope" in CONTEXT_NODE
    act.trigger()
    qtbot.waitUntil(lambda: window.desk.study.wanted.recurrent == (node,), timeout=3000)


def both_ways():
    """A Bidirectional that gives every step, its text padded and masked."""
    document, text = add(Document(), Input(shape=(100,), dtype="int32"), name="main_input")
    document, words = add(document, Embedding(10000, 8, mask_zero=True), text)
    document, read = add(document, Bidirectional(layer=GRU(units=4)), words, name="both")
    document, last = add(document, Dense(units=1, activation="sigmoid"), read, name="judged")
    output = Endpoint(last, "output")
    document = edits.mark_output(document, output)
    document = edits.plan_output(document, output, loss=BinaryCrossentropy())
    plan = HEADLINE.plan.data
    target = plan.targets[HEADLINE.graph.outputs[0].key]
    return edits.set_data(
        document,
        source=plan.source,
        inputs={text: plan.inputs[find(HEADLINE, "main_input")]},
        targets={output.key: target},
    )


def test_each_direction_is_shown_by_itself_and_masked_steps_are_told(
    open_window, qtbot, monkeypatch
):
    document = both_ways()
    window = open_window(Project(document))
    study, bench = window.desk.study, bench_of(document)
    monkeypatch.setattr(study, "_ask", lambda: study._take(seen_of(bench, study.wanted)))
    page = opened(window, qtbot)
    names = [page.readings.itemText(i) for i in range(page.readings.count())]
    assert names == ["forwards", "backwards"]
    assert page.readings.isVisible()
    assert titles(page)[-3:] == ["Update gate z", "Reset gate r", "Candidate"]
    page.readings.setCurrentIndex(1)
    page.readings.activated.emit(1)
    assert page.view.picture.reading.backwards
    read = page.view.picture.read
    assert not read[0]
    page.view._go(0)
    assert page.told.text() == "Step 1 of 100 · skipped: masked"


def test_it_fits_into_a_narrow_dock(window, qtbot):
    page = opened(window, qtbot)
    page.readings.show()
    page.look.back.show()
    assert page.minimumSizeHint().width() < 640


# -- where there is nothing ------------------------------------------------------------------------


def test_a_model_without_such_a_layer_says_so(open_window, qtbot):
    window = open_window(Project(EXAMPLES["digits"]()))
    QTest.keyClick(window.canvas, Qt.Key.Key_R, CTRL_SHIFT)
    page = window.desk.insight.page("time")
    qtbot.waitUntil(lambda: bool(page.status.text()), timeout=3000)
    assert page.status.text().startswith("This model has no LSTM, GRU or SimpleRNN")
    assert not page.export.isEnabled()
    assert window.desk.study.wanted.recurrent is None


def test_what_can_no_longer_be_seen_stays_and_says_so(window, qtbot):
    page, study = opened(window, qtbot), window.desk.study
    study._refuse((Problem("no_data"),))
    qtbot.waitUntil(lambda: page.told.text().startswith(str(Problem("no_data"))), timeout=3000)
    assert "as it was before" in page.told.text()
    assert page.stack.currentIndex() == 1
    study._take(study.newest)
    qtbot.waitUntil(lambda: page.told.text().startswith("A main_output"), timeout=3000)


def test_a_layer_that_is_deleted_is_no_longer_looked_into(window, qtbot):
    page = opened(window, qtbot)
    window.session.commit("x", edits.remove_calls(window.session.document, [page._path[0]]))
    qtbot.waitUntil(lambda: page._path is None, timeout=3000)
    assert window.desk.study.wanted.recurrent is None


def test_nothing_is_looked_at_once_nobody_sees_it(window, qtbot):
    opened(window, qtbot)
    window.raise_dock("problems")
    qtbot.waitUntil(lambda: window.desk.study.wanted.recurrent is None, timeout=3000)


# -- by processes ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_model_is_looked_into_at_rest_and_while_it_trains(open_window, qtbot):
    window = open_window(Project(edits.set_run(HEADLINE, epochs=8)))
    page, study = opened(window, qtbot, timeout=60_000), window.desk.study
    at_rest = page.view.picture.reading
    window.train()
    window.raise_dock("insight")
    # Looks take a tenth of the time at most, so not every epoch's end may have one.
    qtbot.waitUntil(lambda: len(study.past) >= 2, timeout=120_000)
    first, last = (study.past[e].recurrent.readings[0] for e in sorted(study.past)[:2])
    for key, norm in at_rest.norms.items():
        # What was learnt of the forget gates lets gradients reach steps they did not.
        assert norm[0] < first.norms[key][0] < last.norms[key][0]


# -- taking it away --------------------------------------------------------------------------------


def test_what_is_shown_is_taken_away(window, qtbot, tmp_path, monkeypatch):
    page = opened(window, qtbot)
    for suffix, kind in ((".png", "PNG (*.png)"), (".svg", "SVG (*.svg)"), (".csv", "CSV (*.csv)")):
        chosen = str(tmp_path / "seen")
        monkeypatch.setattr(
            QFileDialog, "getSaveFileName", lambda *_, chosen=chosen, kind=kind: (chosen, kind)
        )
        QTest.mouseClick(page.export, LEFT)
        assert (tmp_path / f"seen{suffix}").exists()
    image = QImage(str(tmp_path / "seen.png"))
    assert image.width() == 2 * (HEAD + 100 * 14 + 16)  # room for each word
    assert "main_output" in (tmp_path / "seen.svg").read_text(encoding="utf-8")
    with (tmp_path / "seen.csv").open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 100 * (4 + 2 + 2 * 2)
    sample, reading = page.view.picture.sample, page.view.picture.reading
    forgot = [line for line in lines if line["quantity"] == "forget gate"]
    assert [line["word"] for line in forgot] == list(sample.words)
    assert float(forgot[7]["unit 3"]) == pytest.approx(reading.gates["f"][7, 2], rel=1e-6)
    by_loss = {line["loss"] for line in lines if line["quantity"] == "gradient by the state"}
    assert by_loss == {"main_output", "aux_output"}


# -- looks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", THEMES)
def test_every_theme_paints_gradients_in_the_colours_of_the_losses(window, qtbot, theme):
    apply_theme(QApplication.instance(), theme)
    page = opened(window, qtbot)
    picture = page.view.grab().toImage()
    colours = {
        picture.pixelColor(x, y).name()
        for x in range(0, picture.width(), 2)
        for y in range(0, 130, 2)
    }
    assert THEMES[theme].series[0] in colours  # the first loss's letter and curve
    assert THEMES[theme].base in colours


def test_another_language_is_spoken_at_once(window, qtbot):
    opened(window, qtbot)
    window.set_language("zh_CN")
    qtbot.waitUntil(lambda: "time" in window.desk.insight.pages, timeout=3000)
    page = opened(window, qtbot)
    assert titles(page)[0] == catalogue("zh_CN", "microscope")["strength"]
    assert "步之前消失" in page.told.text()
