"""How long the window stands still while it trains and is worked in. Run by hand, asserts nothing.

python -m tests.benchmarks.window_stalls [--seconds 60] [--lens] [--json]  # without a screen too

The headline example trains in its process, its curves are drawn live, and somebody drags nodes,
undoes and redoes all the while, by mouse and key events every 8 ms. A timer of 5 ms in the window
tells how much later than that it rang: that long nobody could have moved anything. The end is in
it: the training is stopped, and what it learnt arrives. With `--lens` all is looked into besides:
the lens is on, a probe is pinned, and the pages of the Insight dock and the curves come into sight
in turn.
"""

import argparse
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

from PySide6.QtCore import QEventLoop, QPoint, QPointF, QSettings, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from studio import garbage
from studio.document import edits
from studio.document.model import Document, Endpoint
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.ui.collecting import Collecting
from studio.ui.session import Session
from studio.ui.settings import Settings
from studio.ui.study.dock import PAGES
from studio.ui.theme import apply_theme, use_fonts
from studio.ui.warming import steps
from studio.ui.window import MainWindow

_TICK = 5  # milliseconds
_HAND = 8  # milliseconds between two moves of the mouse
_STEPS = 60  # moves of one drag
_LOOK = 1500  # milliseconds that one page is looked at


@dataclass
class Stalls:
    """How late the timer rang, in milliseconds, and during what.

    Attributes:
        own: what of it the window's thread itself computed: the rest is the machine's, whose cores
            others use.
        acts: what the hand did last before each stall of more than 20 ms.
        worst: of each act, by the thread's own time.
    """

    late: list[float] = field(default_factory=list)
    own: list[float] = field(default_factory=list)
    acts: dict[str, int] = field(default_factory=dict)
    worst: dict[str, float] = field(default_factory=dict)

    def take(self, late: float, own: float, act: str) -> None:
        self.late.append(late)
        self.own.append(own)
        if late > 20:
            self.acts[act] = self.acts.get(act, 0) + 1
        self.worst[act] = max(self.worst.get(act, 0.0), own)

    def summary(self) -> dict[str, object]:
        return {
            "ticks": len(self.late),
            **_shares("", self.late),
            **_shares("own_", self.own),
            "stalls_during": self.acts,
            "worst_own_ms": {act: round(own, 1) for act, own in self.worst.items()},
        }


def _shares(name: str, values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    shares = {"p50": 0.5, "p99": 0.99, "p999": 0.999, "max": 1.0}
    last = len(ordered) - 1
    found = {
        f"{name}{share}_ms": round(ordered[min(last, math.floor(part * len(ordered)))], 1)
        for share, part in shares.items()
    }
    for limit in (20, 50):
        found[f"{name}over_{limit}_ms"] = sum(value > limit for value in ordered)
    return found


class Hand:
    """Somebody who never rests: drags one node after the other, undoes, redoes."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self.act = "rest"
        self.drags = 0
        self._moves = self._work()

    def step(self) -> None:
        next(self._moves)

    def _work(self) -> Iterator[None]:
        view = self._window.canvas
        while True:
            for item in list(view.canvas.items_by_call.values()):
                start = view.mapFromScene(item.pos() + QPointF(40, 10))
                self.act = "press"
                QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=start)
                yield
                for i in range(_STEPS):
                    self.act = "drag"
                    turn = i / _STEPS * math.tau
                    by = QPoint(round(60 * math.sin(turn)), round(40 - 40 * math.cos(turn)))
                    QTest.mouseMove(view.viewport(), start + by + QPoint(i // 3, 0))
                    yield
                self.act = "drop"
                end = start + QPoint(_STEPS // 3, 0)
                QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=end)
                self.drags += 1
                yield
                for key in ("Z", "Y", "Z"):
                    self.act = "undo" if key == "Z" else "redo"
                    code = Qt.Key.Key_Z if key == "Z" else Qt.Key.Key_Y
                    QTest.keyClick(view, code, Qt.KeyboardModifier.ControlModifier)
                    yield


class Eyes:
    """Somebody who looks into the training: the lens, a probe, one page after the other."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self.act = ""
        self._pages = cycle((*PAGES, "curves"))
        document = window.session.document
        call = next(c for c in document.graph.calls if document.entry(c).kind == "LSTM")
        window.canvas.lens.toggle()
        window.canvas.probes.pin([Endpoint(call, "output")])

    def turn(self) -> None:
        page = next(self._pages)
        self.act = f", page {page}"
        self._window.raise_dock("training" if page == "curves" else "insight")
        if page in PAGES:
            self._window.desk.insight.show_page(page)


def measured(window: MainWindow, seconds: float, lens: bool = False) -> dict[str, object]:
    """Train, work, look at the clock."""
    stalls, hand, training = Stalls(), Hand(window), window.training.training
    clock, hands, looks = QTimer(), QTimer(), QTimer()
    eyes = Eyes(window) if lens else None
    last = [time.perf_counter(), time.thread_time()]
    told: list[str] = []

    def tick() -> None:
        now, used = time.perf_counter(), time.thread_time()
        act = f"{training.phase.name.lower()} {hand.act}"
        if eyes is not None:
            act, eyes.act = act + eyes.act, ""
        stalls.take(max(0.0, (now - last[0]) * 1000 - _TICK), (used - last[1]) * 1000, act)
        last[:] = now, used

    clock.setTimerType(Qt.TimerType.PreciseTimer)
    clock.timeout.connect(tick)
    hands.setTimerType(Qt.TimerType.PreciseTimer)
    hands.timeout.connect(hand.step)
    training.failed.connect(lambda event: told.append(str(event)))
    window.train()
    _until(lambda: training.progress.steps > 0 or bool(told), 120)
    last[:] = time.perf_counter(), time.thread_time()
    clock.start(_TICK)
    hands.start(_HAND)
    if eyes is not None:
        looks.timeout.connect(eyes.turn)
        looks.start(_LOOK)
    _until(lambda: bool(told), seconds)
    looks.stop()
    hand.act = "end"
    window.training.stop()
    _until(lambda: not training.running, 30)
    _until(lambda: False, 1.0)
    clock.stop()
    hands.stop()
    if told:
        raise SystemExit(f"training failed: {told[0]}")
    progress = training.progress
    return {**stalls.summary(), "drags": hand.drags, "steps": progress.steps}


def _until(done: Callable[[], bool], seconds: float) -> None:
    """Let the window live until something holds, at most so long."""
    loop, asking = QEventLoop(), QTimer()
    asking.timeout.connect(lambda: done() and loop.quit())
    asking.start(50)
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--epochs", type=int, default=1000)
    parser.add_argument("--lens", action="store_true", help="look into the training besides")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    asked = parser.parse_args()
    if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys():
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QApplication([])
    use_fonts(app)
    apply_theme(app, "light")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = folder  # what is written down of the training
        QSettings.setPath(QSettings.defaultFormat(), QSettings.Scope.UserScope, folder)
        kept_in = Path(folder) / "recovery"  # all that is done is written down, as in the program
        window = MainWindow(Settings(), Session(Project(_document(asked.epochs))), kept_in)
        window.resize(1400, 900)
        window.show()
        window.raise_dock("training")
        _until(lambda: False, 1.0)
        for _ in steps():  # as the program does once its window is there
            pass
        garbage.spare()
        Collecting(window)
        found = measured(window, asked.seconds, asked.lens)
    if asked.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:18} {value}")


def _document(epochs: int) -> Document:
    """The headline example, longer than anybody waits."""
    return edits.set_run(EXAMPLES["headline"](), epochs=epochs)


if __name__ == "__main__":
    main()
