"""The data dock: files, folders and pasted tables, how they are read, and how long that takes."""

import json
import time

import psutil
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog

from studio.document.plan import GeneratedSource, PastedSource, Reading, TableSource
from studio.document.project import Project
from studio.text import set_language
from studio.train.profiles import ColumnProfile
from studio.ui import data_dock
from studio.ui.column_table import COLUMNS_MIME, bars_of, day, describe, share, written
from studio.ui.data_dock import DataDock
from studio.ui.session import Session
from studio.ui.theme import apply_theme

PEOPLE = "name;age;born;kind\nAnn;31;1993-02-01;good\nBob;;1988-07-30;bad\nCyd;44;1980-11-12;good\n"


@pytest.fixture
def dock(qtbot, session):
    widget = DataDock(session)
    widget.session = session
    qtbot.addWidget(widget)
    widget.resize(1300, 500)
    widget.show()
    wait(qtbot, widget)
    yield widget
    widget.close_reading()


def wait(qtbot, dock):
    qtbot.waitUntil(lambda: not dock.busy, timeout=60_000)


def source(dock):
    return dock.session.document.plan.data.source


@pytest.fixture
def people(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text(PEOPLE)
    return path


@pytest.fixture
def large(tmp_path):
    path = tmp_path / "large.csv"
    path.write_text("headline,popular\n" + "".join(f"words {i},{i % 2}\n" for i in range(80_000)))
    return path


def shown(table):
    """What a column table says, row by row."""
    model = table.model()
    rows, columns = range(model.rowCount()), range(model.columnCount())
    return {model.index(r, 0).data(): [model.index(r, c).data() for c in columns] for r in rows}


# -- what is seen of columns ---------------------------------------------------------------------


def test_columns_tell_what_they_hold(qtbot, dock, people):
    dock.use_file(people)
    wait(qtbot, dock)
    rows = shown(dock.pages.columns)
    assert list(rows) == ["name", "age", "born", "kind"]
    assert rows["age"][1:4] == ["whole number", "1 (33\u2009%)", "2"]
    assert rows["age"][5].startswith("31 … 44, mean 37.5")
    assert rows["born"][1] == "date"
    assert rows["born"][5] == "1980-11-12 … 1993-02-01"
    assert "good" in dock.pages.columns.model().index(3, 0).data(Qt.ItemDataRole.ToolTipRole)


def test_a_column_can_be_carried_away(qtbot, dock, people):
    dock.use_file(people)
    wait(qtbot, dock)
    model = dock.pages.columns.model()
    data = model.mimeData([model.index(1, 0), model.index(1, 3), model.index(2, 0)])
    assert json.loads(bytes(data.data(COLUMNS_MIME).data())) == ["age", "born"]
    assert model.flags(model.index(0, 0)) & Qt.ItemFlag.ItemIsDragEnabled


@pytest.mark.parametrize(
    ("value", "digits", "said"),
    [
        (0.0, 4, "0"),
        (37.5, 4, "37.5"),
        (499999.5, 4, "500\u2009000"),
        (0.00001, 3, "1e-05"),
        (-2.638, 6, "-2.638"),
        (3e12, 3, "3e+12"),
        (2014.0, 6, "2014"),
        (12_000.0, 6, "12\u2009000"),
    ],
)
def test_numbers_as_people_write_them(value, digits, said):
    assert written(value, digits) == said


def test_words_about_columns():
    assert share(0, 10) == "–"
    assert share(1, 1000) == "1 (0.1\u2009%)"
    assert share(1, 10**6) == "1 (<0.1\u2009%)"
    assert day(0.0) == "1970-01-01"
    assert day(0.5) == "1970-01-01 12:00"
    texts = ColumnProfile("t", "text", 10, shortest=3, longest=1200)
    assert describe(texts) == "3 … 1\u2009200 characters"
    labels = ColumnProfile("k", "class", 10, distinct=6, top=(("a", 5), ("b", 3)))
    assert describe(labels) == "a 50\u2009%, b 30\u2009%, +4"
    assert bars_of(labels) == [5, 3]
    assert bars_of(texts) == []


# -- how a file is read --------------------------------------------------------------------------


def test_how_a_file_is_read_is_shown_and_can_be_said_otherwise(qtbot, dock, people):
    dock.use_file(people)
    wait(qtbot, dock)
    assert dock.pages.reading_button.text() == "UTF-8 · semicolon · header"
    assert not dock.pages.reading.isVisible()
    qtbot.mouseClick(dock.pages.reading_button, Qt.MouseButton.LeftButton)
    assert dock.pages.reading.isVisible()
    header = dock.pages.reading.fields["header"]
    assert header.currentText() == "found: yes"
    header.setFocus()
    qtbot.keyClick(header, Qt.Key.Key_End)
    assert source(dock).reading == Reading(header="no")
    wait(qtbot, dock)
    assert dock.look.table.names[0] == "column 1"
    assert dock.look.table.rows == 4
    assert dock.pages.reading_button.text() == "UTF-8 · semicolon · no header *"
    delimiter = dock.pages.reading.fields["delimiter"]
    delimiter.setFocus()
    qtbot.keyClick(delimiter, Qt.Key.Key_Home)
    qtbot.keyClick(delimiter, Qt.Key.Key_Down)
    assert source(dock).reading == Reading(header="no", delimiter=",")
    wait(qtbot, dock)
    assert len(dock.look.table.names) == 1
    dock.session.history.undo()
    dock.session.history.undo()
    wait(qtbot, dock)
    assert dock.look.table.names == ["name", "age", "born", "kind"]


def test_nothing_is_said_of_reading_what_is_no_file(dock):
    assert not dock.pages.reading_button.isVisible()
    assert not dock.bar.reload.isVisible()


# -- pasted, dropped, chosen ---------------------------------------------------------------------


def test_a_table_is_pasted_with_the_keys(qtbot, dock):
    QGuiApplication.clipboard().setText("word\tnumber\none\t1\ntwo\t2\n")
    viewport = dock.pages.columns.viewport()
    qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=QPoint(30, 10))
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    wait(qtbot, dock)
    assert isinstance(source(dock), PastedSource)
    assert dock.look.table.names == ["word", "number"]
    assert dock.source.currentText() == "pasted table"
    dock.session.history.undo()
    assert source(dock) == GeneratedSource("headline")


