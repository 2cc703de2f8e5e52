"""Samples that are windows over rows: Keras's windows, in order, within groups, without leaks."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.document import edits
from studio.document.model import Document
from studio.document.plan import (
    Binding,
    ClassColumn,
    DateColumn,
    FeatureColumns,
    NumberColumns,
    Series,
    Split,
    TableSource,
)
from studio.document.project import Project
from studio.engine.program import Array
from studio.layers.dense import Dense
from studio.layers.flatten import Flatten
from studio.layers.input import Input
from studio.layers.lstm import LSTM
from studio.losses.probabilistic import SparseCategoricalCrossentropy
from studio.losses.regression import MeanSquaredError
from studio.problem import ProblemError
from studio.train.arrays import unpacked
from studio.train.data import Dataset, check_data, load_data
from studio.train.events import Finished
from studio.train.prediction import encode_columns, encode_row, row_cells, sample_rows, told_rows
from studio.train.series import all_windows, split_windows
from studio.train.tables import Table
from studio.train.worker import train_project
from tests.references import case, meta
from tests.train.tables_and_models import NO_SPLIT, bound, chain, mended, refused, written

WINDOWS = meta("preprocessing")["windows"]


def recurrent(length: int | None, width: int, units: int = 1) -> Document:
    """Windows through an LSTM to numbers."""
    layers = Input(shape=(length, width)), LSTM(units=2), Dense(units=units)
    return chain(*layers, loss=MeanSquaredError())[0]


def series_of(
    document: Document, x: Binding, y: Binding, series: Series, split: Split = NO_SPLIT
) -> Document:
    return edits.set_data(bound(document, x, y, split), series=series)


def both(data: Dataset, held: bool = False) -> tuple[Array, Array]:
    arrays = data.validation if held else data.train
    assert arrays is not None
    (x,), (y,) = arrays.inputs.values(), arrays.targets.values()
    return unpacked(x), unpacked(y)


def counted(folder: Path, rows: int) -> None:
    """Rows that say their number: n, 10n + 100, even or odd, a time."""
    lines = ["n,m,parity,when"]
    lines += [f"{i},{10 * i + 100},{i % 2},2024-01-{i + 1:02}" for i in range(rows)]
    written(folder, tuple(lines))


N, M = NumberColumns(("n",)), NumberColumns(("m",))


# -- as Keras ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WINDOWS)
def test_windows_are_keras_timeseries_dataset_from_array(tmp_path: Path, name: str) -> None:
    found = case("preprocessing", f"windows/{name}")
    rows = zip(found["data"].tolist(), found["series"].tolist(), strict=True)
    lines = [f"{a},{b},{target}" for (a, b), target in rows]
    written(tmp_path, ("a,b,y", *lines))
    how = WINDOWS[name]
    document = recurrent(how["length"], 2)
    series = Series(how["length"], how["ahead"], how["step"])
    document = series_of(document, NumberColumns(("a", "b")), NumberColumns(("y",)), series)
    x, y = both(load_data(document, tmp_path))
    np.testing.assert_array_equal(x, found["x"])
    np.testing.assert_array_equal(y[:, 0], found["y"])
    assert check_data(document, tmp_path) == []


# -- what each port takes ------------------------------------------------------------------------


def test_an_input_without_a_time_axis_takes_the_last_row(tmp_path: Path) -> None:
    counted(tmp_path, 7)
    document, _, _ = chain(Input(shape=(1,)), Dense(units=1), loss=MeanSquaredError())
    x, y = both(load_data(series_of(document, N, M, Series(3, 2)), tmp_path))
    assert x.tolist() == [[2], [3], [4]]
    assert y.tolist() == [[140], [150], [160]]


def test_a_flat_input_as_long_as_a_window_takes_one_column_of_it(tmp_path: Path) -> None:
    counted(tmp_path, 6)
    document, _, _ = chain(Input(shape=(3,)), Dense(units=1), loss=MeanSquaredError())
    x, y = both(load_data(series_of(document, N, M, Series(3, 1)), tmp_path))
    assert x.tolist() == [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
    assert y.tolist() == [[130], [140], [150]]


def test_a_target_with_a_time_axis_takes_as_many_rows(tmp_path: Path) -> None:
    counted(tmp_path, 6)
    layers = Input(shape=(3, 1)), LSTM(units=1, return_sequences=True), Dense(units=1)
    document, _, _ = chain(*layers, loss=MeanSquaredError())
    x, y = both(load_data(series_of(document, N, M, Series(3, 1)), tmp_path))
    assert x[..., 0].tolist() == [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
    assert y[..., 0].tolist() == [[110, 120, 130], [120, 130, 140], [130, 140, 150]]


def test_classes_lie_ahead_and_open_lengths_take_the_windows(tmp_path: Path) -> None:
    counted(tmp_path, 6)
    layers = Input(shape=(None, 2)), LSTM(units=2), Dense(units=2, activation="softmax")
    document, _, _ = chain(*layers, loss=SparseCategoricalCrossentropy())
    one_hot = ClassColumn("parity", one_hot=True)
    document = series_of(document, one_hot, ClassColumn("parity"), Series(2, 3))
    x, y = both(load_data(document, tmp_path))
    assert x.argmax(axis=2).tolist() == [[0, 1], [1, 0]]
    assert y.tolist() == [[0], [1]]


def test_steps_side_by_side_are_windowed(tmp_path: Path) -> None:
    counted(tmp_path, 5)
    parts = N, ClassColumn("parity"), DateColumn("when", ("day",), cyclic=False)
    document = series_of(recurrent(2, 4), FeatureColumns(parts), M, Series(2, 1))
    x, _ = both(load_data(document, tmp_path))
    assert x[1].tolist() == [[1, 0, 1, 2], [2, 1, 0, 3]]


# -- order and groups ----------------------------------------------------------------------------

SHUFFLED = (
    "shop,day,n,y",
    *("b,2024-01-03,13,103", "a,2024-01-02,2,202", "a,2024-01-01,1,201", "b,2024-01-01,11,101"),
    *("a,2024-01-04,4,204", "c,2024-01-01,21,301", "b,2024-01-02,12,102", "a,2024-01-03,3,203"),
)
BY_DAY = Series(2, 1, order="day", group="shop")


def test_rows_are_put_in_order_and_no_window_spans_groups(tmp_path: Path) -> None:
    written(tmp_path, SHUFFLED)
    document = series_of(recurrent(2, 1), N, NumberColumns(("y",)), BY_DAY)
    data = load_data(document, tmp_path)
    x, y = both(data)
    assert x[..., 0].tolist() == [[11, 12], [1, 2], [2, 3]]  # "c" is too short
    assert y[:, 0].tolist() == [103, 203, 204]
    assert data.train_rows.tolist() == [6, 1, 7]


def test_rows_of_one_time_keep_their_order() -> None:
    table = Table("t", {"when": ["2", "1", "2", "1"], "n": list("abcd")})
    windows = all_windows(table, Series(2, order="when"))
    assert windows.rows.tolist() == [1, 3, 0, 2]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 2), min_size=1, max_size=25),
    st.integers(1, 4),
    st.integers(0, 3),
    st.integers(1, 3),
    st.sets(st.integers(0, 24)),
)
def test_no_window_that_trains_knows_a_row_that_validates(
    groups: list[int], length: int, ahead: int, step: int, held: set[int]
) -> None:
    table = Table("t", {"g": [f"g{group}" for group in groups]})
    series = Series(length, ahead, step, group="g")
    document = edits.set_data(Document(), series=series, split=Split("column"))
    rows = np.array(sorted(row for row in held if row < len(groups)), np.intp)
    expected = expected_windows(groups, series, set(rows.tolist()))
    try:
        train, validate = split_windows(document, table, rows)
    except ProblemError:
        assert not expected[0]
        return
    found = [
        [windows.rows[end - length + 1 : end + ahead + 1].tolist() for end in windows.ends]
        for windows in (train, validate)
    ]
    assert (found[0], found[1]) == expected


def expected_windows(
    groups: list[int], series: Series, held: set[int]
) -> tuple[list[list[int]], list[list[int]]]:
    """The rows of each window and on to its target's, slowly."""
    train, validate = [], []
    for group in dict.fromkeys(groups):
        rows = [row for row, other in enumerate(groups) if other == group]
        whole = series.length + series.ahead
        for start in range(0, len(rows) - whole + 1, series.step):
            window = rows[start : start + whole]
            if window[-1] in held:
                validate.append(window)
            elif not held & set(window):
                train.append(window)
    return train, validate


