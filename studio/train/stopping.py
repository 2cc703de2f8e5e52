"""What Keras's EarlyStopping and ReduceLROnPlateau count, epoch by epoch; and what "better" means.

Pure: numbers in, decisions out. `studio.train.fit` asks them for the run plan, `studio.callbacks`
for scripts; so both decide alike. Attributes have Keras's names.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from studio.document.plan import OutputPlan
from studio.problem import Problem, refuse, warn

MODES = ("auto", "min", "max")


class Watcher:
    """Compares a number of the history with the best so far.

    Attributes:
        outputs: what is trained, by endpoint key: its metrics say which way is better.
        best: the best so far; None before the first.
        counted: the attributes that change as epochs go by, to be kept and put back.
    """

    outputs: Mapping[str, OutputPlan] = {}
    counted: ClassVar[tuple[str, ...]] = ("best",)

    def __init__(
        self, monitor: str, mode: str, baseline: float | None = None, min_delta: float = 0
    ) -> None:
        if mode not in MODES:
            raise refuse("callback_mode", received=mode, expected=", ".join(MODES))
        self.monitor = monitor
        self.mode = mode
        self.min_delta = abs(min_delta)
        self.best = baseline

    def watched(self, logs: Mapping[str, float] | None) -> float | None:
        """The number, or None, with a warning, where there is none."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            warn(self.missing(logs or {}))
        elif np.size(value) != 1:
            about = {"callback": self._called(), "monitor": self.monitor}
            raise refuse("callback_several", received=np.size(value), **about)
        return value

    def missing(self, logs: Mapping[str, float]) -> Problem:
        """The problem of logs that lack the number."""
        about = {"callback": self._called(), "monitor": self.monitor, "known": ", ".join(logs)}
        return Problem("callback_unwatched", args=about, severity="warning")

    def improves(self, value: float, best: float | None) -> bool:
        """Whether a number is better than another by more than `min_delta`."""
        if best is None:
            return True
        if self.wants_more():
            return value - self.min_delta > best
        return value + self.min_delta < best

    def wants_more(self) -> bool:
        """Whether more is better: as told, or as the metric of that name says of itself.

        Raises:
            ProblemError: ``callback_direction``: neither tells.
        """
        if self.mode != "auto":
            return self.mode == "max"
        watched = self.monitor.removeprefix("val_")
        if watched == "loss" or watched.endswith("_loss"):
            return False
        for plan in self.planned().values():
            for metric in (*plan.metrics, *plan.weighted_metrics):
                found = watched == metric.name or watched.endswith(f"_{metric.name}")
                if found and metric.better:
                    return metric.better == "more"
        raise refuse("callback_direction", callback=self._called(), monitor=self.monitor)

    def planned(self) -> Mapping[str, OutputPlan]:
        """What is trained now, by endpoint key."""
        return self.outputs

    def counts(self) -> dict[str, Any]:
        """What it has counted, as JSON values."""
        return {name: getattr(self, name) for name in self.counted}

    def take_up(self, counts: Mapping[str, Any]) -> None:
        """Go on from what `counts` gave."""
        for name in self.counted:
            setattr(self, name, counts.get(name, getattr(self, name)))

    def _called(self) -> str:
        """What messages call it: by the name of Keras's callback, not of the part beneath it."""
        return type(self).__name__


class Patience(Watcher):
    """When to stop, and which epoch is the best: the counting of Keras's EarlyStopping."""

    counted = ("best", "wait", "stopped_epoch", "best_epoch")

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience = patience
        self.baseline = baseline
        self.start_from_epoch = start_from_epoch
        self.start()

    def start(self) -> None:
        """Nothing is counted yet."""
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best = None

    def look(self, epoch: int, value: float) -> tuple[bool, bool]:
        """Take an epoch in: whether it is the best so far, and whether to stop after it."""
        if epoch < self.start_from_epoch:
            return False, False
        self.wait += 1
        if self.improves(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.baseline is None or self.improves(value, self.baseline):
                self.wait = 0
            return True, False
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            return False, True
        return False, False

    def _called(self) -> str:
        return "EarlyStopping"


class Plateau(Watcher):
    """When to lower the learning rate, and to what: the counting of Keras's ReduceLROnPlateau."""

    counted = ("best", "wait", "cooldown_counter")

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        if not 0 <= factor < 1:
            raise refuse("callback_factor", received=factor)
        self.factor = factor
        self.patience = patience
        self.cooldown = cooldown
        self.min_lr = min_lr
        self.start()

    def start(self) -> None:
        """Nothing is counted yet."""
        self.cooldown_counter = self.wait = 0
        self.best = None

    def look(self, value: float, rate: float) -> float:
        """Take an epoch in: the learning rate of the next one."""
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improves(value, self.best):
            self.best, self.wait = value, 0
        elif self.cooldown_counter <= 0:
            self.wait += 1
            if self.wait >= self.patience and rate > self.min_lr:
                self.cooldown_counter, self.wait = self.cooldown, 0
                return max(rate * self.factor, self.min_lr)
        return rate

    def _called(self) -> str:
        return "ReduceLROnPlateau"
