"""Every loss: its gradient by finite differences, its numbers by what Keras recorded."""

import json
from typing import Any

import numpy as np
import pytest

from studio.declare import declared, resolve, snake
from studio.engine.builder import Builder
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.onnxruntime_executor import OnnxRuntimeExecutor
from studio.engine.program import Program, Spec
from studio.losses import ALIASES, CATALOGUE
from studio.losses.base import Loss
from studio.losses.reduction import reduced
from studio.text import catalogue
from tests import references
from tests.engine.cases import Arrays, check_gradient, concrete, with_gradient

LOSSES: dict[str, Loss] = {kind: declared("losses", kind)() for kind in CATALOGUE}
LATER = references.meta("later_losses")["cases"]
for facts in LATER.values():
    configured = declared("losses", facts["loss"])(**facts["config"])
    if "axis" not in facts["config"]:  # an axis needs outputs that have it
        LOSSES.setdefault(f"{facts['loss']}-{facts['config']}", configured)
REDUCTIONS = ("sum_over_batch_size", "sum", "mean_with_sample_weight")
RECORDED = {
    f"{resolve('losses', facts['loss']).kind}-{case}": (case, resolve("losses", facts["loss"]))
    for case, facts in references.meta("losses")["cases"].items()
    if not facts["weighted"]
}
WHOLE = ("Dice", "Tversky")  # compare the batch as a whole
SHAPES = (("batch", 1), ("batch", 3), ("batch", 2, 4))
LONGER = ("batch", 5, 4)  # steps enough for three labels
each_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)


def shapes_of(loss: Loss) -> list[tuple[int | str, ...]]:
    """Those of the outputs it can judge."""
    wanted = (LONGER,) if loss.kind == "CTC" else SHAPES
    return [shape for shape in wanted if loss.misfit(Spec("float32", shape)) is None]


each_loss_and_shape = pytest.mark.parametrize(
    ("loss", "shape"),
    [
        pytest.param(loss, shape, id=f"{name}-{shape}")
        for name, loss in LOSSES.items()
        for shape in shapes_of(loss)
    ],
)


def program_of(loss: Loss, output: Spec) -> Program:
    op = Builder()
    p, y = op.input("output", output), op.input("target", loss.target(output))
    return op.program([loss.lower(op, y, p)])


def values_of(loss: Loss, shape: tuple[Any, ...]) -> tuple[Any, ...]:
    """The shape of its values for outputs of a shape."""
    if loss.kind in WHOLE:
        return ()
    return shape[:1] if loss.kind == "CTC" else shape[:-1]


def sampled(loss: Loss, output: Spec, batch: int) -> Arrays:
    rng = np.random.default_rng([batch, output.rank])
    sizes = {"batch": batch, "labels": 3}
    shapes = [concrete(spec, sizes) for spec in (output, loss.target(output))]
    p = rng.uniform(0.1, 0.9, shapes[0]).astype(np.float32)
    if loss.target(output).dtype == "int32":
        return {"output": p, "target": rng.integers(0, shapes[0][-1], shapes[1]).astype(np.int32)}
    return {"output": p, "target": rng.uniform(0.1, 1, shapes[1]).astype(np.float32)}


@each_loss_and_shape
def test_it_gives_a_number_for_each_row(loss: Loss, shape: tuple[int | str, ...]) -> None:
    output = Spec("float32", shape)
    program = program_of(loss, output)
    expected = shape[: len(values_of(loss, shape))]
    assert program.specs[program.outputs[0]] == Spec("float32", expected)


@each_loss_and_shape
def test_gradient_equals_finite_differences(loss: Loss, shape: tuple[int | str, ...]) -> None:
    output = Spec("float32", shape)
    for batch in (3, 1):
        check_gradient(program_of(loss, output), sampled(loss, output, batch), wrt=["output"])


@each_loss_and_shape
def test_both_engines_agree_on_loss_and_gradient(loss: Loss, shape: tuple[int | str, ...]) -> None:
    output = Spec("float32", shape)
    program = program_of(loss, output)
    backward, _ = with_gradient(program, ["output"])
    feeds = sampled(loss, output, 3)
    feeds[f"seed/{program.outputs[0]}"] = np.ones(values_of(loss, (3, *shape[1:])), np.float32)
    for each in (program, backward):
        given = {n: feeds[n] for n in each.inputs}
        expected = OnnxRuntimeExecutor(each, threads=1).run(given)
        for name, array in NumpyExecutor(each).run(given).items():
            np.testing.assert_allclose(array, expected[name], rtol=1e-5, atol=1e-6)


def test_keras_recorded_every_loss() -> None:
    kinds = {loss.kind for _, loss in RECORDED.values()} | {f["loss"] for f in LATER.values()}
    assert kinds == set(CATALOGUE)


