"""Garbage is collected by the window's thread alone, between two events."""

import gc

from PySide6.QtCore import QObject, QTimer

from studio import garbage

_PAUSE = 200  # milliseconds between two looks
_YOUNG = 2000  # new objects that are worth a collection
_ROUNDS = 10  # collections of a generation for one of the next
_GROWTH = 1.25  # of old objects, for a collection of all of them


class Collecting(QObject):
    """Collects as Python does by itself, but never in another thread and never amid an event.

    Q: Why not leave it to Python?
    A: It collects in whatever thread makes an object too many: in one that hears a trainer, say. A
       window's items that are garbage by then would be destroyed there, which crashes the program.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._old = len(gc.get_objects(2))  # what there is at the start, or later was left, stays
        garbage.rest()
        self.destroyed.connect(garbage.resume)
        self._timer = QTimer(self, interval=_PAUSE)
        self._timer.timeout.connect(self.collect)
        self._timer.start()

    def collect(self) -> None:
        """Collect what is due."""
        young, middle, old = gc.get_count()
        if young < _YOUNG:
            return
        if middle < _ROUNDS:
            gc.collect(0)
        elif old < _ROUNDS or not self._has_grown():
            gc.collect(1)
        else:
            gc.collect()
            self._old = len(gc.get_objects(2))

    def _has_grown(self) -> bool:
        """Whether there is so much more that to look at everything, which is long, is worth it."""
        count = len(gc.get_objects(2))
        self._old = min(self._old, count)  # `garbage.spare` was called, say
        return count > self._old * _GROWTH
