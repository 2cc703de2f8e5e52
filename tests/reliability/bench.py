"""A project under edit on a canvas, and all that every act must leave true.

The acts are in `acts`; `Bench.do` does one and looks:

* the document's bytes, the id counter aside, are those the history promises for this step;
* they come back from JSON as they were, and the scene shows the document;
* at every eighth act, and when all is undone or done again, the whole file is saved, loaded and
  saved again, and is the same; what was found out of the document edit by edit is what an analysis
  made anew finds;
* no array of the Store that was there is another one, or has other bytes;
* the labels of undo and redo are those of the acts, and what is called modified differs from the
  file.
"""

import json
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from traceback import format_exception
from types import TracebackType
from typing import Any, TypeVar

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPoint
from PySide6.QtWidgets import QApplication

from studio.document.analysis import analyse
from studio.document.model import CallId, Document, Graph
from studio.document.project import Project
from studio.formats import document_json, loom
from studio.formats.journal.story import Stamp
from studio.problem import ProblemError
from studio.ui import files
from studio.ui.canvas import CanvasView
from studio.ui.canvas.faces import Faces
from studio.ui.canvas.node import NodeItem
from studio.ui.session import Session
from studio.ui.settings import Settings
from studio.ui.window import MainWindow
from tests.ui.canvas.conftest import assert_mirrors

T = TypeVar("T")


class Idle(Exception):  # noqa: N818 - no error: there is nothing to do this act with
    """What an act needs is not there."""


class Choose:
    """Chooses, by a function that gives a number from 0 to below another."""

    def __init__(self, below: Callable[[int], int]) -> None:
        self._below = below

    def one(self, of: Iterable[T]) -> T:
        """One of these; `Idle` where there are none."""
        there = list(of)
        if not there:
            raise Idle
        return there[self._below(len(there))]

    def some(self, of: Iterable[T], most: int = 3) -> list[T]:
        """One or more of these, without order."""
        left, found = list(of), list[T]()
        for _ in range(self.number(1, most)):
            if left or not found:
                found.append(self.one(left))
                left.remove(found[-1])
        return found

    def number(self, low: int, high: int) -> int:
        return low + self._below(high - low + 1)

    def chance(self) -> bool:
        return bool(self._below(2))

    def place(self) -> tuple[float, float]:
        return float(self.number(-20, 60) * 20), float(self.number(-10, 30) * 20)


@dataclass
class State:
    """The document after an act: what the act was called, and the bytes."""

    label: str
    text: str


RARE = 8  # acts between two looks at what costs as much as all the others together


@lru_cache(maxsize=4)
def _written(document: "Same") -> str:
    return json.dumps({**document_json.to_json(document.value), "next_id": 0}, sort_keys=True)


class Same:
    """Anything, equal to itself alone."""

    def __init__(self, value: Document) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)


def written(document: Document) -> str:
    """A document as the JSON of its file, the counter of ids aside.

    Not laid out in lines, which takes ten times as long; every RARE-th time the file itself is.
    """
    return _written(Same(document))


def ids(document: Document) -> set[str]:
    """Every id in a document."""
    looks = [i for graph in document.graphs.values() for i in graph.looks.pieces]
    return {*document.graphs, *document.layers, *looks, *(c for _, c, _ in document.calls())}