# -- splits --------------------------------------------------------------------------------------


def test_the_last_share_validates_and_only_what_trains_teaches(tmp_path: Path) -> None:
    counted(tmp_path, 10)
    standard = NumberColumns(("n",), "standardize")
    document = series_of(recurrent(3, 1), standard, M, Series(3, 1), Split("last", 0.3))
    data = load_data(document, tmp_path)
    train, held = both(data), both(data, held=True)
    assert train[1][:, 0].tolist() == [130, 140, 150, 160]
    assert held[1][:, 0].tolist() == [170, 180, 190]
    mean, deviation = np.mean(range(7)), np.std(range(7))
    expected = (np.array([[4, 5, 6], [5, 6, 7], [6, 7, 8]]) - mean) / deviation
    np.testing.assert_allclose(held[0][..., 0], expected, rtol=1e-6)
    assert (data.train_rows.tolist(), data.validation_rows.tolist()) == ([2, 3, 4, 5], [6, 7, 8])


def test_the_last_share_of_groups_is_by_time(tmp_path: Path) -> None:
    lines = [f"{shop},2024-01-{day:02},{day},{day}" for shop in "ab" for day in range(1, 6)]
    written(tmp_path, ("shop,day,n,y", *lines))
    document = series_of(recurrent(2, 1), N, NumberColumns(("y",)), BY_DAY, Split("last", 0.4))
    data = load_data(document, tmp_path)
    assert both(data)[1][:, 0].tolist() == [3, 3]
    assert both(data, held=True)[1][:, 0].tolist() == [4, 5, 4, 5]


