"""What a window keeps that it should not: ``python -m tests.reliability.leaks WHAT COUNT …``.

In a process of its own, so that nothing but the window is measured; a line of JSON for each.
"""

import gc
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import psutil
from PySide6.QtCore import QEventLoop, QObject, QSettings, QTimer
from PySide6.QtWidgets import QApplication, QGraphicsItem

from studio.document import edits
from studio.document.model import Document, Endpoint
from studio.document.plan import GeneratedSource
from studio.document.project import Project
from studio.engine.memory import give_back
from studio.examples import EXAMPLES
from studio.formats import loom
from studio.layers.dense import Dense
from studio.problem import ProblemError
from studio.ui.app import prepare
from studio.ui.collecting import Collecting
from studio.ui.session import Session
from studio.ui.settings import Settings
from studio.ui.trainer import Phase
from studio.ui.window import MainWindow

FEW, WARM = 240, 3000  # edits: most is loaded, and what the history drops is like what it takes
WARM_TABS = 40
_STILL = 60  # looks, 20 ms apart, by which nothing begins or ends any more
MOST = 40  # nodes of the model that is edited
Found = dict[str, float | dict[str, int]]


def after_edits(window: MainWindow, count: int) -> Found:
    """What `count` edits and undos leave in memory, in MB, and each thousand of the second half."""
    acts = Acts(window.session)
    for _ in range(WARM if count >= WARM else FEW):
        acts.one()
    start = memory()
    for _ in range(count // 2):
        acts.one()
    middle = memory()
    for _ in range(count - count // 2):
        acts.one()
    end = memory()
    return {"grown": end - start, "slope": (end - middle) / (count / 2000)}


class Acts:
    """Whatever people do to a model, at random; about as large as it was."""

    def __init__(self, session: Session) -> None:
        self.session, self.draw = session, Random(12)

    def one(self) -> None:
        history, document = self.session.history, self.session.document
        if self.draw.random() < 0.3:
            (history.undo if self.draw.random() < 0.6 else history.redo)()
        else:
            act = self.draw.choice((self.add, self.remove, self.move, self.rename, self.change))
            with suppress(ProblemError):  # the draw was an edit that is refused
                self.session.commit(act.__name__, act(document, self.some(document)))
        if self.draw.random() < 0.1:
            self.session.select([self.some(self.session.document)])
        turn()

    def some(self, document: Document) -> str:
        return self.draw.choice(list(document.graph.calls))

    def add(self, document: Document, call: str) -> Document:
        if len(document.graph.calls) >= MOST:
            return self.change(document, call)
        place = (self.draw.uniform(0, 900), self.draw.uniform(0, 600))
        document, made = edits.add_layer(document, Dense(units=self.draw.randint(1, 9)), place)
        return edits.connect(document, Endpoint(call, "output"), Endpoint(made, "x"))

    def remove(self, document: Document, call: str) -> Document:
        """One that nothing reads: others would be left with problems, by the dozen."""
        read = any(wire.source == call for wire in document.graph.wires)
        made = document.layers[document.graph.calls[call].layer].name.startswith(("dense_", "n"))
        return (
            edits.remove_calls(document, [call]) if made and not read else self.add(document, call)
        )

    def move(self, document: Document, call: str) -> Document:
        place = (self.draw.uniform(0, 900), self.draw.uniform(0, 600))
        return edits.move_calls(document, {call: place})

    def rename(self, document: Document, call: str) -> Document:
        name = f"n{self.draw.randrange(10**6)}"
        return edits.rename_layer(document, document.graph.calls[call].layer, name)

    def change(self, document: Document, call: str) -> Document:
        layer = document.graph.calls[call].layer
        if document.layers[layer].kind != "Dense":
            return self.move(document, call)
        return edits.set_parameters(document, layer, units=self.draw.randint(1, 99))


def after_tabs(window: MainWindow, count: int) -> Found:
    """What opening a project in a tab, looking at it and closing it leaves, `count` times."""
    path = Path(tempfile.mkdtemp()) / "p.loom"
    loom.save(path, Project(EXAMPLES["headline"]()))
    for _ in range(min(WARM_TABS, count)):
        open_and_close(window, path)
    start, objects = memory(), census()
    for _ in range(count):
        open_and_close(window, path)
    end = memory()
    more = census()
    more.subtract(objects)
    return {"grown": end - start, "more": {name: n for name, n in more.items() if n > 0}}


def open_and_close(window: MainWindow, path: Path) -> None:
    assert window.files.open(path)
    desk = window.desk
    assert desk.session.path == path
    build_all(window)
    until(lambda: bool(desk.canvas.scene().items()))
    window.close_tab(desk)
    until(lambda: not any(type(t).__name__ == "Clearing" for t in window_children()))


def build_all(window: MainWindow) -> None:
    """What is built when it is asked for."""
    for late in window.desk._late:
        assert late.view is not None


def window_children() -> list[QObject]:
    application = QApplication.instance()
    assert application is not None
    return application.children()


def census() -> Counter[str]:
    """How many there are of each class of ours, and of Qt's widgets and items."""
    gc.collect()
    found = Counter[str]()
    for thing in gc.get_objects():
        kind = type(thing)
        ours = str(getattr(kind, "__module__", "")).startswith("studio.ui")
        if ours or issubclass(kind, QObject | QGraphicsItem):
            found[kind.__name__] += 1
    found["widgets of Qt"] = len(QApplication.allWidgets())
    return found


def after_trainings(window: MainWindow, count: int) -> Found:
    """How many files, threads and processes `count` trainings leave."""
    train(window)
    start = held()
    for _ in range(count):
        train(window)
    end = held()
    return {name: end[name] - start[name] for name in start}


def train(window: MainWindow) -> None:
    training = window.training.training
    training.start()
    until(lambda: training.phase is Phase.IDLE)
    assert training.progress.run is not None, "it failed"


def held() -> dict[str, int]:
    """Files, threads and processes, once what ends has ended."""
    process, seen = psutil.Process(), []
    settled = time.monotonic() + 15
    while time.monotonic() < settled:
        turn()
        children = process.children(recursive=True)
        files = process.num_fds() if hasattr(process, "num_fds") else process.num_handles()
        now = {"files": files, "threads": process.num_threads(), "processes": len(children)}
        seen = [*seen[-_STILL:], now]
        if len(seen) > _STILL and all(each == now for each in seen):
            break
        time.sleep(0.02)
    return seen[-1]


def memory() -> float:
    """What the process holds, in MB, once all is deleted that is to be.

    What the C library holds without use is given back first: it comes and goes by tens of MB.
    """
    for _ in range(3):
        turn()
        gc.collect()
    give_back()
    return float(psutil.Process().memory_info().rss) / 2**20


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, "nothing more happens"
        turn()
        time.sleep(0.005)


def turn() -> None:
    """Let the window do what is due.

    Q: Why not `QApplication.processEvents`?
    A: It deletes nothing of what is to be deleted later; only a loop of events does that.
    """
    loop = QEventLoop()
    QTimer.singleShot(0, loop.quit)
    loop.exec()


def small() -> Document:
    """The headline example, of few rows."""
    document = EXAMPLES["headline"]()
    document = edits.set_data(document, source=GeneratedSource("headline", rows=64))
    return edits.set_run(document, epochs=1)


WHAT = {"edits": after_edits, "tabs": after_tabs, "trainings": after_trainings}


def main(asked: dict[str, int]) -> Iterator[Found]:
    folder = tempfile.mkdtemp()
    os.environ["XDG_STATE_HOME"] = folder
    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, folder)
    application, settings = QApplication([]), Settings()
    prepare(application, settings)
    window = MainWindow(settings, Session(Project(small())))
    window.resize(1280, 800)
    window.show()
    Collecting(window)
    until(window.isVisible)
    build_all(window)
    for what, count in asked.items():
        yield WHAT[what](window, count)
    for desk in window.tabs.desks:
        desk.session.history.saved()
        desk.session.saved(desk.session.path)  # type: ignore[arg-type]
    window.close()


if __name__ == "__main__":
    for found in main({w: int(n) for w, n in zip(sys.argv[1::2], sys.argv[2::2], strict=True)}):
        print(json.dumps(found), flush=True)