def test_pasting_nothing_says_what_to_do(qtbot, dock):
    QGuiApplication.clipboard().clear()
    qtbot.mouseClick(dock.bar.paste, Qt.MouseButton.LeftButton)
    assert dock.account.isVisible()
    assert "Copy cells" in dock.account.label.text()
    assert source(dock) == GeneratedSource("headline")


def drop(dock, path):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    actions, buttons = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    at, none = QPoint(50, 50), Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(at, actions, data, buttons, none)
    QApplication.sendEvent(dock, enter)
    QApplication.sendEvent(dock, QDropEvent(QPointF(at), actions, data, buttons, none))
    return enter.isAccepted()


def test_a_file_is_dropped(qtbot, dock, people):
    assert drop(dock, people)
    wait(qtbot, dock)
    assert source(dock).path == people.as_posix()


def test_a_project_dropped_is_not_taken_for_a_table(qtbot, dock, tmp_path):
    (tmp_path / "p.loom").write_text("")
    assert not drop(dock, tmp_path / "p.loom")
    wait(qtbot, dock)
    assert source(dock) == GeneratedSource("headline")


def test_a_folder_of_texts_is_chosen(qtbot, dock, tmp_path, monkeypatch):
    for label, words in (("good", "fine words"), ("bad", "poor words")):
        (tmp_path / "texts" / label).mkdir(parents=True)
        for number in range(3):
            (tmp_path / "texts" / label / f"{number}.txt").write_text(f"{words} {number}")
    folder = str(tmp_path / "texts")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: folder)
    dock.use(None)
    wait(qtbot, dock)
    assert dock.pages.empty.isVisible()
    qtbot.mouseClick(dock.pages.empty.buttons["folder…"], Qt.MouseButton.LeftButton)
    wait(qtbot, dock)
    assert dock.look.table.rows == 6
    assert not dock.pages.empty.isVisible()


