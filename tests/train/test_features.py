"""Steps of data from cells: empty cells, scalings, dates, several side by side."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from studio.document import edits
from studio.document.model import Document
from studio.document.plan import (
    Binding,
    ClassColumn,
    DateColumn,
    FeatureColumns,
    Missing,
    NumberColumns,
    Split,
    TextColumn,
)
from studio.document.preprocess import FittedDates, FittedFeatures, FittedNumbers
from studio.engine.program import Array
from studio.layers.dense import Dense
from studio.layers.embedding import Embedding
from studio.layers.flatten import Flatten
from studio.layers.input import Input
from studio.losses.regression import MeanSquaredError
from studio.problem import ProblemError
from studio.train.arrays import unpacked
from studio.train.data import Dataset, check_data, load_data
from studio.train.prediction import encode_row, wanted
from tests.references import case
from tests.train.tables_and_models import bound, chain, mended, numeric, refused, textual, written

LABEL = ClassColumn("label")
GAPPED = (
    "a,b,colour,when,label",
    "1,,red,2024-01-01,0",
    ",10,blue,2024-01-02 06:00,1",
    "4,30,red,2024-03-01,0",
    "7,NA,,2023-12-31,1",
    "100,1000,green,2030-01-01,0",
)
LAST = Split("last", 0.2)
NUMBERS = NumberColumns(("a", "b"))
STEPS = FeatureColumns(
    (
        NumberColumns(("a", "b"), "standardize", "median"),
        ClassColumn("colour", missing="class"),
        DateColumn("when", ("month", "elapsed")),
    )
)


def inputs(data: Dataset, held: bool = False) -> Array:
    arrays = data.validation if held else data.train
    assert arrays is not None
    (x,) = arrays.inputs.values()
    return unpacked(x)


def gapped(folder: Path, x: Binding, width: int, split: Split = LAST) -> Document:
    written(folder, GAPPED)
    return bound(numeric(width), x, LABEL, split)


# -- as Keras ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["three", "one", "two_rows"])
def test_standardized_columns_are_keras_normalization(tmp_path: Path, name: str) -> None:
    found = case("preprocessing", f"normalization/{name}")
    rows = np.concatenate([found["data"], found["x"]])
    columns = tuple(f"c{number}" for number in range(rows.shape[1]))
    lines = [",".join([*(f"{value!r}" for value in row), "0"]) for row in rows.tolist()]
    lines[0] = lines[0][:-1] + "1"
    written(tmp_path, (",".join((*columns, "label")), *lines))
    split = Split("last", 4 / len(rows))
    document = bound(numeric(len(columns)), NumberColumns(columns, "standardize"), LABEL, split)
    data = load_data(document, tmp_path)
    np.testing.assert_allclose(inputs(data), found["y"], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(inputs(data, held=True), found["y_x"], rtol=1e-4, atol=1e-5)


# -- empty cells ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("missing", "fill"),
    [("mean", (4, 20)), ("median", (4, 20)), ("zero", (0, 0))],
)
def test_empty_cells_are_filled_with_what_training_rows_teach(
    tmp_path: Path, missing: Missing, fill: tuple[float, float]
) -> None:
    document = gapped(tmp_path, replace(NUMBERS, missing=missing), 2)
    assert check_data(document, tmp_path) == []
    data = load_data(document, tmp_path)
    a, b = fill
    assert inputs(data).tolist() == [[1, b], [a, 10], [4, 30], [7, b]]
    assert inputs(data, held=True).tolist() == [[100, 1000]]
    (x,) = encode_row(document, data.fitted, {"a": " ", "b": "nan"}).values()
    assert unpacked(x).tolist() == [[a, b]]


def test_empty_cells_are_refused_with_a_repair_that_fills_them(tmp_path: Path) -> None:
    document = gapped(tmp_path, NUMBERS, 2)
    found = refused(document, tmp_path)
    assert [p.code for p in found] == ["cell_empty", "cell_empty", "cell_not_number"]
    better = mended(document, found[0])
    assert better.plan.data.inputs[document.graph.inputs[0]] == replace(NUMBERS, missing="mean")
    assert check_data(better, tmp_path) == []


def test_what_is_no_number_at_all_is_not_filled(tmp_path: Path) -> None:
    written(tmp_path, ("a,b,label", "1,,0", "oops,3,1"))
    for missing in ("refuse", "mean"):
        document = bound(numeric(), replace(NUMBERS, missing=missing), LABEL)
        found = {p.code: p for p in refused(document, tmp_path)}
        assert found["cell_not_number"].args["cell"] == "oops"
        assert not any(p.fix for p in found.values())


def test_nothing_can_stand_for_a_column_without_any_value(tmp_path: Path) -> None:
    written(tmp_path, ("a,b,label", "1,,0", "2, ,1", "3,5,1"))
    document = bound(numeric(), replace(NUMBERS, missing="mean"), LABEL, Split("last", 0.33))
    (problem,) = refused(document, tmp_path)
    assert (problem.code, problem.args["column"]) == ("column_all_empty", "b")
    zero = bound(numeric(), replace(NUMBERS, missing="zero"), LABEL, Split("last", 0.33))
    assert inputs(load_data(zero, tmp_path)).tolist() == [[1, 0], [2, 0]]


def test_integers_are_filled_with_zero_alone(tmp_path: Path) -> None:
    written(tmp_path, ("a,label", "1,0", ",1", "2,1"))
    document = bound(textual(1), NumberColumns(("a",)), LABEL)
    (problem,) = refused(document, tmp_path)
    assert mended(document, problem).plan.data.inputs != document.plan.data.inputs
    assert inputs(load_data(mended(document, problem), tmp_path)).tolist() == [[1], [0], [2]]
    document = bound(textual(1), NumberColumns(("a",), missing="median"), LABEL)
    (problem,) = refused(document, tmp_path)
    assert problem.code == "integers_filled"
    assert check_data(mended(document, problem), tmp_path) == []


def test_a_target_is_never_made_up(tmp_path: Path) -> None:
    written(tmp_path, GAPPED)
    document, _, _ = chain(Input(shape=(1,)), Dense(units=1), loss=MeanSquaredError())
    y = NumberColumns(("b",), missing="mean")
    document = bound(document, NumberColumns(("a",), missing="zero"), y)
    (problem,) = refused(document, tmp_path)
    assert problem.code == "target_filled"
    found = refused(mended(document, problem), tmp_path)
    assert [(p.code, p.fix) for p in found] == [("cell_empty", None), ("cell_not_number", None)]


def test_an_empty_label_is_refused_or_a_class(tmp_path: Path) -> None:
    document = gapped(tmp_path, ClassColumn("colour", one_hot=True), 3, Split("none"))
    (problem, *_) = refused(document, tmp_path)
    assert problem.code == "cell_empty"
    document = edits.set_parameters(document, layer_of(document), shape=(4,))
    better = mended(document, problem)
    data = load_data(better, tmp_path)
    assert inputs(data).argmax(axis=1).tolist() == [3, 1, 3, 0, 2]
    (x,) = encode_row(better, data.fitted, {"colour": " "}).values()
    assert unpacked(x).tolist() == [[1, 0, 0, 0]]


def layer_of(document: Document) -> str:
    return document.graph.calls[document.graph.inputs[0]].layer


# -- scalings ------------------------------------------------------------------------------------


def test_min_max_is_of_the_rows_that_train(tmp_path: Path) -> None:
    written(tmp_path)
    document = bound(numeric(), replace(NUMBERS, scaling="min_max"), LABEL, LAST)
    data = load_data(document, tmp_path)
    np.testing.assert_allclose(inputs(data)[:, 0], [0, 1 / 3, 2 / 3, 1], rtol=1e-6)
    np.testing.assert_allclose(inputs(data, held=True), [[4 / 3, 4 / 3]], rtol=1e-6)
    (fitted,) = (f for f in data.fitted.values() if isinstance(f, FittedNumbers))
    assert (fitted.ends("b"), fitted.middle("b")) == ((10, 40), 25)


# -- dates ---------------------------------------------------------------------------------------


def test_parts_of_dates_arrive(tmp_path: Path) -> None:
    binding = DateColumn("when", ("month", "hour", "elapsed"), cyclic=False)
    document = gapped(tmp_path, binding, 3)
    data = load_data(document, tmp_path)
    assert inputs(data).tolist() == [[1, 0, 1], [1, 6, 2.25], [3, 0, 61], [12, 0, 0]]
    assert inputs(data, held=True)[0].tolist() == [1, 0, 2193]
    (fitted,) = (f for f in data.fitted.values() if isinstance(f, FittedDates))
    assert fitted.last - fitted.first == 61
    (x,) = encode_row(document, data.fitted, {"when": "5 Jan 2024, 3 pm"}).values()
    assert unpacked(x).tolist() == [[1, 15, 5.625]]


def test_dates_that_are_none_are_told(tmp_path: Path) -> None:
    written(tmp_path, ("when,label", "2024-01-01,0", "soon,1", "2024-02-30,1"))
    document = bound(numeric(4), DateColumn("when", ("month", "hour")), LABEL)
    (problem,) = refused(document, tmp_path)
    assert (problem.code, problem.args["row"]) == ("cell_not_date_and_more", 3)
    written(tmp_path, ("when,label", "2024-01-01,0", ",1"))
    assert [p.code for p in refused(document, tmp_path)] == ["cell_empty"]


def test_the_order_of_day_and_month_is_asked_for_where_it_does_not_show(tmp_path: Path) -> None:
    written(tmp_path, ("when,label", "1/2/2024,0", "3/4/2024,1"))
    binding = DateColumn("when", ("month",), cyclic=False)
    document = bound(numeric(1), binding, LABEL)
    (warning,) = check_data(document, tmp_path)
    assert (warning.code, warning.severity) == ("date_month_first", "warning")
    assert "“1/2/2024”" in str(warning)
    assert inputs(load_data(document, tmp_path)).tolist() == [[1], [3]]
    better = mended(document, warning)
    assert check_data(better, tmp_path) == []
    assert inputs(load_data(better, tmp_path)).tolist() == [[2], [4]]
    written(tmp_path, ("when,label", "1/2/2024,0", "31/4/2024,1", "31/5/2024,1"))
    assert [p.code for p in check_data(document, tmp_path)] == ["cell_not_date"]


def test_a_new_table_is_read_in_the_order_that_training_found(tmp_path: Path) -> None:
    written(tmp_path, ("when,label", "1/2/2024,0", "13/4/2024,1"))
    binding = DateColumn("when", ("month",), cyclic=False)
    document = bound(numeric(1), binding, LABEL)
    fitted = load_data(document, tmp_path).fitted
    (x,) = encode_row(document, fitted, {"when": "5/6/2024"}).values()
    assert unpacked(x).tolist() == [[6]]


def test_dates_that_do_not_fit_a_port(tmp_path: Path) -> None:
    binding = DateColumn("when", ("month", "year"))
    (problem,) = refused(gapped(tmp_path, binding, 2), tmp_path)
    assert (problem.code, problem.args["received"]) == ("date_width", 3)
    document = mended(gapped(tmp_path, binding, 2), problem)
    assert inputs(load_data(document, tmp_path)).shape == (4, 3)
    found = refused(gapped(tmp_path, replace(binding, parts=()), 2), tmp_path)
    assert "date_parts" in [p.code for p in found]
    whole = bound(textual(1), replace(binding, parts=("year",)), LABEL)
    assert "features_need_floats" in [p.code for p in refused(whole, tmp_path)]
    target, _, _ = chain(Input(shape=(1,)), Dense(units=1), loss=MeanSquaredError())
    target = bound(target, NumberColumns(("label",)), replace(binding, parts=("year",)))
    assert [p.code for p in refused(target, tmp_path)] == ["target_features"]


# -- side by side --------------------------------------------------------------------------------


def test_steps_lie_side_by_side(tmp_path: Path) -> None:
    document = gapped(tmp_path, STEPS, 8)
    data = load_data(document, tmp_path)
    x = inputs(data)
    a, b = np.array([1, 4, 4, 7]), np.array([20, 10, 30, 20])
    np.testing.assert_allclose(x[:, 0], (a - a.mean()) / a.std(), rtol=1e-6)
    np.testing.assert_allclose(x[:, 1], (b - b.mean()) / b.std(), rtol=1e-6)
    assert x[:, 2:5].argmax(axis=1).tolist() == [2, 1, 2, 0]
    angle = 2 * np.pi * np.array([0, 0, 2, 11]) / 12
    np.testing.assert_allclose(x[:, 5:7], np.stack([np.sin(angle), np.cos(angle)], 1), atol=1e-6)
    assert x[:, 7].tolist() == [1, 2.25, 61, 0]


def test_a_class_that_no_training_row_has_is_zeros_and_told(tmp_path: Path) -> None:
    document = gapped(tmp_path, STEPS, 8)
    data = load_data(document, tmp_path)
    assert inputs(data, held=True)[0, 2:5].tolist() == [0, 0, 0]
    (warning,) = data.warnings
    assert (warning.code, warning.args["cell"], warning.severity) == (
        "class_unknown",
        "green",
        "warning",
    )
    cells = {"a": "", "b": "?", "colour": "pink", "when": "2024-01-01"}
    (x,) = encode_row(document, data.fitted, cells).values()
    assert unpacked(x)[0, 2:5].tolist() == [0, 0, 0]
    assert unpacked(x)[0, 0] == 0  # the median of 1, 4, 7 is their mean, and so is what it became


def test_a_width_that_differs_is_mended_by_the_inputs_shape(tmp_path: Path) -> None:
    document = gapped(tmp_path, STEPS, 5)
    (problem,) = refused(document, tmp_path)
    assert (problem.code, problem.args["parts"]) == ("feature_width", "2 + 3 + 3")
    better = mended(document, problem)
    assert inputs(load_data(better, tmp_path)).shape == (4, 8)
    assert [p.severity for p in check_data(better, tmp_path)] == ["warning"]


def test_the_repairs_of_a_step_change_it_alone(tmp_path: Path) -> None:
    refusing = FeatureColumns(
        (NumberColumns(("a",)), NumberColumns(("b",), "min_max"), ClassColumn("colour"))
    )
    document = gapped(tmp_path, refusing, 5)
    found = refused(document, tmp_path)
    assert [p.code for p in found] == ["cell_empty", "cell_empty", "cell_not_number", "cell_empty"]
    for problem in (found[0], found[1], found[3]):
        document = mended(document, problem)
    (binding,) = document.plan.data.inputs.values()
    assert binding == FeatureColumns(
        (
            NumberColumns(("a",), missing="mean"),
            NumberColumns(("b",), "min_max", "mean"),
            ClassColumn("colour", missing="class"),
        )
    )
    assert inputs(load_data(document, tmp_path)).shape == (4, 5)


def test_steps_that_are_none_or_for_no_input(tmp_path: Path) -> None:
    found = refused(gapped(tmp_path, FeatureColumns(()), 2), tmp_path)
    assert [p.code for p in found] == ["features_empty"]
    whole = bound(textual(1), FeatureColumns((NumberColumns(("label",)),)), LABEL)
    (problem,) = refused(whole, tmp_path)
    assert problem.code == "features_need_floats"
    layers = Input(shape=(2, 2)), Flatten(), Dense(units=1)
    square, _, _ = chain(*layers, loss=MeanSquaredError())
    found = refused(bound(square, STEPS, NumberColumns(("label",))), tmp_path)
    assert "features_need_one_axis" in [p.code for p in found]


def test_each_column_is_asked_for_once_with_what_its_step_learnt(tmp_path: Path) -> None:
    document = gapped(tmp_path, STEPS, 8)
    fitted = load_data(document, tmp_path).fitted
    (features,) = (f for f in fitted.values() if isinstance(f, FittedFeatures))
    found = wanted(document, fitted)
    assert [w.column for w in found] == ["a", "b", "colour", "when"]
    assert [w.fitted for w in found] == [features.parts[at] for at in (0, 0, 1, 2)]
    assert [w.binding for w in found] == [STEPS.parts[at] for at in (0, 0, 1, 2)]
    assert [w.fitted for w in wanted(document, {})] == [None] * 4
    (alone,) = wanted(gapped(tmp_path, DateColumn("when", ("year",)), 1), {})
    assert isinstance(alone.binding, DateColumn)


def test_steps_never_trained_with_are_told(tmp_path: Path) -> None:
    document = gapped(tmp_path, STEPS, 8)
    with pytest.raises(ProblemError, match="Train first"):
        encode_row(document, {}, {"a": "1", "b": "2", "colour": "red", "when": "2024-01-01"})


# -- other writing -------------------------------------------------------------------------------


def test_unspaced_text_is_read_sign_by_sign(tmp_path: Path) -> None:
    written(tmp_path, ("t,label", "今天好,0", "今天 Python 不好!,1"))
    layers = Input(shape=(6,), dtype="int32"), Embedding(input_dim=20, output_dim=2), Flatten()
    document, _, _ = chain(*layers)
    document = bound(document, TextColumn("t", 6, 20, "unspaced"), None)
    x = inputs(load_data(document, tmp_path))
    assert x.tolist() == [[0, 0, 0, 2, 3, 4], [2, 3, 5, 6, 4, 7]]


def test_an_empty_date_is_refused_with_a_repair_or_the_median(tmp_path: Path) -> None:
    lines = ("2024-01-09", "", "2024-01-03", "2024-01-05", " ", "n/a")
    written(tmp_path, ("when,label", *(f"{when},{n % 2}" for n, when in enumerate(lines))))
    binding = DateColumn("when", ("day", "elapsed"), cyclic=False)
    document = bound(numeric(2), binding, LABEL, Split("last", 0.3))
    (problem, *_) = refused(document, tmp_path)
    assert problem.code == "cell_empty_and_more"
    better = mended(document, problem)
    data = load_data(better, tmp_path)
    assert inputs(data).tolist() == [[9, 6], [5, 2], [3, 0], [5, 2]]
    assert inputs(data, held=True).tolist() == [[5, 2], [5, 2]]
    (x,) = encode_row(better, data.fitted, {"when": ""}).values()
    assert unpacked(x).tolist() == [[5, 2]]
    held = edits.set_data(better, split=Split("column", column="when", value="2024-01-09"))
    written(tmp_path, ("when,label", "2024-01-09,0", ",1", ",0"))
    assert [p.code for p in refused(held, tmp_path)] == ["column_all_empty"]
