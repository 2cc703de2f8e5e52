"""What killed writers of the settings left behind neither stays nor holds anybody up."""

import os
import time
from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray, QSettings

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


class Evil:
    """Pickled, it makes a folder when it is read."""

    def __init__(self, place: Path) -> None:
        self.place = str(place)

    def __reduce__(self):
        import os

        return os.mkdir, (self.place,)


def written(path: Path, place: Path) -> bytes:
    """A settings file in which PySide keeps an object."""
    kept = QSettings(str(path), QSettings.Format.IniFormat)
    kept.setValue("theme", Evil(place))
    kept.sync()
    del kept
    data = path.read_bytes()
    path.unlink()
    assert b"@Variant(" in data
    return data


def hidden(data: bytes) -> dict[str, bytes]:
    """The same in other words, as Qt reads them."""
    return {
        "plain": data,
        "hexadecimal": data.replace(b"@Variant(", b"\\x40Variant("),
        "octal": data.replace(b"@Variant(", b"\\100Variant("),
        "overflowing": data.replace(b"@Variant(", b"\\x990040Variant("),
        "continued": data.replace(b"@Variant(", b"@Var\\\niant("),
        "nothing between": data.replace(b"@Variant(", b"@\\zVar\\xiant("),
        "quoted": data.replace(b"@Variant(", b'"@"Var"iant("'),
        "in a list": data.replace(b"@Variant(", b'"a\\"", @Variant('),
        "another name": data.replace(b"@Variant(", b"@DateTime("),
    }


@pytest.mark.parametrize("words", hidden(b""))
@pytest.mark.parametrize("organisation", [False, True])
def test_no_settings_file_runs_code(tmp_path: Path, words: str, organisation: bool) -> None:
    """PySide unpickles what a settings file says is an object, as soon as Qt reads the file."""
    file = Path(Settings()._kept.fileName())
    file = file.parents[1] / file.name if organisation else file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(hidden(written(tmp_path / "made.ini", tmp_path / "executed"))[words])
    settings = Settings()
    assert settings.theme == "system"
    assert settings.recent == []
    assert not (tmp_path / "executed").exists()
    aside = file.with_name(f"{file.name}.refused")
    assert [str(aside) in str(problem) for problem in settings.refused] == [True]
    settings.theme = "dark"
    assert settings.flush() is None
    assert Settings().theme == "dark"
    assert not Settings().refused


def test_a_damaged_layout_counts_as_none() -> None:
    """Qt died of some, at every start."""
    geometry, state = QByteArray(b"geometry"), QByteArray(b"state")
    Settings().keep_layout(geometry, state)
    assert Settings().layout() == (geometry, state)
    file = Path(Settings()._kept.fileName())
    file.write_bytes(file.read_bytes().replace(b"(state)", b"(stare)"))
    assert Settings().layout() == (QByteArray(), QByteArray())
