"""Probes and the page of values in a real window: computed by real processes, at rest and while a
training goes on, looked back at, written into files.
"""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu

from studio.document import edits, sharing
from studio.document.model import Endpoint
from studio.formats.loom import load, save
from studio.text import LANGUAGES, set_language
from studio.train.study.seen import Seen
from studio.train.study.taps import measured
from studio.train.study.wanted import Tap
from studio.ui.study.acts import values_page
from studio.ui.theme import apply_theme
from tests.train.study.small import project

PATIENCE = 60_000


@pytest.fixture
def window(open_window, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    made, _ = project()
    opened = open_window(made, size=(1500, 950))
    yield opened
    opened.desk.study.shutdown()


def port(window, name: str) -> Endpoint:
    document = window.session.document
    call = next(c for c in document.graph.calls if document.entry(c).name == name)
    return Endpoint(call, "output")


def shown(window, end: Endpoint):
    return window.canvas.canvas.cards.items[end].shown.sample


def point_at(window, end: Endpoint) -> None:
    """Rest the pointer on an output."""
    node = window.canvas.canvas.items_by_call[end.call]
    at = window.canvas.mapFromScene(node.anchor(end.port, False))
    QTest.mouseMove(window.canvas.viewport(), at)
    window.canvas.pointer = at


def press(window, key: Qt.Key, *held: Qt.KeyboardModifier) -> None:
    QTest.keyClick(window.canvas, key, *held)


def arranged(window) -> None:
    window.canvas.arrange()
    window.canvas.arranging.settle()
    window.canvas.fit()


def test_p_pins_what_the_pointer_is_at_and_its_value_comes(window, qtbot):
    arranged(window)
    end = port(window, "lstm")
    point_at(window, end)
    press(window, Qt.Key.Key_P)
    assert set(window.session.document.graph.looks.probes) == {end}
    qtbot.waitUntil(lambda: shown(window, end) is not None, timeout=PATIENCE)
    assert shown(window, end).shape == (32, 3)
    assert window.actions_.qt["probe"].isChecked()
    press(window, Qt.Key.Key_P)
    assert not window.session.document.graph.looks.probes


def test_shift_p_shows_the_page_with_facts_picture_and_numbers(window, qtbot):
    arranged(window)
    end = port(window, "embedding")
    point_at(window, end)
    press(window, Qt.Key.Key_P, Qt.KeyboardModifier.ShiftModifier)
    page = values_page(window)
    assert page.tap == Tap.of(end)
    qtbot.waitUntil(lambda: page._sample() is not None, timeout=PATIENCE)
    qtbot.waitUntil(lambda: page.facts.rowCount() == 10, timeout=PATIENCE)
    assert page.facts.item(0, 1).text() == "32 × 6 × 4"
    assert page.facts.item(9, 0).text() == "Masked out"
    sample = page._sample()
    model = page.numbers.table.model()
    assert (model.rowCount(), model.columnCount()) == (6, 4)
    assert model.index(2, 1).data() == f"{sample.values[2, 1]:.5g}"
    assert sample.words[-1] in model.headerData(5, Qt.Orientation.Vertical)
    assert sample.words[-1] in page.picture.said_at(1, 5)
    assert window.session.document.graph.looks.probes == {}  # looking is no edit


def test_another_sample_and_other_rows_are_looked_at(window, qtbot):
    page = values_page(window)
    page.show_tap(Tap.of(port(window, "main_input")))
    qtbot.waitUntil(lambda: page._sample() is not None, timeout=PATIENCE)
    qtbot.waitUntil(lambda: page.look.sample.maximum() == page._sample().count, timeout=PATIENCE)
    held = page._sample()
    page.look.sample.setValue(7)
    qtbot.waitUntil(lambda: page._sample().number == 6, timeout=PATIENCE)
    assert not np.array_equal(page._sample().values, held.values)
    page.look.rows.setCurrentIndex(1)
    page.look.rows.activated.emit(1)
    qtbot.waitUntil(lambda: page._sample().count != held.count, timeout=PATIENCE)
    qtbot.waitUntil(lambda: page.look.sample.maximum() == page._sample().count, timeout=PATIENCE)


def test_a_number_that_is_being_written_is_left_alone(window, qtbot):
    page, study = values_page(window), window.desk.study
    study._ask = lambda: None
    tap = Tap.of(port(window, "lstm"))
    page.show_tap(tap)
    found = measured(np.zeros((4, 3), np.float32), None, 0)
    study._take(Seen(0, 0, "asked", taps={tap: replace(found, count=800)}))
    qtbot.waitUntil(lambda: page.look.sample.maximum() == 800)
    page.look.sample.setFocus()
    page.look.sample.lineEdit().selectAll()
    QTest.keyClicks(page.look.sample, "12")
    study._take(Seen(0, 1, "batch", taps={tap: replace(found, count=800)}))
    qtbot.wait(50)
    QTest.keyClicks(page.look.sample, "3")
    QTest.keyClick(page.look.sample, Qt.Key.Key_Return)
    assert study.sample == 122
    study._take(Seen(0, 2, "batch", taps={tap: replace(found, count=800, number=122)}))
    qtbot.waitUntil(lambda: not page.look.sample.lineEdit().isModified())
    assert page.look.sample.value() == 123


def test_a_flat_picture_is_folded_as_somebody_likes(window, qtbot):
    page, study = values_page(window), window.desk.study
    study._ask = lambda: None
    tap = Tap.of(port(window, "aux_input"))
    page.show_tap(tap)
    found = measured(np.zeros((4, 784), np.float32), None, 0)
    study._take(Seen(0, 0, "asked", taps={tap: replace(found, side=28)}))
    qtbot.waitUntil(lambda: page.fold.isVisible())
    assert page.fold.value() == 28
    assert page.picture.said_at(27, 3) == "Row 27, column 3: 0"
    page.fold.setValue(0)
    qtbot.waitUntil(lambda: page.picture.said_at(0, 3) == "[3] = 0")
    assert page.fold.text() == "One row"


def test_an_epoch_nobody_saw_is_shown_as_the_newest(window, qtbot):
    page, study = values_page(window), window.desk.study
    study._ask = lambda: None
    tap = Tap.of(port(window, "lstm"))
    page.show_tap(tap)
    found = measured(np.zeros((4, 3), np.float32), None, 0)
    for epoch in (3, 5):
        study._take(Seen(epoch, 9, "epoch", taps={tap: found}))
    study.look_back(4)
    qtbot.waitUntil(lambda: page.look.back.maximum() == 2)
    assert page.look.back.value() == 2
    study.look_back(3)
    assert page.look.back.value() == 0
    qtbot.waitUntil(lambda: page.when.text() == "End of epoch 4")


def test_values_change_while_it_trains_and_epochs_can_be_looked_back_at(window, qtbot):
    arranged(window)
    end = port(window, "dense_1")
    window.canvas.probes.pin([end])
    page = values_page(window)
    page.show_tap(Tap.of(end))
    qtbot.waitUntil(lambda: shown(window, end) is not None, timeout=PATIENCE)
    first = shown(window, end)
    window.session.commit("x", edits.set_run(window.session.document, epochs=30))
    window.training.start()
    study = window.desk.study
    qtbot.waitUntil(lambda: not page.take.isEnabled(), timeout=PATIENCE)
    assert "no training under way" in page.take.toolTip()
    qtbot.waitUntil(lambda: len(study.past) >= 2, timeout=PATIENCE)
    qtbot.waitUntil(lambda: not window.training.running, timeout=PATIENCE)
    qtbot.waitUntil(lambda: page.look.back.maximum() == len(study.past), timeout=PATIENCE)
    assert page.take.isEnabled()
    values = [study.past[e].taps[Tap.of(end)].numbers.mean for e in sorted(study.past)]
    assert len({first.numbers.mean, *values}) == len(values) + 1
    page.look.back.setValue(0)
    epoch = min(study.past)
    said = f"epoch {epoch + 1}"
    qtbot.waitUntil(lambda: page.when.text() == f"End of {said}", timeout=PATIENCE)
    assert shown(window, end) is study.past[epoch].taps[Tap.of(end)]
    assert window.canvas.canvas.cards.items[end].shown.note == said
    page.look.back.setValue(page.look.back.maximum())
    qtbot.waitUntil(lambda: "epoch" not in page.when.text().lower(), timeout=PATIENCE)
    assert study.epoch is None


def test_inside_a_model_values_are_those_of_the_call_one_came_by(window, qtbot):
    session = window.session
    inner = [port(window, name).call for name in ("embedding", "lstm")]
    grouped, model = sharing.group(session.document, inner)
    session.commit("group", grouped)
    session.enter(model)
    end = Endpoint(inner[0], "output")
    window.canvas.probes.pin([end])
    qtbot.waitUntil(lambda: shown(window, end) is not None, timeout=PATIENCE)
    assert shown(window, end).shape == (32, 6, 4)
    page = values_page(window)
    qtbot.waitUntil(lambda: page.chooser.currentText() == "model ▸ embedding", timeout=PATIENCE)


def test_values_are_written_into_a_file_and_it_says_where(window, qtbot, tmp_path, monkeypatch):
    end, path = port(window, "lstm"), tmp_path / "lstm.npy"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), "NumPy (*.npy)"))
    window.canvas.select([end.call])
    window.canvas.pointer = None
    window.actions_.qt["probe_export_validation"].trigger()
    page = values_page(window)
    qtbot.waitUntil(lambda: not page.export.busy, timeout=PATIENCE)
    count = len(np.load(path))
    assert np.load(path).shape == (count, 3)
    assert f"{count} × 3" in page.export.notice.label.text()


