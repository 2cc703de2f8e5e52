"""Training batch by batch, and breakpoints, from the window: real processes, real keys."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from studio.document import edits
from studio.document.plan import Breakpoints
from studio.text import LANGUAGES, catalogue
from studio.train.events import Hit
from studio.ui.settings import Settings
from studio.ui.trainer import Phase
from tests.ui.test_training_dock import small_project


@pytest.fixture
def window(open_window, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))  # the trainer's process inherits it
    window = open_window(small_project(tmp_path), size=(1500, 950))
    window.session.path = tmp_path / "p.loom"
    return window


def press(window, key, held=Qt.KeyboardModifier.NoModifier):
    QTest.keyClick(window.canvas, key, held)


def paused_at(window, steps):
    training = window.training.training
    return training.phase is Phase.PAUSED and training.progress.steps == steps


def test_f8_begins_with_one_batch_and_goes_on_batch_by_batch(window, qtbot):
    Settings().waves = False
    press(window, Qt.Key.Key_F8)
    qtbot.waitUntil(lambda: paused_at(window, 1), timeout=30_000)
    assert window.status.state.text().endswith("paused")
    press(window, Qt.Key.Key_F8)
    qtbot.waitUntil(lambda: paused_at(window, 2), timeout=10_000)
    qtbot.mouseClick(window.training.controls.buttons["step"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: paused_at(window, 3), timeout=10_000)
    assert window.training.training.progress.history == {}
    press(window, Qt.Key.Key_F8)  # the last of the epoch, its validation after it
    qtbot.waitUntil(lambda: paused_at(window, 4), timeout=10_000)
    assert len(window.training.training.progress.history["val_loss"]) == 1
    press(window, Qt.Key.Key_F6)
    qtbot.waitUntil(lambda: not window.training.running, timeout=20_000)
    assert window.session.project.runs[0].epochs == 3


def test_a_training_under_way_is_stepped_from_where_it_is(window, qtbot):
    Settings().waves = False
    session = window.session
    session.commit("longer", edits.set_run(session.document, epochs=100_000))
    press(window, Qt.Key.Key_F5)
    training = window.training.training
    qtbot.waitUntil(lambda: training.phase is Phase.TRAINING, timeout=30_000)
    press(window, Qt.Key.Key_F8)
    qtbot.waitUntil(lambda: training.phase is Phase.PAUSED, timeout=10_000)
    here = training.progress.steps
    press(window, Qt.Key.Key_F8)
    qtbot.waitUntil(lambda: paused_at(window, here + 1), timeout=10_000)
    press(window, Qt.Key.Key_F5, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: not window.training.running, timeout=20_000)


def test_a_step_runs_over_the_canvas_as_a_wave(window, qtbot):
    press(window, Qt.Key.Key_F8)
    show = window.desk.waves.show
    qtbot.waitUntil(lambda: show.running, timeout=40_000)
    assert paused_at(window, 1)
    assert show.bar.isVisible()
    names = {window.session.document.entry(c).name: c for c in window.session.document.graph.calls}
    sizes = show.wave[0].numbers
    assert sizes[names["features"]] > 0
    assert sizes[names["answer"]] > 0
    assert [phase.name for phase in show.wave] == ["", "answer"]
    assert show.wave[1].numbers[names["answer"]] > 0
    assert show.wave[1].value == pytest.approx(
        window.training.training.progress.logs["loss"], rel=0.9
    )
    press(window, Qt.Key.Key_F8)
    qtbot.waitUntil(lambda: paused_at(window, 2) and show.running, timeout=20_000)
    press(window, Qt.Key.Key_F6)
    qtbot.waitUntil(lambda: not show.running, timeout=20_000)


def test_without_waves_a_step_is_only_a_step(window, qtbot):
    window.actions_.qt["waves"].trigger()
    assert not Settings().waves
    press(window, Qt.Key.Key_F8)
    qtbot.waitUntil(lambda: paused_at(window, 1), timeout=30_000)
    QTest.qWait(500)
    assert not window.desk.waves.show.running
    assert not window.desk.study.wanted.lens


def test_a_wave_is_shown_on_request_where_nothing_trains(window, qtbot):
    press(window, Qt.Key.Key_F8, Qt.KeyboardModifier.ShiftModifier)
    show = window.desk.waves.show
    qtbot.waitUntil(lambda: show.running, timeout=40_000)
    assert window.desk.study.wanted.lens
    qtbot.mouseClick(show.bar.buttons["close"], Qt.MouseButton.LeftButton)
    assert not show.running
    assert not window.desk.study.wanted.lens, "nothing more is computed"


def test_a_wave_on_request_says_why_there_is_none(window, qtbot, tmp_path):
    (tmp_path / "line.csv").unlink()
    with qtbot.waitSignal(window.canvas.told, timeout=30_000) as told:
        press(window, Qt.Key.Key_F8, Qt.KeyboardModifier.ShiftModifier)
        qtbot.waitUntil(lambda: bool(window.desk.study.problems), timeout=30_000)
    assert "line.csv" in told.args[0] or "wave" in told.args[0]
    assert "line.csv" in window.status.currentMessage()
    assert not window.desk.waves.show.running
    assert not window.desk.study.wanted.lens


def test_a_step_that_is_gone_on_from_shows_no_wave_later(window, qtbot):
    session = window.session
    session.commit("longer", edits.set_run(session.document, epochs=100_000))
    press(window, Qt.Key.Key_F8)
    press(window, Qt.Key.Key_F6)
    training = window.training.training
    qtbot.waitUntil(
        lambda: training.phase is Phase.PAUSED or training.progress.steps > 3, timeout=30_000
    )
    if training.phase is Phase.PAUSED:
        press(window, Qt.Key.Key_F6)
    qtbot.waitUntil(lambda: training.phase is Phase.TRAINING, timeout=10_000)
    press(window, Qt.Key.Key_F6)
    qtbot.waitUntil(lambda: training.phase is Phase.PAUSED, timeout=10_000)
    QTest.qWait(800)
    assert not window.desk.waves.show.running
    assert not window.desk.study.wanted.lens


# -- breakpoints ---------------------------------------------------------------------------------


def breaking(window, **what):
    document = window.session.document
    window.session.commit("break", edits.set_run(document, breakpoints=Breakpoints(**what)))


def test_a_long_gradient_pauses_and_is_told_and_resuming_takes_it_away(window, qtbot):
    breaking(window, gradient_norm=1e-6)
    press(window, Qt.Key.Key_F5)
    panel = lambda: window.training.hit  # noqa: E731
    qtbot.waitUntil(lambda: panel().isVisible(), timeout=30_000)
    qtbot.waitUntil(lambda: window.training.training.phase is Phase.PAUSED, timeout=10_000)
    assert panel().hit.kind == "gradient_norm"
    assert "1e-06" in panel().title.text()
    breaking(window)  # the training under way hears of it
    assert not window.training.edited_note.isVisible()
    press(window, Qt.Key.Key_F6)
    qtbot.waitUntil(lambda: not panel().isVisible(), timeout=10_000)
    qtbot.waitUntil(lambda: not window.training.running, timeout=20_000)
    assert len(window.session.project.runs[0].history["loss"]) == 3


def test_a_hit_that_was_told_survives_another_language(window, qtbot):
    dense = next(c for c in window.session.document.graph.calls)
    hit = Hit("not_finite", 0, 2, float("inf"), "forward", (dense,), "answer", "MatMul")
    window.training.training.met.emit(hit)
    assert window.training.hit.isVisible(), "its dock is brought to the front"
    window.set_language("zh_CN")
    qtbot.waitUntil(lambda: window.training.hit.isVisible())
    assert "∞" in window.training.hit.title.text()
    assert "算子 MatMul" in window.training.hit.facts.text()


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_status_bar_has_a_word_for_every_phase(code):
    """It said ``window.phase_paused`` while a training was paused."""
    words = catalogue(code, "window")
    assert [phase for phase in Phase if f"phase_{phase.name.lower()}" not in words] == []
