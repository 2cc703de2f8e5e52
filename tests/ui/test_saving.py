"""In the window: a save that failed leaves the project unsaved and says why; later files stay."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QApplication, QFileDialog

from studio.document import edits
from studio.document.model import Document
from studio.document.plan import TableSource
from studio.document.project import Project
from studio.formats import loom
from studio.layers.dense import Dense
from studio.text import set_language, text
from studio.ui.window import MainWindow
from tests.formats.test_newer import grow, later, rewritten
from tests.reliability.io_steps import Steps
from tests.reliability.test_saving import FAULTS, refusal


def saved(window: MainWindow, path: Path) -> bytes:
    """The window's project in a file, then changed."""
    loom.save(path, window.session.project)
    window.session.saved(path)
    change(window)
    return path.read_bytes()


def change(window: MainWindow) -> None:
    document, _ = edits.add_layer(window.session.document, Dense(3))
    window.session.commit("add", document)


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_a_save_that_fails_says_why_and_all_stays_unsaved(
    open_window: Any, answer: Any, tmp_path: Path, language: str
) -> None:
    """At each call to the system, once each fault has its turn."""
    set_language(language)
    window = open_window()
    path = tmp_path / "m.loom"
    old = saved(window, path)
    at, told = 0, 0
    while window.session.modified:
        at += 1
        number = FAULTS[at % len(FAULTS)]
        said = answer(text("window.close"))
        steps = Steps(tmp_path, at, True, refusal(number))
        with steps.watching():
            written = window.files.save()
        if written:
            assert said == []
            break
        told += 1
        assert str(path) in said[0][1]
        assert os.strerror(number) in said[0][1]
        assert "problems." not in said[0][1]
        assert window.isWindowModified()
        assert window.tabs.bar.tabText(0).endswith("*")
        assert path.read_bytes() in (old, loom.to_bytes(window.session.project, tmp_path))
    assert told > 4


def test_after_a_save_that_failed_closing_asks_again(
    open_window: Any, answer: Any, tmp_path: Path
) -> None:
    window = open_window()
    path = tmp_path / "gone" / "m.loom"
    path.parent.mkdir()
    saved(window, path)
    path.unlink()
    path.parent.rmdir()
    said = answer("Save", "Close")
    event = QCloseEvent()
    QApplication.sendEvent(window, event)
    assert not event.isAccepted()
    assert os.strerror(errno.ENOENT) in said[1][1]
    again = answer("Cancel")
    QApplication.sendEvent(window, event := QCloseEvent())
    assert not event.isAccepted()
    assert len(again) == 1
    path.parent.mkdir()
    assert window.files.save()
    assert not window.isWindowModified()


def test_a_save_for_which_there_is_no_memory_says_so(
    open_window: Any, answer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = open_window()
    path = tmp_path / "m.loom"
    old = saved(window, path)

    def short(*_: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr(loom, "to_bytes", short)
    said = answer("Close")
    assert not window.files.save()
    assert "memory" in said[0][1]
    assert window.session.modified
    assert path.read_bytes() == old


# -- files of later versions ---------------------------------------------------------------------


@pytest.fixture
def newer(open_window: Any, tmp_path: Path) -> tuple[MainWindow, Path]:
    """A window with the file of a later version."""
    path = tmp_path / "later.loom"
    path.write_bytes(later(grow))
    window = open_window()
    assert window.files.open(path)
    return window, path


def chosen(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))


def test_what_is_not_known_of_it_is_said_above_the_canvas(newer: Any) -> None:
    window, path = newer
    notice = window.stage.newer
    assert notice.isVisible()
    for part in (path.name, "9.1.0", "plan.optimizer"):
        assert part in notice.label.text()
    assert not window.session.modified
    set_language("zh_CN")
    window.set_language("zh_CN")
    assert "更新的 Layerloom 9.1.0" in notice.label.text()


def test_save_goes_elsewhere_and_keeps_all_of_it(
    newer: Any, answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    window, path = newer
    before = path.read_bytes()
    copy = path.with_name("copy.loom")
    chosen(monkeypatch, copy)
    said = answer("Save as…")
    assert window.files.save()
    assert path.name in said[0][1]
    assert path.read_bytes() == copy.read_bytes() == before
    assert window.session.path == copy
    assert window.stage.newer.isVisible(), "it is a later version's file still"


def test_a_copy_that_does_not_find_its_data_says_so(
    open_window: Any, answer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = edits.set_data(Document(), source=TableSource(str(tmp_path / "data.csv")))
    path, other = tmp_path / "later.loom", tmp_path / "else"
    other.mkdir()
    path.write_bytes(rewritten(loom.to_bytes(Project(document), tmp_path)))
    window = open_window()
    assert window.files.open(path)
    window.canvas.add_layer("Dense")
    window.actions_.qt["undo"].trigger()
    chosen(monkeypatch, other / "copy.loom")
    said = answer("Close")
    assert window.files.save_as()
    assert (other / "copy.loom").read_bytes() == path.read_bytes()
    assert len(said) == 1, "nothing is lost, so nothing is asked"
    assert str(other / "data.csv") in said[0][1]
    assert str(tmp_path / "data.csv") in said[0][1]


def test_with_changes_it_is_asked_what_may_be_lost(
    newer: Any, answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    window, path = newer
    before = path.read_bytes()
    change(window)
    mine = path.with_name("mine.loom")
    chosen(monkeypatch, mine)
    said = answer("Cancel")
    assert not window.files.save_as()
    assert "plan.budget" in said[0][1]
    assert not mine.exists()
    answer("Save without it")
    assert window.files.save_as()
    assert path.read_bytes() == before
    assert not window.session.modified
    assert not window.stage.newer.isVisible()
    change(window)
    assert window.files.save(), "it is one of this version now"


def test_it_cannot_be_chosen_to_be_written_over(
    newer: Any, answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    window, path = newer
    before = path.read_bytes()
    chosen(monkeypatch, path)
    said = answer("Close")
    assert not window.files.save_as()
    assert str(path) in said[0][1]
    assert path.read_bytes() == before


def test_put_in_as_a_layer_it_says_what_is_not_known(
    open_window: Any, answer: Any, tmp_path: Path
) -> None:
    path = tmp_path / "later.loom"
    path.write_bytes(later(grow))
    window = open_window()
    said = answer("Close")
    window.dropping.insert(path, frozen=False)
    assert "plan.optimizer" in said[0][1]


# -- what a person chose -------------------------------------------------------------------------


def test_what_was_chosen_and_cannot_be_kept_is_said(
    open_window: Any, answer: Any, tmp_path: Path
) -> None:
    window = open_window()
    assert window.settings.flush() is None
    (tmp_path / "file").write_bytes(b"")
    below = QSettings(str(tmp_path / "file" / "x.ini"), QSettings.Format.IniFormat)
    window.settings._kept = below
    window.show_preferences()
    dialog = QApplication.activeModalWidget()
    window.set_wheel("scroll")
    said = answer("Close")
    dialog.reject()
    assert str(tmp_path / "file" / "x.ini") in said[0][1]
