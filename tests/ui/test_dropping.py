"""Files and columns dropped on the window: what is said at the hand, proposed, accepted, undone."""

import csv
import json
import time
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QByteArray, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from studio.document import edits
from studio.document.building import add
from studio.document.layout import arrange
from studio.document.model import Document, Endpoint
from studio.document.plan import (
    ClassColumn,
    FeatureColumns,
    NumberColumns,
    Reading,
    Series,
    TextColumn,
)
from studio.document.project import Project
from studio.layers.dense import Dense
from studio.layers.input import Input
from studio.losses.probabilistic import BinaryCrossentropy
from studio.text import set_language
from studio.ui.column_table import COLUMNS_MIME
from studio.ui.dropping import columns_of_hand
from studio.ui.proposals.binding import DataDialog, InputDialog, OutputDialog
from studio.ui.proposals.dialog import ProposalDialog
from studio.ui.proposals.starting import StartDialog
from tests.train.tables.test_workbooks import workbook

LEFT, COPY, NONE = (
    Qt.MouseButton.LeftButton,
    Qt.DropAction.CopyAction,
    Qt.KeyboardModifier.NoModifier,
)
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
ROWS = 300
RNG = np.random.default_rng(0)
POPULAR = RNG.integers(0, 2, ROWS)
COLUMNS = {
    "title": [f"a story {'liked' if k else 'left'} number {i}" for i, k in enumerate(POPULAR)],
    "hour": RNG.integers(0, 24, ROWS),
    "land": RNG.choice(["DE", "FR", "CN"], ROWS),
    "shares": RNG.integers(0, 9000, ROWS),
    "popular": POPULAR,
}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "stories.csv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        writer.writerows(zip(*COLUMNS.values(), strict=True))
    return path


@pytest.fixture
def chain():
    """An Input of one number, a hidden layer, an output without a target."""
    document, first = add(Document(), Input(shape=(1,)), name="first")
    document, hidden = add(document, Dense(units=8), first)
    document, output = add(document, Dense(units=1), hidden, name="answer")
    return arrange(edits.mark_output(document, Endpoint(output, "output")))


def urls(*paths: Path) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def columns(*names: str) -> QMimeData:
    data = QMimeData()
    data.setData(COLUMNS_MIME, json.dumps(names).encode())
    return data


def middle(window) -> QPoint:
    viewport = window.canvas.viewport()
    return viewport.mapTo(window, viewport.rect().center())


def node(window, name: str) -> QPoint:
    """Where a node is, in the window."""
    graph, layers = window.session.document.graph, window.session.document.layers
    call = next(c for c, call in graph.calls.items() if layers[call.layer].name == name)
    at = window.canvas.mapFromScene(window.canvas.canvas.body_rect(call).center())
    return window.canvas.viewport().mapTo(window, at)


def over(window, data: QMimeData, at: QPoint) -> bool:
    enter = QDragEnterEvent(at, COPY, data, LEFT, NONE)
    QApplication.sendEvent(window, enter)
    move = QDragMoveEvent(at, COPY, data, LEFT, NONE)
    QApplication.sendEvent(window, move)
    return enter.isAccepted() and move.isAccepted()


def drop(window, data: QMimeData, at: QPoint) -> None:
    assert over(window, data, at)
    event = QDropEvent(QPointF(at), COPY, data, LEFT, NONE)
    QApplication.sendEvent(window, event)
    assert event.isAccepted()


def asked(qtbot) -> ProposalDialog:
    """The dialog that opens, once it has something to propose."""

    def shown():
        found = QApplication.activeModalWidget()
        return isinstance(found, ProposalDialog) and not found.busy

    qtbot.waitUntil(shown, timeout=20_000)
    return QApplication.activeModalWidget()


def click(widget, at: QPoint | None = None) -> None:
    QTest.mouseClick(widget, LEFT, NONE, at or widget.rect().center())


def tick(dialog, column: str) -> None:
    tree = dialog.columns
    click(tree.viewport(), tree.visualItemRect(tree.line(column)).center())


def names(window) -> set[str]:
    return {entry.name for entry in window.session.document.layers.values()}


# -- an empty canvas -----------------------------------------------------------------------------


def test_a_file_on_an_empty_canvas_becomes_a_model_by_one_click(open_window, file, qtbot):
    window = open_window()
    assert over(window, urls(file), middle(window))
    assert window.canvas.hint.isVisible()
    drop(window, urls(file), middle(window))
    dialog = asked(qtbot)
    assert isinstance(dialog, StartDialog)
    assert not window.canvas.hint.isVisible()
    click(dialog.accept_button)
    document = window.session.document
    assert names(window) >= {"title", "features", "popular"}
    assert window.session.analysis.problems == ()
    assert window.session.history.undo_label == "A model to start from"
    assert {type(b) for b in document.plan.data.inputs.values()} == {TextColumn, FeatureColumns}
    window.session.history.undo()
    assert window.session.document.graph.calls == {}
    assert window.session.document.plan.data.source is None


