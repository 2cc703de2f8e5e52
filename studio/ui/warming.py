"""What is slow the first time, done in little steps while the window has nothing else to do."""

import os
from collections.abc import Iterator
from importlib import import_module
from multiprocessing import resource_tracker

from PySide6.QtCore import QObject, QTimer

from studio import garbage
from studio.declare import declared, registry
from studio.engine import operator

_FAMILIES = (
    *("layers", "losses", "optimizers", "metrics"),
    *("initializers", "regularizers", "constraints", "optimizers.schedules"),
)
# What the window imports only where it is wanted.
_LATER = (
    *(f"studio.ui.study.{page}_page" for page in ("lens", "values", "time", "ablation")),
    "studio.ui.parity_dialog",
)
_PAUSE = 20  # milliseconds between two steps


def steps() -> Iterator[None]:
    """Load what forms list, and what shapes are told by: that took the first page of a node, and
    the first layer put in, a tenth of a second each. And start what Python starts beside the first
    process it spawns: both together held the window up. And the pages that are loaded only when
    they are looked at.
    """
    if os.name == "posix":
        resource_tracker.ensure_running()
        yield
    for family in _FAMILIES:
        for kind in registry(family):
            declared(family, kind)
            yield
    yield from operator.load()
    for name in _LATER:
        import_module(name)
        yield


class Warming(QObject):
    """Takes all steps, then has the garbage collector pass over what there is by now."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._steps = steps()
        self._timer = QTimer(self, interval=_PAUSE)
        self._timer.timeout.connect(self._step)
        self._timer.start()

    def _step(self) -> None:
        try:
            next(self._steps)
        except StopIteration:
            self._timer.stop()
            garbage.spare()
