"""A volume without its edges."""

from dataclasses import dataclass

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Example, LayerBuilder, Weights
from studio.layers.edges import DATA_FORMATS, Edges, cropped, image_or_steps, spatial


@dataclass(frozen=True)
class Cropping3D(Edges):
    """Cuts off planes at the edges of a volume."""

    synonyms = ("crop", "trim", "slice", "裁剪")
    rearranges = True
    cropping: tuple[int, ...] = param(
        (1, 1, 1, 1, 1, 1), "How many planes before and after along each axis in turn", min=0
    )
    data_format: str = param(
        "channels_last", "Whether channels come after the volume or before it", choices=DATA_FORMATS
    )
    examples = (
        Example({}, (Spec("float32", ("batch", 3, 4, 3, 2)),)),
        Example({"cropping": [[0, 1], [2, 0], [0, 0]]}, (Spec("float32", ("batch", 2, 3, 2, 1)),)),
        Example(
            {"cropping": [0, 1, 0], "data_format": "channels_first"},
            (Spec("float32", ("batch", 1, 2, 3, 2)),),
        ),
    )

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        image_or_steps(self.kind, x[0].spec)
        axes = spatial(self.data_format, x[0].rank)
        return cropped(op, self.kind, x[0], self.cropping, axes)
