"""Many axes to one."""

from dataclasses import dataclass

import numpy as np

from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Example, Layer, LayerBuilder, Weights
from studio.layers.expect import has_rank
from studio.problem import refuse


@dataclass(frozen=True)
class Flatten(Layer):
    """Puts all axes but the batch into one."""

    category = "Reshaping"
    synonyms = ("ravel", "展平")
    examples = (
        Example({}, (Spec("float32", ("batch", 2, 3)),)),
        Example({}, (Spec("float32", ("batch", 4)),)),
    )

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        has_rank(self.kind, x[0].spec, at_least=1)
        sizes = [d for d in x[0].shape[1:] if isinstance(d, int)]
        if len(sizes) != x[0].rank - 1:
            raise refuse("expects_known_sizes", kind=self.kind, received=x[0].spec)
        flat = int(np.prod(sizes, dtype=np.int64))
        return op.Reshape(x[0], np.array([0, flat], np.int64))
