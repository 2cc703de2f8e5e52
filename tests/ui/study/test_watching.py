"""The study of a project: what is wanted by whom, what was seen, and whom it asks."""

from typing import ClassVar

import pytest
from PySide6.QtCore import QObject, Signal

from studio.document.edits import set_run
from studio.document.project import Project, Run
from studio.problem import Problem
from studio.train.aside import Done, Refused
from studio.train.study.seen import Seen
from studio.train.study.wanted import Tap, Wanted
from studio.ui.study import watching
from studio.ui.study.watching import Study, Wish
from studio.ui.trainer import Phase
from tests.ui.looked import call, headline_sample, look

TAP = Tap(("c2",), "output")


class Trainer(QObject):
    """Stands for a training: it is told what is wanted, and says what a test has it say."""

    phase_changed = Signal()
    saw = Signal(object)

    def __init__(self):
        super().__init__()
        self.phase, self.told = Phase.IDLE, []

    @property
    def running(self):
        return self.phase is not Phase.IDLE

    def look(self, wanted):
        self.told.append(wanted)

    def enter(self, phase):
        self.phase = phase
        self.phase_changed.emit()


class Process:
    """Stands for the process that looks where nothing trains; a test answers for it."""

    made: ClassVar[list] = []

    def __init__(self):
        self.asked, self.heard, self.answers, self.alive = [], [], 0, True
        Process.made.append(self)

    @property
    def busy(self):
        return len(self.asked) > self.answers

    def ask(self, act):
        self.asked.append(act)

    def answer(self, answer):
        self.heard.append(answer)

    def poll(self):
        heard, self.heard = self.heard, []
        self.answers += len(heard)
        return heard

    def kill(self):
        self.alive = False


@pytest.fixture
def trainer(qapp):
    return Trainer()


@pytest.fixture
def study(session, trainer, monkeypatch):
    monkeypatch.setattr(watching, "Aside", Process)
    monkeypatch.setattr(watching, "_DEBOUNCE", 0)
    Process.made.clear()
    made = Study(session, trainer)
    yield made
    made.shutdown()


def settled(qtbot, study):
    qtbot.waitUntil(lambda: bool(Process.made) and bool(Process.made[-1].asked), timeout=3000)
    return Process.made[-1]


def test_what_is_wanted_is_what_all_views_want_together(study):
    assert not study.wanted
    study.want(lens=True)
    study.wish("values", Wish(taps=(TAP,)))
    study.wish("time", Wish(recurrent=("c3",)))
    study.sample = 4
    study.rows = "training"
    assert study.wanted == Wanted(True, (TAP,), ("c3",), "training", 4)
    study.want(lens=False)
    study.wish("values", Wish())
    study.wish("time", Wish())
    assert not study.wanted


def test_a_port_that_two_views_want_is_looked_at_once_until_both_let_it_go(study):
    told = []
    study.wanted_changed.connect(lambda: told.append(study.wanted.taps))
    study.want(taps=(TAP,))
    study.want(taps=(TAP,), who="values")
    assert study.wanted.taps == (TAP,)
    study.want()
    study.want(who="values")
    assert told == [(TAP,), ()]


def test_a_process_is_asked_only_while_something_is_wanted(qtbot, study, session):
    session.commit("epochs", set_run(session.document, epochs=9))
    qtbot.wait(30)
    assert Process.made == []
    study.want(lens=True)
    assert study.waiting
    process = settled(qtbot, study)
    process.answer(Done(look(session.document, at="asked")))
    with qtbot.waitSignal(study.seen, timeout=3000):
        pass
    assert study.newest.lens == headline_sample(session.document)
    assert not study.waiting


def test_it_asks_again_when_model_or_weights_are_others(qtbot, study, session):
    study.want(lens=True)
    process = settled(qtbot, study)
    process.answer(Done(look(session.document, at="asked")))
    qtbot.waitUntil(lambda: study.newest is not None)
    session.weights_changed.emit()
    qtbot.waitUntil(lambda: len(process.asked) == 2, timeout=3000)
    session.commit("epochs", set_run(session.document, epochs=9))
    qtbot.wait(50)
    assert len(process.asked) == 2  # not before it has answered
    process.answer(Done(look(session.document, at="asked")))
    qtbot.waitUntil(lambda: len(process.asked) == 3, timeout=3000)


