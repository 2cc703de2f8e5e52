"""Work in a thread whose asker goes away: no answer, no crash."""

import gc
import sys
import threading

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt
from PySide6.QtWidgets import QLabel, QWidget

from studio.ui import background
from studio.ui.background import Latest


def destroy(thing):
    thing.deleteLater()
    QCoreApplication.sendPostedEvents(thing, QEvent.Type.DeferredDelete)


def all_done(qtbot, before):
    qtbot.waitUntil(lambda: threading.active_count() <= before, timeout=5000)
    QCoreApplication.processEvents()


def test_only_the_newest_of_those_waiting_is_answered(qtbot):
    before, go, answers, latest = threading.active_count(), threading.Event(), [], Latest()
    latest.answered.connect(answers.append)
    latest.ask(lambda: go.wait() and "first")
    latest.ask(lambda: "second")
    latest.ask(lambda: "third")
    assert latest.busy
    go.set()
    qtbot.waitUntil(lambda: not latest.busy)
    assert answers == ["third"]
    all_done(qtbot, before)


def test_no_answer_reaches_an_asker_that_is_gone(qtbot):
    before, go, answers, parent = threading.active_count(), threading.Event(), [], QObject()
    latest = Latest(parent)
    latest.answered.connect(answers.append)
    latest.ask(go.wait)
    destroy(parent)
    go.set()
    all_done(qtbot, before)
    assert answers == []


def test_an_asker_may_go_away_at_any_moment(qtbot):
    """It crashed where the answer left its thread while the asker was being destroyed."""
    before = threading.active_count()
    for number in range(60):
        parent = QWidget()
        labels = [QLabel("x", parent) for _ in range(150)]  # destroying takes a while
        for part in range(20):
            pause = ((number * 20 + part) % 40) * 1e-4
            Latest(parent).ask(lambda pause=pause: threading.Event().wait(pause))
        labels += [QLabel("x", parent) for _ in range(150)]
        destroy(parent)
        QCoreApplication.processEvents()
    all_done(qtbot, before)


def test_what_the_window_threw_away_is_not_destroyed_in_the_thread(qtbot):
    class Thrown:
        """In a cycle, so that only the collector can destroy it."""

        def __init__(self):
            self.itself = self

        def __del__(self):
            where.append(threading.get_ident())

    before, where, latest = threading.active_count(), [], Latest()
    Thrown()
    latest.ask(lambda: [[[]] for _ in range(200_000)])  # makes the collector run
    qtbot.waitUntil(lambda: not latest.busy)
    gc.collect()
    assert where == [threading.get_ident()]
    all_done(qtbot, before)


def test_a_job_nobody_waits_for_any_more_is_told_nothing_of(qtbot):
    before, latest, answers, go_on = threading.active_count(), Latest(), [], threading.Event()
    latest.answered.connect(answers.append)
    latest.ask(lambda: go_on.wait(5) and 1)
    latest.drop()
    assert not latest.busy
    go_on.set()
    all_done(qtbot, before)
    assert answers == []
    latest.ask(lambda: 2)
    qtbot.waitUntil(lambda: answers == [2])


def test_a_job_asked_for_after_one_that_was_dropped_is_answered(qtbot):
    latest, answers, go_on = Latest(), [], threading.Event()
    latest.answered.connect(answers.append)
    latest.ask(lambda: go_on.wait(5) and 1)
    latest.drop()
    latest.ask(lambda: 2)
    assert latest.busy
    go_on.set()
    qtbot.waitUntil(lambda: not latest.busy)
    assert answers == [2]


def test_threads_take_turns_more_often_only_while_one_works(qtbot):
    before, latest, turns = sys.getswitchinterval(), Latest(), []
    latest.ask(lambda: turns.append(sys.getswitchinterval()))
    qtbot.waitUntil(lambda: not latest.busy)
    assert turns[0] < before / 4
    qtbot.waitUntil(lambda: sys.getswitchinterval() == before)


def test_what_brings_an_answer_is_destroyed_in_the_thread_of_the_window(qtbot, monkeypatch):
    """One in ten was destroyed by the thread that sent it, while Qt delivered it here."""
    where, make = [], background._Messenger

    def made(asker):
        messenger = make(asker)
        messenger.destroyed.connect(
            lambda: where.append(threading.get_ident()), Qt.ConnectionType.DirectConnection
        )
        return messenger

    monkeypatch.setattr(background, "_Messenger", made)
    latest = Latest()
    for _ in range(300):
        latest.ask(lambda: 1)
        while latest.busy:
            QCoreApplication.processEvents()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert where == 300 * [threading.get_ident()]
