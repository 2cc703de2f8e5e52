"""How a large table is opened in the window, and how long that makes the window wait.

python -m tests.benchmarks.data [--rows 1000000] [--json]    # without a screen: offscreen

A CSV file of ten columns is written, and chosen in the data dock. A timer in the window that wants
to be heard every 2 ms tells for how long it was not (`stall_…`, milliseconds): while the file is
read, while a binding is edited, while a reading is cancelled and another file is chosen. `preview`
and `whole` are seconds until the first rows, and all that was found in the file, are shown. Exits
with 1 where the preview takes a second, a stall is longer than 50 ms, or a process is left.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
from PySide6.QtCore import QObject, QSettings, Qt, QTimer
from PySide6.QtWidgets import QApplication

from studio import garbage
from studio.document import edits
from studio.document.plan import ClassColumn, NumberColumns, TextColumn
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.ui.collecting import Collecting
from studio.ui.session import Session
from studio.ui.settings import Settings
from studio.ui.theme import apply_theme
from studio.ui.warming import steps
from studio.ui.window import MainWindow

PREVIEW = 1.0  # seconds
STALL = 50.0  # milliseconds
_BLOCK = 100_000  # rows written together
_WORDS = ("red", "green", "blue", "warm", "cold", "fast", "slow", "tiny", "huge", "calm")


def write_table(path: Path, rows: int, seed: int = 0) -> None:
    """Ten columns: numbers, whole numbers with some missing, labels, dates, texts."""
    rng = np.random.default_rng(seed)
    with path.open("w", encoding="utf-8") as file:
        file.write("id,price,size,rating,city,kind,day,title,clicks,bought\n")
        for start in range(0, rows, _BLOCK):
            count = min(_BLOCK, rows - start)
            columns: list[list[str]] = [
                [str(start + i) for i in range(count)],
                [f"{x:.2f}" for x in rng.gamma(2, 30, count)],
                [f"{x:.3f}" for x in rng.normal(10, 3, count)],
                [str(x) if x < 5 else "" for x in rng.integers(1, 6, count)],
                [f"city {x}" for x in rng.integers(0, 40, count)],
                [_WORDS[x] for x in rng.integers(0, 10, count)],
                [f"2024-{x // 28 + 1:02d}-{x % 28 + 1:02d}" for x in rng.integers(0, 336, count)],
                [f"the {' '.join(_WORDS[x] for x in some)} thing" for some in _drawn(rng, count)],
                [str(x) for x in rng.poisson(20, count)],
                ["yes" if x else "no" for x in rng.random(count) < 0.3],
            ]
            file.writelines(f"{','.join(row)}\n" for row in zip(*columns, strict=True))


def _drawn(rng: np.random.Generator, count: int) -> list[list[int]]:
    drawn: list[list[int]] = rng.integers(0, 10, (count, 4)).tolist()
    return drawn


class Heartbeat(QObject):
    """For how long the window's thread heard nothing, in milliseconds, each time.

    On a busy machine most of it is waiting for a core: `cpu` is what the thread computed itself.
    """

    def __init__(self) -> None:
        super().__init__()
        self.gaps: list[float] = []
        self.cpu: list[float] = []
        self._last, self._cpu = time.perf_counter(), time.thread_time()
        self._timer = QTimer(self, interval=2, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def _beat(self) -> None:
        now, cpu = time.perf_counter(), time.thread_time()
        self.gaps.append(1000 * (now - self._last))
        self.cpu.append(1000 * (cpu - self._cpu))
        self._last, self._cpu = now, cpu

    def restart(self) -> None:
        """Forget what was."""
        self.gaps.clear()
        self.cpu.clear()
        self._last, self._cpu = time.perf_counter(), time.thread_time()

    def worst(self) -> dict[str, float]:
        """The longest, and what 99 of 100 stay below."""
        return {
            "p99": round(float(np.percentile(self.gaps, 99)), 1),
            "max": round(max(self.gaps), 1),
            "cpu": round(max(self.cpu), 1),
        }


def until(done: Callable[[], bool], seconds: float = 120.0) -> float:
    """Let the window live until something is so; how long that took."""
    start = time.perf_counter()
    while not done():
        QApplication.processEvents()
        time.sleep(0.0005)
        if time.perf_counter() - start > seconds:
            raise TimeoutError(f"not so within {seconds} s")
    return time.perf_counter() - start


def measure(path: Path, other: Path) -> dict[str, object]:
    """Each measure by its name."""
    window = MainWindow(Settings(), Session(Project(EXAMPLES["headline"]())))
    window.resize(1400, 900)
    window.show()
    window.panels.raise_("data")
    for _ in steps():  # as the window does while nobody wants anything of it
        pass
    garbage.spare()
    Collecting(window)
    dock, beat = window.data, Heartbeat()
    until(lambda: not dock.busy)
    found: dict[str, object] = {}

    def shown(name: str) -> bool:
        return dock.look.table is not None and dock.look.table.name == name

    beat.restart()
    dock.use_file(path)
    found["preview"] = round(until(lambda: shown(path.name)), 2)
    whole = until(lambda: not dock.busy)
    found["whole"] = round(float(found["preview"]) + whole, 2)  # type: ignore[arg-type]
    found["stall_reading"] = beat.worst()

    beat.restart()
    dock.use(None)
    until(lambda: not dock.busy)
    document = edits.set_data(window.session.document, **bound(window))
    window.session.commit("bind", document)
    until(lambda: not dock.busy)
    dock.use_file(path)
    until(lambda: not dock.busy and dock.look.rows is not None)
    text = window.session.document.plan.data.inputs[window.session.document.graph.inputs[0]]
    inputs = {**window.session.document.plan.data.inputs}
    inputs[window.session.document.graph.inputs[0]] = replace(text, length=50)
    window.session.commit("edit", edits.set_data(window.session.document, inputs=inputs))
    found["edit"] = round(until(lambda: not dock.busy), 2)
    found["stall_editing"] = beat.worst()

    beat.restart()
    dock.use_file(other)
    until(lambda: shown(other.name))
    first = dock.reader
    dock.use_file(path)
    until(lambda: shown(path.name))
    dock.progress.cancelled.emit()
    until(lambda: not dock.busy)
    found["stall_choosing"] = beat.worst()

    dock.use_file(other)
    until(lambda: shown(other.name))
    second = dock.reader
    window.session.history.saved()
    window.close()
    readers = {pid for pid in (first, second) if pid is not None}
    assert len(readers) == 2
    until(lambda: not any(map(psutil.pid_exists, readers)), 5)
    found["processes_left"] = sum(map(psutil.pid_exists, readers))
    window.deleteLater()
    return found


def bound(window: MainWindow) -> dict[str, object]:
    """Bindings of the example's ports to columns of the file."""
    document = window.session.document
    first, second = document.graph.inputs
    numbers = NumberColumns(("id", "price", "size", "clicks", "clicks"), scaling="standardize")
    targets = {endpoint.key: ClassColumn("bought") for endpoint in document.graph.outputs}
    inputs = {first: TextColumn("title", 100, 10000), second: numbers}
    return {"inputs": inputs, "targets": targets}


def main() -> int:
    """Print every measure; 1 where one is too much."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory() as folder:
        QSettings.setDefaultFormat(QSettings.Format.IniFormat)
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, folder)
        app = QApplication([])
        apply_theme(app, "light")
        path, other = Path(folder) / "large.csv", Path(folder) / "other.csv"
        write_table(path, given.rows)
        write_table(other, given.rows, 1)
        found = measure(path, other)
    stalls = {name: value for name, value in found.items() if isinstance(value, dict)}
    late = float(str(found["preview"])) >= PREVIEW or found["processes_left"]
    late = late or any(value["max"] > STALL for value in stalls.values())
    print(json.dumps(found, indent=None if given.json else 2))
    return int(bool(late))


if __name__ == "__main__":
    sys.exit(main())
