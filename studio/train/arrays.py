"""Data as training takes it: arrays by port, sample by sample.

Columns in memory are shuffled whole. Where one is read by blocks, so are the samples shuffled: see
`shuffled_by_blocks`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from studio.document.draws import generator
from studio.document.model import CallId
from studio.engine.program import Array
from studio.train.prefetch import prefetched
from studio.train.streamed import Streamed, block_rows, blocks, read

_UNPACKED = 4096  # samples, of what is kept small
POOL = 16  # blocks in memory together, whose samples are mixed


@dataclass(frozen=True)
class Packed:
    """An array kept small, such as bytes for floats; batches are unpacked as they are taken.

    Attributes:
        kept: samples first.
        unpack: the array that some of `kept` stands for, sample by sample.
    """

    kept: Array | Streamed
    unpack: Callable[[Array], Array]

    def __len__(self) -> int:
        return len(self.kept)

    def __getitem__(self, rows: Array | slice) -> "Packed":
        return Packed(self.kept[rows], self.unpack)

    def loaded(self) -> "Packed":
        """With what is kept in memory."""
        return replace(self, kept=read(self.kept))


@dataclass(frozen=True)
class OneHots:
    """One-hots kept as the places of their ones, and fed so: programs read them by index.

    Attributes:
        places: integers, samples first; `depth` stands for a row of zeros, as padding is.
        depth: the size of the last axis, which `places` lacks.
    """

    places: Array | Streamed
    depth: int

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, rows: Array | slice) -> "OneHots":
        return OneHots(self.places[rows], self.depth)

    def loaded(self) -> "OneHots":
        """With the places in memory."""
        return replace(self, places=read(self.places))

    def expanded(self) -> Array:
        """The one-hots, float32."""
        places = read(self.places)
        hot = np.zeros((*places.shape, self.depth + 1), np.float32)
        np.put_along_axis(hot, places[..., None].astype(np.intp), 1, axis=-1)
        return hot[..., : self.depth]


Column = Array | Packed | OneHots | Streamed
Weighted = frozenset[
    tuple[str, int]
]  # endpoint keys; 1: a number for each sample, 2: for each step
Placed = frozenset[tuple[CallId, int]]  # inputs fed as the places of ones; how many there are


@dataclass(frozen=True)
class Arrays:
    """Samples along the first axis of every array.

    Attributes:
        inputs: by the id of the Input call; `batches` gives arrays, and one-hots as they are.
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

    @property
    def one_hots(self) -> Placed:
        """What is fed as the places of ones: a program is compiled for it."""
        return frozenset((k, v.depth) for k, v in self.inputs.items() if isinstance(v, OneHots))

    def take(self, rows: Array | slice) -> "Arrays":
        """The samples at these places."""
        return Arrays(
            {k: v[rows] for k, v in self.inputs.items()},
            {k: v[rows] for k, v in self.targets.items()},
            {k: v[rows] for k, v in self.weights.items()},
        )

    @property
    def streamed(self) -> list[Streamed]:
        """What is read by blocks; nothing where all is in memory."""
        columns = map(_kept, [*self.inputs.values(), *self.targets.values()])
        return [column for column in columns if isinstance(column, Streamed)]

    def loaded(self) -> "Arrays":
        """The same in memory."""
        return replace(
            self,
            inputs={k: loaded(v) for k, v in self.inputs.items()},
            targets={k: loaded(v) for k, v in self.targets.items()},
        )

    def unpacked(self) -> "Arrays":
        """The same with nothing kept small but one-hots, which are fed as they are kept."""
        if all(type(v) is np.ndarray for v in (*self.inputs.values(), *self.targets.values())):
            return self
        return replace(
            self,
            inputs={
                k: v if isinstance(v, OneHots) else unpacked(v) for k, v in self.inputs.items()
            },
            targets={k: unpacked(v) for k, v in self.targets.items()},
        )


def loaded(column: Column) -> Array | Packed | OneHots:
    """A column in memory; what is kept small stays so."""
    return column.loaded() if isinstance(column, Packed | OneHots) else read(column)


def _kept(column: Column) -> Array | Streamed:
    match column:
        case Packed():
            return column.kept
        case OneHots():
            return column.places
        case _:
            return column


def unpacked(column: Column) -> Array:
    """A column as the array it stands for."""
    found = loaded(column)
    if isinstance(found, OneHots):
        return found.expanded()
    return found.unpack(read(found.kept)) if isinstance(found, Packed) else found


