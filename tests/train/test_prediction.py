"""From raw cells to inputs, and from outputs to words."""

from pathlib import Path

import numpy as np
import pytest

from studio.document.plan import ClassColumn, NumberColumns, TextColumn
from studio.document.preprocess import FittedClasses, FittedNumbers
from studio.examples import EXAMPLES
from studio.problem import ProblemError
from studio.train.data import load_data
from studio.train.prediction import (
    Answer,
    decode_output,
    encode_columns,
    encode_row,
    predict_inputs,
    prediction_columns,
)
from tests.train.tables_and_models import bound, numeric, textual, written

TEXT, LABEL = TextColumn("text", length=3, vocabulary_size=10), ClassColumn("label")
SIGMOID = FittedClasses(ClassColumn("c"), ("no", "yes"))


def test_prediction_encodes_as_training_did() -> None:
    document = EXAMPLES["headline"]()
    data = load_data(document, Path())
    again = encode_columns(document, data.fitted, data.table)
    for key, array in data.train.inputs.items():
        np.testing.assert_array_equal(again[key][data.train_rows], array)
    cells = {name: column[7] for name, column in data.table.columns.items() if name != "popular"}
    for key, array in encode_row(document, data.fitted, cells).items():
        assert array.dtype == again[key].dtype
        np.testing.assert_array_equal(array, again[key][7:8])


def test_an_empty_text_is_all_padding(tmp_path: Path) -> None:
    written(tmp_path)
    document = bound(textual(), TEXT, LABEL)
    fitted = load_data(document, tmp_path).fitted
    (x,) = encode_row(document, fitted, {"text": ""}).values()
    assert x.tolist() == [[0, 0, 0]]


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"a": "1"}, "column_missing"),
        ({"a": "1", "b": ""}, "cell_empty"),
        ({"a": "one", "b": "2"}, "cell_not_number"),
    ],
)
def test_cells_that_do_not_fit(cells: dict[str, str], code: str) -> None:
    document = bound(numeric(), NumberColumns(("a", "b")), LABEL)
    with pytest.raises(ProblemError) as caught:
        encode_row(document, {}, cells)
    assert [p.code for p in caught.value.problems] == [code]
    assert caught.value.problems[0].where == document.graph.inputs[0]
    assert str(caught.value).startswith("“typed by hand”")


def test_what_must_be_learnt_must_have_been() -> None:
    document = bound(numeric(), NumberColumns(("a", "b"), scaling="standardize"), LABEL)
    with pytest.raises(ProblemError, match="Train first"):
        encode_row(document, {}, {"a": "1", "b": "2"})


def test_a_class_column_may_be_an_input(tmp_path: Path) -> None:
    written(tmp_path)
    document = bound(numeric(width=3), ClassColumn("kind", one_hot=True), LABEL)
    fitted = load_data(document, tmp_path).fitted
    (x,) = encode_row(document, fitted, {"kind": " green"}).values()
    assert x.tolist() == [[0, 1, 0]]
    with pytest.raises(ProblemError, match="that “x” learnt: blue, green, red"):
        encode_row(document, fitted, {"kind": "mauve"})


def test_outputs_are_said_in_the_users_words() -> None:
    output = np.array([[0.25], [0.75]], np.float32)
    assert decode_output(SIGMOID, output) == [
        Answer((0.25,), "no", 0.75, ("no", "yes")),
        Answer((0.75,), "yes", 0.75, ("no", "yes")),
    ]
    three = FittedClasses(ClassColumn("c"), ("r", "g", "b"))
    (answer,) = decode_output(three, np.array([[0.125, 0.625, 0.25]], np.float32))
    assert (answer.label, answer.probability) == ("g", 0.625)
    price = FittedNumbers(NumberColumns(("p",), scaling="standardize"), (100.0,), (10.0,))
    assert decode_output(price, np.array([[-1.0]], np.float32)) == [Answer((90.0,))]
    assert decode_output(None, np.array([[1.0, 2.0]], np.float32)) == [Answer((1.0, 2.0))]


def test_a_table_of_predictions(tmp_path: Path) -> None:
    written(tmp_path)
    document = bound(numeric(), NumberColumns(("a", "b")), LABEL)
    fitted = load_data(document, tmp_path).fitted
    written(tmp_path, ("b,other", "5,6", "7,8"), "u.csv")
    document, inputs = predict_inputs(document, fitted, tmp_path, [f"x={tmp_path}/u.csv:other,b"])
    (x,) = inputs.values()
    assert x.tolist() == [[6, 5], [8, 7]]
    columns = prediction_columns(document, fitted, {"y": np.array([[0.25], [0.5078125]])})
    assert columns == {"y": ["0.25", "0.5078125"], "y_class": ["0", "1"]}


def test_several_values_have_a_column_each() -> None:
    document = numeric(units=2)
    output = {"y": np.array([[0.25, 0.75]])}
    assert prediction_columns(document, {}, output) == {"y_0": ["0.25"], "y_1": ["0.75"]}
    fitted = {document.graph.outputs[0].key: SIGMOID}
    assert prediction_columns(document, fitted, output) == {
        "y_no": ["0.25"],
        "y_yes": ["0.75"],
        "y_class": ["yes"],
    }
