"""No name in a file leads out of it: nothing is written on opening, nothing else is read.

Where a file names another on purpose (the table of a project's data), opening it does not touch
that; reading it later refuses what is no regular file.
"""

import os
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from studio.formats import loom
from studio.problem import ProblemError
from studio.text import resources
from studio.train.tables import read_table
from tests.reliability import attacks
from tests.reliability.opening import FILES, OPENERS

NAMES = [
    *("..", "../x", "../../x", "a/../b", "a/../../b", "a/..", "./x", ".", "a/./b", "a//b", "a/"),
    *("/", "/x", "/etc/passwd", "//x", "//server/share/x", "/dev/zero", "/proc/self/mem"),
    *("C:", "C:x", "C:/x", "C:\\x", "c:/windows/win.ini", "\\x", "..\\x", "a\\..\\b"),
    *("\\\\server\\share\\x", "\\\\?\\C:\\x", "\\\\.\\pipe\\x", "file:///etc/passwd", "x:stream"),
    *("x\0", "\0", "a\0/../b", "a\nb", "a\rb", "\x1b[2Jx", "x\u202egnp.exe", "x\u200e", "\u2028"),
    *("Document.json", "DOCUMENT.JSON", "document.json ", "~/x", "$HOME/x", "%TEMP%/x", "-rf"),
    *("CON", "nul", "a" * 5_000, "ａ/．．/b", "{0.__class__}", "`id`", "; id"),
]
MEMBERS = {"project": ".loom", "step": ".step", "checkpoint": ".zip"}

_opened: list[str] | None = None


def _audit(event: str, args: tuple[Any, ...]) -> None:
    # A hook stays for as long as the process: for all other tests it must cost nothing.
    if _opened is not None and event == "open" and not str(args[0]).startswith(_TEXTS):
        _opened.append(str(args[0]))


_TEXTS = str(resources())  # which are read when they are needed
sys.addaudithook(_audit)


@contextmanager
def opened_files() -> Iterator[list[str]]:
    """What is opened meanwhile."""
    global _opened
    found = _opened = []
    try:
        yield found
    finally:
        _opened = None


def everything(folder: Path) -> dict[Path, bytes]:
    """What lies there, at whatever depth."""
    return {p: p.read_bytes() if p.is_file() else b"" for p in folder.rglob("*")}


@cache
def whole(kind: str) -> bytes:
    """A file as it should be."""
    return next(attacks.KINDS[kind]())[1]


def named(kind: str, name: str) -> bytes:
    """A whole file of a kind with one member more, of this name."""
    with zipfile.ZipFile(BytesIO(whole(kind))) as file:
        members = [(i.filename, file.read(i), i.compress_type) for i in file.infolist()]
    return attacks.packed([*members, (name, b"x", zipfile.ZIP_STORED)])


def test_there_are_many_names() -> None:
    assert len(set(NAMES)) >= 40


@pytest.mark.parametrize("kind", MEMBERS)
def test_no_member_leads_elsewhere(kind: str, tmp_path: Path) -> None:
    """Each name is refused, or is one that nobody asks for: nothing is written at all."""
    folder = tmp_path / "deep" / "deeper"
    folder.mkdir(parents=True)
    path = folder / FILES.get(kind, f"file{MEMBERS[kind]}")
    refused = 0
    path.write_bytes(named(kind, "fine"))
    OPENERS[kind](path)  # what is imported late is there
    for name in NAMES:
        path.write_bytes(named(kind, name))
        before = everything(tmp_path)
        with opened_files() as opened:
            try:
                OPENERS[kind](path)
            except ProblemError:
                refused += 1
        assert everything(tmp_path) == before
        assert set(opened) <= {str(path)}, name
    assert refused >= 30


@pytest.mark.parametrize("name", NAMES)
def test_opening_a_project_does_not_touch_its_data(name: str, tmp_path: Path) -> None:
    path = tmp_path / "p.loom"
    path.write_bytes(attacks.document(attacks.source(name)))
    with opened_files() as opened:
        if "\0" in name:
            with pytest.raises(ProblemError):
                loom.load(path)
        else:
            loom.load(path)
    assert set(opened) <= {str(path)}


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such files")
@pytest.mark.parametrize("suffix", ["", ".csv", ".npy", ".npz", ".json", ".parquet", ".xlsx"])
def test_data_that_is_no_file_is_refused_at_once(suffix: str, tmp_path: Path) -> None:
    pipe, device, loop = (tmp_path / f"{name}{suffix}" for name in ("pipe", "device", "loop"))
    os.mkfifo(pipe)
    device.symlink_to("/dev/zero")
    loop.symlink_to(loop)
    for path in (pipe, device, loop, tmp_path / f"{'x' * 300}{suffix}", Path(f"a\0{suffix}")):
        with pytest.raises(ProblemError):
            read_table(path)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such files")
@pytest.mark.parametrize("kind", MEMBERS)
def test_a_project_that_is_no_file_is_refused_at_once(kind: str, tmp_path: Path) -> None:
    path = tmp_path / FILES.get(kind, f"file{MEMBERS[kind]}")
    for make in (os.mkfifo, lambda p: p.symlink_to("/dev/zero"), lambda p: p.symlink_to(p)):
        make(path)
        with pytest.raises(ProblemError):
            OPENERS[kind](path)
        path.unlink()
