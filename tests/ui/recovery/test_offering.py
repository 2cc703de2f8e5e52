"""What was left by windows that were ended is offered, and opened as it was."""

import os

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from studio.document import edits
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.formats import loom
from studio.formats.journal import recover
from studio.text import set_language
from studio.ui.theme import apply_theme


@pytest.fixture
def root(tmp_path):
    return tmp_path / "state" / "recovery"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.loom"
    loom.save(path, Project(EXAMPLES["headline"]()))
    return path


@pytest.fixture
def started(open_window, root, qtbot):
    """Starts a window, as the program does; what was left is offered once it has looked."""

    def start(path=None, project=None, page=False):
        window = open_window(project, page=page, kept_in=root)
        if path is not None:
            assert window.files.open(path)
        window.recovery.look()
        qtbot.waitUntil(lambda: not window.recovery._looking.busy)
        return window

    return start


def cut_off(window):
    """The window is gone, as far as what it kept goes."""
    for desk in window.tabs.desks:
        desk.keeping.close(kept=True)


def rename(window, name):
    document = window.session.document
    layer = next(iter(document.layers))
    window.session.commit(f"Rename to {name}", edits.rename_layer(document, layer, name))


def names(window):
    return [entry.name for entry in window.session.document.layers.values()]


def press(qtbot, button):
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


# -- what is offered -----------------------------------------------------------------------------


def test_nothing_is_offered_where_nothing_was_left(started, answer, qtbot):
    window = started()
    assert not window.recovery.bar.isVisible()
    asked = answer("Close")
    window.actions_.qt["recover"].trigger()
    qtbot.waitUntil(lambda: bool(asked))
    assert "Nothing was left" in asked[0][1]


def test_unsaved_work_opens_as_it_was_with_what_can_be_undone(started, file, root, qtbot):
    window = started(file)
    first = window.session.document
    rename(window, "one")
    rename(window, "two")
    window.session.history.undo()
    left = window.session.document
    before = file.read_bytes()
    cut_off(window)

    again = started(page=True)
    bar = again.recovery.bar
    assert bar.isVisible()
    assert again.front.shows_page
    (row,) = bar.rows
    assert (row.name.text(), row.folder.text()) == ("mine.loom", str(file.parent))
    assert "3 acts since it was saved last" in row.facts.text()
    press(qtbot, row.open)
    assert not bar.isVisible()
    session = again.session
    assert (session.document, session.path, session.modified) == (left, file, True)
    assert again.isWindowModified()
    assert (session.history.undo_label, session.history.redo_label) == (
        "Rename to one",
        "Rename to two",
    )
    session.history.redo()
    assert "two" in names(again)
    session.history.undo()
    session.history.undo()
    assert session.document.layers == first.layers
    assert not session.modified, "that is what the file holds"
    assert file.read_bytes() == before, "nothing but saving writes the file"


def test_what_is_done_after_recovery_is_kept_again(started, file, qtbot):
    window = started(file)
    rename(window, "one")
    cut_off(window)
    again = started()
    press(qtbot, again.recovery.bar.rows[0].open)
    rename(again, "two")
    cut_off(again)
    third = started()
    press(qtbot, third.recovery.bar.rows[0].open)
    assert "two" in names(third)
    third.session.history.undo()
    assert "one" in names(third)


def test_saved_work_leaves_nothing(started, file, root, qtbot):
    window = started(file)
    rename(window, "one")
    cut_off(window)
    again = started()
    press(qtbot, again.recovery.bar.rows[0].open)
    assert again.files.save()
    assert not again.session.modified
    cut_off(again)
    assert recover(root) == []
    assert list(root.iterdir()) == []


def test_projects_without_a_file_are_kept_too_and_all_open_at_once(started, root, qtbot):
    window = started()
    window.files.new()
    window.canvas.add_layer("Dense")
    window.files.open_example(EXAMPLES["digits"])
    rename(window, "mine")
    documents = {len(desk.session.document.graph.calls) for desk in window.tabs.desks}
    cut_off(window)
    again = started()
    bar = again.recovery.bar
    assert [row.name.text() for row in bar.rows] == ["untitled", "untitled"]
    assert all("1 act, never saved" in row.facts.text() for row in bar.rows)
    press(qtbot, bar.open_all)
    assert {len(desk.session.document.graph.calls) for desk in again.tabs.desks} == documents
    assert all(desk.session.modified and desk.session.path is None for desk in again.tabs.desks)


