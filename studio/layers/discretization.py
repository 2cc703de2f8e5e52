"""Numbers by the bin they fall into."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Example, Layer, LayerBuilder, Weights
from studio.layers.category_encoding import encoded
from studio.layers.expect import float_input
from studio.layers.quantiles import boundaries
from studio.layers.values import Range
from studio.problem import Problem, refuse


@dataclass(frozen=True)
class Discretization(Layer):
    """Says of each number into which bin it falls: how many boundaries are not above it.

    With `num_bins` in the place of boundaries, ``adapt`` learns them from data, and from then on
    they are `bin_boundaries`, saved with the model and shown in the window.
    """

    category = "Core"
    synonyms = ("bucketize", "bins", "histogram", "quantize", "分箱", "离散化")
    bin_boundaries: tuple[float, ...] | None = param(
        (0.0,), "Where bins end, in rising order; empty: taken from data", optional=True
    )
    num_bins: int | None = param(None, "How many bins adapt learns from data", min=1, shown=False)
    epsilon: float = param(0.01, "How exactly, as a share of the data", min=1e-6, shown=False)
    output_mode: str = param(
        "int",
        "int: the number of the bin; else as CategoryEncoding has it",
        choices=("int", "one_hot", "multi_hot", "count"),
    )
    examples = (
        Example({"bin_boundaries": [-1.0, 0.0, 0.5]}, (Spec("float32", ("batch", 3)),)),
        Example({"output_mode": "one_hot"}, (Spec("float32", ("batch", 1)),)),
        Example(
            {"bin_boundaries": [0.0, 1.0], "output_mode": "count"}, (Spec("float32", ("batch", 3)),)
        ),
    )

    @classmethod
    def arguments(cls, args: tuple[Any, ...], given: Mapping[str, Any]) -> dict[str, Any]:
        found = super().arguments(args, given)
        if found.get("num_bins") is not None:
            found.setdefault("bin_boundaries", None)
        return found

    def problems(self) -> list[Problem]:
        found, given = super().problems(), self.bin_boundaries or ()
        if not found and list(given) != sorted(given):
            args = {"kind": self.kind, "received": given}
            fix = {"bin_boundaries": tuple(sorted(given))}
            found.append(Problem("boundaries_order", args=args, fix=fix))
        return found

    def adapted(self, data: Any, steps: int | None = None) -> "Discretization":
        """With boundaries learnt from an array, or from the first `steps` batches of several.

        Raises:
            ProblemError: ``bins_given``: its boundaries are there already.
        """
        if self.num_bins is None:
            raise refuse("bins_given", kind=self.kind, received=self.bin_boundaries)
        batches = [data] if isinstance(data, np.ndarray) else islice(data, steps)
        return replace(self, bin_boundaries=boundaries(batches, self.num_bins, self.epsilon))

    def range(self, *x: Range | None) -> Range:
        last = {"int": float(len(self.bin_boundaries or ())), "count": np.inf}
        return Range(0.0, last.get(self.output_mode, 1.0))

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        float_input(self.kind, x[0].spec, at_least=2)
        if self.bin_boundaries is None:
            raise refuse("bins_unknown", kind=self.kind, fix={"bin_boundaries": (0.0,)})
        last = np.array([-1], np.int64)
        ends = np.array(self.bin_boundaries, np.float32)
        passed = op.GreaterOrEqual(op.Unsqueeze(x[0], last), op.const(ends, x[0].dtype))
        number = op.ReduceSum(op.Cast(passed, to="int32"), last, keepdims=0)
        if self.output_mode == "int":
            return number
        return encoded(op, number, len(ends) + 1, self.output_mode)
