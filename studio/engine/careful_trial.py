"""A trial of operators from a file that anybody may have made: it is never long, and never large.

What is worked out is what shapes need, numbers that follow from constants; a file may ask for a
great many of them, or for few that take for ever.
"""

from collections.abc import Mapping
from math import prod

import numpy as np

from studio.engine.operator import Buffer
from studio.engine.program import Node, Spec
from studio.engine.trial import Trial
from studio.limits import ONNX_FIXED_BYTES, ONNX_VALUE_BYTES
from studio.problem import refuse

# What takes more time than what goes in and comes out is large, and decides no shapes.
_LONG = {
    *("AveragePool", "Conv", "ConvTranspose", "Det", "Einsum", "GRU", "Gemm", "LRN", "LSTM"),
    *("MatMul", "MaxPool", "RNN", "Resize"),
}
_LITTLE = 1 << 12  # bytes that such may be about
_ONE = 1 << 22  # bytes of one value: what is larger says nothing of shapes
_WORK = 1 << 28  # bytes read and written in all


class CarefulTrial(Trial):
    """As `Trial`, and refuses what comes to too much.

    Raises:
        ProblemError: by `take`, also ``onnx_sizes``, ``onnx_sizes_beyond``.
    """

    def __init__(self, feeds: Mapping[str, Spec]) -> None:
        super().__init__(feeds)
        self._work = 0
        self._fixed = 0  # bytes made of constants alone
        self._unknown: set[str] = set()  # what is, but was not worked out

    def const(self, name: str, array: Buffer) -> None:
        super().const(name, array)
        self._expect_ordinary(name)

    def take(self, node: Node) -> None:
        with np.errstate(all="ignore"):  # as when a program runs
            super().take(node)
        sizes = {name: self._expect_ordinary(name) for name in node.outputs if name}
        fixed = all(i in self.known or i in self._unknown for i in node.inputs if i)
        if fixed and node.inputs:
            self._unknown.update(name for name in sizes if name not in self.known)
            self._fixed += sum(sizes.values())
            if self._fixed > ONNX_FIXED_BYTES:
                about = {"received": self._fixed, "expected": ONNX_FIXED_BYTES}
                raise refuse("onnx_sizes", name=next(iter(sizes), node.op), **about)

    def worthwhile(self, node: Node, made: int) -> bool:
        for name in node.outputs:
            if name:
                self._expect_ordinary(name)
        read = sum(self.known[name].nbytes for name in node.inputs if name in self.known)
        self._work += read + made
        most = _LITTLE if node.op in _LONG else _ONE
        return max(made, read) <= most and self._work <= _WORK

    def _expect_ordinary(self, name: str) -> int:
        """The bytes of a value, which are not beyond all that is."""
        spec = self.specs[name]
        sizes = [int(size) for size in spec.shape]
        # An array of nothing may be so long along another axis that going along it takes ages.
        count = prod(max(1, size) for size in sizes) * np.dtype(spec.dtype).itemsize
        if min(sizes, default=0) < 0:  # onnx's own overflow
            raise refuse("onnx_sizes_beyond", name=name, received=", ".join(map(str, sizes)))
        if count > ONNX_VALUE_BYTES:
            raise refuse("onnx_sizes", name=name, received=count, expected=ONNX_VALUE_BYTES)
        return count
