"""All that writes files which others rely on, in two states of what is written."""

import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from unittest import mock

import numpy as np

from studio.document import edits
from studio.document.model import Document, Endpoint
from studio.document.project import Project, Run
from studio.formats import atomic, loom, onnx_export, results
from studio.formats.proof import Proof
from studio.layers.dense import Dense
from studio.layers.input import Input
from studio.train import checkpoints, keeper
from studio.train.course import Course
from tests.formats.examples import fill


@dataclass(frozen=True)
class Writer:
    """Something that writes a file, or several.

    Attributes:
        names: of the files, in the order in which they take their places.
        write: writes state 0 or 1 into a folder.
        state: which of the two is in the folder, as far as that can be told by reading it; None:
            the bytes are compared.
        apart: a process that has written is not to be forked: the next would choose the same
            random names.
    """

    names: tuple[str, ...]
    write: Callable[[Path, int], None]
    state: Callable[[Path], int] | None = None
    apart: bool = False

    def write_whole(self, folder: Path, state: int) -> None:
        """Write, in a process of its own if that is needed, and wait for it."""
        if not self.apart:
            self.write(folder, state)
            return
        child = os.fork()
        if not child:
            self.write(folder, state)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0

    def found(self, folder: Path) -> tuple[int, ...]:
        """The states of the files, but for one that never changes; raises where it is neither."""
        if self.state is not None:
            return (self.state(folder),)
        whole = _bytes(self)
        states = [(name, whole[name].index((folder / name).read_bytes())) for name in self.names]
        return tuple(state for name, state in states if len(set(whole[name])) == 2)


@cache
def _bytes(writer: Writer) -> Mapping[str, list[bytes]]:
    """By file's name what it holds in either state."""
    found: dict[str, list[bytes]] = {name: [] for name in writer.names}
    for state in (0, 1):
        with tempfile.TemporaryDirectory() as folder:
            writer.write_whole(Path(folder), state)
            for name in writer.names:
                found[name].append((Path(folder) / name).read_bytes())
    assert len(set(found[writer.names[-1]])) == 2
    return found


def dense(units: int, state: int) -> Project:
    """A small model whose weights and documents differ between the states."""
    d, start = edits.add_layer(Document(), Input((units,)))
    d, end = edits.add_layer(d, Dense(units), name=f"state_{state}")
    d = edits.connect(d, Endpoint(start, "output"), Endpoint(end, "x"))
    return fill(Project(edits.mark_output(d, Endpoint(end, "output"))), state)


@cache
def _project(units: int, state: int) -> Project:
    project = dense(units, state)
    project.keep_run(Run("r1", {"epochs": 2}, {"loss": [0.5, 0.25 + state]}, 1))
    return project


@cache
def _exported(state: int) -> tuple[bytes, Proof]:
    return onnx_export.exported(_project(8, state))


def _export(folder: Path, state: int) -> None:
    """What the export writes; that it is right is proven elsewhere, once for each state."""
    proven = _exported(state)
    with mock.patch.object(onnx_export, "exported", return_value=proven):
        onnx_export.export(_project(8, state), folder / "m.onnx")


def _checkpoint(folder: Path, state: int) -> None:
    project = _project(64, state)
    about = checkpoints.About(3, "numpy", 1, 0)
    course = Course(Run("r1"), epoch=state)
    kept = checkpoints.Kept(project.document, project.store, course, {}, about)
    with atomic.writing(folder / checkpoints.FILE) as file:
        keeper.write(file, kept)


def _checkpoint_state(folder: Path) -> int:
    kept = checkpoints.read(folder)
    expected = _project(64, kept.course.epoch)
    ours, theirs = (dict(p.store.items()) for p in (kept, expected))
    assert ours.keys() == theirs.keys()
    assert all(np.array_equal(ours[key].value, theirs[key].value) for key in ours)
    assert kept.document == expected.document
    return kept.course.epoch


def _settings(folder: Path, state: int) -> None:
    from PySide6.QtCore import QSettings

    from studio.ui import settings

    settings._YOUNG = -1.0  # here nobody else writes
    settings.sweep(folder / "layerloom.conf")
    kept = QSettings(str(folder / "layerloom.conf"), QSettings.Format.IniFormat)
    kept.setValue("recent", [f"/project/number/{state}/{i}.loom" for i in range(200)])
    kept.setValue("theme", ("light", "dark")[state])
    kept.sync()


def _tables(folder: Path, state: int) -> None:
    run = Run("r1", {}, {"loss": [state + i / 7 for i in range(3_000)]})
    results.write_history(folder / "history.csv", run)


def _in_place(folder: Path, state: int) -> None:
    """How it must not be done: so it is seen that the tests would find it."""
    (folder / "a.bin").write_bytes(bytes([state]) * 4_000_000)


WRITERS: Mapping[str, Writer] = {
    "project": Writer(("m.loom",), lambda at, s: loom.save(at / "m.loom", _project(200, s))),
    "export": Writer(("m.py", "m.json", "m.onnx"), _export),
    "checkpoint": Writer((checkpoints.FILE,), _checkpoint, _checkpoint_state),
    "table": Writer(("history.csv",), _tables),
    "weights": Writer(
        ("w.npz",), lambda at, s: results.write_weights(at / "w.npz", _project(200, s))
    ),
    "page": Writer(
        ("report.html",), lambda at, s: atomic.write_text(at / "report.html", f"{s}\n" * 100_000)
    ),
    "settings": Writer(("layerloom.conf",), _settings, apart=True),
    "in_place": Writer(("a.bin",), _in_place),
}
OURS = [name for name in WRITERS if name not in ("settings", "in_place")]  # by `formats.atomic`
