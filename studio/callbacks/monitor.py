"""Watching one number of the history: whether it became better, and which way that is."""

import sys

import numpy as np

from studio.callbacks.base import Callback, Logs
from studio.problem import Problem, refuse, warn

MODES = ("auto", "min", "max")


class Monitor(Callback):
    """Base of the callbacks that compare a number with the best so far.

    Attributes:
        best: the best so far; None before the first.
    """

    def __init__(
        self, monitor: str, mode: str, baseline: float | None = None, min_delta: float = 0
    ) -> None:
        if mode not in MODES:
            raise refuse("callback_mode", received=mode, expected=", ".join(MODES))
        self.monitor = monitor
        self.mode = mode
        self.min_delta = abs(min_delta)
        self.best = baseline

    def watched(self, logs: Logs | None) -> float | None:
        """The number, or None, with a warning, where there is none."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            known = ", ".join(logs or {})
            about = {"callback": type(self).__name__, "monitor": self.monitor, "known": known}
            warn(Problem("callback_unwatched", args=about, severity="warning"))
        elif np.size(value) != 1:
            about = {"callback": type(self).__name__, "monitor": self.monitor}
            raise refuse("callback_several", received=np.size(value), **about)
        return value

    def improves(self, value: float, best: float | None) -> bool:
        """Whether a number is better than another by more than `min_delta`."""
        if best is None:
            return True
        if self._wants_more():
            return value - self.min_delta > best
        return value + self.min_delta < best

    def _wants_more(self) -> bool:
        """Whether more is better: as told, or as the metric of that name says of itself."""
        if self.mode != "auto":
            return self.mode == "max"
        watched = self.monitor.removeprefix("val_")
        if watched == "loss" or watched.endswith("_loss"):
            return False
        for plan in self.model.document.plan.outputs.values():
            for metric in (*plan.metrics, *plan.weighted_metrics):
                found = watched == metric.name or watched.endswith(f"_{metric.name}")
                if found and metric.better:
                    return metric.better == "more"
        raise refuse("callback_direction", callback=type(self).__name__, monitor=self.monitor)


def say(verbose: int, line: str) -> None:
    """Print a line unless told to be silent."""
    if verbose > 0:
        sys.stdout.write(f"{line}\n")
