"""The start page: examples and recent files as pictures, dropping, and coming back."""

import json
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel

from studio.document.model import Document
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.formats import loom
from studio.text import LANGUAGES, catalogue
from studio.ui.files import Files
from studio.ui.proposals.starting import StartDialog
from studio.ui.session import Session
from studio.ui.settings import Settings
from studio.ui.source_bar import FILE, FOLDER, PASTE
from studio.ui.start_page import file_picture
from tests.ui.person import settle
from tests.ui.test_texts import fields

SIZE = 1600, 1000


def write(path, document):
    """Save a document as a window does."""
    desks = SimpleNamespace(session=Session(Project(document)))
    assert Files(None, Settings(), desks)._write(path)


def saved(path, name="headline"):
    """A project file of an example, as a window writes it."""
    write(path, EXAMPLES[name]())
    return path


@pytest.fixture
def window(open_window):
    return open_window(size=SIZE, page=True)


def drawn(find):
    """The pictures of these cards, as soon as all are drawn."""
    for _ in range(500):
        settle(0.02)
        if all(card.picture for card in find()):
            break
    return [card.picture.toImage() for card in find()]


def colours(image):
    middle = image.height() // 2
    return {image.pixelColor(x, middle).name() for x in range(image.width())}


def names(session):
    return {session.document.entry(c).name for c in session.document.graph.calls}


def click(card):
    QTest.mouseClick(card, Qt.MouseButton.LeftButton)
    settle(0.05)


def test_both_languages_say_the_same():
    english, chinese = catalogue("en", "start"), catalogue("zh_CN", "start")
    assert {k: fields(v) for k, v in english.items()} == {k: fields(v) for k, v in chinese.items()}


def test_every_example_is_there_as_a_picture_of_its_own(window):
    cards = window.front.page.examples.cards
    assert [c.objectName() for c in cards] == [f"example:{name}" for name in EXAMPLES]
    pictures = drawn(lambda: window.front.page.examples.cards)
    assert all(len(colours(p)) > 3 for p in pictures)
    assert len({p.constBits().tobytes() for p in pictures}) == len(EXAMPLES)


def test_the_title_is_large_from_the_first_sight_on(window):
    page = window.front.page
    plain = page.drop.font().pointSizeF()
    large = [label for label in page.findChildren(QLabel) if label.font().pointSizeF() > plain]
    assert [label.text() for label in large if label.isVisible()] == [
        "Layerloom",
        catalogue("en", "start")["data"],
        catalogue("en", "start")["examples"],
    ]
    assert all(label.font().bold() or label.font().weight() >= 600 for label in large)


def test_pictures_wear_the_theme(window):
    before = drawn(lambda: window.front.page.examples.cards)
    window.set_theme("dark")
    after = drawn(lambda: window.front.page.examples.cards)
    assert all(a != b for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_card_has_a_title_and_a_line_in_every_language(window, language):
    window.set_language(language)
    for card in window.front.page.examples.cards:
        title, _, line = card.accessibleName().partition(". ")
        assert title
        assert line


def test_a_click_opens_the_example_with_the_docks_back(window):
    assert not window.docks["palette"].isVisible()
    click(window.front.page.examples.cards[0])
    assert not window.front.shows_page
    assert "embedding" in names(window.session)
    settle(0.1)
    assert window.docks["palette"].isVisible()
    assert window.docks["palette"].width() > 180


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Space])
def test_a_key_opens_the_card_that_has_the_focus(window, key):
    card = window.front.page.examples.cards[1]
    card.setFocus()
    QTest.keyClick(card, key)
    assert "image" in names(window.session)


# -- recent files --------------------------------------------------------------------------------


def test_recent_files_are_there_with_the_picture_they_hold(open_window, tmp_path):
    paths = [saved(tmp_path / f"{name}.loom", name) for name in ("digits", "tweets")]
    window = open_window(page=True)
    cards = window.front.page.files.cards
    assert [Path(c.toolTip()) for c in cards] == paths[::-1]
    assert all(len(colours(p)) > 3 for p in drawn(lambda: window.front.page.files.cards))
    cards = window.front.page.files.cards
    click(cards[0])
    assert window.session.path == paths[1]


