"""Other axes for the same numbers."""

from dataclasses import dataclass
from math import prod

import numpy as np

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Dim, Spec
from studio.layers.base import Example, Layer, LayerBuilder, Weights
from studio.layers.expect import has_rank
from studio.problem import Problem, ProblemError, refuse


@dataclass(frozen=True)
class Reshape(Layer):
    """Gives each sample another shape of the same size."""

    category = "Reshaping"
    synonyms = ("view", "fold", "unflatten", "变形", "形状")
    rearranges = True
    target_shape: tuple[int, ...] = param(
        (-1,), "Shape of one sample; one size may be -1, whatever is left", min=-1
    )
    examples = (
        Example({"target_shape": [3, 2]}, (Spec("float32", ("batch", 6)),)),
        Example({"target_shape": [2, -1]}, (Spec("float32", ("batch", 4, 3)),)),
        Example({"target_shape": [-1, 2, 2]}, (Spec("float32", ("batch", 3, 4)),)),
    )

    def problems(self) -> list[Problem]:
        found = super().problems()
        if not found and (0 in self.target_shape or self.target_shape.count(-1) > 1):
            about = {"kind": self.kind, "name": "target_shape", "received": self.target_shape}
            found.append(Problem("reshape_target", args=about, fix={"target_shape": (-1,)}))
        return found

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        has_rank(self.kind, x[0].spec, at_least=1)
        sizes = self._sizes(x[0].spec)
        target = [d if isinstance(d, int) else -1 for d in sizes]
        spec = Spec(x[0].dtype, (x[0].shape[0], *sizes))
        return op.call("Reshape", (x[0], np.array([0, *target], np.int64)), specs=[spec])[0]

    def _sizes(self, x: Spec) -> list[Dim]:
        """The target with its -1 resolved; it may be an open size, or a multiple of one."""
        open_sizes = [d for d in x.shape[1:] if not isinstance(d, int)]
        have = prod(d for d in x.shape[1:] if isinstance(d, int))
        want = prod(d for d in self.target_shape if d != -1)
        whole = not open_sizes and have == want  # no -1 is needed
        if have % want or len(open_sizes) > 1 or not (whole or -1 in self.target_shape):
            raise self._refused(x)
        factor = have // want
        rest: Dim = factor
        if open_sizes:
            rest = f"{factor}*{open_sizes[0]}" if factor > 1 else open_sizes[0]
        return [rest if d == -1 else d for d in self.target_shape]

    def _refused(self, x: Spec) -> ProblemError:
        return refuse(
            "reshape_size",
            kind=self.kind,
            received=x,
            expected=self.target_shape,
            fix={"target_shape": (-1,)},
        )
