"""``callbacks``: what Keras's callbacks decide, told a made-up history epoch by epoch.

``meta["stopping"]`` and ``meta["plateau"]`` are lists of {``config``, ``values`` (of val_loss)} and
``stopped`` (the epoch after which training stops; -1 for none), ``best`` (the epoch whose weights
are kept) or ``rates`` (the learning rate after each epoch, from 0.1).

``meta["checkpoints"]``: likewise, of epochs of three batches, with ``saved``, the names of files.
``meta["swap"][case]``: ``swap_on_epoch`` and the ``history`` of a Dense(1) on ``swap/x, y`` from
``swap/w0, w1``; arrays ``swap/<case>_seen`` (its kernel at each epoch's end), ``_final0, 1``.
``meta["hooks"]``: for ``fit``, ``evaluate`` and ``predict`` the hooks that are called, each with
its number. ``meta["scheduled"]``: what is raised where a schedule gives the rate; null for nothing.
"""

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np

from tests.references.recording import Recording, floats, numbers, refusal, seeded

FALLING = [1.0, 0.8, 0.7, 0.71, 0.72, 0.69, 0.9, 0.95, 0.6, 0.99, 1.0, 1.1]
FLAT = [0.5, 0.5, 0.49995, 0.4999, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.2, 0.2]
WORSE = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2]
STOPPING: list[dict[str, Any]] = [
    {},
    {"patience": 2},
    {"patience": 3, "min_delta": 0.05},
    {"patience": 2, "start_from_epoch": 4},
    {"patience": 2, "baseline": 0.65},
    {"patience": 2, "mode": "max"},
    {"patience": 2, "min_delta": -0.2},
]
PLATEAU: list[dict[str, Any]] = [
    {"patience": 2},
    {"patience": 1, "factor": 0.5, "cooldown": 2},
    {"patience": 2, "factor": 0.2, "min_lr": 0.01},
    {"patience": 2, "min_delta": 0.05},
    {"patience": 2, "mode": "max"},
]


def told(kind: str, config: dict[str, Any], values: list[float]) -> dict[str, Any]:
    """The callback on a model that is nothing but a learning rate."""
    callback = getattr(keras.callbacks, kind)(**config)
    optimizer = SimpleNamespace(learning_rate=0.1)
    epochs: list[int] = []
    model = SimpleNamespace(
        optimizer=optimizer,
        stop_training=False,
        metrics=[],
        get_weights=lambda: epochs[-1],
        set_weights=lambda weights: None,
    )
    callback.set_model(model)
    callback.on_train_begin({})
    rates = []
    for epoch, value in enumerate(values):
        epochs.append(epoch)
        callback.on_epoch_end(epoch, {"val_loss": value})
        rates.append(float(optimizer.learning_rate))
        if model.stop_training:
            break
    facts = {"config": config, "values": values}
    if kind == "ReduceLROnPlateau":
        return {**facts, "rates": rates}
    stopped = epochs[-1] if model.stop_training else -1
    return {**facts, "stopped": stopped, "best": callback.best_weights}


CHECKPOINTS: list[dict[str, Any]] = [
    {},
    {"save_best_only": True},
    {"save_best_only": True, "mode": "max"},
    {"save_best_only": True, "initial_value_threshold": 0.65},
    {"save_freq": 4},
    {"save_freq": 4, "save_best_only": True, "monitor": "loss"},
]
BATCHES = 3  # of an epoch


def saved(config: dict[str, Any], values: list[float]) -> dict[str, Any]:
    """The names of the files a ModelCheckpoint writes, without their suffix."""
    callback = keras.callbacks.ModelCheckpoint("{epoch:02d}-{loss:.2f}.keras", **config)
    names: list[str] = []
    model = SimpleNamespace(metrics=[], save=lambda path, overwrite: names.append(path[:-6]))
    callback.set_model(model)
    callback.on_train_begin({})
    for epoch, value in enumerate(values):
        callback.on_epoch_begin(epoch, {})
        for batch in range(BATCHES):
            callback.on_train_batch_end(batch, {"loss": value + batch / 100})
        callback.on_epoch_end(epoch, {"loss": value, "val_loss": value})
    return {"config": config, "values": values, "saved": names}