def test_another_file_validates_with_windows_of_its_own(tmp_path: Path) -> None:
    counted(tmp_path, 6)
    (tmp_path / "t.csv").rename(tmp_path / "held.csv")
    counted(tmp_path, 8)

    split = Split("file", file=TableSource("held.csv"))
    data = load_data(series_of(recurrent(3, 1), N, M, Series(3, 1), split), tmp_path)
    assert (len(data.train), len(both(data, held=True)[0])) == (5, 3)


@pytest.mark.parametrize("kind", ["random", "stratified"])
def test_rows_drawn_at_random_are_refused_and_the_repair_takes_the_last(
    tmp_path: Path, kind: str
) -> None:
    counted(tmp_path, 12)
    split = Split(kind, 0.25, column="parity" if kind == "stratified" else "")  # type: ignore[arg-type]
    document = series_of(recurrent(3, 1), N, M, Series(3, 1), split)
    (problem,) = refused(document, tmp_path)
    assert problem.code == "series_split"
    better = mended(document, problem)
    assert better.plan.data.split.kind == "last"
    assert len(load_data(better, tmp_path).train) == 6


# -- what cannot be ------------------------------------------------------------------------------


def test_a_series_too_short_says_what_it_needs(tmp_path: Path) -> None:
    counted(tmp_path, 5)
    (problem,) = refused(series_of(recurrent(4, 1), N, M, Series(4, 2)), tmp_path)
    assert problem.code == "series_short"
    assert (problem.args["received"], problem.args["expected"]) == (5, 6)
    groups = series_of(recurrent(2, 1), N, M, Series(2, 1, group="when"))
    assert refused(groups, tmp_path)[0].args["received"] == 1


def test_a_split_that_leaves_no_window_to_train(tmp_path: Path) -> None:
    counted(tmp_path, 8)
    split = Split("column", column="parity", value="1")
    (problem,) = refused(series_of(recurrent(2, 1), N, M, Series(2, 1), split), tmp_path)
    assert problem.code == "series_without_training"


def test_lengths_that_differ_are_made_one(tmp_path: Path) -> None:
    counted(tmp_path, 9)
    document = series_of(recurrent(5, 1), N, M, Series(3, 1))
    (problem,) = refused(document, tmp_path)
    assert problem.code == "series_length"
    better = mended(document, problem)
    assert better.plan.data.series == Series(5, 1)
    assert len(load_data(better, tmp_path).train) == 4


