"""For how long each act of a whole piece of work makes the window stand still. Run by hand.

python -m tests.benchmarks.acts [--rows 5000] [--json]  # without a screen: offscreen

A table is dropped, its proposal accepted and trained, and everything around that is done once the
way a person does it: pages of nodes, edits, evaluation, a report, trying, another run, a restored
one, tabs. A timer in the window that wants to be heard every 2 ms tells for how long it was not.
`own` is what of the longest stall the window's thread computed itself: the rest is the machine's.
Exits with 1 where an act's own is longer than 50 ms.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QMimeData, QPoint, QPointF, QSettings, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from studio import garbage
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.ui.collecting import Collecting
from studio.ui.proposals.dialog import ProposalDialog
from studio.ui.session import Session
from studio.ui.settings import Settings
from studio.ui.theme import apply_theme, use_fonts
from studio.ui.warming import steps
from studio.ui.window import MainWindow
from tests.benchmarks.data import STALL, Heartbeat, until, write_table

_NO_KEY = Qt.KeyboardModifier.NoModifier
_REST = 0.3  # seconds that belong to an act: what it has put off until the window is idle


@dataclass(frozen=True)
class Act:
    """What is done, and what shows that it is over."""

    name: str
    do: Callable[[], object]
    over: Callable[[], bool] = lambda: True


def acts(window: MainWindow, table: Path, folder: Path) -> Iterator[Act]:
    """Everything, in the order a person does it in; each is done before the next is asked for."""
    yield Act("drop a table", partial(_drop, window, table), lambda: _proposed() is not None)
    dialog = _proposed()
    assert dialog is not None
    yield Act("see the proposal", lambda: None, lambda: not dialog.busy)
    yield Act("accept it", dialog.accept_button.click, lambda: not window.data.busy)
    yield from _edited(window)
    for name in window.docks:
        yield Act(f"raise {name}", partial(window.raise_dock, name))
    yield from _trained(window, "first")
    yield from _judged(window, folder)
    yield from _tried(window)
    yield from _trained(window, "second")
    runs = window.training.runs
    yield Act("two runs drawn", lambda: runs.table.draw_only({r.id for r in _runs(window)}))
    yield Act("compare runs", lambda: window.training.show_page("compare"))
    yield Act("training settings", lambda: window.training.show_page("settings"))
    yield Act("curves again", lambda: window.training.show_page("curves"))
    runs.table.select_runs({_runs(window)[0].id})
    yield Act("restore a run", runs.restore)
    yield Act("undo it", window.session.history.undo)
    path = folder / "acts.loom"
    window.session.path = path
    yield Act("save", window.files.save)
    yield from _tabs(window)


def _edited(window: MainWindow) -> Iterator[Act]:
    """The pages of nodes, edits of the model."""
    view = window.canvas
    for item in list(view.canvas.items_by_call.values()):
        at = view.mapFromScene(item.pos() + QPointF(40, 10))
        name = window.session.document.entry(item.call).kind
        for again in ("", " again"):
            click = partial(QTest.mouseClick, view.viewport(), Qt.MouseButton.LeftButton, pos=at)
            yield Act(f"page of {name}{again}", click)
            away = partial(view.select, ())
            yield Act("page of the model", away)
    yield Act("add a layer", lambda: view.add_layer("Dense"))
    yield Act("undo", window.session.history.undo)
    yield Act("redo", window.session.history.redo)
    yield Act("undo again", window.session.history.undo)


def _trained(window: MainWindow, name: str) -> Iterator[Act]:
    training = window.training.training
    yield Act(f"{name} training starts", window.train, lambda: training.progress.steps > 0)
    yield Act(f"{name} training goes on and ends", lambda: None, lambda: not training.running)


def _judged(window: MainWindow, folder: Path) -> Iterator[Act]:
    dock = window.desk.evaluation
    arrived: list[object] = []
    dock.evaluator.evaluated.connect(arrived.append)
    yield Act("evaluation", window.evaluate, lambda: bool(arrived))
    written: list[object] = []
    dock.evaluator.written.connect(written.append)
    out = folder / "report.html"
    yield Act("report", lambda: dock.write_report(out), lambda: bool(written))


def _tried(window: MainWindow) -> Iterator[Act]:
    dock = window.desk.trying
    yield Act("try", lambda: window.raise_dock("try"), lambda: not dock.busy)
    for number in ("a row", "another row"):
        yield Act(number, dock.take_random_row, lambda: not dock.busy)


def _tabs(window: MainWindow) -> Iterator[Act]:
    first = window.desk
    headline = partial(_session, "headline")
    yield Act("open an example", lambda: window.show_session(headline()))
    for name in window.docks:
        window.raise_dock(name)
        yield Act(f"{name} of the example", lambda: None)
        yield Act(f"{name}: switch tab", partial(window.tabs.bring, first))
        yield Act(f"{name}: and back", partial(window.tabs.bring, window.tabs.desks[-1]))
    yield Act("close the tab", window.close_tab)


def _session(example: str) -> Session:
    return Session(Project(EXAMPLES[example]()))


def _runs(window: MainWindow) -> list[object]:
    return list(window.session.project.runs)


def _drop(window: MainWindow, path: Path) -> None:
    """As the file manager does."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    at = QPointF(window.canvas.viewport().mapTo(window, QPoint(200, 200)))
    how = Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, _NO_KEY
    QApplication.sendEvent(window, QDragEnterEvent(at.toPoint(), *how))
    QApplication.sendEvent(window, QDropEvent(at, *how))


def _proposed() -> ProposalDialog | None:
    shown = (w for w in QApplication.topLevelWidgets() if w.isVisible())
    return next((w for w in shown if isinstance(w, ProposalDialog)), None)


def measured(window: MainWindow, table: Path, folder: Path) -> dict[str, dict[str, float]]:
    """The longest stall of each act; of an act that comes again, of the worst."""
    beat, found = Heartbeat(), dict[str, dict[str, float]]()
    for act in acts(window, table, folder):
        print(f"\r\033[K{act.name}", end="", file=sys.stderr, flush=True)
        beat.restart()
        act.do()
        took = until(act.over, 300)
        until(partial(_passed, time.perf_counter() + _REST))
        worst = {"own": max(beat.cpu), "late": max(beat.gaps), "took_s": took}
        worst = {name: round(value, 1) for name, value in worst.items()}
        found[act.name] = max(found.get(act.name, worst), worst, key=lambda each: each["own"])
    return found


def _passed(moment: float) -> bool:
    return time.perf_counter() > moment


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    asked = parser.parse_args()
    if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys():
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QApplication([])
    use_fonts(app)
    apply_theme(app, "light")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["XDG_STATE_HOME"] = name  # what is written down of the training
        QSettings.setPath(QSettings.defaultFormat(), QSettings.Scope.UserScope, name)
        table = folder / "table.csv"
        write_table(table, asked.rows)
        window = MainWindow(Settings(), Session(Project()))
        window.resize(1400, 900)
        window.show()
        for _ in steps():  # as the program does once its window is there
            QApplication.processEvents()
        garbage.spare()
        Collecting(window)
        found = measured(window, table, folder)
        window.session.history.saved()
        window.close()
    if asked.json:
        print(json.dumps(found))
    else:
        for act, worst in sorted(found.items(), key=lambda item: -item[1]["own"]):
            print(f"{act:36} own {worst['own']:6.1f}  late {worst['late']:6.1f} ms")
    return int(any(worst["own"] > STALL for worst in found.values()))


if __name__ == "__main__":
    sys.exit(main())
