"""What killed writers of the settings left behind neither stays nor holds anybody up."""

import os
import time
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings

from studio.ui.settings import Settings


@pytest.fixture
def file(own_settings: None) -> Path:
    settings = Settings()
    settings.theme = "dark"
    assert settings.flush() is None
    return Path(QSettings(*_where()).fileName())


def _where() -> tuple[QSettings.Format, QSettings.Scope, str, str]:
    return QSettings.defaultFormat(), QSettings.Scope.UserScope, "layerloom", "layerloom"


def aged(path: Path, seconds: float) -> Path:
    path.touch()
    then = time.time() - seconds
    os.utime(path, (then, then))
    return path


def test_what_is_left_goes_and_what_is_written_stays(file: Path) -> None:
    left = [aged(file.with_name(f"{file.name}{end}"), 100) for end in (".YIrUCS", ".lock.rmlock")]
    young = aged(file.with_name(f"{file.name}.rdXAUJ"), 5)
    others = [aged(file.with_name(name), 100) for name in (f"{file.name}.backup1", "a.YIrUCS")]
    assert Settings().theme == "dark"
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in (young, *others, file))


def test_a_lock_that_says_nothing_holds_nobody_up(file: Path) -> None:
    lock = aged(file.with_name(f"{file.name}.lock"), 3)
    began = time.monotonic()
    settings = Settings()
    settings.theme = "light"
    assert settings.flush() is None
    assert time.monotonic() - began < 10
    assert not lock.exists()
