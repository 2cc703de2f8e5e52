"""Everything about trainings that menus and the command palette offer."""

import pytest
from PySide6.QtCore import Qt

from studio.document.project import Project, Run
from studio.examples import EXAMPLES
from studio.ui.session import Session
from studio.ui.settings import Settings
from studio.ui.trainer import Phase
from studio.ui.training.acts import RUNS, STEERING
from studio.ui.training_dock import PAGES
from studio.ui.window import MainWindow


@pytest.fixture
def window(qtbot, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    runs = [Run(f"r{n}", {}, {"loss": [3.0, 2.0 / n]}, 1) for n in (1, 2)]
    made = MainWindow(Settings(), Session(Project(EXAMPLES["headline"](), runs=runs)))
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    return made


def test_every_act_has_a_place_a_name_and_a_reason(window):
    acts = [act for act in (*STEERING, *RUNS) if act != "-"]
    for act in (*acts, "training_settings"):
        action = window.actions_.all[act]
        assert action.name
        assert not action.name.startswith(("runs.", "window."))
        assert not action.why.startswith("runs.") or action.why in reasons()


def reasons():
    from studio.text import catalogue

    return {f"runs.{key}" for key in catalogue("en", "runs")}


def test_what_cannot_be_done_now_is_grey(window):
    qt = window.actions_.qt
    for act in ("pause", "stop", "stop_best", "checkpoint", "resume_checkpoint"):
        assert not qt[act].isEnabled()
    assert qt["train_on"].isEnabled()
    assert not qt["compare_runs"].isEnabled()  # one is ticked
    window.training.runs.table.draw_only({"r1", "r2"})
    window.actions_.refresh()
    assert qt["compare_runs"].isEnabled()


def test_the_settings_are_a_key_away(qtbot, window):
    held = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(window, Qt.Key.Key_T, held)
    assert PAGES[window.training.pages.currentIndex()] == "settings"
    assert window.training.isVisible()


def test_logarithmic_curves_are_an_act_that_is_on_or_off(window):
    act = window.actions_.qt["log_curves"]
    assert not act.isChecked()
    act.trigger()
    assert window.training.runs.curves.log.isChecked()
    assert window.training.runs.curves.chart("loss").y.log
    assert act.isChecked()


def test_f6_pauses_and_resumes(qtbot, window):
    asked = []
    training = window.training.training

    class Process:
        def pause(self):
            asked.append("pause")

        def resume(self):
            asked.append("resume")

    training._process = Process()
    training.phase = Phase.TRAINING
    window.actions_.refresh()
    button = window.actions_.qt["pause"]
    assert button.iconText() == "Pause"
    qtbot.keyClick(window, Qt.Key.Key_F6)
    assert training.phase is Phase.PAUSING
    window.actions_.refresh()
    assert button.iconText() == "Resume", "the tool bar says what a click would do"
    qtbot.keyClick(window, Qt.Key.Key_F6)
    assert training.phase is Phase.TRAINING
    window.actions_.refresh()
    assert button.iconText() == "Pause"
    assert asked == ["pause", "resume"]
    training._process, training.phase = None, Phase.IDLE  # else closing asks what becomes of it
