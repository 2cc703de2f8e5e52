"""Many axes to one."""

from dataclasses import dataclass
from math import prod

import numpy as np

from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Example, Layer, LayerBuilder, Weights
from studio.layers.expect import has_rank, known_sizes


@dataclass(frozen=True)
class Flatten(Layer):
    """Puts all axes but the batch into one."""

    category = "Reshaping"
    synonyms = ("ravel", "展平")
    rearranges = True
    examples = (
        Example({}, (Spec("float32", ("batch", 2, 3)),)),
        Example({}, (Spec("float32", ("batch", 4)),)),
    )

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        has_rank(self.kind, x[0].spec, at_least=1)
        flat = prod(known_sizes(self.kind, x[0].spec))
        return op.Reshape(x[0], np.array([0, flat], np.int64))
