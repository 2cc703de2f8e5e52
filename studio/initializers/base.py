"""What an initializer is: a declaration that fills an array from a generator."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from studio.declare import Declared, remedy
from studio.engine.program import Array
from studio.problem import ProblemError, refuse


@dataclass(frozen=True)
class Initializer(Declared):
    """Base of the initializers."""

    family: ClassVar[str] = "initializers"

    def accept(self, weight: str, shape: tuple[int, ...]) -> None:
        """Refuse a weight it cannot fill; any can be, unless an initializer says otherwise.

        Raises:
            ProblemError: naming the weight, its shape and the remedy.
        """

    def fill(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        """A float32 array of this shape, drawn from `rng`."""
        raise TypeError(f"{self.kind} does not say how it fills")


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Fan-in and fan-out as Keras counts them (keras/src/initializers/random_initializers.py)."""
    if len(shape) < 2:
        size = shape[0] if shape else 1
        return size, size
    field = int(np.prod(shape[:-2], dtype=np.int64))
    return shape[-2] * field, shape[-1] * field


def matrix_only(kind: str, weight: str, shape: tuple[int, ...]) -> ProblemError:
    """What an initializer that fills matrices says of another weight."""
    fix = remedy(weight, "initializer", "zeros")
    return refuse("initializer_matrix", kind=kind, name=weight, received=shape, fix=fix)