def test_numbers_that_make_no_window_are_mended(tmp_path: Path) -> None:
    counted(tmp_path, 9)
    document = series_of(recurrent(None, 1), N, M, Series(0, -1, 0))
    (problem,) = refused(document, tmp_path)
    assert problem.code == "series_numbers"
    assert mended(document, problem).plan.data.series == Series(1, 0, 1)


def test_columns_of_order_and_group_must_be_there(tmp_path: Path) -> None:
    counted(tmp_path, 9)
    for series in (Series(2, order="no"), Series(2, group="no")):
        found = refused(series_of(recurrent(2, 1), N, M, series), tmp_path)
        assert {p.code for p in found} == {"column_missing"}


# -- prediction ----------------------------------------------------------------------------------


def test_every_window_is_predicted_though_nothing_follows(tmp_path: Path) -> None:
    written(tmp_path, SHUFFLED)
    document = series_of(recurrent(2, 1), N, NumberColumns(("y",)), BY_DAY)
    data = load_data(document, tmp_path)
    (x,) = encode_columns(document, data.fitted, data.table).values()
    assert unpacked(x)[..., 0].tolist() == [[11, 12], [12, 13], [1, 2], [2, 3], [3, 4]]
    assert sample_rows(document, data.table).tolist() == [6, 0, 1, 7, 4]
    assert told_rows(document, tmp_path)["day"] == [
        data.table.columns["day"][row] for row in (6, 0, 1, 7, 4)
    ]


def test_one_window_is_typed_by_hand(tmp_path: Path) -> None:
    written(tmp_path, SHUFFLED)
    document = series_of(recurrent(2, 1), N, NumberColumns(("y",)), BY_DAY)
    data = load_data(document, tmp_path)
    cells = row_cells(document, data.table, 7)
    assert cells["n"] == ["2", "3"]
    (x,) = encode_row(document, data.fitted, {"n": cells["n"]}).values()
    assert unpacked(x).tolist() == [[[2], [3]]]
    (x,) = encode_row(document, data.fitted, {"n": "5"}).values()
    assert unpacked(x).tolist() == [[[5], [5]]]
    with pytest.raises(ProblemError) as caught:
        row_cells(document, data.table, 2)
    assert caught.value.problems[0].code == "series_before"


def test_without_a_series_rows_are_samples(tmp_path: Path) -> None:
    counted(tmp_path, 4)
    document, _, _ = chain(Input(shape=(1,)), Dense(units=1), loss=MeanSquaredError())
    document = bound(document, N, M)
    table = load_data(document, tmp_path).table
    assert sample_rows(document, table).tolist() == [0, 1, 2, 3]
    assert row_cells(document, table, 1)["m"] == "110"
    assert told_rows(document, tmp_path) == {}


# -- large, and trained --------------------------------------------------------------------------


def test_windows_take_no_more_memory_than_rows(tmp_path: Path) -> None:
    written(tmp_path, ("n,y", *(f"{i},{i}" for i in range(3000))))
    document = series_of(recurrent(500, 1), N, NumberColumns(("y",)), Series(500, 1))
    data = load_data(document, tmp_path)
    (x,) = data.train.inputs.values()
    assert len(x) == 2500
    assert x.kept.nbytes == 8 * 2500  # where it ends, no more
    np.testing.assert_array_equal(unpacked(x[np.array([7])])[0, :, 0], np.arange(7, 507))


def test_a_series_is_learnt(tmp_path: Path) -> None:
    angle = np.arange(400) / 4
    written(tmp_path, ("v", *(f"{np.sin(a):.6f}" for a in angle)))
    layers = Input(shape=(12, 1)), Flatten(), Dense(units=1)
    document, _, _ = chain(*layers, loss=MeanSquaredError())
    v = NumberColumns(("v",))
    document = series_of(document, v, v, Series(12, 3), Split("last", 0.25))
    document = edits.set_run(document, epochs=30, batch_size=16)
    pickle.loads(pickle.dumps(document))
    (*_, finished) = train_project(Project(document), tmp_path)
    assert isinstance(finished, Finished)
    assert finished.run.history["val_loss"][-1] < 0.01