def test_without_a_table_it_says_what_to_do(qtbot, dock, people):
    dock.use(None)
    wait(qtbot, dock)
    assert dock.pages.empty.title.text() == "No data yet"
    assert not dock.pages.tabs.isTabEnabled(1)
    dock.use_file(people)
    wait(qtbot, dock)
    people.unlink()
    dock.reload.click()
    wait(qtbot, dock)
    assert dock.pages.empty.isVisible()
    assert dock.pages.empty.title.text() == "The table cannot be shown"
    assert dock.locate.isVisible()


def test_a_model_without_inputs_says_what_to_do(qtbot, tmp_path):
    dock = DataDock(Session(Project()))
    qtbot.addWidget(dock)
    labels = dock.ports_scroll.findChildren(type(dock.pages.empty.title))
    assert any("no inputs yet" in label.text() for label in labels)


# -- long readings -------------------------------------------------------------------------------


def test_a_long_reading_shows_how_far_it_is_and_what_it_did(qtbot, dock, large, monkeypatch):
    monkeypatch.setattr(data_dock, "_LONG", 0.0)
    dock.use_file(large)
    qtbot.waitUntil(dock.progress.isVisible, timeout=20_000)
    qtbot.waitUntil(lambda: dock.bar.size_label.text().startswith("the first"), timeout=20_000)
    assert "1\u2009000" in dock.bar.size_label.text()
    wait(qtbot, dock)
    assert not dock.progress.isVisible()
    assert dock.bar.size_label.text().startswith("80\u2009000 rows, 2 columns, read in ")
    assert dock.look.table.profiles["popular"].top == (("0", 40_000), ("1", 40_000))


def test_a_long_reading_is_cancelled_and_taken_up_again(qtbot, dock, large):
    dock.use_file(large)
    qtbot.waitUntil(
        lambda: dock.progress.isVisible() and dock.look.table.name == "large.csv", timeout=20_000
    )
    qtbot.waitUntil(lambda: dock.reader is not None)
    pid = dock.reader
    qtbot.mouseClick(dock.progress.cancel, Qt.MouseButton.LeftButton)
    assert dock.reader is None
    assert not dock.progress.isVisible()
    assert "cancelled" in dock.account.label.text()
    assert dock.bar.size_label.text().endswith("not read")
    qtbot.waitUntil(lambda: not psutil.pid_exists(pid), timeout=5_000)
    dock.account.label.linkActivated.emit("again")
    wait(qtbot, dock)
    assert dock.look.table.rows == 80_000
    assert not dock.account.isVisible()


def test_language_and_theme_change_while_it_reads(qtbot, qapp, dock, large):
    dock.use_file(large)
    qtbot.waitUntil(lambda: dock.look.table.name == "large.csv", timeout=20_000)
    set_language("zh_CN")
    apply_theme(qapp, "dark")
    QApplication.sendEvent(dock, _language())
    wait(qtbot, dock)
    assert dock.look.table.rows == 80_000
    assert dock.pages.tabs.tabText(0) == "列"
    assert "行" in dock.bar.size_label.text()


def _language():
    from PySide6.QtCore import QEvent

    return QEvent(QEvent.Type.LanguageChange)


def test_closing_the_window_ends_the_reading(qtbot, open_window, large):
    window = open_window()
    window.data.use_file(large)
    qtbot.waitUntil(lambda: window.data.reader is not None, timeout=20_000)
    pid = window.data.reader
    window.session.history.saved()
    assert window.close()
    end = time.monotonic() + 5
    while psutil.pid_exists(pid) and time.monotonic() < end:
        time.sleep(0.01)
    assert not psutil.pid_exists(pid)


# -- room ----------------------------------------------------------------------------------------


def test_with_little_room_the_ports_are_a_page(qtbot, dock, people):
    assert dock.pages.tabs.count() == 2
    assert dock.ports_scroll.isVisible()
    dock.resize(560, 300)
    assert dock.pages.tabs.count() == 3
    dock.use_file(people)
    wait(qtbot, dock)
    assert dock.pages.tabs.tabText(2) == "Bindings (4)"  # none has the columns it is bound to
    dock.pages.tabs.setCurrentIndex(2)
    assert dock.ports_scroll.isVisible()
    dock.resize(1300, 500)
    assert dock.pages.tabs.count() == 2
    assert dock.ports_scroll.isVisible()
    assert isinstance(source(dock), TableSource)
