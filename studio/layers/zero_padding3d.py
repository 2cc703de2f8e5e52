"""Zeros around a volume."""

from dataclasses import dataclass

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Example, LayerBuilder, Weights
from studio.layers.edges import DATA_FORMATS, Edges, image_or_steps, padded, spatial
from studio.layers.values import Range, joined


@dataclass(frozen=True)
class ZeroPadding3D(Edges):
    """Puts zeros around a volume."""

    synonyms = ("pad", "margin", "border", "填充", "补零")
    padding: tuple[int, ...] = param(
        (1, 1, 1, 1, 1, 1), "How many planes before and after along each axis in turn", min=0
    )
    data_format: str = param(
        "channels_last", "Whether channels come after the volume or before it", choices=DATA_FORMATS
    )
    examples = (
        Example({}, (Spec("float32", ("batch", 1, 2, 2, 2)),)),
        Example({"padding": [[0, 1], [2, 0], [1, 1]]}, (Spec("float32", ("batch", 2, 1, 2, 1)),)),
        Example(
            {"padding": [0, 1, 2], "data_format": "channels_first"},
            (Spec("float32", ("batch", 1, 2, 2, 1)),),
        ),
    )

    def range(self, *x: Range | None) -> Range | None:
        return joined((x[0], Range(0.0, 0.0)))

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        image_or_steps(self.kind, x[0].spec)
        return padded(op, x[0], self.padding, spatial(self.data_format, x[0].rank))
