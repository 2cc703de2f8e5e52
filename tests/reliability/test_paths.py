"""No name in a file leads out of it: nothing is written on opening, nothing else is read.

Where a file names another on purpose (the table of a project's data), opening it does not touch
that; reading it later refuses what is no regular file. What a table names in turn lies below its
own folder, or is not read.
"""

import os
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from studio.document.model import Document
from studio.document.plan import ImageColumn, PastedSource
from studio.formats import loom
from studio.problem import Problem, ProblemError
from studio.text import LANGUAGES, resources, set_language
from studio.train.data import load_table
from studio.train.encoding.pictures import picture_arrays, picture_paths
from studio.train.evaluation.evaluate import raw_rows
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


# -- what a table names ----------------------------------------------------------------------------


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder from somebody else, beside one with a picture that they were not given."""
    for name in ("shared/own/deep", "private"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("shared/own/1.png", "shared/own/deep/2.png", "private/secret.png"):
        Image.new("RGB", (4, 4), "red").save(tmp_path / name)
    return tmp_path / "shared"


def outside(folder: Path) -> list[str]:
    """Cells that lead to the private picture."""
    found = ["../private/secret.png", "own/../../private/secret.png", "..\\private\\secret.png"]
    found.append(str(folder.parent / "private" / "secret.png"))
    if sys.platform != "win32":
        (folder / "link.png").symlink_to("../private/secret.png")
        (folder / "links").symlink_to("../private", target_is_directory=True)
        (folder / "own" / "twice.png").symlink_to("../links/secret.png")
        found += ["link.png", "links/secret.png", "own/twice.png"]
    else:
        found += ["\\\\server\\share\\secret.png", "Q:\\secret.png"]
    return found


def refused(read: Callable[[], object]) -> Problem:
    with pytest.raises(ProblemError) as caught:
        read()
    (problem,) = caught.value.problems
    return problem


def test_no_cell_leads_out_of_the_folder_of_its_table(shared: Path) -> None:
    table = shared / "t.csv"
    for cell in outside(shared):
        table.write_text(f"image,y\nown/1.png,0\n{cell},1\n")
        read = read_table(table)
        with opened_files() as opened:
            problem = refused(lambda read=read: picture_arrays(read, ImageColumn("image", 4, 4)))
            rows = raw_rows(Document(), read, [0, 1])  # as evaluations and reports show them
        assert (problem.code, problem.args["row"]) == ("picture_outside", 3), cell
        assert [list(row.pictures) for row in rows] == [["image"], []]
        assert not [name for name in opened if "secret" in name or "link" in name], cell
        for language in LANGUAGES:
            set_language(language)
            assert cell[:59] in str(problem)
            assert str(shared) in str(problem)
        set_language("en")


def test_no_cell_of_a_pasted_table_leads_out_of_the_folder_of_its_project(shared: Path) -> None:
    for cell in outside(shared):
        pasted = load_table(PastedSource(f"image\ty\nown/1.png\t0\n{cell}\t1\n"), shared)
        assert (
            refused(lambda pasted=pasted: picture_paths(pasted, "image")).code == "picture_outside"
        )


def test_cells_that_stay_in_the_folder_are_followed(shared: Path) -> None:
    cells = ["own/1.png", "own/deep/../1.png", "own\\deep\\2.png", str(shared / "own" / "1.png")]
    if sys.platform != "win32":
        (shared / "here.png").symlink_to("own/1.png")
        (shared / "more").symlink_to("own/deep", target_is_directory=True)
        (shared.parent / "way").symlink_to(shared, target_is_directory=True)
        cells += ["here.png", "more/2.png", str(shared.parent / "way" / "own" / "1.png")]
    (shared / "t.csv").write_text("image\n" + "\n".join(cells) + "\n")
    for table in (shared / "t.csv", shared.parent / "way" / "t.csv"):
        if table.exists():
            found = picture_arrays(read_table(table), ImageColumn("image", 4, 4))
            assert found.shape == (len(cells), 4, 4, 3)


def test_names_of_pictures_that_are_none_are_sentences(shared: Path) -> None:
    for cell in ("a" * 5_000, "x\x01", "own", "..", ".", "/", "", "own/1.png/x", "a" * 300 + "/x"):
        (shared / "t.csv").write_text(f"image,y\nown/1.png,0\n{cell},1\n")
        problem = refused(lambda: picture_paths(read_table(shared / "t.csv"), "image"))
        assert problem.code in ("picture_outside", "picture_missing", "cell_empty"), cell


@pytest.mark.skipif(sys.platform == "win32", reason="links take rights there")
def test_no_link_leads_out_of_a_folder_of_data(shared: Path) -> None:
    outside(shared)
    (shared / "own" / "here.png").symlink_to("1.png")
    with opened_files() as opened:
        table = read_table(shared)
    assert table.columns["image"] == ["own/1.png", "own/deep/2.png", "own/here.png"]
    assert not [name for name in opened if "secret" in name]
    (warning,) = table.warnings
    assert (warning.code, warning.args["count"]) == ("folder_links", 3)
    for language in LANGUAGES:
        set_language(language)
        assert "link.png, links, own/twice.png" in str(warning)
    set_language("en")
    only = shared / "only"
    only.mkdir()
    (only / "x.png").symlink_to("../../private/secret.png")
    problem = refused(lambda: read_table(only))
    assert (problem.code, problem.severity) == ("folder_links", "error")


@pytest.mark.skipif(sys.platform == "win32", reason="links take rights there")
def test_no_link_leads_from_arrays_to_arrays_elsewhere(shared: Path) -> None:
    for path in (shared / "x.npy", shared / "y.npy", shared.parent / "private" / "z.npy"):
        np.save(path, np.arange(3))
    (shared / "z.npy").symlink_to("../private/z.npy")
    (shared / "w.npy").symlink_to("x.npy")
    with opened_files() as opened:
        table = read_table(shared / "x.npy")
    assert sorted(table.names) == ["w", "x", "y"]
    assert not [name for name in opened if "z.npy" in name]
    assert [str(w) for w in table.warnings if "z.npy" in str(w)]
