"""Weights, beside the document: values, optimizer slots and counters, shared by every model.

Q: Why is an array also filed under its shape?
A: An edit that changes a layer's shape makes its weights untrained; undoing the edit brings them
   back. Undo never touches the Store, so the array of the old shape simply is still there.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from math import prod
from typing import NamedTuple

import numpy as np

from studio.document.draws import generator
from studio.document.model import LayerId
from studio.engine.memory import expect_room
from studio.engine.program import Array
from studio.layers.base import Weight
from studio.layers.cell import Cell, Cells
from studio.layers.onnx_model import FromFile, lost_problem
from studio.problem import ProblemError

_IN_FILE = ":in the file"  # behind a weight's name: what it was before it was trained


class Key(NamedTuple):
    """A weight: whose it is, and what the layer calls it."""

    layer: LayerId
    weight: str


class Store:
    """The weights of a project.

    Attributes:
        step: how many training steps were taken: the optimizer's counter.
    """

    def __init__(self) -> None:
        self._layers: dict[LayerId, Cells] = {}
        self.step = 0

    def adopt(self, layer: LayerId, cells: Cells) -> None:
        """Use another store's cells for a layer: from now on the two share its weights."""
        self._layers[layer] = cells

    def take(self, layer: LayerId, source: "Store", other: LayerId) -> None:
        """Give a layer copies of what a store keeps for another layer."""
        self._layers[layer] = _copied(source.cells(other))

    def cells(self, layer: LayerId) -> Cells:
        """Every array kept for a layer, of whatever shape."""
        return self._layers.setdefault(layer, {})

    def find(self, layer: LayerId, weight: Weight) -> Cell | None:
        """The array of this weight at this shape; None when it was never initialized."""
        return self._layers.get(layer, {}).get((weight.name, weight.shape))

    def trained(self, layer: LayerId, weights: Iterable[Weight]) -> bool:
        """Whether every one of a layer's weights holds something learnt or given."""
        found = [self.find(layer, weight) for weight in weights]
        return all(cell is not None and cell.trained for cell in found)

    def has_learnt(self, layer: LayerId, weights: Iterable[Weight] | None = None) -> bool:
        """Whether anything of a layer was learnt or given: of these weights, or of any it had."""
        cells = self._layers.get(layer, {})
        keys = cells if weights is None else [(w.name, w.shape) for w in weights]
        return any(key in cells and cells[key].trained for key in keys)

    def ensure(self, layer: LayerId, weight: Weight, seed: int) -> Cell:
        """The array of this weight, initialized now if it never was.

        The draw is keyed by (seed, layer, weight), so adding a layer changes no other.

        Raises:
            ProblemError: ``memory_over``, when it would have to be drawn and is too large;
                ``file_numbers_lost``, when a file gave it, and no draw can stand for that.
        """
        if self.lacks_file(layer, weight):
            raise ProblemError(lost_problem(weight).at(layer))
        return self.find(layer, weight) or self.initialize(layer, weight, seed)

    def lacks_file(self, layer: LayerId, weight: Weight) -> bool:
        """Whether a file gave the numbers of a weight, and they are not here."""
        return isinstance(weight.initializer, FromFile) and self.find(layer, weight) is None

    def initialize(self, layer: LayerId, weight: Weight, seed: int) -> Cell:
        """A weight drawn anew, whatever it was: untrained, its slots forgotten.

        Raises:
            ProblemError: ``memory_over``.
        """
        expect_room(4 * prod(weight.shape))
        rng = generator(seed, "initial", layer, weight.name)
        array = np.asarray(weight.initializer.fill(weight.shape, rng), order="C")
        cell = self.cells(layer)[weight.name, weight.shape] = Cell(array)
        return cell

    def put(self, layer: LayerId, name: str, value: Array, trained: bool = True) -> None:
        """Set a weight's array; its slots start anew."""
        array = np.array(value, np.float32, order="C")
        self.cells(layer)[(name, array.shape)] = Cell(array, trained)

    def keep_file(self, layer: LayerId, weight: Weight) -> None:
        """Remember the numbers a file gave for a weight, which training is about to change."""
        if isinstance(weight.initializer, FromFile):
            cells, name = self.cells(layer), f"{weight.name}{_IN_FILE}"
            if (name, weight.shape) not in cells:
                value = cells[weight.name, weight.shape].value
                cells[name, weight.shape] = Cell(value.copy(), trained=True)

    def anew(self, from_files: Iterable[LayerId]) -> "Store":
        """A store without what training learnt: these layers' weights are as their files gave them.

        An optimizer's slots and its step are gone, too.
        """
        store = Store()
        for layer in from_files:
            cells = self._layers.get(layer, {})
            for (name, shape), cell in cells.items():
                kept = cells.get((f"{name}{_IN_FILE}", shape), cell)
                if not name.endswith(_IN_FILE):
                    store.put(layer, name, kept.value)
        return store

    def forget(self, layers: Iterable[LayerId]) -> None:
        """Drop these layers' weights: the next use initializes them again."""
        for layer in layers:
            self._layers.pop(layer, None)

    def items(self) -> Iterator[tuple[Key, Cell]]:
        """Every array kept."""
        for layer, cells in self._layers.items():
            for (name, _), cell in cells.items():
                yield Key(layer, name), cell

    def current(self, layer: LayerId, weights: Iterable[Weight]) -> Iterator[tuple[str, Cell]]:
        """What a layer's weights are, and what a file gave for them, by name."""
        cells = self._layers.get(layer, {})
        for weight in weights:
            for name in (weight.name, f"{weight.name}{_IN_FILE}"):
                if (name, weight.shape) in cells:
                    yield name, cells[name, weight.shape]

    def reset_optimizer(self) -> None:
        """Forget slots and step: the next step is an optimizer's first."""
        self.step = 0
        for cells in self._layers.values():
            for cell in cells.values():
                cell.start_anew()

    def light(self, layers: Collection[LayerId] | None = None) -> "Store":
        """What all layers, or these, have now, in containers of its own, the arrays not copied.

        It stays so as long as arrays are replaced, as the window does, and not written into.
        """
        store = Store()
        store.step = self.step
        for layer, cells in self._layers.items():
            if layers is None or layer in layers:
                mine = {k: Cell(c.value, c.trained, dict(c.slots), c.lag) for k, c in cells.items()}
                store.adopt(layer, mine)
        return store

    def shared(self) -> Mapping[LayerId, Cells]:
        """Every layer's cells, not copied."""
        return dict(self._layers)

    def snapshot(self) -> Mapping[LayerId, Cells]:
        """A deep copy of all cells, to be put back by `restore`."""
        return {layer: _copied(cells) for layer, cells in self._layers.items()}

    def restore(self, snapshot: Mapping[LayerId, Cells]) -> None:
        """Put back what `snapshot` gave; sharing with other stores is kept."""
        for layer, cells in snapshot.items():
            mine = self.cells(layer)
            mine.clear()
            mine.update(_copied(cells))

    def merge(self, snapshot: Mapping[LayerId, Cells]) -> None:
        """Put copies of these arrays in; those of other names and shapes stay."""
        for layer, cells in snapshot.items():
            self.cells(layer).update(_copied(cells))


def _copied(cells: Cells) -> Cells:
    return {key: cell.copy() for key, cell in cells.items()}