class Told(keras.callbacks.Callback):
    """Writes down every hook that is called, with its number."""

    def __init__(self) -> None:
        super().__init__()
        self.hooks: list[Any] = []
        for name in dir(keras.callbacks.Callback):
            if name.startswith("on_") and name not in ("on_batch_begin", "on_batch_end"):
                setattr(self, name, partial(self.called, name))

    def called(self, name: str, *args: Any, logs: Any = None) -> None:
        self.hooks.append([name, *(number for number in args if isinstance(number, int))])


def hooks() -> dict[str, Any]:
    """What ``fit`` with validation, ``evaluate`` and ``predict`` tell a callback."""
    symbol, found = keras.Input((1,)), {}
    model = keras.Model(symbol, keras.layers.Dense(1)(symbol))
    model.compile("sgd", "mse")
    x = np.zeros((6, 1), np.float32)
    options: dict[str, Any] = {"batch_size": 4, "verbose": 0}
    model.fit(x, x, validation_data=(x, x), callbacks=[told := Told()], epochs=2, **options)
    found["fit"] = told.hooks
    model.evaluate(x, x, callbacks=[told := Told()], **options)
    found["evaluate"] = told.hooks
    model.predict(x, callbacks=[told := Told()], **options)
    found["predict"] = told.hooks
    model.predict(x, steps=1, callbacks=[told := Told()], **options)
    found["predict_steps"] = told.hooks
    return found


def scheduled() -> dict[str, Any]:
    """What callbacks that set the rate do where a schedule gives it."""
    symbol, found = keras.Input((1,)), {}
    model = keras.Model(symbol, keras.layers.Dense(1)(symbol))
    x = np.zeros((6, 1), np.float32)
    for name, callback in {
        "ReduceLROnPlateau": keras.callbacks.ReduceLROnPlateau("loss", patience=1),
        "LearningRateScheduler": keras.callbacks.LearningRateScheduler(lambda epoch: 0.1),
    }.items():
        rate = keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
        model.compile(keras.optimizers.SGD(rate), "mse")
        fit = partial(model.fit, x, x, epochs=4, verbose=0, callbacks=[callback])
        found[name] = refusal(fit)
    return found


class Seen(keras.callbacks.Callback):
    """Keeps the first weight at each epoch's end."""

    def __init__(self) -> None:
        super().__init__()
        self.kernels: list[Any] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.kernels.append(self.model.get_weights()[0])


def swapped(recording: Recording) -> None:
    """``fit`` with SwapEMAWeights: the history, and the weights a later callback saw."""
    rng = seeded(71)
    x, y = floats(rng, 12, 3), floats(rng, 12, 1)
    start = [floats(rng, 3, 1), floats(rng, 1)]
    for key, array in {"swap/x": x, "swap/y": y, "swap/w0": start[0], "swap/w1": start[1]}.items():
        recording.put(key, array)
    recording.meta["swap"] = {}
    for name, on_epoch in (("within", False), ("epochs", True)):
        symbol, seen = keras.Input((3,)), Seen()
        model = keras.Model(symbol, keras.layers.Dense(1)(symbol))
        model.set_weights(start)
        optimizer = keras.optimizers.SGD(0.2, use_ema=True, ema_momentum=0.7)
        model.compile(optimizer, "mse")
        watching = [keras.callbacks.SwapEMAWeights(on_epoch), seen]
        options = {"epochs": 3, "batch_size": 4, "shuffle": False, "verbose": 0}
        history = model.fit(x, y, validation_data=(x, y), callbacks=watching, **options).history
        recording.meta["swap"][name] = {"swap_on_epoch": on_epoch, "history": numbers(history)}
        recording.put(f"swap/{name}_seen", np.stack(seen.kernels))
        for index, weight in enumerate(model.get_weights()):
            recording.put(f"swap/{name}_final{index}", weight)


def callbacks() -> Recording:
    recording = Recording()
    series = (FALLING, FLAT, WORSE)
    recording.meta["stopping"] = [
        told("EarlyStopping", {**config, "restore_best_weights": True}, values)
        for config in STOPPING
        for values in series
    ]
    recording.meta["plateau"] = [
        told("ReduceLROnPlateau", config, values) for config in PLATEAU for values in series
    ]
    recording.meta["checkpoints"] = [
        saved(config, values) for config in CHECKPOINTS for values in series
    ]
    swapped(recording)
    recording.meta |= {"hooks": hooks(), "scheduled": scheduled()}
    return recording


RECORDINGS: dict[str, Callable[[], Recording]] = {"callbacks": callbacks}