def test_what_was_learnt_comes_back(started, file, qtbot):
    window = started(file)
    session = window.session
    entries = session.document.layers.items()
    layer, entry = next(each for each in entries if each[1].kind == "Embedding")
    shape = (entry.body.input_dim, entry.body.output_dim)
    learnt = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    session.project.store.put(layer, "embeddings", learnt)
    session.weights_changed.emit()
    recorder = window.desk.keeping._recorder
    qtbot.waitUntil(lambda: recorder._wanted is None and recorder._story.kept is not None)
    cut_off(window)
    again = started()
    (row,) = again.recovery.bar.rows
    assert "what training learnt" in row.facts.text()
    press(qtbot, row.open)
    cells = again.session.project.store.cells(layer)
    assert np.array_equal(cells["embeddings", shape].value, learnt)
    assert again.session.modified


# -- deciding ------------------------------------------------------------------------------------


def test_a_training_that_was_cut_off_opens_where_it_can_be_gone_on_with(
    started, file, tmp_path, qtbot
):
    window = started(file)
    rename(window, "renamed")
    place = tmp_path / "kept"
    place.mkdir()
    window.desk.keeping._recorder.training(place)
    cut_off(window)
    again = started()
    assert again.docks["training"].visibleRegion().isEmpty()
    (row,) = again.recovery.bar.rows
    press(qtbot, row.open)
    qtbot.waitUntil(lambda: not again.docks["training"].visibleRegion().isEmpty())


def test_not_now_leaves_it_and_the_menu_offers_it_again(started, file, root, qtbot):
    window = started(file)
    rename(window, "one")
    cut_off(window)
    again = started()
    press(qtbot, again.recovery.bar.leave)
    assert not again.recovery.bar.isVisible()
    again.actions_.qt["recover"].trigger()
    qtbot.waitUntil(again.recovery.bar.isVisible)
    press(qtbot, again.recovery.bar.leave)
    third = started()
    assert len(third.recovery.bar.rows) == 1


def test_it_is_looked_for_after_the_window_was_painted(open_window, file, root, started, qtbot):
    window = started(file)
    rename(window, "one")
    cut_off(window)
    again = open_window(kept_in=root)
    again.recovery.look_once_painted()
    assert not again.recovery._looking.busy
    again.update()
    qtbot.waitUntil(again.recovery.bar.isVisible)
    assert [row.name.text() for row in again.recovery.bar.rows] == ["mine.loom"]


def test_discarding_asks_and_removes_it(started, file, root, qtbot, answer):
    window = started(file)
    rename(window, "one")
    cut_off(window)
    again = started()
    asked = answer("Cancel")
    press(qtbot, again.recovery.bar.rows[0].discard)
    assert "mine.loom" in asked[0][1]
    assert len(again.recovery.bar.rows) == 1
    answer("Discard")
    press(qtbot, again.recovery.bar.rows[0].discard)
    assert not again.recovery.bar.isVisible()
    assert recover(root) == []


def test_closing_and_discarding_leaves_nothing(started, root, answer):
    window = started(project=Project(EXAMPLES["headline"]()))
    rename(window, "one")
    window.files.new()
    window.close_tab()
    assert len(list(root.glob("*/journal-*"))) == 1
    answer("Discard")
    assert window.close()
    assert list(root.iterdir()) == []


def test_a_second_window_is_not_offered_what_the_first_works_on(started, file, root, qtbot):
    window = started(file)
    rename(window, "one")
    second = started()
    assert not second.recovery.bar.isVisible()
    second.close()
    cut_off(window)
    third, fourth = started(), started()
    assert [w.recovery.bar.isVisible() for w in (third, fourth)] == [True, False]
    third.close()
    fourth.recovery.look()
    qtbot.waitUntil(fourth.recovery.bar.isVisible)


# -- the file meanwhile --------------------------------------------------------------------------


def test_a_file_that_changed_since_is_told_and_saving_asks(
    started, file, qtbot, answer, monkeypatch
):
    window = started(file)
    rename(window, "one")
    cut_off(window)
    loom.save(file, Project(EXAMPLES["digits"]()))
    theirs = file.read_bytes()
    again = started()
    (row,) = again.recovery.bar.rows
    assert "changed since" in row.warnings[0].text()
    press(qtbot, row.open)
    while again.session.history.undo_label:
        again.session.history.undo()
    assert again.session.modified, "it is not what the file holds now"
    asked = answer("Cancel")
    assert not again.files.save()
    assert asked[0][0] == "overtaken"
    assert file.read_bytes() == theirs
    beside = file.with_name("beside.loom")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(beside), ""))
    answer("Save as…")
    assert again.files.save()
    assert file.read_bytes() == theirs
    assert loom.load(beside).document == again.session.document


def test_a_file_that_changed_since_can_be_replaced(started, file, qtbot, answer):
    window = started(file)
    rename(window, "one")
    loom.save(file, Project(EXAMPLES["digits"]()))
    answer("Replace it")
    assert window.files.save()
    assert loom.load(file).document == window.session.document
    assert window.files.save(), "asked once"


