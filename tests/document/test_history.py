"""Undo and redo of whole documents."""

from studio.document import edits
from studio.document.history import History
from studio.document.model import Document
from tests.document.drawn import layer


def add(history: History, label: str = "add") -> str:
    document, call = edits.add_layer(history.document, layer("Dense"))
    history.commit(label, document)
    return call


def test_labels_name_the_next_act() -> None:
    history = History(Document())
    assert (history.undo_label, history.redo_label) == (None, None)
    add(history, "first")
    add(history, "second")
    assert (history.undo_label, history.redo_label) == ("second", None)
    history.undo()
    assert (history.undo_label, history.redo_label) == ("first", "second")
    history.redo()
    assert (history.undo_label, history.redo_label) == ("second", None)


def test_a_new_act_ends_the_future() -> None:
    history = History(Document())
    add(history)
    history.undo()
    add(history)
    assert history.redo_label is None


def test_ids_are_never_reused() -> None:
    history = History(Document())
    first = add(history)
    history.undo()
    second = add(history)
    assert first != second
    history.undo()
    history.undo()
    assert add(history) not in (first, second)


def test_nothing_changed_is_no_act() -> None:
    history = History(Document())
    heard = []
    history.subscribe(lambda old, new: heard.append((old, new)))
    history.commit("nothing", Document())
    history.undo()
    history.redo()
    assert heard == []
    assert history.undo_label is None


def test_listeners_hear_old_and_new_once() -> None:
    history = History(Document())
    heard = []
    history.subscribe(lambda old, new: heard.append((len(old.layers), len(new.layers))))
    add(history)
    history.undo()
    history.redo()
    assert heard == [(0, 1), (1, 0), (0, 1)]


def test_modified_means_different_from_the_file() -> None:
    history = History(Document())
    assert not history.modified
    add(history)
    assert history.modified
    history.saved()
    assert not history.modified
    history.undo()
    assert history.modified
    history.redo()
    assert not history.modified
    add(history)
    history.undo()
    assert not history.modified


def test_the_past_is_bounded() -> None:
    history = History(Document())
    for _ in range(510):
        add(history)
    steps = 0
    while history.undo_label is not None:
        history.undo()
        steps += 1
    assert steps == 500
