"""Columns that stay small until a batch is taken of them."""

import numpy as np

from studio.engine.program import Array
from studio.train.arrays import Arrays, Packed, batches


def test_a_packed_column_is_unpacked_batch_by_batch() -> None:
    asked: list[int] = []

    def unpack(kept: Array) -> Array:
        asked.append(len(kept))
        return np.eye(5, dtype=np.float32)[kept]

    numbers = np.array([4, 0, 1, 2, 3, 3, 1])
    data = Arrays({"x": Packed(numbers, unpack)}, {"y": np.arange(7)})
    assert len(data) == 7
    half = data.take(slice(0, 5))
    assert asked == []  # taking samples unpacks nothing
    found = list(batches(half, 2, np.array([4, 3, 2, 1, 0])))
    assert asked == [2, 2, 1]
    x = np.concatenate([batch.inputs["x"] for batch in found])
    np.testing.assert_array_equal(x.argmax(axis=1), [3, 2, 1, 0, 4])
    np.testing.assert_array_equal(np.concatenate([b.targets["y"] for b in found]), [4, 3, 2, 1, 0])
