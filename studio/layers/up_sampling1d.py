"""Every step of a sequence, several times."""

from dataclasses import dataclass

import numpy as np

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Example, Layer, LayerBuilder, Weights
from studio.layers.expect import float_input, known_axis


@dataclass(frozen=True)
class UpSampling1D(Layer):
    """Repeats each step of a sequence."""

    category = "Reshaping"
    synonyms = ("repeat", "stretch", "enlarge", "上采样", "放大")
    rearranges = True
    size: int = param(2, "How often each step is repeated", min=1)
    examples = (
        Example({}, (Spec("float32", ("batch", 3, 2)),)),
        Example({"size": 3}, (Spec("float32", ("batch", 2, 1)),)),
    )

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        float_input(self.kind, x[0].spec, rank=3)
        return repeated(op, self.kind, x[0], 1, self.size)


def repeated(op: LayerBuilder, kind: str, x: Value, axis: int, times: int) -> Value:
    """`x` with each element along an axis, whose size may be open, repeated so often."""
    once = op.Unsqueeze(x, np.array([axis + 1], np.int64))
    often = [1] * once.rank
    often[axis + 1] = times
    wide = op.Expand(once, np.array(often, np.int64))
    after = [known_axis(kind, i, x.spec) for i in range(axis + 1, x.rank)]
    size = x.shape[axis]
    long = size * times if isinstance(size, int) else f"{times}*{size}"
    spec = Spec(x.dtype, (*x.shape[:axis], long, *after))
    shape = np.array([*[0] * axis, -1, *after], np.int64)
    return op.call("Reshape", (wide, shape), specs=[spec])[0]
