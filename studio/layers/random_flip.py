"""Pictures turned round while training."""

from dataclasses import dataclass

import numpy as np

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Example, Layer, LayerBuilder, Weights
from studio.layers.edges import DATA_FORMATS, spatial
from studio.layers.expect import float_input

_PICTURE = (Spec("float32", ("batch", 3, 4, 2)),)
_AXES = {"vertical": (0,), "horizontal": (1,), "horizontal_and_vertical": (0, 1)}


@dataclass(frozen=True)
class RandomFlip(Layer):
    """While training, turns half of the pictures round, chosen anew at each step."""

    category = "Regularization"
    synonyms = ("augmentation", "mirror", "数据增强", "翻转", "镜像")
    rearranges = True
    mode: str = param(
        "horizontal_and_vertical", "Left and right, top and bottom, or both", choices=tuple(_AXES)
    )
    data_format: str = param(
        "channels_last", "Whether channels come after the image or before it", choices=DATA_FORMATS
    )
    examples = (
        Example({}, _PICTURE),
        Example({"mode": "horizontal"}, _PICTURE),
        Example({"mode": "vertical", "data_format": "channels_first"}, _PICTURE),
    )

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        float_input(self.kind, x[0].spec, rank=4)
        if not op.training:
            return op.Identity(x[0])
        axes = [spatial(self.data_format, 4)[i] for i in _AXES[self.mode]]
        bounds = (np.full(len(axes), v, np.int64) for v in (-1, -(2**62)))
        turned = (x[0], *bounds, np.array(axes, np.int64), np.full(len(axes), -1, np.int64))
        flipped = op.call("Slice", turned, specs=[x[0].spec])[0]
        chosen = op.LessOrEqual(op.noise(x[0], (x[0].shape[0], 1, 1, 1)), 0.5)
        return op.Where(chosen, flipped, x[0])
