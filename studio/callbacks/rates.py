"""Changing the learning rate while training."""

from collections.abc import Callable, MutableMapping
from typing import Any

from studio.callbacks.base import Callback, Logs
from studio.callbacks.monitor import Monitor, say
from studio.problem import refuse
from studio.text import text
from studio.train.stopping import Plateau


class ReduceLROnPlateau(Monitor, Plateau):
    """Multiplies the learning rate by `factor` after `patience` epochs without a gain."""

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        """As Keras.

        Args:
            monitor: a key of the history.
            factor: below 1.
            patience: for how many epochs without a gain to wait.
            verbose: 1 prints when the rate changes.
            mode: "min", "max", or "auto", by what is watched.
            min_delta: less of a gain than this is none.
            cooldown: for how many epochs after a change not to count.
            min_lr: the rate is never set below it.
        """
        Plateau.__init__(self, monitor, factor, patience, mode, min_delta, cooldown, min_lr)
        self.verbose = verbose

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.start()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        log_rate(self, logs)
        current = self.watched(logs)
        if current is None:
            return
        before = self.model.optimizer.learning_rate
        rate = self.look(current, before)
        if rate != before:
            self.model.optimizer.learning_rate = rate
            say(self.verbose, text("training.rate_reduced", epoch=epoch + 1, rate=f"{rate:g}"))


class LearningRateScheduler(Callback):
    """Sets the learning rate before each epoch: ``schedule(epoch, rate)``, or ``(epoch)``."""

    def __init__(self, schedule: Callable[..., Any], verbose: int = 0) -> None:
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        try:
            rate = self.schedule(epoch, self.model.optimizer.learning_rate)
        except TypeError:  # a function of the epoch alone
            rate = self.schedule(epoch)
        if not isinstance(rate, float) and type(rate).__name__ not in ("float32", "float64"):
            raise refuse("callback_rate", received=rate)
        self.model.optimizer.learning_rate = float(rate)
        say(self.verbose, text("training.rate_set", epoch=epoch + 1, rate=f"{rate:g}"))

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        log_rate(self, logs)


def log_rate(callback: Callback, logs: Logs | None) -> None:
    """Add the rate to the epoch's logs, as Keras does: it is part of the history."""
    if isinstance(logs, MutableMapping):
        logs["learning_rate"] = callback.model.optimizer.learning_rate
