"""Which arrays of a file from elsewhere training may change: a file does not say.

Q: Why not all of them?
A: A file's arrays are weights, but also masks, scales, positions and constants of formulas, and
   training these would make another model of it. So an array is a weight by what it is for:
   1. an operand of an operator that has weights, straight or moved;
   2. a bias: added to what such an operator gives;
   3. a normalisation's scale and offset, where it is written out: vectors that multiply, or are
      added to, what depends on weights or on a standard deviation;
   4. a token, or positions: joined with, or added to, what depends on weights.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from studio.engine.imported import MOVES
from studio.engine.program import Array, Node

# Operands that are weights where they are arrays of the file; running statistics among them.
_WEIGHTS: Mapping[str, tuple[int, ...]] = {
    "MatMul": (0, 1),
    "Gemm": (0, 1, 2),
    "Einsum": (0, 1, 2, 3),
    "Conv": (1, 2),
    "ConvTranspose": (1, 2),
    "LSTM": (1, 2, 3),
    "GRU": (1, 2, 3),
    "RNN": (1, 2, 3),
    "Gather": (0,),
    "PRelu": (1,),
    "BatchNormalization": (1, 2, 3, 4),
    "LayerNormalization": (1, 2),
    "InstanceNormalization": (1, 2),
}
_PARTS = MOVES | {"Slice", "Split", "Concat", "Expand", "Tile"}  # of weights: weights still
_NO_WEIGHT = 1e4  # a number so large is a mask's


def weights_among(nodes: Sequence[Node], arrays: Mapping[str, Array]) -> list[str]:
    """The names of the arrays that are weights, in the arrays' order.

    Args:
        nodes: the operators in order, without any inside others.
        arrays: the float arrays of the file.
    """
    search = _Search(arrays, {name: {name} for name, array in arrays.items() if array.size})
    for node in nodes:
        search.take(node)
    return [name for name in arrays if name in search.found]


@dataclass
class _Search:
    """What is known after some of the nodes."""

    arrays: Mapping[str, Array]
    made_of: dict[str, set[str]]  # values that are arrays, or pieces of some
    found: set[str] = field(default_factory=set)
    fresh: set[str] = field(default_factory=set)  # what operators with weights gave, moved or not
    reshaped: set[str] = field(default_factory=set)  # what a Reshape gave
    behind: set[str] = field(default_factory=set)  # what depends on weights, or is a deviation

    def take(self, node: Node) -> None:
        inputs = [name for name in node.inputs if name]
        outputs = [name for name in node.outputs if name]
        data = inputs if node.op == "Concat" else inputs[:1]
        if node.op in _PARTS and data and all(name in self.made_of for name in data):
            pieces = set().union(*(self.made_of[name] for name in data))
            self.made_of |= dict.fromkeys(outputs, pieces)
            return
        if node.op == "Reshape":
            self.reshaped.update(outputs)
        used = set(self._operands(node))
        self.found |= used
        if (used and node.op in _WEIGHTS) or (node.op in MOVES and self.fresh.issuperset(data)):
            self.fresh.update(outputs)
        if used or node.op == "Sqrt" or not self.behind.isdisjoint(inputs):
            self.behind.update(outputs)

    def _operands(self, node: Node) -> Iterator[str]:
        for i in _WEIGHTS.get(node.op, ()):
            for name in self.made_of.get(node.inputs[i], ()) if i < len(node.inputs) else ():
                if self._varies(node, i, self.arrays[name]):
                    yield name
        others = [name for name in node.inputs if name and name not in self.made_of]
        if not others or node.op not in ("Add", "Mul", "Sub", "Concat"):
            return
        for i, name in enumerate(node.inputs):
            for array in self.made_of.get(name, ()):
                if self._serves(node.op, i, self.arrays[array], others):
                    yield array

    def _varies(self, node: Node, place: int, array: Array) -> bool:
        """Whether an operand that may be a weight is one, though perhaps the same everywhere.

        1. From the left a state to start from is multiplied.
        2. GroupNormalization is written as InstanceNormalization of groups, by ones and zeros.
        """
        if array.ndim == 0:
            return False
        grouped = node.op == "InstanceNormalization" and node.inputs[0] in self.reshaped
        from_left = place == 0 and node.op != "Gather"
        return not (grouped or from_left) or bool(np.ptp(array))

    def _serves(self, op: str, place: int, array: Array, others: Sequence[str]) -> bool:
        """Whether an array is a bias, a scale, an offset or positions, beside these operands."""
        calm = array.ndim > 0 and bool((np.abs(array) < _NO_WEIGHT).all())
        if not calm or self.behind.isdisjoint(others):
            return False
        if op == "Add" and not self.fresh.isdisjoint(others):
            return True
        vector = max(array.shape, default=1) == array.size > 1
        match op:
            case "Mul":
                return vector
            case "Sub":
                return vector and place == 0
            case "Concat":
                return array.size > 1 and bool(np.ptp(array))
            case _:
                return array.size > 1
