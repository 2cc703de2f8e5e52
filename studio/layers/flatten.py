"""Many axes to one."""

from dataclasses import dataclass
from math import prod

import numpy as np

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Example, Layer, LayerBuilder, Weights
from studio.layers.expect import has_rank, known_sizes
from studio.layers.windows import FORMATS


@dataclass(frozen=True)
class Flatten(Layer):
    """Puts all axes but the batch into one."""

    category = "Reshaping"
    synonyms = ("ravel", "展平")
    rearranges = True
    data_format: str = param(
        "channels_last",
        "Where channels are; if before the others, they are put last",
        choices=FORMATS,
    )
    examples = (
        Example({}, (Spec("float32", ("batch", 2, 3)),)),
        Example({}, (Spec("float32", ("batch", 4)),)),
        Example({"data_format": "channels_first"}, (Spec("float32", ("batch", 2, 3, 2)),)),
    )

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        has_rank(self.kind, x[0].spec, at_least=1)
        flat = prod(known_sizes(self.kind, x[0].spec))
        y = x[0]
        if self.data_format == "channels_first" and y.rank > 2:
            y = op.Transpose(y, perm=(0, *range(2, y.rank), 1))
        return op.Reshape(y, np.array([0, flat], np.int64))