def test_what_is_being_written_ends_with_its_page(window, qtbot, tmp_path):
    page, path = values_page(window), tmp_path / "x.csv"
    page.export.begin(Tap.of(port(window, "embedding")), path, "training")
    assert page.export.busy
    window.desk.insight.shutdown()
    assert not page.export.busy
    assert not [left for left in tmp_path.iterdir() if "x.csv" in left.name]


def test_a_file_that_cannot_be_written_is_refused_in_words(window, qtbot, tmp_path):
    page = values_page(window)
    page.export.begin(Tap.of(port(window, "lstm")), tmp_path / "no" / "x.csv", "training")
    qtbot.waitUntil(lambda: not page.export.busy, timeout=PATIENCE)
    assert "x.csv" in page.export.notice.label.text()


def test_probes_are_saved_and_opened(window, tmp_path):
    end = port(window, "lstm")
    window.canvas.probes.pin([end])
    save(tmp_path / "p.loom", window.session.project)
    assert set(load(tmp_path / "p.loom").document.graph.looks.probes) == {end}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("theme", ["light", "dark", "contrast"])
def test_it_is_drawn_in_every_theme_and_language(window, qtbot, qapp, language, theme):
    set_language(language)
    apply_theme(qapp, theme)
    end, study = port(window, "embedding"), window.desk.study
    study._ask = lambda: None
    arranged(window)
    window.canvas.probes.pin([end])
    page = values_page(window)
    page.show_tap(Tap.of(end))
    array = np.random.default_rng(1).normal(size=(32, 6, 4)).astype(np.float32)
    mask = np.ones((32, 6), bool)
    mask[:, 0] = False
    sample = measured(array, mask, 0, ["", *"words"])
    study._take(Seen(0, 0, "asked", taps={Tap.of(end): sample}))
    qtbot.waitUntil(lambda: page.facts.rowCount() == 10)
    before = page.picture.grab().toImage()
    page.picture.show_sample(None)
    assert page.picture.grab().toImage() != before
    assert not window.grab().isNull()


