"""TimeDistributed around layers of each sort: it has no example alone, so here are whole models."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from studio.document.lowering import Lowered, lower
from studio.layers import (
    LSTM,
    BatchNormalization,
    Conv1D,
    Dense,
    Embedding,
    Input,
    Masking,
    TimeDistributed,
)
from studio.models import Model
from tests.engine.cases import check_gradient
from tests.layers.building import feeds_for
from tests.layers.engines import compute_alike, train_alike

HIGH = 4  # integers fed are below


def _over(inner: Callable[[], Any], shape: tuple[int | None, ...], dtype: str = "float32") -> Any:
    def made() -> Model:
        x = Input(shape, dtype=dtype)
        return Model(x, TimeDistributed(inner())(x))

    return made


def _masked() -> Model:
    x = Input((3, 2))
    return Model(x, LSTM(2)(TimeDistributed(Dense(3))(Masking()(x))))


def _shared() -> Model:
    """The layer inside is called outside, too, on steps of another length."""
    x, alone, dense = Input((3, 2)), Input((2,)), Dense(2, activation="tanh")
    return Model([x, alone], [TimeDistributed(dense)(x), dense(alone)])


def _model() -> Model:
    pixels = Input((4,))
    return Model(pixels, Dense(2)(Dense(3, activation="tanh")(pixels)))


CASES: dict[str, Callable[[], Model]] = {
    "Dense": _over(lambda: Dense(2), (3, 2)),
    "Dense_open": _over(lambda: Dense(2), (None, 2)),
    "Conv1D": _over(lambda: Conv1D(2, 2), (2, 4, 2)),
    "Embedding": _over(lambda: Embedding(HIGH, 2), (2, 3), "int32"),
    "LSTM": _over(lambda: LSTM(2), (2, 3, 2)),
    "BatchNormalization": _over(BatchNormalization, (2, 3)),
    "model": _over(_model, (3, 4)),
    "masked": _masked,
    "shared": _shared,
}
NAMES = [f"TimeDistributed-of_{case.lower()}" for case in CASES]
each_case = pytest.mark.parametrize("made", CASES.values(), ids=NAMES)


def lowered(made: Callable[[], Model], training: bool) -> tuple[Lowered, dict[str, np.ndarray]]:
    """The model as a program, and numbers for its weights."""
    found, rng = lower(made().document, training), np.random.default_rng(5)
    initial = {
        name: rng.uniform(0.2, 0.6, v.weight.shape).astype(np.float32)
        for name, v in found.variables.items()
    }
    return found, initial


@each_case
def test_gradient_equals_finite_differences(made: Callable[[], Model]) -> None:
    found, initial = lowered(made, training=True)
    program = found.op.program([*found.outputs.values()])
    for batch in (2, 1):
        check_gradient(program, feeds_for(program, batch, HIGH), initial)


@each_case
def test_numpy_equals_onnxruntime(made: Callable[[], Model]) -> None:
    found, initial = lowered(made, training=False)
    compute_alike(found.op.program([*found.outputs.values()]), initial, HIGH)


@each_case
def test_both_engines_train_it_alike_over_a_hundred_steps(made: Callable[[], Model]) -> None:
    found, initial = lowered(made, training=True)
    trained = [name for name, v in found.variables.items() if v.trainable]
    train_alike(found.op, [*found.outputs.values()], trained, initial, HIGH)
