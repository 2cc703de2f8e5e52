"""Where data enters."""

from dataclasses import dataclass
from math import prod

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Layer, LayerBuilder, Port, Weights
from studio.limits import VALUE_NUMBERS
from studio.problem import Problem

DTYPES = ("float32", "int32", "int64")


@dataclass(frozen=True)
class Input(Layer):
    """Where data enters: the shape of one sample, without the batch."""

    category = "Input and output"
    synonyms = ("data", "placeholder", "InputLayer", "输入")
    shape: tuple[int | None, ...] = param((1,), "Shape of one sample; None for any length", min=1)
    dtype: str = param("float32", "Type of the values", choices=DTYPES)

    def inputs(self) -> tuple[Port, ...]:
        return ()

    def problems(self) -> list[Problem]:
        return super().problems() or self.too_large()

    def too_large(self) -> list[Problem]:
        """Whether a row of it is more than any value may be, its parameters being right."""
        count = prod(d for d in self.shape if d)
        if count <= VALUE_NUMBERS:
            return []
        args = {"received": self.spec(), "count": count, "expected": VALUE_NUMBERS}
        return [Problem("value_too_large", args=args)]

    def spec(self, apart: str = "") -> Spec:
        """The batch, then the sample; an unknown first size is the length of time.

        `apart` ends the names of unknown sizes, so that they differ from those of another Input.
        """
        names = (f"time{apart}", *(f"size_{i}{apart}" for i in range(1, len(self.shape))))
        sizes = (n if d is None else d for d, n in zip(self.shape, names, strict=False))
        return Spec(self.dtype, ("batch", *sizes))

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        return x[0]