def test_what_is_not_known_beforehand_is_unticked(open_window, file, qtbot):
    window = open_window()
    drop(window, urls(file), middle(window))
    dialog = asked(qtbot)
    tick(dialog, "shares")
    tick(dialog, "land")
    tick(dialog, "title")
    qtbot.waitUntil(lambda: not dialog.busy)
    click(dialog.accept_button)
    assert list(window.session.document.plan.data.inputs.values()) == [
        NumberColumns(("hour",), "standardize")
    ]


def test_another_column_can_be_told(open_window, file, qtbot):
    window = open_window()
    drop(window, urls(file), middle(window))
    dialog = asked(qtbot)
    dialog.target.setFocus()
    row = next(i for i in range(dialog.target.count()) if dialog.target.itemData(i) == "land")
    for _ in range(abs(row - dialog.target.currentIndex())):
        down = row > dialog.target.currentIndex()
        QTest.keyClick(dialog.target, Qt.Key.Key_Down if down else Qt.Key.Key_Up)
    qtbot.waitUntil(lambda: not dialog.busy)
    assert not dialog.columns.line("popular").isHidden()
    assert dialog.columns.line("land").isHidden()
    click(dialog.accept_button)
    (target,) = window.session.document.plan.data.targets.values()
    assert target == ClassColumn("land")
    assert any(getattr(e.body, "units", 0) == 3 for e in window.session.document.layers.values())


def test_nothing_ticked_cannot_be_accepted(open_window, file, qtbot):
    window = open_window()
    drop(window, urls(file), middle(window))
    dialog = asked(qtbot)
    for column in dialog.columns.chosen:
        tick(dialog, column)
    assert not dialog.accept_button.isEnabled()
    tick(dialog, "hour")
    qtbot.waitUntil(dialog.accept_button.isEnabled)


def test_escape_leaves_everything_as_it_was(open_window, file, qtbot):
    window = open_window()
    drop(window, urls(file), middle(window))
    QTest.keyClick(asked(qtbot), Qt.Key.Key_Escape)
    assert window.session.history.undo_label is None


def test_it_is_trained_at_once_if_one_likes(open_window, file, qtbot):
    window = open_window()
    drop(window, urls(file), middle(window))
    click(asked(qtbot).train_button)
    qtbot.waitUntil(lambda: window.training.running, timeout=20_000)
    qtbot.waitUntil(lambda: not window.training.running, timeout=120_000)
    (run,) = window.session.project.runs
    assert max(run.history["val_accuracy"]) > 0.9


def test_a_file_on_the_start_page_opens_the_canvas(open_window, file, qtbot):
    window = open_window(page=True)
    drop(window, urls(file), QPoint(400, 400))
    dialog = asked(qtbot)
    assert isinstance(dialog, StartDialog)
    assert not window.front.shows_page
    click(dialog.accept_button)
    assert "popular" in names(window)