def test_the_page_says_what_to_do_where_nothing_is_pinned(window, qtbot):
    page = values_page(window)
    qtbot.waitUntil(lambda: page.hint.isVisible() and not page.chooser.isEnabled())
    window.canvas.probes.pin([port(window, "lstm")])
    qtbot.waitUntil(lambda: page.chooser.currentText() == "lstm", timeout=PATIENCE)
    assert not page.hint.isVisible()


def test_the_page_follows_what_is_selected_and_keeps_what_was_chosen_of_it(window, qtbot):
    page = values_page(window)
    qtbot.waitUntil(lambda: page.in_sight)
    for name in ("lstm", "dense_1"):
        end = port(window, name)
        window.canvas.select([end.call])
        assert page.tap == Tap.of(end)
    window.canvas.select([])
    assert page.tap == Tap.of(end), "nothing else is chosen"
    window.desk.insight.show_page("lens")
    window.canvas.select([port(window, "embedding").call])
    assert page.tap == Tap.of(end), "it is not in sight"
    window.desk.insight.show_page("values")
    qtbot.waitUntil(lambda: page.tap == Tap.of(port(window, "embedding")))


def test_the_page_takes_no_more_room_than_the_dock_has(window, qtbot):
    """Else the docks beside the canvas jump when it is opened."""
    page = values_page(window)
    page.show_tap(Tap.of(port(window, "lstm")))
    qtbot.waitUntil(lambda: page.facts.rowCount() > 0, timeout=PATIENCE)
    assert page.minimumSizeHint().width() <= 780


def test_a_value_that_is_gone_is_not_shown_any_more(window, qtbot):
    page = values_page(window)
    end = port(window, "dense_2")
    page.show_tap(Tap.of(end))
    qtbot.waitUntil(lambda: page.chooser.currentText() == "dense_2", timeout=PATIENCE)
    window.canvas.select([end.call])
    window.canvas.delete_selection()
    qtbot.waitUntil(lambda: page.tap is None, timeout=PATIENCE)


def test_the_context_menu_of_a_card_is_about_its_value(window, qtbot):
    arranged(window)
    end = port(window, "lstm")
    window.canvas.probes.pin([end])
    card = window.canvas.canvas.cards.items[end]
    at = window.canvas.mapFromScene(card.box.center())
    there = window.canvas.viewport().mapToGlobal(at)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, there)
    QApplication.sendEvent(window.canvas.viewport(), event)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    names = [act.objectName() for act in menu.actions() if act.objectName()]
    assert names == ["probe_closer", "probe"]
    assert window.canvas.probes.chosen == end
    menu.close()
