"""Taking a picture from the window: by dialog to a file, by one act to the clipboard."""

import re

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog

from studio.text import LANGUAGES, catalogue
from studio.ui import picture_dialog
from studio.ui.picture_dialog import PictureDialog, copy_picture
from studio.ui.settings import Settings
from studio.ui.window import MainWindow
from tests.ui.test_texts import fields


@pytest.fixture
def dialog(qtbot, session):
    widget = PictureDialog(session)
    qtbot.addWidget(widget)
    widget.show()
    qtbot.waitExposed(widget)
    return widget


def click(qtbot, button):
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def answer(monkeypatch, path, kind=""):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(path), kind))


def test_both_languages_say_the_same():
    english, chinese = catalogue("en", "picture"), catalogue("zh_CN", "picture")
    assert set(LANGUAGES) == {"en", "zh_CN"}
    assert {k: fields(v) for k, v in english.items()} == {k: fields(v) for k, v in chinese.items()}


def test_what_is_shown_is_what_is_saved(qtbot, dialog, tmp_path, monkeypatch):
    dialog.theme.setCurrentIndex(dialog.theme.findData("dark"))
    dialog.transparent.setChecked(False)
    dialog.scale.setCurrentIndex(dialog.scale.findData(1.0))
    seen = dialog.preview.pixmap().toImage()
    answer(monkeypatch, tmp_path / "model.png")
    click(qtbot, dialog.save)
    saved = QImage(str(tmp_path / "model.png"))
    assert saved.size() == dialog.picture.size.toSize()
    assert saved.pixelColor(0, 0) == seen.pixelColor(0, 0)
    assert str(tmp_path / "model.png") in dialog.state.text()


def test_a_name_without_a_kind_takes_the_chosen_one(qtbot, dialog, tmp_path, monkeypatch):
    answer(monkeypatch, tmp_path / "model.v2", "PDF page (*.pdf)")
    click(qtbot, dialog.save)
    assert (tmp_path / "model.v2.pdf").read_bytes().startswith(b"%PDF")


def test_transparency_is_seen_as_squares(dialog):
    edge = dialog.preview.pixmap().toImage()
    assert {edge.pixelColor(x, 1).name() for x in range(40)} == {"#e9e9e9", "#fdfdfd"}


def test_a_size_that_cannot_be_painted_is_said(qtbot, session, tmp_path, monkeypatch):
    monkeypatch.setattr("studio.ui.canvas.picture._PIXELS", 1_000_000)
    dialog = PictureDialog(session)
    qtbot.addWidget(dialog)
    click(qtbot, dialog.copy)
    numbers = r"scale (\S+) .* (\d+) × (\d+) pixels.* Scale (\S+) fits"
    scale, width, height, fitting = map(float, re.search(numbers, dialog.state.text()).groups())
    assert width * height * (fitting / scale) ** 2 <= 1_000_000 < width * height
    answer(monkeypatch, tmp_path / "model.png")
    click(qtbot, dialog.save)
    assert not list(tmp_path.glob("*.png"))


def test_a_folder_that_is_not_there_is_said(qtbot, dialog, tmp_path, monkeypatch):
    answer(monkeypatch, tmp_path / "none" / "model.svg")
    click(qtbot, dialog.save)
    assert str(tmp_path / "none") in dialog.state.text()


def test_the_selection_is_offered_when_there_is_one(qtbot, session, node):
    assert PictureDialog(session).part.count() == 1
    session.select([node("lstm"), node("concatenate")])
    dialog = PictureDialog(session)
    qtbot.addWidget(dialog)
    part = dialog.picture.size.width()
    dialog.part.setCurrentIndex(0)
    assert part < dialog.picture.size.width() / 2


def test_a_copy_is_pixels_and_lines(session):
    copy_picture(session)
    found = QGuiApplication.clipboard().mimeData()
    image = QImage(found.imageData())
    assert image.pixelColor(0, 0).alpha() == 0
    assert image.width() > 4000
    assert b"embedding" in found.data("image/svg+xml").data()


def test_the_window_has_both_acts(qtbot, session, monkeypatch):
    window = MainWindow(Settings(), session)
    qtbot.addWidget(window)
    opened = []
    monkeypatch.setattr(picture_dialog.PictureDialog, "exec", lambda self: opened.append(self))
    window.actions_.qt["picture"].trigger()
    assert len(opened) == 1
    window.canvas.select_all()
    window.canvas.delete_selection()
    assert not window.actions_.qt["picture"].isEnabled()
    assert not window.actions_.qt["copy_picture"].isEnabled()
    session.history.saved()


def test_a_copy_of_a_large_graph_is_as_large_as_can_be(session, monkeypatch):
    monkeypatch.setattr("studio.ui.canvas.picture._PIXELS", 1_000_000)
    copy_picture(session)
    image = QImage(QGuiApplication.clipboard().mimeData().imageData())
    assert 900_000 < image.width() * image.height() <= 1_000_000