@pytest.mark.parametrize(("case", "loss"), RECORDED.values(), ids=RECORDED)
def test_it_computes_what_keras_computes(case: str, loss: Loss) -> None:
    arrays = references.case("losses", case)
    y_pred = arrays["y_pred"]
    output = Spec("float32", ("batch", *y_pred.shape[1:]))
    target = loss.target(output)
    shape = [len(y_pred) if d == "batch" else d for d in target.shape]
    feeds = {"output": y_pred, "target": arrays["y_true"].astype(target.dtype).reshape(shape)}
    program = program_of(loss, output)
    (values,) = NumpyExecutor(program).run(feeds).values()
    np.testing.assert_allclose(values, arrays["values"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(values.mean(), arrays["value"], rtol=1e-5, atol=1e-6)
    backward, _ = with_gradient(program, ["output"])
    share = np.full(values.shape, 1 / values.size, np.float32)
    (gradient,) = (
        NumpyExecutor(backward).run({**feeds, f"seed/{program.outputs[0]}": share}).values()
    )
    np.testing.assert_allclose(gradient, arrays["gradient"], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("case", LATER, ids=lambda c: f"{c}-{LATER[c]['loss']}")
def test_options_weights_and_reductions_are_keras(case: str) -> None:
    facts, pair = LATER[case], references.case("later_losses", LATER[case]["pair"])
    flat = references.load("later_losses")[case]
    totals, rest = flat[: len(REDUCTIONS)], flat[len(REDUCTIONS) :]
    y_pred = pair["y_pred"]
    output, weight = Spec("float32", ("batch", *y_pred.shape[1:])), pair.get(facts["weight"])
    for reduction, expected in zip(REDUCTIONS, totals, strict=True):
        loss = declared("losses", facts["loss"])(**facts["config"], reduction=reduction)
        target = loss.target(output)
        op = Builder()
        p, y = op.input("output", output), op.input("target", target)
        values, factor = loss.lower(op, y, p), None
        feeds = {"output": y_pred}
        y_true = pair["y_true"]
        shape = concrete(target, {"batch": len(y_pred), "labels": y_true.shape[-1]})
        feeds["target"] = y_true.astype(target.dtype).reshape(shape)
        if weight is not None:
            if values.rank == 1:
                weight = weight.reshape(len(weight))
            factor = op.input("weight", Spec("float32", ("batch", *weight.shape[1:])))
            feeds["weight"] = weight
        total_value = reduced(op, loss, values, factor, loss.counted(op, y, values))
        program = op.program([total_value, values])
        total, found = NumpyExecutor(program).run(feeds).values()
        np.testing.assert_allclose(total, expected, rtol=1e-5, atol=1e-6)
        if reduction == REDUCTIONS[0]:
            gradients, _ = with_gradient(op.program([total_value]), ["output"])
            feeds[f"seed/{program.outputs[0]}"] = np.ones((), np.float32)
            (gradient,) = NumpyExecutor(gradients).run(feeds).values()
            wanted = rest[: y_pred.size].reshape(y_pred.shape)
            np.testing.assert_allclose(gradient, wanted, rtol=1e-4, atol=1e-6)
            if not facts["weight"] and "ignore_class" not in facts["config"]:
                values_of_keras = rest[y_pred.size :].reshape(facts["shape"])
                np.testing.assert_allclose(found, values_of_keras, rtol=1e-5, atol=1e-6)


@each_loss
def test_names_json_and_help(loss: Loss) -> None:
    plain = declared("losses", loss.kind)()
    assert resolve("losses", loss.kind) == resolve("losses", snake(loss.kind)) == plain
    config = json.loads(json.dumps({"kind": loss.kind, **loss.config()}))
    assert resolve("losses", config) == loss
    assert loss.help()
    assert catalogue("zh_CN", "losses").get(loss.kind)


@pytest.mark.parametrize("alias", ALIASES)
def test_short_names(alias: str) -> None:
    assert resolve("losses", alias).kind == ALIASES[alias]


@pytest.mark.parametrize("axis", [0, -3, 3])
def test_an_axis_that_is_not_there_is_refused(axis: int) -> None:
    output = Spec("float32", ("batch", 2, 4))
    problem = declared("losses", "CosineSimilarity")(axis=axis).misfit(output)
    assert problem is not None
    assert str(axis) in str(problem)


def test_weights_of_classes_are_one_for_each() -> None:
    loss = declared("losses", "CategoricalFocalCrossentropy")(alpha=[0.1, 0.2, 0.7])
    assert loss.misfit(Spec("float32", ("batch", 3))) is None
    problem = loss.misfit(Spec("float32", ("batch", 4)))
    assert problem is not None
    assert "3" in str(problem)
    assert "4" in str(problem)
