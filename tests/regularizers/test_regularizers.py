"""What weights cost: Keras's values and gradients, and a training step that holds them once."""

import json

import numpy as np
import pytest

import studio
from studio import regularizers
from studio.declare import declared, resolve, snake
from studio.document import edits
from studio.document.analysis import analyse
from studio.engine.builder import Builder
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.onnxruntime_executor import OnnxRuntimeExecutor
from studio.engine.program import Program, Spec
from studio.layers import Dense, Input, concatenate
from studio.losses.regression import MeanSquaredError
from studio.models import Model, load_model
from studio.optimizers.sgd import SGD
from studio.problem import ProblemError
from studio.regularizers import CATALOGUE
from studio.regularizers.base import Regularizer
from studio.text import catalogue
from studio.train.step import build_step
from tests import references
from tests.document.drawn import Drawing, out
from tests.engine.cases import check_gradient, f, with_gradient

CASES = references.meta("regularizers")["cases"]


def made(kind: str, **config: object) -> Regularizer:
    found = declared("regularizers", kind)(**config)
    assert isinstance(found, Regularizer)
    return found


def program_of(regularizer: Regularizer, spec: Spec) -> Program:
    op = Builder()
    return op.program([regularizer.lower(op, op.input("w", spec))])


each_case = pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{CASES[case]['regularizer']}-{case}"
)


@each_case
def test_value_and_gradient_are_keras(case: str) -> None:
    facts, arrays = CASES[case], references.case("regularizers", case)
    program = program_of(made(facts["regularizer"], **facts["config"]), f(4, 3))
    backward, (name,) = with_gradient(program, ["w"])
    seed = {f"seed/{program.outputs[0]}": np.float32(1)}
    for engine in (NumpyExecutor, OnnxRuntimeExecutor):
        (value,) = engine(program).run({"w": arrays["w"]}).values()
        (gradient,) = engine(backward).run({"w": arrays["w"], **seed}).values()
        assert value == pytest.approx(facts["value"], rel=1e-5)
        np.testing.assert_allclose(gradient, arrays["dw"], rtol=1e-4, atol=1e-6, err_msg=name)


@each_case
def test_gradient_equals_finite_differences(case: str) -> None:
    facts = CASES[case]
    w = np.random.default_rng(0).uniform(0.2, 1, (4, 3)) * np.array([1, -1, 1])
    check_gradient(program_of(made(facts["regularizer"], **facts["config"]), f(4, 3)), {"w": w})


@pytest.mark.parametrize("kind", CATALOGUE)
def test_names_json_and_help(kind: str) -> None:
    found, chinese = made(kind), catalogue("zh_CN", "regularizers")
    assert found.problems() == []
    assert resolve("regularizers", kind) == resolve("regularizers", snake(kind)) == found
    config = json.loads(json.dumps({"kind": kind, **found.config()}))
    assert resolve("regularizers", config) == found
    assert chinese.get(kind)
    for p in found.params():
        assert found.help(p.name)
        assert chinese.get(f"{kind}.{p.name}"), p.name


def test_keras_spells_them_in_two_ways() -> None:
    assert studio.regularizers.l2(0.1) == regularizers.L2(0.1)
    assert regularizers.l1_l2(l1=0.1) == regularizers.L1L2(0.1, 0.0)
    for name, kind in (("l1", "L1"), ("l2", "L2"), ("l1_l2", "L1L2")):
        handle = Dense(3, kernel_regularizer=name)
        assert handle.get_config()["kernel_regularizer"]["kind"] == kind
    assert Dense(3).get_config()["kernel_regularizer"] is None
    with pytest.raises(AttributeError, match="OrthogonalRegularizer"):
        _ = regularizers.L3


def test_a_factor_below_zero_is_a_problem() -> None:
    with pytest.raises(ProblemError, match="l2"):
        Dense(3, kernel_regularizer=regularizers.L2(-1.0))


# -- in a model ----------------------------------------------------------------------------------


def keras_model() -> Model:
    x1, x2 = Input((3,), name="x1"), Input((3,), name="x2")
    shared = Dense(4, activation="tanh", kernel_regularizer="l2", bias_regularizer="l1")
    frozen = Dense(4, kernel_regularizer=regularizers.L1(1.0), trainable=False)
    both = concatenate([shared(x1), shared(x2)])
    a = Dense(1, name="a", kernel_regularizer=regularizers.L1L2(0.01, 0.02))(both)
    orthogonal = regularizers.OrthogonalRegularizer(0.1)
    b = Dense(2, name="b", kernel_regularizer=orthogonal)(frozen(both))
    return Model([x1, x2], [a, b])


def test_training_with_them_is_keras() -> None:
    recorded, facts = references.load("regularizers"), references.meta("regularizers")["model"]
    model = keras_model()
    model.set_weights([recorded[f"w{i}"] for i in range(len(facts["weights"]))])
    model.compile(SGD(0.05), loss=["mse", "mse"], loss_weights=[1.0, 0.5])
    x, y = [recorded["x1"], recorded["x2"]], [recorded["y1"], recorded["y2"]]
    options = {"epochs": 3, "batch_size": 8, "shuffle": False, "verbose": 0}
    history = model.fit(x, y, validation_split=0.25, **options).history
    assert list(history) == list(facts["history"])
    for key, values in facts["history"].items():
        np.testing.assert_allclose(history[key], values, rtol=1e-5, err_msg=key)
    evaluated = model.evaluate(x, y, batch_size=8, verbose=0, return_dict=True)
    assert evaluated == pytest.approx(facts["evaluate"], rel=1e-5)
    for index, weight in enumerate(model.get_weights()):
        np.testing.assert_allclose(weight, recorded[f"final{index}"], rtol=1e-4, atol=1e-6)


def test_it_is_saved(tmp_path) -> None:  # type: ignore[no-untyped-def]
    model = keras_model()
    model.save(tmp_path / "m.loom")
    found = load_model(tmp_path / "m.loom").get_layer("a").get_config()["kernel_regularizer"]
    assert found == {"kind": "L1L2", "l1": 0.01, "l2": 0.02}


def drawn(**params: object) -> tuple[Drawing, str]:
    d = Drawing()
    d.output(dense := d.add("Dense", d.add("Input", shape=(3,)), units=2, **params))
    d.document = edits.plan_output(d.document, out(dense), loss=MeanSquaredError())
    return d, dense


@pytest.mark.parametrize("training", [False, True])
def test_without_any_the_step_is_what_it_was(training: bool) -> None:
    plain, costly = drawn()[0].document, drawn(kernel_regularizer="l2")[0].document
    without, beside = (set(build_step(d, training).program.specs) for d in (plain, costly))
    assert without < beside
    assert not any(name.startswith("regularizer/") for name in without)
    assert any(name.startswith("regularizer/") for name in beside)


def test_what_cannot_be_compared_by_pairs_is_a_problem_with_a_repair() -> None:
    d, dense = drawn(bias_regularizer=made("OrthogonalRegularizer"))
    (problem,) = analyse(d.document).problems
    assert (problem.code, problem.where) == ("regularizer_pairs", dense)
    assert "(2,)" in str(problem)
    assert str(problem.fix) == "Set bias_regularizer = None"
    assert analyse(problem.fix.edit(d.document)).problems == ()
