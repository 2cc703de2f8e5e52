"""Data in files: checked, shuffled and trained on by blocks, with the numbers of data in memory."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.callbacks import Callback
from studio.engine.program import Array
from studio.layers import Dense, Input
from studio.models import Model, set_random_seed
from studio.problem import ProblemError, refuse
from studio.train import arrays, streamed
from studio.train.arrays import (
    Arrays,
    batch_rows,
    batches,
    shuffled_batches,
    shuffled_by_blocks,
)
from studio.train.feed import as_arrays, input_arrays
from studio.train.prefetch import prefetched
from studio.train.streamed import Streamed, blocks

ROWS, WIDTH, CLASSES = 1003, 6, 4
RNG = np.random.default_rng(2)
X = RNG.normal(size=(ROWS, WIDTH)).astype(np.float32)
Y = RNG.integers(0, CLASSES, ROWS)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of some 20 samples, pools of 3: boundaries everywhere."""
    monkeypatch.setattr(streamed, "BLOCK", 700)
    monkeypatch.setattr(arrays, "POOL", 3)


def mapped(folder: Path, values: Array, name: str = "a") -> Array:
    """The same in a file."""
    np.save(folder / f"{name}.npy", values)
    found: Array = np.load(folder / f"{name}.npy", mmap_mode="r")
    return found


class Chunked:
    """What h5py and zarr give: slices, shape, dtype, chunks, and no more."""

    chunks = (10, WIDTH)

    def __init__(self, values: Array) -> None:
        self._values = values
        self.shape, self.dtype = values.shape, values.dtype

    def __getitem__(self, rows: slice) -> Array:
        assert isinstance(rows, slice)
        return self._values[rows].copy()


@pytest.mark.parametrize("epoch", [None, 0, 3])
@pytest.mark.parametrize("kind", ["memory", "file"])
def test_which_samples_a_batch_has_is_known(kind: str, epoch: int | None, tmp_path: Path) -> None:
    size, numbers = 32, np.arange(ROWS, dtype=np.float32)[:, None].repeat(WIDTH, 1)
    column = numbers if kind == "memory" else Streamed.of(mapped(tmp_path, numbers))
    data = Arrays({"x": column})
    found = shuffled_batches(data, size, 5, epoch) if epoch is not None else batches(data, size)
    for taken, batch in enumerate(found):
        rows = batch_rows(data, size, taken, 5, epoch)
        np.testing.assert_array_equal(batch.inputs["x"][:, 0], rows)
    assert taken == ROWS // size


def classifier() -> Model:
    set_random_seed(7)
    x = Input(shape=(WIDTH,))
    model = Model(x, Dense(CLASSES, activation="softmax")(Dense(8, activation="tanh")(x)))
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def trained(model: Model, x: Any, y: Any, **options: Any) -> dict[str, list[float]]:
    return model.fit(x, y, batch_size=8, epochs=2, verbose=0, **options).history


def same_weights(one: Model, other: Model) -> None:
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


# -- what is trained -----------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"validation_split": 0.3}, {"class_weight": {1: 3.0}}])
def test_unshuffled_a_file_trains_as_memory_does(tmp_path: Path, options: dict[str, Any]) -> None:
    one, other = classifier(), classifier()
    x, y = mapped(tmp_path, X, "x"), mapped(tmp_path, Y, "y")
    expected = trained(one, X, Y, shuffle=False, **options)
    assert trained(other, x, y, shuffle=False, **options) == expected
    same_weights(one, other)
    assert other.evaluate(x, y, verbose=0) == one.evaluate(X, Y, verbose=0)
    np.testing.assert_array_equal(other.predict(x), one.predict(X))
    assert other.train_on_batch(x, y) == one.train_on_batch(X, Y)


@pytest.mark.parametrize("make", [mapped, lambda _, values: Chunked(values)])
def test_shuffled_it_trains_as_memory_does_in_the_same_order(tmp_path: Path, make: Any) -> None:
    document = classifier().document
    memory = as_arrays(document, X, Y)
    half = as_arrays(document, make(tmp_path, X), Y)  # the targets stay in memory
    block = streamed.block_rows(*half.streamed)
    order = np.concatenate(list(shuffled_by_blocks(ROWS, block, 8, seed=5, epoch=3)))
    expected = list(batches(memory, 8, order))
    found = list(shuffled_batches(half, 8, seed=5, epoch=3))
    assert len(found) == len(expected)
    for one, other in zip(expected, found, strict=True):
        for a, b in ((one.inputs, other.inputs), (one.targets, other.targets)):
            for key in a:
                np.testing.assert_array_equal(a[key], b[key])


