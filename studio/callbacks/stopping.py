"""Ending a training early."""

import math
from collections.abc import Sequence

from studio.callbacks.base import Callback, Logs
from studio.callbacks.monitor import Monitor, say
from studio.engine.program import Array
from studio.problem import refuse
from studio.text import text
from studio.train.stopping import Patience


class EarlyStopping(Monitor, Patience):
    """Stops once a number has not become better for `patience` epochs."""

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        """As Keras.

        Args:
            monitor: a key of the history.
            min_delta: less of a gain than this is none.
            patience: for how many epochs without a gain to go on.
            verbose: 1 prints when it stops.
            mode: "min", "max", or "auto", by what is watched.
            baseline: patience starts anew only by what is better than this, too.
            restore_best_weights: end with the weights of the best epoch.
            start_from_epoch: epochs before this one are not looked at.
        """
        Patience.__init__(self, monitor, min_delta, patience, mode, baseline, start_from_epoch)
        self.verbose = verbose
        self.restore_best_weights = restore_best_weights
        self.best_weights: Sequence[Array] | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.start()
        self.best_weights = None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        current = self.watched(logs)
        if current is None:
            return
        best, stop = self.look(epoch, current)
        if best and self.restore_best_weights:
            self.best_weights = self.model.get_weights()
        if stop:
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.stopped_epoch:
            say(self.verbose, text("training.stopped_early", epoch=self.stopped_epoch + 1))
        if self.best_weights is not None:
            say(self.verbose, text("training.best_restored", epoch=self.best_epoch + 1))
            self.model.set_weights(self.best_weights)


class TerminateOnNaN(Callback):
    """Stops once the loss is no longer a finite number."""

    def __init__(self, raise_error: bool = False) -> None:
        self.raise_error = raise_error

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise refuse("loss_not_finite", batch=batch, received=loss)
        say(1, text("training.not_finite", batch=batch))
        self.model.stop_training = True
