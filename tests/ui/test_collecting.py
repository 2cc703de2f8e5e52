"""Garbage goes in the window's thread, whoever makes an object too many."""

import gc
import threading
import weakref

import pytest
from PySide6.QtCore import QObject

from studio import garbage
from studio.ui.collecting import Collecting


class Knot:
    """Garbage, once nobody holds it, that only the collector finds."""

    def __init__(self):
        self.itself = self


@pytest.fixture
def collected_between_tests():
    """Here it is tried who collects."""


@pytest.fixture
def collecting(qapp, qtbot):
    owner = QObject()
    garbage.spare()  # as the program does; a process that ran many tests has a great many objects
    made = Collecting(owner)
    yield made
    owner.deleteLater()
    qtbot.waitUntil(gc.isenabled)
    gc.unfreeze()


def busy():
    """What another thread does: make so many objects that Python would collect."""
    return [[n] for n in range(300_000)]


def thrown_away():
    """Garbage, and in which threads it was destroyed."""
    where = []
    knot = Knot()
    weakref.finalize(knot, lambda: where.append(threading.current_thread()))
    return where


def in_a_thread(act):
    made = []
    thread = threading.Thread(target=lambda: made.append(act()))
    thread.start()
    thread.join()
    return made


def test_another_thread_collects_nothing_the_windows_does(collecting, qtbot):
    where = thrown_away()
    kept = in_a_thread(busy)
    assert where == []
    qtbot.waitUntil(lambda: bool(where), timeout=20_000)
    assert where == [threading.main_thread()]
    assert kept


def test_without_it_another_thread_would():
    """What all this is for; should Python ever stop doing so, it can go."""
    gc.collect()
    where = thrown_away()
    in_a_thread(busy)
    assert where != []
    assert threading.main_thread() not in where


def test_what_grew_old_is_collected_once_there_is_more_of_it(collecting, monkeypatch):
    monkeypatch.setattr("studio.ui.collecting._YOUNG", 100)
    monkeypatch.setattr("studio.ui.collecting._ROUNDS", 2)
    where, held = [], [Knot()]
    weakref.finalize(held[0], lambda: where.append(threading.current_thread()))
    gc.collect()  # it is old by now
    held.clear()
    hoard = []
    for _ in range(300):
        hoard.append([[n] for n in range(1000)])
        collecting.collect()
        if where:
            break
    assert hoard
    assert where == [threading.main_thread()]


def test_little_is_not_worth_it(collecting, monkeypatch):
    gc.collect()
    rounds = []
    monkeypatch.setattr(gc, "collect", lambda *given: rounds.append(given))
    collecting.collect()
    assert rounds == []
