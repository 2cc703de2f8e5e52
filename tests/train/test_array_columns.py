"""Columns of arrays bound to ports: as they are, divided, and what does not fit."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from studio.document import edits
from studio.document.model import Document
from studio.document.plan import ArrayColumn, Binding, ClassColumn, TextColumn
from studio.document.store import Store
from studio.layers.dense import Dense
from studio.layers.embedding import Embedding
from studio.layers.flatten import Flatten
from studio.layers.input import Input
from studio.losses.probabilistic import BinaryCrossentropy, CategoricalCrossentropy
from studio.losses.regression import MeanSquaredError
from studio.problem import ProblemError
from studio.train.arrays import Packed, unpacked
from studio.train.bindings import suggest_bindings, with_data
from studio.train.data import load_data
from studio.train.generators import generate
from studio.train.predict import predict
from studio.train.prediction import encode_columns, encode_row, predict_inputs
from studio.train.tables import Table, read_table
from tests.train.tables_and_models import bound, chain, mended, refused, written

PICTURES = np.arange(10 * 6, dtype=np.uint8).reshape(10, 2, 3)
LABELS = np.arange(10) % 2
BYTES = ArrayColumn("x", 255.0)
LABEL = ClassColumn("label")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "t.npz"
    np.savez(
        path,
        x=PICTURES,
        label=LABELS,
        floats=np.linspace(-1, 2, 60).reshape(10, 6),
        holes=np.where(np.arange(60).reshape(10, 6) == 33, np.nan, 0.5),
        words=np.array([["a", "b"]] * 10),
        held=np.zeros((3, 6)),
    )
    return path


def pictures(x: Binding | None = BYTES, y: Binding | None = LABEL) -> Document:
    document = chain(
        Input(shape=(6,)), Dense(units=1, activation="sigmoid"), loss=BinaryCrossentropy()
    )[0]
    return bound(document, x, y, file="t.npz")


def integers() -> Document:
    layers = (Input(shape=(6,), dtype="int32"), Embedding(60, 2), Flatten(), Dense(units=1))
    return bound(chain(*layers, loss=MeanSquaredError())[0], BYTES, LABEL, file="t.npz")


def test_arrays_take_the_ports_shape_and_stay_bytes_until_a_batch(file: Path) -> None:
    document = pictures()
    data = load_data(document, file.parent)
    (x,) = data.train.inputs.values()
    assert isinstance(x, Packed)
    assert x.kept.dtype == np.uint8
    array = unpacked(x)
    assert array.dtype == np.float32
    np.testing.assert_allclose(array, PICTURES.reshape(10, 6) / 255, rtol=1e-6)
    assert list(data.fitted) == [document.graph.outputs[0].key]  # nothing is learnt of arrays


def test_a_port_of_open_length_takes_arrays_of_its_rank(file: Path) -> None:
    document = chain(Input(shape=(None, 3)), Dense(units=1, activation="sigmoid"))[0]
    loaded = load_data(bound(document, ArrayColumn("x"), None, file="t.npz"), file.parent)
    (x,) = loaded.train.inputs.values()
    np.testing.assert_array_equal(unpacked(x), PICTURES)


def test_integers_go_to_an_embedding_undivided(file: Path) -> None:
    document = integers()
    (call,) = document.graph.inputs
    (problem,) = refused(document, file.parent)
    assert problem.code == "integers_divided"
    data = load_data(mended(document, problem), file.parent)
    np.testing.assert_array_equal(data.train.inputs[call], PICTURES.reshape(10, 6))
    small = edits.set_parameters(
        mended(document, problem), document.graph.calls[_embedding(document)].layer, input_dim=40
    )
    (problem,) = refused(small, file.parent)
    assert problem.code == "array_value"
    assert problem.args["row"] == 6
    assert "0…39" in str(problem)


def _embedding(document: Document) -> str:
    return next(c for c in document.graph.calls if document.entry(c).kind == "Embedding")


def fractions() -> Document:
    document = integers()
    return edits.set_data(
        document, inputs=dict.fromkeys(document.graph.inputs, ArrayColumn("floats"))
    )


def targets(column: str) -> Document:
    layers = (Input(shape=(6,)), Dense(units=6, activation="sigmoid"))
    document = chain(*layers, loss=BinaryCrossentropy())[0]
    return bound(document, BYTES, ArrayColumn(column), file="t.npz")


def wide() -> Document:
    layers = (Input(shape=(7,)), Dense(units=1, activation="sigmoid"))
    return bound(chain(*layers, loss=BinaryCrossentropy())[0], BYTES, LABEL, file="t.npz")


@pytest.mark.parametrize(
    ("made", "codes", "said"),
    [
        (wide, ["array_size"], ["2×3", "7", "“x”", "t.npz"]),
        (lambda: pictures(ArrayColumn("label")), ["column_of_cells"], ["“label”", ".npz"]),
        (lambda: pictures(TextColumn("x", 6)), ["text_needs_integers", "column_of_arrays"], []),
        (lambda: pictures(y=ClassColumn("x")), ["column_of_arrays"], ["2×3"]),
        (lambda: pictures(ArrayColumn("gone")), ["column_missing"], ["floats"]),
        (lambda: pictures(ArrayColumn("held")), ["column_other_length"], ["3 rows", "10"]),
        (lambda: pictures(ArrayColumn("words")), ["array_of_texts"], ["“words”"]),
        (lambda: pictures(ArrayColumn("holes")), ["array_value"], ["row 5", "nan"]),
        (lambda: pictures(ArrayColumn("x", 0.0)), ["array_divisor"], ["“x”"]),
        (fractions, ["array_value", "array_not_whole"], ["row 0", "-1"]),
        (lambda: targets("floats"), ["array_value"], ["0…1", "row 0"]),
        (lambda: targets("label"), ["column_of_cells"], []),
    ],
)
def test_what_does_not_fit_is_said(
    file: Path, made: Callable[[], Document], codes: list[str], said: list[str]
) -> None:
    problems = refused(made(), file.parent)
    assert [p.code for p in problems] == codes
    for part in said:
        assert part in str(problems[0])


def test_a_wrong_size_is_mended_at_the_input(file: Path) -> None:
    document = wide()
    (problem,) = refused(document, file.parent)
    after = mended(document, problem)
    (call,) = after.graph.inputs
    assert after.entry(call).body == Input(shape=(2, 3))
    (problem,) = refused(pictures(ArrayColumn("x", 0.0)), file.parent)
    assert load_data(mended(pictures(), problem), file.parent)


def test_a_target_may_be_an_array(file: Path) -> None:
    document = targets("x")
    (problem,) = refused(document, file.parent)  # bytes are no probabilities
    assert problem.code == "array_value"
    divided = edits.set_data(document, targets={document.graph.outputs[0].key: BYTES})
    data = load_data(divided, file.parent)
    (y,) = data.train.targets.values()
    np.testing.assert_allclose(unpacked(y), PICTURES.reshape(10, 6) / 255, rtol=1e-6)


# -- bound from the shell, and proposed ------------------------------------------------------------


def test_the_shell_binds_arrays_and_labels_of_an_npz(file: Path) -> None:
    document = pictures(None, None)
    made = with_data(document, [f"x={file}:x", f"y={file}:label"])
    assert list(made.plan.data.inputs.values()) == [BYTES]
    assert list(made.plan.data.targets.values()) == [LABEL]
    again = with_data(made, [f"x={file}:floats"])
    assert list(again.plan.data.inputs.values()) == [replace(BYTES, column="floats")]
    with pytest.raises(ProblemError) as caught:
        with_data(document, [f"x={file}:x,label"])
    assert caught.value.problems[0].code == "column_of_arrays"


def test_arrays_as_wide_as_a_port_are_proposed(file: Path) -> None:
    plan = suggest_bindings(pictures(None, None), read_table(file))
    assert list(plan.inputs.values()) == [BYTES]
    assert list(plan.targets.values()) == [LABEL]
    layers = (Input(shape=(784,)), Dense(units=10, activation="softmax"))
    document = chain(*layers, loss=CategoricalCrossentropy())[0]
    plan = suggest_bindings(document, generate("digits", 100))
    assert list(plan.inputs.values()) == [ArrayColumn("image", 255.0)]
    assert list(plan.targets.values()) == [ClassColumn("digit", one_hot=True)]


def test_an_output_as_wide_is_compared_with_floats(file: Path) -> None:
    layers = (Input(shape=(6,)), Dense(units=6))
    document = chain(*layers, loss=MeanSquaredError())[0]
    table = read_table(file)
    plan = suggest_bindings(document, Table("t", {}, (), {"floats": table.array("floats")}))
    assert list(plan.targets.values()) == [ArrayColumn("floats")]


# -- prediction ----------------------------------------------------------------------------------


def test_a_prediction_reads_arrays_without_any_training(file: Path, tmp_path: Path) -> None:
    document = pictures()
    whole = predict(document, store := Store(), predict_inputs(document, {}, tmp_path)[1])["y"]
    row = encode_row(document, {}, {}, {"x": PICTURES[3]})
    np.testing.assert_allclose(predict(document, store, row)["y"], whole[3:4], rtol=1e-6)


def test_a_csv_cannot_give_arrays_and_says_what_can(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, ("x,label", "1,0", "2,1")))
    with pytest.raises(ProblemError) as caught:
        encode_columns(pictures(), {}, table)
    (problem,) = caught.value.problems
    assert problem.code == "column_of_cells"
    assert ".npz" in str(problem)
