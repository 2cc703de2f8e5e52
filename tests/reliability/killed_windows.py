"""Windows that are worked in until somebody kills them.

    python -m tests.reliability.killed_windows

loads everything once. For each line of JSON it hears, ``{"seed": …, "folder": …}``, it forks: the
child opens a window with a project saved in that folder and does one act after another, at random,
with mouse, keys and menus. It says the child's number, and, when that is gone, the signal that
ended it.

What the child does it writes into ``told`` in the folder, a line each, before the window's journal
can hear of it: so the last line may be of an act that nobody was told of any more.
"""

import faulthandler
import gc
import hashlib
import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QPoint, QSettings, Qt, qInstallMessageHandler
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox

from studio.document import edits
from studio.document.model import Document
from studio.document.project import Project
from studio.document.store import Store
from studio.examples import EXAMPLES
from studio.formats import document_json, loom
from studio.ui.app import log_qt, prepare
from studio.ui.collecting import Collecting
from studio.ui.desk import Desk
from studio.ui.recovery.keeping import root
from studio.ui.session import Session
from studio.ui.settings import Settings
from studio.ui.window import MainWindow

TOLD = "told"
FILE = "project.loom"
_ACTS = (
    *("undo", "undo", "undo", "redo", "redo", "delete", "use_again", "make_independent"),
    *("group", "ungroup", "mute", "collapse", "frame", "note", "arrange", "toggle_output"),
    *("duplicate", "copy", "paste", "cut", "freeze", "select_all", "leave", "heal", "wrap"),
)
_KINDS = (
    "Dense",
    "Dropout",
    "LSTM",
    "Embedding",
    "Embedding",
    "Input",
    "Concatenate",
    "BatchNormalization",
)


def fingerprint(document: Document) -> str:
    """Tells documents apart: all there is of them, the counter of ids aside."""
    plain = document_json.to_json(document)
    plain.pop("next_id", None)
    written = json.dumps(plain, sort_keys=True).encode("utf-8", "surrogatepass")
    return hashlib.sha256(written).hexdigest()[:16]


def weights_of(store: Store) -> dict[str, str]:
    """Tells apart what is learnt, layer by layer."""
    found = {"": str(store.step)}
    for layer, cells in store.shared().items():
        if not cells:  # it was asked for what it has not learnt yet
            continue
        digest = hashlib.sha256()
        for (name, shape), cell in sorted(cells.items()):
            digest.update(f"{name}{shape}".encode() + cell.value.tobytes())
        found[layer] = digest.hexdigest()[:16]
    return found


def tables_of(document: Document) -> list[str]:
    """The layers that `Worker.learn` gives weights."""
    return sorted(k for k, entry in document.layers.items() if entry.kind == "Embedding")


class Told:
    """What was done, in a file that a killed process leaves whole."""

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / TOLD, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def __call__(self, what: str, **facts: Any) -> None:
        line = {"what": what, "at": time.monotonic(), **facts}
        os.write(self._file, json.dumps(line).encode() + b"\n")

    def watch(self, number: int, session: Session) -> None:
        """Tell of each document of a session, before anybody else hears of it."""
        session.history._listeners.insert(0, lambda _, new: self._act(number, new))
        self._act(number, session.document)

    def _act(self, number: int, document: Document) -> None:
        self("act", tab=number, document=fingerprint(document), tables=tables_of(document))