def blocks_of(column: Column) -> Iterator[Array]:
    """A column as the arrays it stands for, some samples at a time."""
    if isinstance(column, Packed | OneHots):
        for start in range(0, len(column), _UNPACKED):
            yield unpacked(column[start : start + _UNPACKED])
    else:
        yield from (block for _, block in blocks(column))


def fed(column: Array | OneHots) -> Array:
    """A batch's input as a program takes it."""
    return read(column.places) if isinstance(column, OneHots) else column


# -- batches -------------------------------------------------------------------------------------


def batches(data: Arrays, size: int, order: Array | None = None, skip: int = 0) -> Iterator[Arrays]:
    """Consecutive batches, in the order of `order` where given; the last may be smaller.

    The first `skip` are left out. What is read by blocks is read by one pool of them at a time.
    """
    count = len(data)
    if data.streamed:
        order, pool = np.arange(count) if order is None else order, _pool_rows(data, size)
        first = skip * size
        yield from _by_pools(data, size, (order[a : a + pool] for a in range(first, count, pool)))
        return
    for start in range(skip * size, count, size):
        stop = min(start + size, count)
        yield data.take(slice(start, stop) if order is None else order[start:stop]).unpacked()


def shuffled_batches(
    data: Arrays, size: int, seed: int, epoch: int, skip: int = 0
) -> Iterator[Arrays]:
    """The batches of one epoch: of what is in memory `shuffled`, else `shuffled_by_blocks`.

    The first `skip` are left out, and of what is read by blocks not read.
    """
    if not data.streamed:
        return batches(data, size, shuffled(len(data), seed, epoch), skip)
    orders = shuffled_by_blocks(len(data), block_rows(*data.streamed), size, seed, epoch)
    return _by_pools(data, size, _without_first(orders, skip * size))


def batch_rows(
    data: Arrays, size: int, taken: int, seed: int = 0, epoch: int | None = None
) -> Array:
    """Which samples are in the batch that comes after `taken` others, in its order.

    Args:
        data: as for `batches`.
        size: of a batch.
        taken: how many batches of this pass through the data came before.
        seed, epoch: as for `shuffled_batches`; not shuffled where `epoch` is None.
    """
    count, first = len(data), taken * size
    if epoch is None:
        return np.arange(first, min(first + size, count))
    if not data.streamed:
        return shuffled(count, seed, epoch)[first : first + size]
    orders = shuffled_by_blocks(count, block_rows(*data.streamed), size, seed, epoch)
    return next(_without_first(orders, first))[:size]


def _without_first(orders: Iterator[Array], count: int) -> Iterator[Array]:
    """The samples of pool after pool, but the first `count`."""
    for rows in orders:
        if count < len(rows):
            yield rows[count:]
        count = max(0, count - len(rows))


def shuffled(count: int, seed: int, epoch: int) -> Array:
    """The order of the samples in one epoch: a function of seed and epoch alone."""
    return np.asarray(generator(seed, "shuffle", counter=epoch).permutation(count))


def shuffled_by_blocks(count: int, block: int, size: int, seed: int, epoch: int) -> Iterator[Array]:
    """The order of the samples in one epoch, pool by pool, if not all fit into memory.

    Shuffled by blocks: the samples are cut into blocks of `block` in their order; `POOL` blocks,
    drawn from all, make a pool; the samples of a pool are mixed. The order is a function of count,
    block, seed and epoch alone; `size` only says where it is cut, so that whole batches come
    together: what is left of a pool begins the next.
    """
    draw = generator(seed, "shuffle", counter=epoch)
    starts = draw.permutation(-(-count // block)) * block
    rest = starts[:0]
    for first in range(0, len(starts), POOL):
        some = [np.arange(a, min(a + block, count)) for a in starts[first : first + POOL]]
        rows = np.concatenate([rest, draw.permutation(np.concatenate(some))])
        whole = len(rows) - len(rows) % size
        rest = rows[whole:]
        if whole:
            yield rows[:whole]
    if len(rest):
        yield rest


def _by_pools(data: Arrays, size: int, orders: Iterator[Array]) -> Iterator[Arrays]:
    """The batches of pool after pool, of which the next is read while one is used."""
    for pool in prefetched(data.take(rows).loaded() for rows in orders):
        yield from batches(pool, size)


def _pool_rows(data: Arrays, size: int) -> int:
    """How many samples of a pool are whole batches, at least one."""
    return max(size, POOL * block_rows(*data.streamed) // size * size)
