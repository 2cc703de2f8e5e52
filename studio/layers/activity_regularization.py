"""A cost of large values."""

from dataclasses import dataclass

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Example, Layer, LayerBuilder, Weights
from studio.layers.expect import float_input
from studio.regularizers.base import Regularizer
from studio.regularizers.norms import L1L2


@dataclass(frozen=True)
class ActivityRegularization(Layer):
    """Gives what it takes, and adds what large values cost to the loss, by sample."""

    category = "Regularization"
    synonyms = ("sparsity", "penalty", "L1", "L2", "正则化", "稀疏")
    supports_masking = True
    rearranges = True
    l1: float = param(0.0, "Factor of the sum of absolute values", min=0)
    l2: float = param(0.0, "Factor of the sum of squares", min=0)
    examples = (
        Example({"l1": 0.1}, (Spec("float32", ("batch", 3)),)),
        Example({"l2": 0.1}, (Spec("float32", ("batch", 2, 3)),)),
    )

    def activity(self) -> Regularizer:
        return L1L2(self.l1, self.l2)

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        float_input(self.kind, x[0].spec, at_least=1)
        return op.Identity(x[0])
