"""Elementwise nodes that follow one another on large arrays run block by block.

One after the other each would read and write memory far from the processor; a block stays in its
cache until all of them have seen it, and what only they read need not be longer than a block.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from studio.engine.operator import operator
from studio.engine.program import Node

SIZE = 1 << 16  # elements; some four arrays of so many fit the L2


@dataclass(frozen=True)
class Stretch:
    """Nodes `first` to `end` (exclusive) of a list, each giving arrays of `size` elements."""

    first: int
    end: int
    size: int

    @property
    def first_block(self) -> slice:
        """The largest: no other has more elements."""
        return slice(0, min(SIZE, self.size))

    def blocks(self) -> list[slice]:
        """The elements that are worked on together, in turns."""
        return [slice(i, min(i + SIZE, self.size)) for i in range(0, self.size, SIZE)]


def stretches(nodes: Sequence[Node], count: Callable[[str], int]) -> list[Stretch]:
    """The stretches of two nodes and more among nodes that run in this order.

    Args:
        nodes: what runs.
        count: how many elements a value has.
    """
    found, first, size = list[Stretch](), 0, 0
    for i, node in enumerate(nodes):
        this = count(node.outputs[0]) if _by_element(node, count) else 0
        if this != size:
            found += [Stretch(first, i, size)] if size else []
            first, size = i, this
    found += [Stretch(first, len(nodes), size)] if size else []
    return [stretch for stretch in found if stretch.end - stretch.first > 1]


def _by_element(node: Node, count: Callable[[str], int]) -> bool:
    """Whether element i of its large result depends on the elements i, and on single numbers."""
    if not operator(node.op).elementwise:
        return False
    size = count(node.outputs[0])
    return size > SIZE and all(count(name) in (1, size) for name in node.inputs if name)
