"""Tables too large for memory: the same columns, problems and numbers as those in memory."""

import errno
import gzip
import io
import pickle
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.document import edits
from studio.document.model import Document
from studio.document.plan import (
    ArrayColumn,
    ClassColumn,
    DateColumn,
    FeatureColumns,
    NumberColumns,
    Series,
    Split,
    TableSource,
    TextColumn,
)
from studio.document.project import Project
from studio.engine.program import Array
from studio.layers.dense import Dense
from studio.layers.flatten import Flatten
from studio.layers.input import Input
from studio.losses.probabilistic import CategoricalCrossentropy, SparseCategoricalCrossentropy
from studio.problem import ProblemError
from studio.train import array_files, cells, streamed
from studio.train.arrays import OneHots, Packed, unpacked
from studio.train.bindings import suggest_bindings, with_data
from studio.train.data import Dataset, check_data, load_data
from studio.train.encoding import classes
from studio.train.events import Event, Finished
from studio.train.prediction import predict_inputs
from studio.train.streamed import Streamed
from studio.train.tables import Table, array_tables, delimited, read_table, reading
from studio.train.worker import TrainingProcess, train_project
from tests.train.tables_and_models import bound, chain, numeric, textual, written

NUMBERS = NumberColumns(("a", "b"), scaling="standardize")
BY_COLUMN = Split("column", column="part", value="v")
SPLITS = [
    *(Split("none"), Split("random", 0.3), Split("last", 0.3), BY_COLUMN),
    *(Split("stratified", 0.3, column="kind"), Split("last", 0.3, column="day")),
    Split("file", file=TableSource("t.csv")),
]
DAY = DateColumn("day", ("month", "elapsed"), scaling="min_max")
STEPS = FeatureColumns(
    (NumberColumns(("a", "gap"), "standardize", "median"), ClassColumn("kind"), DAY)
)


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """From when it is called, every file is large and blocks are of some rows."""

    def begin() -> None:
        reading._read.cache_clear()
        for module in (array_tables, array_files, classes):
            monkeypatch.setattr(module, "LARGE", 0)
        monkeypatch.setattr(delimited, "LARGE_TEXT", 0)
        monkeypatch.setattr(cells, "BLOCK", 5000)
        monkeypatch.setattr(streamed, "BLOCK", 256)

    yield begin
    reading._read.cache_clear()


def csv_rows(count: int = 400) -> tuple[str, ...]:
    rng = np.random.default_rng(3)
    words = ["good", "\0bad", "night", '"a, ""quoted"" day"', '"two\nlines"', "été"]
    found = ["text,a,b,kind,even,part,gap,day"]
    for row in range(count):
        text = " ".join(rng.choice(words[:3], 3)) if row % 7 else words[3 + row % 3]
        kind, part = "rgb"[row % 3], "v" if row % 5 == 0 else "t"
        gap = "" if row % 4 == 1 else f"{row % 9}"
        day = f"2024-{row % 12 + 1:02}-{row % 28 + 1:02} {row % 24}:30"
        numbers = f"{rng.normal():.4f},{1e9 + rng.normal():.3f}"
        found.append(f"{text},{numbers},{kind},{row % 2},{part},{gap},{day}")
    return tuple(found)


def columns(table: Table) -> dict[str, list[str]]:
    return {name: list(column) for name, column in table.columns.items()}


# -- cells ---------------------------------------------------------------------------------------


def test_a_large_file_has_the_cells_of_a_small_one(tmp_path: Path, large: Any) -> None:
    path = written(tmp_path, (*csv_rows()[:100], "", *csv_rows()[100:]))
    zipped = tmp_path / "t.csv.gz"
    zipped.write_bytes(gzip.compress(path.read_bytes()))
    small = read_table(path)
    large()
    for file in (path, zipped):
        table = read_table(file)
        assert table.large
        assert not small.large
        assert len(list(table.blocks())) > 10
        assert columns(table) == columns(small)
        assert [table.place(row) for row in (0, 98, 99, 399)] == [2, 100, 102, 402]
        assert list(table.places) == list(small.places)
        assert [table.kind(c) for c in table.names] == [small.kind(c) for c in small.names]
        assert [table.distinct(c) for c in table.names] == [small.distinct(c) for c in small.names]


