"""Values on another scale."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Array, Spec
from studio.layers.base import Example, Layer, LayerBuilder, Weights
from studio.layers.values import Range
from studio.problem import refuse


@dataclass(frozen=True)
class Rescaling(Layer):
    """Multiplies by a scale and adds an offset: pixels of 0 … 255 become 0 … 1."""

    category = "Reshaping"
    synonyms = ("normalize pixels", "scale", "preprocessing", "缩放", "预处理")
    supports_masking = True
    scale: tuple[float, ...] = param((1 / 255,), "The factor, or one for each last index")
    offset: tuple[float, ...] = param((0.0,), "What is added, or one number for each last index")
    examples = (
        Example({"scale": 0.5, "offset": -1.0}, (Spec("float32", ("batch", 3)),)),
        Example({"scale": [1.0, 0.5], "offset": [0.0, 2.0]}, (Spec("int32", ("batch", 3, 2)),)),
    )

    def __post_init__(self) -> None:
        for name in ("scale", "offset"):
            given: Any = getattr(self, name)
            if isinstance(given, int | float):  # one for all, as in Keras
                object.__setattr__(self, name, (given,))
        super().__post_init__()

    def range(self, *x: Range | None) -> Range | None:
        """Of one scale and one offset."""
        if x[0] is None or len(self.scale) > 1 or len(self.offset) > 1:
            return None
        if self.scale[0] == 0:
            return Range(self.offset[0], self.offset[0])
        low, high = sorted(end * self.scale[0] + self.offset[0] for end in (x[0].low, x[0].high))
        return Range(low, high)

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        for name in ("scale", "offset"):
            self._fit(name, len(getattr(self, name)), x[0].spec)
        value = x[0] if x[0].dtype.startswith("float") else op.Cast(x[0], to="float32")
        return op.Add(op.Mul(value, _numbers(self.scale)), _numbers(self.offset))

    def _fit(self, name: str, count: int, x: Spec) -> None:
        """Refuse numbers for each last index where there is another number of them."""
        if count != 1 and (x.rank < 2 or x.shape[-1] != count):
            about = {"kind": self.kind, "name": name, "received": count, "expected": x}
            raise refuse("numbers_each", fix={name: getattr(self, name)[:1] or (1.0,)}, **about)


def _numbers(given: tuple[float, ...]) -> Array | float:
    """One number as a number, so that no axis comes of it."""
    return given[0] if len(given) == 1 else np.array(given, np.float32)
