"""What tells samples from others: training goes on from a checkpoint only with the same.

Q: Why not the file they came from?
A: It may have moved, and what is trained on is more than a file: a split, a vocabulary, a
   generator. Of what is in memory every number counts. Of what is read by blocks, and of what is
   made from few numbers when it is taken, samples spread over all do.
"""

import hashlib
from typing import Any

import numpy as np

from studio.engine.program import Array
from studio.train.arrays import Arrays, Column, OneHots, Packed, unpacked

SPREAD = 256  # samples of a column that is not wholly looked at


def fingerprint(*parts: Arrays | None) -> str:
    """A text that is another where any of these differ."""
    found = hashlib.sha256()
    for part in parts:
        groups = (part.inputs, part.targets, part.weights) if part is not None else ()
        for group in groups:
            for key in sorted(group):
                found.update(f"{key}:{len(group[key])}".encode())
                _take(found, group[key])
        found.update(b"|")
    return found.hexdigest()


def _take(found: Any, column: Column) -> None:
    match column:
        case np.ndarray():
            _take_array(found, column)
        case OneHots(places) if isinstance(places, np.ndarray):
            _take_array(found, places)
        case Packed(kept) if isinstance(kept, np.ndarray):
            _take_array(found, kept)
    if not isinstance(column, np.ndarray):
        count = len(column)
        some = np.unique(np.linspace(0, count - 1, min(count, SPREAD)).astype(np.intp))
        _take_array(found, unpacked(column[some]))


def _take_array(found: Any, array: Array) -> None:
    found.update(f"{array.dtype}{array.shape}".encode())
    if array.dtype.hasobject:
        found.update(repr(array.tolist()).encode())
        return
    if array.size:
        found.update(np.ascontiguousarray(array).data.cast("B"))
