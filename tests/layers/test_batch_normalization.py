"""Running statistics: two calls update twice, a frozen one infers, both engines agree."""

import numpy as np
import pytest

from studio.document import edits
from studio.document.lowering import lower
from studio.document.summary import summary
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.onnxruntime_executor import OnnxRuntimeExecutor
from studio.engine.passes.inference import for_inference
from studio.engine.program import Spec
from studio.layers import BatchNormalization, Dense, Input
from studio.layers.base import LayerBuilder
from studio.layers.shapes import results_of
from studio.losses.regression import MeanSquaredError
from studio.models import Model
from studio.train.step import build_step
from tests.document.drawn import Drawing, layer, out
from tests.engine.cases import f
from tests.layers.building import build

MADE = layer("BatchNormalization", momentum=0.9)
FIRST = np.array([[1, 2], [3, 6]], np.float32)
SECOND = np.array([[-1, 0], [0, 8], [4, 1]], np.float32)


@pytest.mark.parametrize("engine", [NumpyExecutor, OnnxRuntimeExecutor])
def test_called_twice_it_updates_twice_in_the_order_of_calls(engine: type) -> None:
    op = LayerBuilder(training=True)
    xs = [op.input("x0", f("batch", 2)), op.input("x1", f("other", 2))]
    weights = MADE.weights(xs[0].spec)
    states = {w.name: op.state(w.name, Spec("float32", w.shape), w.role) for w in weights}
    results = [results_of(MADE, op, states, [x])[0] for x in xs]
    executor = engine(op.program(results))
    executor.load({w.name: w.initializer.fill(w.shape, np.random.default_rng()) for w in weights})
    found = executor.run({"x0": FIRST, "x1": SECOND})
    mean, variance = np.zeros(2), np.ones(2)
    for x, result in zip((FIRST, SECOND), results, strict=True):
        own = (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-3)  # not by what has been kept
        np.testing.assert_allclose(found[result.name], own, rtol=1e-5, atol=1e-6)
        mean, variance = mean * 0.9 + x.mean(0) * 0.1, variance * 0.9 + x.var(0) * 0.1
    after = executor.state()
    np.testing.assert_allclose(after["moving_mean"], mean, rtol=1e-5)
    np.testing.assert_allclose(after["moving_variance"], variance, rtol=1e-5)


def drawn(trainable: bool) -> Drawing:
    d = Drawing()
    x = d.add("Dense", d.add("Input", shape=(2,)), units=2)
    normal = d.add("BatchNormalization", x, name="normal")
    d.output(y := d.add("Dense", d.again(normal, normal), units=1))
    d.document = edits.set_trainable(d.document, d.layer_of(normal), trainable)
    d.document = edits.plan_output(d.document, out(y), loss=MeanSquaredError())
    return d


@pytest.mark.parametrize("trainable", [True, False])
def test_a_step_writes_statistics_once_and_only_where_it_trains(trainable: bool) -> None:
    step = build_step(drawn(trainable).document, training=True)
    written = {s.input for s in step.program.state if s.output != s.input}
    for name in ("gamma", "beta", "moving_mean", "moving_variance"):
        assert (f"normal/{name}" in written) == trainable
    own = [n.op for n in step.program.nodes if n.op == "BatchNormalization"]
    assert own == ([] if trainable else ["BatchNormalization"] * 2)


def model(frozen: bool = False) -> Model:
    x = Input((2,))
    normal = BatchNormalization(momentum=0.5, trainable=not frozen)
    made = Model(x, Dense(1)(normal(normal(x))))
    made.compile("sgd", "mse")
    return made


def test_training_keeps_statistics_and_inference_uses_them() -> None:
    made, x, y = model(), SECOND, np.ones((3, 1), np.float32)
    before = made.predict(x, verbose=0)
    made.fit(x, y, epochs=3, verbose=0)
    gamma, beta, mean, variance, *_ = made.get_weights()
    assert (mean != 0).all()
    assert (variance != 1).all()
    assert not np.allclose(made.predict(x, verbose=0), before)
    made.evaluate(x, y, verbose=0)
    for old, new in zip((gamma, beta, mean, variance), made.get_weights()[:4], strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_frozen_one_keeps_everything_as_it_is_in_training() -> None:
    made = model(frozen=True)
    before = made.get_weights()[:4]
    made.fit(SECOND, np.ones((3, 1), np.float32), epochs=2, verbose=0)
    for old, new in zip(before, made.get_weights()[:4], strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    ("axis", "shape", "expected"),
    [
        (-1, ("batch", 3), ["BatchNormalization"]),
        (1, ("batch", 3, 4), ["BatchNormalization"]),
        (-1, ("batch", 4, 3), ["Mul", "Add"]),
    ],
)
def test_it_is_exported_as_an_expert_would_write_it(
    axis: int, shape: tuple[int | str, ...], expected: list[str]
) -> None:
    built = build([layer("BatchNormalization", axis=axis)], [Spec("float32", shape)])
    program = for_inference(built.program, built.initial)
    assert [node.op for node in program.nodes] == expected


def test_a_document_without_training_only_reads_statistics() -> None:
    lowered = lower(drawn(True).document)
    program = lowered.op.program(list(lowered.outputs.values()))
    assert all(s.input == s.output for s in program.state)


def test_statistics_do_not_count_as_trainable() -> None:
    assert "Trainable: 21   Frozen: 6" in summary(large().document)


def large() -> Drawing:
    d = Drawing()
    x = d.add("BatchNormalization", d.add("Input", shape=(3,)))
    d.output(d.add("Dense", d.add("Dense", x, units=3), units=1, use_bias=False))
    return d
