"""The axes of a sample in another order."""

from dataclasses import dataclass

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Example, Layer, LayerBuilder, Weights
from studio.problem import Problem, refuse


@dataclass(frozen=True)
class Permute(Layer):
    """Puts the axes of each sample in another order."""

    category = "Reshaping"
    synonyms = ("transpose", "swap axes", "转置", "交换轴")
    rearranges = True
    dims: tuple[int, ...] = param((2, 1), "The axes in their new order, counted from 1", min=1)
    examples = (
        Example({"dims": [2, 1]}, (Spec("float32", ("batch", 2, 3)),)),
        Example({"dims": [3, 1, 2]}, (Spec("float32", ("batch", 2, 3, 4)),)),
    )

    def problems(self) -> list[Problem]:
        found = super().problems()
        if not found and sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            about = {"kind": self.kind, "name": "dims", "received": self.dims}
            order = tuple(sorted(set(self.dims)).index(d) + 1 for d in dict.fromkeys(self.dims))
            found.append(Problem("permute_dims", args=about, fix={"dims": order}))
        return found

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        axes = x[0].rank - 1
        if axes != len(self.dims):
            kept = tuple(d for d in self.dims if d <= axes)
            order = (*kept, *range(len(kept) + 1, axes + 1))
            raise refuse(
                "permute_rank",
                kind=self.kind,
                received=x[0].spec,
                expected=self.dims,
                fix={"dims": order} if axes else None,
            )
        return op.Transpose(x[0], perm=(0, *self.dims))