def test_a_series_is_told_from_windows(open_window, file, qtbot):
    window = open_window()
    drop(window, urls(file), middle(window))
    dialog = asked(qtbot)
    assert not dialog.length.isVisible()
    click(dialog.series, QPoint(8, dialog.series.height() // 2))
    assert dialog.length.isVisible()
    qtbot.waitUntil(lambda: not dialog.busy)
    click(dialog.accept_button)
    assert window.session.document.plan.data.series is not None
    assert window.session.analysis.problems == ()


def test_each_shop_is_a_series_of_its_own(open_window, tmp_path, qtbot):
    path = tmp_path / "sales.csv"
    rows = [
        f"2024-{m:02}-{d:02},{shop},{d + m}" for m in (1, 2) for d in range(1, 29) for shop in "ab"
    ]
    path.write_text("\n".join(["day,shop,sales", *rows]))
    window = open_window()
    drop(window, urls(path), middle(window))
    dialog = asked(qtbot)
    click(dialog.series, QPoint(8, dialog.series.height() // 2))
    assert (dialog.order.currentData(), dialog.group.currentData()) == ("day", "shop")
    qtbot.waitUntil(lambda: not dialog.busy)
    click(dialog.accept_button)
    assert window.session.document.plan.data.series == Series(order="day", group="shop")


def test_of_two_files_the_second_validates(open_window, file, tmp_path, qtbot):
    held = tmp_path / "stories_test.csv"
    held.write_text(file.read_text())
    window = open_window()
    drop(window, urls(held, file), middle(window))
    dialog = asked(qtbot)
    assert "Validation on <b>stories_test.csv</b>" in dialog.changes.label.text()
    click(dialog.accept_button)
    data = window.session.document.plan.data
    assert data.source.path.endswith("stories.csv")
    assert (data.split.kind, data.split.file.path) == ("file", held.as_posix())
    qtbot.waitUntil(lambda: not window.data.busy, timeout=20_000)
    assert window.data.look.problems == ()


def test_a_second_file_with_other_columns_is_refused(
    open_window, file, tmp_path, qtbot, monkeypatch
):
    told = []
    monkeypatch.setattr("studio.ui.dropping.tell_problems", lambda *about: told.append(about))
    other = tmp_path / "test.csv"
    other.write_text("title,hour\na story,3\n")
    drop(open_window(), urls(file, other), QPoint(400, 300))
    qtbot.waitUntil(lambda: bool(told))
    assert [problem.code for problem in told[0][2]] == ["held_columns"]


def test_more_files_than_two_are_answered_in_words(open_window, file, tmp_path, qtbot, monkeypatch):
    said = []
    monkeypatch.setattr("studio.ui.dropping.tell", lambda *about, **_: said.append(about[1]))
    drop(open_window(), urls(file, *(tmp_path / f"{n}.txt" for n in "ab")), QPoint(400, 300))
    qtbot.waitUntil(lambda: bool(said))
    assert "folder" in said[0]


def test_the_sheet_is_chosen_in_the_dialog(open_window, tmp_path, qtbot):
    rows = [[float(i % 7), float(i % 3), "ab"[i % 2]] for i in range(60)]
    sheets = {
        "Notes": [["About"], ["made in spring"]],
        "Data": [["width", "height", "kind"], *rows],
    }
    path = workbook(tmp_path / "two.xlsx", sheets)
    window = open_window()
    drop(window, urls(path), middle(window))
    dialog = asked(qtbot)
    assert not dialog.accept_button.isEnabled()
    assert "No column" in dialog.changes.label.text()
    sheet = dialog.reading.fields["sheet"]
    assert sheet.isVisible()
    sheet.setFocus()
    QTest.keyClick(sheet, Qt.Key.Key_End)
    qtbot.waitUntil(dialog.accept_button.isEnabled)
    assert dialog.target.currentData() == "kind"
    click(dialog.accept_button)
    assert window.session.document.plan.data.source.reading == Reading(sheet="Data")
    qtbot.waitUntil(lambda: not window.data.busy, timeout=20_000)
    assert window.data.look.problems == ()


def test_a_reading_that_fails_leaves_the_first(open_window, file, qtbot):
    window = open_window()
    drop(window, urls(file), middle(window))
    dialog = asked(qtbot)
    assert not dialog.reading.isVisible()
    click(dialog.reading_button)
    encoding = dialog.reading.fields["encoding"]
    assert encoding.isVisible()
    dialog.reading.edited.emit(Reading(encoding="utf-16"))
    qtbot.waitUntil(lambda: not dialog.busy and dialog.notice.isVisible())
    assert encoding.currentText() == "found: UTF-8"
    click(dialog.accept_button)
    assert window.session.document.plan.data.source.reading == Reading()


# -- nodes ---------------------------------------------------------------------------------------


def test_a_file_on_an_input_binds_and_shapes_it(open_window, chain, file, qtbot):
    window = open_window(Project(chain))
    at = node(window, "first")
    assert over(window, urls(file), at)
    assert window.canvas.canvas.offered == window.session.document.graph.inputs[0]
    drop(window, urls(file), at)
    dialog = asked(qtbot)
    assert isinstance(dialog, InputDialog)
    assert dialog.columns.chosen == ("hour", "land", "shares")
    tick(dialog, "land")
    qtbot.waitUntil(lambda: not dialog.busy)
    click(dialog.accept_button)
    document = window.session.document
    (call,) = document.graph.inputs
    assert document.entry(call).body == Input(shape=(2,))
    assert document.plan.data.inputs[call] == NumberColumns(("hour", "shares"), "standardize")
    window.session.history.undo()
    assert window.session.document == chain


def test_columns_that_do_not_go_together_are_refused_in_the_dialog(open_window, chain, file, qtbot):
    window = open_window(Project(chain))
    drop(window, urls(file), node(window, "first"))
    dialog = asked(qtbot)
    tick(dialog, "title")
    qtbot.waitUntil(lambda: not dialog.busy)
    assert dialog.notice.isVisible()
    assert not dialog.accept_button.isEnabled()


def test_a_file_on_an_output_makes_it_tell_a_column(open_window, chain, file, qtbot):
    window = open_window(Project(chain))
    drop(window, urls(file), node(window, "answer"))
    dialog = asked(qtbot)
    assert isinstance(dialog, OutputDialog)
    click(dialog.accept_button)
    document = window.session.document
    (end,) = document.graph.outputs
    assert document.entry(end.call).body.activation == "sigmoid"
    assert document.plan.outputs[end.key].loss == BinaryCrossentropy()
    assert document.plan.data.targets == {end.key: ClassColumn("popular")}


def test_a_file_beside_the_nodes_is_data_for_all(open_window, chain, file, qtbot):
    window = open_window(Project(chain))
    drop(window, urls(file), middle(window) + QPoint(0, 140))
    dialog = asked(qtbot)
    assert isinstance(dialog, DataDialog)
    click(dialog.accept_button)
    assert window.session.document.plan.data.source is not None


def test_a_column_of_the_table_goes_where_it_is_dropped(open_window, chain, file, qtbot):
    window = open_window(Project(chain))
    drop(window, urls(file), node(window, "first"))
    click(asked(qtbot).accept_button)
    drop(window, columns("popular"), node(window, "answer"))
    click(asked(qtbot).accept_button)
    drop(window, columns("title"), middle(window) + QPoint(0, 140))
    dialog = asked(qtbot)
    assert dialog.columns.chosen == ("title",)
    click(dialog.accept_button)
    document = window.session.document
    assert "title" in names(window)
    assert document.plan.data.targets[document.graph.outputs[0].key] == ClassColumn("popular")
    assert [type(b) for b in document.plan.data.inputs.values()] == [FeatureColumns, TextColumn]


# -- what cannot be used -------------------------------------------------------------------------


def test_a_file_that_is_no_table_is_refused_with_a_reason(
    open_window, tmp_path, qtbot, monkeypatch
):
    told = []
    monkeypatch.setattr("studio.ui.dropping.tell_problems", lambda *about: told.append(about))
    window = open_window()
    bad = tmp_path / "broken.npz"
    bad.write_bytes(b"PK\x03\x04 nothing of the sort")
    drop(window, urls(bad), middle(window))
    qtbot.waitUntil(lambda: bool(told))
    _, message, (problem,) = told[0]
    assert message == "This file cannot be used:"
    assert "broken.npz" in str(problem)
    assert window.session.history.undo_label is None


def test_a_picture_by_itself_is_no_data(open_window, tmp_path):
    window = open_window()
    assert not over(window, urls(tmp_path / "face.png"), middle(window))


def test_texts_are_no_files(open_window):
    window = open_window()
    data = QMimeData()
    data.setText("just words")
    assert not over(window, data, middle(window))


def test_the_dialog_speaks_chinese_too(open_window, file, qtbot):
    set_language("zh_CN")
    window = open_window()
    drop(window, urls(file), middle(window))
    dialog = asked(qtbot)
    assert dialog.accept_button.text() == "创建模型"
    assert "标准化" in dialog.changes.label.text()
    dialog.reject()


# -- without a mouse -----------------------------------------------------------------------------


def test_a_model_is_proposed_for_a_file_that_is_chosen(open_window, file, qtbot, monkeypatch):
    window = open_window()
    monkeypatch.setattr("studio.ui.dropping.ask_file", lambda *_: file)
    QTest.keyClick(
        window,
        Qt.Key.Key_N,
        Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier,
    )
    assert isinstance(asked(qtbot), StartDialog)
    QApplication.activeModalWidget().reject()


def test_a_model_is_proposed_for_the_data_there_is(open_window, file, qtbot):
    window = open_window()
    window.raise_dock("data")
    window.data.use_file(file)
    qtbot.waitUntil(lambda: not window.data.busy, timeout=20_000)
    qtbot.waitUntil(lambda: window.data.propose.isEnabled(), timeout=20_000)
    click(window.data.propose)
    dialog = asked(qtbot)
    assert isinstance(dialog, StartDialog)
    click(dialog.accept_button)
    assert window.session.analysis.problems == ()


def test_reading_does_not_hold_up_the_window(open_window, tmp_path, qtbot):
    """A long file is read beside it, and only its beginning."""
    path = tmp_path / "long.csv"
    with path.open("w") as stream:
        stream.write("a,b,label\n" + "1.5,red,0\n2.5,blue,1\n" * 200_000)
    window = open_window()
    began = time.monotonic()
    drop(window, urls(path), middle(window))
    assert time.monotonic() - began < 0.2
    dialog = asked(qtbot)
    assert not dialog._seen.whole
    dialog.reject()


@pytest.mark.parametrize(
    "said", [b"", b"\xff", b"{}", b"[1]", b"[" * 10**5, b'["a", null]', b"NaN"]
)
def test_what_another_program_calls_columns_is_none(said):
    """It ended in an error report, or in columns that are none."""
    data = QMimeData()
    data.setData(COLUMNS_MIME, QByteArray(said))
    assert columns_of_hand(data) == ()
    data.setData(COLUMNS_MIME, QByteArray(b'["a", "b"]'))
    assert columns_of_hand(data) == ("a", "b")