@pytest.mark.parametrize(
    "rows",
    [slice(3, 170), slice(None, 5), slice(390, None), slice(5, 5), slice(9, 900), slice(0, 400, 7)],
)
def test_cells_are_had_by_their_rows(tmp_path: Path, large: Any, rows: slice) -> None:
    path = written(tmp_path, csv_rows())
    kept = list(read_table(path).columns["text"])
    large()
    column = read_table(path).columns["text"]
    assert column[rows] == kept[rows]
    assert (len(column), column[-1], column[123]) == (400, kept[-1], kept[123])
    with pytest.raises(IndexError):
        column[400]


@pytest.mark.parametrize(
    "data",
    [
        b"a,b\n1,2\n3\n",
        b"\xef\xbb\xbfa,b\n1,2\n\xff,3\n",
        b'a,b\n1,"2"\n"x"y,3\n',
        b"a,b\n",
        b"\n\n",
    ],
)
def test_a_damaged_file_is_told_as_a_small_one_is(tmp_path: Path, large: Any, data: bytes) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(data)
    with pytest.raises(ProblemError) as expected:
        read_table(path)
    large()
    with pytest.raises(ProblemError) as found:
        read_table(path)
    assert str(found.value) == str(expected.value)


def test_of_what_is_compressed_the_size_is_bounded(
    tmp_path: Path, large: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" + 1000 * b"1,2\n"))
    large()
    monkeypatch.setattr(reading, "TABLE_BYTES", 2000)
    with pytest.raises(ProblemError) as caught:
        read_table(path)
    assert caught.value.problems[0].code == "file_too_large"


def test_what_holds_too_much_is_refused_before_a_cell_of_it_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cells of 228 MB were written down first, for twenty seconds."""
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"a,b,c\n") + 60 * gzip.compress(2**20 * b"1,2,0\n"))
    monkeypatch.setattr("studio.train.tables.delimited.Text.table", None)  # which keeps them
    tracemalloc.start()
    try:
        with pytest.raises(ProblemError, match=r"holds more than \d{3} MB"):
            read_table(path)
        assert tracemalloc.get_traced_memory()[1] < 2**23
    finally:
        tracemalloc.stop()


def test_no_temporary_file_is_left_or_even_seen(
    tmp_path: Path, large: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    path = written(tmp_path, csv_rows())
    large()
    data = load_data(bound(numeric(), NUMBERS, ClassColumn("part")), tmp_path)
    assert read_table(path).large
    assert [file for file in folder.iterdir() if file.stat().st_nlink] == []
    assert unpacked(*data.train.inputs.values()).shape == (400, 2)


# -- arrays --------------------------------------------------------------------------------------


def arrays(data: Dataset) -> list[Array]:
    found = []
    for part in (data.train, data.validation):
        if part is not None:
            found += [unpacked(c) for c in (*part.inputs.values(), *part.targets.values())]
    return found


def softmax(width: int, classes: int, one_hot: bool) -> Document:
    loss = CategoricalCrossentropy() if one_hot else SparseCategoricalCrossentropy()
    dense = Dense(units=classes, activation="softmax")
    return chain(Input(shape=(width,)), dense, loss=loss)[0]


def one_hot_texts() -> Document:
    layers = Input(shape=(4, 8)), Flatten(), Dense(units=3, activation="softmax")
    return chain(*layers, loss=SparseCategoricalCrossentropy())[0]


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize(
    ("document", "x", "y"),
    [
        (softmax(2, 3, False), NUMBERS, ClassColumn("kind")),
        (softmax(2, 3, True), replace(NUMBERS, scaling="none"), ClassColumn("kind", True)),
        (softmax(1, 3, False), NumberColumns(("gap",), "min_max", "mean"), ClassColumn("kind")),
        (softmax(3, 3, False), DAY, ClassColumn("kind")),
        (softmax(8, 3, False), STEPS, ClassColumn("kind")),
        (textual(), TextColumn("text", 3, 8), ClassColumn("even")),
        (one_hot_texts(), TextColumn("text", 4, 8, one_hot=True), ClassColumn("kind")),
    ],
)
def test_ports_are_fed_as_from_memory(
    tmp_path: Path, large: Any, document: Document, x: Any, y: Any, split: Split
) -> None:
    written(tmp_path, csv_rows())
    document = bound(document, x, y, split)
    small = load_data(document, tmp_path)
    large()
    data = load_data(document, tmp_path)
    for found, expected in zip(arrays(data), arrays(small), strict=True):
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert data.fitted.keys() == small.fitted.keys()
    for key, fitted in data.fitted.items():
        for name in ("words", "names"):
            assert getattr(fitted, name, None) == getattr(small.fitted[key], name, None)
    (column,) = data.train.inputs.values()
    assert isinstance(column.places if isinstance(column, OneHots) else column, Streamed)
    again, inputs = predict_inputs(document, data.fitted, tmp_path)
    assert again is document
    assert len(*inputs.values()) == 400


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (NumberColumns(("a", "kind")), ClassColumn("part")),
        (NumberColumns(("a", "nowhere")), ClassColumn("nowhere")),
        (NumberColumns(("text", "kind")), NumberColumns(("b",))),
        (TextColumn("text"), ClassColumn("kind")),
        (NumberColumns(("gap", "a")), ClassColumn("even")),
        (NumberColumns(("text", "gap"), missing="mean"), ClassColumn("even")),
        (DateColumn("text"), ClassColumn("even")),
        (FeatureColumns((NumberColumns(("gap",)), DateColumn("kind"))), ClassColumn("even")),
    ],
)
def test_what_does_not_fit_is_told_as_from_memory(
    tmp_path: Path, large: Any, x: Any, y: Any
) -> None:
    written(tmp_path, csv_rows())
    document = bound(numeric(), x, y)
    expected = [str(problem) for problem in check_data(document, tmp_path)]
    assert expected
    large()
    assert [str(problem) for problem in check_data(document, tmp_path)] == expected


# -- arrays in files -----------------------------------------------------------------------------

PICTURES = np.random.default_rng(1).integers(0, 256, (90, 2, 3)).astype(np.uint8)
KINDS = np.arange(90) % 3


def pictured(file: str, divisor: float = 255.0) -> Document:
    columns = ArrayColumn("x", divisor), ClassColumn("y")
    return bound(softmax(6, 3, False), *columns, file=file)


def test_npy_files_of_one_folder_are_a_table(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", PICTURES)
    np.save(tmp_path / "y.npy", KINDS)
    np.save(tmp_path / "other.npy", KINDS[:5])
    (tmp_path / "no_array.npy").write_bytes(b"no array")
    table = read_table(tmp_path / "x.npy")
    assert table.names == ["y", "x"]
    assert list(table.columns["y"]) == [str(kind) for kind in KINDS]
    assert read_table(tmp_path / "other.npy").names == ["other"]
    with pytest.raises(ProblemError, match="no_array"):
        read_table(tmp_path / "no_array.npy")


@pytest.mark.parametrize("in_files", [True, False])
def test_ports_are_bound_to_npy_files(tmp_path: Path, large: Any, in_files: bool) -> None:
    if in_files:
        large()
    np.save(tmp_path / "x.npy", PICTURES)
    np.save(tmp_path / "y.npy", KINDS)
    document = with_data(
        softmax(6, 3, False), [f"x={tmp_path / 'x.npy'}", f"y={tmp_path / 'y.npy'}"]
    )
    data = load_data(edits.set_data(document, split=Split("none")), tmp_path)
    (x,), (y,) = data.train.inputs.values(), data.train.targets.values()
    assert isinstance(x, Packed)
    assert isinstance(x.kept, Streamed if in_files else np.ndarray)
    expected = PICTURES.reshape(90, 6) / np.float32(255)
    np.testing.assert_array_equal(unpacked(x), expected)
    np.testing.assert_array_equal(unpacked(y)[:, 0], KINDS)
    assert suggest_bindings(document, read_table(tmp_path / "x.npy")) == document.plan.data
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    np.save(elsewhere / "y.npy", KINDS)
    with pytest.raises(ProblemError) as caught:
        with_data(document, [f"x={tmp_path / 'x.npy'}", f"y={elsewhere / 'y.npy'}"])
    assert caught.value.problems[0].code == "data_several_files"


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_large_arrays_of_an_npz_stay_in_files(tmp_path: Path, large: Any, save: Any) -> None:
    save(tmp_path / "t.npz", x=PICTURES, f=np.asfortranarray(PICTURES), y=KINDS)
    document = pictured("t.npz")
    small = load_data(document, tmp_path)
    large()
    table = read_table(tmp_path / "t.npz")
    for name in ("x", "f"):
        assert isinstance(table.arrays[name], np.memmap)
        np.testing.assert_array_equal(table.arrays[name], PICTURES)
    for found, expected in zip(arrays(load_data(document, tmp_path)), arrays(small), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_floats_that_need_nothing_are_read_as_they_are(tmp_path: Path, large: Any) -> None:
    large()
    values = PICTURES.reshape(90, 6).astype(np.float32)
    np.save(tmp_path / "x.npy", values)
    np.save(tmp_path / "y.npy", KINDS)
    document = pictured("x.npy", 1.0)
    data = load_data(document, tmp_path)
    (x,) = data.train.inputs.values()
    assert isinstance(x, Streamed)
    np.testing.assert_array_equal(x.read(), values)
    values[70, 3] = np.nan
    np.save(tmp_path / "x.npy", values)
    with pytest.raises(ProblemError, match="70"):
        load_data(document, tmp_path)


# -- windows -------------------------------------------------------------------------------------


@pytest.mark.parametrize("x", [NUMBERS, ClassColumn("kind", one_hot=True), STEPS])
def test_windows_are_those_from_memory(tmp_path: Path, large: Any, x: Any) -> None:
    written(tmp_path, csv_rows())
    width = {NUMBERS: 2, STEPS: 8}.get(x, 3)
    layers = Input(shape=(5, width)), Flatten(), Dense(units=3, activation="softmax")
    document = chain(*layers, loss=SparseCategoricalCrossentropy())[0]
    document = bound(document, x, ClassColumn("kind"), Split("last", 0.3))
    series = Series(5, 2, 3, order="day", group="even")
    document = edits.set_data(document, series=series)
    small = load_data(document, tmp_path)
    large()
    data = load_data(document, tmp_path)
    assert data.table.large
    for found, expected in zip(arrays(data), arrays(small), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert [rows.tolist() for rows in (data.train_rows, data.validation_rows)] == [
        rows.tolist() for rows in (small.train_rows, small.validation_rows)
    ]


# -- training ------------------------------------------------------------------------------------


def trained(document: Document, base: Path) -> Finished:
    last = list(train_project(Project(document), base))[-1]
    assert isinstance(last, Finished)
    return last


def test_unshuffled_a_large_table_trains_as_a_small_one(tmp_path: Path, large: Any) -> None:
    written(tmp_path, csv_rows())
    plain = replace(NUMBERS, scaling="none", columns=("a", "a"))
    document = bound(softmax(2, 3, True), plain, ClassColumn("kind", True), Split("last"))
    document = edits.set_run(document, epochs=2, shuffle=False)
    small = trained(document, tmp_path)
    large()
    assert trained(document, tmp_path).run.history == small.run.history
    shuffled = edits.set_run(document, shuffle=True)
    one, other = trained(shuffled, tmp_path), trained(shuffled, tmp_path)
    assert one.run.history == other.run.history


def test_another_process_reads_the_file_itself(tmp_path: Path) -> None:
    """No array is pickled on its way there, nor back."""
    np.save(tmp_path / "x.npy", np.tile(PICTURES, (1000, 1, 1)))
    np.save(tmp_path / "y.npy", np.tile(KINDS, 1000))
    project = Project(edits.set_run(pictured("x.npy"), epochs=1, batch_size=500))
    assert len(pickle.dumps((project, tmp_path))) < 50_000
    process = TrainingProcess(project, tmp_path)
    process.start()
    events: list[Event] = []
    end = time.monotonic() + 60
    while not any(isinstance(e, Finished) for e in events) and time.monotonic() < end:
        events += process.poll()
        time.sleep(0.02)
    process.kill()
    finished = events[-1]
    assert isinstance(finished, Finished)
    assert len(pickle.dumps(finished)) < 50_000
    assert finished.run.history == trained(project.document, tmp_path).run.history


def test_a_full_disk_is_an_error_and_no_death(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.FileIO):
        def __init__(self, **_: str) -> None:
            super().__init__(tmp_path / "full", "w+")

        def write(self, data: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cells, "TemporaryFile", Full)
    with pytest.raises(OSError, match="No space"):
        cells.filled(2, iter([np.ones((2, 3))]), in_file=True)


def test_blocks_in_a_file_are_what_they_are_in_memory() -> None:
    parts = [np.arange(6.0).reshape(3, 2).T[:, ::-1], np.ones((1, 3)), np.zeros((2, 3))]
    mapped, plain = (cells.filled(5, iter(parts), in_file) for in_file in (True, False))
    assert isinstance(mapped, np.memmap)
    np.testing.assert_array_equal(mapped, plain)
    np.testing.assert_array_equal(mapped, np.concatenate(parts))