def test_a_file_that_is_gone_is_told_and_saving_writes_it(started, file, qtbot):
    window = started(file)
    rename(window, "one")
    cut_off(window)
    file.unlink()
    again = started()
    (row,) = again.recovery.bar.rows
    assert "not there any more" in row.warnings[0].text()
    press(qtbot, row.open)
    assert again.files.save()
    assert "one" in [e.name for e in loom.load(file).document.layers.values()]


def test_a_file_renamed_while_it_is_open_is_asked_about(started, file, answer, monkeypatch):
    window = started(file)
    rename(window, "one")
    moved = file.rename(file.with_name("moved.loom"))
    before = moved.read_bytes()
    asked = answer("Cancel")
    assert not window.files.save()
    assert asked[0][0] == "overtaken"
    assert f"no longer in {file.parent}" in asked[0][1]
    assert not file.exists()
    assert window.session.modified
    beside = file.with_name("beside.loom")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(beside), ""))
    answer("Save as…")
    assert window.files.save()
    assert (file.exists(), window.session.path, moved.read_bytes()) == (False, beside, before)


def test_a_file_that_was_deleted_can_be_written_again(started, file, answer):
    window = started(file)
    rename(window, "one")
    file.unlink()
    answer("Write it again")
    assert window.files.save()
    assert loom.load(file).document == window.session.document
    assert window.files.save(), "asked once"


def test_a_file_that_is_open_and_unchanged_gives_way(started, file, qtbot):
    window = started(file)
    rename(window, "one")
    cut_off(window)
    again = started(file)
    press(qtbot, again.recovery.bar.rows[0].open)
    assert [desk.session.path for desk in again.tabs.desks] == [file]
    assert "one" in names(again)


def test_an_open_file_with_changes_keeps_its_tab(started, file, qtbot, monkeypatch, tmp_path):
    window = started(file)
    rename(window, "one")
    cut_off(window)
    again = started(file)
    rename(again, "other")
    again.recovery.bar.retranslated.emit()
    (row,) = again.recovery.bar.rows
    assert "open with changes" in row.warnings[0].text()
    press(qtbot, row.open)
    assert [desk.session.path for desk in again.tabs.desks] == [file, None]
    assert "one" in names(again)
    beside = tmp_path / "beside.loom"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(beside), ""))
    assert again.files.save()
    assert again.session.path == beside


def test_what_is_damaged_is_told_and_can_only_be_discarded(started, root, qtbot, answer):
    window = started(project=Project(EXAMPLES["headline"]()))
    rename(window, "one")
    cut_off(window)
    (journal,) = root.glob("*/journal-*")
    journal.write_bytes(b"\0" * 4096)
    again = started()
    (row,) = again.recovery.bar.rows
    assert not row.open.isVisible()
    assert row.warnings
    answer("Discard")
    press(qtbot, row.discard)
    assert recover(root) == []


# -- where nothing can be kept -------------------------------------------------------------------


def test_that_nothing_can_be_kept_is_told_once_and_work_goes_on(open_window, tmp_path, qtbot):
    (tmp_path / "file").write_text("no folder")
    window = open_window(Project(EXAMPLES["headline"]()), kept_in=tmp_path / "file" / "recovery")
    rename(window, "one")
    qtbot.waitUntil(window.recovery.notice.isVisible)
    assert "save your project now" in window.recovery.notice.label.text()
    assert not window.desk.kept
    rename(window, "two")
    assert "two" in names(window)
    (tmp_path / "file").unlink()
    window.desk.keeping._recorder._tried = 0.0  # it is time to try again
    rename(window, "three")
    qtbot.waitUntil(lambda: not window.recovery.notice.isVisible(), timeout=15_000)
    assert window.desk.kept
    cut_off(window)
    (found,) = recover(tmp_path / "file" / "recovery")
    assert found.recovered().now.document == window.session.document
    found.leave()


# -- looks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("zh_CN", "dark")])
def test_the_list_speaks_the_language_and_wears_the_theme(
    started, file, qtbot, qapp, language, theme
):
    window = started(file)
    rename(window, "one")
    cut_off(window)
    again = started()
    apply_theme(qapp, theme)
    again.set_language(language)
    bar = again.recovery.bar
    qtbot.waitUntil(lambda: bar.rows[0]._picture is not None)
    (row,) = bar.rows
    assert row.open.text() == {"en": "Open", "zh_CN": "打开"}[language]
    assert row.width() <= bar.width()
    assert row.rect().contains(row.discard.geometry())
    if "LOOKS" in os.environ:
        again.grab().save(f"{os.environ['LOOKS']}/recovery_{language}.png")
    set_language("en")