class Worker:
    """Somebody who works in a window without a thought.

    Args:
        rng: what is done next.
        told: hears of it.
    """

    def __init__(self, window: MainWindow, rng: random.Random, told: Told, folder: Path) -> None:
        self.window, self.rng, self.told, self.folder = window, rng, told, folder
        self.tabs: list[tuple[int, Desk]] = []
        self.meet()

    def meet(self) -> None:
        """Be told of what is done in tabs that are new."""
        known = [desk for _, desk in self.tabs]
        for desk in self.window.tabs.desks:
            if desk not in known:
                number = len(self.tabs)
                self.told.watch(number, desk.session)
                self.tabs.append((number, desk))

    @property
    def tab(self) -> int:
        """The number of the tab in front."""
        return next(number for number, desk in self.tabs if desk is self.window.desk)

    def act(self) -> None:
        """Do something."""
        chance = self.rng.random()
        if chance < 0.27:
            self.menu()
        elif chance < 0.45:
            self.drag()
        elif chance < 0.58:
            self.select()
        elif chance < 0.70:
            self.window.canvas.add_layer(self.rng.choice(_KINDS))
        elif chance < 0.78:
            self.parameter()
        elif chance < 0.94:
            self.learn()
        elif chance < 0.97:
            self.save()
        else:
            self.turn()
        QApplication.processEvents()
        self.meet()

    def menu(self) -> None:
        act = self.window.actions_.qt[self.rng.choice(_ACTS)]
        if act.isEnabled():
            act.trigger()

    def _place(self) -> QPoint | None:
        """The middle of the title of some node."""
        view = self.window.canvas
        items = list(view.canvas.items_by_call.values())
        if not items:
            return None
        item = self.rng.choice(items)
        rect = item.scene_rect()
        return view.mapFromScene(rect.center().x(), rect.top() + 14)

    def drag(self) -> None:
        at = self._place()
        if at is None:
            return
        view = self.window.canvas.viewport()
        to = at + QPoint(self.rng.randrange(-90, 90), self.rng.randrange(-60, 60))
        QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=at)
        for share in (0.3, 1.0):
            QTest.mouseMove(view, at + (to - at) * share)
        QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=to)

    def select(self) -> None:
        at = self._place()
        if at is not None:
            keys = Qt.KeyboardModifier.ControlModifier
            keys = keys if self.rng.random() < 0.5 else Qt.KeyboardModifier.NoModifier
            QTest.mouseClick(self.window.canvas.viewport(), Qt.MouseButton.LeftButton, keys, at)

    def parameter(self) -> None:
        session = self.window.session
        sized = [
            layer for layer, entry in session.document.layers.items()
            if hasattr(entry.body, "units")
        ]  # fmt: skip
        if sized:
            units = self.rng.randrange(1, 64)
            made = edits.set_parameters(session.document, self.rng.choice(sized), units=units)
            session.commit("Units", made)

    def learn(self) -> None:
        """What the end of a training does to a project; tables have one shape all the time."""
        session = self.window.session
        tables = tables_of(session.document)
        if tables:
            layer, store = self.rng.choice(tables), session.project.store
            body = session.document.layers[layer].body
            numbers = np.random.default_rng(self.rng.randrange(2**32))
            shape = (body.input_dim, body.output_dim)
            store.put(layer, "embeddings", numbers.normal(size=shape))
            store.step += 1
            session.weights_changed.emit()
            self.told("learnt", tab=self.tab, weights=weights_of(store))

    def save(self) -> None:
        """Those that have a file; the others would ask for one."""
        session = self.window.session
        if session.path is not None:
            facts = {"tab": self.tab, "document": fingerprint(session.document)}
            self.told("save", **facts, path=session.path.name)
            assert self.window.files.save()
            self.told("saved", **facts)

    def turn(self) -> None:
        """To another tab, or a new one."""
        desks = self.window.tabs.desks
        if len(desks) < 3:
            self.window.files.open_example(self.rng.choice(list(EXAMPLES.values())))
        else:
            self.window.tabs.bring(self.rng.choice(desks))


def work(seed: int, folder: Path) -> None:
    """What a child does, until it is killed."""
    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    QSettings.setPath(
        QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(folder / "settings")
    )
    os.environ["XDG_STATE_HOME"] = str(folder / "state")
    qInstallMessageHandler(log_qt)
    rng, told = random.Random(seed), Told(folder)
    app = QApplication.instance() or QApplication(["layerloom"])
    settings = Settings()
    prepare(app, settings)
    window = MainWindow(settings, Session(Project()), root())
    window.resize(1200, 800)
    window.show()
    Collecting(window)
    path = folder / FILE
    loom.save(path, Project(EXAMPLES[rng.choice(list(EXAMPLES))]()))
    assert window.files.open(path)
    QMessageBox.exec = lambda box: told("asked", text=box.text())  # nobody is there to answer
    QApplication.processEvents()
    worker = Worker(window, rng, told, folder)
    told("ready", path=FILE)
    while True:
        worker.act()


def main() -> None:
    faulthandler.enable()
    gc.freeze()
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            try:
                work(asked["seed"], Path(asked["folder"]))
            finally:
                os._exit(1)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
