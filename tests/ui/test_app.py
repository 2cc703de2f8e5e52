"""Starting: refusing what would crash, the file given, settings of the person."""

import logging
from pathlib import Path

import pytest
from PySide6.QtCore import QLocale, QSettings, QTimer, QtMsgType
from PySide6.QtWidgets import QApplication, QMessageBox

from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.formats import loom
from studio.ui.app import log_qt, refusal, run
from studio.ui.settings import Settings
from studio.ui.window import MainWindow


@pytest.mark.parametrize(
    ("qt", "python", "refused"),
    [
        ("6.12.0", (3, 11), True),
        ("6.12.0", (3, 12), False),
        ("6.11.3", (3, 11), False),
        ("6.12.1", (3, 11), False),
    ],
)
def test_the_release_that_loses_references_is_refused(qt, python, refused):
    said = refusal(qt, python)
    assert bool(said) == refused
    if refused:
        assert "6.12.0" in said
        assert "3.11" in said


def test_qt_messages_are_logged(caplog):
    with caplog.at_level(logging.WARNING, logger="qt"):
        log_qt(QtMsgType.QtWarningMsg, None, "from Qt: 100 %s")
    assert caplog.messages == ["from Qt: 100 %s"]


def window_then(act):
    """Run the application; do `act` with its window, then close it."""

    def look():
        window = next(
            (w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow)), None
        )
        if window is None or not window.isVisible():
            QTimer.singleShot(20, look)
            return
        act(window)
        window.close()
        window.deleteLater()

    QTimer.singleShot(20, look)


def test_run_opens_the_file(qtbot, tmp_path):
    path = tmp_path / "given.loom"
    loom.save(path, Project(EXAMPLES["headline"]()))
    seen = []
    window_then(lambda w: seen.append((w.session.path, len(w.session.document.graph.calls))))
    assert run(path) == 0
    assert seen == [(path, 10)]


def test_run_without_a_file_is_empty(qtbot):
    seen = []
    window_then(lambda w: seen.append((w.session.path, len(w.session.document.graph.calls))))
    assert run(None) == 0
    assert seen == [(None, 0)]


def test_run_says_that_settings_were_set_aside(qtbot):
    file = Path(Settings()._kept.fileName())
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"[General]\ntheme=@Variant(\\0)\n")
    said = []
    window_then(
        lambda w: said.append((w.recovery.notice.isVisible(), w.recovery.notice.label.text()))
    )
    assert run(None) == 0
    ((visible, words),) = said
    assert visible
    assert f"{file.name}.refused" in words


def test_run_with_a_missing_file_says_so_and_opens_empty(qtbot, tmp_path):
    said = []

    def close_message():
        box = QApplication.activeModalWidget()
        if isinstance(box, QMessageBox):
            said.append(box.text())
            box.buttons()[0].click()
            window_then(lambda w: said.append(w.session.path))
        else:
            QTimer.singleShot(20, close_message)

    QTimer.singleShot(20, close_message)
    assert run(tmp_path / "missing.loom") == 0
    assert "missing.loom" in said[0]
    assert said[1] is None


def test_settings_survive_nonsense():
    kept = QSettings(QSettings.defaultFormat(), QSettings.Scope.UserScope, "layerloom", "layerloom")
    kept.setValue("language", "tlh")
    kept.setValue("theme", 17)
    kept.setValue("recent", "/only/one.loom")
    kept.setValue("window/geometry", "text")
    kept.sync()
    settings = Settings()
    chinese = QLocale.system().language() == QLocale.Language.Chinese
    assert settings.language == ("zh_CN" if chinese else "en")
    assert settings.theme == "system"
    assert [str(p) for p in settings.recent] == ["/only/one.loom"]
    assert settings.layout()[0].isEmpty()


def test_recent_files_are_few_and_the_latest_first(tmp_path):
    settings = Settings()
    for number in range(15):
        settings.remember(tmp_path / f"{number}.loom")
    settings.remember(tmp_path / "9.loom")
    assert [p.name for p in settings.recent][:3] == ["9.loom", "14.loom", "13.loom"]
    assert len(settings.recent) == 10
    settings.forget(tmp_path / "14.loom")
    assert "14.loom" not in [p.name for p in Settings().recent]