def test_a_run_repeats_bit_for_bit_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    x, y = mapped(tmp_path, X, "x"), mapped(tmp_path, Y, "y")
    one, other, halves = classifier(), classifier(), classifier()
    expected = trained(one, x, y, seed=1)
    assert trained(other, x, y, seed=1) == expected
    halves.fit(x, y, batch_size=8, epochs=1, verbose=0, seed=1)
    halves.fit(x, y, batch_size=8, epochs=2, initial_epoch=1, verbose=0, seed=1)
    same_weights(one, other)
    same_weights(one, halves)


# -- the order -----------------------------------------------------------------------------------


def order(seed: int, epoch: int, size: int = 8, count: int = ROWS) -> Array:
    return np.concatenate(list(shuffled_by_blocks(count, 20, size, seed, epoch)))


def test_every_sample_comes_once_an_epoch_in_an_order_of_seed_and_epoch() -> None:
    for count in (1, 19, 20, 61, ROWS):
        np.testing.assert_array_equal(np.sort(order(0, 0, count=count)), np.arange(count))
    np.testing.assert_array_equal(order(4, 2), order(4, 2))
    np.testing.assert_array_equal(order(4, 2, size=8), order(4, 2, size=333))
    assert (order(4, 2) != order(4, 3)).any()
    assert (order(4, 2) != order(5, 2)).any()


def test_blocks_are_drawn_from_everywhere_and_mixed() -> None:
    first = order(0, 0)[:60]
    assert len(np.unique(first // 20)) == 3
    assert np.ptp(first) > ROWS // 4
    assert (np.diff(first) == 1).mean() < 0.2


def test_only_the_last_batch_is_smaller() -> None:
    sizes = [len(rows) for rows in shuffled_by_blocks(ROWS, 20, 8, 0, 0)]
    assert all(size % 8 == 0 for size in sizes[:-1])
    assert max(sizes) <= 3 * 20 + 8
    data = Arrays({"x": Streamed.of(Chunked(X))})
    for found in (batches(data, 8), shuffled_batches(data, 8, 0, 0), batches(data, 500)):
        sizes = [len(batch) for batch in found]
        assert len(set(sizes[:-1])) == 1
        assert sum(sizes) == ROWS


# -- views ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [mapped, lambda _, values: Chunked(values)])
def test_views_read_the_samples_they_name(tmp_path: Path, make: Any) -> None:
    column = Streamed.of(make(tmp_path, X)).astype("float64").sized(2, 3)
    some = np.array([3, 4, 5, 90, 700, 701])
    kept = X.astype("float64").reshape(ROWS, 2, 3)
    for view, expected in (
        (column, kept),
        (column[10:20], kept[10:20]),
        (column[some], kept[some]),
        (column[some][2:5], kept[some][2:5]),
        (column[100:][some[:4]], kept[100:][some[:4]]),
    ):
        assert view.shape == expected.shape
        assert view.read().dtype == np.float64
        np.testing.assert_array_equal(view.read(), expected)
        read = [block for _, block in blocks(view)]
        np.testing.assert_array_equal(np.concatenate(read), expected)


# -- checks --------------------------------------------------------------------------------------


def wrong(values: Array, row: int, value: Any) -> Array:
    found = values.copy()
    found[row] = value
    return found


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (wrong(X, 801, np.nan), Y),
        (wrong(X.astype(np.float64), 801, 1e300), Y),
        (X, wrong(Y, 900, CLASSES)),
        (X, wrong(Y, 900, -1)),
        (X, wrong(Y.astype(np.float32), 900, 0.5)),
        (X, wrong(Y, 900, 2**40)),
        (X[:, :5], Y),
        (X, np.eye(CLASSES)[Y]),
        (X, Y[:-1]),
    ],
)
def test_a_misfit_in_a_file_is_told_as_in_memory(tmp_path: Path, x: Array, y: Array) -> None:
    document = classifier().document
    with pytest.raises(ProblemError) as expected:
        as_arrays(document, x, y)
    with pytest.raises(ProblemError) as found:
        as_arrays(document, mapped(tmp_path, x, "x"), mapped(tmp_path, y, "y"))
    assert str(found.value) == str(expected.value)