def test_a_window_with_a_project_draws_no_page(open_window):
    window = open_window(Project(EXAMPLES["digits"]()))
    settle(0.2)
    assert window.front.page.examples.cards == []


def test_a_file_that_is_gone_is_not_shown(open_window, tmp_path):
    saved(tmp_path / "a.loom").unlink()
    window = open_window(page=True)
    assert window.front.page.examples.cards
    assert window.front.page.files.cards == []


def test_a_project_from_the_shell_has_a_sign_instead(qapp, tmp_path):
    path = tmp_path / "a.loom"
    loom.save(path, Project(EXAMPLES["digits"]()))
    assert not file_picture(path).isNull()
    assert loom.thumbnail(path) == b""


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n broken"])
def test_a_thumbnail_that_is_none_harms_nobody(qapp, tmp_path, content):
    path = saved(tmp_path / "a.loom")
    with zipfile.ZipFile(path) as file:
        members = {i.filename: file.read(i) for i in file.infolist()}
    with zipfile.ZipFile(path, "w") as file:
        for name, data in {**members, "thumbnail.png": content}.items():
            file.writestr(name, data)
    assert not file_picture(path).isNull()
    assert names(Session(loom.load(path)))


def test_a_picture_of_a_million_pixels_a_side_is_not_decoded(qapp, tmp_path):
    path = tmp_path / "a.loom"
    huge = QImage(3000, 3000, QImage.Format.Format_Mono)
    huge.fill(0)
    huge.save(str(tmp_path / "huge.png"))
    project = Project(EXAMPLES["digits"](), thumbnail=(tmp_path / "huge.png").read_bytes())
    loom.save(path, project)
    assert max(file_picture(path).width(), file_picture(path).height()) < 100


# -- a project's picture -------------------------------------------------------------------------


def test_saving_puts_a_small_picture_into_the_file(qapp, tmp_path):
    path = saved(tmp_path / "a.loom")
    image = QImage.fromData(loom.thumbnail(path))
    assert 0 < image.width() <= 640
    assert image.hasAlphaChannel()
    assert len(loom.thumbnail(path)) < 40_000
    again = loom.load(path)
    assert again.thumbnail == loom.thumbnail(path)
    loom.save(tmp_path / "b.loom", again)  # as the command line does after training
    assert loom.thumbnail(tmp_path / "b.loom") == again.thumbnail


def test_an_empty_model_has_no_picture(qapp, tmp_path):
    write(tmp_path / "a.loom", Document())
    with zipfile.ZipFile(tmp_path / "a.loom") as file:
        assert "thumbnail.png" not in file.namelist()
        assert json.loads(file.read("document.json"))


# -- coming and going ----------------------------------------------------------------------------


def test_new_and_escape_show_the_empty_canvas(window):
    click(window.front.page.new)
    assert not window.front.shows_page
    window.actions_.qt["start_page"].trigger()
    assert window.front.shows_page
    assert window.actions_.qt["start_page"].isChecked()
    QTest.keyClick(window.front.page, Qt.Key.Key_Escape)
    assert not window.front.shows_page
    assert not window.session.document.graph.calls


def test_what_is_of_the_canvas_rests_while_it_is_not_seen(window):
    assert not window.actions_.qt["add"].isEnabled()
    assert window.actions_.qt["start_page"].isChecked()
    click(window.front.page.new)
    assert window.actions_.qt["add"].isEnabled()
    assert not window.actions_.qt["start_page"].isChecked()


def test_open_asks_for_a_file(window, tmp_path, monkeypatch):
    path = saved(tmp_path / "a.loom")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: (str(path), ""))
    click(window.front.page.open)
    assert window.session.path == path
    assert not window.front.shows_page


def test_what_was_open_is_still_there_after_looking_at_the_page(window):
    click(window.front.page.examples.cards[0])
    session = window.session
    window.docks["data"].raise_()
    settle(0.1)
    sizes = {name: dock.size() for name, dock in window.docks.items() if dock.isVisible()}
    window.actions_.qt["start_page"].trigger()
    settle(0.1)
    assert not any(dock.isVisible() for dock in window.docks.values())
    window.actions_.qt["start_page"].trigger()
    settle(0.1)
    assert window.session is session
    assert {n: d.size() for n, d in window.docks.items() if d.isVisible()} == sizes


