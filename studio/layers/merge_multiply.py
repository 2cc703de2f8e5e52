"""The product of inputs."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Example, LayerBuilder
from studio.layers.masking import any_valid, wide_mask
from studio.layers.merge import Merge


@dataclass(frozen=True)
class Multiply(Merge):
    """Multiplies its inputs, element by element; what is masked counts as 1."""

    synonyms = ("product", "times", "gate", "相乘", "乘积", "门控")
    examples = (
        Example({}, (Spec("float32", ("batch", 3)), Spec("float32", ("batch", 3)))),
        Example(
            {}, tuple(Spec("float32", s) for s in (("batch", 2, 3), ("batch", 1, 3), ("batch", 3)))
        ),
    )

    def combine(self, op: LayerBuilder, x: Sequence[Value]) -> Value:
        masks = [wide_mask(op, value) for value in x]
        factors = (
            value if mask is None else op.Where(mask, value, 1.0)
            for value, mask in zip(x, masks, strict=True)
        )
        product = reduce(lambda a, b: op.Mul(a, b), factors)
        present = [mask for mask in masks if mask is not None]
        if len(present) < len(x):
            return product
        return op.Where(any_valid(op, present), product, 0.0)
