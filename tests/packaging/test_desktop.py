"""The menu entry, the icon and the file type, as a desktop reads them."""

import configparser
import importlib.util
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from studio.document.project import Project
from studio.formats import loom

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="of Linux desktops")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def desktop():
    path = ROOT / "packaging" / "desktop.py"
    spec = importlib.util.spec_from_file_location("desktop", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def entry(share):
    """The menu entry's keys, as written."""
    found = configparser.RawConfigParser(interpolation=None)
    found.optionxform = str
    found.read(share / "applications/layerloom.desktop", encoding="utf-8")
    return dict(found["Desktop Entry"])


def mime_of(path, share):
    """What Qt, which reads the system's own database, calls a file's type."""
    program = (
        "import sys; from PySide6.QtCore import QMimeDatabase; kind = "
        "QMimeDatabase().mimeTypeForFile(sys.argv[1]); print(kind.name(), kind.iconName(), "
        "kind.inherits('application/zip'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        env={**os.environ, "XDG_DATA_HOME": str(share)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def test_a_loom_file_is_known_by_its_name_and_by_what_it_holds(desktop, tmp_path):
    path, share = tmp_path / "a.loom", tmp_path / "share"
    loom.save(path, Project())
    nameless = tmp_path / "nameless"
    nameless.write_bytes(path.read_bytes())
    assert mime_of(path, share)[0] != "application/x-layerloom"
    desktop.install(share)
    for each in (path, nameless):
        assert mime_of(each, share) == ["application/x-layerloom", "layerloom", "True"]


def test_the_entry_names_the_type_and_an_icon_that_is_there(desktop, tmp_path):
    desktop.install(tmp_path)
    keys = entry(tmp_path)
    assert keys["Type"] == "Application"
    assert keys["Exec"] == "layerloom %f"
    assert keys["MimeType"] == "application/x-layerloom;"
    drawn = tmp_path / f"icons/hicolor/scalable/apps/{keys['Icon']}.svg"
    assert drawn.read_text(encoding="utf-8").startswith("<svg")
    translated = {key.partition("[")[0] for key in keys if key.endswith("[zh_CN]")}
    assert translated == {"GenericName", "Comment", "Keywords"}
    assert all(keys[key].endswith(";") for key in ("Categories", "Keywords", "MimeType"))


def test_the_entry_starts_the_command_given_wherever_it_is(desktop, tmp_path):
    command = tmp_path / "my programs" / "layerloom"
    desktop.install(tmp_path, command)
    assert shlex.split(entry(tmp_path)["Exec"]) == [str(command), "%f"]


def test_it_can_be_removed(desktop, tmp_path):
    desktop.install(tmp_path)
    desktop.remove(tmp_path)
    left = [p.name for p in tmp_path.rglob("*") if p.is_file() and "layerloom" in p.name]
    assert [name for name in left if name != "x-layerloom.xml"] == []


def test_the_window_says_which_entry_it_belongs_to():
    said = (ROOT / "studio/ui/app.py").read_text(encoding="utf-8")
    assert 'setDesktopFileName("layerloom")' in said
