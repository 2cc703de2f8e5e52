"""A volume, made larger."""

from dataclasses import dataclass
from typing import Any

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Example, Layer, LayerBuilder, Weights
from studio.layers.edges import DATA_FORMATS, spatial
from studio.layers.expect import float_input
from studio.layers.up_sampling1d import repeated
from studio.problem import Problem


@dataclass(frozen=True)
class UpSampling3D(Layer):
    """Makes a volume larger: repeats planes along each axis."""

    category = "Reshaping"
    synonyms = ("repeat", "stretch", "resize", "enlarge", "上采样", "放大")
    rearranges = True
    size: tuple[int, ...] = param((2, 2, 2), "How many times as large along each axis", min=1)
    data_format: str = param(
        "channels_last", "Whether channels come after the volume or before it", choices=DATA_FORMATS
    )
    examples = (
        Example({}, (Spec("float32", ("batch", 2, 1, 2, 2)),)),
        Example(
            {"size": [1, 3, 2], "data_format": "channels_first"},
            (Spec("float32", ("batch", 1, 2, 1, 2)),),
        ),
    )

    def __post_init__(self) -> None:
        size: Any = self.size
        if isinstance(size, int):  # one for all, as in Keras
            object.__setattr__(self, "size", (size,) * 3)
        super().__post_init__()

    def problems(self) -> list[Problem]:
        found = super().problems()
        if not found and len(self.size) != 3:
            about = {"kind": self.kind, "name": "size", "received": self.size, "expected": 3}
            found.append(Problem("edges_count", args=about, fix={"size": (2, 2, 2)}))
        return found

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        float_input(self.kind, x[0].spec, rank=5)
        y = x[0]
        for axis, times in zip(spatial(self.data_format, 5), self.size, strict=True):
            y = repeated(op, self.kind, y, axis, times)
        return y