def test_targets_out_of_reach_and_no_probabilities_are_told(tmp_path: Path) -> None:
    x = Input(shape=(WIDTH,))
    model = Model(x, Dense(1, activation="sigmoid")(x))
    values = mapped(tmp_path, wrong(X[:, :1] * 0, 950, 4.0))
    model.compile(loss="mse")
    with pytest.warns(UserWarning, match="4"):
        as_arrays(model.document, X, values)
    model.compile(loss="binary_crossentropy")
    with pytest.raises(ProblemError, match="950"):
        as_arrays(model.document, X, values)


def test_numbers_are_cast_as_they_are_read(tmp_path: Path) -> None:
    data = input_arrays(classifier().document, mapped(tmp_path, X.astype(np.float64)))
    (column,) = data.inputs.values()
    assert isinstance(column, Streamed)
    np.testing.assert_array_equal(column.read(), X)


# -- the thread ----------------------------------------------------------------------------------


def reading() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "prefetch"]


def test_one_item_is_made_ahead_and_no_more() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(5):
            made.append(number)
            yield number

    found = prefetched(items())
    assert next(found) == 0
    for thread in reading():
        thread.join()
    assert made == [0, 1]
    assert list(found) == [1, 2, 3, 4]


class Broken(Chunked):
    """A file that cannot be read beyond some row."""

    def __getitem__(self, rows: slice) -> Array:
        if rows.stop > 600 and threading.current_thread().name == "prefetch":
            raise refuse("file_unreadable", file="x", reason="torn")
        return super().__getitem__(rows)


def test_what_goes_wrong_in_the_thread_is_raised_to_who_trains() -> None:
    with pytest.raises(ProblemError, match="torn") as caught:
        trained(classifier(), Broken(X), Y)
    assert caught.value.problems[0].code == "file_unreadable"
    for thread in reading():
        thread.join(5)
    assert reading() == []


def test_the_thread_ends_with_a_run_that_is_stopped(tmp_path: Path) -> None:
    class Stop(Callback):
        def on_train_batch_end(self, batch: int, logs: object = None) -> None:
            self.model.stop_training = True

    trained(classifier(), mapped(tmp_path, X), Y, callbacks=[Stop()])
    for thread in reading():
        thread.join(5)
    assert reading() == []


# -- memory --------------------------------------------------------------------------------------

_GROWTH = """
import sys
import numpy as np
from studio.callbacks import Callback
from studio.layers import Dense, Input
from studio.models import Model
from tests.benchmarks.large import anonymous

x = Input(shape=(1000,))
model = Model(x, Dense(1)(x))
model.compile(loss="mse")
small = np.ones((64, 1000), np.float32)
model.fit(small, small[:, 0], verbose=0)
big = np.load(sys.argv[1], mmap_mode="r")
before, most = anonymous(), 0

class Watch(Callback):
    def on_train_batch_end(self, batch, logs=None):
        global most
        most = max(most, anonymous())

model.fit(big, big[:, 0], batch_size=500, validation_split=0.1, verbose=0, callbacks=[Watch()])
model.evaluate(big, big[:, 0], batch_size=500, verbose=0)
model.predict(big, batch_size=500)
most = max(most, anonymous())
print((most - before) // 2**20)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells a process's memory")
@pytest.mark.parametrize("fortran", [False, True])
def test_of_200_mb_in_a_file_few_are_in_memory(tmp_path: Path, fortran: bool) -> None:
    path = tmp_path / "big.npy"
    np.lib.format.open_memmap(path, "w+", np.float32, (50_000, 1000), fortran)[:] = 1
    command = [sys.executable, "-c", _GROWTH, str(path)]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(found.stdout) < 80, "MiB of anonymous memory, beside a file of 190"


def test_a_mapped_file_that_became_shorter_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    np.save(path, np.arange(100_000.0).reshape(-1, 4))
    for array in (np.load(path, mmap_mode="r"), np.load(path, mmap_mode="r")[5:, :3].T):
        column = Streamed.of(array)
        assert column.read().shape == column.shape
    os.truncate(path, 50_000)
    for part in (column, column[np.array([0, 1])], column[:1]):
        with pytest.raises(ProblemError) as caught:
            part.read()
        assert caught.value.problems[0].code == "file_shrank"
        assert "x.npy" in str(caught.value)
