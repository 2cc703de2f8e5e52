"""``callbacks``: what Keras's callbacks decide, told a made-up history epoch by epoch.

``meta["stopping"]`` and ``meta["plateau"]`` are lists of {``config``, ``values`` (of val_loss)} and
``stopped`` (the epoch after which training stops; -1 for none), ``best`` (the epoch whose weights
are kept) or ``rates`` (the learning rate after each epoch, from 0.1).
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import keras

from tests.references.recording import Recording

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
    return recording


RECORDINGS: dict[str, Callable[[], Recording]] = {"callbacks": callbacks}