def test_why_nothing_can_be_seen_is_told(qtbot, study, session):
    study.want(lens=True)
    process = settled(qtbot, study)
    problem = Problem("no_data")
    process.answer(Refused((problem,)))
    qtbot.waitUntil(lambda: study.problems == (problem,), timeout=3000)
    session.weights_changed.emit()
    qtbot.waitUntil(lambda: len(process.asked) == 2, timeout=3000)
    process.answer(Done(look(session.document, at="asked")))
    qtbot.waitUntil(lambda: study.newest is not None, timeout=3000)
    assert study.problems == ()


def test_that_the_process_was_killed_is_told(qtbot, study):
    study.want(lens=True)
    settled(qtbot, study).answer(Refused())
    qtbot.waitUntil(lambda: bool(study.problems), timeout=3000)
    assert study.problems[0].code == "look_killed"
    assert not study.waiting


def test_after_a_training_that_failed_it_is_looked_at_what_is_there(qtbot, study, trainer, session):
    study.want(lens=True)
    settled(qtbot, study)
    trainer.enter(Phase.STARTING)
    trainer.enter(Phase.TRAINING)
    trainer.saw.emit(look(session.document, 0, 5))
    trainer.enter(Phase.IDLE)  # nothing came of it: no weights are others
    qtbot.waitUntil(lambda: len(Process.made) == 2 and bool(Process.made[1].asked), timeout=3000)


def test_a_training_is_asked_instead_and_nobody_else(qtbot, study, trainer, session):
    study.want(lens=True)
    process = settled(qtbot, study)
    trainer.enter(Phase.STARTING)
    assert not process.alive
    assert trainer.told == [Wanted(lens=True)]
    study.want(lens=True, taps=(TAP,))
    assert trainer.told[-1] == Wanted(lens=True, taps=(TAP,))
    study.want()
    assert not trainer.told[-1]
    qtbot.wait(30)
    assert len(Process.made) == 1


def test_past_epochs_are_remembered_and_can_be_looked_back_at(study, trainer, session):
    trainer.enter(Phase.STARTING)
    trainer.enter(Phase.TRAINING)
    for epoch in range(3):
        trainer.saw.emit(look(session.document, epoch, 5, "batch"))
        trainer.saw.emit(look(session.document, epoch, 9, "epoch"))
    trainer.saw.emit(look(session.document, 3, 0, "batch"))
    assert list(study.past) == [0, 1, 2]
    assert study.current.epoch == 3
    study.look_back(1)
    assert (study.current.epoch, study.current.at) == (1, "epoch")
    study.look_back(None)
    assert study.current.epoch == 3
    trainer.enter(Phase.IDLE)
    trainer.enter(Phase.STARTING)
    assert (study.past, study.current, study.epoch) == ({}, None, None)


def test_of_many_epochs_every_second_is_kept(study, trainer, session):
    trainer.enter(Phase.TRAINING)
    for epoch in range(500):
        trainer.saw.emit(Seen(epoch, 0, "epoch"))
    assert len(study.past) <= 241
    assert max(study.past) == 499
    assert sorted(study.past) == list(study.past)


def test_shares_are_counted_while_it_trains_and_taken_from_the_run_at_its_end(
    study, trainer, session
):
    study.want(lens=True)
    trainer.enter(Phase.STARTING)
    trainer.enter(Phase.TRAINING)
    document = session.document
    key = document.graph.outputs[1].key
    trainer.saw.emit(look(document, 0, 5, "batch"))
    assert study.shares == {}
    trainer.saw.emit(look(document, 1, 5, "batch"))
    assert study.shares[key]["lstm"] == [0.0043]
    session.project.keep_run(Run("r1", shares={key: {"lstm": [0.1, 0.2]}}))
    trainer.saw.emit(look(document, 1, 9, "epoch"))
    trainer.enter(Phase.IDLE)
    assert study.shares == {key: {"lstm": [0.1, 0.2]}}


def test_advice_is_made_of_looks_with_the_plans_own_weights(study, trainer, session):
    study.want(lens=True)
    trainer.enter(Phase.TRAINING)
    for batch in range(12):
        trainer.saw.emit(look(session.document, 0, batch))
    assert len(study.looks) == 8
    key = session.document.graph.outputs[0].key
    study.scales = {key: 3.0}
    assert trainer.told[-1].scales == {key: 3.0}
    before = study.looks
    trainer.saw.emit(look(session.document, 0, 13))
    assert study.looks == before


def test_the_project_of_an_earlier_training_shows_its_shares(qapp, trainer):
    from studio.examples import EXAMPLES
    from studio.ui.session import Session

    runs = [Run("r1", shares={"c": {"x": [1.0]}}), Run("r2")]
    session = Session(Project(EXAMPLES["headline"](), runs=runs))
    assert Study(session, trainer).shares == {"c": {"x": [1.0]}}
    assert call(session.document, "lstm")
