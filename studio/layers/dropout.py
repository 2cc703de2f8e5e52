"""Random omission while training."""

from dataclasses import dataclass
from typing import ClassVar

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Dim, Spec
from studio.layers.base import Example, Layer, LayerBuilder, Weights
from studio.layers.expect import float_input
from studio.layers.noise import dropped
from studio.problem import refuse


@dataclass(frozen=True)
class Dropout(Layer):
    """While training, sets a share of the values to zero and scales the rest up to match."""

    category = "Regularization"
    synonyms: ClassVar[tuple[str, ...]] = ("drop", "丢弃", "随机失活")
    supports_masking = True
    rearranges = True  # outside training
    rate: float = param(0.5, "Share of values set to zero while training", min=0, max=1)
    noise_shape: tuple[int | None, ...] | None = param(
        None, "Shape of the draws, with the batch: 1 drops along an axis together", min=1
    )
    examples = (
        Example({"rate": 0.4}, (Spec("float32", ("batch", 6)),)),
        Example({"rate": 0.0}, (Spec("float32", ("batch", 2, 3)),)),
        Example({"noise_shape": [None, 1, 3]}, (Spec("float32", ("batch", 2, 3)),)),
    )

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        float_input(self.kind, x[0].spec)
        shape = self.drawn(x[0].spec)
        if not op.training or self.rate == 0:
            return op.Identity(x[0])
        return dropped(op, x[0], self.rate, shape)

    def drawn(self, x: Spec) -> tuple[Dim, ...]:
        """The shape of the draws: None stands for the size of the input, 1 for one draw for all."""
        given = self.noise_shape or (None,) * x.rank
        found = tuple(d if n is None else n for n, d in zip(given, x.shape, strict=False))
        fits = all(n in (1, d) for n, d in zip(found, x.shape, strict=False))
        if len(given) != x.rank or not fits:
            fix = {"noise_shape": None}
            raise refuse("noise_shape", kind=self.kind, received=given, expected=x, fix=fix)
        return found
