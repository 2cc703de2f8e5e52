"""What weights must be after a step: Keras's values, and models that are trained so."""

import json

import numpy as np
import pytest

from studio import constraints
from studio.constraints import CATALOGUE
from studio.constraints.base import Constraint
from studio.declare import declared, resolve, snake
from studio.document import edits
from studio.document.analysis import analyse
from studio.engine.builder import Builder
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.onnxruntime_executor import OnnxRuntimeExecutor
from studio.layers import LSTM, BatchNormalization, Dense, Embedding, Input, LayerNormalization
from studio.losses.regression import MeanSquaredError
from studio.models import Model, load_model
from studio.optimizers.sgd import SGD
from studio.text import catalogue
from studio.train.step import build_step
from tests import references
from tests.document.drawn import Drawing, out
from tests.engine.cases import f

CASES = references.meta("constraints")["cases"]


def made(kind: str, **config: object) -> Constraint:
    found = declared("constraints", kind)(**config)
    assert isinstance(found, Constraint)
    return found


@pytest.mark.parametrize("engine", [NumpyExecutor, OnnxRuntimeExecutor])
@pytest.mark.parametrize("case", CASES)
def test_what_becomes_of_a_weight_is_keras(case: str, engine: type) -> None:
    facts, arrays = CASES[case], references.case("constraints", case)
    held, op = made(facts["constraint"], **facts["config"]), Builder()
    held.accept("kernel", (4, 3))
    program = op.program([held.lower(op, op.input("w", f(4, 3)))])
    (found,) = engine(program).run({"w": arrays["w"]}).values()
    np.testing.assert_allclose(found, arrays["y"], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("kind", CATALOGUE)
def test_names_json_and_help(kind: str) -> None:
    found, chinese = made(kind), catalogue("zh_CN", "constraints")
    assert found.problems() == []
    assert resolve("constraints", kind) == resolve("constraints", snake(kind)) == found
    assert getattr(constraints, snake(kind)) is type(found)
    config = json.loads(json.dumps({"kind": kind, **found.config()}))
    assert resolve("constraints", config) == found
    assert chinese.get(kind)
    for p in found.params():
        assert found.help(p.name)
        assert chinese.get(f"{kind}.{p.name}"), p.name


def keras_model() -> Model:
    """`tests.references.constraints.model`."""
    x = Input((5,), dtype="int32")
    y = Embedding(9, 4, embeddings_constraint=made("UnitNorm", axis=1), name="table")(x)
    y = LayerNormalization(
        beta_constraint="non_neg", gamma_constraint=made("MaxNorm", max_value=1.5)
    )(y)
    y = LSTM(
        3,
        kernel_constraint=made("MaxNorm", max_value=0.8),
        recurrent_constraint=made("MinMaxNorm", min_value=0.2, max_value=0.9, rate=0.5),
        bias_constraint="non_neg",
    )(y)
    y = Dense(4, kernel_constraint="unit_norm", bias_constraint="non_neg")(y)
    y = BatchNormalization(gamma_constraint="non_neg", beta_constraint="non_neg")(y)
    return Model(x, Dense(1, kernel_constraint="non_neg")(y))


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
def test_a_model_that_is_held_learns_what_keras_learns(engine: str) -> None:
    recorded, facts = references.load("constraints"), references.meta("constraints")["model"]
    model, count = keras_model(), len(facts["weights"])
    model.set_weights([recorded[f"w{i}"] for i in range(count)])
    model.compile(SGD(0.1), loss="mse")
    options = {"batch_size": 4, "shuffle": False, "verbose": 0, "engine": engine}
    model.fit(recorded["x"], recorded["y"], **options)
    for index, weight in enumerate(model.get_weights()):
        expected = recorded[f"final{index}"]
        np.testing.assert_allclose(weight, expected, rtol=1e-4, atol=1e-5, err_msg=str(index))


def test_it_is_saved(tmp_path) -> None:  # type: ignore[no-untyped-def]
    model = keras_model()
    model.save(tmp_path / "m.loom")
    found = load_model(tmp_path / "m.loom").get_layer("table").get_config()
    assert found["embeddings_constraint"] == {"kind": "UnitNorm", "axis": [1]}


def drawn(**params: object) -> tuple[Drawing, str]:
    d = Drawing()
    d.output(dense := d.add("Dense", d.add("Input", shape=(3,)), units=2, **params))
    d.document = edits.plan_output(d.document, out(dense), loss=MeanSquaredError())
    return d, dense


def test_only_a_table_that_is_free_is_updated_by_rows() -> None:
    for held, by_rows in ((None, True), (made("NonNeg"), False)):
        d = Drawing()
        table = d.add(
            "Embedding", d.add("Input", shape=(3,), dtype="int32"), embeddings_constraint=held
        )
        d.output(end := d.add("Dense", table, units=1))
        d.document = edits.plan_output(d.document, out(end), loss=MeanSquaredError())
        operators = {node.op for node in build_step(d.document, True).program.nodes}
        assert ("RMSpropRows" in operators) is by_rows


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"bias_constraint": made("MaxNorm", axis=1)}, "constraint_axis"),
        ({"kernel_constraint": made("UnitNorm", axis=[0, -2])}, "constraint_axis"),
        ({"bias_initializer": "orthogonal"}, "initializer_matrix"),
        ({"bias_initializer": "identity"}, "initializer_matrix"),
    ],
)
def test_a_weight_of_the_wrong_shape_is_a_problem_with_a_repair(
    params: dict[str, object], code: str
) -> None:
    d, dense = drawn(**params)
    (problem,) = analyse(d.document).problems
    assert (problem.code, problem.where) == (code, dense)
    assert "(" in str(problem)
    assert analyse(problem.fix.edit(d.document)).problems == ()
