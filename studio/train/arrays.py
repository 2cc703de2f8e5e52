"""Data as training takes it: arrays by port, sample by sample."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from studio.document.draws import generator
from studio.document.model import CallId
from studio.engine.program import Array


@dataclass(frozen=True)
class Packed:
    """An array kept small, such as integers for one-hots; batches are unpacked as they are taken.

    Attributes:
        kept: samples first.
        unpack: the array that some of `kept` stands for, sample by sample.
    """

    kept: Array
    unpack: Callable[[Array], Array]

    def __len__(self) -> int:
        return len(self.kept)

    def __getitem__(self, rows: Array | slice) -> "Packed":
        return Packed(self.kept[rows], self.unpack)


Column = Array | Packed
Weighted = frozenset[
    tuple[str, int]
]  # endpoint keys; 1: a number for each sample, 2: for each step


@dataclass(frozen=True)
class Arrays:
    """Samples along the first axis of every array.

    Attributes:
        inputs: by the id of the Input call; `batches` gives arrays only.
        targets: by the output's endpoint key; as inputs.
        weights: by the output's endpoint key, one number a sample, or one a step; absent means
            all ones.
    """

    inputs: Mapping[CallId, Any]
    targets: Mapping[str, Any] = field(default_factory=dict)
    weights: Mapping[str, Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())))

    @property
    def weighted(self) -> Weighted:
        """What is weighted, and how: a program is compiled for it."""
        return frozenset((key, weight.ndim) for key, weight in self.weights.items())

    def take(self, rows: Array | slice) -> "Arrays":
        """The samples at these places."""
        return Arrays(
            {k: v[rows] for k, v in self.inputs.items()},
            {k: v[rows] for k, v in self.targets.items()},
            {k: v[rows] for k, v in self.weights.items()},
        )

    def unpacked(self) -> "Arrays":
        """The same with nothing kept small."""
        return replace(
            self,
            inputs={k: unpacked(v) for k, v in self.inputs.items()},
            targets={k: unpacked(v) for k, v in self.targets.items()},
        )


def unpacked(column: Column) -> Array:
    """A column as an array."""
    return column.unpack(column.kept) if isinstance(column, Packed) else column


def batches(data: Arrays, size: int, order: Array | None = None) -> Iterator[Arrays]:
    """Consecutive batches, in the order of `order` where given; the last may be smaller."""
    count = len(data)
    for start in range(0, count, size):
        stop = min(start + size, count)
        yield data.take(slice(start, stop) if order is None else order[start:stop]).unpacked()


def shuffled(count: int, seed: int, epoch: int) -> Array:
    """The order of the samples in one epoch: a function of seed and epoch alone."""
    return np.asarray(generator(seed, "shuffle", counter=epoch).permutation(count))
