"""Trains random models, each in a process of its own, and says how much each process grew by.

``python -m tests.reliability.growing FIRST LAST`` prints a JSON line for each seed. Linux only:
elsewhere nobody says how much a process held at most since some moment.
"""

import json
import os
import random
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from studio import layers
from studio.declare import clear_session
from studio.document.store import Store
from studio.layers.functional import Tensor
from studio.models import Model
from studio.train.estimate import Amounts, expect_fit
from studio.train.feed import as_arrays
from studio.train.fit import FitPlan, fit
from studio.train.trainer import Settings, Trainer
from tests.reliability.peak import forget_peak, peak

OPTIMIZERS = ("sgd", "adam", "rmsprop", "adagrad", "nadam", "adamw", "lion", "ftrl", "adadelta")
Values = np.ndarray[Any, Any]


class Grower:
    """Draws a model of some tens or hundreds of megabytes, and data for it."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.numbers = np.random.default_rng(seed)
        self.inputs: list[Tensor] = []
        self.fed: list[Callable[[int], Values]] = []

    def model(self) -> Model:
        families = (self._dense, self._pictures, self._sequence, self._words, self._attending)
        ends = [self.draw.choice(families)() for _ in range(self.draw.choice((1, 1, 2)))]
        joined = layers.concatenate(ends) if len(ends) > 1 else ends[0]
        if self.draw.random() < 0.5:
            joined = layers.Dropout(0.3)(joined)
        outputs = [layers.Dense(self.draw.randint(1, 50))(joined)]
        if self.draw.random() < 0.3:
            outputs.append(layers.Dense(self.draw.randint(1, 9), activation="sigmoid")(joined))
        return Model(self.inputs, outputs)

    def _input(self, shape: tuple[int | None, ...], length: int = 0, high: int = 0) -> Tensor:
        found = layers.Input(shape, dtype="int32" if high else "float32")
        sizes = [length if d is None else d for d in shape]

        def values(rows: int) -> Values:
            if high:
                return self.numbers.integers(0, high, (rows, *sizes)).astype(np.int32)
            return self.numbers.random((rows, *sizes), np.float32)

        self.inputs.append(found)
        self.fed.append(values)
        return found

    def _dense(self) -> Tensor:
        x = self._input((self.draw.randint(10, 3000),))
        for _ in range(self.draw.randint(1, 3)):
            x = layers.Dense(self.draw.randint(50, 2500), activation=self.draw.choice(_ACTS))(x)
            if self.draw.random() < 0.3:
                x = layers.BatchNormalization()(x)
        return x

    def _pictures(self) -> Tensor:
        side, filters = self.draw.randint(16, 56), self.draw.choice((4, 8, 16, 24))
        x = self._input((side, side, self.draw.choice((1, 3))))
        kinds = (layers.Conv2D, layers.SeparableConv2D)
        for _ in range(self.draw.randint(1, 3)):
            kind = self.draw.choice(kinds)
            x = kind(filters, 3, padding="same", activation=self.draw.choice(_ACTS))(x)
            if self.draw.random() < 0.4:
                x = self.draw.choice((layers.BatchNormalization, layers.LayerNormalization))()(x)
            if self.draw.random() < 0.4:
                x = self.draw.choice((layers.MaxPooling2D, layers.AveragePooling2D))()(x)
        ends = (layers.Flatten, layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D)
        return self.draw.choice(ends)()(x)

    def _recurrent(self, x: Tensor) -> Tensor:
        kinds = (layers.LSTM, layers.GRU, layers.SimpleRNN)
        for _ in range(self.draw.randint(0, 1)):
            x = self.draw.choice(kinds)(self.draw.randint(8, 128), return_sequences=True)(x)
        last = self.draw.choice(kinds)(self.draw.randint(8, 128))
        return layers.Bidirectional(last)(x) if self.draw.random() < 0.4 else last(x)

    def _sequence(self) -> Tensor:
        length, width = self.draw.randint(10, 120), self.draw.randint(4, 96)
        open_length = None if self.draw.random() < 0.5 else length
        return self._recurrent(self._input((open_length, width), length))

    def _words(self) -> Tensor:
        high, length = self.draw.randint(100, 60_000), self.draw.randint(5, 80)
        x = self._input((length,), high=high)
        x = layers.Embedding(high, self.draw.randint(8, 96))(x)
        if self.draw.random() < 0.4:
            return layers.GlobalAveragePooling1D()(x)
        return self._recurrent(x)

    def _attending(self) -> Tensor:
        length, width = self.draw.randint(16, 128), self.draw.choice((16, 32, 64))
        x = self._input((length, width))
        y = layers.MultiHeadAttention(self.draw.choice((2, 4)), self.draw.choice((8, 16)))(x, x)
        x = layers.LayerNormalization()(layers.add([x, y]))
        return layers.GlobalAveragePooling1D()(x)


_ACTS = ("linear", "relu", "tanh", "sigmoid", "gelu", "elu")


def growth(seed: int) -> dict[str, Any]:
    """What training a random model was estimated to take, and what this process grew by."""
    clear_session()
    grower = Grower(seed)
    draw, model = grower.draw, grower.model()
    optimizer, batch = draw.choice(OPTIMIZERS), draw.choice((8, 16, 32, 64, 100))
    model.compile(optimizer, "mse")
    rows = batch * draw.choice((1, 2)) + draw.randint(0, batch - 1)
    shapes = model.output_shape if len(model.outputs) > 1 else [model.output_shape]
    targets = [np.zeros((rows, *shape[1:]), np.float32) for shape in shapes]
    samples = as_arrays(model.document, [values(rows) for values in grower.fed], targets, None)
    held = samples.take(slice(0, draw.randint(1, rows))) if draw.random() < 0.6 else None
    trainer = Trainer(model.document, Store(), Settings("numpy", 0, 1))
    best = draw.random() < 0.7
    amounts = Amounts(batch, batch, copies=int(best))
    before = forget_peak()
    estimate = expect_fit(trainer, samples, held, amounts)
    for _ in fit(trainer, samples, held, FitPlan(2, batch), keep_best=best):
        pass
    return {
        "seed": seed,
        "expected": estimate.total - estimate.data,
        "grown": peak() - before,
        "parameters": estimate.parameters,
        "layers": len(model.layers),
        "batch": batch,
        "optimizer": optimizer,
    }


def _warm_up() -> None:
    """Load what every training loads: that is no growth of any model's."""
    inputs = layers.Input((6, 3))
    outputs = layers.Dense(2)(layers.LSTM(3)(layers.Conv1D(3, 2)(inputs)))
    model = Model(inputs, outputs)
    x, y = np.zeros((5, 6, 3), np.float32), np.zeros((5, 2), np.float32)
    for optimizer in ("adam", "sgd"):
        model.compile(optimizer, "mse")
        model.fit(x, y, batch_size=2, verbose=0, validation_split=0.4)
    words = layers.Input((4,), dtype="int32")
    model = Model(words, layers.Dense(1)(layers.Flatten()(layers.Embedding(5, 3)(words))))
    model.compile("sgd", "mse")
    model.fit(np.zeros((5, 4), np.int32), np.zeros((5, 1), np.float32), verbose=0)


def main(first: int, last: int) -> None:
    """Each seed in a fork of this process, so that nothing of the one before is left."""
    _warm_up()
    for seed in range(first, last):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                print(json.dumps(growth(seed)), flush=True)
                code = 0
            finally:
                os._exit(code)
        if os.waitpid(child, 0)[1]:
            print(json.dumps({"seed": seed, "died": True}), flush=True)


if __name__ == "__main__":
    os.environ["LAYERLOOM_THREADS"] = "1"
    main(int(sys.argv[1]), int(sys.argv[2]))
