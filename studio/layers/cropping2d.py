"""An image without its edges."""

from dataclasses import dataclass

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Example, LayerBuilder, Weights
from studio.layers.edges import DATA_FORMATS, Edges, cropped, image_or_steps, spatial


@dataclass(frozen=True)
class Cropping2D(Edges):
    """Cuts off rows and columns at the edges of an image."""

    synonyms = ("crop", "trim", "slice", "裁剪")
    rearranges = True
    cropping: tuple[int, ...] = param(
        (0, 0, 0, 0), "How many rows above and below, columns left and right", min=0
    )
    data_format: str = param(
        "channels_last", "Whether channels come after the image or before it", choices=DATA_FORMATS
    )
    examples = (
        Example({"cropping": 1}, (Spec("float32", ("batch", 3, 4, 2)),)),
        Example({"cropping": [[0, 1], [2, 0]]}, (Spec("float32", ("batch", 2, 3, 2)),)),
        Example(
            {"cropping": [0, 1], "data_format": "channels_first"},
            (Spec("float32", ("batch", 1, 2, 3)),),
        ),
    )

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        image_or_steps(self.kind, x[0].spec)
        axes = spatial(self.data_format, x[0].rank)
        return cropped(op, self.kind, x[0], self.cropping, axes)