def told(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> str:
    return "".join(format_exception(kind, error, trace))


class Front:
    """What `Files` asks of a window: which project is in front."""

    def __init__(self, bench: "Bench") -> None:
        self._bench = bench

    @property
    def session(self) -> Session:
        return self._bench.session

    def is_open(self, _path: Path) -> bool:
        return False

    def remember(self, path: Path) -> None:
        """As the settings do with a file that was written."""


def asked(_parent: object, question: str, *_words: object, **_more: object) -> bool:
    """Nobody is there to answer."""
    raise AssertionError(f"a question: {question}")


class Bench:
    """A session with its canvas, and what is known of it beside.

    Args:
        project: what is edited.
        folder: where it is saved.
        patch: keeps what would be told in a dialog.
    """

    def __init__(self, project: Project, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.said, self.raised, self._looked = folder, list[str](), list[str](), 0
        raised = self.raised
        patch.setattr(sys, "excepthook", lambda *error: raised.append(told(*error)))
        said = self.said  # not the bench itself: what is patched is kept to the end
        for name in ("tell", "tell_problems"):
            patch.setattr(files, name, lambda *words: said.append(str(words[1:])))
        patch.setattr(files, "confirm", asked)
        front: Any = Front(self)
        self.files = files.Files(None, front, front)  # type: ignore[arg-type]
        self.path = folder / "project.loom"
        self.view: CanvasView | None = None
        self.open(project, None)

    def open(self, project: Project, path: Path | None) -> None:
        """Edit this project from now on; nothing of the one before can be taken back."""
        self.close()
        self.session = Session(project, path)
        self.view = self.shown(self.session)
        self.states = [State("", written(self.document))]
        self.at = 0
        self.saved = self.states[0].text
        self.learnt = False  # since it was saved
        self._read_back = set[str]()
        self.given = ids(self.document)  # at any time, to what may have been undone since
        self.kept = self._kept()
        self._undoing = False
        self.session.history.subscribe(self._follow)
        self.check()

    def shown(self, session: Session) -> CanvasView:
        """A canvas that shows a session."""
        view = CanvasView(session)
        view.resize(1300, 560)
        view.zoom_at(1 / view.zoom, QPoint(0, 0))
        return view

    def close(self) -> None:
        if self.view is not None:
            self.view.close()
            for gone in (self.view, self.session):  # the one is kept by what hears the other
                gone.deleteLater()
            self.view = None

    # -- what acts use ---------------------------------------------------------------------------

    @property
    def document(self) -> Document:
        return self.session.document

    @property
    def board(self) -> CanvasView:
        assert self.view is not None
        return self.view

    @property
    def where(self) -> str:
        """The graph one looks into."""
        return self.session.shown

    @property
    def graph(self) -> Graph:
        return self.session.seen.graph

    @property
    def calls(self) -> list[CallId]:
        return list(self.graph.calls)

    def commit(self, document: Document, label: str = "an act") -> None:
        self.session.commit(label, document)

    # -- acts ------------------------------------------------------------------------------------

    def do(
        self, act: Callable[["Bench", Choose], object], choose: Choose, look: bool = True
    ) -> bool:
        """Do it and look; whether there was anything to do it with, and it was not refused."""
        before, at, refused = self.document, (self.at, len(self.states)), ""
        try:
            act(self, choose)
            done = True
        except (Idle, ProblemError) as error:
            done, refused = False, str(error)
        if not done:
            assert not refused.startswith("problems."), "a sentence no catalogue has"
            assert self.document is before
            assert (self.at, len(self.states)) == at
        if look and done:
            self.check()
        return done

    def undo(self) -> None:
        self._step(-1, self.session.history.undo)

    def redo(self) -> None:
        self._step(1, self.session.history.redo)

    def _step(self, by: int, act: Callable[[], None]) -> None:
        self._undoing = True
        act()
        self._undoing = False
        self.at = min(max(self.at + by, 0), len(self.states) - 1)

    def _follow(self, old: Document, new: Document) -> None:
        if not self._undoing:
            fresh = ids(new) - ids(old) - self._restorable()
            assert not fresh & self.given, "an id that something else had"
            self.given |= fresh
            del self.states[self.at + 1 :]
            label = self.session.history.undo_label
            assert label, "an act without a name"
            assert not re.fullmatch(r"[a-z]+(\.[a-z_]+)+", label), "a name no catalogue has"
            self.states.append(State(label, written(new)))
            self.at += 1

    def _restorable(self) -> set[str]:
        """What a run brings back is what it was."""
        runs = self.session.project.runs
        return {i for run in runs if run.document is not None for i in ids(run.document)}

    def learn(self) -> None:
        """As a training does: other numbers in the Store."""
        for cells in self.session.project.store.shared().values():
            for cell in cells.values():
                cell.value += 1
                cell.trained = True
        self.session.project.store.step += 1
        self.kept = self._kept()
        self.learnt = True
        self.session.weights_changed.emit()

    def save(self, path: Path) -> bool:
        """Save as the window does; whether it was written."""
        before = self.session.path, self.session.stamp
        if path != self.session.path:  # somewhere else, which a dialog would have asked about
            self.session.path, self.session.stamp = path, Stamp.of(path)
        self.said.clear()
        done = self.files.save()
        if done:
            self.saved, self.learnt = self.states[self.at].text, False
        else:
            self.session.path, self.session.stamp = before
        assert done != bool(self.said), self.said
        return done

    def load(self) -> None:
        """Save, and go on with what is in the file."""
        assert self.save(self.path)
        self.open(loom.load(self.path), self.path)

    # -- looking ---------------------------------------------------------------------------------

    def check(self) -> None:
        """All that is always true."""
        assert not self.raised, "\n".join(self.raised)  # in what hears a signal
        self._check_history()
        self._check_json()
        self._check_store()
        self._check_scene()
        self._looked += 1
        if self._looked % RARE == 0:
            self._check_file()
            self._check_analysis()

    def check_ways(self) -> None:
        """Undo all and redo all: each step gives the very bytes, and the scene follows."""
        while self.session.history.undo_label is not None:
            self.undo()
            self._check_history()
        assert self.at == 0
        self._check_end()
        while self.session.history.redo_label is not None:
            self.redo()
            self._check_history()
        assert self.at == len(self.states) - 1
        self._check_end()

    def _check_end(self) -> None:
        self.check()
        self._check_file()
        self._check_analysis()
        assert_mirrors(self.board)
        self.board.grab()  # what is painted raises nothing

    def _check_history(self) -> None:
        history, state = self.session.history, self.states[self.at]
        now = written(self.document)
        assert now == state.text
        assert history.undo_label == (state.label if self.at else None)
        ahead = self.states[self.at + 1 :][:1]
        assert history.redo_label == (ahead[0].label if ahead else None)
        # Of numbers 0 and 0.0 is the same: no edit, whichever of them the file holds.
        edited = now != self.saved and json.loads(now) != json.loads(self.saved)
        assert history.modified == edited
        assert self.session.modified == (edited or self.learnt)

    def _check_json(self) -> None:
        now = written(self.document)
        if now in self._read_back:
            return
        back = document_json.from_json({**json.loads(now), "next_id": self.document.next_id})
        assert back == self.document
        assert written(back) == now
        self._read_back.add(now)

    def _check_file(self) -> None:
        project, path = self.session.project, self.folder / "step.loom"
        assert project.document is self.document
        data = loom.to_bytes(project, self.folder)
        path.write_bytes(data)
        loaded = loom.load(path)
        assert loaded.document == self.document
        assert loom.to_bytes(loaded, self.folder) == data

    def _kept(self) -> dict[tuple[object, ...], tuple[bytes, bool]]:
        """Every array of the Store, by layer, name and shape; and its slots."""
        found: dict[tuple[object, ...], tuple[bytes, bool]] = {}
        for layer, cells in self.session.project.store.shared().items():
            for (name, shape), cell in cells.items():
                found[layer, name, shape] = cell.value.tobytes(), cell.trained
                for slot, value in cell.slots.items():
                    found[layer, name, shape, slot] = value.tobytes(), cell.trained
        found["step",] = str(self.session.project.store.step).encode(), False
        return found

    def _check_store(self) -> None:
        """What was kept is as it was; what is new is of layers that are new."""
        now = self._kept()
        assert {key: now.get(key) for key in self.kept} == self.kept
        layers = {key[0] for key in self.kept}
        assert all(key[0] not in layers for key in now.keys() - self.kept.keys())
        self.kept = now

    def _check_analysis(self) -> None:
        """What was found out edit by edit is what is found out at once."""
        known, fresh = self.session.analysis, analyse(self.document)
        for name in ("specs", "masks", "ranges", "bypass", "drops_mask", "weights", "inside"):
            assert getattr(known, name) == getattr(fresh, name), name
        for one, other in ((known.problems, fresh.problems), (known.training, fresh.training)):
            assert [(p.code, p.where, str(p)) for p in one] == [
                (p.code, p.where, str(p)) for p in other
            ]

    def _check_scene(self) -> None:
        session, scene, graph = self.session, self.board.canvas, self.graph
        self.board.arranging.settle()
        fresh = Faces(session.seen, session.analysis, session.project.store, bool(session.way))
        assert scene.items_by_call.keys() == graph.calls.keys()
        for call, item in scene.items_by_call.items():
            assert item.face == fresh.face(call)
            assert (item.x(), item.y()) == graph.calls[call].position
            assert item.scene() is scene
        assert len(scene.wires.wires) == len(graph.wires)
        assert set(scene.wires.wires) == graph.wires
        assert scene.wires.masked == fresh.masked
        assert scene.wires.bends() == graph.looks.bends
        items = scene.items_by_call
        for wire in graph.wires:
            start = items[wire.source].anchor(wire.output, False)
            end = items[wire.target].anchor(wire.input, True, wire.slot)
            assert scene.wires.ends(wire) == (start.x(), start.y(), end.x(), end.y())
        pieces = graph.looks.pieces
        assert {i: p.rect for i, p in scene.pieces.items()} == {
            i: p.rect for i, p in pieces.items()
        }
        assert scene.cards.items.keys() == graph.looks.probes.keys()
        assert session.selection <= graph.calls.keys()
        assert scene.selection == session.selection
        assert scene.wires.selected <= graph.wires
        assert scene.picked <= pieces.keys()
        assert not [i for i in scene.overlays if i is not self.board.hint]
        shown = [i.call for i in scene.items() if isinstance(i, NodeItem)]  # the topmost first
        assert shown[::-1] == list(graph.calls), "what was made later lies on top"


class WindowBench(Bench):
    """The same in the whole window: every dock follows, and what it says of the acts is right."""

    window: MainWindow | None = None

    def shown(self, session: Session) -> CanvasView:
        self.window = MainWindow(Settings(), session)
        self.window.resize(1280, 800)
        self.window.show()
        QApplication.processEvents()
        return self.window.canvas

    def close(self) -> None:
        if self.window is not None:
            self.session.history.saved()
            self.session.saved(self.session.path)  # type: ignore[arg-type]  # it may have none
            self.window.close()
            self.window.deleteLater()
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        self.window = self.view = None

    def check(self) -> None:
        QApplication.processEvents()
        super().check()
        window, history = self.window, self.session.history
        assert window is not None
        assert window.isWindowModified() == self.session.modified
        for name, label in (("undo", history.undo_label), ("redo", history.redo_label)):
            act = window.actions_.qt[name]
            assert act.isEnabled() == (label is not None)
            assert label is None or label in act.text().replace("&&", "&")
