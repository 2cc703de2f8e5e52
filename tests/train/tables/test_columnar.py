"""Parquet files as tables."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from arro3.core import (
    Array,
    DataType,
    Field,
    Table,
    fixed_size_list_array,
    list_array,
    struct_array,
)
from arro3.io import write_parquet

from studio.problem import ProblemError
from studio.train import cells
from studio.train.tables import columnar, detected, peek_table, read_table, reading


def saved(folder: Path, **columns: Any) -> Path:
    path = folder / "t.parquet"
    write_parquet(Table.from_pydict(columns), path)
    return path


def lists(lengths: list[int], values: Array) -> Array:
    """Lists of these lengths, one after the other."""
    offsets = np.cumsum([0, *lengths], dtype=np.int32)
    return list_array(Array.from_numpy(offsets), values)


def test_values_become_cells(tmp_path: Path) -> None:
    moments = Array([1704164645000000, None, 1704153600000000], DataType.int64())
    days = Array([19724, None, 18262], DataType.int32())
    strings = Array(["a", None, "é"], DataType.string())
    labels = strings.cast(DataType.dictionary(DataType.int32(), DataType.string()))
    table = read_table(
        saved(
            tmp_path,
            whole=Array([1, None, -3], DataType.int64()),
            single=Array([1.5, None, 0.1], DataType.float32()),
            double=Array([float("nan"), 1e300, 2.0], DataType.float64()),
            text=strings,
            label=labels,
            sure=Array([True, False, None], DataType.bool()),
            when=moments.cast(DataType.timestamp("us")),
            there=moments.cast(DataType.timestamp("us", tz="+01:00")),
            day=days.cast(DataType.date32()),
            many=lists([2, 0, 1], Array([1.0, 2.5, 3.0], DataType.float64())),
            inner=struct_array(
                [Array([1, None, 2], DataType.int64())],
                fields=[Field("u", DataType.int64(), nullable=True)],
            ),
            raw=Array([b"x", b"y", None], DataType.binary()),
        )
    )
    assert dict(table.columns) == {
        "whole": ["1", "", "-3"],
        "single": ["1.5", "", "0.1"],
        "double": ["", "1e+300", "2"],
        "text": ["a", "", "é"],
        "label": ["a", "", "é"],
        "sure": ["1", "0", ""],
        "when": ["2024-01-02 03:04:05", "", "2024-01-02"],
        "there": ["2024-01-02T04:04:05+01:00", "", "2024-01-02T01:00:00+01:00"],
        "day": ["2024-01-02", "", "2020-01-01"],
        "many": ["1 2.5", "", "3"],
        "inner": ['{"u": 1}', '{"u": null}', '{"u": 2}'],
    }
    assert [w.code for w in table.warnings] == ["column_of_bytes"]
    kinds = {"whole": "integer", "single": "number", "when": "date", "many": "sequence"}
    assert {name: table.kind(name) for name in kinds} == kinds
    assert table.place(0) == 1


def test_lists_of_one_length_are_arrays(tmp_path: Path) -> None:
    rows = np.arange(12).reshape(4, 3)
    flat = Array.from_numpy(rows.ravel())
    pairs = fixed_size_list_array(Array.from_numpy(np.arange(16)), 2)
    path = saved(
        tmp_path,
        x=lists([3] * 4, flat),
        pairs=pairs.slice(0, 4),
        films=lists([2] * 4, pairs),
        y=Array([0, 1, 0, 1], DataType.int8()),
    )
    table = read_table(path)
    np.testing.assert_array_equal(table.array("x"), rows)
    np.testing.assert_array_equal(table.array("pairs"), np.arange(8).reshape(4, 2))
    np.testing.assert_array_equal(table.array("films"), np.arange(16).reshape(4, 2, 2))
    assert table.columns == {"y": ["0", "1", "0", "1"]}
    head = peek_table(path, rows=2)
    assert (head.rows, head.array("x").shape) == (2, (2, 3))
    assert detected(path) == detected(path, reading.Reading(delimiter=";"))


def test_a_large_one_lies_in_files_and_reads_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = np.arange(6000.0).reshape(3000, 2)
    path = saved(
        tmp_path,
        x=lists([2] * 3000, Array.from_numpy(x.ravel())),
        y=Array(list(range(3000)), DataType.int64()),
    )
    monkeypatch.setattr(columnar, "TOGETHER", 700)
    monkeypatch.setattr(columnar, "LARGE_CELLS", 0)
    monkeypatch.setattr(columnar, "LARGE", 0)
    monkeypatch.setattr(cells, "BLOCK", 5000)
    table = read_table(path)
    assert table.large
    assert isinstance(table.array("x"), np.memmap)
    np.testing.assert_array_equal(table.array("x"), x)
    assert list(table.columns["y"]) == [str(i) for i in range(3000)]


@pytest.mark.parametrize("damage", ["cut", "noise", "none", "short"])
def test_a_damaged_one_is_said_to_be_so(tmp_path: Path, damage: str) -> None:
    path = saved(tmp_path, a=Array(list(range(1000)), DataType.int64()))
    data = path.read_bytes()
    middle = bytes(b ^ 0xFF for b in data[4:-400])
    made = {
        "cut": data[:-20],
        "noise": data[:4] + middle + data[-400:],
        "none": b"PAR1" + b"x" * 100 + b"PAR1",
        "short": b"",
    }
    path.write_bytes(made[damage])
    with pytest.raises(ProblemError) as caught:
        read_table(path)
    assert [p.code for p in caught.value.problems] == ["file_unreadable"]


def test_one_without_rows_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(ProblemError) as caught:
        read_table(saved(tmp_path, a=Array([], DataType.int64())))
    assert [p.code for p in caught.value.problems] == ["file_without_rows"]


def test_the_first_bytes_tell_what_it_is(tmp_path: Path) -> None:
    path = saved(tmp_path, a=Array([1], DataType.int64())).rename(tmp_path / "table.data")
    assert read_table(path).columns == {"a": ["1"]}
