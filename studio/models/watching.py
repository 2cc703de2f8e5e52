"""Callbacks told of what happens, in Keras's order."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from studio.callbacks import Callback
from studio.problem import refuse
from studio.train.events import BatchDone, BatchStarted, EpochDone, EpochStarted, Event
from studio.train.means import Logs
from studio.train.several import joined


def as_callbacks(given: Any) -> list[Callback]:
    """One callback, several, or none, as a list."""
    found = [given] if isinstance(given, Callback) else given or []
    for callback in found if isinstance(found, list | tuple) else [found]:
        if not isinstance(callback, Callback):
            raise refuse("not_a_callback", received=type(callback).__name__)
    return list(found)


def told(events: Iterator[Event], callbacks: Sequence[Callback]) -> Iterator[Event]:
    """The events, each told to the callbacks as it passes."""
    for event in events:
        if isinstance(event, EpochDone):
            event = replace(event, logs=joined(event.logs))  # which callbacks may add to
        for callback in callbacks:
            _tell(event, callback)
        yield event
    for callback in callbacks:
        callback.on_train_end({})


def _tell(event: Event, callback: Callback) -> None:
    match event:
        case EpochStarted(epoch):
            callback.on_epoch_begin(epoch, {})
        case BatchStarted(_, batch):
            callback.on_train_batch_begin(batch, {})
        case BatchDone(_, batch, logs):
            callback.on_train_batch_end(batch, logs)
        case EpochDone(epoch, logs):
            callback.on_epoch_end(epoch, logs)


class Testing:
    """Tells callbacks of an evaluation, a `studio.train.trainer.Watch`."""

    def __init__(self, callbacks: Sequence[Callback]) -> None:
        self._callbacks = callbacks

    def begin(self) -> None:
        for callback in self._callbacks:
            callback.on_test_begin({})

    def batch_begin(self, batch: int) -> None:
        for callback in self._callbacks:
            callback.on_test_batch_begin(batch, {})

    def batch_end(self, batch: int, logs: Logs) -> None:
        for callback in self._callbacks:
            callback.on_test_batch_end(batch, logs)

    def end(self, logs: Logs) -> None:
        for callback in self._callbacks:
            callback.on_test_end(joined(logs))


class Predicting:
    """Tells callbacks of a prediction, a `studio.train.predict.Watch`."""

    def __init__(self, callbacks: Sequence[Callback]) -> None:
        self._callbacks = callbacks

    def begin(self) -> None:
        for callback in self._callbacks:
            callback.on_predict_begin({})

    def batch_begin(self, batch: int) -> None:
        for callback in self._callbacks:
            callback.on_predict_batch_begin(batch, {})

    def batch_end(self, batch: int, outputs: Mapping[str, Any]) -> None:
        found = list(outputs.values())
        for callback in self._callbacks:
            logs = {"outputs": found[0] if len(found) == 1 else found}
            callback.on_predict_batch_end(batch, logs)

    def end(self) -> None:
        for callback in self._callbacks:
            callback.on_predict_end({})
