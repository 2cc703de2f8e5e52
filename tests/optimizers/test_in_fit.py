"""Optimizers with all their options in ``fit``: the history and the weights of Keras."""

from pathlib import Path

import numpy as np
import pytest

from studio.constraints.norms import MaxNorm
from studio.declare import resolve
from studio.document import edits
from studio.layers import Dense, Embedding, GlobalAveragePooling1D, Input
from studio.losses.regression import MeanSquaredError
from studio.models import Model, load_model
from studio.optimizers.adam import Adam
from studio.optimizers.adamw import AdamW
from studio.optimizers.base import Optimizer
from studio.optimizers.rmsprop import RMSprop
from studio.optimizers.schedule_free import ScheduleFreeAdamW
from studio.optimizers.sgd import SGD
from studio.problem import ProblemError
from studio.train.step import build_step
from tests import references
from tests.document.drawn import Drawing, out

CASES = references.meta("fitted")["cases"]


def keras_model() -> Model:
    """`tests.references.optimizers.model`."""
    x = Input((5,), dtype="int32")
    y = GlobalAveragePooling1D()(Embedding(9, 4)(x))
    y = Dense(4, activation="tanh", kernel_constraint=MaxNorm(0.9))(y)
    y = Dense(3, activation="tanh")(y)
    return Model(x, Dense(1)(y))


def optimizer_of(case: str) -> Optimizer:
    facts = CASES[case]
    found = resolve("optimizers", {"kind": facts["optimizer"], **facts["config"]})
    assert isinstance(found, Optimizer)
    return found


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
@pytest.mark.parametrize("case", CASES)
def test_history_and_weights_are_those_of_keras(case: str, engine: str) -> None:
    recorded, model = references.load("fitted"), keras_model()
    model.set_weights([recorded[f"w{i}"] for i in range(len(model.weights))])
    model.compile(optimizer_of(case), loss="mse")
    options = {"epochs": 2, "batch_size": 4, "shuffle": False, "verbose": 0, "engine": engine}
    history = model.fit(recorded["x"], recorded["y"], validation_split=0.25, **options).history
    assert history.keys() == CASES[case]["history"].keys()
    for key, values in CASES[case]["history"].items():
        np.testing.assert_allclose(history[key], values, rtol=1e-5, err_msg=key)
    for index, weight in enumerate(model.get_weights()):
        expected = recorded[f"{case}/final{index}"]
        np.testing.assert_allclose(weight, expected, rtol=1e-4, atol=1e-6, err_msg=str(index))


def operators(optimizer: Optimizer) -> set[str]:
    """Those of a step on a table and a Dense."""
    d = Drawing()
    table = d.add("Embedding", d.add("Input", shape=(3,), dtype="int32"))
    d.output(end := d.add("Dense", table, units=1))
    d.document = edits.plan_output(d.document, out(end), loss=MeanSquaredError())
    return {
        n.op for n in build_step(edits.set_optimizer(d.document, optimizer), True).program.nodes
    }


@pytest.mark.parametrize(
    ("options", "by_rows"),
    [
        ({}, True),
        ({"weight_decay": 0.0, "ema_momentum": 0.5}, True),
        ({"weight_decay": 0.1}, False),
        ({"clipnorm": 1.0}, False),
        ({"clipvalue": 1.0}, False),
        ({"global_clipnorm": 1.0}, False),
        ({"use_ema": True}, False),
        ({"gradient_accumulation_steps": 2}, False),
    ],
)
def test_only_a_plain_step_updates_a_table_by_rows(
    options: dict[str, object], by_rows: bool
) -> None:
    assert ("RMSpropRows" in operators(RMSprop(**options))) is by_rows  # type: ignore[arg-type]
    assert ("SGDRows" in operators(SGD(**options))) is by_rows  # type: ignore[arg-type]


def test_gradients_are_clipped_in_one_way_only() -> None:
    model = keras_model()
    with pytest.raises(ProblemError, match="clipnorm, clipvalue"):
        model.compile(Adam(clipnorm=1.0, clipvalue=0.5), loss="mse")


@pytest.mark.parametrize(
    "optimizer",
    [
        Adam(0.01, use_ema=True, ema_overwrite_frequency=5),
        SGD(0.1, momentum=0.5, gradient_accumulation_steps=3),
        ScheduleFreeAdamW(0.01, warmup_steps=12),
    ],
    ids=["means", "accumulated", "schedule_free"],
)
def test_what_is_kept_is_saved_so_that_training_goes_on_bit_for_bit(
    optimizer: Optimizer, tmp_path: Path
) -> None:
    recorded, model = references.load("fitted"), keras_model()
    options = {"batch_size": 4, "verbose": 0, "seed": 3}
    model.compile(optimizer, loss="mse")
    model.fit(recorded["x"], recorded["y"], **options)
    model.save(tmp_path / "m.loom")
    again = load_model(tmp_path / "m.loom")
    for one in (model, again):
        one.fit(recorded["x"], recorded["y"], **options)
    for first, second in zip(model.get_weights(), again.get_weights(), strict=True):
        assert first.tobytes() == second.tobytes()
    assert again.export(tmp_path / "step.onnx", training=True)


def test_averaged_over_batches_is_one_larger_batch() -> None:
    recorded, found = references.load("fitted"), []
    for steps, size in ((None, 8), (2, 4)):
        x = Input((5,), dtype="int32")
        table = Embedding(9, 4, embeddings_initializer="ones")(x)
        model = Model(x, Dense(1, kernel_initializer="ones")(GlobalAveragePooling1D()(table)))
        model.compile(SGD(0.1, gradient_accumulation_steps=steps), loss="mse")
        model.fit(recorded["x"], recorded["y"], batch_size=size, shuffle=False, verbose=0)
        found.append(model.get_weights())
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_options_come_after_the_optimizers_own_parameters() -> None:
    assert SGD(0.1, 0.9, True) == SGD(learning_rate=0.1, momentum=0.9, nesterov=True)
    assert [p.name for p in SGD.params()][:4] == [
        *("learning_rate", "momentum", "nesterov", "weight_decay")
    ]
    assert AdamW(0.1, 0.2, 0.8) == AdamW(learning_rate=0.1, weight_decay=0.2, beta_1=0.8)
