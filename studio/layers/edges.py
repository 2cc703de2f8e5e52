"""What layers share that add or cut at the edges of a sequence or an image."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from studio.engine.builder import Value
from studio.engine.program import Array, Spec
from studio.layers.base import Layer, LayerBuilder
from studio.layers.expect import float_input
from studio.problem import Problem, refuse

DATA_FORMATS = ("channels_last", "channels_first")


def spatial(data_format: str, rank: int) -> tuple[int, ...]:
    """The axes of time, or of height and width."""
    first = 1 if data_format == "channels_last" else 2
    return tuple(range(first, first + rank - 2))


@dataclass(frozen=True)
class Edges(Layer):
    """Base of the layers with an amount before and after each axis: ``(top, bottom, left, …)``.

    Keras's forms are understood: one number for every edge, one for each axis, a pair for each.
    """

    category = "Reshaping"

    def __post_init__(self) -> None:
        object.__setattr__(self, self._name(), _flat(self._amounts(), self._axes()))
        super().__post_init__()

    def problems(self) -> list[Problem]:
        found = super().problems()
        count = 2 * self._axes()
        if not found and len(self._amounts()) != count:
            about = {"kind": self.kind, "name": self._name(), "received": self._amounts()}
            fix = {self._name(): (1,) * count}
            found.append(Problem("edges_count", args={**about, "expected": count}, fix=fix))
        return found

    def _name(self) -> str:
        """Of the parameter: the first one."""
        return self.params()[0].name

    def _axes(self) -> int:
        """How many axes it is about: the last but one letter of its kind."""
        return int(self.kind[-2])

    def _amounts(self) -> Any:
        return getattr(self, self._name())


def _flat(given: Any, axes: int) -> Any:
    """``(before, after)`` of each axis in turn; what is none of Keras's forms as it is."""
    if isinstance(given, int):
        return (given, given) * axes
    if axes == 1 or not isinstance(given, list | tuple) or len(given) != axes:
        return given
    pairs = ((n, n) if isinstance(n, int) else tuple(n) for n in given)
    return tuple(n for pair in pairs for n in pair)


def padded(op: LayerBuilder, x: Value, amounts: Sequence[int], axes: Sequence[int]) -> Value:
    """`x` with zeros before and after axes."""
    befores, afters = [0] * x.rank, [0] * x.rank
    for axis, before, after in zip(axes, amounts[::2], amounts[1::2], strict=True):
        befores[axis], afters[axis] = before, after
    grown = [b + a for b, a in zip(befores, afters, strict=True)]
    return op.call("Pad", (x, _ints(*befores, *afters)), specs=[_longer(x.spec, grown)])[0]


def cropped(
    op: LayerBuilder, kind: str, x: Value, amounts: Sequence[int], axes: Sequence[int]
) -> Value:
    """`x` without what is before and after on axes.

    Raises:
        ProblemError: ``cropping_all``: nothing would be left.
    """
    befores, afters = amounts[::2], amounts[1::2]
    for axis, before, after in zip(axes, befores, afters, strict=True):
        size = x.shape[axis]
        if isinstance(size, int) and before + after >= size:
            raise refuse("cropping_all", kind=kind, received=x.spec, axis=axis, cut=before + after)
    grown = [0] * x.rank
    for axis, before, after in zip(axes, befores, afters, strict=True):
        grown[axis] = -before - after
    bounds = (_ints(*befores), _ints(*(-after or 2**62 for after in afters)), _ints(*axes))
    return op.call("Slice", (x, *bounds), specs=[_longer(x.spec, grown)])[0]


def _longer(x: Spec, by: Sequence[int]) -> Spec:
    """The spec of what is so much longer along each axis; an open size gets another name."""
    sizes = (
        d + n if isinstance(d, int) else f"{d}{n:+}" if n else d
        for d, n in zip(x.shape, by, strict=True)
    )
    return Spec(x.dtype, tuple(sizes))


def image_or_steps(kind: str, spec: Spec) -> None:
    """Refuse another rank than that of sequences (…1D), images (…2D) or volumes (…3D)."""
    float_input(kind, spec, rank=int(kind[-2]) + 2)


def _ints(*values: int) -> Array:
    return np.array(values, np.int64)
