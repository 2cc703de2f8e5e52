"""Which rows train and which validate."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.document import edits
from studio.document.plan import (
    ArrayColumn,
    ClassColumn,
    NumberColumns,
    Split,
    TableSource,
    TextColumn,
)
from studio.problem import ProblemError
from studio.train.arrays import unpacked
from studio.train.data import load_data
from studio.train.splits import order_keys, split_rows
from studio.train.tables import Table, read_table, table_source
from tests.train.tables_and_models import (
    ROWS,
    bound,
    mended,
    numeric,
    refused,
    textual,
    written,
)

NUMBERS = NumberColumns(("a", "b"), "standardize")
LABEL = ClassColumn("label")


def table_of(**columns: list[str]) -> Table:
    return Table("t.csv", columns)


# -- strata --------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_each_class_gives_its_share(seed: int) -> None:
    kinds = ["a"] * 50 + ["b"] * 30 + ["c"] * 20
    order = np.random.default_rng(seed).permutation(100)
    table = table_of(kind=[kinds[row] for row in order])
    train, held = split_rows(table, Split("stratified", 0.2, seed, "kind"))
    cells = table.columns["kind"]
    assert Counter(cells[row] for row in held) == {"a": 10, "b": 6, "c": 4}
    assert sorted([*train, *held]) == list(range(100))
    assert list(held) == sorted(held)
    again = split_rows(table, Split("stratified", 0.2, seed, "kind"))[1]
    other = split_rows(table, Split("stratified", 0.2, seed + 9, "kind"))[1]
    assert held.tolist() == again.tolist() != other.tolist()


@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.25, 0.5, 0.9])
def test_shares_are_rounded_to_as_many_rows_as_keras_takes(fraction: float) -> None:
    kinds = ["a"] * 17 + ["b"] * 11 + ["c"] * 5 + ["d"]
    train, held = split_rows(table_of(kind=kinds), Split("stratified", fraction, 0, "kind"))
    counts = Counter(kinds[row] for row in held)
    assert counts["d"] == 0  # the only one trains
    expected = min(34 - int(np.floor(round(34 * (1 - fraction), 6))), 16 + 10 + 4)
    assert len(held) == expected
    assert {kinds[row] for row in train} == set("abcd")
    for kind, size in (("a", 17), ("b", 11), ("c", 5)):
        assert abs(counts[kind] - size * fraction) <= 1.5


def test_the_strata_are_the_first_class_targets_unless_a_column_is_named(tmp_path: Path) -> None:
    rows = ["a,b,label,kind", *(f"{i},{i},{i % 2},{'xyz'[i % 3]}" for i in range(60))]
    written(tmp_path, tuple(rows))
    document = bound(numeric(), NUMBERS, LABEL, Split("stratified", 0.2))
    data = load_data(document, tmp_path)
    labels = [data.table.columns["label"][row] for row in data.validation_rows]
    assert Counter(labels) == {"0": 6, "1": 6}
    by_kind = edits.set_data(document, split=Split("stratified", 0.2, column="kind"))
    data = load_data(by_kind, tmp_path)
    kinds = [data.table.columns["kind"][row] for row in data.validation_rows]
    assert Counter(kinds) == {"x": 4, "y": 4, "z": 4}


def test_strata_that_cannot_be(tmp_path: Path) -> None:
    written(tmp_path)
    numbers = bound(numeric(), NUMBERS, NumberColumns(("label",)), Split("stratified"))
    assert [p.code for p in refused(numbers, tmp_path)] == ["split_without_classes"]
    single = bound(numeric(), NUMBERS, LABEL, Split("stratified", column="a"))
    assert [p.code for p in refused(single, tmp_path)] == ["split_strata"]


# -- by order ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "held"),
    [
        (["3", "1", "2", "5", "4"], [3, 4]),
        (["2024-03-01", "2024-01-01", "2023-12-31", "1969-01-01", "2024-02-28"], [0, 4]),
        (["1/3/2024", "31/1/2024", "2/1/2024", "3/2/2024", "30/1/2024"], [0, 3]),
        (["2024-01-01T01:00+05:00", "2024-01-01T00:00Z", "2024-01-01", "2023", "2022"], [1, 2]),
        (["1", "1", "1", "1", "1"], [3, 4]),  # ties keep the file's order
    ],
)
def test_the_last_rows_are_those_of_a_columns_order(cells: list[str], held: list[int]) -> None:
    train, found = split_rows(table_of(when=cells), Split("last", 0.4, column="when"))
    assert found.tolist() == held
    assert train.tolist() == [row for row in range(5) if row not in held]


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        (["1", "x", "3"], "cell_not_ordered_and_more"),
        (["2024-01-01", "2024-02-30", "2024-02-03"], "cell_not_ordered"),
        (["2024-01-01", " ", "2024-02-03"], "cell_empty"),
    ],
)
def test_cells_that_have_no_order(cells: list[str], code: str) -> None:
    with pytest.raises(ProblemError) as caught:
        order_keys(table_of(when=cells), "when")
    assert [p.code for p in caught.value.problems] == [code]


def test_nothing_of_the_rows_held_back_is_learnt(tmp_path: Path) -> None:
    written(tmp_path)
    document = bound(numeric(), NUMBERS, LABEL, Split("last", 0.4, column="b"))
    kept = load_data(document, tmp_path)
    written(tmp_path, (*ROWS[:4], *(f"w,{i}e6,{i}0,1,1,blue,x" for i in (4, 5))))
    other = load_data(document, tmp_path)
    assert kept.train_rows.tolist() == other.train_rows.tolist() == [0, 1, 2]
    assert kept.fitted == other.fitted


# -- another file --------------------------------------------------------------------------------

HELD = ("text,a,b,label,kind", "good stranger,7,70,1,red", "bad,8,80,0,blue")


def test_another_file_validates_by_what_the_first_taught(tmp_path: Path) -> None:
    written(tmp_path)
    written(tmp_path, HELD, "held.csv")
    split = Split("file", file=TableSource("held.csv"))
    document = bound(numeric(), NUMBERS, LABEL, split)
    data = load_data(document, tmp_path)
    assert (len(data.train), data.validation_rows.tolist()) == (5, [0, 1])
    assert (data.table.name, data.validation_table.name) == ("t.csv", "held.csv")
    assert data.validation is not None
    (x,), (y,) = data.validation.inputs.values(), data.validation.targets.values()
    deviation = np.std([1, 2, 3, 4, 5])
    np.testing.assert_allclose(x[:, 0], (np.array([7, 8]) - 3) / deviation, rtol=1e-6)
    assert y.tolist() == [[1], [0]]
    alone = load_data(edits.set_data(document, split=Split("none")), tmp_path)
    assert alone.fitted == data.fitted


def test_a_vocabulary_is_of_the_first_file(tmp_path: Path) -> None:
    written(tmp_path)
    written(tmp_path, HELD, "held.csv")
    split = Split("file", file=TableSource("held.csv"))
    document = bound(textual(), TextColumn("text", 3, 10), LABEL, split)
    data = load_data(document, tmp_path)
    assert data.validation is not None
    (held,) = data.validation.inputs.values()
    assert held.tolist() == [[0, 2, 1], [0, 0, 3]]


def test_what_is_wrong_with_the_other_file_is_told_with_the_rest(tmp_path: Path) -> None:
    written(tmp_path)
    written(tmp_path, ("a,b,label", "1,,0", "2,3,2"), "held.csv")
    document = bound(numeric(), NUMBERS, LABEL, Split("file", file=TableSource("held.csv")))
    found = refused(document, tmp_path)
    assert [(p.code, p.args["file"]) for p in found] == [
        ("cell_empty", "held.csv"),
        ("label_unseen", "held.csv"),
    ]
    nowhere = edits.set_data(document, split=Split("file", file=TableSource("no.csv")))
    assert [p.code for p in refused(nowhere, tmp_path)] == ["file_missing"]
    unsaid = edits.set_data(document, split=Split("file"))
    assert [p.code for p in refused(unsaid, tmp_path)] == ["split_without_file"]


def test_what_is_wrong_with_a_port_is_told_once(tmp_path: Path) -> None:
    written(tmp_path)
    written(tmp_path, ("text,a,b,label", ",1,2,0"), "held.csv")
    split = Split("file", file=TableSource("held.csv"))
    short = bound(textual(2), TextColumn("text", 3, 10), LABEL, split)
    assert [p.code for p in refused(short, tmp_path)] == ["text_length"]
    whole = bound(textual(), TextColumn("text", 3, 10), LABEL, split)
    assert [p.code for p in refused(whole, tmp_path)] == ["cell_empty"]


def test_arrays_validate_from_another_file(tmp_path: Path) -> None:
    for name, count in (("train", 6), ("held", 4)):
        x = np.arange(2 * count).reshape(count, 2)
        np.savez(tmp_path / f"{name}.npz", x=x, label=np.arange(count) % 2)
    split = Split("file", file=TableSource("held.npz"))
    document = bound(numeric(), ArrayColumn("x"), LABEL, split, "train.npz")
    data = load_data(document, tmp_path)
    assert data.validation is not None
    (x,) = data.validation.inputs.values()
    assert (len(data.train), unpacked(x).tolist()) == (6, [[0, 1], [2, 3], [4, 5], [6, 7]])


def test_another_file_that_changed_is_accepted_where_it_stands(tmp_path: Path) -> None:
    written(tmp_path)
    path = written(tmp_path, HELD, "held.csv")
    split = Split("file", file=table_source(path, tmp_path))
    document = bound(numeric(), NUMBERS, LABEL, split)
    load_data(document, tmp_path)
    written(tmp_path, (*HELD, "new,9,90,1,red"), "held.csv")
    (problem,) = refused(document, tmp_path)
    assert problem.code == "file_changed"
    better = mended(document, problem)
    assert better.plan.data.source == document.plan.data.source
    assert better.plan.data.split == replace(split, file=table_source(path, tmp_path))
    assert len(load_data(better, tmp_path).validation or ()) == 3


@pytest.mark.parametrize("kind", ["random", "stratified", "last"])
@pytest.mark.parametrize("fraction", [-0.1, 1.5, float("nan"), float("inf")])
def test_a_share_that_is_none_is_refused(tmp_path: Path, kind: Any, fraction: float) -> None:
    table = read_table(written(tmp_path))
    with pytest.raises(ProblemError) as caught:
        split_rows(table, Split(kind, fraction, column="kind"))
    assert caught.value.problems[0].code == "split_fraction"


def test_a_share_concerns_no_other_split(tmp_path: Path) -> None:
    table = read_table(written(tmp_path))
    for split in (Split("none", float("nan")), Split("column", -1.0, column="part", value="y")):
        train, held = split_rows(table, split)
        assert len(train) + len(held) == 5


def test_a_long_cell_costs_a_stratified_split_no_memory(tmp_path: Path) -> None:
    rows = ("a", "x" * 2**20, *["p", "q"] * 4000)
    table = read_table(written(tmp_path, rows))
    train, held = split_rows(table, Split("stratified", 0.25, column="a"))
    assert len(held) == 2001
    assert 0 in train