def test_an_edit_or_a_dock_leads_to_the_canvas(window):
    window.raise_dock("data")
    assert not window.front.shows_page
    window.front.show_page()
    window.canvas.add_layer("Dense")
    assert not window.front.shows_page


def test_closing_on_the_page_keeps_the_docks(open_window, window):
    window.close()
    again = open_window(size=SIZE)
    settle(0.1)
    assert again.docks["palette"].isVisible()
    assert again.docks["palette"].width() > 180


def drop(window, path):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    args = (Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton)
    none = Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(400, 400), *args, none)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(window, QDropEvent(QPointF(400, 400), *args, none))
    settle(0.1)


def test_a_dropped_project_opens_without_a_question(window, tmp_path):
    path = saved(tmp_path / "a.loom")
    drop(window, path)
    assert window.session.path == path
    assert not window.front.shows_page


def test_cards_reflow_in_a_narrow_window(window):
    page = window.front.page
    wide = {card.y() for card in page.examples.cards}
    window.resize(820, 700)
    settle(0.1)
    assert len({card.y() for card in page.examples.cards}) > len(wide)
    assert page.widget().width() <= page.viewport().width()
    for card in page.examples.cards:
        at = card.mapTo(page.widget(), QPoint(card.width(), 0))
        assert at.x() <= page.viewport().width()


def test_the_file_that_is_open_is_shown_when_its_card_is_clicked(window, tmp_path):
    window.files.open(saved(tmp_path / "a.loom"))
    window.front.show_page()
    click(window.front.page.files.cards[0])
    assert not window.front.shows_page
    assert len(window.tabs.desks) == 1


def test_what_is_asked_about_at_the_end_is_in_sight(window, monkeypatch):
    window.canvas.add_layer("Dense")
    window.front.show_page()
    seen = []
    monkeypatch.setattr(
        "studio.ui.files.ask_unsaved", lambda *_: seen.append(window.front.shows_page) or "cancel"
    )
    assert not window.close()
    assert seen == [False]


# -- data of one's own ---------------------------------------------------------------------------

TABLE = "size\tcolour\tripe\n" + "1\tred\tyes\n2\tgreen\tno\n" * 20


def proposed(qtbot):
    """The dialog that proposes a model, once it has one."""

    def shown():
        found = QApplication.activeModalWidget()
        return isinstance(found, StartDialog) and not found.busy

    qtbot.waitUntil(shown, timeout=20_000)
    return QApplication.activeModalWidget()


@pytest.mark.parametrize("what", [FILE, FOLDER, PASTE])
def test_data_is_chosen_or_pasted_on_the_page(window, tmp_path, monkeypatch, qtbot, what):
    (tmp_path / "fruit.tsv").write_text(TABLE)
    for number in range(4):
        for label in ("long", "short"):
            path = tmp_path / "texts" / label / f"{number}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"a {label} text")
    answers = {FILE: tmp_path / "fruit.tsv", FOLDER: tmp_path / "texts"}
    monkeypatch.setattr("studio.ui.dropping.ask_file", lambda *_: answers[FILE])
    monkeypatch.setattr("studio.ui.dropping.ask_folder", lambda *_: answers[FOLDER])
    QGuiApplication.clipboard().setText(TABLE)
    click(window.front.page.drop.buttons[what])
    dialog = proposed(qtbot)
    assert not window.front.shows_page
    click(dialog.accept_button)
    assert ("label" if what == FOLDER else "ripe") in names(window.session)


def test_an_empty_clipboard_is_said_and_the_page_stays(window, monkeypatch):
    told = []
    monkeypatch.setattr("studio.ui.dropping.tell", lambda *said, **_: told.append(said[1]))
    QGuiApplication.clipboard().clear()
    click(window.front.page.drop.buttons[PASTE])
    assert told == [catalogue("en", "data")["nothing_to_paste"]]
    assert window.front.shows_page


@pytest.mark.parametrize("of_card", [False, True])
def test_a_table_is_pasted_by_its_key(window, qtbot, of_card):
    QGuiApplication.clipboard().setText(TABLE)
    page = window.front.page
    at = page.examples.cards[0] if of_card else page
    at.setFocus()
    QTest.keyClick(at, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    proposed(qtbot).reject()
